"""Make the candidates that rules decide on: an image by its root, or a version of any other package type."""

from __future__ import annotations

from collections.abc import Collection

from msgspec import Struct
from msgspec.structs import replace

from package_retention.decide.ecosystems import VersionParser
from package_retention.decide.facts import Facts
from package_retention.decide.graph import Graph, closure, damage, own_tags
from package_retention.decide.in_use import Use
from package_retention.decide.patterns import Patterns
from package_retention.model import Damage, PackageType, Version

LATEST = "latest"


class Candidate(Struct, frozen=True):
    """What is filtered, counted and kept as one: an image by its root, or a version of any other package type.

    `texts` is what `versions` compares: the tags of its own, or the version's name. `tags_inside`, `ids_inside` and
    `digests_inside` hold everything in an image, children and referrers included. `is_referrer` marks an orphan,
    `gone` what the newest list of the package lacks. `companions` are the tags that mean nothing by themselves; `facts`
    is what is known of the package, `None` in a restore.
    """

    version: Version
    texts: tuple[str, ...]
    is_image: bool = False
    damage: Damage | None = None
    is_referrer: bool = False
    has_own_tag: bool = False
    tags_inside: frozenset[str] = frozenset()
    digests_inside: frozenset[str] = frozenset()
    ids_inside: frozenset[int] = frozenset()
    reference: str = ""
    gone: bool = False
    companions: frozenset[str] = frozenset()
    facts: Facts | None = None

    @property
    def without_companions(self) -> tuple[str, ...]:
        """The texts without companion tags."""
        if not self.companions:
            return self.texts
        return tuple(text for text in self.texts if text not in self.companions)

    @property
    def filtered(self) -> tuple[str, ...]:
        """The texts that filters compare: companion tags only if the image has no other."""
        return self.without_companions or self.texts

    @property
    def takes_places(self) -> bool:
        """Whether this can be among the newest: an image with companion tags alone is not."""
        return bool(self.without_companions) or not self.texts

    def used(self, globs: tuple[str, ...]) -> Use | None:
        """Return the place in files that refers to the candidate, or to anything in it."""
        found = self.facts.in_use.get(globs) if self.facts and globs else None
        if found is None:
            return None
        ids = (self.version.id, *sorted(self.ids_inside))
        return next((reason for i in ids if (reason := found.reasons.get(i))), None)


def is_companion(tag: str, patterns: Patterns | None, parser: VersionParser) -> bool:
    """Return whether a tag means nothing by itself; `latest`, and what reads as a version, is never a companion."""
    return patterns is not None and tag != LATEST and patterns.matches(tag) and parser.of(tag) is None


def with_companions(candidate: Candidate, patterns: Patterns | None, parser: VersionParser) -> Candidate:
    """Return an image with the companion tags that it has."""
    if patterns is None or not candidate.is_image or candidate.is_referrer:
        return candidate
    found = frozenset(tag for tag in candidate.texts if is_companion(tag, patterns, parser))
    return replace(candidate, companions=found) if found else candidate


def images(graph: Graph, facts: Facts) -> list[Candidate]:
    """Return a candidate for each root and each orphaned referrer of a container package."""
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
    """Return a candidate for each version, of package types without manifests to read and of deleted versions."""
    if not package_type.has_tags:
        return [Candidate(one, (one.name,), gone=one.id in gone, facts=facts) for one in versions]
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
