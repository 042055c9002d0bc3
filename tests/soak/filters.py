"""Which images a rule matches: the documentation's filters, over the tags and the manifests of one package."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from soak.graph import Graph
from soak.patterns import version_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from soak.manifests import Row
    from soak.rules import Rule, Rules

_YOUNG = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read what the documentation leaves open.

    Args:
        by_update: "newest" is by the later of the two dates, not by `created_at`.
        child_tags_keep: a keep rule's pattern that matches a tagged child keeps the index, too.
        held_takes_place: what is needed by an excluded image, or changed meanwhile, still takes a keep place.
        orphans_guarded: orphans younger than 24 hours stay as untagged images do.
        lost_keeps_parts: a lost tagged manifest keeps untagged parts of other images, too.
        lost_goes: a tagged manifest that the registry has lost can go as any other.
        variants_ranged: a variant (`-alpine`) is in a range as its numbers are.
        referrer_in_image: what a tagged referrer is excluded by excludes its subject, too.
        orphans_kept: keep rules without patterns see orphans as untagged images.
        referrers_named: a tagged referrer that stays holds its subject, and takes no place where its subject stays; one of
            an untagged platform shares the place of the platform's image.
        deep_damage: what a nested index has lost, the index that names it has lost, too.
        newest_stay: what takes no keep place stays all the same where it, or what shares its place, is as new as
            what has one; it pushes nothing out.
    """

    by_update: bool = True
    child_tags_keep: bool = False
    held_takes_place: bool = False
    orphans_guarded: bool = False
    lost_keeps_parts: bool = True
    lost_goes: bool = True
    variants_ranged: bool = True
    referrer_in_image: bool = False
    orphans_kept: bool = False
    deep_damage: bool = False
    referrers_named: bool = False
    newest_stay: bool = False


class Filters:
    """One package at one moment; `changed` are digests that differ between two lists."""

    def __init__(
        self, rows: Iterable[Row], rules: Rules, now: datetime, changed: frozenset[str] = frozenset()
    ) -> None:
        self.graph = Graph(rows)
        self.rules = rules
        self.now = now
        self.changed = changed
        self.rows = self.graph.rows

    @cached_property
    def lost_roots(self) -> set[str]:
        """What the registry lost and what may have named anything: tagged, or called an index by another manifest."""
        called = {
            entry.digest
            for row in self.rows.values()
            for entry in row.entries
            if "index" in entry.media_type or "list" in entry.media_type
        }
        return {d for d, row in self.rows.items() if row.body is None and (row.tags or d in called)}

    def _units(self) -> set[str]:
        """Everything that is judged by itself."""
        return (
            self.graph.roots
            | {d for d in self.graph.orphans if not self.graph.named_by[d]}
            | self._unreached()
        )

    def _unreached(self) -> set[str]:
        """What belongs to nothing, however that came: it stays."""
        known = self.graph.roots | self.graph.orphans
        return self.rows.keys() - self.graph.reach(known, self.graph.parts)

    def _excluded(self, reading: Reading) -> set[str]:
        found: set[str] = set()
        for digest in self._units():
            if self.rules.exclude and self._any_tag(digest, self.rules.exclude, reading):
                found.add(digest)
            # As in a keep rule, what names a part of an image keeps the image.
            if any(self.rows[d].tags & self.rules.referenced_tags for d in self.graph.parts(digest)):
                found.add(digest)
        return found

    def _any_tag(self, digest: str, patterns: object, reading: Reading) -> bool:
        """Whether anything in the image has a tag, or is a digest, that the patterns match."""
        parts = self.graph.parts(digest)
        if not reading.referrer_in_image:
            named = self.graph.below(digest) | {digest}
            parts = {d for d in parts if d in named or not self.rows[d].own_tags}
        assert hasattr(patterns, "matches")
        return any(
            patterns.matches(text)
            for d in parts
            for text in (*self.rows[d].tags, d)
            if _looked_at(text, patterns)
        )

    # Filters

    def _selects(self, digest: str, rule: Rule, reading: Reading) -> bool:
        row = self.rows[digest]
        if digest in self.graph.orphans:
            return self._orphan(digest, rule, reading)
        if digest not in self.graph.roots:
            return False
        if "latest" in row.own_tags and not self._reaches_latest(row, rule):
            return False
        if not row.own_tags and rule.older_than is None and self.now - row.later < _YOUNG:
            return False
        if digest in self.lost_roots and not reading.lost_goes:
            return False
        return self._fits(digest, rule, reading) and self._tags_fit(row, rule, reading, all)

    def _reaches_latest(self, row: Row, rule: Rule) -> bool:
        return (rule.versions is not None and rule.versions.names("latest")) or (
            rule.ids is not None and row.id in rule.ids
        )

    def _orphan(self, digest: str, rule: Rule, reading: Reading) -> bool:
        row = self.rows[digest]
        if "orphaned" not in rule.damage or (row.hash_tags and row.looks_like_an_image):
            return False
        if reading.orphans_guarded and rule.older_than is None and self.now - row.later < _YOUNG:
            return False
        if "latest" in row.own_tags and not self._reaches_latest(row, rule):
            return False
        if not row.own_tags and rule.tag_status is not None:
            return False
        return self._fits(digest, replace(rule, damage=frozenset()), reading) and self._tags_fit(
            row, rule, reading, all
        )

    def _fits(self, digest: str, rule: Rule, reading: Reading) -> bool:
        """The filters that do not look at the text of tags."""
        row = self.rows[digest]
        return (
            (rule.ids is None or row.id in rule.ids)
            and (rule.tag_status is None or (rule.tag_status == "tagged") == bool(row.own_tags))
            and (rule.older_than is None or self.now - row.later >= rule.older_than)
            and (rule.newer_than is None or self.now - row.later < rule.newer_than)
            and (not rule.damage or bool(rule.damage & {self.damage(digest, reading)}))
        )

    def damage(self, digest: str, reading: Reading) -> str:
        """`ghost`, `partial` or nothing: by the children that a list should show, attestations apart."""
        children = self._children(digest)
        lost = children - self.rows.keys()
        if lost:
            return "ghost" if lost == children else "partial"
        below = self.graph.below(digest) if reading.deep_damage else set()
        return "partial" if any(self._children(one) - self.rows.keys() for one in below) else ""

    def _children(self, digest: str) -> set[str]:
        return {one.digest for one in self.rows[digest].entries if one.is_manifest and not one.attests}

    def _judged(self, row: Row) -> frozenset[str]:
        """The tags that filters look at."""
        companions = self.rules.companions
        by_themselves = {
            t
            for t in row.own_tags
            if not (companions and t != "latest" and companions.matches(t) and version_of(t) is None)
        }
        return frozenset(by_themselves) or row.own_tags

    def _tags_fit(self, row: Row, rule: Rule, reading: Reading, quantity: object) -> bool:
        """Whether `all` (or `any`) of the tags fit the filters that look at tags."""
        assert callable(quantity)
        if rule.versions is None and rule.below is None and rule.release_status is None:
            return True
        tags = self._judged(row)
        return bool(tags) and quantity(self._tag_fits(tag, rule, reading) for tag in tags)

    def _tag_fits(self, tag: str, rule: Rule, reading: Reading) -> bool:
        version = version_of(tag)
        if rule.versions is not None and not rule.versions.matches(tag):
            return False
        if rule.release_status is not None and (
            version is None or (rule.release_status == "pre-release") != bool(version.label)
        ):
            return False
        if rule.below is not None:
            if version is None or version.label or version.numbers[:3] >= rule.below:
                return False
            return reading.variants_ranged or not version.variant
        return True


def _looked_at(text: str, patterns: object) -> bool:
    """Digests are looked at by patterns that begin with `sha256:` alone."""
    entries: tuple[str, ...] = getattr(patterns, "entries", ())
    return not text.startswith("sha256:") or any(one.startswith("sha256:") for one in entries)
