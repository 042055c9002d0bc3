"""Keep rules that name a part of an image: its platforms by id or digest, its signatures by their tags."""

from __future__ import annotations

import pytest

from package_retention.decide.deletion_plan import deletion_plan
from package_retention.decide.ecosystems import VersionParser
from package_retention.decide.patterns import Patterns
from package_retention.decide.rules import DecisionContext, Filter, PackageRules, Rule
from package_retention.model import Damage, Descriptor, PackageType, Plan
from package_retention.reason import Finding, FindingCode
from property.worlds import IMAGE, INDEX, NOW, Built, digest

PLATFORM, SIGNATURE = 1, 3  # ids, in the order of `built`


def built() -> Built:
    """An image of one platform with a signature, and one that stays."""
    made = Built()
    platform = made.add(hours=500)
    children = (Descriptor(platform, IMAGE, "linux/amd64"),)
    index = made.add(hours=500, tags=("v1",), children=children, is_index=True, media_type=INDEX)
    made.add(hours=500, tags=(f"sha256-{index.removeprefix('sha256:')}.sig",))
    made.add(hours=1, tags=("latest",))
    return made


def plan(keep: Filter) -> Plan:
    everything = Rule("the inputs", Filter(versions=Patterns.parse("*")))
    rules = PackageRules(
        PackageType.CONTAINER, Patterns.parse("app"), delete=(everything,), keep=(Rule("keep", keep),)
    )
    parser = VersionParser(PackageType.CONTAINER)
    return deletion_plan(built().facts(), DecisionContext(rules, parser, NOW))


def kept(keep: Filter) -> bool:
    return not any(decision.selected for decision in plan(keep).decisions)


@pytest.mark.parametrize("number", [PLATFORM, 2, SIGNATURE])
def test_the_id_of_a_part_keeps_its_image(number: int) -> None:
    assert kept(Filter(ids=frozenset({number})))


def test_an_id_that_is_nowhere_keeps_nothing_and_is_told() -> None:
    found = plan(Filter(ids=frozenset({77})))
    assert sum(decision.selected for decision in found.decisions) == 3
    assert Finding(FindingCode.ID_ABSENT, number=77) in found.warnings


@pytest.mark.parametrize(
    ("entries", "keeps"),
    [
        ("sha256-*", True),
        ("sha256-*.sig", True),
        (f"sha256-{digest(2).removeprefix('sha256:')}.sig", True),
        (digest(1), True),
        ("sha256-*, !sha256-*.sig", False),
        ("sha256-*.att", False),
        # Neither of these means signatures, though it would match the tag.
        ("latest, *.sig", False),
        ("/sha256/", False),
        ("!v*", False),
    ],
)
def test_a_signatures_tag_is_meant_by_an_entry_that_begins_like_one(entries: str, keeps: bool) -> None:
    assert kept(Filter(versions=Patterns.parse(entries))) is keeps


@pytest.mark.parametrize(
    ("entries", "keeps"),
    [
        ("sha256-*", True),
        ("sha256-*, !sha256-*.sig", False),
        # None of these means signatures, though it would match the tag.
        ("*", False),
        ("*.sig", False),
        ("!v*", False),
    ],
)
def test_an_orphans_derived_tag_is_meant_by_such_an_entry_alone(entries: str, keeps: bool) -> None:
    made = built()
    orphan = made.add(hours=500, tags=(f"sha256-{'f' * 64}.sig",))
    made.gone.add(f"sha256:{'f' * 64}")
    orphaned = Rule("the inputs", Filter(damaged=frozenset({Damage.ORPHANED})))
    keep = Rule("keep", Filter(versions=Patterns.parse(entries)))
    rules = PackageRules(PackageType.CONTAINER, Patterns.parse("app"), delete=(orphaned,), keep=(keep,))
    parser = VersionParser(PackageType.CONTAINER)
    found = deletion_plan(made.facts(), DecisionContext(rules, parser, NOW))
    assert [d.version.name for d in found.decisions if d.selected] == ([] if keeps else [orphan])
