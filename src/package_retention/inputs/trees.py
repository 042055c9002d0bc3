"""Read YAML and JSON as trees of texts with their places: every scalar as written, of any tag, type or document.

Aliases share the node of their anchor, so a tree never costs more than its text. Trees may hold themselves.

A policy file may have less: nothing that hides or repeats. Anchors, aliases, tags, directives, a second document, merge
keys and keys that come twice are reported.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct, field

from package_retention.problems import Detail, InvalidValueError, Position, Problem, ProblemCode as Code

# `ruamel.yaml` takes a minute for 12,000 brackets inside one another: its time grows with the square of the depth.
_DEEPEST = 200
# The bounds of a policy.
LONGEST_TEXT = 4096
MOST_NODES = 50_000
_DEEPEST_OF_POLICY = 8
_EMPTY = frozenset({"", "~", "null", "Null", "NULL"})
_JSON_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]]|[^\s{}\[\],:"]+|\n')


class Scalar(Struct, eq=False):
    """A scalar as written, at the place where its text begins; `text` is empty for null."""

    at: Position
    text: str = ""


class Sequence(Struct, eq=False):
    """A list."""

    at: Position
    nodes: list[Node] = []


class Table(Struct, eq=False):
    """A mapping: its keys and values in turn, as written, so that a key may come twice."""

    at: Position
    nodes: list[Node] = []

    @property
    def pairs(self) -> Iterator[tuple[Node, Node]]:
        """Yield the keys with their values."""
        return zip(self.nodes[::2], self.nodes[1::2], strict=False)


Node = Scalar | Sequence | Table


def unparsed(file: str, why: str, line: int = 0, column: int = 0) -> InvalidValueError:
    """Return the error about a file that is not what its name says; 0 is a place that is not known."""
    at = Position(file, line, column) if line else None
    return InvalidValueError(Problem(Code.FILE_NOT_PARSED, file, at=at, details={"why": why}))


class Tree:
    """A tree that grows by nodes, or by the events of a YAML parser, so that no form of YAML costs more than its size."""

    def __init__(self, file: str) -> None:
        self.roots: list[Node] = []
        self.place = Position(file, 1, 1)
        self.open: list[Sequence | Table] = []
        self._anchors: dict[str, Node] = {}

    def add(self, node: Node, anchor: str | None = None) -> None:
        """Add a node to the list or mapping that is open, or to the roots; aliases name it by its anchor."""
        (self.open[-1].nodes if self.open else self.roots).append(node)
        if anchor:
            self._anchors[anchor] = node

    def begin(self, node: Sequence | Table, anchor: str | None = None) -> None:
        """Add a list or mapping, to which all is added until it is no longer open."""
        self.add(node, anchor)
        if len(self.open) >= _DEEPEST:
            raise unparsed(self.place.file, f"nested more than {_DEEPEST} deep")
        self.open.append(node)

    def read_yaml(self, text: str) -> None:
        """Add every document of a text; raise `InvalidValueError`."""
        from ruamel.yaml import YAML  # noqa: PLC0415 - heavy, and only references and policies need it
        from ruamel.yaml.error import YAMLError  # noqa: PLC0415 - the same

        try:
            for event in YAML(typ="safe", pure=True).parse(text):
                mark = event.start_mark
                self.place = Position(self.place.file, mark.line + 1, mark.column + 1)
                self.read(event)
        except InvalidValueError:
            raise
        except (YAMLError, ValueError, OverflowError) as error:  # the latter for `"\UFFFFFFFF"`
            raise self.not_parsed(error, text) from error

    def read(self, event: Any) -> None:
        """Add what an event says."""
        match type(event).__name__:
            case "DocumentStartEvent":
                self._anchors = {}
            case "AliasEvent":
                if event.anchor not in self._anchors:
                    raise unparsed(self.place.file, f"undefined alias {event.anchor}", self.place.line)
                self.add(self._anchors[event.anchor])
            case "ScalarEvent":
                text = "" if event.style is None and event.value in _EMPTY else event.value
                is_block = event.style in {"|", ">"}  # whose text begins in the line below
                at = Position(self.place.file, self.place.line + 1, 1) if is_block else self.place
                self.add(Scalar(at, text), event.anchor)
            case "SequenceStartEvent":
                self.begin(Sequence(self.place), event.anchor)
            case "MappingStartEvent":
                self.begin(Table(self.place), event.anchor)
            case "SequenceEndEvent" | "MappingEndEvent":
                self.open.pop()

    def not_parsed(self, error: Any, _text: str) -> InvalidValueError:
        """Return the error about a text that is not YAML."""
        if mark := _mark(error):
            why = ", ".join(filter(None, (error.context, error.problem)))
            return unparsed(self.place.file, why, mark.line + 1, mark.column + 1)
        return unparsed(self.place.file, str(error).partition("\n")[0])


def _mark(error: Any) -> Any:
    """Return where the library says that the syntax is wrong; `None` if it does not, as for an odd character."""
    return getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)


def parse_yaml(text: str, file: str) -> list[Node]:
    """Return the roots of all documents; raise `InvalidValueError`."""
    tree = Tree(file)
    tree.read_yaml(text)
    return tree.roots


def parse_json(text: str, file: str) -> list[Node]:
    """Return the root of a JSON text, numbers as written; raise `InvalidValueError`."""
    try:
        # The module judges the text, and the tokens below are read for their lines, which it does not keep.
        json.loads(text, parse_int=str, parse_float=str)
    except json.JSONDecodeError as error:
        raise unparsed(file, error.msg, error.lineno, error.colno) from error
    except RecursionError as error:
        raise unparsed(file, "nested too deeply") from error
    tree = Tree(file)
    at = tree.place
    for found in _JSON_TOKEN.findall(text):
        match found:
            case "\n":
                at = Position(file, at.line + 1, 1)
            case "{":
                tree.begin(Table(at))
            case "[":
                tree.begin(Sequence(at))
            case "}" | "]":
                tree.open.pop()
            case "null":
                tree.add(Scalar(at))
            case _:
                tree.add(Scalar(at, json.loads(found) if found[0] == '"' else found))
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


def entries(node: Node) -> Iterator[tuple[Scalar, Node]]:
    """Yield the keys of a mapping that are scalars, with their values; nothing for another node."""
    for key, value in node.pairs if isinstance(node, Table) else ():
        if isinstance(key, Scalar):
            yield key, value


class Refused(Scalar, eq=False):
    """What was reported already, so that nothing more is said about it."""


class Map(Table, eq=False):
    """A map of a policy in the order of the file, each key once; `keys_at` says where each key stands."""

    values: dict[str, Node] = field(default_factory=dict)
    keys_at: dict[str, Position] = field(default_factory=dict)


def problem_at(at: Position, code: Code, value: str = "", **details: Detail) -> Problem:
    """Return a problem at a place of a file."""
    return Problem(code, value, at=at, details=details)


def parse_policy(text: str, file: str, problems: list[Problem]) -> Node | None:
    """Return one document; `None` if there is no document or the text is not YAML, which is reported."""
    tree = _PolicyTree(file, problems)
    try:
        tree.read_yaml(text)
    except InvalidValueError as error:
        problems += error.problems
        return None
    if not tree.roots and not problems:
        problems.append(problem_at(Position(file, 1, 1), Code.YAML_EMPTY))
    return next(iter(tree.roots), None)


class _PolicyTree(Tree):
    """The tree of a policy: what it must not have is reported, and is `Refused` in the tree."""

    def __init__(self, file: str, problems: list[Problem]) -> None:
        super().__init__(file)
        self._problems = problems
        self._nodes = 0

    def read(self, event: Any) -> None:
        match type(event).__name__:
            case "DocumentStartEvent":
                self._begin_document(event)
            case "AliasEvent":
                self.add(self._refuse(Code.YAML_ALIAS, f"*{event.anchor}", instead=f"'*{event.anchor}'"))
            case "ScalarEvent":
                self._count()
                self.add(self._scalar(event))
            case "SequenceStartEvent" | "MappingStartEvent" as kind:
                self._has_marks(event)
                if len(self.open) >= _DEEPEST_OF_POLICY:
                    raise InvalidValueError(problem_at(self.place, Code.YAML_DEPTH))
                self._count()
                self.begin(Map(self.place) if kind == "MappingStartEvent" else Sequence(self.place))
            case "SequenceEndEvent" | "MappingEndEvent":
                node = self.open.pop()
                if isinstance(node, Map):
                    self._fill(node)

    def _begin_document(self, event: Any) -> None:
        if event.version or event.tags:
            self._problems.append(problem_at(Position(self.place.file, 1, 1), Code.YAML_DIRECTIVE))
        if self.roots:
            raise InvalidValueError(problem_at(self.place, Code.YAML_DOCUMENTS))

    def _scalar(self, event: Any) -> Scalar:
        if self._has_marks(event):
            return Refused(self.place)
        if len(event.value) > LONGEST_TEXT:
            return self._refuse(Code.YAML_LONG_TEXT, size=len(event.value), most=LONGEST_TEXT)
        return Scalar(self.place, event.value)

    def _fill(self, node: Map) -> None:
        for key, value in node.pairs:
            if isinstance(key, Refused):
                continue
            if not isinstance(key, Scalar):
                self._problems.append(problem_at(key.at, Code.YAML_KEY))
            elif key.text == "<<":
                self._problems.append(problem_at(key.at, Code.YAML_MERGE))
            elif key.text in node.keys_at:
                first = node.keys_at[key.text].line
                self._problems.append(problem_at(key.at, Code.YAML_DUPLICATE, key.text, line=first))
            else:
                node.values[key.text], node.keys_at[key.text] = value, key.at

    def _has_marks(self, event: Any) -> bool:
        """Report an anchor or a tag; return whether there was one."""
        if event.anchor:
            self._refuse(Code.YAML_ANCHOR, f"&{event.anchor}")
        if event.tag is not None:
            self._refuse(Code.YAML_TAG, str(event.tag).replace("tag:yaml.org,2002:", "!!"))
        return bool(event.anchor or event.tag is not None)

    def _count(self) -> None:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise InvalidValueError(problem_at(self.place, Code.YAML_SIZE, most=MOST_NODES))

    def _refuse(self, code: Code, value: str = "", **details: Detail) -> Refused:
        self._problems.append(problem_at(self.place, code, value, **details))
        return Refused(self.place)

    def not_parsed(self, error: Any, text: str) -> InvalidValueError:
        if mark := _mark(error):
            at = Position(self.place.file, mark.line + 1, mark.column + 1)
            why = " ".join(filter(None, (error.context, error.problem)))
            return InvalidValueError(problem_at(at, _syntax_code(text, at), why=why))
        if (place := getattr(error, "position", None)) is None:  # the library tripped: `"\UFFFFFFFF"`
            return InvalidValueError(problem_at(self.place, Code.YAML_ESCAPE))
        before = text[:place]
        at = Position(self.place.file, before.count("\n") + 1, place - before.rfind("\n"))
        character = f"U+{ord(text[place : place + 1] or ' '):04X}"
        return InvalidValueError(problem_at(at, Code.YAML_CHARACTER, character=character))


def _syntax_code(text: str, at: Position) -> Code:
    line = (*text.splitlines(), *[""] * 2)[at.line - 1]
    if "*" in line[max(0, at.column - 2) : at.column]:
        return Code.NOT_YAML_STAR
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return Code.NOT_YAML_TAB
    return Code.NOT_YAML
