"""Read YAML as a policy file may have it: maps, lists and texts with their positions, and nothing that hides or repeats.

Every scalar is a text: `1.10`, `on` and `010` stay as they are written. Duplicate keys, anchors, aliases, tags, merge
keys, directives and a second document are reported; events are read one by one, so no form of it costs more than its size.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from package_retention.problems import Position, Problem
from package_retention.problems import ProblemCode as Code

if TYPE_CHECKING:
    from collections.abc import Mapping

    from package_retention.problems import Detail


_MOST_PROBLEMS = 50


class Mark(Struct, frozen=True, order=True):
    """A place in the file; line and column count from 1."""

    line: int = 1
    column: int = 1


class Text(Struct, frozen=True):
    """A scalar, as it is written."""

    at: Mark
    text: str


class Sequence(Struct, frozen=True):
    """A list."""

    at: Mark
    nodes: tuple[Node, ...]


class Table(Struct, frozen=True):
    """A map, in the order of the file; `keys_at` says where each key stands."""

    at: Mark
    values: Mapping[str, Node]
    keys_at: Mapping[str, Mark]


class Refused(Struct, frozen=True):
    """What was reported already, so that nothing more is said about it."""

    at: Mark


Node = Text | Sequence | Table | Refused


@dataclass(slots=True)
class Problems:
    """The problems of one file, each with its place; of very many, the first ones."""

    file: str
    _found: list[Problem] = field(default_factory=list)

    def report(self, at: Mark, code: Code, value: str = "", **details: Detail) -> None:
        """Note a problem."""
        self.add(at, Problem(code, value, details=details))

    def add(self, at: Mark, problem: Problem) -> None:
        """Note a problem that is known, at its place."""
        self._found.append(problem.of(problem.input, Position(self.file, at.line, at.column)))

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self._found)

    def all(self) -> tuple[Problem, ...]:
        """Return them in the order of the file."""
        found = sorted(self._found, key=lambda problem: problem.at or Position())
        if (more := len(found) - _MOST_PROBLEMS) > 0:
            rest = Problem(Code.MORE_PROBLEMS, at=Position(self.file), details={"number": more})
            return (*found[:_MOST_PROBLEMS], rest)
        return tuple(found)


LONGEST_TEXT = 4096
MOST_NODES = 50_000
DEEPEST = 8


class _StopError(Exception):
    """What follows cannot be read."""


def parse(text: str, problems: Problems) -> Node | None:
    """Return one document; `None` if there is no document or the text is not YAML, which is reported."""
    from ruamel.yaml import YAML  # noqa: PLC0415 - heavy, and only a policy file needs it
    from ruamel.yaml.error import MarkedYAMLError, YAMLError  # noqa: PLC0415 - the same

    builder = _Builder(problems)
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            builder.take(event)
    except _StopError:
        return None
    except MarkedYAMLError as error:
        _report_syntax(error, text, problems)
        return None
    except YAMLError as error:
        _report_character(error, text, problems)
        return None
    except (ValueError, OverflowError):  # what the library itself trips over: `"\\UFFFFFFFF"`
        problems.report(builder.place, Code.YAML_ESCAPE)
        return None
    if builder.root is None and not problems:
        problems.report(Mark(), Code.YAML_EMPTY)
    return builder.root


def _report_syntax(error: Any, text: str, problems: Problems) -> None:
    at = _mark(error.problem_mark or error.context_mark)
    line = (*text.splitlines(), *[""] * 2)[at.line - 1]
    code = Code.NOT_YAML
    if "*" in line[max(0, at.column - 2) : at.column]:
        code = Code.NOT_YAML_STAR
    elif "\t" in line[: len(line) - len(line.lstrip())]:
        code = Code.NOT_YAML_TAB
    problems.report(at, code, why=" ".join(part for part in (error.context, error.problem) if part))


def _report_character(error: Any, text: str, problems: Problems) -> None:
    place = getattr(error, "position", 0)
    before = text[:place]
    at = Mark(before.count("\n") + 1, place - before.rfind("\n"))
    problems.report(at, Code.YAML_CHARACTER, character=f"U+{ord(text[place : place + 1] or ' '):04X}")


def _mark(mark: Any) -> Mark:
    return Mark(mark.line + 1, mark.column + 1) if mark else Mark()


@dataclass(slots=True)
class _Open:
    """A list or map that has not ended; of a map, `nodes` are keys and values in turn."""

    at: Mark
    is_map: bool
    nodes: list[Node] = field(default_factory=list)


@dataclass(slots=True)
class _Builder:
    problems: Problems
    root: Node | None = None
    place: Mark = field(default_factory=Mark)
    _open: list[_Open] = field(default_factory=list)
    _nodes: int = 0
    _documents: int = 0

    def take(self, event: Any) -> None:
        """Add the parser's next event to the tree."""
        self.place = at = _mark(event.start_mark)
        match type(event).__name__:
            case "DocumentStartEvent":
                self._document(event, at)
            case "AliasEvent":
                self._add(self._refuse(at, Code.YAML_ALIAS, f"*{event.anchor}", instead=f"'*{event.anchor}'"))
            case "ScalarEvent":
                self._add(self._scalar(event, at))
            case "SequenceStartEvent" | "MappingStartEvent" as kind:
                self._begin(event, at, is_map=kind == "MappingStartEvent")
            case "SequenceEndEvent" | "MappingEndEvent":
                done = self._open.pop()
                self._add(self._map(done) if done.is_map else Sequence(done.at, tuple(done.nodes)))
            case _:
                pass

    def _document(self, event: Any, at: Mark) -> None:
        self._documents += 1
        if event.version or event.tags:
            self._refuse(Mark(), Code.YAML_DIRECTIVE)
        if self._documents > 1:
            self._refuse(at, Code.YAML_DOCUMENTS)
            raise _StopError

    def _begin(self, event: Any, at: Mark, *, is_map: bool) -> None:
        self._check_marks(event, at)
        if len(self._open) >= DEEPEST:
            self._refuse(at, Code.YAML_DEPTH)
            raise _StopError
        self._count(at)
        self._open.append(_Open(at, is_map))

    def _scalar(self, event: Any, at: Mark) -> Node:
        self._count(at)
        if self._check_marks(event, at):
            return Refused(at)
        if len(event.value) > LONGEST_TEXT:
            return self._refuse(at, Code.YAML_LONG_TEXT, size=len(event.value), most=LONGEST_TEXT)
        return Text(at, event.value)

    def _check_marks(self, event: Any, at: Mark) -> bool:
        """Report an anchor or a tag; return whether there was one."""
        if event.anchor:
            self._refuse(at, Code.YAML_ANCHOR, f"&{event.anchor}")
        if event.tag is not None:
            self._refuse(at, Code.YAML_TAG, str(event.tag).replace("tag:yaml.org,2002:", "!!"))
        return bool(event.anchor or event.tag is not None)

    def _count(self, at: Mark) -> None:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            self._refuse(at, Code.YAML_SIZE, most=MOST_NODES)
            raise _StopError

    def _refuse(self, at: Mark, code: Code, value: str = "", **details: Detail) -> Refused:
        self.problems.report(at, code, value, **details)
        return Refused(at)

    def _add(self, node: Node) -> None:
        if self._open:
            self._open[-1].nodes.append(node)
        else:
            self.root = node

    def _map(self, done: _Open) -> Table:
        values: dict[str, Node] = {}
        keys_at: dict[str, Mark] = {}
        for key, value in zip(done.nodes[::2], done.nodes[1::2], strict=True):
            if not isinstance(key, Text):
                if not isinstance(key, Refused):
                    self._refuse(key.at, Code.YAML_KEY)
            elif key.text == "<<":
                self._refuse(key.at, Code.YAML_MERGE)
            elif key.text in keys_at:
                first = keys_at[key.text].line
                self._refuse(key.at, Code.YAML_DUPLICATE, key.text, line=first)
            else:
                values[key.text], keys_at[key.text] = value, key.at
        return Table(done.at, values, keys_at)
