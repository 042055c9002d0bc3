"""One run from end to end, and the only place where errors end up."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from package_retention.errors import RetentionError
from package_retention.model import Operation, RunResult
from package_retention.runner.cancel import Cancel, RealClock
from package_retention.runner.inputs import parsing as inputs
from package_retention.runner.inputs.raw import on_runner
from package_retention.runner.log.terminal import console_for
from package_retention.runner.policy import loading as policy_file
from package_retention.runner.records import Records
from package_retention.wiring import perform

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from package_retention.ports import Clock
    from package_retention.runner.log.commands import Console


def main(
    environ: Mapping[str, str],
    stdout: TextIO,
    clock_of: Callable[[Cancel], Clock] = RealClock,
    argv: Sequence[str] = (),
) -> int:
    """Run the action once; gives its exit status.

    `clock_of` makes the clock, which hears of a cancel. `argv` are flags, which stand for inputs.
    """
    if argv or not on_runner(environ):
        from package_retention.runner.inputs import flags  # noqa: PLC0415 - only for who calls it by hand

        called = flags.read(argv, environ, stdout)
        if isinstance(called, int):
            return called
        environ = called
    console = console_for(stdout, environ)
    console.mask(environ.get("INPUT_TOKEN", "").strip())
    with Cancel().installed() as cancel:
        clock = clock_of(cancel)
        records = Records(environ, console, clock)
        result = _attempt(environ, console, clock, records)
        from package_retention.runner.ending import tell  # noqa: PLC0415 - needed last: the first request comes sooner

        return tell(result, records, environ, console, clock.now())


def _attempt(environ: Mapping[str, str], console: Console, clock: Clock, records: Records) -> RunResult:
    """Do the run; whatever ends it becomes a result that says so."""
    try:
        settings = inputs.parse(environ, policy_file.loader(environ, Path.cwd()))
        # In this order: opening the report-file empties it, and the two may be the same file.
        report = records.read_report(settings)
        records.open(settings)
        return perform(settings, clock, records.journal, console, records.progress, report)
    except RetentionError as error:
        return _refused(error)
    except Exception as error:  # noqa: BLE001 - a fault of this action: told with its place, outputs still written
        console.debug(traceback.format_exc())
        place = traceback.extract_tb(error.__traceback__)[-1]
        return _refused(
            RetentionError(
                f"an unexpected {type(error).__name__} in {place.name}: {error}",
                "This is a fault of the action: run again with debug logging, and report it with the log.",
            )
        )


def _refused(error: RetentionError) -> RunResult:
    return RunResult(
        Operation.DELETE, dry_run=False, failure=error.message, advice=error.advice, exit_status=1
    )
