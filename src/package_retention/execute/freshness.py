"""Keep the facts under a plan fresh: no change rests on a list older than five minutes."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping

from package_retention.model import Plan, Step, StepKind, Version
from package_retention.ports import Clock
from package_retention.reason import CHANGED_SINCE_PLAN, NOT_WHOLE, Reason

Replan = Callable[[Collection[int]], Plan]

MAX_AGE = 300.0
"""Seconds for which a list of versions may carry a change."""

LAST_LOOK = 15.0
"""Seconds after a look in which a whole package may be deleted: GitHub would delete what was pushed since, too."""


class FactsRefresher:
    """A plan's facts and their age; a new look only ever narrows the plan.

    `replan` looks at the world again and decides anew, with the ids of what was done so far counting as still there.
    """

    def __init__(
        self,
        plan: Plan,
        taken_at: float,
        clock: Clock,
        replan: Replan,
        relist: Callable[[], Iterable[Version]] = tuple,
    ) -> None:
        self._plan = plan
        self._taken_at = taken_at
        self._clock = clock
        self._replan = replan
        self._relist = relist
        self._looked_at = taken_at
        self._known = _ids(plan)

    @property
    def whole(self) -> bool:
        """Whether the plan deletes the package itself."""
        return any(step.kind is StepKind.DELETE_PACKAGE for step in self._plan.steps)

    def not_after(self) -> float:
        """Return until when a change may be sent, as `Clock.monotonic` reads; in the past if a look is due first.

        A list may take longer than a whole package may wait after it.
        """
        limit = self._taken_at + MAX_AGE
        return min(limit, self._looked_at + LAST_LOOK) if self.whole else limit

    def expired(self) -> bool:
        """Return whether the facts are too old for another change."""
        return self._clock.monotonic() >= self.not_after()

    def refresh(self, done: Collection[int]) -> Mapping[int | None, Reason]:
        """Look again, and return what of the plan must stay after all, with reasons."""
        taken_at = self._clock.monotonic()
        now = self._replan(done)
        self._taken_at, self._looked_at = taken_at, self._clock.monotonic()
        self._known |= _ids(now)
        return restrictions(self._plan, now)

    def listed(self) -> Collection[int]:
        """List the package and return the ids in it; if a version has come since the last look, the facts expire."""
        listed = {version.id for version in self._relist()}
        if not listed <= self._known:
            # It may be an index that names a child of an image which was deleted elsewhere: its 404 led to this list.
            self._taken_at = -math.inf
        return listed

    def narrow_to(self, plan: Plan) -> None:
        """Take a narrower plan as the one to keep fresh."""
        self._plan = plan


def restrictions(plan: Plan, now: Plan) -> dict[int | None, Reason]:
    """Return the steps of a plan that a newer plan lacks, by version id (`None`: the whole package), with reasons."""
    still = {(step.kind, _id(step)): set(step.tags) for step in now.steps}
    everything = (StepKind.DELETE_PACKAGE, None) in still
    reasons = {d.version.id: d.reason for d in now.decisions}
    gone: dict[int | None, Reason] = {}
    for step in plan.steps:
        tags = still.get((step.kind, _id(step)))
        covered = everything and step.kind is StepKind.DELETE_VERSION
        if not covered and (tags is None or not tags.issuperset(step.tags)):
            other = NOT_WHOLE if step.kind is StepKind.DELETE_PACKAGE else CHANGED_SINCE_PLAN
            gone[_id(step)] = reasons.get(_id(step) or 0, other)
    return gone


def _ids(plan: Plan) -> set[int]:
    return {decision.version.id for decision in plan.decisions}


def _id(step: Step) -> int | None:
    return step.version.id if step.version else None
