"""Find out all that a decision about one package needs: its versions, and for containers its manifests."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Mapping

from msgspec.structs import replace

from package_retention.decide.facts import Facts, blind_reads, certain_reads
from package_retention.decide.graph import build, unconfirmed
from package_retention.decide.plan_warnings import git_kinds, lost_indexes
from package_retention.decide.rules import PackageRules
from package_retention.decide.source_gone import GitNames
from package_retention.model import Absent, Operation, Package, PackageType, Plan, Reading
from package_retention.pipeline.context import RunContext


def list_versions(run_context: RunContext, package: Package, rules: PackageRules) -> Facts:
    """List a package, and find what files refer to; neither git nor a manifest is read."""
    versions = run_context.api.versions(package)
    reference = f"{run_context.registry_host}/{package.owner.login}/{package.name}".lower()
    return _with_references(run_context, Facts(package, versions, versions, reference=reference), rules)


def survey(run_context: RunContext, listed: Facts, rules: PackageRules) -> Facts:
    """Read the manifests of a package that was listed."""
    facts = _read(run_context, _with_git(run_context, listed, rules), rules)
    # A tagged manifest that is not there keeps a whole package: was it deleted since the list was made?
    return survey_again(run_context, facts, rules, ()) if lost_indexes(facts) else facts


def survey_again(run_context: RunContext, facts: Facts, rules: PackageRules, done: Collection[int]) -> Facts:
    """List a package once more, and read what came; what this run has deleted counts as still there.

    Ask again for what the registry did not have: "absent" lets go what only that manifest names, and a 404 may be the
    registry's lag after a push. The same holds for what was damaged.
    """
    # Somebody may have pushed an index that names an old child since the first list. Such a row can slip over the edge
    # of a page while others push and delete; if both lists missed it, it would protect nothing. So this one is read at rest.
    at_rest = facts.package.type is PackageType.CONTAINER
    latest = run_context.api.versions(facts.package, at_rest=at_rest)
    readings = {digest: r for digest, r in facts.readings.items() if not isinstance(r, Absent)}
    facts = replace(facts, readings=readings, confirmed=frozenset())
    facts = _with_references(run_context, facts.relisted(latest, done), rules)
    return _read(run_context, _with_git(run_context, facts, rules), rules)


def read_more(run_context: RunContext, facts: Facts, rules: PackageRules, plan: Plan) -> Facts:
    """Read manifests and configs that a plan needs, and what they make needed in turn."""
    facts = read_labels(run_context, facts, plan.unread_configs)
    readings = {**facts.readings, **_manifests(run_context, facts, plan.unread)}
    return _read(run_context, replace(facts, readings=readings), rules)


def read_labels(run_context: RunContext, facts: Facts, configs: Collection[str]) -> Facts:
    """Read the label of configs by which an image expires."""
    if not configs:
        return facts
    return replace(facts, labels={**facts.labels, **run_context.registry.labels(facts.package, configs)})


def _with_references(run_context: RunContext, facts: Facts, rules: PackageRules) -> Facts:
    """Return the facts with what files refer to."""
    package = facts.package
    in_use = {
        globs: index.protected(
            package.owner.login, package.type, package.name, run_context.registry_host, facts.union
        )
        for globs, index in run_context.references.items()
        if globs in globs_of(rules)
    }
    return replace(facts, in_use=in_use)


def globs_of(rules: PackageRules) -> frozenset[tuple[str, ...]]:
    """Return each list of globs of files by which a package's rules protect."""
    return frozenset({rules.referenced_in, *(rule.filter.referenced_in for rule in rules.keep)}) - {()}


def _with_git(run_context: RunContext, facts: Facts, rules: PackageRules) -> Facts:
    """Return the facts with what git lists in the repository that the package is linked to, and in the step's.

    Git is listed after the versions, so that the branch that an image was pushed for is there if it still exists.
    """
    kinds, git = git_kinds(rules), run_context.git
    if not kinds or git is None:
        return facts
    named = (facts.package.repository, run_context.settings.repository)
    wanted = {name.lower(): name for name in named if name}
    return replace(facts, git=GitNames(tuple(git.names(name, kinds) for name in wanted.values())))


def _read(run_context: RunContext, facts: Facts, rules: PackageRules) -> Facts:
    if facts.package.type is not PackageType.CONTAINER:
        return facts
    readings = _every_needed(run_context, facts)
    if run_context.settings.manifest_cache is not None:
        # The cache keeps them for the next runs, and what is freed can be counted exactly.
        readings |= _manifests(run_context, facts, [v.name for v in facts.latest if v.name not in readings])
    facts = replace(facts, readings=readings)
    looks_for_damage = any(rule.filter.damaged for rule in rules.delete)
    if not (looks_for_damage or run_context.settings.operation is Operation.LIST):
        return facts
    return replace(facts, confirmed=facts.confirmed | _confirmed(run_context, facts))


def _every_needed(run_context: RunContext, facts: Facts) -> dict[str, Reading]:
    """Read every manifest that the graph needs: one read an image, as far as that can be."""
    readings = dict(facts.readings)
    for turn in itertools.count():
        while wave := certain_reads(facts.union, readings):
            readings |= _manifests(run_context, facts, wave)
        wave = blind_reads(facts.union, readings, turn)
        if not wave:
            break
        readings |= _manifests(run_context, facts, wave)
    return readings


def _manifests(run_context: RunContext, facts: Facts, digests: Iterable[str]) -> Mapping[str, Reading]:
    listed = frozenset(version.name for version in facts.latest)
    return run_context.registry.manifests(facts.package, digests, listed)


def _confirmed(run_context: RunContext, facts: Facts) -> frozenset[str]:
    """Return the digests that nothing lists and that the registry does not have either: only these are missing."""
    named = unconfirmed(build(facts.union, facts.readings))
    doubtful = [digest for digest in named if digest not in facts.confirmed]
    if not doubtful:
        return frozenset()
    readings = run_context.registry.manifests(facts.package, doubtful)
    return frozenset(digest for digest, reading in readings.items() if isinstance(reading, Absent))
