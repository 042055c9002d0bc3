"""Whether a container package is whole: an oracle of its own, written from the manifests' bytes without the graph."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from emulator.stored import StoredPackage

_DERIVED = re.compile(r"(sha256)-([0-9a-f]{64})(\.sig|\.att|\.sbom)?")
_MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)


def named_by(body: bytes | None) -> set[str]:
    """The digests of the manifests that an index names."""
    entries = _document(body).get("manifests")
    found = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    return {
        entry["digest"]
        for entry in found
        if entry.get("mediaType") in _MANIFESTS and isinstance(entry.get("digest"), str)
    }


def referred_by(body: bytes | None, tags: Iterable[str]) -> set[str]:
    """The digests that a manifest refers to: as its subject, or by digest-derived tags."""
    found = {f"{match[1]}:{match[2]}" for tag in tags if (match := _DERIVED.fullmatch(tag))}
    subject = _document(body).get("subject")
    if isinstance(subject, dict) and isinstance(subject.get("digest"), str):
        found.add(subject["digest"])
    return found


def members(package: StoredPackage, digest: str) -> set[str]:
    """Everything that an image has in the package as it stands: children and referrers, to any depth, itself too."""
    active = {version.name: version for version in package.active()}
    edges: dict[str, set[str]] = {name: named_by(one.manifest) for name, one in active.items()}
    for name, one in active.items():
        for subject in referred_by(one.manifest, one.tags):
            edges.setdefault(subject, set()).add(name)
    found, waiting = set[str](), [digest]
    while waiting:
        name = waiting.pop()
        if name in active and name not in found:
            found.add(name)
            waiting += edges.get(name, ())
    return found


def losses(before: Mapping[str, set[str]], package: StoredPackage) -> dict[str, set[str]]:
    """What each manifest that is still there has lost of what it had before (see `holdings`).

    An attestation is no loss where another one stays that says the same kinds of things about the same subject: a
    rebuild from cache shares its platforms with the build before it, and has attestations of its own.
    """
    active = {version.name for version in package.active()}
    statements = {version.name: _attested(version.manifest) for version in package.versions.values()}
    said = {statements[name] for name in active} - {None}
    replaced = {name for name, statement in statements.items() if statement in said}
    lost = {name: held - active - replaced for name, held in before.items() if name in active}
    return {name: gone for name, gone in lost.items() if gone}


def _attested(body: bytes | None) -> tuple[str, ...] | None:
    """The subject and the predicate types of a BuildKit attestation that is an artifact."""
    document = _document(body)
    if document.get("artifactType") != "application/vnd.docker.attestation.manifest.v1+json":
        return None
    predicates = [layer["annotations"]["in-toto.io/predicate-type"] for layer in document["layers"]]
    return document["subject"]["digest"], *sorted(predicates)


def holdings(package: StoredPackage) -> dict[str, set[str]]:
    """Of every manifest that is there, all that belongs to it."""
    return {version.name: members(package, version.name) for version in package.active()}


def _document(body: bytes | None) -> dict[str, Any]:
    try:
        found = json.loads(body or b"")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
