"""Carry a release out, in steps that may each be repeated: `python -m scripts.publish find|hold|join|pull|tag VERSION`.

Run by `.github/workflows/release.yml`, with the runner's own Python. `find` says which commit is released, `hold` makes
a branch of it, `join` puts both architectures under one tag of the image, `pull` proves that everybody can have it, and
`tag` commits the `action.yml` that names it, tags that commit and makes the release.

What was done already is found and left as it is, so a release that failed in the middle is started again and goes on.
GitHub refuses a tag from a workflow's token where no branch has the same workflow files as the tagged commit; the
branch is there for that, while main moves on. It goes when the release is complete.
"""

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from scripts import published_image
from scripts.release import VERSION, ReleaseError, check_version, notes, pin
from scripts.release_context import Release, command

BOT = ("github-actions[bot]", "41898282+github-actions[bot]@users.noreply.github.com")


def find(release: Release) -> None:
    """Check out the commit that this version is released from: the one that an earlier run held, or this run's.

    Raises:
        ReleaseError: The version is released already.
    """
    refs = release.remote_refs()
    if release.tag_ref in refs and release.branch not in refs:
        raise ReleaseError(f"v{release.version} is released already")
    commit = refs.get(release.branch, release.environ["GITHUB_SHA"])
    release.git("checkout", "--quiet", "--detach", commit)
    epoch = release.git("log", "-1", "--format=%ct", commit)
    release.output(commit=commit, epoch=epoch, image=release.image)


def hold(release: Release) -> None:
    """Make the release's branch, and look whether an earlier run has published the image.

    Raises:
        ReleaseError: GitHub refused the branch, or the image's tag belongs to another commit.
    """
    commit = release.environ["COMMIT"]
    if release.branch not in release.remote_refs():
        release.git("push", "origin", f"{commit}:{release.branch}")
    # An image that cannot be read now is built again: `join`, which has just pushed to the package, decides.
    release.output(digest=published_image.found(release))


def tag(release: Release) -> None:
    """Commit the `action.yml` that names the image, tag the commit, make the release, and give the branch up.

    Raises:
        ReleaseError: GitHub refused a push, or the tag is another image's.
    """
    refs = release.remote_refs()
    reference = f"{release.image}@{release.environ['DIGEST']}"
    commit = refs.get(release.tag_ref)
    if commit is None:
        commit = pinned_commit(release, reference)
        wanted = [f"{commit}:{release.tag_ref}"]
    else:
        release.git("fetch", "--quiet", "origin", release.tag_ref)
        if f"docker://{reference}" not in release.git("show", f"{commit}:action.yml"):
            raise ReleaseError(f"v{release.version} is tagged already, with another image than {reference}")
        wanted = []
    major = f"refs/tags/v{release.version.split('.')[0]}"
    newest_of_major = is_newest(release.version, refs, major=True)
    if newest_of_major and refs.get(major) != commit:
        wanted.append(f"+{commit}:{major}")
    if wanted:
        release.git("push", "--atomic", "origin", *wanted)
    make_release(release, latest=is_newest(release.version, refs, major=False))
    if release.branch in refs:
        release.git("push", "origin", "--delete", release.branch)


def pinned_commit(release: Release, reference: str) -> str:
    """Commit `action.yml` on top of the released commit; the same release makes the same commit again."""
    base = release.environ["COMMIT"]
    release.git("checkout", "--quiet", "--detach", base)
    action = release.root / "action.yml"
    action.write_text(pin(reference, action.read_text("utf-8")), "utf-8")
    date = release.git("log", "-1", "--format=%ct +0000", base)
    name, mail = BOT
    identity = {
        f"GIT_{who}_{what}": value
        for who in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", name), ("EMAIL", mail), ("DATE", date))
    }
    message = f"Release v{release.version}: run the published image"
    release.git("commit", "--quiet", "--message", message, "--", "action.yml", env=identity)
    return release.git("rev-parse", "HEAD")


def is_newest(version: str, refs: Mapping[str, str], *, major: bool) -> bool:
    """Whether no release (of the same major version) is above this one: `v1` never goes back to an older patch."""
    ours = _version_numbers(version)
    found = (re.fullmatch(rf"refs/tags/v({VERSION.pattern})", name) for name in refs)
    others = [_version_numbers(one[1]) for one in found if one]
    return all(ours >= other for other in others if not major or other[0] == ours[0])


def _version_numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def make_release(release: Release, *, latest: bool) -> None:
    """Make the release on GitHub, unless it is there."""
    name = f"v{release.version}"
    if command("gh", "release", "view", name).returncode == 0:
        return
    path = Path(release.environ["RUNNER_TEMP"], "notes.md")
    path.write_text(notes(release.version, (release.root / "CHANGELOG.md").read_text("utf-8")), "utf-8")
    options = ("--verify-tag", "--title", name, "--notes-file", str(path), f"--latest={str(latest).lower()}")
    release.run("gh", "release", "create", name, *options)


STEPS = {"find": find, "hold": hold, "join": published_image.join, "pull": published_image.pull, "tag": tag}


def main(step: str, version: str, root: Path, environ: Mapping[str, str]) -> int:
    """Run one step; say why it stopped; return the exit status."""
    try:
        check_version(version)
        STEPS[step](Release(version, root, environ))
    except (ReleaseError, OSError, ValueError) as error:
        lines = str(error).splitlines()
        print(f"::error::Not released: {'%0A'.join(lines)}")
        return 1
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in STEPS:  # noqa: PLR2004 - itself, the step and the version
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2], Path.cwd(), os.environ))
