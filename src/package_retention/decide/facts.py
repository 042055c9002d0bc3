"""Hold what is known of one package when a decision is made, and find which manifests must be read for it.

As few are read as possible, and all that may hold something together.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct, field
from msgspec.structs import replace

from package_retention.decide.graph import INDEX_TYPES, Graph, attests, described, is_attestation
from package_retention.decide.in_use import InUse
from package_retention.decide.source_gone import GitNames
from package_retention.model import Manifest, Package, Reading, Unreadable, Version

_LATEST = datetime.max.replace(tzinfo=UTC)


def by_age(version: Version) -> tuple[datetime, int]:
    """Return a sort key: the date of creation, then the id; what has no date counts as newest."""
    return (version.created_at or _LATEST, version.id)


def oldest_first(versions: Iterable[Version]) -> list[Version]:
    """Return versions in the order in which they are changed."""
    return sorted(versions, key=by_age)


class Facts(Struct, frozen=True):
    """Two lists of a package's versions and, for containers, what the registry answered about its manifests.

    `first` is the list that the plan was made from, `latest` the newest one (the same until the package is listed
    again). `confirmed` are digests that the registry confirmed to be missing. `reference` is how clusters print the
    package's images (`ghcr.io/owner/name`). `git` is what its repositories list (`None`: not asked), `in_use` what the files of each list
    of globs refer to. `labels` are the values of `quay.expires-after` in configs that were read, by the config's digest.
    """

    package: Package
    first: tuple[Version, ...]
    latest: tuple[Version, ...]
    readings: Mapping[str, Reading] = field(default_factory=dict)
    confirmed: frozenset[str] = frozenset()
    reference: str = ""
    git: GitNames | None = None
    in_use: Mapping[tuple[str, ...], InUse] = field(default_factory=dict)
    labels: Mapping[str, str | Unreadable | None] = field(default_factory=dict)

    @property
    def gone(self) -> frozenset[int]:
        """Ids of what the newest list lacks: it may still protect what it names, and takes no keep place."""
        if self.first is self.latest:
            return frozenset()
        return frozenset({version.id for version in self.first} - {version.id for version in self.latest})

    @property
    def union(self) -> tuple[Version, ...]:
        """Every version of either list, as in the newest list that has it."""
        gone = self.gone
        return (*self.latest, *(version for version in self.first if version.id in gone))

    @property
    def changed_ids(self) -> frozenset[int]:
        """Ids of what is not in both lists, or differs between them, or shares its name with another version."""
        changed = _duplicate_names(self.union)
        if self.first is not self.latest:
            before = {version.id: version for version in self.first}
            now = {version.id: version for version in self.latest}
            changed |= before.keys() ^ now.keys()
            changed |= {i for i in before.keys() & now.keys() if _state(before[i]) != _state(now[i])}
        return frozenset(changed)

    def relisted(self, latest: tuple[Version, ...], done: Collection[int]) -> Facts:
        """Return the facts with a newer list; what this run has deleted itself (`done`) counts as still there.

        So the graph keeps its form while an image is half deleted, and its children still go with their root.
        """
        listed = {version.id for version in latest}
        mine = tuple(v for v in self.first if v.id in done and v.id not in listed)
        return replace(self, latest=latest + mine)


def _state(version: Version) -> tuple[object, ...]:
    """Return what tells whether a version was changed; the order of tags means nothing."""
    return version.name, version.created_at, version.updated_at, frozenset(version.tags)


def _duplicate_names(versions: tuple[Version, ...]) -> set[int]:
    seen: dict[str, int] = {}
    found: set[int] = set()
    for version in versions:
        other = seen.setdefault(version.name, version.id)
        if other != version.id:
            found |= {other, version.id}
    return found


_BURST = timedelta(seconds=120)


def certain_reads(versions: Sequence[Version], readings: Mapping[str, Reading]) -> tuple[str, ...]:
    """Return the digests that surely need a read: tagged manifests, then children that may name or refer to others."""
    nodes = {version.name: version for version in versions}
    tagged = tuple(d for d, version in nodes.items() if version.tags and d not in readings)
    if tagged:
        return tagged
    children = dict.fromkeys(_revealing(nodes, readings))
    return tuple(digest for digest in children if digest in nodes and digest not in readings)


def _revealing(nodes: Mapping[str, Version], readings: Mapping[str, Reading]) -> Iterator[str]:
    """Yield children that are described as indexes, or not described; and those of what may be a fallback index."""
    for digest, manifest in readings.items():
        if not isinstance(manifest, Manifest):
            continue
        yield from manifest.mentions
        version = nodes.get(digest)
        # Only the referrers in a list show whether it is a fallback index that lost its tag, and of which subject.
        fallback = version and not version.tags and not any(c.platform or c.role for c in manifest.children)
        for child in manifest.children:
            # A media type alone may be wrong.
            is_described = child.platform or child.role or child.artifact_type
            if fallback or child.media_type in INDEX_TYPES or not is_described:
                yield child.digest


def blind_reads(versions: Sequence[Version], readings: Mapping[str, Reading], turn: int) -> tuple[str, ...]:
    """Return untagged digests that nothing names yet: one may be an index that names the others.

    Of each burst of pushes the newest first (an index is pushed after its platforms), twice as many each `turn`:
    a dangling image then costs about one read, too, and children described as plain manifests none.
    """
    named = {d for manifest in readings.values() if isinstance(manifest, Manifest) for d in manifest.named}
    rest = [v for v in versions if v.name not in readings and v.name not in named]
    return tuple(v.name for burst in _bursts(rest) for v in burst[: 2**turn])


def reads_before_change(
    graph: Graph, readings: Mapping[str, Reading], going: Collection[str]
) -> tuple[str, ...]:
    """Return what must be read before anything of `going` is deleted, and then all must be decided again.

    Of what goes, everything that may have a `subject` nobody has read; a platform of an index has none. And of what
    stays, the attestations of a platform of which another attestation goes: only one that was read replaces it.
    """
    platforms = {
        child.digest
        for child in described(graph.manifests.values())
        if child.platform and not is_attestation(child) and not child.artifact_type
    }
    wanted = [digest for digest in going if digest not in platforms]
    leaving = {child for digest in going for child in graph.names.get(digest, ())} & graph.attestations
    staying = {s for d in leaving for s in graph.subjects.get(d, ()) if s in graph.nodes and s not in going}
    for digest, children in graph.names.items():
        if digest not in going and not staying.isdisjoint(children):
            wanted += [c.digest for c in graph.manifests[digest].children if attests(c)]
    return tuple(digest for digest in wanted if digest in graph.nodes and digest not in readings)


def _bursts(versions: Sequence[Version]) -> list[list[Version]]:
    """Group versions that were created shortly after one another, each group newest first."""
    bursts = [[version] for version in versions if not version.created_at]
    last = _LATEST
    for version in sorted((v for v in versions if v.created_at), key=by_age, reverse=True):
        created, _ = by_age(version)
        if last - created <= _BURST:
            bursts[-1].append(version)
        else:
            bursts.append([version])
        last = created
    return bursts
