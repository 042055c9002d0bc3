"""Define the lines of a report: what is written, what is read back, and what its JSON Schema says.

A line is a JSON object; a struct's docstring and the notes at its fields become the schema's descriptions. What is
unknown or empty is left out. What people alone read is added by a subclass of the line that is read back, so that no
part of it can refuse a report.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from package_retention.model import Damage, Operation, OwnerKind, PackageType, Result, StepKind
from package_retention.results import Referrer

SCHEMA = 1


def _note(description: str) -> Meta:
    """Return what the schema says of a field."""
    return Meta(description=description)


Moment = Annotated[datetime, Meta(tz=True, extra_json_schema={"pattern": "Z$"})]
Count = Annotated[int, Meta(ge=0)]
Inputs = Annotated[
    dict[str, Any],
    Meta(
        description="The inputs as given, the token left out.",
        extra_json_schema={"not": {"required": ["token"]}, "additionalProperties": {"type": "string"}},
    ),
]
Root = Annotated[int, _note("The id of the root of the version's image.")]


class Line(Struct, tag_field="kind", frozen=True, omit_defaults=True):
    """One line of a report, by its `kind`."""


class _Object(Struct, frozen=True, omit_defaults=True):
    """An object inside a line."""


class Named(_Object, frozen=True):
    """A version, named."""

    id: int
    name: Annotated[str, _note("The version, or the manifest's digest.")]
    tags: tuple[str, ...] = ()


class Described(Named, frozen=True):
    """A version as it was when the plan was made."""

    created_at: Moment | None = None
    updated_at: Moment | None = None
    deleted_at: Moment | None = None
    html_url: str = ""


class Reason(_Object, frozen=True, kw_only=True):
    """Why something was decided."""

    code: Annotated[str, _note("Why, to group by.")]
    detail: Annotated[str, _note("What exactly, where a code has several sentences.")] = ""
    rule: Annotated[
        dict[str, str],
        _note("The rule in its own words: its keys, each with its value as a person reads it."),
    ] = {}
    text: str


class Run(Line, tag="run", frozen=True, kw_only=True):
    """Which run this is. Always the first line, and only that."""

    schema: Annotated[int, Meta(extra_json_schema={"const": SCHEMA})]
    operation: Operation
    dry_run: Annotated[bool, _note("True where nothing was changed: a dry run or a list.")]
    created_at: Moment
    server: Annotated[str, _note("GITHUB_SERVER_URL")]
    owner: str
    repository: str | None = None
    runner: dict[str, str] = {}
    inputs: Inputs


class Package(Line, tag="package", frozen=True):
    """A package whose plan stands."""

    package: Annotated[Count, _note("The package's number in this report.")]
    owner: str
    owner_kind: OwnerKind
    type: PackageType
    name: str
    html_url: str = ""
    visibility: str = ""
    repository: str = ""
    version_count: Count | None = None
    created_at: Moment | None = None
    updated_at: Moment | None = None
    warnings: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    over_cap: Annotated[bool, _note("The plan is over fail-if-more-than: it was not carried out.")] = False


class ReadDecision(Line, tag="decision", frozen=True):
    """What is read back of a decision."""

    package: Count
    version: Described
    selected: bool
    root: Root | None = None
    untag: tuple[str, ...] = ()


class Decision(ReadDecision, tag="decision", frozen=True, kw_only=True):
    """What was decided of a version, and why."""

    reason: Reason


class Step(Line, tag="step", frozen=True):
    """A planned change."""

    step: Annotated[Count, _note("The step's number in this report.")]
    package: Count
    change: StepKind
    version: Annotated[Named | None, _note("Absent where the whole package is changed.")] = None
    tags: Annotated[
        tuple[str, ...], _note("The tags that an untag takes away, or that a retag puts back.")
    ] = ()
    after: Annotated[tuple[int, ...], _note("Ids of versions whose steps must have succeeded first.")] = ()
    root: Root | None = None


class ReadStarting(Line, tag="starting", frozen=True):
    """What is read back of a change that began."""

    step: Count


class Starting(ReadStarting, tag="starting", frozen=True):
    """A change is about to be sent: without an outcome after it, nobody knows whether it was made."""

    at: Moment


class ReadOutcome(Line, tag="outcome", frozen=True):
    """What is read back of an outcome."""

    step: Count
    result: Result
    tags: Annotated[tuple[str, ...], _note("The tags that were really taken away, or put back.")] = ()
    in_doubt: Annotated[
        bool,
        _note("It may have happened all the same: its answer was lost, and nobody could tell."),
    ] = False


class Outcome(ReadOutcome, tag="outcome", frozen=True, kw_only=True):
    """How a step ended."""

    at: Moment
    message: str = ""
    hint: str = ""


class Note(Line, tag="note", frozen=True):
    """Something worth knowing."""

    # No run of this version has any to write; the kind is part of the published schema.

    at: Moment
    text: str


class Inventory(Line, tag="inventory", frozen=True):
    """What a list found of a package; its entries and deleted versions follow, a line each."""

    package: Count
    at: Moment
    entries: Annotated[Count, _note("Images of a container package, else versions.")]
    versions: Count
    judged: Annotated[
        bool,
        _note(
            "Whether a filter or policy was given: then an entry that is not selected has either due or"
            " stays."
        ),
    ]
    deleted_known: Annotated[bool, _note("False where GitHub gave no list of deleted versions.")]
    size_bytes: Annotated[
        Count | None,
        _note("Of every manifest's config and layers; a layer that two manifests share counts once."),
    ] = None
    conflicts: Annotated[
        tuple[str, ...] | None,
        _note("The owner's docker packages that conflict with container packages."),
    ] = None


class Due(_Object, frozen=True):
    """When it will be deleted, if nothing is pushed or deleted until then: by `by`, not before `not_before`."""

    not_before: Moment
    by: Moment
    reason: Reason


class Entry(Line, tag="entry", frozen=True):
    """An image by its root, or a version."""

    package: Count
    version: Described
    selected: Annotated[bool, _note("Whether a deletion by these rules would delete it now.")]
    due: Due | None = None
    stays: Annotated[Reason | None, _note("Why it never falls due under these rules.")] = None
    size_bytes: Annotated[Count | None, _note("Absent where a manifest could not be read.")] = None
    members: Annotated[
        tuple[int, ...],
        _note("Ids of everything that belongs to the image: itself, its children, its referrers."),
    ] = ()
    platforms: Annotated[tuple[str, ...], _note("Those that its indexes name.")] = ()
    attestations: Annotated[Count, _note("BuildKit attestations that its indexes name.")] = 0
    damage: Damage | None = None
    referrers: tuple[Referrer, ...] = ()
    named_by: Annotated[tuple[int, ...], _note("Ids of other indexes that name the root.")] = ()


class Deleted(Line, tag="deleted", frozen=True):
    """A deleted version."""

    package: Count
    version: Described
    restorable_until: Annotated[
        Moment | None, _note("30 days after its deletion, as long as its name is not reused.")
    ] = None


class Counts(_Object, frozen=True):
    """Of versions; untagged of tags; freed_bytes of layers and configs, as far as manifests were read."""

    selected: Count
    deleted: Count
    restored: Count
    untagged: Count
    failed: Count
    kept: Count
    freed_bytes: Count


class Spending(_Object, frozen=True):
    """What the run cost."""

    api_requests: Count
    registry_requests: Count
    points: Count
    waited_seconds: Annotated[float, Meta(ge=0)]
    seconds: Annotated[float, Meta(ge=0)]


class Failure(_Object, frozen=True):
    """Why a package could not be handled."""

    package: str
    failure: str
    hint: str = ""


class End(Line, tag="end", frozen=True):
    """How the run ended; absent where it was killed."""

    at: Moment
    complete: bool
    exit_status: Count
    counts: Counts
    spending: Spending
    ended_by: Literal["time", "budget", "cancel"] | None = None
    failure: str = ""
    hint: str = ""
    warnings: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()


AnyRead = Run | Package | ReadDecision | Step | ReadStarting | ReadOutcome
FOR_PEOPLE = (Note, Inventory, Entry, Deleted, End)
WRITTEN = (Run, Package, Decision, Step, Starting, Outcome, *FOR_PEOPLE)
