"""What rules are held against: an image by its root, or a version of any other package type."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from package_retention.decide.facts import Facts
    from package_retention.decide.in_use import UseReason
    from package_retention.decide.matching import VersionParser
    from package_retention.decide.patterns import Patterns
    from package_retention.decide.rules import Damage
    from package_retention.model import Version

LATEST = "latest"


@dataclass(frozen=True, slots=True)
class Candidate:
    """What is filtered, counted and kept as one: an image by its root, or a version of any other package type.

    `texts` is what `versions` looks at: the tags of its own, or the version's name. `tags_inside`, `ids_inside` and
    `digests_inside` hold everything in an image, children and referrers included. `is_referrer` marks an orphan,
    `gone` what the newest list of the package lacks. `companions` are those of the tags that say nothing by themselves;
    `facts` is what is known of the package, `None` in a restore.
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
    facts: Facts | None = field(default=None, compare=False, repr=False)

    @property
    def telling(self) -> tuple[str, ...]:
        """The texts but for companion tags."""
        if not self.companions:
            return self.texts
        return tuple(text for text in self.texts if text not in self.companions)

    @property
    def named(self) -> tuple[str, ...]:
        """What filters look at: companion tags only where the image has nothing else."""
        return self.telling or self.texts

    @property
    def takes_places(self) -> bool:
        """Whether this can be among the newest: an image with companion tags alone is not."""
        return bool(self.telling) or not self.texts

    def used(self, globs: tuple[str, ...]) -> UseReason | None:
        """Return the place in files that refers to this, or to anything in it."""
        found = self.facts.in_use.get(globs) if self.facts and globs else None
        if found is None:
            return None
        ids = (self.version.id, *sorted(self.ids_inside))
        return next((reason for i in ids if (reason := found.reasons.get(i))), None)


def single_candidate(version: Version, *, gone: bool = False, facts: Facts | None = None) -> Candidate:
    """The item of a version that is no image."""
    return Candidate(version, (version.name,), gone=gone, facts=facts)


def is_companion(tag: str, patterns: Patterns | None, parser: VersionParser) -> bool:
    """Whether a tag says nothing by itself; `latest`, and what reads as a version, always says something."""
    return patterns is not None and tag != LATEST and patterns.matches(tag) and parser.of(tag) is None


def with_companions(candidate: Candidate, patterns: Patterns | None, parser: VersionParser) -> Candidate:
    """Return an image with the companion tags that it has."""
    if patterns is None or not candidate.is_image or candidate.is_referrer:
        return candidate
    found = frozenset(tag for tag in candidate.texts if is_companion(tag, patterns, parser))
    return replace(candidate, companions=found) if found else candidate
