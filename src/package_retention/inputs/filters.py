"""From keys and their values to a rule: the same for the single inputs and for the rules of a policy file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from package_retention.decide.rules import Filter, Retention, Rule, TagStatus
from package_retention.inputs.rows import Place
from package_retention.inputs.table import INPUTS, KEEP_KEYS
from package_retention.problems import InvalidValueError, Problem
from package_retention.problems import ProblemCode as Code

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from package_retention.decide.patterns import Patterns
    from package_retention.inputs.kinds import Context
    from package_retention.inputs.rows import Input
    from package_retention.inputs.values import Value

    Report = Callable[[Problem], None]

MINIMUM = "min-versions-to-keep"
_NEED_MINIMUM = ("keep-per", "order-by")
_NEED_TAGS = ("versions", "version-range", "release-status", "source-gone")


def rule_of(name: str, given: Mapping[str, Value], context: Context, report: Report) -> Rule:
    """Build a rule of the keys that are given (none of them at its default).

    `report` is called with a problem for each that does not fit, of which the rule then knows nothing.
    What depends on the package type is left unread if that is not known (it was refused itself).
    """
    rows = [each for each in (*INPUTS, *KEEP_KEYS) if each.name in given]
    for each in rows:
        check_type(each, context, report)
    read = {
        place: {
            each.attribute: found
            for each in rows
            if each.place is place and (found := take(each, given[each.name], context, report)) is not None
        }
        for place in (Place.FILTER, Place.RETENTION, Place.RULE)
    }
    retention = Retention(**read[Place.RETENTION])
    # A minimum that was refused was meant to be one.
    if not retention.minimum and (MINIMUM not in given or "minimum" in read[Place.RETENTION]):
        for key in _NEED_MINIMUM:
            if key in given:
                report(Problem(Code.NEEDS_MINIMUM, input=key))
    rule = Rule(name, Filter(**read[Place.FILTER]), retention, **read[Place.RULE])
    _check_pairs(rule, given, context, report)
    return rule


def _check_pairs(rule: Rule, given: Mapping[str, Value], context: Context, report: Report) -> None:
    """Report conditions that can never match together, and those that need another one."""
    condition = rule.filter
    has_tags = context.package_type is None or context.package_type.has_tags
    if condition.tag_status is TagStatus.UNTAGGED and has_tags:
        for key in _NEED_TAGS:
            if key in given and not (key == "versions" and _any_digest(condition.versions)):
                report(_never(key, given[key], "tag-status: untagged", "untagged"))
    if rule.exclude and condition.versions and _excludes(rule.exclude, condition.versions):
        report(_never("versions", given["versions"], "exclude-versions", "excluded"))
    older, newer = condition.older_than, condition.newer_than
    if older and newer and older.months == newer.months and older.seconds >= newer.seconds:
        report(_never("older-than", older.text, f"newer-than: {newer.text}", "ages"))
    if condition.source_gone and "exclude-versions" not in given and _matches_all(condition.versions):
        report(Problem(Code.SOURCE_GONE_NEEDS, input="source-gone"))
    if condition.expired and not given.keys() & {"versions", "tag-status", "exclude-versions"}:
        report(Problem(Code.EXPIRED_NEEDS, input="expired"))


def _never(key: str, value: Value, other: str, cause: str) -> Problem:
    text = value.strip() if isinstance(value, str) else ", ".join(value)
    details = {"first": f"{key}: {' '.join(text.split())}", "second": other, "cause": cause}
    return Problem(Code.NEVER_TOGETHER, input=key, details=details)


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


def check_type(each: Input, context: Context, report: Report) -> None:
    """Report an input that the package type does not have."""
    kind = context.package_type
    if kind and kind not in each.types:
        report(
            Problem(
                Code.OTHER_TYPES,
                input=each.name,
                details={"types": each.types, "other": f"package-type: {kind}"},
            )
        )


def take(each: Input, value: Value, context: Context, report: Report) -> Any:
    """Read one value; `None` if it does not fit, which is reported, or cannot be read yet."""
    if each.kind.needs_type and context.package_type is None:
        return None
    try:
        return each.kind.parse(value, context)
    except InvalidValueError as error:
        for problem in error.problems:
            report(problem.of(each.name))
        return None
