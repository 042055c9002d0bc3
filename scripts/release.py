"""What a release checks and writes: `release.py refer RELEASE`, `check VERSION`, `notes VERSION` or `pin IMAGE`.

`refer` makes the reusable workflow use the actions of that release (`octo/package-retention@v1.4.0`). It is run by hand,
on main, with the new version: the release's own token may not push a commit that changes a workflow. `check` ends
with status 1 unless `pyproject.toml`, `CHANGELOG.md` and the reusable workflow know the version; `notes` prints its
section of the change log; `pin` points `action.yml` at the published image, by digest.
"""

import os
import re
import sys
import tomllib
from pathlib import Path

VERSION = re.compile(r"\d+\.\d+\.\d+")
REFERENCE = re.compile(r"[a-z0-9./_-]+@sha256:[0-9a-f]{64}")
RELEASE = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)@(?P<tag>v\d+\.\d+\.\d+)")
REUSABLE = Path(".github", "workflows", "organization.yml")
# The actions of this repository carry no commit: a commit cannot name itself. All others do.
OWN_ACTION = re.compile(
    r"(?P<uses>\buses: )(?P<repository>[\w.-]+/[\w.-]+)(?P<path>(?:/[\w./-]+)?)@(?P<tag>v\d+(?:\.\d+\.\d+)?)(?= |$)",
    re.MULTILINE,
)
IMAGE_LINE = re.compile(r"""^(?P<indent>[ \t]*)image:[ \t]*["']?Dockerfile["']?[ \t]*$""", re.MULTILINE)


class ReleaseError(Exception):
    """This cannot be released as it is."""


def check(version: str, project: str, changelog: str) -> None:
    """Hold the version against what `pyproject.toml` and `CHANGELOG.md` say.

    Raises:
        ReleaseError: The version is none, or another one, or the change log does not tell of it.
    """
    if not VERSION.fullmatch(version):
        raise ReleaseError(f"`{version}` is no version: three numbers are, as in 1.4.0")
    declared = tomllib.loads(project)["project"]["version"]
    if declared != version:
        raise ReleaseError(f"pyproject.toml says {declared}, not {version}: change it there first, on main")
    notes(version, changelog)


def notes(version: str, changelog: str) -> str:
    """Return the version's section of the change log, without its heading.

    Raises:
        ReleaseError: There is no such section, or nothing in it.
    """
    section = re.search(
        rf"^## \[{re.escape(version)}\][^\n]*\n(.*?)(?=^## |^\[[^\]]+\]: |\Z)",
        changelog,
        re.MULTILINE | re.DOTALL,
    )
    if section is None or not section[1].strip():
        raise ReleaseError(
            f"CHANGELOG.md has nothing under `## [{version}]`: say there what changes for users"
        )
    return section[1].strip() + "\n"


def refer(release: str, workflow: str) -> str:
    """Return the text of the reusable workflow with this repository's own actions taken from a release.

    Raises:
        ReleaseError: The release is none, or the workflow uses no action of this repository.
    """
    named = RELEASE.fullmatch(release)
    if not named:
        raise ReleaseError(f"`{release}` is no release of a repository: OWNER/NAME@vX.Y.Z is")
    text, count = OWN_ACTION.subn(rf"\g<uses>{named['repository']}\g<path>@{named['tag']}", workflow)
    if not count:
        raise ReleaseError(f"{REUSABLE} uses no action of this repository by a tag")
    return text


def check_references(repository: str, version: str, workflow: str) -> None:
    """Hold what the reusable workflow uses against the release that is made.

    Raises:
        ReleaseError: It would run another repository's or another release's actions.
    """
    release = f"{repository}@v{version}"
    if refer(release, workflow) != workflow:
        raise ReleaseError(
            f"{REUSABLE} does not use {release}: run `python scripts/release.py refer {release}` first, on main"
        )


def pin(reference: str, action: str) -> str:
    """Return the text of `action.yml` with the published image in the Dockerfile's place.

    Raises:
        ReleaseError: The reference holds no digest, or the file builds no Dockerfile.
    """
    if not REFERENCE.fullmatch(reference):
        raise ReleaseError(
            f"`{reference}` is not an image by digest: HOST/OWNER/NAME@sha256:… in small letters"
        )
    text, count = IMAGE_LINE.subn(rf"\g<indent>image: docker://{reference}", action)
    if count != 1:
        raise ReleaseError(f"action.yml has {count} lines `image: Dockerfile` instead of one")
    return text


def run(command: str, argument: str, root: Path, repository: str) -> None:
    """Carry one command out in the checkout at `root`, of the repository `OWNER/NAME`.

    Raises:
        ReleaseError: The command is none of the four, or what it found forbids the release.
    """
    project, changelog, action = (root / name for name in ("pyproject.toml", "CHANGELOG.md", "action.yml"))
    workflow = root / REUSABLE
    if command == "refer":
        workflow.write_text(refer(argument, workflow.read_text("utf-8")), "utf-8")
    elif command == "check":
        check(argument, project.read_text("utf-8"), changelog.read_text("utf-8"))
        check_references(repository, argument, workflow.read_text("utf-8"))
    elif command == "notes":
        sys.stdout.write(notes(argument, changelog.read_text("utf-8")))
    elif command == "pin":
        action.write_text(pin(argument, action.read_text("utf-8")), "utf-8")
    else:
        raise ReleaseError(f"`{command}` is not one of refer, check, notes, pin")


def main(command: str, argument: str, root: Path, repository: str = "OWNER/package-retention") -> int:
    """Run one command; tell why a release is refused; return the exit status."""
    try:
        run(command, argument, root, repository)
    except ReleaseError as error:
        print(f"Not released: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 3:  # noqa: PLR2004 - itself, the command and what it is about
        sys.exit(__doc__)
    sys.exit(
        main(
            sys.argv[1],
            sys.argv[2],
            Path(__file__).resolve().parents[1],
            os.environ.get("GITHUB_REPOSITORY", "OWNER/package-retention"),
        )
    )
