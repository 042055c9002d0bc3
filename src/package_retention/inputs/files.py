"""Check the files that inputs name, with the other inputs and again as they are opened, and open them.

A path stays below the workspace or the runner's temporary folder, and no part below that is a symbolic link. What
opens a file opens each part from the folder before it, so that nothing can be put in its place meanwhile.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path, PurePath

from msgspec import Struct

from package_retention.errors import InputError
from package_retention.problems import InvalidValueError, ProblemCode as Code, invalid

_CAREFULLY = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
READ = os.O_RDONLY | _CAREFULLY
_CACHE = os.O_RDONLY | os.O_CREAT | _CAREFULLY
_REPORT = os.O_WRONLY | os.O_CREAT | _CAREFULLY
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_MOST_OF_CACHE = 512 * 1024 * 1024  # bytes; what is behind them is read anew from the registry


@contextmanager
def for_input(name: str) -> Iterator[None]:
    """Turn an error about a value into one about the input that has it."""
    try:
        yield
    except InvalidValueError as error:
        raise InputError(*(problem.of(name) for problem in error.problems)) from error


def unreadable(path: str, error: OSError) -> InvalidValueError:
    """Return the error about a file that the system does not let us read."""
    return invalid(Code.FILE_UNREADABLE, path, why=error.strerror or "")


def read_at_most(most: int, file: int, path: str) -> bytes:
    """Return what a file holds, and close it; raise `InvalidValueError` if that is more than `most` bytes."""
    with os.fdopen(file, "rb") as opened:
        content = opened.read(most + 1)
    if len(content) > most:
        raise invalid(Code.FILE_TOO_LARGE, path, most=most)
    return content


class Places(Struct, frozen=True):
    """The two folders of a step below which files may lie; paths that are not absolute start at the workspace."""

    workspace: Path
    temporary: Path | None = None

    @classmethod
    def of(cls, environ: Mapping[str, str], here: Path) -> Places:
        """Return those that the runner's variables name; `here` is the workspace if they name none."""
        temporary = environ.get("RUNNER_TEMP", "").strip()
        workspace = environ.get("GITHUB_WORKSPACE", "").strip()
        return cls(here / workspace, here / temporary if temporary else None)

    def split(self, path: PurePath) -> tuple[Path, tuple[str, ...]]:
        """Split a path into the folder that it must stay in and the parts below that; raise `InvalidValueError`."""
        if "\0" in str(path):
            raise invalid(Code.FILE_CHARACTER, str(path))
        if ".." in path.parts:
            raise invalid(Code.FILE_PARENT, str(path))
        whole = self.workspace / path
        inside = [base for base in (self.workspace, self.temporary) if base and whole.is_relative_to(base)]
        if not inside:
            raise invalid(Code.FILE_OUTSIDE, str(path))
        if whole in inside:
            raise invalid(Code.FILE_IS_FOLDER, str(path))
        base = max(inside, key=lambda each: len(each.parts))
        return base, whole.relative_to(base).parts

    def place(self, text: str) -> Path:
        """Return the path that a text names, judged by the text alone; raise `InvalidValueError`."""
        if not text.isprintable():
            raise invalid(Code.FILE_CHARACTER, text)
        self.split(Path(text))
        if text.endswith("/"):
            raise invalid(Code.FILE_IS_FOLDER, text)
        return self.workspace / text

    def inspect(self, path: Path, *, written: bool) -> None:
        """Look at what is there: no part is a symbolic link, the last one is a regular file.

        What does not exist yet is fine. A file that is `written` has no other name. Raises `InvalidValueError`.
        """
        at, names = self.split(path)
        for number, name in enumerate(names, 1):
            at /= name
            try:
                status = at.lstat()
            except FileNotFoundError:
                return
            except OSError as error:
                raise unreadable(str(at), error) from error
            if stat.S_ISLNK(status.st_mode):
                raise invalid(Code.FILE_LINK, str(at))
            if number == len(names):
                _check_regular(at, status, written=written)
            elif not stat.S_ISDIR(status.st_mode):
                raise invalid(Code.FILE_NOT_A_FOLDER, str(at))

    def read_policy(self, path: Path, most: int) -> tuple[bytes, str]:
        """Return the content of a policy file and its path below its folder; raise `InputError`."""
        with for_input("policy-file"):
            base, names = self.split(path)
            label = PurePath(*names)
            self.inspect(path, written=False)
            if not path.exists():
                raise invalid(Code.FILE_NOT_THERE, str(label))
            with _opened(base, names, label, READ) as (file, _):
                return read_at_most(most, os.dup(file), str(label)), str(label)

    def open_report(self, path: PurePath) -> int:
        """Open the report for writing, empty, and leave it owned as the folder it lies in; return a file descriptor.

        Raises `InputError` with the path and what is wrong.
        """
        with for_input("report-file"), _opened(*self.split(path), path, _REPORT) as (file, folder):
            os.set_blocking(file, True)
            os.ftruncate(file, 0)
            _give(file, folder)
            return os.dup(file)

    def read_cache(self, path: PurePath) -> bytes:
        """Return the content of the cache; if absent, make it and its folders, owned as the folder above.

        `actions/cache` fails to save a path that is not there. Raises `InputError` with the path and what is wrong.
        """
        with (
            for_input("manifest-cache"),
            _opened(*self.split(path), path, _CACHE, make=True) as (file, folder),
        ):
            _give(file, folder)
            with os.fdopen(os.dup(file), "rb") as opened:
                return opened.read(_MOST_OF_CACHE)

    def write_cache(self, path: PurePath, lines: Iterable[bytes]) -> None:
        """Replace the cache by a new file, all of it or nothing. Raises `OSError` or `InputError`."""
        with for_input("manifest-cache"):
            base, names = self.split(path)
            with _folder(base, names, path, make=True) as folder:
                _replace(folder, names[-1], lines)


def _replace(folder: int, name: str, lines: Iterable[bytes]) -> None:
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


@contextmanager
def _opened(
    base: Path, names: tuple[str, ...], path: PurePath, flags: int, *, make: bool = False
) -> Iterator[tuple[int, int]]:
    """Open a regular file and its folder; both are closed when the block ends, so a duplicate is what may outlive it."""
    with _folder(base, names, path, make=make) as folder:
        file = _open(path, names[-1], flags, folder)
        try:
            _check_regular(path, os.fstat(file), written=bool(flags & os.O_CREAT))
            yield file, folder
        finally:
            os.close(file)


@contextmanager
def _folder(base: Path, names: tuple[str, ...], path: PurePath, *, make: bool = False) -> Iterator[int]:
    """Open the folder of a file, each part from the one before it and never through a link."""
    folder = _open(path, str(base), _FOLDER)
    try:
        for name in names[:-1]:
            if make:
                _make(name, folder)
            deeper = _open(path, name, _FOLDER | os.O_NOFOLLOW, folder)
            os.close(folder)
            folder = deeper
        yield folder
    finally:
        os.close(folder)


def _give(file: int, folder: int) -> None:
    """Leave a file owned as its folder: the container runs as root, and the runner's later steps do not."""
    owner = os.fstat(folder)
    with suppress(PermissionError):  # only root can give a file away; anybody else owns it rightly
        os.fchown(file, owner.st_uid, owner.st_gid)


def _make(name: str, folder: int) -> None:
    try:
        os.mkdir(name, dir_fd=folder)
    except OSError:
        return  # it is there, or opening it says what is wrong
    made = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=folder)
    try:
        _give(made, folder)
    finally:
        os.close(made)


def _check_regular(path: PurePath, status: os.stat_result, *, written: bool) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise invalid(Code.FILE_NOT_REGULAR, str(path))
    # Written through one name, the other one's file would change, wherever it lies.
    if written and status.st_nlink > 1:
        raise invalid(Code.FILE_HARD_LINK, str(path))


def _open(path: PurePath, name: str, flags: int, folder: int | None = None) -> int:
    try:
        return os.open(name, flags, 0o644, dir_fd=folder)
    except OSError as error:
        raise _refusal(path, name, error, folder) from error


def _refusal(path: PurePath, name: str, error: OSError, folder: int | None) -> InvalidValueError:
    """Return what is wrong with one part of the path; the runner's own folder may be a link, its parts may not."""
    with suppress(OSError):
        if folder is not None and stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            return invalid(Code.FILE_LINK, str(path))
    if isinstance(error, FileNotFoundError):
        return invalid(Code.FILE_NO_FOLDER, str(path), folder=name)
    if isinstance(error, IsADirectoryError):
        return invalid(Code.FILE_IS_FOLDER, str(path))
    if isinstance(error, NotADirectoryError):
        return invalid(Code.FILE_NOT_A_FOLDER, name)
    return unreadable(str(path), error)
