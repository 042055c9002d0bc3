"""What the embedded GitHub keeps of a repository: pull requests, branches, git tags and releases (facts L)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from emulator.rules import time_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from emulator.stored import Role, StoredOwner


@dataclass(slots=True)
class StoredPull:
    """A pull request; `head` is its branch, of this repository or of a fork (`owner:branch`)."""

    number: int
    head: str
    created_at: datetime
    updated_at: datetime
    state: Literal["open", "closed"] = "open"
    closed_at: datetime | None = None
    merged_at: datetime | None = None
    draft: bool = False


@dataclass(slots=True)
class StoredRelease:
    """A release; a draft has its tag's name already, although the git tag may be still to come."""

    id: int
    tag: str
    created_at: datetime
    draft: bool = False
    prerelease: bool = False


@dataclass(slots=True)
class StoredRepository:
    """A repository; `roles` maps a login in lower case to a role, `former` are full names that it had before."""

    owner: StoredOwner
    name: str
    id: int
    visibility: str
    clock: Callable[[], datetime]
    roles: dict[str, Role] = field(default_factory=dict)
    former: set[str] = field(default_factory=set)
    pulls: dict[int, StoredPull] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    """Names to commits, as `tags`."""
    protected: set[str] = field(default_factory=set)
    tags: dict[str, str] = field(default_factory=dict)
    releases: list[StoredRelease] = field(default_factory=list)
    last_number: int = 0
    """Pull requests and issues share their numbers."""

    @property
    def full_name(self) -> str:
        return f"{self.owner.login}/{self.name}"

    def rename(self, name: str) -> None:
        """Rename it: requests for the former name are redirected."""
        self.former.add(self.full_name.lower())
        self.name = name

    def add_issue(self) -> int:
        """Take a number as an issue does."""
        self.last_number += 1
        return self.last_number

    def open_pull(
        self,
        head: str = "topic",
        *,
        number: int | None = None,
        created: datetime | float = 0,
        draft: bool = False,
    ) -> StoredPull:
        """Open a pull request; `number` may skip some, `created` is a time, or days ago."""
        self.last_number = max(self.last_number, number or self.last_number + 1)
        at = time_of(created, self.clock())
        pull = StoredPull(number or self.last_number, head, at, at, draft=draft)
        self.pulls[pull.number] = pull
        return pull

    def close_pull(self, number: int, *, merged: bool = False) -> None:
        """Close a pull request, or merge it."""
        pull, now = self.pulls[number], self.clock()
        pull.state, pull.closed_at, pull.updated_at = "closed", now, now
        pull.merged_at = now if merged else None

    def reopen_pull(self, number: int) -> None:
        """Open a closed pull request again."""
        pull = self.pulls[number]
        pull.state, pull.closed_at, pull.updated_at = "open", None, self.clock()

    def add_branch(self, name: str, *, protected: bool = False) -> None:
        """Push a branch."""
        self.branches[name] = _commit(f"{self.id} {name}")
        if protected:
            self.protected.add(name)

    def add_tag(self, name: str) -> None:
        """Push a git tag."""
        self.tags[name] = _commit(f"{self.id} {name}")

    def add_release(
        self, tag: str, *, draft: bool = False, prerelease: bool = False, created: datetime | float = 0
    ) -> StoredRelease:
        """Publish a release with its git tag; a draft makes no tag."""
        if not draft:
            self.tags.setdefault(tag, _commit(f"{self.id} {tag}"))
        release = StoredRelease(
            self.id * 100_000 + len(self.releases), tag, time_of(created, self.clock()), draft, prerelease
        )
        self.releases.append(release)
        return release


def _commit(of: str) -> str:
    return hashlib.sha1(of.encode(), usedforsecurity=False).hexdigest()
