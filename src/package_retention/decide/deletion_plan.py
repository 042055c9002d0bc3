"""The plan of a deletion: one decision a version, and the steps that follow."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from package_retention.decide.candidates import flat
from package_retention.decide.facts import by_age, oldest_first
from package_retention.decide.image_plan import image_plan
from package_retention.decide.matching import Verdict, excluded, judge
from package_retention.decide.plan_warnings import about_git, about_inputs
from package_retention.decide.selection import Selection, choose, restrict
from package_retention.errors import PlanError
from package_retention.model import Decision, PackageType, Plan, Step, StepKind
from package_retention.reason import (
    CHANGED,
    LAST_TAGGED,
    LAST_VERSION,
    NOT_IN_REPORT,
    Finding,
    FindingCode,
    Reason,
    ReasonCode,
    ReasonDetail,
    over_limit,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime

    from package_retention.decide.candidates import Candidate
    from package_retention.decide.ecosystems import VersionParser
    from package_retention.decide.facts import Facts
    from package_retention.decide.rules import Filter, Options, PackageRules, Share
    from package_retention.model import Version


def check_share(plan: Plan, share: Share | None) -> None:
    """Raise `PlanError` where the plan deletes more than the share of the package's images or versions."""
    if share is None:
        return
    units = [decision for decision in plan.decisions if _is_unit(decision, plan)]
    going = [decision for decision in units if decision.selected]
    allowed = share.amount * len(units) / 100 if share.percent else share.amount
    if len(going) <= allowed:
        return
    what = "images" if plan.package.type.has_tags else "versions"
    names = tuple(decision.version.label for decision in going)
    others = (f"{len(units):,}", what, str(share))
    raise PlanError(Finding(FindingCode.OVER_CAP, plan.package.label, len(going), names, others))


def _is_unit(decision: Decision, plan: Plan) -> bool:
    return plan.package.type is not PackageType.CONTAINER or decision.root == decision.version.id


BASE_LAYER = "docker-base-layer"


def deletion_plan(
    facts: Facts, rules: PackageRules, parser: VersionParser, now: datetime, options: Options
) -> Plan:
    """Decide every version of a package; raises `PlanError` where a rule must not be applied to it."""
    if facts.package.type is PackageType.CONTAINER:
        return image_plan(facts, rules, parser, now, options)
    candidates = flat(facts.union, facts.package.type, facts.gone, facts)
    selections = choose(candidates, rules, parser, now)
    if options.report_scope is not None:
        selections = restrict(selections, options.report_scope.deletions, NOT_IN_REPORT)
    held = _held(candidates, facts)
    selected = oldest_first(
        c.candidate.version for i, c in selections.items() if c.selected and i not in held
    )
    chosen, late = selected[: rules.limit], selected[len(selected) if rules.limit is None else rules.limit :]
    reasons = held | dict.fromkeys((version.id for version in late), over_limit(rules.limit))
    going, last = _but_the_last(chosen, facts, options)
    has_tags = facts.package.type.has_tags
    reasons |= {version.id: LAST_TAGGED if has_tags else LAST_VERSION for version in last}
    whole = bool(going) and len(going) == len(candidates)
    return Plan(
        facts.package,
        decisions=tuple(_decisions(selections.values(), reasons)),
        steps=_steps(facts, going, whole=whole),
        warnings=(
            *about_inputs(facts, rules),
            *(Finding(FindingCode.LAST_VERSION_STAYS, version.label) for version in last),
        ),
        problems=about_git(facts, rules),
    )


def _held(candidates: Sequence[Candidate], facts: Facts) -> dict[int, Reason]:
    """What stays whatever the rules say: what moved, and what the legacy docker type cannot tell."""
    held = dict.fromkeys(facts.changed_ids, CHANGED)
    if facts.package.type is not PackageType.DOCKER:
        return held
    untagged = Reason(ReasonCode.UNTOUCHABLE)
    base = Reason(ReasonCode.UNTOUCHABLE, ReasonDetail.BASE_LAYER)
    for candidate in candidates:
        if BASE_LAYER in (candidate.version.name, *candidate.texts):
            held[candidate.version.id] = base
        elif not candidate.texts:
            held[candidate.version.id] = untagged
    return held


def _but_the_last(
    chosen: list[Version], facts: Facts, options: Options
) -> tuple[list[Version], list[Version]]:
    """Keep what GitHub would refuse last: the newest, where no version (docker: no tagged one) would be left."""
    going = {version.id for version in chosen}
    remaining = [version for version in facts.latest if version.id not in going]
    everything = len(chosen) == len(facts.union)
    if not chosen or (everything and options.when_empty):
        return chosen, []
    if any(version.tags for version in remaining) or (remaining and not facts.package.type.has_tags):
        return chosen, []
    newest = max(chosen, key=by_age)
    return [version for version in chosen if version is not newest], [newest]


def _decisions(selections: Iterable[Selection], reasons: dict[int, Reason]) -> Iterable[Decision]:
    for selection in selections:
        version = selection.candidate.version
        reason = reasons.get(version.id, selection.reason)
        yield Decision(version, selected=selection.selected and version.id not in reasons, reason=reason)


def _steps(facts: Facts, going: Collection[Version], *, whole: bool) -> tuple[Step, ...]:
    if whole:
        return (Step(StepKind.DELETE_PACKAGE, facts.package),)
    return tuple(Step(StepKind.DELETE_VERSION, facts.package, version) for version in going)


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
