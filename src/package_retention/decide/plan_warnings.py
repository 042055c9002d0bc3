"""Warn of what a plan alone does not show: inputs that reached nothing, and facts that could not be found out.

A mistyped exclusion protects nothing, and must be seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from package_retention.decide.expiry import image_expiry
from package_retention.decide.facts import Facts
from package_retention.decide.graph import INDEX_TYPES, Graph, closure
from package_retention.decide.in_use import UseCode
from package_retention.decide.rules import PackageRules, Rule
from package_retention.decide.source_gone import needed_kinds
from package_retention.model import Absent, GitKind, Manifest, Unlisted, UnlistedCause, Unreadable, Version
from package_retention.reason import Finding, FindingCode


def about_inputs(facts: Facts, rules: PackageRules) -> tuple[Finding, ...]:
    """Return warnings about inputs that reach nothing: exclusions, ids and references."""
    unmatched = rules.exclude.unmatched(_texts(facts.union), facts.reference) if rules.exclude else ()
    listed = {version.id for version in facts.union}
    absent = sorted((_ids(rules.delete) | _ids(rules.keep)) - listed)
    return (
        *(Finding(FindingCode.EXCLUSION_UNMATCHED, entry) for entry in unmatched),
        *(Finding(FindingCode.ID_ABSENT, number=version_id) for version_id in absent),
        *_about_references(facts),
        *((Finding(FindingCode.NO_REPOSITORY),) if facts.git and not facts.git.repositories else ()),
    )


def git_kinds(rules: PackageRules) -> frozenset[GitKind]:
    """Return the kinds of things in git that any of the rules needs listed."""
    gone = frozenset[GitKind]().union(*(rule.filter.source_gone for rule in rules.delete))
    exists = frozenset[GitKind]().union(*(rule.filter.source_exists for rule in rules.keep))
    return needed_kinds(gone) | exists


# A permission would show the list: GitHub answers 403 or, to hide that it is there, 404.
_FORBIDDEN = frozenset({UnlistedCause.FORBIDDEN, UnlistedCause.NOT_FOUND})


def about_git(facts: Facts, rules: PackageRules) -> tuple[Finding, ...]:
    """Return a problem for each repository of which a rule needs what could not be listed."""
    kinds = git_kinds(rules)
    found = []
    for repository in facts.git.repositories if facts.git else ():
        unlisted = {
            kind: why
            for kind in GitKind
            if kind in kinds and isinstance(why := repository.listed(kind), Unlisted)
        }
        if unlisted:
            why = next(iter(unlisted.values()))
            code = FindingCode.GIT_FORBIDDEN if why.cause in _FORBIDDEN else FindingCode.GIT_UNLISTED
            names, others = tuple(kind.value for kind in unlisted), tuple(sorted(kinds))
            found.append(Finding(code, repository.repository, names=names, others=others, error=why.detail))
    return tuple(found)


def _about_references(facts: Facts) -> Iterator[Finding]:
    """Yield what may be a mistake in references: a name alone, versions that are not listed, no reference at all."""
    codes = {
        UseCode.ANY_TAG: FindingCode.REFERENCED_BY_NAME,
        UseCode.NOT_LISTED: FindingCode.REFERENCES_UNLISTED,
        UseCode.NOT_NAMED: FindingCode.NOT_REFERENCED,
    }
    for globs, use in facts.in_use.items():
        for code, finding in codes.items():
            notices = [notice for notice in use.notices if notice.code is code]
            places = tuple(
                f"{notice.file}:{notice.line}" + (f" ({notice.text})" if notice.text else "")
                for notice in notices[:_MOST_PLACES]
                if notice.file
            )
            if notices:
                more = len(notices) - len(places) if places else 0
                yield Finding(finding, ", ".join(globs), more, places)


_MOST_PLACES = 5


def about_expiry(
    facts: Facts, images: Iterable[Version], rules: PackageRules, now: datetime
) -> tuple[Finding, ...]:
    """Return a warning about images whose expiry is not a duration."""
    if not any(rule.filter.expired for rule in rules.delete):
        return ()
    found = [
        (version.label, text)
        for version in images
        if (text := image_expiry(facts, version, now).invalid) is not None
    ]
    if not found:
        return ()
    (label, text), more = found[0], len(found) - 1
    return (Finding(FindingCode.EXPIRY_INVALID, label, more, (text,)),)


def configs_unread(facts: Facts) -> tuple[Finding, ...]:
    """Return a problem if configs could not be read: their images stay."""
    failed = {config: label.why for config, label in facts.labels.items() if isinstance(label, Unreadable)}
    if not failed:
        return ()
    config, why = next(iter(failed.items()))
    return (Finding(FindingCode.CONFIG_UNREAD, config[:19], number=len(failed) - 1, error=why),)


def about_members(rules: PackageRules, graph: Graph) -> tuple[Finding, ...]:
    """Return a warning for each id of a manifest that is not an image: it goes with its image alone."""
    by_id = {version.id: digest for digest, version in graph.nodes.items()}
    units = set(graph.units)
    members = {i: by_id[i] for i in sorted(_ids(rules.delete)) if i in by_id and by_id[i] not in units}
    if not members:
        return ()
    origins = closure(graph.units, graph.follows)
    return tuple(
        Finding(FindingCode.ID_IS_PART, graph.nodes[origins[digest]].label, number=i)
        for i, digest in members.items()
        if digest in origins
    )


def lost_indexes(graph: Graph, facts: Facts) -> tuple[Version, ...]:
    """Return the versions without a manifest that may have named anything: tagged, or called an index by a manifest.

    A fallback index is tagged. What the newest list lacks does not count: somebody deleted it between the list and the
    read.
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


def about_absent(graph: Graph, facts: Facts) -> tuple[Finding, ...]:
    """Return warnings about manifests that the registry answered 404 for, twice."""
    indexes = lost_indexes(graph, facts)
    warnings = [Finding(FindingCode.INDEX_LOST, version.label) for version in indexes[:10]]
    known = {version.name for version in indexes}
    absent = (d for d in graph.nodes if isinstance(graph.readings.get(d), Absent) and d not in known)
    if leaves := sum(1 for d in absent if not graph.nodes[d].tags):
        warnings.append(Finding(FindingCode.MANIFESTS_LOST, number=leaves))
    return tuple(warnings)


def manifests_unread(graph: Graph) -> tuple[Finding, ...]:
    """Return a problem if manifests could not be read: the package stays."""
    failed = [
        (graph.nodes[d], r.why)
        for d, r in graph.readings.items()
        if isinstance(r, Unreadable) and d in graph.nodes
    ]
    if not failed:
        return ()
    version, why = failed[0]
    return (Finding(FindingCode.MANIFEST_UNREAD, version.label, number=len(failed) - 1, error=why),)


def _ids(rules: Iterable[Rule]) -> set[int]:
    return {i for rule in rules for i in rule.filter.ids or ()}


def _texts(versions: Iterable[Version]) -> list[str]:
    return [text for version in versions for text in (version.name, *version.tags)]
