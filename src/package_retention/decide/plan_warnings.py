"""Warnings about inputs that reached nothing: a mistyped exclusion protects nothing, and must be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from package_retention.decide.graph import closure

if TYPE_CHECKING:
    from collections.abc import Iterable

    from package_retention.decide.facts import Facts
    from package_retention.decide.graph import Graph
    from package_retention.decide.rules import PackageRules, Rule
    from package_retention.model import Version


def about_inputs(facts: Facts, rules: PackageRules) -> tuple[str, ...]:
    """Exclusions that matched nothing, and ids that are not there."""
    label = facts.package.label
    unmatched = rules.exclude.unmatched(_texts(facts.union), facts.reference) if rules.exclude else ()
    listed = {version.id for version in facts.union}
    absent = sorted((_ids(rules.delete) | _ids(rules.keep)) - listed)
    return (
        *(f"{label}: `exclude-versions` entry {entry} matched nothing" for entry in unmatched),
        *(f"{label}: there is no version with the id {version_id}" for version_id in absent),
    )


def about_parts(facts: Facts, rules: PackageRules, graph: Graph) -> tuple[str, ...]:
    """Ids of manifests that are no image by themselves: they go with their image alone."""
    by_id = {version.id: digest for digest, version in graph.nodes.items()}
    units = set(graph.units)
    parts = {i: by_id[i] for i in sorted(_ids(rules.delete)) if i in by_id and by_id[i] not in units}
    if not parts:
        return ()
    origins = closure(graph.units, graph.follows)
    return tuple(
        f"{facts.package.label}: the id {i} is part of {graph.nodes[origins[digest]].label}, and goes with it alone"
        for i, digest in parts.items()
        if digest in origins
    )


def last_stays(facts: Facts, version: Version, *, what: str = "version") -> str:
    """The warning where GitHub would refuse the last of what the rules select."""
    return (
        f"{facts.package.label}: every {what} would go, and GitHub refuses to delete the last: {version.label} stays. "
        "`delete-package: when-empty` deletes such a package whole"
    )


def last_tag_stays(facts: Facts, version: Version) -> str:
    """The warning where no tag would be left: the version that holds it for a moment could not be deleted."""
    return (
        f"{facts.package.label}: no tag would be left, and GitHub refuses to delete the last tagged version, so "
        f"{version.label} keeps its tags"
    )


def _ids(rules: Iterable[Rule]) -> set[int]:
    return {i for rule in rules for i in rule.filter.ids or ()}


def _texts(versions: Iterable[Version]) -> list[str]:
    return [text for version in versions for text in (version.name, *version.tags)]
