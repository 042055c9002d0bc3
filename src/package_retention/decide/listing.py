"""What there is in a package, and when it will go: facts and decisions, told as an inventory."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from package_retention.decide.contents import artifact_words, occupied, tag_kind
from package_retention.decide.facts import by_age
from package_retention.decide.graph import build, closure, damage, derived_subject, is_attestation
from package_retention.decide.restore_plan import WINDOW
from package_retention.decide.rules import Filter
from package_retention.model import Manifest, PackageType
from package_retention.results import DeletedVersion, Entry, Inventory, Referrer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from package_retention.decide.due_dates import Schedule
    from package_retention.decide.facts import Facts
    from package_retention.decide.graph import Graph
    from package_retention.decide.rules import PackageRules
    from package_retention.model import Decision, Plan, Reading, Version


@dataclass(frozen=True, slots=True)
class Found:
    """What was found beside the facts that decisions rest on; all of it is told, and nothing is decided by it.

    `readings` hold every manifest of the package, those of children that no decision needs included. `deleted` is
    `None` where GitHub gave no list, and so are `conflicts`.
    """

    readings: Mapping[str, Reading] = field(default_factory=dict)
    deleted: Sequence[Version] | None = None
    conflicts: tuple[str, ...] | None = None


def says_which(rules: PackageRules) -> bool:
    """Whether rules choose among versions: a rule of the inputs without any filter only names the package."""
    chosen = any(rule.filter != Filter() or rule.retention.minimum for rule in rules.delete)
    return chosen or rules.limit is not None or bool(rules.keep)


def inventory(
    facts: Facts, plan: Plan, found: Found, now: datetime, scheduled: Schedule | None = None
) -> Inventory:
    """Tell what is there; `plan` is what a deletion now would do, `scheduled` what later ones would (`None`: no rules)."""
    judged = _Judged({d.version.id: d for d in plan.decisions}, scheduled)
    if facts.package.type is PackageType.CONTAINER:
        entries = _images(facts, found.readings, judged)
    else:
        entries = [judged.entry(version) for version in facts.union]
    return Inventory(
        facts.package,
        now,
        entries=tuple(sorted(entries, key=lambda entry: by_age(entry.version), reverse=True)),
        versions=len(facts.union),
        judged=scheduled is not None,
        size=occupied(found.readings.get(version.name) for version in facts.union),
        deleted=None if found.deleted is None else _deleted(found.deleted),
        conflicts=found.conflicts,
    )


@dataclass(frozen=True, slots=True)
class _Judged:
    """What was decided of each version, and what will be."""

    decisions: Mapping[int, Decision]
    scheduled: Schedule | None

    def entry(self, version: Version) -> Entry:
        """An entry without what manifests tell."""
        decision = self.decisions[version.id]
        plain = Entry(version, decision.reason, selected=decision.selected)
        if decision.selected or self.scheduled is None:
            return plain
        scheduled = self.scheduled
        return replace(plain, due=scheduled.dues.get(version.id), stays=scheduled.stays.get(version.id))


def _images(facts: Facts, readings: Mapping[str, Reading], judged: _Judged) -> list[Entry]:
    """One entry for each image; what a circle of manifests hides from every root has one of its own."""
    graph = build(facts.union, facts.readings)
    named_by: dict[str, list[int]] = {}
    for index, children in graph.names.items():
        for child in children:
            named_by.setdefault(child, []).append(graph.nodes[index].id)
    inside = closure(graph.units, graph.follows)
    hidden = (digest for digest in graph.nodes if digest not in inside)
    return [
        _image(graph, digest, facts, readings, judged, tuple(named_by.get(digest, ())))
        for digest in (*graph.units, *hidden)
    ]


def _image(
    graph: Graph,
    digest: str,
    facts: Facts,
    readings: Mapping[str, Reading],
    judged: _Judged,
    named_by: tuple[int, ...],
) -> Entry:
    plain = judged.entry(graph.nodes[digest])
    members = tuple(closure((digest,), graph.follows))
    manifests = [m for d in members if isinstance(m := graph.readings.get(d), Manifest)]
    children = dict.fromkeys(child for manifest in manifests for child in manifest.children)
    platforms = (c.platform for c in children if c.platform and not is_attestation(c))
    referrers = (referrer for member in members for referrer in graph.referrers.get(member, ()))
    return replace(
        plain,
        members=tuple(graph.nodes[d].id for d in members),
        platforms=tuple(dict.fromkeys(platforms)),
        attestations=sum(1 for child in children if is_attestation(child)),
        size=occupied(readings.get(digest) for digest in members),
        damage=damage(graph, digest, facts.confirmed) or "",
        referrers=tuple(_referrer(graph.nodes[d], readings.get(d)) for d in dict.fromkeys(referrers)),
        named_by=named_by,
    )


def _referrer(version: Version, reading: Reading | None) -> Referrer:
    kind = next((tag_kind(tag) for tag in version.tags if derived_subject(tag)), "")
    reported = reading.artifact_type if isinstance(reading, Manifest) else ""
    return Referrer(version.id, version.name, kind or artifact_words(reported) or "referrer")


def _deleted(versions: Iterable[Version]) -> tuple[DeletedVersion, ...]:
    """Deleted versions, the latest deletion first."""
    reported = [DeletedVersion(v, v.deleted_at + WINDOW if v.deleted_at else None) for v in versions]
    return tuple(
        sorted(reported, key=lambda one: (one.until is not None, one.until, one.version.id), reverse=True)
    )
