from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from clocks import START, FakeClock
from package_retention.api.budgets import WINDOW, Permit
from package_retention.api.rate_limit import LONGEST_BUDGET_WAIT, RateLimiter
from package_retention.errors import BudgetError, CancelledError, StaleError
from package_retention.transport.limits import FifoLock, TimeLimit
from package_retention.transport.retry import RetryCause, Wait

if TYPE_CHECKING:
    from collections.abc import Mapping

SECONDARY = Wait(60.0, "all", "the secondary rate limit (HTTP 403)", RetryCause.SECONDARY)


def sent(pacer: RateLimiter, points: int = 1, headers: Mapping[str, str] | None = None) -> Permit:
    given = pacer.enter(points)
    pacer.leave(given, headers or {}, START)
    return given


def limited(clock: FakeClock, seconds: float, **more: Any) -> RateLimiter:
    return RateLimiter(clock, time_limit=TimeLimit(clock, seconds), **more)


def budget(remaining: int, reset: int, limit: int = 1000) -> dict[str, str]:
    return {
        "x-ratelimit-remaining": str(remaining),
        "x-ratelimit-limit": str(limit),
        "x-ratelimit-reset": str(int(START.timestamp()) + reset),
    }


def test_a_run_goes_at_the_pace_and_not_slower() -> None:
    clock = FakeClock()
    pacer = RateLimiter(clock, points_per_minute=900)
    departures = [sent(pacer, 5).departed for _ in range(400)]
    assert departures == [0.0] * 180 + [WINDOW] * 180 + [2 * WINDOW] * 40
    state = pacer.state()
    assert (state.requests, state.points, state.waited) == (400, 2000, 2 * WINDOW)


def test_no_pacing() -> None:
    clock = FakeClock()
    pacer = RateLimiter(clock, points_per_minute=None)
    for _ in range(2000):
        sent(pacer, 5)
    assert clock.slept == []


def test_a_change_dearer_than_the_pace_goes_alone() -> None:
    pacer = RateLimiter(FakeClock(), points_per_minute=3)
    assert [sent(pacer, 5).departed for _ in range(3)] == [0.0, WINDOW, 2 * WINDOW]


def test_a_pause_stops_everybody_and_lowers_the_pace_once() -> None:
    clock = FakeClock()
    pacer = RateLimiter(clock, points_per_minute=720)
    sent(pacer)
    under_way = [pacer.enter(5) for _ in range(10)]
    for given in under_way:
        pacer.leave(given, {}, START, SECONDARY)
    assert pacer.state().points_per_minute == 576
    again = pacer.enter(5)
    assert again.departed == 60.0
    pacer.leave(again, {}, START, SECONDARY)
    # No change has got through since: it is still the same limit.
    assert pacer.state().points_per_minute == 576
    assert sent(pacer).departed == 120.0
    third = pacer.enter(5)
    pacer.leave(third, {}, START, SECONDARY)
    assert pacer.state().points_per_minute == 576, "a read that got through is no change"
    sent(pacer, 5)
    fourth = pacer.enter(5)
    pacer.leave(fourth, {}, START, SECONDARY)
    assert pacer.state().points_per_minute == 460


def test_the_pace_comes_back_within_minutes_and_with_it_how_many_are_under_way() -> None:
    clock = FakeClock()
    pacer = RateLimiter(clock, points_per_minute=800, max_in_flight=9)
    first = pacer.enter(5)
    pacer.leave(first, {}, START, Wait(3.0, "all", "asked", RetryCause.SECONDARY))
    assert [sent(pacer, 5).departed for _ in range(2)] == [3.0, 3.0]
    for minute in range(1, 5):
        clock.advance(60.1 if minute == 1 else 60)
        sent(pacer)
        assert pacer.state().points_per_minute == (704, 775, 800, 800)[minute - 1]
    held = [pacer.enter(1) for _ in range(9)]
    assert len(held) == 9


def test_the_longest_pause_counts() -> None:
    clock = FakeClock()
    pacer = RateLimiter(clock)
    for seconds in (30.0, 10.0):
        given = pacer.enter(1)
        pacer.leave(given, {}, START, Wait(seconds, "all", "asked", RetryCause.SERVER))
    # The second one departed after the first pause.
    assert clock.monotonic() == 30
    assert sent(pacer).departed == 40
    assert pacer.state().points_per_minute == 800


def test_a_lowered_pace_also_lowers_how_many_are_under_way() -> None:
    clock = FakeClock()
    pacer = RateLimiter(clock, max_in_flight=9)
    first = pacer.enter(1)
    pacer.leave(first, {}, START, SECONDARY)
    for _ in range(6):
        pacer.enter(1)
    with ThreadPoolExecutor(1) as pool:
        seventh = pool.submit(pacer.enter, 1)
        pacer.leave(Permit(1, 1, 60.0), {}, START)
        assert seventh.result().number == 8


def test_the_last_tenth_is_left_and_the_run_ends_with_the_hour_named() -> None:
    pacer = limited(FakeClock(), 3000)
    sent(pacer, headers=budget(101, reset=3600))
    sent(pacer, headers=budget(100, reset=3600))
    with pytest.raises(BudgetError, match=r"100 of 1000 requests are left.*13:00 UTC") as caught:
        pacer.enter(1)
    assert (caught.value.cause, caught.value.failing) == ("budget", False)
    assert "time-limit" in caught.value.hint
    assert pacer.state().requests == 2


def test_a_budget_that_returns_within_the_time_limit_is_waited_for() -> None:
    clock = FakeClock()
    pacer = limited(clock, 3000)
    sent(pacer, headers=budget(0, reset=600))
    assert pacer.enter(1).departed == 601
    assert clock.slept == [601]


def test_a_long_wait_for_the_hour_ends_the_run_unless_it_may_wait() -> None:
    for reset, waits in ((590, True), (700, False)):
        pacer = limited(FakeClock(), 3600, longest_budget_wait=LONGEST_BUDGET_WAIT)
        sent(pacer, headers=budget(104, reset=reset))
        # Room for what is begun follows the same rule, or an image would be cut in half.
        if waits:
            pacer.ensure_room(50)
            assert sent(pacer, headers=budget(100, reset=reset)).departed == 0
            assert pacer.enter(1).departed == reset + 1
            continue
        pacer.ensure_room(4)
        with pytest.raises(BudgetError, match="too few for the next change") as full:
            pacer.ensure_room(5)
        sent(pacer, headers=budget(100, reset=reset))
        with pytest.raises(BudgetError, match=r"allows no more.*12:11 UTC") as caught:
            pacer.enter(1)
        assert full.value.cause == caught.value.cause == "budget"
        assert "give `time-limit`" in full.value.hint
        assert "give `time-limit`" in caught.value.hint


def test_no_wait_starts_that_would_pass_the_time_limit() -> None:
    clock = FakeClock()
    pacer = limited(clock, 50, points_per_minute=5)
    sent(pacer, 5)
    with pytest.raises(
        BudgetError, match="this minute's points are spent, and the next request would wait 61 s"
    ) as caught:
        pacer.enter(5)
    assert caught.value.cause == "time"
    with pytest.raises(BudgetError, match="would wait 70 s"):
        pacer.wait(70, "a retry")
    assert clock.slept == []


def test_a_pause_past_the_time_limit_ends_the_run_for_its_own_cause() -> None:
    for trouble, cause in ((RetryCause.SECONDARY, "time"), (RetryCause.PRIMARY, "budget")):
        pacer = limited(FakeClock(), 50)
        given = pacer.enter(1)
        pacer.leave(given, {}, START, Wait(60, "all", "a limit", trouble))
        with pytest.raises(BudgetError) as caught:
            pacer.enter(1)
        assert caught.value.cause == cause


def test_no_request_starts_that_would_end_past_the_time_limit() -> None:
    clock = FakeClock()
    pacer = limited(clock, 100)

    def take(seconds: float) -> None:
        given = pacer.enter(1)
        clock.advance(seconds)
        pacer.leave(given, {}, START)

    for _ in range(9):
        take(10)
    take(4)
    # Requests took six seconds and more of late, and six are left.
    with pytest.raises(BudgetError, match="the time limit ends the run here"):
        take(4)
    assert clock.monotonic() == 94


def test_a_change_that_cannot_go_in_time_does_not_go_and_does_not_wait() -> None:
    clock = FakeClock()
    pacer = RateLimiter(clock, points_per_minute=5)
    sent(pacer, 5)
    with pytest.raises(StaleError):
        pacer.enter(5, not_after=60)
    with pytest.raises(StaleError):
        pacer.wait(61, "a retry", not_after=60)
    assert clock.slept == []
    assert pacer.enter(5, not_after=61).departed == 61


def test_a_cancel_ends_waits_and_lets_nothing_go() -> None:
    clock = FakeClock()
    pacer = RateLimiter(clock)
    clock.cancel(130)
    with pytest.raises(CancelledError) as caught:
        pacer.enter(1)
    assert caught.value.status == 130


def test_the_state_tells_what_is_waited_for() -> None:
    states = []

    class Watching(FakeClock):
        def sleep(self, seconds: float) -> None:
            if seconds:
                states.append(pacer.state())
            super().sleep(seconds)

    clock = Watching()
    pacer = RateLimiter(clock, points_per_minute=5)
    sent(pacer, 5)
    sent(pacer, 5)
    assert [(state.waiting, state.why) for state in states] == [(61.0, "this minute's points are spent")]
    after = pacer.state()
    assert (after.waiting, after.why, after.in_flight) == (0.0, "", 0)


def test_nobody_is_forgotten_and_never_are_too_many_under_way() -> None:
    """Forty workers, four at once: every request gets its turn, and the minute holds."""
    clock = FakeClock()
    pacer = RateLimiter(clock, points_per_minute=100, max_in_flight=4)
    most, guard = [0], threading.Lock()

    def work(_: int) -> list[Permit]:
        passes = []
        for _ in range(25):
            given = pacer.enter(1)
            with guard:
                most[0] = max(most[0], pacer.state().in_flight)
            pacer.leave(given, {}, START)
            passes.append(given)
        return passes

    with ThreadPoolExecutor(40) as pool:
        passes = [given for found in pool.map(work, range(40)) for given in found]
    assert sorted(given.number for given in passes) == list(range(1, 1001))
    assert 1 <= most[0] <= 4
    departed = sorted(given.departed for given in passes)
    assert all(later - earlier >= 60 for earlier, later in zip(departed, departed[100:], strict=False))
    assert departed[-1] <= 10 * WINDOW + 1e-6


def test_what_one_hears_stops_the_others() -> None:
    clock = FakeClock()
    pacer = RateLimiter(clock, points_per_minute=None, max_in_flight=8)
    stopped: list[tuple[int, float]] = []
    gate = threading.Lock()

    def work(worker: int) -> list[Permit]:
        passes = []
        for turn in range(50):
            with gate:
                given = pacer.enter(1)
            if worker == 3 and turn % 20 == 10:
                # No other request leaves between the count and the refusal.
                with gate:
                    stopped.append((pacer.state().requests, clock.monotonic() + 60))
                    pacer.leave(given, {}, START, SECONDARY)
            else:
                pacer.leave(given, {}, START)
            passes.append(given)
        return passes

    with ThreadPoolExecutor(8) as pool:
        passes = [given for found in pool.map(work, range(8)) for given in found]
    assert len(stopped) == 2
    for number, until in stopped:
        assert all(given.departed >= until for given in passes if given.number > number)


def test_turns_are_first_come_first_served() -> None:
    turns = FifoLock()
    order: list[int] = []

    def take(number: int) -> None:
        with turns:
            order.append(number)

    threads = []
    with turns:
        for number in range(20):
            thread = threading.Thread(target=take, args=(number,))
            thread.start()
            threads.append(thread)
            while len(turns._queue) <= number + 1:
                pass
    for thread in threads:
        thread.join()
    assert order == list(range(20))
    with turns:
        pass
