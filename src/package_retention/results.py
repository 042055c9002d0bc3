"""What a run found and did, as output and report read it: results of packages and of the run, and inventories."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct, field

from package_retention.model import Damage, Operation, Outcome, Package, Plan, Version
from package_retention.problems import Problem
from package_retention.reason import Finding, Reason


class PackageResult(Struct, frozen=True):
    """A package's plan and the outcome of each step; `failure` if the package could not be handled at all.

    `inventory` is what a list found. The decisions of a list are those that a deletion would make, so what is
    selected is what would go; without a filter nothing is.
    """

    plan: Plan
    outcomes: tuple[Outcome, ...] = ()
    failure: Finding | None = None
    inventory: Inventory | None = None


class Spending(Struct, frozen=True):
    """What a run cost: requests of the API and the registry, API points, seconds waited, seconds in all."""

    api_requests: int = 0
    registry_requests: int = 0
    points: int = 0
    waited: float = 0.0
    seconds: float = 0.0


class RunResult(Struct, frozen=True):
    """All that outputs, summary, report and exit status are made from.

    `operation` is `None` if the inputs do not say a known one. `ended_by` says what ended the run before its plan (`""`,
    `"time"`, `"budget"`, `"cancel"`), and `failure` holds the error that refused the whole run. `problems` are those of
    the inputs, if they were refused. `refused_later` is what would refuse the same step without `dry-run`.
    """

    operation: Operation | None
    dry_run: bool
    packages: tuple[PackageResult, ...] = ()
    warnings: tuple[Finding, ...] = ()
    ended_by: str = ""
    failure: Finding | None = None
    problems: tuple[Problem, ...] = ()
    exit_status: int = 0
    refused_later: Finding | None = None
    spending: Spending = field(default_factory=Spending)

    @property
    def complete(self) -> bool:
        """Whether neither time, rate budget nor a cancel ended the run before its plan."""
        return not self.ended_by


class Due(Struct, frozen=True):
    """When a version that stays now would be deleted, were nothing pushed and nothing deleted until then.

    It falls due at `by` at the latest and not before `not_before`; the two are one moment where it is known exactly
    (always, but in packages of very many versions). `reason` is that of the plan which a run at `by` would make.
    """

    not_before: datetime
    by: datetime
    reason: Reason


class Referrer(Struct, frozen=True):
    """What refers to an image."""

    id: int
    name: str
    kind: Annotated[str, Meta(description="The artifact type, or what its tag says.")]


class Entry(Struct, frozen=True):
    """An image by its root, or a version of any other package type, newest first in its inventory.

    `selected` and `reason` are what a run now would decide. Of what stays now, `due` says until when, or `stays` why it
    never falls due under these rules; neither is set without rules. The rest is known of container images alone: `members` are the ids of all that belongs to the image (itself, children, referrers),
    `platforms` those that its indexes name, `attestations` how many BuildKit ones they name, `size_bytes` that of every
    member's config and layers (a layer that two members share counts once; `None` if a manifest could
    not be read), `named_by` the ids of other indexes that name the root.
    """

    version: Version
    reason: Reason
    selected: bool = False
    due: Due | None = None
    stays: Reason | None = None
    members: tuple[int, ...] = ()
    platforms: tuple[str, ...] = ()
    attestations: int = 0
    size_bytes: int | None = None
    damage: Damage | None = None
    referrers: tuple[Referrer, ...] = ()
    named_by: tuple[int, ...] = ()

    @property
    def is_image(self) -> bool:
        """Whether this is an image whose manifests were looked at."""
        return bool(self.members)


class DeletedVersion(Struct, frozen=True):
    """A deleted version; GitHub restores it until `until` as long as its name is not reused (facts A4)."""

    version: Version
    until: datetime | None


class Inventory(Struct, frozen=True):
    """One package as it was found at `at`.

    `judged` says whether a filter or policy was given: without one nothing is selected and nothing falls due.
    `deleted` is `None` if GitHub returned no list of deleted versions. `size_bytes` is the sum over every manifest of the
    package, each once. `conflicts` are the names of the owner's docker packages that conflict with container
    packages, `None` for other package types and if GitHub did not say.
    """

    package: Package
    at: datetime
    entries: tuple[Entry, ...] = ()
    versions: int = 0
    judged: bool = False
    size_bytes: int | None = None
    deleted: tuple[DeletedVersion, ...] | None = None
    conflicts: tuple[str, ...] | None = None

    @property
    def in_conflict(self) -> bool:
        """Whether a container package of the same name keeps this docker package from being migrated."""
        return self.package.name in (self.conflicts or ())
