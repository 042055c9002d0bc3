"""Which packages a run works on, each with the rules that reach it."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from msgspec import Struct
from msgspec.structs import replace

from package_retention.decide.patterns import Patterns
from package_retention.decide.rules import PackageRules
from package_retention.errors import BudgetError, CancelledError, MissingError, PlanError, RetentionError
from package_retention.inputs.settings import Settings
from package_retention.model import Operation, Owner, Package, PackageType
from package_retention.pipeline.context import RunContext
from package_retention.reason import Finding, FindingCode

_ALIKE = 0.7


class Target(Struct, frozen=True):
    """A package to work on; `error` if it could not be reached (a `MissingError` if it is not there).

    `names` are those by which rules reached it: GitHub may answer with another (`@acme/lib` is `lib`). `listed_at` is a
    reading of `Clock.monotonic` from before the first page of its list was fetched.
    """

    package: Package
    rules: PackageRules
    error: RetentionError | None = None
    names: frozenset[str] = frozenset()
    listed_at: float | None = None


def targets(run_context: RunContext) -> tuple[Target, ...]:
    """Find every package that the rules name; several rules that reach one package are taken together."""
    owner = run_context.api.owner(run_context.settings.owner)
    found: dict[tuple[PackageType, str], Target] = {}
    listed: dict[PackageType, tuple[Package, ...]] = {}
    unresolved: dict[PackageType, Target] = {}
    for rules in run_context.settings.rules:
        for target in _reached(run_context, owner, rules, listed):
            if rules.keep and target.error and not isinstance(target.error, MissingError | PlanError):
                unresolved.setdefault(rules.type, target)
            key = (rules.type, target.package.name)
            found[key] = _merged(found[key], target) if key in found else target
    every = tuple(_protected(found[key], run_context.settings.rules) for key in sorted(found))
    if run_context.settings.operation is not Operation.DELETE:
        return every
    return tuple(_unless_unresolved(target, unresolved.get(target.package.type)) for target in every)


def _unless_unresolved(target: Target, unresolved: Target | None) -> Target:
    """Change nothing of a type while a package with keep rules could not be found out: it may be any of the others.

    Only GitHub's answer shows which name a package goes by, so the keep rules of the other may be this one's.
    """
    if target.error or unresolved is None or unresolved.error is None:
        return target
    name, error = (unresolved.package.name,), unresolved.error
    code = FindingCode.RULES_UNASKED
    finding = Finding(code, target.package.label, names=name, about=error.said)
    return replace(target, error=PlanError(finding))


def unreached(settings: Settings, found: Iterable[Target]) -> tuple[Finding, ...]:
    """Return warnings about names with wildcards that reached no package: a schedule that does nothing must be seen."""
    there = [(target.package.type, target.package.name) for target in found]
    linked = () if settings.repository is None else (settings.repository,)
    code = FindingCode.NAMES_REACH_NOTHING_LINKED if linked else FindingCode.NAMES_REACH_NOTHING
    return tuple(
        Finding(
            code,
            f"{rules.type} package of {settings.owner}",
            names=tuple(entry.text for entry in rules.names.entries),
            others=linked,
        )
        for rules in settings.rules
        if rules.names.any_wildcards
        and not any(kind is rules.type and rules.reaches(name) for kind, name in there)
    )


def _merged(one: Target, other: Target) -> Target:
    """Return both taken together; if only one could be reached, what the other would delete is left out."""
    names = one.names | other.names
    if one.error or other.error:
        return replace(one if other.error else other, names=names)
    companions = one.rules.companions or other.rules.companions
    if one.rules.companions and other.rules.companions:
        companions = Patterns((*one.rules.companions.entries, *other.rules.companions.entries))
    delete = one.rules.delete + other.rules.delete
    return replace(one, rules=replace(one.rules, delete=delete, companions=companions), names=names)


def _protected(target: Target, rules: Iterable[PackageRules]) -> Target:
    """Return the target with the keep rules of everything that names it: a missing link must not lift a protection."""
    names = {target.package.name, *target.names}
    keep = tuple(
        rule
        for each in rules
        if each.type is target.package.type and any(each.protects(name) for name in names)
        for rule in each.keep
    )
    return replace(target, rules=replace(target.rules, keep=keep))


def _reached(
    run_context: RunContext, owner: Owner, rules: PackageRules, listed: dict[PackageType, tuple[Package, ...]]
) -> Iterable[Target]:
    plain = {name for name in rules.names.literals if rules.reaches(name)}
    spelled: set[str] = set()
    if rules.names.any_wildcards and rules.within is not None and not rules.within.any_wildcards:
        # What a policy file reaches by a wildcard and the step spells out: no list is needed, the link still is.
        spelled = {name for name in rules.within.literals if rules.reaches(name)} - plain
    elif rules.names.any_wildcards:
        if rules.type not in listed:
            listed[rules.type] = run_context.api.packages(owner, rules.type)
        for package in listed[rules.type]:
            if package.name in plain or (rules.reaches(package.name) and _linked(package, run_context)):
                yield Target(package, rules)
        plain -= {package.name for package in listed[rules.type]}
    for name in (*sorted(plain), *sorted(spelled)):
        target = _named(run_context, Package(owner, rules.type, name), rules)
        if name in spelled and target.error is None and not _linked(target.package, run_context):
            repository = (run_context.settings.repository or "",)
            unlinked = Finding(FindingCode.UNLINKED, target.package.label, names=repository)
            target = replace(target, error=PlanError(unlinked))
        yield target


def _linked(package: Package, run_context: RunContext) -> bool:
    """Keep of what a wildcard reaches only packages that are linked to the repository, unless it is `any`."""
    wanted = run_context.settings.repository
    return wanted is None or (package.repository or "").lower() == wanted.lower()


def _named(run_context: RunContext, package: Package, rules: PackageRules) -> Target:
    names = frozenset({package.name})
    listed_at = run_context.clock.monotonic()
    try:
        # A list needs nothing of its package's own row: both are asked for at once. A scope is no part of the name that
        # GitHub answers with, and a restore lists deleted versions.
        if run_context.settings.operation is not Operation.RESTORE and not package.name.startswith("@"):
            run_context.api.fetch_ahead(package)
        found = run_context.api.package(package.owner, package.type, package.name)
        return Target(found, rules, names=names, listed_at=listed_at)
    except (BudgetError, CancelledError):
        raise
    except MissingError as error:
        if meant := _meant(run_context, package):
            code, name = meant
            error.said = Finding(code, name, about=error.said)
        return Target(package, rules, error, names)
    except RetentionError as error:
        return Target(package, rules, error, names)


def _meant(run_context: RunContext, package: Package) -> tuple[FindingCode, str] | None:
    """Return the name that was most likely meant by one that is missing, and what is wrong with this one."""
    owner, slash, rest = package.name.partition("/")
    if slash and owner.lower() == package.owner.login.lower():
        return FindingCode.OWNER_IN_NAME, rest
    if run_context.settings.operation is Operation.RESTORE:
        return None  # a package that is not there is what a restore is for
    try:
        known = run_context.api.some_packages(package.owner, package.type)
    except (BudgetError, CancelledError):
        raise
    except RetentionError:
        return None  # the 404 explains more than a list that failed
    near = likely_name(package.name, known, run_context.settings.repository)
    return (FindingCode.NAME_MISSPELT, near) if near else None


def likely_name(wanted: str, known: Iterable[Package], repository: str | None) -> str | None:
    """Return the name that is most like the one that is missing.

    Only packages that are public or linked to this repository: logs of public repositories are public, too.
    """
    shown = [
        package.name
        for package in known
        if package.visibility == "public"
        or (repository and (package.repository or "").lower() == repository.lower())
    ]
    return next(iter(get_close_matches(wanted, shown, n=1, cutoff=_ALIKE)), None)
