"""List one package: what is there, what is deleted, and what rules would do when. It never changes anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import TypeVar

from msgspec.structs import replace

from package_retention.decide.contents import contents, inventory, says_which
from package_retention.decide.deletion_plan import check_share, deletion_plan
from package_retention.decide.due_dates import Schedule, moments, schedule
from package_retention.decide.facts import Facts
from package_retention.decide.rules import DecisionContext
from package_retention.errors import PlanError, RefusedError, UnreachableError
from package_retention.model import Owner, OwnerKind, Package, PackageType, Plan, Reading, Unreadable, Version
from package_retention.pipeline.context import PackageTask, RunContext
from package_retention.pipeline.survey import list_versions, read_labels, survey
from package_retention.pipeline.targets import Target
from package_retention.reason import Finding, FindingCode, Reason, ReasonCode, ReasonDetail
from package_retention.results import PackageResult

Value = TypeVar("Value")

_LISTED = Reason(ReasonCode.NOT_MATCHED, ReasonDetail.NOT_JUDGED)


@dataclass(slots=True)
class _Unlisted:
    """What could not be listed besides the versions: a refusal is a warning, no answer at all fails the run."""

    warnings: list[Finding] = field(default_factory=list)
    problems: list[Finding] = field(default_factory=list)

    def listed(self, what: str, request: Callable[[], Value]) -> Value | None:
        """Return what a request lists; record why and return `None` if it fails."""
        try:
            return request()
        except RefusedError as error:
            self.warnings.append(Finding(FindingCode.NOT_LISTED, what, about=error.said))
        except UnreachableError as error:
            self.problems.append(Finding(FindingCode.NOT_LISTED, what, error=error.message))
        return None


class Listing:
    """Lists the packages of one run, several at a time; the owner's docker conflicts are listed once."""

    def __init__(self, run_context: RunContext) -> None:
        self._run_context = run_context
        self._lock = Lock()
        self._conflicts: dict[Owner, tuple[str, ...] | None] = {}

    def prepare(self, target: Target, context: DecisionContext) -> PackageTask:
        """Look at one package; its plan has the decisions of a deletion by these rules now, and no step."""
        package, rules, incomplete = target.package, context.rules, _Unlisted()
        facts = survey(self._run_context, list_versions(self._run_context, package, rules), rules)
        readings = self._every_manifest(facts)
        deleted = incomplete.listed("deleted versions", lambda: self._deleted(package))
        is_docker = package.type is PackageType.DOCKER
        conflicts = self._in_conflict(package.owner, incomplete) if is_docker else None
        facts = self._as_a_deletion_reads(facts, context, readings)
        plan, scheduled = self._judged(facts, context)
        warnings, problems = (*plan.warnings, *incomplete.warnings), (*plan.problems, *incomplete.problems)
        known = contents(replace(facts, readings={**facts.readings, **readings}))
        plan = replace(plan, steps=(), warnings=warnings, problems=problems, contents=known)
        listed = inventory(
            facts, plan, context.now, scheduled, readings=readings, deleted=deleted, conflicts=conflicts
        )
        return PackageTask(PackageResult(plan, inventory=listed))

    def _every_manifest(self, facts: Facts) -> Mapping[str, Reading]:
        """Read what decisions did not need, too: the children, for their sizes."""
        if facts.package.type is not PackageType.CONTAINER:
            return {}
        rest = [version.name for version in facts.union if version.name not in facts.readings]
        listed = frozenset(version.name for version in facts.latest)
        return {**facts.readings, **self._run_context.registry.manifests(facts.package, rest, listed)}

    def _as_a_deletion_reads(
        self, facts: Facts, context: DecisionContext, readings: Mapping[str, Reading]
    ) -> Facts:
        """Return the facts with what was read, but with unreadable manifests only if a deletion would read them."""
        read = {digest: found for digest, found in readings.items() if not isinstance(found, Unreadable)}
        facts = replace(facts, readings={**facts.readings, **read})
        rules = context.rules
        with suppress(PlanError):
            # What expires later is listed too: its configs are those that a deletion then would read.
            later = moments(facts, rules)[-1:] if any(rule.filter.expired for rule in rules.delete) else []
            for moment in dict.fromkeys((context.now, *later)):
                plan = deletion_plan(facts, replace(context, now=moment))
                while plan.unread or plan.unread_configs:
                    found = {digest: readings[digest] for digest in plan.unread}
                    facts = replace(facts, readings={**facts.readings, **found})
                    facts = read_labels(self._run_context, facts, plan.unread_configs)
                    plan = deletion_plan(facts, replace(context, now=moment))
        return facts

    def _deleted(self, package: Package) -> tuple[Version, ...] | None:
        """List deleted versions; `None` if another user's list is empty: GitHub documents no such list (facts A1)."""
        listed = self._run_context.api.versions(package, deleted=True)
        return listed or (None if package.owner.kind is OwnerKind.USER else ())

    def _in_conflict(self, owner: Owner, incomplete: _Unlisted) -> tuple[str, ...] | None:
        """Return the names of the owner's docker packages in conflict; the first package to need them reports a refusal."""
        api = self._run_context.api
        with self._lock:
            if owner not in self._conflicts:
                found = incomplete.listed("docker packages in conflict", lambda: api.docker_conflicts(owner))
                self._conflicts[owner] = None if found is None else tuple(sorted({one.name for one in found}))
            return self._conflicts[owner]

    def _judged(self, facts: Facts, context: DecisionContext) -> tuple[Plan, Schedule | None]:
        """Return what a deletion would do now, and when it would do the rest; nothing ever without a filter."""
        nothing = replace(context, rules=replace(context.rules, delete=()))
        if not says_which(context.rules):
            return _unjudged(deletion_plan(facts, nothing)), None
        try:
            plan = deletion_plan(facts, context)
        except PlanError as error:
            # A deletion would be refused as a whole: nothing is selected.
            plan = _with_refusal(deletion_plan(facts, nothing), error)
            return plan, Schedule({}, {d.version.id: d.reason for d in plan.decisions})
        try:
            check_share(plan, self._run_context.settings.fail_if_more_than)
        except PlanError as error:
            plan = _with_refusal(plan, error)
        # The clock's waits raise `CancelledError` once nobody waits for the answer.
        return plan, schedule(facts, context, lambda: self._run_context.clock.sleep(0))


def _with_refusal(plan: Plan, error: PlanError) -> Plan:
    refused = Finding(FindingCode.WOULD_BE_REFUSED, about=error.said)
    return replace(plan, warnings=(*plan.warnings, refused))


def _unjudged(plan: Plan) -> Plan:
    """Return the decisions of a list without a filter: everything stays, and no rule is the reason."""
    decisions = tuple(
        replace(d, reason=_LISTED) if d.reason.code is ReasonCode.NOT_MATCHED else d for d in plan.decisions
    )
    return replace(plan, decisions=decisions)
