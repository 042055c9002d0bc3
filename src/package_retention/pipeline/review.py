"""Check that a report fits this step, and narrow the step's own selection to what the report planned."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from msgspec.structs import replace

from package_retention.decide.rules import DecisionContext, ReportScope
from package_retention.errors import PlanError
from package_retention.inputs.report_reader import Report, ReportedPackage
from package_retention.inputs.settings import Settings
from package_retention.model import Decision, Operation, Package, Plan, Version
from package_retention.reason import Finding, FindingCode, Reason, ReasonCode, ReasonDetail

MAX_AGE = timedelta(days=7)
"""How old the plan may be that a deletion is narrowed to."""


def check(report: Report, settings: Settings, now: datetime) -> None:
    """Raise `PlanError` if a report was made elsewhere, of another operation, or too long ago."""
    if report.run.server.rstrip("/").lower() != settings.server_url.rstrip("/").lower():
        raise _mismatch(FindingCode.OTHER_SERVER, report.run.server, settings.server_url)
    if report.run.owner.lower() != settings.owner.lower():
        raise _mismatch(FindingCode.OTHER_OWNER, report.run.owner, settings.owner)
    if report.run.operation is not Operation.DELETE:
        raise _mismatch(FindingCode.OTHER_OPERATION, report.run.operation)
    if settings.operation is Operation.RESTORE and report.run.dry_run:
        raise _mismatch(FindingCode.OF_DRY_RUN)
    if settings.operation is Operation.DELETE and now - report.run.created_at > MAX_AGE:
        raise _mismatch(FindingCode.TOO_OLD, f"{report.run.created_at:%Y-%m-%d}")


def _mismatch(code: FindingCode, there: str = "", here: str = "") -> PlanError:
    return PlanError(Finding(code, there, others=(here,)))


def check_packages(report: Report, packages: Collection[Package]) -> None:
    """Raise `PlanError` if a report is about none of the packages that this step reaches."""
    if not packages or any(report.about(package).known for package in packages):
        return
    named, here = (one.package.label for one in report.packages), (package.label for package in packages)
    raise PlanError(Finding(FindingCode.OTHER_PACKAGES, names=tuple(named), others=tuple(here)))


class Review:
    """What a report planned of a package, held against what is listed now and the step's own plan (`alone`)."""

    def __init__(self, report: Report, alone: Plan, versions: Iterable[Version]) -> None:
        self.alone = alone
        self.reported = report.about(alone.package)
        self.listed = {version.id: version for version in versions}
        self.planned = self.reported.planned
        self.deletions = self.reported.planned_deletions
        # The ids that the report planned, and that are as it saw them.
        self.same = frozenset(
            i for i, then in self.planned.items() if i in self.listed and _unchanged(then, self.listed[i])
        )

    def narrowed(self, context: DecisionContext) -> DecisionContext:
        """Return the context in which a plan does no more than both the report and the step alone."""
        untags = self.reported.planned_untags
        going = frozenset(d.version.id for d in self.alone.decisions if d.selected)
        losing = frozenset(
            d.version.id
            for d in self.alone.decisions
            if d.untag and untags.get(d.version.id, frozenset()).issuperset(d.untag)
        )
        scope = ReportScope(self.same & going & self.deletions, self.same & losing, going)
        return replace(context, report_scope=scope)

    def reconciled(self, plan: Plan) -> Plan:
        """Return the narrowed plan, with reasons for what changed and a warning for all that differs from the report."""
        alone = {d.version.id: d for d in self.alone.decisions}
        decisions = tuple(self._explained(d, alone[d.version.id]) for d in plan.decisions)
        warnings = (*plan.warnings, *_few(self._differences(decisions)))
        return replace(plan, decisions=decisions, warnings=warnings)

    def _explained(self, decision: Decision, alone: Decision) -> Decision:
        if decision.reason.code is not ReasonCode.NOT_IN_REPORT:
            return decision
        if not (alone.selected or alone.untag):
            return replace(decision, reason=alone.reason)
        if decision.version.id not in self.same:
            return decision
        if alone.selected == (decision.version.id in self.deletions):
            return replace(decision, reason=Reason(ReasonCode.CHANGED, ReasonDetail.SINCE_REPORT))
        return replace(decision, reason=Reason(ReasonCode.NOT_IN_REPORT, ReasonDetail.OTHER_CHANGE))

    def _differences(self, decisions: Iterable[Decision]) -> list[Finding]:
        """Return what is gone, what has other tags, and what is rescued: of an image, its root alone."""
        if not self.reported.known:
            return [Finding(FindingCode.REPORT_SILENT)]
        stays = {d.version.id: d for d in decisions if not (d.selected or d.untag)}
        found: dict[int, Finding] = {}
        for i, then in sorted(self.planned.items()):
            now = self.listed.get(i)
            if now is None:
                found[i] = Finding(FindingCode.GONE_ALREADY, then.label)
            elif i not in self.same:
                found[i] = Finding(FindingCode.TAGS_DIFFER, now.label, names=then.tags, others=now.tags)
            elif i in stays:
                found[i] = Finding(FindingCode.STAYS_AFTER_ALL, then.label, reason=stays[i].reason)
        before, now_roots = self.reported.roots, {i: one.root for i, one in stays.items()}
        return [
            finding
            for i, finding in found.items()
            if not found.keys() & ({before.get(i), now_roots.get(i)} - {i})
        ]


def left_deleted(reported: ReportedPackage, plan: Plan, active: Iterable[Version]) -> tuple[Finding, ...]:
    """Return a warning for each version that the run of a report deleted and that a restore does not bring back."""
    if not reported.known:
        return (Finding(FindingCode.REPORT_SILENT),)
    there = {version.id for version in active}
    coming = plan.stepped_ids
    reasons = {d.version.id: d.reason for d in plan.decisions}
    lines = []
    for i, then in reported.deleted.items():
        if i in coming:
            continue
        if i in there:
            lines.append(Finding(FindingCode.THERE_AGAIN, then.label))
        elif i in reasons:
            lines.append(Finding(FindingCode.STAYS_DELETED, then.label, reason=reasons[i]))
        else:
            lines.append(Finding(FindingCode.NOT_RESTORABLE, then.label))
    return tuple(_few(lines))


def _unchanged(then: Version, now: Version) -> bool:
    return then.name == now.name and set(then.tags) == set(now.tags)


def _few(warnings: list[Finding], most: int = 10) -> list[Finding]:
    more = len(warnings) - most
    if more <= 0:
        return warnings
    return [*warnings[:most], Finding(FindingCode.MORE_DIFFER, number=more)]
