"""Make the plan of a restore: which deleted versions come back, and which lost tags are put back.

A report may be forged, so the step's own inputs decide which of its tags are put back, and on what.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace

from package_retention.decide.candidates import LATEST, Candidate, flat, is_companion
from package_retention.decide.facts import oldest_first
from package_retention.decide.graph import derived_subject, derived_subjects, own_tags
from package_retention.decide.matching import Verdict, excluded, judge
from package_retention.decide.rules import DecisionContext, named_ids
from package_retention.decide.selection import Selection, choose, cut, restrict
from package_retention.model import RESTORE_WINDOW, Decision, Package, Plan, Step, StepKind, Version
from package_retention.reason import Finding, FindingCode, Reason, ReasonCode, ReasonDetail

_NOT_DELETED_THERE = Reason(ReasonCode.NOT_IN_REPORT, ReasonDetail.NOT_DELETED)


def restore_plan(
    package: Package,
    deleted: Sequence[Version],
    active: Sequence[Version],
    context: DecisionContext,
    reported: Collection[int] | None = None,
) -> Plan:
    """Decide every deleted version; `active` are the versions that are there, for names and tags in use again.

    `reported` are the ids that alone may come back, if a report names them.
    """
    rules, by_report = context.rules, Reason(ReasonCode.SELECTED, ReasonDetail.BY_REPORT)
    selections = choose(flat(tuple(deleted), package.type), context, restore=True)
    named = by_id = named_ids(rules.delete)
    if reported is not None:
        selections = restrict(selections, reported, _NOT_DELETED_THERE)
        by_id = named.union(reported)
    selected = [one.candidate.version for one in selections.values() if one.selected]
    reasons = _refused(selected, active, by_id, context.now)
    chosen, late = cut(oldest_first(v for v in selected if v.id not in reasons), rules.limit)
    reasons |= late
    return Plan(
        package,
        decisions=tuple(
            Decision(
                one.candidate.version,
                selected=one.selected and i not in reasons,
                reason=reasons.get(i, by_report if reported and _unfiltered(one) else one.reason),
                root=i if package.type.has_tags else None,
            )
            for i, one in selections.items()
        ),
        steps=restore_steps(package, chosen),
        warnings=_absent(named, deleted, active),
    )


def _unfiltered(selection: Selection) -> bool:
    """Return whether a rule without any condition selects a version: then the report alone chooses."""
    return selection.selected and not selection.reason.rule


def restore_steps(package: Package, versions: Iterable[Version]) -> tuple[Step, ...]:
    """Return a step for each version, in the same order."""
    return tuple(Step(StepKind.RESTORE_VERSION, package, v, root=v.id) for v in versions)


def _refused(
    selected: Sequence[Version], active: Sequence[Version], by_id: set[int], now: datetime
) -> dict[int, Reason]:
    """Return what stays deleted although the filter selects it, with the reasons."""
    names = {version.name for version in active}
    tags = {tag for version in active for tag in version.tags}
    reasons: dict[int, Reason] = {}
    newer: set[str] = set()
    for version in sorted(selected, key=_deletion, reverse=True):
        texts = {version.name, *version.tags}
        if version.deleted_at is not None and version.deleted_at < now - RESTORE_WINDOW:
            reasons[version.id] = Reason(ReasonCode.EXPIRED)
        elif version.name in names:
            reasons[version.id] = Reason(ReasonCode.TAG_MOVED, ReasonDetail.NAME_IN_USE)
        elif version.id not in by_id and tags.intersection(version.tags):
            reasons[version.id] = Reason(ReasonCode.TAG_MOVED)
        elif version.id not in by_id and not texts.isdisjoint(newer):
            reasons[version.id] = Reason(ReasonCode.TAG_MOVED, ReasonDetail.DELETED_LATER)
        else:
            newer |= texts
    return reasons


def _deletion(version: Version) -> tuple[float, int]:
    return (version.deleted_at.timestamp() if version.deleted_at else 0.0, version.id)


def _absent(named: set[int], deleted: Sequence[Version], active: Sequence[Version]) -> tuple[Finding, ...]:
    """Return a warning for each id that is not among the deleted versions."""
    there = {version.id for version in active}
    here, nowhere = FindingCode.ID_NOT_DELETED, FindingCode.ID_NOT_AMONG_DELETED
    absent = sorted(named - {version.id for version in deleted})
    return tuple(Finding(here if i in there else nowhere, number=i) for i in absent)


def followers(
    deleted: Sequence[Version],
    restored: Iterable[str],
    named: Iterable[str],
    members: Iterable[int] = (),
) -> list[Version]:
    """Return what a restored image brings back with it, of the versions that are still deleted.

    `restored` are digests that came back, `named` what their manifests (and the referrers API) name. Referrers are
    known by their digest-derived tags, and by a report: `members` are the ids that it counts among those images. A tag
    of its own makes an image, which no report brings back with another one.
    """
    wanted, subjects, known = set(named), set(restored), set(members)
    found = [
        version
        for version in deleted
        if version.name in wanted
        or (version.id in known and not own_tags(version))
        or any(derived_subject(tag) in subjects for tag in version.tags)
    ]
    latest = {version.name: version for version in sorted(found, key=_deletion)}
    return oldest_first(latest.values())


def wave_plan(package: Package, versions: Sequence[Version], reported: Collection[int] | None) -> Plan:
    """Plan to bring back what follows an image; `reported` are the ids that alone may, if a report names them.

    A warning says that an image came back without what somebody else had deleted.
    """
    coming = [v for v in versions if reported is None or v.id in reported]
    others = [v for v in versions if reported is not None and v.id not in reported]
    why = Reason(ReasonCode.WITH_IMAGE, ReasonDetail.COMES_BACK)
    decisions = [Decision(v, selected=True, reason=why) for v in coming]
    decisions += [Decision(v, selected=False, reason=_NOT_DELETED_THERE) for v in others]
    ids = tuple(str(version.id) for version in others[:20])
    parts = Finding(FindingCode.PARTS_DELETED, number=len(others), names=ids)
    steps = restore_steps(package, coming)
    return Plan(package, tuple(decisions), steps, warnings=(parts,) if others else ())


class LostTags:
    """Tags that the run of a report took from versions, held against what is there now.

    `lost` are the reported versions by id, each with the tags that it lost; `roots` the image that each belongs to.
    """

    def __init__(
        self,
        lost: Mapping[int, Version],
        roots: Mapping[int, int],
        active: Iterable[Version],
        context: DecisionContext,
    ) -> None:
        self._warnings: list[Finding] = []
        self._lost = lost
        self._roots = roots
        self._active = {version.id: version for version in active}
        self._by_digest = {version.name: i for i, version in self._active.items()}
        self._context = context
        # When it was deleted is not known any more once it is back.
        self._filters = [replace(rule.filter, deleted_within=None) for rule in context.rules.delete]

    def plan(self, package: Package) -> Plan:
        """Plan a step for each version that gets tags back; warnings name what is not put back, and why.

        A tag is put back if this step's filters let that very tag through, nothing excludes the version, and no
        other version has the tag: neither in the list nor, by the report, among those that lost tags. `latest` is put
        back only if it is named, a derived tag if its subject is let through (an orphan's: if the orphan
        is), a companion with its image.
        """
        active = self._active
        there = {i: v for i, v in self._lost.items() if i in active and active[i].name == v.name}
        claims = Counter(tag for then in there.values() for tag in then.tags)
        holders = {tag: i for i, version in active.items() for tag in version.tags}
        steps = []
        for i, then in there.items():
            missing = (tag for tag in dict.fromkeys(then.tags) if holders.get(tag) != i)
            tags = tuple([tag for tag in missing if self._may_return(i, tag, claims, holders)])
            if tags:
                steps.append(Step(StepKind.RETAG, package, active[i], tags=tags, root=i))
        return Plan(package, steps=tuple(steps), warnings=tuple(dict.fromkeys(self._warnings)))

    def _may_return(self, i: int, tag: str, claims: Mapping[str, int], holders: Mapping[str, int]) -> bool:
        if not self._lets_through(i, tag):
            if tag == LATEST and self._comes_back(i, frozenset()):
                self._warnings.append(Finding(FindingCode.LATEST_NOT_NAMED))
            return False
        if tag in holders:
            self._warnings.append(Finding(FindingCode.TAG_ELSEWHERE, tag))
            return False
        if claims[tag] > 1:
            self._warnings.append(Finding(FindingCode.TAG_CLAIMED_TWICE, tag))
            return False
        return True

    def _lets_through(self, i: int, tag: str) -> bool:
        if self._is_excluded(i):
            return False
        subject = derived_subject(tag)
        if subject is None and self._is_companion(tag):
            return self._comes_back(i, frozenset())
        if subject is None:
            return self._is_selected(i, (tag,), restore=False)
        if subject in self._by_digest:
            return self._comes_back(self._by_digest[subject], frozenset({i}))
        # An orphan was deleted by itself: it has no subject that could decide. It may be as young as it likes: what
        # protects young untagged images in a deletion has no place in a restore.
        return self._roots.get(i, i) == i and self._is_selected(i, (tag,), restore=True)

    def _comes_back(self, i: int, seen: frozenset[int]) -> bool:
        """Return whether the step selects an image that is there: by a tag, else by its subject's or its root's."""
        if i in seen or i not in self._active or self._is_excluded(i):
            return False
        tags, seen = self._all_tags(i), seen | {i}
        if own := [tag for tag in tags if derived_subject(tag) is None]:
            # Where nothing but companions is left, they count as any tag.
            own = [tag for tag in own if not self._is_companion(tag)] or own
            return any(self._is_selected(i, (tag,), restore=True) for tag in own)
        above = [self._by_digest[s] for s in derived_subjects(tags) if s in self._by_digest]
        above.append(self._roots.get(i, i))  # which may be itself, and that was seen
        if any(self._comes_back(other, seen) for other in above):
            return True
        return self._is_selected(i, tags, restore=True)

    def _is_companion(self, tag: str) -> bool:
        return is_companion(tag, self._context.rules.companions, self._context.parser)

    def _all_tags(self, i: int) -> tuple[str, ...]:
        """Return the tags that a version has, and those that it lost."""
        lost = self._lost[i].tags if i in self._lost else ()
        return tuple(dict.fromkeys((*self._active[i].tags, *lost)))

    def _is_excluded(self, i: int) -> bool:
        return excluded(self._context.rules.exclude, self._candidate(i, self._all_tags(i)))

    def _is_selected(self, i: int, tags: tuple[str, ...], *, restore: bool) -> bool:
        """Return whether a filter surely matches; without `restore`, `latest` must be named as in a deletion."""
        candidate = self._candidate(i, tags)
        matches = (judge(one, candidate, self._context, restore=restore) for one in self._filters)
        return any(match.verdict is Verdict.YES for match in matches)

    def _candidate(self, i: int, tags: tuple[str, ...]) -> Candidate:
        return flat((replace(self._active[i], tags=tags),), self._context.rules.type)[0]
