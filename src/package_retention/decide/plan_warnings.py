"""Warn of what a plan alone does not show: inputs that reached nothing, and facts that could not be found out.

A mistyped exclusion protects nothing, and must be seen.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime

from package_retention.decide.expiry import image_expiry
from package_retention.decide.facts import Facts
from package_retention.decide.graph import INDEX_TYPES, Graph, closure, described
from package_retention.decide.in_use import UseCode
from package_retention.decide.rules import PackageRules, named_ids
from package_retention.decide.source_gone import needed_kinds
from package_retention.model import Absent, GitKind, Unlisted, UnlistedCause, Unreadable, Version
from package_retention.reason import Finding, FindingCode


def about_inputs(facts: Facts, rules: PackageRules) -> Iterator[Finding]:
    """Yield warnings about inputs that reach nothing: exclusions, ids and references."""
    versions = facts.union
    if rules.exclude:
        texts = [text for version in versions for text in (version.name, *version.tags)]
        for entry in rules.exclude.unmatched(texts, facts.reference):
            yield Finding(FindingCode.EXCLUSION_UNMATCHED, entry)
    named = named_ids(rules.delete) | named_ids(rules.keep)
    for i in sorted(named - {version.id for version in versions}):
        yield Finding(FindingCode.ID_ABSENT, number=i)
    yield from _about_references(facts)
    if facts.git and not facts.git.repositories:
        yield Finding(FindingCode.NO_REPOSITORY)


def git_kinds(rules: PackageRules) -> frozenset[GitKind]:
    """Return the kinds of things in git that any of the rules needs listed."""
    gone = frozenset[GitKind]().union(*(rule.filter.source_gone for rule in rules.delete))
    exists = frozenset[GitKind]().union(*(rule.filter.source_exists for rule in rules.keep))
    return needed_kinds(gone) | exists


# A permission would show the list: GitHub answers 403 or, to hide that it is there, 404.
_FORBIDDEN = frozenset({UnlistedCause.FORBIDDEN, UnlistedCause.NOT_FOUND})


def problems(facts: Facts, rules: PackageRules) -> Iterator[Finding]:
    """Yield what could not be found out, although a rule or the package as a whole needs it: what it decides stays."""
    failed = {d: reading.why for d, reading in facts.readings.items() if isinstance(reading, Unreadable)}
    listed = {version.name: version.label for version in facts.union if version.name in failed}
    manifests = [(listed[digest], why) for digest, why in failed.items() if digest in listed]
    yield from _first_unread(FindingCode.MANIFEST_UNREAD, manifests)
    yield from _about_git(facts, git_kinds(rules))
    configs = [(d[:19], label.why) for d, label in facts.labels.items() if isinstance(label, Unreadable)]
    yield from _first_unread(FindingCode.CONFIG_UNREAD, configs)


def _first_unread(code: FindingCode, failed: Sequence[tuple[str, str]]) -> Iterator[Finding]:
    """Yield one problem for all that could not be read: the name of the first, and why."""
    if failed:
        subject, why = failed[0]
        yield Finding(code, subject, number=len(failed) - 1, error=why)


def _about_git(facts: Facts, kinds: Collection[GitKind]) -> Iterator[Finding]:
    """Yield a problem for each repository of which a rule needs what could not be listed."""
    for repository in facts.git.repositories if facts.git else ():
        listed = {kind: repository.listed(kind) for kind in GitKind if kind in kinds}
        unlisted = {kind: why for kind, why in listed.items() if isinstance(why, Unlisted)}
        if unlisted:
            why = next(iter(unlisted.values()))
            code = FindingCode.GIT_FORBIDDEN if why.cause in _FORBIDDEN else FindingCode.GIT_UNLISTED
            names, others = tuple(kind.value for kind in unlisted), tuple(sorted(kinds))
            yield Finding(code, repository.repository, names=names, others=others, error=why.detail)


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


def about_images(facts: Facts, graph: Graph, rules: PackageRules, now: datetime) -> Iterator[Finding]:
    """Yield warnings about ids that are no images, expiries that are not durations, and manifests that are gone."""
    named = named_ids(rules.delete)
    origins = closure(graph.units, graph.follows) if named else {}
    parts = {graph.nodes[d].id: graph.nodes[root] for d, root in origins.items() if root != d}
    for i in sorted(named & parts.keys()):
        yield Finding(FindingCode.ID_IS_PART, parts[i].label, number=i)
    if any(rule.filter.expired for rule in rules.delete):
        yield from _about_expiry(facts, (graph.nodes[digest] for digest in graph.units), now)
    indexes = lost_indexes(facts)
    yield from (Finding(FindingCode.INDEX_LOST, version.label) for version in indexes[:10])
    known = {version.name for version in indexes}
    if leaves := sum(1 for version in _absent(facts) if not version.tags and version.name not in known):
        yield Finding(FindingCode.MANIFESTS_LOST, number=leaves)


def _about_expiry(facts: Facts, images: Iterable[Version], now: datetime) -> Iterator[Finding]:
    """Yield one warning about all images whose expiry is not a duration."""
    expiries = ((version.label, image_expiry(facts, version, now).invalid) for version in images)
    invalid = [(label, text) for label, text in expiries if text is not None]
    if invalid:
        label, text = invalid[0]
        yield Finding(FindingCode.EXPIRY_INVALID, label, len(invalid) - 1, (text,))


def lost_indexes(facts: Facts) -> tuple[Version, ...]:
    """Return the versions without a manifest that may have named anything: tagged, or called an index by a manifest.

    A fallback index is tagged. What the newest list lacks does not count: somebody deleted it between the list and the
    read.
    """
    gone, children = facts.gone, described(facts.readings.values())
    indexes = {child.digest for child in children if child.media_type in INDEX_TYPES}
    return tuple(v for v in _absent(facts) if v.id not in gone and (v.tags or v.name in indexes))


def _absent(facts: Facts) -> Collection[Version]:
    """Return the versions whose manifests the registry answered 404 for, twice."""
    listed = (version for version in facts.union if isinstance(facts.readings.get(version.name), Absent))
    return {version.name: version for version in listed}.values()
