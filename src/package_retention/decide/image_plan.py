"""The plan of a deletion in a container package: the unit is the image, and what stays keeps all that it needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from package_retention.decide.candidates import images
from package_retention.decide.dependencies import (
    Resolution,
    but_the_last_tag,
    deletion_steps,
    origins_of,
    within_limit,
)
from package_retention.decide.facts import Facts, by_age, oldest_first, reads_before_change
from package_retention.decide.graph import Graph, build, closure, cyclic, own_tags
from package_retention.decide.plan_warnings import about_images, about_inputs, lost_indexes, problems
from package_retention.decide.rules import Damage, DecisionContext, Options, PackageRules, ReportScope
from package_retention.decide.selection import Selection, choose, restrict
from package_retention.errors import PlanError
from package_retention.model import Decision, Package, Plan, Step, StepKind, Unreadable, Version
from package_retention.reason import (
    CHANGED,
    CYCLIC,
    LAST_TAGGED,
    NOT_IN_REPORT,
    UNKNOWN_TAGGED,
    UNREAD,
    Finding,
    FindingCode,
    Reason,
    ReasonCode,
    ReasonDetail,
    over_limit,
)


def image_plan(facts: Facts, context: DecisionContext) -> Plan:
    """Decide every manifest of a container package by the image that it belongs to."""
    graph, rules = build(facts.union, facts.readings), context.rules
    _refuse_mostly_orphans(graph, rules, facts)
    selections, fixed = _selections(graph, facts, context), _fixed(graph, facts)
    chosen = oldest_first(one.candidate.version for one in selections.values() if one.selected)
    limited = within_limit(graph, [version.name for version in chosen], rules.limit, fixed.keys())
    resolution, last, whole = _but_the_last(graph, facts, limited, fixed, context.options)
    origins = origins_of(graph, resolution)
    planner = _ImagePlanner(facts.package, graph, selections, fixed, resolution, origins, context, last)
    untagged, spared = but_the_last_tag(facts, resolution.going, planner.untags())
    needed = reads_before_change(graph, resolution.going)
    wanted = (digest for digest in needed if digest in graph.nodes and digest not in facts.readings)
    unread = [one.to_read for digest, one in selections.items() if one.to_read and digest not in fixed]
    manifests = (digest for to_read in unread for digest in to_read.manifests)
    return Plan(
        facts.package,
        decisions=(
            *(planner.decision(digest, untagged.get(digest, ())) for digest in graph.nodes),
            *_listed_twice(graph, facts),
        ),
        steps=(Step(StepKind.DELETE_PACKAGE, facts.package),) if whole else planner.steps(untagged),
        warnings=(
            *about_inputs(facts, rules),
            *about_images(facts, graph, rules, context.now),
            *((Finding(FindingCode.LAST_TAGGED_STAYS, graph.nodes[last].label),) if last else ()),
            *((Finding(FindingCode.LAST_TAG_STAYS, spared.label),) if spared else ()),
        ),
        problems=tuple(problems(facts, rules)),
        unread=tuple(dict.fromkeys((*wanted, *manifests))),
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
    chosen = choose(images(graph, facts), context)
    selections = {one.candidate.version.name: one for one in chosen.values()}
    scope = context.options.report_scope
    return selections if scope is None else _narrowed(graph, selections, scope)


def _narrowed(graph: Graph, selections: Mapping[str, Selection], to: ReportScope) -> dict[str, Selection]:
    """Narrow selections to what a report planned: an image to which something came since then stays whole."""
    units = set(graph.units)

    def has_more(digest: str) -> bool:
        inside = (graph.nodes[d].id for d in closure((digest,), graph.follows).keys() - units)
        return any(i in to.alone and i not in to.deletions for i in inside)

    by_id = {one.candidate.version.id: one for one in selections.values()}
    whole = {i for i in to.deletions & by_id.keys() if not has_more(by_id[i].candidate.version.name)}
    narrowed = restrict(by_id, whole | to.untags, NOT_IN_REPORT)
    return {one.candidate.version.name: one for one in narrowed.values()}


def _fixed(graph: Graph, facts: Facts) -> dict[str, Reason]:
    """Return what stays regardless of the rules, with the reason that says most."""
    # A manifest that nobody could read may name any other: unknown keeps, so nothing of the package goes.
    if any(isinstance(facts.readings.get(digest), Unreadable) for digest in graph.nodes):
        return dict.fromkeys(graph.nodes, UNREAD)
    fixed: dict[str, Reason] = dict.fromkeys(cyclic(graph), CYCLIC)
    changed_ids = facts.changed_ids
    fixed |= {digest: CHANGED for digest, version in graph.nodes.items() if version.id in changed_ids}
    if lost_indexes(facts):
        # So may an index that the registry lost, but it would not name what has a tag of its own.
        fixed |= {d: UNKNOWN_TAGGED for d, version in graph.nodes.items() if not own_tags(version)}
    return fixed


def _but_the_last(
    graph: Graph, facts: Facts, resolution: Resolution, fixed: Mapping[str, Reason], options: Options
) -> tuple[Resolution, str | None, bool]:
    """Keep the image that GitHub would refuse to delete last, unless the package goes whole.

    Return what goes then, the digest of that image if there is one, and whether the package goes whole.
    """
    if not resolution.going:
        return resolution, None, False
    remaining = [version for version in facts.latest if version.name not in resolution.going]
    if len(resolution.going) == len(graph.nodes) and options.when_empty:
        return resolution, None, True
    if any(version.tags for version in remaining):
        return resolution, None, False
    tagged = [d for d in resolution.roots if graph.nodes[d].tags] or _with_tags_inside(graph, resolution)
    if remaining and not tagged:
        return resolution, None, False
    last = max(tagged or resolution.roots, key=lambda digest: by_age(graph.nodes[digest]))
    kept = within_limit(graph, [d for d in resolution.roots if d != last], None, {*fixed, last})
    return kept.after(resolution), last, False


def _with_tags_inside(graph: Graph, resolution: Resolution) -> list[str]:
    """Return the roots that take something tagged along: a signature may hold the last tag of a package."""
    return [
        root
        for root in resolution.roots
        if any(graph.nodes[d].tags for d in closure((root,), graph.follows) if d in resolution.going)
    ]


def _listed_twice(graph: Graph, facts: Facts) -> Iterable[Decision]:
    """Yield decisions on further versions of a digest that the package lists twice: they stay, and so does the first."""
    known = {version.id for version in graph.nodes.values()}
    return (
        Decision(version, selected=False, reason=CHANGED)
        for version in facts.union
        if version.id not in known
    )


class _ImagePlanner(Struct, frozen=True):
    """Makes the decisions and steps of one package, once it is known what goes.

    `fixed` stays regardless of the rules; `origins` names the image that each manifest goes with; `last` is the image
    that GitHub would refuse to delete last.
    """

    package: Package
    graph: Graph
    selections: Mapping[str, Selection]
    fixed: Mapping[str, Reason]
    resolution: Resolution
    origins: Mapping[str, str]
    context: DecisionContext
    last: str | None

    def untags(self) -> dict[str, tuple[str, ...]]:
        """Return the tags to take off images that stay: if only some match, or if something needs the image."""
        options, limit = self.context.options, self.context.rules.limit
        if not options.untag:
            return {}
        losing = (one.candidate.version for one in self.selections.values() if self._loses(one))
        found = [
            version.name
            for version in oldest_first(losing)
            if options.report_scope is None or version.id in options.report_scope.untags
        ]
        room = len(found) if limit is None else max(0, limit - len(self.resolution.roots))
        return {digest: self._loses(self.selections[digest]) for digest in found[:room]}

    def _loses(self, selection: Selection) -> tuple[str, ...]:
        digest = selection.candidate.version.name
        if digest in self.fixed or digest in self.resolution.roots or digest == self.last:
            return ()
        if selection.selected:
            return selection.candidate.texts if digest in self.resolution.needed_by else ()
        return selection.tags

    def decision(self, digest: str, untag: tuple[str, ...]) -> Decision:
        """Return the decision on one manifest; `untag` are the tags that it loses."""
        version, selection = self.graph.nodes[digest], self.selections.get(digest)
        if digest in self.resolution.going:
            return self._goes(digest, version, selection)
        if selection is None:
            return self._member_stays(digest, version)
        reason = selection.reason
        if selection.selected:
            reason = self._held_back(digest)
        elif digest in self.fixed and self.fixed[digest].code is ReasonCode.UNREADABLE and selection.tags:
            reason = self.fixed[digest]
        return Decision(version, selected=False, reason=reason, root=version.id, untag=untag)

    def _goes(self, digest: str, version: Version, selection: Selection | None) -> Decision:
        if selection is not None:
            return Decision(version, selected=True, reason=selection.reason, root=version.id)
        root = self.graph.nodes[self.origins[digest]]
        reason = Reason(ReasonCode.WITH_IMAGE, subject=root.label)
        return Decision(version, selected=True, reason=reason, root=root.id)

    def _held_back(self, digest: str) -> Reason:
        """Return why something that the rules selected stays after all."""
        if digest in self.fixed:
            return self.fixed[digest]
        if digest == self.last:
            return LAST_TAGGED
        needer = self.resolution.needed_by.get(digest)
        if needer is not None:
            return Reason(ReasonCode.NEEDED, subject=self.graph.nodes[needer].label)
        return over_limit(self.context.rules.limit)

    def _member_stays(self, digest: str, version: Version) -> Decision:
        if digest in self.fixed:
            return Decision(version, selected=False, reason=self.fixed[digest])
        owner = self.resolution.needed_by.get(digest)
        root = self.graph.nodes[owner] if owner else None
        reason = Reason(ReasonCode.NEEDED, ReasonDetail.PART, subject=root.label if root else "")
        return Decision(version, selected=False, reason=reason, root=root.id if root else None)

    def steps(self, untagged: Mapping[str, tuple[str, ...]]) -> tuple[Step, ...]:
        """Return the deletions, then the tags that are taken off."""
        nodes = self.graph.nodes
        untags = (
            Step(StepKind.UNTAG, self.package, nodes[d], tags=tags, root=nodes[d].id)
            for d, tags in untagged.items()
        )
        going = self.resolution.going
        return (*deletion_steps(self.package, self.graph, going, self.origins), *untags)
