"""Where the list alone says that nothing can match, the plan that reads every manifest has no step."""

from __future__ import annotations

from hypothesis import event, given, settings, strategies as st
from msgspec.structs import replace

from package_retention.decide.deletion_plan import untouched_plan
from package_retention.decide.ecosystems import VersionParser
from package_retention.decide.rules import DecisionContext, PackageRules
from package_retention.decide.selection import can_select
from package_retention.model import PackageType
from property.test_images import planned
from property.worlds import NOW, Built, package_rules, packages


@settings(max_examples=400, deadline=None)
@given(packages(), package_rules(), st.booleans(), st.data())
def test_what_cannot_be_selected_is_not(
    built: Built, rules: PackageRules, untag: bool, data: st.DataObject
) -> None:
    """A single rule of a large draw selects something nearly always, so one rule is judged by itself, too."""
    if data.draw(st.booleans()) and rules.delete:
        rules = replace(rules, delete=rules.delete[:1])
    facts = built.facts()
    parser = VersionParser(PackageType.CONTAINER)
    possible = can_select(facts, DecisionContext(rules, parser, NOW))
    event(f"can select: {possible}")
    if possible:
        return
    plan = planned(facts, rules, untag=untag)
    assert plan.steps == ()
    assert not any(decision.selected or decision.untag for decision in plan.decisions)
    assert {d.version.id for d in untouched_plan(facts, rules).decisions} == {v.id for v in facts.union}
