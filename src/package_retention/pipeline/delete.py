"""Deletes in one package: survey, plan, look again, carry out."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from package_retention.decide import ecosystems
from package_retention.decide.deletion_plan import check_share, deletion_plan
from package_retention.decide.matching import Numbers
from package_retention.errors import PlanError
from package_retention.execute.walk import walk
from package_retention.model import Outcome, PackageResult, PackageType, Result, StepKind
from package_retention.pipeline import review
from package_retention.pipeline.context import Prepared, hands
from package_retention.pipeline.freshness import Watch
from package_retention.pipeline.survey import survey, survey_again

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from package_retention.decide.facts import Facts
    from package_retention.decide.rules import Options
    from package_retention.model import Plan
    from package_retention.pipeline.context import World
    from package_retention.pipeline.targets import Target


@dataclass(slots=True)
class Deletion:
    """One package's deletion: its facts, which grow fresher, and the rules, which do not change."""

    world: World
    target: Target
    facts: Facts
    now: datetime
    options: Options
    numbers: Numbers = field(init=False)
    looks: list[Plan] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Know the versions of the package's ecosystem."""
        self.numbers = Numbers(ecosystems.of(self.target.package.type))

    def plan(self) -> Plan:
        """Decide on the facts as they stand; a report only narrows what the step alone would do."""
        alone = self._plan(self.options)
        if self.world.report is None:
            return alone
        reviewed = review.review(self.world.report, self.target.package, self.facts.latest)
        return reviewed.told(alone, self._plan(reviewed.narrowed(self.options, alone)))

    def _plan(self, options: Options) -> Plan:
        return deletion_plan(self.facts, self.target.rules, self.numbers, self.now, options)

    def replan(self, done: Collection[int]) -> Plan:
        """List the package again and decide anew; what that meets (a manifest out of reach) is told at the end."""
        self.facts = survey_again(self.world, self.facts, self.target.rules, done)
        plan = self.plan()
        self.looks.append(plan)
        return plan

    def carry_out(self, plan: Plan, taken_at: float) -> PackageResult:
        """Carry out the plan, as far as the world still agrees with it."""
        # A container package is listed once more before its first change: its facts count as old.
        due = -math.inf if plan.package.type is PackageType.CONTAINER else taken_at
        watch = Watch(plan, due, self.world.clock, self.replan)
        if plan.steps[0].kind is StepKind.DELETE_PACKAGE:
            plan = self._last_look(plan, watch)
        outcomes = walk(plan, watch, hands(self.world))
        return PackageResult(self._with_looks(plan), outcomes)

    def _last_look(self, plan: Plan, watch: Watch) -> Plan:
        """Before a package goes whole: where anything came, it goes version by version, and what came stays."""
        now = watch.look(())
        if now.steps[:1] == plan.steps:
            return plan
        watch.narrow_to(now)
        message = "something came since the plan was made: the package stays, and what was planned goes alone"
        self.world.journal.finished(Outcome(plan.steps[0], Result.SKIPPED, message))
        self.world.journal.planned(now)
        return replace(now, warnings=(*now.warnings, f"{plan.package.label}: {message}"))

    def _with_looks(self, plan: Plan) -> Plan:
        """The plan with the problems and warnings of every later look at the package."""
        problems = dict.fromkeys([*plan.problems, *(p for look in self.looks for p in look.problems)])
        warnings = dict.fromkeys([*plan.warnings, *(w for look in self.looks for w in look.warnings)])
        return replace(plan, problems=tuple(problems), warnings=tuple(warnings))


def prepare(world: World, target: Target, now: datetime, options: Options) -> Prepared:
    """Survey a package and make its plan; one that goes over `fail-if-more-than` is told, and not carried out."""
    taken_at = world.clock.monotonic()
    deletion = Deletion(world, target, survey(world, target.package, target.rules), now, options)
    plan = deletion.plan()
    try:
        check_share(plan, world.settings.fail_if_more_than)
    except PlanError as error:
        # A dry run shows the plan that is too much, step by step; else no step of it is to come.
        shown = plan if world.settings.dry_run else replace(plan, steps=())
        return Prepared(shown, result=PackageResult(shown, failure=error.message, advice=error.advice))
    if not plan.steps or world.settings.dry_run:
        return Prepared(plan, result=PackageResult(plan))
    return Prepared(plan, carry_out=lambda: deletion.carry_out(plan, taken_at))
