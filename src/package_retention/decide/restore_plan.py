"""The plan of a restore: which deleted versions come back, and which had better not."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from package_retention.decide.dependencies import flat
from package_retention.decide.facts import by_age, oldest_first
from package_retention.decide.graph import derived_subject
from package_retention.decide.selection import choose, restrict
from package_retention.model import Decision, Plan, Step, StepKind
from package_retention.reason import (
    NOT_DELETED_THERE,
    Finding,
    FindingCode,
    Reason,
    ReasonCode,
    ReasonDetail,
    over_limit,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from package_retention.decide.matching import VersionParser
    from package_retention.decide.rules import PackageRules
    from package_retention.decide.selection import Selection
    from package_retention.model import Package, Version

# Facts A4: within 30 days, and only while the name is not in use again.
WINDOW = timedelta(days=30)
_EXPIRED = Reason(ReasonCode.EXPIRED)
_TAG_MOVED = Reason(ReasonCode.TAG_MOVED)
_BY_REPORT = Reason(ReasonCode.SELECTED, ReasonDetail.BY_REPORT)
_NAME_USED = Reason(ReasonCode.TAG_MOVED, ReasonDetail.NAME_IN_USE)
_OLDER_TWIN = Reason(ReasonCode.TAG_MOVED, ReasonDetail.DELETED_LATER)


def restore_plan(
    package: Package,
    deleted: Sequence[Version],
    active: Sequence[Version],
    rules: PackageRules,
    parser: VersionParser,
    now: datetime,
    reported: frozenset[int] | None = None,
) -> Plan:
    """Decide every deleted version; `active` are the versions that are there, for names and tags in use again.

    `reported` are the only ids that may come back, where a report names them.
    """
    selections = choose(flat(tuple(deleted), package.type), rules, parser, now, restore=True)
    by_id = {i for rule in rules.delete for i in rule.filter.ids or ()}
    if reported is not None:
        selections = restrict(selections, reported, NOT_DELETED_THERE)
        by_id |= reported
    selected = [c.candidate.version for c in selections.values() if c.selected]
    reasons = _refused(selected, active, by_id, now)
    chosen = oldest_first(v for v in selected if v.id not in reasons)
    if rules.limit is not None:
        reasons |= {v.id: over_limit(rules.limit) for v in chosen[rules.limit :]}
        chosen = chosen[: rules.limit]
    return Plan(
        package,
        decisions=tuple(
            Decision(
                c.candidate.version,
                selected=c.selected and i not in reasons,
                reason=reasons.get(i, _BY_REPORT if reported and _unfiltered(c) else c.reason),
                root=i if package.type.has_tags else None,
            )
            for i, c in selections.items()
        ),
        steps=restore_steps(package, chosen),
        warnings=_absent(rules, deleted, active),
    )


def _unfiltered(selection: Selection) -> bool:
    """Whether a rule without any condition selects a version: then the report alone chooses."""
    return selection.selected and not selection.reason.rule


def restore_steps(package: Package, versions: Iterable[Version]) -> tuple[Step, ...]:
    """One step a version, in the order given."""
    return tuple(Step(StepKind.RESTORE_VERSION, package, v, root=v.id) for v in versions)


def retag_steps(
    package: Package, active: Iterable[Version], tags: Mapping[int, tuple[str, ...]]
) -> tuple[Step, ...]:
    """One step for each version that gets tags back, by its id."""
    there = {version.id: version for version in active}
    return tuple(Step(StepKind.RETAG, package, there[i], tags=lost, root=i) for i, lost in tags.items())


def missing_parts(parts: Sequence[Version]) -> tuple[Finding, ...]:
    """The warning where an image came back without what somebody else had deleted."""
    ids = tuple(str(version.id) for version in parts[:20])
    return (Finding(FindingCode.PARTS_DELETED, number=len(parts), names=ids),) if parts else ()


def _refused(
    selected: Sequence[Version], active: Sequence[Version], by_id: set[int], now: datetime
) -> dict[int, Reason]:
    """What stays deleted although the filter selects it."""
    names = {version.name for version in active}
    tags = {tag for version in active for tag in version.tags}
    reasons: dict[int, Reason] = {}
    newest: dict[str, Version] = {}
    for version in sorted(selected, key=_deletion, reverse=True):
        texts = {version.name, *version.tags}
        if version.deleted_at is not None and version.deleted_at < now - WINDOW:
            reasons[version.id] = _EXPIRED
        elif version.name in names:
            reasons[version.id] = _NAME_USED
        elif version.id not in by_id and tags.intersection(version.tags):
            reasons[version.id] = _TAG_MOVED
        elif version.id not in by_id and any(text in newest for text in texts):
            reasons[version.id] = _OLDER_TWIN
        else:
            newest |= dict.fromkeys(texts, version)
    return reasons


def _deletion(version: Version) -> tuple[float, int]:
    return (version.deleted_at.timestamp() if version.deleted_at else 0.0, by_age(version)[1])


def _absent(
    rules: PackageRules, deleted: Sequence[Version], active: Sequence[Version]
) -> tuple[Finding, ...]:
    asked = {i for rule in rules.delete for i in rule.filter.ids or ()}
    there = {version.id for version in active}
    gone = {version.id for version in deleted}
    here, nowhere = FindingCode.ID_NOT_DELETED, FindingCode.ID_NOT_AMONG_DELETED
    return tuple(Finding(here if i in there else nowhere, number=i) for i in sorted(asked - gone))


def followers(
    deleted: Sequence[Version],
    restored: Iterable[str],
    named: Iterable[str],
    excluded: Iterable[int] = (),
    parts: Iterable[int] = (),
) -> list[Version]:
    """Return what a restored image brings back with it, of the versions that are still deleted.

    `restored` are digests that came back, `named` what their manifests (and the referrers API) name. Referrers are
    known by their digest-derived tags, and by a report: `parts` are the ids that it counts among those images.
    """
    wanted, subjects, out, known = set(named), set(restored), set(excluded), set(parts)
    found = [
        version
        for version in deleted
        if version.id not in out
        and (
            version.name in wanted
            or version.id in known
            or any(derived_subject(tag) in subjects for tag in version.tags)
        )
    ]
    latest = {version.name: version for version in sorted(found, key=_deletion)}
    return oldest_first(latest.values())
