"""Build a rule from keys and their values, and report what does not go together in it or beside it.

The inputs of a step and a rule of a policy file are read alike. Contradictions are inputs that an operation
does not take, a policy file beside a filter, conditions that never match together, no filter at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

from package_retention.decide.patterns import Patterns
from package_retention.decide.rules import Filter, Retention, Rule, TagStatus
from package_retention.inputs import values
from package_retention.inputs.environment import IGNORE, InputReader
from package_retention.inputs.rows import Place, Report
from package_retention.inputs.table import INPUTS, KEEP_KEYS
from package_retention.inputs.values import Context, Value
from package_retention.model import Operation, PackageType
from package_retention.problems import Problem, ProblemCode as Code

MINIMUM = "min-versions-to-keep"
NEED_TAGS = ("versions", "version-range", "release-status", "source-gone")


def rule_of(name: str, given: Mapping[str, Value], context: Context, report: Report) -> Rule:
    """Build a rule of the keys that are given (none of them at its default).

    `report` is called with a problem for each that does not fit, of which the rule then knows nothing.
    What depends on the package type is left unread if that is not known (it was refused itself).
    """
    rows = [each for each in (*INPUTS, *KEEP_KEYS) if each.name in given]
    for each in rows:
        each.check_type(context, report)

    def read(place: Place) -> dict[str, Any]:
        found = {
            each.attribute: each.read(given[each.name], context, report)
            for each in rows
            if each.place is place
        }
        return {attribute: value for attribute, value in found.items() if value is not None}

    rule = Rule(name, Filter(**read(Place.FILTER)), Retention(**read(Place.RETENTION)), **read(Place.RULE))
    for each in rows:
        if each.needs_minimum and MINIMUM not in given:
            report(Problem.about(each.name, Code.NEEDS_MINIMUM))
    _check_pairs(rule, given, context, report)
    return rule


def _check_pairs(rule: Rule, given: Mapping[str, Value], context: Context, report: Report) -> None:
    """Report conditions that can never match together, and those that need another one."""
    condition = rule.filter
    has_tags = context.package_type is None or context.package_type.has_tags
    if condition.tag_status is TagStatus.UNTAGGED and has_tags:
        for key in NEED_TAGS:
            if key in given and not (key == "versions" and _any_digest(condition.versions)):
                report(_never(key, given[key], "tag-status: untagged", "untagged"))
    if rule.exclude and condition.versions and _excludes(rule.exclude, condition.versions):
        report(_never("versions", given["versions"], "exclude-versions", "excluded"))
    older, newer = condition.older_than, condition.newer_than
    if older and newer and older.months == newer.months and older.seconds >= newer.seconds:
        report(_never("older-than", older.text, f"newer-than: {newer.text}", "ages"))
    if condition.source_gone and "exclude-versions" not in given and _matches_all(condition.versions):
        report(Problem.about("source-gone", Code.SOURCE_GONE_NEEDS))
    if condition.expired and not given.keys() & {"versions", "tag-status", "exclude-versions"}:
        report(Problem.about("expired", Code.EXPIRED_NEEDS))


def _never(key: str, value: Value, other: str, cause: str) -> Problem:
    text = value.strip() if isinstance(value, str) else ", ".join(value)
    first = f"{key}: {' '.join(text.split())}"
    return Problem.about(key, Code.NEVER_TOGETHER, first=first, second=other, cause=cause)


def _excludes(exclude: Patterns, versions: Patterns) -> bool:
    """Whether everything that is selected by name is excluded by the same words."""
    wanted = {entry.text for entry in versions.entries if not entry.negated}
    spared = {entry.text for entry in exclude.entries if entry.negated}
    return bool(wanted) and not spared and wanted <= {entry.text for entry in exclude.entries}


def _any_digest(patterns: Patterns | None) -> bool:
    """Whether untagged images may be meant; patterns that were refused may mean anything."""
    return patterns is None or any(entry.digest and not entry.negated for entry in patterns.entries)


def _matches_all(patterns: Patterns | None) -> bool:
    return patterns is None or {entry.text for entry in patterns.entries} == {"*"}


_FILTERS = tuple(each.name for each in INPUTS if each.is_filter)
_BESIDE = ("exclude-versions", "keep-referenced-in", "companion-tags", "limit")
# They say nothing about which versions go; each with a filter that fits it.
_NO_FILTERS = {
    "untag": "versions: pr-*",
    "companion-tags": "versions: pr-*",
    "exclude-versions": "older-than: 30d",
    "keep-referenced-in": "older-than: 30d",
    "delete-package": "older-than: 30d",
}
_WRITTEN = {each.name for each in INPUTS if each.kind is values.written_file}


def check(reader: InputReader, operation: Operation) -> None:
    """Report every contradiction."""
    for each in INPUTS:
        if each.name in reader.given and operation not in each.operations:
            second = f"operation: {operation}"
            reader.report(Problem.about(each.name, Code.NOT_TAKEN, second=second, operation=operation))
    if "policy-file" in reader.given and operation is not Operation.RESTORE:
        _check_policy(reader)
    if (
        reader.given.get("tag-status") == TagStatus.UNTAGGED
        and reader.given.get("untag", "").lower() == "true"
    ):
        reader.report(_never("untag", "true", "tag-status: untagged", "no-tag-to-remove"))
    # Beside an unknown input nobody knows what was meant: it may be the filter.
    if operation is not Operation.LIST and not (
        has_filter(reader, operation)
        or stands_alone(reader, operation)
        or any(problem.code is Code.UNKNOWN_INPUT for problem in reader.problems)
    ):
        reader.note(_no_filter(reader, operation))


def _no_filter(reader: InputReader, operation: Operation) -> Problem:
    """Return the problem that everything would go (or come back), with what was written in place of a filter."""
    if operation is Operation.RESTORE:
        return Problem(Code.RESTORE_WITHOUT_FILTER)
    if "from-report" in reader.given:
        return Problem(Code.REPORT_WITHOUT_FILTER)
    given = next((name for name in _NO_FILTERS if name in reader.given), "")
    return Problem(Code.NO_FILTER, details={"given": given, "example": _NO_FILTERS.get(given, "")})


def has_filter(reader: InputReader, operation: Operation | None) -> bool:
    """Whether any input says which versions; one that was refused was meant to."""
    names = (*_FILTERS, "from-report") if operation is Operation.RESTORE else _FILTERS
    reported = {problem.input for problem in reader.problems}
    return any(name in reader.given or name in reported for name in names)


def stands_alone(reader: InputReader, operation: Operation | None) -> bool:
    """Whether `ignore-versions` is all that says which versions: that action then deletes one, its default."""
    return operation is Operation.DELETE and IGNORE in reader.given and not has_filter(reader, operation)


def _check_policy(reader: InputReader) -> None:
    """Report the conditions beside a policy file, whose rules have their own."""
    for each in INPUTS:
        if each.name in reader.given and each.place in (Place.FILTER, Place.RETENTION):
            reader.report(Problem.about(each.name, Code.BESIDE_POLICY, beside=_BESIDE))


def check_named(reader: InputReader) -> None:
    """Report a package type or name that is missing, if no policy file could name it."""
    if "package-type" not in reader.given:
        others = tuple(each.value for each in PackageType if each is not PackageType.CONTAINER)
        reader.report(Problem.about("package-type", Code.MISSING_TYPE, others=others))
    if "package-name" not in reader.given:
        # A package mostly has the name of its repository.
        name = reader.values["repository"].rpartition("/")[2] or "NAME"
        tagged = reader.context.package_type is None or reader.context.package_type.has_tags
        line = f"package-name: {name.lower() if tagged else name}"
        reader.report(Problem.about("package-name", Code.MISSING_NAME, line=line))


def check_files(reader: InputReader) -> None:
    """Report two inputs that name one file: one would overwrite what the other reads or writes."""
    for (first, path), (second, other) in combinations(reader.files.items(), 2):
        # Two that are only read may be the same.
        if {first, second} & _WRITTEN and _same(path, other):
            reader.report(Problem.about(first, Code.SAME_FILE, str(path), second=second))


def _same(one: Path, other: Path) -> bool:
    """Whether two paths lead to one file, whether links or spelling differ."""
    try:
        return one.samefile(other)
    except OSError:  # one of them is not there
        return one == other
