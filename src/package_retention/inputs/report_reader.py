"""Read the report of an earlier run. It may be forged, so it must only ever narrow what a run would do."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from package_retention import report_format
from package_retention.inputs.files import for_input, unreadable
from package_retention.model import WHOLE_PACKAGE, Owner, Package, Result, StepKind, Version
from package_retention.problems import InvalidValueError, ProblemCode as Code, invalid

MOST_BYTES = 256 * 1024 * 1024
"""A report of 100,000 versions that are all deleted takes a quarter of it."""

MOST_OF_LINE = 16 * 1024 * 1024
_FOR_PEOPLE = tuple(line.__struct_config__.tag for line in report_format.FOR_PEOPLE)


class ReportedStep(Struct):
    """A step of the run reported on: what was planned, whether it was started, and how it ended if that is known."""

    kind: StepKind
    version: Version | None = None
    tags: tuple[str, ...] = ()
    root: int | None = None
    started: bool = False
    outcome: report_format.ReadOutcome | None = None

    @property
    def done(self) -> bool:
        """Whether the change was surely made by that run."""
        return self.outcome is not None and self.outcome.result is Result.DONE

    @property
    def in_doubt(self) -> bool:
        """Whether the change may have been made: its outcome says so, or it was started and has no outcome."""
        return self.outcome.in_doubt if self.outcome else self.started

    @property
    def tags_gone(self) -> tuple[str, ...]:
        """Return the tags that were taken away, or may have been."""
        if self.in_doubt:
            return self.tags
        return self.outcome.tags if self.outcome else ()


class ReportedPackage(Struct):
    """A package of that run: its steps in the plan's order, and the versions that were planned to go, by id.

    `losing` are those that were planned to lose tags. Both have the tags that their decision says they had. A package
    that the report does not mention is not `known`.
    """

    package: Package
    steps: list[ReportedStep] = []
    selected: dict[int, Version] = {}
    losing: dict[int, Version] = {}
    known: bool = True

    @property
    def planned(self) -> dict[int, Version]:
        """Return every version that the plan changed (those that only lose tags too), by id, as it was then."""
        return self.selected | {one.version.id: one.version for one in self.steps if one.version}

    @property
    def planned_deletions(self) -> frozenset[int]:
        """Return the ids that the plan deleted, one by one or with the package."""
        return frozenset(self.selected) | {version.id for _, version in self._steps(StepKind.DELETE_VERSION)}

    @property
    def planned_untags(self) -> dict[int, frozenset[str]]:
        """Return the tags that the plan took away, by the id of the version that had them."""
        return {version.id: frozenset(one.tags) for one, version in self._steps(StepKind.UNTAG)}

    @property
    def went_whole(self) -> bool:
        """Whether the run deleted the package itself, or may have."""
        whole = (one for one in self.steps if one.kind is StepKind.DELETE_PACKAGE)
        return any(one.done or one.in_doubt for one in whole)

    @property
    def deleted(self) -> dict[int, Version]:
        """Return every version that the run deleted, or may have deleted, by id."""
        if self.went_whole:
            return self.selected
        steps = self._steps(StepKind.DELETE_VERSION)
        return {version.id: version for one, version in steps if one.done or one.in_doubt}

    @property
    def roots(self) -> dict[int, int]:
        """Return the image that each version belongs to, by the ids of both, as far as steps name it."""
        return {s.version.id: s.root for s in self.steps if s.version and s.root is not None}

    def members_of(self, roots: Collection[int]) -> frozenset[int]:
        """Return the ids of the deleted versions that steps count among these images."""
        root_of = self.roots
        return frozenset(i for i in self.deleted if root_of.get(i) in roots)

    @property
    def lost(self) -> dict[int, Version]:
        """Return every version that the run deleted or took tags from, or may have, with the tags that it lost by that.

        Never a tag that its decision does not name: a step may have been forged. (So may a decision.)
        """
        had = {i: version.tags for i, version in (self.selected | self.losing).items()}
        deleted = self.deleted
        lost = {i: replace(version, tags=had.get(i, ())) for i, version in deleted.items()}
        for one, version in self._steps(StepKind.UNTAG):
            gone = one.tags_gone
            if gone and version.id not in deleted:
                tags = tuple(tag for tag in had.get(version.id, ()) if tag in gone)
                lost[version.id] = replace(version, tags=tags)
        return lost

    def _steps(self, kind: StepKind) -> Iterator[tuple[ReportedStep, Version]]:
        """Yield the steps of a kind that changes versions, each with its version."""
        for one in self.steps:
            if one.kind is kind and one.version:
                yield one, one.version


class Report(Struct, frozen=True):
    """What a report says: its first line, and its packages in the order in which the run planned them."""

    run: report_format.Run
    packages: Sequence[ReportedPackage] = ()

    def about(self, package: Package) -> ReportedPackage:
        """Return what it says of a package: owner, type and name must agree."""
        for one in self.packages:
            if one.package.key == package.key:
                return one
        return ReportedPackage(package, known=False)


def read(path: Path, most: int = MOST_BYTES) -> Report:
    """Read a report of at most `most` bytes; a last line that was cut by a kill is left out.

    Raises `InputError` if the file is absent, too large, made by a later version, or not a report.
    """
    reading = _Reading()
    number = 0
    with for_input("from-report"):
        try:
            with path.open("rb") as file:
                for number, line in enumerate(_lines(file, most), start=1):  # noqa: B007 - reported when a line is malformed
                    reading.take(_decoded(line))
        except OSError as error:
            raise unreadable(str(path), error) from error
        except InvalidValueError as error:
            (problem,) = error.problems
            raise invalid(problem.code, str(path), line=number, **problem.details) from error
        except (ValueError, RecursionError) as error:
            raise invalid(Code.REPORT_LINE_UNFIT, str(path), line=number, why=str(error)) from error
        if reading.run is None:
            raise invalid(Code.EMPTY_REPORT, str(path))
    return Report(reading.run, list(reading.packages.values()))


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
    if kind in _FOR_PEOPLE:
        return None
    found: report_format.AnyRead = msgspec.convert(value, report_format.AnyRead)
    return found


class _Reading(Struct):
    """What was read so far: packages and steps by the numbers that later lines call them by."""

    run: report_format.Run | None = None
    packages: dict[int, ReportedPackage] = {}
    steps: dict[int, ReportedStep] = {}

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
                self._step(line.step).outcome = line

    def _take_package(self, line: report_format.Package) -> None:
        package = Package(Owner(line.owner, line.owner_kind), line.type, line.name)
        if self.packages.setdefault(line.package, ReportedPackage(package)).package != package:
            raise invalid(Code.REPORT_OTHER_PACKAGE, number=line.package)

    def _take_decision(self, line: report_format.ReadDecision) -> None:
        """Note which tags a version had that was to go or to lose tags; what stays is for people."""
        of = self.packages.get(line.package)
        if of and (line.selected or line.untag):
            versions = of.selected if line.selected else of.losing
            versions[line.version.id] = _version(line.version)

    def _take_step(self, line: report_format.Step) -> None:
        if line.step in self.steps or line.package not in self.packages:
            raise invalid(Code.REPORT_STEP_MISPLACED, number=line.step)
        if (line.version is None) != (line.change in WHOLE_PACKAGE):
            raise invalid(Code.REPORT_STEP_UNFIT, change=line.change)
        version = _version(line.version) if line.version else None
        step = ReportedStep(line.change, version, line.tags, line.root)
        self.steps[line.step] = step
        self.packages[line.package].steps.append(step)

    def _step(self, number: int) -> ReportedStep:
        if number not in self.steps:
            raise invalid(Code.REPORT_NO_STEP, number=number)
        return self.steps[number]


def _version(named: report_format.Named) -> Version:
    return Version(named.id, named.name, tags=named.tags)
