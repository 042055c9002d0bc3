"""The job summary: what happened, what to do about it and how to undo it first; then package by package.

One content, two renderings: GitHub-flavoured Markdown for the job's page, plain text for a terminal. Every section
is bounded, and what does not fit below the runner's 1 MiB (facts E) is counted, never cut in the middle.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from package_retention.errors import RetentionError
from package_retention.escaping import counted
from package_retention.model import Operation
from package_retention.output.annotations import notices
from package_retention.output.counts import count_run
from package_retention.output.summary import markdown
from package_retention.output.summary.blocks import (
    About,
    Alert,
    Heading,
    Listing,
    Paragraph,
    Strong,
    plain_section,
)
from package_retention.output.summary.inventory import conflicts, inventory_section
from package_retention.output.summary.inventory import overview as inventories
from package_retention.output.summary.tables import by_age, overview, package_section, tells
from package_retention.output.summary.undo import undo
from package_retention.output.summary.words import headline, lasting, size_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from package_retention.decide.contents import Space
    from package_retention.output.annotations import Notice
    from package_retention.output.counts import Counts, RunCounts
    from package_retention.output.summary.blocks import Block, Line, Section
    from package_retention.results import PackageResult, RunResult

MOST_BYTES = 1024 * 1024 - 1024
"""The runner refuses more than 1,048,576 bytes (facts E); a little is left for what it adds."""

MOST_POINTS = 10
_RESERVE = 200  # bytes for the line that counts what did not fit


def render(run: RunResult, about: About, most: int = MOST_BYTES, counts: RunCounts | None = None) -> str:
    """Write the summary as GitHub-flavoured Markdown, at most `most` bytes of UTF-8."""
    return _fitted(run, about, markdown.section, most, counts or count_run(run))


def render_text(run: RunResult, about: About, most: int = MOST_BYTES, counts: RunCounts | None = None) -> str:
    """Write the same as plain text."""
    return _fitted(run, about, plain_section, most, counts or count_run(run))


def blocks_of(run: RunResult, about: About, counts: RunCounts | None = None) -> Section:
    """Return every block of the summary, whatever room there is."""
    counts = counts or count_run(run)
    sections = (first_screen(run, about, counts), *_sections(run, about, counts))
    return tuple(block for section in sections for block in section)


def append(environ: Mapping[str, str], run: RunResult, about: About, counts: RunCounts | None = None) -> bool:
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
            file.write(render(run, about, MOST_BYTES - taken, counts))
    except OSError as error:
        raise RetentionError(
            f"The job summary could not be written to {name}: {error.strerror}",
            "The log and the outputs hold what happened.",
        ) from error
    return True


def _fitted(
    run: RunResult, about: About, write: Callable[[Section], str], most: int, counts: RunCounts
) -> str:
    """Write section after section while they fit; the rest is counted in one line."""
    written = [write(first_screen(run, about, counts))]
    room = most - len(written[0].encode()) - _RESERVE
    if room < 0:
        only = write((Heading(2, (headline(run, counts),)),))
        return only if len(only.encode()) <= most else ""
    left = 0
    for section in _sections(run, about, counts):
        text = "" if left else write(section)
        if left or len(text.encode()) > room:
            left += 1
            continue
        room -= len(text.encode())
        written.append(text)
    if left:
        where = " The report file has it all." if about.report_file else ""
        words = f"{counted(left, 'more section')} left out: a job summary holds 1 MiB.{where}"
        written.append(write((Paragraph((words,)),)))
    return "".join(written)


def first_screen(run: RunResult, about: About, counts: RunCounts) -> Section:
    """Return what happened, what to do about it, and how to undo it."""
    blocks: list[Block] = [Heading(2, (headline(run, counts),))]
    if run.dry_run and run.operation is not Operation.LIST:
        blocks.append(Alert("NOTE", ((Strong("Dry run: nothing was changed."), _then(run, about, counts)),)))
    blocks += _space(run, counts.total.space)
    reported = notices(run) if about.alerts else ()
    blocks += _alert("CAUTION", [notice for notice in reported if notice.error], about)
    blocks += _alert("WARNING", [notice for notice in reported if not notice.error], about)
    blocks += undo(run, counts, about)
    return tuple(blocks)


def _space(run: RunResult, space: Space) -> list[Block]:
    """What is freed, where the first line does not say it: only some manifests of what goes were read."""
    if not space.size or not space.unread or run.operation is Operation.RESTORE:
        return []
    verb = "would be freed" if run.dry_run or run.operation is Operation.LIST else "are freed"
    number = "1 manifest was" if space.unread == 1 else f"{space.unread:,} manifests were"
    known = f"About {size_words(space.size)} {verb}, as far as that is known: {number} not read."
    return [Paragraph((f"{known} With `manifest-cache`, every manifest is read.",))]


def _then(run: RunResult, about: About, counts: RunCounts) -> str:
    """Say what the same step does without `dry-run`; nothing where that is known to be refused, or not known."""
    refused = run.failure or any(one.failure or one.plan.problems for one in run.packages)
    if any(run.refused_later):
        return " Without `dry-run`, the same step would be refused before its first change."
    if refused or not run.complete:
        return ""
    if not (counts.total.selected or counts.total.moving or counts.total.whole):
        return " There is nothing to do."
    plan = " Without `dry-run`, the same step carries this plan out, as far as its token may"
    if about.report_file and run.operation is Operation.DELETE:
        return f"{plan}; with `from-report`, this plan and no more."
    return f"{plan}."


def _alert(kind: str, reported: list[Notice], about: About) -> list[Block]:
    if not reported:
        return []
    lines = [_notice(notice) for notice in reported[:MOST_POINTS]]
    if len(reported) > MOST_POINTS:
        where = "" if about.uses is None else ", which the log holds"
        lines.append((f"And {len(reported) - MOST_POINTS:,} more{where}.",))
    pastes = dict.fromkeys(notice.paste for notice in reported if notice.paste)
    return [Alert(kind, tuple(lines)), *(Listing("yaml", paste) for paste in pastes)]


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


def package_sections(run: RunResult, about: About, counts: RunCounts) -> Iterator[Section]:
    """Yield a section for each package that has something to tell, the most telling first."""
    if in_conflict := conflicts(run):
        yield in_conflict
    for result, one in _most_telling_first(run, counts):
        if result.inventory:
            yield inventory_section(result.inventory, about.more)
        elif len(run.packages) == 1 or tells(result, one):
            yield package_section(result, run, one, about.now, about.more)


def _sections(run: RunResult, about: About, counts: RunCounts) -> Iterator[Section]:
    if len(run.packages) > 1:
        yield inventories(run, counts) if run.operation is Operation.LIST else overview(run, counts)
    if chart := by_age(run, counts, about):
        yield chart
    yield from package_sections(run, about, counts)
    yield (Paragraph((_spent(run),)),)


def _most_telling_first(run: RunResult, counts: RunCounts) -> list[tuple[PackageResult, Counts]]:
    """Packages with failures, then those with changes, then the others; in the run's order within each."""
    both = zip(run.packages, counts.each, strict=True)
    return sorted(
        (pair for pair in both if pair[0].plan.decisions or pair[0].plan.steps or pair[0].inventory),
        key=lambda pair: (not pair[0].failure, not pair[0].outcomes, not pair[0].plan.steps),
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
        words.append(f"{_time(spent.waited)} of it waiting")
    return ", ".join(words) + "."
