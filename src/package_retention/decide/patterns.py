"""Match names, tags and digests by lists of patterns, of which the last entry that fits counts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Self

from msgspec import Struct

from package_retention.decide.pattern import Pattern
from package_retention.problems import InvalidValueError, Problem

DERIVED_STARTS = ("sha256-", "sha512-")
"""How the tags of signatures and of referrers begin: the rest is the digest of what they refer to."""

_DIGEST_START = "sha256:"
_COMMENT = re.compile(r"(?:^|(?<=\s))#.*")
# A regular expression ends at a slash that flags and a comma (or the line's end) follow; its own commas stay. Each
# alternative begins with another character, so nothing is tried twice; a possessive `*+` here is misread by 3.11.2.
_REGEX = re.compile(
    r"\s*!?\s*/(?:[^\\\[/]|\\.|\[(?:[^\\\]]|\\.)*\]|/(?![A-Za-z]*\s*(?:,|$)))*/[A-Za-z]*\s*(?=,|$)"
)
# Anything else ends at a comma outside of `[…]`; a bracket that nothing closes takes the rest, to be refused whole.
_PLAIN = re.compile(r"(?:[^,\[]|\[!?\]?[^\]]*(?:\]|$))*")


def entries(text: str) -> tuple[str, ...]:
    """Split a list input's text into its entries, trimmed, in order; none of them is empty."""
    lines = (_COMMENT.sub("", line) for line in text.splitlines())
    return tuple(entry for line in lines for piece in _split(line) if (entry := piece.strip()))


def _split(line: str) -> Iterator[str]:
    start = 0
    while start <= len(line):
        found = _REGEX.match(line, start) or _PLAIN.match(line, start)
        end = found.end() if found else len(line)
        yield line[start:end]
        start = end + 1


class Patterns(Struct, frozen=True):
    """A list of patterns: the last entry that matches wins; only `!` entries mean everything but those."""

    entries: tuple[Pattern, ...]

    @classmethod
    def parse(cls, source: str | Iterable[str], *, lower: bool = False) -> Self:
        """Read a list input's text, or ready values (a policy file's, each taken whole).

        `lower` fits the entries to names that are always lower-case (container, docker). Raise `InvalidValueError`
        with a problem for every bad entry.
        """
        texts = entries(source) if isinstance(source, str) else tuple(source)
        found: list[Pattern] = []
        problems: list[Problem] = []
        for text in texts:
            try:
                found.append(Pattern.parse(text, lower=lower))
            except InvalidValueError as error:
                # The entry as written, by which its place in a file is found.
                problems += (replace(problem, value=text.strip()) for problem in error.problems)
        if problems:
            raise InvalidValueError(*problems)
        return cls(tuple(found))

    def __str__(self) -> str:
        """Return the patterns as they were written, in one line."""
        return ", ".join(map(str, self.entries))

    def matches(self, text: str, digest: str = "", reference: str = "") -> bool:
        """Return whether a name or tag is meant, by the entries on names and tags.

        With the digest of the image that carries the tag, entries on digests have their say too, so that
        `v*, !sha256:…` spares that image.
        """
        meant = self._meant(lambda entry: entry.meets(text, digest, reference))
        return self.only_negated if meant is None else meant

    def matches_digest(self, digest: str, reference: str = "") -> bool:
        """Return whether a digest is meant by an entry on digests; only `!` entries mean no digest.

        A whole reference must agree with `reference` (`ghcr.io/owner/name`) if one is given.
        """
        return bool(self._meant(lambda entry: entry.meets_digest(digest, reference)))

    def matches_derived(self, tag: str) -> bool:
        """Return whether a digest-derived tag is meant, by the entries that begin as such a tag does."""
        return bool(self._meant(lambda entry: entry.body.startswith(DERIVED_STARTS) and entry.meets(tag)))

    def in_any_case(self) -> Patterns:
        """Return the same entries, fit to texts in small letters."""
        return Patterns(tuple(entry.in_any_case() for entry in self.entries))

    def literally(self, text: str) -> bool:
        """Return whether a literal entry names this very text, and no later `!` entry takes it away."""
        return bool(
            self._meant(lambda entry: (entry.negated or entry.kind == "literal") and entry.meets(text))
        )

    @property
    def only_negated(self) -> bool:
        """Whether every entry starts with `!`: everything but those is meant."""
        return bool(self.entries) and all(entry.negated for entry in self.entries)

    @property
    def is_everything(self) -> bool:
        """Whether this is `*` and nothing else."""
        return [entry.text for entry in self.entries] == ["*"]

    @property
    def any_wildcards(self) -> bool:
        """Whether this may mean a text that it does not spell out (a glob, an expression, only `!` entries)."""
        return self.only_negated or any(
            entry.kind != "literal" and not entry.negated for entry in self.entries
        )

    @property
    def literals(self) -> tuple[str, ...]:
        """The texts that are spelled out and meant, in order, each once."""
        spelled = dict.fromkeys(
            entry.body for entry in self.entries if entry.kind == "literal" and not entry.digest
        )
        return tuple(text for text in spelled if self.literally(text))

    def unmatched(self, texts: Iterable[str], reference: str = "") -> tuple[str, ...]:
        """Return the entries, as written, that match none of these names, tags and digests."""
        waiting = list(self.entries)
        for text in texts:
            digest = text if text.startswith(_DIGEST_START) else ""
            waiting = [e for e in waiting if not e.meets(None if digest else text, digest, reference)]
            if not waiting:
                break
        return tuple(entry.text for entry in waiting)

    def _meant(self, fits: Callable[[Pattern], bool]) -> bool | None:
        """Return whether the last entry that fits is one without `!`; `None` if none fits."""
        for entry in reversed(self.entries):
            if fits(entry):
                return not entry.negated
        return None
