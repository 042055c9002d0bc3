"""The paths in inputs: told among the other problems where they lie wrong, long before the file is opened.

What opens the file looks again, in a way that nothing can change meanwhile (`places`).
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from package_retention.errors import InputError
from package_retention.problems import Problem, invalid
from package_retention.problems import ProblemCode as Code

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_CACHE = os.O_RDONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_MOST_OF_CACHE = 512 * 1024 * 1024  # bytes; what is behind them is read anew from the registry
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
        folder, name = self._folder(path)
        try:
            return _file(path, name, folder)
        finally:
            os.close(folder)

    def read_cache(self, path: PurePath) -> bytes:
        """Make the cache file and its folders where they are not there, owned as the folder above; return its content.

        `actions/cache` fails to save a path that is not there. Raises `InputError` with the path and what is wrong.
        """
        try:
            folder, name = self._folder(path, make=True)
            try:
                file = _opened(path, name, _CACHE, folder)
                with os.fdopen(file, "rb") as opened:
                    _check_regular(path, file)
                    _give(file, folder)
                    return opened.read(_MOST_OF_CACHE)
            finally:
                os.close(folder)
        except InputError as error:
            raise InputError(*(problem.of("manifest-cache") for problem in error.problems)) from error

    def write_cache(self, path: PurePath, lines: Iterable[bytes]) -> None:
        """Put a new file in the place of the cache, all of it or nothing. Raises `OSError` or `InputError`."""
        folder, name = self._folder(path, make=True)
        written = f".{name}.{os.getpid()}"
        try:
            file = os.open(written, _NEW, 0o644, dir_fd=folder)
            with os.fdopen(file, "wb") as opened:
                opened.writelines(lines)
                _give(file, folder)
            os.replace(written, name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            with suppress(OSError):
                os.unlink(written, dir_fd=folder)
            raise
        finally:
            os.close(folder)

    def _folder(self, path: PurePath, *, make: bool = False) -> tuple[int, str]:
        """Open the folder of a file, each part from the one before it and never through a link, and name the file."""
        base, parts = self._below(path)
        folder = _opened(path, str(base), _FOLDER)
        try:
            for part in parts[:-1]:
                if make:
                    _make(part, folder)
                deeper = _opened(path, part, _FOLDER | os.O_NOFOLLOW, folder)
                os.close(folder)
                folder = deeper
        except BaseException:
            os.close(folder)
            raise
        return folder, parts[-1]

    def _below(self, path: PurePath) -> tuple[Path, tuple[str, ...]]:
        """Split a path into the folder that it must stay in and the parts below that."""
        if ".." in path.parts:
            raise _refused(Code.FILE_PARENT, path)
        whole = self.workspace / path
        for base in (self.workspace, self.temporary):
            if base is not None and whole.is_relative_to(base):
                if not (parts := whole.relative_to(base).parts):
                    raise _refused(Code.FILE_IS_FOLDER, path)
                return base, parts
        raise _refused(Code.FILE_OUTSIDE, path)


def _file(path: PurePath, name: str, folder: int) -> int:
    file = _opened(path, name, _FILE, folder)
    try:
        _check_regular(path, file)
        os.set_blocking(file, True)
        os.ftruncate(file, 0)
        _give(file, folder)
    except BaseException:
        os.close(file)
        raise
    return file


def _give(file: int, folder: int) -> None:
    """Leave a file owned as its folder: the container runs as root, and the runner's later steps do not."""
    owner = os.fstat(folder)
    with suppress(PermissionError):  # only root can give a file away; anybody else owns it rightly
        os.fchown(file, owner.st_uid, owner.st_gid)


def _make(part: str, folder: int) -> None:
    try:
        os.mkdir(part, dir_fd=folder)
    except (OSError, ValueError):
        return  # it is there, or opening it says what is wrong
    made = os.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=folder)
    try:
        _give(made, folder)
    finally:
        os.close(made)


def _check_regular(path: PurePath, file: int) -> None:
    status = os.fstat(file)
    if not stat.S_ISREG(status.st_mode):
        raise _refused(Code.FILE_NOT_REGULAR, path)
    if status.st_nlink > 1:
        raise _refused(Code.FILE_HARD_LINK, path)


def _opened(path: PurePath, name: str, flags: int, folder: int | None = None) -> int:
    try:
        return os.open(name, flags, 0o644, dir_fd=folder)
    except (OSError, ValueError) as error:
        raise _why(path, name, error, folder) from error


def _why(path: PurePath, name: str, error: OSError | ValueError, folder: int | None) -> InputError:
    """Return what is wrong with one part of the path; the runner's own folder may be a link, its parts may not."""
    if isinstance(error, ValueError):
        return _refused(Code.FILE_CHARACTER, path)
    with suppress(OSError):
        if folder is not None and stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            return _refused(Code.FILE_LINK, path)
    if isinstance(error, FileNotFoundError):
        return _refused(Code.FILE_NO_FOLDER, path, folder=name)
    if isinstance(error, IsADirectoryError):
        return _refused(Code.FILE_IS_FOLDER, path)
    if isinstance(error, NotADirectoryError):
        return _refused(Code.FILE_NOT_A_FOLDER, PurePath(name))
    return _refused(Code.FILE_UNREADABLE, path, why=error.strerror or "")


def _refused(code: Code, path: PurePath, **details: str) -> InputError:
    return InputError(Problem(code, str(path), "report-file", details=dict(details)))


def roots(environ: Mapping[str, str], cwd: Path) -> tuple[Path, ...]:
    """Give the folders that files may lie in: the workspace (else `cwd`) first, where relative paths start."""
    workspace = environ.get("GITHUB_WORKSPACE", "").strip()
    temporary = environ.get("RUNNER_TEMP", "").strip()
    return (cwd / workspace, *((cwd / temporary,) if temporary else ()))


def place(text: str, allowed: tuple[Path, ...]) -> Path:
    """Give the path that a text names, judged by the text alone; raise `InvalidValueError`."""
    path = allowed[0] / text
    if not text.isprintable():
        raise invalid(Code.FILE_CHARACTER, text)
    if ".." in path.parts:
        raise invalid(Code.FILE_PARENT, text)
    inside = [root for root in allowed if path.is_relative_to(root)]
    if not inside:
        raise invalid(Code.FILE_OUTSIDE, text)
    if text.endswith("/") or path in inside:
        raise invalid(Code.FILE_IS_FOLDER, text)
    return path


def inspect(path: Path, allowed: tuple[Path, ...], *, written: bool = True) -> None:
    """Look at what is there: no part below the allowed folder is a symbolic link, the last one is no folder.

    What does not exist yet is fine. A file that is `written` has no other name. Raises `ValueError`.
    """
    root = max((each for each in allowed if path.is_relative_to(each)), key=lambda each: len(each.parts))
    parts = path.relative_to(root).parts
    for depth in range(1, len(parts) + 1):
        at = root.joinpath(*parts[:depth])
        try:
            status = at.lstat()
        except FileNotFoundError:
            return
        except OSError as error:
            raise invalid(Code.FILE_UNREADABLE, str(at), why=error.strerror or "") from error
        last = depth == len(parts)
        _check(at, status, last=last, written=written)


def _check(at: Path, status: os.stat_result, *, last: bool, written: bool) -> None:
    mode = status.st_mode
    if stat.S_ISLNK(mode):
        raise invalid(Code.FILE_LINK, str(at))
    if last and not stat.S_ISREG(mode):
        raise invalid(Code.FILE_NOT_REGULAR, str(at))
    # Written through one name, the other one's file would change, wherever it lies.
    if last and written and status.st_nlink > 1:
        raise invalid(Code.FILE_HARD_LINK, str(at))
    if not last and not stat.S_ISDIR(mode):
        raise invalid(Code.FILE_NOT_A_FOLDER, str(at))
