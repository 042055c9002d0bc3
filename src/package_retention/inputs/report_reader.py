"""Reads a report back; it may be forged, so it only says what it says, and whoever uses it narrows a plan by it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from package_retention.errors import InputError
from package_retention.model import (
    Operation,
    Owner,
    OwnerKind,
    Package,
    PackageType,
    Result,
    Step,
    StepKind,
    Version,
)
from package_retention.problems import Problem
from package_retention.problems import ProblemCode as Code
from package_retention.report import SCHEMA, Report, ReportedPackage, ReportedStep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path
    from typing import BinaryIO

    from package_retention.problems import Detail

MOST_BYTES = 256 * 1024 * 1024
"""A report of 100,000 versions that are all deleted takes a quarter of it."""

MOST_OF_LINE = 16 * 1024 * 1024

_T = TypeVar("_T")


class _MalformedError(ValueError):
    """A line that no report has."""


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

    Raises `InputError` where there is no such file, where it is too large, made by a later version, or no report.
    """
    reading = _Reading()
    number = 0
    try:
        with path.open("rb") as file:
            for number, line in enumerate(_lines(file, most), start=1):  # noqa: B007 - told when a line is malformed
                _take(reading, _decoded(line))
    except OSError as error:
        raise _refused(Code.FILE_UNREADABLE, path, why=error.strerror or "") from error
    except (ValueError, RecursionError) as error:
        raise _refused(Code.NOT_A_REPORT, path, line=number, why=str(error)) from error
    if reading.report is None:
        raise _refused(Code.EMPTY_REPORT, path)
    return _assembled(reading, reading.report)


def _lines(file: BinaryIO, most: int) -> Iterator[bytes]:
    """Give whole lines; the last one without its end only where it is whole all the same."""
    left = most
    while line := file.readline(MOST_OF_LINE + 1):
        left -= len(line)
        if left < 0 or len(line) > MOST_OF_LINE:
            raise _MalformedError(f"it is larger than {most:,} bytes, or a line is")
        if not line.endswith(b"\n") and not _whole(line):
            return
        yield line


def _whole(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _decoded(line: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(line)
    except ValueError as error:
        raise _MalformedError("it is not JSON") from error
    if not isinstance(value, dict):
        raise _MalformedError("it is no JSON object")
    return value


def _take(reading: _Reading, line: Mapping[str, Any]) -> None:
    """Take in one line; the first must be the header, and no other may be."""
    kind = line.get("kind")
    if (reading.report is None) != (kind == "run"):
        raise _MalformedError("a report begins with its one line of kind run")
    taker = _TAKERS.get(kind) if isinstance(kind, str) else None
    if taker is None:
        raise _MalformedError(f"its kind is {kind!r:.50}")
    taker(reading, line)


def _take_run(reading: _Reading, line: Mapping[str, Any]) -> None:
    schema = _given(line, "schema", int)
    if schema != SCHEMA:
        raise _MalformedError(f"its schema is {schema}, this version of the action reads {SCHEMA}")
    inputs = _given(line, "inputs", dict)
    reading.report = Report(
        operation=_one_of(line, "operation", Operation),
        dry_run=_given(line, "dry_run", bool),
        created_at=_moment(line, "created_at"),
        server=_given(line, "server", str),
        owner=_given(line, "owner", str),
        inputs={str(name): str(value) for name, value in inputs.items()},
        repository=_given(line, "repository", str) if "repository" in line else None,
    )


def _take_package(reading: _Reading, line: Mapping[str, Any]) -> None:
    owner = Owner(_given(line, "owner", str), _one_of(line, "owner_kind", OwnerKind))
    package = Package(owner, _one_of(line, "type", PackageType), _given(line, "name", str))
    number = _given(line, "package", int)
    if reading.packages.setdefault(number, package) != package:
        raise _MalformedError(f"package {number} was another one before")


def _take_step(reading: _Reading, line: Mapping[str, Any]) -> None:
    number, package_number = _given(line, "step", int), _given(line, "package", int)
    if number in reading.steps or package_number not in reading.packages:
        raise _MalformedError(f"step {number} was there before, or its package is not there")
    kind = _one_of(line, "change", StepKind)
    version = _version(_given(line, "version", dict)) if "version" in line else None
    if (version is None) != (kind in (StepKind.DELETE_PACKAGE, StepKind.RESTORE_PACKAGE)):
        raise _MalformedError(f"a step of kind {kind} with a version missing, or one too many")
    step = Step(
        kind=kind,
        package=reading.packages[package_number],
        version=version,
        tags=_strings(line, "tags"),
        after=frozenset(_list(line, "after", int)),
        root=_given(line, "root", int) if "root" in line else None,
    )
    reading.steps[number] = (package_number, ReportedStep(step))


def _take_decision(reading: _Reading, line: Mapping[str, Any]) -> None:
    """What stays is for people; of what was to go or to lose tags, it says which tags it had."""
    selected, untag = _given(line, "selected", bool), _strings(line, "untag")
    if selected or untag:
        versions = reading.selected if selected else reading.losing
        package = _given(line, "package", int)
        versions.setdefault(package, []).append(_version(_given(line, "version", dict)))


def _take_starting(reading: _Reading, line: Mapping[str, Any]) -> None:
    _change(reading, line, lambda one: replace(one, started=True))


def _take_outcome(reading: _Reading, line: Mapping[str, Any]) -> None:
    result, tags = _one_of(line, "result", Result), _strings(line, "tags")
    doubted = "in_doubt" in line and _given(line, "in_doubt", bool)
    _change(reading, line, lambda one: replace(one, result=result, tags=tags, doubted=doubted))


def _take_end(reading: _Reading, _line: Mapping[str, Any]) -> None:
    if reading.report is not None:
        reading.report = replace(reading.report, ended=True)


def _ignore(_reading: _Reading, _line: Mapping[str, Any]) -> None:
    """Notes and inventories are for people."""


_TAKERS: Mapping[str, Callable[[_Reading, Mapping[str, Any]], None]] = {
    "run": _take_run,
    "package": _take_package,
    "decision": _take_decision,
    "step": _take_step,
    "starting": _take_starting,
    "outcome": _take_outcome,
    "note": _ignore,
    **dict.fromkeys(("inventory", "entry", "deleted"), _ignore),
    "end": _take_end,
}


def _change(
    reading: _Reading, line: Mapping[str, Any], change: Callable[[ReportedStep], ReportedStep]
) -> None:
    number = _given(line, "step", int)
    if number not in reading.steps:
        raise _MalformedError(f"step {number} is not there")
    package, step = reading.steps[number]
    reading.steps[number] = (package, change(step))


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


def _version(line: Mapping[str, Any]) -> Version:
    return Version(_given(line, "id", int), _given(line, "name", str), tags=_strings(line, "tags"))


def _given(line: Mapping[str, Any], name: str, kind: type[_T]) -> _T:
    value = line.get(name)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise _MalformedError(f"its {name} is missing, or is no {kind.__name__}")
    return value


def _list(line: Mapping[str, Any], name: str, kind: type[_T]) -> tuple[_T, ...]:
    values = line.get(name, [])
    if not isinstance(values, list) or not all(isinstance(value, kind) for value in values):
        raise _MalformedError(f"its {name} is no list of {kind.__name__}")
    return tuple(values)


def _strings(line: Mapping[str, Any], name: str) -> tuple[str, ...]:
    return _list(line, name, str)


def _one_of(line: Mapping[str, Any], name: str, kind: Callable[[str], _T]) -> _T:
    try:
        return kind(_given(line, name, str))
    except _MalformedError:
        raise
    except ValueError as error:
        raise _MalformedError(f"its {name} is unknown") from error


def _moment(line: Mapping[str, Any], name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(_given(line, name, str))
    except _MalformedError:
        raise
    except ValueError as error:
        raise _MalformedError(f"its {name} is no time") from error
    if moment.tzinfo is None:
        raise _MalformedError(f"its {name} has no time zone")
    return moment


def _refused(code: Code, path: Path, **details: Detail) -> InputError:
    return InputError(Problem(code, str(path), "from-report", details=details))
