"""The lines of a report, as values ready for JSON; what is unknown or empty is left out. See docs/report.schema.json."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

from package_retention.output.counts import count_run
from package_retention.output.findings import finding_hint, finding_words, outcome_hint, outcome_words
from package_retention.output.sentences import reason_words
from package_retention.report import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from package_retention.inputs.settings import Settings
    from package_retention.model import Decision, Outcome, Package, Plan, Step, Version
    from package_retention.output.counts import RunCounts
    from package_retention.reason import Reason
    from package_retention.results import DeletedVersion, Due, Entry, Inventory, RunResult


def lines(number: int, inventory: Inventory) -> Iterator[Line]:
    """Tell a package's inventory: itself, then a line for each image or version, then those that are deleted."""
    yield {
        "kind": "inventory",
        "package": number,
        "at": moment(inventory.at),
        "entries": len(inventory.entries),
        "versions": inventory.versions,
        "judged": inventory.judged,
        "deleted_known": inventory.deleted is not None,
        **({} if inventory.size is None else {"size_bytes": inventory.size}),
        **({} if inventory.conflicts is None else {"conflicts": list(inventory.conflicts)}),
    }
    for entry in inventory.entries:
        yield _entry(number, entry)
    for deleted in inventory.deleted or ():
        yield _deleted(number, deleted)


def _entry(number: int, entry: Entry) -> Line:
    reported = {
        "members": list(entry.members),
        "platforms": list(entry.platforms),
        "attestations": entry.attestations,
        "damage": entry.damage,
        "referrers": [{"id": one.id, "name": one.name, "kind": one.kind} for one in entry.referrers],
        "named_by": list(entry.named_by),
    }
    return {
        "kind": "entry",
        "package": number,
        "version": version(entry.version),
        "selected": entry.selected,
        **({"due": _due(entry.due)} if entry.due else {}),
        **({"stays": _reason(entry.stays)} if entry.stays else {}),
        **({} if entry.size is None else {"size_bytes": entry.size}),
        **{name: value for name, value in reported.items() if value},
    }


def _due(due: Due) -> Line:
    return {"not_before": moment(due.not_before), "by": moment(due.by), "reason": _reason(due.reason)}


def _reason(reason: Reason) -> Line:
    return {
        "code": reason.code.value,
        **_known(detail=reason.detail.value if reason.detail else None, rule=dict(reason.rule)),
        "text": reason_words(reason),
    }


def _deleted(number: int, deleted: DeletedVersion) -> Line:
    until = {"restorable_until": moment(deleted.until)} if deleted.until else {}
    return {"kind": "deleted", "package": number, "version": version(deleted.version), **until}


Line = dict[str, Any]


def header(settings: Settings, now: datetime, run: Mapping[str, str]) -> Line:
    """The first line: which run this is, and its inputs without the token."""
    return {
        "kind": "run",
        "schema": SCHEMA,
        "operation": settings.operation.value,
        "dry_run": settings.reads_only,
        "created_at": moment(now),
        "server": settings.server_url,
        "owner": settings.owner,
        **_known(repository=settings.repository, runner=dict(run)),
        "inputs": {name: value for name, value in settings.given.items() if name != "token"},
    }


def package(number: int, plan: Plan) -> Line:
    """A package whose plan stands; `package` is its number in this report."""
    one = plan.package
    return {
        "kind": "package",
        "package": number,
        "owner": one.owner.login,
        "owner_kind": one.owner.kind.value,
        "type": one.type.value,
        "name": one.name,
        **_described(one),
        **_known(
            warnings=[finding_words(one) for one in plan.warnings],
            problems=[finding_words(one) for one in plan.problems],
            over_cap=plan.over_cap or None,
        ),
    }


def decision(number: int, one: Decision) -> Line:
    """What was decided of a version, and why."""
    return {
        "kind": "decision",
        "package": number,
        "version": version(one.version),
        "selected": one.selected,
        "reason": _reason(one.reason),
        **_known(root=one.root, untag=list(one.untag)),
    }


def step(number: int, package_number: int, one: Step) -> Line:
    """A planned change; `step` is its number in this report."""
    return {
        "kind": "step",
        "step": number,
        "package": package_number,
        "change": one.kind.value,
        **_known(
            version=_named(one.version) if one.version else None,
            tags=list(one.tags),
            after=sorted(one.after),
            root=one.root,
        ),
    }


def starting(number: int, now: datetime) -> Line:
    """A change is about to be sent: without an outcome after it, nobody knows whether it was made."""
    return {"kind": "starting", "step": number, "at": moment(now)}


def outcome(number: int, one: Outcome, now: datetime) -> Line:
    """How a step ended."""
    said = _known(
        tags=list(one.tags), message=outcome_words(one), hint=outcome_hint(one), in_doubt=one.in_doubt or None
    )
    return {"kind": "outcome", "step": number, "result": one.result.value, "at": moment(now), **said}


def note(text: str, now: datetime) -> Line:
    """Something worth knowing."""
    return {"kind": "note", "at": moment(now), "text": text}


def end(run: RunResult, now: datetime, counts: RunCounts | None = None) -> Line:
    """The last line: how the run ended, its counts and what it cost."""
    one, spent = (counts or count_run(run)).total, run.spending
    failures = [
        {
            "package": result.plan.package.label,
            "failure": finding_words(result.failure),
            **_known(hint=result.hint or finding_hint(result.failure)),
        }
        for result in run.packages
        if result.failure
    ]
    return {
        "kind": "end",
        "at": moment(now),
        "complete": run.complete,
        "exit_status": run.exit_status,
        "counts": {
            "selected": len(one.selected),
            "deleted": len(one.deleted),
            "restored": len(one.restored),
            "untagged": one.untagged,
            "failed": len(one.failed),
            "kept": one.kept,
            "freed_bytes": one.space.size,
        },
        "spending": {
            "api_requests": spent.api_requests,
            "registry_requests": spent.registry_requests,
            "points": spent.points,
            "waited_seconds": round(spent.waited, 1),
            "seconds": round(spent.seconds, 1),
        },
        **_known(
            ended_by=run.ended_by,
            failure=finding_words(run.failure),
            hint=run.hint or finding_hint(run.failure),
        ),
        **_known(warnings=[finding_words(one) for one in run.warnings], failures=failures),
    }


def version(one: Version) -> Line:
    """A version as it was when the plan was made."""
    return {
        **_named(one),
        **_known(
            created_at=one.created_at and moment(one.created_at),
            updated_at=one.updated_at and moment(one.updated_at),
            deleted_at=one.deleted_at and moment(one.deleted_at),
            html_url=one.html_url,
        ),
    }


def _named(one: Version) -> Line:
    return {"id": one.id, "name": one.name, **_known(tags=list(one.tags))}


def moment(when: datetime) -> str:
    """A time in UTC, in the form of the API's own."""
    return when.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def _described(one: Package) -> Line:
    return _known(
        html_url=one.html_url,
        visibility=one.visibility,
        repository=one.repository,
        version_count=one.version_count,
        created_at=one.created_at and moment(one.created_at),
        updated_at=one.updated_at and moment(one.updated_at),
    )


def _known(**entries: Any) -> Line:
    """Keep what is known and not empty; 0 is known."""
    return {name: value for name, value in entries.items() if value not in (None, "", [], {})}
