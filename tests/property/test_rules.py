"""Whatever the versions and whatever the rules: a rule only protects, and what is unknown stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import assume, given, settings, strategies as st
from msgspec.structs import replace

from package_retention.decide.deletion_plan import deletion_plan
from package_retention.decide.durations import Duration
from package_retention.decide.ecosystems import VersionParser
from package_retention.decide.rules import DecisionContext, OrderBy, PackageRules, Rule, Series
from package_retention.model import PackageType, Plan, StepKind, Version
from package_retention.output.sentences import reason_words
from package_retention.reason import ReasonCode
from property.leaves import PATTERNS, delete_rules, keep_rules, scenes
from property.worlds import NOW

if TYPE_CHECKING:
    from random import Random

    from package_retention.decide.facts import Facts

# Drawing a scene costs more than looking at it: every law is tried on the same ones.
MANY = settings(max_examples=120, deadline=None)
SOME = settings(max_examples=60, deadline=None)


def planned(facts: Facts, rules: PackageRules, *, when_empty: bool = False) -> Plan:
    numbers = VersionParser(facts.package.type)
    return deletion_plan(facts, DecisionContext(rules, numbers, NOW, when_empty=when_empty))


def gone(plan: Plan) -> set[int]:
    return {decision.version.id for decision in plan.decisions if decision.selected}


def freely(facts: Facts, rules: PackageRules) -> set[int]:
    """What goes by the rules alone, without GitHub's refusal of the last version."""
    plan = planned(facts, rules, when_empty=True)
    assume(all(decision.reason.code is not ReasonCode.LAST for decision in plan.decisions))
    return gone(plan)


def listed(facts: Facts, versions: tuple[Version, ...]) -> Facts:
    return replace(facts, first=versions, latest=versions)


@MANY
@given(scenes(), st.randoms())
def test_one_plan(scene: tuple[Facts, PackageRules], random: Random) -> None:
    facts, rules = scene
    plan = planned(facts, rules)
    one_decision_a_version(facts, plan)
    no_order_matters(facts, rules, plan, random)
    only_what_is_known(facts, rules, plan)
    whole_only_where_all_would_go(facts, rules, plan)


def one_decision_a_version(facts: Facts, plan: Plan) -> None:
    """Each has a reason, and what is selected has one step; oldest first, where the age is known."""
    assert sorted(d.version.id for d in plan.decisions) == sorted(v.id for v in facts.latest)
    assert all(reason_words(decision.reason) for decision in plan.decisions)
    assert all((d.reason.code is ReasonCode.SELECTED) is d.selected for d in plan.decisions)
    going = [step.version for step in plan.steps if step.version]
    assert len(going) == len(plan.steps)
    assert sorted(version.id for version in going) == sorted(gone(plan))
    ages = [(version.created_at, version.id) for version in going if version.created_at]
    assert ages == sorted(ages)


def no_order_matters(facts: Facts, rules: PackageRules, plan: Plan, random: Random) -> None:
    """Neither that of the list nor that of the rules."""
    shuffled = list(facts.latest)
    random.shuffle(shuffled)
    other = replace(rules, delete=rules.delete[::-1], keep=rules.keep[::-1])
    again = planned(listed(facts, tuple(shuffled)), other)
    assert again.steps == plan.steps
    assert gone(again) == gone(plan)
    assert set(again.warnings) == set(plan.warnings)


def only_what_is_known(facts: Facts, rules: PackageRules, plan: Plan) -> None:
    """An oracle of its own: of what is selected, some rule must be able to know everything that it asks."""
    numbers = VersionParser(rules.type)
    selected = gone(plan)
    for version in facts.latest:
        if version.id in selected:
            assert any(knows(rule, version, numbers) for rule in rules.delete)


def knows(rule: Rule, version: Version, numbers: VersionParser) -> bool:
    """Whether all that a rule looks at is known of a version."""
    condition, retention = rule.filter, rule.retention
    text = version.tags[0] if version.tags else version.name
    number = numbers.of(text)
    if condition.older_than and not (version.created_at and version.updated_at):
        return False
    if (condition.version_range or condition.release_status) and number is None:
        return False
    if not retention.minimum:
        return True
    by_version = retention.order_by is OrderBy.VERSION
    if not by_version and version.created_at is None:
        return False
    return number is not None or not (by_version or isinstance(retention.per, Series))


def whole_only_where_all_would_go(facts: Facts, rules: PackageRules, plan: Plan) -> None:
    """Without `when-empty`, something is always left that GitHub lets stay: of docker images a tagged one."""
    free = planned(facts, rules, when_empty=True)
    whole = [step for step in free.steps if step.kind is StepKind.DELETE_PACKAGE]
    assert bool(whole) is (len(gone(free)) == len(facts.latest))
    assert not whole or len(free.steps) == 1
    left = [version for version in facts.latest if version.id not in gone(plan)]
    assert left
    if rules.type is PackageType.DOCKER and gone(plan):
        assert any(version.tags for version in left)


@SOME
@given(scenes(limited=False), st.data())
def test_plans_of_other_rules_and_later_lists(scene: tuple[Facts, PackageRules], data: st.DataObject) -> None:
    facts, rules = scene
    a_second_run_finds_nothing(facts, rules)
    what_is_not_in_both_lists_stays(facts, rules, data.draw(st.sampled_from(facts.latest)))
    before = freely(facts, rules)
    adding_a_protection_never_deletes_more(facts, rules, before, data)
    more = data.draw(delete_rules(rules.type))
    assert before <= freely(facts, replace(rules, delete=(*rules.delete, more)))


def a_second_run_finds_nothing(facts: Facts, rules: PackageRules) -> None:
    deleted = gone(planned(facts, rules))
    left = tuple(version for version in facts.latest if version.id not in deleted)
    assert not gone(planned(listed(facts, left), rules))


def what_is_not_in_both_lists_stays(facts: Facts, rules: PackageRules, victim: Version) -> None:
    rest = tuple(version for version in facts.latest if version is not victim)
    touched = replace(victim, updated_at=NOW)
    moved = [replace(facts, latest=rest), replace(facts, first=rest)]
    moved += [replace(facts, latest=(*rest, touched))] if touched != victim else []
    for other in moved:
        assert victim.id not in gone(planned(other, rules))
    # What somebody else deletes meanwhile takes no keep place: nothing goes for its sake.
    assert freely(moved[0], rules) <= freely(facts, rules)


def adding_a_protection_never_deletes_more(
    facts: Facts, rules: PackageRules, before: set[int], data: st.DataObject
) -> None:
    """A keep rule, an exclusion, a limit, one more condition of a rule, one more version to keep."""
    keep = data.draw(keep_rules(rules.type))
    assert freely(facts, replace(rules, keep=(*rules.keep, keep))) <= before
    if rules.exclude is None:
        assert freely(facts, replace(rules, exclude=data.draw(PATTERNS))) <= before
    for limit in (0, 1, 3):
        limited = freely(facts, replace(rules, limit=limit))
        assert limited <= before
        assert len(limited) <= limit
    for number, rule in enumerate(rules.delete):
        for narrower in narrowed(rule, facts, data):
            fewer = (*rules.delete[:number], narrower, *rules.delete[number + 1 :])
            assert freely(facts, replace(rules, delete=fewer)) <= before


def narrowed(rule: Rule, facts: Facts, data: st.DataObject) -> list[Rule]:
    """The rule with one more condition, or one more version to keep."""
    more = [replace(rule, retention=replace(rule.retention, minimum=rule.retention.minimum + 1))]
    condition = rule.filter
    if condition.versions is None:
        more.append(replace(rule, filter=replace(condition, versions=data.draw(PATTERNS))))
    if condition.ids is None:
        # The id of what is tagged `latest` names it, and only what is named so may go.
        latest = {version.id for version in facts.union if "latest" in version.tags}
        more.append(replace(rule, filter=replace(condition, ids=frozenset({1, 3, 5} - latest))))
    if condition.older_than is None:
        more.append(replace(rule, filter=replace(condition, older_than=Duration.parse("40d"))))
    if rule.exclude is None:
        more.append(replace(rule, exclude=data.draw(PATTERNS)))
    return more
