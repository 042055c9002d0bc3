"""How many releases stay: a release with platforms and signatures that have tags of their own takes one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings, strategies as st
from msgspec.structs import replace

from package_retention.decide.deletion_plan import deletion_plan
from package_retention.decide.ecosystems import VersionParser
from package_retention.decide.patterns import Patterns
from package_retention.decide.rules import (
    DecisionContext,
    Filter,
    OrderBy,
    PackageRules,
    Retention,
    Rule,
)
from package_retention.model import Descriptor, PackageType
from property.worlds import IMAGE, INDEX, NOW, Built

if TYPE_CHECKING:
    from package_retention.decide.facts import Facts

EXAMPLES = settings(max_examples=150, deadline=None)


@dataclass(frozen=True)
class Release:
    """A release `1.N.0`: `platforms` have tags of their own, and so has the signature of one that is `signed`."""

    hours: int
    platforms: int
    signed: bool
    excluded: bool
    gone: bool

    @property
    def members(self) -> int:
        return 1 + self.platforms + self.signed


RELEASES = st.lists(
    st.builds(
        Release,
        st.integers(100, 3000),
        st.integers(0, 3),
        st.booleans(),
        st.sampled_from((False, False, False, True)),
        st.sampled_from((False, False, False, True)),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda release: release.hours,
)


def tag_of(number: int, release: Release) -> str:
    return f"{'edge' if release.excluded else 1}.{number}.0"


def pushed(releases: list[Release]) -> tuple[Facts, dict[str, list[str]]]:
    """The package, and the digests of each release by its tag; the index comes first in `hours`, then its parts."""
    built = Built()
    members: dict[str, list[str]] = {}
    for number, release in enumerate(releases):
        tag = tag_of(number, release)
        parts = [
            built.add(hours=release.hours, tags=(f"{tag}-p{place}",)) for place in range(release.platforms)
        ]
        children = tuple(Descriptor(name, IMAGE, "linux/amd64") for name in parts)
        index = built.add(
            hours=release.hours, tags=(tag,), children=children, is_index=True, media_type=INDEX
        )
        if release.signed:
            parts.append(built.add(hours=release.hours, tags=(f"{tag}-signed",), subject=index))
        members[tag] = [index, *parts]
    facts = built.facts()
    lost = {members[tag_of(number, release)][0] for number, release in enumerate(releases) if release.gone}
    latest = tuple(version for version in facts.first if version.name not in lost)
    return (replace(facts, latest=latest) if lost else facts), members


def gone(facts: Facts, rules: PackageRules, *, untag: bool = False) -> set[str]:
    """What a plan deletes, and what it takes tags from."""
    numbers = VersionParser(PackageType.CONTAINER)
    plan = deletion_plan(facts, DecisionContext(rules, numbers, NOW, untag=untag, when_empty=True))
    return {d.version.name for d in plan.decisions if d.selected or d.untag}


def rules_of(
    *delete: Rule, keep: tuple[Rule, ...] = (), exclude: str | None = "edge*", limit: int | None = None
) -> PackageRules:
    patterns = Patterns.parse(exclude) if exclude else None
    return PackageRules(PackageType.CONTAINER, Patterns.parse("app"), delete, keep, patterns, limit)


def rule(versions: str | None, keep: int = 0, order_by: OrderBy = OrderBy.DATE) -> Rule:
    condition = Filter(versions=Patterns.parse(versions) if versions else None)
    return Rule(f"{versions} {keep}", condition, Retention(keep, order_by=order_by))


def newest_of(releases: list[Release], keep: int, order_by: OrderBy) -> set[str]:
    """The releases that stay: the newest of those that neither an exclusion nor the newer list takes out."""
    in_their_own_right = [
        (release.hours if order_by is OrderBy.DATE else -number, tag_of(number, release))
        for number, release in enumerate(releases)
        if not (release.excluded or release.gone)
    ]
    staying = {tag for _, tag in sorted(in_their_own_right)[:keep]}
    return staying | {tag_of(n, r) for n, r in enumerate(releases) if r.excluded or r.gone}


@EXAMPLES
@given(RELEASES, st.integers(1, 4), st.sampled_from(OrderBy), st.booleans())
def test_a_release_takes_one_place(
    releases: list[Release], keep: int, order_by: OrderBy, untag: bool
) -> None:
    facts, members = pushed(releases)
    deleted = gone(facts, rules_of(rule("*", keep, order_by)), untag=untag)
    staying = newest_of(releases, keep, order_by)
    # By version the parts are variants (`-p0`): what only shares a place takes none among them either.
    assert {tag for tag, inside in members.items() if not deleted & set(inside)} == staying
    assert all(deleted >= set(inside) for tag, inside in members.items() if tag not in staying)


@EXAMPLES
@given(RELEASES, st.integers(1, 4), st.sampled_from(OrderBy))
def test_a_keep_rule_counts_as_a_delete_rule_does(
    releases: list[Release], keep: int, order_by: OrderBy
) -> None:
    facts, members = pushed(releases)
    deleted = gone(facts, rules_of(rule("*"), keep=(rule("*", keep, order_by),)))
    staying = newest_of(releases, keep, order_by)
    assert {tag for tag, inside in members.items() if not deleted & set(inside)} == staying


@EXAMPLES
@given(RELEASES, st.integers(1, 3))
def test_a_keep_rule_on_platforms_alone_keeps_platforms(releases: list[Release], keep: int) -> None:
    """What names them does not match that rule, so each counts by itself."""
    facts, members = pushed(releases)
    platforms = {
        inside[1]: r for (_, inside), r in zip(members.items(), releases, strict=True) if r.platforms
    }
    deleted = gone(facts, rules_of(rule("*"), keep=(rule("*-p0", keep),)))
    free = sorted((r.hours, name) for name, r in platforms.items() if not r.excluded)
    assert not deleted & {name for _, name in free[:keep]}


@EXAMPLES
@given(RELEASES, st.integers(1, 3), st.integers(1, 3))
def test_rules_on_releases_and_on_platforms_each_count_their_own(
    releases: list[Release], keep: int, of_platforms: int
) -> None:
    facts, members = pushed(releases)
    own = Filter(versions=Patterns.parse("*, !*-p*, !*-signed"))
    whole = Rule("releases", own, Retention(keep))
    deleted = gone(facts, rules_of(whole, rule("*-p0", of_platforms)), untag=True)
    for tag in newest_of(releases, keep, OrderBy.DATE):
        assert members[tag][0] not in deleted


@EXAMPLES
@given(RELEASES, st.integers(1, 3))
def test_platforms_of_what_no_delete_rule_matches_take_no_place(releases: list[Release], keep: int) -> None:
    """Only platforms match: those of excluded releases, and of all others, stay with their index."""
    facts, _ = pushed(releases)
    built = Built(list(facts.first), dict(facts.readings))
    alone = [built.add(hours=4000 + n, tags=(f"2.{n}.0-p0",)) for n in range(keep + 1)]
    added = tuple(built.versions[len(facts.first) :])
    found = replace(built.facts(), first=(*facts.first, *added), latest=(*facts.latest, *added))
    assert gone(found, rules_of(rule("*-p0", keep))) == {alone[-1]}


def test_an_index_that_names_releases_stays_in_the_place_of_the_newest() -> None:
    built = Built()
    named = [built.add(hours=400 - n, tags=(f"1.{n}.0",)) for n in (7, 8, 9)]
    others = [built.add(hours=300, tags=(f"1.{n}.0",)) for n in (1, 2, 3)]
    children = tuple(Descriptor(name, IMAGE, "linux/amd64") for name in named)
    index = built.add(hours=200, tags=("0.1.0",), children=children, is_index=True, media_type=INDEX)
    deleted = gone(built.facts(), rules_of(rule("*", 1, OrderBy.VERSION)))
    assert deleted == set(others)
    assert index not in deleted


@pytest.mark.parametrize("excluded", ["edge", "edge-amd64", "edge*"])
@pytest.mark.parametrize("untag", [False, True])
def test_platforms_of_an_excluded_index_take_no_place(excluded: str, untag: bool) -> None:
    built = Built()
    releases = [built.add(hours=500 + n, tags=(f"1.{n}.0",)) for n in range(5)]
    platforms = [built.add(hours=100, tags=(f"edge-{name}",)) for name in ("amd64", "arm64")]
    children = tuple(Descriptor(name, IMAGE, "linux/amd64") for name in platforms)
    built.add(hours=100, tags=("edge",), children=children, is_index=True, media_type=INDEX)
    deleted = gone(built.facts(), rules_of(rule(None, 2), exclude=excluded), untag=untag)
    assert deleted == set(releases[2:])
