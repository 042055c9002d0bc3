"""Make the plan of a deletion: one decision a version, and the steps that follow."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from msgspec.structs import replace

from package_retention.decide.candidates import Candidate, flat
from package_retention.decide.facts import Facts, by_age, oldest_first
from package_retention.decide.image_plan import image_plan
from package_retention.decide.matching import Verdict, excluded, judge
from package_retention.decide.plan_warnings import about_inputs, problems
from package_retention.decide.rules import DecisionContext, Options, PackageRules, Share
from package_retention.decide.selection import choose, restrict
from package_retention.errors import PlanError
from package_retention.model import Decision, PackageType, Plan, Step, StepKind, Version
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

BASE_LAYER = "docker-base-layer"


def check_share(plan: Plan, share: Share | None) -> None:
    """Raise `PlanError` if the plan deletes more than the share of the package's images or versions."""
    if share is None:
        return
    is_container = plan.package.type is PackageType.CONTAINER
    units = [one for one in plan.decisions if not is_container or one.root == one.version.id]
    going = [decision for decision in units if decision.selected]
    allowed = share.amount * len(units) / 100 if share.percent else share.amount
    if len(going) <= allowed:
        return
    what = "images" if plan.package.type.has_tags else "versions"
    names = tuple(decision.version.label for decision in going)
    others = (f"{len(units):,}", what, str(share))
    raise PlanError(Finding(FindingCode.OVER_CAP, plan.package.label, len(going), names, others))


def deletion_plan(facts: Facts, context: DecisionContext) -> Plan:
    """Decide every version of a package; raise `PlanError` if a rule must not be applied to it."""
    if facts.package.type is PackageType.CONTAINER:
        return image_plan(facts, context)
    rules, options = context.rules, context.options
    candidates = flat(facts.union, facts.package.type, facts.gone, facts)
    selections = choose(candidates, context)
    if options.report_scope is not None:
        selections = restrict(selections, options.report_scope.deletions, NOT_IN_REPORT)
    held = _held(candidates, facts)
    selected = oldest_first(
        one.candidate.version for i, one in selections.items() if one.selected and i not in held
    )
    chosen, late = selected[: rules.limit], selected[len(selected) if rules.limit is None else rules.limit :]
    reasons = held | dict.fromkeys((version.id for version in late), over_limit(rules.limit))
    going, last = _but_the_last(chosen, facts, options)
    has_tags = facts.package.type.has_tags
    reasons |= {version.id: LAST_TAGGED if has_tags else LAST_VERSION for version in last}
    whole = bool(going) and len(going) == len(candidates)
    return Plan(
        facts.package,
        decisions=tuple(
            Decision(
                one.candidate.version,
                selected=one.selected and i not in reasons,
                reason=reasons.get(i, one.reason),
            )
            for i, one in selections.items()
        ),
        steps=_steps(facts, going, whole=whole),
        warnings=(
            *about_inputs(facts, rules),
            *(Finding(FindingCode.LAST_VERSION_STAYS, version.label) for version in last),
        ),
        problems=tuple(problems(facts, rules)),
    )


def _held(candidates: Sequence[Candidate], facts: Facts) -> dict[int, Reason]:
    """Return what stays regardless of the rules: what changed, and what must not be judged in the legacy docker type."""
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
    """Keep what GitHub would refuse to delete last: the newest, if no version (docker: no tagged one) would be left."""
    going = {version.id for version in chosen}
    remaining = [version for version in facts.latest if version.id not in going]
    everything = len(chosen) == len(facts.union)
    if not chosen or (everything and options.when_empty):
        return chosen, []
    if any(version.tags for version in remaining) or (remaining and not facts.package.type.has_tags):
        return chosen, []
    newest = max(chosen, key=by_age)
    return [version for version in chosen if version is not newest], [newest]


def _steps(facts: Facts, going: Collection[Version], *, whole: bool) -> tuple[Step, ...]:
    if whole:
        return (Step(StepKind.DELETE_PACKAGE, facts.package),)
    return tuple(Step(StepKind.DELETE_VERSION, facts.package, version) for version in going)


_NOT_LOOKED_AT = Reason(ReasonCode.NOT_MATCHED, ReasonDetail.NOT_LOOKED_AT)


def can_select(facts: Facts, context: DecisionContext) -> bool:
    """Return whether a delete rule could select a listed version of a container package as the root of an image.

    On 364 nights a year none can, and then no manifest has to be read. An image is matched by its root: by the root's
    own tags, dates and id, which the list has. So if no listed version could be selected as a root, no image can be.
    """
    filters = [rule.filter for rule in context.rules.delete]
    # Damage shows in manifests, an expiry in manifests or configs, and what is gone in the repository.
    if any(condition.damaged or condition.expired or condition.source_gone for condition in filters):
        return True
    listed = flat(facts.union, facts.package.type, facts.gone)
    return any(_could_go(replace(one, reference=facts.reference), context) for one in listed)


def _could_go(candidate: Candidate, context: DecisionContext) -> bool:
    if excluded(context.rules.exclude, candidate):
        return False
    verdicts = (judge(rule.filter, candidate, context).verdict for rule in context.rules.delete)
    # Of an image that matches partly, `untag` takes the tags that match.
    return any(verdict in (Verdict.YES, Verdict.PARTLY) for verdict in verdicts)


def untouched_plan(facts: Facts, rules: PackageRules) -> Plan:
    """Return the plan of a package in which nothing can match: every version stays, and no image was looked at."""
    decisions = (Decision(version, selected=False, reason=_NOT_LOOKED_AT) for version in facts.union)
    return Plan(facts.package, decisions=tuple(decisions), warnings=tuple(about_inputs(facts, rules)))
