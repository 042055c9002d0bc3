"""Whether a report fits this step, and what it leaves of the step's own selection."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from package_retention.errors import PlanError
from package_retention.model import Operation

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from package_retention.model import Package, Plan, Version
    from package_retention.reported import Report
    from package_retention.settings import Settings

MAX_AGE = timedelta(days=7)
"""How old the plan may be that a deletion is narrowed to."""


def check(report: Report, settings: Settings, now: datetime) -> None:
    """Raise `PlanError` where a report was made elsewhere, of another operation, or too long ago."""
    if report.server.rstrip("/").lower() != settings.server_url.rstrip("/").lower():
        raise _misfit(f"was made on {report.server}, and this step works on {settings.server_url}")
    if report.owner.lower() != settings.owner.lower():
        raise _misfit(
            f"is about packages of {report.owner}, and this step is about those of {settings.owner}"
        )
    if report.operation is not Operation.DELETE:
        raise _misfit(
            f"tells of the operation {report.operation}, and only a deletion can be applied or undone"
        )
    if settings.operation is Operation.RESTORE and report.dry_run:
        raise _misfit("is that of a dry run: nothing was deleted that could be restored")
    if settings.operation is Operation.DELETE and now - report.created_at > MAX_AGE:
        raise _misfit(
            f"was written on {report.created_at:%Y-%m-%d}: a plan older than seven days is not applied"
        )


def _misfit(why: str) -> PlanError:
    return PlanError(
        f"from-report: the report {why}.", "Name the report of a run on the same host, owner and packages."
    )


def allowed(
    report: Report, package: Package, versions: Iterable[Version]
) -> tuple[frozenset[int], tuple[str, ...]]:
    """The ids that a report planned and that are as it saw them, with a warning for each that is not."""
    said = report.about(package)
    planned = said.planned if said else {}
    listed = {version.id: version for version in versions}
    same = {i for i, then in planned.items() if i in listed and _unchanged(then, listed[i])}
    gone = sorted(planned.keys() - listed.keys())
    changed = sorted(planned.keys() & listed.keys() - same)
    warnings = [
        f"{package.label}: {planned[i].label} was in the report's plan and is gone already" for i in gone
    ]
    warnings += [
        f"{package.label}: {listed[i].label} stays: its tags differ from the report's "
        f"({', '.join(planned[i].tags) or 'untagged'})"
        for i in changed
    ]
    return frozenset(same), tuple(_few(warnings))


def rescued(plan: Plan, ids: Collection[int]) -> tuple[str, ...]:
    """A warning for each version that a report planned and that stays now, with the reason."""
    stays = [d for d in plan.decisions if d.version.id in ids and not (d.selected or d.untag)]
    label = plan.package.label
    return tuple(
        _few(
            [f"{label}: {d.version.label} was in the report's plan and stays: {d.reason.text}" for d in stays]
        )
    )


def _unchanged(then: Version, now: Version) -> bool:
    return then.name == now.name and set(then.tags) == set(now.tags)


def _few(warnings: list[str], most: int = 10) -> list[str]:
    more = len(warnings) - most
    return (
        warnings if more <= 0 else [*warnings[:most], f"{more} more differ from the report in the same ways"]
    )
