"""A package with its plan, ready to be carried out, and what carrying it out takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from package_retention.execute.retag import TagRemover, TagRestorer
from package_retention.execute.steps import StepRunner, StopReason
from package_retention.execute.walk import ExecutionContext

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Executor

    from package_retention.decide.in_use import ReferenceIndex
    from package_retention.inputs.settings import Settings
    from package_retention.model import Plan
    from package_retention.ports import Clock, EventListener, GitApi, PackagesApi, RegistryApi
    from package_retention.report import Report
    from package_retention.results import PackageResult, Spending


@dataclass(frozen=True, slots=True)
class RunContext:
    """The edges of one run.

    `changes` runs steps, `packages` runs whole packages (they wait for steps, so the two must not be one pool).
    `nonce` returns a fresh text each time, `spent` what the run has cost so far. `report` is that of an earlier run,
    where the step names one. `confirm` is called once with every plan before the first change, and raises if they are
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
    ending: StopReason = field(default_factory=StopReason)

    @property
    def registry_host(self) -> str:
        """The host as image references name it."""
        return self.settings.registry_url.split("://", 1)[-1].rstrip("/").lower()


@dataclass(frozen=True, slots=True)
class PackageTask:
    """A package's plan, and how to carry it out; `result` is set where there is nothing to carry out."""

    plan: Plan
    execute: Callable[[], PackageResult] | None = None
    result: PackageResult | None = None


def execution(run_context: RunContext) -> ExecutionContext:
    """Return what walks the plans of this run."""
    edges = (run_context.api, run_context.registry, run_context.clock, run_context.nonce)
    step_runner = StepRunner(run_context.api, TagRemover(*edges), TagRestorer(*edges), run_context.journal)
    return ExecutionContext(
        step_runner, run_context.changes, run_context.journal, run_context.ending, run_context.api.ensure_room
    )
