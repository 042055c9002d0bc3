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
from package_retention.inputs import conflicts, trees, values
from package_retention.inputs.environment import has_key, key_meant
from package_retention.inputs.files import for_input
from package_retention.inputs.rows import Input, Section
from package_retention.inputs.table import keys_of
from package_retention.inputs.values import Context, Value
from package_retention.model import PackageType
from package_retention.problems import Detail, Position, Problem, ProblemCode as Code

LARGEST = 1024 * 1024
_MOST_PROBLEMS = 50
_BREAK = b"\n"
_WHICH = ("type", "name")
PACKAGE_KEYS: Mapping[str, Input | None] = {**keys_of(Section.PACKAGE), "keep": None, "delete": None}
DELETE_KEYS = keys_of(Section.DELETE)
KEEP_KEYS = keys_of(Section.KEEP)
# Keys that belong elsewhere, and are no mistyped ones.
_ELSEWHERE = (
    "package-type",
    "package-name",
    "companion-tags",
    "limit",
    "deleted-within",
    "keep-referenced-in",
)


class _Kind(Struct, frozen=True):
    """A kind of map in the file: what it is called, its keys (with their inputs), and those that belong elsewhere."""

    name: str
    keys: Mapping[str, Input | None]
    elsewhere: tuple[str, ...] = _ELSEWHERE


_POLICY = _Kind("policy", {"packages": None})
_PACKAGE = _Kind("package", PACKAGE_KEYS)
_DELETE = _Kind("delete", DELETE_KEYS, (*_ELSEWHERE, *(key for key in KEEP_KEYS if key not in DELETE_KEYS)))
_KEEP = _Kind("keep", KEEP_KEYS, (*_ELSEWHERE, *(key for key in DELETE_KEYS if key not in KEEP_KEYS)))


def packages(root: trees.Node, problems: list[Problem]) -> tuple[PackageRules, ...]:
    """Return the rules of a whole policy; they are all that the file says only if no problem was reported."""
    top = _read_map(root, _POLICY, problems)
    found = [_package(entry, problems) for entry in top.entries("packages")] if top else []
    return tuple(filter(None, found))


def _package(node: trees.Node, problems: list[Problem]) -> PackageRules | None:
    package = _read_map(node, _PACKAGE, problems)
    if package is None:
        return None
    for key in _WHICH:
        if not has_key(key, package.table.values):
            package.report_at(package.table.at, Code.MISSING_KEY, key=key)
    context = Context(package.read("package-type", Context()))
    names = package.read("package-name", context)
    companions = package.read("companion-tags", context)
    delete = _rules(package, _DELETE, context)
    keep = _rules(package, _KEEP, context) if "keep" in package.table.values else ()
    if context.package_type is None or names is None:
        return None
    return PackageRules(context.package_type, names, delete=delete, keep=keep, companions=companions)


def _rules(package: _MapReader, kind: _Kind, context: Context) -> tuple[Rule, ...]:
    file = package.table.at.file
    found: list[Rule] = []
    for number, node in enumerate(package.entries(kind.name), 1):
        rule = _read_map(node, kind, package.problems)
        if rule is not None:
            found.append(_rule(rule, f"{kind.name} rule {number} of {file}", context))
    return tuple(found)


def _rule(rule: _MapReader, name: str, context: Context) -> Rule:
    no_conditions = {key for key, row in rule.kind.keys.items() if row and not row.is_filter}
    if rule.kind is _KEEP and conflicts.MINIMUM in rule.defaults:
        rule.report(Problem.about(conflicts.MINIMUM, Code.KEEPS_NOTHING))
    # A key that was reported, an unknown one included, was meant as a condition.
    elif not rule.table.values.keys() - rule.defaults - no_conditions:
        rule.report_at(rule.table.at, Code.RULE_WITHOUT_CONDITION, rule=rule.kind.name)
    return conflicts.rule_of(name, rule.given, context, rule.report)


def _read_map(node: trees.Node, kind: _Kind, problems: list[Problem]) -> _MapReader | None:
    """Return a map after a look at its keys; `None` if the node is not a map."""
    if isinstance(node, trees.Map):
        return _MapReader(node, kind, problems)
    if not isinstance(node, trees.Refused):
        problems.append(trees.problem_at(node.at, Code.NOT_A_MAP, map=kind.name, keys=tuple(kind.keys)))
    return None


class _MapReader:
    """What a map says, by the names of the inputs that its keys are; each problem is reported at its own place.

    `given` are a text or a list of texts each; `defaults` are those that say no more than their default.
    """

    def __init__(self, table: trees.Map, kind: _Kind, problems: list[Problem]) -> None:
        self.table = table
        self.kind = kind
        self.problems = problems
        self.given: dict[str, Value] = {}
        self.defaults: set[str] = set()
        self._rows: dict[str, tuple[Input, trees.Node]] = {}
        for key, node in table.values.items():
            if key not in kind.keys:
                meant = key_meant(key, kind.keys, kind.elsewhere)
                self.report_at(table.keys_at[key], Code.UNKNOWN_KEY, key, map=kind.name, **meant)
            elif row := kind.keys[key]:
                self._add(row, node)

    def _add(self, row: Input, node: trees.Node) -> None:
        self._rows[row.name] = row, node
        value = self._texts(row.key, node)
        if isinstance(value, str) and row.is_default(value):
            self.defaults.add(row.name)
        elif value:
            self.given[row.name] = value

    def _texts(self, key: str, node: trees.Node) -> Value | None:
        """Return a text or a list of texts, without the entries that are not texts (which are reported)."""
        if not isinstance(node, trees.Sequence):
            return self._text(key, node)
        if not node.nodes:
            self.problems.append(Problem(Code.EMPTY_LIST, input=key, at=node.at))
        return tuple(filter(None, [self._text(key, each) for each in node.nodes]))

    def _text(self, key: str, node: trees.Node) -> str | None:
        if isinstance(node, trees.Refused):
            return None
        if not isinstance(node, trees.Scalar):
            shape = "list" if isinstance(node, trees.Sequence) else "map"
            self.problems.append(Problem(Code.NOT_A_TEXT, input=key, at=node.at, details={"shape": shape}))
        elif node.text.strip():
            return node.text
        else:
            self.problems.append(Problem(Code.EMPTY_TEXT, input=key, at=node.at))
        return None

    def read(self, name: str, context: Context) -> Any:
        """Read one value; `None` if it is not given, or does not fit."""
        if name not in self.given:
            return None
        row, _ = self._rows[name]
        row.check_type(context, self.report)
        return row.read(self.given[name], context, self.report)

    def entries(self, key: str) -> Collection[trees.Node]:
        """Return the entries of a list that must be there and hold something."""
        node = self.table.values.get(key)
        if node is None:
            if not has_key(key, self.table.values):
                self.report_at(self.table.at, Code.MISSING_LIST, key=key, entries=key)
        elif isinstance(node, trees.Sequence) and node.nodes:
            return node.nodes
        elif not isinstance(node, trees.Refused):
            self.report_at(node.at, Code.NOT_A_FULL_LIST, key=key, entries=key)
        return ()

    def report(self, problem: Problem) -> None:
        """Note a problem of one key, at the entry of a list that it is about, else at the value."""
        row, node = self._rows[problem.input]
        nodes = node.nodes if isinstance(node, trees.Sequence) else ()
        entries = (
            each for each in nodes if isinstance(each, trees.Scalar) and each.text.strip() == problem.value
        )
        self.problems.append(problem.of(row.key, next(entries, node).at))

    def report_at(self, at: Position, code: Code, value: str = "", **details: Detail) -> None:
        """Note a problem of the whole map, or of what stands in the place of a value."""
        self.problems.append(trees.problem_at(at, code, value, **details))


def load(path: Path, context: Context, names: str) -> tuple[PackageRules, ...]:
    """Return the rules of a policy file, narrowed to the type and names that the step names too."""
    content, label = context.places.read_policy(path, LARGEST)
    return narrowed(parse(content, label), context.package_type, names, label)


def parse(content: bytes, label: str) -> tuple[PackageRules, ...]:
    """Return the rules of a policy; raise `InputError` with every problem, each with its line and column."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line, column = before.count(_BREAK) + 1, error.start - before.rfind(_BREAK)
        raise InputError(Problem(Code.NOT_UTF8, at=Position(label, line, column))) from None
    problems: list[Problem] = []
    root = trees.parse_policy(text, label, problems)
    rules = packages(root, problems) if root else ()
    if not problems:
        return rules
    problems.sort(key=lambda problem: problem.at or Position())
    if (more := len(problems) - _MOST_PROBLEMS) > 0:
        problems[_MOST_PROBLEMS:] = [trees.problem_at(Position(label), Code.MORE_PROBLEMS, number=more)]
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
    with for_input("package-name"):
        left = tuple(replace(each, within=values.names(names, Context(each.type))) for each in left)
    spelled = dict.fromkeys(name for each in left if each.within for name in each.within.literals)
    lost = [name for name in spelled if not any(each.reaches(name) for each in left)]
    left = tuple(
        each for each in left if each.names.any_wildcards or any(map(each.reaches, each.names.literals))
    )
    if not left and not lost:
        lost = [names]
    if lost:
        raise InputError(
            *(Problem.about("package-name", Code.POLICY_REACHES_NOT, name, file=label) for name in lost)
        )
    return left
