"""The rules of a run: the single inputs are one rule, a policy file has many."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from package_retention.decide import conditions, values
from package_retention.decide.rules import PackageRules, Rule
from package_retention.errors import InputError
from package_retention.model import Operation, PackageType
from package_retention.runner.inputs import conflicts as inputs_conflicts
from package_retention.runner.inputs import official as inputs_official

if TYPE_CHECKING:
    from package_retention.decide.patterns import Patterns
    from package_retention.runner.inputs.reader import Reader

PolicyLoader = Callable[[Path, PackageType | None, str], tuple[PackageRules, ...]]
"""Reads a policy file. The type and the text of `package-name` are the step's own (`None` and empty where they are
not given): they narrow what the file names. Raises `InputError` with every problem of the file."""

THE_INPUTS = "the inputs"


def build(reader: Reader, operation: Operation | None, load_policy: PolicyLoader) -> tuple[PackageRules, ...]:
    """Build the rules; what does not fit is told to the reader."""
    kind = reader.given_value("package-type", values.package_type)
    names = reader.given_value("package-name", lambda value: values.names(value, kind))
    exclude = _exclude(reader, kind)
    limit = reader.given_value("limit", values.count)
    rule = Rule(
        THE_INPUTS,
        conditions.filter_of(reader.given, kind, reader.tell),
        conditions.retention_of(reader.given, reader.tell),
    )
    if "policy-file" in reader.given:
        found = () if operation is Operation.RESTORE else _policy(reader, kind, load_policy)
        return tuple(replace(each, exclude=exclude, limit=limit) for each in found)
    for name in ("package-type", "package-name"):
        if name not in reader.given:
            reader.tell(name, "is missing; only a policy file could name it instead")
    if operation and inputs_conflicts.stands_alone(reader, operation):
        limit = 1
    if kind is None or names is None:
        return ()
    return (PackageRules(kind, names, delete=(rule,), exclude=exclude, limit=limit),)


def _exclude(reader: Reader, kind: PackageType | None) -> Patterns | None:
    own = reader.given_value("exclude-versions", lambda value: values.patterns(value, kind))
    return own or inputs_official.ignored(reader.raw)


def _policy(reader: Reader, kind: PackageType | None, load_policy: PolicyLoader) -> tuple[PackageRules, ...]:
    path = reader.file("policy-file")
    if path is None:
        return ()
    try:
        found = load_policy(path, kind, reader.given.get("package-name", ""))
    except InputError as error:
        for problem in error.problems:
            reader.raw.tell_all(problem)
        return ()
    if "untag" in reader.given and all(rules.type is not PackageType.CONTAINER for rules in found):
        reader.tell("untag", "is for container packages, and the policy file names none")
    return found
