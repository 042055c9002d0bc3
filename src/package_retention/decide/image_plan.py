"""The plan of a deletion in a container package: the unit is the image, and what stays keeps all that it needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from package_retention.decide.candidates import images
from package_retention.decide.dependencies import (
    Resolution,
    but_the_last_tag,
    deletion_steps,
    origins_of,
    within_limit,
)
from package_retention.decide.facts import by_age, oldest_first, reads_before_change
from package_retention.decide.graph import INDEX_TYPES, Graph, build, closure, own_tags
from package_retention.decide.plan_warnings import (
    about_expiry,
    about_git,
    about_inputs,
    about_parts,
    configs_unread,
)
from package_retention.decide.rules import Damage
from package_retention.decide.selection import Selection, choose, restrict
from package_retention.errors import PlanError
from package_retention.model import (
    Absent,
    Decision,
    Manifest,
    Plan,
    Step,
    StepKind,
    Unreadable,
)
from package_retention.reason import (
    CHANGED,
    LAST_TAGGED,
    NOT_IN_REPORT,
    TANGLED,
    UNKNOWN_TAGGED,
    UNREAD,
    Finding,
    FindingCode,
    Reason,
    ReasonCode,
    ReasonDetail,
    over_limit,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from package_retention.decide.ecosystems import VersionParser
    from package_retention.decide.facts import Facts
    from package_retention.decide.rules import Options, PackageRules, ReportScope
    from package_retention.model import Version


def image_plan(
    facts: Facts, rules: PackageRules, parser: VersionParser, now: datetime, options: Options
) -> Plan:
    """Decide every manifest of a container package by the image that it belongs to."""
    graph = build(facts.union, facts.readings)
    _refuse_mostly_orphans(graph, rules, facts)
    selections = {
        c.candidate.version.name: c for c in choose(images(graph, facts), rules, parser, now).values()
    }
    if options.report_scope is not None:
        selections = _narrowed(graph, selections, options.report_scope)
    fixed = _fixed(graph, facts)
    reads = [c.to_read for digest, c in selections.items() if c.to_read and digest not in fixed]
    order = [v.name for v in oldest_first(c.candidate.version for c in selections.values() if c.selected)]
    settled = within_limit(graph, order, rules.limit, fixed.keys())
    settled, last, whole = _but_the_last(graph, facts, settled, fixed, options)
    board = _ImagePlanner(graph, selections, fixed, settled, origins_of(graph, settled), rules, last)
    untagged, spared = but_the_last_tag(facts, settled.going, _untags(board, options))
    return Plan(
        facts.package,
        decisions=(
            *(_decision(board, digest, untagged.get(digest, ())) for digest in graph.nodes),
            *_listed_twice(graph, facts),
        ),
        steps=(Step(StepKind.DELETE_PACKAGE, facts.package),) if whole else _steps(board, facts, untagged),
        warnings=(
            *about_inputs(facts, rules),
            *about_parts(rules, graph),
            *about_expiry(facts, (graph.nodes[digest] for digest in graph.units), rules, now),
            *_absent(graph, facts),
            *((Finding(FindingCode.LAST_TAGGED_STAYS, graph.nodes[last].label),) if last else ()),
            *((Finding(FindingCode.LAST_TAG_STAYS, spared.label),) if spared else ()),
        ),
        problems=(*_unread(graph), *about_git(facts, rules), *configs_unread(facts)),
        unread=tuple(
            dict.fromkeys(
                (*reads_before_change(graph, settled.going), *(d for r in reads for d in r.manifests))
            )
        ),
        unread_configs=tuple(dict.fromkeys(config for read in reads for config in read.configs)),
    )


@dataclass(frozen=True, slots=True)
class _ImagePlanner:
    """Everything that a decision about one digest looks at."""

    graph: Graph
    selections: Mapping[str, Selection]
    fixed: Mapping[str, Reason]
    settled: Resolution
    origins: Mapping[str, str]
    rules: PackageRules
    last: str | None


def _refuse_mostly_orphans(graph: Graph, rules: PackageRules, facts: Facts) -> None:
    """Raise `PlanError` where most of a package has no image in it: `COSIGN_REPOSITORY` puts signatures elsewhere."""
    asked = any(Damage.ORPHANED in rule.filter.damaged for rule in rules.delete)
    if asked and len(graph.orphans) * 2 > len(graph.units):
        code = FindingCode.MOSTLY_ORPHANS
        raise PlanError(Finding(code, facts.package.label, len(graph.orphans), (f"{len(graph.units):,}",)))


def _narrowed(graph: Graph, selections: Mapping[str, Selection], to: ReportScope) -> dict[str, Selection]:
    """Only what a report planned: an image to which something came since then stays whole."""
    units = set(graph.units)

    def has_more(digest: str) -> bool:
        inside = (graph.nodes[d].id for d in closure((digest,), graph.follows).keys() - units)
        return any(i in to.alone and i not in to.deletions for i in inside)

    by_id = {c.candidate.version.id: c for c in selections.values()}
    whole = {i for i in to.deletions & by_id.keys() if not has_more(by_id[i].candidate.version.name)}
    return {c.candidate.version.name: c for c in restrict(by_id, whole | to.untags, NOT_IN_REPORT).values()}


def _fixed(graph: Graph, facts: Facts) -> dict[str, Reason]:
    """What stays whatever is chosen, with the reason that says most."""
    fixed: dict[str, Reason] = dict.fromkeys(graph.cyclic, TANGLED)
    changed_ids = facts.changed_ids
    fixed |= {digest: CHANGED for digest, version in graph.nodes.items() if version.id in changed_ids}
    if any(isinstance(graph.readings.get(digest), Unreadable) for digest in graph.nodes):
        return dict.fromkeys(graph.nodes, UNREAD)
    if lost_indexes(graph, facts):
        fixed |= {d: UNKNOWN_TAGGED for d, version in graph.nodes.items() if not own_tags(version)}
    return fixed


def lost_indexes(graph: Graph, facts: Facts) -> tuple[Version, ...]:
    """Versions without a manifest that may have named anything: tagged (as a fallback index is), or called an index.

    What the newest list lacks is none of them: somebody deleted it between the list and the read.
    """
    gone = facts.gone
    absent = [d for d in graph.nodes if isinstance(graph.readings.get(d), Absent)]
    described = {
        child.digest
        for reading in graph.readings.values()
        if isinstance(reading, Manifest)
        for child in reading.children
        if child.media_type in INDEX_TYPES
    }
    versions = (graph.nodes[digest] for digest in absent)
    return tuple(v for v in versions if v.id not in gone and (v.tags or v.name in described))


def _but_the_last(
    graph: Graph, facts: Facts, settled: Resolution, fixed: Mapping[str, Reason], options: Options
) -> tuple[Resolution, str | None, bool]:
    """Keep the image that GitHub would refuse last, unless the package goes whole."""
    if not settled.going:
        return settled, None, False
    remaining = [v for v in facts.latest if v.name not in settled.going]
    if len(settled.going) == len(graph.nodes) and options.when_empty:
        return settled, None, True
    if any(version.tags for version in remaining):
        return settled, None, False
    tagged = [d for d in settled.roots if graph.nodes[d].tags] or _with_tags_inside(graph, settled)
    if remaining and not tagged:
        return settled, None, False
    last = max(tagged or settled.roots, key=lambda digest: by_age(graph.nodes[digest]))
    kept = within_limit(graph, [d for d in settled.roots if d != last], None, {*fixed, last})
    return Resolution(kept.roots, kept.going, {**settled.needed_by, **kept.needed_by}), last, False


def _with_tags_inside(graph: Graph, settled: Resolution) -> list[str]:
    """The roots that take a tagged part along: the signature of an image may hold the last tag of a package."""
    return [
        root
        for root in settled.roots
        if any(graph.nodes[d].tags for d in closure((root,), graph.follows) if d in settled.going)
    ]


def _untags(board: _ImagePlanner, options: Options) -> dict[str, tuple[str, ...]]:
    """The tags to take off images that stay: those that match, where only some do or something needs the image."""
    if not options.untag:
        return {}
    found = [
        version.name
        for version in oldest_first(
            c.candidate.version for c in board.selections.values() if _loses(board, c)
        )
        if options.report_scope is None or version.id in options.report_scope.untags
    ]
    limit = board.rules.limit
    room = len(found) if limit is None else max(0, limit - len(board.settled.roots))
    return {digest: _loses(board, board.selections[digest]) for digest in found[:room]}


def _loses(board: _ImagePlanner, selection: Selection) -> tuple[str, ...]:
    digest = selection.candidate.version.name
    if digest in board.fixed or digest in board.settled.roots or digest == board.last:
        return ()
    if selection.selected:
        return selection.candidate.texts if digest in board.settled.needed_by else ()
    return selection.tags


def _decision(board: _ImagePlanner, digest: str, untag: tuple[str, ...]) -> Decision:
    version = board.graph.nodes[digest]
    selection = board.selections.get(digest)
    if digest in board.settled.going:
        return _goes(board, digest, version, selection)
    if selection is None:
        return _follower_stays(board, digest, version)
    reason = selection.reason
    if selection.selected:
        reason = _held_back(board, digest)
    elif digest in board.fixed and board.fixed[digest].code is ReasonCode.UNREADABLE and selection.tags:
        reason = board.fixed[digest]
    return Decision(version, selected=False, reason=reason, root=version.id, untag=untag)


def _listed_twice(graph: Graph, facts: Facts) -> Iterable[Decision]:
    """Decisions of the other versions of a digest that the package lists twice: they stay, and so does the first."""
    known = {version.id for version in graph.nodes.values()}
    return (
        Decision(version, selected=False, reason=CHANGED)
        for version in facts.union
        if version.id not in known
    )


def _goes(board: _ImagePlanner, digest: str, version: Version, selection: Selection | None) -> Decision:
    if selection is not None:
        return Decision(version, selected=True, reason=selection.reason, root=version.id)
    root = board.graph.nodes[board.origins[digest]]
    reason = Reason(ReasonCode.WITH_IMAGE, subject=root.label)
    return Decision(version, selected=True, reason=reason, root=root.id)


def _held_back(board: _ImagePlanner, digest: str) -> Reason:
    """Why something that the rules selected stays all the same."""
    if digest in board.fixed:
        return board.fixed[digest]
    if digest == board.last:
        return LAST_TAGGED
    needer = board.settled.needed_by.get(digest)
    if needer is not None:
        return Reason(ReasonCode.NEEDED, subject=board.graph.nodes[needer].label)
    return over_limit(board.rules.limit)


def _follower_stays(board: _ImagePlanner, digest: str, version: Version) -> Decision:
    if digest in board.fixed:
        return Decision(version, selected=False, reason=board.fixed[digest])
    owner = board.settled.needed_by.get(digest)
    root = board.graph.nodes[owner] if owner else None
    reason = Reason(ReasonCode.NEEDED, ReasonDetail.PART, subject=root.label if root else "")
    return Decision(version, selected=False, reason=reason, root=root.id if root else None)


def _steps(board: _ImagePlanner, facts: Facts, untagged: Mapping[str, tuple[str, ...]]) -> tuple[Step, ...]:
    """The deletions, then the tags that are taken away."""
    graph = board.graph
    taken = (
        Step(StepKind.UNTAG, facts.package, graph.nodes[d], tags=tags, root=graph.nodes[d].id)
        for d, tags in untagged.items()
    )
    return (*deletion_steps(facts.package, graph, board.settled.going, board.origins), *taken)


def _absent(graph: Graph, facts: Facts) -> tuple[Finding, ...]:
    """Warnings about manifests that the registry answered 404 for, twice."""
    indexes = lost_indexes(graph, facts)
    warnings = [Finding(FindingCode.INDEX_LOST, version.label) for version in indexes[:10]]
    known = {version.name for version in indexes}
    absent = (d for d in graph.nodes if isinstance(graph.readings.get(d), Absent) and d not in known)
    if leaves := sum(1 for d in absent if not graph.nodes[d].tags):
        warnings.append(Finding(FindingCode.MANIFESTS_LOST, number=leaves))
    return tuple(warnings)


def _unread(graph: Graph) -> tuple[Finding, ...]:
    failed = [
        (graph.nodes[d], r.why)
        for d, r in graph.readings.items()
        if isinstance(r, Unreadable) and d in graph.nodes
    ]
    if not failed:
        return ()
    version, why = failed[0]
    return (Finding(FindingCode.MANIFEST_UNREAD, version.label, number=len(failed) - 1, error=why),)
