"""Deletes in one package: survey, plan, look again, carry out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from package_retention.decide import ecosystems
from package_retention.decide.deleting import deletion_plan
from package_retention.decide.guard import check_share
from package_retention.decide.matching import Numbers
from package_retention.execute.walk import walk
from package_retention.model import PackageResult, PackageType, StepKind
from package_retention.pipeline import reports
from package_retention.pipeline.prepared import Prepared, hands
from package_retention.pipeline.survey import survey, survey_again
from package_retention.pipeline.watch import Watch, narrowing

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from package_retention.decide.facts import Facts
    from package_retention.decide.options import Options
    from package_retention.model import Plan
    from package_retention.pipeline.finding import Target
    from package_retention.pipeline.world import World


@dataclass(slots=True)
class Deletion:
    """One package's deletion: its facts, which grow fresher, and the rules, which do not change."""

    world: World
    target: Target
    facts: Facts
    now: datetime
    options: Options
    numbers: Numbers = field(init=False)

    def __post_init__(self) -> None:
        """Know the versions of the package's ecosystem."""
        self.numbers = Numbers(ecosystems.of(self.target.package.type))

    def plan(self) -> Plan:
        """Decide on the facts as they stand; a report only narrows."""
        report = self.world.report
        if report is None:
            return deletion_plan(self.facts, self.target.rules, self.numbers, self.now, self.options)
        ids, told = reports.allowed(report, self.target.package, self.facts.latest)
        options = replace(self.options, allowed=ids)
        plan = deletion_plan(self.facts, self.target.rules, self.numbers, self.now, options)
        return replace(plan, warnings=(*plan.warnings, *told, *reports.rescued(plan, ids)))

    def replan(self, done: Collection[int]) -> Plan:
        """List the package again and decide anew."""
        self.facts = survey_again(self.world, self.facts, self.target.rules, done)
        return self.plan()

    def carry_out(self, plan: Plan, taken_at: float) -> PackageResult:
        """Carry out the plan, as far as the world still agrees with it."""
        watch = Watch(plan, taken_at, self.world.clock, self.replan)
        if _looks_twice(plan):
            plan = _agreed(plan, watch.look(()), watch)
        outcomes = walk(plan, watch, hands(self.world))
        return PackageResult(plan, outcomes)


def prepare(world: World, target: Target, now: datetime, options: Options) -> Prepared:
    """Survey a package and make its plan; raises `PlanError` where the plan goes over `fail-if-more-than`."""
    taken_at = world.clock.monotonic()
    deletion = Deletion(world, target, survey(world, target.package, target.rules), now, options)
    plan = deletion.plan()
    check_share(plan, world.settings.fail_if_more_than)
    if not plan.steps or world.settings.dry_run:
        return Prepared(plan, result=PackageResult(plan))
    return Prepared(plan, carry_out=lambda: deletion.carry_out(plan, taken_at))


def _looks_twice(plan: Plan) -> bool:
    """A container package is listed once more before its first change, and so is one that goes whole."""
    whole = any(step.kind is StepKind.DELETE_PACKAGE for step in plan.steps)
    return whole or plan.package.type is PackageType.CONTAINER


def _agreed(plan: Plan, now: Plan, watch: Watch) -> Plan:
    """What both the plan and the second look say: a package that is not empty after all goes version by version."""
    if plan.steps[0].kind is StepKind.DELETE_PACKAGE and now.steps[:1] != plan.steps:
        watch.narrow_to(now)
        return now
    gone = narrowing(plan, now)
    steps = tuple(s for s in plan.steps if (s.version.id if s.version else None) not in gone)
    fresh = {decision.version.id: decision for decision in now.decisions}
    decisions = tuple(
        replace(d, selected=False, untag=(), reason=fresh[d.version.id].reason) if d.version.id in gone else d
        for d in plan.decisions
    )
    problems = tuple(dict.fromkeys((*plan.problems, *now.problems)))
    warnings = tuple(dict.fromkeys((*plan.warnings, *now.warnings)))
    return replace(plan, steps=steps, decisions=decisions, problems=problems, warnings=warnings)
