"""Patterns on names, tags and digests: literals, globs and regular expressions between slashes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, Self

from package_retention.decide.lists import entries as entries_of
from package_retention.errors import PlanError

if TYPE_CHECKING:
    from collections.abc import Iterable

Kind = Literal["literal", "glob", "regex"]

SEARCH_SECONDS = 0.5


class PatternError(ValueError):
    """A pattern that looks like something else; the message names the right form."""


class PatternTimeoutError(PlanError):
    """A regular expression took too long: the run stops, since "no match" might delete or fail to protect."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One entry of a list of patterns.

    `text` is the entry as written; `body` what is compared: the literal, the glob, the expression between the
    slashes, or the digest. `digest` marks an entry that looks at digests alone: it starts with `sha256:`, or is a
    whole reference, whose `ghcr.io/owner/app` part (lower-case) is `reference`. `everywhere` marks an entry that
    looks at names, tags and digests alike (`ignore-versions`).
    """

    text: str
    kind: Kind = "literal"
    body: str = ""
    negated: bool = False
    digest: bool = False
    reference: str = ""
    flags: str = ""
    everywhere: bool = False

    @classmethod
    def parse(cls, text: str, *, lower: bool = False, everywhere: bool = False) -> Self:
        """Read one entry; `lower` makes it fit lower-case names. Raises `PatternError`."""
        raise NotImplementedError

    @property
    def groups(self) -> int:
        """How many groups a regular expression has; 0 for anything else."""
        return self._compiled().groups if self.kind == "regex" else 0

    def matches(self, text: str) -> bool:
        """Whether the text fits, a leading `!` left aside; raises `PatternTimeoutError`."""
        raise NotImplementedError

    def matches_digest(self, digest: str, reference: str = "") -> bool:
        """Whether a digest fits; a whole reference must also agree with `reference`, where one is given."""
        raise NotImplementedError

    def group(self, text: str) -> str | None:
        """Give the first group of a regular expression; `None` where it does not match or the group took no part."""
        raise NotImplementedError

    def _compiled(self) -> Any:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Patterns:
    """A list of patterns: the last entry that matches wins; only `!` entries mean everything but those."""

    entries: tuple[Pattern, ...]

    @classmethod
    def parse(cls, source: str | Iterable[str], *, lower: bool = False) -> Self:
        """Read a list input's text, or ready values (a policy file's, taken as they are).

        `lower` fits literals and globs to names that are always lower-case (container, docker). Raises
        `PatternError`, with every bad entry in it.
        """
        raise NotImplementedError

    def matches(self, text: str, digest: str = "", reference: str = "") -> bool:
        """Whether a name or tag is meant, by the entries that look at names and tags.

        With the digest of the image that carries the tag, entries on digests have their say too, so that
        `v*, !sha256:…` spares that image.
        """
        raise NotImplementedError

    def matches_digest(self, digest: str, reference: str = "") -> bool:
        """Whether a digest is meant by an entry that looks at digests; only `!` entries mean none here.

        A whole reference must agree with `reference` (`ghcr.io/owner/name`) where one is given.
        """
        raise NotImplementedError

    def literally(self, text: str) -> bool:
        """Whether a literal entry names this very text, and no later `!` entry takes it away."""
        raise NotImplementedError

    @property
    def only_negated(self) -> bool:
        """Whether every entry starts with `!`: everything but those is meant."""
        raise NotImplementedError

    @property
    def is_everything(self) -> bool:
        """Whether this is `*` and nothing else."""
        raise NotImplementedError

    @property
    def any_digest_entries(self) -> bool:
        """Whether any entry looks at digests."""
        raise NotImplementedError

    @property
    def any_tag_entries(self) -> bool:
        """Whether any entry looks at names and tags."""
        raise NotImplementedError

    @property
    def any_wildcards(self) -> bool:
        """Whether any entry could mean more than one text (a glob, a regular expression, only `!` entries)."""
        raise NotImplementedError

    def unmatched(self, texts: Iterable[str], reference: str = "") -> tuple[str, ...]:
        """Give the entries that match none of these names, tags and digests."""
        raise NotImplementedError
