"""One run: every package is found, surveyed and planned before the first change; then the plans are carried out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, wait
from datetime import datetime
from typing import TypeVar

from msgspec.structs import replace

from package_retention.decide.in_use import ReferenceIndex
from package_retention.decide.rules import Options
from package_retention.errors import (
    BudgetError,
    CancelledError,
    HourError,
    MissingError,
    Refusal,
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


def run(run_context: RunContext, options: Options) -> RunResult:
    """Do the whole job; report an error of a package with it, an error of the run in the result."""
    recorder = Recorder(run_context.journal)
    run_context = replace(run_context, journal=recorder, references=_references(run_context.settings))
    results: Sequence[PackageResult] = ()
    warnings: tuple[Finding | str, ...] = ()
    failure: Finding | str = ""
    hint = ""
    refusal: Refusal | None = None
    try:
        found = result_of(run_context, lambda: targets(run_context))
        warnings = (*unreached(run_context.settings, found), *_templates(run_context.settings))
        prepared = _prepared(run_context, options, found)
        for one in prepared:
            run_context.journal.planned(one.plan)
        results = [one.result or PackageResult(one.plan) for one in prepared]
        warnings += _check_scopes(run_context, prepared)
        refusal = _refusal_of_changes(run_context, prepared)
        if any(one.execute for one in prepared):
            run_context.confirm(results)
        results = _carried_out(run_context, prepared, recorder)
    except (BudgetError, CancelledError) as error:
        run_context.stop_reason.set(error)
    except RetentionError as error:
        failure, hint = error.said, error.hint
    run_result = _result(run_context, results, failure, hint)
    return replace(run_result, refused_later=refusal, warnings=(*run_result.warnings, *warnings))


def _references(settings: Settings) -> dict[tuple[str, ...], ReferenceIndex]:
    return {globs: ReferenceIndex(found.references) for globs, found in settings.references.items()}


def _templates(settings: Settings) -> tuple[Finding, ...]:
    """Return a finding for files that were read as text because they contain `{{`."""
    names = sorted({name for found in settings.references.values() for name in found.templates})
    if not names:
        return ()
    return (Finding(FindingCode.READ_AS_TEXT, names[0], len(names) - 1),)


def _prepared(run_context: RunContext, options: Options, found: Sequence[Target]) -> list[PackageTask]:
    """Survey and plan every package that was found, several at a time."""
    now = run_context.api.now()
    if run_context.report:
        review.check(run_context.report, run_context.settings, now)
        review.check_packages(run_context.report, [target.package for target in found])

    found = _begun(run_context, found)
    plan = _planner(run_context, now, options)

    def prepare(target: Target) -> PackageTask:
        if run_context.stop_reason.cause:
            return _not_reached(target)
        if target.error and not _may_restore_whole(run_context, target):
            return _failed(run_context, target, target.error)
        try:
            return plan(target)
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
        except (BudgetError, CancelledError) as error:
            run_context.stop_reason.set(error)
        except RetentionError as error:
            return replace(target, error=error)
        return replace(target, listed_at=listed_at)

    if len(found) < 2 or run_context.settings.operation is Operation.RESTORE:  # noqa: PLR2004 - several
        return found
    begun = each(run_context, begin, found, lambda target: target)
    for target in begun:
        if isinstance(target.error, HourError):
            raise target.error
    return begun


def _planner(run_context: RunContext, now: datetime, options: Options) -> Callable[[Target], PackageTask]:
    """Return what this run's operation does to make a package ready."""
    if run_context.settings.operation is Operation.LIST:
        from package_retention.pipeline.listing import Listing  # noqa: PLC0415 - one operation a run

        return Listing(run_context, now, options).prepare
    if run_context.settings.operation is Operation.RESTORE:
        from package_retention.pipeline import restore  # noqa: PLC0415 - the same

        return lambda target: restore.prepare(run_context, target, now)
    from package_retention.pipeline import delete  # noqa: PLC0415 - the same

    return lambda target: delete.prepare(run_context, target, now, options)


def _may_restore_whole(run_context: RunContext, target: Target) -> bool:
    return run_context.settings.operation is Operation.RESTORE and isinstance(target.error, MissingError)


def _not_reached(target: Target) -> PackageTask:
    plan = Plan(target.package, warnings=(Finding(FindingCode.NOT_LOOKED_AT),))
    return PackageTask(plan, result=PackageResult(plan))


def _failed(run_context: RunContext, target: Target, error: RetentionError) -> PackageTask:
    """Return a package that cannot be worked on: a failure, or a warning if `if-missing` is `ignore`."""
    plan = Plan(target.package)
    ignored = isinstance(error, MissingError) and run_context.settings.ignore_missing
    if ignored:
        missing = Finding(FindingCode.MISSING, error=error.message, hint=error.hint)
        plan = replace(plan, warnings=(missing,))
    failure = "" if ignored else error.said
    result = PackageResult(plan, failure=failure, hint=error.hint, missing=isinstance(error, MissingError))
    return PackageTask(plan, result=result)


def _check_scopes(run_context: RunContext, prepared: Iterable[PackageTask]) -> tuple[str, ...]:
    """Raise before the first change if a scope is surely missing: then nothing is changed in any package."""
    warnings: dict[str, None] = {}
    for one in prepared:
        kinds = {step.kind for step in one.plan.steps} if one.execute else set()
        warnings |= dict.fromkeys(run_context.api.require(kinds, one.plan.package.type))
    return tuple(warnings)


def _refusal_of_changes(run_context: RunContext, prepared: Iterable[PackageTask]) -> Refusal | None:
    """Return what refuses the changes that a dry run plans, as far as the token's own scopes show it."""
    if not run_context.settings.dry_run:
        return None
    try:
        for one in prepared:
            run_context.api.require({step.kind for step in one.plan.steps}, one.plan.package.type)
    except RefusedError as error:
        return error.refusal
    return None


def _carried_out(
    run_context: RunContext, prepared: Sequence[PackageTask], recorder: Recorder
) -> list[PackageResult]:
    """Carry out every plan, several packages at a time; each has a result, also if others fail.

    If an error ends a package in the middle, its result still has what was done before.
    """

    def execute(one: PackageTask) -> PackageResult:
        if one.execute is None:
            return one.result or PackageResult(one.plan)
        try:
            return one.execute()
        except (BudgetError, CancelledError) as error:
            run_context.stop_reason.set(error)
            return recorder.result(one.plan, error.said)
        except RetentionError as error:
            result = recorder.result(one.plan, error.said)
            return replace(result, failure=error.said, hint=error.hint)
        except Exception as error:  # noqa: BLE001 - a fault of this action: what was done must still be reported
            failure = f"{one.plan.package.label}: an unexpected {type(error).__name__}: {error}"
            return replace(recorder.result(one.plan, failure), failure=failure)

    def given_up(one: PackageTask) -> PackageResult:
        return one.result or recorder.result(one.plan, "cancelled")

    results: dict[int, PackageResult] = {}
    for whole in (True, False):  # packages first
        places = [place for place, one in enumerate(prepared) if _restores_whole(one) == whole]
        done = each(run_context, execute, [prepared[place] for place in places], given_up, patience=PATIENCE)
        results |= dict(zip(places, done, strict=True))
    return [results[place] for place in range(len(prepared))]


def _restores_whole(one: PackageTask) -> bool:
    return any(step.kind is StepKind.RESTORE_PACKAGE for step in one.plan.steps)


def _result(
    run_context: RunContext, results: Sequence[PackageResult], failure: Finding | str, hint: str
) -> RunResult:
    cause = run_context.stop_reason.cause
    warnings: tuple[Finding, ...] = ()
    if isinstance(cause, BudgetError) and not (cause.failing or cause.fruitless):
        warnings = (_cut_short(cause, results),)
    elif isinstance(cause, BudgetError):
        code = FindingCode.ENDED_FAILING if cause.failing else FindingCode.ENDED_FRUITLESS
        ended = Finding(code, about=replace(_cut_short(cause, results), hint=""))
        failure, hint = failure or ended, hint or cause.hint
    elif cause and not isinstance(cause, CancelledError):
        failure, hint = failure or cause.said, hint or cause.hint
    settings = run_context.settings
    run_result = RunResult(
        operation=settings.operation,
        dry_run=settings.dry_run,
        packages=tuple(results),
        warnings=(*settings.findings, *run_context.api.notices(), *warnings),
        complete=not isinstance(cause, BudgetError | CancelledError),
        ended_by=_ended_by(cause),
        failure=failure,
        hint=hint,
        spending=run_context.spent(),
    )
    return replace(run_result, exit_status=exit_status(run_result, cause))


def _ended_by(cause: RetentionError | None) -> str:
    if isinstance(cause, BudgetError):
        return cause.cause
    return "cancel" if isinstance(cause, CancelledError) else ""


def _cut_short(cause: BudgetError, results: Sequence[PackageResult]) -> Finding:
    left = sum(1 for result in results for o in result.outcomes if o.result is Result.NOT_REACHED)
    code = FindingCode.ENDED_EARLY if results else FindingCode.ENDED_UNPLANNED
    return Finding(code, number=left, error=cause.message, hint=cause.hint)


def exit_status(run_result: RunResult, cause: RetentionError | None) -> int:
    """Return 0, 1 (something failed), 130 or 143 (the run was cancelled)."""
    if isinstance(cause, CancelledError):
        return cause.status
    failed = run_result.failure or any(_has_failed(result) for result in run_result.packages)
    return 1 if failed else 0


def _has_failed(result: PackageResult) -> bool:
    failed = any(outcome.result is Result.FAILED for outcome in result.outcomes)
    return bool(result.failure or result.plan.problems or failed)


def result_of(run_context: RunContext, work: Callable[[], Value]) -> Value:
    """Do something in a thread of its own; raise `CancelledError` if the run is cancelled first."""
    future = run_context.packages.submit(work)
    _wait(run_context, [future], patience=0)
    if not future.done():
        _raise_if_cancelled(run_context)
    return future.result()


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
    while left:
        _, left = wait(left, timeout=_POLL_SECONDS)
        run_context.tick()
        try:
            _raise_if_cancelled(run_context)
        except CancelledError as error:
            run_context.stop_reason.set(error)
            for future in left:
                future.cancel()
            wait(left, timeout=patience)
            return


def _raise_if_cancelled(run_context: RunContext) -> None:
    run_context.clock.sleep(0)
