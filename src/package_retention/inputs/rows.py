"""Define what a row of the table of inputs says: the kind of its value, its place, and where else it counts.

A policy file reads its keys by the same rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from enum import StrEnum
from functools import partial
from typing import Any

from package_retention.inputs import values
from package_retention.inputs.values import Context, Kind, Value
from package_retention.model import Operation, PackageType
from package_retention.problems import InvalidValueError, Problem, ProblemCode as Code

Report = Callable[[Problem], None]

_NO_MINIMUM = re.compile(r"-1|0+")
_EXPRESSION = re.compile(r"\$\{\{ github\.(\w+) \}\}")


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


class Section(StrEnum):
    """The sections of a policy file in which a key may stand."""

    PACKAGE = "package"
    DELETE = "delete"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Input:
    """One input, or a key that policy files alone have (those of `KEEP_KEYS`).

    `place` and `attribute` say which attribute of which value holds what was read; by default `attribute` is the name
    with underscores. `sections` are where it stands in a policy file, as `key`. `is_filter`: by itself it
    says which versions. `may_be_empty`: if it arrives empty, its default counts; any other is refused, since a mistyped
    expression must not remove a protection. `stands_for`: it is another action's, and means this input of ours, with
    `as_value` (if it is `true`) or with the same value. What other actions call an input of ours, several names apart
    by blanks, is in `called` if they take the same value, and in `said` if it is written otherwise here, with the lines
    that say it.
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
    sections: tuple[Section, ...] = ()
    key: str = ""
    stands_for: str = ""
    as_value: str = ""
    called: str = ""
    said: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Fill in what follows from the name."""
        object.__setattr__(self, "attribute", self.attribute or self.name.replace("-", "_"))
        object.__setattr__(self, "key", self.key or self.name)
        object.__setattr__(self, "may_be_empty", self.may_be_empty or not self.default)

    @property
    def is_list(self) -> bool:
        """Whether it takes several entries."""
        return self.kind in values.LISTS

    @property
    def is_switch(self) -> bool:
        """Whether it may stand without a value, as a flag."""
        return self.kind is values.truth

    @property
    def words(self) -> dict[str, tuple[str, ...]]:
        """Return the names in other actions, each with the lines that say it here (none: the same value)."""
        said = {word: tuple(here.split("\n")) for words, here in self.said.items() for word in words.split()}
        return dict.fromkeys(self.called.split(), ()) | said

    def check_type(self, context: Context, report: Report) -> None:
        """Report the input if the package type does not have it."""
        kind = context.package_type
        if kind and kind not in self.types:
            report(
                Problem.about(self.name, Code.OTHER_TYPES, types=self.types, other=f"package-type: {kind}")
            )

    def read(self, value: Value, context: Context, report: Report) -> Any:
        """Read one value; `None` if it does not fit, which is reported, or cannot be read yet."""
        try:
            return self.kind(value, context)
        except InvalidValueError as error:
            for problem in error.problems:
                report(problem.of(self.name))
            return None

    def is_default(self, text: str, default: str | None = None) -> bool:
        """Whether this is the value that the input has if it is not given: `default` if that depends on the run."""
        plain = text.strip().lower()
        # A number that keeps nothing must not count as a filter; `-1` is the official action's word for "not set".
        if self.kind is values.minimum and _NO_MINIMUM.fullmatch(plain):
            return True
        if self.as_value and plain == "false":
            return True
        return plain == (self.default if default is None else default).lower()

    @property
    def needs_minimum(self) -> bool:
        """Whether it only says how `min-versions-to-keep` counts."""
        return self.place is Place.RETENTION and not self.is_filter

    @property
    def variable(self) -> str:
        """Return the variable that holds the same as the expression that the default is; empty if it is no expression."""
        found = _EXPRESSION.fullmatch(self.default)
        return f"GITHUB_{found[1].upper()}" if found else ""


RULES = (Section.DELETE, Section.KEEP)
TAGGED = (PackageType.CONTAINER, PackageType.DOCKER)
CONTAINER = (PackageType.CONTAINER,)
DELETE, RESTORE = (Operation.DELETE, Operation.LIST), (Operation.RESTORE,)

# A condition: one of the version filter, in a policy file a key of its rules.
condition = partial(Input, group=Group.FILTER, place=Place.FILTER, is_filter=True, sections=RULES)
# One that only a deletion has.
deletion = partial(condition, operations=DELETE, sections=(Section.DELETE,))
retention = partial(Input, group=Group.RETENTION, place=Place.RETENTION, operations=DELETE, sections=RULES)
what = partial(Input, group=Group.WHAT)
package_key = partial(Input, group=Group.WHAT, place=Place.PACKAGE, sections=(Section.PACKAGE,))
safety = partial(Input, group=Group.SAFETY)
deletion_safety = partial(safety, operations=DELETE)
running = partial(Input, group=Group.RUNNING, may_be_empty=True)
official = partial(Input, group=Group.OFFICIAL, place=Place.NONE)
keep_key = partial(condition, sections=(Section.KEEP,))


def official_flag(name: str, stands_for: str, as_value: str) -> Input:
    """Return an input of the official action that stands for one value of an input here."""
    about = f"`true` means `{stands_for}: {as_value}`"
    return official(name, values.truth, about, is_filter=True, stands_for=stands_for, as_value=as_value)
