"""Laws of `expired`: unknown never matches, and one more platform never brings the end nearer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, strategies as st

from drawing import builds
from package_retention.decide.expiry import parse_duration
from package_retention.model import Unreadable
from platforms import Platform, expiry

NOW = datetime(2026, 5, 1, tzinfo=UTC)
TEXTS = st.sampled_from(("1h", "2d", "3w", "0d", "", "soon")) | st.text(max_size=5)
LABELS = st.none() | TEXTS | st.just(Unreadable("HTTP 500"))
PLATFORMS = builds(Platform, st.none() | TEXTS, LABELS)
DATES = st.none() | st.integers(0, 100).map(lambda days: NOW - timedelta(days=days))


def _expired(index: str | None, platforms: list[Platform], touched: datetime | None) -> bool:
    return expiry(index, platforms, touched, NOW).expired is True


@given(st.none() | TEXTS, st.lists(PLATFORMS, max_size=4), PLATFORMS, DATES)
def test_one_more_platform_never_makes_an_image_expire(
    index: str | None, platforms: list[Platform], another: Platform, touched: datetime | None
) -> None:
    if platforms and not _expired(index, platforms, touched):
        assert not _expired(index, [*platforms, another], touched)


@given(st.lists(PLATFORMS, max_size=4), DATES)
def test_an_image_expires_only_where_every_platform_says_so_in_a_valid_duration(
    platforms: list[Platform], touched: datetime | None
) -> None:
    if _expired(None, platforms, touched):
        assert touched is not None
        assert platforms
        assert all(isinstance(p.stated, str) and parse_duration(p.stated) for p in platforms)


@given(st.none() | TEXTS, st.lists(PLATFORMS, max_size=4), DATES)
def test_the_order_of_the_platforms_is_irrelevant(
    index: str | None, platforms: list[Platform], touched: datetime | None
) -> None:
    assert _expired(index, platforms, touched) == _expired(index, platforms[::-1], touched)
