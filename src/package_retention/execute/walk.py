"""Walk one plan: several changes at a time, a root before its children, the first change alone."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait

from msgspec import Struct

from package_retention.errors import (
    BudgetError,
    CancelledError,
    Refusal,
    RefusedError,
    RetentionError,
    StaleError,
)
from package_retention.execute.freshness import FactsRefresher
from package_retention.execute.step_queue import StepQueue
from package_retention.execute.steps import Done, StopReason
from package_retention.model import Outcome, Plan, Result, Step
from package_retention.ports import EventListener
from package_retention.reason import IN_DOUBT, Reason, ReasonCode
from package_retention.transport.limits import CHANGES

# How often a walk that waits checks whether the run was cancelled, in seconds.
_POLL_SECONDS = 0.1
# Looks at a package, one after the other, that were each too old by the time they were taken.
_MOST_LOOKS = 3
# Tries of a deletion that takes a look before each, as the client tries any other change.
_MOST_TRIES = 8


class ExecutionContext(Struct, frozen=True):
    """What a walk works with: `perform` does one step, `ensure_room` raises if so many changes do not fit."""

    perform: Callable[[Step, float | None], Done]
    pool: Executor
    journal: EventListener
    stop_reason: StopReason
    ensure_room: Callable[[int], None]
    width: int = CHANGES
    patience: float = 2.5


def walk(plan: Plan, refresher: FactsRefresher, execution: ExecutionContext) -> tuple[Outcome, ...]:
    """Carry out a plan; every step has an outcome at the end, in the plan's order.

    Raise the error of a further look at the package that failed: by then every outcome is in the journal.
    """
    walker = _Walker(StepQueue(plan.steps), refresher, execution)
    walker.run()
    if walker.failure:
        raise walker.failure
    return tuple(walker.queue.outcomes[place] for place in range(len(plan.steps)))


class _Walker:
    def __init__(self, queue: StepQueue, refresher: FactsRefresher, execution: ExecutionContext) -> None:
        self.queue = queue
        self.refresher = refresher
        self.execution = execution
        self.running: dict[Future[Done], int] = {}
        # The first change goes alone: what refuses it (a missing role, a locked package) refuses the others too:
        # one refusal to read instead of 32, and of its hour's requests one instead of 32. After it the others go together.
        self.width = 1
        self.ended: RetentionError | None = None
        self.untried: Reason | None = None
        self.failure: RetentionError | None = None
        self.closing = False
        self.unsent: StaleError | None = None
        self.looks = 0

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
            self._emit(self.queue.settle_vanished(self.refresher.listed()))
        if not (self.queue.pending and (self.unsent or self.refresher.expired())):
            return
        while self.running:
            self._collect(None)
        if self.queue.pending and not self.ended:
            self._count_look()
            self._emit(self.queue.skip(self.refresher.refresh(self.queue.done)))

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
            if place is None:
                return
            if not self._has_room(place):
                return
            step = self.queue.start(place)
            self.running[
                self.execution.pool.submit(self.execution.perform, step, self.refresher.not_after())
            ] = place

    def _has_room(self, place: int) -> bool:
        """Return whether the budget holds the whole image; one that was begun is finished in any case."""
        if self.closing or self.queue.is_begun(place):
            return True  # room was made for it before its image was begun
        try:
            self.execution.ensure_room(self.queue.cost(place))
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
            met = f"{step.package.label}: unexpected {type(error).__name__}: {error}"
            outcome = Outcome(step, Result.FAILED, met)
            self._emit(self.queue.end(place, outcome))
            self.ended = RetentionError(met)
        else:
            self.looks = 0
            self._emit(self.queue.end(place, done.outcome))
            self._handle_refusal(done.refusal)
            if done.ended:
                self._stop(done.ended)

    def _handle_refusal(self, refusal: Refusal | None) -> None:
        """Stop for a refusal that the other changes would meet too; after the first change many go at once."""
        self.width = self.execution.width
        if refusal and refusal.meets_every_change:
            self.untried = Reason(ReasonCode.SAME_REFUSAL, subject=refusal.kind)
            self.ended = RetentionError(refusal.message, refusal.hint)
            if refusal.ends_run:
                self.execution.stop_reason.set(RetentionError(refusal.message, refusal.hint))

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
            finished, _ = wait(self.running, timeout=self.execution.patience)
            for future in finished:
                self._read(future, self.running.pop(future))
        while self.running and not cancelled:
            self._collect(None)
        for place in self.running.values():
            outcome = Outcome(self.queue.steps[place], Result.NOT_REACHED, in_doubt=True, reason=IN_DOUBT)
            self._emit(self.queue.end(place, outcome))
        cause = self.ended or self.execution.stop_reason.cause
        reason = self.untried if cause else Reason(ReasonCode.NOT_REACHED)
        clean = cause is None or isinstance(cause, BudgetError | CancelledError)
        hint = "" if clean or not cause else cause.hint
        self._emit(self.queue.abandon(cause.said if cause else "", hint, reason))

    def _emit(self, outcomes: list[Outcome]) -> None:
        for outcome in outcomes:
            self.execution.journal.finished(outcome)
