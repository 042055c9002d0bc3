"""What keep rules and `min-versions-to-keep` hold: keep places, and who shares one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from soak.filters import Filters
from soak.patterns import version_of

if TYPE_CHECKING:
    from soak.filters import Reading
    from soak.rules import Rule


class Places(Filters):
    """The filters, and what stays although it matches."""

    def _kept_by(self, rule: Rule, excluded: set[str], reading: Reading) -> set[str]:
        matching = {d for d in self._units() if self._keeps(d, rule, reading)}
        return self._newest(matching, rule, excluded, reading) if rule.keep else matching

    def _keeps(self, digest: str, rule: Rule, reading: Reading) -> bool:
        """A keep rule matches an image by one tag; an id of a part is enough."""
        row = self.rows[digest]
        if digest not in self.graph.roots and not (row.own_tags or reading.orphans_kept):
            return False
        # An index's attestation is a part of the indexes that list it, not of all that share its subject.
        parts = self.graph.reach({digest}, self.graph.needed)
        if rule.ids is not None and not any(self.rows[d].id in rule.ids for d in parts):
            return False
        if not self._fits(digest, _without_ids(rule), reading):
            return False
        tagged = {digest} | {
            d for d in self.graph.below(digest) if reading.child_tags_keep and self.rows[d].own_tags
        }
        return any(self._tags_fit(self.rows[d], rule, reading, any) for d in tagged)

    def _newest(self, matching: set[str], rule: Rule, excluded: set[str], reading: Reading) -> set[str]:
        """The newest of each group, with what shares their places; what has no place by itself is not in it."""
        if not rule.keep:
            return set()
        places = {d for d in matching if self._group(d, rule) is not None and self._has_place(d)}
        places -= self._without_place(matching, rule, excluded, reading)
        shared = self._shared(places, reading)
        groups: dict[object, list[set[str]]] = {}
        for together in shared:
            groups.setdefault(self._group(min(together), rule), []).append(together)
        kept = {d for d in matching if self._group(d, rule) is None} if rule in self.rules.delete else set()
        for members in groups.values():
            members.sort(
                key=lambda together: max(self._order(d, rule, reading) for d in together), reverse=True
            )
            kept |= set[str]().union(*members[: rule.keep])
        return kept | self._as_new(matching, rule, groups, reading) if reading.newest_stay else kept

    def _as_new(
        self, matching: set[str], rule: Rule, groups: dict[object, list[set[str]]], reading: Reading
    ) -> set[str]:
        """What is not older than the last that has a place in its group, where all places are taken."""
        kept = set[str]()
        ordered = {d for d in matching if self._group(d, rule) is not None}
        for together in self._shared(ordered, reading):
            taken = groups.get(self._group(min(together), rule), [])
            newest = max(self._order(d, rule, reading) for d in together)
            if len(taken) < rule.keep or newest >= max(
                self._order(d, rule, reading) for d in taken[rule.keep - 1]
            ):
                kept |= together
        return kept

    def _has_place(self, digest: str) -> bool:
        """What has nothing but companion tags takes none."""
        row = self.rows[digest]
        companions = self.rules.companions
        return (
            not row.own_tags
            or companions is None
            or any(not companions.matches(t) or t == "latest" or version_of(t) for t in row.own_tags)
        )

    def _without_place(
        self, matching: set[str], rule: Rule, excluded: set[str], reading: Reading
    ) -> set[str]:
        out = {d for one in excluded for d in {one, *(self._under(one, reading) if one in matching else ())}}
        if not reading.held_takes_place:
            out |= self.changed
        if rule in self.rules.delete:
            matched = {d for d in self.graph.roots for r in self.rules.delete if self._selects(d, r, reading)}
            out |= {d for one in self.graph.roots - matched for d in self._held(one, reading)}
            if not reading.held_takes_place:
                out |= {d for one in excluded for d in self._held(one, reading)}
        return out

    def _held(self, digest: str, reading: Reading) -> set[str]:
        """What stays because an image does."""
        if reading.referrers_named:
            return self.graph.reach({digest}, self.graph.needed) - {digest}
        return self.graph.below(digest)

    def _under(self, digest: str, reading: Reading) -> set[str]:
        """What shares a tagged image's place: what it names, and tagged referrers."""
        if not self.rows[digest].own_tags:
            return set()
        found = self.graph.below(digest) | self.graph.referrers.get(digest, set())
        if reading.referrers_named:
            found |= self.graph.reach({digest}, self.graph.needed) - {digest}
        return {d for d in found if self.rows[d].own_tags}

    def _shared(self, places: set[str], reading: Reading) -> list[set[str]]:
        """Images that stay or go together."""
        found: list[set[str]] = []
        for digest in places:
            together = {digest} | (self._under(digest, reading) & places)
            for other in [one for one in found if one & together]:
                together |= other
                found.remove(other)
            found.append(together)
        return found

    def _group(self, digest: str, rule: Rule) -> object:
        """A group's name, or None where the image has no place in an order.

        Keep places are for images: what is left of a gone one takes none of theirs, tagged or not.
        """
        row, left_over = self.rows[digest], digest in self.graph.orphans
        if not rule.per and not rule.by_version:
            return bool(row.own_tags), left_over
        versions = [found for tag in self._judged(row) if (found := version_of(tag))]
        if not versions:
            return None
        highest = max(versions, key=lambda found: found.key)
        series = {None: 0, "major": 1, "minor": 2}[rule.per]
        return left_over, highest.variant, highest.numbers[:series]

    def _order(self, digest: str, rule: Rule, reading: Reading) -> tuple[object, ...]:
        row = self.rows[digest]
        date = row.later if reading.by_update else row.created
        if not rule.by_version:
            return date, row.id
        return *max(v.key for tag in self._judged(row) if (v := version_of(tag))), date, row.id


def _without_ids(rule: Rule) -> Rule:

    return replace(rule, ids=None)
