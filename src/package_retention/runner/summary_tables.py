"""One package in the summary: what changed, why the rest stayed."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from package_retention.model import Operation, Result, StepKind
from package_retention.runner.ages import LABELS, age, bucket
from package_retention.runner.blocks import Chart, Code, Details, Heading, Link, Paragraph, Table
from package_retention.runner.escaping import counted
from package_retention.runner.summary_words import REASONS, changed_word, result_words
from package_retention.runner.tally import tally

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from package_retention.model import Decision, Outcome, PackageResult, Reason, RunResult, Step, Version
    from package_retention.runner.blocks import Block, Line, Section

MOST_ROWS = 50
OPEN_ROWS = 12
MOST_TAGS = 8
LEAST_FOR_CHART = 20

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def package_section(result: PackageResult, run: RunResult, now: datetime) -> Section:
    """Give the blocks about one package."""
    package, counts = result.plan.package, tally(result, run.operation)
    facts = [counted(counts.listed, "version listed", "versions listed")]
    facts += [words for words in (package.visibility, _linked(package.repository)) if words]
    blocks: list[Block] = [
        Heading(3, (Link(package.name, package.html_url), f" ({package.type} of {package.owner.login})")),
        Paragraph((", ".join(facts) + ".",)),
    ]
    blocks += _changed(result, run, now)
    blocks += _stayed(result, run, now)
    return tuple(blocks)


def overview(results: Sequence[PackageResult], operation: Operation) -> tuple[Block, ...]:
    """Give one line for each of several packages."""
    rows = []
    for result in results[:MOST_ROWS]:
        one = tally(result, operation)
        numbers = (
            one.listed,
            len(one.selected),
            len(one.deleted) + len(one.restored),
            len(one.failed),
            one.kept,
        )
        package = result.plan.package
        rows.append(
            (((Link(package.name, package.html_url), f" ({package.type})")), *((f"{n:,}",) for n in numbers))
        )
    head = ("Package", "Listed", "Planned", "Done", "Failed", "Kept")
    more = len(results) - MOST_ROWS
    rest = (Paragraph((f"And {counted(more, 'more package')}.",)),) if more > 0 else ()
    return (Table(head, tuple(rows), frozenset(range(1, len(head)))), *rest)


def by_age(run: RunResult, now: datetime) -> tuple[Block, ...]:
    """Draw what goes and what stays by age, where there is enough of both that a picture says more than a number."""
    kept, changed = [0] * len(LABELS), [0] * len(LABELS)
    for result in run.packages:
        goes = _goes(result, run)
        for decision in result.plan.decisions:
            if when := decision.version.touched_at:
                (changed if decision.version.id in goes else kept)[bucket(when, now)] += 1
    buckets = sum(1 for pair in zip(kept, changed, strict=True) if any(pair))
    if not any(kept) or not any(changed) or sum(kept) + sum(changed) < LEAST_FOR_CHART or buckets < 3:  # noqa: PLR2004
        return ()
    word = changed_word(run.operation, dry_run=run.dry_run)
    return (Chart("Versions by age", LABELS, tuple(kept), tuple(changed), word),)


def version_line(version: Version) -> Line:
    """Name a version: its tags, then its digest or name, cut short where it is a digest."""
    name = short(version.name)
    last = Link(name, version.html_url) if version.html_url else Code(name)
    tags = [Code(tag) for tag in version.tags[:MOST_TAGS]]
    more = len(version.tags) - MOST_TAGS
    parts: list[Line] = [(tag, " ") for tag in tags]
    if more > 0:
        parts.append((f"and {counted(more, 'more tag')} ",))
    return (*(piece for part in parts for piece in part), last)


def short(name: str) -> str:
    """Cut a digest to its first 12 hex digits; any other name stays."""
    algorithm, colon, digits = name.partition(":")
    return f"{algorithm}:{digits[:12]}" if colon and algorithm == "sha256" else name


def newest_first(version: Version | None) -> tuple[bool, float, int]:
    """Sort tagged versions before untagged ones, each newest first; a whole package before all."""
    if version is None:
        return (False, float("-inf"), 0)
    when = version.touched_at or version.created_at or _LONG_AGO
    return (not version.tags, -(when - _LONG_AGO).total_seconds(), -version.id)


def _goes(result: PackageResult, run: RunResult) -> frozenset[int]:
    one = tally(result, run.operation)
    return frozenset(one.selected if run.dry_run else (*one.deleted, *one.restored))


def _linked(repository: str | None) -> str:
    return f"linked to {repository}" if repository else ""


def _changed(result: PackageResult, run: RunResult, now: datetime) -> list[Block]:
    ends: list[tuple[Step, Outcome | None]] = [(outcome.step, outcome) for outcome in result.outcomes]
    if run.dry_run or not ends:
        ends = [(step, None) for step in result.plan.steps]
    if not ends:
        return []
    reasons = {decision.version.id: decision.reason for decision in result.plan.decisions}
    ends.sort(key=lambda end: newest_first(end[0].version))
    rows = tuple(_row(step, outcome, reasons, run, now) for step, outcome in ends[:MOST_ROWS])
    title = _title(ends, run)
    table = Table(("Version", "Age", "Result", "Why"), rows)
    if len(ends) <= OPEN_ROWS:
        return [Paragraph((f"{title}:",)), table]
    return [Details((f"{title}, newest first",), (table, *_more(len(ends))))]


def _row(
    step: Step, outcome: Outcome | None, reasons: dict[int, Reason], run: RunResult, now: datetime
) -> tuple[Line, ...]:
    version = step.version
    planned = reasons.get(version.id) if version else None
    why = planned.text if planned else ""
    if outcome is not None and outcome.result is not Result.DONE:
        why = outcome.message or why
    if step.kind is StepKind.UNTAG:
        why = f"tags {', '.join(step.tags[:MOST_TAGS])}{'; ' + why if why else ''}"
    end = result_words(outcome, run.operation) if outcome else "planned"
    if version is None:
        return (("the whole package",), ("",), (end,), (why,))
    return (version_line(version), (age(version.touched_at or version.created_at, now),), (end,), (why,))


def _title(ends: Sequence[tuple[Step, Outcome | None]], run: RunResult) -> str:
    """Say how many steps ended how: `118 deleted, 2 failed`."""
    if run.dry_run:
        return f"{counted(len(ends), 'change')} planned"
    words = Counter(result_words(outcome, run.operation) if outcome else "not reached" for _, outcome in ends)
    return ", ".join(f"{number:,} {word}" for word, number in words.most_common())


def _more(number: int) -> tuple[Block, ...]:
    more = number - MOST_ROWS
    return (Paragraph((f"And {more:,} more, which the report file holds.",)),) if more > 0 else ()


def _stayed(result: PackageResult, run: RunResult, now: datetime) -> list[Block]:
    """Group what was not planned by its reason, the largest group first, and fold the newest away below."""
    stepped = {step.version.id for step in result.plan.steps if step.version}
    stay = [one for one in result.plan.decisions if not one.selected and one.version.id not in stepped]
    if not stay:
        return []
    stay.sort(key=lambda decision: newest_first(decision.version))
    rows = tuple(
        (version_line(one.version), (_age(one, now),), (one.reason.text,)) for one in stay[:MOST_ROWS]
    )
    newest = Table(("Version", "Age", "Why"), rows)
    if run.operation is Operation.LIST:
        return [Details((f"{counted(len(stay), 'version')}, newest first",), (newest, *_more(len(stay))))]
    groups = Table(("What stays, and why", "Versions", "The newest of them"), _groups(stay), frozenset({1}))
    return [groups, Details((f"{len(stay):,} that stay, newest first",), (newest, *_more(len(stay))))]


def _groups(stay: Iterable[Decision]) -> tuple[tuple[Line, ...], ...]:
    groups: dict[str, list[Decision]] = {}
    for decision in stay:
        groups.setdefault(decision.reason.code, []).append(decision)
    largest = sorted(groups.values(), key=len, reverse=True)
    return tuple(((_reason(group),), (f"{len(group):,}",), _some(group)) for group in largest)


def _reason(group: Sequence[Decision]) -> str:
    """The reason in its own words where all have the same, else in the words of its code."""
    first = group[0].reason
    return first.text if all(one.reason.text == first.text for one in group) else REASONS[first.code]


def _some(group: Sequence[Decision]) -> Line:
    shown = [version_line(one.version) for one in group[:3]]
    return tuple(piece for line in shown for piece in (*line, " · "))[:-1]


def _age(decision: Decision, now: datetime) -> str:
    return age(decision.version.touched_at or decision.version.created_at, now)
