"""Patterns and versions of tags, as the documentation describes them; only the forms that the worlds use."""

from __future__ import annotations

import re
from dataclasses import dataclass

_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)(?:\.(\d+))?((?:-[0-9A-Za-z.]+)*)")
_PRE = re.compile(
    r"(alpha|beta|rc|cr|pre|preview|dev|snapshot|nightly|canary|next|milestone|ea)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Patterns:
    entries: tuple[str, ...]

    def matches(self, text: str) -> bool:
        """The last entry that matches wins; only entries with `!` mean everything but those."""
        found = all(entry.startswith("!") for entry in self.entries)
        for entry in self.entries:
            if _fits(entry.removeprefix("!"), text):
                found = not entry.startswith("!")
        return found

    def names(self, text: str) -> bool:
        """Whether an entry is this text, letter by letter, and no later one takes it away."""
        return text in self.entries and self.matches(text)

    def __str__(self) -> str:
        return "\n".join(self.entries)


def _fits(entry: str, text: str) -> bool:
    if entry.startswith("/"):
        return re.search(entry[1:-1], text) is not None
    pattern = "".join({"*": ".*", "?": "."}.get(one, re.escape(one)) for one in entry)
    return re.fullmatch(pattern, text, re.DOTALL) is not None


@dataclass(frozen=True, slots=True)
class TagVersion:
    """A tag that is a version; `variant` is what stands behind the numbers and is no label of a pre-release."""

    numbers: tuple[int, ...]
    label: tuple[tuple[int, str], ...]
    variant: str

    @property
    def key(self) -> tuple[object, ...]:
        # Of `1.3.0` and `1.3.0-alpine` on one image the plain one counts, in whatever order the tags come.
        return self.numbers, not self.label, self.label, not self.variant, self.variant


def version_of(tag: str) -> TagVersion | None:
    match = _VERSION.fullmatch(tag)
    if not match:
        return None
    numbers = tuple(int(one) for one in match.groups()[:4] if one is not None)
    pieces = match[5].split("-")[1:]
    label = [piece for piece in pieces if _PRE.match(piece)]
    variant = "-".join(piece for piece in pieces if piece not in label)
    # Numbers inside a label count as numbers: rc2 comes before rc10.
    ordered = tuple((int(a or -1), b) for piece in label for a, b in re.findall(r"(\d+)|(\D+)", piece))
    return TagVersion(numbers, ordered, variant)
