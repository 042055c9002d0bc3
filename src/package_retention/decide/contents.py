"""What the versions of a container package are and hold, and how many bytes would be free without some of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from package_retention.decide.graph import derived_subject, is_attestation
from package_retention.model import Content, Manifest, PackageType

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from package_retention.decide.facts import Facts
    from package_retention.model import Reading, Version

ATTESTATION = "attestation"
REFERRERS = "list of referrers"
_TAG_KINDS = {".sig": "cosign signature", ".att": "cosign attestation", ".sbom": "cosign SBOM"}


@dataclass(frozen=True, slots=True)
class Space:
    """Bytes; `exact` is `False` where a manifest was not read, so that they are only about right.

    `unread` counts the versions that go whose manifests were not read: of those, nothing is counted.
    """

    size: int = 0
    exact: bool = True
    unread: int = 0

    def __add__(self, other: Space) -> Space:
        """Return both together, exact if each is."""
        return Space(self.size + other.size, self.exact and other.exact, self.unread + other.unread)


def contents(facts: Facts) -> dict[int, Content]:
    """Return what each version of a container package is in its image, and holds, as far as manifests were read."""
    if facts.package.type is not PackageType.CONTAINER:
        return {}
    parts = _described(facts.readings.values())
    return {
        version.id: Content(
            _tagged(version) or parts.get(version.name, "") or _referring(facts.readings.get(version.name)),
            _blobs(facts.readings.get(version.name)),
        )
        for version in facts.union
    }


def freed(known: Mapping[int, Content], going: Collection[int]) -> Space:
    """Return the size of the layers and configs that nothing refers to without `going`; shared ones count once."""
    if not going:
        return Space()
    staying = {digest for i, one in known.items() if i not in going for digest, _ in one.blobs or ()}
    gone = {
        digest: size
        for i in going
        if i in known
        for digest, size in known[i].blobs or ()
        if digest not in staying
    }
    unread = sum(1 for i in going if i in known and known[i].blobs is None)
    return Space(sum(gone.values()), all(one.blobs is not None for one in known.values()), unread)


def occupied(readings: Iterable[Reading | None]) -> int | None:
    """Return the size of the layers and configs of some manifests, shared ones once; `None` unless each was read."""
    found: dict[str, int] = {}
    manifests = tuple(readings)
    for manifest in manifests:
        if not isinstance(manifest, Manifest):
            return None
        found |= manifest.blobs
    return sum(found.values()) if manifests else None


def _described(readings: Iterable[Reading]) -> dict[str, str]:
    """What indexes call their children: a platform, or an attestation."""
    return {
        child.digest: ATTESTATION if is_attestation(child) else child.platform
        for reading in readings
        if isinstance(reading, Manifest)
        for child in reading.children
    }


def _tagged(version: Version) -> str:
    """What a derived tag says that its version is."""
    derived = next((tag for tag in version.tags if derived_subject(tag)), "")
    return tag_kind(derived) if derived else ""


def tag_kind(tag: str) -> str:
    """Return what a tag that is derived from a digest marks."""
    return next((kind for suffix, kind in _TAG_KINDS.items() if tag.endswith(suffix)), REFERRERS)


def _referring(reading: Reading | None) -> str:
    """What a manifest with a subject is, by its artifact type."""
    if not isinstance(reading, Manifest) or reading.subject is None:
        return ""
    return ATTESTATION if reading.predicates else artifact_words(reading.artifact_type)


def artifact_words(artifact_type: str) -> str:
    """Return what an artifact type stands for, where it is one of those in wide use; else the type itself."""
    known = {
        "application/vnd.dev.sigstore.bundle": "signature",
        "application/vnd.dev.cosign": "signature",
        "application/vnd.cncf.notary": "signature",
        "application/vnd.in-toto": ATTESTATION,
        "application/spdx": "SBOM",
        "application/vnd.cyclonedx": "SBOM",
    }
    return next((kind for start, kind in known.items() if artifact_type.startswith(start)), artifact_type)


def _blobs(reading: Reading | None) -> tuple[tuple[str, int], ...] | None:
    return reading.blobs if isinstance(reading, Manifest) else None
