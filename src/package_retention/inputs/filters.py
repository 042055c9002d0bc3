"""From keys and their values to a filter and a retention: the same for the single inputs and a policy's rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from package_retention.decide.rules import Filter, OrderBy, ReleaseStatus, Retention, TagStatus
from package_retention.inputs import values
from package_retention.model import PackageType

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeVar

    from package_retention.inputs.values import Value

    T = TypeVar("T")
    Tell = Callable[[str, str], None]

RETENTION_KEYS = ("min-versions-to-keep", "keep-per", "order-by")
_IMAGES = (PackageType.CONTAINER, PackageType.DOCKER)
_TYPES = {"tag-status": _IMAGES, "untag": _IMAGES[:1], "remove-damaged": _IMAGES[:1]}


def filter_of(given: Mapping[str, Value], package_type: PackageType | None, report: Tell) -> Filter:
    """Build a filter of the keys that are given (none of them at its default).

    `tell` is called with the key and a sentence for each that does not fit, of which the filter then knows nothing.
    What depends on the package type is left unread where that is `None` (it was refused itself).
    """
    check_type(given, package_type, report)
    return Filter(
        versions=take(given, "versions", lambda value: values.patterns(value, package_type), report),
        ids=take(given, "package-version-ids", values.ids, report),
        version_range=take(
            given, "version-range", lambda value: values.version_range(value, package_type), report
        )
        if package_type
        else None,
        release_status=take(
            given, "release-status", lambda value: values.choice(value, ReleaseStatus, "any"), report
        ),
        tag_status=take(given, "tag-status", lambda value: values.choice(value, TagStatus, "any"), report),
        older_than=take(given, "older-than", values.duration, report),
        newer_than=take(given, "newer-than", values.duration, report),
        deleted_within=take(given, "deleted-within", values.duration, report),
        damaged=take(given, "remove-damaged", values.damaged, report) or frozenset(),
    )


def retention_of(given: Mapping[str, Value], report: Tell) -> Retention:
    """Build a retention of the keys that are given; `tell` is called as `filter_of` does."""
    minimum = take(given, "min-versions-to-keep", values.minimum, report)
    for key in ("keep-per", "order-by"):
        if key in given and not minimum and (minimum is not None or "min-versions-to-keep" not in given):
            report(
                key, "says how `min-versions-to-keep` counts, and that is not given; it must be at least 1"
            )
    return Retention(
        minimum=minimum or 0,
        per=take(given, "keep-per", values.series, report),
        order_by=take(given, "order-by", lambda value: values.choice(value, OrderBy), report) or OrderBy.DATE,
    )


def check_type(given: Mapping[str, Value], package_type: PackageType | None, report: Tell) -> None:
    """Tell the keys that a package type does not know."""
    for key, types in _TYPES.items():
        if key in given and package_type and package_type not in types:
            report(key, f"is for {' and '.join(types)} packages, not for `package-type: {package_type}`")


def take(given: Mapping[str, Value], key: str, parse: Callable[[Value], T], report: Tell) -> T | None:
    """Read one key's value; `None` where it is not given, or was told not to fit."""
    if key not in given:
        return None
    try:
        return parse(given[key])
    except ValueError as error:
        report(key, str(error))
        return None
