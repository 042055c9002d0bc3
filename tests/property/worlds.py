"""Random container packages as values: nested and shared children, attestations, signatures, referrers, caches."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from msgspec.structs import replace

from drawing import builds
from package_retention.decide.durations import Duration
from package_retention.decide.facts import Facts
from package_retention.decide.patterns import Patterns
from package_retention.decide.rules import (
    Filter,
    OrderBy,
    PackageRules,
    Retention,
    Rule,
    Series,
    TagStatus,
)
from package_retention.model import (
    Damage,
    Descriptor,
    Manifest,
    Owner,
    OwnerKind,
    Package,
    PackageType,
    Version,
)

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
            **manifest,
        )
        return name

    def facts(self) -> Facts:
        versions = tuple(self.versions)
        return Facts(PACKAGE, versions, versions, self.readings, frozenset(self.gone), "ghcr.io/octo/app")


_KINDS = (
    *("image", "image", "index", "index", "referrer", "signature", "fallback", "cache"),
    *("attested", "rebuilt", "superseded"),
)
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
ATTESTATION = "application/vnd.docker.attestation.manifest.v1+json"
PREDICATES = (frozenset({"provenance"}), frozenset({"provenance"}), frozenset({"sbom"}), frozenset[str]())


@st.composite
def packages(draw: st.DrawFn, most: int = 14) -> Built:
    """Draw a package; tags are each on one version, children before their index."""
    built = Built()
    free = list(TAGS)
    for _ in range(draw(st.integers(1, most))):
        known = [version.name for version in built.versions]
        hours = draw(st.integers(0, 3000))
        kind = draw(st.sampled_from(_KINDS))
        tags = tuple(
            free.pop(draw(st.integers(0, len(free) - 1))) for _ in range(draw(st.integers(0, 2))) if free
        )
        if kind == "index" and known:
            children = draw(st.lists(st.sampled_from(known), max_size=4, unique=True))
            lost = [digest(10_000 + len(built.gone) + i) for i in range(draw(st.integers(0, 1)))]
            built.gone |= set(lost)
            named = [_descriptor(built, name, draw(st.sampled_from(_LOOKS))) for name in (*children, *lost)]
            built.add(hours=hours, tags=tags, **_listing(named))
        elif kind in ("attested", "rebuilt"):
            shared = draw(st.sampled_from(known)) if known and kind == "rebuilt" else None
            _attested(draw, built, hours, tags, shared)
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
            named = [Descriptor(name, IMAGE) for name in children]
            built.add(hours=hours, tags=(f"sha256-{hexadecimal}",), **_listing(named))
        elif kind == "superseded" and known:
            _signed_twice(draw, built, hours, draw(st.sampled_from(known)))
        elif kind == "cache":
            built.add(hours=hours, tags=tags, is_index=True, media_type=INDEX, layers=3)
        else:
            built.add(hours=hours, tags=tags)
    return built


_LOOKS = ("platform", "platform", "attestation", "bare", "index", "layer")


def _descriptor(built: Built, name: str, look: str) -> Descriptor:
    """How an index describes a child: with its platform, as an attestation, or as something that it is not."""
    reading = built.readings.get(name)
    media = reading.media_type if isinstance(reading, Manifest) else IMAGE
    if look == "platform" and isinstance(reading, Manifest) and reading.subject:
        # A platform has no subject; what has one may be described in any other way.
        look = "bare"
    match look:
        case "attestation" if media == IMAGE:
            return Descriptor(name, media, "unknown/unknown", "attestation-manifest")
        case "bare":
            return Descriptor(name, IMAGE)
        case "index":
            return Descriptor(name, INDEX)
        case "layer" if name in built.readings:
            return Descriptor(name, LAYER)
    return Descriptor(name, media, "linux/amd64")


def _listing(named: list[Descriptor]) -> dict[str, object]:
    """An index over these descriptors, as it is read."""
    children = tuple(one for one in named if one.media_type != LAYER)
    mentions = tuple(one.digest for one in named if one.media_type == LAYER)
    return {
        "children": children,
        "mentions": mentions,
        "layers": len(mentions),
        "is_index": True,
        "media_type": INDEX,
    }


def _attested(draw: st.DrawFn, built: Built, hours: int, tags: tuple[str, ...], shared: str | None) -> None:
    """An index over a platform, which an earlier build may have had, and an attestation as BuildKit writes it."""
    platform = shared or built.add(hours=hours)
    # Before BuildKit 0.32 an attestation had no subject, and no artifact type.
    new = draw(st.booleans())
    told: dict[str, Any] = {"subject": platform, "artifact_type": ATTESTATION} if new else {}
    proof = built.add(hours=hours, predicates=draw(st.sampled_from(PREDICATES)), **told)
    listed = Descriptor(proof, IMAGE, "unknown/unknown", "attestation-manifest")
    reading = built.readings[platform]
    assert isinstance(reading, Manifest)
    look = "bare" if reading.subject else "platform"
    built.add(hours=hours, tags=tags, **_listing([_descriptor(built, platform, look), listed]))


def _signed_twice(draw: st.DrawFn, built: Built, hours: int, subject: str) -> None:
    """Two signatures at once: each lists what it knew under the fallback tag, and the tag is on the second list."""
    bundles = [built.add(hours=hours, subject=subject, artifact_type="bundle") for _ in range(2)]
    lists = [bundles[:1], bundles if draw(st.booleans()) else bundles[1:]]
    for number, listed in enumerate(lists):
        named = [Descriptor(name, IMAGE, artifact_type="bundle") for name in listed]
        tag = (f"sha256-{subject.removeprefix('sha256:')}",) if number else ()
        built.add(hours=hours, tags=tag, **_listing(named))


PATTERNS = st.lists(
    st.sampled_from(("*", "v*", "pr-*", "1.*", "latest", "v1", "/^v/", "!v2", "!latest", "stable")),
    min_size=1,
    max_size=3,
).map(Patterns.parse)

DURATIONS = st.sampled_from(("0s", "1h", "2d", "30d", "3 months")).map(Duration.parse)


# Each of these is made once: to make strategies anew for every draw took longer than to draw.
MAYBE_PATTERNS = st.none() | PATTERNS
MAYBE_DURATION = st.none() | DURATIONS

FILTERS = builds(
    Filter,
    versions=MAYBE_PATTERNS,
    ids=st.none() | st.frozensets(st.integers(1, 14), max_size=4),
    tag_status=st.none() | st.sampled_from(TagStatus),
    older_than=MAYBE_DURATION,
    damaged=st.just(frozenset[Damage]()) | st.frozensets(st.sampled_from(Damage), max_size=2),
)
"""A delete rule's filter."""

RETENTIONS = builds(
    Retention,
    minimum=st.integers(0, 3),
    per=st.none() | st.sampled_from(Series),
    order_by=st.sampled_from(OrderBy),
)


DELETE_RULES = builds(Rule, st.just("a rule"), FILTERS, RETENTIONS, MAYBE_PATTERNS)

_CONDITIONS = builds(
    Filter,
    versions=MAYBE_PATTERNS | st.just(Patterns.parse("sha256-*")),
    ids=st.none() | st.none() | st.frozensets(st.integers(1, 14), max_size=3),
    newer_than=MAYBE_DURATION,
)
KEEP_RULES = builds(Rule, st.just("a keep rule"), _CONDITIONS, RETENTIONS)

_DELETE = st.lists(DELETE_RULES, min_size=1, max_size=2).map(tuple)
_KEEP = st.lists(KEEP_RULES, max_size=2).map(tuple)
_LIMIT = st.none() | st.integers(0, 4)


@st.composite
def package_rules(draw: st.DrawFn, limited: bool = True) -> PackageRules:
    """Draw the rules of one package."""
    return PackageRules(
        PackageType.CONTAINER,
        Patterns.parse("app"),
        delete=draw(_DELETE),
        keep=draw(_KEEP),
        exclude=draw(MAYBE_PATTERNS),
        limit=draw(_LIMIT) if limited else None,
    )
