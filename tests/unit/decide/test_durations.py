"""Durations: what is understood, what is refused and with which advice, and the calendar."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, strategies as st

from package_retention.decide.durations import Duration
from package_retention.output.problem_sentences import sentences
from package_retention.problems import InvalidValueError

NOW = datetime(2024, 3, 31, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "months", "seconds"),
    [
        ("90s", 0, 90),
        ("1 second", 0, 1),
        ("15min", 0, 900),
        ("15 minutes", 0, 900),
        ("36h", 0, 36 * 3600),
        ("36 Hours", 0, 36 * 3600),
        ("30d", 0, 30 * 86400),
        ("30D", 0, 30 * 86400),
        ("2w", 0, 14 * 86400),
        ("6 months", 6, 0),
        ("1 month", 1, 0),
        ("1 year", 12, 0),
        ("2y", 24, 0),
        ("0s", 0, 0),
        ("1.5h", 0, 5400),
        ("1d 12h", 0, 36 * 3600),
        ("1h30min", 0, 5400),
        ("1 year 6 months", 18, 0),
        ("P30D", 0, 30 * 86400),
        ("P2W", 0, 14 * 86400),
        ("PT1H30M", 0, 5400),
        ("P6M", 6, 0),
        ("P1Y2M3DT4H", 14, 3 * 86400 + 4 * 3600),
        ("P0D", 0, 0),
        ("  30d\r\n", 0, 30 * 86400),
    ],
)
def test_forms(text: str, months: int, seconds: float) -> None:
    assert Duration.parse(text) == Duration(text.strip(), months, seconds)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("6m", "`6min` or `6 months`"),
        ("6M", "`6min` or `6 months`"),
        ("6 m", "`6min` or `6 months`"),
        ("1h 30m", "`30min` or `30 months`"),
        ("30", "`30d`"),
        ("0", "`0d`"),
        ("1.5", "`1.5d`"),
        ("", "`6 months`"),
        ("soon", "`6 months`"),
        ("d", "`30d`"),
        ("-3d", "negative"),
        ("-30", "`30d`"),
        ("-P1D", "negative"),
        ("P-1D", "ISO 8601"),
        ("P", "ISO 8601"),
        ("PT", "ISO 8601"),
        ("P1DT", "ISO 8601"),
        ("P30", "ISO 8601"),
        ("p30d", "`P30D`"),
        ("P0003-06-04T12:30:05", "ISO 8601"),
        ("6 mo", "unit `mo`"),
        ("3 fortnights", "unit `fortnights`"),
        ("1.5 months", "part of a month"),
        ("P1.5M", "part of a month"),
        ("30d!", "`30d`"),
        ("30 d, 2 h", "`30d`"),
        ("\u0663\u0660d", "`30d`"),
        ("2000 years", "1,000 years"),
        ("9" * 400 + "d", "1,000 years"),
        ("P" + "9" * 30 + "Y", "1,000 years"),
        ("P" + "9" * 5000 + "D", "years|ISO 8601"),
    ],
)
def test_refusals_name_the_right_form(text: str, hint: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        Duration.parse(text)
    assert re.search(hint, "; ".join(sentences(caught.value.problems)))


@pytest.mark.parametrize(
    ("text", "now", "expected"),
    [
        ("1 month", NOW, datetime(2024, 2, 29, 12, 30, tzinfo=UTC)),
        ("13 months", NOW, datetime(2023, 2, 28, 12, 30, tzinfo=UTC)),
        ("1 year", datetime(2024, 2, 29, tzinfo=UTC), datetime(2023, 2, 28, tzinfo=UTC)),
        ("3 months", datetime(2024, 1, 15, tzinfo=UTC), datetime(2023, 10, 15, tzinfo=UTC)),
        ("36h", NOW, datetime(2024, 3, 30, 0, 30, tzinfo=UTC)),
        ("1 month 1d", NOW, datetime(2024, 2, 28, 12, 30, tzinfo=UTC)),
        ("0s", NOW, NOW),
    ],
)
def test_before_goes_by_the_calendar(text: str, now: datetime, expected: datetime) -> None:
    assert Duration.parse(text).before(now) == expected


def test_months_are_those_of_utc() -> None:
    """In Auckland it is March already; in UTC it is still February's last day."""
    auckland = datetime(2023, 3, 1, 8, 0, tzinfo=timezone(timedelta(hours=13)))
    assert Duration.parse("1 month").before(auckland) == datetime(2023, 1, 28, 19, 0, tzinfo=UTC)


def test_the_longest_duration_stays_within_the_calendar() -> None:
    longest = Duration.parse("1000 years")
    assert longest.before(NOW).year == 1024
    with_days = Duration.parse("999 years 365000d")
    assert with_days.before(NOW).year > 0


def test_months_have_no_length_in_seconds() -> None:
    assert Duration.parse("2h").total_seconds() == 7200
    with pytest.raises(InvalidValueError) as caught:
        Duration.parse("2 months").total_seconds()
    assert re.search("no fixed length", "; ".join(sentences(caught.value.problems)))


NOWS = st.datetimes(datetime(2020, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - as it wants


@given(st.integers(0, 12_000), st.floats(0, 1000 * 366 * 86400), NOWS)
def test_before_is_never_later_and_longer_is_never_less(months: int, seconds: float, now: datetime) -> None:
    before = Duration("", months, seconds).before(now)
    assert before <= now
    if months:
        assert Duration("", months - 1, seconds).before(now) >= before


@given(st.text(max_size=20))
def test_any_text_is_a_duration_or_is_refused(text: str) -> None:
    with suppress(InvalidValueError):
        found = Duration.parse(text)
        assert found.months >= 0
        assert found.seconds >= 0
        assert any(c in "0123456789" for c in text)
