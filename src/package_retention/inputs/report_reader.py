"""Read the report of an earlier run. It may be forged, so it must only ever narrow what a run would do."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from package_retention import report_format
from package_retention.errors import InputError
from package_retention.model import Owner, Package, Result, Step, StepKind, Version
from package_retention.problems import Detail, InvalidValueError, Problem, invalid
from package_retention.problems import ProblemCode as Code

MOST_BYTES = 256 * 1024 * 1024
"""A report of 100,000 versions that are all deleted takes a quarter of it."""

MOST_OF_LINE = 16 * 1024 * 1024
_FOR_PEOPLE = tuple(line.__struct_config__.tag for line in report_format.FOR_PEOPLE)


class ReportedStep(Struct):
    """A step of the run reported on; `tags` are those that its outcome says were really taken away.

    `doubted`: the outcome itself says that the change may have been made or not.
    """

    step: Step
    started: bool = False
    result: Result | None = None
    tags: tuple[str, ...] = ()
    doubted: bool = False

    @property
    def done(self) -> bool:
        """Whether the change was surely made by that run."""
        return self.result is Result.DONE

    @property
    def in_doubt(self) -> bool:
        """Whether the change may have been made: it was started, and nobody could write down how it ended."""
        return self.doubted or (self.started and self.result is None)


class ReportedPackage(Struct):
    """A package of that run: its steps in the plan's order, and the versions that were planned to go.

    `losing` are those that were planned to lose tags. Both have the tags that their decision says they had. A package
    that the report does not mention is not `known`.
    """

    package: Package
    steps: list[ReportedStep] = []
    selected: list[Version] = []
    losing: list[Version] = []
    known: bool = True

    @property
    def planned(self) -> dict[int, Version]:
        """Return every version that the plan changed (those that only lose tags too), by id, as it was then."""
        stepped = {one.step.version.id: one.step.version for one in self.steps if one.step.version}
        return {version.id: version for version in self.selected} | stepped

    @property
    def planned_deletions(self) -> frozenset[int]:
        """Return the ids that the plan deleted, one by one or with the package."""
        steps = self._steps(StepKind.DELETE_VERSION)
        return frozenset(v.id for v in self.selected) | {version.id for _, version in steps}

    @property
    def planned_untags(self) -> dict[int, frozenset[str]]:
        """Return the tags that the plan took away, by the id of the version that had them."""
        return {version.id: frozenset(one.step.tags) for one, version in self._steps(StepKind.UNTAG)}

    @property
    def went_whole(self) -> bool:
        """Whether the run deleted the package itself, or may have."""
        whole = (one for one in self.steps if one.step.kind is StepKind.DELETE_PACKAGE)
        return any(one.done or one.in_doubt for one in whole)

    @property
    def deleted(self) -> dict[int, Version]:
        """Return every version that the run deleted, or may have deleted, by id."""
        if self.went_whole:
            return {version.id: version for version in self.selected}
        steps = self._steps(StepKind.DELETE_VERSION)
        return {version.id: version for one, version in steps if one.done or one.in_doubt}

    @property
    def roots(self) -> dict[int, int]:
        """Return the image that each version belongs to, by the ids of both, as far as steps name it."""
        steps = (one.step for one in self.steps)
        return {s.version.id: s.root for s in steps if s.version and s.root is not None}

    def members_of(self, roots: Collection[int]) -> frozenset[int]:
        """Return the ids of the deleted versions that steps count among these images."""
        deleted = self.deleted
        return frozenset(i for i, root in self.roots.items() if root in roots and i in deleted)

    @property
    def lost(self) -> dict[int, Version]:
        """Return every version that the run deleted or took tags from, or may have, with the tags that it lost by that.

        Never a tag that its decision does not name: a step may have been forged. (So may a decision.)
        """
        had = {version.id: version.tags for version in (*self.selected, *self.losing)}
        deleted = self.deleted
        lost = {i: (version, had.get(i, ())) for i, version in deleted.items()}
        for one, version in self._steps(StepKind.UNTAG):
            if (one.tags or one.in_doubt) and version.id not in deleted:
                gone = one.step.tags if one.in_doubt else one.tags
                lost[version.id] = (version, tuple(tag for tag in had.get(version.id, ()) if tag in gone))
        return {i: replace(version, tags=tags) for i, (version, tags) in lost.items()}

    def _steps(self, kind: StepKind) -> Iterator[tuple[ReportedStep, Version]]:
        """Yield the steps of a kind that changes versions, each with its version."""
        for one in self.steps:
            if one.step.kind is kind and one.step.version:
                yield one, one.step.version


class Report(Struct, frozen=True):
    """What a report says: its first line, and its packages in the order in which the run planned them.

    `ended` is `False` where the run was killed before it could write its end.
    """

    run: report_format.Run
    packages: Sequence[ReportedPackage] = ()
    ended: bool = False

    def about(self, package: Package) -> ReportedPackage:
        """Return what it says of a package: owner, type and name must agree."""
        wanted = (package.owner.login.lower(), package.type, package.name)
        for one in self.packages:
            if (one.package.owner.login.lower(), one.package.type, one.package.name) == wanted:
                return one
        return ReportedPackage(package, known=False)


def read(path: Path, most: int = MOST_BYTES) -> Report:
    """Read a report of at most `most` bytes; a last line that was cut by a kill is left out.

    Raises `InputError` if the file is absent, too large, made by a later version, or not a report.
    """
    reading = _Reading()
    number = 0
    try:
        with path.open("rb") as file:
            for number, line in enumerate(_lines(file, most), start=1):  # noqa: B007 - reported when a line is malformed
                reading.take(_decoded(line))
    except OSError as error:
        raise _refusal(Code.FILE_UNREADABLE, path, why=error.strerror or "") from error
    except InvalidValueError as error:
        (problem,) = error.problems
        raise _refusal(problem.code, path, line=number, **problem.details) from error
    except (ValueError, RecursionError) as error:
        raise _refusal(Code.REPORT_LINE_UNFIT, path, line=number, why=str(error)) from error
    if reading.run is None:
        raise _refusal(Code.EMPTY_REPORT, path)
    return Report(reading.run, list(reading.packages.values()), ended=reading.ended)


def _lines(file: BinaryIO, most: int) -> Iterator[bytes]:
    """Yield whole lines; the last one may lack its line end, but is left out if it was cut."""
    left = most
    while line := file.readline(MOST_OF_LINE + 1):
        left -= len(line)
        if left < 0 or len(line) > MOST_OF_LINE:
            raise invalid(Code.REPORT_TOO_LARGE, most=most)
        if not line.endswith(b"\n") and not _whole(line):
            return
        yield line


def _whole(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _decoded(line: bytes) -> report_format.AnyRead | None:
    """Read a line by its kind; `None` for one that only people read."""
    try:
        # Not by msgspec's own parser: names may hold halves of surrogate pairs, which that refuses.
        value = json.loads(line)
    except ValueError as error:
        raise invalid(Code.REPORT_NOT_JSON) from error
    kind = value.get("kind") if isinstance(value, dict) else None
    if kind == "run" and value.get("schema") != report_format.SCHEMA:
        raise invalid(Code.REPORT_OTHER_SCHEMA, schema=report_format.SCHEMA)
    found: report_format.AnyRead | None = (
        None if kind in _FOR_PEOPLE else msgspec.convert(value, report_format.AnyRead)
    )
    return found


@dataclass
class _Reading:
    """What was read so far: packages and steps by the numbers that later lines call them by."""

    run: report_format.Run | None = None
    packages: dict[int, ReportedPackage] = field(default_factory=dict)
    steps: dict[int, ReportedStep] = field(default_factory=dict)
    ended: bool = False

    def take(self, line: report_format.AnyRead | None) -> None:
        """Add what one line says; the first must be the header, and no other may be."""
        if (self.run is None) != isinstance(line, report_format.Run):
            raise invalid(Code.REPORT_WITHOUT_HEADER)
        match line:
            case report_format.Run():
                self.run = line
            case report_format.Package():
                self._take_package(line)
            case report_format.ReadDecision():
                self._take_decision(line)
            case report_format.Step():
                self._take_step(line)
            case report_format.ReadStarting():
                self._step(line.step).started = True
            case report_format.ReadOutcome():
                step = self._step(line.step)
                step.result, step.tags, step.doubted = line.result, line.tags, line.in_doubt
            case report_format.ReadEnd():
                self.ended = True

    def _take_package(self, line: report_format.Package) -> None:
        package = Package(Owner(line.owner, line.owner_kind), line.type, line.name)
        if self.packages.setdefault(line.package, ReportedPackage(package)).package != package:
            raise invalid(Code.REPORT_OTHER_PACKAGE, number=line.package)

    def _take_decision(self, line: report_format.ReadDecision) -> None:
        """Note which tags a version had that was to go or to lose tags; what stays is for people."""
        of = self.packages.get(line.package)
        if of and (line.selected or line.untag):
            versions = of.selected if line.selected else of.losing
            versions.append(_version(line.version))

    def _take_step(self, line: report_format.Step) -> None:
        if line.step in self.steps or line.package not in self.packages:
            raise invalid(Code.REPORT_STEP_MISPLACED, number=line.step)
        if (line.version is None) != (line.change in (StepKind.DELETE_PACKAGE, StepKind.RESTORE_PACKAGE)):
            raise invalid(Code.REPORT_STEP_UNFIT, change=line.change)
        of = self.packages[line.package]
        step = Step(
            kind=line.change,
            package=of.package,
            version=_version(line.version) if line.version else None,
            tags=line.tags,
            after=frozenset(line.after),
            root=line.root,
        )
        self.steps[line.step] = ReportedStep(step)
        of.steps.append(self.steps[line.step])

    def _step(self, number: int) -> ReportedStep:
        if number not in self.steps:
            raise invalid(Code.REPORT_NO_STEP, number=number)
        return self.steps[number]


def _version(named: report_format.Named) -> Version:
    return Version(named.id, named.name, tags=named.tags)


def _refusal(code: Code, path: Path, **details: Detail) -> InputError:
    return InputError(Problem.about("from-report", code, str(path), **details))
