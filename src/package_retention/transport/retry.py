"""Whether and when a request is tried again: a pure function of what came back (facts C, J19 to J23)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping


class RetryCause(StrEnum):
    """The answers after which another try may go better; the value is how messages call them."""

    DROP = "no usable answer"
    SERVER = "a server error"
    PRIMARY = "the hourly rate limit"
    SECONDARY = "the secondary rate limit"
    UNAUTHORIZED = "a token that had worked was not accepted"

    @property
    def is_limit(self) -> bool:
        """Whether GitHub refused to work on the request at all: then nothing was changed by it."""
        return self in (RetryCause.PRIMARY, RetryCause.SECONDARY)

    @property
    def is_failure(self) -> bool:
        """Whether there is no usable answer: it may have been carried out."""
        return self in (RetryCause.DROP, RetryCause.SERVER)


@dataclass(frozen=True, slots=True)
class Wait:
    """How long to wait, in seconds, before the next try, and whether this request alone or all of them wait."""

    seconds: float
    scope: Literal["this", "all"]
    why: str
    cause: RetryCause


MAX_TRIES = {
    RetryCause.DROP: 5,
    RetryCause.SERVER: 5,
    RetryCause.PRIMARY: 4,
    RetryCause.SECONDARY: 8,
    # GitHub answers 401 in passing while it is under load (facts L); one among successes ended runs half done.
    RetryCause.UNAUTHORIZED: 3,
}
# A primary limit is an hour's (facts C): a run that would have to wait longer ends and says so.
LONGEST = 3900.0
_FIRST, _MOST = 1.0, 30.0
_LIMIT_FIRST, _LIMIT_MOST = 60.0, 960.0
_NUMBER = re.compile(r"[0-9]+")
_LIMITS = (HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS)


def trouble_of(
    status: int | None, headers: Mapping[str, str], body: Any, *, worked: bool = False
) -> RetryCause | None:
    """Return the cause for which an answer is worth another try; `None` if the next would be the same.

    Args:
        status: HTTP status; `None` for a drop, a time-out or an answer that cannot be read.
        headers: with names in small letters.
        body: decoded JSON, or anything else where there was none.
        worked: whether the same token was accepted before in this run.
    """
    if status is None:
        return RetryCause.DROP
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
        return RetryCause.SERVER
    if status == HTTPStatus.UNAUTHORIZED and worked:
        return RetryCause.UNAUTHORIZED
    return _limit(status, headers, _message(body)) if status in _LIMITS else None


def wait_after(
    attempt: int,
    status: int | None,
    headers: Mapping[str, str],
    body: Any,
    *,
    now: datetime,
    jitter: float,
    worked: bool = False,
) -> Wait | None:
    """Return the wait before the next try; `None` if none is worth it.

    The order is GitHub's (facts C): `Retry-After`, else the reset of an empty budget, else a minute and more.

    Args:
        attempt: how many tries have met this kind of trouble by now, this one included.
        status: as in `trouble_of`.
        headers: as in `trouble_of`.
        body: as in `trouble_of`.
        now: the time of day, for an answer that has no `Date`.
        worked: as in `trouble_of`.
        jitter: a random number in [0, 1): so that those who failed together do not come back together.
    """
    cause = trouble_of(status, headers, body, worked=worked)
    if cause is None or attempt >= MAX_TRIES[cause]:
        return None
    requested = _requested(cause, headers, now)
    if requested is not None:
        return Wait(requested, "all", _why(cause, status), cause) if requested <= LONGEST else None
    if cause.is_limit:
        seconds = min(_LIMIT_FIRST * 2 ** (attempt - 1), _LIMIT_MOST) * (1 + jitter / 10)
        return Wait(seconds, "all", _why(cause, status), cause)
    seconds = min(_FIRST * 2 ** (attempt - 1), _MOST) * (0.5 + jitter)
    return Wait(seconds, "this", _why(cause, status), cause)


def _limit(status: int, headers: Mapping[str, str], message: str) -> RetryCause | None:
    if "secondary rate limit" in message or "abuse detection" in message:
        return RetryCause.SECONDARY
    if message.startswith("api rate limit"):
        return RetryCause.PRIMARY
    spent = headers.get("x-ratelimit-remaining", "").strip() == "0"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return RetryCause.PRIMARY if spent else RetryCause.SECONDARY
    if "retry-after" in headers:
        return RetryCause.SECONDARY
    # A 403 that names its own reason is that refusal, however little of the budget is left.
    return RetryCause.PRIMARY if spent and (not message or "rate limit" in message) else None


def is_lockout(body: Any) -> bool:
    """Return whether GitHub turns every token of a user away, after several wrong ones (facts B2)."""
    return _message(body).startswith("maximum number of login attempts")


def _requested(cause: RetryCause, headers: Mapping[str, str], now: datetime) -> float | None:
    now = http_date(headers.get("date")) or now
    after = _retry_after(headers.get("retry-after", "").strip(), now)
    if after is not None or not cause.is_limit:
        return after
    if headers.get("x-ratelimit-remaining", "").strip() != "0":
        return None
    reset = whole_number(headers.get("x-ratelimit-reset"))
    # A second more: both the reset and `Date` are whole seconds.
    return None if reset is None else max(reset - now.timestamp(), 0.0) + 1.0


def _retry_after(value: str, now: datetime) -> float | None:
    if (seconds := whole_number(value)) is not None:
        return max(float(seconds), 1.0)
    moment = http_date(value)
    return None if moment is None else max((moment - now).total_seconds(), 1.0)


def whole_number(value: str | None) -> int | None:
    """Read a header's whole number; `None` for anything else.

    `int` and `float` alone would read other scripts' digits, signs, `inf`, `nan`; of a number of any length the first twelve digits are large enough.
    """
    return int(value.strip()[:12]) if value and _NUMBER.fullmatch(value.strip()) else None


def http_date(value: str | None) -> datetime | None:
    """Read an HTTP date in UTC; `None` where it is none."""
    if not value:
        return None
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError, IndexError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _message(body: Any) -> str:
    message = body.get("message") if isinstance(body, dict) else None
    return message.strip().lower() if isinstance(message, str) else ""


def _why(cause: RetryCause, status: int | None) -> str:
    return cause.value if status is None else f"{cause.value} (HTTP {status})"
