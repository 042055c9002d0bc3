"""Keep the two budgets of GitHub's REST API: points a minute, requests an hour (facts C); and that of a run's lists.

The first two know neither clock nor lock: `now` is a reading of a monotonic clock, in seconds, and `RateLimiter` calls
them under its own lock. `due` returns 0 (send now), the seconds to wait, or `None`: only the response to a request under
way can decide.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from msgspec import Struct

from package_retention.errors import BudgetError, HourError
from package_retention.transport.retry import whole_number

# GitHub counts when a request arrives, which is at the latest when its response does. So its points are held for a minute
# after the response, and a second more for clocks that count whole seconds.
WINDOW = 61.0
_FLOOR = 120
_RAISE_EVERY = 60.0
# Responses of the same hour may name resets that are some seconds apart.
_SAME_RESET = 30


class MinuteBudget:
    """A sliding minute of points; `pace` is `None` for no limit, until GitHub refuses.

    A refusal lowers the pace; each minute without one raises it by a tenth, up to the first one.

    A lowered pace holds for what goes out after the refusal: GitHub says itself, by `Retry-After`, when what went out
    before is forgiven. Were it counted again by a pace that is lower each time, every refusal past the pace would cost a
    whole minute beside its own wait. No minute as a whole holds more than the pace that the run began with.
    """

    def __init__(self, pace: int | None) -> None:
        self.pace = pace
        self._most = math.inf if pace is None else pace
        self._raised_at = 0.0
        self._open = 0
        self._closed: deque[tuple[float, int]] = deque()
        self._used = 0
        self._used_before = 0

    @property
    def lowered(self) -> bool:
        """Whether a refusal lowered the pace, and time has not raised it again."""
        return self.pace is not None and self.pace < self._most

    def due(self, points: int, now: float) -> float | None:
        """Return the seconds until a request of so many points may be sent."""
        self._forget(now)
        if self.pace is None or self._used == 0:
            return 0.0
        since = self._used - self._used_before
        excess = self._used + points - (self.pace if since + points > self.pace else self._most)
        if excess <= 0:
            return 0.0
        for leaves, freed in self._closed:
            excess -= freed
            if excess <= 0:
                return leaves - now
        # Even an empty minute has no room for it beside those under way, or at all: then it is sent alone.
        return None if self._open else self._closed[-1][0] - now

    def seconds_for(self, points: int, now: float) -> float:
        """Return how many seconds so many more points take at most."""
        self._forget(now)
        if self.pace is None:
            return 0.0
        minutes = max(
            (self._used - self._used_before + points) / self.pace, (self._used + points) / self._most
        )
        return max(0, math.ceil(minutes) - 1) * WINDOW

    def begin(self, points: int) -> None:
        """Count a request that is sent now."""
        self._open += points
        self._used += points

    def end(self, points: int, now: float) -> None:
        """Count a request that has ended, with a response or without."""
        self._open -= points
        self._closed.append((now + WINDOW, points))
        self._forget(now)

    def slow_down(self, now: float) -> None:
        """Lower the pace to four fifths; without a pace, to four fifths of what was just too much."""
        self._forget(now)
        pace = self.pace if self.pace is not None else max(self._used, _FLOOR)
        self.pace = max(pace * 4 // 5, min(pace, _FLOOR))
        self._used_before = self._used
        self.hold(now)

    def hold(self, until: float) -> None:
        """Count the minutes without a refusal from then on: waiting for a limit to end proves nothing."""
        self._raised_at = max(self._raised_at, until)

    def _forget(self, now: float) -> None:
        while self._closed and self._closed[0][0] <= now:
            freed = self._closed.popleft()[1]
            self._used -= freed
            self._used_before = max(0, self._used_before - freed)
        while self.pace is not None and self.pace < self._most and self._raised_at + _RAISE_EVERY <= now:
            self.pace = int(min(self._most, math.ceil(self.pace * 1.1)))
            self._raised_at += _RAISE_EVERY


class HourBudget:
    """The primary limit by the headers of responses; its last tenth is left to others.

    A `GITHUB_TOKEN`'s 1,000 requests an hour belong to every workflow of its repository. Until the first response
    has shown the budget, requests go one at a time.
    """

    def __init__(self) -> None:
        self.limit: int | None = None
        self.remaining = 0
        self.returns: datetime | None = None
        self._recorded = False
        self._lost = 0
        self._reset = 0.0
        self._resets_at = 0.0

    @property
    def reserve(self) -> int:
        """The number of requests that are left to others."""
        return -(-(self.limit or 0) // 10)

    def due(self, in_flight: int, now: float) -> float | None:
        """Return the seconds until one more request may be sent, beside those in flight (which GitHub may not have counted yet)."""
        if self.limit is not None and now >= self._resets_at:
            self.limit, self._recorded, self._lost = None, False, 0
        if not self._recorded:
            return None if in_flight else 0.0
        free = self.remaining - self._lost - self.reserve
        if self.limit is None or free > in_flight:
            return 0.0
        return None if free > 0 and in_flight else self._resets_at - now

    def room(self, in_flight: int, now: float, patience: float) -> float:
        """Return how many requests may still be sent; infinite if GitHub counts none, or if the run waits for the next hour.

        `patience`: the seconds from `now` that the run waits at most.
        """
        returns = self._resets_at - now
        if self.limit is None or returns <= 0 or returns < patience:
            return math.inf
        return self.remaining - self._lost - in_flight - self.reserve

    def record(self, headers: Mapping[str, str], now: float, date: datetime) -> None:
        """Record the headers of a response; `date` is the server's time of day at `now`."""
        self._recorded = True
        remaining, reset = (
            whole_number(headers.get(f"x-ratelimit-{name}")) for name in ("remaining", "reset")
        )
        if remaining is None or reset is None:
            return  # GHES sends none while its limits are off (facts C)
        try:
            returns = date.fromtimestamp(reset, date.tzinfo)
        except (ValueError, OverflowError, OSError):
            return
        limit = whole_number(headers.get("x-ratelimit-limit"))
        self._learn(remaining if limit is None else limit, remaining, reset)
        self._resets_at = now + max(reset - date.timestamp(), 0.0) + 1.0
        self.returns = returns

    def lost(self) -> None:
        """Count a request without a response: GitHub may have counted it.

        A later response may include it, which is not visible, so it counts for the rest of the hour.
        """
        self._lost += 1

    def _learn(self, limit: int, remaining: int, reset: float) -> None:
        same = self.limit is not None and abs(reset - self._reset) <= _SAME_RESET
        # Responses overtake one another: within an hour the budget only shrinks.
        self.remaining = min(self.remaining, remaining) if same else remaining
        self.limit, self._reset = limit, reset


class Permit(Struct, frozen=True):
    """The permit to send a request: its number in the order of sending, its points, and when it was issued."""

    number: int
    points: int
    departed: float


class RateLimiterState(Struct, frozen=True):
    """The state of the rate limiter: it waits for `waiting` seconds, `why` (empty if it does not), and what was spent."""

    waiting: float
    why: str
    requests: int
    points: int
    waited: float
    in_flight: int
    points_per_minute: int | None


class HourState(Struct, frozen=True):
    """The hour's budget: its `limit`, the `room` left of it now, and the room of a `whole` hour, both without the last tenth.

    `room` is infinite for a run that waits for the next hour, and both are if requests are not counted (`limit` is 0
    then). `changes`: whether this run has sent a change.
    """

    limit: int
    room: float
    whole: float
    returns: datetime | None
    changes: bool


# What a personal access token has, and a `GITHUB_TOKEN` has not (facts C).
_OF_A_USER = 5_000


class ListBudget:
    """Counts the pages that the lists of a run still need; safe in threads.

    Part of a list decides nothing. If all lists together need more pages than the hour has requests, the run would spend the
    hour, end, and do the same an hour later: it is refused instead.
    """

    def __init__(self, hour: Callable[[], HourState]) -> None:
        self._hour = hour
        self._lock = threading.Lock()
        self._needed = 0

    def expect(self, pages: int, action: str) -> None:
        """Count pages that are to be fetched; `action`: what for, as messages say it after "cannot".

        Raises:
            BudgetError: the hour does not hold them, and the run has changed something: the next one goes on from there.
            HourError: the hour does not hold them, and nothing was changed.
        """
        if not pages:
            return
        with self._lock:
            needed = self._needed + pages
            hour = self._hour()
            # Who waits for the next hour may still read no list that a whole hour does not hold.
            if needed > hour.room or pages > hour.whole:
                raise _too_many(action, pages, self._needed, hour)
            self._needed = needed

    def release(self, pages: int) -> None:
        """Release pages that were fetched, or that are no longer needed."""
        with self._lock:
            self._needed -= pages

    @contextmanager
    def fetching(self, pages: int) -> Iterator[Callable[[], None]]:
        """Release expected pages: call what this yields once for each page fetched; the rest are released at the end."""
        left = pages

        def fetched() -> None:
            nonlocal left
            if left:
                left -= 1
                self.release(1)

        try:
            yield fetched
        finally:
            self.release(left)


def _too_many(action: str, pages: int, others: int, hour: HourState) -> BudgetError | HourError:
    beside = f", other lists of this run {others:,}" if others else ""
    message = (
        f"cannot {action}: its list takes {pages:,} more requests{beside}, and the rest of GitHub's hourly budget holds "
        f"{max(min(hour.room, hour.whole), 0):,.0f} beside the tenth that is left to others"
    )
    if hour.changes:
        return BudgetError(message, "budget", "the next run does what is left")
    return HourError(message, _hint(pages + others, hour))


def _hint(needed: int, hour: HourState) -> str:
    ways = []
    if needed <= hour.whole and hour.returns:
        ways.append(f"run again after {hour.returns:%H:%M} UTC, or give `time-limit` to have the run wait")
    if hour.limit < _OF_A_USER:
        ways.append(f"use a personal access token (classic), which has {_OF_A_USER:,} requests an hour")
    return "; or ".join([*ways, "name fewer packages in one step"])
