"""The paths in inputs: told among the other problems where they lie wrong, long before the file is opened.

What opens the file looks again, in a way that nothing can change meanwhile (`places`).
"""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from package_retention.decide.quoting import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_ALLOWED = "the workspace and the runner's temporary folder"


def roots(environ: Mapping[str, str], cwd: Path) -> tuple[Path, ...]:
    """Give the folders that files may lie in: the workspace (else `cwd`) first, where relative paths start."""
    workspace = environ.get("GITHUB_WORKSPACE", "").strip()
    temporary = environ.get("RUNNER_TEMP", "").strip()
    return (cwd / workspace, *((cwd / temporary,) if temporary else ()))


def place(text: str, allowed: tuple[Path, ...]) -> Path:
    """Give the path that a text names, judged by the text alone; raises `ValueError`."""
    path = allowed[0] / text
    if not text.isprintable():
        raise ValueError(f"{quoted(text)} has a character that no path should have")
    if ".." in path.parts:
        raise ValueError(f"{quoted(text)} has `..` in it; name the file by its path inside {_ALLOWED}")
    inside = [root for root in allowed if path.is_relative_to(root)]
    if not inside:
        raise ValueError(f"{quoted(text)} lies outside {_ALLOWED}")
    if text.endswith("/") or path in inside:
        raise ValueError(f"{quoted(text)} is a folder; name a file in it")
    return path


def inspect(path: Path, allowed: tuple[Path, ...]) -> None:
    """Look at what is there: no part below the allowed folder is a symbolic link, the last one is no folder.

    What does not exist yet is fine. Raises `ValueError`.
    """
    root = max((each for each in allowed if path.is_relative_to(each)), key=lambda each: len(each.parts))
    parts = path.relative_to(root).parts
    for depth in range(1, len(parts) + 1):
        at = root.joinpath(*parts[:depth])
        try:
            mode = at.lstat().st_mode
        except FileNotFoundError:
            return
        except OSError as error:
            raise ValueError(f"{quoted(str(at))} cannot be looked at: {error.strerror}") from error
        _check(at, mode, last=depth == len(parts))


def _check(at: Path, mode: int, *, last: bool) -> None:
    if stat.S_ISLNK(mode):
        raise ValueError(
            f"{quoted(str(at))} is a symbolic link, which could lead anywhere; name the file itself"
        )
    if last and not stat.S_ISREG(mode):
        raise ValueError(f"{quoted(str(at))} is no file; name a file")
    if not last and not stat.S_ISDIR(mode):
        raise ValueError(f"{quoted(str(at))} is no folder")
