"""Which images may go without breaking what stays: a fixed point over the graph."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from package_retention.decide.graph import closure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from package_retention.decide.graph import Graph


@dataclass(frozen=True, slots=True)
class Settled:
    """The roots that go, all that goes with them, and of what stays although chosen: what needs it."""

    roots: frozenset[str]
    going: frozenset[str]
    needed_by: Mapping[str, str] = field(default_factory=dict)


def settle(graph: Graph, chosen: AbstractSet[str], fixed: AbstractSet[str]) -> Settled:
    """Take back every chosen root that anything staying needs, until nothing that stays loses anything.

    `fixed` stays whatever is chosen (what changed meanwhile, what may be named by a manifest that nobody could read).
    """
    units = frozenset(graph.units)
    roots = frozenset(chosen) - fixed
    needed: dict[str, str] = {}
    while True:
        reach = closure(roots, graph.follows)
        staying = [d for d in graph.nodes if d in fixed or (d in units and d not in roots)]
        protected = _protected(graph, staying, reach)
        needed |= {d: by for d, by in protected.items() if d != by and d not in needed}
        remaining = roots - protected.keys()
        if remaining == roots:
            going = (reach.keys() - protected.keys()) - (units - roots)
            return Settled(roots, frozenset(going), needed)
        roots = frozenset(remaining)


def _protected(graph: Graph, staying: list[str], reach: Mapping[str, str]) -> dict[str, str]:
    """All that must stay, each with what needs it: by the units that stay first, then what no unit reaches at all."""
    protected = closure(staying, graph.needs)
    rest = [digest for digest in graph.nodes if digest not in reach and digest not in protected]
    return protected | closure(rest, graph.needs) if rest else protected


def within_limit(graph: Graph, order: Sequence[str], limit: int | None, fixed: AbstractSet[str]) -> Settled:
    """Settle at most `limit` of the chosen roots, oldest first; one that a postponed image needs makes room."""
    settled = settle(graph, set(order), fixed)
    if limit is None:
        return settled
    blocked: set[str] = set(order) - settled.roots
    while True:
        chosen = [digest for digest in order if digest not in blocked][:limit]
        limited = settle(graph, set(chosen), fixed)
        if limited.roots == frozenset(chosen):
            return Settled(limited.roots, limited.going, {**settled.needed_by, **limited.needed_by})
        blocked |= set(chosen) - limited.roots
