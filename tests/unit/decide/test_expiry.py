from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from package_retention.decide.expiry import (
    Expires,
    InvalidExpiry,
    NotStated,
    PlatformExpiry,
    UndatedExpiry,
    UnreadExpiry,
    judge_expiry,
    parse_duration,
)
from package_retention.model import Unreadable

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
TOUCHED = NOW - timedelta(days=3)
AMD = PlatformExpiry("sha256:a", label="2d")
ARM = PlatformExpiry("sha256:b", label="1w")


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
    assert judge_expiry(None, [AMD], TOUCHED, NOW) == Expires(at, "2d", expired=True)
    assert judge_expiry(None, [AMD], TOUCHED, at) == Expires(at, "2d", expired=True)
    assert judge_expiry(None, [AMD], TOUCHED, at - timedelta(seconds=1)) == Expires(at, "2d", expired=False)


def test_the_longest_of_the_platforms_counts() -> None:
    assert judge_expiry(None, [AMD, ARM], TOUCHED, NOW) == Expires(
        TOUCHED + timedelta(weeks=1), "1w", expired=False
    )


def test_an_index_that_carries_the_annotation_is_judged_by_it_alone() -> None:
    assert judge_expiry("1d", [ARM, PlatformExpiry("sha256:c")], TOUCHED, NOW) == Expires(
        TOUCHED + timedelta(days=1), "1d", expired=True
    )
    assert judge_expiry("soon", [AMD], TOUCHED, NOW) == InvalidExpiry("soon")
    assert judge_expiry("", [AMD], TOUCHED, NOW) == InvalidExpiry("")


def test_the_annotation_of_a_manifest_counts_before_the_label_of_its_config() -> None:
    both = PlatformExpiry("sha256:a", annotation="2w", label="1h")
    assert judge_expiry(None, [both], TOUCHED, NOW) == Expires(
        TOUCHED + timedelta(weeks=2), "2w", expired=False
    )
    unread = PlatformExpiry("sha256:a", annotation="1h", label=Unreadable("timed out"))
    assert isinstance(judge_expiry(None, [unread], TOUCHED, NOW), Expires)


def test_every_platform_must_say_so() -> None:
    assert judge_expiry(None, [AMD, PlatformExpiry("sha256:c")], TOUCHED, NOW) == NotStated("sha256:c")
    assert judge_expiry(None, [], TOUCHED, NOW) == NotStated()


def test_an_invalid_label_never_matches_and_is_reported_before_a_silent_platform() -> None:
    platforms = [PlatformExpiry("sha256:c"), PlatformExpiry("sha256:a", label="0d"), AMD]
    assert judge_expiry(None, platforms, TOUCHED, NOW) == InvalidExpiry("0d", "sha256:a")


def test_a_config_that_cannot_be_read_is_reported_before_all_else() -> None:
    unread = PlatformExpiry("sha256:d", label=Unreadable("HTTP 503"))
    platforms = [PlatformExpiry("sha256:c"), PlatformExpiry("sha256:a", label="?"), unread]
    assert judge_expiry(None, platforms, TOUCHED, NOW) == UnreadExpiry("sha256:d", "HTTP 503")


def test_an_image_without_a_date_never_expires() -> None:
    assert judge_expiry(None, [AMD], None, NOW) == UndatedExpiry("2d")
