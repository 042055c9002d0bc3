"""What a release checks and writes: `release.py check VERSION`, `notes VERSION`, `pin IMAGE` or `pinned NAME`.

`check` ends with status 1 unless `pyproject.toml`, `CHANGELOG.md` and the repository's own name fit the release;
`notes` prints the version's section of the change log; `pin` points `action.yml` at the published image, by digest;
`pinned` prints the image by digest that is called NAME (`builder`, `scanner`) in `.github/builders/Dockerfile`.
"""

import os
import re
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

VERSION = re.compile(r"\d+\.\d+\.\d+")
REFERENCE = re.compile(r"[a-z0-9.:/_-]+@sha256:[0-9a-f]{64}")
IMAGE_LINE = re.compile(r"""^(?P<indent>[ \t]*)image:[ \t]*["']?Dockerfile["']?[ \t]*$""", re.MULTILINE)
SOURCE = re.compile(r"^ARG SOURCE=https://github\.com/(?P<repository>[\w.-]+/[\w.-]+)$", re.MULTILINE)
BUILDERS = Path(".github", "builders", "Dockerfile")


class ReleaseError(Exception):
    """This cannot be released as it is."""


def check_version(version: str) -> None:
    """Raise a `ReleaseError` unless this is a version that can be released."""
    if not VERSION.fullmatch(version):
        raise ReleaseError(f"`{version}` is not a version: write three numbers, as in 1.4.0")


def check(version: str, project: str, changelog: str) -> None:
    """Hold the version against what `pyproject.toml` and `CHANGELOG.md` say.

    Raises:
        ReleaseError: The version is not one, or another one, or the change log has no section for it.
    """
    check_version(version)
    declared = tomllib.loads(project)["project"]["version"]
    if declared != version:
        raise ReleaseError(f"pyproject.toml says {declared}, not {version}: change it there first, on main")
    notes(version, changelog)


def check_repository(repository: str, dockerfile: str) -> None:
    """Hold the repository that releases against the one that the tree names in its files.

    Raises:
        ReleaseError: The files name another repository, or still nobody's.
    """
    named = SOURCE.search(dockerfile)
    if named is None or named["repository"].lower() != repository.lower():
        owner, _, name = repository.partition("/")
        says = named["repository"] if named else "nothing"
        rename = "" if name == "package-retention" else "; the repository must be called package-retention"
        raise ReleaseError(
            f"the files name {says}, and this is {repository}: run `make publishable OWNER={owner}` first, on main{rename}"
        )


def notes(version: str, changelog: str) -> str:
    """Return the version's section of the change log, without its heading.

    Raises:
        ReleaseError: The section does not exist, or is empty.
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


def pinned(name: str, dockerfile: str) -> str:
    """Return the image that a Dockerfile calls `name`, by digest.

    Raises:
        ReleaseError: No image has that name, or it is not pinned.
    """
    found = re.search(rf"^FROM (\S+@sha256:[0-9a-f]{{64}}) AS {re.escape(name)}$", dockerfile, re.MULTILINE)
    if found is None:
        raise ReleaseError(f"{BUILDERS} has no image by digest called `{name}`")
    return found[1]


def run(command: str, argument: str, root: Path, environ: Mapping[str, str]) -> None:
    """Carry one command out in the checkout at `root`.

    Raises:
        ReleaseError: The command is unknown, or what it found forbids the release.
    """

    def read(name: str | Path) -> str:
        return (root / name).read_text("utf-8")

    if command == "check":
        check(argument, read("pyproject.toml"), read("CHANGELOG.md"))
        check_repository(environ["GITHUB_REPOSITORY"], read("Dockerfile"))
    elif command == "notes":
        sys.stdout.write(notes(argument, read("CHANGELOG.md")))
    elif command == "pin":
        (root / "action.yml").write_text(pin(argument, read("action.yml")), "utf-8")
    elif command == "pinned":
        print(pinned(argument, read(BUILDERS)))
    else:
        raise ReleaseError(f"`{command}` is not one of check, notes, pin, pinned")


def main(command: str, argument: str, root: Path, environ: Mapping[str, str]) -> int:
    """Run one command; say why a release is refused; return the exit status."""
    try:
        run(command, argument, root, environ)
    except ReleaseError as error:
        print(f"Not released: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 3:  # noqa: PLR2004 - itself, the command and what it is about
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2], Path(__file__).resolve().parents[1], os.environ))
