"""Durations as users write them, counted by the calendar where they say months or years."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from datetime import datetime, timedelta


class DurationError(ValueError):
    """A text that is no duration; the message names the right form."""


@dataclass(frozen=True, slots=True)
class Duration:
    """A duration: calendar months, and seconds beside them; `text` is as written."""

    text: str
    months: int
    seconds: float

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `90s`, `15min`, `36h`, `30d`, `2w`, `6 months`, `1 year` or `P30D`; raises `DurationError`."""
        raise NotImplementedError

    def before(self, now: datetime) -> datetime:
        """Give the moment this long before `now`, by the calendar in UTC (March 31 less a month: February's last)."""
        raise NotImplementedError

    def total_seconds(self) -> float:
        """Give the length in seconds; raises `DurationError` where it has months, which have no fixed length."""
        raise NotImplementedError


def in_words(length: timedelta | float) -> str:
    """Say a length in its largest whole unit, days at most: `45 days`, `3 hours`, `1 minute`."""
    raise NotImplementedError
