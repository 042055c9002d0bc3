"""Read a report back. It may be forged, so it must only ever narrow a plan."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from msgspec.structs import replace

from package_retention import report_format
from package_retention.errors import InputError
from package_retention.model import Owner, Package, Step, StepKind, Version
from package_retention.problems import Detail, InvalidValueError, Problem, invalid
from package_retention.problems import ProblemCode as Code
from package_retention.report import Report, ReportedPackage, ReportedStep

MOST_BYTES = 256 * 1024 * 1024
"""A report of 100,000 versions that are all deleted takes a quarter of it."""

MOST_OF_LINE = 16 * 1024 * 1024
_FOR_PEOPLE = tuple(line.__struct_config__.tag for line in report_format.FOR_PEOPLE)


@dataclass
class _Reading:
    """What was read so far."""

    report: Report | None = None
    packages: dict[int, Package] = field(default_factory=dict)
    steps: dict[int, tuple[int, ReportedStep]] = field(default_factory=dict)
    selected: dict[int, list[Version]] = field(default_factory=dict)
    losing: dict[int, list[Version]] = field(default_factory=dict)


def read(path: Path, most: int = MOST_BYTES) -> Report:
    """Read a report of at most `most` bytes; a last line that was cut by a kill is left out.

    Raises `InputError` if the file is absent, too large, made by a later version, or not a report.
    """
    reading = _Reading()
    number = 0
    try:
        with path.open("rb") as file:
            for number, line in enumerate(_lines(file, most), start=1):  # noqa: B007 - reported when a line is malformed
                _take(reading, _decoded(line))
    except OSError as error:
        raise _refusal(Code.FILE_UNREADABLE, path, why=error.strerror or "") from error
    except InvalidValueError as error:
        (problem,) = error.problems
        raise _refusal(problem.code, path, line=number, **problem.details) from error
    except (ValueError, RecursionError) as error:
        raise _refusal(Code.REPORT_LINE_UNFIT, path, line=number, why=str(error)) from error
    if reading.report is None:
        raise _refusal(Code.EMPTY_REPORT, path)
    return _assembled(reading, reading.report)


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


def _take(reading: _Reading, line: report_format.AnyRead | None) -> None:
    """Add what one line says; the first must be the header, and no other may be."""
    if (reading.report is None) != isinstance(line, report_format.Run):
        raise invalid(Code.REPORT_WITHOUT_HEADER)
    match line:
        case report_format.Run():
            reading.report = _report(line)
        case report_format.Package():
            _take_package(reading, line)
        case report_format.ReadDecision():
            _take_decision(reading, line)
        case report_format.Step():
            _take_step(reading, line)
        case report_format.ReadStarting():
            _change(reading, line.step, started=True)
        case report_format.ReadOutcome(result=result, tags=tags, in_doubt=doubted):
            _change(reading, line.step, result=result, tags=tags, doubted=doubted)
        case report_format.ReadEnd() if reading.report:
            reading.report = replace(reading.report, ended=True)


def _report(line: report_format.Run) -> Report:
    return Report(
        operation=line.operation,
        dry_run=line.dry_run,
        created_at=line.created_at,
        server=line.server,
        owner=line.owner,
        inputs={name: str(value) for name, value in line.inputs.items()},
        repository=line.repository,
    )


def _take_package(reading: _Reading, line: report_format.Package) -> None:
    package = Package(Owner(line.owner, line.owner_kind), line.type, line.name)
    if reading.packages.setdefault(line.package, package) != package:
        raise invalid(Code.REPORT_OTHER_PACKAGE, number=line.package)


def _take_step(reading: _Reading, line: report_format.Step) -> None:
    if line.step in reading.steps or line.package not in reading.packages:
        raise invalid(Code.REPORT_STEP_MISPLACED, number=line.step)
    if (line.version is None) != (line.change in (StepKind.DELETE_PACKAGE, StepKind.RESTORE_PACKAGE)):
        raise invalid(Code.REPORT_STEP_UNFIT, change=line.change)
    step = Step(
        kind=line.change,
        package=reading.packages[line.package],
        version=_version(line.version) if line.version else None,
        tags=line.tags,
        after=frozenset(line.after),
        root=line.root,
    )
    reading.steps[line.step] = (line.package, ReportedStep(step))


def _version(named: report_format.Named) -> Version:
    return Version(named.id, named.name, tags=named.tags)


def _take_decision(reading: _Reading, line: report_format.ReadDecision) -> None:
    """Note which tags a version had that was to go or to lose tags; what stays is for people."""
    if line.selected or line.untag:
        versions = reading.selected if line.selected else reading.losing
        versions.setdefault(line.package, []).append(_version(line.version))


def _change(reading: _Reading, number: int, **changes: Any) -> None:
    if number not in reading.steps:
        raise invalid(Code.REPORT_NO_STEP, number=number)
    package, step = reading.steps[number]
    reading.steps[number] = (package, replace(step, **changes))


def _assembled(reading: _Reading, report: Report) -> Report:
    steps: dict[int, list[ReportedStep]] = {number: [] for number in reading.packages}
    for package, step in reading.steps.values():
        steps[package].append(step)
    packages = (
        ReportedPackage(
            package,
            tuple(steps[number]),
            tuple(reading.selected.get(number, ())),
            tuple(reading.losing.get(number, ())),
        )
        for number, package in reading.packages.items()
    )
    return replace(report, packages=tuple(packages))


def _refusal(code: Code, path: Path, **details: Detail) -> InputError:
    return InputError(Problem.about("from-report", code, str(path), **details))
