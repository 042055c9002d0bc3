"""The kinds of input: how a text becomes a value. A row of the table names its kind, a policy file uses the same ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from package_retention.decide.git_names import GitKind
from package_retention.decide.rules import Damage, OrderBy, ReleaseStatus, TagStatus
from package_retention.inputs import files, settings, values
from package_retention.model import Operation

if TYPE_CHECKING:
    from collections.abc import Callable
    from enum import StrEnum
    from pathlib import Path

    from package_retention.inputs.values import Value
    from package_retention.model import PackageType


@dataclass(frozen=True, slots=True)
class Context:
    """What the meaning of a value depends on.

    `package_type` is `None` if it is not known. Files may lie in the folders `roots`, of which the first is where
    relative paths start.
    """

    package_type: PackageType | None = None
    roots: tuple[Path, ...] = ()
    server_url: str = "https://github.com"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind: `parse` raises `ValueError` if a text does not fit.

    `is_list`: it takes several entries. `is_switch`: as a flag, it may stand without a value. `needs_type`: it cannot
    be read before the package type is known.
    """

    name: str
    parse: Callable[[Value, Context], object] = field(repr=False)
    is_list: bool = False
    is_switch: bool = False
    needs_type: bool = False


def _version_range(value: Value, context: Context) -> object:
    assert context.package_type is not None  # `needs_type`  # noqa: S101
    return values.version_range(value, context.package_type)


def _file(*, written: bool) -> Callable[[Value, Context], Path]:
    def parse(value: Value, context: Context) -> Path:
        path = files.place(values.one(value), context.roots)
        files.inspect(path, context.roots, written=written)
        return path

    return parse


def _choice(choices: type[StrEnum], beside: str = "") -> Callable[[Value, Context], object]:
    return lambda value, _: values.choice(value, choices, beside)


def _choices(name: str, choices: type[StrEnum]) -> Kind:
    return Kind(name, lambda value, _: values.choices(value, choices), is_list=True)


OPERATION = Kind("operation", _choice(Operation))
PACKAGE_TYPE = Kind("package-type", lambda value, _: values.package_type(value))
NAMES = Kind("names", lambda value, context: values.names(value, context.package_type), is_list=True)
OWNER = Kind("owner", lambda value, _: settings.owner(value))
REPOSITORY = Kind("repository", lambda value, _: settings.repository(value))
TOKEN = Kind("token", lambda value, _: settings.token(value))
REGISTRY_URL = Kind(
    "registry-url", lambda value, context: settings.registry_url(values.one(value), context.server_url)
)
PATTERNS = Kind("patterns", lambda value, context: values.patterns(value, context.package_type), is_list=True)
TAG_PATTERNS = Kind("tag-patterns", lambda value, _: values.tag_patterns(value), is_list=True)
EXPRESSION = Kind("expression", lambda value, _: values.expression(value))
IDS = Kind("ids", lambda value, _: values.ids(value), is_list=True)
RANGE = Kind("range", _version_range, needs_type=True)
RELEASE_STATUS = Kind("release-status", _choice(ReleaseStatus, "any"))
TAG_STATUS = Kind("tag-status", _choice(TagStatus, "any"))
ORDER_BY = Kind("order-by", _choice(OrderBy))
DELETE_PACKAGE = Kind(
    "delete-package",
    lambda value, _: values.choice(value, settings.DeletePackage) is settings.DeletePackage.WHEN_EMPTY,
)
IF_MISSING = Kind(
    "if-missing", lambda value, _: values.choice(value, settings.IfMissing) is settings.IfMissing.IGNORE
)
DAMAGES = _choices("damages", Damage)
GIT_KINDS = _choices("git-kinds", GitKind)
GLOBS = Kind("globs", lambda value, _: values.globs(value), is_list=True)
DURATION = Kind("duration", lambda value, _: values.duration(value))
TIME_LIMIT = Kind("time-limit", lambda value, _: settings.time_limit(value))
COUNT = Kind("count", lambda value, _: values.count(value))
MINIMUM = Kind("minimum", lambda value, _: values.minimum(value))
POINTS = Kind("points", lambda value, _: settings.points(value))
SHARE = Kind("share", lambda value, _: values.share(value))
SERIES = Kind("series", lambda value, _: values.series(value))
TRUTH = Kind("truth", lambda value, _: values.truth(value), is_switch=True)
FILE = Kind("file", _file(written=False))
WRITTEN_FILE = Kind("file", _file(written=True))
