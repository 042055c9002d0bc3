"""Which tags of a report are put back, and on what: the report may be forged, so the step's own inputs decide."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from package_retention.decide.candidates import LATEST, is_companion
from package_retention.decide.dependencies import flat
from package_retention.decide.graph import derived_subject, own_tags
from package_retention.decide.matching import Verdict, excluded, judge
from package_retention.reason import Finding, FindingCode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from package_retention.decide.candidates import Candidate
    from package_retention.decide.matching import VersionParser
    from package_retention.decide.rules import PackageRules
    from package_retention.model import Version


@dataclass(slots=True)
class LostTags:
    """Tags that the run of a report took from versions, held against what is there now.

    `lost` are the reported versions by id, each with the tags that it lost; `roots` the image that each belongs to.
    `warnings` say what is not put back, and why.
    """

    lost: Mapping[int, Version]
    roots: Mapping[int, int]
    active: Sequence[Version]
    rules: PackageRules
    parser: VersionParser
    now: datetime
    warnings: list[Finding] = field(default_factory=list)
    _here: dict[int, Version] = field(init=False)
    _by_digest: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        """Index what is there."""
        self._here = {version.id: version for version in self.active}
        self._by_digest = {version.name: version.id for version in self.active}

    def to_put_back(self) -> dict[int, tuple[str, ...]]:
        """Return the tags to put back, by the id of an active version.

        A tag is put back where this step's filters let that very tag through, nothing excludes the version, and no
        other version has the tag: neither in the list nor, by the report, among those that lost tags. `latest` is put
        back only where it is named, a derived tag where its subject is let through (an orphan's: where the orphan
        is), a companion with its image.
        """
        there = {i: then for i, then in self.lost.items() if self._is_same(i, then)}
        claims = Counter(tag for then in there.values() for tag in then.tags)
        holders = {tag: version.id for version in self.active for tag in version.tags}
        found: dict[int, tuple[str, ...]] = {}
        for i, then in there.items():
            missing = (tag for tag in dict.fromkeys(then.tags) if holders.get(tag) != i)
            tags = [tag for tag in missing if self._may_return(i, tag, claims, holders)]
            if tags:
                found[i] = tuple(tags)
        return found

    def _is_same(self, i: int, then: Version) -> bool:
        return i in self._here and self._here[i].name == then.name

    def _may_return(self, i: int, tag: str, claims: Mapping[str, int], holders: Mapping[str, int]) -> bool:
        if not self._lets_through(i, tag):
            if tag == LATEST and self._comes_back(i, frozenset()):
                self.warnings.append(Finding(FindingCode.LATEST_NOT_NAMED))
            return False
        if tag in holders:
            self.warnings.append(Finding(FindingCode.TAG_ELSEWHERE, tag))
            return False
        if claims[tag] > 1:
            self.warnings.append(Finding(FindingCode.TAG_CLAIMED_TWICE, tag))
            return False
        return True

    def _lets_through(self, i: int, tag: str) -> bool:
        version = self._with_lost(i)
        if self._is_excluded(version):
            return False
        subject = derived_subject(tag)
        if subject is None and self._is_companion(tag):
            return self._comes_back(i, frozenset())
        if subject is None:
            return self._is_selected(replace(version, tags=(tag,)), restore=False)
        if subject in self._by_digest:
            return self._comes_back(self._by_digest[subject], frozenset({i}))
        # An orphan was deleted by itself: it has no subject that could decide.
        return self.roots.get(i, i) == i and self._is_selected(replace(version, tags=(tag,)), restore=False)

    def _comes_back(self, i: int, seen: frozenset[int]) -> bool:
        """Whether the step selects an image that is there: by a tag, else by its subject's or its root's."""
        if i in seen or i not in self._here:
            return False
        version, seen = self._with_lost(i), seen | {i}
        if self._is_excluded(version):
            return False
        if own := own_tags(version):
            # Where nothing but companions is left, they count as any tag.
            own = tuple(tag for tag in own if not self._is_companion(tag)) or own
            return any(self._is_selected(replace(version, tags=(tag,)), restore=True) for tag in own)
        subjects = {subject for tag in version.tags if (subject := derived_subject(tag))}
        above = {self._by_digest[subject] for subject in subjects if subject in self._by_digest}
        above |= {self.roots.get(i, i)} - {i}
        if any(self._comes_back(other, seen) for other in above):
            return True
        return self._is_selected(version, restore=True)

    def _is_companion(self, tag: str) -> bool:
        return is_companion(tag, self.rules.companions, self.parser)

    def _with_lost(self, i: int) -> Version:
        version, then = self._here[i], self.lost.get(i)
        return replace(version, tags=tuple(dict.fromkeys((*version.tags, *(then.tags if then else ())))))

    def _is_excluded(self, version: Version) -> bool:
        return excluded(self.rules.exclude, self._candidate(version))

    def _is_selected(self, version: Version, *, restore: bool) -> bool:
        """Whether a filter surely matches; without `restore`, `latest` has to be named as in a deletion."""
        candidate = self._candidate(version)
        return any(
            # When it was deleted is not known any more once it is back.
            judge(
                replace(rule.filter, deleted_within=None), candidate, self.parser, self.now, restore=restore
            ).verdict
            is Verdict.YES
            for rule in self.rules.delete
        )

    def _candidate(self, version: Version) -> Candidate:
        return flat((version,), self.rules.type)[0]
