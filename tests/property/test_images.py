"""Whatever the package and whatever the rules: nothing that stays loses anything."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hypothesis import assume, given, settings, strategies as st
from msgspec.structs import replace

from package_retention.decide.deletion_plan import deletion_plan
from package_retention.decide.ecosystems import VersionParser
from package_retention.decide.facts import blind_reads, certain_reads
from package_retention.decide.patterns import Patterns
from package_retention.decide.rules import DecisionContext, PackageRules, Rule
from package_retention.errors import PlanError
from package_retention.model import Absent, Descriptor, Manifest, PackageType, Plan, StepKind, Unreadable
from package_retention.reason import ReasonCode
from property.worlds import (
    ATTESTATION,
    DELETE_RULES,
    IMAGE,
    INDEX,
    KEEP_RULES,
    NOW,
    PATTERNS,
    Built,
    package_rules,
    packages,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from package_retention.decide.facts import Facts
    from package_retention.model import Reading, Version

EXAMPLES = settings(max_examples=500, deadline=None)
FEW = settings(max_examples=100, deadline=None)


def planned(facts: Facts, rules: PackageRules, *, untag: bool = False, when_empty: bool = False) -> Plan:
    return decided(facts, rules, untag=untag, when_empty=when_empty)[0]


def decided(
    facts: Facts, rules: PackageRules, *, untag: bool = False, when_empty: bool = False
) -> tuple[Plan, Mapping[str, Reading]]:
    """Decide as a run does: with what it reads at first, and then with all that each plan asks for."""
    context = DecisionContext(rules, VersionParser(PackageType.CONTAINER), NOW, untag, when_empty)
    facts, everything = surveyed(facts, {}), facts.readings
    try:
        while (plan := deletion_plan(facts, context)).unread:
            assert not facts.readings.keys() & set(plan.unread)
            more = {digest: everything[digest] for digest in plan.unread}
            facts = surveyed(replace(facts, readings=everything), {**facts.readings, **more})
    except PlanError:
        assume(False)
        raise
    return plan, facts.readings


def surveyed(facts: Facts, readings: dict[str, Reading]) -> Facts:
    """The same package as a survey knows it: with what must be read, and not all that could be."""
    turn = 0
    while wave := certain_reads(facts.union, readings) or blind_reads(facts.union, readings, turn):
        readings |= {digest: facts.readings[digest] for digest in wave}
        turn += 1
    return replace(facts, readings=readings)


def gone(plan: Plan) -> set[str]:
    return {decision.version.name for decision in plan.decisions if decision.selected}


def referred(built: Built) -> dict[str, set[str]]:
    """Of each digest, what it refers to: an oracle of its own, written without the graph."""
    found: dict[str, set[str]] = {}
    for version in built.versions:
        reading = built.readings[version.name]
        targets = set()
        if isinstance(reading, Manifest) and reading.subject:
            targets.add(reading.subject)
        for tag in version.tags:
            if match := re.match(r"sha256-([0-9a-f]{64})", tag):
                targets.add(f"sha256:{match[1]}")
        found[version.name] = targets
    return found


def own_tag(version: Version) -> bool:
    return any(not tag.startswith("sha256-") for tag in version.tags)


def listed_attestations(built: Built) -> set[str]:
    """Untagged attestations that an index lists beside a platform: their subject alone does not keep them."""
    tagged = {version.name for version in built.versions if version.tags}
    fallback = {v.name for v in built.versions if v.tags and not own_tag(v)} | superseded(built).keys()
    found = set()
    for version in built.versions:
        reading = built.readings[version.name]
        children = reading.children if isinstance(reading, Manifest) else ()
        proofs = {child.digest for child in children if attests(built, child)}
        if version.name not in fallback and proofs < {child.digest for child in children}:
            found |= proofs
    return found - tagged


def attests(built: Built, child: Descriptor) -> bool:
    reading = built.readings.get(child.digest)
    told = reading.artifact_type if isinstance(reading, Manifest) else ""
    return child.role == "attestation-manifest" or ATTESTATION in (child.artifact_type, told)


def superseded(built: Built) -> dict[str, str]:
    """Untagged lists of referrers of one subject whose fallback tag another version has, each with that subject."""
    named = {one for r in built.readings.values() if isinstance(r, Manifest) for one in named_by(r)}
    tags = {tag for version in built.versions for tag in version.tags}
    found = {}
    for version in built.versions:
        reading = built.readings[version.name]
        if version.tags or version.name in named or not isinstance(reading, Manifest) or reading.layers:
            continue
        listed = [referred(built)[one] for one in named_by(reading) if one in built.readings]
        for subject in sorted(set.intersection(*listed)) if listed else ():
            if subject.replace(":", "-") in tags and subject != version.name:
                found[version.name] = subject
                break
    return found


def named_by(reading: Manifest) -> set[str]:
    """Everything that an index names, whatever it calls it."""
    return {child.digest for child in reading.children} | set(reading.mentions)


def replaced(built: Built, attestation: str, subject: str, deleted: set[str]) -> bool:
    """Whether another attestation of the same subject and kind stays."""
    told = built.readings[attestation]
    assert isinstance(told, Manifest)
    return bool(told.predicates) and any(
        isinstance(r, Manifest) and (r.subject, r.predicates) == (subject, told.predicates)
        for name, r in built.readings.items()
        if name not in deleted
    )


def losses(built: Built, deleted: set[str]) -> list[tuple[str, str]]:
    """Pairs of what stays and what it lost."""
    lost = []
    listed = {version.name for version in built.versions}
    refers, proofs, lists = referred(built), listed_attestations(built), superseded(built)
    for version in built.versions:
        name, reading = version.name, built.readings[version.name]
        if name in deleted:
            continue
        if isinstance(reading, Manifest):
            lost += [(name, child) for child in named_by(reading) & deleted]
        lost += [(name, one) for one, subject in lists.items() if subject == name and one in deleted]
        for other, to in refers.items():
            is_replaced = other in proofs and replaced(built, other, name, deleted)
            if name in to and other in deleted and not is_replaced:
                lost.append((name, other))
        if own_tag(version):
            lost += [(name, to) for to in refers[name] & listed & deleted]
    return lost


@EXAMPLES
@given(packages(), package_rules())
def test_a_plan_breaks_nothing_and_leaves_nothing_behind(built: Built, rules: PackageRules) -> None:
    plan = planned(built.facts(), rules)
    assert not losses(built, gone(plan))
    check_decisions_and_order(built, plan)
    check_what_belongs_goes(built, gone(plan))
    if rules.limit is None:
        check_second_run(built, rules, gone(plan))


def check_decisions_and_order(built: Built, plan: Plan) -> None:
    """Every version has one decision, and every step waits for what names it."""
    assert sorted(d.version.id for d in plan.decisions) == sorted(v.id for v in built.versions)
    deletions = [step for step in plan.steps if step.kind is StepKind.DELETE_VERSION and step.version]
    assert {step.version.name for step in deletions if step.version} == gone(plan)
    position = {step.version.id: place for place, step in enumerate(deletions) if step.version}
    names = {v.name: v.id for v in built.versions}
    for step in deletions:
        assert step.version
        assert all(position[before] < position[step.version.id] for before in step.after)
        subjects = referred(built)[step.version.name] & gone(plan)
        assert {names[subject] for subject in subjects} <= step.after
        for parent in built.versions:
            reading = built.readings[parent.name]
            if isinstance(reading, Manifest) and step.version.name in named_by(reading):
                assert names[parent.name] in step.after


def check_what_belongs_goes(built: Built, deleted: set[str]) -> None:
    """What belongs to deleted images alone goes with them."""
    for version in built.versions:
        if version.name in deleted or version.tags:
            continue
        namers = {
            v.name
            for v in built.versions
            if isinstance(r := built.readings[v.name], Manifest) and version.name in named_by(r)
        }
        owners = namers | {to for to in referred(built)[version.name] if to in built.readings}
        owners |= {
            to for one, to in superseded(built).items() if one == version.name and to in built.readings
        }
        # A referrer that stays by a tag of its own keeps its subject.
        held = any(
            version.name in referred(built)[other.name] and other.name not in deleted and own_tag(other)
            for other in built.versions
        )
        assert held or not owners or not owners <= deleted


def check_second_run(built: Built, rules: PackageRules, deleted: set[str]) -> None:
    """A run right after, which reads what a run reads, finds nothing new."""
    left = tuple(version for version in built.versions if version.name not in deleted)
    readings = {name: r for name, r in built.readings.items() if name not in deleted}
    confirmed = frozenset(built.gone | deleted)
    facts = replace(built.facts(), first=left, latest=left, readings=readings, confirmed=confirmed)
    # Mostly signatures are left where `orphaned` is refused: then there is no second plan.
    assert not gone(planned(facts, rules))


@FEW
@given(packages(), package_rules(), st.randoms())
def test_the_order_of_lists_and_rules_does_not_matter(
    built: Built, rules: PackageRules, random: object
) -> None:
    plan = planned(built.facts(), rules)
    shuffled = list(built.versions)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    other = replace(rules, delete=rules.delete[::-1], keep=rules.keep[::-1])
    facts = replace(built.facts(), first=tuple(shuffled), latest=tuple(shuffled))
    again = planned(facts, other)
    assert gone(again) == gone(plan)
    assert [s.version and s.version.id for s in again.steps] == [
        s.version and s.version.id for s in plan.steps
    ]


@FEW
@given(st.lists(st.integers(48, 3000), min_size=2, max_size=8, unique=True))
def test_images_that_share_a_platform_go_oldest_first(ages: list[int]) -> None:
    built = Built()
    built.add(hours=1, tags=("v1",))
    shared = Descriptor(built.add(hours=4000), IMAGE, "linux/amd64")
    for hours in ages:
        built.add(hours=hours, children=(shared,))
    everything = PackageRules(
        PackageType.CONTAINER, Patterns.parse("app"), delete=(Rule("all"),), exclude=Patterns.parse("v1")
    )
    going = [step.version for step in planned(built.facts(), everything).steps if step.version]
    images = [version for version in going if version.name != shared.digest]
    assert len(going) == len(ages) + 1
    assert images == sorted(images, key=lambda version: str(version.created_at))


def freely(built: Built | Facts, rules: PackageRules) -> set[str]:
    """What goes by the rules alone: not where GitHub's refusal of the last version has its say as well."""
    facts = built.facts() if isinstance(built, Built) else built
    plan = planned(facts, rules, when_empty=True)
    assume(all(decision.reason.code is not ReasonCode.LAST for decision in plan.decisions))
    return gone(plan)


@FEW
@given(packages(), package_rules(limited=False), KEEP_RULES, PATTERNS)
def test_adding_a_protection_never_deletes_more(
    built: Built, rules: PackageRules, keep: Rule, exclude: Patterns
) -> None:
    """Of interchangeable attestations one stays, and not always the same: that one does is the first law."""
    before = freely(built, rules) | listed_attestations(built)
    assert freely(built, replace(rules, keep=(*rules.keep, keep))) <= before
    if rules.exclude is None:
        assert freely(built, replace(rules, exclude=exclude)) <= before
    for limit in (0, 1, 3):
        assert freely(built, replace(rules, limit=limit)) <= before


@FEW
@given(packages(), package_rules(limited=False), DELETE_RULES)
def test_adding_a_delete_rule_never_deletes_less(built: Built, rules: PackageRules, more: Rule) -> None:
    before = freely(built, rules) - listed_attestations(built)
    assert before <= freely(built, replace(rules, delete=(*rules.delete, more)))


@FEW
@given(packages(), package_rules(), st.data())
def test_what_changed_or_could_not_be_read_protects(
    built: Built, rules: PackageRules, data: st.DataObject
) -> None:
    victim = data.draw(st.sampled_from(built.versions))
    facts = built.facts()
    unread, read = decided(replace(facts, readings={**facts.readings, victim.name: Unreadable("503")}), rules)
    # A platform needs no read: what an index says of it is enough.
    assert not losses(built, gone(unread)) if victim.name not in read else not gone(unread)
    missing = tuple(v for v in facts.first if v is not victim)
    for moved in (replace(facts, latest=missing), replace(facts, first=missing)):
        plan = planned(moved, rules)
        assert victim.name not in gone(plan)
        assert not losses(built, gone(plan))
    # What somebody else deletes meanwhile takes no keep place: nothing goes for its sake.
    if rules.limit is None:
        before = freely(facts, rules) | listed_attestations(built)
        assert freely(replace(facts, latest=missing), rules) <= before
    absent, read = decided(replace(facts, readings={**facts.readings, victim.name: Absent()}), rules)
    described = (c for r in facts.readings.values() if isinstance(r, Manifest) for c in r.children)
    is_index = any(c.digest == victim.name and c.media_type == INDEX for c in described)
    if (victim.tags or is_index) and victim.name in read:
        tagless = {v.name for v in built.versions if all(tag.startswith("sha256-") for tag in v.tags)}
        assert not gone(absent) & tagless
