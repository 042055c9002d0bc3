"""What a deletion has to do with a container package, from the documentation alone.

Where the documentation allows two readings, each is a `Reading`: what a run deletes must be within what one of them
deletes, and must hold what all of them delete.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from soak.filters import Reading
from soak.places import Places

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Expected:
    """Digests that go, whole; and the tags that `untag` takes from an image, by digest, where it stays."""

    goes: frozenset[str]
    loses: dict[str, frozenset[str]]

    def owes(self, digest: str) -> frozenset[str]:
        """The tags that an image that stays has to lose."""
        return frozenset() if digest in self.goes else self.loses.get(digest, frozenset())


class Oracle(Places):
    """Say what goes from a package, and what has to stay."""

    @cached_property
    def ambiguous(self) -> bool:
        """Whether two readings differ that are not in `Reading`.

        Platforms that share a keep place across groups: which group that place is in, nobody wrote down. Fallback
        indexes of which a part is gone: whether they name referrers of one subject alone, nobody can know.
        """
        if self.graph.doubtful:
            return True
        grouped = [r for r in (*self.rules.delete, *self.rules.keep) if r.keep and (r.per or r.by_version)]
        tagged = [d for d in self.graph.roots if self.rows[d].own_tags]
        return any(
            self._group(one, rule) != self._group(other, rule)
            for rule in grouped
            for one in tagged
            for other in (self.graph.parts(one) & set(tagged)) - {one}
        )

    # Expectations

    def readings(self) -> Iterator[Reading]:
        """Every reading that could make a difference here."""
        tagged_children = any(self.rows[d].own_tags and self.graph.named_by[d] for d in self.rows)
        differing = any(row.created != row.updated for row in self.rows.values())
        keeps = any(one.keep for one in (*self.rules.delete, *self.rules.keep))
        orphans = any("orphaned" in one.damage for one in self.rules.delete)
        tagged_referrers = any(row.own_tags and row.subjects & self.rows.keys() for row in self.rows.values())
        both, first = (True, False), (True,)
        for values in itertools.product(
            both if differing and keeps else first,
            both if tagged_children and self.rules.keep else (False,),
            both if keeps and (self.changed or len(self.rules.delete) > 1) else (False,),
            both if orphans else (False,),
            both if self.lost_roots else first,
            both if self.lost_roots else first,
            both if any(one.below for one in (*self.rules.delete, *self.rules.keep)) else first,
            both if tagged_referrers else (False,),
            both if orphans and self.rules.keep else (False,),
            both if any(one.damage for one in self.rules.delete) else (False,),
            both if tagged_referrers else (False,),
            both if keeps else (False,),
        ):
            yield Reading(*values)

    @cached_property
    def every(self) -> tuple[Expected, ...]:
        return tuple(self.expected(reading) for reading in self.readings())

    @cached_property
    def may_go(self) -> frozenset[str]:
        return frozenset().union(*(one.goes for one in self.every))

    @cached_property
    def must_go(self) -> frozenset[str]:
        found = [one.goes for one in self.every]
        return found[0].intersection(*found[1:])

    def expected(self, reading: Reading) -> Expected:
        """What goes under one reading, without a limit and without what GitHub refuses last."""
        candidates = self._candidates(reading)
        stays = self.graph.kept_whole(self._units() - candidates, subjects=reading.referrers_named)
        if self.lost_roots and reading.lost_keeps_parts:
            stays = self.graph.kept_whole(stays | {d for d, row in self.rows.items() if not row.own_tags})
        reached = self.graph.reach(candidates - stays, lambda d: self.graph.parts(d) - {d})
        return Expected(frozenset(reached - stays), self._untagged(reading))

    def _candidates(self, reading: Reading) -> set[str]:
        """Units that a delete rule selects and that nothing keeps by itself."""
        excluded = self._excluded(reading)
        selected: set[str] = set()
        for rule in self.rules.delete:
            matching = {d for d in self._units() if self._selects(d, rule, reading)}
            own = {d for d in matching if rule.exclude and self._any_tag(d, rule.exclude, reading)}
            selected |= matching - own - self._newest(matching - own, rule, excluded, reading)
        kept = set[str]().union(*(self._kept_by(rule, excluded, reading) for rule in self.rules.keep))
        return selected - excluded - kept - self.changed

    # Untagging

    def _untagged(self, reading: Reading) -> dict[str, frozenset[str]]:
        """By digest: the tags that may leave an image where it stays, also as a part of what GitHub refuses last."""
        if not self.rules.untag:
            return {}
        excluded = self._excluded(reading)
        kept = set[str]().union(*(self._kept_by(rule, excluded, reading) for rule in self.rules.keep))
        found = {}
        for digest in self.graph.roots - excluded - kept - self.changed:
            row = self.rows[digest]
            tags = {
                tag
                for rule in self.rules.delete
                if self._fits(digest, rule, reading) and (rule.versions or rule.below or rule.release_status)
                for tag in row.own_tags
                if self._tag_fits(tag, rule, reading) and (tag != "latest" or self._reaches_latest(row, rule))
            }
            if tags:
                found[digest] = frozenset(tags)
        return found
