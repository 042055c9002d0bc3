"""Which manifest needs which: the documentation's words on images, as sets of digests."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from soak.manifests import Row


class Graph:
    """The manifests of one package at one moment, all of them read."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.rows = {row.digest: row for row in rows}
        self.names: dict[str, set[str]] = {
            digest: {one.digest for one in row.entries} & self.rows.keys()
            for digest, row in self.rows.items()
        }
        self.named_by: dict[str, set[str]] = {digest: set() for digest in self.rows}
        for parent, children in self.names.items():
            for child in children:
                self.named_by[child].add(parent)
        self.attests = {
            entry.digest
            for row in self.rows.values()
            for entry in row.entries
            if entry.attests and entry.digest in self.rows and not self.rows[entry.digest].own_tags
        }
        self.doubtful: set[str] = set()
        """Indexes that would be superseded, were it not that some of what they name is gone and cannot say so."""
        self.superseded = {digest: subject for digest in self.rows if (subject := self._superseded(digest))}

    def _superseded(self, digest: str) -> str:
        """The subject of a fallback index that another one has taken the tag from, or ''."""
        row = self.rows[digest]
        if row.tags or not row.is_index or not row.entries or row.subject:
            return ""
        listed = [self.rows.get(one.digest) for one in row.entries]
        subjects = {one.subject for one in listed if one}
        if len(subjects) != 1:
            return ""
        (subject,) = subjects
        fallback = subject.replace(":", "-")
        held = any(fallback in one.tags for one in self.rows.values() if one is not row)
        if subject and held and None in listed:
            self.doubtful.add(digest)
        return subject if subject and held and None not in listed else ""

    @cached_property
    def holders(self) -> dict[str, set[str]]:
        """By subject: what has its fallback tag."""
        found: dict[str, set[str]] = {}
        for digest, row in self.rows.items():
            for tag in row.hash_tags:
                found.setdefault(tag.replace("-", ":", 1), set()).add(digest)
        return found

    def subjects(self, digest: str) -> set[str]:
        found = set(self.rows[digest].subjects)
        if digest in self.superseded:
            found.add(self.superseded[digest])
        return found

    @cached_property
    def referrers(self) -> dict[str, set[str]]:
        """By subject: what refers to it, attestations that an index lists included."""
        found: dict[str, set[str]] = {}
        for digest in self.rows:
            for subject in self.subjects(digest):
                found.setdefault(subject, set()).add(digest)
        return found

    @cached_property
    def orphans(self) -> set[str]:
        """Referrers whose subjects are all gone, tagged or not, and those that only such ones name."""
        found: set[str] = set()
        while True:
            more = {digest for digest in self.rows if digest not in found and self._orphaned(digest, found)}
            if not more:
                return found
            found |= more

    def _orphaned(self, digest: str, known: set[str]) -> bool:
        subjects = self.subjects(digest)
        lost = bool(subjects) and not subjects & (self.rows.keys() - known)
        return lost and self.named_by[digest] <= known

    @cached_property
    def roots(self) -> set[str]:
        """Images in their own right: tagged manifests, and untagged ones that nothing names and that refer to nothing."""
        return {
            digest
            for digest, row in self.rows.items()
            if (row.own_tags and digest not in self.orphans)
            or (
                not row.tags
                and not self.named_by[digest]
                and not self.subjects(digest)
                and digest not in self.superseded
            )
        }

    def parts(self, digest: str) -> set[str]:
        """All that belongs to a manifest, itself too: children, attestations and referrers, to any depth."""
        return self.reach({digest}, lambda one: self.names[one] | self.referrers.get(one, set()))

    def below(self, digest: str) -> set[str]:
        """All that a manifest names, to any depth, without itself."""
        return self.reach(set(self.names[digest]), lambda one: self.names[one])

    def reach(self, start: set[str], step: Callable[[str], set[str]]) -> set[str]:
        found: set[str] = set()
        waiting = list(start)
        while waiting:
            digest = waiting.pop()
            if digest not in found and digest in self.rows:
                found.add(digest)
                waiting += step(digest)
        return found

    def needed(self, digest: str) -> set[str]:
        """What a manifest that stays needs itself: what it names, and what refers to it but for an index's attestations."""
        return self.names[digest] | (self.referrers.get(digest, set()) - self.attests)

    def kept_whole(self, stays: set[str], *, subjects: bool = False) -> set[str]:
        """What stays, with all that it needs; of attestations about to be lost, the newest of each kind.

        `subjects`: a tagged referrer that stays holds its subject, too.
        """

        def step(digest: str) -> set[str]:
            row = self.rows[digest]
            # Without what has its tag now, a superseded index would be an image in the next run.
            holders = self.holders.get(self.superseded.get(digest, ""), set())
            return self.needed(digest) | holders | (set(row.subjects) if subjects and row.own_tags else set())

        stays = self.reach(stays, step)
        while held := self._last_attestations(stays):
            stays = self.reach(stays | held, step)
        return stays

    def _last_attestations(self, stays: set[str]) -> set[str]:
        covered = {
            self.statement(one) for one in stays if one in self.attests or self.rows[one].says_attestation
        }
        going: dict[tuple[str, frozenset[str]], list[str]] = {}
        for digest in self.attests - stays:
            said = self.statement(digest)
            if said[0] in stays and said not in covered:
                going.setdefault(said, []).append(digest)
        return {
            max(them, key=lambda one: (self.rows[one].later, self.rows[one].id)) for them in going.values()
        }

    def statement(self, digest: str) -> tuple[str, frozenset[str]]:
        """What an attestation is about, and what kinds of predicate it holds."""
        return self.rows[digest].subject, self.rows[digest].predicates
