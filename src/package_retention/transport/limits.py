"""How much of one run is under way at once, and until when.

GitHub allows 100 requests at once for one token, REST and GraphQL together (facts C); what its container registry
allows is not documented, so its requests count too. Each client keeps to its own share, with any number of threads, and
the rest is left to other jobs with the same token.
"""

from __future__ import annotations

import math
import threading
from collections import deque

from package_retention.cancel import is_shielded
from package_retention.ports import Clock

API_REQUESTS = 48
REGISTRY_REQUESTS = 48
PACKAGES = 32
CHANGES = 32
PAGES = 32
"""Pages of lists, over all packages; the first page of each list is fetched by its package's own thread."""

RAISE_LIMIT = "the next run does what is left; a higher `time-limit` does more in one run"
"""The hint of a run that ends early."""

# Seconds past the time limit for which the response to a request that began in time may still be read.
_GRACE = 10.0


class TimeLimit:
    """The time limit of a run: no request and no wait starts after `deadline`, a reading of the monotonic clock.

    Args:
        clock: time.
        seconds: from now; `None` for no limit.
    """

    def __init__(self, clock: Clock, seconds: float | None = None) -> None:
        self.deadline = math.inf if seconds is None else clock.monotonic() + seconds

    @property
    def last_response(self) -> float:
        """The reading until which this thread may read a response; infinite for what must not be left half done."""
        return math.inf if is_shielded() else self.deadline + _GRACE


class FifoLock:
    """A lock that threads get in the order in which they asked for it; `threading.Lock` promises no order.

    The holder hands the lock over to the thread that has waited longest, so no thread overtakes another.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        # The first is the holder's; each other is locked, until its thread is the first.
        self._queue: deque[threading.Lock] = deque()

    def __enter__(self) -> None:
        """Wait for the lock."""
        mine = threading.Lock()
        with self._guard:
            if self._queue:
                mine.acquire()
            self._queue.append(mine)
        try:
            mine.acquire()
        except BaseException:
            # A signal handler raised while this thread waited; it may have got the lock just then.
            self._leave(mine)
            raise

    def __exit__(self, *_error: object) -> None:
        """Hand the lock over."""
        self._leave(self._queue[0])

    def _leave(self, mine: threading.Lock) -> None:
        with self._guard:
            was_first = self._queue[0] is mine
            self._queue.remove(mine)
            if was_first and self._queue:
                self._queue[0].release()
