"""Why a rule reaches a version, as values: the rule in its own words, and what of the version meets each condition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from package_retention.decide.rules import OrderBy, Series
from package_retention.reason import Condition

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, timedelta

    from package_retention.decide.matching import Candidate
    from package_retention.decide.patterns import Patterns
    from package_retention.decide.rules import Filter, Rule
    from package_retention.reason import Terms


def terms(rule: Rule) -> Terms:
    """Return a rule in its own words: each key that it gives, with the value as a person reads it."""
    return (*_filter_terms(rule.filter), *_retention_terms(rule))


def _filter_terms(condition: Filter) -> Iterator[tuple[str, str]]:
    if condition.tag_status:
        yield "tag-status", condition.tag_status.value
    if condition.versions:
        yield "versions", written(condition.versions)
    if condition.version_range:
        yield "version-range", condition.version_range.text
    if condition.release_status:
        yield "release-status", condition.release_status.value
    if condition.ids is not None:
        yield "package-version-ids", ", ".join(map(str, sorted(condition.ids)))
    if condition.damaged:
        yield "remove-damaged", ", ".join(sorted(condition.damaged))
    for key, length in (
        ("older-than", condition.older_than),
        ("newer-than", condition.newer_than),
        ("deleted-within", condition.deleted_within),
    ):
        if length:
            yield key, str(length)


def _retention_terms(rule: Rule) -> Iterator[tuple[str, str]]:
    retention = rule.retention
    if not retention.minimum:
        return
    yield "min-versions-to-keep", str(retention.minimum)
    if retention.per is not None:
        per = retention.per
        yield "keep-per", per.value if isinstance(per, Series) else per.text
    if retention.order_by is OrderBy.VERSION:
        yield "order-by", retention.order_by.value


def written(patterns: Patterns) -> str:
    """Return patterns as they were written, in one line."""
    return ", ".join(entry.text for entry in patterns.entries)


def facts(condition: Filter, candidate: Candidate, now: datetime) -> tuple[Condition, ...]:
    """Return what of a version meets each condition of a filter that holds."""
    version = candidate.version
    age = _since(version.touched_at, now)
    texts = candidate.texts or (() if candidate.is_image else (version.name,))
    found = {
        "versions": Condition("versions", texts=texts),
        "version-range": Condition("version-range", texts=texts),
        "release-status": Condition("release-status", texts=texts),
        "remove-damaged": Condition("remove-damaged", texts=(candidate.damage,) if candidate.damage else ()),
        "older-than": Condition("older-than", age=age),
        "newer-than": Condition("newer-than", age=age),
        "deleted-within": Condition("deleted-within", age=_since(version.deleted_at, now)),
    }
    return tuple(
        Condition(key, asked, age=known.age, texts=known.texts)
        for key, asked in _filter_terms(condition)
        for known in [found.get(key, Condition(key))]
    )


def _since(moment: datetime | None, now: datetime) -> timedelta | None:
    return None if moment is None else now - moment
