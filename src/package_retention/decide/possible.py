"""Whether a deletion can select anything at all, told from the list of versions alone.

On 364 nights a year it cannot, and then no manifest has to be read. An image is matched by its root: by the root's own
tags, dates and id, which the list has. So where no listed version could be selected as a root, no image can be.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from package_retention.decide.dependencies import flat
from package_retention.decide.matching import Verdict, excluded, judge
from package_retention.decide.plan_warnings import about_inputs
from package_retention.model import Decision, Plan
from package_retention.reason import Reason, ReasonCode, ReasonDetail

if TYPE_CHECKING:
    from datetime import datetime

    from package_retention.decide.candidates import Candidate
    from package_retention.decide.facts import Facts
    from package_retention.decide.matching import VersionParser
    from package_retention.decide.rules import Filter, PackageRules

_NOT_LOOKED_AT = Reason(ReasonCode.NOT_MATCHED, ReasonDetail.NOT_LOOKED_AT)


def can_select(facts: Facts, rules: PackageRules, parser: VersionParser, now: datetime) -> bool:
    """Return whether a delete rule could select a listed version of a container package as the root of an image."""
    if any(_needs_more_than_the_list(rule.filter) for rule in rules.delete):
        return True
    listed = flat(facts.union, facts.package.type, facts.gone)
    return any(_could_go(replace(one, reference=facts.reference), rules, parser, now) for one in listed)


def untouched_plan(facts: Facts, rules: PackageRules) -> Plan:
    """Return the plan of a package in which nothing can match: every version stays, and no image was looked at."""
    decisions = (Decision(version, selected=False, reason=_NOT_LOOKED_AT) for version in facts.union)
    return Plan(facts.package, decisions=tuple(decisions), warnings=about_inputs(facts, rules))


def _needs_more_than_the_list(condition: Filter) -> bool:
    """Damage shows in manifests, an expiry in manifests or configs, and what is gone in the repository."""
    return bool(condition.damaged or condition.expired or condition.source_gone)


def _could_go(candidate: Candidate, rules: PackageRules, parser: VersionParser, now: datetime) -> bool:
    if excluded(rules.exclude, candidate):
        return False
    verdicts = (judge(rule.filter, candidate, parser, now).verdict for rule in rules.delete)
    # Of an image that matches partly, `untag` takes the tags that match.
    return any(verdict in (Verdict.YES, Verdict.PARTLY) for verdict in verdicts)
