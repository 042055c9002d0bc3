from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given, strategies as st

from package_retention.transport.retry import API, RetryCause, Wait, cause_of, wait_after

NOW = datetime(2026, 11, 1, 12, 0, 0, tzinfo=UTC)
SECONDARY = {
    "message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
}
PRIMARY = {"message": "API rate limit exceeded for installation ID 7."}
ABUSE = {"message": "You have triggered an abuse detection mechanism. Please retry your request again later."}
LONGEST = API.longest
RESET = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOW.timestamp()) + 600)}


def wait_of(
    attempt: int, status: int | None, headers: dict[str, str], body: Any, *, jitter: float
) -> Wait | None:
    """What the API's client waits after a response."""
    cause = cause_of(status, headers, body, API)
    if cause is None:
        return None
    return wait_after(cause, attempt, headers, NOW, API, jitter=jitter, status=status)


@pytest.mark.parametrize(
    ("status", "headers", "body", "expected"),
    [
        (None, {}, None, RetryCause.DROP),
        (500, {}, {"message": "Server Error"}, RetryCause.SERVER),
        (502, {}, "<html>", RetryCause.SERVER),
        (408, {}, None, RetryCause.SERVER),
        (403, {}, SECONDARY, RetryCause.SECONDARY),
        (429, {}, SECONDARY, RetryCause.SECONDARY),
        (403, {}, ABUSE, RetryCause.SECONDARY),
        (403, RESET, SECONDARY, RetryCause.SECONDARY),
        (403, {}, PRIMARY, RetryCause.PRIMARY),
        (429, {}, PRIMARY, RetryCause.PRIMARY),
        (429, RESET, None, RetryCause.PRIMARY),
        (429, {}, None, RetryCause.SECONDARY),
        (403, RESET, None, RetryCause.PRIMARY),
        (403, {"retry-after": "5"}, {"message": "Slow down."}, RetryCause.SECONDARY),
        (403, RESET, {"message": "Resource not accessible by integration"}, None),
        (403, {}, {"message": "You need at least read:packages scope to list packages."}, None),
        (403, {}, {"message": ["API rate limit exceeded"]}, None),
        (200, {"retry-after": "5"}, None, None),
        (301, {}, None, None),
        (400, {}, {"message": "Invalid argument."}, None),
        (401, {}, {"message": "Bad credentials"}, None),
        (404, RESET, {"message": "Not Found"}, None),
    ],
)
def test_cause(status: int | None, headers: dict[str, str], body: Any, expected: RetryCause | None) -> None:
    assert cause_of(status, headers, body, API) is expected
    waits = wait_of(1, status, headers, body, jitter=0.5)
    assert (waits is None) is (expected is None)
    assert waits is None or waits.cause is expected


@pytest.mark.parametrize(
    ("status", "headers", "body", "seconds", "scope"),
    [
        pytest.param(403, {**RESET, "retry-after": "17"}, PRIMARY, 17, "all", id="Retry-After comes first"),
        pytest.param(403, RESET, PRIMARY, 601, "all", id="then the reset, and a second"),
        pytest.param(403, RESET, SECONDARY, 601, "all", id="of either limit"),
        pytest.param(
            403,
            {**RESET, "x-ratelimit-remaining": "3"},
            SECONDARY,
            60,
            "all",
            id="but not while budget is left",
        ),
        pytest.param(403, {}, SECONDARY, 60, "all", id="else a minute"),
        pytest.param(429, {"retry-after": "0"}, None, 1, "all", id="never at once"),
        pytest.param(503, {"retry-after": "9"}, None, 9, "all", id="Retry-After of a server error stops all"),
        pytest.param(502, {}, None, 0.5, "this", id="a server error stops the one"),
        pytest.param(None, {}, None, 0.5, "this", id="a drop stops the one"),
        pytest.param(503, {"retry-after": "soon"}, None, 0.5, "this", id="nonsense is none"),
        pytest.param(503, {"retry-after": "-4"}, None, 0.5, "this", id="nor is a negative one"),
        pytest.param(503, {"retry-after": "٣"}, None, 0.5, "this", id="nor another script's digits"),
        pytest.param(403, {**RESET, "x-ratelimit-reset": "x"}, PRIMARY, 60, "all", id="no reset"),
        pytest.param(403, {**RESET, "x-ratelimit-reset": "1"}, PRIMARY, 1, "all", id="a reset in the past"),
    ],
)
def test_first_wait(
    status: int | None, headers: dict[str, str], body: Any, seconds: float, scope: str
) -> None:
    wait = wait_of(1, status, headers, body, jitter=0)
    assert wait is not None
    assert (wait.seconds, wait.scope) == (seconds, scope)


def test_dates_are_compared_with_the_servers_own() -> None:
    server = NOW + timedelta(hours=3)  # the runner's clock is three hours late
    headers = {
        "date": format_datetime(server, usegmt=True),
        "retry-after": format_datetime(server + timedelta(seconds=40), usegmt=True),
    }
    wait = wait_of(1, 429, headers, None, jitter=0)
    assert wait is not None
    assert wait.seconds == 40


def test_a_wait_of_more_than_an_hour_is_none() -> None:
    assert wait_of(1, 429, {"retry-after": str(int(LONGEST))}, None, jitter=0) is not None
    assert wait_of(1, 429, {"retry-after": str(int(LONGEST) + 1)}, None, jitter=0) is None
    assert wait_of(1, 429, {"retry-after": "9" * 400}, None, jitter=0) is None


@pytest.mark.parametrize(
    ("status", "body", "waits"),
    [
        (None, None, [0.5, 1, 2, 4]),
        (500, None, [0.5, 1, 2, 4]),
        (403, SECONDARY, [60, 120, 240, 480, 960, 960, 960]),
        (403, PRIMARY, [60, 120, 240]),
    ],
)
def test_waits_grow_and_end(status: int | None, body: Any, waits: list[float]) -> None:
    found = [wait_of(attempt, status, {}, body, jitter=0) for attempt in range(1, 20)]
    assert [wait.seconds for wait in found if wait is not None] == waits
    assert found[len(waits) :] == [None] * (19 - len(waits))


@given(
    attempt=st.integers(1, 12),
    status=st.none() | st.integers(100, 599),
    headers=st.dictionaries(
        st.sampled_from(["retry-after", "x-ratelimit-remaining", "x-ratelimit-reset", "date"]),
        st.text(max_size=30)
        | st.integers(-10, 10**10).map(str)
        | st.datetimes().map(lambda moment: format_datetime(moment.replace(tzinfo=UTC), usegmt=True)),
    ),
    body=st.none() | st.text() | st.sampled_from([PRIMARY, SECONDARY, ABUSE]) | st.lists(st.integers()),
    jitter=st.floats(0, 1, exclude_max=True),
)
def test_whatever_comes_the_wait_is_bounded(
    attempt: int, status: int | None, headers: dict[str, str], body: Any, jitter: float
) -> None:
    wait = wait_of(attempt, status, headers, body, jitter=jitter)
    if wait is None:
        cause = cause_of(status, headers, body, API)
        assert (
            cause is None
            or attempt >= API.tries[cause]
            or {"retry-after", "x-ratelimit-reset"} & set(headers)
        )
        return
    assert 0.5 <= wait.seconds <= LONGEST
    assert attempt < API.tries[wait.cause]
    if wait.cause.is_limit:
        assert wait.scope == "all"
