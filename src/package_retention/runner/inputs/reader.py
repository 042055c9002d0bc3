"""One input's value after the other: what does not fit is told, and the next is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from package_retention.decide.conditions import take
from package_retention.decide.values import one
from package_retention.runner.inputs import official as inputs_official
from package_retention.runner.inputs import places as inputs_places

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from typing import TypeVar

    from package_retention.decide.values import Value
    from package_retention.runner.inputs.raw import Raw

    T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reader:
    """The inputs of a run: `raw` as they arrived, `given` in this action's words, `roots` where files may lie."""

    raw: Raw
    given: Mapping[str, str]
    roots: tuple[Path, ...]

    def tell(self, name: str, sentence: str) -> None:
        """Note a problem, under the name that the input was given by."""
        self.raw.tell(self.called(name), sentence)

    def called(self, name: str) -> str:
        """Give the name under which an input was given: this action's, or the other one's."""
        return name if name in self.raw.given else inputs_official.WORDS.get(name, name)

    def value(self, name: str, parse: Callable[[Value], T]) -> T | None:
        """Read an input, given or at its default; `None` where it does not fit."""
        return take(self.raw.values, name, parse, self.tell)

    def given_value(self, name: str, parse: Callable[[Value], T]) -> T | None:
        """Read an input that is given; `None` where it is at its default, or does not fit."""
        return take(self.given, name, parse, self.tell)

    def file(self, name: str) -> Path | None:
        """Read the path of a file, and look at what is there."""
        return self.given_value(name, self._place)

    def _place(self, value: Value) -> Path:
        path = inputs_places.place(one(value), self.roots)
        inputs_places.inspect(path, self.roots)
        return path
