"""Everything outside that a run works with, as one value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from package_retention.execute.ending import Ending

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

    from package_retention.model import Spending
    from package_retention.ports import Clock, Journal, PackagesApi, RegistryApi
    from package_retention.reported import Report
    from package_retention.settings import Settings


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
