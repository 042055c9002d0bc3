from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from package_retention.decide.expiry import Expiry, parse_duration
from package_retention.model import Unreadable
from platforms import Platform, expiry

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
TOUCHED = NOW - timedelta(days=3)
AMD = Platform(label="2d")
ARM = Platform(label="1w")


@pytest.mark.parametrize(
    ("text", "hours"), [("1h", 1), ("2d", 48), ("3w", 504), ("0001h", 1), ("999h", 999), ("52285w", 8783880)]
)
def test_a_duration_is_a_number_of_hours_days_or_weeks(text: str, hours: int) -> None:
    assert parse_duration(text) == timedelta(hours=hours)


@pytest.mark.parametrize(
    "text",
    ["", "0h", "00d", "-1d", "+1d", "1.5d", "1", "d", "1m", "30s", "1y", "2D", " 2d", "2d ", "2d\n", "1h30", "never", "٣d",
     "52286w", "999999999w", "9" * 5000 + "h"],
)  # fmt: skip
def test_nothing_else_is_a_duration(text: str) -> None:
    assert parse_duration(text) is None


def test_an_image_expires_when_its_time_is_over_to_the_second() -> None:
    at = TOUCHED + timedelta(days=2)
    assert expiry(None, [AMD], TOUCHED, NOW) == Expiry(expired=True, at=at, text="2d")
    assert expiry(None, [AMD], TOUCHED, at) == Expiry(expired=True, at=at, text="2d")
    assert expiry(None, [AMD], TOUCHED, at - timedelta(seconds=1)) == Expiry(expired=False, at=at, text="2d")


def test_the_longest_of_the_platforms_counts() -> None:
    assert expiry(None, [AMD, ARM], TOUCHED, NOW) == Expiry(
        expired=False, at=TOUCHED + timedelta(weeks=1), text="1w"
    )


def test_an_index_that_carries_the_annotation_is_judged_by_it_alone() -> None:
    assert expiry("1d", [ARM, Platform()], TOUCHED, NOW) == Expiry(
        expired=True, at=TOUCHED + timedelta(days=1), text="1d"
    )
    assert expiry("soon", [AMD], TOUCHED, NOW) == Expiry(expired=False, text="soon")
    assert expiry("", [AMD], TOUCHED, NOW) == Expiry(expired=False, text="")


def test_the_annotation_of_a_manifest_counts_before_the_label_of_its_config() -> None:
    both = Platform(annotation="2w", label="1h")
    assert expiry(None, [both], TOUCHED, NOW) == Expiry(
        expired=False, at=TOUCHED + timedelta(weeks=2), text="2w"
    )
    unread = Platform(annotation="1h", label=Unreadable("timed out"))
    assert expiry(None, [unread], TOUCHED, NOW).expired


def test_every_platform_must_say_so() -> None:
    assert expiry(None, [AMD, Platform()], TOUCHED, NOW) == Expiry(expired=False)
    assert expiry(None, [], TOUCHED, NOW) == Expiry(expired=False)


def test_an_invalid_label_never_matches_and_is_reported_before_a_silent_platform() -> None:
    platforms = [Platform(), Platform(label="0d"), AMD]
    assert expiry(None, platforms, TOUCHED, NOW) == Expiry(expired=False, text="0d")


def test_a_config_that_cannot_be_read_is_reported_before_all_else() -> None:
    unread = Platform(label=Unreadable("HTTP 503"))
    platforms = [Platform(), Platform(label="?"), unread]
    assert expiry(None, platforms, TOUCHED, NOW) == Expiry(expired=None)


def test_an_image_without_a_date_never_expires() -> None:
    assert expiry(None, [AMD], None, NOW) == Expiry(expired=None)
