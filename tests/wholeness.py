"""Whether a container package is whole: an oracle of its own, written from the manifests' bytes without the graph."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from emulator.stored import StoredPackage

_DERIVED = re.compile(r"(sha256)-([0-9a-f]{64})(\.sig|\.att|\.sbom)?")
_ATTESTATION = "application/vnd.docker.attestation.manifest.v1+json"


def named_by(body: bytes | None) -> set[str]:
    """The digests that an index names, whatever it calls them."""
    return {entry["digest"] for entry in _entries(body) if isinstance(entry.get("digest"), str)}


def _entries(body: bytes | None) -> list[dict[str, Any]]:
    entries = _document(body).get("manifests")
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def referred_by(body: bytes | None, tags: Iterable[str]) -> set[str]:
    """The digests that a manifest refers to: as its subject, or by digest-derived tags."""
    found = {f"{match[1]}:{match[2]}" for tag in tags if (match := _DERIVED.fullmatch(tag))}
    subject = _document(body).get("subject")
    if isinstance(subject, dict) and isinstance(subject.get("digest"), str):
        found.add(subject["digest"])
    return found


def losses(before: Mapping[str, set[str]], package: StoredPackage) -> dict[str, set[str]]:
    """What each manifest that is still there has lost of what it had before (see `holdings`).

    A platform may lose an attestation that an index listed, where another of the same kind is there; an index may not.
    """
    active = {version.name: version for version in package.active()}
    spared = set().union(*(before.get(name, {name}) for name in _replaced(package))) - active.keys()
    lost = {
        name: (held - active.keys() - spared)
        | (named_by(active[name].manifest) & before.keys() - active.keys())
        for name, held in before.items()
        if name in active
    }
    return {name: gone for name, gone in lost.items() if gone}


def _replaced(package: StoredPackage) -> set[str]:
    """Untagged attestations that are gone, and of whose subject another one says as much."""
    listed = {
        entry["digest"]
        for version in package.versions.values()
        for entry in _entries(version.manifest)
        if entry.get("artifactType") == _ATTESTATION
        or (entry.get("annotations") or {}).get("vnd.docker.reference.type") == "attestation-manifest"
    }
    there = {_statement(version.manifest) for version in package.active()}
    gone = (version for version in package.versions.values() if version.deleted_at and version.name in listed)
    return {version.name for version in gone if all(said := _statement(version.manifest)) and said in there}


def _statement(body: bytes | None) -> tuple[str, frozenset[str]]:
    """What an attestation is of, and the types of what it says."""
    document = _document(body)
    layers = document.get("layers")
    annotations = [layer.get("annotations") or {} for layer in layers] if isinstance(layers, list) else []
    types = frozenset(found for one in annotations if (found := one.get("in-toto.io/predicate-type")))
    subject = document.get("subject")
    return (subject.get("digest", "") if isinstance(subject, dict) else ""), types


def holdings(package: StoredPackage) -> dict[str, set[str]]:
    """Of every manifest that is there, all that belongs to it: children and referrers, to any depth, itself too."""
    edges = {version.name: named_by(version.manifest) for version in package.active()}
    there = frozenset(edges)
    for version in package.active():
        for subject in referred_by(version.manifest, version.tags):
            edges.setdefault(subject, set()).add(version.name)
    return {name: _reached(name, edges, there) for name in there}


def _reached(digest: str, edges: Mapping[str, set[str]], there: frozenset[str]) -> set[str]:
    found, waiting = set[str](), [digest]
    while waiting:
        name = waiting.pop()
        if name in there and name not in found:
            found.add(name)
            waiting += edges.get(name, ())
    return found


def _document(body: bytes | None) -> dict[str, Any]:
    try:
        found = json.loads(body or b"")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
