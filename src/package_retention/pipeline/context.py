"""Hold what all of a run shares: its edges, a package with its plan, and the waits for threads, which a cancel ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor, Future, wait
from typing import TypeVar

from msgspec import Struct, field

from package_retention.decide.in_use import ReferenceIndex
from package_retention.errors import CancelledError
from package_retention.execute.steps import StepRunner, TagMover
from package_retention.execute.walk import ExecutionContext, StopReason
from package_retention.inputs.settings import Settings
from package_retention.model import Plan
from package_retention.ports import Clock, EventListener, GitApi, PackagesApi, RegistryApi
from package_retention.report import Report
from package_retention.results import PackageResult, Spending


class RunContext(Struct, frozen=True):
    """The edges of one run.

    `changes` runs steps, `packages` runs whole packages (they wait for steps, so the two must not be one pool).
    `nonce` returns a fresh text each time, `spent` what the run has cost so far. `report` is that of an earlier run,
    if the step names one. `confirm` is called once with every plan before the first change, and raises if they are
    not to be carried out. `git` lists what repositories have; `references` are those of the files that each list of
    globs matches. `tick` is called several times a second while the run waits for its threads.
    """

    settings: Settings
    api: PackagesApi
    registry: RegistryApi
    clock: Clock
    journal: EventListener
    changes: Executor
    packages: Executor
    nonce: Callable[[], str]
    spent: Callable[[], Spending]
    report: Report | None = None
    confirm: Callable[[Sequence[PackageResult]], None] = lambda _planned: None
    tick: Callable[[], None] = lambda: None
    git: GitApi | None = None
    references: Mapping[tuple[str, ...], ReferenceIndex] = field(default_factory=dict)
    stop_reason: StopReason = field(default_factory=StopReason)

    @property
    def registry_host(self) -> str:
        """The host as image references name it."""
        return self.settings.registry_url.split("://", 1)[-1].rstrip("/").lower()


class PackageTask(Struct, frozen=True):
    """A package's plan, and how to carry it out; `result` is set if there is nothing to carry out."""

    plan: Plan
    execute: Callable[[], PackageResult] | None = None
    result: PackageResult | None = None


def execution(run_context: RunContext) -> ExecutionContext:
    """Return what walks the plans of this run."""
    tags = TagMover(run_context.api, run_context.registry, run_context.clock, run_context.nonce)
    runner = StepRunner(run_context.api, tags, run_context.journal)
    return ExecutionContext(runner, run_context.changes, run_context.stop_reason)


Element = TypeVar("Element")
Value = TypeVar("Value")

_POLL_SECONDS = 0.1
PATIENCE = 3.0
"""Seconds that a cancelled run still waits for changes under way: the runner kills soon after its signal (facts E).

A walk's own patience is shorter, so that it ends in good order unless it hangs in something that only reads.
"""


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
