"""Ages in words."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

_BUCKETS = (
    ("a day", timedelta(days=1)),
    ("a week", timedelta(days=7)),
    ("a month", timedelta(days=30)),
    ("3 months", timedelta(days=91)),
    ("6 months", timedelta(days=182)),
    ("a year", timedelta(days=365)),
    ("2 years", timedelta(days=730)),
)
LABELS = (*(f"to {name}" for name, _ in _BUCKETS), "older")


def age(then: datetime | None, now: datetime) -> str:
    """Say how old something is, in its two largest units or so; a time to come counts as now."""
    if then is None:
        return "unknown"
    passed = max(now - then, timedelta())
    return "under a minute" if passed < timedelta(minutes=1) else lasting(passed)


def lasting(span: timedelta) -> str:
    """Say how long something takes or took."""
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
