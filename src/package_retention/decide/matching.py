"""Match filters: a candidate matches, does not match, is not known to match, or matches by some of its tags; and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from enum import IntEnum
from operator import attrgetter

from msgspec import Struct

from package_retention.decide.candidates import LATEST, Candidate
from package_retention.decide.ecosystems import VersionParser
from package_retention.decide.expiry import ToRead, image_expiry
from package_retention.decide.patterns import DERIVED_STARTS, Patterns
from package_retention.decide.rules import (
    DecisionContext,
    Filter,
    ReleaseStatus,
    Rule,
    TagStatus,
    said,
)
from package_retention.decide.source_gone import GitNames, SourceFact, SourceJudge, SourceState, state_of
from package_retention.model import Damage, GitKind
from package_retention.reason import Condition, Fact, Reason, ReasonCode, ReasonDetail

GRACE = timedelta(hours=24)
GIT_TAG_GRACE = timedelta(hours=24)

_MOST_SOURCES = 3  # things in git that one reason names


class Verdict(IntEnum):
    """A match, from "no" to "yes"."""

    NO = 0
    UNKNOWN = 1
    PARTLY = 2
    YES = 3


class Match(Struct, frozen=True):
    """A verdict with its reason; `tags` are those that match, if only some do.

    `excluded` is the verdict that an exclusion of the same rule took back. `to_read` must be read
    from the registry before the verdict is known.
    """

    verdict: Verdict
    reason: Reason
    tags: tuple[str, ...] = ()
    excluded: Verdict | None = None
    to_read: ToRead | None = None

    @property
    def before_exclusion(self) -> Verdict:
        """The verdict of the filter alone."""
        return self.verdict if self.excluded is None else self.excluded


def judge(
    condition: Filter, candidate: Candidate, context: DecisionContext, *, restore: bool = False
) -> Match:
    """Match a delete rule's filter: every condition must surely hold, and on every tag.

    What is not known never matches here, and always does in `keeps`: a fault of the network must not delete.
    A restore needs to protect neither what is young nor what is tagged `latest`.
    """
    if candidate.is_referrer and Damage.ORPHANED not in condition.damaged:
        return _no(ReasonCode.ORPHANED)
    if condition.ids is not None and candidate.version.id not in condition.ids:
        return _missed("package-version-ids", "")
    # What is known for good comes before ages: "too young" is said only of what would match once it is old enough.
    if missed := _whole(condition, candidate):
        return missed
    worst = _texts(condition, candidate, context.parser, guarded=not restore)
    if condition.source_gone and worst.verdict is not Verdict.NO:
        worst = _source_gone(condition, candidate, worst, context)
    if worst.verdict is Verdict.NO:
        return worst
    young = () if restore else _grace(condition, candidate, context.now)
    for match in (*_ages(condition, candidate, context.now), *young):
        worst = min(worst, match, key=_VERDICT)
    if condition.expired and worst.verdict >= Verdict.PARTLY:
        worst = min(worst, _expired(candidate, context.now), key=_VERDICT)
    return worst


def keeps(condition: Filter, candidate: Candidate, context: DecisionContext) -> bool:
    """Match a keep rule's filter: one tag is enough, and what is unknown counts as matching.

    A rule that names something in an image (the id or digest of a platform, the tag of a signature) keeps the image.
    """
    ids = candidate.ids_inside or {candidate.version.id}
    if condition.ids is not None and condition.ids.isdisjoint(ids):
        return False
    by_age = _ages(condition, candidate, context.now)
    if _whole(condition, candidate) or any(match.verdict is Verdict.NO for match in by_age):
        return False
    if condition.referenced_in and candidate.used(condition.referenced_in) is None:
        return False
    if condition.source_exists and not _existing(condition, candidate, candidate.texts, context):
        return False
    if not condition.looks_at_texts:
        return True
    if candidate.is_image and condition.versions and _names_inside(condition.versions, candidate):
        return True
    # Patterns see companion tags as any tag; what reads versions ignores them.
    texts = candidate.filtered if condition.reads_versions else candidate.texts
    return any(
        _reach(condition, candidate, text, context.parser) >= _NO_VERSION
        and (not condition.source_exists or _existing(condition, candidate, (text,), context))
        for text in texts
        # An orphan's texts hold its derived tag, and `*` does not mean signatures here either.
        if not (candidate.is_referrer and text.startswith(DERIVED_STARTS))
    )


def source_judge(
    condition: Filter, kinds: frozenset[GitKind], candidate: Candidate, context: DecisionContext
) -> SourceJudge:
    """Return what judges a candidate by kinds of things in git.

    A git tag may come after the package that is named after it, unless an age is given that leaves time enough.
    """
    names = (candidate.facts and candidate.facts.git) or GitNames(())
    touched = candidate.version.touched_at
    mature = condition.older_than is not None or (
        touched is not None and context.now - touched >= GIT_TAG_GRACE
    )
    return SourceJudge(names, kinds, condition.versions, context.parser, mature)


def _existing(
    condition: Filter, candidate: Candidate, texts: Iterable[str], context: DecisionContext
) -> SourceFact | None:
    """Return the thing that a condition on what exists finds."""
    if not condition.source_exists:
        return None
    return source_judge(condition, condition.source_exists, candidate, context).exists(texts)


def excluded(patterns: Patterns | None, candidate: Candidate) -> bool:
    """Return whether anything in a candidate matches an exclusion; only `!` entries exclude what has no tag, too."""
    if patterns is None:
        return False
    tags = (candidate.is_image and candidate.tags_inside) or candidate.texts
    if any(patterns.matches(tag) for tag in tags) or (not tags and patterns.only_negated):
        return True
    return candidate.is_image and _any_digest(patterns, candidate)


def _names_inside(patterns: Patterns, candidate: Candidate) -> bool:
    """Return whether a keep rule names a digest in an image, or a derived tag: `*` does not mean signatures."""
    derived = (tag for tag in candidate.tags_inside if tag.startswith(DERIVED_STARTS))
    return _any_digest(patterns, candidate) or any(patterns.matches_derived(tag) for tag in derived)


def _any_digest(patterns: Patterns, candidate: Candidate) -> bool:
    return any(
        patterns.matches_digest(digest) for digest in candidate.digests_inside | {candidate.version.name}
    )


def _no(code: ReasonCode, *facts: Fact) -> Match:
    return Match(Verdict.NO, Reason(code, facts=facts))


def _missed(key: str, value: object, age: timedelta | None = None) -> Match:
    """Return the match of a condition that does not hold; `value` is that of its key."""
    return _no(ReasonCode.NOT_MATCHED, Condition(key, said(value), holds=False, age=age))


def _unknown(detail: ReasonDetail, *facts: Fact, to_read: ToRead | None = None) -> Match:
    return Match(Verdict.UNKNOWN, Reason(ReasonCode.UNKNOWN, detail, facts=facts), to_read=to_read)


_YES = Match(Verdict.YES, Reason(ReasonCode.SELECTED))
_VERDICT = attrgetter("verdict")


def _whole(condition: Filter, candidate: Candidate) -> Match | None:
    """Return the first condition on the candidate as a whole, ids and ages left aside, that does not hold."""
    tagged = condition.tag_status is TagStatus.TAGGED
    if condition.tag_status and candidate.is_image and bool(candidate.texts) is not tagged:
        return _missed("tag-status", condition.tag_status)
    if condition.damaged and candidate.damage not in condition.damaged:
        return _missed("remove-damaged", condition.damaged)
    return None


def _ages(condition: Filter, candidate: Candidate, now: datetime) -> Iterator[Match]:
    """Yield the conditions on ages that do not hold, or are not known to."""
    touched, deleted = candidate.version.touched_at, candidate.version.deleted_at
    if (older := condition.older_than) is not None:
        if touched is None:
            yield _unknown(ReasonDetail.NO_AGE)
        elif touched > older.before(now):
            yield _missed("older-than", older, now - touched)
    newer = condition.newer_than
    if newer is not None and touched is not None and touched < newer.before(now):
        yield _missed("newer-than", newer, now - touched)
    if (within := condition.deleted_within) is not None:
        if deleted is None:
            yield _unknown(ReasonDetail.NO_DELETION_DATE)
        elif deleted < within.before(now):
            yield _missed("deleted-within", within, now - deleted)


def _grace(condition: Filter, candidate: Candidate, now: datetime) -> Iterator[Match]:
    """Yield what keeps young untagged images: one may be a platform whose index is still to come."""
    if not candidate.is_image or candidate.has_own_tag or condition.older_than is not None:
        return
    touched = candidate.version.touched_at
    if touched is None:
        yield _unknown(ReasonDetail.NO_AGE)
    elif touched > now - GRACE:
        yield _no(ReasonCode.GRACE)


def _source_gone(condition: Filter, candidate: Candidate, texts: Match, context: DecisionContext) -> Match:
    """Match if all that an image's tags are named after is gone; else match the tags of which that is so."""
    source = source_judge(condition, condition.source_gone, candidate, context)
    named = candidate.without_companions
    found = source.gone(named)
    if state_of(found) is SourceState.GONE:
        return texts
    unknown = state_of(found) is SourceState.UNKNOWN
    missed = Condition("source-gone", said(condition.source_gone), holds=None if unknown else False)
    facts = (missed, *found[:1])
    matching = texts.tags if texts.verdict is Verdict.PARTLY else named
    if texts.verdict >= Verdict.PARTLY and (tags := source.gone_tags(matching, named)):
        return Match(Verdict.PARTLY, Reason(ReasonCode.PARTLY_MATCHED, facts=facts), tags)
    return _unknown(ReasonDetail.SOURCE, *facts) if unknown else _no(ReasonCode.NOT_MATCHED, *facts)


def _expired(candidate: Candidate, now: datetime) -> Match:
    """Match an image that has expired by its own label; what is unread must be read, and all decided again."""
    if candidate.facts is None:
        return _unknown(ReasonDetail.EXPIRY)
    found = image_expiry(candidate.facts, candidate.version, now)
    if found.expired:
        return _YES
    fact = found.condition(now)
    if found.expired is None:
        return _unknown(ReasonDetail.EXPIRY, fact, to_read=found.to_read)
    return _no(ReasonCode.NOT_MATCHED, fact)


def _texts(condition: Filter, candidate: Candidate, parser: VersionParser, *, guarded: bool) -> Match:
    """Match the conditions on names or tags: wholly if all of an image's tags meet them, partly if only some do."""
    hides_latest = guarded and _hides_latest(condition, candidate)
    if not condition.looks_at_texts:
        return _no(ReasonCode.LATEST) if hides_latest else _YES
    if not candidate.texts:
        return _untagged(condition, candidate)
    named = candidate.filtered
    reaches = {text: _reach(condition, candidate, text, parser) for text in named}
    meeting = tuple([text for text, reach in reaches.items() if reach == _MEETS_ALL])
    matched = tuple(text for text in meeting if text != LATEST) if hides_latest else meeting
    if len(matched) == len(named):
        return _YES
    if matched:
        return Match(Verdict.PARTLY, Reason(ReasonCode.PARTLY_MATCHED), matched)
    if meeting:
        return _no(ReasonCode.LATEST)
    nearest = max(reaches.values())
    if nearest == _NO_VERSION:
        return _unknown(ReasonDetail.NO_VERSION)
    missed = {
        _NOT_NAMED: ("versions", condition.versions),
        _OUT_OF_RANGE: ("version-range", condition.version_range),
        _OTHER_STATUS: ("release-status", condition.release_status),
    }
    return _missed(*missed[nearest])


def _untagged(condition: Filter, candidate: Candidate) -> Match:
    if condition.reads_versions:
        return _unknown(ReasonDetail.UNTAGGED_NO_VERSION)
    named = condition.versions and condition.versions.matches_digest(
        candidate.version.name, candidate.reference
    )
    return _YES if named else _missed("versions", "")


# Which of the conditions on names or tags, in their order, a text fails first: the nearest to a match last.
_NOT_NAMED, _OUT_OF_RANGE, _OTHER_STATUS, _NO_VERSION, _MEETS_ALL = range(5)


def _reach(condition: Filter, candidate: Candidate, text: str, parser: VersionParser) -> int:
    """Return how far one text comes through the conditions on names or tags."""
    digest = candidate.version.name if candidate.is_image else ""
    if condition.versions is not None and not condition.versions.matches(text, digest, candidate.reference):
        return _NOT_NAMED
    if not condition.reads_versions:
        return _MEETS_ALL
    number = parser.of(text)
    if number is None:
        return _NO_VERSION
    if condition.version_range is not None and not condition.version_range.contains(number):
        return _OUT_OF_RANGE
    status = ReleaseStatus.PRE_RELEASE if number.prerelease else ReleaseStatus.RELEASE
    return _MEETS_ALL if condition.release_status in (None, status) else _OTHER_STATUS


def _hides_latest(condition: Filter, candidate: Candidate) -> bool:
    """Return whether the tag `latest` counts for nothing: only its own name or the id reaches it, no wildcard does."""
    if not candidate.is_image or LATEST not in candidate.texts:
        return False
    by_name = condition.versions is not None and condition.versions.literally(LATEST)
    return not by_name and condition.ids is None


def matched_facts(rule: Rule, candidate: Candidate, context: DecisionContext) -> tuple[Fact, ...]:
    """Return what of a version meets each condition of a rule whose filter holds."""
    condition = rule.filter
    facts: list[Fact] = [_condition(key, value, candidate, context.now) for key, value in rule.filter_terms]
    if condition.source_gone:
        source = source_judge(condition, condition.source_gone, candidate, context)
        facts += source.gone(candidate.without_companions)[:_MOST_SOURCES]
    if thing := _existing(condition, candidate, candidate.texts, context):
        facts.append(thing)
    if place := candidate.used(condition.referenced_in):
        facts.append(place)
    return tuple(facts)


def _condition(key: str, value: str, candidate: Candidate, now: datetime) -> Condition:
    version = candidate.version
    match key:
        case "older-than" | "newer-than" if touched := version.touched_at:
            return Condition(key, value, age=now - touched)
        case "deleted-within" if version.deleted_at:
            return Condition(key, value, age=now - version.deleted_at)
        case "remove-damaged":
            return Condition(key, value, text=candidate.damage)
        case "expired" if candidate.facts:
            return image_expiry(candidate.facts, version, now).condition(now)
    return Condition(key, value)
