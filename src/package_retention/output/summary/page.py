"""The job summary: what happened, what to do about it and how to undo it first; then package by package.

One content, two renderings: GitHub-flavoured Markdown for the job's page, plain text for a terminal. Every section
is bounded, and what does not fit below the runner's 1 MiB (facts E) is counted, never cut in the middle.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from package_retention.errors import RetentionError
from package_retention.escaping import counted
from package_retention.model import Operation
from package_retention.output.annotations import notices
from package_retention.output.counts import planned_tags, total
from package_retention.output.summary import markdown, plain
from package_retention.output.summary.blocks import Alert, Heading, Paragraph, Strong, Table
from package_retention.output.summary.inventory import conflicts, inventory_section
from package_retention.output.summary.inventory import overview as inventories
from package_retention.output.summary.tables import by_age, overview, package_section
from package_retention.output.summary.undo import undo
from package_retention.output.summary.words import headline, lasting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from package_retention.model import PackageResult, RunResult
    from package_retention.output.annotations import Notice
    from package_retention.output.counts import Counts
    from package_retention.output.summary.blocks import Block, Line, Section

MOST_BYTES = 1024 * 1024 - 1024
"""The runner refuses more than 1,048,576 bytes (facts E); a little is left for what it adds."""

MOST_POINTS = 10
_RESERVE = 200  # bytes for the line that counts what did not fit


@dataclass(frozen=True, slots=True)
class About:
    """What the summary must know beside the run: the time, how the action is called, where the report lies.

    `uses` is what stands behind `uses:` in a workflow, `None` where the run was called by hand.
    """

    now: datetime
    uses: str | None = "./"
    report_file: str | None = None


def render(run: RunResult, about: About, most: int = MOST_BYTES) -> str:
    """Write the summary as GitHub-flavoured Markdown, at most `most` bytes of UTF-8."""
    return _fitted(run, about, markdown.section, most)


def render_text(run: RunResult, about: About, most: int = MOST_BYTES) -> str:
    """Write the same as plain text."""
    return _fitted(run, about, plain.section, most)


def append(environ: Mapping[str, str], run: RunResult, about: About) -> bool:
    """Append the summary to the runner's file, within what is left of its size; `False` where there is no file.

    Raises `RetentionError` where the file cannot be written.
    """
    name = environ.get("GITHUB_STEP_SUMMARY", "")
    if not name:
        return False
    path = Path(name)
    try:
        taken = path.stat().st_size if path.exists() else 0
        with path.open("a", encoding="utf-8", newline="\n") as file:
            file.write(render(run, about, MOST_BYTES - taken))
    except OSError as error:
        raise RetentionError(
            f"The job summary could not be written to {name}: {error.strerror}",
            "The log and the outputs hold what happened.",
        ) from error
    return True


def _fitted(run: RunResult, about: About, write: Callable[[Section], str], most: int) -> str:
    """Write section after section while they fit; the rest is counted in one line."""
    written = [write(_first_screen(run, about))]
    room = most - len(written[0].encode()) - _RESERVE
    if room < 0:
        only = write((Heading(2, (headline(run, total(run.packages)),)),))
        return only if len(only.encode()) <= most else ""
    left = 0
    for section in _sections(run, about):
        text = "" if left else write(section)
        if left or len(text.encode()) > room:
            left += 1
            continue
        room -= len(text.encode())
        written.append(text)
    if left:
        words = f"{counted(left, 'more section')} left out: a job summary holds 1 MiB. The report file has it all."
        written.append(write((Paragraph((words,)),)))
    return "".join(written)


def _first_screen(run: RunResult, about: About) -> Section:
    tallied = total(run.packages)
    blocks: list[Block] = [Heading(2, (headline(run, tallied),))]
    if run.dry_run and run.operation is not Operation.LIST:
        lead = Strong("Dry run: nothing was changed.")
        blocks.append(Alert("NOTE", ((lead, _without_dry_run(run, about)),)))
    if tallied.listed:
        blocks.append(_counts(run, tallied))
    reported = notices(run)
    blocks += _alert("CAUTION", [notice for notice in reported if notice.error])
    blocks += _alert("WARNING", [notice for notice in reported if not notice.error])
    blocks += undo(run, about.now, about.uses, about.report_file)
    return tuple(blocks)


def _without_dry_run(run: RunResult, about: About) -> str:
    """Say what the same step does without `dry-run`, as far as this run knows it."""
    if any(run.refused_later):
        return " The same step without dry-run would be refused before its first change."
    if run.failure or any(result.failure for result in run.packages):
        return ""
    also = ", and with from-report this plan and no more" if about.report_file else ""
    return f" The same step without dry-run carries this plan out{also}."


def _counts(run: RunResult, tallied: Counts) -> Table:
    """One row of counts; a column that says nothing in this run is left out."""
    changes = run.operation is not Operation.LIST
    tags = sum(planned_tags(result.plan) for result in run.packages) if run.dry_run else 0
    columns: list[tuple[str, int, bool]] = [
        ("Packages", len(run.packages), len(run.packages) > 1),
        ("Versions listed", tallied.listed, True),
        ("Planned", len(tallied.selected), changes),
        ("Would go now", len(tallied.selected), not changes and len(tallied.selected) > 0),
        ("Deleted", len(tallied.deleted), run.operation is Operation.DELETE and not run.dry_run),
        ("Restored", len(tallied.restored), run.operation is Operation.RESTORE and not run.dry_run),
        ("Tags to move", tags, tags > 0),
        ("Tags taken away", tallied.untagged, tallied.untagged > 0),
        ("Tags put back", tallied.retagged, tallied.retagged > 0),
        ("Failed", len(tallied.failed), changes and not run.dry_run),
        (
            "Gone already" if run.operation is Operation.DELETE else "There already",
            tallied.already,
            tallied.already > 0,
        ),
        (
            "Kept" if run.operation is Operation.DELETE else "Unchanged",
            tallied.kept,
            changes and not run.dry_run,
        ),
        ("Would stay", tallied.listed - len(tallied.selected), changes and run.dry_run),
    ]
    shown = [(name, count) for name, count, wanted in columns if wanted]
    row = tuple(_cell(count) for _, count in shown)
    return Table(tuple(name for name, _ in shown), (row,), frozenset(range(len(shown))))


def _cell(count: int) -> Line:
    return (f"{count:,}",)


def _alert(kind: str, reported: list[Notice]) -> list[Block]:
    if not reported:
        return []
    lines = [_notice(notice) for notice in reported[:MOST_POINTS]]
    if len(reported) > MOST_POINTS:
        lines.append((f"And {len(reported) - MOST_POINTS:,} more, which the log holds.",))
    return [Alert(kind, tuple(lines))]


def _notice(notice: Notice) -> Line:
    sentence = _sentence(notice.sentence)
    return (
        (f"{sentence} ", Strong("What to do:"), f" {_sentence(notice.hint)}") if notice.hint else (sentence,)
    )


def _sentence(words: str) -> str:
    """End what was said with a full stop, and begin it as a sentence where no name is its first word."""
    first, _, rest = words.partition(" ")
    if first.isalpha() and first.islower():
        words = f"{first.capitalize()} {rest}"
    return words if words.endswith((".", "!", "?", ":")) else f"{words}."


def _sections(run: RunResult, about: About) -> Iterator[Section]:
    if len(run.packages) > 1:
        listing = run.operation is Operation.LIST
        yield inventories(run) if listing else overview(run.packages, run.operation, dry_run=run.dry_run)
    if chart := by_age(run, about.now):
        yield chart
    if in_conflict := conflicts(run):
        yield in_conflict
    for result in _most_telling_first(run):
        listed = result.inventory
        yield inventory_section(listed) if listed else package_section(result, run, about.now)
    yield (Paragraph((_spent(run),)),)


def _most_telling_first(run: RunResult) -> Iterable[PackageResult]:
    """Packages with failures, then those with changes, then the others; in the run's order within each."""
    return sorted(
        (one for one in run.packages if one.plan.decisions or one.plan.steps or one.inventory),
        key=lambda result: (not result.failure, not result.outcomes, not result.plan.steps),
    )


def _time(seconds: float) -> str:
    span = timedelta(seconds=seconds)
    return lasting(span if span < timedelta(seconds=10) else timedelta(seconds=round(seconds)))


def _spent(run: RunResult) -> str:
    spent = run.spending
    words = [
        counted(spent.api_requests, "request") + " to GitHub's API",
        counted(spent.points, "point"),
        counted(spent.registry_requests, "request") + " to the registry",
        f"{_time(spent.seconds)} in all",
    ]
    if spent.waited >= 1:
        words.append(f"{_time(spent.waited)} of it waiting at GitHub's limits")
    return ", ".join(words) + "."
