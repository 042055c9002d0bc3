"""The paths in inputs: told among the other problems where they lie wrong, long before the file is opened.

What opens the file looks again, in a way that nothing can change meanwhile (`places`).
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from package_retention.errors import InputError
from package_retention.escaping import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import PurePath


_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


@dataclass(frozen=True, slots=True)
class Places:
    """The two folders of a step below which a report may lie; paths that are not absolute start at the workspace."""

    workspace: Path
    temporary: Path | None = None

    @classmethod
    def of(cls, environ: Mapping[str, str], here: Path) -> Places:
        """Take them from the runner's variables; without a workspace there, `here` is it."""
        temporary = environ.get("RUNNER_TEMP", "")
        workspace = Path(environ.get("GITHUB_WORKSPACE") or here)
        return cls(here / workspace, here / temporary if temporary else None)

    def find(self, path: PurePath) -> Path:
        """Give the whole path of a file that is to be read."""
        return self.workspace / path

    def open_report(self, path: PurePath) -> int:
        """Open the report for writing, empty, and leave it owned as the folder it lies in; gives a file descriptor.

        Every part below the workspace (or the temporary folder) is opened from the folder before it, links not
        followed, so nothing can be put in its place meanwhile. Raises `InputError` with the path and what is wrong.
        """
        base, parts = self._below(path)
        folder = _opened(path, str(base), _FOLDER)
        try:
            for part in parts[:-1]:
                deeper = _opened(path, part, _FOLDER | os.O_NOFOLLOW, folder)
                os.close(folder)
                folder = deeper
            return _file(path, parts[-1], folder)
        finally:
            os.close(folder)

    def _below(self, path: PurePath) -> tuple[Path, tuple[str, ...]]:
        """Split a path into the folder that it must stay in and the parts below that."""
        if ".." in path.parts:
            raise _refused(path, "has a .. in it")
        whole = self.workspace / path
        for base in (self.workspace, self.temporary):
            if base is not None and whole.is_relative_to(base):
                if not (parts := whole.relative_to(base).parts):
                    raise _refused(path, "is a folder")
                return base, parts
        raise _refused(path, "lies outside the workspace and the runner's temporary folder")


def _file(path: PurePath, name: str, folder: int) -> int:
    file = _opened(path, name, _FILE, folder)
    try:
        _check_regular(path, file)
        os.set_blocking(file, True)
        os.ftruncate(file, 0)
        owner = os.fstat(folder)
        with suppress(PermissionError):  # only root can give a file away; anybody else owns it rightly
            os.fchown(file, owner.st_uid, owner.st_gid)
    except BaseException:
        os.close(file)
        raise
    return file


def _check_regular(path: PurePath, file: int) -> None:
    if not stat.S_ISREG(os.fstat(file).st_mode):
        raise _refused(path, "is no regular file")


def _opened(path: PurePath, name: str, flags: int, folder: int | None = None) -> int:
    try:
        return os.open(name, flags, 0o644, dir_fd=folder)
    except (OSError, ValueError) as error:
        raise _refused(path, _why(name, error, folder)) from error


def _why(name: str, error: OSError | ValueError, folder: int | None) -> str:
    """Say what is wrong with one part of the path; the runner's own folder may be a link, its parts may not."""
    if isinstance(error, ValueError):
        return "holds a NUL"
    with suppress(OSError):
        if folder is not None and stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            return f"goes through a symbolic link ({name})"
    if isinstance(error, FileNotFoundError):
        return f"needs the folder {name}, which is not there: make it in an earlier step"
    if isinstance(error, IsADirectoryError):
        return "is a folder"
    if isinstance(error, NotADirectoryError):
        return f"goes through {name}, which is no folder"
    return f"cannot be opened: {error.strerror}"


def _refused(path: PurePath, why: str) -> InputError:
    hint = "name a file below the workspace or the runner's temporary folder, such as package-retention.json"
    return InputError((f"report-file: {path} {why}; {hint}",))


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
