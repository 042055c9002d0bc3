"""Find which images may go without breaking what stays (a fixed point over the graph), and in which order they go."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence, Set as AbstractSet

from msgspec import Struct

from package_retention.decide.facts import Facts, by_age, oldest_first
from package_retention.decide.graph import Graph, closure
from package_retention.model import Package, Step, StepKind, Version


class Resolution(Struct, frozen=True):
    """The roots that go, all that goes with them, and what needs each of those that were chosen and stay."""

    roots: frozenset[str]
    going: frozenset[str]
    needed_by: Mapping[str, str]

    def after(self, wider: Resolution) -> Resolution:
        """Return this narrower resolution with the reasons of the one that it replaces."""
        return Resolution(self.roots, self.going, {**wider.needed_by, **self.needed_by})


def resolve_dependencies(graph: Graph, chosen: AbstractSet[str], fixed: AbstractSet[str]) -> Resolution:
    """Take back every chosen root that anything staying needs, until nothing that stays loses anything.

    `fixed` stays regardless of the choice (what changed meanwhile, what may be named by a manifest that nobody could read).
    """
    held: dict[str, str] = {}
    while True:
        resolution = _resolve(graph, chosen, fixed | held.keys())
        more = _last_attestations(graph, resolution.going)
        if not more:
            owners = {d: resolution.needed_by.get(subject, subject) for d, subject in held.items()}
            return Resolution(resolution.roots, resolution.going, {**resolution.needed_by, **owners})
        held |= more


def _resolve(graph: Graph, chosen: AbstractSet[str], fixed: AbstractSet[str]) -> Resolution:
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
            return Resolution(roots, frozenset(going), needed)
        roots = frozenset(remaining)


def _last_attestations(graph: Graph, going: AbstractSet[str]) -> dict[str, str]:
    """Return the attestations to hold back, each with its subject: of those that go, the newest that nothing replaces.

    Rebuilds from a cache share platforms, and each brings attestations of its own: one of each kind is enough. But an
    index that lists one beside a platform proves nothing, so only what was read counts as a replacement.
    """
    leaving: dict[tuple[str, object], list[str]] = {}
    for digest in going & graph.attestations & graph.manifests.keys():
        subject = graph.manifests[digest].subject or ""
        if subject in graph.nodes and subject not in going:
            # One whose kind is not known is like no other.
            kind = graph.manifests[digest].predicates or digest
            leaving.setdefault((subject, kind), []).append(digest)
    return {
        max(digests, key=lambda d: by_age(graph.nodes[d])): subject
        for (subject, kind), digests in leaving.items()
        if not _is_replaced(graph, going, subject, kind)
    }


def _is_replaced(graph: Graph, going: AbstractSet[str], subject: str, predicates: object) -> bool:
    """Return whether an attestation that stays says the same of a subject."""
    staying = (d for d in graph.all_referrers[subject] if d in graph.manifests and d not in going)
    manifests = (graph.manifests[digest] for digest in staying)
    return any(one.subject == subject and one.predicates == predicates for one in manifests)


def _protected(graph: Graph, staying: list[str], reach: Mapping[str, str]) -> dict[str, str]:
    """Return all that must stay, each with what needs it: first by the units that stay, then what no unit reaches."""
    protected = closure(staying, graph.needs)
    rest = [digest for digest in graph.nodes if digest not in reach and digest not in protected]
    return protected | closure(rest, graph.needs) if rest else protected


def within_limit(
    graph: Graph, order: Sequence[str], limit: int | None, fixed: AbstractSet[str]
) -> Resolution:
    """Resolve at most `limit` of the chosen roots, oldest first; one that a postponed image needs makes room."""
    resolution = resolve_dependencies(graph, set(order), fixed)
    if limit is None:
        return resolution
    blocked: set[str] = set(order) - resolution.roots
    while True:
        chosen = [digest for digest in order if digest not in blocked][:limit]
        limited = resolve_dependencies(graph, set(chosen), fixed)
        if limited.roots == frozenset(chosen):
            return limited.after(resolution)
        blocked |= set(chosen) - limited.roots


def but_the_last_tag(
    facts: Facts, going: Collection[str], untagged: Mapping[str, tuple[str, ...]]
) -> tuple[dict[str, tuple[str, ...]], Version | None]:
    """Return the tags that versions lose, by digest, and the version that is spared, if no tag would be left."""
    staying = [version for version in facts.latest if version.name not in going]
    if not untagged or any(set(version.tags) - set(untagged.get(version.name, ())) for version in staying):
        return dict(untagged), None
    last = max((version for version in staying if version.name in untagged), key=by_age, default=None)
    return {digest: tags for digest, tags in untagged.items() if last is None or digest != last.name}, last


def origins_of(graph: Graph, resolution: Resolution) -> dict[str, str]:
    """Return the image that each going manifest goes with: the oldest, if several share it."""
    return closure((v.name for v in oldest_first(graph.nodes[d] for d in resolution.roots)), graph.follows)


def deletion_steps(
    package: Package, graph: Graph, going: Iterable[str], origins: Mapping[str, str]
) -> tuple[Step, ...]:
    """Return one step a manifest: image by image, the oldest first, each behind all that names it, or that it refers to.

    A root goes first. GitHub may refuse it (5,000 downloads, the last tagged version), and if a child were gone by then,
    the tag would stay on an index that no client can pull: "manifest unknown" (facts D).
    """
    nodes = graph.nodes

    def turn(digest: str) -> tuple[object, ...]:
        root = origins[digest]
        return by_age(nodes[root]), digest != root, by_age(nodes[digest])

    ordered = sorted(going, key=turn)
    waits = _waits(graph, ordered)
    placed: dict[str, None] = {}
    for digest in ordered:
        _place(digest, waits, placed)
    return tuple(
        Step(
            StepKind.DELETE_VERSION,
            package,
            nodes[digest],
            after=frozenset(nodes[before].id for before in waits[digest]),
            root=nodes[origins[digest]].id,
        )
        for digest in placed
    )


def _waits(graph: Graph, going: Iterable[str]) -> dict[str, dict[str, None]]:
    """Return what each going manifest waits for: everything going that names it, or that it refers to."""
    waits: dict[str, dict[str, None]] = {digest: {} for digest in going}
    for digest in waits:
        # An attestation goes with its index, and yet after its platform: one that GitHub keeps keeps it.
        for follower in (*graph.names.get(digest, ()), *graph.all_referrers.get(digest, ())):
            if follower in waits:
                waits[follower][digest] = None
    return waits


def _place(digest: str, waits: Mapping[str, Iterable[str]], placed: dict[str, None]) -> None:
    """Put a manifest behind what it waits for, without recursion (hostile depth); cycles never get here."""
    stack = [digest]
    while stack:
        top = stack[-1]
        missing = [before for before in waits[top] if before not in placed]
        if missing:
            stack.extend(reversed(missing))
            continue
        placed.setdefault(top)
        stack.pop()
