"""Rules over items: which are selected, which stay, and why. A rule can only protect."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from package_retention.decide.keep_places import newest
from package_retention.decide.matching import Match, Verdict, excluded, judge, keeps
from package_retention.decide.rules import OrderBy
from package_retention.model import Reason, ReasonCode

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from package_retention.decide.matching import Item, Numbers
    from package_retention.decide.rules import PackageRules, Retention, Rule


@dataclass(frozen=True, slots=True)
class Choice:
    """What the rules say of one item; `tags` are those to take away from one of which only some tags match."""

    item: Item
    selected: bool
    reason: Reason
    tags: tuple[str, ...] = ()


def choose(
    items: Sequence[Item], rules: PackageRules, numbers: Numbers, now: datetime, *, restore: bool = False
) -> dict[int, Choice]:
    """Decide every item by version id; the order of items and rules does not matter."""
    protected = _protected(items, rules, numbers, now)
    by_rule = [(rule, _matches(rule, items, numbers, now, restore=restore)) for rule in rules.delete]
    aside = {item.version.id for item in items if _stands_aside(item, protected)}
    held = _inside(i for i in items if i.version.id in aside or not _is_matched(i, by_rule))
    for rule, matches in by_rule:
        if rule.retention.minimum:
            _retain(rule.retention, items, matches, _Standing(aside, held), numbers)
    choices = {}
    for item in items:
        reason = protected.get(item.version.id)
        answers = [(rule.name, matches[item.version.id]) for rule, matches in by_rule]
        choices[item.version.id] = (
            Choice(item, selected=False, reason=reason) if reason else _combined(item, answers)
        )
    return choices


_NONE = Reason(ReasonCode.NOT_MATCHED, "no rule matches it")

_Matches = dict[int, Match]


def _inside(items: Iterable[Item]) -> frozenset[str]:
    """The digests of items and of all that is in them."""
    return frozenset().union(*(item.digests_inside | {item.version.name} for item in items))


def _stands_aside(item: Item, protected: Mapping[int, Reason]) -> bool:
    """Whether an item stays or is gone whatever the rules match: it takes no keep place."""
    reason = protected.get(item.version.id)
    return item.gone or (reason is not None and reason.code is ReasonCode.EXCLUDED)


def _is_matched(item: Item, by_rule: Iterable[tuple[Rule, _Matches]]) -> bool:
    return any(matches[item.version.id].verdict is Verdict.YES for _, matches in by_rule)


def _protected(
    items: Sequence[Item], rules: PackageRules, numbers: Numbers, now: datetime
) -> dict[int, Reason]:
    """What exclusions and keep rules protect, whatever the delete rules say."""
    excluding = Reason(ReasonCode.EXCLUDED, "excluded by `exclude-versions`")
    aside = {item.version.id: excluding for item in items if excluded(rules.exclude, item)}
    found: dict[int, Reason] = {}
    for rule in rules.keep:
        reason = Reason(ReasonCode.KEEP_RULE, f"kept by {rule.name}")
        found |= {i: reason for i in _kept_by(rule, items, aside, numbers, now) if i not in found}
    return found | aside


def _kept_by(
    rule: Rule, items: Sequence[Item], aside: Mapping[int, Reason], numbers: Numbers, now: datetime
) -> frozenset[int]:
    """What one keep rule keeps; it sees neither other keep rules nor what delete rules match."""
    matching = [item for item in items if keeps(rule.filter, item, numbers, now)]
    retention = rule.retention
    if not retention.minimum:
        return frozenset(item.version.id for item in matching)
    held = _inside(item for item in matching if _stands_aside(item, aside))
    counted = {item.version.id for item in matching if item.version.name not in held}
    by_date = retention.order_by is OrderBy.DATE and retention.per is None
    found = newest(matching, counted, retention, numbers, hold_unordered=by_date)
    return found.kept | found.unordered if by_date else found.kept


def _matches(
    rule: Rule, items: Sequence[Item], numbers: Numbers, now: datetime, *, restore: bool
) -> _Matches:
    """Match a delete rule's filter, and take back what its own exclusions name."""
    matches = {i.version.id: judge(rule.filter, i, numbers, now, restore=restore) for i in items}
    for item in items:
        match = matches[item.version.id]
        if match.verdict is not Verdict.NO and excluded(rule.exclude, item):
            reason = Reason(ReasonCode.EXCLUDED, f"excluded by {rule.name}")
            matches[item.version.id] = Match(Verdict.NO, reason, excluded=match.verdict)
    return matches


_WITH_EXCLUDED = Match(
    Verdict.NO, Reason(ReasonCode.NEEDED, "shares the place of an image that is excluded or just went")
)


def _stays(code: ReasonCode, text: str) -> Match:
    return Match(Verdict.UNKNOWN if code is ReasonCode.UNKNOWN else Verdict.NO, Reason(code, text))


@dataclass(frozen=True, slots=True)
class _Standing:
    """What takes no keep place: ids that are excluded or gone, digests of what stays as no delete rule matches it."""

    aside: Collection[int]
    held: frozenset[str]


def _retain(
    retention: Retention, items: Sequence[Item], matches: _Matches, standing: _Standing, numbers: Numbers
) -> None:
    """Take back the newest matches of each group, what stays with an exclusion, and what has no order or group."""
    matching = [i for i in items if matches[i.version.id].before_exclusion >= Verdict.PARTLY]
    excluding = (
        i for i in matching if i.version.id in standing.aside or matches[i.version.id].excluded is not None
    )
    sharing = _inside(excluding)
    held = standing.held | sharing
    matched = (i for i in matching if matches[i.version.id].verdict is Verdict.YES)
    counted = {i.version.id for i in matched if i.version.name not in held}
    found = newest(matching, counted, retention, numbers)
    kept = _stays(ReasonCode.NEWEST, f"among the newest {retention.minimum}")
    unknown = _stays(ReasonCode.UNKNOWN, "cannot be ordered or grouped")
    for item in matching:
        number = item.version.id
        if matches[number].verdict < Verdict.PARTLY:
            continue
        if number in found.unordered:
            matches[number] = unknown
        elif number in found.kept:
            matches[number] = kept
        elif item.version.name in sharing and item.has_own_tag:
            matches[number] = _WITH_EXCLUDED


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


def _combined(item: Item, matches: Sequence[tuple[str, Match]]) -> Choice:
    """One rule that selects is enough; tags are taken away only where none does."""
    answers = [match for _, match in matches]
    selecting = [name for name, match in matches if match.verdict is Verdict.YES]
    if selecting:
        return Choice(item, selected=True, reason=Reason(ReasonCode.SELECTED, f"matched by {min(selecting)}"))
    partly = tuple(dict.fromkeys(t for m in answers if m.verdict is Verdict.PARTLY for t in m.tags))
    best = min((m.reason for m in answers), key=lambda r: (_TELLING.index(r.code), r.text), default=_NONE)
    return Choice(item, selected=False, reason=best, tags=partly)


def only(choices: Mapping[int, Choice], allowed: Iterable[int], reason: Reason) -> dict[int, Choice]:
    """The same choices with everything outside `allowed` staying, for that reason: a report only narrows."""
    inside = set(allowed)
    return {
        i: c
        if i in inside or not (c.selected or c.tags)
        else replace(c, selected=False, reason=reason, tags=())
        for i, c in choices.items()
    }
