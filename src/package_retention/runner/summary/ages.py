"""Ages in words."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from package_retention.runner.log.escaping import counted

if TYPE_CHECKING:
    from datetime import datetime

_BUCKETS = (
    ("1 day", timedelta(days=1)),
    ("1 week", timedelta(days=7)),
    ("30 days", timedelta(days=30)),
    ("90 days", timedelta(days=90)),
    ("180 days", timedelta(days=180)),
    ("1 year", timedelta(days=365)),
    ("2 years", timedelta(days=730)),
)
_SHORT = timedelta(seconds=10)
LABELS = (*(f"to {name}" for name, _ in _BUCKETS), "older")

_LEAST_MONTHS, _LEAST_YEARS = timedelta(days=60), timedelta(days=730)
_MONTH, _YEAR = timedelta(days=365.25 / 12), timedelta(days=365.25)


def age(then: datetime | None, now: datetime) -> str:
    """Say how old something is, in one unit; a time to come counts as now."""
    return "unknown" if then is None else roughly(max(now - then, timedelta()))


def roughly(span: timedelta) -> str:
    """Say how long something is, in one unit: `45 days`, `2 months`."""
    if span < timedelta(minutes=1):
        return "under a minute"
    for unit, least, noun in (
        (_YEAR, _LEAST_YEARS, "year"),
        (_MONTH, _LEAST_MONTHS, "month"),
        (timedelta(days=1), timedelta(days=1), "day"),
        (timedelta(hours=1), timedelta(hours=1), "hour"),
    ):
        if span >= least:
            return counted(span // unit, noun)
    return counted(span // timedelta(minutes=1), "minute")


def lasting(span: timedelta) -> str:
    """Say how long something takes or took, in its two largest units or so; tenths where it is short."""
    if span < _SHORT:
        return f"{span.total_seconds():.1f} seconds"
    from humanize import precisedelta  # noqa: PLC0415 - only a summary needs it

    return precisedelta(span, minimum_unit=_unit(span), format="%0.0f")


def bucket(then: datetime, now: datetime) -> int:
    """Give the number of the age's label in `LABELS`."""
    passed = now - then
    return sum(1 for _, most in _BUCKETS if passed >= most)


def _unit(span: timedelta) -> str:
    if span >= timedelta(days=365):
        return "months"
    if span >= timedelta(days=1):
        return "days"
    if span >= timedelta(minutes=10):
        return "minutes"
    return "seconds"
