"""Versions as the tool of each ecosystem reads them: parse or refuse, compare, pre-release, range.

One module an ecosystem, named as its package type, all of one shape: `parse` reads a version, or returns `None` if the
ecosystem's tool refuses it; `parse_range` returns whether a range holds a version, and raises `InvalidValueError` for
what is no range. npm's reads container tags, too. Versions come from the API and are hostile text: parsing is bounded
in time and length, knows ASCII digits only, and never raises. Ranges are the workflow author's.

The rules are our own but for npm's ranges: the libraries that were tried for Maven, NuGet and RubyGems err in the
direction that deletes. `tests/data/version-truth/` has the tools' own answers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from operator import eq, ge, gt, le, lt, ne
from typing import Any, Final, NamedTuple

from package_retention.model import PackageType
from package_retention.problems import ProblemCode as Code, invalid

MAX_LENGTH: Final = 256
"""Longer texts have no version in any ecosystem: npm's own cap, and far over what the others' registries take."""

_MAX_RANGE_LENGTH: Final = 4096

OPERATORS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "": eq,
    "=": eq,
    "!=": ne,
    "<": lt,
    "<=": le,
    ">": gt,
    ">=": ge,
}


@dataclass(frozen=True, slots=True, order=True)
class VersionNumber:
    """A version as its ecosystem reads it; comparable and equal within one ecosystem by `key` alone.

    `release` are the leading numbers, for `keep-per`; empty if there are none, so that it cannot be
    grouped. `variant` holds the pieces of a container tag that are not a pre-release (`alpine`), else it is empty.
    """

    text: str = field(compare=False)
    key: Any
    prerelease: bool = field(compare=False)
    release: tuple[int, ...] = field(default=(), compare=False)
    variant: str = field(default="", compare=False)


Holds = Callable[[VersionNumber], bool]
"""Whether a range holds a version of its ecosystem."""


@dataclass(frozen=True, slots=True)
class VersionRange:
    """A range of versions: its text, and whether it contains a version of the same ecosystem."""

    text: str
    contains: Holds = field(repr=False, compare=False)

    def __str__(self) -> str:
        """Return the range as written."""
        return self.text


class VersionParser:
    """Versions and ranges as the ecosystem of a package type reads them, each version once."""

    def __init__(self, package_type: PackageType) -> None:
        name = PackageType.NPM if package_type.has_tags else package_type
        # Most runs need one ecosystem, so the others are not imported.
        ecosystem: Any = import_module(f"{__name__}.{name}")
        self._parse = ecosystem.parse_tag if package_type.has_tags else ecosystem.parse
        self._parse_range = ecosystem.parse_range
        self._known: dict[str, VersionNumber | None] = {}

    def of(self, text: str) -> VersionNumber | None:
        """Return the version that a text is; `None` if the ecosystem's tool refuses it."""
        if text not in self._known:
            self._known[text] = self._parse(text)
        return self._known[text]

    def highest(self, texts: Sequence[str]) -> VersionNumber | None:
        """Return the highest version that one of the texts is."""
        if len(texts) == 1:
            return self.of(texts[0])
        found = [number for text in texts if (number := self.of(text)) is not None]
        return max(found, default=None)

    def parse_range(self, text: str) -> VersionRange:
        """Read a range in the ecosystem's own syntax; raise `InvalidValueError` if it is not one."""
        if len(text) > _MAX_RANGE_LENGTH:
            raise invalid(Code.RANGE_TOO_LONG, text, most=_MAX_RANGE_LENGTH)
        return VersionRange(text, self._parse_range(text))


INTERVAL: Final = r"(?P<interval>([\[(])([^\[\](),]*)(?:(,)([^\[\](),]*))?([\])]))"
"""An interval as Maven and NuGet write it: `[1.0,2.0)`, or `[1.0]` for one version."""


class Interval(NamedTuple):
    """All versions between two, either of which may be absent."""

    low: VersionNumber | None
    high: VersionNumber | None
    low_inclusive: bool
    high_inclusive: bool

    def holds(self, version: VersionNumber) -> bool:
        """Return whether the version lies in between."""
        if self.low and (version < self.low or (version == self.low and not self.low_inclusive)):
            return False
        return not self.high or version < self.high or (version == self.high and self.high_inclusive)


def ends_of(match: re.Match[str]) -> tuple[str, str | None, bool, bool]:
    """Return both ends of an `INTERVAL` as written (one version: `None` for the other), and whether each is inclusive."""
    interval, opening, low, comma, high, closing = match.groups()
    if not comma and (opening, closing) != ("[", "]"):
        raise invalid(Code.RANGE_ONE_VERSION, interval)
    return low, high, opening == "[", closing == "]"
