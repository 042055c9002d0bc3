"""RubyGems: order and grammar of `Gem::Version`, ranges of `Gem::Requirement`.

The tool is RubyGems 3 (github.com/ruby/rubygems: `lib/rubygems/version.rb`, `lib/rubygems/requirement.rb`; guides:
"Patterns", section "Pre-release gems"). A requirement holds pre-releases like any version, as the tool's does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from package_retention.decide.ecosystems import MAX_LENGTH, OPERATORS, Holds, VersionNumber
from package_retention.problems import ProblemCode as Code, invalid

_VERSION = re.compile(r"[0-9]+(?:\.[0-9a-zA-Z]+)*(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?")
_SEGMENT = re.compile(r"[0-9]+|[a-zA-Z]+")
_REQUIREMENT = re.compile(r"\s*(~>|!=|[<>]=?|=?)\s*([^\s<>=~!]+)\s*")

Segment = int | str


def parse(text: str) -> VersionNumber | None:
    """Read a version; `None` if `Gem::Version` refuses it. Any letter, and any `-`, makes a pre-release."""
    if len(text) > MAX_LENGTH or not _VERSION.fullmatch(text):
        return None
    segments = _segments(text)
    release = _release(segments)
    padded = release if len(release) > 1 else [*release, 0]
    return VersionNumber(text, _key(segments), len(release) < len(segments), tuple(padded))


def parse_range(text: str) -> Holds:
    """Read a requirement or a comma-joined list of them; raise `InvalidValueError` if it is not one."""
    tests = [_requirement(each) for each in text.split(",")]
    return lambda version: all(test(version) for test in tests)


def _requirement(text: str) -> Holds:
    match = _REQUIREMENT.fullmatch(text)
    wanted = parse(match[2]) if match else None
    if not match or not wanted:
        raise invalid(Code.RANGE_NOT_A_RANGE, text.strip())
    if match[1] == "~>":
        return _pessimistic(wanted)
    operator = OPERATORS[match[1]]
    return lambda version: operator(version, wanted)


def _pessimistic(wanted: VersionNumber) -> Holds:
    """Read `~>`: at least this version, its release below the next of the number before the last."""
    release = _release(_segments(wanted.text))
    kept = release[:-1] or release
    below = _key([*kept[:-1], kept[-1] + 1])
    return lambda version: version >= wanted and _key(_release(_segments(version.text))) < below


def _segments(text: str) -> list[Segment]:
    found = _SEGMENT.findall(text.replace("-", ".pre."))
    return [int(segment) if segment.isdigit() else segment for segment in found]


def _release(segments: Sequence[Segment]) -> list[int]:
    """Return the numbers before the first letter."""
    release: list[int] = []
    for segment in segments:
        if not isinstance(segment, int):
            break
        release.append(segment)
    return release


def _key(segments: Sequence[Segment]) -> tuple[Any, ...]:
    """Order segments as if endless zeros followed: letters before zero, zero before any other number.

    Zeros that end the numbers or the whole are dropped as `canonical_segments` drops them. Others are counted
    into the segment behind them: a letter comes the earlier, and a number the later, the fewer zeros precede it.
    """
    release = len(_release(segments))
    key: list[tuple[int, int, Segment]] = []
    zeros = 0
    for index, segment in enumerate(segments):
        zeros = 0 if index == release else zeros
        if segment == 0:
            zeros += 1
            continue
        key.append((-1, zeros, segment) if isinstance(segment, str) else (1, -zeros, segment))
        zeros = 0
    return (*key, (0,))
