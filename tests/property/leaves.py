"""Random packages that are no images, as values, and random rules for them: unknown dates and versions included."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st
from msgspec.structs import replace

from drawing import builds
from package_retention.decide.ecosystems import VersionParser, VersionRange
from package_retention.decide.facts import Facts
from package_retention.decide.pattern import Pattern
from package_retention.decide.patterns import Patterns
from package_retention.decide.rules import (
    Filter,
    OrderBy,
    PackageRules,
    ReleaseStatus,
    Retention,
    Rule,
    Series,
    TagStatus,
)
from package_retention.model import Owner, OwnerKind, Package, PackageType, Version
from property.worlds import DURATIONS, NOW, digest

OCTO = Owner("octo", OwnerKind.ORGANIZATION)
TYPES = (PackageType.NPM, PackageType.MAVEN, PackageType.NUGET, PackageType.RUBYGEMS, PackageType.DOCKER)
NAMES = (
    *("1.0.0", "1.0.1", "1.0.10", "1.1.0", "1.2.0", "1.2.0-rc.1", "1.2.0-SNAPSHOT", "1.3.0.pre", "2.0.0"),
    *("2.0.0-alpha", "2.1.0", "10.0.0", "1.0", "2", "latest", "nightly", "pr-7", "v1.0.0", "???", "1.0.0.0"),
)
PATTERNS = st.lists(
    st.sampled_from(("*", "1.*", "!1.0.*", "/^2/", "pr-*", "1.0.0", "!latest", "nightly", "/0$/")),
    min_size=1,
    max_size=3,
).map(Patterns.parse)
_RANGES = {
    PackageType.NPM: ("^1.0.0", "<2.0.0", ">=1.2.0-a", "1.x || 10.x"),
    PackageType.MAVEN: ("[1.0,2.0)", "(,1.2]", "[2.0,)"),
    PackageType.NUGET: ("[1.0,2.0)", "(,1.2]", "1.*"),
    PackageType.RUBYGEMS: ("~> 1.0", "< 2.0", ">= 1.2.a"),
    PackageType.DOCKER: ("^1.0.0", "<2.0.0"),
}


@st.composite
def packages(draw: st.DrawFn, kind: PackageType) -> Facts:
    """Draw a package of up to twelve versions, some of whose dates are not known."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=12, unique=True))
    versions = []
    for number, name in enumerate(draw(st.permutations(names)), 1):
        created = NOW - timedelta(hours=draw(st.integers(0, 3000)))
        updated = created + timedelta(hours=draw(st.integers(0, 50)))
        one = Version(number, name, created, updated)
        if draw(st.integers(0, 9)) == 0:
            one = draw(st.sampled_from((replace(one, created_at=None), replace(one, updated_at=None))))
        if kind is PackageType.DOCKER:
            tags = (name,) if draw(st.integers(0, 5)) else ()
            one = replace(one, name=digest(number), tags=tags)
        versions.append(one)
    listed = tuple(versions)
    return Facts(Package(OCTO, kind, "lib"), listed, listed)


def ranges(kind: PackageType) -> st.SearchStrategy[VersionRange]:
    return st.sampled_from(_RANGES[kind]).map(VersionParser(kind).parse_range)


@st.composite
def filters(draw: st.DrawFn, kind: PackageType) -> Filter:
    """Draw a delete rule's filter."""
    return Filter(
        versions=draw(st.none() | PATTERNS),
        ids=draw(st.none() | st.none() | st.frozensets(st.integers(1, 14), max_size=8)),
        version_range=draw(st.none() | ranges(kind)),
        release_status=draw(st.none() | st.none() | st.sampled_from(ReleaseStatus)),
        tag_status=draw(st.none() | st.sampled_from(TagStatus)) if kind is PackageType.DOCKER else None,
        older_than=draw(st.none() | DURATIONS),
    )


RETENTIONS = builds(
    Retention,
    minimum=st.integers(0, 3),
    per=st.none() | st.sampled_from(Series) | st.just(Pattern.parse("/^(.)/")),
    order_by=st.sampled_from(OrderBy),
)


def delete_rules(kind: PackageType) -> st.SearchStrategy[Rule]:
    return builds(
        Rule, st.sampled_from(("rule a", "rule b", "rule c")), filters(kind), RETENTIONS, st.none() | PATTERNS
    )


@st.composite
def keep_rules(draw: st.DrawFn, kind: PackageType) -> Rule:
    """Draw a keep rule."""
    condition = Filter(
        versions=draw(st.none() | PATTERNS),
        version_range=draw(st.none() | ranges(kind)),
        release_status=draw(st.none() | st.sampled_from(ReleaseStatus)),
        newer_than=draw(st.none() | DURATIONS),
    )
    return Rule(draw(st.sampled_from(("keep a", "keep b"))), condition, draw(RETENTIONS))


@st.composite
def package_rules(draw: st.DrawFn, kind: PackageType, *, limited: bool = True) -> PackageRules:
    """Draw the rules of one package."""
    return PackageRules(
        kind,
        Patterns.parse("lib"),
        delete=tuple(draw(st.lists(delete_rules(kind), min_size=1, max_size=3))),
        keep=tuple(draw(st.lists(keep_rules(kind), max_size=2))),
        exclude=draw(st.none() | PATTERNS),
        limit=draw(st.none() | st.integers(0, 4)) if limited else None,
    )


@st.composite
def scenes(draw: st.DrawFn, *, limited: bool = True) -> tuple[Facts, PackageRules]:
    """Draw a package, and rules for it."""
    kind = draw(st.sampled_from(TYPES))
    return draw(packages(kind)), draw(package_rules(kind, limited=limited))
