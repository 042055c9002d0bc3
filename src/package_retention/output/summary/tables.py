"""Packages in the summary: what changed, and why the rest stays, each reason said once above its rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from package_retention.escaping import counted
from package_retention.model import MOVES_TAGS, Operation, Outcome, PackageType, Step
from package_retention.output.counts import Counts, RunCounts
from package_retention.output.sentences import group_words, own_words, reason_words, shared_words
from package_retention.output.summary.blocks import (
    About,
    Block,
    Chart,
    Column,
    Details,
    Line,
    Paragraph,
    Section,
    Strong,
    Table,
    more_packages,
    package_cell,
    package_heading,
    some_names,
)
from package_retention.output.summary.images import Change, Names, Stay, changes, named, stays
from package_retention.output.summary.words import LABELS, age, bucket, changed_word
from package_retention.results import PackageResult, RunResult

MOST_ROWS = 50
OPEN_ROWS = 20
MOST_GROUPS = 8
MOST_STAYING = 10
LEAST_FOLDED = 4
LEAST_BARS = 3

Unit = TypeVar("Unit")


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
    unchanged = Strong(counted(len(rest), "package") + " unchanged:")
    return (
        *((_overview_table(shown[:MOST_ROWS], counts.run, counts.noun),) if shown else ()),
        *more_packages(len(shown) - MOST_ROWS),
        *((Paragraph((unchanged, " ", *some_names(rest, MOST_ROWS))),) if rest else ()),
    )


def _overview_table(shown: Sequence[tuple[PackageResult, Counts]], run: RunResult, noun: str) -> Table:
    past = "restored" if run.operation is Operation.RESTORE else "deleted"
    changed = f"Would be {past}" if run.dry_run else past.capitalize()
    figures = {
        f"{noun.capitalize()}s": [one.units.listed for _, one in shown],
        changed: [one.units.changed for _, one in shown],
        "Failed": [len(one.failed) for _, one in shown],
        "Tags moved": [one.untagged + one.retagged for _, one in shown],
    }
    columns: list[Column] = [("Package", [_package_name(result) for result, _ in shown])]
    columns += [
        (name, [(f"{number:,}",) for number in found])
        for name, found in figures.items()
        if any(found) or name == changed
    ]
    return Table.of(columns, numeric=True)


def _package_name(result: PackageResult) -> Line:
    failed = result.failure and not result.plan.over_cap
    return package_cell(result.plan.package, ": could not be handled" if failed else "")


def by_age(counts: RunCounts, about: About) -> Section:
    """Draw what goes and what stays by age, if there is enough of both that a picture says more than a number."""
    kept, changed = [0] * len(LABELS), [0] * len(LABELS)
    for result, one in counts.packages:
        goes = frozenset(one.changed)
        for decision in result.plan.decisions:
            counts_here = counts.noun == "version" or decision.root == decision.version.id
            if counts_here and (when := decision.version.touched_at):
                (changed if decision.version.id in goes else kept)[bucket(when, about.now)] += 1
    filled = [place for place, pair in enumerate(zip(kept, changed, strict=True)) if any(pair)]
    few = sum(kept) + sum(changed) < about.chart_from or len(filled) < LEAST_BARS
    if few or not any(kept) or not any(changed):
        return ()
    shown = slice(filled[0], filled[-1] + 1)
    word = changed_word(counts.run.operation, dry_run=counts.run.dry_run)
    title = f"{counts.noun.capitalize()}s by age"
    return (Chart(title, LABELS[shown], tuple(kept[shown]), tuple(changed[shown]), word),)


def package_section(result: PackageResult, counts: Counts, run: RunResult, about: About) -> Section:
    """Return the blocks about one package."""
    package, view = result.plan.package, _PackageView(result, run, about)
    what = "deleted version" if run.operation is Operation.RESTORE else "version"
    facts = [f"{counted(counts.listed, what)} listed"]
    if package.version_count not in (None, counts.listed) and run.operation is Operation.DELETE:
        facts[0] += f" (GitHub counts {package.version_count:,})"
    facts += [package.visibility] if package.visibility else []
    facts += [f"linked to {package.repository}"] if package.repository else []
    return (
        package_heading(package),
        Paragraph((", ".join(facts) + ".",)),
        *view.changed(),
        *view.stayed(),
    )


class _PackageView:
    """One package of the run, as its section shows it."""

    def __init__(self, result: PackageResult, run: RunResult, about: About) -> None:
        self.result, self.run, self.about = result, run, about
        self.names = Names(result.plan.decisions)
        # Rows are images, but for deleted versions: those cannot be read.
        images = result.plan.package.type is PackageType.CONTAINER and run.operation is not Operation.RESTORE
        self.noun = "image" if images else "version"

    def changed(self) -> Iterator[Block]:
        """Yield what goes: each rule's own words above its rows, open."""
        plan, outcomes = self.result.plan, self.result.outcomes
        ends: list[tuple[Step, Outcome | None]] = [(outcome.step, outcome) for outcome in outcomes]
        if self.run.dry_run or not ends:
            ends = [(step, None) for step in plan.steps]
        units = changes(ends, {decision.version.id: decision.reason for decision in plan.decisions})
        groups = _grouped(units, lambda unit: shared_words(unit.reason) if unit.reason else "")
        most = max(LEAST_FOLDED, MOST_ROWS // max(1, len(groups)))
        for words, group in groups[:MOST_GROUPS]:
            yield Paragraph((Strong(self._change_title(group)), f": {words}" if words else ""))
            ends_said = [unit.end(self.run.operation) for unit in group]
            shown = group[:most]
            columns: list[Column] = [
                *self._names_and_ages(shown),
                ("Tags", [unit.tags() for unit in shown]),
                ("Result", [(end if len(set(ends_said)) > 1 else "",) for end in ends_said[:most]]),
                ("Why", [(unit.why(),) for unit in shown]),
            ]
            yield from _open_rows(columns)
            yield from self.about.left_out(len(group) - most)
        yield from self.about.left_out(sum(len(group) for _, group in groups[MOST_GROUPS:]))

    def _change_title(self, group: Sequence[Change]) -> str:
        """Say how many there are and how they ended: `12 images deleted`, `12 images: 9 deleted, 3 failed`."""
        whole = all(unit.version is None for unit in group)
        what = counted(len(group), "package" if whole else self.noun)
        if self.result.plan.over_cap:
            return f"{what}: planned, and not carried out"
        said = Counter(unit.ended(self.run.operation) for unit in group)
        if len(said) > 1:
            return f"{what}: {', '.join(f'{number:,} {word}' for word, number in said.most_common())}"
        # It is the tags that were moved, not the images.
        moved = all(unit.step.kind in MOVES_TAGS for unit in group)
        return f"{what}{':' if moved else ''} {next(iter(said))}"

    def stayed(self) -> Iterator[Block]:
        """Yield what was not planned, each reason above its rows, the largest group first; folded if that hides much."""
        plan = self.result.plan
        stepped = {step.version.id for step in plan.steps if step.version}
        units = stays([one for one in plan.decisions if not one.selected and one.version.id not in stepped])
        groups, own = _grouped(units, lambda unit: shared_words(unit.decision.reason)), own_words
        if len(groups) > MOST_GROUPS:
            groups, own = _grouped(units, lambda unit: group_words(unit.decision.reason)), reason_words
        for words, group in groups:
            shown = group[:MOST_STAYING]
            why: Column = ("Why", [(own(unit.decision.reason),) for unit in shown])
            table = Table.of([*self._names_and_ages(shown), why])
            line: Line = (Strong(self._stay_title(group)), f": {words}")
            blocks = (table, *self.about.left_out(len(group) - len(shown)))
            yield from (Details(line, blocks),) if len(group) >= LEAST_FOLDED else (Paragraph(line), *blocks)

    def _stay_title(self, group: Sequence[Stay]) -> str:
        versions = sum(1 + len(unit.members) for unit in group)
        beside = f" ({counted(versions, 'version')})" if versions > len(group) else ""
        verb = "stays" if len(group) == 1 else "stay"
        deleted = " deleted" if self.run.operation is Operation.RESTORE else ""
        return f"{counted(len(group), self.noun)}{beside} {verb}{deleted}"

    def _names_and_ages(self, shown: Sequence[Change | Stay]) -> list[Column]:
        return [
            (self.noun.capitalize(), [self._name(unit) for unit in shown]),
            ("Age", [(self._age(unit),) for unit in shown]),
        ]

    def _name(self, unit: Change | Stay) -> Line:
        if unit.version is None:
            return ("the whole package",)
        return named(self.names, unit.version, unit.member_ids, self.result.plan.contents)

    def _age(self, unit: Change | Stay) -> str:
        version = unit.version
        return age(version.touched_at or version.created_at, self.about.now) if version else ""


def _grouped(units: Iterable[Unit], words: Callable[[Unit], str]) -> list[tuple[str, list[Unit]]]:
    """Group by the same words, the largest group first."""
    groups: dict[str, list[Unit]] = {}
    for unit in units:
        groups.setdefault(words(unit), []).append(unit)
    return sorted(groups.items(), key=lambda pair: len(pair[1]), reverse=True)


def _open_rows(columns: Sequence[Column]) -> Section:
    """Show rows; those that would make the page long are folded, if they are at least four."""
    number = len(columns[0][1])
    if number - OPEN_ROWS < LEAST_FOLDED:
        return (Table.of(columns),)
    first = Table.of([(name, cells[:OPEN_ROWS]) for name, cells in columns])
    rest = Table.of([(name, cells[OPEN_ROWS:]) for name, cells in columns])
    return (first, Details((f"{number - OPEN_ROWS:,} more",), (rest,)))
