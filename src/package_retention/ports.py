"""What the pipeline asks of the world, as small protocols: the edges implement them, tests bring their own.

Every method may raise `RefusedError`, `UnreachableError`, `BudgetError` or `CancelledError`; every method may be
called from several threads at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from package_retention.decide.expiry import UnreadLabel
    from package_retention.decide.git_names import GitKind, RepositoryNames
    from package_retention.model import (
        Absent,
        Descriptor,
        Outcome,
        Owner,
        Package,
        PackageType,
        Plan,
        Reading,
        Result,
        Spending,
        Step,
        StepKind,
        Unreadable,
        Version,
    )


class Clock(Protocol):
    """Time as an argument."""

    def now(self) -> datetime:
        """The time of day, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that only go forward."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait; a cancel ends the wait with `CancelledError`."""
        ...


class PackagesApi(Protocol):
    """GitHub's Packages REST API as one owner's token sees it.

    `not_after` of a change is a reading of `Clock.monotonic`: a change that could not be sent by then (it waited for
    the rate limit) raises `StaleError` unsent. A change answers `DONE`, or `ALREADY` where the first try found the
    work done by somebody else; a change repeated after a lost answer that is then found done is `DONE`.
    """

    def owner(self, login: str) -> Owner:
        """Find out what kind of owner this is; `MissingError` where there is none."""
        ...

    def packages(self, owner: Owner, package_type: PackageType) -> tuple[Package, ...]:
        """List the owner's packages of a type, ghosts (`deleted_…`) left out."""
        ...

    def some_packages(self, owner: Owner, package_type: PackageType) -> tuple[Package, ...]:
        """List at most a hundred of the owner's packages of a type, with one request; none if that is refused."""
        ...

    def package(self, owner: Owner, package_type: PackageType, name: str) -> Package:
        """Get one package; `MissingError` where it is not there or hidden."""
        ...

    def begin_versions(self, package: Package) -> None:
        """Fetch the first page of the active versions, which the next `versions` goes on from.

        `HourError` where the hour's rate budget does not hold the further pages of all that was begun.
        """
        ...

    def versions(
        self, package: Package, *, deleted: bool = False, at_rest: bool = False
    ) -> tuple[Version, ...]:
        """List all versions, every page; `MissingError` where the package is not there or hidden.

        `at_rest`: with no row missed because others pushed or deleted meanwhile; `UnreachableError` where they always did.
        """
        ...

    def version(self, package: Package, version_id: int) -> Version:
        """Get one version; `MissingError` where it is not there."""
        ...

    def find_version(self, package: Package, name: str) -> Version | None:
        """Find an active version by its name (a digest), page by page; `None` where it is not listed."""
        ...

    def delete_version(self, package: Package, version_id: int, *, not_after: float | None = None) -> Result:
        """Delete one version."""
        ...

    def ensure_room(self, changes: int) -> None:
        """Raise `BudgetError` where time and rate budget do not hold so many more changes."""
        ...

    def restore_version(self, package: Package, version_id: int, *, not_after: float | None = None) -> Result:
        """Restore one version."""
        ...

    def delete_package(self, package: Package, *, not_after: float | None = None) -> Result:
        """Delete a whole package; sent once, `StaleError` where another try is due (after another look)."""
        ...

    def restore_package(self, package: Package, *, not_after: float | None = None) -> Result:
        """Restore a whole package by its name."""
        ...

    def docker_conflicts(self, owner: Owner) -> tuple[Package, ...]:
        """List the docker packages that conflict with container packages of the same name."""
        ...

    def require(self, kinds: Iterable[StepKind], package_type: PackageType) -> tuple[str, ...]:
        """Check the token's scopes, as answers so far told them, for these changes (none: reading).

        Gives warnings; raises `RefusedError` where a scope that is surely needed is surely not there.
        """
        ...

    def now(self) -> datetime:
        """The time as GitHub's own `Date` headers tell it (a runner's clock may be wrong); else the clock's."""
        ...

    def notices(self) -> tuple[str, ...]:
        """What answers told in passing and a user must know (partial SSO results, deprecations)."""
        ...


@dataclass(frozen=True, slots=True)
class RawManifest:
    """A manifest as the registry holds it, byte for byte."""

    digest: str
    media_type: str
    body: bytes


class RegistryApi(Protocol):
    """A container registry (facts D). Readings are values: nothing here raises for an answer that is a refusal."""

    def manifests(
        self, package: Package, digests: Iterable[str], listed: Collection[str] = ()
    ) -> Mapping[str, Reading]:
        """Read manifests, concurrently; every digest asked for has an answer.

        What an earlier run read answers for digests in `listed`, those of the newest list: what nothing lists any
        more may be gone, and only the registry knows.
        """
        ...

    def raw(self, package: Package, reference: str) -> RawManifest | Absent | Unreadable:
        """Read one manifest by tag or digest, byte for byte."""
        ...

    def labels(self, package: Package, configs: Iterable[str]) -> Mapping[str, str | UnreadLabel | None]:
        """Read the label `quay.expires-after` of configs, concurrently; every digest asked for has an answer."""
        ...

    def put(self, package: Package, tag: str, manifest: RawManifest) -> None:
        """Write a manifest under a tag; `RefusedError` or `UnreachableError` where it was not written."""
        ...

    def referrers(self, package: Package, digest: str) -> tuple[Descriptor, ...] | None:
        """What the referrers API says refers to a digest; `None` where the registry has no such API."""
        ...


class GitApi(Protocol):
    """What a repository lists. What cannot be listed is a value: nothing here raises for a refusal."""

    def names(self, repository: str, kinds: Collection[GitKind]) -> RepositoryNames:
        """List the things of some kinds in a repository (`owner/name`), each list whole or `Unlisted`."""
        ...


class EventListener(Protocol):
    """Told of everything as it happens: the log, the progress line and the report listen."""

    def planned(self, plan: Plan) -> None:
        """A package's plan stands."""
        ...

    def starting(self, step: Step) -> None:
        """A change is about to be sent."""
        ...

    def finished(self, outcome: Outcome) -> None:
        """A step has ended, one way or another."""
        ...

    def note(self, text: str) -> None:
        """Something that a reader of the log should know."""
        ...


class Meter(Protocol):
    """What the run has spent so far."""

    def spending(self) -> Spending:
        """Requests, points and seconds up to now."""
        ...
