"""The deletions of a plan in their order: oldest image first, a root before what belongs to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from package_retention.decide.facts import by_age, oldest_first
from package_retention.decide.graph import closure
from package_retention.model import Step, StepKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from package_retention.decide.dependencies import Resolution
    from package_retention.decide.graph import Graph
    from package_retention.model import Package


def origins_of(graph: Graph, settled: Resolution) -> dict[str, str]:
    """For everything that goes, the image that it goes with: the oldest, where several share it."""
    return closure((v.name for v in oldest_first(graph.nodes[d] for d in settled.roots)), graph.follows)


def deletion_steps(
    package: Package, graph: Graph, going: Iterable[str], origins: Mapping[str, str]
) -> tuple[Step, ...]:
    """Return one step a manifest, each behind all that names it, or that it refers to.

    A root goes first. GitHub may refuse it (5,000 downloads, the last tagged version), and if a child were gone by then,
    the tag would stay on an index that no client can pull: "manifest unknown" (facts D).
    """
    waits = _waits(graph, going)
    return tuple(
        Step(
            StepKind.DELETE_VERSION,
            package,
            graph.nodes[digest],
            after=frozenset(graph.nodes[w].id for w in waits.get(digest, ())),
            root=graph.nodes[origins[digest]].id,
        )
        for digest in _sequence(graph, origins, going, waits)
    )


def _waits(graph: Graph, going: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """What each going manifest waits for: everything going that names it, or that it refers to."""
    inside = set(going)
    waits: dict[str, list[str]] = {}
    for digest in inside:
        # An attestation goes with its index, and yet after its platform: one that GitHub keeps keeps it.
        for follower in (*graph.names.get(digest, ()), *graph.all_referrers.get(digest, ())):
            if follower in inside:
                waits.setdefault(follower, []).append(digest)
    return {digest: tuple(dict.fromkeys(before)) for digest, before in waits.items()}


def _sequence(
    graph: Graph, origins: Mapping[str, str], going: Iterable[str], waits: Mapping[str, tuple[str, ...]]
) -> list[str]:
    """Image by image, oldest root first, each manifest behind all that it waits for."""
    by_image: dict[str, list[str]] = {}
    for digest in sorted(going, key=lambda d: by_age(graph.nodes[d])):
        by_image.setdefault(origins[digest], []).append(digest)
    placed: dict[str, None] = {}
    for root in (v.name for v in oldest_first(graph.nodes[d] for d in by_image)):
        for digest in (root, *by_image[root]):
            _place(digest, waits, placed)
    return list(placed)


def _place(digest: str, waits: Mapping[str, tuple[str, ...]], placed: dict[str, None]) -> None:
    """Put a manifest behind what it waits for, without recursion (hostile depth); cycles never get here."""
    stack = [digest]
    while stack:
        top = stack[-1]
        missing = [before for before in waits.get(top, ()) if before not in placed]
        if missing:
            stack.extend(missing)
            continue
        placed.setdefault(top)
        stack.pop()
