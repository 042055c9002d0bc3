"""The end of every run, success or not: outputs within GitHub's size, job summary, annotations, exit status."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from package_retention.errors import RetentionError
from package_retention.escaping import counted
from package_retention.inputs.environment import on_runner
from package_retention.output.annotations import annotate
from package_retention.output.counts import Counts, count_run
from package_retention.output.summary import page as summary
from package_retention.output.summary.blocks import About
from package_retention.output.summary.undo import action_reference
from package_retention.output.summary.words import headline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from package_retention.output.console import Console
    from package_retention.output.counts import RunCounts
    from package_retention.output.records import Records
    from package_retention.results import RunResult

NAMES = (
    "selected-count",
    "deleted-count",
    "restored-count",
    "untagged-count",
    "failed-count",
    "kept-count",
    "selected-version-ids",
    "deleted-version-ids",
    "restored-version-ids",
    "failed-version-ids",
    "packages",
    "freed-bytes",
    "complete",
    "dry-run",
    "report-file",
)

MOST_BYTES = 1_000_000 - 50_000
"""What all outputs may take together: 1 MB a job (facts E), less a twentieth for the job's other steps."""

_LISTS = (
    "selected-version-ids",
    "deleted-version-ids",
    "restored-version-ids",
    "failed-version-ids",
    "packages",
)
_BYTES_A_CHARACTER = 2  # GitHub measures Unicode strings: as UTF-16, to be safe


def conclude(
    run: RunResult, records: Records, environ: Mapping[str, str], console: Console, now: datetime
) -> int:
    """Write outputs and summary, say what a person must look at; gives the exit status."""
    counts = count_run(run)
    broken = records.close(run, counts)
    if broken:
        warning = f"the report could not be written to its end: {broken}"
        run = replace(run, warnings=(*run.warnings, warning), exit_status=run.exit_status or 1)
    values, cut = bounded(run, records.report_file, counts=counts)
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


def values(run: RunResult, report_file: str | None = None) -> dict[str, str]:
    """Give every output its value, by name, in the order of `NAMES`; see `bounded` for what had to be left out."""
    return bounded(run, report_file)[0]


def bounded(
    run: RunResult,
    report_file: str | None = None,
    most: int = MOST_BYTES,
    counts: RunCounts | None = None,
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Give every output its value, and a warning for each list that had to be cut to stay within `most` bytes.

    The longest lists are cut first, at their end; counts stay true.
    """
    counts = counts or count_run(run)
    tallied = counts.total
    lists: dict[str, list[Any]] = {
        "selected-version-ids": list(tallied.selected),
        "deleted-version-ids": list(tallied.deleted),
        "restored-version-ids": list(tallied.restored),
        "failed-version-ids": list(tallied.failed),
        "packages": [
            {"name": result.plan.package.name, **_counts(one)}
            for result, one in zip(run.packages, counts.each, strict=True)
        ],
    }
    plain = {
        **{name: str(count) for name, count in _counts(tallied).items()},
        "freed-bytes": str(tallied.space.size),
        "complete": _yes_or_no(run.complete),
        "dry-run": _yes_or_no(run.dry_run),
        "report-file": report_file or "",
    }
    room = most // _BYTES_A_CHARACTER - sum(len(name) + len(value) for name, value in plain.items())
    texts, warnings = _cut(lists, room, report_file)
    return {name: plain[name] if name in plain else texts[name] for name in NAMES}, warnings


def _counts(tallied: Counts) -> dict[str, int]:
    return {
        "selected-count": len(tallied.selected),
        "deleted-count": len(tallied.deleted),
        "restored-count": len(tallied.restored),
        "untagged-count": tallied.untagged,
        "failed-count": len(tallied.failed),
        "kept-count": tallied.kept,
    }


def _cut(
    lists: Mapping[str, list[Any]], room: int, report_file: str | None
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Write lists as JSON in `room` characters: a list shorter than its fair share leaves the rest to longer ones."""
    pieces = {name: [_json(entry) for entry in lists[name]] for name in _LISTS}
    sizes = {name: len(name) + sum(map(len, entries)) + len(entries) + 2 for name, entries in pieces.items()}
    texts: dict[str, str] = {}
    warnings: list[str] = []
    for remaining, name in zip(
        range(len(_LISTS), 0, -1), sorted(sizes, key=lambda name: sizes[name]), strict=True
    ):
        share = room // remaining
        fitting = _fitting(pieces[name], share - len(name) - 2) if sizes[name] > share else pieces[name]
        texts[name] = f"[{','.join(fitting)}]"
        room -= len(name) + len(texts[name])
        if left := len(pieces[name]) - len(fitting):
            warnings.append(_warning(name, left, len(pieces[name]), report_file))
    return texts, tuple(warnings)


def _fitting(pieces: Iterable[str], room: int) -> list[str]:
    fitting: list[str] = []
    for piece in pieces:
        room -= len(piece) + 1
        if room < 0:
            break
        fitting.append(piece)
    return fitting


def _warning(name: str, left: int, of: int, report_file: str | None) -> str:
    what = counted(left, "package" if name == "packages" else "id")
    whole = "the report file has every id" if report_file else "for every id, set report-file"
    return (
        f"{what} of {of:,} left out of the output {name}: GitHub allows 1 MB of outputs. "
        f"The counts are whole; {whole}."
    )


def _json(entry: Any) -> str:
    """ASCII on one line: lone surrogates and line ends arrive as JSON's own escapes."""
    return json.dumps(entry, separators=(",", ":"))


def _yes_or_no(flag: bool) -> str:
    return "true" if flag else "false"
