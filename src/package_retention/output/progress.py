"""Progress on long work: one line every few seconds at most, or a bar on a person's terminal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from threading import RLock
from typing import TYPE_CHECKING

from package_retention.api.rate_limit import CHANGE_POINTS
from package_retention.escaping import counted
from package_retention.model import Outcome, Plan, Result, Step
from package_retention.output.summary.words import lasting
from package_retention.ports import Clock

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as RichProgress

EVERY = 5.0
"""Seconds between two lines, at least; work that is shorter says nothing."""

_LONG_WAIT = 2.0
_LOOK_BACK = 60.0  # seconds over which the rate is taken, as GitHub's limit of points is
_QUICK = 0.5  # seconds in which a run needs no bar


class Progress:
    """A listener that says how far the changes are, and what the run waits for; safe to use from several threads."""

    def __init__(self, emit: Callable[[str], None], clock: Clock) -> None:
        self._emit = emit
        self._clock = clock
        self._lock = RLock()
        self.points_per_minute: int | None = None
        self._total = 0
        self._done = 0
        self._last_line = clock.monotonic()
        self._marks: list[tuple[float, int]] = []
        self._wait: tuple[float, str] | None = None
        self._requests = 0

    def planned(self, plan: Plan) -> None:
        """Count a package's changes in."""
        with self._lock:
            self._total += 0 if plan.over_cap else len(plan.steps)

    def starting(self, _step: Step) -> None:
        """Measure the rate from the first change on."""
        with self._lock:
            if not self._marks:
                self._marks.append((self._clock.monotonic(), self._done))
                self._last_line = self._clock.monotonic()

    def finished(self, outcome: Outcome) -> None:
        """Count a change as done, and print a line if one is due; steps that were not reached are no work."""
        if outcome.result is Result.NOT_REACHED:
            return
        with self._lock:
            self._done += 1
        self._print_if_due()

    def going_on(self, requests: int, seconds: float, why: str) -> None:
        """Take how many requests were made, and the seconds of a wait and its reason; print a line if one is due."""
        with self._lock:
            self._requests = requests
            if seconds >= _LONG_WAIT:
                self._wait = (self._clock.monotonic() + seconds, why)
        self._print_if_due()

    def status(self) -> str:
        """Return how far the changes are, and what the run waits for."""
        with self._lock:
            now = self._clock.monotonic()
            rate = self._rate(now)
            words = [f"{self._done:,} of {counted(self._total, 'change')} done"] if self._marks else []
            if rate > 0:
                words.append(f"{rate:.1f} a second")
            if rate > 0 and self._done < self._total:
                words.append(self._expected(self._seconds_left(now, rate)))
            if self._requests:
                words.append(f"{counted(self._requests, 'request')} so far")
            if self._wait and (seconds := self._wait[0] - now) > 0:
                words.append(f"waiting {seconds:.0f} s: {self._wait[1]}")
            return ", ".join(words)

    def _print_if_due(self) -> None:
        with self._lock:
            now = self._clock.monotonic()
            if now - self._last_line < EVERY:
                return
            self._last_line = now
            line = self.status()
        if line:
            self._emit(line)

    def _rate(self, now: float) -> float:
        """Return the changes a second over the last minute or so."""
        if not self._marks:
            return 0.0
        while len(self._marks) > 1 and now - self._marks[1][0] >= _LOOK_BACK:
            self._marks.pop(0)
        since, count = self._marks[0]
        self._marks.append((now, self._done))
        return (self._done - count) / (now - since) if now > since else 0.0

    def _seconds_left(self, now: float, rate: float) -> float:
        """Return the seconds for the changes that are left.

        A fast first minute uses up points that the next ones wait for; after a wait for GitHub's points, a minute's
        changes are made at once.
        """
        left = self._total - self._done
        wait = max(0.0, self._wait[0] - now) if self._wait else 0.0
        since, before = self._marks[0]
        if self.points_per_minute is None or not (wait or now - since < _LOOK_BACK):
            return wait + left / rate
        most = max(1, self.points_per_minute // CHANGE_POINTS)
        if wait:
            return wait + (left - 1) // most * _LOOK_BACK
        free = max(0, most - (self._done - before))
        if left <= free:
            return left / rate
        minutes, last = divmod(left - free - 1, most)
        return (_LOOK_BACK - (now - since)) + minutes * _LOOK_BACK + min(_LOOK_BACK, (last + 1) / rate)

    def _expected(self, seconds: float) -> str:
        end = self._clock.now() + timedelta(seconds=seconds)
        return f"about {lasting(timedelta(seconds=round(seconds)))} left (until {end:%H:%M} UTC)"


class Bar(Progress):
    """Progress as a bar on a person's terminal; it is gone when it stops. Safe to use from several threads."""

    def __init__(self, console: Console, clock: Clock) -> None:
        super().__init__(lambda _line: None, clock)
        self._console = console
        self._shown_from = clock.monotonic() + _QUICK
        self._bar: RichProgress | None = None

    def starting(self, step: Step) -> None:
        """Count from the first change on, and show the bar."""
        super().starting(step)
        self._draw()

    def going_on(self, requests: int, seconds: float, why: str) -> None:
        """Take how far the run is, and draw it."""
        super().going_on(requests, seconds, why)
        self._draw()

    def stop(self) -> None:
        """Take the bar away."""
        with self._lock:
            bar, self._bar = self._bar, None
            self._shown_from = self._clock.monotonic() + _QUICK
        if bar:
            bar.stop()

    def _draw(self) -> None:
        status = self.status()
        with self._lock:
            if self._clock.monotonic() < self._shown_from:
                return
            if self._bar is None:
                self._bar = self._started()
            [task] = self._bar.task_ids
            total = self._total if self._marks else None
            self._bar.update(task, total=total, completed=self._done, status=status)
            self._bar.refresh()

    def _started(self) -> RichProgress:
        from rich.progress import (  # noqa: PLC0415 - only for a person's terminal
            BarColumn,
            Progress as RichProgress,
            TextColumn,
        )

        # Drawn when the run reports its progress (several times a second): no thread that outlives it.
        bar = RichProgress(
            BarColumn(),
            TextColumn("{task.fields[status]}", markup=False),
            console=self._console,
            transient=True,
            auto_refresh=False,
        )
        bar.start()
        bar.add_task("", total=None, status="")
        return bar
