"""One run: every package is found, surveyed and planned before the first change; then the plans are carried out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, wait
from functools import partial
from typing import NoReturn, TypeVar

from msgspec.structs import replace

from package_retention.decide.ecosystems import VersionParser
from package_retention.decide.in_use import ReferenceIndex
from package_retention.decide.rules import DecisionContext
from package_retention.errors import (
    BudgetError,
    CancelledError,
    HourError,
    MissingError,
    RefusedError,
    RetentionError,
)
from package_retention.inputs.settings import Settings
from package_retention.model import Operation, Plan, Result, StepKind
from package_retention.pipeline import review
from package_retention.pipeline.context import PackageTask, Recorder, RunContext
from package_retention.pipeline.targets import Target, targets, unreached
from package_retention.reason import Finding, FindingCode
from package_retention.results import PackageResult, RunResult

Element = TypeVar("Element")
Value = TypeVar("Value")

_POLL_SECONDS = 0.1
PATIENCE = 3.0
"""Seconds that a cancelled run still waits for changes under way: the runner kills soon after its signal (facts E).

A walk's own patience is shorter, so that it ends in good order unless it hangs in something that only reads.
"""


def run(run_context: RunContext) -> RunResult:
    """Do the whole job; report an error of a package with it, an error of the run in the result."""
    settings, recorder = run_context.settings, Recorder(run_context.journal)
    references = {globs: ReferenceIndex(found.references) for globs, found in settings.references.items()}
    run_context = replace(run_context, journal=recorder, references=references)
    results: Sequence[PackageResult] = ()
    warnings: tuple[Finding, ...] = ()
    failure: Finding | None = None
    refusal: Finding | None = None
    try:
        [found] = each(run_context, targets, [run_context], _cancelled)
        warnings = (*unreached(settings, found), *_templates(settings))
        tasks = _tasks(run_context, found)
        results = [one.planned for one in tasks]
        for result in results:
            run_context.journal.planned(result.plan)
        warnings += _check_scopes(run_context, tasks)
        refusal = _refusal_of_changes(run_context, results)
        if any(one.execute for one in tasks):
            run_context.confirm(results)
        results = _carried_out(run_context, tasks, recorder)
    except (BudgetError, CancelledError) as error:
        run_context.stop_reason.set(error)
    except RetentionError as error:
        failure = error.said
    return replace(_result(run_context, results, warnings, failure), refused_later=refusal)


def _templates(settings: Settings) -> tuple[Finding, ...]:
    """Return a finding for files that were read as text because they contain `{{`."""
    names = sorted({name for found in settings.references.values() for name in found.templates})
    if not names:
        return ()
    return (Finding(FindingCode.READ_AS_TEXT, names[0], len(names) - 1),)


def _tasks(run_context: RunContext, found: Sequence[Target]) -> list[PackageTask]:
    """Survey and plan every package that was found, several at a time."""
    settings, now = run_context.settings, run_context.api.now()
    if run_context.report:
        review.check(run_context.report, settings, now)
        review.check_packages(run_context.report, [target.package for target in found])

    found = _begun(run_context, found)
    plan, restores = _planner(run_context), settings.operation is Operation.RESTORE

    def prepare(target: Target) -> PackageTask:
        if run_context.stop_reason.cause:
            return _not_reached(target)
        may_come_back = restores and isinstance(target.error, MissingError)
        if target.error and not may_come_back:
            return _failed(run_context, target, target.error)
        try:
            parser = VersionParser(target.package.type)
            untag, when_empty = settings.untag, settings.delete_package_when_empty
            return plan(target, DecisionContext(target.rules, parser, now, untag, when_empty))
        except (BudgetError, CancelledError) as error:
            run_context.stop_reason.set(error)
            return _not_reached(target)
        except RetentionError as error:
            return _failed(run_context, target, error)

    return each(run_context, prepare, found, _not_reached)


def _begun(run_context: RunContext, found: Sequence[Target]) -> Sequence[Target]:
    """Fetch the first page of every list before the second of any: only together they show what the hour must hold.

    A single package needs no such care, and a restore lists deleted versions.
    """

    def begin(target: Target) -> Target:
        if target.error or run_context.stop_reason.cause:
            return target
        listed_at = run_context.clock.monotonic() if target.listed_at is None else target.listed_at
        try:
            run_context.api.begin_versions(target.package)
        except HourError:
            raise
        except (BudgetError, CancelledError) as error:
            run_context.stop_reason.set(error)
        except RetentionError as error:
            return replace(target, error=error)
        return replace(target, listed_at=listed_at)

    if len(found) < 2 or run_context.settings.operation is Operation.RESTORE:  # noqa: PLR2004 - several
        return found
    return each(run_context, begin, found, lambda target: target)


def _planner(run_context: RunContext) -> Callable[[Target, DecisionContext], PackageTask]:
    """Return what this run's operation does to make a package ready."""
    if run_context.settings.operation is Operation.LIST:
        from package_retention.pipeline.listing import Listing  # noqa: PLC0415 - one operation a run

        return Listing(run_context).prepare
    if run_context.settings.operation is Operation.RESTORE:
        from package_retention.pipeline import restore  # noqa: PLC0415 - the same

        return partial(restore.prepare, run_context)
    from package_retention.pipeline import delete  # noqa: PLC0415 - the same

    return partial(delete.prepare, run_context)


def _not_reached(target: Target) -> PackageTask:
    return PackageTask(PackageResult(Plan(target.package, warnings=(Finding(FindingCode.NOT_LOOKED_AT),))))


def _failed(run_context: RunContext, target: Target, error: RetentionError) -> PackageTask:
    """Return a package that cannot be worked on: a failure, or a warning if `if-missing` is `ignore`."""
    if isinstance(error, MissingError) and run_context.settings.ignore_missing:
        missing = Finding(FindingCode.MISSING, about=error.said)
        return PackageTask(PackageResult(Plan(target.package, warnings=(missing,))))
    return PackageTask(PackageResult(Plan(target.package), failure=error.said))


def _check_scopes(run_context: RunContext, tasks: Iterable[PackageTask]) -> tuple[Finding, ...]:
    """Raise before the first change if a scope is surely missing: then nothing is changed in any package."""
    warnings: dict[Finding, None] = {}
    for one in tasks:
        kinds = _changes(one.planned) if one.execute else frozenset[StepKind]()
        warnings |= dict.fromkeys(run_context.api.require(kinds, one.planned.plan.package.type))
    return tuple(warnings)


def _refusal_of_changes(run_context: RunContext, planned: Iterable[PackageResult]) -> Finding | None:
    """Return what refuses the changes that a dry run plans, as far as the token's own scopes show it."""
    if not run_context.settings.dry_run:
        return None
    try:
        for one in planned:
            run_context.api.require(_changes(one), one.plan.package.type)
    except RefusedError as error:
        return Finding(FindingCode.REFUSED_LATER, about=error.said)
    return None


def _changes(planned: PackageResult) -> frozenset[StepKind]:
    return frozenset(step.kind for step in planned.plan.steps)


def _carried_out(
    run_context: RunContext, tasks: Sequence[PackageTask], recorder: Recorder
) -> list[PackageResult]:
    """Carry out every plan, several packages at a time; each has a result, also if others fail.

    If an error ends a package in the middle, its result still has what was done before.
    """

    def execute(one: PackageTask) -> PackageResult:
        if one.execute is None:
            return one.planned
        package = one.planned.plan.package
        try:
            return one.execute()
        except (BudgetError, CancelledError) as error:
            run_context.stop_reason.set(error)
            return recorder.result(package, error.said)
        except RetentionError as error:
            return replace(recorder.result(package, error.said), failure=error.said)
        except Exception as error:  # noqa: BLE001 - a fault of this action: what was done must still be reported
            fault = RetentionError(f"{package.label}: an unexpected {type(error).__name__}: {error}").said
            return replace(recorder.result(package, fault), failure=fault)

    def given_up(one: PackageTask) -> PackageResult:
        if one.execute is None:
            return one.planned
        return recorder.result(one.planned.plan.package, CancelledError().said)

    results: dict[int, PackageResult] = {}
    for whole in (True, False):  # packages first
        places = [
            place
            for place, one in enumerate(tasks)
            if (StepKind.RESTORE_PACKAGE in _changes(one.planned)) == whole
        ]
        done = each(run_context, execute, [tasks[place] for place in places], given_up, patience=PATIENCE)
        results |= dict(zip(places, done, strict=True))
    return [results[place] for place in range(len(tasks))]


def _result(
    run_context: RunContext,
    results: Sequence[PackageResult],
    warnings: tuple[Finding, ...],
    failure: Finding | None,
) -> RunResult:
    """Return what the run came to; what ended it early is a warning, or its failure if that was no clean end."""
    settings, cause = run_context.settings, run_context.stop_reason.cause
    ended_by = ""
    ended: tuple[Finding, ...] = ()
    match cause:
        case None:
            pass
        case CancelledError():
            ended_by = "cancel"
        case BudgetError() if cause.failing or cause.fruitless:
            ended_by = cause.cause
            code = FindingCode.ENDED_FAILING if cause.failing else FindingCode.ENDED_FRUITLESS
            about = replace(_cut_short(cause, results), hint="")
            failure = failure or Finding(code, hint=cause.hint, about=about)
        case BudgetError():
            ended_by, ended = cause.cause, (_cut_short(cause, results),)
        case _:
            failure = failure or cause.said
    failed = bool(failure) or any(_has_failed(result) for result in results)
    return RunResult(
        operation=settings.operation,
        dry_run=settings.dry_run,
        packages=tuple(results),
        warnings=(*settings.findings, *run_context.api.notices(), *ended, *warnings),
        ended_by=ended_by,
        failure=failure,
        exit_status=cause.status if isinstance(cause, CancelledError) else int(failed),
        spending=run_context.spent(),
    )


def _cut_short(cause: BudgetError, results: Sequence[PackageResult]) -> Finding:
    left = sum(1 for result in results for o in result.outcomes if o.result is Result.NOT_REACHED)
    code = FindingCode.ENDED_EARLY if results else FindingCode.ENDED_UNPLANNED
    return Finding(code, number=left, error=cause.message, hint=cause.hint)


def _has_failed(result: PackageResult) -> bool:
    failed = any(outcome.result is Result.FAILED for outcome in result.outcomes)
    return bool(result.failure or result.plan.problems or failed)


def each(
    run_context: RunContext,
    work: Callable[[Element], Value],
    elements: Sequence[Element],
    given_up: Callable[[Element], Value],
    *,
    patience: float = 0,
) -> list[Value]:
    """Do something for every element, several at a time.

    On a cancel what is under way has `patience` seconds to end; `given_up` stands in for what did not.
    """
    futures = [run_context.packages.submit(work, element) for element in elements]
    _wait(run_context, futures, patience)
    return [
        f.result() if f.done() and not f.cancelled() else given_up(i)
        for f, i in zip(futures, elements, strict=True)
    ]


def _wait(run_context: RunContext, futures: Iterable[Future[Value]], patience: float) -> None:
    left = set(futures)
    try:
        while left:
            _, left = wait(left, timeout=_POLL_SECONDS)
            run_context.tick()
            run_context.clock.sleep(0)
    except CancelledError as error:
        run_context.stop_reason.set(error)
        for future in left:
            future.cancel()
        wait(left, timeout=patience)


def _cancelled(_run_context: RunContext) -> NoReturn:
    raise CancelledError  # which signal it was, the stop reason says
