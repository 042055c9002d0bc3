"""Time as a test wants it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

from package_retention.errors import CancelledError

START = datetime(2026, 11, 1, 12, 0, 0, tzinfo=UTC)


class FakeClock:
    """A clock that goes only when somebody sleeps; safe in threads. `slept` holds every wait of more than 0 s."""

    def __init__(self, start: datetime = START) -> None:
        self._start = start
        self._guard = threading.Lock()
        self._seconds = 0.0
        self._cancelled: int | None = None
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        with self._guard:
            return self._seconds

    def sleep(self, seconds: float) -> None:
        with self._guard:
            if self._cancelled is not None:
                raise CancelledError(self._cancelled)
            self._seconds += seconds
            if seconds > 0:
                self.slept.append(seconds)

    def advance(self, seconds: float) -> None:
        with self._guard:
            self._seconds += seconds

    def cancel(self, status: int = 143) -> None:
        with self._guard:
            self._cancelled = status
