"""Delete in one package: survey it, plan, look again, and carry the plan out."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, field

from msgspec.structs import replace

from package_retention.decide.contents import contents
from package_retention.decide.deletion_plan import check_share, deletion_plan, untouched_plan
from package_retention.decide.facts import Facts
from package_retention.decide.plan_warnings import git_kinds
from package_retention.decide.rules import DecisionContext
from package_retention.decide.selection import can_select
from package_retention.errors import MissingError, PlanError
from package_retention.execute.walk import FactsRefresher, walk
from package_retention.model import PackageType, Plan, Result, StepKind, Version
from package_retention.pipeline.context import PackageTask, RunContext, execution
from package_retention.pipeline.review import Review
from package_retention.pipeline.survey import list_versions, read_more, survey, survey_again
from package_retention.pipeline.targets import Target
from package_retention.reason import Finding, FindingCode
from package_retention.results import PackageResult


@dataclass(slots=True)
class Deletion:
    """One package's deletion: its facts, which are refreshed, and what they are judged by, which does not change."""

    run_context: RunContext
    facts: Facts
    context: DecisionContext
    refreshed_plans: list[Plan] = field(default_factory=list)

    def first_plan(self) -> Plan:
        """Decide on the list alone if nothing in it can match; else read the manifests first.

        A report is compared with what images the versions form, so with one they are always read.
        """
        facts, rules = self.facts, self.context.rules
        is_container = facts.package.type is PackageType.CONTAINER
        if is_container and not self.run_context.report and not can_select(facts, self.context):
            return untouched_plan(facts, rules)
        self.facts = survey(self.run_context, facts, rules)
        return self.plan()

    def plan(self) -> Plan:
        """Decide on the facts as they stand; a report only narrows what the step alone would do."""
        plan = alone = self._plan(self.context)
        if self.run_context.report is not None:
            reviewed = Review(self.run_context.report, alone, self.facts.latest)
            plan = reviewed.reconciled(self._plan(reviewed.narrowed(self.context)))
        return replace(plan, contents=contents(self.facts))

    def _plan(self, context: DecisionContext) -> Plan:
        """Decide, read what would go unread, and decide again: what is read may belong to something that stays."""
        while True:
            plan = deletion_plan(self.facts, context)
            if not (plan.unread or plan.unread_configs):
                return plan
            self.facts = read_more(self.run_context, self.facts, context.rules, plan)

    def replan(self, done: Collection[int]) -> Plan:
        """List the package again and decide anew; problems that this meets (a manifest out of reach) are reported at the end."""
        try:
            self.facts = survey_again(self.run_context, self.facts, self.context.rules, done)
        except MissingError:
            # Somebody deleted the package meanwhile: its own deletion then finds it gone, which is no failure.
            if done or not _deletes_whole(unchanged := self.plan()):
                raise
            return unchanged
        plan = self.plan()
        self.refreshed_plans.append(plan)
        return plan

    def versions(self) -> tuple[Version, ...]:
        """List the package, for what was gone before its turn; nothing of one that is gone whole."""
        try:
            return self.run_context.api.versions(self.facts.package)
        except MissingError:
            return ()

    def execute(self, plan: Plan, taken_at: float) -> PackageResult:
        """Carry out the plan, as far as the world still agrees with it."""
        # Planning many packages takes minutes, in which an index may be pushed that names an old child, or a branch may
        # be opened again. So a container package, one that goes whole, and what git decides is listed once more before
        # the first change: the plan can only shrink by that.
        relisted = plan.package.type is PackageType.CONTAINER or bool(git_kinds(self.context.rules))
        fresh = not (relisted or _deletes_whole(plan))
        due = taken_at if fresh else -math.inf
        refresher = FactsRefresher(plan, due, self.run_context.clock, self.replan, self.versions)
        outcomes = walk(refresher, execution(self.run_context))
        if _deletes_whole(plan) and outcomes[0].result is Result.SKIPPED:
            # Something came, or another look found a protection: what may still go goes version by version.
            finding = Finding(FindingCode.NOT_WHOLE, reason=outcomes[0].reason)
            now = self.refreshed_plans[-1]
            plan = replace(now, warnings=(*now.warnings, finding))
            refresher.plan = plan
            self.run_context.journal.planned(now)
            outcomes = walk(refresher, execution(self.run_context))
        return PackageResult(self._with_refreshed(plan), outcomes)

    def _with_refreshed(self, plan: Plan) -> Plan:
        """Return the plan with the problems and warnings of every later look at the package."""
        plans = (plan, *self.refreshed_plans)
        problems = dict.fromkeys(problem for one in plans for problem in one.problems)
        warnings = dict.fromkeys(warning for one in plans for warning in one.warnings)
        return replace(plan, problems=tuple(problems), warnings=tuple(warnings))


def _deletes_whole(plan: Plan) -> bool:
    return bool(plan.steps) and plan.steps[0].kind is StepKind.DELETE_PACKAGE


def prepare(run_context: RunContext, target: Target, context: DecisionContext) -> PackageTask:
    """Survey a package and make its plan; one that exceeds `fail-if-more-than` is reported and not carried out."""
    taken_at = run_context.clock.monotonic() if target.listed_at is None else target.listed_at
    facts = list_versions(run_context, target.package, context.rules)
    deletion = Deletion(run_context, facts, context)
    plan = deletion.first_plan()
    try:
        check_share(plan, run_context.settings.fail_if_more_than)
    except PlanError as error:
        shown = replace(plan, over_cap=True)
        return PackageTask(PackageResult(shown, failure=error.said))
    planned = PackageResult(plan)
    if not plan.steps or run_context.settings.dry_run:
        return PackageTask(planned)
    return PackageTask(planned, lambda: deletion.execute(plan, taken_at))
