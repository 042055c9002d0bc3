"""npm, and container tags that are versions: order, grammar and ranges of node's `semver` in its strict mode.

The tool is npm's `semver` 7 (github.com/npm/node-semver: `classes/semver.js`, `classes/range.js`, `internal/re.js`);
its README's "Ranges" and "Prerelease Tags" say what a range holds. A range's last number may not pass 2^53 - 1, as
there.

No tool defines container tags; this is the action's own rule: an optional `v`, three or four numbers, then pieces after
`-`. A piece that begins with a pre-release word makes a pre-release, also when glued to the numbers (`3.12.0rc2`); any
other piece belongs to the variant (`-alpine`). Numbers may have leading zeros (`2024.01.15`). Fewer numbers (`1`,
`1.2-alpine`) are moving tags. Tags sort as npm's versions do, and ranges are npm's, read on the numbers and pre-release
labels alone: a variant follows its numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from package_retention.decide.ecosystems import MAX_LENGTH, OPERATORS, Holds, VersionNumber
from package_retention.problems import ProblemCode as Code, invalid

_MAX_SAFE: Final = 2**53 - 1
_SPACES: Final = " \t\n\v\f\r\xa0\ufeff"
_NUMBER = r"(?:0|[1-9][0-9]*)"
_LABEL = r"(?:[0-9]*[A-Za-z-][0-9A-Za-z-]*|0|[1-9][0-9]*)"
_LABELS = rf"{_LABEL}(?:\.{_LABEL})*"
_BUILD = r"\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"
_VERSION = re.compile(rf"v?({_NUMBER})\.({_NUMBER})\.({_NUMBER})(?:-({_LABELS}))?(?:{_BUILD})?")
_NUMBER_BEHIND_X = re.compile(r"(?<![\w.~^>-])[v=<>]*(?:\d+\.)?[xX*]\.(?:[xX*]\.)?\d+")
_EXACT_UPPER = re.compile(r"<\s*v?(\d{1,16}\.\d{1,16}\.\d{1,16})(?![\w.-])")

_MAX_TAG: Final = 128
_PRERELEASE_WORDS = "alpha|beta|rc|cr|pre|preview|dev|snapshot|nightly|canary|next|milestone|ea"
_TAG = re.compile(
    r"v?(?P<numbers>[0-9]+(?:\.[0-9]+){2,3})(?P<glued>[A-Za-z][0-9A-Za-z._]*)?(?P<pieces>(?:-[0-9A-Za-z._]+)*)"
)
# `pr` and `m` are words only as a whole, with or without a number: `pr.12`, `M1`; never `prod`, `musl`.
_PRERELEASE = re.compile(rf"(?:{_PRERELEASE_WORDS})|(?:pr|m[0-9]+)(?![a-z])", re.IGNORECASE)
_GLUED = re.compile(rf"(?:{_PRERELEASE_WORDS})|[abm][0-9]+(?![a-z])", re.IGNORECASE)
_RUN = re.compile(r"[0-9]+|[^0-9.]+")

_Release = tuple[int, ...]


def _order(release: _Release, labels: str = "") -> tuple[Any, ...]:
    """Order numbers, then any pre-release before its release.

    The labels after the `-` follow: numbers before words, words by ASCII, numbers as node's floats.
    """
    ranked = tuple(
        (0, float(label), "") if label.isdigit() else (1, 0.0, label) for label in labels.split(".") if label
    )
    return release, not labels, ranked


def parse(text: str) -> VersionNumber | None:
    """Read a version; `None` if node's `semver` refuses it."""
    match = _VERSION.fullmatch(text.strip(_SPACES)) if len(text) <= MAX_LENGTH else None
    if not match:
        return None
    major, minor, patch, labels = match.groups("")
    release = (int(major), int(minor), int(patch))
    if max(release) > _MAX_SAFE:
        return None
    return VersionNumber(text, _order(release, labels), bool(labels), release)


def parse_tag(text: str) -> VersionNumber | None:
    """Read a tag; `None` if it is not a version."""
    match = _TAG.fullmatch(text) if len(text) <= _MAX_TAG else None
    if not match or (match["glued"] and not _GLUED.match(match["glued"])):
        return None
    pieces = match["pieces"].split("-")[1:]
    labels = [piece for piece in pieces if _PRERELEASE.match(piece)]
    variant = "-".join(piece for piece in pieces if not _PRERELEASE.match(piece))
    glued = _RUN.findall(match["glued"] or "")
    release = tuple(int(number) for number in match["numbers"].split("."))
    release = release[:3] if release[3:] == (0,) else release
    # Among equals the plain tag is the highest, so that an image with both counts as the plain one.
    key = (*_order(release, ".".join([*glued, *labels])), not variant, variant)
    return VersionNumber(text, key, bool(glued or labels), release, variant)


class _Bound(NamedTuple):
    """One comparator of a range, as `range.js` unfolds it: `>=1.2.0`, `<2.0.0-0`."""

    operator: str
    release: _Release
    labels: str = ""


_AT_LEAST_ZERO: Final = _Bound(">=", (0, 0, 0))


def parse_range(text: str) -> Holds:
    """Read a range; raise `InvalidValueError` if it is not one."""
    allowed = _alternatives(text)
    return lambda version: any(_fulfils(version, bounds) for bounds in allowed)


def _fulfils(version: VersionNumber, bounds: Iterable[_Bound]) -> bool:
    """Return whether a version fulfils all bounds; a pre-release needs one that is a pre-release of the same numbers."""
    # Behind these three a container tag's key has its variant, which no bound looks at.
    key = version.key[:3]
    for bound in bounds:
        if not OPERATORS[bound.operator](key, _order(bound.release, bound.labels)):
            return False
    return not version.prerelease or any(
        bound.labels and bound.release == version.release for bound in bounds
    )


def _alternatives(text: str) -> tuple[tuple[_Bound, ...], ...]:
    """Unfold a range into its alternatives, each a conjunction of bounds (none: every release).

    As in `range.js`, one alternative that is `*` makes the whole range `*`, which holds no pre-release.
    """
    # Refused here, though node takes them: an empty alternative means everything, and a number behind an x nothing
    # (`^1.x.3` and `~1.x.3` mean `1.x` there and here).
    if not all(alternative.strip() for alternative in text.split("||")):
        raise invalid(Code.RANGE_EMPTY_ALTERNATIVE, text)
    if jump := _NUMBER_BEHIND_X.search(text):
        raise invalid(Code.RANGE_NO_VERSION, jump[0])
    from nodesemver import make_range  # noqa: PLC0415 - only ranges need it

    try:
        unfolded = make_range(" ".join(text.split()), loose=False).set
    except ValueError as error:
        raise invalid(Code.RANGE_NO_VERSION, text) from error
    exact = {tuple(map(int, found[1].split("."))) for found in _EXACT_UPPER.finditer(text)}
    found = tuple(tuple(_bounds(comparators, exact)) for comparators in unfolded)
    for bound in (bound for bounds in found for bound in bounds):
        if max(bound.release) > _MAX_SAFE:
            raise invalid(Code.RANGE_TOO_LARGE, text, most=_MAX_SAFE)
    return ((),) if () in found else found


def _bounds(comparators: Iterable[Any], exact: set[tuple[int, ...]]) -> Iterator[_Bound]:
    """Yield the bounds of a conjunction of comparators; one that holds everything has none.

    The library writes `<2` as `<2.0.0`, as node once did, which would let a pre-release of 2.0.0 in beside
    `>=2.0.0-alpha`; node writes `<2.0.0-0` today. Only an upper end that is spelled out in full is taken as it is.
    """
    for each in comparators:
        if not each.operator and not hasattr(each.semver, "major"):
            continue
        release = (each.semver.major, each.semver.minor, each.semver.patch)
        labels = ".".join(map(str, each.semver.prerelease))
        if each.operator == "<" and not labels and release not in exact:
            labels = "0"
        bound = _Bound(each.operator, release, labels)
        if bound != _AT_LEAST_ZERO:
            yield bound
