"""The graph of a container package: which manifests are roots, what they name, and what refers to them.

Facts D: each pushed manifest (index, platform child, attestation, signature) is a package version of its own, named
by its digest; children of an index are untagged; GHCR neither protects nor cascades.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from package_retention.decide.rules import Damage
from package_retention.model import Manifest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from package_retention.model import Descriptor, Reading, Version

INDEX_TYPES = frozenset(
    {
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    }
)

# The referrers fallback tag (`sha256-<hex>`, distribution-spec) and cosign's three suffixes (facts D).
_DERIVED = re.compile(r"(sha256|sha512)-([0-9a-f]{64}|[0-9a-f]{128})(?:\.(?:sig|att|sbom))?", re.ASCII)

Edges = dict[str, tuple[str, ...]]


def derived_subject(tag: str) -> str | None:
    """The digest that a digest-derived tag stands for; `None` for a tag of its own."""
    found = _DERIVED.fullmatch(tag)
    return f"{found[1]}:{found[2]}" if found else None


def own_tags(version: Version) -> tuple[str, ...]:
    """The version's tags but for the digest-derived ones."""
    return tuple(tag for tag in version.tags if derived_subject(tag) is None)


@dataclass(frozen=True, slots=True)
class Graph:
    """Who names whom in one package, by digest; edges lead to listed manifests only.

    `names`: an index to its children. `referrers`: a subject to what refers to it. `subjects`: what a referrer refers
    to, listed or not. `lost`: children that are named and not listed. `roots` and `orphans` (referrers of which no
    subject is listed) are the units that are filtered; `tangled` are manifests on or behind a cycle.
    """

    nodes: Mapping[str, Version]
    readings: Mapping[str, Reading]
    names: Edges
    referrers: Edges
    subjects: Edges
    lost: Mapping[str, tuple[Descriptor, ...]]
    roots: tuple[str, ...]
    orphans: frozenset[str]
    cyclic: frozenset[str]

    def follows(self, digest: str) -> tuple[str, ...]:
        """What goes with a manifest: its children and its referrers."""
        return self.names.get(digest, ()) + self.referrers.get(digest, ())

    def needs(self, digest: str) -> tuple[str, ...]:
        """What must stay where a manifest stays: all that follows it, and the subject of a referrer that has a tag."""
        needed = self.follows(digest)
        if digest in self.subjects and own_tags(self.nodes[digest]):
            needed += tuple(s for s in self.subjects[digest] if s in self.nodes)
        return needed

    @property
    def units(self) -> tuple[str, ...]:
        """Everything that is filtered, counted and kept as one: roots, then orphaned referrers."""
        return self.roots + tuple(sorted(self.orphans))


def build(versions: Iterable[Version], readings: Mapping[str, Reading]) -> Graph:
    """Form the graph of the listed versions from the manifests that were read."""
    nodes = {version.name: version for version in versions}
    names, lost = _children(nodes, readings)
    subjects = _subjects(nodes, readings)
    named = {child for children in names.values() for child in children}
    orphans = frozenset(
        digest
        for digest, targets in subjects.items()
        if not any(t in nodes for t in targets) and (digest not in named or own_tags(nodes[digest]))
    )
    roots = tuple(
        digest
        for digest, version in nodes.items()
        if digest not in orphans and (own_tags(version) or (digest not in named and digest not in subjects))
    )
    referrers = _inverse(subjects, nodes)
    return Graph(
        nodes, readings, names, referrers, subjects, lost, roots, orphans, _cyclic(nodes, names, referrers)
    )


def _children(
    nodes: Mapping[str, Version], readings: Mapping[str, Reading]
) -> tuple[Edges, dict[str, tuple[Descriptor, ...]]]:
    names: Edges = {}
    lost: dict[str, tuple[Descriptor, ...]] = {}
    for digest in nodes:
        manifest = readings.get(digest)
        if not isinstance(manifest, Manifest) or not manifest.children:
            continue
        children = [child for child in manifest.children if child.digest != digest]
        names[digest] = tuple(dict.fromkeys(c.digest for c in children if c.digest in nodes))
        gone = tuple(c for c in children if c.digest not in nodes)
        if gone:
            lost[digest] = gone
    return names, lost


def _subjects(nodes: Mapping[str, Version], readings: Mapping[str, Reading]) -> Edges:
    found: Edges = {}
    for digest, version in nodes.items():
        targets = [subject for tag in version.tags if (subject := derived_subject(tag))]
        manifest = readings.get(digest)
        if isinstance(manifest, Manifest) and manifest.subject:
            targets.append(manifest.subject)
        others = tuple(dict.fromkeys(t for t in targets if t != digest))
        if others:
            found[digest] = others
    return found


def _inverse(subjects: Edges, nodes: Mapping[str, Version]) -> Edges:
    found: dict[str, list[str]] = {}
    for digest, targets in subjects.items():
        for target in targets:
            if target in nodes:
                found.setdefault(target, []).append(digest)
    return {target: tuple(digests) for target, digests in found.items()}


def _cyclic(nodes: Mapping[str, Version], names: Edges, referrers: Edges) -> frozenset[str]:
    """Strip what nothing follows again and again: what is left lies on or behind a cycle (hostile manifests)."""
    waiting = dict.fromkeys(nodes, 0)
    for edges in (names, referrers):
        for targets in edges.values():
            for target in targets:
                waiting[target] += 1
    free = deque(digest for digest, count in waiting.items() if not count)
    while free:
        digest = free.popleft()
        del waiting[digest]
        for target in names.get(digest, ()) + referrers.get(digest, ()):
            waiting[target] -= 1
            if not waiting[target]:
                free.append(target)
    return frozenset(waiting)


def closure(start: Iterable[str], edges: Callable[[str], Collection[str]]) -> dict[str, str]:
    """Everything that can be reached from `start`, itself included, each with the start that reached it first."""
    origin = {digest: digest for digest in start}
    waiting = deque(origin)
    while waiting:
        digest = waiting.popleft()
        for target in edges(digest):
            if target not in origin:
                origin[target] = origin[digest]
                waiting.append(target)
    return origin


def damage(graph: Graph, digest: str, confirmed: Collection[str]) -> Damage | None:
    """What is wrong with an image, as far as the registry has confirmed by 404 that children are gone.

    A lost attestation is no damage; an index that names none is no ghost.
    """
    if digest in graph.orphans:
        return Damage.ORPHANED if all(s in confirmed for s in graph.subjects[digest]) else None
    gone, there = _gone(graph, digest, confirmed)
    if gone and not there:
        return Damage.GHOST
    inner = closure(graph.names.get(digest, ()), lambda d: graph.names.get(d, ()))
    if gone or any(_gone(graph, child, confirmed)[0] for child in inner):
        return Damage.PARTIAL
    return None


def _gone(graph: Graph, digest: str, confirmed: Collection[str]) -> tuple[int, int]:
    """How many platform children of an index are surely gone, and how many are (or may be) there."""
    manifest = graph.readings.get(digest)
    if not isinstance(manifest, Manifest):
        return 0, 0
    platforms = [child.digest for child in manifest.children if not is_attestation(child)]
    gone = sum(1 for child in platforms if child not in graph.nodes and child in confirmed)
    return gone, len(platforms) - gone


def is_attestation(child: Descriptor) -> bool:
    """Whether an index names this child as a BuildKit attestation (facts D)."""
    return child.role == "attestation-manifest" or child.platform == "unknown/unknown"


def unconfirmed(graph: Graph) -> tuple[str, ...]:
    """Digests that are named (by an index, as a subject) and not listed: only a 404 makes them missing."""
    children = (child.digest for lost in graph.lost.values() for child in lost if not is_attestation(child))
    subjects = (s for digest in graph.orphans for s in graph.subjects[digest])
    return tuple(dict.fromkeys((*children, *subjects)))


_BURST_SECONDS = 120.0


def certain_reads(versions: Sequence[Version], readings: Mapping[str, Reading]) -> tuple[str, ...]:
    """Digests that surely need a read: tagged manifests, then children that are described as indexes."""
    nodes = {version.name: version for version in versions}
    tagged = tuple(d for d, version in nodes.items() if version.tags and d not in readings)
    if tagged:
        return tagged
    described = _described(readings)
    return tuple(
        dict.fromkeys(
            c.digest
            for c in described
            if c.media_type in INDEX_TYPES and c.digest in nodes and c.digest not in readings
        )
    )


def blind_reads(versions: Sequence[Version], readings: Mapping[str, Reading], turn: int) -> tuple[str, ...]:
    """Untagged digests that nothing names yet: one may be an index that names the others.

    Of each burst of pushes the newest first (an index is pushed after its platforms), twice as many each `turn`:
    a dangling image then costs about one read, too, and children described as plain manifests none.
    """
    named = {child.digest for child in _described(readings)}
    rest = [v for v in versions if v.name not in readings and v.name not in named]
    return tuple(v.name for burst in _bursts(rest) for v in burst[: 2**turn])


def _described(readings: Mapping[str, Reading]) -> list[Descriptor]:
    return [
        child
        for manifest in readings.values()
        if isinstance(manifest, Manifest)
        for child in manifest.children
    ]


def _bursts(versions: Sequence[Version]) -> list[list[Version]]:
    """Group versions that were created shortly after one another, each group newest first."""
    dated = sorted((v for v in versions if v.created_at), key=lambda v: (v.created_at, v.id), reverse=True)
    bursts: list[list[Version]] = [[v] for v in versions if not v.created_at]
    last: Version | None = None
    for version in dated:
        if (
            last
            and last.created_at
            and version.created_at
            and ((last.created_at - version.created_at).total_seconds() <= _BURST_SECONDS)
        ):
            bursts[-1].append(version)
        else:
            bursts.append([version])
        last = version
    return bursts
