"""The report file: JSON Lines, written as the run goes, so that a run killed at any moment leaves a true one.

The order is the truth: a `starting` line is with the system before its change is sent, the `outcome` after it. A
`starting` without an `outcome` is therefore the one thing in doubt.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from threading import RLock

import msgspec

from package_retention import report_format
from package_retention.errors import RetentionError
from package_retention.inputs.settings import Settings
from package_retention.model import Outcome, Package, Plan, Step
from package_retention.output import report_lines
from package_retention.output.counts import RunCounts
from package_retention.ports import Clock

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
            self._write([report_lines.header(settings, self._clock.now(), run)], sync=True)
            self._check()

    def planned(self, plan: Plan) -> None:
        """Write a package's plan: its decisions and its steps."""
        with self._lock:
            number = self._number_of(plan.package)
            self._write([report_lines.package(number, plan)])
            self._write(report_lines.decision(number, one) for one in plan.decisions)
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
            self._write([report_lines.outcome(number, outcome, self._clock.now())])

    def note(self, text: str) -> None:
        """Write something worth knowing."""
        with self._lock:
            self._write([report_format.Note(self._clock.now(), text)])

    def close(self, counts: RunCounts) -> None:
        """Write what a list found and how the run ended, and close the file."""
        with self._lock:
            if self._file < 0:
                return
            for result in counts.run.packages:
                if result.inventory:
                    number = self._number_of(result.plan.package)
                    self._write(report_lines.inventory(number, result.inventory))
            self._write([report_lines.end(counts, self._clock.now())], sync=True)
            os.close(self._file)
            self._file = -1

    def _number_of(self, package: Package) -> int:
        key = _package_key(package)
        return self._packages.setdefault(key, len(self._packages))

    def _number(self, step: Step) -> int:
        """Return a step's number, and write the step first if no plan has named it."""
        if _step_key(step) not in self._steps:
            self._write([self._new_step(step)])
        return self._steps[_step_key(step)]

    def _new_step(self, step: Step) -> report_format.Line:
        number = self._steps.setdefault(_step_key(step), len(self._steps))
        return report_lines.step(number, self._number_of(step.package), step)

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
    chunk: list[str] = []
    for line in lines:
        chunk.append(_encoded(msgspec.to_builtins(line)) + "\n")
        if len(chunk) == _CHUNK:
            yield "".join(chunk).encode("ascii")
            chunk.clear()
    if chunk:
        yield "".join(chunk).encode("ascii")


def _write_all(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def _package_key(package: Package) -> _Key:
    return (package.owner.login.lower(), package.type, package.name)


def _step_key(step: Step) -> _Key:
    return (*_package_key(step.package), step.kind, step.version.id if step.version else None)
