"""The retry rule: bounded, and obedient to waits that are told in a body or a header."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st
from msgspec.structs import replace

from package_retention.transport.retry import REGISTRY, RetryCause, cause_of, wait_after

NOW = datetime(2026, 8, 21, 12, 0, 0, tzinfo=UTC)


def asked_for(headers: dict[str, str], body: bytes) -> float | None:
    """Return the wait that a response names; `None` if it is the backoff, which 0.25 s is."""
    wait = wait_after(
        RetryCause.SECONDARY, 1, headers, NOW, replace(REGISTRY, longest=math.inf), jitter=0, body=body
    )
    assert wait is not None
    return None if wait.seconds == REGISTRY.limit_backoff.seconds(1, 0) else wait.seconds


def delay(
    tries: int, status: int | None, headers: dict[str, str], body: bytes, jitter: float
) -> float | None:
    cause = cause_of(status, headers, None, REGISTRY)
    wait = cause and wait_after(cause, tries, headers, NOW, REGISTRY, jitter=jitter, body=body)
    return wait.seconds if wait else None


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        (b"toomanyrequests: retry-after: 333.939671ms", 0.333939671),
        (b"toomanyrequests: retry-after: 1.16676ms, allowed: 44000/minute", 0.00116676),
        (
            b'{"errors":[{"code":"TOOMANYREQUESTS","message":"retry-after: 1.16s, allowed: 44000/minute"}]}',
            1.16,
        ),
        (b"retry-after: 1m30s", 90),
        (b"retry-after: 2h0m0.5s", 7200.5),
        ("retry-after: 250µs".encode(), 0.00025),
        (b"Retry-After: 250us", 0.00025),
        (b"retry-after: 900ns", 0.0000009),
        (b"retry-after: 0s", 0),
    ],
)
def test_the_body_tells_the_wait_in_units_of_go(body: bytes, seconds: float) -> None:
    assert asked_for({}, body) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "body", [b"", b"retry-after: soon", b"retry-after: 5", b"retry-after: 5 minutes", b"\xff" * 99]
)
def test_a_body_that_tells_none(body: bytes) -> None:
    assert asked_for({}, body) is None


def test_the_header_tells_seconds_or_a_moment() -> None:
    assert asked_for({"retry-after": "17"}, b"") == 17
    moment = {"retry-after": "Fri, 21 Aug 2026 12:00:30 GMT", "date": "Fri, 21 Aug 2026 12:00:00 GMT"}
    assert asked_for(moment, b"") == 30
    assert asked_for(moment | {"date": "Fri, 21 Aug 2026 12:01:00 GMT"}, b"") == 0
    assert asked_for({"retry-after": "Fri, 21 Aug 2026 12:00:30 GMT"}, b"") == 30, "by the clock"
    assert asked_for({"retry-after": "-5"}, b"") is None


def test_the_longer_of_two_waits_holds() -> None:
    assert asked_for({"retry-after": "2"}, b"retry-after: 500ms") == 2


@pytest.mark.parametrize("status", [200, 301, 400, 401, 403, 404, 405, 501])
def test_what_will_not_pass_is_not_tried_again(status: int) -> None:
    assert delay(1, status, {"retry-after": "1"}, b"", 0) is None


@pytest.mark.parametrize("status", [None, 408, 429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again_and_not_for_ever(status: int | None) -> None:
    waited = [delay(tries, status, {}, b"", 0.999) for tries in range(1, 12)]
    told = [wait for wait in waited if wait is not None]
    assert waited[0] is not None
    assert waited[len(told) :] == [None] * (11 - len(told))
    assert told == sorted(told)
    assert sum(told) < 65


def test_a_wait_beyond_reason_is_not_waited() -> None:
    assert delay(1, 429, {"retry-after": "299"}, b"", 0) == 299
    assert delay(1, 429, {"retry-after": "301"}, b"", 0) is None


@given(
    st.integers(1, 20),
    st.sampled_from([None, 200, 404, 429, 500, 503]),
    st.dictionaries(st.sampled_from(["retry-after", "date"]), st.text(max_size=30)),
    st.binary(max_size=60) | st.from_regex(rb"retry-after: [0-9.]{1,9}(ms|s|h)", fullmatch=True),
    st.floats(0, 0.999),
)
def test_a_delay_is_a_sane_number(
    tries: int, status: int | None, headers: dict[str, str], body: bytes, jitter: float
) -> None:
    found = delay(tries, status, headers, body, jitter)
    assert found is None or 0 <= found <= 340
    told = asked_for(headers, body)
    if found is not None and told is not None and status is not None:
        assert found >= told
