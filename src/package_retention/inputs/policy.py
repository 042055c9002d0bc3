"""From a policy's maps, lists and texts to rules; what does not fit is told with its place.

An entry of `packages` has `type`, `name`, `delete` and, where something is to stay, `keep`. A rule's keys are the
inputs' names and mean the same, a default (`versions: any`, `older-than: none`) included, which is no condition:

- a delete rule takes `DELETE_KEYS`; `exclude-versions` narrows that rule alone;
- a keep rule takes `KEEP_KEYS`; without `min-versions-to-keep` it keeps every match.

A rule without a condition would mean every version, and is refused: `versions: '*'` says so. A list's entries are
taken whole, a text in the place of a list is split as the input is.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from package_retention.decide.rules import PackageRules
from package_retention.escaping import quoted
from package_retention.inputs import filters
from package_retention.inputs.kinds import Context
from package_retention.inputs.policy_yaml import Node, Problems, Refused, Sequence, Table, Text
from package_retention.inputs.rows import Part
from package_retention.inputs.table import BY_NAME, keys_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from package_retention.decide.rules import Rule
    from package_retention.inputs.rows import Input
    from package_retention.inputs.values import Value

_WHICH = ("type", "name")
PACKAGE_KEYS = (*keys_of(Part.PACKAGE), "keep", "delete")
DELETE_KEYS = keys_of(Part.DELETE)
KEEP_KEYS = keys_of(Part.KEEP)
_NO_CONDITION = ("exclude-versions", "keep-per", "order-by")
_MINIMUM = "min-versions-to-keep"
_ELSEWHERE = {
    "package-type": "say `type`, beside the rules",
    "package-name": "say `name`, beside the rules",
    "companion-tags": "say it beside the rules",
    "limit": "it is an input of the step, and binds all rules together",
    "deleted-within": "it is for `operation: restore`, which takes no policy file",
    "keep-referenced-in": "it is an input of the step; a keep rule has `referenced-in`",
}
_DELETE_ALONE = {name: "it is for delete rules" for name in DELETE_KEYS if name not in KEEP_KEYS} | {
    "source-gone": "it is for delete rules; a keep rule has `source-exists`"
}
_KEEP_ALONE = {name: "it is for keep rules" for name in KEEP_KEYS if name not in DELETE_KEYS} | {
    "newer-than": "it is for keep rules; a delete rule has `older-than`",
    "source-exists": "it is for keep rules; a delete rule has `source-gone`",
}


@dataclass(frozen=True, slots=True)
class _Kind:
    """What the two kinds of rules differ in."""

    name: str
    keys: Mapping[str, Input]
    elsewhere: Mapping[str, str]
    too_much: str


_DELETE = _Kind("delete", DELETE_KEYS, {**_ELSEWHERE, **_KEEP_ALONE}, "would delete every version")
_KEEP = _Kind("keep", KEEP_KEYS, {**_ELSEWHERE, **_DELETE_ALONE}, "would keep every version")


def packages(root: Node, problems: Problems) -> tuple[PackageRules, ...]:
    """Read a whole policy; only where nothing was told are the rules all that the file says."""
    top = _table(root, ("packages",), "a policy", problems)
    if top is None:
        return ()
    entries = _entries(top, "packages", "a list of packages, each with `type`, `name` and `delete`", problems)
    found = (_package(entry, problems) for entry in entries)
    return tuple(rules for rules in found if rules is not None)


def _package(node: Node, problems: Problems) -> PackageRules | None:
    table = _table(node, PACKAGE_KEYS, "a package", problems)
    if table is None:
        return None
    for key in _WHICH:
        if not _has(table, key):
            problems.report(table.at, f"this package has no `{key}`; say which packages its rules are for")
    reader = _RuleReader(table, keys_of(Part.PACKAGE), problems)
    context = Context(reader.read("package-type", Context()))
    names = reader.read("package-name", context)
    companions = reader.read("companion-tags", context)
    delete = _rules(table, _DELETE, context, problems)
    keep = _rules(table, _KEEP, context, problems) if "keep" in table.values else ()
    if context.package_type is None or names is None:
        return None
    return PackageRules(context.package_type, names, delete=delete, keep=keep, companions=companions)


def _rules(table: Table, kind: _Kind, context: Context, problems: Problems) -> tuple[Rule, ...]:
    nodes = _entries(table, kind.name, "a list of rules, each a map like `- versions: pr-*`", problems)
    named = ((f"{kind.name} rule {n} of {problems.file}", node) for n, node in enumerate(nodes, 1))
    found = (_rule(name, node, kind, context, problems) for name, node in named)
    return tuple(rule for rule in found if rule is not None)


def _rule(name: str, node: Node, kind: _Kind, context: Context, problems: Problems) -> Rule | None:
    table = _table(node, kind.keys, f"a {kind.name} rule", problems, kind.elsewhere)
    if table is None:
        return None
    reader = _RuleReader(table, kind.keys, problems)
    given = reader.given
    defaults = reader.values.keys() - given.keys()
    if kind is _KEEP and _MINIMUM in defaults:
        reader.report(_MINIMUM, "keeps nothing with this number; leave it out where every match is to stay")
    # What was told not to fit, an unknown key included, was meant as a condition.
    elif not table.values.keys() - defaults - (set(_NO_CONDITION) & set(kind.keys)):
        problems.report(
            table.at, f"this {kind.name} rule {kind.too_much}; say `versions: '*'` where that is meant"
        )
    return filters.rule_of(name, given, context, reader.report)


def _is_default(each: Input, value: Value) -> bool:
    """Whether this is the value that the input has if it is not given."""
    if not isinstance(value, str):
        return False
    text = value.strip().lower()
    if each.name == _MINIMUM:
        return text == "-1" or (text.isdecimal() and not text.strip("0"))
    return text == each.default


class _RuleReader:
    """The values of one table by the names of their inputs, each reported at its own place."""

    def __init__(self, table: Table, keys: Mapping[str, Input], problems: Problems) -> None:
        self._rows = {each.name: each for each in keys.values()}
        self._nodes = {keys[key].name: node for key, node in table.values.items() if key in keys}
        self._problems = problems
        self.values: Mapping[str, Value] = {
            name: value
            for name, node in self._nodes.items()
            if (value := _value(self._rows[name].key, node, problems)) is not None
        }

    @property
    def given(self) -> Mapping[str, Value]:
        """The values that are not at their default."""
        return {
            name: value for name, value in self.values.items() if not _is_default(self._rows[name], value)
        }

    def read(self, name: str, context: Context) -> Any:
        """Read one value; `None` if it is not given, or does not fit."""
        if name not in self.given:
            return None
        filters.check_type(self._rows[name], context, self.report)
        return filters.take(self._rows[name], self.given[name], context, self.report)

    def report(self, name: str, sentence: str) -> None:
        """Note a problem of one key, at the entry that the sentence quotes, else at the value."""
        node = self._nodes[name]
        items = node.items if isinstance(node, Sequence) else ()
        reported = (
            item for item in items if isinstance(item, Text) and quoted(item.text.strip()) in sentence
        )
        self._problems.report(next(reported, node).at, f"{self._rows[name].key}: {sentence}")


def _value(key: str, node: Node, problems: Problems) -> Value | None:
    """A text or a list of texts, without the entries that are none (which are told)."""
    if isinstance(node, Sequence):
        found = tuple(text for item in node.items if (text := _entry(key, item, problems)) is not None)
        if not node.items:
            problems.report(node.at, f"{key}: is an empty list; leave the key out, or name an entry")
        return found or None
    return _entry(key, node, problems)


def _entry(key: str, node: Node, problems: Problems) -> str | None:
    if isinstance(node, Text):
        if node.text.strip():
            return node.text
        problems.report(node.at, f"{key}: is empty; leave the key out, or say what it is to be")
    elif not isinstance(node, Refused):
        shape = "a list" if isinstance(node, Sequence) else "a map"
        problems.report(
            node.at, f"{key}: has {shape} where a text belongs (globs with `[…]` go between quotes)"
        )
    return None


def _table(
    node: Node,
    keys: Collection[str],
    what: str,
    problems: Problems,
    elsewhere: Mapping[str, str] = _ELSEWHERE,
) -> Table | None:
    """A map with the keys that are known; `None` where it is none."""
    if not isinstance(node, Table):
        if not isinstance(node, Refused):
            problems.report(node.at, f"{what} is a map with the keys {_said(keys)}")
        return None
    for key in node.values.keys() - set(keys):
        problems.report(
            node.keys_at[key], f"{quoted(key)} is no key of {what}; {_meant(key, keys, elsewhere)}"
        )
    return node


def _meant(key: str, keys: Collection[str], elsewhere: Mapping[str, str]) -> str:
    if key in elsewhere:
        return elsewhere[key]
    if near := get_close_matches(key.replace("_", "-").lower(), (*keys, *elsewhere), n=1):
        hint = f" ({elsewhere[near[0]]})" if near[0] in elsewhere else ""
        return f"did you mean `{near[0]}`{hint}?"
    if key in BY_NAME:
        return f"it is an input of the step; there are {_said(keys)}"
    return f"there are {_said(keys)}"


def _entries(table: Table, key: str, what: str, problems: Problems) -> tuple[Node, ...]:
    """The entries of a list that must be there and hold something."""
    if key not in table.values:
        if not _has(table, key):
            problems.report(table.at, f"there is no `{key}:` here; it is {what}")
        return ()
    node = table.values[key]
    if isinstance(node, Sequence) and node.items:
        return node.items
    if not isinstance(node, Refused):
        wrong = "is empty" if isinstance(node, Sequence) else "is no list"
        problems.report(node.at, f"{key}: {wrong}; it is {what}")
    return ()


def _has(table: Table, key: str) -> bool:
    """Whether a key is there, or one that was told to be meant for it."""
    return key in table.values or bool(get_close_matches(key, table.values))


def _said(keys: Collection[str]) -> str:
    return ", ".join(f"`{key}`" for key in keys)
