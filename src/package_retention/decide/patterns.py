"""Match names, tags and digests by patterns: literals, globs and regular expressions between slashes."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Self

from msgspec import Struct

from package_retention.decide.pattern_forms import Kind, compiled, expression, form
from package_retention.errors import PlanError
from package_retention.escaping import quoted
from package_retention.problems import InvalidValueError, Problem
from package_retention.reason import Finding, FindingCode

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


__all__ = ["Kind", "Pattern", "PatternTimeoutError", "Patterns"]

SEARCH_SECONDS = 0.5
DERIVED_STARTS = ("sha256-", "sha512-")
"""How the tags of signatures and of referrers begin: the rest is the digest of what they refer to."""

_DIGEST_START = "sha256:"


class PatternTimeoutError(PlanError):
    """A regular expression took too long: the run stops, since "no match" might delete, or fail to protect."""


@dataclass(slots=True)
class PatternBudget:
    """The time that all regular expressions of one run may take together, in seconds.

    `clock` counts the seconds that the calling thread has worked: packages are looked at in several threads, and one
    that waits for another must not count twice. A search that takes too long by itself would do so on every version.
    """

    clock: Callable[[], float]
    seconds: float
    spent: float = 0.0

    def search(self, expression: Any, text: str) -> Any:
        """Search a text; raise `PatternTimeoutError` if the budget is spent, `TimeoutError` on one long search."""
        left = self.seconds - self.spent
        if left <= 0:
            raise PatternTimeoutError(Finding(FindingCode.PATTERNS_SLOW, f"{self.seconds:g}"))
        start = self.clock()
        try:
            return expression.search(text, timeout=min(SEARCH_SECONDS, left))
        finally:
            self.spent += self.clock() - start


@dataclass(frozen=True, slots=True)
class Pattern:
    """One entry of a list of patterns.

    `text` is the entry as written; `body` what is compared: the literal, the glob, the expression between the
    slashes, or the digest. `digest` marks an entry that looks at digests alone: it starts with `sha256:`, or is a
    whole reference, whose `ghcr.io/owner/app` (lower-case) is `reference`. `everywhere` marks an entry that
    looks at names, tags and digests alike (`ignore-versions` of the official action).
    """

    text: str
    kind: Kind
    body: str
    negated: bool = False
    digest: bool = False
    reference: str = ""
    flags: str = ""
    everywhere: bool = False
    budget: PatternBudget | None = field(default=None, compare=False, repr=False)

    @classmethod
    def parse(cls, text: str, *, lower: bool = False) -> Pattern:
        """Read one entry; `lower` fits it to names that are always lower-case. Raise `InvalidValueError`."""
        found = form(text)
        pattern = cls(
            text.strip(), found.kind, found.body, found.negated, found.digest, found.reference, found.flags
        )
        return pattern.in_any_case() if lower else pattern

    @classmethod
    def expression(cls, source: str) -> Self:
        """Read a bare regular expression that looks at names, tags and digests; raise `InvalidValueError`."""
        found = expression(source)
        return cls(f"/{source}/", found.kind, found.body, everywhere=True)

    def __str__(self) -> str:
        """Return the entry as written."""
        return self.text

    def in_any_case(self) -> Pattern:
        """Return the same entry, fit to texts in small letters."""
        if self.kind == "regex":
            return replace(self, flags="".join(sorted({*self.flags, "i"})))
        return replace(self, body=self.body.lower())

    @property
    def groups(self) -> int:
        """How many groups a regular expression has; 0 for anything else."""
        return int(compiled(self.body, self.flags).groups) if self.kind == "regex" else 0

    def matches(self, text: str) -> bool:
        """Return whether the text fits, a leading `!` left aside; raise `PatternTimeoutError`."""
        if self.kind == "literal":
            return text == self.body
        if self.kind == "glob":
            return _glob(self.body)(text) is not None
        return self._search(text) is not None

    def group(self, text: str) -> str | None:
        """Return a regular expression's first group; `None` if it does not match, or the group did not take part."""
        found = self._search(text) if self.groups else None
        return None if found is None else found.group(1)

    def _search(self, text: str) -> Any:
        try:
            expression_ = compiled(self.body, self.flags)
            if self.budget:
                return self.budget.search(expression_, text)
            return expression_.search(text, timeout=SEARCH_SECONDS)
        except TimeoutError:
            names = (f"{SEARCH_SECONDS}",)
            raise PatternTimeoutError(
                Finding(FindingCode.PATTERN_SLOW, quoted(self.text), len(text), names)
            ) from None

    def _meets(self, text: str | None, digest: str, reference: str) -> bool:
        """Return whether the entry fits a text, or the digest of its image, as far as the entry applies to them."""
        if not self.digest and text is not None and self.matches(text):
            return True
        return bool(digest) and self._meets_digest(digest, reference)

    def _meets_digest(self, digest: str, reference: str) -> bool:
        if not (self.digest or self.everywhere) or not self.matches(digest):
            return False
        return not (self.reference and reference) or self.reference == reference.lower()


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
        last = self._last(lambda entry: entry._meets(text, digest, reference))  # noqa: SLF001 - its own entries
        return self.only_negated if last is None else not last.negated

    def matches_digest(self, digest: str, reference: str = "") -> bool:
        """Return whether a digest is meant by an entry on digests; only `!` entries mean no digest.

        A whole reference must agree with `reference` (`ghcr.io/owner/name`) if one is given.
        """
        last = self._last(lambda entry: entry._meets_digest(digest, reference))  # noqa: SLF001 - its own entries
        return last is not None and not last.negated

    def matches_derived(self, tag: str) -> bool:
        """Return whether a digest-derived tag is meant, by the entries that begin as such a tag does."""
        derived = Patterns(tuple(entry for entry in self.entries if entry.body.startswith(DERIVED_STARTS)))
        last = derived._last(lambda entry: entry._meets(tag, "", ""))  # noqa: SLF001 - its own entries
        return last is not None and not last.negated

    def in_any_case(self) -> Patterns:
        """Return the same entries, fit to texts in small letters."""
        return Patterns(tuple(entry.in_any_case() for entry in self.entries))

    def literally(self, text: str) -> bool:
        """Return whether a literal entry names this very text, and no later `!` entry takes it away."""
        literal = Patterns(tuple(entry for entry in self.entries if entry.negated or entry.kind == "literal"))
        last = literal._last(lambda entry: entry._meets(text, "", ""))  # noqa: SLF001 - its own entries
        return last is not None and not last.negated

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
            waiting = [e for e in waiting if not e._meets(None if digest else text, digest, reference)]  # noqa: SLF001 - its own entries
            if not waiting:
                break
        return tuple(entry.text for entry in waiting)

    def _last(self, fits: Callable[[Pattern], bool]) -> Pattern | None:
        for entry in reversed(self.entries):
            if fits(entry):
                return entry
        return None


@lru_cache(maxsize=1024)
def _glob(body: str) -> Callable[[str], re.Match[str] | None]:
    """Compile a glob, anchored; each `*` is atomic in what `fnmatch` makes of it, so no text makes it slow."""
    return re.compile(fnmatch.translate(body)).match
