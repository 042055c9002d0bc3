"""The counts of a run, made once for outputs, summary and log."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from package_retention.model import MOVES_TAGS, Result, StepKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from package_retention.model import Outcome, PackageResult, Plan, Step

_DELETIONS = frozenset({StepKind.DELETE_VERSION, StepKind.DELETE_PACKAGE})
_RESTORES = frozenset({StepKind.RESTORE_VERSION, StepKind.RESTORE_PACKAGE})


@dataclass(frozen=True, slots=True)
class Counts:
    """Ids of versions, each once and in the plan's order, and counts of what has no id in the outputs.

    `listed` and `kept` count versions; `untagged` counts tags that were really taken away, `retagged` those that a
    restore put back; `already` versions that were gone (or there again) at the first try.
    """

    selected: tuple[int, ...] = ()
    deleted: tuple[int, ...] = ()
    restored: tuple[int, ...] = ()
    failed: tuple[int, ...] = ()
    untagged: int = 0
    retagged: int = 0
    already: int = 0
    kept: int = 0
    listed: int = 0


def count_results(result: PackageResult) -> Counts:
    """Count one package; a version that only lost a tag was changed, so it is in neither `selected` nor `kept`."""
    plan, outcomes = result.plan, result.outcomes
    listed = dict.fromkeys(decision.version.id for decision in plan.decisions)
    done = [outcome for outcome in outcomes if outcome.result is Result.DONE]
    deleted = _ids(plan, (one.step for one in done if one.step.kind in _DELETIONS))
    restored = _ids(plan, (one.step for one in done if one.step.kind in _RESTORES))
    found = (one.step for one in outcomes if one.result is Result.ALREADY)
    already = _ids(plan, (step for step in found if step.kind not in MOVES_TAGS))
    tags = {one.step.version.id for one in outcomes if one.step.version and one.tags}
    touched = {*deleted, *restored, *already, *tags}
    return Counts(
        selected=_selected(plan),
        deleted=deleted,
        restored=restored,
        failed=_ids(plan, (one.step for one in outcomes if one.result is Result.FAILED)),
        untagged=_moved(outcomes, StepKind.UNTAG),
        retagged=_moved(outcomes, StepKind.RETAG),
        already=len(already),
        kept=sum(1 for version in listed if version not in touched),
        listed=len(listed),
    )


def total(results: Iterable[PackageResult]) -> Counts:
    """Count a whole run."""
    each = [count_results(result) for result in results]
    return Counts(
        selected=tuple(chain.from_iterable(one.selected for one in each)),
        deleted=tuple(chain.from_iterable(one.deleted for one in each)),
        restored=tuple(chain.from_iterable(one.restored for one in each)),
        failed=tuple(chain.from_iterable(one.failed for one in each)),
        untagged=sum(one.untagged for one in each),
        retagged=sum(one.retagged for one in each),
        already=sum(one.already for one in each),
        kept=sum(one.kept for one in each),
        listed=sum(one.listed for one in each),
    )


def planned_tags(plan: Plan) -> int:
    """How many tags a plan takes away (or, in a restore, puts back)."""
    return sum(len(step.tags) for step in plan.steps if step.kind in MOVES_TAGS)


def _moved(outcomes: Iterable[Outcome], kind: StepKind) -> int:
    return sum(len(outcome.tags) for outcome in outcomes if outcome.step.kind is kind)


def _selected(plan: Plan) -> tuple[int, ...]:
    planned = [step for step in plan.steps if step.kind not in MOVES_TAGS]
    decided = (decision.version.id for decision in plan.decisions if decision.selected)
    return tuple(dict.fromkeys([*_ids(plan, planned), *decided]))


def _ids(plan: Plan, steps: Iterable[Step]) -> tuple[int, ...]:
    """The versions that steps change; a step for the whole package changes every one that was decided on."""
    found: dict[int, None] = {}
    for step in steps:
        if step.version is not None:
            found[step.version.id] = None
        else:
            found.update(dict.fromkeys(one.version.id for one in plan.decisions if one.selected))
    return tuple(found)
