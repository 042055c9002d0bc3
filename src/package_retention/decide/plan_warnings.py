"""Warnings about inputs that reached nothing: a mistyped exclusion protects nothing, and must be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from package_retention.decide.graph import closure
from package_retention.reason import Finding, FindingCode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from package_retention.decide.facts import Facts
    from package_retention.decide.graph import Graph
    from package_retention.decide.rules import PackageRules, Rule
    from package_retention.model import Version


def about_inputs(facts: Facts, rules: PackageRules) -> tuple[Finding, ...]:
    """Exclusions that matched nothing, and ids that are not there."""
    unmatched = rules.exclude.unmatched(_texts(facts.union), facts.reference) if rules.exclude else ()
    listed = {version.id for version in facts.union}
    absent = sorted((_ids(rules.delete) | _ids(rules.keep)) - listed)
    return (
        *(Finding(FindingCode.EXCLUSION_UNMATCHED, entry) for entry in unmatched),
        *(Finding(FindingCode.ID_ABSENT, number=version_id) for version_id in absent),
    )


def about_parts(rules: PackageRules, graph: Graph) -> tuple[Finding, ...]:
    """Ids of manifests that are no image by themselves: they go with their image alone."""
    by_id = {version.id: digest for digest, version in graph.nodes.items()}
    units = set(graph.units)
    parts = {i: by_id[i] for i in sorted(_ids(rules.delete)) if i in by_id and by_id[i] not in units}
    if not parts:
        return ()
    origins = closure(graph.units, graph.follows)
    return tuple(
        Finding(FindingCode.ID_IS_PART, graph.nodes[origins[digest]].label, number=i)
        for i, digest in parts.items()
        if digest in origins
    )


def _ids(rules: Iterable[Rule]) -> set[int]:
    return {i for rule in rules for i in rule.filter.ids or ()}


def _texts(versions: Iterable[Version]) -> list[str]:
    return [text for version in versions for text in (version.name, *version.tags)]
