from __future__ import annotations

import itertools
import threading

from clocks import FakeClock
from package_retention.model import Outcome, Plan, Result
from package_retention.output.progress import EVERY, Progress
from run_results import NOW, done, plan_of

# Progress


class Told:
    """A progress with its clock, and what it said when."""

    def __init__(self) -> None:
        self.clock = FakeClock(NOW)
        self.lines: list[tuple[float, str]] = []
        self.progress = Progress(lambda line: self.lines.append((self.clock.monotonic(), line)), self.clock)

    def change(self, plan: Plan, seconds: float) -> None:
        """Carry a plan out, each change taking so many seconds."""
        self.progress.planned(plan)
        for step in plan.steps:
            self.progress.starting(step)
            self.clock.advance(seconds)
            self.progress.finished(done(step))


def test_short_work_says_nothing() -> None:
    told = Told()
    told.change(plan_of(10), EVERY / 11)
    assert told.lines == []


def test_long_work_says_how_far_it_is_every_few_seconds() -> None:
    told = Told()
    told.change(plan_of(330), 0.5)
    assert told.lines[0] == (
        5.0,
        "10 of 330 changes done, 2.0 a second, about 2 minutes and 40 seconds left (until 12:02 UTC)",
    )
    assert told.lines[-1] == (165.0, "330 of 330 changes done, 2.0 a second")
    times = [when for when, _ in told.lines]
    assert all(later - sooner >= EVERY for sooner, later in itertools.pairwise(times))


def test_the_rate_is_that_of_the_last_minute() -> None:
    told = Told()
    fast, slow = plan_of(200), plan_of(10)
    told.change(fast, 0.1)
    told.change(slow, 20)
    assert told.lines[-1][1].startswith("210 of 210 changes done, 0.1 a second")


def test_a_wait_is_told_with_its_reason() -> None:
    told = Told()
    plan = plan_of(20)
    told.progress.planned(plan)
    told.progress.starting(plan.steps[0])
    told.clock.advance(6)
    told.progress.finished(done(plan.steps[0]))
    told.clock.advance(6)
    told.progress.going_on(7, 42, "GitHub's points of this minute are spent")
    assert told.lines[-1][1].endswith(
        ", 7 requests so far, waiting 42 s: GitHub's points of this minute are spent"
    )
    told.clock.advance(10)
    told.progress.finished(done(plan.steps[1]))
    assert "waiting 32 s: " in told.lines[-1][1]
    told.clock.advance(40)
    told.progress.finished(done(plan.steps[2]))
    assert "waiting" not in told.lines[-1][1]


def test_a_wait_before_any_plan_is_told_too() -> None:
    told = Told()
    told.clock.advance(6)
    told.progress.going_on(1, 30, "Retry-After")
    assert told.lines == [(6.0, "1 request so far, waiting 30 s: Retry-After")]


def test_a_short_wait_is_not_worth_telling() -> None:
    told = Told()
    told.clock.advance(60)
    told.progress.going_on(3, 1, "pace")
    assert told.lines == [(60.0, "3 requests so far")]


def test_long_reading_tells_its_requests_every_few_seconds_and_no_plan_that_is_not_carried_out_yet() -> None:
    told = Told()
    told.progress.planned(plan_of(7))
    for number in range(1, 101):
        told.clock.advance(0.125)
        told.progress.going_on(number, 0, "")
    assert told.lines == [(5.0, "40 requests so far"), (10.0, "80 requests so far")]


def test_nothing_to_tell_is_no_line() -> None:
    told = Told()
    told.clock.advance(60)
    told.progress.going_on(0, 0, "")
    assert told.lines == []


def test_what_was_not_reached_is_no_work() -> None:
    told = Told()
    told.progress.planned(plan_of(5))
    told.clock.advance(60)
    for step in plan_of(5).steps:
        told.progress.finished(Outcome(step, Result.NOT_REACHED))
    assert told.lines == []


def test_progress_of_many_threads_counts_all() -> None:
    told = Told()
    plan = plan_of(400)
    told.progress.planned(plan)
    told.progress.starting(plan.steps[0])

    def finish(part: int) -> None:
        for step in plan.steps[part::4]:
            told.progress.finished(done(step))

    threads = [threading.Thread(target=finish, args=(part,)) for part in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told.clock.advance(EVERY)
    told.progress.going_on(400, 2, "the end")
    assert told.lines[-1][1].startswith("400 of 400 changes done")


def test_the_time_left_counts_the_points_of_the_minute() -> None:
    """A burst uses up the minute's points; what is left waits for the next minutes, and the line knows it."""
    told = Told()
    told.progress.points_per_minute = 800
    plan = plan_of(480)
    told.progress.planned(plan)
    ends: list[float] = []
    for place, step in enumerate(plan.steps):
        # GitHub's limit: 160 changes a minute, done as fast as the minute allows.
        due = place // 160 * 60.0 + place % 160 * 0.05
        told.clock.advance(max(0.0, due - told.clock.monotonic()))
        told.progress.starting(step)
        told.progress.finished(done(step))
        told.progress.going_on(0, 0, "")
        ends.append(told.clock.monotonic())
    first = next(line for when, line in told.lines if when < 10)
    assert "about 2 minutes" in first
    assert 120 <= ends[-1] <= 130


def test_the_time_left_is_no_less_than_the_wait_that_the_line_names() -> None:
    """GitHub's points of the minute are spent: the 28 changes that are left begin after the wait of 56 seconds."""
    told = Told()
    told.progress.points_per_minute = 800
    told.progress.planned(plan_of(504))
    for step in plan_of(476).steps:
        told.clock.advance(0.375)
        told.progress.starting(step)
        told.progress.finished(done(step))
    told.clock.advance(EVERY)
    told.progress.going_on(684, 56, "this minute's points are spent")
    assert ", about 56 seconds left (until 12:03 UTC)" in told.lines[-1][1]
    told.progress.planned(plan_of(200))
    told.clock.advance(EVERY)
    told.progress.going_on(684, 51, "this minute's points are spent")
    assert ", about 1 minute and 51 seconds left (until 12:04 UTC)" in told.lines[-1][1]
