"""Restore in one package: what the filter selects, and for an image, wave by wave, what it names."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from msgspec.structs import replace

from package_retention.decide.candidates import flat
from package_retention.decide.matching import excluded
from package_retention.decide.restore_plan import (
    LostTags,
    followers,
    restore_plan,
    restore_steps,
    wave_plan,
)
from package_retention.decide.rules import DecisionContext, Filter, PackageRules, named_ids
from package_retention.errors import MissingError, PlanError, RetentionError, UnreachableError
from package_retention.execute.steps import is_placeholder
from package_retention.execute.walk import FactsRefresher, Replan, walk
from package_retention.inputs.report_reader import ReportedPackage
from package_retention.model import (
    Decision,
    Manifest,
    Outcome,
    OwnerKind,
    Package,
    PackageType,
    Plan,
    Result,
    Step,
    StepKind,
    Unreadable,
    Version,
)
from package_retention.pipeline.context import PackageTask, RunContext, execution, joined
from package_retention.pipeline.review import left_deleted
from package_retention.pipeline.targets import Target
from package_retention.ports import RawManifest
from package_retention.reason import Finding, FindingCode, Reason, ReasonCode, ReasonDetail
from package_retention.results import PackageResult


def prepare(run_context: RunContext, target: Target, context: DecisionContext) -> PackageTask:
    """Plan what comes back; a package that is gone whole comes back whole."""
    reported = run_context.report.about(target.package) if run_context.report else None
    if isinstance(target.error, MissingError):
        return _whole(run_context, target, reported)
    restore = Restore(run_context, target.package, context, reported)
    plan = restore.plan(())
    if not plan.steps or run_context.settings.dry_run:
        return PackageTask(PackageResult(restore.with_unfound(plan)))
    return PackageTask(PackageResult(plan), lambda: restore.execute(plan))


def _whole(run_context: RunContext, target: Target, reported: ReportedPackage | None) -> PackageTask:
    """Restore a package by its name: GitHub lists no deleted packages, so a filter has nothing to match."""
    package = target.package
    if reported and not reported.known:
        return PackageTask(PackageResult(Plan(package, warnings=(Finding(FindingCode.REPORT_SILENT),))))
    # A report only narrows: beside it the step's own filter must still select every version of the package.
    if not wants_everything(target.rules) or (reported and not reported.went_whole):
        missing = target.error.said if target.error else None
        raise PlanError(Finding(FindingCode.GONE_WHOLE, package.label, about=missing))
    plan = Plan(package, steps=(Step(StepKind.RESTORE_PACKAGE, package),))
    if run_context.settings.dry_run:
        return PackageTask(PackageResult(plan))
    fresh = FactsRefresher(plan, run_context.clock.monotonic(), run_context.clock, lambda _done: plan)
    return PackageTask(PackageResult(plan), lambda: _with_versions(run_context, plan, fresh))


def _with_versions(run_context: RunContext, plan: Plan, fresh: FactsRefresher) -> PackageResult:
    """Restore a package, and list the versions that came with it: they could not be listed before."""
    outcomes = walk(fresh, execution(run_context))
    if outcomes[0].result is not Result.DONE:
        return PackageResult(plan, outcomes)
    package, why = plan.package, Reason(ReasonCode.SELECTED, ReasonDetail.WITH_PACKAGE)
    try:
        versions = run_context.api.versions(package)
    except RetentionError as error:
        unknown = Finding(FindingCode.VERSIONS_UNKNOWN, about=error.said)
        return PackageResult(replace(plan, problems=(*plan.problems, unknown)), outcomes)
    found = Plan(package, tuple(Decision(v, selected=True, reason=why, root=v.id) for v in versions))
    run_context.journal.planned(found)
    return PackageResult(replace(plan, decisions=found.decisions), outcomes)


def wants_everything(rules: PackageRules) -> bool:
    """Return whether the rules are `versions: '*'` alone, or, beside a report, none."""
    if rules.exclude or rules.limit is not None or len(rules.delete) != 1:
        return False
    condition = rules.delete[0].filter
    every_name = condition.versions is None or condition.versions.is_everything
    return every_name and condition == Filter(versions=condition.versions)


@dataclass(slots=True)
class Restore:
    """One package's restore: what is deleted, and what came back so far.

    `reported` is what the report says of the package, if the step names a report.
    """

    run_context: RunContext
    package: Package
    context: DecisionContext
    reported: ReportedPackage | None
    deleted: tuple[Version, ...] = ()
    retagged: set[int] = field(default_factory=set)
    listed_at: float = 0.0

    def plan(self, done: Collection[int]) -> Plan:
        """List what is deleted and what is there, and decide; a report adds tags that were taken away."""
        package, api, reported = self.package, self.run_context.api, self.reported
        self.listed_at = self.run_context.clock.monotonic()
        listed = api.versions(package, deleted=True)
        known = {version.id for version in listed}
        self.deleted = listed + tuple(v for v in self.deleted if v.id in done and v.id not in known)
        active = tuple(v for v in api.versions(package) if v.id not in done)
        if not self.deleted and package.owner.kind is OwnerKind.USER:
            # GitHub does not always offer a list of deleted versions.
            if reported is None:
                return self._by_ids(active)
            # As the report saw them; what it calls them can only narrow what comes back.
            there = {version.id for version in active}
            self.deleted = tuple(version for i, version in reported.deleted.items() if i not in there)
        if reported is None:
            return restore_plan(package, self.deleted, active, self.context)
        plan = restore_plan(package, self.deleted, active, self.context, reported.deleted.keys())
        plan = replace(plan, warnings=(*plan.warnings, *left_deleted(reported, plan, active)))
        if package.type is not PackageType.CONTAINER:
            return plan
        return joined(plan, self._retags(reported, active))

    def _by_ids(self, active: Sequence[Version]) -> Plan:
        """Plan what the step names by its id, without a list of deleted versions."""
        named = named_ids(self.context.rules.delete)
        if not named:
            raise PlanError(Finding(FindingCode.NO_DELETED_LIST, self.package.label))
        versions = [Version(i, f"id {i}") for i in sorted(named - {version.id for version in active})]
        why = Reason(ReasonCode.SELECTED, ReasonDetail.BY_ID)
        decisions = tuple(Decision(v, selected=True, reason=why, root=v.id) for v in versions)
        return Plan(self.package, decisions, restore_steps(self.package, versions))

    def _retags(self, reported: ReportedPackage, active: Sequence[Version]) -> Plan:
        """Plan to put tags back on what is there (never taken, or restored since).

        If GitHub's own rows of deleted versions show tags, a report may only name tags that they show.
        """
        rows = {version.id: set(version.tags) for version in self.deleted if version.tags}
        lost = {
            i: replace(then, tags=tuple(t for t in then.tags if t in rows.get(i, {t})))
            for i, then in reported.lost.items()
        }
        active = self._without_placeholders(active, lost)
        return LostTags(lost, reported.roots, active, self.context).plan(self.package)

    def _without_placeholders(self, active: Sequence[Version], lost: Mapping[int, Version]) -> list[Version]:
        """Leave out placeholders that a run left when it was killed between two requests: only manifests show them."""
        tags = {tag for then in lost.values() for tag in then.tags}
        suspects = [v for v in active if v.id not in lost and len(v.tags) == 1 and tags.issuperset(v.tags)]
        registry, package = self.run_context.registry, self.package
        placeholders = {
            v.id
            for v in suspects
            if isinstance(held := registry.raw(package, v.name), RawManifest) and is_placeholder(held)
        }
        return [version for version in active if version.id not in placeholders]

    def execute(self, plan: Plan) -> PackageResult:
        """Restore wave by wave until the manifests that came back name nothing that is still deleted."""
        whole = plan
        back = outcomes = self._walk(plan, self.plan)
        while wave := self._next(whole, _came_back(back)) or self._tags_again(outcomes):
            self.run_context.journal.planned(wave)
            back = self._walk(wave, partial(self._still, wave))
            outcomes += back
            whole = joined(whole, wave)
        return PackageResult(self.with_unfound(whole), outcomes)

    def with_unfound(self, plan: Plan) -> Plan:
        """Warn if signatures may be missing: what only its manifest's `subject` ties to an image has no tag."""
        package, planned = self.package, plan.stepped_ids
        left = [v for v in self.deleted if v.id not in planned and not v.tags]
        if not (plan.steps and left) or self.reported or package.type is not PackageType.CONTAINER:
            return plan
        unfound = Finding(FindingCode.REFERRERS_UNFOUND, number=len(left))
        return replace(plan, warnings=(*plan.warnings, unfound))

    def _walk(self, plan: Plan, replan: Replan) -> tuple[Outcome, ...]:
        fresh = FactsRefresher(plan, self.listed_at, self.run_context.clock, replan)
        return walk(fresh, execution(self.run_context))

    def _still(self, wave: Plan, done: Collection[int]) -> Plan:
        """Return what of a later wave may still come back; the step's filters select roots, and do not apply here."""
        self.listed_at = self.run_context.clock.monotonic()
        active = [v for v in self.run_context.api.versions(self.package) if v.id not in done]
        there, names = {v.id for v in active}, {v.name for v in active}
        steps = [
            step
            for step in wave.steps
            if step.kind is StepKind.RETAG
            or (step.version and step.version.id not in there and step.version.name not in names)
        ]
        return replace(wave, steps=tuple(steps))

    def _next(self, so_far: Plan, restored: Sequence[Version]) -> Plan | None:
        """Return what the manifests that came back name, and what refers to them, of the versions still deleted."""
        package = self.package
        if not restored or self.run_context.stop_reason.cause or package.type is not PackageType.CONTAINER:
            return None
        named, unread = _named(self.run_context, package, [v.name for v in restored])
        planned = so_far.stepped_ids
        candidates = flat(tuple(v for v in self.deleted if v.id not in planned), package.type)
        left = [one.version for one in candidates if not excluded(self.context.rules.exclude, one)]
        members = self.reported.members_of({v.id for v in restored}) if self.reported else ()
        found = followers(left, [v.name for v in restored], named, members)
        if not (found or unread):
            return None
        wave = wave_plan(package, found, self.reported.deleted if self.reported else None)
        return replace(wave, problems=tuple(unread))

    def _tags_again(self, outcomes: Sequence[Outcome]) -> Plan | None:
        """Plan to put back the tags of a report that did not come back with their version: GitHub does not promise them."""
        reported, package = self.reported, self.package
        if not reported or self.run_context.stop_reason.cause:
            return None
        done = {v.id for v in _came_back(o for o in outcomes if o.step.kind is StepKind.RESTORE_VERSION)}
        fresh = {i for i, then in reported.lost.items() if then.tags and i in done - self.retagged}
        self.retagged |= fresh
        if not fresh:
            return None
        self.listed_at = self.run_context.clock.monotonic()
        plan = self._retags(reported, self.run_context.api.versions(package))
        steps = tuple(step for step in plan.steps if step.root in fresh)
        if package.type is PackageType.CONTAINER:
            plan = replace(plan, steps=steps)
        else:
            lost = [Finding(FindingCode.TAGS_LOST, s.version.name, names=s.tags) for s in steps if s.version]
            plan = Plan(package, warnings=tuple(lost[:10]))
        return plan if plan.steps or plan.warnings else None


def _named(
    run_context: RunContext, package: Package, digests: Sequence[str]
) -> tuple[set[str], list[Finding]]:
    """Return the digests that restored manifests name, and what could not be read of them."""
    named: set[str] = set()
    unread: list[Finding] = []
    for digest, reading in run_context.registry.manifests(package, digests).items():
        if isinstance(reading, Manifest):
            named.update(reading.named)
        elif isinstance(reading, Unreadable):
            unread.append(Finding(FindingCode.CAME_BACK_UNREAD, digest, error=reading.why))
        else:
            unread.append(Finding(FindingCode.CAME_BACK_ABSENT, digest))
        try:
            named |= {child.digest for child in run_context.registry.referrers(package, digest) or ()}
        except UnreachableError as error:
            # What the manifest itself names comes back anyway.
            unread.append(Finding(FindingCode.REFERRERS_UNKNOWN, digest, about=error.said))
    return named, unread


def _came_back(outcomes: Iterable[Outcome]) -> list[Version]:
    done = (Result.DONE, Result.ALREADY)
    return [o.step.version for o in outcomes if o.step.version and o.result in done]
