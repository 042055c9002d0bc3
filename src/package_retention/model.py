"""The nouns of the whole program: frozen values that know no network, no clock and no environment."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from package_retention.problems import Problem
    from package_retention.reason import Finding, Reason


_SHORT_DIGEST = len("sha256:") + 12


class Operation(StrEnum):
    """What a run does with the packages that it finds."""

    DELETE = "delete"
    RESTORE = "restore"
    LIST = "list"


class PackageType(StrEnum):
    """The `package_type` enum of GitHub's REST API (facts A1)."""

    CONTAINER = "container"
    DOCKER = "docker"
    MAVEN = "maven"
    NPM = "npm"
    NUGET = "nuget"
    RUBYGEMS = "rubygems"

    @property
    def has_tags(self) -> bool:
        """Whether versions of this type are image manifests that carry tags."""
        return self in (PackageType.CONTAINER, PackageType.DOCKER)


class OwnerKind(StrEnum):
    """Which of the three base paths of the API reaches an owner's packages (facts A1)."""

    ORGANIZATION = "organization"
    USER = "user"
    ONESELF = "oneself"


@dataclass(frozen=True, slots=True)
class Owner:
    """An organization or user on GitHub, with the way to reach its packages."""

    login: str
    kind: OwnerKind


@dataclass(frozen=True, slots=True)
class Package:
    """One package of an owner; what a plain name does not show is empty or `None`."""

    owner: Owner
    type: PackageType
    name: str
    html_url: str = ""
    visibility: str = ""
    repository: str | None = None
    version_count: int | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None

    @property
    def label(self) -> str:
        """The package as messages name it: `owner/name (type)`."""
        return f"{self.owner.login}/{self.name} ({self.type})"


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a package; for container and docker a manifest, named by its digest (facts A5)."""

    id: int
    name: str
    created_at: datetime | None = None
    updated_at: datetime | None = None
    deleted_at: datetime | None = None
    tags: tuple[str, ...] = ()
    html_url: str = ""

    @property
    def touched_at(self) -> datetime | None:
        """The later of `created_at` and `updated_at`; `None` unless both are known (unknown means keep)."""
        if self.created_at is None or self.updated_at is None:
            return None
        return max(self.created_at, self.updated_at)

    @property
    def label(self) -> str:
        """The version as messages name it: its tags, or else its name (a digest cut to its first digits)."""
        if self.tags:
            return ", ".join(self.tags)
        return self.name[:_SHORT_DIGEST] if self.name.startswith("sha256:") else self.name


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A manifest that another manifest names; `role` is BuildKit's `vnd.docker.reference.type`, `size` in bytes."""

    digest: str
    media_type: str
    platform: str = ""
    role: str = ""
    size: int = 0
    artifact_type: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the rules need of a manifest that was read.

    `children` are the descriptors of manifest media types alone (a BuildKit cache is an index of layers); `layers`
    counts the others. `mentions` are the digests of an index's other descriptors: one that is a version of the package
    is a manifest all the same. `is_index` is the manifest's own form. `blobs` are its config and layers, by digest and
    size in bytes.
    `predicates` are the types of in-toto statements in its layers; `runnable` says that layers are those of an image.
    `config` is the digest of an image's config (empty for any other), `expires_after` its own annotation
    `quay.expires-after`.
    """

    digest: str
    media_type: str
    is_index: bool = False
    children: tuple[Descriptor, ...] = ()
    layers: int = 0
    subject: str | None = None
    artifact_type: str = ""
    blobs: tuple[tuple[str, int], ...] = ()
    mentions: tuple[str, ...] = ()
    predicates: frozenset[str] = frozenset()
    runnable: bool = False
    config: str = ""
    expires_after: str | None = None

    @property
    def size(self) -> int:
        """The size of its config and layers in bytes."""
        return sum(size for _, size in self.blobs)


@dataclass(frozen=True, slots=True)
class Absent:
    """The registry answered 404 twice, the second time to `Accept: */*`."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The registry gave no usable answer (403, 5xx, drop, time-out, invalid content); `why` names it."""

    why: str


Reading = Manifest | Absent | Unreadable


@dataclass(frozen=True, slots=True)
class Decision:
    """What is decided of one version, and why; each listed version has exactly one.

    `root` is the id of the image root that the version belongs to (itself for a root, `None` outside containers).
    `untag` holds the tags that are taken away where the version itself stays.
    """

    version: Version
    selected: bool
    reason: Reason
    root: int | None = None
    untag: tuple[str, ...] = ()


class StepKind(StrEnum):
    """The changes that GitHub offers, and the two that this action makes of them: a tag goes, or is put back."""

    DELETE_VERSION = "delete-version"
    DELETE_PACKAGE = "delete-package"
    RESTORE_VERSION = "restore-version"
    RESTORE_PACKAGE = "restore-package"
    UNTAG = "untag"
    RETAG = "retag"


MOVES_TAGS = frozenset({StepKind.UNTAG, StepKind.RETAG})


@dataclass(frozen=True, slots=True)
class Step:
    """One planned change.

    `version` is `None` for a whole package. `after` are ids of versions whose steps must have succeeded before
    this one may start (an image's root before its children and referrers); where one did not, this step is
    skipped. `root` is the image it belongs to.
    """

    kind: StepKind
    package: Package
    version: Version | None = None
    tags: tuple[str, ...] = ()
    after: frozenset[int] = frozenset()
    root: int | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """What a version of a container package is, and holds.

    `part` says what it is in its image: a platform (`linux/arm64`), or `attestation`, `signature`, `SBOM`; empty for an
    image in its own right. `blobs` is `None` where its manifest was not read.
    """

    part: str = ""
    blobs: tuple[tuple[str, int], ...] | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Every decision about one package and the changes that follow from them, in their order.

    `problems` are what fails the run although it changed nothing by itself (a manifest that nobody could read).
    `unread` are digests to be read before any of it is done, and then all is to be decided again; so are the configs
    in `unread_configs`. `contents` is what
    is known of each version of a container package, by id; it is filled in once the plan stands. A plan that is
    `over_cap` (`fail-if-more-than`) is shown, and not carried out.
    """

    package: Package
    decisions: tuple[Decision, ...] = ()
    steps: tuple[Step, ...] = ()
    warnings: tuple[Finding | str, ...] = ()
    problems: tuple[Finding | str, ...] = ()
    unread: tuple[str, ...] = ()
    unread_configs: tuple[str, ...] = ()
    contents: Mapping[int, Content] = field(default_factory=dict)
    over_cap: bool = False


class Result(StrEnum):
    """How a step ended.

    `REFUSED`: GitHub's own rules refuse it for good (last version, 5,000 downloads): a warning, no failure.
    `SKIPPED`: what it waited for did not go, or the world changed since the plan. `NOT_REACHED`: time, rate
    budget, a cancel or the package's end came first.
    """

    DONE = "done"
    ALREADY = "already-gone"
    REFUSED = "refused"
    FAILED = "failed"
    SKIPPED = "skipped"
    NOT_REACHED = "not-reached"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What really happened to one step.

    `findings` say what stood in the way of single tags. `reason` says why where it is not `DONE`, or `message` in the words of the error that was met; `hint` what to do
    next. `tags` are those that were really taken away by an untag step, or put back by a retag step. `in_doubt`: it
    may have happened all the same.
    """

    step: Step
    result: Result
    message: Finding | str = ""
    hint: str = ""
    tags: tuple[str, ...] = ()
    in_doubt: bool = False
    reason: Reason | None = None
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class PackageResult:
    """A package's plan and the outcome of each step; `failure` where the package could not be handled at all.

    `inventory` is what a list found. The decisions of a list are those that a deletion would make, so what is
    selected is what would go; without a filter nothing is.
    """

    plan: Plan
    outcomes: tuple[Outcome, ...] = ()
    failure: Finding | str = ""
    hint: str = ""
    missing: bool = False
    inventory: Inventory | None = None


@dataclass(frozen=True, slots=True)
class Spending:
    """What a run cost: requests of the API and the registry, API points, seconds waited, seconds in all."""

    api_requests: int = 0
    registry_requests: int = 0
    points: int = 0
    waited: float = 0.0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class RunResult:
    """All that outputs, summary, report and exit status are made from.

    `operation` is `None` where the inputs do not say a known one.
    `complete` is `False` where time, rate budget or a cancel ended the run before its plan; `ended_by` then says
    which (`""`, `"time"`, `"budget"`, `"cancel"`) and `failure` holds the error that refused the whole run. `problems`
    are those of the inputs, if they were refused. `refused_later` says why a step
    without `dry-run` would be refused, and what to do about it.
    """

    operation: Operation | None
    dry_run: bool
    packages: tuple[PackageResult, ...] = ()
    warnings: tuple[Finding | str, ...] = ()
    complete: bool = True
    ended_by: str = ""
    failure: Finding | str = ""
    hint: str = ""
    problems: tuple[Problem, ...] = ()
    exit_status: int = 0
    refused_later: tuple[str, str] = ("", "")
    spending: Spending = field(default_factory=Spending)


@dataclass(frozen=True, slots=True)
class Due:
    """When a version that stays now would be deleted, were nothing pushed and nothing deleted until then.

    It falls due at `by` at the latest and not before `not_before`; the two are one moment where it is known exactly
    (always, but in packages of very many versions). `reason` is that of the plan which a run at `by` would make.
    """

    not_before: datetime
    by: datetime
    reason: Reason

    @property
    def exact(self) -> bool:
        """Whether `by` is the moment itself."""
        return self.not_before == self.by


@dataclass(frozen=True, slots=True)
class Referrer:
    """What refers to an image (a signature, an attestation, an SBOM); `kind` is its artifact type or its tag's form."""

    id: int
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Entry:
    """An image by its root, or a version of any other package type, newest first in its inventory.

    `selected` and `reason` are what a run now would decide. Of what stays now, `due` says until when, or `stays` why it
    never falls due under these rules; neither is set without rules. The rest is known of container images alone: `members` are the ids of all that belongs to the image (itself, children, referrers),
    `platforms` those that its indexes name, `attestations` how many BuildKit ones they name, `size` that of every
    member's config and layers in bytes (a layer that two members share counts twice; `None` where a manifest could
    not be read), `damage` one of `ghost`, `partial`, `orphaned` or empty, `named_by` the ids of other indexes that
    name the root.
    """

    version: Version
    reason: Reason
    selected: bool = False
    due: Due | None = None
    stays: Reason | None = None
    members: tuple[int, ...] = ()
    platforms: tuple[str, ...] = ()
    attestations: int = 0
    size: int | None = None
    damage: str = ""
    referrers: tuple[Referrer, ...] = ()
    named_by: tuple[int, ...] = ()

    @property
    def is_image(self) -> bool:
        """Whether this is an image whose manifests were looked at."""
        return bool(self.members)


@dataclass(frozen=True, slots=True)
class DeletedVersion:
    """A deleted version; GitHub restores it until `until` as long as its name is not reused (facts A4)."""

    version: Version
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Inventory:
    """One package as it was found at `at`.

    `judged` says whether a filter or policy was given: without one nothing is selected and nothing falls due.
    `deleted` is `None` where GitHub returned no list of deleted versions. `size` is the sum over every manifest of the
    package, each once. `conflicts` are the names of the owner's docker packages that conflict with container
    packages, `None` for other package types and where GitHub did not say.
    """

    package: Package
    at: datetime
    entries: tuple[Entry, ...] = ()
    versions: int = 0
    judged: bool = False
    size: int | None = None
    deleted: tuple[DeletedVersion, ...] | None = None
    conflicts: tuple[str, ...] | None = None

    @property
    def in_conflict(self) -> bool:
        """Whether a container package of the same name keeps this docker package from being migrated."""
        return self.package.name in (self.conflicts or ())
