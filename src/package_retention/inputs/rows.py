"""What a row of the table of inputs says."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING

from package_retention.model import Operation, PackageType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from package_retention.inputs.kinds import Kind


class Group(StrEnum):
    """The groups in which the documentation lists the inputs."""

    WHAT = "What to work on"
    FILTER = "Which versions"
    RETENTION = "How many stay"
    SAFETY = "Safety"
    RUNNING = "Running and reporting"
    OFFICIAL = "Names from actions/delete-package-versions"


class Place(StrEnum):
    """The value that holds what an input says."""

    SETTINGS = "settings"
    PACKAGE = "package"
    FILTER = "filter"
    RETENTION = "retention"
    RULE = "rule"
    NONE = "none"


class Part(StrEnum):
    """The parts of a policy file in which a key may stand."""

    PACKAGE = "package"
    DELETE = "delete"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Input:
    """One input, or a key that policy files alone have (those of `KEEP_KEYS`).

    `place` and `attribute` say which attribute of which value holds what was read; by default `attribute` is the name
    with underscores. `parts` are where it stands in a policy file, as `key`. `beside_policy`: it counts beside a policy
    file, too. `is_filter`: by itself it says which versions. `may_be_empty`: if it arrives empty, its default counts;
    any other is refused, since a mistyped expression must not remove a protection. `words` are what other actions call
    it, each with the lines that say it here (none: its own name, with the same value).
    """

    name: str
    kind: Kind
    description: str
    default: str = "none"
    _: KW_ONLY
    group: Group
    place: Place = Place.SETTINGS
    attribute: str = ""
    types: tuple[PackageType, ...] = tuple(PackageType)
    operations: tuple[Operation, ...] = tuple(Operation)
    may_be_empty: bool = False
    is_filter: bool = False
    parts: tuple[Part, ...] = ()
    key: str = ""
    beside_policy: bool = True
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Fill in what follows from the name."""
        object.__setattr__(self, "attribute", self.attribute or self.name.replace("-", "_"))
        object.__setattr__(self, "key", self.key or self.name)

    @property
    def from_context(self) -> bool:
        """Whether the default is an expression that the runner evaluates."""
        return self.default.startswith("${{")


RULES = (Part.DELETE, Part.KEEP)
TAGGED = (PackageType.CONTAINER, PackageType.DOCKER)
CONTAINER = (PackageType.CONTAINER,)
DELETE, RESTORE = (Operation.DELETE, Operation.LIST), (Operation.RESTORE,)

# A condition: one of the version filter, in a policy file a key of its rules.
condition = partial(
    Input, group=Group.FILTER, place=Place.FILTER, is_filter=True, parts=RULES, beside_policy=False
)
retention = partial(
    Input, group=Group.RETENTION, place=Place.RETENTION, operations=DELETE, parts=RULES, beside_policy=False
)
what = partial(Input, group=Group.WHAT)
safety = partial(Input, group=Group.SAFETY)
running = partial(Input, group=Group.RUNNING, may_be_empty=True)
official = partial(Input, group=Group.OFFICIAL, place=Place.NONE)
keep_key = partial(Input, group=Group.FILTER, place=Place.FILTER, parts=(Part.KEEP,))


def same(names: str) -> dict[str, tuple[str, ...]]:
    """Names that take the value of the input as it is."""
    return dict.fromkeys(names.split(), ())


def said(names: str, *here: str) -> dict[str, tuple[str, ...]]:
    """Names whose meaning is written so here, in one line or several."""
    return dict.fromkeys(names.split(), here)
