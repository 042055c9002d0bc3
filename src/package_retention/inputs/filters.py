"""From keys and their values to a rule: the same for the single inputs and for the rules of a policy file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from package_retention.decide.rules import Filter, Retention, Rule, TagStatus
from package_retention.inputs.rows import Place
from package_retention.inputs.table import INPUTS, KEEP_KEYS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from package_retention.decide.patterns import Patterns
    from package_retention.inputs.kinds import Context
    from package_retention.inputs.rows import Input
    from package_retention.inputs.values import Value

    Report = Callable[[str, str], None]

MINIMUM = "min-versions-to-keep"
_NEED_MINIMUM = ("keep-per", "order-by")
_NEED_TAGS = ("versions", "version-range", "release-status", "source-gone")


def rule_of(name: str, given: Mapping[str, Value], context: Context, report: Report) -> Rule:
    """Build a rule of the keys that are given (none of them at its default).

    `report` is called with the key and a sentence for each that does not fit, of which the rule then knows nothing.
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
                report(
                    key,
                    "says how `min-versions-to-keep` counts, and that is not given; it must be at least 1",
                )
    rule = Rule(name, Filter(**read[Place.FILTER]), retention, **read[Place.RULE])
    _check_pairs(rule, given, report)
    return rule


def _check_pairs(rule: Rule, given: Mapping[str, Value], report: Report) -> None:
    """Report conditions that can never match together, and those that need another one."""
    condition = rule.filter
    if condition.tag_status is TagStatus.UNTAGGED:
        for key in _NEED_TAGS:
            if key in given and not (key == "versions" and _any_digest(condition.versions)):
                report(
                    key,
                    "and `tag-status: untagged` never match together: an untagged image has no tag; leave one of them out",
                )
    if condition.source_gone and "exclude-versions" not in given and _matches_all(condition.versions):
        report(
            "source-gone",
            "needs `versions` (other than `*`) or `exclude-versions`: what was never named after anything would count"
            " as gone",
        )
    if condition.expired and not given.keys() & {"versions", "tag-status", "exclude-versions"}:
        report(
            "expired",
            "needs `versions`, `tag-status` or `exclude-versions`: labels are inherited from base images",
        )


def _any_digest(patterns: Patterns | None) -> bool:
    """Whether untagged images may be meant; patterns that were refused may mean anything."""
    return patterns is None or any(entry.digest and not entry.negated for entry in patterns.entries)


def _matches_all(patterns: Patterns | None) -> bool:
    return patterns is None or {entry.text for entry in patterns.entries} == {"*"}


def check_type(each: Input, context: Context, report: Report) -> None:
    """Report an input that the package type does not have."""
    kind = context.package_type
    if kind and kind not in each.types:
        report(each.name, f"is for {' and '.join(each.types)} packages, not for `package-type: {kind}`")


def take(each: Input, value: Value, context: Context, report: Report) -> Any:
    """Read one value; `None` if it does not fit, which is reported, or cannot be read yet."""
    if each.kind.needs_type and context.package_type is None:
        return None
    try:
        return each.kind.parse(value, context)
    except ValueError as error:
        report(each.name, str(error))
        return None
