"""Read YAML as a policy file may have it: maps, lists and texts with their positions, and nothing that hides or repeats.

Every scalar is a text: `1.10`, `on` and `010` stay as they are written. Duplicate keys, anchors, aliases, tags, merge
keys, directives and a second document are reported.
"""

from __future__ import annotations

from typing import Any, NoReturn

from msgspec import field

from package_retention.inputs.structured_text import Mark, Node, Scalar, Sequence, Table, Tree
from package_retention.problems import Detail, Position, Problem
from package_retention.problems import ProblemCode as Code

LONGEST_TEXT = 4096
MOST_NODES = 50_000
DEEPEST = 8
_MOST_PROBLEMS = 50


class Refused(Scalar, eq=False):
    """What was reported already, so that nothing more is said about it."""


class Map(Table, eq=False):
    """A map in the order of the file, each key once; `keys_at` says where each key stands."""

    values: dict[str, Node] = field(default_factory=dict)
    keys_at: dict[str, Mark] = field(default_factory=dict)


class Problems:
    """The problems of one file, each with its place; of very many, the first ones."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._found: list[Problem] = []

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


class _StopError(Exception):
    """What follows cannot be read."""


def parse(text: str, problems: Problems) -> Node | None:
    """Return one document; `None` if there is no document or the text is not YAML, which is reported."""
    from ruamel.yaml.error import MarkedYAMLError, YAMLError  # noqa: PLC0415 - heavy, and only a policy needs it

    tree = _PolicyTree(problems)
    try:
        tree.read_yaml(text)
    except _StopError:
        return None
    except MarkedYAMLError as error:
        _report_syntax(error, text, problems)
        return None
    except YAMLError as error:
        _report_character(error, text, problems)
        return None
    except (ValueError, OverflowError):  # what the library itself trips over: `"\\UFFFFFFFF"`
        problems.report(tree.place, Code.YAML_ESCAPE)
        return None
    if not tree.roots and not problems:
        problems.report(Mark(), Code.YAML_EMPTY)
    return next(iter(tree.roots), None)


def _report_syntax(error: Any, text: str, problems: Problems) -> None:
    mark = error.problem_mark or error.context_mark
    at = Mark(mark.line + 1, mark.column + 1) if mark else Mark()
    line = (*text.splitlines(), *[""] * 2)[at.line - 1]
    code = Code.NOT_YAML
    if "*" in line[max(0, at.column - 2) : at.column]:
        code = Code.NOT_YAML_STAR
    elif "\t" in line[: len(line) - len(line.lstrip())]:
        code = Code.NOT_YAML_TAB
    problems.report(at, code, why=" ".join(filter(None, (error.context, error.problem))))


def _report_character(error: Any, text: str, problems: Problems) -> None:
    place = getattr(error, "position", 0)
    before = text[:place]
    at = Mark(before.count("\n") + 1, place - before.rfind("\n"))
    problems.report(at, Code.YAML_CHARACTER, character=f"U+{ord(text[place : place + 1] or ' '):04X}")


class _PolicyTree(Tree):
    """The tree of a policy: what it must not have is reported, and is `Refused` in the tree."""

    deepest = DEEPEST

    def __init__(self, problems: Problems) -> None:
        super().__init__()
        self._problems = problems
        self._nodes = 0
        self._documents = 0

    def begin_document(self, event: Any) -> None:
        self._documents += 1
        if event.version or event.tags:
            self._problems.report(Mark(), Code.YAML_DIRECTIVE)
        if self._documents > 1:
            self._stop(Code.YAML_DOCUMENTS)

    def alias(self, event: Any) -> Node:
        return self._refuse(Code.YAML_ALIAS, f"*{event.anchor}", instead=f"'*{event.anchor}'")

    def scalar(self, event: Any) -> Node:
        self._count()
        if self._has_marks(event):
            return Refused(self.place, "")
        if len(event.value) > LONGEST_TEXT:
            return self._refuse(Code.YAML_LONG_TEXT, size=len(event.value), most=LONGEST_TEXT)
        return Scalar(self.place, event.value)

    def opened(self, event: Any, node: Sequence | Table) -> Sequence | Table:
        self._has_marks(event)
        if self.is_deepest:
            self._stop(Code.YAML_DEPTH)
        self._count()
        return Map(node.at) if isinstance(node, Table) else node

    def end(self) -> Sequence | Table:
        node = super().end()
        if isinstance(node, Map):
            self._fill(node)
        return node

    def _fill(self, node: Map) -> None:
        for key, value in node.pairs:
            if isinstance(key, Refused):
                continue
            if not isinstance(key, Scalar):
                self._problems.report(key.at, Code.YAML_KEY)
            elif key.text == "<<":
                self._problems.report(key.at, Code.YAML_MERGE)
            elif key.text in node.keys_at:
                first = node.keys_at[key.text].line
                self._problems.report(key.at, Code.YAML_DUPLICATE, key.text, line=first)
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
            self._stop(Code.YAML_SIZE, most=MOST_NODES)

    def _refuse(self, code: Code, value: str = "", **details: Detail) -> Refused:
        self._problems.report(self.place, code, value, **details)
        return Refused(self.place, "")

    def _stop(self, code: Code, **details: int) -> NoReturn:
        self._problems.report(self.place, code, "", **details)
        raise _StopError
