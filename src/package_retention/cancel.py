"""Turn SIGINT and SIGTERM into a value that everything which waits checks, and make the clock that waits.

The runner sends SIGINT on a cancel, SIGTERM seconds later, then kills; as process 1 of a container both would do
nothing without a handler. A handler may interrupt its own thread inside a lock, so it only notes the signal and puts
it into a `SimpleQueue` (made to be used there); a thread of its own sets the event that the others wait for.

Inside `shielded`, neither a cancel nor the time limit stops a thread. Only the move of a tag needs it: the tag is moved to a
placeholder, which is then deleted. A run that ended between the two would leave the tag on the placeholder, and whoever
pulls it gets nothing. The clients check `is_shielded` before they give up.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from queue import SimpleQueue
from threading import TIMEOUT_MAX, Event, Thread
from typing import Any

from package_retention.errors import CancelledError

SIGNALS = (signal.SIGINT, signal.SIGTERM)
_STATUS_BASE = 128
_SHIELDED: ContextVar[bool] = ContextVar("shielded", default=False)


class Cancel:
    """Whether the run was cancelled, and by which signal; the first one counts.

    `status` is the exit status that says so; 0 while no signal has come.
    """

    def __init__(self) -> None:
        self.status = 0
        self._event = Event()
        self._signals: SimpleQueue[int] = SimpleQueue()

    @contextmanager
    def installed(self, install: Callable[[int, Any], Any] = signal.signal) -> Iterator[Cancel]:
        """Handle both signals, and restore the earlier handlers afterwards. Main thread only."""
        watcher = Thread(target=self._forward_signals, name="cancel", daemon=True)
        watcher.start()
        before = [(number, install(number, self.handle)) for number in SIGNALS]
        try:
            yield self
        finally:
            for number, handler in before:
                install(number, handler if handler is not None else signal.SIG_DFL)
            self._signals.put(0)
            watcher.join()

    def handle(self, number: int, _frame: object = None) -> None:
        """Note a signal; safe inside a signal handler."""
        self.status = self.status or _STATUS_BASE + number
        self._signals.put(number)

    def check(self) -> None:
        """Raise `CancelledError` if a signal came."""
        if self.status:
            raise CancelledError(self.status)

    def wait(self, seconds: float) -> bool:
        """Wait for a signal, at most so many seconds, and return whether one came."""
        return self.status != 0 or self._event.wait(max(0.0, min(seconds, TIMEOUT_MAX)))

    def _forward_signals(self) -> None:
        while self._signals.get():
            self._event.set()


class RealClock:
    """The real time; a wait ends with `CancelledError` when a signal comes."""

    def __init__(self, cancel: Cancel) -> None:
        self._cancel = cancel

    def now(self) -> datetime:
        """Return the time of day, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return the reading of a monotonic clock, in seconds."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait; raise `CancelledError` if a signal comes, or came before, unless the thread is shielded."""
        if is_shielded():
            time.sleep(seconds)
            return
        if self._cancel.wait(seconds):
            self._cancel.check()


@contextmanager
def shielded() -> Iterator[None]:
    """Go on in spite of a cancel and the time limit; for a few requests alone."""
    before = _SHIELDED.set(True)
    try:
        yield
    finally:
        _SHIELDED.reset(before)


def is_shielded() -> bool:
    """Return whether this thread must complete what it has begun."""
    return _SHIELDED.get()
