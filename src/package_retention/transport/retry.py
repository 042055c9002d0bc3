"""Whether and when a request is tried again: one pure function, with one policy for each client (facts C, J19 to J23)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Any, Literal

from msgspec import Struct


class RetryCause(StrEnum):
    """Why another try may go better; the value is its name in messages."""

    DROP = "no usable answer"
    SERVER = "a server error"
    PRIMARY = "the hourly rate limit"
    SECONDARY = "the secondary rate limit"
    UNAUTHORIZED = "a token that had worked was not accepted"
    IMPLAUSIBLE = "an answer that cannot be the registry's own"

    @property
    def is_limit(self) -> bool:
        """Whether the server refused to work on the request at all: then nothing was changed by it."""
        return self in (RetryCause.PRIMARY, RetryCause.SECONDARY)


class Backoff(Struct, frozen=True):
    """Seconds that double with each try, times a random factor, so that requests that failed together do not return together."""

    first: float
    most: float
    factors: tuple[float, float]

    def seconds(self, attempt: int, jitter: float) -> float:
        """Return the wait after so many tries; `jitter` is a random number in [0, 1)."""
        low, high = self.factors
        return min(self.first * 2.0 ** (attempt - 1), self.most) * (low + (high - low) * jitter)


_NO_WAIT = Backoff(0.0, 0.0, (0.0, 0.0))


class RetryPolicy(Struct, frozen=True):
    """What one server's failures are worth.

    Args:
        tries: how many tries each cause is worth, the first included; an absent cause is worth no other.
        failures: the statuses of failures that may pass.
        limits: the statuses that may mean that there were too many requests.
        backoff: the wait that no header names.
        limit_backoff: the same after a rate limit.
        spread: what is added to a wait that the response names.
        shortest: seconds; a shorter wait that the response names is lengthened to this.
        longest: seconds; where the response names a longer wait, the request is given up.
    """

    tries: Mapping[RetryCause, int]
    failures: Collection[int]
    limits: Collection[int]
    backoff: Backoff
    limit_backoff: Backoff
    spread: Backoff
    shortest: float
    longest: float


API = RetryPolicy(
    tries={
        RetryCause.DROP: 5,
        RetryCause.SERVER: 5,
        RetryCause.PRIMARY: 4,
        RetryCause.SECONDARY: 8,
        # GitHub answers 401 in passing while it is under load (facts L); one among successes ended runs half done.
        RetryCause.UNAUTHORIZED: 3,
    },
    failures=(HTTPStatus.REQUEST_TIMEOUT, *range(500, 600)),
    limits=(HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS),
    backoff=Backoff(1.0, 30.0, (0.5, 1.5)),
    # "Wait for at least one minute", then for an exponentially increasing time (facts C).
    limit_backoff=Backoff(60.0, 960.0, (1.0, 1.1)),
    # All requests wait at the rate limiter, which lets them go one by one.
    spread=_NO_WAIT,
    shortest=1.0,
    # A primary limit is an hour's (facts C): a run that would have to wait longer ends and says so.
    longest=3900.0,
)
REGISTRY = RetryPolicy(
    tries={
        RetryCause.DROP: 5,
        RetryCause.SERVER: 5,
        # A throttled request gets its response soon: it is worth more tries.
        RetryCause.SECONDARY: 8,
        RetryCause.UNAUTHORIZED: 3,
        RetryCause.IMPLAUSIBLE: 3,
    },
    # A registry answers 501 to what it does not implement: that does not pass.
    failures=(408, 500, 502, 503, 504),
    # Its 403 is about the token, always.
    limits=(HTTPStatus.TOO_MANY_REQUESTS,),
    backoff=Backoff(0.5, 30.0, (0.5, 1.0)),
    # GHCR limits by the minute, and names waits of milliseconds (facts C).
    limit_backoff=Backoff(0.5, 30.0, (0.5, 1.0)),
    # There is no rate limiter before it: requests that were throttled together wait for the same moment, so they are spread,
    # wider with each try.
    spread=Backoff(0.5, 30.0, (0.0, 1.0)),
    shortest=0.0,
    # A registry that demands a longer wait counts as out of reach for this run.
    longest=300.0,
)


class Wait(Struct, frozen=True):
    """The seconds before the next try, and whether this request alone or all of them wait."""

    seconds: float
    scope: Literal["this", "all"]
    why: str
    cause: RetryCause


def cause_of(
    status: int | None, headers: Mapping[str, str], body: Any, policy: RetryPolicy, *, worked: bool = False
) -> RetryCause | None:
    """Return the cause for which a response is worth another try; `None` if the next would be the same.

    Args:
        status: HTTP status; `None` for a drop, a time-out or a response that cannot be read.
        headers: with names in small letters.
        body: decoded JSON, or anything else.
        policy: of the server that sent it.
        worked: whether the same token was accepted before in this run.
    """
    if status is None:
        return RetryCause.DROP
    if status in policy.failures:
        return RetryCause.SERVER
    if status == HTTPStatus.UNAUTHORIZED and worked:
        return RetryCause.UNAUTHORIZED
    return _limit(status, headers, _message(body)) if status in policy.limits else None


def wait_after(
    cause: RetryCause,
    attempt: int,
    headers: Mapping[str, str],
    now: datetime,
    policy: RetryPolicy,
    *,
    jitter: float,
    status: int | None = None,
    body: bytes = b"",
) -> Wait | None:
    """Return the wait before the next try; `None` if none is worth it.

    The order is GitHub's (facts C): `Retry-After`, else the reset of an empty budget, else the backoff.

    Args:
        cause: why the response is worth another try.
        attempt: how many tries were made by now, the one that failed last included.
        headers: of the response, with names in small letters.
        now: the time of day, for a response that has no `Date`.
        policy: of the server that sent it.
        jitter: a random number in [0, 1).
        status: for the message.
        body: of a registry's response, which may name a wait.
    """
    if attempt >= policy.tries.get(cause, 0):
        return None
    why = cause.value if status is None else f"{cause.value} (HTTP {status})"
    requested = _requested(cause, headers, http_date(headers.get("date")) or now, body)
    if requested is not None:
        seconds = max(requested, policy.shortest) + policy.spread.seconds(attempt, jitter)
        return Wait(seconds, "all", why, cause) if requested <= policy.longest else None
    if cause.is_limit:
        return Wait(policy.limit_backoff.seconds(attempt, jitter), "all", why, cause)
    return Wait(policy.backoff.seconds(attempt, jitter), "this", why, cause)


def _limit(status: int, headers: Mapping[str, str], message: str) -> RetryCause | None:
    if "secondary rate limit" in message or "abuse detection" in message:
        return RetryCause.SECONDARY
    if message.startswith("api rate limit"):
        return RetryCause.PRIMARY
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return RetryCause.PRIMARY if _is_spent(headers) else RetryCause.SECONDARY
    if "retry-after" in headers:
        return RetryCause.SECONDARY
    # A 403 that names its own reason is that refusal, however little of the budget is left.
    return RetryCause.PRIMARY if _is_spent(headers) and (not message or "rate limit" in message) else None


def is_lockout(body: Any) -> bool:
    """Return whether GitHub turns every token of a user away, after several wrong ones (facts B2)."""
    return _message(body).startswith("maximum number of login attempts")


def _is_spent(headers: Mapping[str, str]) -> bool:
    """Return whether the hour's budget is spent (facts C)."""
    return headers.get("x-ratelimit-remaining", "").strip() == "0"


def _requested(cause: RetryCause, headers: Mapping[str, str], now: datetime, body: bytes) -> float | None:
    """Return the wait that a response names, in seconds: the longer of header and body, else until the budget's reset."""
    header = headers.get("retry-after")
    after: float | None = whole_number(header)
    if after is None and (moment := http_date(header)) is not None:
        after = max((moment - now).total_seconds(), 0.0)
    waits = [wait for wait in (after, _named_in(body)) if wait is not None]
    if not waits and cause.is_limit and _is_spent(headers):
        reset = whole_number(headers.get("x-ratelimit-reset"))
        # A second more: both the reset and `Date` are whole seconds.
        waits = [] if reset is None else [max(reset - now.timestamp(), 0.0) + 1.0]
    return max(waits, default=None)


# GHCR names the wait of a 429 in the *body*, with Go's units: `toomanyrequests: retry-after: 333.939671ms` (facts C, J28).
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ns": 1e-9}
_AMOUNT = r"(\d{1,12}(?:\.\d{1,12})?)\s?(ms|us|µs|μs|ns|h|m|s)"
_NAMED = re.compile(rf"retry-after:\s{{0,3}}((?:{_AMOUNT}){{1,4}})(?![a-z0-9])", re.IGNORECASE)


def _named_in(body: bytes) -> float | None:
    named = _NAMED.search(body[:4096].decode("utf-8", "replace"))
    if not named:
        return None
    amounts = re.findall(_AMOUNT, named[1], re.IGNORECASE)
    return sum(float(amount) * _UNITS[unit.lower()] for amount, unit in amounts)


def whole_number(value: str | None) -> int | None:
    """Read a header's whole number; `None` for anything else.

    `int` and `float` alone would read other scripts' digits, signs, `inf`, `nan`; of a number of any length the first
    twelve digits are large enough.
    """
    digits = (value or "").strip()
    return int(digits[:12]) if re.fullmatch(r"[0-9]+", digits) else None


def http_date(value: str | None) -> datetime | None:
    """Read an HTTP date in UTC; `None` for anything else."""
    try:
        moment = parsedate_to_datetime(value or "")
    except (ValueError, OverflowError, IndexError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _message(body: Any) -> str:
    message = body.get("message") if isinstance(body, dict) else None
    return message.strip().lower() if isinstance(message, str) else ""
