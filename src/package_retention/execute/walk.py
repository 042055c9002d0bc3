"""Walk one plan: several changes at a time, a root before its children, the first change alone.

No change rests on a list older than five minutes: the facts are looked at again, and a new look can only remove steps.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait

from msgspec import Struct, field
from msgspec.structs import replace

from package_retention.errors import (
    BudgetError,
    CancelledError,
    Refusal,
    RefusedError,
    RetentionError,
    StaleError,
)
from package_retention.execute.step_queue import StepQueue
from package_retention.execute.steps import Done, StepRunner
from package_retention.model import Outcome, Plan, Result, StepKind, Version
from package_retention.ports import Clock
from package_retention.reason import CHANGED_SINCE_PLAN, IN_DOUBT, NOT_WHOLE, Reason, ReasonCode
from package_retention.transport.limits import CHANGES

MAX_AGE = 300.0
"""Seconds for which a list of versions may carry a change."""

LAST_LOOK = 15.0
"""Seconds after a look in which a whole package may be deleted: GitHub would delete what was pushed since, too."""

# How often a walk that waits checks whether the run was cancelled, in seconds.
_POLL_SECONDS = 0.1
# Seconds for which a cancelled walk still waits for changes under way.
_PATIENCE = 2.5
# Looks at a package, one after the other, that were each too old by the time they were taken.
_MOST_LOOKS = 3
# Tries of a deletion that takes a look before each, as the client tries any other change.
_MOST_TRIES = 8

Replan = Callable[[Collection[int]], Plan]


class FactsRefresher(Struct):
    """A plan's facts and their age; a new look only ever narrows the plan.

    `replan` looks at the world again and decides anew, with the ids of what was done so far counting as still there.
    `relist` lists the package. Facts are as old as the beginning of the look that found them, `taken_at`; it ended at
    `looked_at`. `known` are the ids of all versions that a look has shown.
    """

    plan: Plan
    taken_at: float
    clock: Clock
    replan: Replan
    relist: Callable[[], Iterable[Version]] = tuple
    looked_at: float = 0.0
    known: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Count the first look as one that took no time."""
        self.looked_at = self.taken_at
        self.known = _ids(self.plan)

    @property
    def whole(self) -> bool:
        """Whether the plan deletes the package itself."""
        return any(step.kind is StepKind.DELETE_PACKAGE for step in self.plan.steps)

    def not_after(self) -> float:
        """Return until when a change may be sent, as `Clock.monotonic` reads; in the past if a look is due first.

        A list may take longer than a whole package may wait after it.
        """
        limit = self.taken_at + MAX_AGE
        return min(limit, self.looked_at + LAST_LOOK) if self.whole else limit

    def expired(self) -> bool:
        """Return whether the facts are too old for another change."""
        return self.clock.monotonic() >= self.not_after()

    def refresh(self, done: Collection[int]) -> dict[int | None, Reason]:
        """Look again, and return what of the plan must stay after all, with reasons."""
        taken_at = self.clock.monotonic()
        now = self.replan(done)
        self.taken_at, self.looked_at = taken_at, self.clock.monotonic()
        self.known |= _ids(now)
        return restrictions(self.plan, now)

    def listed(self) -> Collection[int]:
        """List the package and return the ids in it; if a version has come since the last look, the facts expire."""
        listed = {version.id for version in self.relist()}
        if not listed <= self.known:
            # It may be an index that names a child of an image which was deleted elsewhere: its 404 led to this list.
            self.taken_at = -math.inf
        return listed


def restrictions(plan: Plan, now: Plan) -> dict[int | None, Reason]:
    """Return the steps of a plan that a newer plan lacks, by version id (`None`: the whole package), with reasons."""
    still = {(step.kind, step.version_id): set(step.tags) for step in now.steps}
    everything = (StepKind.DELETE_PACKAGE, None) in still
    reasons = {d.version.id: d.reason for d in now.decisions}
    gone: dict[int | None, Reason] = {}
    for step in plan.steps:
        tags = still.get((step.kind, step.version_id))
        covered = everything and step.kind is StepKind.DELETE_VERSION
        if not covered and (tags is None or not tags.issuperset(step.tags)):
            other = NOT_WHOLE if step.kind is StepKind.DELETE_PACKAGE else CHANGED_SINCE_PLAN
            gone[step.version_id] = reasons.get(step.version_id or 0, other)
    return gone


def _ids(plan: Plan) -> set[int]:
    return {decision.version.id for decision in plan.decisions}


class StopReason:
    """What ended the run, `cause`: set once, by whoever meets it first; read by all. `None` while it goes on."""

    def __init__(self) -> None:
        self.cause: RetentionError | None = None
        self._lock = threading.Lock()

    def set(self, error: RetentionError) -> None:
        """End the run, unless it has ended already; an end while requests were failing stays no clean one."""
        with self._lock:
            first = self.cause = self.cause or error
            if isinstance(first, BudgetError) and isinstance(error, BudgetError):
                first.failing = first.failing or error.failing


class ExecutionContext(Struct, frozen=True):
    """What a walk works with: `runner` does one step, in a thread of `pool`."""

    runner: StepRunner
    pool: Executor
    stop_reason: StopReason


def walk(refresher: FactsRefresher, execution: ExecutionContext) -> tuple[Outcome, ...]:
    """Carry out the refresher's plan; every step has an outcome at the end, in the plan's order.

    Raise the error of a further look at the package that failed: by then every outcome is in the journal.
    """
    steps = refresher.plan.steps
    walker = _Walker(StepQueue(steps, execution.runner.journal.finished), refresher, execution)
    walker.run()
    if walker.failure:
        raise walker.failure
    return tuple(walker.queue.outcomes[place] for place in range(len(steps)))


class _Walker(Struct):
    queue: StepQueue
    refresher: FactsRefresher
    execution: ExecutionContext
    running: dict[Future[Done], int] = field(default_factory=dict)
    # The first change goes alone: what refuses it (a missing role, a locked package) refuses the others too:
    # one refusal to read instead of 32, and of its hour's requests one instead of 32. After it the others go together.
    width: int = 1
    ended: RetentionError | None = None
    untried: Reason | None = None
    failure: RetentionError | None = None
    closing: bool = False
    unsent: StaleError | None = None
    looks: int = 0

    def run(self) -> None:
        while not self.ended and (self.queue.pending or self.running):
            self._check_ending()
            if self.ended:
                break
            try:
                self._refresh_if_due()
                self._fill()
            except RetentionError as error:
                self._stop(error)
                break
            self._collect(_POLL_SECONDS)
        self._wind_down()

    def _check_ending(self) -> None:
        """Stop if the run has ended; at the end of a budget, finish the images that were begun."""
        cause = self.execution.stop_reason.cause
        if isinstance(cause, BudgetError):
            if not self.closing:
                self.closing = True
                self.queue.begin_no_more()
        else:
            self.ended = cause

    def _refresh_if_due(self) -> None:
        """Look again if the facts are too old, or would be by the time that the next change may be sent."""
        if self.queue.vanished and not self.running and self.queue.next_ready() is None:
            self.queue.settle_vanished(self.refresher.listed())
        if not (self.queue.pending and (self.unsent or self.refresher.expired())):
            return
        while self.running:
            self._collect(None)
        if self.queue.pending and not self.ended:
            self._count_look()
            self.queue.skip(self.refresher.refresh(self.queue.done))

    def _count_look(self) -> None:
        """Count looks that carried no change: an error is better than looking for ever."""
        unsent, self.unsent = self.unsent, None
        self.looks += 1
        whole = self.refresher.whole
        if self.looks <= (_MOST_TRIES if whole else _MOST_LOOKS):
            return
        if whole and unsent:
            raise RetentionError(f"{unsent.message} ({_MOST_TRIES} tries, each after a look)", unsent.hint)
        raise RetentionError(
            "to look at the package takes longer than facts may be old (five minutes), so nothing can be changed",
            "Run it again later, or with a larger `points-per-minute`.",
        )

    def _fill(self) -> None:
        while len(self.running) < self.width and not self.ended and not self.refresher.expired():
            place = self.queue.next_ready()
            if place is None or not self._has_room(place):
                return
            step, not_after = self.queue.start(place), self.refresher.not_after()
            self.running[self.execution.pool.submit(self.execution.runner, step, not_after)] = place

    def _has_room(self, place: int) -> bool:
        """Return whether the budget holds the whole image; one that was begun is finished in any case."""
        if self.closing or self.queue.is_begun(place):
            return True  # room was made for it before its image was begun
        try:
            self.execution.runner.api.ensure_room(self.queue.cost(place))
        except BudgetError as error:
            self.execution.stop_reason.set(error)
            self._check_ending()
            return False
        return True

    def _collect(self, timeout: float | None) -> None:
        if not self.running:
            return
        finished, _ = wait(self.running, timeout=timeout, return_when=FIRST_COMPLETED)
        for future in finished:
            self._read(future, self.running.pop(future))

    def _read(self, future: Future[Done], place: int) -> None:
        try:
            done = future.result()
        except StaleError as error:
            self.queue.put_back(place)
            self.unsent = error
        except (BudgetError, CancelledError) as error:
            self.queue.put_back(place)
            self._stop(error)
        except Exception as error:  # noqa: BLE001 - a fault of this action: what was done must still be reported
            step = self.queue.steps[place]
            self.ended = RetentionError(f"{step.package.label}: unexpected {type(error).__name__}: {error}")
            self.queue.end(place, Outcome(step, Result.FAILED, self.ended.said))
        else:
            self.looks = 0
            self.queue.end(place, done.outcome)
            self._handle_refusal(done.refusal)
            if done.ended:
                self._stop(done.ended)

    def _handle_refusal(self, refusal: Refusal | None) -> None:
        """Stop for a refusal that the other changes would meet too; after the first change many go at once."""
        self.width = CHANGES
        if refusal and refusal.meets_every_change:
            self.untried = Reason(ReasonCode.SAME_REFUSAL, subject=refusal.kind)
            self.ended = RetentionError(refusal.message, refusal.hint)
            if refusal.ends_run:
                self.execution.stop_reason.set(self.ended)

    def _stop(self, error: RetentionError) -> None:
        self.ended = error
        if isinstance(error, BudgetError | CancelledError):
            self.execution.stop_reason.set(error)
            return
        self.failure = error
        if isinstance(error, RefusedError) and error.refusal.ends_run:
            self.execution.stop_reason.set(error)

    def _wind_down(self) -> None:
        """Await what is under way, briefly on a cancel; then report what was not reached."""
        cancelled = isinstance(self.execution.stop_reason.cause, CancelledError)
        if cancelled and self.running:
            finished, _ = wait(self.running, timeout=_PATIENCE)
            for future in finished:
                self._read(future, self.running.pop(future))
        while self.running and not cancelled:
            self._collect(None)
        for place in self.running.values():
            outcome = Outcome(self.queue.steps[place], Result.NOT_REACHED, in_doubt=True, reason=IN_DOUBT)
            self.queue.end(place, outcome)
        cause = self.ended or self.execution.stop_reason.cause
        reason = self.untried if cause else Reason(ReasonCode.NOT_REACHED)
        said = cause.said if cause else None
        if said and isinstance(cause, BudgetError | CancelledError):
            said = replace(said, hint="")  # the run's own end says what to do
        self.queue.abandon(said, reason)
