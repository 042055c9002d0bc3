"""What a package holds: what each of its versions is, how many bytes deletions free, and the inventory of a list."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from package_retention.decide.due_dates import Schedule
from package_retention.decide.facts import Facts, by_age
from package_retention.decide.graph import (
    COSIGN_KINDS,
    Graph,
    build,
    closure,
    damage,
    derived_subject,
    described,
    inverse,
    is_attestation,
)
from package_retention.decide.rules import Filter, PackageRules
from package_retention.model import (
    RESTORE_WINDOW,
    Content,
    Decision,
    Manifest,
    PackageType,
    Plan,
    Reading,
    Version,
)
from package_retention.results import DeletedVersion, Entry, Inventory, Referrer

ATTESTATION = "attestation"
REFERRERS = "list of referrers"


class Space(Struct, frozen=True):
    """Bytes; `exact` is `False` if a manifest was not read, so that they are only about right.

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
    children = described(facts.readings.values())
    # What indexes call their children: a platform, or an attestation.
    called = {child.digest: ATTESTATION if is_attestation(child) else child.platform for child in children}
    return {
        version.id: _content(version, facts.readings.get(version.name), called.get(version.name, ""))
        for version in facts.union
    }


def _content(version: Version, reading: Reading | None, called: str) -> Content:
    manifest = reading if isinstance(reading, Manifest) else None
    kind = _tag_kind(version) or called
    if not kind and manifest and manifest.subject is not None:
        kind = ATTESTATION if manifest.predicates else _artifact_kind(manifest.artifact_type)
    return Content(kind, manifest.blobs if manifest else None)


def _tag_kind(version: Version) -> str:
    """Return what a version is by its derived tag, if it has one."""
    derived = next((tag for tag in version.tags if derived_subject(tag)), None)
    if derived is None:
        return ""
    cosign = (f"cosign {kind}" for suffix, kind in COSIGN_KINDS.items() if derived.endswith(suffix))
    return next(cosign, REFERRERS)


def _artifact_kind(artifact_type: str) -> str:
    """Return what an artifact type stands for if it is one of those in wide use; else the type itself."""
    known = {
        "application/vnd.dev.sigstore.bundle": "signature",
        "application/vnd.dev.cosign": "signature",
        "application/vnd.cncf.notary": "signature",
        "application/vnd.in-toto": ATTESTATION,
        "application/spdx": "SBOM",
        "application/vnd.cyclonedx": "SBOM",
    }
    return next((kind for start, kind in known.items() if artifact_type.startswith(start)), artifact_type)


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


def says_which(rules: PackageRules) -> bool:
    """Return whether rules choose among versions: a rule of the inputs without any filter only names the package."""
    chosen = any(rule.filter != Filter() or rule.retention.minimum for rule in rules.delete)
    return chosen or rules.limit is not None or bool(rules.keep)


def inventory(
    facts: Facts,
    plan: Plan,
    now: datetime,
    scheduled: Schedule | None = None,
    *,
    readings: Mapping[str, Reading],
    deleted: Sequence[Version] | None = None,
    conflicts: tuple[str, ...] | None = None,
) -> Inventory:
    """Return what is there; `plan` is what a deletion now would do, `scheduled` what later ones would (`None`: no rules).

    `readings` hold every manifest of the package, those of children that no decision needs included. `deleted` is
    `None` if GitHub returned no list, and so are `conflicts`. Nothing is decided by these three.
    """
    entries = {decision.version.id: _entry(decision, scheduled) for decision in plan.decisions}
    is_container = facts.package.type is PackageType.CONTAINER
    shown = _images(facts, readings, entries) if is_container else entries.values()
    return Inventory(
        facts.package,
        now,
        entries=tuple(sorted(shown, key=lambda entry: by_age(entry.version), reverse=True)),
        versions=len(facts.union),
        judged=scheduled is not None,
        size_bytes=occupied(readings.get(version.name) for version in facts.union),
        deleted=None if deleted is None else _deleted(deleted),
        conflicts=conflicts,
    )


def _entry(decision: Decision, scheduled: Schedule | None) -> Entry:
    """Return an entry without what is known from manifests."""
    entry = Entry(decision.version, decision.reason, selected=decision.selected)
    if decision.selected or scheduled is None:
        return entry
    i = decision.version.id
    return replace(entry, due=scheduled.dues.get(i), stays=scheduled.stays.get(i))


def _images(facts: Facts, readings: Mapping[str, Reading], entries: Mapping[int, Entry]) -> list[Entry]:
    """Return an entry for each image; what a circle of manifests hides from every root has one of its own."""
    graph = build(facts.union, facts.readings)
    inside = closure(graph.units, graph.follows)
    hidden = (digest for digest in graph.nodes if digest not in inside)
    named_by = inverse(graph.names)
    return [
        replace(
            _image(graph, digest, readings, entries[graph.nodes[digest].id]),
            damage=damage(graph, digest, facts.confirmed),
            named_by=tuple(graph.nodes[index].id for index in named_by.get(digest, ())),
        )
        for digest in (*graph.units, *hidden)
    ]


def _image(graph: Graph, digest: str, readings: Mapping[str, Reading], entry: Entry) -> Entry:
    """Return an entry with all that belongs to its image."""
    members = tuple(closure((digest,), graph.follows))
    manifests = (graph.manifests[member] for member in members if member in graph.manifests)
    children = dict.fromkeys(child for manifest in manifests for child in manifest.children)
    platforms = (c.platform for c in children if c.platform and not is_attestation(c))
    referrers = dict.fromkeys(one for member in members for one in graph.referrers.get(member, ()))
    return replace(
        entry,
        members=tuple(graph.nodes[member].id for member in members),
        platforms=tuple(dict.fromkeys(platforms)),
        attestations=sum(1 for child in children if is_attestation(child)),
        size_bytes=occupied(readings.get(member) for member in members),
        referrers=tuple(_referrer(graph.nodes[one], readings.get(one)) for one in referrers),
    )


def _referrer(version: Version, reading: Reading | None) -> Referrer:
    reported = reading.artifact_type if isinstance(reading, Manifest) else ""
    return Referrer(version.id, version.name, _tag_kind(version) or _artifact_kind(reported) or "referrer")


def _deleted(versions: Iterable[Version]) -> tuple[DeletedVersion, ...]:
    """Return the deleted versions, the latest deletion first."""
    reported = [DeletedVersion(v, v.deleted_at + RESTORE_WINDOW if v.deleted_at else None) for v in versions]
    return tuple(
        sorted(reported, key=lambda one: (one.until is not None, one.until, one.version.id), reverse=True)
    )
