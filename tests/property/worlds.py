"""Random container packages as values: nested and shared children, attestations, signatures, referrers, caches."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from package_retention.decide.durations import Duration
from package_retention.decide.facts import Facts
from package_retention.decide.patterns import Patterns
from package_retention.decide.rules import (
    Damage,
    Filter,
    OrderBy,
    PackageRules,
    Retention,
    Rule,
    Series,
    TagStatus,
)
from package_retention.model import Descriptor, Manifest, Owner, OwnerKind, Package, PackageType, Version

if TYPE_CHECKING:
    from package_retention.model import Reading

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
INDEX = "application/vnd.oci.image.index.v1+json"
IMAGE = "application/vnd.oci.image.manifest.v1+json"
PACKAGE = Package(Owner("octo", OwnerKind.ORGANIZATION), PackageType.CONTAINER, "app")
TAGS = (
    "latest",
    "v1",
    "v2",
    "v2.0.0",
    "1.2.3",
    "1.2.4",
    "1.3.0",
    "1.3.0-alpine",
    "2.0.0-rc1",
    "pr-1",
    "pr-2",
    "stable",
)


def digest(number: int) -> str:
    return f"sha256:{hashlib.sha256(str(number).encode()).hexdigest()}"


@dataclass
class Built:
    """A package under construction; `gone` are digests that were named and never listed."""

    versions: list[Version] = field(default_factory=list)
    readings: dict[str, Reading] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)

    def add(self, *, hours: int, tags: tuple[str, ...] = (), **manifest: object) -> str:
        number = len(self.versions) + 1
        name = digest(number)
        at = NOW - timedelta(hours=hours)
        self.versions.append(Version(number, name, at, at, tags=tags))
        children = manifest.get("children", ())
        self.readings[name] = replace(
            Manifest(name, INDEX if children else IMAGE, is_index=bool(children)),
            **manifest,  # type: ignore[arg-type]
        )
        return name

    def facts(self) -> Facts:
        versions = tuple(self.versions)
        return Facts(PACKAGE, versions, versions, self.readings, frozenset(self.gone), "ghcr.io/octo/app")


@st.composite
def packages(draw: st.DrawFn, most: int = 14) -> Built:
    """Draw a package; tags are each on one version, children before their index."""
    built = Built()
    free = list(TAGS)
    for _ in range(draw(st.integers(1, most))):
        known = [version.name for version in built.versions]
        hours = draw(st.integers(0, 3000))
        kind = draw(
            st.sampled_from(
                ("image", "image", "index", "index", "referrer", "signature", "fallback", "cache")
            )
        )
        tags = tuple(
            free.pop(draw(st.integers(0, len(free) - 1))) for _ in range(draw(st.integers(0, 2))) if free
        )
        if kind == "index" and known:
            children = draw(st.lists(st.sampled_from(known), max_size=4, unique=True))
            lost = [digest(10_000 + len(built.gone) + i) for i in range(draw(st.integers(0, 1)))]
            built.gone |= set(lost)
            named = tuple(_descriptor(built, name, draw(st.booleans())) for name in (*children, *lost))
            built.add(hours=hours, tags=tags, children=named, is_index=True, media_type=INDEX)
        elif kind == "referrer":
            target = draw(st.sampled_from(known)) if known and draw(st.integers(0, 3)) > 0 else digest(20_000)
            built.gone |= {target} - set(known)
            built.add(hours=hours, tags=tags if draw(st.booleans()) else (), subject=target)
        elif kind == "signature" and known:
            hexadecimal = draw(st.sampled_from(known)).removeprefix("sha256:")
            built.add(
                hours=hours, tags=(f"sha256-{hexadecimal}{draw(st.sampled_from(('.sig', '.att', '.sbom')))}",)
            )
        elif kind == "fallback" and known:
            hexadecimal = draw(st.sampled_from(known)).removeprefix("sha256:")
            children = draw(st.lists(st.sampled_from(known), max_size=2, unique=True))
            named = tuple(Descriptor(name, IMAGE) for name in children)
            built.add(
                hours=hours, tags=(f"sha256-{hexadecimal}",), children=named, is_index=True, media_type=INDEX
            )
        elif kind == "cache":
            built.add(hours=hours, tags=tags, is_index=True, media_type=INDEX, layers=3)
        else:
            built.add(hours=hours, tags=tags)
    return built


def _descriptor(built: Built, name: str, attestation: bool) -> Descriptor:
    reading = built.readings.get(name)
    media = reading.media_type if isinstance(reading, Manifest) else IMAGE
    if attestation and media == IMAGE and name not in built.readings:
        return Descriptor(name, media, "unknown/unknown", "attestation-manifest")
    return Descriptor(name, media, "linux/amd64")


PATTERNS = st.lists(
    st.sampled_from(("*", "v*", "pr-*", "1.*", "latest", "v1", "/^v/", "!v2", "!latest", "stable")),
    min_size=1,
    max_size=3,
).map(Patterns.parse)

DURATIONS = st.sampled_from(("0s", "1h", "2d", "30d", "3 months")).map(Duration.parse)


@st.composite
def filters(draw: st.DrawFn) -> Filter:
    """Draw a delete rule's filter."""
    return Filter(
        versions=draw(st.none() | PATTERNS),
        ids=draw(st.none() | st.frozensets(st.integers(1, 14), max_size=4)),
        tag_status=draw(st.none() | st.sampled_from(TagStatus)),
        older_than=draw(st.none() | DURATIONS),
        damaged=draw(st.just(frozenset[Damage]()) | st.frozensets(st.sampled_from(Damage), max_size=2)),
    )


RETENTIONS = st.builds(
    Retention,
    minimum=st.integers(0, 3),
    per=st.none() | st.sampled_from(Series),
    order_by=st.sampled_from(OrderBy),
)


@st.composite
def delete_rules(draw: st.DrawFn) -> Rule:
    """Draw a delete rule."""
    return Rule("a rule", draw(filters()), draw(RETENTIONS), draw(st.none() | PATTERNS))


@st.composite
def keep_rules(draw: st.DrawFn) -> Rule:
    """Draw a keep rule."""
    condition = Filter(versions=draw(st.none() | PATTERNS), newer_than=draw(st.none() | DURATIONS))
    return Rule("a keep rule", condition, draw(RETENTIONS))


@st.composite
def package_rules(draw: st.DrawFn, limited: bool = True) -> PackageRules:
    """Draw the rules of one package."""
    return PackageRules(
        PackageType.CONTAINER,
        Patterns.parse("app"),
        delete=tuple(draw(st.lists(delete_rules(), min_size=1, max_size=2))),
        keep=tuple(draw(st.lists(keep_rules(), max_size=2))),
        exclude=draw(st.none() | PATTERNS),
        limit=draw(st.none() | st.integers(0, 4)) if limited else None,
    )
