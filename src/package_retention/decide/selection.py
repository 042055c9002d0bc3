"""Rules over items: which are selected, which stay, and why. A rule can only protect."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from package_retention.decide.candidates import with_companions
from package_retention.decide.expiry import ToRead
from package_retention.decide.explanations import facts, in_words, written
from package_retention.decide.keep_places import newest
from package_retention.decide.matching import Match, Verdict, excluded, judge, keeps
from package_retention.decide.rules import OrderBy
from package_retention.reason import Condition, Reason, ReasonCode, ReasonDetail

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from package_retention.decide.candidates import Candidate
    from package_retention.decide.ecosystems import VersionParser
    from package_retention.decide.explanations import RuleInWords
    from package_retention.decide.keep_places import Newest
    from package_retention.decide.rules import PackageRules, Rule
    from package_retention.reason import Terms


@dataclass(frozen=True, slots=True)
class Selection:
    """What the rules say of one item; `tags` are those to take away from one of which only some tags match.

    `to_read` is what has to be read before a rule can say.
    """

    candidate: Candidate
    selected: bool
    reason: Reason
    tags: tuple[str, ...] = ()
    to_read: ToRead | None = None


def choose(
    candidates: Sequence[Candidate],
    rules: PackageRules,
    parser: VersionParser,
    now: datetime,
    *,
    restore: bool = False,
) -> dict[int, Selection]:
    """Decide every item by version id; the order of items and rules does not matter."""
    candidates = [with_companions(candidate, rules.companions, parser) for candidate in candidates]
    protected = _protected(candidates, rules, parser, now)
    by_rule = [(rule, _matches(rule, candidates, parser, now, restore=restore)) for rule in rules.delete]
    aside = {candidate.version.id for candidate in candidates if _stands_aside(candidate, protected)}
    held = _inside(i for i in candidates if i.version.id in aside or not _is_matched(i, by_rule))
    for rule, matches in by_rule:
        if rule.retention.minimum:
            _retain(rule, candidates, matches, _Standing(aside, held), parser)
    in_order = sorted(((in_words(rule), matches) for rule, matches in by_rule), key=lambda one: one[0].terms)
    selections = {}
    for candidate in candidates:
        reason = protected.get(candidate.version.id)
        answers = [(told, matches[candidate.version.id]) for told, matches in in_order]
        selections[candidate.version.id] = (
            Selection(candidate, selected=False, reason=reason)
            if reason
            else _combined(candidate, answers, parser, now)
        )
    return selections


_NONE = Reason(ReasonCode.NOT_MATCHED, ReasonDetail.NO_RULE)

_Matches = dict[int, Match]


def _inside(candidates: Iterable[Candidate]) -> frozenset[str]:
    """The digests of items and of all that is in them."""
    return frozenset().union(
        *(candidate.digests_inside | {candidate.version.name} for candidate in candidates)
    )


def _stands_aside(candidate: Candidate, protected: Mapping[int, Reason]) -> bool:
    """Whether an item stays or is gone whatever the rules match: it takes no keep place."""
    reason = protected.get(candidate.version.id)
    return candidate.gone or (reason is not None and reason.code in _ASIDE)


_ASIDE = frozenset({ReasonCode.EXCLUDED, ReasonCode.REFERENCED})


def _is_matched(candidate: Candidate, by_rule: Iterable[tuple[Rule, _Matches]]) -> bool:
    return any(matches[candidate.version.id].verdict is Verdict.YES for _, matches in by_rule)


def _protected(
    candidates: Sequence[Candidate], rules: PackageRules, parser: VersionParser, now: datetime
) -> dict[int, Reason]:
    """What exclusions, references and keep rules protect, whatever the delete rules say."""
    excluding = Reason(ReasonCode.EXCLUDED)
    aside = {
        candidate.version.id: Reason(ReasonCode.REFERENCED, facts=(place,))
        for candidate in candidates
        if (place := candidate.used(rules.referenced_in))
    }
    aside |= {
        candidate.version.id: excluding for candidate in candidates if excluded(rules.exclude, candidate)
    }
    found: dict[int, Reason] = {}
    for told in sorted(map(in_words, rules.keep), key=_words):
        rule, words = told.rule, told.terms
        for candidate in _kept_by(rule, candidates, aside, parser, now):
            met = facts(told, candidate, parser, now)
            reason = Reason(ReasonCode.KEEP_RULE, number=rule.retention.minimum, rule=words, facts=met)
            found.setdefault(candidate.version.id, reason)
    return found | aside


def _words(told: RuleInWords) -> Terms:
    return told.terms


def _kept_by(
    rule: Rule,
    candidates: Sequence[Candidate],
    aside: Mapping[int, Reason],
    parser: VersionParser,
    now: datetime,
) -> list[Candidate]:
    """What one keep rule keeps; it sees neither other keep rules nor what delete rules match."""
    matching = [candidate for candidate in candidates if keeps(rule.filter, candidate, parser, now)]
    retention = rule.retention
    if not retention.minimum:
        return matching
    held = _inside(candidate for candidate in matching if _stands_aside(candidate, aside))
    counted = {i.version.id for i in matching if i.takes_places and i.version.name not in held}
    by_date = retention.order_by is OrderBy.DATE and retention.per is None
    found = newest(matching, counted, retention, parser, hold_unordered=by_date)
    kept = found.kept | found.unordered if by_date else found.kept
    return [candidate for candidate in matching if candidate.version.id in kept]


def _matches(
    rule: Rule, candidates: Sequence[Candidate], parser: VersionParser, now: datetime, *, restore: bool
) -> _Matches:
    """Match a delete rule's filter, and take back what its own exclusions name."""
    matches = {i.version.id: judge(rule.filter, i, parser, now, restore=restore) for i in candidates}
    for candidate in candidates:
        match = matches[candidate.version.id]
        if match.verdict is not Verdict.NO and excluded(rule.exclude, candidate):
            asked = written(rule.exclude) if rule.exclude else ""
            fact = Condition("exclude-versions", asked)
            reason = Reason(ReasonCode.EXCLUDED, ReasonDetail.BY_RULE, facts=(fact,))
            matches[candidate.version.id] = Match(Verdict.NO, reason, excluded=match.verdict)
    return matches


_WITH_EXCLUDED = Match(Verdict.NO, Reason(ReasonCode.NEEDED, ReasonDetail.SHARED_PLACE))
_UNORDERED = Match(Verdict.UNKNOWN, Reason(ReasonCode.UNKNOWN, ReasonDetail.UNORDERED))


@dataclass(frozen=True, slots=True)
class _Standing:
    """What takes no keep place: ids that are excluded or gone, digests of what stays as no delete rule matches it."""

    aside: Collection[int]
    held: frozenset[str]


def _retain(
    rule: Rule,
    candidates: Sequence[Candidate],
    matches: _Matches,
    standing: _Standing,
    parser: VersionParser,
) -> None:
    """Take back the newest matches of each group, what stays with an exclusion, and what has no order or group."""
    matching = [i for i in candidates if matches[i.version.id].before_exclusion >= Verdict.PARTLY]
    excluding = (
        i for i in matching if i.version.id in standing.aside or matches[i.version.id].excluded is not None
    )
    sharing = _inside(excluding)
    held = standing.held | sharing
    matched = (i for i in matching if matches[i.version.id].verdict is Verdict.YES)
    counted = {i.version.id for i in matched if i.takes_places and i.version.name not in held}
    found = newest(matching, counted, rule.retention, parser)
    words = in_words(rule).terms
    for candidate in matching:
        number = candidate.version.id
        if matches[number].verdict < Verdict.PARTLY:
            continue
        if number in found.unordered:
            matches[number] = _UNORDERED
        elif number in found.kept:
            reason = _among_newest(matches[number], number, found, counted, rule, words)
            matches[number] = Match(Verdict.NO, reason)
        elif candidate.version.name in sharing and candidate.has_own_tag:
            matches[number] = _WITH_EXCLUDED


def _among_newest(
    match: Match, number: int, found: Newest, counted: Collection[int], rule: Rule, words: Terms
) -> Reason:
    """Say which of the newest takes a place, which shares it, and which is as new and takes none."""
    minimum = rule.retention.minimum
    if match.verdict is Verdict.PARTLY:
        return replace(match.reason, number=minimum, rule=words)
    if leader := found.leaders.get(number):
        return Reason(ReasonCode.NEWEST, ReasonDetail.SHARED_PLACE, leader, number=minimum, rule=words)
    detail = None if number in counted else ReasonDetail.NO_PLACE
    return Reason(ReasonCode.NEWEST, detail, number=minimum, rule=words)


# Of the reasons that several rules give, the one that came nearest to a deletion says most.
_TELLING = (
    ReasonCode.NEWEST,
    ReasonCode.NEEDED,
    ReasonCode.EXCLUDED,
    ReasonCode.PARTLY_MATCHED,
    ReasonCode.UNKNOWN,
    ReasonCode.LATEST,
    ReasonCode.ORPHANED,
    ReasonCode.GRACE,
    ReasonCode.NOT_MATCHED,
)


def _combined(
    candidate: Candidate, matches: Sequence[tuple[RuleInWords, Match]], parser: VersionParser, now: datetime
) -> Selection:
    """One rule that selects is enough, the first by its words; tags are taken away only where none does."""
    for told, match in matches:
        if match.verdict is Verdict.YES:
            met = facts(told, candidate, parser, now)
            number = told.rule.retention.minimum
            reason = Reason(ReasonCode.SELECTED, number=number, rule=told.terms, facts=met)
            return Selection(candidate, selected=True, reason=reason)
    answers = [match for _, match in matches]
    partly = tuple(dict.fromkeys(t for m in answers if m.verdict is Verdict.PARTLY for t in m.tags))
    if partly and set(partly) >= set(candidate.telling):
        # Companion tags go with the last other tag alone.
        partly = tuple(dict.fromkeys((*partly, *candidate.texts)))
    best = min((match.reason for match in answers), key=_distance, default=_NONE)
    asked = [match.to_read for match in answers if match.to_read]
    to_read = ToRead(
        tuple(digest for each in asked for digest in each.manifests),
        tuple(digest for each in asked for digest in each.configs),
    )
    return Selection(candidate, selected=False, reason=best, tags=partly, to_read=to_read if asked else None)


# Of the conditions that several rules miss, time alone makes the ages hold; then come those on tags and names.
_NEAREST = (
    "expired",
    "older-than",
    "newer-than",
    "deleted-within",
    "source-gone",
    "release-status",
    "version-range",
    "versions",
)


def _distance(reason: Reason) -> tuple[object, ...]:
    """How far a reason is from a deletion: nearest first."""
    missed = next((fact for fact in reason.facts if isinstance(fact, Condition)), None)
    key, asked = (missed.key, missed.asked) if missed else ("", "")
    far = _NEAREST.index(key) if key in _NEAREST else len(_NEAREST)
    return (_TELLING.index(reason.code), far, asked, reason.detail or "", reason.rule)


def restrict(
    selections: Mapping[int, Selection], allowed: Iterable[int], reason: Reason
) -> dict[int, Selection]:
    """The same choices with everything outside `allowed` staying, for that reason: a report only narrows."""
    inside = set(allowed)
    return {
        i: c
        if i in inside or not (c.selected or c.tags)
        else replace(c, selected=False, reason=reason, tags=())
        for i, c in selections.items()
    }
