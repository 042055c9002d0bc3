"""Items of a package: images by their roots, or the versions themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from package_retention.decide.graph import closure, damage, own_tags
from package_retention.decide.matching import Item, leaf

if TYPE_CHECKING:
    from package_retention.decide.facts import Facts
    from package_retention.decide.graph import Graph
    from package_retention.model import PackageType, Version


def images(graph: Graph, facts: Facts) -> list[Item]:
    """One item for each root and each orphaned referrer of a container package."""
    return [_image(graph, digest, facts) for digest in graph.units]


def _image(graph: Graph, digest: str, facts: Facts) -> Item:
    version = graph.nodes[digest]
    orphan = digest in graph.orphans
    inside = closure((digest,), graph.follows) if graph.follows(digest) else {digest: digest}
    own = own_tags(version)
    return Item(
        version,
        texts=version.tags if orphan else own,
        is_image=True,
        damage=damage(graph, digest, facts.confirmed),
        is_referrer=orphan,
        has_own_tag=bool(own),
        tags_inside=frozenset(tag for d in inside for tag in graph.nodes[d].tags),
        digests_inside=frozenset(inside),
        reference=facts.reference,
    )


def flat(versions: tuple[Version, ...], package_type: PackageType, reference: str = "") -> list[Item]:
    """One item for each version, for package types without manifests to read, and for deleted versions."""
    if not package_type.has_tags:
        return [leaf(version) for version in versions]
    return [_tagged(version, reference) for version in versions]


def _tagged(version: Version, reference: str) -> Item:
    own = own_tags(version)
    return Item(
        version,
        texts=own,
        is_image=True,
        has_own_tag=bool(own),
        tags_inside=frozenset(version.tags),
        reference=reference,
    )
