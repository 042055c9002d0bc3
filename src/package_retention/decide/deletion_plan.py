"""Make the plan of a deletion: one decision a version, and the steps that follow.

In a container package the unit is the image, and what stays keeps all that it needs.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct

from package_retention.decide.candidates import Candidate, flat, images
from package_retention.decide.dependencies import (
    Resolution,
    but_the_last_tag,
    deletion_steps,
    origins_of,
    resolve_dependencies,
    within_limit,
)
from package_retention.decide.facts import Facts, by_age, oldest_first, reads_before_change
from package_retention.decide.graph import Graph, build, closure, cyclic, own_tags
from package_retention.decide.plan_warnings import about_images, about_inputs, lost_indexes, problems
from package_retention.decide.rules import DecisionContext, PackageRules, ReportScope, Share
from package_retention.decide.selection import Selection, choose, cut, restrict
from package_retention.errors import PlanError
from package_retention.model import Damage, Decision, PackageType, Plan, Step, StepKind, Unreadable, Version
from package_retention.reason import (
    NOT_IN_REPORT,
    Finding,
    FindingCode,
    Reason,
    ReasonCode,
    ReasonDetail,
    over_limit,
)

BASE_LAYER = "docker-base-layer"

_CHANGED = Reason(ReasonCode.CHANGED)
_LAST_TAGGED = Reason(ReasonCode.LAST, ReasonDetail.LAST_TAGGED)


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


def untouched_plan(facts: Facts, rules: PackageRules) -> Plan:
    """Return the plan of a package in which nothing can match: every version stays, and no image was looked at."""
    why = Reason(ReasonCode.NOT_MATCHED, ReasonDetail.NOT_LOOKED_AT)
    decisions = tuple(Decision(version, selected=False, reason=why) for version in facts.union)
    return Plan(facts.package, decisions=decisions, warnings=tuple(about_inputs(facts, rules)))


def deletion_plan(facts: Facts, context: DecisionContext) -> Plan:
    """Decide every version of a package; raise `PlanError` if a rule must not be applied to it."""
    if facts.package.type is PackageType.CONTAINER:
        return _plan_of_images(facts, context)
    return _plan_of_versions(facts, context)


def _plan_of_versions(facts: Facts, context: DecisionContext) -> Plan:
    """Decide every version by itself."""
    rules, scope, package = context.rules, context.report_scope, facts.package
    candidates = flat(facts.union, package.type, facts.gone, facts)
    selections = choose(candidates, context)
    if scope is not None:
        selections = restrict(selections, scope.deletions, NOT_IN_REPORT)
    reasons = _held(candidates, facts)
    selected = (one.candidate.version for i, one in selections.items() if one.selected and i not in reasons)
    going, late = cut(oldest_first(selected), rules.limit)
    reasons |= late
    warnings = list(about_inputs(facts, rules))
    whole = context.when_empty and 0 < len(going) == len(candidates)
    tagged = [version for version in going if version.tags]
    last = None if whole else _refused_last(facts, {version.id for version in going}, going, tagged)
    if last:
        going.remove(last)
        reasons[last.id] = _LAST_TAGGED if package.type.has_tags else Reason(ReasonCode.LAST)
        warnings.append(Finding(FindingCode.LAST_VERSION_STAYS, last.label))
    decisions = (
        Decision(
            one.candidate.version,
            selected=one.selected and i not in reasons,
            reason=reasons.get(i, one.reason),
        )
        for i, one in selections.items()
    )
    steps = (Step(StepKind.DELETE_VERSION, package, version) for version in going)
    return Plan(
        package,
        decisions=tuple(decisions),
        steps=(Step(StepKind.DELETE_PACKAGE, package),) if whole else tuple(steps),
        warnings=tuple(warnings),
        problems=tuple(problems(facts, rules)),
    )


def _held(candidates: Sequence[Candidate], facts: Facts) -> dict[int, Reason]:
    """Return what stays regardless of the rules: what changed, and what must not be judged in the legacy docker type."""
    held = dict.fromkeys(facts.changed_ids, _CHANGED)
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


def _refused_last(
    facts: Facts, going: Collection[int], roots: Collection[Version], tagged: Collection[Version]
) -> Version | None:
    """Return what GitHub would refuse to delete last: the newest, if no version (of images: no tagged one) would be left.

    `going` are the ids of all that goes, `tagged` the roots with which tags go.
    """
    remaining = [version for version in facts.latest if version.id not in going]
    if any(version.tags for version in remaining) or (remaining and not tagged):
        return None
    return max(tagged or roots, key=by_age, default=None)


def _plan_of_images(facts: Facts, context: DecisionContext) -> Plan:
    """Decide every manifest of a container package by the image that it belongs to."""
    graph, rules = build(facts.union, facts.readings), context.rules
    _refuse_mostly_orphans(graph, rules, facts)
    selections, fixed = _selections(graph, facts, context), _fixed(graph, facts)
    chosen = oldest_first(one.candidate.version for one in selections.values() if one.selected)
    resolution = within_limit(graph, [version.name for version in chosen], rules.limit, fixed.keys())
    whole = context.when_empty and 0 < len(resolution.going) == len(graph.nodes)
    last = None if whole else _last_image(graph, facts, resolution)
    if last:
        others = resolution.roots - {last.name}
        narrower = resolve_dependencies(graph, others, fixed.keys() | {last.name})
        resolution = narrower.after(resolution)
    origins = origins_of(graph, resolution)
    planner = _ImagePlanner(facts, context, graph, selections, fixed, resolution, origins, last)
    untagged, spared = but_the_last_tag(facts, resolution.going, planner.untags())
    unread = [one for digest, each in selections.items() if digest not in fixed for one in each.to_read]
    manifests = (digest for to_read in unread for digest in to_read.manifests)
    needed = reads_before_change(graph, facts.readings, resolution.going)
    return Plan(
        facts.package,
        decisions=planner.decisions(untagged),
        steps=(Step(StepKind.DELETE_PACKAGE, facts.package),) if whole else planner.steps(untagged),
        warnings=(
            *about_inputs(facts, rules),
            *about_images(facts, graph, rules, context.now),
            *((Finding(FindingCode.LAST_TAGGED_STAYS, last.label),) if last else ()),
            *((Finding(FindingCode.LAST_TAG_STAYS, spared.label),) if spared else ()),
        ),
        problems=tuple(problems(facts, rules)),
        unread=tuple(dict.fromkeys((*needed, *manifests))),
        unread_configs=tuple(dict.fromkeys(config for to_read in unread for config in to_read.configs)),
    )


def _refuse_mostly_orphans(graph: Graph, rules: PackageRules, facts: Facts) -> None:
    """Raise `PlanError` if most of a package has no image in it: `COSIGN_REPOSITORY` puts signatures elsewhere."""
    deletes_orphans = any(Damage.ORPHANED in rule.filter.damaged for rule in rules.delete)
    if deletes_orphans and len(graph.orphans) * 2 > len(graph.units):
        code = FindingCode.MOSTLY_ORPHANS
        raise PlanError(Finding(code, facts.package.label, len(graph.orphans), (f"{len(graph.units):,}",)))


def _selections(graph: Graph, facts: Facts, context: DecisionContext) -> dict[str, Selection]:
    """Return what the rules, and a report if there is one, decide of each image, by its digest."""
    selections = choose(images(graph, facts), context)
    scope = context.report_scope
    if scope is not None:
        selections = restrict(selections, _as_reported(graph, scope) | scope.untags, NOT_IN_REPORT)
    return {one.candidate.version.name: one for one in selections.values()}


def _as_reported(graph: Graph, scope: ReportScope) -> set[int]:
    """Return the images that a report lets go: one to which something came since then stays whole."""
    units, more = set(graph.units), scope.alone - scope.deletions
    planned = {digest: i for digest in units if (i := graph.nodes[digest].id) in scope.deletions}
    return {
        i
        for digest, i in planned.items()
        if more.isdisjoint(graph.nodes[d].id for d in closure((digest,), graph.follows).keys() - units)
    }


def _fixed(graph: Graph, facts: Facts) -> dict[str, Reason]:
    """Return what stays regardless of the rules, with the reason that says most."""
    # A manifest that nobody could read may name any other: unknown keeps, so nothing of the package goes.
    if any(isinstance(facts.readings.get(digest), Unreadable) for digest in graph.nodes):
        return dict.fromkeys(graph.nodes, Reason(ReasonCode.UNREADABLE))
    fixed = dict.fromkeys(cyclic(graph), Reason(ReasonCode.UNKNOWN, ReasonDetail.CYCLIC))
    changed_ids = facts.changed_ids
    fixed |= {digest: _CHANGED for digest, version in graph.nodes.items() if version.id in changed_ids}
    if lost_indexes(facts):
        # So may an index that the registry lost, but it would not name what has a tag of its own.
        untagged = (digest for digest, version in graph.nodes.items() if not own_tags(version))
        fixed |= dict.fromkeys(untagged, Reason(ReasonCode.UNREADABLE, ReasonDetail.LOST_INDEX))
    return fixed


def _last_image(graph: Graph, facts: Facts, resolution: Resolution) -> Version | None:
    """Return the image that GitHub would refuse to delete last; a signature may hold the last tag of a package."""
    nodes, going = graph.nodes, resolution.going

    def takes_tags(root: str) -> bool:
        return any(nodes[d].tags for d in closure((root,), graph.follows) if d in going)

    roots = [nodes[digest] for digest in resolution.roots]
    tagged = [root for root in roots if root.tags] or [root for root in roots if takes_tags(root.name)]
    return _refused_last(facts, {nodes[digest].id for digest in going}, roots, tagged)


class _ImagePlanner(Struct, frozen=True):
    """Makes the decisions and steps of one package, once it is known what goes.

    `fixed` stays regardless of the rules; `origins` names the image that each manifest goes with; `last` is the image
    that GitHub would refuse to delete last.
    """

    facts: Facts
    context: DecisionContext
    graph: Graph
    selections: Mapping[str, Selection]
    fixed: Mapping[str, Reason]
    resolution: Resolution
    origins: Mapping[str, str]
    last: Version | None

    def untags(self) -> dict[str, tuple[str, ...]]:
        """Return the tags to take off images that stay: if only some match, or if something needs the image."""
        scope, limit = self.context.report_scope, self.context.rules.limit
        if not self.context.untag:
            return {}
        losing = {
            digest: tags for digest, one in self.selections.items() if (tags := self._loses(digest, one))
        }
        found = [
            version.name
            for version in oldest_first(self.graph.nodes[digest] for digest in losing)
            if scope is None or version.id in scope.untags
        ]
        room = None if limit is None else max(0, limit - len(self.resolution.roots))
        return {digest: losing[digest] for digest in found[:room]}

    def _loses(self, digest: str, selection: Selection) -> tuple[str, ...]:
        is_last = self.last is not None and digest == self.last.name
        if digest in self.fixed or digest in self.resolution.roots or is_last:
            return ()
        if selection.selected:
            is_needed = digest in self.resolution.needed_by and not self._holds_a_subject(digest)
            return selection.candidate.texts if is_needed else ()
        return selection.tags

    def _holds_a_subject(self, digest: str) -> bool:
        """Return whether only the tag of a referrer keeps its subject: without the tag, the next run would delete it."""
        chosen = (self.selections.get(subject) for subject in self.graph.subjects.get(digest, ()))
        return any(one is not None and one.selected for one in chosen)

    def decisions(self, untagged: Mapping[str, tuple[str, ...]]) -> tuple[Decision, ...]:
        """Return the decision on each manifest; further versions of a digest that is listed twice stay, as the first does."""
        decided = []
        for digest, version in self.graph.nodes.items():
            if digest in self.selections:
                reason = self._reason(digest, self.selections[digest])
                going, tags = digest in self.resolution.going, untagged.get(digest, ())
                decided.append(Decision(version, selected=going, reason=reason, root=version.id, untag=tags))
            else:
                decided.append(self._with_its_image(digest, version))
        known = {version.id for version in self.graph.nodes.values()}
        twice = (version for version in self.facts.union if version.id not in known)
        return (*decided, *(Decision(version, selected=False, reason=_CHANGED) for version in twice))

    def _reason(self, digest: str, selection: Selection) -> Reason:
        """Return why an image goes or stays; one that the rules selected may stay after all."""
        if digest in self.resolution.going:
            return selection.reason
        if not selection.selected:
            unread = digest in self.fixed and self.fixed[digest].code is ReasonCode.UNREADABLE
            return self.fixed[digest] if unread and selection.tags else selection.reason
        if digest in self.fixed:
            return self.fixed[digest]
        if self.last is not None and digest == self.last.name:
            return _LAST_TAGGED
        if digest in self.resolution.needed_by:
            needer = self.graph.nodes[self.resolution.needed_by[digest]]
            return Reason(ReasonCode.NEEDED, subject=needer.label)
        return over_limit(self.context.rules.limit)

    def _with_its_image(self, digest: str, version: Version) -> Decision:
        """Return the decision on what is no image: it goes with the oldest, or stays with the one that needs it."""
        if digest in self.fixed:
            return Decision(version, selected=False, reason=self.fixed[digest])
        going = digest in self.resolution.going
        owner = self.origins[digest] if going else self.resolution.needed_by.get(digest)
        root = self.graph.nodes[owner] if owner else None
        code, detail = (ReasonCode.WITH_IMAGE, None) if going else (ReasonCode.NEEDED, ReasonDetail.PART)
        reason = Reason(code, detail, root.label if root else "")
        return Decision(version, selected=going, reason=reason, root=root.id if root else None)

    def steps(self, untagged: Mapping[str, tuple[str, ...]]) -> tuple[Step, ...]:
        """Return the deletions, then the tags that are taken off."""
        package, nodes = self.facts.package, self.graph.nodes
        untags = (
            Step(StepKind.UNTAG, package, nodes[digest], tags=tags, root=nodes[digest].id)
            for digest, tags in untagged.items()
        )
        return (*deletion_steps(package, self.graph, self.resolution.going, self.origins), *untags)
