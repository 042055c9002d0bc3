"""Form the graph of a container package: which manifests are roots, what they name, and what refers to them.

Facts D: each pushed manifest (index, platform child, attestation, signature) is a package version of its own, named
by its digest; children of an index are untagged; GHCR neither protects nor cascades.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from msgspec import Struct

from package_retention.model import Damage, Descriptor, Manifest, Reading, Version

MAX_ASKED_OF_AN_INDEX = 200
"""Children of one index that are looked up in the registry; real ones have some 20 platforms."""

INDEX_TYPES = frozenset(
    {
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    }
)

BUILDKIT_ATTESTATION = "application/vnd.docker.attestation.manifest.v1+json"

# cosign's suffixes (facts D), and what has them; without one it is the referrers fallback tag of the distribution-spec.
COSIGN_KINDS = {".sig": "signature", ".att": "attestation", ".sbom": "SBOM"}
_SUFFIXES = "|".join(map(re.escape, COSIGN_KINDS))
_DERIVED = re.compile(rf"(sha256|sha512)-([0-9a-f]{{64}}|[0-9a-f]{{128}})(?:{_SUFFIXES})?", re.ASCII)

Edges = dict[str, tuple[str, ...]]


def derived_subject(tag: str) -> str | None:
    """Return the digest that a digest-derived tag stands for; `None` for a tag of its own."""
    found = _DERIVED.fullmatch(tag)
    return f"{found[1]}:{found[2]}" if found else None


def derived_subjects(tags: Iterable[str]) -> list[str]:
    """Return the digests that digest-derived tags stand for."""
    return [subject for tag in tags if (subject := derived_subject(tag))]


def own_tags(version: Version) -> tuple[str, ...]:
    """Return the version's tags without the digest-derived ones."""
    return tuple(tag for tag in version.tags if derived_subject(tag) is None)


class Graph(Struct, frozen=True):
    """Who names whom in one package, by digest; edges lead to listed manifests only.

    `manifests` are those of listed versions that were read. `names`: an index to its children. `referrers`: a subject to
    what refers to it and goes with it. `subjects`: what a referrer refers to, listed or not. `roots` and `orphans`
    (referrers of which no subject is listed) are the units that are filtered. `attestations` are listed by an index with
    its platforms: they go with the last such index, not with their subject; `all_referrers` holds them too. `fallbacks`
    leads from a superseded fallback index to what has its tag now.
    """

    nodes: Mapping[str, Version]
    manifests: Mapping[str, Manifest]
    names: Edges
    referrers: Edges
    subjects: Edges
    roots: tuple[str, ...]
    orphans: frozenset[str]
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
    manifests = {d: reading for d in nodes if isinstance(reading := readings.get(d), Manifest)}
    names = _children(nodes, manifests)
    subjects = _subjects(nodes, manifests)
    named = {child for children in names.values() for child in children}
    holders = _fallback_tags(nodes)
    unnamed = {digest: manifest for digest, manifest in manifests.items() if digest not in named}
    superseded = _superseded(nodes, unnamed, names, subjects, holders)
    attestations = _attestations(nodes, manifests, readings, superseded)
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
    return Graph(
        nodes=nodes,
        manifests=manifests,
        names=names,
        referrers=inverse({d: targets for d, targets in subjects.items() if d not in attestations}),
        subjects=subjects,
        roots=roots,
        orphans=orphans,
        attestations=attestations,
        all_referrers=inverse(subjects),
        fallbacks={digest: holders[subject] for digest, (subject,) in superseded.items()},
    )


def _children(nodes: Collection[str], manifests: Mapping[str, Manifest]) -> Edges:
    """Return what each index names.

    A descriptor that names a listed digest protects it regardless of the media type that the descriptor has.
    """
    names: Edges = {}
    for digest, manifest in manifests.items():
        if found := tuple(dict.fromkeys(d for d in manifest.named if d in nodes and d != digest)):
            names[digest] = found
    return names


def _subjects(nodes: Mapping[str, Version], manifests: Mapping[str, Manifest]) -> Edges:
    """Return what each version refers to, by its tags or its manifest."""
    found: Edges = {}
    for digest, version in nodes.items():
        targets = derived_subjects(version.tags)
        if digest in manifests and (subject := manifests[digest].subject):
            targets.append(subject)
        if others := tuple(dict.fromkeys(t for t in targets if t != digest)):
            found[digest] = others
    return found


def _fallback_tags(nodes: Mapping[str, Version]) -> Edges:
    """Return what has the fallback tag of each digest; cosign's `.sig`, `.att` and `.sbom` are not fallback tags."""
    tags = {digest: (tag for tag in version.tags if "." not in tag) for digest, version in nodes.items()}
    return inverse({digest: derived_subjects(plain) for digest, plain in tags.items()})


def _superseded(
    nodes: Mapping[str, Version],
    unnamed: Mapping[str, Manifest],
    names: Edges,
    subjects: Edges,
    holders: Edges,
) -> Edges:
    """Return the fallback indexes that lost their tag to a newer one, each with its subject.

    cosign and `oras attach` write the index of `sha256-<hex>` anew with each signature; of two that write at once, one
    list is lost from the tag, and what only it names is still a signature. Without the tag elsewhere it may be an index
    whose own tag is still to come.
    """
    found: Edges = {}
    for digest, manifest in unnamed.items():
        if digest not in names or nodes[digest].tags or manifest.layers:
            continue
        common = set.intersection(*(set(subjects.get(child, ())) for child in names[digest]))
        if of := sorted((common & holders.keys()) - {digest})[:1]:
            found[digest] = tuple(of)
    return found


def _attestations(
    nodes: Mapping[str, Version],
    manifests: Mapping[str, Manifest],
    readings: Mapping[str, Reading],
    superseded: Collection[str],
) -> frozenset[str]:
    """Return untagged attestations that an index lists with its platforms; a fallback index has no platforms."""
    found: set[str] = set()
    for digest, manifest in manifests.items():
        version = nodes[digest]
        if digest in superseded or (version.tags and not own_tags(version)):
            continue
        inside = {c.digest for c in manifest.children if attests(c, readings.get(c.digest))}
        if len(inside) < len({c.digest for c in manifest.children}):
            found |= {d for d in inside if d in nodes and not nodes[d].tags}
    return frozenset(found)


def attests(child: Descriptor, reading: Reading | None = None) -> bool:
    """Return whether a child is BuildKit's attestation, by its descriptor or by its own manifest (facts D)."""
    read = reading.artifact_type if isinstance(reading, Manifest) else ""
    return child.role == "attestation-manifest" or BUILDKIT_ATTESTATION in (child.artifact_type, read)


def is_attestation(child: Descriptor) -> bool:
    """Return whether an index names this child as an attestation of any form: its loss is not damage."""
    return attests(child) or child.platform == "unknown/unknown"


def described(readings: Iterable[Reading]) -> Iterator[Descriptor]:
    """Yield what manifests say of their children, as far as they were read."""
    for manifest in readings:
        if isinstance(manifest, Manifest):
            yield from manifest.children


def inverse(edges: Mapping[str, Iterable[str]]) -> Edges:
    """Return the edges the other way round."""
    found: dict[str, list[str]] = {}
    for digest, targets in edges.items():
        for target in targets:
            found.setdefault(target, []).append(digest)
    return {target: tuple(digests) for target, digests in found.items()}


def cyclic(graph: Graph) -> frozenset[str]:
    """Strip what nothing follows again and again: what is left lies on or behind a cycle (hostile manifests)."""
    following = {d: graph.names.get(d, ()) + graph.all_referrers.get(d, ()) for d in graph.nodes}
    waiting = Counter(target for targets in following.values() for target in targets)
    free = deque(digest for digest in graph.nodes if not waiting[digest])
    while free:
        for target in following.pop(free.popleft()):
            waiting[target] -= 1
            if not waiting[target]:
                free.append(target)
    return frozenset(following)


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
        return Damage.ORPHANED if gone_subjects and not _runs(graph.manifests.get(digest)) else None
    gone, there = _gone(graph, digest, confirmed)
    if gone and not there:
        return Damage.GHOST
    inner = closure(graph.names.get(digest, ()), lambda d: graph.names.get(d, ()))
    if gone or any(_gone(graph, child, confirmed)[0] for child in inner):
        return Damage.PARTIAL
    return None


def _runs(manifest: Manifest | None) -> bool:
    """Return whether a manifest is an image, or an index of platforms: some tools tag those by a hash of what they built."""
    if manifest is None:
        return False
    return manifest.runnable or any(c.platform and not is_attestation(c) for c in manifest.children)


def _gone(graph: Graph, digest: str, confirmed: Collection[str]) -> tuple[int, int]:
    """Return how many platform children of an index are surely gone, and how many are (or may be) there."""
    children = graph.manifests[digest].children if digest in graph.manifests else ()
    platforms = [child.digest for child in children if not is_attestation(child)]
    gone = sum(1 for child in platforms if child not in graph.nodes and child in confirmed)
    return gone, len(platforms) - gone


def unconfirmed(graph: Graph) -> tuple[str, ...]:
    """Return the digests that are named (by an index, as a subject) and not listed: only a 404 makes them missing.

    The children of an index that names far more than there are platforms are left out, so that it counts as whole:
    anybody who can push could otherwise have a run ask for tens of thousands of digests.
    """
    found: list[str] = []
    for manifest in graph.manifests.values():
        unlisted = (child for child in manifest.children if child.digest not in graph.nodes)
        lost = [child.digest for child in unlisted if not is_attestation(child)]
        if len(lost) <= MAX_ASKED_OF_AN_INDEX:
            found += lost
    subjects = (s for digest in graph.orphans for s in graph.subjects[digest])
    return tuple(dict.fromkeys((*found, *subjects)))
