"""The end of every run, success or not: outputs within GitHub's size, job summary, annotations, exit status."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import Any

from msgspec.structs import replace

from package_retention.errors import RetentionError
from package_retention.escaping import counted
from package_retention.inputs.environment import on_runner
from package_retention.output.annotations import annotate
from package_retention.output.counts import Counts, RunCounts, count_run
from package_retention.output.records import Records
from package_retention.output.sentences import finding_hint, finding_words
from package_retention.output.summary import page as summary
from package_retention.output.summary.blocks import About
from package_retention.output.summary.undo import action_reference
from package_retention.output.summary.words import headline
from package_retention.reason import Finding, FindingCode
from package_retention.results import RunResult

MOST_BYTES = 1_000_000 - 50_000
"""What all outputs may take together: 1 MB a job (facts E), less a twentieth for the job's other steps."""

_BYTES_A_CHARACTER = 2  # GitHub measures Unicode strings: as UTF-16, to be safe


def conclude(run: RunResult, records: Records) -> int:
    """Write outputs and summary, say what a person must look at, and return the exit status."""
    counts, console = count_run(run), records.console
    if broken := records.close(counts):
        warning = Finding(FindingCode.REPORT_BROKEN, error=broken)
        run = replace(run, warnings=(*run.warnings, warning), exit_status=run.exit_status or 1)
    values, cut = bounded(counts, records.report_file)
    run = replace(run, warnings=(*run.warnings, *cut))
    counts, about = replace(counts, run=run), _about(records)
    errors = [
        _error_of(lambda: console.set_outputs(values)),
        _error_of(lambda: summary.append(records.environ, counts, about)),
    ]
    if records.person and not about.alerts:
        records.person.show(counts, about, console)
    annotate(run, console)
    for error in filter(None, errors):
        console.error(finding_words(error), finding_hint(error, by_hand=console.by_hand))
    if about.alerts:
        console.line(headline(counts))
    console.close()
    return run.exit_status or (1 if any(errors) else 0)


def _about(records: Records) -> About:
    """Return what the summary must know beside the run; a person without a summary file reads it at a terminal."""
    environ = records.environ
    uses = action_reference(environ) if on_runner(environ) else None
    about = About(records.clock.now(), uses, records.report_file, environ.get("GITHUB_RUN_ID", ""))
    if records.person is None:
        return about
    return replace(about, alerts=bool(environ.get("GITHUB_STEP_SUMMARY")), program=records.person.program)


def _error_of(write: Callable[[], object]) -> Finding | None:
    """Try one ending and return the error that it met: the others must still come."""
    try:
        write()
    except RetentionError as error:
        return error.said
    return None


def bounded(
    counts: RunCounts, report_file: str | None = None, most: int = MOST_BYTES
) -> tuple[dict[str, str], tuple[Finding, ...]]:
    """Return every output by its name, and a warning for each list that had to be cut to stay within `most` bytes.

    The longest lists are cut first, at their end; counts stay true.
    """
    run, total = counts.run, counts.total
    lists: dict[str, Sequence[Any]] = {
        "selected-version-ids": total.selected,
        "deleted-version-ids": total.deleted,
        "restored-version-ids": total.restored,
        "failed-version-ids": total.failed,
        "packages": [{"name": one.plan.package.name, **_counts(count)} for one, count in counts.packages],
    }
    numbers = {name: str(count) for name, count in _counts(total).items()}
    others = {
        "freed-bytes": str(total.space.size),
        "complete": json.dumps(run.complete),
        "dry-run": json.dumps(run.dry_run),
        "report-file": report_file or "",
    }
    whole = (numbers | others).items()
    room = most // _BYTES_A_CHARACTER - sum(len(name) + len(value) for name, value in whole)
    texts, warnings = _cut(lists, room, report_file)
    return numbers | texts | others, warnings


def _counts(counts: Counts) -> dict[str, int]:
    return {f"{name}-count": number for name, number in counts.by_name().items()}


def _cut(
    lists: Mapping[str, Sequence[Any]], room: int, report_file: str | None
) -> tuple[dict[str, str], tuple[Finding, ...]]:
    """Write lists as JSON in `room` characters: a list shorter than its fair share leaves the rest to longer ones."""
    # ASCII on one line: lone surrogates and line ends arrive as JSON's own escapes.
    encode = json.JSONEncoder(separators=(",", ":")).encode
    pieces = {name: [*map(encode, entries)] for name, entries in lists.items()}
    sizes = {name: len(name) + sum(map(len, entries)) + len(entries) + 2 for name, entries in pieces.items()}
    texts: dict[str, str] = {}
    warnings: list[Finding] = []
    for place, name in enumerate(sorted(sizes, key=lambda name: sizes[name])):
        share = room // (len(sizes) - place)
        fitting = _fitting(pieces[name], share - len(name) - 2) if sizes[name] > share else pieces[name]
        texts[name] = f"[{','.join(fitting)}]"
        room -= len(name) + len(texts[name])
        if left := len(pieces[name]) - len(fitting):
            what = counted(left, "package" if name == "packages" else "id")
            code = FindingCode.OUTPUT_CUT if report_file else FindingCode.OUTPUT_CUT_UNREPORTED
            warnings.append(Finding(code, name, others=(f"{len(pieces[name]):,}", what)))
    return {name: texts[name] for name in lists}, tuple(warnings)


def _fitting(pieces: list[str], room: int) -> list[str]:
    """Return the first pieces, as many as fit with a comma each."""
    ends = [*accumulate(len(piece) + 1 for piece in pieces)]
    return pieces[: bisect_right(ends, room)]
