"""NuGet: order, grammar and ranges of NuGet.Versioning.

The tool is NuGet.Versioning 5.8 and later (github.com/NuGet/NuGet.Client: `NuGetVersionFactory.cs`,
`VersionComparer.cs`, `VersionRangeFactory.cs`, `FloatRange.cs`; learn.microsoft.com, "Package versioning"). A range
with a float (`[1.*,2.0)`) holds what both its interval and its float hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from package_retention.decide.ecosystems import MAX_LENGTH, VersionNumber, VersionRange, check_length
from package_retention.problems import ProblemCode as Code
from package_retention.problems import invalid

_MAX_NUMBER: Final = 2**31 - 1
_LABELS = r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"
_VERSION = re.compile(rf"([0-9]+(?:\.[0-9]+){{0,3}})(?:-({_LABELS}))?(?:\+{_LABELS})?")
_NUMERIC_LABEL = re.compile(r"-?[0-9]+")
_INTERVAL = re.compile(r"([\[(])([^,\[\]()]*)(?:(,)([^,\[\]()]*))?([\])])")
_FLOAT = re.compile(r"((?:[0-9]+\.){0,3})\*(?:-([0-9A-Za-z.-]*)\*)?")
_LABEL_FLOAT = re.compile(r"([0-9]+(?:\.[0-9]+){0,3})-([0-9A-Za-z.-]*)\*")

Labels = tuple[tuple[int, int, str], ...]


def parse(text: str) -> VersionNumber | None:
    """Read a version; `None` if NuGet refuses it."""
    match = _VERSION.fullmatch(text) if len(text) <= MAX_LENGTH else None
    if not match:
        return None
    given = [int(number) for number in match[1].split(".")]
    labels = match[2] or ""
    if max(given) > _MAX_NUMBER or any(_has_leading_zero(label) for label in labels.split(".")):
        return None
    release = tuple([*given, 0, 0, 0][:4])
    return VersionNumber(text, (release, 0 if labels else 1, _labels_key(labels)), bool(labels), release)


def _has_leading_zero(label: str) -> bool:
    return len(label) > 1 and label.isdigit() and label.startswith("0")


def _labels_key(labels: str) -> Labels:
    """Order labels: numbers (32 bits, `-1` is one too) before words, words without regard to case."""
    return tuple(_label_key(label) for label in labels.split(".")) if labels else ()


def _label_key(label: str) -> tuple[int, int, str]:
    if _NUMERIC_LABEL.fullmatch(label) and -_MAX_NUMBER - 1 <= int(label) <= _MAX_NUMBER:
        return 0, int(label), ""
    return 1, 0, label.upper()


class _Floor(NamedTuple):
    """The lower end of a range, and what its float holds besides."""

    version: VersionNumber
    floats: Callable[[VersionNumber], bool] | None = None


def parse_range(text: str) -> VersionRange:
    """Read a range; raise `InvalidValueError` if it is not one."""
    check_length(text)
    plain = text.strip()
    interval = _INTERVAL.fullmatch(plain)
    if not interval:
        return VersionRange(text, _between(_floor(plain), None))
    opening, low, comma, high, closing = interval.groups()
    if not comma and (opening, closing) != ("[", "]"):
        raise invalid(Code.RANGE_ONE_VERSION, plain)
    if not low.strip() and not (high or "").strip():
        raise invalid(Code.RANGE_NO_VERSION, plain)
    lower = _floor(low) if low.strip() else None
    upper = _version(high if comma else low) if (high or not comma) and (high or low).strip() else None
    _check_order(plain, lower, upper, uneven=(opening == "[") != (closing == "]"))
    return VersionRange(
        text, _between(lower, upper, low_inclusive=opening == "[", high_inclusive=closing == "]")
    )


def _check_order(text: str, lower: _Floor | None, upper: VersionNumber | None, *, uneven: bool) -> None:
    if lower and upper and (lower.version > upper or (lower.version == upper and uneven)):
        raise invalid(Code.RANGE_REVERSED, text)


def _between(
    lower: _Floor | None,
    upper: VersionNumber | None,
    *,
    low_inclusive: bool = True,
    high_inclusive: bool = False,
) -> Callable[[VersionNumber], bool]:
    def contains(version: VersionNumber) -> bool:
        if lower and (version < lower.version or (version == lower.version and not low_inclusive)):
            return False
        if upper and (version > upper or (version == upper and not high_inclusive)):
            return False
        return not lower or not lower.floats or lower.floats(version)

    return contains


def _version(text: str) -> VersionNumber:
    version = parse(text.strip())
    if not version:
        raise invalid(Code.RANGE_NO_VERSION, text.strip())
    return version


def _floor(text: str) -> _Floor:
    """Read the lower end, which alone may float: on its numbers, its labels, or both."""
    if "*" not in text:
        return _Floor(_version(text))
    if match := _FLOAT.fullmatch(text):
        floating, given, prefix = True, match[1] + "0", match[2]
    elif match := _LABEL_FLOAT.fullmatch(text):
        floating, given, prefix = False, match[1], match[2]
    else:
        raise invalid(Code.RANGE_STAR, text.strip())
    labels = "" if prefix is None else f"-{_lowest_label(prefix, floating=floating)}"
    lowest = _version(given + labels)
    fixed = lowest.release[: given.count(".")] if floating else lowest.release
    return _Floor(lowest, lambda version: _floats(version, fixed, prefix))


def _lowest_label(prefix: str, *, floating: bool) -> str:
    """Complete a prefix to the lowest label that begins with it, in the cases in which NuGet does."""
    completes = floating or "-" not in prefix
    return f"{prefix}0" if completes and (not prefix or prefix.endswith(".")) else prefix


def _floats(version: VersionNumber, fixed: tuple[int, ...], prefix: str | None) -> bool:
    """Return whether the fixed numbers are the version's; of its pre-releases, only those that begin with the prefix."""
    if version.release[: len(fixed)] != fixed:
        return False
    labels = version.text.partition("+")[0].partition("-")[2]
    return not version.prerelease or (prefix is not None and labels.upper().startswith(prefix.upper()))
