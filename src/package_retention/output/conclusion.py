"""The end of every run, success or not: outputs, job summary, annotations, exit status."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from package_retention.errors import RetentionError
from package_retention.inputs.environment import on_runner
from package_retention.output import outputs
from package_retention.output.annotations import annotate
from package_retention.output.counts import count_run
from package_retention.output.summary import page as summary
from package_retention.output.summary.blocks import About
from package_retention.output.summary.undo import action_reference
from package_retention.output.summary.words import headline

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from package_retention.output.console import Console
    from package_retention.output.records import Records
    from package_retention.results import RunResult


def conclude(
    run: RunResult, records: Records, environ: Mapping[str, str], console: Console, now: datetime
) -> int:
    """Write outputs and summary, say what a person must look at; gives the exit status."""
    counts = count_run(run)
    broken = records.close(run, counts)
    if broken:
        warning = f"the report could not be written to its end: {broken}"
        run = replace(run, warnings=(*run.warnings, warning), exit_status=run.exit_status or 1)
    values, cut = outputs.bounded(run, records.report_file, counts=counts)
    run = replace(run, warnings=(*run.warnings, *cut))
    uses = action_reference(environ) if on_runner(environ) else None
    person = records.person
    by_hand = person is not None and not environ.get("GITHUB_STEP_SUMMARY")
    about = About(now, uses, records.report_file, environ.get("GITHUB_RUN_ID", ""))
    if person:
        about = replace(about, alerts=not by_hand, program=person.program)
    troubles = [
        _error_of(lambda: console.set_outputs(values)),
        _error_of(lambda: summary.append(environ, run, about, counts)),
    ]
    if by_hand and person:
        person.show(run, about, counts, console)
    annotate(run, console)
    for error in filter(None, troubles):
        console.fail(error)
    if not by_hand:
        console.line(headline(run, counts))
    console.close()
    return run.exit_status or (1 if any(troubles) else 0)


def _error_of(write: Callable[[], object]) -> RetentionError | None:
    """Try one ending; the others must still come where it fails."""
    try:
        write()
    except RetentionError as error:
        return error
    return None
