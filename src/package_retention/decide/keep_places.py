"""Find which matches of a rule are among the newest of their groups; delete rules and keep rules count alike.

A place is taken by images that share it: a tagged image together with the tagged images that it names (platforms with
tags of their own, tagged referrers). Were each counted by itself, releases pushed as `1.0`, `1.0-amd64` and
`1.0-arm64` would take three places, and a rule that keeps three would keep one release.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from package_retention.decide.candidates import Candidate
from package_retention.decide.ecosystems import VersionNumber, VersionParser
from package_retention.decide.pattern import Pattern
from package_retention.decide.rules import OrderBy, Retention, Series

_EARLIEST = datetime.min.replace(tzinfo=UTC)
_SERIES_LENGTH = {Series.MAJOR: 1, Series.MINOR: 2}

_Ranks = dict[object, tuple[Any, int]]


class Newest(Struct, frozen=True):
    """The newest matches of a rule, by the ids of versions: `kept` are among the newest; `unordered` share a place with one that has no order or group.

    `kept` has the label of the one whose place another shares; that of the one itself is empty.
    """

    kept: Mapping[int, str]
    unordered: frozenset[int]


class _Place(Struct, frozen=True):
    """Candidates that share one place, which the leader has.

    By series, `ranks` has the rank of the newest of all, and `taken` that of those that take the place.
    """

    candidates: Sequence[Candidate]
    leader: Candidate
    unordered: bool
    ranks: _Ranks
    taken: _Ranks

    def labels(self) -> Iterator[tuple[int, str]]:
        """Yield the id of each candidate, with the leader's label if it is another one."""
        for one in self.candidates:
            yield one.version.id, "" if one is self.leader else self.leader.version.label


def newest(
    candidates: Sequence[Candidate],
    counted: Collection[int],
    retention: Retention,
    parser: VersionParser,
    *,
    hold_unordered: bool = True,
) -> Newest:
    """Return the newest `retention.minimum` of each series among the matches of one rule.

    `counted` holds the ids that take a place in their own right. The other candidates take none, but stay if they, or
    what they share a place with, would be among the newest: so a further protection never pushes anything out. With
    `hold_unordered` what shares a place with a candidate that cannot be ordered takes none either.
    """
    places = [_place(group, counted, retention, parser, hold_unordered) for group in sharing(candidates)]
    by_series: dict[object, list[tuple[Any, int]]] = {}
    for place in places:
        for series, rank in place.taken.items():
            by_series.setdefault(series, []).append(rank)
    last = {
        series: sorted(ranks, reverse=True)[retention.minimum - 1]
        for series, ranks in by_series.items()
        if len(ranks) >= retention.minimum
    }
    kept: dict[int, str] = {}
    for place in places:
        if any(series not in last or rank >= last[series] for series, rank in place.ranks.items()):
            kept.update(place.labels())
    return Newest(kept, frozenset(i for place in places if place.unordered for i, _ in place.labels()))


def sharing(candidates: Sequence[Candidate]) -> list[list[Candidate]]:
    """Group the candidates that share a place: tagged images, each with the tagged images in it, to any depth."""
    tagged = {
        candidate.version.name: candidate
        for candidate in candidates
        if candidate.is_image and candidate.has_own_tag
    }
    leader = {candidate.version.id: candidate.version.id for candidate in candidates}

    def find(one: int) -> int:
        while leader[one] != one:
            leader[one] = leader[leader[one]]
            one = leader[one]
        return one

    for candidate in tagged.values():
        if len(candidate.digests_inside) > 1:
            for digest in candidate.digests_inside & tagged.keys():
                leader[find(tagged[digest].version.id)] = find(candidate.version.id)
    groups: dict[int, list[Candidate]] = {}
    for candidate in candidates:
        groups.setdefault(find(candidate.version.id), []).append(candidate)
    return list(groups.values())


def _place(
    candidates: Sequence[Candidate],
    counted: Collection[int],
    retention: Retention,
    parser: VersionParser,
    hold_unordered: bool,
) -> _Place:
    """Rank candidates that share a place, in the series of those that no other of them names."""
    if len(candidates) == 1:
        one, found = candidates[0], _ranked(candidates[0], retention, parser)
        ranks = dict([found]) if found else {}
        return _Place(candidates, one, not found, ranks, ranks if one.version.id in counted else {})
    placed = {candidate.version.id: _ranked(candidate, retention, parser) for candidate in candidates}
    unordered = None in placed.values()
    inside = {d for candidate in candidates for d in candidate.digests_inside if d != candidate.version.name}
    tops = {one.version.id: one for one in candidates if one.version.name not in inside}
    taking = set() if unordered and hold_unordered else {i for i in placed if i in counted}
    return _Place(
        candidates,
        # The oldest that no other names.
        tops[min(tops)] if tops else candidates[0],
        unordered,
        _highest(placed, placed, tops),
        _highest(placed, taking, tops.keys() & taking),
    )


_Ranked = tuple[object, tuple[Any, int]]


def _highest(placed: Mapping[int, _Ranked | None], ids: Iterable[int], tops: Iterable[int]) -> _Ranks:
    """Return the rank of the newest of `ids` in each series that one of `tops` has."""
    series = {found[0] for number in tops if (found := placed[number])}
    ranks: _Ranks = {}
    for number in ids:
        if (found := placed[number]) and found[0] in series:
            ranks[found[0]] = max(ranks.get(*found), found[1])
    return ranks


def _ranked(candidate: Candidate, retention: Retention, parser: VersionParser) -> _Ranked | None:
    """Return the series in which a candidate is counted, and its rank; `None` if it has no order or no series.

    Ties go by date, then by id (facts A6).
    """
    by_date = retention.order_by is OrderBy.DATE
    number = None if by_date and retention.per is None else parser.highest(candidate.texts)
    order: Any = candidate.version.created_at
    if not by_date:
        order = None if number is None else (number.key, order or _EARLIEST)
    series = _series(candidate, retention, number)
    return None if order is None or series is None else (series, (order, candidate.version.id))


def _series(
    candidate: Candidate, retention: Retention, number: VersionNumber | None
) -> tuple[object, ...] | None:
    """Return the group in which a candidate is counted: tagged or not, by variant and number if versions count."""
    base = (bool(candidate.texts), candidate.is_referrer)
    if retention.per is None and retention.order_by is OrderBy.DATE:
        return base
    variant = number.variant if number else ""
    if retention.per is None:
        return (*base, variant)
    group = _group(candidate, retention.per, number)
    return None if group is None else (*base, variant, group)


def _group(candidate: Candidate, per: Series | Pattern, number: VersionNumber | None) -> object | None:
    """Return the group by `keep-per`: the leading numbers of a version, or the one group that all tags show."""
    if isinstance(per, Series):
        if number is None or not number.release:
            return None
        length = _SERIES_LENGTH[per]
        return (number.release + (0,) * length)[:length]
    found = {group for text in candidate.without_companions if (group := per.group(text)) is not None}
    return found.pop() if len(found) == 1 else None
