"""Hold what all of a run shares: its edges, a package with its plan, and the record of what happens to every package."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from threading import RLock

from msgspec import Struct, field
from msgspec.structs import replace

from package_retention.decide.in_use import ReferenceIndex
from package_retention.errors import CancelledError
from package_retention.execute.steps import StepRunner, TagMover
from package_retention.execute.walk import ExecutionContext, StopReason
from package_retention.inputs.report_reader import Report
from package_retention.inputs.settings import Settings
from package_retention.model import Outcome, Package, Plan, Result, Step
from package_retention.ports import Clock, EventListener, GitApi, PackagesApi, RegistryApi
from package_retention.reason import IN_DOUBT, Finding
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
    """A package as it was planned, and how to carry its plan out; `execute` is `None` if there is nothing to carry out."""

    planned: PackageResult
    execute: Callable[[], PackageResult] | None = None


def execution(run_context: RunContext) -> ExecutionContext:
    """Return what walks the plans of this run."""
    tags = TagMover(run_context.api, run_context.registry, run_context.clock, run_context.nonce)
    runner = StepRunner(run_context.api, tags, run_context.journal)
    return ExecutionContext(runner, run_context.changes, run_context.stop_reason)


class _Page(Struct):
    """What was recorded of one package; `closed` once its result was made."""

    plan: Plan
    started: set[Step] = field(default_factory=set)
    outcomes: dict[Step, Outcome] = field(default_factory=dict)
    closed: bool = False

    def check_open(self) -> None:
        """Raise `CancelledError` if the package was given up."""
        if self.closed:
            raise CancelledError


class Recorder:
    """A listener that records, and passes everything on; safe to use from several threads.

    Once `result` has described a package, nothing more is recorded of it: nobody waits for its threads any more, and
    what they still find out must not make the report differ from the outputs.
    """

    def __init__(self, journal: EventListener) -> None:
        self._journal = journal
        self._lock = RLock()
        self._pages: dict[Package, _Page] = {}

    def planned(self, plan: Plan) -> None:
        """Remember a plan, and pass it on; a further one of the same package is its next wave."""
        with self._lock:
            page = self._pages.setdefault(plan.package, _Page(plan))
            page.check_open()
            if page.plan is not plan:
                page.plan = joined(page.plan, plan)
            self._journal.planned(plan)

    def starting(self, step: Step) -> None:
        """Pass on that a change is about to be sent; raise `CancelledError` if its package was given up."""
        with self._lock:
            page = self._pages[step.package]
            page.check_open()
            self._journal.starting(step)
            page.started.add(step)

    def finished(self, outcome: Outcome) -> None:
        """Remember how a step ended, and pass it on."""
        with self._lock:
            page = self._pages[outcome.step.package]
            if not page.closed:
                page.outcomes[outcome.step] = outcome
                self._journal.finished(outcome)

    def result(self, package: Package, message: Finding) -> PackageResult:
        """Return a package's result from what is recorded; a step without an outcome was not reached, as `message` says.

        One that was started, and that nobody waits for any more, may have happened. What to do is said once, by what ended
        the package.
        """
        with self._lock:
            page = self._pages[package]
            for step in page.plan.steps:
                if step in page.outcomes:
                    continue
                if step in page.started:
                    outcome = Outcome(step, Result.NOT_REACHED, in_doubt=True, reason=IN_DOUBT)
                else:
                    outcome = Outcome(step, Result.NOT_REACHED, replace(message, hint=""))
                self.finished(outcome)
            page.closed = True
            return PackageResult(page.plan, tuple(page.outcomes[step] for step in page.plan.steps))


def joined(plan: Plan, wave: Plan) -> Plan:
    """Return a plan with the wave that came after it: what the wave decided anew counts."""
    fresh = {decision.version.id: decision for decision in wave.decisions}
    return replace(
        plan,
        decisions=tuple(fresh.get(d.version.id, d) for d in plan.decisions),
        steps=plan.steps + wave.steps,
        warnings=tuple(dict.fromkeys(plan.warnings + wave.warnings)),
        problems=plan.problems + wave.problems,
    )
