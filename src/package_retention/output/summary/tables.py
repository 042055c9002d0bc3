"""One package in the summary: what changed, and why the rest stays, each reason said once above its rows."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, TypeVar

from package_retention.escaping import counted
from package_retention.model import Operation, PackageType
from package_retention.output.sentences import own_words, reason_words, shared_words
from package_retention.output.summary.blocks import (
    Chart,
    Code,
    Details,
    Heading,
    Link,
    Paragraph,
    Strong,
    Table,
)
from package_retention.output.summary.images import Change, Names, Stay, changes, named, stays
from package_retention.output.summary.words import (
    LABELS,
    age,
    bucket,
    changed_word,
    group_words,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from package_retention.model import Outcome, Step, Version
    from package_retention.output.counts import Counts, RunCounts
    from package_retention.output.summary.blocks import About, Block, Line, Section
    from package_retention.results import PackageResult, RunResult

MOST_ROWS = 50
OPEN_ROWS = 20
MOST_GROUPS = 8
MOST_STAYING = 10
LEAST_FOLDED = 4

Column = tuple[str, "Sequence[Line]"]
Unit = TypeVar("Unit")


def package_section(
    result: PackageResult, run: RunResult, counts: Counts, now: datetime, more: Callable[[int], str]
) -> Section:
    """Return the blocks about one package; `more` says where the rows are that do not fit."""
    package, names = result.plan.package, Names(result.plan.decisions)
    view = _View(result, run, names, now, more)
    return (
        Heading(3, (Link(package.name, package.html_url), f" ({package.type} of {package.owner.login})")),
        Paragraph((_facts(result, run, counts),)),
        *view.changed(),
        *view.stayed(),
    )


def overview(run: RunResult, counts: RunCounts) -> tuple[Block, ...]:
    """Return one line for each package that changes, fails or has a warning, and one line for all the others."""
    both = list(zip(run.packages, counts.each, strict=True))
    telling = [pair for pair in both if tells(*pair)]
    rest = [result for result, one in both if not tells(result, one)]
    blocks: list[Block] = []
    if telling:
        blocks.append(_overview_table(telling[:MOST_ROWS], run, counts.noun))
    if (left := len(telling) - MOST_ROWS) > 0:
        blocks.append(Paragraph((f"And {counted(left, 'more package')}.",)))
    if rest:
        shown = [piece for one in rest[:MOST_ROWS] for piece in (Code(one.plan.package.name), " ")]
        others = f"and {counted(len(rest) - MOST_ROWS, 'more')}" if len(rest) > MOST_ROWS else ""
        line = (Strong(counted(len(rest), "package") + " unchanged:"), " ", *shown, others)
        blocks.append(Paragraph(tuple(piece for piece in line if piece)))
    return tuple(blocks)


def tells(result: PackageResult, counts: Counts) -> bool:
    """Whether a package has more to tell than that it is unchanged."""
    plan = result.plan
    return bool(
        counts.selected or plan.steps or result.failure or plan.problems or plan.warnings or result.outcomes
    )


def _overview_table(both: Sequence[tuple[PackageResult, Counts]], run: RunResult, noun: str) -> Table:
    past = "restored" if run.operation is Operation.RESTORE else "deleted"
    columns: list[Column] = [("Package", [_package_line(result) for result, _ in both])]
    numbers: list[tuple[str, list[int]]] = [
        (f"{noun.capitalize()}s", [one.units.listed for _, one in both]),
        (f"Would be {past}" if run.dry_run else past.capitalize(), [one.units.changed for _, one in both]),
        ("Failed", [len(one.failed) for _, one in both]),
        ("Tags moved", [one.untagged + one.retagged for _, one in both]),
    ]
    columns += [
        (name, [(f"{number:,}",) for number in found])
        for name, found in numbers
        if any(found) or name.startswith(("Would", past.capitalize()))
    ]
    return _table(columns, frozenset(range(1, len(columns))))


def _package_line(result: PackageResult) -> Line:
    package = result.plan.package
    failed = ": could not be handled" if result.failure and not result.plan.over_cap else ""
    return (Link(package.name, package.html_url), f" ({package.type}){failed}")


def by_age(run: RunResult, counts: RunCounts, about: About) -> tuple[Block, ...]:
    """Draw what goes and what stays by age, where there is enough of both that a picture says more than a number."""
    kept, changed = [0] * len(LABELS), [0] * len(LABELS)
    for result, one in zip(run.packages, counts.each, strict=True):
        goes = frozenset(one.changed)
        for decision in result.plan.decisions:
            counts_here = counts.noun == "version" or decision.root == decision.version.id
            if counts_here and (when := decision.version.touched_at):
                (changed if decision.version.id in goes else kept)[bucket(when, about.now)] += 1
    filled = [place for place, pair in enumerate(zip(kept, changed, strict=True)) if any(pair)]
    if not any(kept) or not any(changed) or sum(kept) + sum(changed) < about.chart_from or len(filled) < 3:  # noqa: PLR2004
        return ()
    shown = slice(filled[0], filled[-1] + 1)
    word = changed_word(run.operation, dry_run=run.dry_run)
    title = f"{counts.noun.capitalize()}s by age"
    return (Chart(title, LABELS[shown], tuple(kept[shown]), tuple(changed[shown]), word),)


def version_line(version: Version) -> Line:
    """Name a version that stands alone: its tags, then its digest or name."""
    return Names().line(version)


def _facts(result: PackageResult, run: RunResult, counts: Counts) -> str:
    package = result.plan.package
    what = "deleted version" if run.operation is Operation.RESTORE else "version"
    facts = [f"{counted(counts.listed, what)} listed"]
    if package.version_count not in (None, counts.listed) and run.operation is Operation.DELETE:
        facts[0] += f" (GitHub counts {package.version_count:,})"
    facts += [package.visibility] if package.visibility else []
    facts += [f"linked to {package.repository}"] if package.repository else []
    return ", ".join(facts) + "."


class _View:
    """What one package's section is made from."""

    def __init__(
        self, result: PackageResult, run: RunResult, names: Names, now: datetime, more: Callable[[int], str]
    ) -> None:
        self.result, self.run, self.names, self.now, self.more = result, run, names, now, more
        # Rows are images, but for deleted versions: those cannot be read.
        images = result.plan.package.type is PackageType.CONTAINER and run.operation is not Operation.RESTORE
        self.noun = "image" if images else "version"

    def changed(self) -> Iterable[Block]:
        """What goes: each rule's own words above its rows, open."""
        plan, outcomes = self.result.plan, self.result.outcomes
        ends: list[tuple[Step, Outcome | None]] = [(outcome.step, outcome) for outcome in outcomes]
        if self.run.dry_run or not ends:
            ends = [(step, None) for step in plan.steps]
        units = changes(ends, {decision.version.id: decision.reason for decision in plan.decisions})
        groups = _grouped(units, lambda unit: shared_words(unit.reason) if unit.reason else "")
        most = max(LEAST_FOLDED, MOST_ROWS // max(1, len(groups)))
        for words, group in groups[:MOST_GROUPS]:
            yield from self._change_group(words, group, most)
        if left := sum(len(group) for _, group in groups[MOST_GROUPS:]):
            yield Paragraph((self.more(left),))

    def _change_group(self, words: str, group: Sequence[Change], most: int) -> Iterable[Block]:
        shown = group[:most]
        ends = [unit.end(self.run.operation) for unit in group]
        said = Counter(unit.ended(self.run.operation) for unit in group)
        whole = all(unit.step.version is None for unit in group)
        what = counted(len(group), "package" if whole else self.noun)
        if self.result.plan.over_cap:
            said = Counter({"planned, and not carried out": len(group)})
        results = ", ".join(f"{number:,} {word}" for word, number in said.most_common())
        title = f"{what} {next(iter(said))}" if len(said) == 1 else f"{what}: {results}"
        columns: list[Column] = [
            (self.noun.capitalize(), [self._change_line(unit) for unit in shown]),
            ("Age", [(self._age(unit.step.version),) for unit in shown]),
            *([("Result", [(end,) for end in ends[:most]])] if len(set(ends)) > 1 else []),
            ("Why", [(unit.why(),) for unit in shown]),
        ]
        yield Paragraph((Strong(title), f": {words}" if words else ""))
        yield from _open_rows(columns)
        if len(group) > most:
            yield Paragraph((self.more(len(group) - most),))

    def _change_line(self, unit: Change) -> Line:
        version = unit.step.version
        if version is None:
            return ("the whole package",)
        parts = [part.step.version.id for part in unit.parts if part.step.version]
        return named(self.names, version, parts, self.result.plan.contents)

    def stayed(self) -> Iterable[Block]:
        """What was not planned, each reason above its rows, the largest group first; folded where that hides much."""
        stepped = {step.version.id for step in self.result.plan.steps if step.version}
        stay = [
            one for one in self.result.plan.decisions if not one.selected and one.version.id not in stepped
        ]
        groups = _grouped(stays(stay), lambda unit: shared_words(unit.decision.reason))
        own = own_words
        if len(groups) > MOST_GROUPS:
            groups, own = _grouped(stays(stay), lambda unit: group_words(unit.decision.reason)), reason_words
        for words, group in groups:
            yield from self._stay_group(words, group, [own(unit.decision.reason) for unit in group])

    def _stay_group(self, words: str, group: Sequence[Stay], own: Sequence[str]) -> Iterable[Block]:
        versions = sum(1 + len(unit.parts) for unit in group)
        beside = f" ({counted(versions, 'version')})" if versions > len(group) else ""
        verb = ("stays" if len(group) == 1 else "stay") + (
            " deleted" if self.run.operation is Operation.RESTORE else ""
        )
        line: Line = (Strong(f"{counted(len(group), self.noun)}{beside} {verb}"), f": {words}")
        shown = group[:MOST_STAYING]
        columns: list[Column] = [
            (self.noun.capitalize(), [self._stay_line(unit) for unit in shown]),
            ("Age", [(self._age(unit.decision.version),) for unit in shown]),
            ("Why", [(words,) for words in own[:MOST_STAYING]]),
        ]
        left = len(group) - len(shown)
        blocks = (_table(columns), *((Paragraph((self.more(left),)),) if left else ()))
        return (Details(line, blocks),) if len(group) >= LEAST_FOLDED else (Paragraph(line), *blocks)

    def _stay_line(self, unit: Stay) -> Line:
        parts = [part.version.id for part in unit.parts]
        return named(self.names, unit.decision.version, parts, self.result.plan.contents)

    def _age(self, version: Version | None) -> str:
        return age(version.touched_at or version.created_at, self.now) if version else ""


def _grouped(units: Iterable[Unit], words: Callable[[Unit], str]) -> list[tuple[str, list[Unit]]]:
    """Group by the same words, the largest group first."""
    groups: dict[str, list[Unit]] = {}
    for unit in units:
        groups.setdefault(words(unit), []).append(unit)
    return sorted(groups.items(), key=lambda pair: len(pair[1]), reverse=True)


def _open_rows(columns: Sequence[Column]) -> Iterable[Block]:
    """Show rows; those that would make the page long are folded, if they are at least four."""
    number = len(columns[0][1])
    if number - OPEN_ROWS < LEAST_FOLDED:
        return (_table(columns),)
    first = _table([(name, cells[:OPEN_ROWS]) for name, cells in columns])
    rest = _table([(name, cells[OPEN_ROWS:]) for name, cells in columns])
    return (first, Details((f"{number - OPEN_ROWS:,} more",), (rest,)))


def _table(columns: Sequence[Column], numeric: frozenset[int] = frozenset()) -> Table:
    """Make a table; a column in which every cell is empty goes."""
    shown = [(name, cells) for name, cells in columns if any(any(cell) for cell in cells)]
    rows = tuple(zip(*(cells for _, cells in shown), strict=True))
    return Table(tuple(name for name, _ in shown), rows, numeric)
