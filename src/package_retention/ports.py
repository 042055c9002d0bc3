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
        Step,
        StepKind,
        Unreadable,
        Version,
    )
    from package_retention.results import Spending


class Clock(Protocol):
    """Time as an argument."""

    def now(self) -> datetime:
        """Return the time of day, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return the reading of a clock that never goes back, in seconds."""
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
        """Find out what kind of owner this is; raise `MissingError` if it does not exist."""
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
        """Check the token's scopes, as responses have named them, for these changes (none: reading).

        Return warnings; raise `RefusedError` if a scope that is surely needed is surely missing.
        """
        ...

    def now(self) -> datetime:
        """Return the time by GitHub's own `Date` headers (a runner's clock may be wrong); before the first, the clock's."""
        ...

    def notices(self) -> tuple[str, ...]:
        """Return what responses said beside their content and a user must know (partial SSO results, deprecations)."""
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
        """Return what the referrers API says refers to a digest; `None` where the registry has no such API."""
        ...


class GitApi(Protocol):
    """What a repository lists. What cannot be listed is a value: nothing here raises for a refusal."""

    def names(self, repository: str, kinds: Collection[GitKind]) -> RepositoryNames:
        """List the things of some kinds in a repository (`owner/name`), each list whole or `Unlisted`."""
        ...


class EventListener(Protocol):
    """Listens to a run: the log, the progress line and the report are listeners."""

    def planned(self, plan: Plan) -> None:
        """Record a package's plan."""
        ...

    def starting(self, step: Step) -> None:
        """Record that a change is about to be sent; raise to prevent it."""
        ...

    def finished(self, outcome: Outcome) -> None:
        """Record how a step ended."""
        ...

    def note(self, text: str) -> None:
        """Record something that a reader of the log should know."""
        ...


class Meter(Protocol):
    """What the run has spent so far."""

    def spending(self) -> Spending:
        """Return the requests, points and seconds up to now."""
        ...
