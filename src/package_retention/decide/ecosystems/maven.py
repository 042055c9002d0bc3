"""Maven: order of `ComparableVersion`, ranges of `VersionRange`.

The tool is maven-artifact 3.8 (github.com/apache/maven: `ComparableVersion.java`, `VersionRange.java`,
`ArtifactUtils.java`; maven.apache.org, "POM reference", sections "Version Order Specification" and "Dependency
Version Requirement Specification"). It refuses no text. Where it contradicts itself (`1.sp.1` < `1-alpha` < `1` <
`1.sp.1`), the order here is the one that its own comment wants: a word behind a dot counts as one behind a dash.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

from package_retention.decide.ecosystems import INTERVAL, MAX_LENGTH, Holds, Interval, VersionNumber, ends_of
from package_retention.problems import ProblemCode as Code, invalid

_TOKEN = re.compile(r"([0-9]+|[^0-9.-]+)?([.-]?)")
_TIMESTAMPED = re.compile(r".*-[0-9]{8}\.[0-9]{6}-[0-9]+", re.DOTALL)
_LEADING = re.compile(r"[0-9]+(?:\.[0-9]+)*")
# Behind an interval may stand a comma, but nowhere behind the last one.
_INTERVAL = re.compile(rf"{INTERVAL}\s*(?:,\s*(?!\Z))?")
_NO_VERSION = re.compile(
    r"[\s~^<>=*|,\[\]()]|(?:^|\.)[xX](?:\.|$)|\+$|^(?:latest(?:\..*)?|release)$", re.IGNORECASE
)

# The qualifiers in ascending order; the empty one is the release itself. All others come last.
_WORDS: Final = ("alpha", "beta", "milestone", "rc", "snapshot", "", "sp")
_RELEASE: Final = _WORDS.index("")
_ALIASES: Final[Mapping[str, str]] = {"ga": "", "final": "", "release": "", "cr": "rc"}
_BEFORE_A_DIGIT: Final[Mapping[str, str]] = {"a": "alpha", "b": "beta", "m": "milestone"}

# What may stand at one place of a version, from the earliest to the latest; early is before the end of the version.
(
    _EARLY_WORD,
    _EARLY_NO_WORD,
    _EARLY_LIST,
    _EARLY_ZERO,
    _END,
    _LATE_NO_WORD,
    _LATE_WORD,
    _LATE_LIST,
    _NUMBER,
) = range(9)

_Place = tuple[int] | tuple[int, int, str]
# A number, or a word without its aliases.
_Element = int | str


def parse(text: str) -> VersionNumber | None:
    """Read a version; `None` for what is too long, empty, or has digits that are not ASCII."""
    if not text or len(text) > MAX_LENGTH or any(c.isdecimal() and not c.isascii() for c in text):
        return None
    key = _key(_elements(text.lower()))
    early = any(place[0] == _EARLY_WORD for place in key)
    return VersionNumber(text, key, early or bool(_TIMESTAMPED.fullmatch(text)), _release(text))


def _release(text: str) -> tuple[int, ...]:
    leading = _LEADING.match(text)
    release = [int(number) for number in leading[0].split(".")] if leading else []
    return tuple([*release, 0] if len(release) == 1 else release)


def _elements(text: str) -> list[_Element | None]:
    """Split a version into the elements of the lists that `ComparableVersion` nests; `None` opens the next list.

    A dash opens it, and so does a change between digits and letters; a word at the end, or before a digit, opens one of
    its own. A list ends before the zeros and release words that are its last.
    """
    elements: list[_Element | None] = []
    for match in _TOKEN.finditer(text):
        token, separator = match.groups(default="")
        if not token and not separator:
            break
        before_digit = not separator and match.end() < len(text)
        element = _element(token, before_digit=before_digit)
        if isinstance(element, str) and not separator and elements and elements[-1] is not None:
            _trimmed(elements, (0, "")).append(None)
        elements.append(element)
        if before_digit or separator == "-":
            _trimmed(elements, (0, "")).append(None)
    return _trimmed(elements, (0, "", None))


def _element(token: str, *, before_digit: bool) -> _Element:
    if not token or token.isdecimal():
        return int(token or "0")
    word = _BEFORE_A_DIGIT.get(token, token) if before_digit else token
    return _ALIASES.get(word, word)


def _trimmed(elements: list[_Element | None], last: tuple[_Element | None, ...]) -> list[_Element | None]:
    """Take away what counts for nothing at the end of a list."""
    while elements and elements[-1] in last:
        elements.pop()
    return elements


def _key(elements: Sequence[_Element | None]) -> tuple[_Place, ...]:
    """Place the elements so that keys sort: a list is the last element of the one around it."""
    places: list[_Place] = [(_END,)]
    for element in reversed(elements):
        places.append(_place(element, early=places[-1] < (_END,)))
    return tuple(reversed(places))


def _place(element: _Element | None, *, early: bool) -> _Place:
    """Place an element; what counts for nothing (a list, zero, a release word) goes with what follows (`early` or not)."""
    if element is None:
        return (_EARLY_LIST if early else _LATE_LIST,)
    if isinstance(element, int):
        return (_EARLY_ZERO,) if early and not element else (_NUMBER, element, "")
    if not element:
        return (_EARLY_NO_WORD if early else _LATE_NO_WORD,)
    rank = _WORDS.index(element) if element in _WORDS else len(_WORDS)
    return (_EARLY_WORD if rank < _RELEASE else _LATE_WORD, rank, element)


def parse_range(text: str) -> Holds:
    """Read a set of intervals, or one version; raise `InvalidValueError` if it is not one."""
    plain = text.strip()
    if not plain.startswith(("[", "(")):
        exact = _single(plain)
        return lambda version: version == exact
    intervals = _intervals(plain)
    return lambda version: any(interval.holds(version) for interval in intervals)


def _single(text: str) -> VersionNumber:
    """Read a bare version; refuse what other tools write as a range, or means "the newest" to Maven."""
    version = None if _NO_VERSION.search(text) else parse(text)
    if not version:
        raise invalid(Code.RANGE_NOT_A_RANGE, text)
    return version


def _intervals(text: str) -> list[Interval]:
    """Read a set: intervals in ascending order that do not overlap, with commas between them."""
    intervals: list[Interval] = []
    position = 0
    while position < len(text):
        match = _INTERVAL.match(text, position)
        if not match:
            raise invalid(Code.RANGE_NOT_A_RANGE, text[position:])
        intervals.append(_interval(match))
        position = match.end()
    for before, after in pairwise(intervals):
        if before.high and (not after.low or after.low < before.high):
            raise invalid(Code.RANGE_OVERLAP, text)
    return intervals


def _interval(match: re.Match[str]) -> Interval:
    low, high, low_inclusive, high_inclusive = ends_of(match)
    if high is None:
        # Maven reads `[]` as version zero.
        one = _single(low.strip()) if low.strip() else VersionNumber("", _key([]), prerelease=False)
        return Interval(one, one, low_inclusive, high_inclusive)
    lowest = _single(low.strip()) if low.strip() else None
    highest = _single(high.strip()) if high.strip() else None
    both = low_inclusive and high_inclusive
    if lowest and highest and (lowest > highest or (lowest == highest and not both)):
        raise invalid(Code.RANGE_REVERSED, match["interval"])
    return Interval(lowest, highest, low_inclusive, high_inclusive)
