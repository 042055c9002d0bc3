"""Explain why a rule reaches a version, as values: the rule in its own words, and what meets each condition."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from msgspec import Struct

from package_retention.decide import source_gone
from package_retention.decide.candidates import Candidate
from package_retention.decide.expiry import Expires, Expiry, InvalidExpiry, NotStated, ToRead, image_expiry
from package_retention.decide.git_names import GitKind
from package_retention.decide.patterns import Patterns
from package_retention.decide.rules import DecisionContext, Filter, OrderBy, Rule, Series
from package_retention.reason import Condition, Fact, Terms

_MOST_SOURCES = 3  # things in git that one reason names


class RuleInWords(Struct, frozen=True):
    """A rule and its own words, made once and not for each of 100,000 versions.

    `terms` are the keys of the rule, each with its value as a person reads it; `filter_terms` those of its filter.
    """

    rule: Rule
    terms: Terms
    filter_terms: Terms

    @property
    def minimum(self) -> int:
        """How many of the newest the rule keeps."""
        return self.rule.retention.minimum


def in_words(rule: Rule) -> RuleInWords:
    """Return a rule with its own words."""
    filter_terms = tuple(_filter_terms(rule.filter))
    return RuleInWords(rule, (*filter_terms, *_retention_terms(rule)), filter_terms)


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
    for key, value in (
        ("source-gone", listed_kinds(condition.source_gone)),
        ("source-exists", listed_kinds(condition.source_exists)),
        ("referenced-in", ", ".join(condition.referenced_in)),
        ("expired", "true" if condition.expired else ""),
        ("older-than", str(condition.older_than or "")),
        ("newer-than", str(condition.newer_than or "")),
        ("deleted-within", str(condition.deleted_within or "")),
    ):
        if value:
            yield key, value


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


def listed_kinds(kinds: Iterable[GitKind]) -> str:
    """Return kinds of things in git in one line."""
    return ", ".join(sorted(kinds))


def expiry_condition(expiry: Expiry, now: datetime) -> Condition:
    """Return whether `expired` holds for an image; `texts` hold the duration as the image states it."""
    match expiry:
        case Expires(at, text, expired):
            return Condition("expired", "true", holds=expired, age=now - at, texts=(text,))
        case InvalidExpiry(text):
            return Condition("expired", "true", holds=False, texts=(text,))
        case NotStated():
            return Condition("expired", "true", holds=False)
        case _:
            return Condition("expired", "true", holds=None)


def matched_facts(rule: RuleInWords, candidate: Candidate, context: DecisionContext) -> tuple[Fact, ...]:
    """Return what of a version meets each condition of a rule whose filter holds."""
    conditions = [_condition(key, value, candidate, context.now) for key, value in rule.filter_terms]
    return (*conditions, *_found_elsewhere(rule.rule.filter, candidate, context))


def _condition(key: str, value: str, candidate: Candidate, now: datetime) -> Condition:
    version = candidate.version
    match key:
        case "versions" | "version-range" | "release-status":
            texts = candidate.texts or (() if candidate.is_image else (version.name,))
            return Condition(key, value, texts=texts)
        case "older-than" | "newer-than":
            return Condition(key, value, age=_since(version.touched_at, now))
        case "deleted-within":
            return Condition(key, value, age=_since(version.deleted_at, now))
        case "remove-damaged" if candidate.damage:
            return Condition(key, value, texts=(candidate.damage,))
        case "expired" if candidate.facts:
            expiry = image_expiry(candidate.facts, version, now)
            if not isinstance(expiry, ToRead):
                found = expiry_condition(expiry, now)
                return Condition(key, value, age=found.age, texts=found.texts)
    return Condition(key, value)


def _found_elsewhere(condition: Filter, candidate: Candidate, context: DecisionContext) -> Iterator[Fact]:
    """Yield what was found in git and in files about a version, if conditions need it."""
    if condition.source_gone:
        verdict = source_gone.gone(condition, candidate, candidate.without_companions, context)
        yield from verdict.facts[:_MOST_SOURCES]
    texts, parser = candidate.texts, context.parser
    if condition.source_exists and (thing := source_gone.exists(condition, candidate, texts, parser)):
        yield thing
    if place := candidate.used(condition.referenced_in):
        yield place


def _since(moment: datetime | None, now: datetime) -> timedelta | None:
    return None if moment is None else now - moment
