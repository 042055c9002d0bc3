"""The counts of a run, made once and handed on to outputs, summary, report and log."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import reduce
from itertools import chain
from operator import add
from typing import Any

from msgspec import Struct, field

from package_retention.decide.contents import Space, freed
from package_retention.model import (
    DELETIONS,
    MOVES_TAGS,
    RESTORES,
    Operation,
    PackageType,
    Plan,
    Result,
    Step,
    StepKind,
)
from package_retention.results import PackageResult, RunResult


class Units(Struct, frozen=True):
    """What a person counts: images if every package holds them, or else versions."""

    listed: int = 0
    selected: int = 0
    changed: int = 0

    def __add__(self, other: Units) -> Units:
        """Return both together."""
        return Units(self.listed + other.listed, self.selected + other.selected, self.changed + other.changed)


class Counts(Struct, frozen=True):
    """Ids of versions, each once and in the plan's order, and counts of what has no id in the outputs.

    `listed` and `kept` count versions; `untagged` counts tags that were really taken away, `moved` those that a restore
    put back, too, `moving` those that the plan moves; `whole` packages that changed (in a dry run: would change) as a
    whole. `changed` are the ids of all that went or came back (in a dry run or list: would). `space` is what that
    frees.
    """

    selected: tuple[int, ...] = ()
    deleted: tuple[int, ...] = ()
    restored: tuple[int, ...] = ()
    failed: tuple[int, ...] = ()
    changed: tuple[int, ...] = ()
    untagged: int = 0
    moved: int = 0
    moving: int = 0
    kept: int = 0
    listed: int = 0
    whole: int = 0
    units: Units = field(default_factory=Units)
    space: Space = field(default_factory=Space)

    def by_name(self) -> dict[str, int]:
        """Return the counts that outputs and report have, by their names there."""
        return {
            "selected": len(self.selected),
            "deleted": len(self.deleted),
            "restored": len(self.restored),
            "untagged": self.untagged,
            "failed": len(self.failed),
            "kept": self.kept,
        }


class RunCounts(Struct, frozen=True):
    """A run with the counts of each package, in its order, and of all together; `noun` is what `units` counts."""

    run: RunResult
    each: tuple[Counts, ...]
    total: Counts
    noun: str

    @property
    def packages(self) -> Iterator[tuple[PackageResult, Counts]]:
        """Each package of the run with its counts."""
        return zip(self.run.packages, self.each, strict=True)


def count_run(run: RunResult) -> RunCounts:
    """Count a whole run."""
    images = run.operation is not Operation.RESTORE and bool(run.packages)
    images = images and all(one.plan.package.type is PackageType.CONTAINER for one in run.packages)
    images = images and any(d.root == d.version.id for one in run.packages for d in one.plan.decisions)
    planned = run.dry_run or run.operation is Operation.LIST
    each = tuple(_counted(one, planned=planned, images=images) for one in run.packages)
    return RunCounts(run, each, _total(each), "image" if images else "version")


def _counted(result: PackageResult, *, planned: bool, images: bool) -> Counts:
    """Count one package; a version that only lost a tag was changed, so it is in neither `selected` nor `kept`."""
    plan, outcomes = result.plan, result.outcomes

    def ended(how: Result, kinds: Collection[StepKind]) -> tuple[int, ...]:
        return _ids(plan, (one.step for one in outcomes if one.result is how and one.step.kind in kinds))

    deleted, restored = ended(Result.DONE, DELETIONS), ended(Result.DONE, RESTORES)
    already = ended(Result.ALREADY, DELETIONS | RESTORES)
    tags = (one.step.version.id for one in outcomes if one.step.version and one.tags)
    listed = {decision.version.id for decision in plan.decisions}
    selected = _selected(plan)
    changed = selected if planned else (*deleted, *restored)
    steps = plan.steps if planned else [one.step for one in outcomes if one.result is Result.DONE]
    return Counts(
        selected=selected,
        deleted=deleted,
        restored=restored,
        failed=ended(Result.FAILED, frozenset(StepKind)),
        changed=changed,
        untagged=sum(len(one.tags) for one in outcomes if one.step.kind is StepKind.UNTAG),
        moved=sum(len(one.tags) for one in outcomes),
        moving=sum(len(step.tags) for step in plan.steps if step.kind in MOVES_TAGS),
        kept=len(listed.difference(deleted, restored, already, tags)),
        listed=len(listed),
        whole=sum(1 for step in steps if step.version is None),
        units=_units(plan, selected, changed, images=images),
        space=freed(plan.contents, frozenset(changed)),
    )


def _units(plan: Plan, selected: Collection[int], changed: Collection[int], *, images: bool) -> Units:
    """Count images by their roots, or else versions."""
    if not images:
        return Units(len({one.version.id for one in plan.decisions}), len(selected), len(changed))
    roots = {one.version.id for one in plan.decisions if one.root == one.version.id}
    return Units(len(roots), len(roots.intersection(selected)), len(roots.intersection(changed)))


def _total(each: Sequence[Counts]) -> Counts:
    """Add up every count: ids one after the other, and sums of the rest."""
    if not each:
        return Counts()
    return Counts(
        **{name: _sum([getattr(counts, name) for counts in each]) for name in Counts.__struct_fields__}
    )


def _sum(values: Sequence[Any]) -> Any:
    # Long tuples are not added one by one: that would copy the first of them thousands of times.
    return tuple(chain.from_iterable(values)) if isinstance(values[0], tuple) else reduce(add, values)


def _selected(plan: Plan) -> tuple[int, ...]:
    planned = [step for step in plan.steps if step.kind not in MOVES_TAGS]
    decided = (decision.version.id for decision in plan.decisions if decision.selected)
    return tuple(dict.fromkeys([*_ids(plan, planned), *decided]))


def _ids(plan: Plan, steps: Iterable[Step]) -> tuple[int, ...]:
    """Return the versions that steps change; a step for the whole package changes every one that was decided on."""
    found: dict[int, None] = {}
    for step in steps:
        if step.version is not None:
            found[step.version.id] = None
        else:
            found.update(dict.fromkeys(one.version.id for one in plan.decisions if one.selected))
    return tuple(found)
