"""Read durations as users write them, and count months and years by the calendar."""

from __future__ import annotations

import math
import re
from calendar import monthrange
from datetime import UTC, datetime, timedelta
from typing import Self

from msgspec import Struct

from package_retention.problems import ProblemCode as Code, invalid

_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]+)\s*")
_WHOLE = re.compile(rf"(?:{_PART.pattern})+")
_ISO = re.compile(r"P(?=.*\d)(?:\d+(?:[.,]\d+)?[YMWD])*(?:T(?:\d+(?:[.,]\d+)?[HMS])+)?", re.ASCII)
_SECONDS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hour", "hours"), 3600),
    **dict.fromkeys(("d", "day", "days"), 86400),
    **dict.fromkeys(("w", "week", "weeks"), 7 * 86400),
}
_MONTHS = {"month": 1, "months": 1, "y": 12, "year": 12, "years": 12}
_LONGEST_MONTHS = 1000 * 12
_LONGEST_SECONDS = 1000 * 366 * 86400.0


class Duration(Struct, frozen=True):
    """A duration: calendar months, and seconds beside them, neither negative; `text` is as written."""

    text: str
    months: int
    seconds: float

    def __str__(self) -> str:
        """Return the duration as a person reads it: `7 days`, `36 hours`, `6 months`, `1 year and 2 days`."""
        units = [(self.months // 12, "year"), (self.months % 12, "month")]
        for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
            if self.seconds % length == 0 or length == 1:
                units.append((int(self.seconds // length), unit))
                break
        said = [f"{count:,} {unit}{'' if count == 1 else 's'}" for count, unit in units if count]
        return " and ".join(filter(None, (", ".join(said[:-1]), *said[-1:]))) or "0 seconds"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `90s`, `15min`, `36h`, `30d`, `2w`, `6 months`, `1 year` or `P30D`; raise `InvalidValueError`."""
        said = text.strip()
        months, seconds = _iso(said) if said.startswith("P") else _spelled(said)
        if months > _LONGEST_MONTHS or seconds > _LONGEST_SECONDS:
            raise invalid(Code.DURATION_TOO_LONG, said)
        return cls(said, int(months), seconds)

    def before(self, now: datetime) -> datetime:
        """Return the moment this long before `now` (which has a time zone), by the calendar in UTC.

        A day that the month does not have is its last: March 31 less a month is February 28 or 29.
        """
        here = now.astimezone(UTC)
        year, month0 = divmod(here.year * 12 + here.month - 1 - self.months, 12)
        day = min(here.day, monthrange(year, month0 + 1)[1])
        return here.replace(year=year, month=month0 + 1, day=day) - timedelta(seconds=self.seconds)

    def turns(self, moment: datetime) -> tuple[datetime, ...]:
        """Return the moments at which `before(t) >= moment` becomes true or false, in order, the first true one first.

        It stays true from there on, but for the end of a month: a month after the noon of February 28 is the noon of
        March 28, and so are those of 29, 30 and 31, each with a morning that is not yet so far. Raise `OverflowError`
        or `ValueError` past the last year of the calendar.
        """
        start = moment.astimezone(UTC) + timedelta(seconds=self.seconds)
        if not self.months:
            return (start,)
        year, month0 = divmod(start.year * 12 + start.month - 1 + self.months, 12)
        length = monthrange(year, month0 + 1)[1]
        midnight = start.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        if start.day > length:
            year, month0 = divmod(year * 12 + month0 + 1, 12)
            return (midnight.replace(year=year, month=month0 + 1),)
        first = start.replace(year=year, month=month0 + 1)
        if start.day < monthrange(start.year, start.month)[1]:
            return (first,)
        days = range(start.day + 1, length + 1)
        again = (t.replace(year=year, month=month0 + 1, day=day) for day in days for t in (midnight, start))
        return (first, *again)

    def total_seconds(self) -> float:
        """Return the length in seconds; raise `InvalidValueError` if it has months, which have no fixed length."""
        if self.months:
            raise invalid(Code.DURATION_NOT_FIXED, self.text)
        return self.seconds


def _spelled(said: str) -> tuple[int, float]:
    _refuse_ambiguous(said)
    if not _WHOLE.fullmatch(said):
        raise invalid(Code.NOT_A_DURATION, said)
    months, seconds = 0.0, 0.0
    for number, unit in _PART.findall(said):
        name = unit.lower()
        if name in _MONTHS:
            months += _finite(number) * _MONTHS[name]
        elif name in _SECONDS:
            seconds += _finite(number) * _SECONDS[name]
        else:
            raise invalid(Code.DURATION_UNIT, said, unit=unit)
    return _whole_months(months, said), seconds


def _refuse_ambiguous(said: str) -> None:
    if re.fullmatch(r"[-+]?\d+(\.\d+)?", said):
        number = said.lstrip("+-")
        raise invalid(Code.DURATION_NO_UNIT, said, days=f"{number}d", hours=f"{number}h")
    if found := re.search(r"(\d+(?:\.\d+)?)\s*[mM]\b", said):
        number = found[1]
        raise invalid(Code.DURATION_AMBIGUOUS, said, minutes=f"{number}min", months=f"{number} months")
    if said.startswith("-"):
        raise invalid(Code.DURATION_NEGATIVE, said)


def _iso(said: str) -> tuple[int, float]:
    import isodate  # noqa: PLC0415 - only the ISO 8601 forms need it

    try:
        found = isodate.parse_duration(said) if _ISO.fullmatch(said) else None
    except (isodate.ISO8601Error, ValueError, ArithmeticError):
        found = None
    if found is None:
        raise invalid(Code.DURATION_ISO, said)
    if isinstance(found, timedelta):
        return 0, found.total_seconds()
    return _whole_months(float(found.years * 12 + found.months), said), found.tdelta.total_seconds()


def _whole_months(months: float, said: str) -> int:
    if not math.isfinite(months) or months != int(months):
        raise invalid(Code.DURATION_PART_OF_MONTH, said)
    return int(months)


def _finite(number: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise invalid(Code.DURATION_TOO_LONG, number)
    return value
