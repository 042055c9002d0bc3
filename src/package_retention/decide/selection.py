"""Rules over items: which are selected, which stay, and why. A rule can only protect."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from package_retention.decide.matching import Match, Verdict, excluded, judge, keeps
from package_retention.decide.rules import OrderBy, Series
from package_retention.model import Reason, ReasonCode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from package_retention.decide.ecosystems import VersionNumber
    from package_retention.decide.matching import Item, Numbers
    from package_retention.decide.patterns import Pattern
    from package_retention.decide.rules import PackageRules, Retention, Rule

_EARLIEST = datetime.min.replace(tzinfo=UTC)
_SERIES_LENGTH = {Series.MAJOR: 1, Series.MINOR: 2}


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
    free = [item for item in items if item.version.id not in protected]
    matchable = [
        item for item in items if protected.get(item.version.id, _NONE).code is not ReasonCode.EXCLUDED
    ]
    by_rule = [(r.name, _apply(r, matchable, numbers, now, restore=restore)) for r in rules.delete]
    choices = {
        i.version.id: Choice(i, selected=False, reason=r) for i in items if (r := protected.get(i.version.id))
    }
    for item in free:
        choices[item.version.id] = _combined(
            item, [(name, matches[item.version.id]) for name, matches in by_rule]
        )
    return choices


_NONE = Reason(ReasonCode.NOT_MATCHED, "no rule matches it")


def _protected(
    items: Sequence[Item], rules: PackageRules, numbers: Numbers, now: datetime
) -> dict[int, Reason]:
    """What exclusions and keep rules protect, whatever the delete rules say."""
    found: dict[int, Reason] = {}
    for rule in rules.keep:
        reason = Reason(ReasonCode.KEEP_RULE, f"kept by {rule.name}")
        found |= {i: reason for i in _kept_by(rule, items, numbers, now) if i not in found}
    excluding = Reason(ReasonCode.EXCLUDED, "excluded by `exclude-versions`")
    return found | {item.version.id: excluding for item in items if excluded(rules.exclude, item)}


def _kept_by(rule: Rule, items: Sequence[Item], numbers: Numbers, now: datetime) -> set[int]:
    matching = [item for item in items if keeps(rule.filter, item, numbers, now)]
    retention = rule.retention
    if not retention.minimum:
        return {item.version.id for item in matching}
    groups, unsorted = _grouped(matching, retention, numbers)
    newest = _first(groups, retention.minimum)
    by_date = retention.order_by is OrderBy.DATE and retention.per is None
    return newest | unsorted if by_date else newest


def _apply(
    rule: Rule, items: Sequence[Item], numbers: Numbers, now: datetime, *, restore: bool
) -> dict[int, Match]:
    """Match a delete rule, and take back what its own exclusions and retention keep."""
    matches = {i.version.id: judge(rule.filter, i, numbers, now, restore=restore) for i in items}
    for item in items:
        if matches[item.version.id].verdict is not Verdict.NO and excluded(rule.exclude, item):
            matches[item.version.id] = _stays(ReasonCode.EXCLUDED, f"excluded by {rule.name}")
    if rule.retention.minimum:
        _retain(rule.retention, items, matches, numbers)
    return matches


def _stays(code: ReasonCode, text: str) -> Match:
    return Match(Verdict.UNKNOWN if code is ReasonCode.UNKNOWN else Verdict.NO, Reason(code, text))


def _retain(retention: Retention, items: Sequence[Item], matches: dict[int, Match], numbers: Numbers) -> None:
    """Keep the newest matches of each group; a partly matched item keeps its tags where it would be one of them."""
    kept = _stays(ReasonCode.NEWEST, f"among the newest {retention.minimum}")
    unknown = _stays(ReasonCode.UNKNOWN, "cannot be ordered or grouped")
    groups, unsorted = _grouped(_with(Verdict.YES, items, matches), retention, numbers)
    last_kept = {
        g: places[retention.minimum - 1] for g, places in groups.items() if len(places) >= retention.minimum
    }
    partly, strange = _grouped(_with(Verdict.PARTLY, items, matches), retention, numbers)
    for group, places in partly.items():
        newer = (i for place, i in places if group not in last_kept or (place, i) > last_kept[group])
        matches.update(dict.fromkeys(newer, kept))
    matches.update(dict.fromkeys(_first(groups, retention.minimum), kept))
    matches.update(dict.fromkeys(unsorted | strange, unknown))


def _with(verdict: Verdict, items: Sequence[Item], matches: Mapping[int, Match]) -> list[Item]:
    return [item for item in items if matches[item.version.id].verdict is verdict]


_Groups = dict[object, list[tuple[Any, int]]]


def _grouped(items: Sequence[Item], retention: Retention, numbers: Numbers) -> tuple[_Groups, set[int]]:
    """The places and ids of each group, newest first; and the ids that cannot be ordered or grouped."""
    by_version = retention.order_by is OrderBy.VERSION or retention.per is not None
    groups: _Groups = {}
    unsorted: set[int] = set()
    for item in items:
        number = numbers.highest(item) if by_version else None
        place = _order(item, retention, number)
        group = _group(item, retention, number)
        if place is None or group is None:
            unsorted.add(item.version.id)
        else:
            groups.setdefault(group, []).append((place, item.version.id))
    for places in groups.values():
        places.sort(reverse=True)
    return groups, unsorted


def _first(groups: _Groups, count: int) -> set[int]:
    return {version_id for places in groups.values() for _, version_id in places[:count]}


def _order(item: Item, retention: Retention, number: VersionNumber | None) -> tuple[Any, ...] | None:
    """Where an item stands among its like; ties go by date, then by id (facts A6)."""
    created = item.version.created_at
    if retention.order_by is OrderBy.DATE:
        return None if created is None else (created,)
    return None if number is None else (number.key, created or _EARLIEST)


def _group(item: Item, retention: Retention, number: VersionNumber | None) -> tuple[object, ...] | None:
    """The group in which an item is counted: tagged or not, by variant and series where versions count."""
    base = (bool(item.texts), item.is_referrer)
    if retention.per is None and retention.order_by is OrderBy.DATE:
        return base
    variant = number.variant if number else ""
    if retention.per is None:
        return (*base, variant)
    series = _series(item, retention.per, number)
    return None if series is None else (*base, variant, series)


def _series(item: Item, per: Series | Pattern, number: VersionNumber | None) -> object | None:
    if isinstance(per, Series):
        if number is None or not number.numbers:
            return None
        length = _SERIES_LENGTH[per]
        return (number.numbers + (0,) * length)[:length]
    found = {group for text in item.texts if (group := per.group(text)) is not None}
    return found.pop() if len(found) == 1 else None


# Of the reasons that several rules give, the one that came nearest to a deletion says most.
_TELLING = (
    ReasonCode.NEWEST,
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
