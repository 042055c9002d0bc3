"""What the bytes of a manifest and its tags say, read without any of the action's code."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from emulator.stored import StoredPackage

_DERIVED = re.compile(r"sha256-(?P<hex>[0-9a-f]{64})(?P<suffix>\.sig|\.att|\.sbom)?")
_ATTESTATION_TYPE = "application/vnd.docker.attestation.manifest.v1+json"
_MANIFEST_TYPES = re.compile(r"application/vnd\.(oci|docker)\..*(manifest|index)[^/]*\+json")


@dataclass(frozen=True, slots=True)
class Entry:
    """A descriptor in an index; `attests`: its annotation or artifact type says that it is an attestation."""

    digest: str
    media_type: str
    attests: bool

    @property
    def is_manifest(self) -> bool:
        return bool(_MANIFEST_TYPES.fullmatch(self.media_type))


@dataclass(frozen=True, slots=True)
class Row:
    """One active version of a container package, as it was at some moment; `body` is None where the registry lost it."""

    id: int
    digest: str
    tags: frozenset[str]
    created: datetime
    updated: datetime
    body: bytes | None

    @property
    def later(self) -> datetime:
        return max(self.created, self.updated)

    @property
    def own_tags(self) -> frozenset[str]:
        return frozenset(tag for tag in self.tags if not _DERIVED.fullmatch(tag))

    @property
    def derived_tags(self) -> frozenset[str]:
        return self.tags - self.own_tags

    @property
    def document(self) -> dict[str, Any]:
        try:
            found = json.loads(self.body or b"")
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def entries(self) -> tuple[Entry, ...]:
        listed = self.document.get("manifests")
        return (
            tuple(_entry(one) for one in listed if isinstance(one, dict)) if isinstance(listed, list) else ()
        )

    @property
    def is_index(self) -> bool:
        return "manifests" in self.document

    @property
    def subject(self) -> str:
        """The OCI subject, or ''."""
        subject = self.document.get("subject")
        return str(subject.get("digest", "")) if isinstance(subject, dict) else ""

    @property
    def subjects(self) -> frozenset[str]:
        """What it refers to, by its subject and by its derived tags."""
        found = {f"sha256:{match['hex']}" for tag in self.tags if (match := _DERIVED.fullmatch(tag))}
        return frozenset(found | ({self.subject} if self.subject else set()))

    @property
    def says_attestation(self) -> bool:
        return self.document.get("artifactType") == _ATTESTATION_TYPE

    @property
    def predicates(self) -> frozenset[str]:
        layers = self.document.get("layers")
        found = [one.get("annotations", {}) for one in layers or () if isinstance(one, dict)]
        return frozenset(
            str(one["in-toto.io/predicate-type"]) for one in found if "in-toto.io/predicate-type" in one
        )

    @property
    def looks_like_an_image(self) -> bool:
        """It has layers, all of an image's media types: a content hash as its tag makes it no signature."""
        layers = self.document.get("layers") or ()
        return bool(layers) and all(
            "layer" in one["mediaType"] or "rootfs" in one["mediaType"] for one in layers
        )

    @property
    def hash_tags(self) -> frozenset[str]:
        """Its tags of the form `sha256-<64 hex>`, without a suffix."""
        return frozenset(t for t in self.tags if (m := _DERIVED.fullmatch(t)) and not m["suffix"])


def _entry(one: dict[str, Any]) -> Entry:
    annotations = one.get("annotations") or {}
    kind = annotations.get("vnd.docker.reference.type") if isinstance(annotations, dict) else None
    attests = kind == "attestation-manifest" or one.get("artifactType") == _ATTESTATION_TYPE
    return Entry(str(one.get("digest", "")), str(one.get("mediaType", "")), attests)


def rows_of(package: StoredPackage) -> tuple[Row, ...]:
    """What a list of the package shows now."""
    if package.deleted_at is not None:
        return ()
    return tuple(
        Row(one.id, one.name, frozenset(one.tags), one.created_at, one.updated_at, one.manifest)
        for one in package.active()
        if not one.unlisted
    )


def is_derived(tag: str) -> bool:
    return bool(_DERIVED.fullmatch(tag))


def digests(rows: Iterable[Row]) -> set[str]:
    return {one.digest for one in rows}
