"""Read one entry of a list of patterns, and match it: a literal, a glob, or a regular expression between slashes.

What looks like something else is refused: an entry that cannot match anything would protect nothing, or delete nothing, in silence.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Literal

from package_retention.errors import PlanError
from package_retention.escaping import quoted
from package_retention.problems import ProblemCode as Code, invalid
from package_retention.reason import Finding, FindingCode

LONGEST = 1000
LARGEST = 20_000
SEARCH_SECONDS = 0.5
_FLAGS = "ims"
_HEX = re.compile(r"[0-9a-f]{64}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_DIGEST_GLOB = re.compile(r"sha256:[0-9a-f*?\[\]!-]+")
_REFERENCE = re.compile(
    r"(?:docker(?:-pullable)?://)?"
    r"(?P<image>(?:(?:[a-z0-9-]+\.)+[a-z0-9-]+(?::\d+)?|[a-z0-9-]+:\d+|localhost)(?:/[a-z0-9._-]+)+)(?::[\w][\w.-]{0,127})?"
    r"@(?P<digest>sha256:[0-9a-f]{64})",
    re.IGNORECASE | re.ASCII,
)
_CLASS = re.compile(r"\[!?\]?[^\]]*\]")
_TOKEN = re.compile(
    r"(?P<open>\()|(?P<close>\))|\{(?P<least>\d*),?(?P<most>\d*)\}|(?P<atom>\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|.)",
    re.DOTALL | re.ASCII,
)
_RANGE = re.compile(r"\[[\d.\s]*\]|[\[(].*,.*[\])]")


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
    kind: Literal["literal", "glob", "regex"]
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
        entry = text.strip()
        negated = entry.startswith("!")
        body = entry[1:].strip() if negated else entry
        _check_text(body)
        found = _slashed(body) if body.startswith("/") else _digest(body) or _plain(body)
        pattern = replace(found, text=entry, negated=negated)
        return pattern.in_any_case() if lower else pattern

    @classmethod
    def expression(cls, source: str) -> Pattern:
        """Read a bare regular expression that looks at names, tags and digests; raise `InvalidValueError`."""
        return replace(_expression(source), everywhere=True)

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
        return int(_compiled(self.body, self.flags).groups) if self.kind == "regex" else 0

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
            expression = _compiled(self.body, self.flags)
            if self.budget:
                return self.budget.search(expression, text)
            return expression.search(text, timeout=SEARCH_SECONDS)
        except TimeoutError:
            names = (f"{SEARCH_SECONDS}",)
            raise PatternTimeoutError(
                Finding(FindingCode.PATTERN_SLOW, quoted(self.text), len(text), names)
            ) from None

    def meets(self, text: str | None, digest: str = "", reference: str = "") -> bool:
        """Return whether the entry fits a text, or the digest of its image, as far as the entry applies to them."""
        if not self.digest and text is not None and self.matches(text):
            return True
        return bool(digest) and self.meets_digest(digest, reference)

    def meets_digest(self, digest: str, reference: str) -> bool:
        """Return whether the entry looks at digests, and fits that of an image of this name (empty: any name)."""
        if not (self.digest or self.everywhere) or not self.matches(digest):
            return False
        return not (self.reference and reference) or self.reference == reference.lower()


@lru_cache(maxsize=1024)
def _glob(body: str) -> Callable[[str], re.Match[str] | None]:
    """Compile a glob, anchored; each `*` is atomic in what `fnmatch` makes of it, so no text makes it slow."""
    return re.compile(fnmatch.translate(body)).match


def _expression(source: str, flags: str = "") -> Pattern:
    """Check a regular expression that stands alone, without its slashes; raise `InvalidValueError`."""
    if not source:
        raise invalid(Code.PATTERN_EMPTY, "//")
    if unknown := [flag for flag in flags if flag not in _FLAGS]:
        raise invalid(Code.PATTERN_FLAG, f"/{source}/{flags}", flag=unknown[0])
    if len(source) > LONGEST:
        raise invalid(Code.PATTERN_LONG, source, most=LONGEST)
    if (size := _size(source)) > LARGEST:
        raise invalid(Code.PATTERN_COSTLY, f"/{source}/", size=size, most=LARGEST)
    import regex  # noqa: PLC0415 - heavy, and only regular expressions need it

    try:
        _compiled(source, flags)
    except (regex.error, ValueError, OverflowError, RecursionError) as error:
        raise invalid(Code.PATTERN_EXPRESSION, f"/{source}/{flags}", why=str(error)) from error
    return Pattern(f"/{source}/{flags}", "regex", source, flags=flags)


@lru_cache(maxsize=1024)
def _compiled(source: str, flags: str = "") -> Any:
    r"""Compile an expression with ASCII classes: `\d` is a digit that version numbers may have."""
    import regex  # noqa: PLC0415 - heavy, and only regular expressions need it

    chosen = regex.ASCII
    for flag in flags:
        chosen |= {"i": regex.IGNORECASE, "m": regex.MULTILINE, "s": regex.DOTALL}[flag]
    return regex.compile(source, chosen)


def _size(source: str) -> int:
    """Return how many steps an expression has once its counted repetitions are written out, as compiling does."""
    outer: list[int] = []
    size = atom = 0
    for token in _TOKEN.finditer(source):
        if token["open"]:
            outer.append(size + atom)
            size = atom = 0
        elif token["close"]:
            atom, size = size + atom, outer.pop() if outer else 0
        elif token["atom"]:
            size, atom = size + atom, 1
        else:
            atom *= max(1, *(int(number[:9]) for number in (token["least"], token["most"]) if number), 1)
    return sum(outer) + size + atom


def _check_text(body: str) -> None:
    if not body:
        raise invalid(Code.PATTERN_EMPTY, "!")
    if len(body) > LONGEST:
        raise invalid(Code.PATTERN_LONG, body, most=LONGEST)
    if hidden := [c for c in body if not c.isprintable()]:
        raise invalid(Code.PATTERN_INVISIBLE, body, character=f"U+{ord(hidden[0]):04X}")
    if body[0] in "\"'`" or body[-1] in "\"'`":
        raise invalid(Code.PATTERN_QUOTES, body)
    if body.startswith("!"):
        raise invalid(Code.PATTERN_NEGATED_TWICE, f"!{body}")


def _slashed(body: str) -> Pattern:
    """Read `/source/flags`; the flags are what follows the last slash."""
    source, slash, flags = body[1:].rpartition("/")
    if not slash or not (flags.isalpha() or not flags):
        raise invalid(Code.PATTERN_ONE_SLASH, body)
    return _expression(source, flags)


def _digest(body: str) -> Pattern | None:
    """Read a digest, a glob of digests, or a reference with a digest; `None` for anything else."""
    lowered = body.lower()
    if lowered.startswith("sha256:"):
        return _bare_digest(lowered)
    if _HEX.fullmatch(lowered):
        raise invalid(Code.PATTERN_LIKE_DIGEST, body)
    if "@" not in body[1:]:
        return None
    if found := _REFERENCE.fullmatch(body):
        digest = found["digest"].lower()
        return Pattern(body, "literal", digest, digest=True, reference=found["image"].lower())
    if "@sha256" in lowered:
        raise invalid(Code.PATTERN_NOT_A_REFERENCE, body)
    raise invalid(Code.PATTERN_NAME_AND_VERSION, body)


def _bare_digest(lowered: str) -> Pattern:
    if _DIGEST.fullmatch(lowered):
        return Pattern(lowered, "literal", lowered, digest=True)
    if any(mark in lowered for mark in "*?[") and _DIGEST_GLOB.fullmatch(lowered):
        _check_classes(lowered)
        return Pattern(lowered, "glob", lowered, digest=True)
    raise invalid(Code.PATTERN_NOT_A_DIGEST, lowered)


def _plain(body: str) -> Pattern:
    _check_look(body)
    if not any(mark in body for mark in "*?[]"):
        return Pattern(body, "literal", body)
    _check_classes(body)
    return Pattern(body, "glob", body)


def _check_look(body: str) -> None:
    """Refuse what has the look of a range, a regular expression, a reference, or several entries."""
    if body.endswith("/"):
        raise invalid(Code.PATTERN_ONE_SLASH, body)
    if _RANGE.fullmatch(body) or body[0] in "<>=~" or re.match(r"\^[\d.\s]*$", body):
        raise invalid(Code.PATTERN_LIKE_RANGE, body)
    if meant := [c for c in "^$(|\\){}" if c in body]:
        raise invalid(Code.PATTERN_LIKE_EXPRESSION, body, mark=meant[0], instead=f"/{body}/")
    if any(quote in body for quote in "\"'`"):
        raise invalid(Code.PATTERN_QUOTES, body)
    if " " in body:
        raise invalid(Code.PATTERN_BLANK, body)
    if "," in _CLASS.sub("", body):
        raise invalid(Code.PATTERN_COMMA, body)
    if ":" in body:
        raise invalid(Code.PATTERN_COLON, body)


def _check_classes(body: str) -> None:
    """Refuse brackets of a glob that are not closed, are empty, or have ranges that run downwards."""
    classes = _CLASS.findall(body)
    if any(mark in _CLASS.sub("", body) for mark in "[]"):
        raise invalid(Code.PATTERN_BRACKET, body)
    for each in classes:
        inner = each[1:-1].removeprefix("!")
        for first, last in re.findall(r"(.)-(.)", inner):
            if first > last:
                raise invalid(Code.PATTERN_EMPTY_SET, body, set=each, first=first, last=last)
