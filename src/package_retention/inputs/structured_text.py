"""Read YAML and JSON as trees of texts with their lines: every scalar as written, of any tag, type or document.

Aliases share the node of their anchor, so a tree never costs more than its text. Trees may hold themselves.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from msgspec import Struct

AnyNode = TypeVar("AnyNode", bound="Node")

_EMPTY = frozenset({"", "~", "null", "Null", "NULL"})
# `ruamel.yaml` takes a minute for 12,000 brackets inside one another: its time grows with the square of the depth.
_DEEPEST = 200
_JSON_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]]|[^\s{}\[\],:"]+|\n')


class StructureError(ValueError):
    """A text that is not YAML or JSON: `problem` says what is wrong at a line and column (0: not known)."""

    def __init__(self, problem: str, line: int = 0, column: int = 0) -> None:
        super().__init__(problem)
        self.problem = problem
        self.line = line
        self.column = column


class Mark(Struct, frozen=True, order=True):
    """A place in a text; line and column count from 1."""

    line: int = 1
    column: int = 1


class Scalar(Struct, eq=False):
    """A scalar as written; `text` is empty for null. The text of a block begins in the line below."""

    at: Mark
    text: str
    is_block: bool = False

    @property
    def first_line(self) -> int:
        """Return the line in which the text begins."""
        return self.at.line + self.is_block


class Sequence(Struct, eq=False):
    """A list."""

    at: Mark
    nodes: list[Node] = []


class Table(Struct, eq=False):
    """A mapping: its keys and values in turn, as written, so that a key may come twice."""

    at: Mark
    nodes: list[Node] = []

    @property
    def pairs(self) -> Iterator[tuple[Node, Node]]:
        """Yield the keys with their values."""
        return zip(self.nodes[::2], self.nodes[1::2], strict=False)


Node = Scalar | Sequence | Table


def parse_yaml(text: str) -> list[Node]:
    """Return the roots of all documents; raise `StructureError`."""
    from ruamel.yaml.error import MarkedYAMLError, YAMLError  # noqa: PLC0415 - heavy, and few runs need it

    tree = Tree()
    try:
        tree.read_yaml(text)
    except StructureError:
        raise
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = ", ".join(filter(None, (error.context, error.problem)))
        raise StructureError(what, *((mark.line + 1, mark.column + 1) if mark else ())) from error
    except (YAMLError, ValueError, OverflowError) as error:  # an odd character, `"\UFFFFFFFF"`
        raise StructureError(str(error).partition("\n")[0]) from error
    except RecursionError as error:
        raise StructureError("nested too deeply") from error
    return tree.roots


class Tree:
    """A tree that grows by nodes, or by a YAML parser's events; a subclass may refuse some of them.

    Events are read one by one, so that no form of YAML costs more than its size.
    """

    deepest = _DEEPEST

    def __init__(self) -> None:
        self.roots: list[Node] = []
        self.place = Mark()
        self._open: list[Sequence | Table] = []
        self._anchors: dict[str, Node] = {}

    def add(self, node: Node) -> None:
        """Add a node to the list or mapping that is open, or to the roots."""
        (self._open[-1].nodes if self._open else self.roots).append(node)

    def begin(self, node: Sequence | Table) -> None:
        """Add a list or mapping, to which all is added until its end."""
        self.add(node)
        if self.is_deepest:
            raise StructureError(f"nested more than {self.deepest} deep")
        self._open.append(node)

    @property
    def is_deepest(self) -> bool:
        """Whether nothing more can be opened."""
        return len(self._open) >= self.deepest

    def end(self) -> Sequence | Table:
        """Return the list or mapping that is complete now."""
        return self._open.pop()

    def read_yaml(self, text: str) -> None:
        """Add every document of a text; raise what `ruamel.yaml` raises."""
        from ruamel.yaml import YAML  # noqa: PLC0415 - heavy, and only references and policies need it

        for event in YAML(typ="safe", pure=True).parse(text):
            self.place = Mark(event.start_mark.line + 1, event.start_mark.column + 1)
            match type(event).__name__:
                case "DocumentStartEvent":
                    self.begin_document(event)
                case "AliasEvent":
                    self.add(self.alias(event))
                case "ScalarEvent":
                    self.add(self.scalar(event))
                case "SequenceStartEvent":
                    self.begin(self.opened(event, Sequence(self.place)))
                case "MappingStartEvent":
                    self.begin(self.opened(event, Table(self.place)))
                case "SequenceEndEvent" | "MappingEndEvent":
                    self.end()

    def begin_document(self, _event: Any) -> None:
        """Forget the anchors of the document before."""
        self._anchors = {}

    def alias(self, event: Any) -> Node:
        """Return the node that an alias stands for."""
        if event.anchor not in self._anchors:
            raise StructureError(f"undefined alias {event.anchor}", self.place.line)
        return self._anchors[event.anchor]

    def scalar(self, event: Any) -> Node:
        """Return a scalar."""
        text = "" if event.style is None and event.value in _EMPTY else event.value
        return self._anchored(event, Scalar(self.place, text, is_block=event.style in {"|", ">"}))

    def opened(self, event: Any, node: Sequence | Table) -> Sequence | Table:
        """Return the list or mapping that begins."""
        return self._anchored(event, node)

    def _anchored(self, event: Any, node: AnyNode) -> AnyNode:
        if event.anchor:
            self._anchors[event.anchor] = node
        return node


def parse_json(text: str) -> list[Node]:
    """Return the root of a JSON text, numbers as written; raise `StructureError`."""
    try:
        # The module judges the text, and the tokens below are read for their lines, which it does not keep.
        json.loads(text, parse_int=str, parse_float=str)
    except json.JSONDecodeError as error:
        raise StructureError(error.msg, error.lineno, error.colno) from error
    except RecursionError as error:
        raise StructureError("nested too deeply") from error
    tree = Tree()
    line = 1
    for found in _JSON_TOKEN.findall(text):
        match found:
            case "\n":
                line += 1
            case "{":
                tree.begin(Table(Mark(line)))
            case "[":
                tree.begin(Sequence(Mark(line)))
            case "}" | "]":
                tree.end()
            case "null":
                tree.add(Scalar(Mark(line), ""))
            case _:
                tree.add(Scalar(Mark(line), json.loads(found) if found[0] == '"' else found))
    return tree.roots


def walk(roots: Iterable[Node]) -> Iterator[Node]:
    """Yield every node once, in the order of the text."""
    waiting = list(roots)[::-1]
    seen: set[int] = set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield node
        if not isinstance(node, Scalar):
            waiting += node.nodes[::-1]


class EffectiveKeys:
    """The scalars of some keys of a mapping, merge keys (`<<`) followed."""

    def __init__(self, wanted: frozenset[str]) -> None:
        self._wanted = wanted
        self._known: dict[int, dict[str, list[Scalar]]] = {}

    def of(self, table: Table) -> dict[str, list[Scalar]]:
        """Return the scalars by key in small letters; the mapping's own win over what it merges."""
        if (known := self._known.get(id(table))) is not None:
            return known
        own: dict[str, list[Scalar]] = {}
        self._known[id(table)] = own  # before the merges, which may come back here
        merged: list[Table] = []
        for key, value in table.pairs:
            if not isinstance(key, Scalar):
                continue
            if key.text == "<<":
                merged += _tables(value)
            elif key.text.lower() in self._wanted and isinstance(value, Scalar):
                own.setdefault(key.text.lower(), []).append(value)
        for other in merged:
            for name, values in self.of(other).items():
                own.setdefault(name, values)
        return own


def _tables(node: Node) -> list[Table]:
    nodes = node.nodes if isinstance(node, Sequence) else [node]
    return [each for each in nodes if isinstance(each, Table)]
