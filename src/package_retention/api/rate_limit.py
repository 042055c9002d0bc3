"""Decide when a request may be sent: one rate limiter for all workers of a run (facts C).

GitHub counts by token: workers that limited themselves would each keep the limit and together break it, and an
integration that goes on sending after a secondary limit may be banned. So a wait that one response asks for stops all.

The limiter keeps to a sliding minute of points, the hour's primary budget, a bounded number of requests in flight, the
pauses that GitHub asks for, and the time limit. Requests are sent in the order in which they came; only the first in the
queue waits for time, the others wait for it.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from package_retention.api.budgets import HourBudget, HourState, MinuteBudget, Permit, RateLimiterState
from package_retention.cancel import is_shielded
from package_retention.errors import BudgetError, StaleError
from package_retention.ports import Clock
from package_retention.transport.limits import API_REQUESTS, RAISE_LIMIT, FifoLock, TimeLimit
from package_retention.transport.retry import RetryCause, Wait

READ_POINTS, CHANGE_POINTS = 1, 5
_FEWEST_IN_FLIGHT = 4
_GIVE_LIMIT = "the next run does what is left; give `time-limit` to have the run wait for the next hour"
# A hosted runner is paid by the minute: only a run with `time-limit` waits longer for the next hour.
LONGEST_BUDGET_WAIT = 600.0


class _Due(Struct, frozen=True):
    """A wait that is due: seconds, why, and the `cause` of the error that a wait past the time limit becomes."""

    seconds: float
    why: str
    cause: str = "time"


_GO = _Due(0.0, "")


class RateLimiter:
    """Lets the requests of every worker of a run go when they may; safe in threads.

    Args:
        clock: time and sleep; its `sleep` raises `CancelledError` once the run is cancelled, `sleep(0)` too.
        points_per_minute: the budget of a sliding minute (a read is 1 point, a change 5); `None` for no limit.
        max_in_flight: how many requests may be under way at once.
        time_limit: after which nothing may start; `None` for no limit.
        longest_budget_wait: seconds beyond which the run ends rather than wait for the hour's budget.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        points_per_minute: int | None = 800,
        max_in_flight: int = API_REQUESTS,
        time_limit: TimeLimit | None = None,
        longest_budget_wait: float = math.inf,
    ) -> None:
        self._clock = clock
        self._fifo = FifoLock()
        self._changed = threading.Condition()
        self._minute = MinuteBudget(points_per_minute)
        self._hour = HourBudget()
        self._most = self._widest = max_in_flight
        self._time_limit = time_limit or TimeLimit(clock)
        self._longest_budget_wait = longest_budget_wait
        self._in_flight = 0
        self._requests = 0
        self._points = 0
        self._changes = False
        self._waited = 0.0
        self._typical = 0.0
        self._slowed_at = 0
        self._slowed_points = 0
        self._may_slow = True
        self._pause = (0.0, _GO)
        self._waiting = (0.0, "")

    def enter(self, points: int, *, not_after: float | None = None) -> Permit:
        """Wait until a request may be sent.

        The order is that of the calls.

        Inside `shielded` it is sent at once, past the queue and the budgets, in spite of a cancel or the time limit: only a
        pause that GitHub asked for is waited out.

        Args:
            points: 1 for a read, 5 for a change.
            not_after: a reading of `Clock.monotonic` after which the request is not sent.

        Raises:
            StaleError: it could not be sent by `not_after`.
            BudgetError: it, or the wait for it, would pass the time limit.
            CancelledError: the run is cancelled.
        """
        if is_shielded():
            return self._enter_shielded(points)
        with self._fifo:
            while True:
                self._clock.sleep(0)
                with self._changed:
                    due = self._due(points)
                    if due is None:
                        self._changed.wait()
                        continue
                    self._allow(due, not_after)
                    if due is _GO:
                        return self._depart(points)
                self._sleep(due.seconds, due.why)

    def leave(
        self,
        permit: Permit,
        headers: Mapping[str, str] | None,
        date: datetime | None = None,
        wait: Wait | None = None,
    ) -> None:
        """Record that a request has ended.

        Args:
            permit: what `enter` returned.
            headers: of the response; `None` if there was none.
            date: the response's `Date`.
            wait: before another try of the request; one for all stops every other request, too.
        """
        now = self._clock.monotonic()
        with self._changed:
            if wait is not None and wait.scope == "all":
                self._stop_all(permit, wait, now)
            self._in_flight -= 1
            self._minute.end(permit.points, now)
            self._typical += (now - permit.departed - self._typical) / 8
            if headers is None:
                self._hour.lost()
            else:
                self._hour.record(headers, now, date or self._clock.now())
                refused = wait is not None and wait.cause.is_limit
                self._may_slow |= not refused and self._is_news(permit)
            if not self._minute.lowered:
                self._most = self._widest
            self._changed.notify()

    def _stop_all(self, permit: Permit, wait: Wait, now: float) -> None:
        """Stop all requests for as long as GitHub asks; a secondary limit also lowers the pace, once.

        Requests that were under way when the pace was
        lowered do not lower it again, and nothing does until a request that costs as much has succeeded: several
        refusals in a row are the same limit, which was tried before its end.
        """
        until = now + wait.seconds
        if until > self._pause[0]:
            cause = "budget" if wait.cause is RetryCause.PRIMARY else "time"
            self._pause = (until, _Due(wait.seconds, wait.why, cause))
        if wait.cause is not RetryCause.SECONDARY:
            return
        if self._may_slow:
            self._slowed_at, self._slowed_points = self._requests, permit.points
            self._may_slow = False
            self._minute.slow_down(now)
            self._most = max(self._most * 2 // 3, min(self._most, _FEWEST_IN_FLIGHT))
        self._minute.hold(until)

    def _is_news(self, permit: Permit) -> bool:
        """Return whether a request left after the pace was lowered, and costs what the refused one did."""
        return permit.number > self._slowed_at and permit.points >= self._slowed_points

    def wait(self, seconds: float, why: str, *, not_after: float | None = None) -> None:
        """Wait before another try of a request, within the time limit; raise as `enter` does."""
        if not is_shielded():
            with self._changed:
                self._allow(_Due(seconds, why), not_after)
        self._sleep(seconds, why)

    def state(self) -> RateLimiterState:
        """Return what the limiter waits for, and what was spent so far."""
        now = self._clock.monotonic()
        with self._changed:
            until, why = self._waiting
            return RateLimiterState(
                waiting=max(until - now, 0.0),
                why=why if until > now else "",
                requests=self._requests,
                points=self._points,
                waited=self._waited,
                in_flight=self._in_flight,
                points_per_minute=self._minute.pace,
            )

    def _due(self, points: int) -> _Due | None:
        now = self._clock.monotonic()
        until, pause = self._pause
        if until > now:
            return _Due(until - now, pause.why, pause.cause)
        hour = self._hour.due(self._in_flight, now)
        if hour is None or self._in_flight >= self._most:
            return None
        if hour > 0:
            return _Due(
                hour, "this hour's requests are spent, but for the tenth that is left to others", "budget"
            )
        minute = self._minute.due(points, now)
        if minute is None:
            return None
        return _Due(minute, "this minute's points are spent") if minute > 0 else _GO

    def ensure_room(self, changes: int) -> None:
        """Raise `BudgetError` if the hour's budget or the time limit does not suffice for so many more changes."""
        now = self._clock.monotonic()
        with self._changed:
            left = self._time_limit.deadline - now
            if self._room(now) < changes:
                too_few = (
                    "too few for the next change and those under way beside the tenth that is left to others"
                )
                raise self._spent(0.0, too_few)
            if self._seconds_for(changes, now) > left:
                message = f"the time limit ends the run here: the next {changes} changes would pass it"
                raise BudgetError(message, "time", RAISE_LIMIT)

    def hour(self) -> HourState:
        """Return what is left of the hour's budget."""
        now = self._clock.monotonic()
        with self._changed:
            hour = self._hour
            whole = hour.limit - hour.reserve if hour.limit else math.inf
            return HourState(hour.limit or 0, self._room(now), whole, hour.returns, self._changes)

    def _room(self, now: float) -> float:
        patience = min(self._time_limit.deadline - now, self._longest_budget_wait)
        return self._hour.room(self._in_flight, now, patience)

    def _seconds_for(self, changes: int, now: float) -> float:
        """Return how long so many changes take at most, by the pace and by the number in flight."""
        paced = self._minute.seconds_for(changes * CHANGE_POINTS, now)
        return max(paced, -(-changes // self._most) * self._typical)

    def _allow(self, due: _Due, not_after: float | None) -> None:
        starts = self._clock.monotonic() + due.seconds
        # A request that would end after the limit exceeds it too: `_typical` is the duration of one.
        too_long = due.cause == "budget" and due.seconds > self._longest_budget_wait
        if too_long or starts + self._typical >= self._time_limit.deadline:
            raise self._over(due)
        if not_after is not None and starts > not_after:
            raise StaleError(
                "not sent: the facts it rests on would be too old by then",
                "the rate limit made it wait too long; the next run does what is left",
            )

    def _over(self, due: _Due) -> BudgetError:
        if due.cause == "budget":
            return self._spent(due.seconds, "and the last tenth is left to others")
        wait = f": {due.why}, and the next request would wait {due.seconds:.0f} s" if due.seconds else ""
        return BudgetError(f"the time limit ends the run here{wait}", "time", RAISE_LIMIT)

    def _spent(self, seconds: float, why: str) -> BudgetError:
        """Return the error of an hour that is spent; it is fruitless if this run spent all of it and changed nothing."""
        hour = self._hour
        left = f"{max(hour.remaining, 0)} of {hour.limit} requests" if hour.limit else "none"
        when = f"at {hour.returns:%H:%M} UTC" if hour.returns else f"in {seconds / 60:.0f} min"
        message = (
            f"GitHub's hourly rate limit allows no more: {left} are left, {why}; the limit resets {when}"
        )
        hint = RAISE_LIMIT if math.isinf(self._longest_budget_wait) else _GIVE_LIMIT
        usable = (hour.limit or 0) - hour.reserve
        fruitless = bool(hour.limit) and not self._changes and self._requests >= usable
        return BudgetError(message, "budget", hint, fruitless=fruitless)

    def _enter_shielded(self, points: int) -> Permit:
        if (pause := self._pause[0] - self._clock.monotonic()) > 0:
            self._sleep(pause, self._pause[1].why)
        with self._changed:
            return self._depart(points)

    def _depart(self, points: int) -> Permit:
        self._in_flight += 1
        self._requests += 1
        self._points += points
        self._changes |= points >= CHANGE_POINTS
        self._minute.begin(points)
        return Permit(self._requests, points, self._clock.monotonic())

    def _sleep(self, seconds: float, why: str) -> None:
        began = self._clock.monotonic()
        with self._changed:
            self._waiting = (began + seconds, why)
        try:
            self._clock.sleep(seconds)
        finally:
            with self._changed:
                self._waited += self._clock.monotonic() - began
