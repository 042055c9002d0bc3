"""The nouns of the whole program: frozen values that know no network, no clock and no environment.

Plain values, here and elsewhere, are structs and no dataclasses: Python compiles the methods of a dataclass anew at every
start (a third of a millisecond each, 40 ms in all), and makes one more slowly, which counts for 100,000 versions. A dataclass
remains where a field is left out of comparisons or of what is printed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct, field

from package_retention.reason import Finding, Reason

_SHORT_DIGEST = len("sha256:") + 12

# Facts A4: within 30 days, and only while the name is not in use again.
RESTORE_WINDOW = timedelta(days=30)


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


class Owner(Struct, frozen=True):
    """An organization or user on GitHub, with the way to reach its packages."""

    login: str
    kind: OwnerKind


class Package(Struct, frozen=True):
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
    def key(self) -> tuple[str, PackageType, str]:
        """What it is known by from run to run; the case of an owner says nothing."""
        return (self.owner.login.lower(), self.type, self.name)

    @property
    def label(self) -> str:
        """The package as messages name it: `owner/name (type)`."""
        return f"{self.owner.login}/{self.name} ({self.type})"


class Version(Struct, frozen=True):
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
        """The version as messages name it: its tags, or else its short name."""
        return ", ".join(self.tags) if self.tags else self.short_name

    @property
    def short_name(self) -> str:
        """The name, a digest cut to its first 12 hex digits."""
        return self.name[:_SHORT_DIGEST] if self.name.startswith("sha256:") else self.name


class Descriptor(Struct, frozen=True):
    """A manifest that another manifest names; `role` is BuildKit's `vnd.docker.reference.type`, `size` in bytes."""

    digest: str
    media_type: str
    platform: str = ""
    role: str = ""
    size: int = 0
    artifact_type: str = ""


class Manifest(Struct, frozen=True):
    """What the rules need of a manifest that was read.

    `children` are the descriptors of manifest media types alone (a BuildKit cache is an index of layers); `layers`
    counts the others. `mentions` are the digests of an index's other descriptors: one that is a version of the package
    is a manifest, too. `is_index` is the manifest's own form. `blobs` are its config and layers, by digest and
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
    def named(self) -> tuple[str, ...]:
        """The digests of all that it names as manifests, or that may be manifests."""
        return (*(child.digest for child in self.children), *self.mentions)

    @property
    def size(self) -> int:
        """The size of its config and layers in bytes."""
        return sum(size for _, size in self.blobs)


class Absent(Struct, frozen=True):
    """The registry answered 404 twice, the second time to `Accept: */*`."""


class Unreadable(Struct, frozen=True):
    """The registry gave no usable answer (403, 5xx, drop, time-out, invalid content) to a manifest or config; `why` names it."""

    why: str


Reading = Manifest | Absent | Unreadable


class GitKind(StrEnum):
    """What a tag or version may be named after."""

    PULL_REQUEST = "pull-request"
    BRANCH = "branch"
    TAG = "tag"
    RELEASE = "release"


class UnlistedCause(StrEnum):
    """Why a repository's pull requests, branches, git tags or releases are not known."""

    NOT_ASKED = "not-asked"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not-found"
    INCOMPLETE = "incomplete"
    UNREACHABLE = "unreachable"


class Unlisted(Struct, frozen=True):
    """A list that is not known whole; `detail` is for the reader (an HTTP status, a message)."""

    cause: UnlistedCause
    detail: str = ""


class RepositoryNames(Struct, frozen=True):
    """What one repository lists, by kind and as written there; what is missing was not asked for.

    Of pull requests it is the numbers of the open ones, of releases (drafts included) the names of their tags.
    `newest_pull_request` is the highest number of all (0: the repository has none).
    """

    repository: str
    lists: Mapping[GitKind, frozenset[str] | Unlisted]
    newest_pull_request: int = 0

    def listed(self, kind: GitKind) -> frozenset[str] | Unlisted:
        """Return what is listed of one kind."""
        return self.lists.get(kind, Unlisted(UnlistedCause.NOT_ASKED))


class Decision(Struct, frozen=True):
    """What is decided of one version, and why; each listed version has exactly one.

    `root` is the id of the image root that the version belongs to (itself for a root, `None` outside containers).
    `untag` holds the tags that are taken off a version that stays.
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
DELETIONS = frozenset({StepKind.DELETE_VERSION, StepKind.DELETE_PACKAGE})
RESTORES = frozenset({StepKind.RESTORE_VERSION, StepKind.RESTORE_PACKAGE})
WHOLE_PACKAGE = frozenset({StepKind.DELETE_PACKAGE, StepKind.RESTORE_PACKAGE})


class Step(Struct, frozen=True):
    """One planned change.

    `version` is `None` for a whole package. `after` are ids of versions whose steps must have succeeded before
    this one may start (an image's root before its children and referrers); if one did not, this step is
    skipped. `root` is the image it belongs to.
    """

    kind: StepKind
    package: Package
    version: Version | None = None
    tags: tuple[str, ...] = ()
    after: frozenset[int] = frozenset()
    root: int | None = None

    @property
    def version_id(self) -> int | None:
        """The id of its version; `None` for a whole package."""
        return self.version.id if self.version else None


class Damage(StrEnum):
    """The kinds of damage that `remove-damaged` finds."""

    GHOST = "ghost"
    PARTIAL = "partial"
    ORPHANED = "orphaned"


class Content(Struct, frozen=True):
    """What a version of a container package is, and holds.

    `kind` is what it is in its image: a platform (`linux/arm64`), or `attestation`, `signature`, `SBOM`; empty for an
    image in its own right. `blobs` is `None` if its manifest was not read.
    """

    kind: str = ""
    blobs: tuple[tuple[str, int], ...] | None = None


class Plan(Struct, frozen=True):
    """Every decision about one package and the changes that follow from them, in their order.

    `problems` are what fails the run although it changed nothing by itself (a manifest that nobody could read).
    `unread` are digests that must be read before any of it is done, and then all must be decided again; so are the
    configs in `unread_configs`. `contents` is what is known of each version of a container package, by id; it is filled
    in once the plan stands. A plan that is
    `over_cap` (`fail-if-more-than`) is shown, and not carried out.
    """

    package: Package
    decisions: tuple[Decision, ...] = ()
    steps: tuple[Step, ...] = ()
    warnings: tuple[Finding, ...] = ()
    problems: tuple[Finding, ...] = ()
    unread: tuple[str, ...] = ()
    unread_configs: tuple[str, ...] = ()
    contents: Mapping[int, Content] = field(default_factory=dict)
    over_cap: bool = False

    @property
    def stepped_ids(self) -> set[int]:
        """The ids of the versions that its steps change."""
        return {step.version.id for step in self.steps if step.version}


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


class Outcome(Struct, frozen=True):
    """What really happened to one step.

    `findings` name what stood in the way of single tags. `reason` says why it is not `DONE`, or `message` does, in the
    words of the error that was met (`detail` without the step itself). `tags` are those that
    were really taken away by an untag step, or put back by a retag step. `in_doubt`: it may have happened anyway.
    """

    step: Step
    result: Result
    message: Finding | None = None
    tags: tuple[str, ...] = ()
    in_doubt: bool = False
    reason: Reason | None = None
    findings: tuple[Finding, ...] = ()
    detail: str = ""
