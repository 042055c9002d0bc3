"""Print the image references that releases pin, one a line, as an `exclude-versions` of the action.

A release is a tag `vX.Y.Z`; its `action.yml` names the published image by digest. One that does not,
a clone without all tags, or git failing, ends this with status 1: an exclusion that is missing would
let a clean-up delete what users' workflows run. `none` is printed where there is no release yet.
"""

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

RELEASE = re.compile(r"v\d+\.\d+\.\d+")
PINNED = re.compile(
    r"""^\s*image:\s*["']?docker://(?P<reference>[^\s"'@]+@sha256:[0-9a-f]{64})["']?\s*$""", re.MULTILINE
)


class NotPinnedError(Exception):
    """What a release pins is not known."""


def pinned_references(action_files: Mapping[str, str]) -> list[str]:
    """Return each release's image reference, in the tags' order and each once.

    Args:
        action_files: The text of `action.yml` by release tag.

    Raises:
        NotPinnedError: A release's `action.yml` does not name exactly one image by digest.
    """
    references: dict[str, None] = {}
    for tag, text in action_files.items():
        found = PINNED.findall(text)
        if len(found) != 1:
            raise NotPinnedError(f"action.yml of {tag} names {len(found)} images by digest instead of one")
        references[found[0]] = None
    return list(references)


def git(repository: Path, *arguments: str) -> str:
    """Return what git prints.

    Raises:
        subprocess.CalledProcessError: git failed; it has said why on standard error.
    """
    command = ["git", "-C", str(repository), *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, encoding="utf-8").stdout


def release_action_files(repository: Path) -> dict[str, str]:
    """Return the text of `action.yml` in every release of a clone.

    Raises:
        NotPinnedError: The clone is shallow, so that tags may be missing from it.
        subprocess.CalledProcessError: git failed, or a release has no `action.yml`.
    """
    if git(repository, "rev-parse", "--is-shallow-repository").strip() != "false":
        raise NotPinnedError("this clone is shallow and may lack tags; check out with `fetch-depth: 0`")
    tags = [tag for tag in git(repository, "tag", "--list", "v*").split() if RELEASE.fullmatch(tag)]
    return {tag: git(repository, "show", f"{tag}:action.yml") for tag in tags}


def main(repository: Path) -> int:
    """Print the references, or why they are not known; return the exit status."""
    try:
        references = pinned_references(release_action_files(repository))
    except (NotPinnedError, subprocess.CalledProcessError) as error:
        print(f"Cannot tell what releases pin: {error}", file=sys.stderr)
        return 1
    print("\n".join(references) or "none")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path.cwd()))
