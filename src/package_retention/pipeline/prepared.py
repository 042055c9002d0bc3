"""A package with its plan, ready to be carried out, and what carrying it out takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from package_retention.execute.steps import Performer
from package_retention.execute.untag import Retagger, Untagger
from package_retention.execute.walk import Hands
from package_retention.model import Operation

if TYPE_CHECKING:
    from collections.abc import Callable

    from package_retention.model import PackageResult, Plan
    from package_retention.pipeline.world import World


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
