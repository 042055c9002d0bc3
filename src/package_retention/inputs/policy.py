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
from typing import TYPE_CHECKING

from package_retention.decide.rules import PackageRules, Rule
from package_retention.escaping import quoted
from package_retention.inputs import filters, values
from package_retention.inputs.policy_yaml import Node, Problems, Refused, Sequence, Table, Text
from package_retention.inputs.table import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeVar

    from package_retention.inputs.values import Value
    from package_retention.model import PackageType

    T = TypeVar("T")

_WHICH = ("type", "name")
PACKAGE_KEYS = (*_WHICH, "keep", "delete")
_NARROWS = "exclude-versions"
_CONDITIONS = (
    "versions",
    "package-version-ids",
    "version-range",
    "release-status",
    "tag-status",
    "older-than",
)
DELETE_KEYS = (*_CONDITIONS, "remove-damaged", _NARROWS, *filters.RETENTION_KEYS)
KEEP_KEYS = (*_CONDITIONS, "newer-than", *filters.RETENTION_KEYS)
_NO_CONDITION = (_NARROWS, "keep-per", "order-by")
_MINIMUM = "min-versions-to-keep"
_ELSEWHERE = {
    "package-type": "say `type`, beside the rules",
    "package-name": "say `name`, beside the rules",
    "limit": "it is an input of the step, and binds all rules together",
    "deleted-within": "it is for `operation: restore`, which takes no policy file",
}
_DELETE_ALONE = dict.fromkeys((_NARROWS, "remove-damaged"), "it is for delete rules")
_KEEP_ALONE = {"newer-than": "it is for keep rules; a delete rule has `older-than`"}


@dataclass(frozen=True, slots=True)
class _Kind:
    """What the two kinds of rules differ in."""

    name: str
    keys: tuple[str, ...]
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
    reader = _RuleReader(table, _WHICH, problems)
    kind = reader.read("type", values.package_type)
    names = reader.read("name", lambda value: values.names(value, kind))
    delete = _rules(table, _DELETE, kind, problems)
    keep = _rules(table, _KEEP, kind, problems) if "keep" in table.values else ()
    if kind is None or names is None:
        return None
    return PackageRules(kind, names, delete=delete, keep=keep)


def _rules(
    table: Table, kind: _Kind, package_type: PackageType | None, problems: Problems
) -> tuple[Rule, ...]:
    nodes = _entries(table, kind.name, "a list of rules, each a map like `- versions: pr-*`", problems)
    named = ((f"{kind.name} rule {n} of {problems.file}", node) for n, node in enumerate(nodes, 1))
    found = (_rule(name, node, kind, package_type, problems) for name, node in named)
    return tuple(rule for rule in found if rule is not None)


def _rule(
    name: str, node: Node, kind: _Kind, package_type: PackageType | None, problems: Problems
) -> Rule | None:
    table = _table(node, kind.keys, f"a {kind.name} rule", problems, kind.elsewhere)
    if table is None:
        return None
    reader = _RuleReader(table, kind.keys, problems)
    given = {key: value for key, value in reader.values.items() if not _is_default(key, value)}
    defaults = reader.values.keys() - given.keys()
    if kind is _KEEP and _MINIMUM in defaults:
        reader.report(_MINIMUM, "keeps nothing with this number; leave it out where every match is to stay")
    # What was told not to fit, an unknown key included, was meant as a condition.
    elif not table.values.keys() - defaults - (set(_NO_CONDITION) & set(kind.keys)):
        problems.report(
            table.at, f"this {kind.name} rule {kind.too_much}; say `versions: '*'` where that is meant"
        )
    return Rule(
        name,
        filters.filter_of(given, package_type, reader.report),
        filters.retention_of(given, reader.report),
        filters.take(given, _NARROWS, lambda value: values.patterns(value, package_type), reader.report),
    )


def _is_default(key: str, value: Value) -> bool:
    """Whether this is the value that the input has where it is not given."""
    if not isinstance(value, str):
        return False
    text = value.strip().lower()
    if key == _MINIMUM:
        return text == "-1" or (text.isdecimal() and not text.strip("0"))
    return text == (BY_NAME[key].default if key in BY_NAME else "none")


class _RuleReader:
    """The values of one table, each told about at its own place."""

    def __init__(self, table: Table, keys: tuple[str, ...], problems: Problems) -> None:
        self._table = table
        self._problems = problems
        self.values: Mapping[str, Value] = {
            key: value
            for key, node in table.values.items()
            if key in keys and (value := _value(key, node, problems)) is not None
        }

    def read(self, key: str, parse: Callable[[Value], T]) -> T | None:
        """Read one value; `None` where it is not there, or does not fit."""
        return filters.take(self.values, key, parse, self.report)

    def report(self, key: str, sentence: str) -> None:
        """Note a problem of one key, at the entry that the sentence quotes, else at the value."""
        node = self._table.values[key]
        items = node.items if isinstance(node, Sequence) else ()
        reported = (
            item for item in items if isinstance(item, Text) and quoted(item.text.strip()) in sentence
        )
        self._problems.report(next(reported, node).at, f"{key}: {sentence}")


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
    keys: tuple[str, ...],
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


def _meant(key: str, keys: tuple[str, ...], elsewhere: Mapping[str, str]) -> str:
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


def _said(keys: tuple[str, ...]) -> str:
    return ", ".join(f"`{key}`" for key in keys)
