"""Find the files of the workspace that `keep-referenced-in` names, and the references in them.

A file that is not read protects nothing, so nothing is ever left out in silence: each bound, link and file that cannot
be read is a problem, and a run with a problem makes no request.
"""

from __future__ import annotations

import codecs
import os
import re
import stat
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from msgspec import Struct

from package_retention.decide.in_use import Reference
from package_retention.inputs.files import READ, read_at_most, unreadable
from package_retention.inputs.references import FoundReferences, parse
from package_retention.problems import InvalidValueError, Problem, ProblemCode as Code, invalid

# UTF-32 first: its mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)
_WILDCARD = re.compile(r"[*?\[]")


class Limits(Struct, frozen=True):
    """The most that is read: bytes of a file, files, and bytes in all."""

    file_bytes: int = 10 * 2**20
    files: int = 50_000
    total_bytes: int = 500 * 2**20


LIMITS = Limits()


def find_references(workspace: Path, globs: Sequence[str], limits: Limits = LIMITS) -> FoundReferences:
    """Return the references in every file that a glob matches, or the problems that forbid to rely on them.

    Globs start at the workspace: `*`, `?` and `[…]` inside a name, `**` for folders of any depth. Files are read one at
    a time, so no more than one is held.
    """
    named = ", ".join(globs)
    search = _Search(workspace)
    files = sorted({file for glob in globs for file in search.matches(glob)})
    problems = search.problems
    if len(files) > limits.files:
        problems.append(Problem(Code.GLOBS_TOO_MANY, named, details={"most": limits.files}))
        files = []
    references: list[Reference] = []
    templates: list[str] = []
    size = 0
    for file in files:
        try:
            data = _read(workspace / file, file, limits.file_bytes)
            found = parse(_decoded(data, file), file)
        except InvalidValueError as error:
            problems += error.problems
            continue
        references += found.references
        templates += found.templates
        size += len(data)
        if size > limits.total_bytes:
            problems.append(Problem(Code.GLOBS_TOO_MUCH, named, details={"most": limits.total_bytes}))
            break
    if not references and not problems:
        problems.append(Problem(Code.GLOBS_WITHOUT_REFERENCE, named))
    return FoundReferences(tuple(references), tuple(templates), tuple(dict.fromkeys(problems)))


class _Search(Struct):
    """Walks the workspace for globs; links are a problem where a glob could go through them."""

    workspace: Path
    problems: list[Problem] = []

    def matches(self, glob: str) -> set[str]:
        """Return the regular files that a glob matches; all else that it matches is a problem."""
        segments = PurePosixPath(glob).parts
        if not segments or glob.startswith("/") or ".." in segments or "\0" in glob:
            self.problems.append(Problem(Code.GLOB_OUTSIDE, glob))
            return set()
        before = len(self.problems)
        found: set[str] = set()
        for path, mode in self._reached(segments):
            if stat.S_ISREG(mode):
                found.add(str(path))
            else:
                code = Code.FILE_LINK if stat.S_ISLNK(mode) else Code.FILE_NOT_REGULAR
                self.problems.append(Problem(code, str(path)))
        if not found and len(self.problems) == before:
            is_folder = (self.workspace / glob).is_dir()
            self.problems.append(Problem(Code.GLOB_IS_FOLDER if is_folder else Code.GLOB_UNMATCHED, glob))
        return found

    def _reached(self, segments: tuple[str, ...]) -> Iterator[tuple[PurePosixPath, int]]:
        """Yield all but folders that segments match, and links to folders through which they could go; with modes."""
        waiting: list[tuple[PurePosixPath, int]] = [(PurePosixPath(), 0)]
        seen: set[tuple[PurePosixPath, int]] = set()
        while waiting:
            folder, position = waiting.pop()
            if (folder, position) in seen:
                continue
            seen.add((folder, position))
            is_last = position + 1 == len(segments)
            any_depth = segments[position] == "**"
            if any_depth and not is_last:
                waiting.append((folder, position + 1))
            for name, mode in self._entries(folder, segments[position]):
                path = folder / name
                if stat.S_ISDIR(mode):
                    if any_depth or not is_last:
                        waiting.append((path, position if any_depth else position + 1))
                elif is_last or (stat.S_ISLNK(mode) and (self.workspace / path).is_dir()):
                    yield path, mode

    def _entries(self, folder: PurePosixPath, segment: str) -> Iterator[tuple[str, int]]:
        """Yield the names in a folder that fit one segment of a glob, with their modes."""
        whole = self.workspace / folder
        try:
            if not _WILDCARD.search(segment):
                yield segment, os.lstat(whole / segment).st_mode
                return
            with os.scandir(whole) as entries:
                for entry in sorted(entries, key=lambda one: one.name):
                    # Git's own folder holds no file of the checkout; a glob that names it still reaches it.
                    if fnmatchcase(entry.name, segment) and entry.name != ".git":
                        yield entry.name, entry.stat(follow_symlinks=False).st_mode
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            self.problems += unreadable(str(folder / segment), error).problems


def _read(path: Path, file: str, most: int) -> bytes:
    """Read a regular file, links not followed, at most `most` bytes."""
    try:
        return read_at_most(most, os.open(path, READ), file)
    except OSError as error:
        raise unreadable(file, error) from error


def _decoded(data: bytes, file: str) -> str:
    """Decode a file by its byte-order mark (PowerShell writes UTF-16), else as UTF-8."""
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise invalid(Code.FILE_NO_TEXT, file) from error
    if "\0" in text:  # a binary file, or UTF-16 without its mark, in which nothing would be found
        raise invalid(Code.FILE_NO_TEXT, file)
    return text
