"""Which images may go without breaking what stays: a fixed point over the graph, and what GitHub refuses last."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from package_retention.decide.candidates import Candidate, single_candidate
from package_retention.decide.facts import by_age
from package_retention.decide.graph import closure, damage, own_tags
from package_retention.model import Manifest

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from package_retention.decide.facts import Facts
    from package_retention.decide.graph import Graph
    from package_retention.model import PackageType, Version


def images(graph: Graph, facts: Facts) -> list[Candidate]:
    """One item for each root and each orphaned referrer of a container package."""
    gone = facts.gone
    return [_image(graph, digest, facts, gone=graph.nodes[digest].id in gone) for digest in graph.units]


def _image(graph: Graph, digest: str, facts: Facts, *, gone: bool) -> Candidate:
    version = graph.nodes[digest]
    orphan = digest in graph.orphans
    inside = closure((digest,), graph.follows) if graph.follows(digest) else {digest: digest}
    own = own_tags(version)
    return Candidate(
        version,
        texts=version.tags if orphan else own,
        is_image=True,
        damage=damage(graph, digest, facts.confirmed),
        is_referrer=orphan,
        has_own_tag=bool(own),
        tags_inside=frozenset(tag for d in inside for tag in graph.nodes[d].tags),
        digests_inside=frozenset(inside),
        ids_inside=frozenset(graph.nodes[d].id for d in inside),
        reference=facts.reference,
        gone=gone,
        facts=facts,
    )


def flat(
    versions: tuple[Version, ...],
    package_type: PackageType,
    gone: Collection[int] = (),
    facts: Facts | None = None,
) -> list[Candidate]:
    """One item for each version, for package types without manifests to read, and for deleted versions."""
    if not package_type.has_tags:
        return [single_candidate(version, gone=version.id in gone, facts=facts) for version in versions]
    return [_tagged(version, gone=version.id in gone, facts=facts) for version in versions]


def _tagged(version: Version, *, gone: bool, facts: Facts | None) -> Candidate:
    own = own_tags(version)
    return Candidate(
        version,
        texts=own,
        is_image=True,
        has_own_tag=bool(own),
        tags_inside=frozenset(version.tags),
        gone=gone,
        facts=facts,
    )


@dataclass(frozen=True, slots=True)
class Resolution:
    """The roots that go, all that goes with them, and of what stays although chosen: what needs it."""

    roots: frozenset[str]
    going: frozenset[str]
    needed_by: Mapping[str, str] = field(default_factory=dict)


def resolve_dependencies(graph: Graph, chosen: AbstractSet[str], fixed: AbstractSet[str]) -> Resolution:
    """Take back every chosen root that anything staying needs, until nothing that stays loses anything.

    `fixed` stays whatever is chosen (what changed meanwhile, what may be named by a manifest that nobody could read).
    """
    held: dict[str, str] = {}
    while True:
        settled = _resolve(graph, chosen, fixed | held.keys())
        more = _last_attestations(graph, settled.going)
        if not more:
            owners = {d: settled.needed_by.get(subject, subject) for d, subject in held.items()}
            return Resolution(settled.roots, settled.going, {**settled.needed_by, **owners})
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
    """The attestations to hold back, each with its subject: of those that go, the newest that nothing replaces.

    Rebuilds from a cache share platforms, and each brings attestations of its own: one of each kind is enough. But an
    index that lists one beside a platform proves nothing, so only what was read counts as a replacement.
    """
    leaving: dict[tuple[str, object], list[str]] = {}
    for digest in going & graph.attestations:
        manifest = graph.readings.get(digest)
        if isinstance(manifest, Manifest) and manifest.subject in graph.nodes.keys() - going:
            # What says nothing of its kind is like no other.
            leaving.setdefault((manifest.subject or "", manifest.predicates or digest), []).append(digest)
    return {
        max(digests, key=lambda d: by_age(graph.nodes[d])): subject
        for (subject, kind), digests in leaving.items()
        if not any(
            _attests(graph, digest, subject, kind)
            for digest in graph.all_referrers[subject]
            if digest not in going
        )
    }


def _attests(graph: Graph, digest: str, subject: str, predicates: object) -> bool:
    manifest = graph.readings.get(digest)
    return (
        isinstance(manifest, Manifest) and manifest.subject == subject and manifest.predicates == predicates
    )


def _protected(graph: Graph, staying: list[str], reach: Mapping[str, str]) -> dict[str, str]:
    """All that must stay, each with what needs it: by the units that stay first, then what no unit reaches at all."""
    protected = closure(staying, graph.needs)
    rest = [digest for digest in graph.nodes if digest not in reach and digest not in protected]
    return protected | closure(rest, graph.needs) if rest else protected


def within_limit(
    graph: Graph, order: Sequence[str], limit: int | None, fixed: AbstractSet[str]
) -> Resolution:
    """Settle at most `limit` of the chosen roots, oldest first; one that a postponed image needs makes room."""
    settled = resolve_dependencies(graph, set(order), fixed)
    if limit is None:
        return settled
    blocked: set[str] = set(order) - settled.roots
    while True:
        chosen = [digest for digest in order if digest not in blocked][:limit]
        limited = resolve_dependencies(graph, set(chosen), fixed)
        if limited.roots == frozenset(chosen):
            return Resolution(limited.roots, limited.going, {**settled.needed_by, **limited.needed_by})
        blocked |= set(chosen) - limited.roots


def but_the_last_tag(
    facts: Facts, going: Collection[str], untagged: Mapping[str, tuple[str, ...]]
) -> tuple[dict[str, tuple[str, ...]], Version | None]:
    """What loses which tags, by digest, with the newest of them spared where no tag would be left; gives that one."""
    staying = [version for version in facts.latest if version.name not in going]
    if not untagged or any(set(version.tags) - set(untagged.get(version.name, ())) for version in staying):
        return dict(untagged), None
    last = max((version for version in staying if version.name in untagged), key=by_age, default=None)
    return {digest: tags for digest, tags in untagged.items() if last is None or digest != last.name}, last
