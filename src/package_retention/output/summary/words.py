"""The summary's first line, and the words for results and reasons."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from package_retention.escaping import counted
from package_retention.model import Operation, Result, StepKind
from package_retention.output.counts import planned_tags
from package_retention.reason import ReasonCode

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from package_retention.model import Outcome, PackageResult, RunResult
    from package_retention.output.counts import Counts


_BUCKETS = (
    ("1 day", timedelta(days=1)),
    ("1 week", timedelta(days=7)),
    ("30 days", timedelta(days=30)),
    ("90 days", timedelta(days=90)),
    ("180 days", timedelta(days=180)),
    ("1 year", timedelta(days=365)),
    ("2 years", timedelta(days=730)),
)
_SHORT = timedelta(seconds=10)
LABELS = (*(f"to {name}" for name, _ in _BUCKETS), "older")

_LEAST_MONTHS, _LEAST_YEARS = timedelta(days=60), timedelta(days=730)
_MONTH, _YEAR = timedelta(days=365.25 / 12), timedelta(days=365.25)


def age(then: datetime | None, now: datetime) -> str:
    """Say how old something is, in one unit; a time to come counts as now."""
    return "unknown" if then is None else roughly(max(now - then, timedelta()))


def roughly(span: timedelta) -> str:
    """Say how long something is, in one unit: `45 days`, `2 months`."""
    if span < timedelta(minutes=1):
        return "under a minute"
    for unit, least, noun in (
        (_YEAR, _LEAST_YEARS, "year"),
        (_MONTH, _LEAST_MONTHS, "month"),
        (timedelta(days=1), timedelta(days=1), "day"),
        (timedelta(hours=1), timedelta(hours=1), "hour"),
    ):
        if span >= least:
            return counted(span // unit, noun)
    return counted(span // timedelta(minutes=1), "minute")


def lasting(span: timedelta) -> str:
    """Say how long something takes or took, in its two largest units or so; tenths where it is short."""
    if span < _SHORT:
        return f"{span.total_seconds():.1f} seconds"
    from humanize import precisedelta  # noqa: PLC0415 - only a summary needs it

    return precisedelta(span, minimum_unit=_unit(span), format="%0.0f")


def bucket(then: datetime, now: datetime) -> int:
    """Give the number of the age's label in `LABELS`."""
    passed = now - then
    return sum(1 for _, most in _BUCKETS if passed >= most)


def _unit(span: timedelta) -> str:
    if span >= timedelta(days=365):
        return "months"
    if span >= timedelta(days=1):
        return "days"
    if span >= timedelta(minutes=10):
        return "minutes"
    return "seconds"


REASONS = {
    ReasonCode.SELECTED: "selected, but not changed",
    ReasonCode.WITH_IMAGE: "goes with its image, but not changed",
    ReasonCode.NOT_MATCHED: "not matched by the filter",
    ReasonCode.EXCLUDED: "excluded",
    ReasonCode.NEWEST: "among the newest",
    ReasonCode.KEEP_RULE: "kept by a rule",
    ReasonCode.NEEDED: "needed by something that stays",
    ReasonCode.PARTLY_MATCHED: "partly matched",
    ReasonCode.LATEST: "tagged latest, which was not named",
    ReasonCode.GRACE: "too young",
    ReasonCode.UNKNOWN: "not everything is known of it",
    ReasonCode.UNREADABLE: "a manifest could not be read",
    ReasonCode.CHANGED: "changed meanwhile",
    ReasonCode.ORPHANED: "an orphaned referrer",
    ReasonCode.OVER_LIMIT: "over the limit of this run",
    ReasonCode.LAST: "GitHub does not delete the last one",
    ReasonCode.NOT_IN_REPORT: "not in the report",
    ReasonCode.TAG_MOVED: "its tag is on another version now",
    ReasonCode.EXPIRED: "past its 30 days",
    ReasonCode.UNTOUCHABLE: "never touched",
    ReasonCode.IMAGE_STAYS: "part of an image that stays",
    ReasonCode.IN_DOUBT: "in doubt",
}

_DONE = {
    StepKind.DELETE_VERSION: "deleted",
    StepKind.DELETE_PACKAGE: "deleted",
    StepKind.RESTORE_VERSION: "restored",
    StepKind.RESTORE_PACKAGE: "restored",
    StepKind.UNTAG: "tags taken away",
    StepKind.RETAG: "tags put back",
}
_OTHERWISE = {
    Result.REFUSED: "refused by GitHub, stays",
    Result.FAILED: "failed",
    Result.SKIPPED: "left out",
    Result.NOT_REACHED: "not reached",
}
_VERBS = {Operation.DELETE: ("delete", "Deleted"), Operation.RESTORE: ("restore", "Restored")}


def result_words(outcome: Outcome, operation: Operation) -> str:
    """Say how a step ended, in a word or two."""
    restoring = operation is Operation.RESTORE
    if outcome.result is Result.DONE:
        return _DONE[outcome.step.kind]
    if outcome.result is Result.ALREADY:
        return "there already" if restoring else "already gone"
    return _OTHERWISE[outcome.result]


def changed_word(operation: Operation, *, dry_run: bool) -> str:
    """Say what becomes of what is selected: `was deleted`, `would be restored`."""
    past = _VERBS[operation][1].lower() if operation in _VERBS else "changed"
    return f"would be {past}" if dry_run else f"was {past}"


def headline(run: RunResult, tallied: Counts) -> str:
    """Say in one sentence what happened."""
    where = places([result.plan.package.label for result in run.packages])
    if run.operation is Operation.LIST:
        return f"Listed {counted(tallied.listed, 'version')}{where and ' of ' + where}"
    infinitive, past = _VERBS[run.operation]
    of = f"{tallied.listed:,} {'deleted ' if run.operation is Operation.RESTORE else ''}versions"
    if run.dry_run and not run.failure:
        what = _how_many(
            len(tallied.selected), of, sum(planned_tags(one.plan) for one in run.packages), run, "take"
        )
        return f"Dry run: would {infinitive} {what}{where and ' in ' + where}"
    done = tallied.restored if run.operation is Operation.RESTORE else tallied.deleted
    if not done and not tallied.untagged and not tallied.retagged:
        if whole := _whole_packages(run.packages, planned=False):
            return f"{past} {counted(whole, 'package')} whole{where and ': ' + where}{_but(run, tallied)}"
        return _nothing(run, tallied, past, where)
    what = _how_many(len(done), of, tallied.untagged or tallied.retagged, run, "took")
    return f"{past} {what}{where and ' in ' + where}{_but(run, tallied)}"


def places(labels: list[str]) -> str:
    """Name one package, or say how many there are."""
    return labels[0] if len(labels) == 1 else counted(len(labels), "package") if labels else ""


def _how_many(versions: int, of: str, tags: int, run: RunResult, take: str) -> str:
    words = f"{versions:,} of {of}"
    if whole := _whole_packages(run.packages, planned=run.dry_run):
        words += f" ({counted(whole, 'package')} whole)"
    if tags and run.operation is Operation.RESTORE:
        return f"{words} and put {counted(tags, 'tag')} back"
    return f"{words} and {take} {counted(tags, 'tag')} away" if tags else words


def _whole_packages(results: Iterable[PackageResult], *, planned: bool) -> int:
    kinds = {StepKind.DELETE_PACKAGE, StepKind.RESTORE_PACKAGE}
    if planned:
        return sum(1 for result in results for step in result.plan.steps if step.kind in kinds)
    done = (one for result in results for one in result.outcomes if one.result is Result.DONE)
    return sum(1 for outcome in done if outcome.step.kind in kinds)


def _nothing(run: RunResult, tallied: Counts, past: str, where: str) -> str:
    """The words where nothing was changed, and why."""
    start = f"Nothing was {past.lower()}"
    if (
        tallied.selected
        or tallied.failed
        or run.failure
        or run.ended_by
        or any(one.failure for one in run.packages)
    ):
        planned = f" of {counted(len(tallied.selected), 'planned version')}" if tallied.selected else ""
        why = ": the run was refused" if run.failure else ": all of it stays after all"
        return f"{start}{planned}{where and ' in ' + where}{_but(run, tallied) or why}"
    if not run.packages:
        return f"{start}: no package matched"
    if run.operation is Operation.RESTORE:
        return f"{start}: no deleted version of {where} matched"
    return (
        f"{start}: all {counted(tallied.kept, 'version')} of {where} stay"
        if tallied.kept
        else f"{start} in {where}"
    )


def _but(run: RunResult, tallied: Counts) -> str:
    parts = []
    if tallied.failed:
        parts.append(f"{counted(len(tallied.failed), 'version')} failed")
    refused = sum(1 for one in run.packages if one.failure)
    if refused:
        parts.append(f"{counted(refused, 'package')} could not be handled")
    ends = {
        "time": "the time limit came first",
        "budget": "the rate limit came first",
        "cancel": "it was cancelled",
    }
    if run.ended_by in ends:
        parts.append(ends[run.ended_by])
    return "; " + ", ".join(parts) if parts else ""
