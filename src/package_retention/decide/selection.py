"""Apply rules to candidates: which are selected, which stay, and why. A rule can only protect."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from package_retention.decide.candidates import Candidate, flat, with_companions
from package_retention.decide.ecosystems import VersionParser
from package_retention.decide.expiry import ToRead
from package_retention.decide.facts import Facts
from package_retention.decide.keep_places import newest
from package_retention.decide.matching import Match, Verdict, excluded, judge, keeps, matched_facts
from package_retention.decide.rules import DecisionContext, OrderBy, PackageRules, Rule
from package_retention.model import Version
from package_retention.reason import Condition, Reason, ReasonCode, ReasonDetail, over_limit


class Selection(Struct, frozen=True):
    """What the rules decide of one candidate; `tags` are those to take off one of which only some tags match.

    `to_read` must be read before a rule can decide.
    """

    candidate: Candidate
    selected: bool
    reason: Reason
    tags: tuple[str, ...] = ()
    to_read: tuple[ToRead, ...] = ()


def choose(
    candidates: Sequence[Candidate], context: DecisionContext, *, restore: bool = False
) -> dict[int, Selection]:
    """Decide every candidate, by version id; the order of candidates and rules does not matter."""
    rules, parser = context.rules, context.parser
    candidates = [with_companions(candidate, rules.companions, parser) for candidate in candidates]
    barred = _barred(candidates, rules)
    aside = {c.version.id for c in candidates if c.gone or c.version.id in barred}
    protected = _kept(candidates, aside, context) | barred
    by_rule = [(rule, _matches(rule, candidates, context, restore=restore)) for rule in rules.delete]
    matched = {i for _, matches in by_rule for i, match in matches.items() if match.verdict is Verdict.YES}
    held = _inside(c for c in candidates if c.version.id in aside or c.version.id not in matched)
    for rule, matches in by_rule:
        if rule.retention.minimum:
            _retain(rule, candidates, matches, aside, held, parser)
    in_order = sorted(by_rule, key=lambda one: one[0].terms)
    selections = {}
    for candidate in candidates:
        number = candidate.version.id
        selections[number] = (
            Selection(candidate, selected=False, reason=protected[number])
            if number in protected
            else _combined(candidate, [(rule, matches[number]) for rule, matches in in_order], context)
        )
    return selections


_NONE = Reason(ReasonCode.NOT_MATCHED, ReasonDetail.NO_RULE)


def _inside(candidates: Iterable[Candidate]) -> frozenset[str]:
    """Return the digests of candidates and of all that is in them."""
    return frozenset().union(
        *(candidate.digests_inside | {candidate.version.name} for candidate in candidates)
    )


def _barred(candidates: Iterable[Candidate], rules: PackageRules) -> dict[int, Reason]:
    """Return what exclusions and references keep regardless of what rules match: it takes no keep place."""
    excluding = Reason(ReasonCode.EXCLUDED)
    found = {}
    for candidate in candidates:
        if excluded(rules.exclude, candidate):
            found[candidate.version.id] = excluding
        elif place := candidate.used(rules.referenced_in):
            found[candidate.version.id] = Reason(ReasonCode.REFERENCED, facts=(place,))
    return found


def _kept(
    candidates: Sequence[Candidate], aside: Collection[int], context: DecisionContext
) -> dict[int, Reason]:
    """Return what keep rules protect, with the reasons; delete rules have no say in it."""
    found: dict[int, Reason] = {}
    for rule in sorted(context.rules.keep, key=lambda one: one.terms):
        for candidate in _kept_by(rule, candidates, aside, context):
            met = matched_facts(rule, candidate, context)
            reason = Reason(ReasonCode.KEEP_RULE, number=rule.retention.minimum, rule=rule.terms, facts=met)
            found.setdefault(candidate.version.id, reason)
    return found


def _kept_by(
    rule: Rule, candidates: Sequence[Candidate], aside: Collection[int], context: DecisionContext
) -> list[Candidate]:
    """Return what one keep rule keeps; it sees neither other keep rules nor what delete rules match."""
    matching = [candidate for candidate in candidates if keeps(rule.filter, candidate, context)]
    retention = rule.retention
    if not retention.minimum:
        return matching
    held = _inside(candidate for candidate in matching if candidate.version.id in aside)
    counted = {c.version.id for c in matching if c.takes_places and c.version.name not in held}
    by_date = retention.order_by is OrderBy.DATE and retention.per is None
    found = newest(matching, counted, retention, context.parser, hold_unordered=by_date)
    kept = found.kept.keys() | found.unordered if by_date else found.kept
    return [candidate for candidate in matching if candidate.version.id in kept]


def _matches(
    rule: Rule, candidates: Sequence[Candidate], context: DecisionContext, *, restore: bool
) -> dict[int, Match]:
    """Match a delete rule's filter, and take back what the rule's own exclusions name."""
    matches = {c.version.id: judge(rule.filter, c, context, restore=restore) for c in candidates}
    for candidate in candidates:
        match = matches[candidate.version.id]
        if match.verdict is not Verdict.NO and excluded(rule.exclude, candidate):
            fact = Condition("exclude-versions", str(rule.exclude))
            reason = Reason(ReasonCode.EXCLUDED, ReasonDetail.BY_RULE, facts=(fact,))
            matches[candidate.version.id] = Match(Verdict.NO, reason, excluded=match.verdict)
    return matches


_WITH_EXCLUDED = Match(Verdict.NO, Reason(ReasonCode.NEEDED, ReasonDetail.SHARED_PLACE))
_UNORDERED = Match(Verdict.UNKNOWN, Reason(ReasonCode.UNKNOWN, ReasonDetail.UNORDERED))


def _retain(
    rule: Rule,
    candidates: Sequence[Candidate],
    matches: dict[int, Match],
    aside: Collection[int],
    held: frozenset[str],
    parser: VersionParser,
) -> None:
    """Take back the newest matches of each group, what stays with an exclusion, and what has no order or group.

    The ids `aside`, and the digests that are `held` since no delete rule matches them, take no keep place.
    """
    matching = [c for c in candidates if matches[c.version.id].before_exclusion >= Verdict.PARTLY]
    sharing = _inside(
        c for c in matching if c.version.id in aside or matches[c.version.id].excluded is not None
    )
    held |= sharing
    matched = (c for c in matching if matches[c.version.id].verdict is Verdict.YES)
    counted = {c.version.id for c in matched if c.takes_places and c.version.name not in held}
    found = newest(matching, counted, rule.retention, parser)
    for candidate in matching:
        number = candidate.version.id
        if matches[number].verdict < Verdict.PARTLY:
            continue
        if number in found.unordered:
            matches[number] = _UNORDERED
        elif number in found.kept:
            detail = None if number in counted else ReasonDetail.NO_PLACE
            reason = _among_newest(matches[number], found.kept[number], detail, rule)
            matches[number] = Match(Verdict.NO, reason)
        elif candidate.version.name in sharing and candidate.has_own_tag:
            matches[number] = _WITH_EXCLUDED


def _among_newest(match: Match, leader: str, detail: ReasonDetail | None, rule: Rule) -> Reason:
    """Return the reason of one of the newest: it takes a place, shares that of `leader`, or is as new and takes none."""
    if match.verdict is Verdict.PARTLY:
        return replace(match.reason, number=rule.retention.minimum, rule=rule.terms)
    if leader:
        detail = ReasonDetail.SHARED_PLACE
    return Reason(ReasonCode.NEWEST, detail, leader, number=rule.retention.minimum, rule=rule.terms)


# If several rules have reasons, the one that came nearest to a deletion explains most.
_BY_DISTANCE = (
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
    candidate: Candidate, matched: Sequence[tuple[Rule, Match]], context: DecisionContext
) -> Selection:
    """Combine the rules' verdicts: one rule that selects is enough; tags are taken off only if none does.

    Of several rules that select, the first by its words makes the reason.
    """
    for rule, match in matched:
        if match.verdict is Verdict.YES:
            met = matched_facts(rule, candidate, context)
            reason = Reason(ReasonCode.SELECTED, number=rule.retention.minimum, rule=rule.terms, facts=met)
            return Selection(candidate, selected=True, reason=reason)
    matches = [match for _, match in matched]
    partly = tuple(dict.fromkeys(t for m in matches if m.verdict is Verdict.PARTLY for t in m.tags))
    if partly and set(partly) >= set(candidate.without_companions):
        # Companion tags go with the last other tag alone.
        partly = tuple(dict.fromkeys((*partly, *candidate.texts)))
    best = min((match.reason for match in matches), key=_distance, default=_NONE)
    unread = tuple(match.to_read for match in matches if match.to_read)
    return Selection(candidate, selected=False, reason=best, tags=partly, to_read=unread)


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
    """Return a sort key: how far a reason is from a deletion, the nearest first."""
    missed = next((fact for fact in reason.facts if isinstance(fact, Condition)), None)
    key, value = (missed.key, missed.value) if missed else ("", "")
    far = _NEAREST.index(key) if key in _NEAREST else len(_NEAREST)
    return (_BY_DISTANCE.index(reason.code), far, value, reason.detail or "", reason.rule)


def restrict(
    selections: Mapping[int, Selection], allowed: Collection[int], reason: Reason
) -> dict[int, Selection]:
    """Return the selections with everything outside `allowed` staying, for that reason: a report only narrows."""
    restricted = dict(selections)
    for i, one in selections.items():
        if i not in allowed and (one.selected or one.tags):
            restricted[i] = replace(one, selected=False, reason=reason, tags=())
    return restricted


def cut(versions: list[Version], limit: int | None) -> tuple[list[Version], dict[int, Reason]]:
    """Return the first versions, as far as a limit lets them through, and why the others wait for the next run."""
    late = [] if limit is None else versions[limit:]
    return versions[:limit], dict.fromkeys((version.id for version in late), over_limit(limit))


def can_select(facts: Facts, context: DecisionContext) -> bool:
    """Return whether a delete rule could select a listed version of a container package as the root of an image.

    On 364 nights a year none can, and then no manifest has to be read. An image is matched by its root: by the root's
    own tags, dates and id, which the list has. So if no listed version could be selected as a root, no image can be.
    """
    filters = [rule.filter for rule in context.rules.delete]
    # Damage shows in manifests, an expiry in manifests or configs, and what is gone in the repository.
    if any(condition.damaged or condition.expired or condition.source_gone for condition in filters):
        return True
    listed = flat(facts.union, facts.package.type, facts.gone)
    return any(_could_go(replace(one, reference=facts.reference), context) for one in listed)


def _could_go(candidate: Candidate, context: DecisionContext) -> bool:
    if excluded(context.rules.exclude, candidate):
        return False
    verdicts = (judge(rule.filter, candidate, context).verdict for rule in context.rules.delete)
    # Of an image that matches partly, `untag` takes the tags that match.
    return any(verdict in (Verdict.YES, Verdict.PARTLY) for verdict in verdicts)
