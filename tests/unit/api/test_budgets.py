from __future__ import annotations

import heapq
import itertools
from datetime import timedelta
from typing import Any

from hypothesis import given, strategies as st

from clocks import START
from package_retention.api.budgets import WINDOW, HourBudget, MinuteBudget

REQUESTS = st.lists(
    st.tuples(st.sampled_from([1, 5]), st.floats(0, 20), st.floats(0, 20)), min_size=1, max_size=120
)


@given(pace=st.integers(1, 100), requests=REQUESTS)
def test_no_minute_of_arrivals_exceeds_the_pace(pace: int, requests: list[tuple[int, float, float]]) -> None:
    """Each request departs, arrives, is answered; GitHub counts arrivals."""
    budget, now = MinuteBudget(pace), 0.0
    under_way: list[tuple[float, int]] = []
    arrivals: list[tuple[float, int]] = []
    for points, there, back in requests:
        while (due := budget.due(points, now)) != 0:
            if due is None:
                assert under_way
                now = max(now, under_way[0][0])
            else:
                assert 0 < due <= WINDOW + 1e-6
                now += due
            while under_way and under_way[0][0] <= now:
                ended, ended_points = heapq.heappop(under_way)
                budget.end(ended_points, ended)
        budget.begin(points)
        arrivals.append((now + there, points))
        heapq.heappush(under_way, (now + there + back, points))
    for start, _ in arrivals:
        inside = [points for at, points in arrivals if start <= at < start + 60]
        # What is dearer than the whole pace goes alone.
        assert sum(inside) <= pace or len(inside) == 1


@given(
    pace=st.integers(120, 900),
    moments=st.lists(st.tuples(st.floats(0, 15), st.integers(0, 60), st.booleans()), min_size=1, max_size=40),
)
def test_a_refusal_lowers_what_goes_out_after_it_and_no_minute_exceeds_where_the_pace_began(
    pace: int, moments: list[tuple[float, int, bool]]
) -> None:
    """At each moment some changes go, as far as they may; a refusal may follow."""
    budget, now = MinuteBudget(pace), 0.0
    sent: list[float] = []
    since, lowered = 0, pace
    for passed, changes, refused in moments:
        now += passed
        for _ in range(changes):
            if budget.due(5, now) != 0:
                break
            budget.begin(5)
            budget.end(5, now)
            sent.append(now)
        assert budget.pace is not None
        recent = [5 * (at > now - 60) for at in sent]
        assert sum(recent) <= pace
        assert sum(recent[since:]) <= budget.pace
        # It waits for no more than these two: what went out before the refusal is not counted again.
        window = [5 * (at + WINDOW > now) for at in sent]
        room = min(pace - sum(window), budget.pace - sum(window[since:]))
        assert (budget.due(5, now) == 0) == (room >= 5)
        if refused:
            budget.slow_down(now)
            assert max(lowered * 4 // 5, 120) <= budget.pace
            since, lowered = len(sent), budget.pace


def test_the_whole_budget_may_go_at_once_and_comes_back_after_a_minute() -> None:
    budget = MinuteBudget(900)
    for _ in range(180):
        assert budget.due(5, 0.0) == 0
        budget.begin(5)
        budget.end(5, 0.0)
    assert budget.due(5, 0.0) == WINDOW
    assert budget.due(1, 60.9) is not None
    assert budget.due(5, WINDOW) == 0


def test_it_waits_for_no_more_than_it_needs() -> None:
    budget = MinuteBudget(10)
    for at in (0.0, 7.0):
        budget.begin(5)
        budget.end(5, at)
    assert budget.due(1, 8.0) == WINDOW - 8
    assert budget.due(5, 8.0) == WINDOW - 8
    assert budget.due(6, 8.0) == WINDOW - 1


def test_a_refusal_lowers_the_pace_to_four_fifths_and_not_below_a_floor() -> None:
    fast = MinuteBudget(800)
    paces: list[int | None] = []
    for _ in range(10):
        fast.slow_down(0.0)
        paces.append(fast.pace)
    assert paces == [640, 512, 409, 327, 261, 208, 166, 132, 120, 120]
    slow = MinuteBudget(60)
    slow.slow_down(0.0)
    assert slow.pace == 60
    free = MinuteBudget(None)
    for _ in range(2000):
        assert free.due(1, 0.0) == 0
        free.begin(1)
        free.end(1, 0.0)
    free.slow_down(0.0)
    assert free.pace == 1600


def test_each_minute_without_a_refusal_raises_the_pace_by_a_tenth_up_to_where_it_began() -> None:
    budget = MinuteBudget(800)
    budget.slow_down(10.0)
    paces: list[int | None] = []
    for now in (69.9, 70.0, 129.0, 130.0, 190.0, 250.0, 10_000.0):
        budget.due(1, now)
        paces.append(budget.pace)
    assert paces == [640, 704, 704, 775, 800, 800, 800]
    budget.slow_down(10_001.0)
    assert budget.pace == 640
    assert budget.lowered
    budget.due(1, 10_060.0)
    assert budget.pace == 640


def headers(remaining: int, *, limit: int = 1000, reset: int = 3600) -> dict[str, str]:
    return {
        "x-ratelimit-remaining": str(remaining),
        "x-ratelimit-limit": str(limit),
        "x-ratelimit-reset": str(int(START.timestamp()) + reset),
    }


@given(data=st.data(), limit=st.integers(1, 60), spent=st.integers(0, 60))
def test_the_last_tenth_is_left_to_others(data: Any, limit: int, spent: int) -> None:
    """However answers overtake one another, are lost, or were spent by others before."""
    budget, there = HourBudget(), max(limit - spent, 0)
    before, blind, heard = there, 0, False
    answers: list[int] = []
    for _ in range(limit + 20):
        due = budget.due(len(answers), 0.0)
        if due is not None and due > 0:
            break
        if due == 0 and data.draw(st.booleans(), label="send"):
            there -= 1
            blind += not heard
            answers.append(there)
        elif answers:
            told = answers.pop(data.draw(st.integers(0, len(answers) - 1), label="which"))
            if data.draw(st.booleans(), label="lost"):
                budget.lost()
            else:
                heard = True
                budget.record(headers(max(told, 0), limit=limit), 0.0, START)
    # Only those that went before anything was known may have gone too far.
    assert there >= min(-(-limit // 10), before - blind)


def test_until_the_first_answer_one_goes_at_a_time() -> None:
    budget = HourBudget()
    assert budget.due(0, 0.0) == 0
    assert budget.due(1, 0.0) is None
    budget.record({}, 0.0, START)
    assert budget.due(90, 0.0) == 0


def test_a_spent_budget_waits_for_the_reset_by_the_servers_clock() -> None:
    budget = HourBudget()
    budget.record(headers(100, reset=600), 50.0, START + timedelta(seconds=590))
    assert budget.due(0, 50.0) == 11
    assert budget.due(3, 50.0) == 11
    assert budget.returns == START + timedelta(seconds=600)
    # After it, one goes ahead to see what the new hour holds.
    assert budget.due(0, 61.0) == 0
    assert budget.due(1, 61.0) is None
    budget.record(headers(999, reset=4200), 62.0, START + timedelta(seconds=602))
    assert budget.due(48, 62.0) == 0


def test_a_new_hour_is_believed_and_an_old_answer_is_not() -> None:
    budget = HourBudget()
    budget.record(headers(150), 0.0, START)
    budget.record(headers(170), 0.0, START)
    assert budget.remaining == 150
    budget.record(headers(900, reset=7200), 0.0, START)
    assert budget.remaining == 900
    budget.record(headers(899, reset=7201), 0.0, START)
    assert budget.remaining == 899


def test_nonsense_tells_nothing() -> None:
    budget = HourBudget()
    numbers = ("many", "inf", "-inf", "nan", "1e9", "-5", "٣", "")
    for name, value in itertools.product(("remaining", "reset"), numbers):
        wrong = headers(5) | {f"x-ratelimit-{name}": value}
        budget.record(wrong, 0.0, START)
        assert budget.limit is None
        assert budget.due(10, 0.0) == 0
