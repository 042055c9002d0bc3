"""What is known of one package when a decision is made."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from package_retention.decide.expiry import UnreadLabel
    from package_retention.decide.git_names import GitNames
    from package_retention.decide.in_use import InUse
    from package_retention.model import Package, Reading, Version


_LATEST = datetime.max.replace(tzinfo=UTC)


def by_age(version: Version) -> tuple[datetime, int]:
    """Sort key: the date of creation, then the id; what has no date counts as newest."""
    return (version.created_at or _LATEST, version.id)


def oldest_first(versions: Iterable[Version]) -> list[Version]:
    """Versions in the order in which they are changed."""
    return sorted(versions, key=by_age)


@dataclass(frozen=True, slots=True)
class Facts:
    """Two lists of a package's versions and, for containers, what the registry said of its manifests.

    `first` is the list that the plan was made from, `latest` the newest one (the same until the package is listed
    again). `confirmed` are digests that the registry confirmed to be missing. `reference` is how clusters print the
    package's images (`ghcr.io/owner/name`). `git` is what its repositories list (`None`: not asked), `in_use` what the files of each list
    of globs refer to. `labels` are the values of `quay.expires-after` in configs that were read, by the config's digest.
    """

    package: Package
    first: tuple[Version, ...]
    latest: tuple[Version, ...]
    readings: Mapping[str, Reading] = field(default_factory=dict)
    confirmed: frozenset[str] = frozenset()
    reference: str = ""
    git: GitNames | None = None
    in_use: Mapping[tuple[str, ...], InUse] = field(default_factory=dict)
    labels: Mapping[str, str | UnreadLabel | None] = field(default_factory=dict)

    @property
    def union(self) -> tuple[Version, ...]:
        """Every version of either list, as the newest list that has it tells it."""
        latest = {version.id: version for version in self.latest}
        gone = (version for version in self.first if version.id not in latest)
        return (*self.latest, *gone)

    @property
    def changed_ids(self) -> frozenset[int]:
        """Ids of what is not in both lists, or differs between them, or shares its name with another version."""
        if self.first is self.latest:
            return frozenset(_duplicate_names(self.first))
        before = {version.id: version for version in self.first}
        now = {version.id: version for version in self.latest}
        moved = before.keys() ^ now.keys()
        moved |= {i for i, version in now.items() if i in before and not _same(before[i], version)}
        return frozenset(moved | _duplicate_names(self.union))

    @property
    def gone(self) -> frozenset[int]:
        """Ids of what the newest list lacks: it may still protect what it names, and takes no keep place."""
        if self.first is self.latest:
            return frozenset()
        return frozenset({version.id for version in self.first} - {version.id for version in self.latest})

    def relisted(self, latest: tuple[Version, ...], done: Collection[int]) -> Facts:
        """The same facts with a newer list; what this run has deleted itself (`done`) is taken as still there.

        So the graph keeps its form while an image is half deleted, and its children still go with their root.
        """
        listed = {version.id for version in latest}
        mine = tuple(v for v in self.first if v.id in done and v.id not in listed)
        return replace(self, latest=latest + mine)


def _same(one: Version, other: Version) -> bool:
    return one is other or (
        one.name == other.name
        and one.updated_at == other.updated_at
        and one.created_at == other.created_at
        and (one.tags == other.tags or set(one.tags) == set(other.tags))
    )


def _duplicate_names(versions: tuple[Version, ...]) -> set[int]:
    seen: dict[str, int] = {}
    duplicate_names: set[int] = set()
    for version in versions:
        other = seen.setdefault(version.name, version.id)
        if other != version.id:
            duplicate_names |= {other, version.id}
    return duplicate_names
