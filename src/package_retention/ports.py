"""What the pipeline needs from outside, as small protocols: the clients implement them, tests have their own.

Every method may raise `RefusedError`, `UnreachableError`, `BudgetError` or `CancelledError`; every method may be
called from several threads at once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from package_retention.model import (
    Absent,
    Descriptor,
    GitKind,
    Outcome,
    Owner,
    Package,
    PackageType,
    Plan,
    Reading,
    RepositoryNames,
    Result,
    Step,
    StepKind,
    Unreadable,
    Version,
)
from package_retention.reason import Finding


class Clock(Protocol):
    """Time as an argument."""

    def now(self) -> datetime:
        """Return the time of day, in UTC."""

    def monotonic(self) -> float:
        """Return the reading of a monotonic clock, in seconds."""

    def sleep(self, seconds: float) -> None:
        """Wait; a cancel ends the wait with `CancelledError`."""


class PackagesApi(Protocol):
    """GitHub's Packages REST API as one owner's token sees it.

    `not_after` of a change is a reading of `Clock.monotonic`: a change that could not be sent by then (it waited for
    the rate limit) raises `StaleError` unsent. A change returns `DONE`, or `ALREADY` if the first try found that somebody
    else had done it; one that was repeated after a lost response and is then found done is `DONE`.
    """

    def owner(self, login: str) -> Owner:
        """Return the owner of this login with its kind; raise `MissingError` if it does not exist."""

    def packages(self, owner: Owner, package_type: PackageType) -> tuple[Package, ...]:
        """List the owner's packages of a type, without ghosts (`deleted_…`)."""

    def some_packages(self, owner: Owner, package_type: PackageType) -> tuple[Package, ...]:
        """List at most a hundred of the owner's packages of a type, with one request."""

    def package(self, owner: Owner, package_type: PackageType, name: str) -> Package:
        """Get one package; raise `MissingError` if it does not exist or is hidden."""

    def fetch_ahead(self, package: Package) -> None:
        """Fetch the first page of the active versions in the background, from which the next `versions` goes on."""

    def begin_versions(self, package: Package) -> None:
        """Fetch the first page of the active versions, from which the next `versions` goes on.

        Raise `HourError` if the further pages of all lists begun exceed the hour's rate budget.
        """

    def versions(
        self, package: Package, *, deleted: bool = False, at_rest: bool = False
    ) -> tuple[Version, ...]:
        """List all versions, every page; raise `MissingError` if the package does not exist or is hidden.

        `at_rest`: miss no version because others pushed or deleted meanwhile; raise `UnreachableError` if they always did.
        """

    def find_version(self, package: Package, name: str) -> Version | None:
        """Find an active version by its name (a digest), page by page; return `None` if it is not listed."""

    def delete_version(self, package: Package, version_id: int, *, not_after: float | None = None) -> Result:
        """Delete one version."""

    def ensure_room(self, changes: int) -> None:
        """Raise `BudgetError` if time or rate budget do not suffice for so many more changes."""

    def restore_version(self, package: Package, version_id: int, *, not_after: float | None = None) -> Result:
        """Restore one version."""

    def delete_package(self, package: Package, *, not_after: float | None = None) -> Result:
        """Delete a whole package with one request; raise `StaleError` if it needs another try, before which the package must be looked at again."""

    def restore_package(self, package: Package, *, not_after: float | None = None) -> Result:
        """Restore a whole package by its name."""

    def docker_conflicts(self, owner: Owner) -> tuple[Package, ...]:
        """List the docker packages that conflict with container packages of the same name."""

    def require(self, kinds: Iterable[StepKind], package_type: PackageType) -> tuple[Finding, ...]:
        """Check the token's scopes, as responses have named them, for these changes (none: reading).

        Return warnings; raise `RefusedError` if a scope that is surely needed is surely missing.
        """

    def now(self) -> datetime:
        """Return the time by GitHub's own `Date` headers (a runner's clock may be wrong); before the first, the clock's."""

    def notices(self) -> tuple[Finding, ...]:
        """Return what users must know from the headers of responses (partial SSO results, deprecations)."""


class RawManifest(Struct, frozen=True):
    """A manifest as the registry holds it, byte for byte."""

    digest: str
    media_type: str
    body: bytes


class RegistryApi(Protocol):
    """A container registry (facts D). Readings are values: no reading raises for a refusal."""

    def manifests(
        self, package: Package, digests: Iterable[str], listed: Collection[str] = ()
    ) -> Mapping[str, Reading]:
        """Read manifests concurrently, and return one reading for each digest.

        A reading of an earlier run is used only for digests in `listed`, those of the newest list: what is no longer
        listed may be gone, and only the registry knows.
        """

    def raw(self, package: Package, reference: str) -> RawManifest | Absent | Unreadable:
        """Read one manifest by tag or digest, byte for byte."""

    def labels(self, package: Package, configs: Iterable[str]) -> Mapping[str, str | Unreadable | None]:
        """Read the label `quay.expires-after` of configs concurrently, and return one reading for each digest."""

    def put(self, package: Package, tag: str, manifest: RawManifest) -> None:
        """Write a manifest under a tag; raise `RefusedError` or `UnreachableError` if it was not written."""

    def referrers(self, package: Package, digest: str) -> tuple[Descriptor, ...] | None:
        """Return the manifests that refer to a digest; `None` if the registry has no referrers API."""


class GitApi(Protocol):
    """What a repository has. What cannot be listed is a value: a refusal raises nothing."""

    def names(self, repository: str, kinds: Collection[GitKind]) -> RepositoryNames:
        """List the things of some kinds in a repository (`owner/name`), each list whole or `Unlisted`."""


class EventListener(Protocol):
    """Listens to a run: the log, the progress line and the report are listeners."""

    def planned(self, plan: Plan) -> None:
        """Record a package's plan."""

    def starting(self, step: Step) -> None:
        """Record that a change is about to be sent; raise to prevent it."""

    def finished(self, outcome: Outcome) -> None:
        """Record how a step ended."""
