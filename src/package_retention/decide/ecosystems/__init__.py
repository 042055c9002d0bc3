"""Versions as the tool of each ecosystem reads them: parse or refuse, compare, pre-release, range.

One module an ecosystem, all of one shape (`Ecosystem`). Versions come from the API and are hostile text: parsing is
bounded in time and length, knows ASCII digits only, and never raises. Ranges are the workflow author's: `parse_range`
raises `InvalidValueError`.

The rules are our own but for npm's ranges: the libraries that were tried for Maven, NuGet and RubyGems err in the
direction that deletes. `tests/data/version-truth/` has the tools' own answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import total_ordering
from typing import Any, Protocol

from package_retention.model import PackageType
from package_retention.problems import ProblemCode as Code
from package_retention.problems import invalid

MAX_LENGTH = 256
"""Longer texts have no version in any ecosystem: npm's own cap, and far over what the others' registries take."""

_MAX_RANGE_LENGTH = 4096


@total_ordering
@dataclass(frozen=True, slots=True, eq=False)
class VersionNumber:
    """A version as its ecosystem reads it; comparable and equal within one ecosystem by `key` alone.

    `release` are the leading numbers, for `keep-per`; empty if there are none, so that it cannot be
    grouped. `variant` holds the pieces of a container tag that are not a pre-release (`alpine`), else it is empty.
    """

    text: str
    key: Any
    prerelease: bool
    release: tuple[int, ...] = ()
    variant: str = ""

    def __eq__(self, other: object) -> bool:
        """Return whether both are the same version to the ecosystem."""
        return isinstance(other, VersionNumber) and bool(self.key == other.key)

    def __lt__(self, other: VersionNumber) -> bool:
        """Return whether this version comes before the other."""
        return bool(self.key < other.key)

    def __hash__(self) -> int:
        """Return the same hash for equal versions."""
        return hash(self.key)


@dataclass(frozen=True, slots=True)
class VersionRange:
    """A range of versions: its text, and whether it contains a version of the same ecosystem."""

    text: str
    contains: Callable[[VersionNumber], bool] = field(repr=False, compare=False)


def check_length(text: str) -> None:
    """Refuse a range that is too long to be meant; raise `InvalidValueError`."""
    if len(text) > _MAX_RANGE_LENGTH:
        raise invalid(Code.RANGE_TOO_LONG, text, most=_MAX_RANGE_LENGTH)


class Ecosystem(Protocol):
    """The functions that each module of this package has."""

    def parse(self, text: str) -> VersionNumber | None:
        """Read a version; `None` if the ecosystem's tool refuses it."""
        ...

    def parse_range(self, text: str) -> VersionRange:
        """Read a range in the ecosystem's own syntax; raise `InvalidValueError` if it is not one."""
        ...


class VersionParser:
    """Version numbers as an ecosystem reads them, each text read once."""

    def __init__(self, ecosystem: Ecosystem) -> None:
        self._ecosystem = ecosystem
        self._known: dict[str, VersionNumber | None] = {}

    def of(self, text: str) -> VersionNumber | None:
        """Return the version that a text is; `None` if the ecosystem's tool refuses it."""
        if text not in self._known:
            self._known[text] = self._ecosystem.parse(text)
        return self._known[text]

    def highest(self, texts: Sequence[str]) -> VersionNumber | None:
        """Return the highest version that one of the texts is."""
        if len(texts) == 1:
            return self.of(texts[0])
        found = [number for text in texts if (number := self.of(text)) is not None]
        return max(found, default=None)


def of(package_type: PackageType) -> Ecosystem:
    """Return the ecosystem of a package type; docker's is container's."""
    match package_type:
        case PackageType.MAVEN:
            from package_retention.decide.ecosystems import maven  # noqa: PLC0415 - only if asked for

            return maven
        case PackageType.NPM:
            from package_retention.decide.ecosystems import npm  # noqa: PLC0415 - only if asked for

            return npm
        case PackageType.NUGET:
            from package_retention.decide.ecosystems import nuget  # noqa: PLC0415 - only if asked for

            return nuget
        case PackageType.RUBYGEMS:
            from package_retention.decide.ecosystems import rubygems  # noqa: PLC0415 - only if asked for

            return rubygems
        case _:
            from package_retention.decide.ecosystems import container  # noqa: PLC0415 - only if asked for

            return container
