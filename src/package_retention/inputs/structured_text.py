"""Read YAML and JSON as trees of texts with their lines: every scalar as written, of any tag, type or document.

Aliases share the node of their anchor, so a tree never costs more than its text. Trees may hold themselves.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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


@dataclass(eq=False, slots=True)
class Scalar:
    """A scalar as written; `text` is empty for null. `first_line` is that of its text (of a block, the one below)."""

    text: str
    line: int
    first_line: int


@dataclass(eq=False, slots=True)
class Sequence:
    """A list."""

    nodes: list[Node] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Table:
    """A mapping: its keys and values in turn, as written, so that a key may come twice."""

    nodes: list[Node] = field(default_factory=list)

    @property
    def pairs(self) -> Iterator[tuple[Node, Node]]:
        """Yield the keys with their values."""
        return zip(self.nodes[::2], self.nodes[1::2], strict=False)


Node = Scalar | Sequence | Table
AnyNode = TypeVar("AnyNode", Scalar, Sequence, Table)


def parse_yaml(text: str) -> list[Node]:
    """Return the roots of all documents; raise `StructureError`."""
    from ruamel.yaml import YAML  # noqa: PLC0415 - heavy, and only references and policies need it
    from ruamel.yaml.error import MarkedYAMLError, YAMLError  # noqa: PLC0415 - the same

    try:
        return _tree(YAML(typ="safe", pure=True).parse(text))
    except StructureError:
        raise
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = ", ".join(part for part in (error.context, error.problem) if part)
        raise StructureError(what, *((mark.line + 1, mark.column + 1) if mark else ())) from error
    except (YAMLError, ValueError, OverflowError) as error:  # an odd character, `"\UFFFFFFFF"`
        raise StructureError(str(error).partition("\n")[0]) from error
    except RecursionError as error:
        raise StructureError("nested too deeply") from error


class _Tree:
    """A tree that grows by nodes; roots are the nodes of a list around them."""

    def __init__(self) -> None:
        self.root = Sequence()
        self._open: list[Sequence | Table] = [self.root]

    def add(self, node: Node) -> None:
        self._open[-1].nodes.append(node)

    def begin(self, node: Sequence | Table) -> None:
        self.add(node)
        if len(self._open) > _DEEPEST:
            raise StructureError(f"nested more than {_DEEPEST} deep")
        self._open.append(node)

    def end(self) -> None:
        self._open.pop()


def _tree(events: Iterable[Any]) -> list[Node]:
    tree = _Tree()
    anchors: dict[str, Node] = {}
    for event in events:
        match type(event).__name__:
            case "DocumentStartEvent":
                anchors = {}
            case "AliasEvent":
                if event.anchor not in anchors:
                    raise StructureError(f"undefined alias {event.anchor}", event.start_mark.line + 1)
                tree.add(anchors[event.anchor])
            case "ScalarEvent":
                tree.add(_anchored(_scalar(event), event, anchors))
            case "SequenceStartEvent":
                tree.begin(_anchored(Sequence(), event, anchors))
            case "MappingStartEvent":
                tree.begin(_anchored(Table(), event, anchors))
            case "SequenceEndEvent" | "MappingEndEvent":
                tree.end()
    return tree.root.nodes


def _anchored(node: AnyNode, event: Any, anchors: dict[str, Node]) -> AnyNode:
    if event.anchor:
        anchors[event.anchor] = node
    return node


def _scalar(event: Any) -> Scalar:
    line = event.start_mark.line + 1
    text = "" if event.style is None and event.value in _EMPTY else event.value
    return Scalar(text, line, line + (event.style in {"|", ">"}))


def parse_json(text: str) -> list[Node]:
    """Return the root of a JSON text, numbers as written; raise `StructureError`."""
    try:
        # The module judges the text, and the tokens below are read for their lines, which it does not keep.
        json.loads(text, parse_int=str, parse_float=str)
    except json.JSONDecodeError as error:
        raise StructureError(error.msg, error.lineno, error.colno) from error
    except RecursionError as error:
        raise StructureError("nested too deeply") from error
    tree = _Tree()
    line = 1
    for found in _JSON_TOKEN.findall(text):
        match found:
            case "\n":
                line += 1
            case "{":
                tree.begin(Table())
            case "[":
                tree.begin(Sequence())
            case "}" | "]":
                tree.end()
            case "null":
                tree.add(Scalar("", line, line))
            case _:
                tree.add(Scalar(json.loads(found) if found[0] == '"' else found, line, line))
    return tree.root.nodes


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
