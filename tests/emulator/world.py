"""The embedded GitHub's state: who is there, what they own, and the transitions that GitHub's rules allow.

Nothing here knows HTTP. Safe in threads: whoever looks at several things at once holds `World.lock`.
"""

from __future__ import annotations

import itertools
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from emulator.faults import Faults
from emulator.limits import Limits
from emulator.rules import (
    MOST_DOWNLOADS,
    DownloadsError,
    LastTaggedError,
    LastVersionError,
    NameTakenError,
    check_name,
    check_window,
    digest_of,
    kind_of,
    last_error,
    time_of,
)
from emulator.stored import Role, StoredOwner, StoredPackage, StoredVersion, Token
from emulator.stored_git import StoredRepository
from emulator.switches import Switches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from emulator.messages import Recorded, Request
    from emulator.shapes import Shape

__all__ = ["StoredPackage", "StoredVersion", "World"]


class World:
    """Everything that the embedded GitHub knows.

    Args:
        clock: the time of day, aware, in UTC.
        monotonic: seconds that only go forward.
        sleep: how latency and delays are waited for.
        ghes: behave as GitHub Enterprise Server: `/api/v3`, no limits, only containers with permissions of their own.
    """

    def __init__(
        self,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        *,
        ghes: bool = False,
        switches: Switches | None = None,
    ) -> None:
        self.clock = clock
        self.monotonic = monotonic
        self.sleep = sleep
        self.ghes = ghes
        self.switches = switches or Switches()
        self.lock = threading.RLock()
        self.owners: dict[str, StoredOwner] = {}
        self.tokens: dict[str, Token] = {}
        self.packages: list[StoredPackage] = []
        self.repositories: list[StoredRepository] = []
        self.requests: list[Recorded] = []
        self.registry_requests: list[Recorded] = []
        self.before_request: list[Callable[[Request], None]] = []
        self.faults = Faults()
        self.limits = Limits(self)
        self.arrived = {False: 0, True: 0}
        self.bad_tries = 0
        self.api_url = "https://api.github.com"
        self.server_url = "https://github.com"
        self.storage_url = "https://pkg-containers.githubusercontent.com"
        self.open_storage: Callable[[], None] = lambda: None
        self._by_name: dict[tuple[str, str, str], StoredPackage] = {}
        self._ids = itertools.count(1_001)

    # Builders

    def add_org(self, login: str, *, admins: Iterable[str] = ("octocat",), **kw: Any) -> StoredOwner:
        """Add an organization; its admins become users where they are none yet."""
        for admin in admins:
            self.add_user(admin)
        members: dict[str, Literal["admin", "member"]] = {admin.lower(): "admin" for admin in admins}
        return self._add_owner(StoredOwner(login, next(self._ids), "Organization", members, **kw))

    def add_user(self, login: str, **kw: Any) -> StoredOwner:
        """Add a user, or give the one that is there."""
        return self.owners.get(login.lower()) or self._add_owner(
            StoredOwner(login, next(self._ids), "User", **kw)
        )

    def add_token(
        self,
        value: str = "ghp_" + "a" * 36,
        login: str | None = "octocat",
        scopes: Iterable[str] = ("repo", "write:packages", "delete:packages"),
        *,
        repository: str | None = None,
        **kw: Any,
    ) -> Token:
        """Add a token; its kind follows from its prefix, and installations belong to no user (facts B3)."""
        kind = kind_of(value)
        if kind == "installation":
            login, scopes = None, ()
        if login is not None:
            self.add_user(login)
        if kind not in {"classic", "oauth", "legacy"}:
            scopes = ()
        number = next(self._ids)
        token = Token(value, login, frozenset(scopes), kind, repository, installation_id=number, **kw)
        self.tokens[value] = token
        return token

    def add_package(
        self,
        owner: str | StoredOwner,
        type: str,  # noqa: A002 - the API's own name
        name: str,
        *,
        visibility: str = "private",
        repository: str | None = None,
        created: datetime | float = 100,
        roles: Mapping[str, Role] | None = None,
        also: Iterable[str] = (),
    ) -> StoredPackage:
        """Add an empty package; `created` is a time, or days ago, `also` are other spellings that it is found by."""
        with self.lock:
            found = owner if isinstance(owner, StoredOwner) else self.owners[owner.lower()]
            key = (found.login.lower(), type, name)
            if key in self._by_name:
                raise NameTakenError(name)
            at = self._time(created)
            package = StoredPackage(found, type, name, next(self._ids), visibility, repository, at, at)
            package.roles.update({who.lower(): role for who, role in (roles or {}).items()})
            package.also = frozenset(also)
            self.packages.append(package)
            self._by_name[key] = package
            return package

    def add_repository(
        self, full_name: str, *, visibility: str = "private", roles: Mapping[str, Role] | None = None
    ) -> StoredRepository:
        """Add a repository with the branch `main`; packages are linked to it by its full name alone."""
        owner, _, name = full_name.partition("/")
        repository = StoredRepository(
            self.owners[owner.lower()], name, next(self._ids), visibility, self.clock
        )
        repository.roles.update({who.lower(): role for who, role in (roles or {}).items()})
        repository.add_branch("main")
        self.repositories.append(repository)
        return repository

    def add_ghost(self, owner: str, type: str, name: str) -> StoredPackage:  # noqa: A002 - the API's own name
        """Add a deleted package that the list of packages still has (facts A6)."""
        package = self.add_package(owner, type, f"deleted_{next(self._ids)}_{name}")
        package.ghost = True
        return package

    def add_version(
        self,
        package: StoredPackage,
        name: str = "",
        created: datetime | float = 10,
        tags: Iterable[str] = (),
        manifest: bytes | None = None,
        media_type: str = "",
        *,
        updated: datetime | float | None = None,
        downloads: int = 0,
        deleted: datetime | float | None = None,
        id: int | None = None,  # noqa: A002 - the API's own name
    ) -> StoredVersion:
        """Add a version; times may be days ago. Tags leave the version that had them. For containers `name` is a digest."""
        with self.lock:
            if manifest is not None:
                name = name or digest_of(manifest)
            check_name(package, name, manifest)
            at = self._time(created)
            number = next(self._ids) if id is None else id
            if number in package.versions:
                raise ValueError(f"the id {number} is taken")
            version = StoredVersion(
                number,
                name,
                at,
                at if updated is None else self._time(updated),
                [],
                manifest,
                media_type,
                downloads,
                None if deleted is None else self._time(deleted),
            )
            package.versions[number] = version
            self._tag(package, version, tags)
            return version

    def add_image(self, package: StoredPackage, shape: Shape, *tags: str, **kw: Any) -> StoredVersion:
        """Add a manifest of `shapes` as a version, and its blobs."""
        package.blobs.update(shape.blobs)
        return self.add_version(package, manifest=shape.body, media_type=shape.media_type, tags=tags, **kw)

    # Looking

    def owner(self, login: str) -> StoredOwner | None:
        """An owner, whatever the case of the letters."""
        return self.owners.get(login.lower())

    def repository(self, which: str) -> StoredRepository | None:
        """A repository by its full name, by one that it had before, or by its number."""
        which = which.lower()
        named = (one for one in self.repositories if which in (one.full_name.lower(), str(one.id)))
        return next(named, None) or next((one for one in self.repositories if which in one.former), None)

    def package(self, owner: str, type: str, name: str) -> StoredPackage | None:  # noqa: A002 - the API's own name
        """A package that is not deleted, and no ghost."""
        found = self._by_name.get((owner.lower(), type, name))
        if found is None:
            alike = (package for package in self.packages_of(owner, type) if name in package.also)
            found = next(alike, None)
        return None if found is None or found.ghost else found

    def packages_of(self, owner: str, type: str | None = None) -> list[StoredPackage]:  # noqa: A002 - the API's own name
        """An owner's packages that are not deleted, ghosts included, in the order in which they were added."""
        login = owner.lower()
        return [
            package
            for package in self.packages
            if package.deleted_at is None
            and package.owner.login.lower() == login
            and type in (None, package.type)
        ]

    def snapshot(self) -> dict[Any, Any]:
        """Every package and version as a value: equal snapshots mean that nothing changed."""
        with self.lock:
            return {
                (package.owner.login, package.type, package.name, package.id): package.snapshot()
                for package in self.packages
            }

    # Transitions

    def push(
        self, package: StoredPackage, manifest: bytes, media_type: str, tags: Iterable[str] = ()
    ) -> StoredVersion:
        """Push a manifest as a client does: a digest that is there only gets the tags, which leave where they were."""
        with self.lock:
            version = package.by_digest(digest_of(manifest))
            if version is None:
                return self.add_version(
                    package, "", self.clock(), tags=tags, manifest=manifest, media_type=media_type
                )
            self._tag(package, version, tags)
            version.updated_at = self.clock()
            return version

    def delete_version(self, package: StoredPackage, version: StoredVersion) -> None:
        """Delete a version; raises the `RuleError` that GitHub would answer with."""
        with self.lock:
            active = package.active()
            if len(active) == 1:
                raise LastVersionError if not version.tags else last_error(package)
            tagged = [other for other in active if other.tags]
            if package.type == "container" and tagged == [version]:
                raise LastTaggedError
            if package.visibility == "public" and version.downloads > MOST_DOWNLOADS:
                raise DownloadsError
            version.deleted_at = self.clock()
            version.still_listed = self.switches.deleted_stay_listed

    def restore_version(self, package: StoredPackage, version: StoredVersion) -> None:
        """Restore a deleted version; raises the `RuleError` that GitHub would answer with."""
        with self.lock:
            check_window(version.deleted_at, self.clock())
            active = package.active()
            if any(other.name == version.name for other in active):
                raise NameTakenError(version.name)
            taken = {tag for other in active for tag in other.tags}
            back = self.switches.restored_versions_get_tags_back
            version.tags = [tag for tag in version.tags if back and tag not in taken]
            version.deleted_at = None
            version.still_listed = False
            package.tagged.update(dict.fromkeys(version.tags, version))

    def delete_package(self, package: StoredPackage) -> None:
        """Delete a whole package; raises the `RuleError` that GitHub would answer with."""
        with self.lock:
            over = any(version.downloads > MOST_DOWNLOADS for version in package.active())
            if package.visibility == "public" and over:
                raise DownloadsError
            package.deleted_at = self.clock()
            del self._by_name[package.owner.login.lower(), package.type, package.name]

    def deleted_package(self, owner: str, type: str, name: str) -> StoredPackage | None:  # noqa: A002 - the API's own name
        """The package of this name that was deleted last."""
        gone = [
            package
            for package in self.packages
            if package.deleted_at is not None
            and (package.owner.login.lower(), package.type) == (owner.lower(), type)
            and name in {package.name, *package.also}
        ]
        return max(gone, key=lambda package: package.deleted_at or self.clock(), default=None)

    def restore_package(self, package: StoredPackage) -> None:
        """Restore a deleted package with the versions that it had; raises the `RuleError` that GitHub would answer with."""
        with self.lock:
            key = (package.owner.login.lower(), package.type, package.name)
            if key in self._by_name:
                raise NameTakenError(package.name)
            check_window(package.deleted_at, self.clock())
            package.deleted_at = None
            self._by_name[key] = package

    def move_tag(self, package: StoredPackage, tag: str, version: StoredVersion) -> None:
        """Move a tag to a version, or put it there, as a push of that manifest under that tag does."""
        with self.lock:
            self._tag(package, version, [tag])
            version.updated_at = self.clock()

    # Inside

    def _add_owner(self, owner: StoredOwner) -> StoredOwner:
        if owner.login.lower() in self.owners:
            raise NameTakenError(owner.login)
        self.owners[owner.login.lower()] = owner
        return owner

    def _tag(self, package: StoredPackage, version: StoredVersion, tags: Iterable[str]) -> None:
        new = [tag for tag in dict.fromkeys(tags) if tag not in version.tags]
        version.tags = version.tags + new
        if version.deleted_at is not None:
            return
        for tag in new:
            before = package.tagged.get(tag)
            if before is not None and before is not version and before.deleted_at is None:
                before.tags = [other for other in before.tags if other != tag]
            package.tagged[tag] = version

    def _time(self, when: datetime | float) -> datetime:
        return time_of(when, self.clock())
