"""The summary's first line, and the words for results, ages and sizes."""

from __future__ import annotations

from datetime import datetime, timedelta

from package_retention.decide.contents import Space
from package_retention.escaping import counted
from package_retention.model import Operation, Outcome, Result, StepKind
from package_retention.output.counts import RunCounts

# From how long on a duration is said in which unit at the least.
_PRECISE_TO = (
    (timedelta(days=365), "months"),
    (timedelta(days=1), "days"),
    (timedelta(minutes=10), "minutes"),
)
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


def sentence(*words: str) -> str:
    """Join what is not empty to one sentence."""
    return ", ".join(filter(None, words)) + "."


def lasting(span: timedelta) -> str:
    """Say how long something takes or took, in its two largest units or so; in tenths if it is short."""
    if span < timedelta(seconds=10):
        return f"{span.total_seconds():.1f} seconds"
    from humanize import precisedelta  # noqa: PLC0415 - only a summary needs it

    whole = timedelta(seconds=round(span.total_seconds()))
    unit = next((unit for least, unit in _PRECISE_TO if whole >= least), "seconds")
    return precisedelta(whole, minimum_unit=unit, format="%0.0f")


# What a step does, what it is to do, and what it did.
_STEPS = {
    StepKind.DELETE_VERSION: ("delete", "to delete", "deleted"),
    StepKind.DELETE_PACKAGE: ("delete", "to delete", "deleted"),
    StepKind.RESTORE_VERSION: ("restore", "to restore", "restored"),
    StepKind.RESTORE_PACKAGE: ("restore", "to restore", "restored"),
    StepKind.UNTAG: ("remove tags from", "tags to remove", "tags removed"),
    StepKind.RETAG: ("put back tags of", "tags to put back", "tags put back"),
}
_OTHERWISE = {
    Result.REFUSED: "refused by GitHub",
    Result.FAILED: "failed",
    Result.SKIPPED: "left out",
    Result.NOT_REACHED: "not reached",
}
_VERBS: dict[Operation | None, tuple[str, str]] = {
    Operation.DELETE: ("delete", "deleted"),
    Operation.RESTORE: ("restore", "restored"),
    Operation.LIST: ("list", "listed"),
    None: ("change", "changed"),
}
_ENDS = {
    "time": "the time limit ended the run",
    "budget": "the rate limit ended the run",
    "cancel": "the run was cancelled",
}


def step_verb(kind: StepKind) -> str:
    """Say what a step does, as an infinitive without its object."""
    return _STEPS[kind][0]


def planned_result(kind: StepKind) -> str:
    """Say what a step does that was not carried out, in a word or two."""
    return _STEPS[kind][1]


def result_words(outcome: Outcome, operation: Operation | None) -> str:
    """Say how a step ended, in a word or two."""
    if outcome.result is Result.DONE:
        return _STEPS[outcome.step.kind][2]
    if outcome.result is Result.ALREADY:
        return "there already" if operation is Operation.RESTORE else "already gone"
    return _OTHERWISE[outcome.result]


def changed_word(operation: Operation | None, *, dry_run: bool) -> str:
    """Say what becomes of what is selected: `was deleted`, `would be restored`."""
    past = "restored" if operation is Operation.RESTORE else "deleted"
    return f"would be {past}" if dry_run or operation is Operation.LIST else f"was {past}"


def headline(counts: RunCounts) -> str:
    """Say in one sentence what happened, images first."""
    run, total, where = counts.run, counts.total, _where(counts)
    if run.operation is None or (run.failure and not (total.changed or total.moved)):
        why = _ENDS.get(run.ended_by, "the run was refused")
        return f"Nothing was {_VERBS[run.operation][1]}{where}: {why}"
    if run.operation is Operation.LIST:
        return f"Listed {_listed(counts)}{_where(counts, 'of')}"
    if run.dry_run and (what := planned_words(counts)):
        over = any(one.plan.over_cap for one in run.packages)
        allowed = ", more than `fail-if-more-than` allows" if over else ""
        return f"Dry run: would {what}{allowed}{_but(counts)}"
    if total.changed or total.whole:
        what = _how_many(counts, total.units.changed, total.moved)
        return f"{_VERBS[run.operation][1].capitalize()} {what}{where}{_but(counts)}"
    if total.moved:
        return f"{_tags_moved(counts, total.moved).capitalize()}{where}{_but(counts)}"
    return _nothing(counts, where)


def planned_words(counts: RunCounts) -> str:
    """Say what the plans of a dry run would do, as an infinitive; empty if they change nothing."""
    total = counts.total
    if total.selected or total.whole:
        what = f"{_VERBS[counts.run.operation][0]} {_how_many(counts, total.units.selected, total.moving)}"
        return f"{what}{_where(counts)}"
    return f"{_tags_moved(counts, total.moving)}{_where(counts)}" if total.moving else ""


def space_words(space: Space) -> str:
    """Say how many bytes are freed; empty if nothing is known to be, or only of some that go."""
    if not space.size or space.unread:
        return ""
    return f"{'' if space.exact else 'about '}{size_words(space.size)}"


def size_words(size: int | None) -> str:
    """Say a size in bytes; empty if it is not known."""
    if size is None:
        return ""
    from humanize import naturalsize  # noqa: PLC0415 - only a summary needs it

    return str(naturalsize(size))


def _where(counts: RunCounts, preposition: str = "in") -> str:
    """Name one package, or say how many there are; empty if there is none."""
    packages = counts.run.packages
    if not packages:
        return ""
    words = packages[0].plan.package.label if len(packages) == 1 else counted(len(packages), "package")
    return f" {preposition} {words}"


def _listed(counts: RunCounts) -> str:
    total = counts.total
    versions = counted(total.listed, "version")
    if counts.noun == "version":
        return versions
    beside = f" ({versions})" if total.listed != total.units.listed else ""
    return f"{counted(total.units.listed, 'image')}{beside}"


def _how_many(counts: RunCounts, units: int, tags: int) -> str:
    """Say what is changed, of how much: `12 of 26 images (60 versions), 1.4 GB`."""
    total = counts.total
    noun = "deleted version" if counts.run.operation is Operation.RESTORE else counts.noun
    whole = f"{counted(total.whole, 'package')} whole" if total.whole else ""
    versions = counted(len(total.changed), "version") if len(total.changed) != units else ""
    beside = ", ".join(filter(None, (versions, whole)))
    words = f"{units:,} of {counted(total.units.listed, noun)}{f' ({beside})' if beside else ''}"
    if whole and not total.units.listed:
        words = whole
    if tags:
        words = f"{words} and {_tags_moved(counts, tags)}"
    return f"{words}, {size}" if (size := space_words(total.space)) else words


def _tags_moved(counts: RunCounts, tags: int) -> str:
    if counts.run.operation is Operation.RESTORE:
        return f"put {counted(tags, 'tag')} back"
    return f"{'remove' if counts.run.dry_run else 'removed'} {counted(tags, 'tag')}"


def _nothing(counts: RunCounts, where: str) -> str:
    """Say that nothing was changed, or would be, and why."""
    run, total = counts.run, counts.total
    infinitive, past = _VERBS[run.operation]
    start = f"Dry run: nothing to {infinitive}" if run.dry_run else f"Nothing was {past}"
    if over := [one for one in run.packages if one.plan.over_cap]:
        plans = "the plan deletes" if len(over) == 1 else f"{len(over)} plans delete"
        planned = f"{total.units.selected:,} of {counted(total.units.listed, counts.noun)}"
        return f"{start}{where}: {plans} {planned}, more than `fail-if-more-than` allows"
    failed = total.failed or run.ended_by or any(one.failure for one in run.packages)
    if total.selected or failed:
        planned = f" of {counted(len(total.selected), 'planned version')}" if total.selected else ""
        return f"{start}{planned}{where}{_but(counts) or ': all of it stays after all'}"
    if not run.packages:
        return f"{start}: no package matched"
    of_them = _where(counts, "of")
    if run.operation is Operation.RESTORE:
        return f"{start}: no deleted version{of_them} matched"
    if not total.kept:
        return f"{start}{where}"
    every, verb = ("all ", "stay") if total.units.listed > 1 else ("", "stays")
    return f"{start}: {every}{_listed(counts)}{of_them} {verb}"


def _but(counts: RunCounts) -> str:
    failed = len(counts.total.failed)
    refused = sum(1 for one in counts.run.packages if one.failure and not one.plan.over_cap)
    words = (
        f"{counted(failed, 'version')} failed" if failed else "",
        f"{counted(refused, 'package')} could not be handled" if refused else "",
        _ENDS.get(counts.run.ended_by, ""),
    )
    return f"; {said}" if (said := ", ".join(filter(None, words))) else ""
