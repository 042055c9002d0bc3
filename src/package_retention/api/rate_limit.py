"""When a request may go: one pacer that everybody waits at (facts C).

It holds a sliding minute of points, the hour's primary budget, a bounded number of requests in flight, the pauses
that GitHub asks for, and the time limit. Whoever comes first goes first; only the first in the queue waits for time,
the others wait for it.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from package_retention.api.budgets import HourBudget, MinuteBudget
from package_retention.errors import BudgetError, CancelledError, StaleError
from package_retention.shield import is_shielded
from package_retention.transport.retry import RetryCause

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from types import TracebackType

    from package_retention.ports import Clock
    from package_retention.transport.retry import Wait


class FifoLock:
    """One holder at a time, in the order of asking: `threading.Lock` promises no order.

    The holder hands the lock over to the one who has waited longest, so nobody can overtake or be forgotten.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._taken = False

    def __enter__(self) -> None:
        """Wait for one's turn."""
        with self._guard:
            if not self._taken:
                self._taken = True
                return
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
        try:
            mine.acquire()
        except BaseException:
            self._give_up(mine)
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Hand the turn over."""
        with self._guard:
            self._hand_over()

    def _hand_over(self) -> None:
        if self._waiting:
            self._waiting.popleft().release()
        else:
            self._taken = False

    def _give_up(self, mine: threading.Lock) -> None:
        # A signal handler raised while this one waited; the turn may have been handed to it just then.
        with self._guard:
            if mine in self._waiting:
                self._waiting.remove(mine)
            else:
                self._hand_over()


READ_POINTS, CHANGE_POINTS = 1, 5
# GitHub allows 100 at once for one token, and a token may be at work elsewhere too.
MAX_IN_FLIGHT = 48
_FEWEST_IN_FLIGHT = 4
_RAISE_LIMIT = "what remains is left to the next run; or raise `time-limit`"


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to send one request: its number in the order of departure, its points, and when it was given."""

    number: int
    points: int
    departed: float


@dataclass(frozen=True, slots=True)
class RateLimiterState:
    """What the pacer is doing: `waiting` seconds from now, `why` (empty: nothing waits), and what was spent."""

    waiting: float
    why: str
    requests: int
    points: int
    waited: float
    in_flight: int
    points_per_minute: int | None


@dataclass(frozen=True, slots=True)
class _Due:
    """A wait that is due: seconds, why, and the `cause` of the error that a wait past the time limit becomes."""

    seconds: float
    why: str
    cause: str = "time"


_GO = _Due(0.0, "")


class RateLimiter:
    """Shared by every worker of a run; safe in threads.

    Args:
        clock: time and sleep; its `sleep` raises `CancelledError` once the run is cancelled, `sleep(0)` too.
        points_per_minute: the budget of a sliding minute (a read is 1 point, a change 5); `None` for no pacing.
        max_in_flight: how many requests may be under way at once.
        time_limit: seconds from now after which nothing may start; `None` for no limit.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        points_per_minute: int | None = 720,
        max_in_flight: int = MAX_IN_FLIGHT,
        time_limit: float | None = None,
    ) -> None:
        self._clock = clock
        self._turns = FifoLock()
        self._changed = threading.Condition()
        self._minute = MinuteBudget(points_per_minute)
        self._hour = HourBudget()
        self._most = max_in_flight
        self._deadline = None if time_limit is None else clock.monotonic() + time_limit
        self._in_flight = 0
        self._requests = 0
        self._points = 0
        self._waited = 0.0
        self._typical = 0.0
        self._slowed_at = 0
        self._pause = (0.0, _GO)
        self._waiting = (0.0, "")
        self._cancelled: int | None = None

    def enter(self, points: int, *, not_after: float | None = None) -> Permit:
        """Wait for one's turn, then for the budgets.

        Inside `finishing` a request goes at once, past the queue and the budgets, in spite of a cancel or the time
        limit: only a pause that GitHub asked for is waited out.

        Args:
            points: 1 for a read, 5 for a change.
            not_after: a reading of `Clock.monotonic`; a request that cannot go by then does not go.

        Raises:
            StaleError: it could not be sent by `not_after`.
            BudgetError: it, or the wait for it, would pass the time limit.
            CancelledError: the run is cancelled.
        """
        if is_shielded():
            return self._finish(points)
        with self._turns:
            while True:
                self._clock.sleep(0)
                with self._changed:
                    self._go_on()
                    due = self._due(points)
                    if due is None:
                        self._changed.wait()
                        continue
                    self._allow(due, not_after)
                    if due is _GO:
                        return self._depart(points)
                self._sleep(due.seconds, due.why)

    def leave(self, given: Permit, headers: Mapping[str, str] | None, date: datetime | None = None) -> None:
        """Tell that a request has ended: with these headers, or (`None`) with no answer; `date` is the server's."""
        now = self._clock.monotonic()
        with self._changed:
            self._in_flight -= 1
            self._minute.end(given.points, now)
            self._typical += (now - given.departed - self._typical) / 8
            if headers is None:
                self._hour.lost()
            else:
                self._hour.heard(headers, now, date or self._clock.now())
            self._changed.notify()

    def limited(self, given: Permit, wait: Wait) -> None:
        """Stop everybody for as long as GitHub asks; a secondary limit also lowers the pace for the rest of the run.

        To be called before `leave`, so that nobody slips out between. What was already under way when the pace was
        lowered does not lower it again.
        """
        until = self._clock.monotonic() + wait.seconds
        with self._changed:
            if until > self._pause[0]:
                cause = "budget" if wait.cause is RetryCause.PRIMARY else "time"
                self._pause = (until, _Due(wait.seconds, wait.why, cause))
            if wait.cause is RetryCause.SECONDARY and given.number > self._slowed_at:
                self._slowed_at = self._requests
                self._minute.slow_down()
                self._most = max(self._most * 2 // 3, min(self._most, _FEWEST_IN_FLIGHT))

    def wait(self, seconds: float, why: str, *, not_after: float | None = None) -> None:
        """Wait before another try of one request, within the time limit; raises as `enter` does."""
        if not is_shielded():
            with self._changed:
                self._go_on()
                self._allow(_Due(seconds, why), not_after)
        self._sleep(seconds, why)

    def cancel(self, status: int = 143) -> None:
        """Let no further request go; those under way are not touched."""
        with self._changed:
            self._cancelled = status
            self._changed.notify()

    def state(self) -> RateLimiterState:
        """Tell what is being waited for, and what was spent so far."""
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

    def _go_on(self) -> None:
        if self._cancelled is not None:
            raise CancelledError(self._cancelled)

    def _due(self, points: int) -> _Due | None:
        now = self._clock.monotonic()
        until, pause = self._pause
        if until > now:
            return _Due(until - now, pause.why, pause.cause)
        hour = self._hour.due(self._in_flight, now)
        if hour is None or self._in_flight >= self._most:
            return None
        if hour > 0:
            return _Due(hour, "the hourly rate budget, but for the tenth left to others", "budget")
        minute = self._minute.due(points, now)
        if minute is None:
            return None
        return _Due(minute, "the points of this minute") if minute > 0 else _GO

    def ensure_room(self, changes: int) -> None:
        """Raise `BudgetError` where the hour's budget or the time limit does not hold so many more changes."""
        now = self._clock.monotonic()
        with self._changed:
            left = None if self._deadline is None else self._deadline - now
            if self._hour.room(self._in_flight, now, left) < changes:
                why = self._spent(
                    _Due(0.0, "", "budget"), "holds nothing further", "for what was begun and others"
                )
                raise BudgetError(why, "budget", _RAISE_LIMIT)
            if left is not None and self._seconds_for(changes, now) > left:
                message = f"the time limit ends the run here: the next {changes} changes would pass it"
                raise BudgetError(message, "time", _RAISE_LIMIT)

    def _seconds_for(self, changes: int, now: float) -> float:
        """How long so many changes take: by the pace at the most, and by what is under way at once."""
        paced = self._minute.seconds_for(changes * CHANGE_POINTS, now)
        return max(paced, -(-changes // self._most) * self._typical)

    def _allow(self, due: _Due, not_after: float | None) -> None:
        starts = self._clock.monotonic() + due.seconds
        # A request that would end beyond the limit passes it too: `_typical` is what one takes.
        if self._deadline is not None and starts + self._typical >= self._deadline:
            raise self._over(due)
        if not_after is not None and starts > not_after:
            raise _expired()

    def _over(self, due: _Due) -> BudgetError:
        if due.cause == "budget":
            return BudgetError(self._spent(due), "budget", _RAISE_LIMIT)
        if due.seconds > 0:
            message = f"the time limit ends the run here: {due.why} would take {due.seconds:.0f} s more"
            return BudgetError(message, "time", _RAISE_LIMIT)
        return BudgetError("the time limit ends the run here", "time", _RAISE_LIMIT)

    def _spent(
        self, due: _Due, what: str = "ends the run here", whom: str = "the last tenth of it to others"
    ) -> str:
        hour = self._hour
        left = (
            f"{max(hour.remaining, 0)} of {hour.limit} requests are left" if hour.limit else "it is used up"
        )
        when = f"{hour.returns:%H:%M} UTC" if hour.returns else f"{due.seconds / 60:.0f} min"
        verb = "at" if hour.returns else "in"
        return f"GitHub's hourly rate budget {what}: {left}, {whom}; it returns {verb} {when}"

    def _finish(self, points: int) -> Permit:
        if (pause := self._pause[0] - self._clock.monotonic()) > 0:
            self._sleep(pause, self._pause[1].why)
        with self._changed:
            return self._depart(points)

    def _depart(self, points: int) -> Permit:
        self._in_flight += 1
        self._requests += 1
        self._points += points
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


def _expired() -> StaleError:
    return StaleError(
        "not sent: the facts it rests on would be too old by then",
        "the rate limit made it wait too long; what remains is left to the next run",
    )
