"""The summary's first line, and the words for results and reasons."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from package_retention.escaping import counted
from package_retention.model import Operation, Result, StepKind
from package_retention.reason import ReasonCode, ReasonDetail

if TYPE_CHECKING:
    from datetime import datetime

    from package_retention.decide.contents import Space
    from package_retention.model import Outcome
    from package_retention.output.counts import Counts, RunCounts
    from package_retention.reason import Reason
    from package_retention.results import RunResult


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

_MOST_DAYS, _LEAST_YEARS = timedelta(days=120), timedelta(days=730)
_MONTH, _YEAR = timedelta(days=365.25 / 12), timedelta(days=365.25)


def age(then: datetime | None, now: datetime) -> str:
    """Say how old something is, in one unit; a time to come counts as now."""
    return "unknown" if then is None else roughly(max(now - then, timedelta()))


def roughly(span: timedelta) -> str:
    """Say how long something is, in one unit: true to a day up to 120 days, then in rounded months or years."""
    if span >= _LEAST_YEARS:
        return counted(round(span / _YEAR), "year")
    if span.days > _MOST_DAYS.days:
        return counted(round(span / _MONTH), "month")
    for unit, noun in (
        (timedelta(days=1), "day"),
        (timedelta(hours=1), "hour"),
        (timedelta(minutes=1), "minute"),
    ):
        if span >= unit:
            return counted(span // unit, noun)
    return "under a minute"


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
    ReasonCode.REFERENCED: "referenced by a file",
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
    ReasonCode.SAME_REFUSAL: "not tried after a refusal",
    ReasonCode.NOT_REACHED: "not reached",
}

# In words of their own, where those of the code would not be true.
_GROUPS = {
    ReasonDetail.NOT_JUDGED: "listed without a filter",
    ReasonDetail.NO_RULE: "not matched by a delete rule",
}


def group_words(reason: Reason) -> str:
    """Say in a few words what a reason has in common with others of its kind."""
    return _GROUPS.get(reason.detail, REASONS[reason.code]) if reason.detail else REASONS[reason.code]


_DONE = {
    StepKind.DELETE_VERSION: "deleted",
    StepKind.DELETE_PACKAGE: "deleted",
    StepKind.RESTORE_VERSION: "restored",
    StepKind.RESTORE_PACKAGE: "restored",
    StepKind.UNTAG: "tags taken away",
    StepKind.RETAG: "tags put back",
}
_OTHERWISE = {
    Result.REFUSED: "refused by GitHub",
    Result.FAILED: "failed",
    Result.SKIPPED: "left out",
    Result.NOT_REACHED: "not reached",
}
_VERBS: dict[Operation | None, tuple[str, str]] = {
    Operation.DELETE: ("delete", "Deleted"),
    Operation.RESTORE: ("restore", "Restored"),
    Operation.LIST: ("list", "Listed"),
    None: ("change", "Changed"),
}


def result_words(outcome: Outcome, operation: Operation | None) -> str:
    """Say how a step ended, in a word or two."""
    restoring = operation is Operation.RESTORE
    if outcome.result is Result.DONE:
        return _DONE[outcome.step.kind]
    if outcome.result is Result.ALREADY:
        return "there already" if restoring else "already gone"
    return _OTHERWISE[outcome.result]


def changed_word(operation: Operation | None, *, dry_run: bool) -> str:
    """Say what becomes of what is selected: `was deleted`, `would be restored`."""
    past = "restored" if operation is Operation.RESTORE else "deleted"
    return f"would be {past}" if dry_run or operation is Operation.LIST else f"was {past}"


def headline(run: RunResult, counts: RunCounts) -> str:
    """Say in one sentence what happened, images first."""
    labels = [result.plan.package.label for result in run.packages]
    where, total = places(labels), counts.total
    if run.operation is None or (run.failure and not (total.changed or total.untagged or total.retagged)):
        return _refused(run, where)
    if run.operation is Operation.LIST:
        return f"Listed {_listed(counts)}{where and ' of ' + where}"
    past = _VERBS[run.operation][1]
    if run.dry_run and (what := planned_words(run, counts)):
        over = (
            ", more than `fail-if-more-than` allows" if any(one.plan.over_cap for one in run.packages) else ""
        )
        return f"Dry run: would {what}{over}{_but(run, total)}"
    moved = 0 if run.dry_run else total.untagged or total.retagged
    if moved and not (total.changed or total.whole):
        what = _tags_moved(moved, restoring=run.operation is Operation.RESTORE, planned=False)
        return f"{what.capitalize()}{where and ' in ' + where}{_but(run, total)}"
    if total.changed or total.whole:
        what = _how_many(run, counts, total.units.changed, moved)
        return f"{past} {what}{where and ' in ' + where}{_but(run, total)}"
    return _nothing(run, counts, where)


def planned_words(run: RunResult, counts: RunCounts) -> str:
    """Say what the plans of a dry run would do, as an infinitive; empty where they change nothing."""
    total, restoring = counts.total, run.operation is Operation.RESTORE
    if not (total.selected or total.moving or total.whole):
        return ""
    if total.selected or total.whole:
        what = f"{_VERBS[run.operation][0]} {_how_many(run, counts, total.units.selected, total.moving)}"
    else:
        what = _tags_moved(total.moving, restoring=restoring, planned=True)
    where = places([result.plan.package.label for result in run.packages])
    return f"{what}{where and ' in ' + where}"


def space_words(space: Space) -> str:
    """Say how many bytes are freed; empty where nothing is known to be, or only of some that go."""
    if not space.size or space.unread:
        return ""
    return f"{'' if space.exact else 'about '}{size_words(space.size)}"


def size_words(size: int | None) -> str:
    """Say a size in bytes; empty where it is not known."""
    if size is None:
        return ""
    from humanize import naturalsize  # noqa: PLC0415 - only a summary needs it

    return str(naturalsize(size))


def places(labels: list[str]) -> str:
    """Name one package, or say how many there are."""
    return labels[0] if len(labels) == 1 else counted(len(labels), "package") if labels else ""


def _listed(counts: RunCounts) -> str:
    total = counts.total
    versions = counted(total.listed, "version")
    if counts.noun == "version":
        return versions
    beside = f" ({versions})" if total.listed != total.units.listed else ""
    return f"{counted(total.units.listed, 'image')}{beside}"


def _how_many(run: RunResult, counts: RunCounts, units: int, tags: int) -> str:
    """Say what is changed, of how much: `12 of 26 images (60 versions), 1.4 GB`."""
    total, restoring = counts.total, run.operation is Operation.RESTORE
    noun = "deleted version" if restoring else counts.noun
    parts = [counted(len(total.changed), "version")] if len(total.changed) != units else []
    parts += [f"{counted(total.whole, 'package')} whole"] if total.whole else []
    beside = f" ({', '.join(parts)})" if parts else ""
    words = f"{units:,} of {counted(total.units.listed, noun)}{beside}"
    if total.whole and not total.units.listed:
        words = f"{counted(total.whole, 'package')} whole"
    if tags:
        words = f"{words} and {_tags_moved(tags, restoring=restoring, planned=run.dry_run)}"
    return f"{words}, {size}" if (size := space_words(total.space)) else words


def _tags_moved(tags: int, *, restoring: bool, planned: bool) -> str:
    if restoring:
        return f"put {counted(tags, 'tag')} back"
    return f"{'take' if planned else 'took'} {counted(tags, 'tag')} away"


def _refused(run: RunResult, where: str) -> str:
    past = _VERBS[run.operation][1].lower()
    end = {
        "time": "the time limit came first",
        "budget": "the rate limit came first",
        "cancel": "it was cancelled",
    }
    why = end.get(run.ended_by, "the run was refused")
    return f"Nothing was {past}{where and ' in ' + where}: {why}"


def _nothing(run: RunResult, counts: RunCounts, where: str) -> str:
    """The words where nothing was (or would be) changed, and why."""
    total = counts.total
    infinitive, past = _VERBS[run.operation]
    start = f"Dry run: nothing to {infinitive}" if run.dry_run else f"Nothing was {past.lower()}"
    if over := [one for one in run.packages if one.plan.over_cap]:
        plans = "the plan" if len(over) == 1 else f"{len(over)} plans"
        planned = f"{total.units.selected:,} of {counted(total.units.listed, counts.noun)}"
        verb = "deletes" if len(over) == 1 else "delete"
        return f"{start}{where and ' in ' + where}: {plans} {verb} {planned}, more than `fail-if-more-than` allows"
    failed = total.failed or run.ended_by or any(one.failure for one in run.packages)
    if total.selected or failed:
        planned = f" of {counted(len(total.selected), 'planned version')}" if total.selected else ""
        return (
            f"{start}{planned}{where and ' in ' + where}{_but(run, total) or ': all of it stays after all'}"
        )
    if not run.packages:
        return f"{start}: no package matched"
    if run.operation is Operation.RESTORE:
        return f"{start}: no deleted version of {where} matched"
    if not total.kept:
        return f"{start} in {where}"
    every, verb = ("all ", "stay") if total.units.listed > 1 else ("", "stays")
    return f"{start}: {every}{_listed(counts)} of {where} {verb}"


def _but(run: RunResult, total: Counts) -> str:
    parts = []
    if total.failed:
        parts.append(f"{counted(len(total.failed), 'version')} failed")
    refused = sum(1 for one in run.packages if one.failure and not one.plan.over_cap)
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
