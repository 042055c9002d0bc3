"""The job summary: what happened, what to do about it and how to undo it first; then package by package.

Written as GitHub-flavoured Markdown for the job's page, and as plain text for a terminal. Every section is bounded,
and what does not fit below the runner's 1 MiB (facts E) is counted, never cut in the middle.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from package_retention.decide.contents import Space
from package_retention.errors import RetentionError
from package_retention.escaping import counted
from package_retention.model import Operation
from package_retention.output.annotations import Notice, notices
from package_retention.output.counts import Counts, RunCounts
from package_retention.output.summary import markdown
from package_retention.output.summary.blocks import (
    About,
    Alert,
    Block,
    Chart,
    Column,
    Heading,
    Line,
    Listing,
    Paragraph,
    Section,
    Strong,
    Table,
    joined,
    more_packages,
    package_cell,
    some_names,
)
from package_retention.output.summary.inventory import conflicts, inventory_section, overview as inventories
from package_retention.output.summary.tables import MOST_ROWS, package_section
from package_retention.output.summary.undo import undo
from package_retention.output.summary.words import changed_word, headline, lasting, sentence, size_words
from package_retention.results import PackageResult, RunResult, Spending

MOST_BYTES = 1024 * 1024 - 1024
"""The runner refuses more than 1,048,576 bytes (facts E); a little is left for what it adds."""

MOST_NOTICES = 10
LEAST_BARS = 3
_BUCKETS = (
    ("1 day", timedelta(days=1)),
    ("1 week", timedelta(days=7)),
    ("30 days", timedelta(days=30)),
    ("90 days", timedelta(days=90)),
    ("180 days", timedelta(days=180)),
    ("1 year", timedelta(days=365)),
    ("2 years", timedelta(days=730)),
)
_LABELS = (*(f"to {name}" for name, _ in _BUCKETS), "older")
_RESERVE = 200  # bytes for the line that counts what did not fit


def append(environ: Mapping[str, str], counts: RunCounts, about: About) -> bool:
    """Append the summary to the runner's file, within what is left of its size; return `False` if there is no file.

    Raises `RetentionError` if the file cannot be written.
    """
    name = environ.get("GITHUB_STEP_SUMMARY", "")
    if not name:
        return False
    path = Path(name)
    try:
        taken = path.stat().st_size if path.exists() else 0
        with path.open("a", encoding="utf-8", newline="\n") as file:
            file.write(render(counts, about, most=MOST_BYTES - taken))
    except OSError as error:
        raise RetentionError(
            f"The job summary could not be written to {name}: {error.strerror}",
            "The log and the outputs hold what happened.",
        ) from error
    return True


def render(
    counts: RunCounts,
    about: About,
    render_block: Callable[[Block], str] = markdown.render,
    most: int = MOST_BYTES,
) -> str:
    """Write section after section while they fit into `most` bytes of UTF-8; the rest is counted in one line."""
    unwritten = sections(counts, about)
    written = [joined(next(unwritten), render_block)]
    room = most - len(written[0].encode()) - _RESERVE
    if room < 0:
        first_line = joined((Heading(2, (headline(counts),)),), render_block)
        return first_line if len(first_line.encode()) <= most else ""
    left = 0
    for section in unwritten:
        text = "" if left else joined(section, render_block)
        if left or len(text.encode()) > room:
            left += 1
            continue
        room -= len(text.encode())
        written.append(text)
    if left:
        where = " The report file has it all." if about.report_file else ""
        words = f"{counted(left, 'more section')} left out: a job summary holds 1 MiB.{where}"
        written.append(joined((Paragraph((words,)),), render_block))
    return "".join(written)


def sections(counts: RunCounts, about: About) -> Iterator[Section]:
    """Yield every section of the summary: the first screen, all packages in short, each package, and the costs."""
    yield first_screen(counts, about)
    if len(counts.each) > 1:
        yield inventories(counts) if counts.run.operation is Operation.LIST else overview(counts)
    if chart := by_age(counts, about):
        yield chart
    yield from package_sections(counts, about)
    if counts.run.spending.api_requests or counts.run.spending.registry_requests:
        yield (Paragraph((_spent(counts.run.spending),)),)


def first_screen(counts: RunCounts, about: About) -> Section:
    """Return what happened, what to do about it, and how to undo it."""
    run = counts.run
    reported = notices(run, by_hand=about.uses is None) if about.alerts else ()
    return (
        Heading(2, (headline(counts),)),
        *_dry_run(counts, about),
        *_space(run, counts.total.space),
        *_alert("CAUTION", [notice for notice in reported if notice.error], about),
        *_alert("WARNING", [notice for notice in reported if not notice.error], about),
        *undo(counts, about),
    )


def _space(run: RunResult, space: Space) -> list[Block]:
    """Say what is freed if the first line does not: only some manifests of what goes were read."""
    if not space.size or not space.unread or run.operation is Operation.RESTORE:
        return []
    verb = "would be freed" if run.dry_run or run.operation is Operation.LIST else "are freed"
    number = "1 manifest was" if space.unread == 1 else f"{space.unread:,} manifests were"
    known = f"About {size_words(space.size)} {verb}, as far as that is known: {number} not read."
    return [Paragraph((f"{known} With `manifest-cache`, every manifest is read.",))]


def _dry_run(counts: RunCounts, about: About) -> list[Block]:
    """Say that nothing was changed, and what the same step does without `dry-run` unless that is not known."""
    run, total = counts.run, counts.total
    if not run.dry_run or run.operation is Operation.LIST:
        return []
    refused = run.failure or any(one.failure or one.plan.problems for one in run.packages)
    if run.refused_later:
        then = " Without `dry-run`, the same step would be refused before its first change."
    elif refused or not run.complete:
        then = ""
    elif not (total.selected or total.moving or total.whole):
        then = " There is nothing to do."
    else:
        by_report = about.report_file and run.operation is Operation.DELETE
        then = (
            " Without `dry-run`, the same step carries out this plan, as far as its token is allowed to"
            + ("; with `from-report`, it changes nothing else." if by_report else ".")
        )
    return [Alert("NOTE", ((Strong("Dry run: nothing was changed."), then),))]


def _alert(kind: str, reported: list[Notice], about: About) -> list[Block]:
    if not reported:
        return []
    lines = [_notice(notice) for notice in reported[:MOST_NOTICES]]
    if len(reported) > MOST_NOTICES:
        where = "" if about.uses is None else ", which the log holds"
        lines.append((f"And {len(reported) - MOST_NOTICES:,} more{where}.",))
    pastes = dict.fromkeys(notice.paste for notice in reported if notice.paste)
    return [Alert(kind, tuple(lines)), *(Listing("yaml", paste) for paste in pastes)]


def _notice(notice: Notice) -> Line:
    sentence = _sentence(notice.sentence)
    if not notice.hint:
        return (sentence,)
    return (f"{sentence} ", Strong("What to do:"), f" {_sentence(notice.hint)}")


def _sentence(words: str) -> str:
    """End what was said with a full stop, and begin it as a sentence unless a name is its first word."""
    first, _, rest = words.partition(" ")
    if first.isalpha() and first.islower():
        words = f"{first.capitalize()} {rest}"
    return words if words.endswith((".", "!", "?", ":")) else f"{words}."


def worth_showing(result: PackageResult, counts: Counts) -> bool:
    """Whether there is more to say of a package than that it is unchanged."""
    plan = result.plan
    return bool(
        counts.selected or plan.steps or result.failure or plan.problems or plan.warnings or result.outcomes
    )


def overview(counts: RunCounts) -> Section:
    """Return one line for each package that changes, fails or has a warning, and one line for all the others."""
    shown = [one for one in counts.packages if worth_showing(*one)]
    rest = [result.plan.package.name for result, one in counts.packages if not worth_showing(result, one)]
    found: list[Block] = []
    if shown:
        found.append(_overview_table(shown[:MOST_ROWS], counts.run, counts.noun))
        found += more_packages(len(shown) - MOST_ROWS)
    if rest:
        unchanged = Strong(counted(len(rest), "package") + " unchanged:")
        found.append(Paragraph((unchanged, " ", *some_names(rest, MOST_ROWS))))
    return tuple(found)


def _overview_table(shown: Sequence[tuple[PackageResult, Counts]], run: RunResult, noun: str) -> Table:
    changed = changed_word(run.operation, dry_run=run.dry_run).removeprefix("was ").capitalize()
    figures = {
        f"{noun.capitalize()}s": [one.units.listed for _, one in shown],
        changed: [one.units.changed for _, one in shown],
        "Failed": [len(one.failed) for _, one in shown],
        "Tags moved": [one.moved for _, one in shown],
    }
    columns: list[Column] = [("Package", [_package_name(result) for result, _ in shown])]
    columns += [
        (name, [f"{number:,}" for number in found])
        for name, found in figures.items()
        if any(found) or name == changed
    ]
    return Table.of(columns, numeric=True)


def _package_name(result: PackageResult) -> Line:
    failed = result.failure and not result.plan.over_cap
    return package_cell(result.plan.package, ": could not be handled" if failed else "")


def by_age(counts: RunCounts, about: About) -> Section:
    """Draw what goes and what stays by age, if there is enough of both that a picture says more than a number."""
    kept: Counter[int] = Counter()
    changed: Counter[int] = Counter()
    for result, one in counts.packages:
        goes = frozenset(one.changed)
        for decision in result.plan.decisions:
            is_unit = counts.noun == "version" or decision.root == decision.version.id
            when = decision.version.touched_at
            if is_unit and when:
                bars = changed if decision.version.id in goes else kept
                bars[bucket(when, about.now)] += 1
    filled = kept.keys() | changed.keys()
    few = kept.total() + changed.total() < about.chart_from or len(filled) < LEAST_BARS
    if few or not kept or not changed:
        return ()
    shown = range(min(filled), max(filled) + 1)
    return (
        Chart(
            f"{counts.noun.capitalize()}s by age",
            labels=tuple(_LABELS[place] for place in shown),
            kept=tuple(kept[place] for place in shown),
            changed=tuple(changed[place] for place in shown),
            changed_word=changed_word(counts.run.operation, dry_run=counts.run.dry_run),
        ),
    )


def bucket(then: datetime, now: datetime) -> int:
    """Return the place of the age's label in `_LABELS`."""
    passed = now - then
    return sum(1 for _, most in _BUCKETS if passed >= most)


def package_sections(counts: RunCounts, about: About) -> Iterator[Section]:
    """Yield a section for each package that has more to show than that it is unchanged.

    Packages with failures come first, then those with changes, then the others; in the run's order within each.
    """
    if in_conflict := conflicts(counts.run):
        yield in_conflict
    shown = [one for one in counts.packages if one[0].plan.decisions or one[0].plan.steps or one[0].inventory]
    shown.sort(key=lambda one: (not one[0].failure, not one[0].outcomes, not one[0].plan.steps))
    for result, one in shown:
        if result.inventory:
            yield inventory_section(result.inventory, about)
        elif len(counts.each) == 1 or worth_showing(result, one):
            yield package_section(result, one, counts.run, about)


def _spent(spent: Spending) -> str:
    registry, waited = spent.registry_requests, spent.waited
    return sentence(
        counted(spent.api_requests, "request") + " to GitHub's API",
        counted(spent.points, "point"),
        counted(registry, "request") + " to the registry" if registry else "",
        f"{lasting(timedelta(seconds=spent.seconds))} in all",
        f"{lasting(timedelta(seconds=waited))} of it waiting" if waited >= 1 else "",
    )
