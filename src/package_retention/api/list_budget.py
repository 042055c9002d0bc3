"""Whether the hour's budget holds the lists of a run, told from their first pages (facts A6, C).

A list that ends in the middle decides nothing. So where the pages that all lists of a run still need are more than the
hour holds, the run would spend the hour, end cleanly, and do the same an hour later: it is refused instead.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from package_retention.errors import BudgetError, HourError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from package_retention.api.budgets import HourState
    from package_retention.api.rate_limit import RateLimiter

# What a personal access token has, and a `GITHUB_TOKEN` has not (facts C).
_OF_A_USER = 5_000


class ListBudget:
    """Adds up the pages that lists of one run still need; safe in threads."""

    def __init__(self, limiter: RateLimiter) -> None:
        self._limiter = limiter
        self._lock = threading.Lock()
        self._needed = 0

    def expect(self, pages: int, action: str) -> None:
        """Count pages that are to be fetched; `action` is what for, as a message says it after "cannot".

        Raises:
            BudgetError: the hour does not hold them, and the run has changed something: the next one goes on from there.
            HourError: the hour does not hold them, and nothing was changed.
        """
        if not pages:
            return
        with self._lock:
            needed = self._needed + pages
            hour = self._limiter.hour()
            # Who waits for the next hour may still read no list that a whole hour does not hold.
            if needed > hour.room or pages > hour.whole:
                raise _too_many(action, pages, self._needed, hour)
            self._needed = needed

    def release(self, pages: int) -> None:
        """Count pages out that were fetched, or that nobody fetches any more."""
        with self._lock:
            self._needed -= pages

    @contextmanager
    def fetching(self, pages: int) -> Iterator[Callable[[], None]]:
        """Fetch pages that were expected: call what this yields once for each; those that never came are released."""
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
        return BudgetError(message, "budget", "what remains is left to the next run")
    return HourError(message, _hint(pages + others, hour))


def _hint(needed: int, hour: HourState) -> str:
    ways = []
    if needed <= hour.whole and hour.returns:
        ways.append(f"run again after {hour.returns:%H:%M} UTC, or give `time-limit` to have the run wait")
    if hour.limit < _OF_A_USER:
        ways.append(f"use a personal access token (classic), which has {_OF_A_USER:,} requests an hour")
    return "; or ".join([*ways, "name fewer packages in one step"])
