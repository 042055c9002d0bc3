"""What the embedded GitHub keeps: owners, tokens, packages and versions."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

Role = Literal["none", "read", "write", "admin"]
Permission = Literal["none", "read", "write"]
OwnerKind = Literal["Organization", "User"]
TokenKind = Literal["classic", "oauth", "legacy", "installation", "fine-grained", "app-user", "unknown"]

_ORDERED_BY = frozenset({"created_at", "updated_at", "deleted_at", "still_listed", "unlisted"})
_edits = itertools.count(1)
_edition = [0]


def edition() -> int:
    """A number that is another one after each edit that may change a list of versions."""
    return _edition[0]


def edited() -> None:
    """Tell that lists of versions may have changed."""
    _edition[0] = next(_edits)


@dataclass(slots=True)
class StoredVersion:
    """A version; for containers `name` is the digest of `manifest` (`None`: the registry has lost it).

    `tags` stay here when it is deleted: whether a list still shows them, and whether a restore brings them back, is
    a switch. `still_listed`: deleted, yet lists still call it active (facts A6); `unlisted`: active, but in no list yet.
    """

    id: int
    name: str
    created_at: datetime
    updated_at: datetime
    tags: list[str]
    manifest: bytes | None
    media_type: str
    downloads: int = 0
    deleted_at: datetime | None = None
    still_listed: bool = False
    unlisted: bool = False
    description: str = ""

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        if name in _ORDERED_BY:
            edited()


@dataclass(slots=True)
class StoredOwner:
    """An organization or user.

    `members` of an organization: login (lower case) to `admin` or `member`. `sso`: SAML is enforced. `forbids_classic`:
    no classic PATs. `ip_allow_list`: it is on, and does not hold our address.
    """

    login: str
    id: int
    kind: OwnerKind
    members: dict[str, Literal["admin", "member"]] = field(default_factory=dict)
    sso: bool = False
    forbids_classic: bool = False
    ip_allow_list: bool = False


@dataclass(slots=True)
class Token:
    """A token and what it may do.

    `scopes` of classic and OAuth tokens; `repository`, `permission` (`packages:`), `contents` and `pull_requests` of
    installation tokens: a job that lists permissions has none of those that it leaves out.
    `sso_authorized` holds organizations' logins in lower case. `limit` is its hour's budget (`None`: by its kind).
    """

    value: str
    login: str | None
    scopes: frozenset[str]
    kind: TokenKind
    repository: str | None = None
    permission: Permission = "write"
    contents: Permission = "none"
    pull_requests: Permission = "none"
    installation_id: int = 0
    sso_authorized: frozenset[str] = frozenset()
    expired: bool = False
    suspended: bool = False
    limit: int | None = None


@dataclass(slots=True)
class StoredPackage:
    """A package with all of its versions, deleted ones too.

    `roles`: a login, or `owner/repository` for workflows, in lower case, to a role. `ghost`: it is deleted, yet the list
    of packages still has it as `deleted_…` (facts A6). `tagged`: where each tag was put last. `also`: names that it
    is found by, although answers call it `name` (facts A6). `blobs`: what the registry holds, by digest.
    """

    owner: StoredOwner
    type: str
    name: str
    id: int
    visibility: str
    repository: str | None
    created_at: datetime
    updated_at: datetime
    versions: dict[int, StoredVersion] = field(default_factory=dict)
    deleted_at: datetime | None = None
    roles: dict[str, Role] = field(default_factory=dict)
    ghost: bool = False
    also: frozenset[str] = frozenset()
    tagged: dict[str, StoredVersion] = field(default_factory=dict, repr=False)
    blobs: dict[str, bytes] = field(default_factory=dict, repr=False)
    _lists: dict[str, tuple[tuple[int, int], list[StoredVersion]]] = field(default_factory=dict, repr=False)
    _rows: dict[int, tuple[Any, bytes]] = field(default_factory=dict, repr=False)
    _names: dict[str, list[StoredVersion]] = field(default_factory=dict, repr=False)
    _indexed: int = 0

    def active(self) -> list[StoredVersion]:
        """Versions that are not deleted, in the order in which they were added."""
        return [version for version in self.versions.values() if version.deleted_at is None]

    def deleted(self) -> list[StoredVersion]:
        """Versions that are deleted (each by itself, not with the package)."""
        return [version for version in self.versions.values() if version.deleted_at is not None]

    def snapshot(self) -> tuple[Any, ...]:
        """All that can change of it, as a value."""
        versions = {
            version.id: (
                version.name,
                tuple(sorted(version.tags)),
                version.deleted_at,
                version.created_at,
                version.manifest,
            )
            for version in self.versions.values()
        }
        return self.deleted_at, self.visibility, versions

    def by_digest(self, digest: str) -> StoredVersion | None:
        """The active version of this name."""
        if self._indexed != len(self.versions):
            self._names.clear()
            for version in self.versions.values():
                self._names.setdefault(version.name, []).append(version)
            self._indexed = len(self.versions)
        return next((found for found in self._names.get(digest, ()) if found.deleted_at is None), None)

    def by_tag(self, tag: str) -> StoredVersion | None:
        """The active version that carries the tag."""
        found = self.tagged.get(tag)
        if found is not None and found.deleted_at is None and tag in found.tags:
            return found
        return next((version for version in self.active() if tag in version.tags), None)

    def cached_list(self, key: str, make: Callable[[], list[StoredVersion]]) -> list[StoredVersion]:
        """A list of versions that is made anew after any edit."""
        state = (edition(), len(self.versions))
        found = self._lists.get(key)
        if found is None or found[0] != state:
            found = (state, make())
            self._lists[key] = found
        return found[1]

    def cached_row(self, version: StoredVersion, state: Any, make: Callable[[], bytes]) -> bytes:
        """A version's row, serialised once for each `state`."""
        found = self._rows.get(version.id)
        if found is None or found[0] != state:
            found = (state, make())
            self._rows[version.id] = found
        return found[1]
