"""Make a copy of this repository its owner's own: `publishable.py OWNER`, as `make publishable OWNER=acme` runs it.

Every tracked file names the repository by a placeholder owner; that string alone is replaced, and the steps of
`docs/publishing.md` that remain are printed. Run again, it finds nothing and changes nothing.
"""

import re
import subprocess
import sys
from pathlib import Path

# Written in two parts, or this file would name its owner's repository in place of the placeholder.
PLACEHOLDER = b"OWNER" + b"/package-retention"
MARK = re.compile(rb"(?<![\w.-])(?P<registry>ghcr\.io/)?" + re.escape(PLACEHOLDER) + rb"(?![\w-])")
LOGIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9]|[-_](?=[A-Za-z0-9])){0,38}")
PAGE = Path("docs", "publishing.md")
STEP = re.compile(r"^## (?P<number>\d+)\. (?P<title>.+)$", re.MULTILINE)
OWN_STEP = 2  # the one that this is


def owned(text: bytes, owner: str) -> bytes:
    """Return a file's content with the owner in the placeholder's place; an image's name is always in small letters."""

    def replaced(found: re.Match[bytes]) -> bytes:
        registry = found["registry"] or b""
        login = owner.lower() if registry else owner
        return registry + PLACEHOLDER.replace(b"OWNER", login.encode())

    return MARK.sub(replaced, text)


def replace(root: Path, owner: str) -> list[str]:
    """Change every tracked file that names the placeholder; return their paths.

    Raises:
        subprocess.CalledProcessError: This is no clone.
    """
    listed = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-z"], check=True, stdout=subprocess.PIPE
    ).stdout
    changed = []
    for name in filter(None, listed.decode().split("\0")):
        path = root / name
        if not path.is_file() or path.is_symlink():
            continue
        before = path.read_bytes()
        after = owned(before, owner)
        if after != before:
            path.write_bytes(after)
            changed.append(name)
    return changed


def remaining(page: str) -> list[str]:
    """Return the numbered steps of the page that come after this one."""
    return [
        f"{step['number']}. {step['title']}" for step in STEP.finditer(page) if int(step["number"]) > OWN_STEP
    ]


def main(owner: str, root: Path) -> int:
    """Replace the placeholder and say what remains; return the exit status."""
    if not LOGIN.fullmatch(owner) or owner == "OWNER":
        print(
            f"`{owner}` is not the name of a user or organization: make publishable OWNER=acme",
            file=sys.stderr,
        )
        return 1
    changed = replace(root, owner)
    print("\n".join(changed))
    print(f"{len(changed)} files now name {owner}/package-retention.\n")
    print(f"What remains ({PAGE} says how):")
    print("\n".join(remaining((root / PAGE).read_text("utf-8"))))
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 2:  # noqa: PLR2004 - itself and the owner
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], Path(__file__).resolve().parents[1]))
