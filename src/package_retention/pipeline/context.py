"""A package with its plan, ready to be carried out, and what carrying it out takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from package_retention.execute.retag import Retagger, Untagger
from package_retention.execute.steps import Ending, Performer
from package_retention.execute.walk import Hands
from package_retention.model import Operation

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

    from package_retention.inputs.settings import Settings
    from package_retention.model import PackageResult, Plan, Spending
    from package_retention.ports import Clock, Journal, PackagesApi, RegistryApi
    from package_retention.report import Report


@dataclass(frozen=True, slots=True)
class World:
    """The edges of one run.

    `changes` runs steps, `packages` runs whole packages (they wait for steps, so the two must not be one pool).
    `nonce` gives a fresh text each time, `spent` what the run has cost so far. `report` is that of an earlier run,
    where the step names one. `tick` is called several times a second while the run waits for its threads.
    """

    settings: Settings
    api: PackagesApi
    registry: RegistryApi
    clock: Clock
    journal: Journal
    changes: Executor
    packages: Executor
    nonce: Callable[[], str]
    spent: Callable[[], Spending]
    report: Report | None = None
    tick: Callable[[], None] = lambda: None
    ending: Ending = field(default_factory=Ending)

    @property
    def registry_host(self) -> str:
        """The host as image references name it."""
        return self.settings.registry_url.split("://", 1)[-1].rstrip("/").lower()


@dataclass(frozen=True, slots=True)
class Prepared:
    """A package's plan, and how to carry it out; `result` is set where there is nothing to carry out."""

    plan: Plan
    carry_out: Callable[[], PackageResult] | None = None
    result: PackageResult | None = None


def hands(world: World) -> Hands:
    """What walks the plans of this run."""
    kind = Retagger if world.settings.operation is Operation.RESTORE else Untagger
    untagger = kind(world.api, world.registry, world.clock, world.nonce)
    performer = Performer(world.api, untagger, world.journal)
    return Hands(performer, world.changes, world.journal, world.ending, world.api.ensure_room)
