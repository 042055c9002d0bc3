"""Form the graph of a container package: which manifests are roots, what they name, and what refers to them.

Facts D: each pushed manifest (index, platform child, attestation, signature) is a package version of its own, named
by its digest; children of an index are untagged; GHCR neither protects nor cascades.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping

from msgspec import Struct

from package_retention.decide.rules import Damage
from package_retention.model import Descriptor, Manifest, Reading, Version

MAX_ASKED_OF_AN_INDEX = 200
"""Children of one index that are looked up in the registry; real ones have some 20 platforms."""

INDEX_TYPES = frozenset(
    {
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    }
)

BUILDKIT_ATTESTATION = "application/vnd.docker.attestation.manifest.v1+json"

# The referrers fallback tag (`sha256-<hex>`, distribution-spec) and cosign's three suffixes (facts D).
_DERIVED = re.compile(r"(sha256|sha512)-([0-9a-f]{64}|[0-9a-f]{128})(?:\.(?:sig|att|sbom))?", re.ASCII)

Edges = dict[str, tuple[str, ...]]


def derived_subject(tag: str) -> str | None:
    """Return the digest that a digest-derived tag stands for; `None` for a tag of its own."""
    found = _DERIVED.fullmatch(tag)
    return f"{found[1]}:{found[2]}" if found else None


def own_tags(version: Version) -> tuple[str, ...]:
    """Return the version's tags without the digest-derived ones."""
    return tuple(tag for tag in version.tags if derived_subject(tag) is None)


class Graph(Struct, frozen=True):
    """Who names whom in one package, by digest; edges lead to listed manifests only.

    `names`: an index to its children. `referrers`: a subject to what refers to it and goes with it. `subjects`: what a
    referrer refers to, listed or not. `lost`: children that are named and not listed. `roots` and `orphans` (referrers
    of which no subject is listed) are the units that are filtered; `cyclic` are manifests on or behind a cycle.
    `attestations` are listed by an index with its platforms: they go with the last such index, not with their subject;
    `all_referrers` holds them too. `fallbacks` leads from a superseded fallback index to what has its tag now.
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
    attestations: frozenset[str]
    all_referrers: Edges
    fallbacks: Edges

    def follows(self, digest: str) -> tuple[str, ...]:
        """Return what goes with a manifest: its children and its referrers."""
        return self.names.get(digest, ()) + self.referrers.get(digest, ())

    def needs(self, digest: str) -> tuple[str, ...]:
        """Return what must stay if a manifest stays: all that follows it, and the subject of a referrer that has a tag.

        Without the newer fallback index an older one would look like an image to the next run.
        """
        needed = self.follows(digest) + self.fallbacks.get(digest, ())
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
    holders = _fallback_tags(nodes)
    superseded = _superseded(nodes, readings, names, named, subjects, holders)
    attestations = _attestations(nodes, readings, superseded)
    subjects |= superseded
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
    referrers = _inverse({d: targets for d, targets in subjects.items() if d not in attestations}, nodes)
    every = _inverse(subjects, nodes)
    cyclic = _cyclic(nodes, names, every)
    fallbacks = {digest: holders[subject] for digest, (subject,) in superseded.items()}
    return Graph(
        nodes=nodes,
        readings=readings,
        names=names,
        referrers=referrers,
        subjects=subjects,
        lost=lost,
        roots=roots,
        orphans=orphans,
        cyclic=cyclic,
        attestations=attestations,
        all_referrers=every,
        fallbacks=fallbacks,
    )


def _children(
    nodes: Mapping[str, Version], readings: Mapping[str, Reading]
) -> tuple[Edges, dict[str, tuple[Descriptor, ...]]]:
    """Return what each index names, and what of it is not listed.

    A descriptor that names a listed digest protects it regardless of the media type that the descriptor has.
    """
    names: Edges = {}
    lost: dict[str, tuple[Descriptor, ...]] = {}
    for digest in nodes:
        manifest = readings.get(digest)
        if not isinstance(manifest, Manifest) or not (manifest.children or manifest.mentions):
            continue
        children = [child for child in manifest.children if child.digest != digest]
        named = (*(child.digest for child in children), *manifest.mentions)
        if found := tuple(dict.fromkeys(d for d in named if d in nodes and d != digest)):
            names[digest] = found
        if gone := tuple(c for c in children if c.digest not in nodes):
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


def _fallback_tags(nodes: Mapping[str, Version]) -> Edges:
    """Return what has the fallback tag of each digest; cosign's `.sig`, `.att` and `.sbom` are not fallback tags."""
    found: dict[str, list[str]] = {}
    for digest, version in nodes.items():
        for tag in version.tags:
            if "." not in tag and (subject := derived_subject(tag)):
                found.setdefault(subject, []).append(digest)
    return {subject: tuple(digests) for subject, digests in found.items()}


def _superseded(
    nodes: Mapping[str, Version],
    readings: Mapping[str, Reading],
    names: Edges,
    named: Collection[str],
    subjects: Edges,
    holders: Edges,
) -> Edges:
    """Return the fallback indexes that lost their tag to a newer one, each with its subject.

    cosign and `oras attach` write the index of `sha256-<hex>` anew with each signature; of two that write at once, one
    list is lost from the tag, and what only it names is still a signature. Without the tag elsewhere it may be an index
    whose own tag is still to come.
    """
    found: Edges = {}
    for digest, children in names.items():
        manifest = readings[digest]
        if nodes[digest].tags or digest in named or not isinstance(manifest, Manifest) or manifest.layers:
            continue
        common = set.intersection(*(set(subjects.get(child, ())) for child in children))
        if of := sorted((common & holders.keys()) - {digest})[:1]:
            found[digest] = tuple(of)
    return found


def _attestations(
    nodes: Mapping[str, Version], readings: Mapping[str, Reading], superseded: Collection[str]
) -> frozenset[str]:
    """Return untagged attestations that an index lists with its platforms; a fallback index has no platforms."""
    found: set[str] = set()
    for digest, version in nodes.items():
        manifest = readings.get(digest)
        is_fallback = digest in superseded or (version.tags and not own_tags(version))
        if is_fallback or not isinstance(manifest, Manifest) or not manifest.children:
            continue
        inside = {c.digest for c in manifest.children if attests(c, readings.get(c.digest))}
        if len(inside) < len({c.digest for c in manifest.children}):
            found |= {d for d in inside if d in nodes and not nodes[d].tags}
    return frozenset(found)


def attests(child: Descriptor, reading: Reading | None = None) -> bool:
    """Return whether a child is BuildKit's attestation, by its descriptor or by its own manifest (facts D)."""
    read = reading.artifact_type if isinstance(reading, Manifest) else ""
    return child.role == "attestation-manifest" or BUILDKIT_ATTESTATION in (child.artifact_type, read)


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
    """Return everything that can be reached from `start`, itself included, each with the start that reached it first."""
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
    """Return what is wrong with an image, as far as the registry has confirmed by 404 that children are gone.

    A lost attestation is not damage; an index that names nothing is not a ghost; what runs as an image is not an orphan.
    """
    if digest in graph.orphans:
        gone_subjects = all(s in confirmed for s in graph.subjects[digest])
        return Damage.ORPHANED if gone_subjects and not _runs(graph.readings.get(digest)) else None
    gone, there = _gone(graph, digest, confirmed)
    if gone and not there:
        return Damage.GHOST
    inner = closure(graph.names.get(digest, ()), lambda d: graph.names.get(d, ()))
    if gone or any(_gone(graph, child, confirmed)[0] for child in inner):
        return Damage.PARTIAL
    return None


def _runs(reading: Reading | None) -> bool:
    """Return whether a manifest is an image, or an index of platforms: some tools tag those by a hash of what they built."""
    if not isinstance(reading, Manifest):
        return False
    return reading.runnable or any(c.platform and not is_attestation(c) for c in reading.children)


def _gone(graph: Graph, digest: str, confirmed: Collection[str]) -> tuple[int, int]:
    """Return how many platform children of an index are surely gone, and how many are (or may be) there."""
    manifest = graph.readings.get(digest)
    if not isinstance(manifest, Manifest):
        return 0, 0
    platforms = [child.digest for child in manifest.children if not is_attestation(child)]
    gone = sum(1 for child in platforms if child not in graph.nodes and child in confirmed)
    return gone, len(platforms) - gone


def is_attestation(child: Descriptor) -> bool:
    """Return whether an index names this child as an attestation of any form: its loss is not damage."""
    return attests(child) or child.platform == "unknown/unknown"


def _askable(lost: Iterable[Descriptor]) -> list[str]:
    digests = [child.digest for child in lost if not is_attestation(child)]
    return digests if len(digests) <= MAX_ASKED_OF_AN_INDEX else []


def unconfirmed(graph: Graph) -> tuple[str, ...]:
    """Return the digests that are named (by an index, as a subject) and not listed: only a 404 makes them missing.

    The children of an index that names far more than there are platforms are left out, so that it counts as whole:
    anybody who can push could otherwise have a run ask for tens of thousands of digests.
    """
    children = (digest for lost in graph.lost.values() for digest in _askable(lost))
    subjects = (s for digest in graph.orphans for s in graph.subjects[digest])
    return tuple(dict.fromkeys((*children, *subjects)))
