"""The order of changes: oldest first, ties by id (GitHub promises no order of its lists, facts A6)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from package_retention.model import Version

_LATEST = datetime.max.replace(tzinfo=UTC)


def by_age(version: Version) -> tuple[datetime, int]:
    """Sort key: the date of creation, then the id; what has no date counts as newest."""
    return (version.created_at or _LATEST, version.id)


def oldest_first(versions: Iterable[Version]) -> list[Version]:
    """Versions in the order in which they are changed."""
    return sorted(versions, key=by_age)
