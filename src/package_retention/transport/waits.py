"""When a request to the registry is tried again, as a function of the answer (no I/O).

GHCR names the wait of a 429 in the *body*, with Go's units: `toomanyrequests: retry-after: 333.939671ms`
(facts C, J28).
"""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_TRIES = 5
MOST_TRIES_OF_NONSENSE = 3
_MOST_THROTTLED = 8  # a throttled request was answered, and soon: it is worth more tries
_MOST_WAIT = 300.0  # seconds; a registry that asks for more is given up for this run
_FIRST = 0.5  # seconds
_LONGEST = 30.0  # seconds, if the answer names no wait

_AGAIN = frozenset({408, 429, 500, 502, 503, 504})
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ns": 1e-9}
_AMOUNT = r"(\d{1,12}(?:\.\d{1,12})?)\s?(ms|us|µs|μs|ns|h|m|s)"
_TOLD = re.compile(rf"retry-after:\s{{0,3}}((?:{_AMOUNT}){{1,4}})(?![a-z0-9])", re.IGNORECASE)


def is_passing(status: int) -> bool:
    """Return whether an answer reports a failure that may pass (408, 429, 5xx but for 501 and its like)."""
    return status in _AGAIN


def delay(
    tries: int, status: int | None, headers: Mapping[str, str], body: bytes, jitter: float
) -> float | None:
    """Return the seconds to wait before the next try, `None` to give up.

    `tries` have been made so far; `status` is `None` for a drop or time-out; `headers` have lower-case names;
    `jitter` is from 0 up to 1 and spreads the workers.
    """
    most = _MOST_THROTTLED if status == 429 else MOST_TRIES  # noqa: PLR2004 - Too Many Requests
    if tries >= most or not (status is None or is_passing(status)):
        return None
    requested = None if status is None else asked_for(headers, body)
    if requested is None:
        return step(tries, jitter)
    # All who were throttled wait for the same moment: spread them, wider at each try.
    return None if requested > _MOST_WAIT else requested + _longest(tries) * jitter


def step(tries: int, jitter: float) -> float:
    """Return the seconds to wait after so many tries if the answer names no wait."""
    return _longest(tries) * (0.5 + jitter / 2)


def _longest(tries: int) -> float:
    return min(_LONGEST, _FIRST * 2.0 ** (tries - 1))


def asked_for(headers: Mapping[str, str], body: bytes) -> float | None:
    """Return the wait in seconds that an answer asks for, in its body or its `Retry-After` header."""
    waits = [wait for wait in (_in_body(body), _in_header(headers)) if wait is not None]
    return max(waits, default=None)


def _in_body(body: bytes) -> float | None:
    requested = _TOLD.search(body[:4096].decode("utf-8", "replace"))
    if not requested:
        return None
    return sum(
        float(amount) * _UNITS[unit.lower()]
        for amount, unit in re.findall(_AMOUNT, requested[1], re.IGNORECASE)
    )


def _in_header(headers: Mapping[str, str]) -> float | None:
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}", value, re.ASCII):
        return float(value)
    try:
        moment, now = parsedate_to_datetime(value), parsedate_to_datetime(headers.get("date", ""))
        return max(0.0, (moment - now).total_seconds())
    except (ValueError, TypeError):
        return None
