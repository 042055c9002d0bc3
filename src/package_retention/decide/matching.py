"""Match filters: a candidate matches, does not match, is not known to match, or matches by some of its tags."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import IntEnum

from msgspec import Struct
from msgspec.structs import replace

from package_retention.decide.candidates import LATEST, Candidate
from package_retention.decide.ecosystems import VersionParser
from package_retention.decide.expiry import ToRead, image_expiry
from package_retention.decide.patterns import DERIVED_STARTS, Patterns
from package_retention.decide.rules import (
    Damage,
    DecisionContext,
    Filter,
    ReleaseStatus,
    RuleInWords,
    TagStatus,
    said,
)
from package_retention.decide.source_gone import GitNames, SourceJudge, SourceState, state_of
from package_retention.model import GitKind
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
    # What is known for good comes before ages: "too young" is said only of what would match once it is old enough.
    for match in _whole(condition, candidate):
        if match.verdict is Verdict.NO:
            return match
    worst = _texts(condition, candidate, context.parser, guarded=not restore)
    if worst.verdict is not Verdict.NO and condition.source_gone:
        worst = _source_gone(condition, candidate, worst, context)
    if worst.verdict is Verdict.NO:
        return worst
    for match in _ages(condition, candidate, context.now):
        worst = min(worst, match, key=_verdict)
    if not restore and _needs_grace(condition, candidate):
        worst = min(worst, _grace(candidate, context.now), key=_verdict)
    if condition.expired and worst.verdict >= Verdict.PARTLY:
        worst = min(worst, _expired(candidate, context.now), key=_verdict)
    return worst


def _verdict(match: Match) -> Verdict:
    return match.verdict


def keeps(condition: Filter, candidate: Candidate, context: DecisionContext) -> bool:
    """Match a keep rule's filter: one tag is enough, and what is unknown counts as matching.

    A rule that names something in an image (the id or digest of a platform, the tag of a signature) keeps the image.
    """
    ids = candidate.ids_inside or {candidate.version.id}
    if condition.ids is not None and condition.ids.isdisjoint(ids):
        return False
    whole = replace(condition, ids=None)
    standing = (*_whole(whole, candidate), *_ages(whole, candidate, context.now))
    if any(match.verdict is Verdict.NO for match in standing):
        return False
    if condition.referenced_in and candidate.used(condition.referenced_in) is None:
        return False
    judge_source = (
        source_judge(condition, condition.source_exists, candidate, context)
        if condition.source_exists
        else None
    )
    if judge_source and not judge_source.exists(candidate.texts):
        return False
    if not _looks_at_texts(condition):
        return True
    if candidate.is_image and condition.versions and _names_inside(condition.versions, candidate):
        return True
    # Patterns see companion tags as any tag; what reads versions ignores them.
    by_pattern = condition.version_range is None and condition.release_status is None
    texts = candidate.texts if by_pattern else candidate.filtered
    return any(
        _state(condition, candidate, text, context.parser) is not False
        and (judge_source is None or judge_source.exists((text,)))
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


def _no(code: ReasonCode) -> Match:
    return Match(Verdict.NO, Reason(code))


def _missed(key: str, value: str, age: timedelta | None = None) -> Match:
    """Return the match of a condition that does not hold."""
    fact = Condition(key, value, holds=False, age=age)
    return Match(Verdict.NO, Reason(ReasonCode.NOT_MATCHED, facts=(fact,)))


def _unknown(detail: ReasonDetail) -> Match:
    return Match(Verdict.UNKNOWN, Reason(ReasonCode.UNKNOWN, detail))


_YES = Match(Verdict.YES, Reason(ReasonCode.SELECTED))


def _whole(condition: Filter, candidate: Candidate) -> Iterator[Match]:
    """Yield the conditions on the candidate as a whole, except ages, that do not hold."""
    if condition.ids is not None and candidate.version.id not in condition.ids:
        yield _missed("package-version-ids", "")
    if (
        condition.tag_status
        and candidate.is_image
        and bool(candidate.texts) is not (condition.tag_status is TagStatus.TAGGED)
    ):
        yield _missed("tag-status", condition.tag_status)
    if condition.damaged and candidate.damage not in condition.damaged:
        yield _missed("remove-damaged", said(condition.damaged))


def _ages(condition: Filter, candidate: Candidate, now: datetime) -> Iterator[Match]:
    """Yield the conditions on ages that do not hold, or are not known to."""
    touched, deleted = candidate.version.touched_at, candidate.version.deleted_at
    if (older := condition.older_than) is not None:
        if touched is None:
            yield _unknown(ReasonDetail.NO_AGE)
        elif touched > older.before(now):
            yield _missed("older-than", str(older), now - touched)
    newer = condition.newer_than
    if newer is not None and touched is not None and touched < newer.before(now):
        yield _missed("newer-than", str(newer), now - touched)
    if (within := condition.deleted_within) is not None:
        if deleted is None:
            yield _unknown(ReasonDetail.NO_DELETION_DATE)
        elif deleted < within.before(now):
            yield _missed("deleted-within", str(within), now - deleted)


def _source_gone(condition: Filter, candidate: Candidate, texts: Match, context: DecisionContext) -> Match:
    """Match if all that an image's tags are named after is gone; else match the tags of which that is so."""
    judge_source = source_judge(condition, condition.source_gone, candidate, context)
    named = candidate.without_companions
    found = judge_source.gone(named)
    if state_of(found) is SourceState.GONE:
        return texts
    unknown = state_of(found) is SourceState.UNKNOWN
    missed = Condition("source-gone", said(condition.source_gone), holds=None if unknown else False)
    facts = (missed, *found[:1])
    matching = texts.tags if texts.verdict is Verdict.PARTLY else named
    if texts.verdict >= Verdict.PARTLY and (tags := judge_source.gone_tags(matching, named)):
        return Match(Verdict.PARTLY, Reason(ReasonCode.PARTLY_MATCHED, facts=facts), tags)
    if unknown:
        return Match(Verdict.UNKNOWN, Reason(ReasonCode.UNKNOWN, ReasonDetail.SOURCE, facts=facts))
    return Match(Verdict.NO, Reason(ReasonCode.NOT_MATCHED, facts=facts))


def _expired(candidate: Candidate, now: datetime) -> Match:
    """Match an image that has expired by its own label; what is unread must be read, and all decided again."""
    if candidate.facts is None:
        return _unknown(ReasonDetail.EXPIRY)
    found = image_expiry(candidate.facts, candidate.version, now)
    if found.expired:
        return _YES
    facts = (found.condition(now),)
    if found.expired is None:
        reason = Reason(ReasonCode.UNKNOWN, ReasonDetail.EXPIRY, facts=facts)
        return Match(Verdict.UNKNOWN, reason, to_read=found.to_read)
    return Match(Verdict.NO, Reason(ReasonCode.NOT_MATCHED, facts=facts))


def _needs_grace(condition: Filter, candidate: Candidate) -> bool:
    return candidate.is_image and not candidate.has_own_tag and condition.older_than is None


def _grace(candidate: Candidate, now: datetime) -> Match:
    """Match untagged images that are old enough: a young one may be a platform whose index is still to come."""
    touched = candidate.version.touched_at
    if touched is None:
        return _unknown(ReasonDetail.NO_AGE)
    if touched > now - GRACE:
        return _no(ReasonCode.GRACE)
    return _YES


def _looks_at_texts(condition: Filter) -> bool:
    return not (
        condition.versions is None and condition.version_range is None and condition.release_status is None
    )


def _texts(condition: Filter, candidate: Candidate, parser: VersionParser, *, guarded: bool) -> Match:
    if not _looks_at_texts(condition):
        return (_latest(condition, candidate) if guarded else None) or _YES
    if not candidate.texts:
        return _untagged(condition, candidate)
    named = candidate.filtered
    states = {text: _state(condition, candidate, text, parser) for text in named}
    matched = tuple(
        [
            text
            for text, state in states.items()
            if state and not (guarded and _hides_latest(condition, candidate, text))
        ]
    )
    if len(matched) == len(named):
        return _YES
    if matched:
        fact = Condition("versions", texts=matched)
        return Match(Verdict.PARTLY, Reason(ReasonCode.PARTLY_MATCHED, facts=(fact,)), matched)
    if any(states.values()):
        return _latest(condition, candidate) or _no(ReasonCode.NOT_MATCHED)
    if any(state is None for state in states.values()):
        return _unknown(ReasonDetail.NO_VERSION)
    return _texts_missed(condition, candidate, parser)


def _texts_missed(condition: Filter, candidate: Candidate, parser: VersionParser) -> Match:
    """Return the first condition on names or tags that none of them meets."""
    digest = candidate.version.name if candidate.is_image else ""
    patterns, wanted = condition.versions, condition.version_range
    if patterns and not any(patterns.matches(t, digest, candidate.reference) for t in candidate.filtered):
        return _missed("versions", str(patterns))
    parsed = (number for text in candidate.filtered if (number := parser.of(text)) is not None)
    if wanted is not None and not any(wanted.contains(number) for number in parsed):
        return _missed("version-range", str(wanted))
    return _missed("release-status", condition.release_status or "")


def _untagged(condition: Filter, candidate: Candidate) -> Match:
    if condition.version_range is not None or condition.release_status is not None:
        return _unknown(ReasonDetail.UNTAGGED_NO_VERSION)
    named = condition.versions and condition.versions.matches_digest(
        candidate.version.name, candidate.reference
    )
    return _YES if named else _missed("versions", "")


def _state(condition: Filter, candidate: Candidate, text: str, parser: VersionParser) -> bool | None:
    """Return whether the conditions on names or tags hold for one text; `None` if that is unknown."""
    digest = candidate.version.name if candidate.is_image else ""
    if condition.versions is not None and not condition.versions.matches(text, digest, candidate.reference):
        return False
    if condition.version_range is None and condition.release_status is None:
        return True
    number = parser.of(text)
    if number is None:
        return None
    if condition.version_range is not None and not condition.version_range.contains(number):
        return False
    wanted = condition.release_status
    return wanted is None or number.prerelease is (wanted is ReleaseStatus.PRE_RELEASE)


def _hides_latest(condition: Filter, candidate: Candidate, text: str) -> bool:
    """Return whether a text is `latest` and not named: only its own name or the id reaches it, no wildcard does."""
    if not candidate.is_image or text != LATEST:
        return False
    by_name = condition.versions is not None and condition.versions.literally(LATEST)
    return not (by_name or (condition.ids is not None and candidate.version.id in condition.ids))


def _latest(condition: Filter, candidate: Candidate) -> Match | None:
    if any(_hides_latest(condition, candidate, text) for text in candidate.texts):
        return _no(ReasonCode.LATEST)
    return None


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
            return image_expiry(candidate.facts, version, now).condition(now)
    return Condition(key, value)


def _found_elsewhere(condition: Filter, candidate: Candidate, context: DecisionContext) -> Iterator[Fact]:
    """Yield what was found in git and in files about a version, if conditions need it."""
    if condition.source_gone:
        gone = source_judge(condition, condition.source_gone, candidate, context)
        yield from gone.gone(candidate.without_companions)[:_MOST_SOURCES]
    if condition.source_exists:
        exists = source_judge(condition, condition.source_exists, candidate, context)
        if thing := exists.exists(candidate.texts):
            yield thing
    if place := candidate.used(condition.referenced_in):
        yield place


def _since(moment: datetime | None, now: datetime) -> timedelta | None:
    return None if moment is None else now - moment
