"""Read the policy file: a file of the workspace, its YAML, its rules, narrowed to what the step itself names.

An entry of `packages` has `type`, `name`, `delete` and, if something is to stay, `keep`. A rule's keys are the
inputs' names and mean the same, a default (`versions: any`, `older-than: none`) included, which is no condition:

- a delete rule takes `DELETE_KEYS`; `exclude-versions` narrows that rule alone;
- a keep rule takes `KEEP_KEYS`; without `min-versions-to-keep` it keeps every match.

A rule without a condition would mean every version, and is refused. A list's entries are
taken whole, a text in the place of a list is split as the input is.

`package-type` and `package-name` beside the file only ever narrow: a package is worked on if both the file and the
step name it, and a plain name that no entry of the file reaches is an error. What the file reaches by a wildcard
stays bound to `repository`, though the step spells the name out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from package_retention.decide.rules import PackageRules, Rule
from package_retention.errors import InputError
from package_retention.inputs import conflicts, values
from package_retention.inputs.environment import has_key, key_meant
from package_retention.inputs.files import Places
from package_retention.inputs.rows import Context, Input, Section
from package_retention.inputs.settings import PolicyLoader
from package_retention.inputs.structured_text import (
    Map,
    Node,
    Refused,
    Scalar,
    Sequence,
    parse_policy,
    problem_at,
)
from package_retention.inputs.table import keys_of
from package_retention.inputs.values import Value
from package_retention.model import PackageType
from package_retention.problems import InvalidValueError, Position, Problem
from package_retention.problems import ProblemCode as Code

LARGEST = 1024 * 1024
_MOST_PROBLEMS = 50
_BREAK = b"\n"
_WHICH = ("type", "name")
PACKAGE_KEYS: Mapping[str, Input | None] = {**keys_of(Section.PACKAGE), "keep": None, "delete": None}
DELETE_KEYS = keys_of(Section.DELETE)
KEEP_KEYS = keys_of(Section.KEEP)
_NO_CONDITION = ("exclude-versions", "keep-per", "order-by")
_MINIMUM = "min-versions-to-keep"
# Keys that belong elsewhere, and are no mistyped ones.
_ELSEWHERE = (
    "package-type",
    "package-name",
    "companion-tags",
    "limit",
    "deleted-within",
    "keep-referenced-in",
)


class _Map(Struct, frozen=True):
    """A map of the file: what it is called, its keys, and those that belong elsewhere."""

    name: str
    keys: Mapping[str, Input | None]
    elsewhere: tuple[str, ...] = _ELSEWHERE

    @property
    def rows(self) -> Mapping[str, Input]:
        """Return the keys that are inputs, too."""
        return {key: each for key, each in self.keys.items() if each}


_POLICY = _Map("policy", {"packages": None})
_PACKAGE = _Map("package", PACKAGE_KEYS)
_DELETE = _Map("delete", DELETE_KEYS, (*_ELSEWHERE, *(key for key in KEEP_KEYS if key not in DELETE_KEYS)))
_KEEP = _Map("keep", KEEP_KEYS, (*_ELSEWHERE, *(key for key in DELETE_KEYS if key not in KEEP_KEYS)))


def packages(root: Node, problems: list[Problem]) -> tuple[PackageRules, ...]:
    """Return the rules of a whole policy; they are all that the file says only if no problem was reported."""
    top = _table(root, _POLICY, problems)
    found = (_package(entry, problems) for entry in _entries(top, "packages", problems)) if top else ()
    return tuple(rules for rules in found if rules is not None)


def _package(node: Node, problems: list[Problem]) -> PackageRules | None:
    table = _table(node, _PACKAGE, problems)
    if table is None:
        return None
    missing = [key for key in _WHICH if not has_key(key, table.values)]
    problems += [problem_at(table.at, Code.MISSING_KEY, key=key) for key in missing]
    reader = _RuleReader(table, _PACKAGE, problems)
    context = Context(reader.read("package-type", Context()))
    names = reader.read("package-name", context)
    companions = reader.read("companion-tags", context)
    delete = _rules(table, _DELETE, context, problems)
    keep = _rules(table, _KEEP, context, problems) if "keep" in table.values else ()
    if context.package_type is None or names is None:
        return None
    return PackageRules(context.package_type, names, delete=delete, keep=keep, companions=companions)


def _rules(table: Map, kind: _Map, context: Context, problems: list[Problem]) -> tuple[Rule, ...]:
    nodes = _entries(table, kind.name, problems)
    named = ((f"{kind.name} rule {n} of {table.at.file}", node) for n, node in enumerate(nodes, 1))
    found = (_rule(name, node, kind, context, problems) for name, node in named)
    return tuple(rule for rule in found if rule is not None)


def _rule(name: str, node: Node, kind: _Map, context: Context, problems: list[Problem]) -> Rule | None:
    table = _table(node, kind, problems)
    if table is None:
        return None
    reader = _RuleReader(table, kind, problems)
    given = reader.given
    defaults = reader.values.keys() - given.keys()
    if kind is _KEEP and _MINIMUM in defaults:
        reader.report(Problem.about(_MINIMUM, Code.KEEPS_NOTHING))
    # A key that was reported, an unknown one included, was meant as a condition.
    elif not table.values.keys() - defaults - (set(_NO_CONDITION) & set(kind.keys)):
        problems.append(problem_at(table.at, Code.RULE_WITHOUT_CONDITION, rule=kind.name))
    return conflicts.rule_of(name, given, context, reader.report)


class _RuleReader:
    """The values of one table by the names of their inputs, each reported at its own place."""

    def __init__(self, table: Map, kind: _Map, problems: list[Problem]) -> None:
        self._rows = {each.name: each for each in kind.rows.values()}
        self._nodes = {kind.rows[key].name: node for key, node in table.values.items() if key in kind.rows}
        self._problems = problems
        self.values: Mapping[str, Value] = {
            name: value
            for name, node in self._nodes.items()
            if (value := _value(self._rows[name].key, node, problems)) is not None
        }

    @property
    def given(self) -> Mapping[str, Value]:
        """Return the values that are not at their default."""
        return {
            name: value
            for name, value in self.values.items()
            if not (isinstance(value, str) and self._rows[name].is_default(value))
        }

    def read(self, name: str, context: Context) -> Any:
        """Read one value; `None` if it is not given, or does not fit."""
        if name not in self.given:
            return None
        self._rows[name].check_type(context, self.report)
        return self._rows[name].read(self.given[name], context, self.report)

    def report(self, problem: Problem) -> None:
        """Note a problem of one key, at the entry of a list that it is about, else at the value."""
        node = self._nodes[problem.input]
        nodes = node.nodes if isinstance(node, Sequence) else ()
        entries = (each for each in nodes if isinstance(each, Scalar) and each.text.strip() == problem.value)
        self._problems.append(problem.of(self._rows[problem.input].key, next(entries, node).at))


def _value(key: str, node: Node, problems: list[Problem]) -> Value | None:
    """Return a text or a list of texts, without the entries that are not texts (which are reported)."""
    if isinstance(node, Sequence):
        found = tuple(text for each in node.nodes if (text := _entry(key, each, problems)) is not None)
        if not node.nodes:
            problems.append(Problem(Code.EMPTY_LIST, input=key, at=node.at))
        return found or None
    return _entry(key, node, problems)


def _entry(key: str, node: Node, problems: list[Problem]) -> str | None:
    if isinstance(node, Refused):
        return None
    if isinstance(node, Scalar):
        if node.text.strip():
            return node.text
        problems.append(Problem(Code.EMPTY_TEXT, input=key, at=node.at))
    else:
        shape = "list" if isinstance(node, Sequence) else "map"
        problems.append(Problem(Code.NOT_A_TEXT, input=key, at=node.at, details={"shape": shape}))
    return None


def _table(node: Node, kind: _Map, problems: list[Problem]) -> Map | None:
    """Return a map after a look at its keys; `None` if the node is not a map."""
    if not isinstance(node, Map):
        if not isinstance(node, Refused):
            problems.append(problem_at(node.at, Code.NOT_A_MAP, map=kind.name, keys=tuple(kind.keys)))
        return None
    for key in node.values.keys() - kind.keys.keys():
        details = key_meant(key, kind.keys, kind.elsewhere)
        problems.append(problem_at(node.keys_at[key], Code.UNKNOWN_KEY, key, map=kind.name, **details))
    return node


def _entries(table: Map, key: str, problems: list[Problem]) -> Collection[Node]:
    """Return the entries of a list that must be there and hold something."""
    if key not in table.values:
        if not has_key(key, table.values):
            problems.append(problem_at(table.at, Code.MISSING_LIST, key=key, entries=key))
        return ()
    node = table.values[key]
    if isinstance(node, Sequence) and node.nodes:
        return node.nodes
    if not isinstance(node, Refused):
        problems.append(problem_at(node.at, Code.NOT_A_FULL_LIST, key=key, entries=key))
    return ()


def loader(environ: Mapping[str, str], cwd: Path) -> PolicyLoader:
    """Return what reads a policy file that lies in the workspace (else `cwd`) or the runner's temporary folder."""
    places = Places.of(environ, cwd)

    def load(path: Path, package_type: PackageType | None, names: str) -> tuple[PackageRules, ...]:
        content, label = places.read_policy(path, LARGEST)
        return narrowed(parse(content, label), package_type, names, label)

    return load


def parse(content: bytes, label: str) -> tuple[PackageRules, ...]:
    """Return the rules of a policy; raise `InputError` with every problem, each with its line and column."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line, column = before.count(_BREAK) + 1, error.start - before.rfind(_BREAK)
        raise InputError(Problem(Code.NOT_UTF8, at=Position(label, line, column))) from None
    problems: list[Problem] = []
    root = parse_policy(text, label, problems)
    rules = packages(root, problems) if root else ()
    if not problems:
        return rules
    problems.sort(key=lambda problem: problem.at or Position())
    if (more := len(problems) - _MOST_PROBLEMS) > 0:
        problems[_MOST_PROBLEMS:] = [problem_at(Position(label), Code.MORE_PROBLEMS, number=more)]
    raise InputError(*problems)


def narrowed(
    rules: tuple[PackageRules, ...], package_type: PackageType | None, names: str, label: str
) -> tuple[PackageRules, ...]:
    """Return the rules for what the step names too: `names` is the text of `package-name`, empty if it is not given.

    Raises `InputError` if the step names something that no entry of the file reaches.
    """
    left = tuple(each for each in rules if package_type in (None, each.type))
    if not left:
        raise InputError(
            Problem.about("package-type", Code.POLICY_HAS_NO_TYPE, file=label, type=str(package_type))
        )
    if not names:
        return left
    try:
        left = tuple(replace(each, within=values.names(names, each.type)) for each in left)
    except InvalidValueError as error:
        raise InputError(*(problem.of("package-name") for problem in error.problems)) from error
    if unreached := [name for name in _spelled(left) if not any(each.reaches(name) for each in left)]:
        raise InputError(*(_not_reached(name, label) for name in unreached))
    left = tuple(
        each for each in left if each.names.any_wildcards or any(map(each.reaches, each.names.literals))
    )
    if not left:
        raise InputError(_not_reached(names, label))
    return left


def _not_reached(names: str, label: str) -> Problem:
    return Problem.about("package-name", Code.POLICY_REACHES_NOT, names, file=label)


def _spelled(rules: tuple[PackageRules, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for each in rules if each.within for name in each.within.literals))
