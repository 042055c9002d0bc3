"""One package in the summary: what changed, why the rest stayed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from package_retention.escaping import counted
from package_retention.model import Operation, PackageType
from package_retention.output.counts import count_results
from package_retention.output.sentences import reason_words
from package_retention.output.summary.blocks import Chart, Details, Heading, Link, Paragraph, Table
from package_retention.output.summary.images import Change, Stay, changes, named, newest_first, stays
from package_retention.output.summary.naming import Names
from package_retention.output.summary.words import LABELS, REASONS, age, bucket, changed_word, result_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from package_retention.model import Decision, Outcome, PackageResult, RunResult, Step, Version
    from package_retention.output.summary.blocks import Block, Line, Section

__all__ = ["MOST_ROWS", "OPEN_ROWS", "by_age", "newest_first", "overview", "package_section", "version_line"]

MOST_ROWS = 50
OPEN_ROWS = 12
LEAST_FOR_CHART = 20


def package_section(result: PackageResult, run: RunResult, now: datetime) -> Section:
    """Give the blocks about one package."""
    package, names = result.plan.package, Names(result.plan.decisions)
    blocks: list[Block] = [
        Heading(3, (Link(package.name, package.html_url), f" ({package.type} of {package.owner.login})")),
        Paragraph((_facts(result, run),)),
    ]
    blocks += _changed(result, run, names, now)
    blocks += _stayed(result, run, names, now)
    return tuple(blocks)


def overview(results: Sequence[PackageResult], operation: Operation, *, dry_run: bool) -> tuple[Block, ...]:
    """Give one line for each of several packages."""
    going = "delete" if operation is Operation.DELETE else "restore"
    head: tuple[str, ...] = ("Package", "Listed", f"Would {going}", "Would stay")
    if not dry_run:
        head = ("Package", "Listed", "Planned", f"{going.capitalize()}d", "Failed", "Kept")
    rows = [_overview_row(result, dry_run=dry_run) for result in results[:MOST_ROWS]]
    more = len(results) - MOST_ROWS
    rest = (Paragraph((f"And {counted(more, 'more package')}.",)),) if more > 0 else ()
    return (Table(head, tuple(rows), frozenset(range(1, len(head)))), *rest)


def _overview_row(result: PackageResult, *, dry_run: bool) -> tuple[Line, ...]:
    one, package = count_results(result), result.plan.package
    planned = len(one.selected)
    parser = [one.listed, planned, one.listed - planned]
    if not dry_run:
        parser = [one.listed, planned, len(one.deleted) + len(one.restored), len(one.failed), one.kept]
    if result.failure and not one.listed:
        name: Line = (Link(package.name, package.html_url), f" ({package.type}): could not be handled")
        return (name, *(("",) for _ in parser))
    return ((Link(package.name, package.html_url), f" ({package.type})"), *((f"{n:,}",) for n in parser))


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
    """Name a version that stands alone: its tags, then its digest or name."""
    return Names().line(version)


def _facts(result: PackageResult, run: RunResult) -> str:
    package, counts = result.plan.package, count_results(result)
    what = "deleted version" if run.operation is Operation.RESTORE else "version"
    facts = [f"{counted(counts.listed, what)} listed"]
    if package.version_count not in (None, counts.listed) and run.operation is Operation.DELETE:
        facts[0] += f" (GitHub counts {package.version_count:,})"
    facts += [package.visibility] if package.visibility else []
    facts += [f"linked to {package.repository}"] if package.repository else []
    return ", ".join(facts) + "."


def _goes(result: PackageResult, run: RunResult) -> frozenset[int]:
    one = count_results(result)
    return frozenset(one.selected if run.dry_run else (*one.deleted, *one.restored))


def _changed(result: PackageResult, run: RunResult, names: Names, now: datetime) -> list[Block]:
    ends: list[tuple[Step, Outcome | None]] = [(outcome.step, outcome) for outcome in result.outcomes]
    if run.dry_run or not ends:
        ends = [(step, None) for step in result.plan.steps]
    if not ends:
        return []
    units, _ = changes(ends, {decision.version.id: decision.reason for decision in result.plan.decisions})
    images = _by_image(result, run)
    rows = tuple(_row(unit, run, names, now) for unit in units[:MOST_ROWS])
    head = ("Image" if images else "Version", "Age", "Result", "Why")
    blocks: tuple[Block, ...] = (Table(head, rows), *_more(len(units)), *_members(units, run, names))
    title = _title(ends, run) + (f" ({counted(len(units), 'image')})" if images else "")
    if len(units) <= OPEN_ROWS:
        return [Paragraph((f"{title}:",)), *blocks]
    return [Details((f"{title}, newest first",), blocks)]


def _row(unit: Change, run: RunResult, names: Names, now: datetime) -> tuple[Line, ...]:
    version, end = unit.step.version, unit.end(run.operation)
    if version is None:
        return (("the whole package",), ("",), (end,), (unit.reason(),))
    name = named(names, version, unit.parts)
    return (name, (age(version.touched_at or version.created_at, now),), (end,), (unit.reason(),))


def _members(units: Sequence[Change], run: RunResult, names: Names) -> list[Block]:
    """Fold away what belongs to the images above, one line each."""
    found = [(inline, unit) for unit in units[:MOST_ROWS] for inline in unit.parts]
    if not found:
        return []
    rows = tuple(
        (names.line(inline.step.version), names.line(unit.step.version), (inline.end(run.operation),))
        for inline, unit in found[:MOST_ROWS]
        if inline.step.version and unit.step.version
    )
    table = Table(("Part", "Of", "Result"), rows)
    return [Details((f"{counted(len(found), 'part')} of these images",), (table, *_more(len(found))))]


def _title(ends: Sequence[tuple[Step, Outcome | None]], run: RunResult) -> str:
    """Say how many steps ended how: `118 deleted, 2 failed`."""
    if run.dry_run:
        return f"{counted(len(ends), 'change')} planned"
    words = Counter(result_words(outcome, run.operation) if outcome else "not reached" for _, outcome in ends)
    return ", ".join(f"{number:,} {word}" for word, number in words.most_common())


def _more(number: int) -> tuple[Block, ...]:
    more = number - MOST_ROWS
    return (Paragraph((f"And {more:,} more, which the report file holds.",)),) if more > 0 else ()


def _by_image(result: PackageResult, run: RunResult) -> bool:
    """Whether rows are images: those of deleted versions cannot be read."""
    return result.plan.package.type is PackageType.CONTAINER and run.operation is not Operation.RESTORE


def _stayed(result: PackageResult, run: RunResult, names: Names, now: datetime) -> list[Block]:
    """Group what was not planned by its reason, the largest group first, and fold the newest away below."""
    stepped = {step.version.id for step in result.plan.steps if step.version}
    stay = [one for one in result.plan.decisions if not one.selected and one.version.id not in stepped]
    if not stay:
        return []
    units = stays(stay)
    rows = tuple(
        (
            named(names, one.decision.version, one.parts),
            (_age(one.decision, now),),
            (reason_words(one.decision.reason),),
        )
        for one in units[:MOST_ROWS]
    )
    images = _by_image(result, run)
    newest = Table(("Image" if images else "Version", "Age", "Why"), rows)
    noun = "image" if images else "version"
    verb = ("stays" if len(units) == 1 else "stay") + (
        " deleted" if run.operation is Operation.RESTORE else ""
    )
    title = f"{counted(len(units), noun)} that {verb}, newest first"
    what = "What stays deleted" if run.operation is Operation.RESTORE else "What stays"
    return [_groups(units, names, f"{what}, and why"), Details((title,), (newest, *_more(len(units))))]


def _groups(units: Iterable[Stay], names: Names, title: str) -> Table:
    groups: dict[str, list[Stay]] = {}
    for unit in units:
        groups.setdefault(unit.decision.reason.code, []).append(unit)
    largest = sorted(groups.values(), key=len, reverse=True)
    images = any(unit.parts for group in largest for unit in group)
    head = (title, *(("Images",) if images else ()), "Versions", "The newest of them")
    rows = tuple(
        (
            (_reason(group),),
            *(((f"{len(group):,}",),) if images else ()),
            (f"{_versions(group):,}",),
            _some(group, names),
        )
        for group in largest
    )
    return Table(head, rows, frozenset(range(1, len(head) - 1)))


def _versions(group: Sequence[Stay]) -> int:
    return sum(1 + len(unit.parts) for unit in group)


def _reason(group: Sequence[Stay]) -> str:
    """The reason in its own words where all have the same, else in the words of its code."""
    first = group[0].decision.reason
    same = all(one.decision.reason == first for one in group)
    return reason_words(first) if same else REASONS[first.code]


def _some(group: Sequence[Stay], names: Names) -> Line:
    shown = [names.line(one.decision.version) for one in group[:3]]
    return tuple(piece for line in shown for piece in (*line, " · "))[:-1]


def _age(decision: Decision, now: datetime) -> str:
    return age(decision.version.touched_at or decision.version.created_at, now)
