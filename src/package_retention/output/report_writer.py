"""The report file: JSON Lines, written as the run goes, so that a run killed at any moment leaves a true one.

The order is the truth: a `starting` line is with the system before its change is sent, the `outcome` after it. A
`starting` without an `outcome` is therefore the one thing in doubt.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from threading import RLock
from typing import TypeVar

import msgspec
from msgspec import Struct

from package_retention import report_format
from package_retention.errors import RetentionError
from package_retention.inputs.settings import Settings
from package_retention.model import Decision, Outcome, Package, Plan, Step
from package_retention.output.counts import RunCounts
from package_retention.output.problem_sentences import lines
from package_retention.output.sentences import (
    finding_hint,
    finding_words,
    outcome_hint,
    outcome_words,
    reason_words,
)
from package_retention.ports import Clock
from package_retention.reason import Reason
from package_retention.results import Entry, Inventory

SYNC_SECONDS = 1.0
"""At most so often are lines forced to the disk itself; a killed process loses none either way."""

_CHUNK = 2000  # lines a write

_Key = tuple[object, ...]
# Not by msgspec's own encoder: names may hold halves of surrogate pairs, which that refuses, and a report is ASCII.
_encoded = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


class ReportWriter:
    """A listener that writes the report; safe to use from several threads.

    `file` is an open file descriptor, closed by `close`. A write that fails (a full disk) ends the run before the
    next change, since `starting` raises `RetentionError`; what was under way is still finished and reported elsewhere.
    """

    def __init__(self, file: int, clock: Clock) -> None:
        self._file = file
        self._clock = clock
        self._lock = RLock()
        self._packages: dict[_Key, int] = {}
        self._steps: dict[_Key, int] = {}
        self._synced = clock.monotonic()
        self.failure = ""

    def open(self, settings: Settings, run: Mapping[str, str]) -> None:
        """Write the header; `run` says which workflow run this is. Raises `RetentionError` if it cannot."""
        with self._lock:
            self._write([_header(settings, self._clock.now(), run)], sync=True)
            self._check()

    def planned(self, plan: Plan) -> None:
        """Write a package's plan: its decisions and its steps."""
        with self._lock:
            number = self._number_of(plan.package)
            self._write([_package(number, plan)])
            self._write(_decision(number, one) for one in plan.decisions)
            self._write(
                (self._new_step(one) for one in plan.steps if _step_key(one) not in self._steps), sync=True
            )

    def starting(self, step: Step) -> None:
        """Write that a change is about to be sent; raises `RetentionError` if the report cannot be written."""
        with self._lock:
            number = self._number(step)
            self._write([report_format.Starting(number, self._clock.now())])
            self._check()

    def finished(self, outcome: Outcome) -> None:
        """Write how a step ended."""
        with self._lock:
            number = self._number(outcome.step)
            self._write([_outcome(number, outcome, self._clock.now())])

    def close(self, counts: RunCounts) -> None:
        """Write what a list found and how the run ended, and close the file."""
        with self._lock:
            if self._file < 0:
                return
            for result in counts.run.packages:
                if result.inventory:
                    number = self._number_of(result.plan.package)
                    self._write(_inventory(number, result.inventory))
            self._write([_end(counts, self._clock.now())], sync=True)
            os.close(self._file)
            self._file = -1

    def _number_of(self, package: Package) -> int:
        return self._packages.setdefault(package.key, len(self._packages))

    def _number(self, step: Step) -> int:
        """Return a step's number, and write the step first if no plan has named it."""
        if _step_key(step) not in self._steps:
            self._write([self._new_step(step)])
        return self._steps[_step_key(step)]

    def _new_step(self, step: Step) -> report_format.Line:
        number = self._steps.setdefault(_step_key(step), len(self._steps))
        return _taken(
            report_format.Step,
            step,
            step=number,
            package=self._number_of(step.package),
            change=step.kind,
            version=_taken(report_format.Named, step.version) if step.version else None,
            after=tuple(sorted(step.after)),
        )

    def _check(self) -> None:
        if self.failure:
            raise RetentionError(
                f"The report could not be written: {self.failure}. No further change is made without it",
                "Make room on the disk, or leave report-file out, and run again.",
            )

    def _write(self, lines: Iterable[report_format.Line], *, sync: bool = False) -> None:
        """Write whole lines at once; the first failure is kept, and nothing is written after it."""
        if self._file < 0 or self.failure:
            return
        try:
            for chunk in _chunks(lines):
                _write_all(self._file, chunk)
            if sync or self._clock.monotonic() - self._synced >= SYNC_SECONDS:
                os.fsync(self._file)
                self._synced = self._clock.monotonic()
        except OSError as error:
            self.failure = error.strerror or str(error)


def _chunks(lines: Iterable[report_format.Line]) -> Iterable[bytes]:
    encoded = (f"{_encoded(msgspec.to_builtins(line))}\n" for line in lines)
    while chunk := "".join(islice(encoded, _CHUNK)):
        yield chunk.encode("ascii")


def _write_all(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def _step_key(step: Step) -> _Key:
    return (*step.package.key, step.kind, step.version_id)


_Line = TypeVar("_Line", bound=Struct)


def _taken(kind: type[_Line], value: object, **own: object) -> _Line:
    """Return a line, or an object in one: what is its own, and the rest from a value that has it under the same names."""
    others = {name: getattr(value, name) for name in kind.__struct_fields__ if name not in own}
    return kind(**others, **own)


def _header(settings: Settings, now: datetime, run: Mapping[str, str]) -> report_format.Run:
    """Return the first line: which run this is, and its inputs without the token."""
    return report_format.Run(
        schema=report_format.SCHEMA,
        operation=settings.operation,
        dry_run=settings.reads_only,
        created_at=now,
        server=settings.server_url,
        owner=settings.owner,
        repository=settings.repository or None,
        runner=dict(run),
        inputs={name: value for name, value in settings.given.items() if name != "token"},
    )


def _package(number: int, plan: Plan) -> report_format.Package:
    """Return the line of a package whose plan stands."""
    return _taken(
        report_format.Package,
        plan.package,
        package=number,
        owner=plan.package.owner.login,
        owner_kind=plan.package.owner.kind,
        repository=plan.package.repository or "",
        warnings=tuple(map(finding_words, plan.warnings)),
        problems=tuple(map(finding_words, plan.problems)),
        over_cap=plan.over_cap,
    )


def _decision(number: int, one: Decision) -> report_format.Decision:
    version = _taken(report_format.Described, one.version)
    return _taken(report_format.Decision, one, package=number, version=version, reason=_reason(one.reason))


def _outcome(number: int, one: Outcome, now: datetime) -> report_format.Outcome:
    message, hint = outcome_words(one), outcome_hint(one)
    return _taken(report_format.Outcome, one, step=number, at=now, message=message, hint=hint)


def _reason(one: Reason) -> report_format.Reason:
    return report_format.Reason(
        code=one.code, detail=one.detail or "", rule=dict(one.rule), text=reason_words(one)
    )


def _inventory(number: int, found: Inventory) -> Iterator[report_format.Line]:
    """Yield a package's inventory: itself, then a line for each image or version, then those that are deleted."""
    yield _taken(
        report_format.Inventory,
        found,
        package=number,
        entries=len(found.entries),
        deleted_known=found.deleted is not None,
    )
    for entry in found.entries:
        yield _entry(number, entry)
    for one in found.deleted or ():
        yield report_format.Deleted(number, _taken(report_format.Described, one.version), one.until)


def _entry(number: int, one: Entry) -> report_format.Entry:
    return _taken(
        report_format.Entry,
        one,
        package=number,
        version=_taken(report_format.Described, one.version),
        due=_taken(report_format.Due, one.due, reason=_reason(one.due.reason)) if one.due else None,
        stays=_reason(one.stays) if one.stays else None,
    )


def _end(counts: RunCounts, now: datetime) -> report_format.End:
    """Return the last line: how the run ended, its counts and what it cost."""
    run, spent = counts.run, counts.run.spending
    return _taken(
        report_format.End,
        run,
        at=now,
        counts=report_format.Counts(**counts.total.by_name(), freed_bytes=counts.total.space.size),
        spending=_taken(
            report_format.Spending,
            spent,
            waited_seconds=round(spent.waited, 1),
            seconds=round(spent.seconds, 1),
        ),
        ended_by=run.ended_by or None,
        failure="\n".join(lines(run.problems)) if run.problems else finding_words(run.failure),
        hint=finding_hint(run.failure),
        warnings=tuple(map(finding_words, run.warnings)),
        failures=tuple(
            report_format.Failure(
                one.plan.package.label, finding_words(one.failure), finding_hint(one.failure)
            )
            for one in run.packages
            if one.failure
        ),
    )
