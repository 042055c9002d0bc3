"""Make the lines of a report from a run's values; `report_format` says what each holds, and what is left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Literal, cast

from package_retention import report_format
from package_retention.decide.rules import Damage
from package_retention.inputs.settings import Settings
from package_retention.model import Decision, Outcome, Plan, Step, Version
from package_retention.output.counts import RunCounts
from package_retention.output.problem_sentences import lines
from package_retention.output.sentences import (
    finding_hint,
    finding_words,
    outcome_hint,
    outcome_words,
    reason_words,
)
from package_retention.reason import Reason
from package_retention.results import Due, Entry, Inventory


def header(settings: Settings, now: datetime, run: Mapping[str, str]) -> report_format.Run:
    """Return the first line: which run this is, and its inputs without the token."""
    return report_format.Run(
        schema=report_format.SCHEMA,
        operation=settings.operation,
        dry_run=settings.reads_only,
        created_at=now,
        server=settings.server_url,
        owner=settings.owner,
        repository=settings.repository or None,
        runner=dict(run),
        inputs={name: value for name, value in settings.given.items() if name != "token"},
    )


def package(number: int, plan: Plan) -> report_format.Package:
    """Return the line of a package whose plan stands; `number` is its own in this report."""
    one = plan.package
    return report_format.Package(
        package=number,
        owner=one.owner.login,
        owner_kind=one.owner.kind,
        type=one.type,
        name=one.name,
        html_url=one.html_url,
        visibility=one.visibility,
        repository=one.repository or "",
        version_count=one.version_count,
        created_at=one.created_at,
        updated_at=one.updated_at,
        warnings=tuple(map(finding_words, plan.warnings)),
        problems=tuple(map(finding_words, plan.problems)),
        over_cap=plan.over_cap,
    )


def decision(number: int, one: Decision) -> report_format.Decision:
    """Return what was decided of a version, and why."""
    return report_format.Decision(
        package=number,
        version=_described(one.version),
        selected=one.selected,
        reason=_reason(one.reason),
        root=one.root,
        untag=tuple(one.untag),
    )


def step(number: int, package_number: int, one: Step) -> report_format.Step:
    """Return a planned change; `number` is its own in this report."""
    version = one.version
    return report_format.Step(
        step=number,
        package=package_number,
        change=one.kind,
        version=report_format.Named(version.id, version.name, version.tags) if version else None,
        tags=one.tags,
        after=tuple(sorted(one.after)),
        root=one.root,
    )


def outcome(number: int, one: Outcome, now: datetime) -> report_format.Outcome:
    """Return how a step ended."""
    return report_format.Outcome(
        step=number,
        result=one.result,
        at=now,
        tags=one.tags,
        message=outcome_words(one),
        hint=outcome_hint(one),
        in_doubt=one.in_doubt,
    )


def inventory(number: int, found: Inventory) -> Iterator[report_format.Line]:
    """Yield a package's inventory: itself, then a line for each image or version, then those that are deleted."""
    yield report_format.Inventory(
        package=number,
        at=found.at,
        entries=len(found.entries),
        versions=found.versions,
        judged=found.judged,
        deleted_known=found.deleted is not None,
        size_bytes=found.size,
        conflicts=found.conflicts,
    )
    for entry in found.entries:
        yield _entry(number, entry)
    for one in found.deleted or ():
        yield report_format.Deleted(number, _described(one.version), one.until)


def _entry(number: int, one: Entry) -> report_format.Entry:
    return report_format.Entry(
        package=number,
        version=_described(one.version),
        selected=one.selected,
        due=_due(one.due) if one.due else None,
        stays=_reason(one.stays) if one.stays else None,
        size_bytes=one.size,
        members=one.members,
        platforms=one.platforms,
        attestations=one.attestations,
        damage=Damage(one.damage) if one.damage else None,
        referrers=tuple(report_format.Referrer(each.id, each.name, each.kind) for each in one.referrers),
        named_by=one.named_by,
    )


def end(counts: RunCounts, now: datetime) -> report_format.End:
    """Return the last line: how the run ended, its counts and what it cost."""
    run, one, spent = counts.run, counts.total, counts.run.spending
    return report_format.End(
        at=now,
        complete=run.complete,
        exit_status=run.exit_status,
        counts=report_format.Counts(**one.by_name(), freed_bytes=one.space.size),
        spending=report_format.Spending(
            api_requests=spent.api_requests,
            registry_requests=spent.registry_requests,
            points=spent.points,
            waited_seconds=round(spent.waited, 1),
            seconds=round(spent.seconds, 1),
        ),
        ended_by=cast("Literal['time', 'budget', 'cancel'] | None", run.ended_by or None),
        failure="\n".join(lines(run.problems)) if run.problems else finding_words(run.failure),
        hint=finding_hint(run.failure),
        warnings=tuple(map(finding_words, run.warnings)),
        failures=tuple(
            report_format.Failure(
                result.plan.package.label,
                finding_words(result.failure),
                finding_hint(result.failure),
            )
            for result in run.packages
            if result.failure
        ),
    )


def _described(one: Version) -> report_format.Described:
    return report_format.Described(
        one.id, one.name, one.tags, one.created_at, one.updated_at, one.deleted_at, one.html_url
    )


def _reason(one: Reason) -> report_format.Reason:
    return report_format.Reason(
        code=one.code,
        detail=one.detail or "",
        rule=dict(one.rule),
        text=reason_words(one),
    )


def _due(due: Due) -> report_format.Due:
    return report_format.Due(due.not_before, due.by, _reason(due.reason))
