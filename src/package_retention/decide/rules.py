"""The one model of rules: the single inputs are its one-rule case, a policy file has many."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from msgspec import Struct, field

from package_retention.decide.durations import Duration
from package_retention.decide.ecosystems import VersionParser, VersionRange
from package_retention.decide.pattern import Pattern
from package_retention.decide.patterns import Patterns
from package_retention.model import Damage, GitKind, PackageType
from package_retention.reason import Terms


class ReleaseStatus(StrEnum):
    """The values of `release-status`, `any` left out."""

    RELEASE = "release"
    PRE_RELEASE = "pre-release"


class TagStatus(StrEnum):
    """The values of `tag-status`, `any` left out."""

    TAGGED = "tagged"
    UNTAGGED = "untagged"


class OrderBy(StrEnum):
    """What "newest" means."""

    DATE = "date"
    VERSION = "version"


class Series(StrEnum):
    """The groups of `keep-per` that need no pattern."""

    MAJOR = "major"
    MINOR = "minor"


class Filter(Struct, frozen=True, rename="kebab"):
    """Conditions that must all hold; `None` or empty means no condition.

    Keep rules alone have `newer_than`, `source_exists` and `referenced_in` (globs of files in the workspace); a restore
    alone has `deleted_within`. `source_gone` and `expired` are for deleting. A rule in its own words has the conditions
    in this order, each by the name of its key.
    """

    tag_status: TagStatus | None = None
    versions: Patterns | None = None
    version_range: VersionRange | None = None
    release_status: ReleaseStatus | None = None
    ids: frozenset[int] | None = field(default=None, name="package-version-ids")
    damaged: frozenset[Damage] = field(default=frozenset(), name="remove-damaged")
    source_gone: frozenset[GitKind] = frozenset()
    source_exists: frozenset[GitKind] = frozenset()
    referenced_in: tuple[str, ...] = ()
    expired: bool = False
    older_than: Duration | None = None
    newer_than: Duration | None = None
    deleted_within: Duration | None = None

    @property
    def reads_versions(self) -> bool:
        """Whether a condition reads names or tags as versions."""
        return self.version_range is not None or self.release_status is not None

    @property
    def looks_at_texts(self) -> bool:
        """Whether there is any condition on names or tags."""
        return self.versions is not None or self.reads_versions


class Retention(Struct, frozen=True, rename="kebab"):
    """How many of a rule's matches stay (the newest `minimum` of each group)."""

    minimum: int = field(default=0, name="min-versions-to-keep")
    per: Series | Pattern | None = field(default=None, name="keep-per")
    order_by: OrderBy = OrderBy.DATE


class Rule(Struct, frozen=True, dict=True):
    """One rule: a delete rule selects its matches but for what its retention keeps; a keep rule keeps.

    A keep rule with a `minimum` keeps only that many; without one it keeps every match. `exclude` narrows a delete
    rule. `name` is how reasons call it (`the inputs`, `keep rule 2 of .github/package-retention.yml`).
    """

    name: str
    filter: Filter = field(default_factory=Filter)
    retention: Retention = field(default_factory=Retention)
    exclude: Patterns | None = None

    @cached_property
    def filter_terms(self) -> Terms:
        """The keys of its filter with their values in words: made once, and not for each of 100,000 versions."""
        return _terms(self.filter)

    @cached_property
    def terms(self) -> Terms:
        """All keys of the rule with their values in words; what says how to keep counts only if a number is kept."""
        return self.filter_terms + (_terms(self.retention) if self.retention.minimum else ())


def _terms(conditions: Filter | Retention) -> Terms:
    """Return the keys whose values are not their defaults, with these values."""
    kind = type(conditions)
    values = (getattr(conditions, attribute) for attribute in kind.__struct_fields__)
    keys = zip(kind.__struct_encode_fields__, values, kind.__struct_defaults__, strict=True)
    return tuple((key, said(value)) for key, value, default in keys if value != default)


def said(value: object) -> str:
    """Return a value of a rule as a person reads it, in one line."""
    match value:
        case bool():
            return str(value).lower()
        case frozenset():
            return ", ".join(map(str, sorted(value)))
        case tuple():
            return ", ".join(value)
    return str(value)


def named_ids(rules: Iterable[Rule]) -> set[int]:
    """Return the ids that rules name."""
    return {i for rule in rules for i in rule.filter.ids or ()}


class PackageRules(Struct, frozen=True):
    """The rules for the packages of one type whose names match.

    `exclude`, `referenced_in` and `limit` come from the step's inputs and bind every rule; so does `within`, the names of a step
    that has a policy file, which only narrow. `companions` are the tags that mean nothing by themselves. In a restore,
    `delete` holds the rules that choose what comes back.
    """

    type: PackageType
    names: Patterns
    delete: tuple[Rule, ...] = ()
    keep: tuple[Rule, ...] = ()
    exclude: Patterns | None = None
    limit: int | None = None
    within: Patterns | None = None
    companions: Patterns | None = None
    referenced_in: tuple[str, ...] = ()

    def reaches(self, name: str) -> bool:
        """Return whether the rules are for the package of this name."""
        return self.names.matches(name) and (self.within is None or self.within.matches(name))

    def protects(self, name: str) -> bool:
        """Return whether the keep rules are for the package of this name in any case: a keep rule may reach too far."""
        return self.names.matches(name) or self.names.in_any_case().matches(name.lower())


class Share(Struct, frozen=True):
    """The value of `fail-if-more-than`: a number, or a percentage of the package's images or versions."""

    amount: float
    percent: bool = False

    def __str__(self) -> str:
        """Return the share as it is written in the input."""
        return f"{self.amount:g}%" if self.percent else f"{self.amount:g}"


class ReportScope(Struct, frozen=True):
    """The ids that a plan may change if a report narrows it: `deletions` may go, `untags` may lose tags.

    `alone` are those that would go without the report: an image that one of them would go with, and that is not in
    `deletions`, has got something since the report was written.
    """

    deletions: frozenset[int]
    untags: frozenset[int]
    alone: frozenset[int]


class DecisionContext(Struct, frozen=True):
    """What the decisions about a package rest on beside its facts; `parser` reads versions of the package's type.

    The step may allow to take tags off images that stay (`untag`), and to delete a package whole (`when_empty`).
    `report_scope` is `None` if no report narrows the plan.
    """

    rules: PackageRules
    parser: VersionParser
    now: datetime
    untag: bool = False
    when_empty: bool = False
    report_scope: ReportScope | None = None
