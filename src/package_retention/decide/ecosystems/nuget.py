"""NuGet: order, grammar and ranges of NuGet.Versioning.

The tool is NuGet.Versioning 5.8 and later (github.com/NuGet/NuGet.Client: `NuGetVersionFactory.cs`,
`VersionComparer.cs`, `VersionRangeFactory.cs`, `FloatRange.cs`; learn.microsoft.com, "Package versioning"). A range
with a float (`[1.*,2.0)`) holds what both its interval and its float hold.
"""

from __future__ import annotations

import re
from typing import Final

from package_retention.decide.ecosystems import INTERVAL, MAX_LENGTH, Holds, Interval, VersionNumber, ends_of
from package_retention.problems import ProblemCode as Code, invalid

_MAX_NUMBER: Final = 2**31 - 1
_LABELS = r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"
_VERSION = re.compile(rf"([0-9]+(?:\.[0-9]+){{0,3}})(?:-({_LABELS}))?(?:\+{_LABELS})?")
_LEADING_ZERO = re.compile(r"0[0-9]+")
_NUMERIC_LABEL = re.compile(r"-?[0-9]+")
_INTERVAL = re.compile(INTERVAL)
_FLOAT = re.compile(r"((?:[0-9]+\.){0,3})\*(?:-([0-9A-Za-z.-]*)\*)?")
_LABEL_FLOAT = re.compile(r"([0-9]+(?:\.[0-9]+){0,3})-([0-9A-Za-z.-]*)\*")


def parse(text: str) -> VersionNumber | None:
    """Read a version; `None` if NuGet refuses it."""
    match = _VERSION.fullmatch(text) if len(text) <= MAX_LENGTH else None
    if not match:
        return None
    given = [int(number) for number in match[1].split(".")]
    labels = (match[2] or "").split(".")
    if max(given) > _MAX_NUMBER or any(map(_LEADING_ZERO.fullmatch, labels)):
        return None
    release = tuple([*given, 0, 0, 0][:4])
    prerelease = match[2] is not None
    key = (release, not prerelease, tuple(_label_key(label) for label in labels))
    return VersionNumber(text, key, prerelease, release)


def _label_key(label: str) -> tuple[int, int, str]:
    """Order labels: numbers (32 bits, `-1` is one too) before words, words without regard to case."""
    if _NUMERIC_LABEL.fullmatch(label) and -_MAX_NUMBER - 1 <= int(label) <= _MAX_NUMBER:
        return 0, int(label), ""
    return 1, 0, label.upper()


def parse_range(text: str) -> Holds:
    """Read a range; raise `InvalidValueError` if it is not one."""
    plain = text.strip()
    match = _INTERVAL.fullmatch(plain)
    low, high, low_inclusive, high_inclusive = ends_of(match) if match else (plain, "", True, False)
    high = low if high is None else high
    if not low.strip() and not high.strip():
        raise invalid(Code.RANGE_NO_VERSION, plain)
    lowest, floats = _floor(low) if low.strip() else (None, None)
    highest = _version(high) if high.strip() else None
    uneven = low_inclusive != high_inclusive
    if lowest and highest and (lowest > highest or (lowest == highest and uneven)):
        raise invalid(Code.RANGE_REVERSED, plain)
    interval = Interval(lowest, highest, low_inclusive, high_inclusive)
    return lambda version: interval.holds(version) and (not floats or floats(version))


def _version(text: str) -> VersionNumber:
    version = parse(text.strip())
    if not version:
        raise invalid(Code.RANGE_NO_VERSION, text.strip())
    return version


def _floor(text: str) -> tuple[VersionNumber, Holds | None]:
    """Read the lower end, which alone may float (on its numbers, its labels, or both); return what floats, too."""
    if "*" not in text:
        return _version(text), None
    if match := _FLOAT.fullmatch(text):
        floating, given, prefix = True, match[1] + "0", match[2]
    elif match := _LABEL_FLOAT.fullmatch(text):
        floating, given, prefix = False, match[1], match[2]
    else:
        raise invalid(Code.RANGE_STAR, text.strip())
    labels = "" if prefix is None else f"-{_lowest_label(prefix, floating=floating)}"
    lowest = _version(given + labels)
    fixed = lowest.release[: given.count(".")] if floating else lowest.release
    return lowest, (lambda version: _floats(version, fixed, prefix))


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
