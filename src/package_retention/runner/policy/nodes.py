"""What a policy file is read into: maps, lists and texts with their positions, and the problems that were told of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST_PROBLEMS = 50


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A place in the file; line and column count from 1."""

    line: int = 1
    column: int = 1


@dataclass(frozen=True, slots=True)
class Text:
    """A scalar, as it is written."""

    at: Mark
    text: str


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    at: Mark
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A map, in the order of the file; `keys_at` says where each key stands."""

    at: Mark
    values: Mapping[str, Node]
    keys_at: Mapping[str, Mark]


@dataclass(frozen=True, slots=True)
class Refused:
    """What was told already: whoever finds it here says no more about it."""

    at: Mark


Node = Text | Sequence | Table | Refused


@dataclass(slots=True)
class Problems:
    """The problems of one file, each with its place; of very many, the first ones."""

    file: str
    _found: list[tuple[Mark, str]] = field(default_factory=list)

    def tell(self, at: Mark, sentence: str) -> None:
        """Note a problem."""
        self._found.append((at, sentence))

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self._found)

    def sentences(self) -> tuple[str, ...]:
        """Give them in the order of the file, as `FILE:LINE:COLUMN: what`."""
        told = [f"{self.file}:{at.line}:{at.column}: {sentence}" for at, sentence in sorted(self._found)]
        more = len(told) - _MOST_PROBLEMS
        return (
            (*told[:_MOST_PROBLEMS], f"{self.file}: and {more:,} more problems") if more > 0 else tuple(told)
        )
