"""One run: every package is found, surveyed and planned before the first change; then the plans are carried out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from package_retention.errors import BudgetError, CancelledError, MissingError, RetentionError
from package_retention.model import Operation, PackageResult, Plan, Result, RunResult, StepKind
from package_retention.pipeline import review
from package_retention.pipeline.context import Prepared
from package_retention.pipeline.recorder import Memory
from package_retention.pipeline.targets import Target, targets, unreached
from package_retention.pipeline.threads import PATIENCE, each, result_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from package_retention.decide.rules import Options
    from package_retention.pipeline.context import World


def run(world: World, options: Options) -> RunResult:
    """Do the whole job; every error of a package is told with it, every error of the run in the result."""
    memory = Memory(world.journal)
    world = replace(world, journal=memory)
    results: Sequence[PackageResult] = ()
    warnings: tuple[str, ...] = ()
    failure = advice = ""
    try:
        found = result_of(world, lambda: targets(world))
        warnings = unreached(world.settings, found)
        prepared = _prepared(world, options, found)
        for one in prepared:
            world.journal.planned(one.plan)
        results = [one.result or PackageResult(one.plan) for one in prepared]
        warnings += _check_scopes(world, prepared)
        results = _carried_out(world, prepared, memory)
    except (BudgetError, CancelledError) as error:
        world.ending.set(error)
    except RetentionError as error:
        failure, advice = error.message, error.advice
    told = _result(world, results, failure, advice)
    return replace(told, warnings=(*told.warnings, *warnings))


def _prepared(world: World, options: Options, found: Sequence[Target]) -> list[Prepared]:
    """Survey and plan every package that was found, several at a time."""
    now = world.api.now()
    if world.report:
        review.check(world.report, world.settings, now)
        review.check_packages(world.report, [target.package for target in found])

    plan = _planner(world, now, options)

    def prepare(target: Target) -> Prepared:
        if world.ending.cause:
            return _not_reached(target)
        if target.error and not _may_restore_whole(world, target):
            return _failed(world, target, target.error)
        try:
            return plan(target)
        except (BudgetError, CancelledError) as error:
            world.ending.set(error)
            return _not_reached(target)
        except RetentionError as error:
            return _failed(world, target, error)

    return each(world, prepare, found, _not_reached)


def _planner(world: World, now: datetime, options: Options) -> Callable[[Target], Prepared]:
    """What this run's operation does to make a package ready."""
    if world.settings.operation is Operation.LIST:
        from package_retention.pipeline.listing import Listing  # noqa: PLC0415 - one operation a run

        return Listing(world, now, options).prepare
    if world.settings.operation is Operation.RESTORE:
        from package_retention.pipeline import restore  # noqa: PLC0415 - the same

        return lambda target: restore.prepare(world, target, now)
    from package_retention.pipeline import delete  # noqa: PLC0415 - the same

    return lambda target: delete.prepare(world, target, now, options)


def _may_restore_whole(world: World, target: Target) -> bool:
    return world.settings.operation is Operation.RESTORE and isinstance(target.error, MissingError)


def _not_reached(target: Target) -> Prepared:
    plan = Plan(target.package, warnings=(f"{target.package.label} was not looked at: the run ended before",))
    return Prepared(plan, result=PackageResult(plan))


def _failed(world: World, target: Target, error: RetentionError) -> Prepared:
    """A package that cannot be worked on: a failure, or a warning where `if-missing: ignore` says so."""
    plan = Plan(target.package)
    ignored = isinstance(error, MissingError) and world.settings.ignore_missing
    if ignored:
        plan = replace(plan, warnings=(f"{error.message} {error.advice}",))
    failure = "" if ignored else error.message
    result = PackageResult(
        plan, failure=failure, advice=error.advice, missing=isinstance(error, MissingError)
    )
    return Prepared(plan, result=result)


def _check_scopes(world: World, prepared: Iterable[Prepared]) -> tuple[str, ...]:
    """Tell before the first change which scope is surely missing: nothing is changed then, in no package."""
    warnings: dict[str, None] = {}
    for one in prepared:
        kinds = {step.kind for step in one.plan.steps} if one.carry_out else set()
        warnings |= dict.fromkeys(world.api.require(kinds, one.plan.package.type))
    return tuple(warnings)


def _carried_out(world: World, prepared: Sequence[Prepared], memory: Memory) -> list[PackageResult]:
    """Carry out every plan, several packages at a time; each has a result, whatever happens to the others.

    Whatever ends a package in the middle, what was done to it before is told.
    """

    def carry_out(one: Prepared) -> PackageResult:
        if one.carry_out is None:
            return one.result or PackageResult(one.plan)
        try:
            return one.carry_out()
        except (BudgetError, CancelledError) as error:
            world.ending.set(error)
            return memory.result(one.plan, error.message)
        except RetentionError as error:
            result = memory.result(one.plan, error.message)
            return replace(result, failure=error.message, advice=error.advice)
        except Exception as error:  # noqa: BLE001 - a fault of this action: what was done must still be told
            failure = f"an unexpected {type(error).__name__}: {error}"
            return replace(memory.result(one.plan, failure), failure=failure)

    def given_up(one: Prepared) -> PackageResult:
        return one.result or memory.result(one.plan, "cancelled")

    results: dict[int, PackageResult] = {}
    for whole in (True, False):  # packages first
        places = [place for place, one in enumerate(prepared) if _restores_whole(one) == whole]
        done = each(world, carry_out, [prepared[place] for place in places], given_up, patience=PATIENCE)
        results |= dict(zip(places, done, strict=True))
    return [results[place] for place in range(len(prepared))]


def _restores_whole(one: Prepared) -> bool:
    return any(step.kind is StepKind.RESTORE_PACKAGE for step in one.plan.steps)


def _result(world: World, results: Sequence[PackageResult], failure: str, advice: str) -> RunResult:
    cause = world.ending.cause
    warnings: tuple[str, ...] = ()
    if isinstance(cause, BudgetError) and not cause.failing:
        warnings = (f"{_cut_short(cause, results)}. {cause.advice[:1].upper()}{cause.advice[1:]}".strip(),)
    elif isinstance(cause, BudgetError):
        failure = failure or f"{_cut_short(cause, results)}, and requests were failing then"
        advice = advice or cause.advice
    elif cause and not isinstance(cause, CancelledError):
        failure, advice = failure or cause.message, advice or cause.advice
    settings = world.settings
    run_result = RunResult(
        operation=settings.operation,
        dry_run=settings.dry_run,
        packages=tuple(results),
        warnings=(*settings.warnings, *world.api.notices(), *warnings),
        complete=not isinstance(cause, BudgetError | CancelledError),
        ended_by=_ended_by(cause),
        failure=failure,
        advice=advice,
        spending=world.spent(),
    )
    return replace(run_result, exit_status=exit_status(run_result, cause))


def _ended_by(cause: RetentionError | None) -> str:
    if isinstance(cause, BudgetError):
        return cause.cause
    return "cancel" if isinstance(cause, CancelledError) else ""


def _cut_short(cause: BudgetError, results: Sequence[PackageResult]) -> str:
    if not results:
        return f"the run ended before its plan was made: {cause.message}"
    left = sum(1 for result in results for o in result.outcomes if o.result is Result.NOT_REACHED)
    remain = "1 planned change remains" if left == 1 else f"{left:,} planned changes remain"
    return f"the run ended before its plan: {cause.message}. {remain}"


def exit_status(run_result: RunResult, cause: RetentionError | None) -> int:
    """0, 1, 130 or 143, as the contract's "Exit status" says."""
    if isinstance(cause, CancelledError):
        return cause.status
    failed = run_result.failure or any(_has_failed(result) for result in run_result.packages)
    return 1 if failed else 0


def _has_failed(result: PackageResult) -> bool:
    failed = any(outcome.result is Result.FAILED for outcome in result.outcomes)
    return bool(result.failure or result.plan.problems or failed)
