"""npm: order, grammar and ranges of node's `semver` in its strict mode.

The tool is npm's `semver` 7 (github.com/npm/node-semver: `classes/semver.js`, `classes/range.js`, `internal/re.js`);
its README's "Ranges" and "Prerelease Tags" say what a range holds. A range's last number may not pass 2^53 - 1, as
there. The container module borrows the ranges.
"""

from __future__ import annotations

import re
from itertools import takewhile
from operator import eq, ge, gt, le, lt
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from package_retention.decide.ecosystems import MAX_LENGTH, VersionNumber, VersionRange, check_length
from package_retention.problems import ProblemCode as Code
from package_retention.problems import invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_MAX_SAFE: Final = 2**53 - 1
_SPACES: Final = " \t\n\v\f\r\xa0\ufeff"
_NUMBER = r"(?:0|[1-9][0-9]*)"
_LABEL = r"(?:[0-9]*[A-Za-z-][0-9A-Za-z-]*|0|[1-9][0-9]*)"
_LABELS = rf"{_LABEL}(?:\.{_LABEL})*"
_BUILD = r"\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"
_VERSION = re.compile(rf"v?({_NUMBER})\.({_NUMBER})\.({_NUMBER})(?:-({_LABELS}))?(?:{_BUILD})?")
_PART = rf"(?:{_NUMBER}|[xX*])"
_PARTIAL = re.compile(rf"([v=]*)({_PART})(?:\.({_PART})(?:\.({_PART})(?:-({_LABELS}))?)?)?")
_COMPARATOR = re.compile(r"(~>|[<>]=?|[~^=]?)(.*)")
_AFTER_OPERATOR = re.compile(r"([~^<>=]) ")
_HYPHEN = re.compile(r"([^ ]+) - ([^ ]+)")
_BUILDS = re.compile(_BUILD)

Labels = tuple[tuple[int, float, str], ...]
Numbers = tuple[int, ...]


def labels_key(labels: str) -> Labels:
    """Order the labels after the `-`: numbers before words, words by ASCII, numbers as node's floats."""
    return tuple(
        (0, float(label), "") if label.isdigit() else (1, 0.0, label) for label in labels.split(".") if label
    )


def release_key(numbers: Numbers, labels: str = "") -> tuple[Numbers, int, Labels]:
    """Order numbers, then any pre-release before its release."""
    return numbers, 0 if labels else 1, labels_key(labels)


def parse(text: str) -> VersionNumber | None:
    """Read a version; `None` where node's `semver` refuses it."""
    match = _VERSION.fullmatch(text.strip(_SPACES)) if len(text) <= MAX_LENGTH else None
    if not match:
        return None
    numbers = tuple(int(number) for number in match.group(1, 2, 3))
    if max(numbers) > _MAX_SAFE:
        return None
    labels = match[4] or ""
    return VersionNumber(text, release_key(numbers, labels), bool(labels), numbers)


class Bound(NamedTuple):
    """One comparator of a range, as `range.js` unfolds it: `>=1.2.0`, `<2.0.0-0`."""

    operator: str
    numbers: Numbers
    labels: str = ""

    def fulfilled_by(self, key: object) -> bool:
        """Whether a version with this key (`release_key`) fulfils the comparator."""
        return bool(_OPERATORS[self.operator](key, release_key(self.numbers, self.labels)))


class _Partial(NamedTuple):
    """A version as ranges write it; `numbers` ends before the first x or missing number."""

    numbers: Numbers
    labels: str
    jumps: bool  # a number behind an x: only `^`, `~` and hyphens take that

    @property
    def full(self) -> bool:
        return len(self.numbers) == 3  # noqa: PLR2004 - major, minor, patch

    @property
    def lowest(self) -> Numbers:
        return (*self.numbers, 0, 0, 0)[:3]

    def bumped(self, place: int) -> Numbers:
        return (*self.numbers[:place], self.numbers[place] + 1, 0, 0)[:3]


def parse_range(text: str) -> VersionRange:
    """Read a range; raise `InvalidValueError` if it is not one."""
    allowed = alternatives(text)

    def contains(version: VersionNumber) -> bool:
        return holds(allowed, version.key, version.numbers, prerelease=version.prerelease)

    return VersionRange(text, contains)


def holds(allowed: Iterable[tuple[Bound, ...]], key: object, numbers: Numbers, *, prerelease: bool) -> bool:
    """Whether one alternative holds the version; a pre-release needs a bound that is one of the same numbers."""
    return any(
        all(bound.fulfilled_by(key) for bound in bounds)
        and (not prerelease or any(bound.labels and bound.numbers == numbers for bound in bounds))
        for bounds in allowed
    )


def alternatives(text: str) -> tuple[tuple[Bound, ...], ...]:
    """Unfold a range into its alternatives, each a conjunction of bounds (none: every release).

    As in `range.js`, one alternative that is `*` makes the whole range `*`, which holds no pre-release.
    """
    check_length(text)
    found = tuple(_conjunction(part) for part in text.split("||"))
    for bound in (bound for bounds in found for bound in bounds):
        if max(bound.numbers) > _MAX_SAFE:
            raise invalid(Code.RANGE_TOO_LARGE, text, most=_MAX_SAFE)
    return ((),) if () in found else found


def _conjunction(text: str) -> tuple[Bound, ...]:
    plain = _BUILDS.sub("", " ".join(text.split()))
    if not plain:
        raise invalid(Code.RANGE_EMPTY_ALTERNATIVE, text)
    if hyphen := _HYPHEN.fullmatch(plain):
        bounds = _from_to(_partial(hyphen[1]), _partial(hyphen[2]))
    else:
        bounds = [
            bound
            for range_text in _AFTER_OPERATOR.sub(r"\1", plain).split(" ")
            for bound in _unfold(range_text)
        ]
    return tuple(bound for bound in bounds if bound != _AT_LEAST_ZERO)


def _unfold(range_text: str) -> list[Bound]:
    operator, version = cast("re.Match[str]", _COMPARATOR.fullmatch(range_text)).groups()
    if operator in ("^", "~", "~>"):
        return _compatible(operator, _partial(version, any_prefix=True))
    partial = _partial(version)
    if partial.jumps:
        raise invalid(Code.RANGE_NO_VERSION, range_text)
    if partial.full:
        return [Bound(operator, partial.numbers, partial.labels)]
    if not partial.numbers:
        return [_NOTHING] if operator in ("<", ">") else []
    last = len(partial.numbers) - 1
    lower, upper = Bound(">=", partial.lowest), Bound("<", partial.bumped(last), "0")
    unfolded = {
        ">": [Bound(">=", partial.bumped(last))],
        ">=": [lower],
        "<": [Bound("<", partial.lowest, "0")],
        "<=": [upper],
    }
    return unfolded.get(operator, [lower, upper])


def _compatible(operator: str, partial: _Partial) -> list[Bound]:
    """Unfold `^` (up to the first number that is not zero) and `~` (up to the minor number)."""
    if not partial.numbers:
        return []
    last = len(partial.numbers) - 1
    place = min(1, last)
    if operator == "^":
        place = next((i for i, number in enumerate(partial.numbers) if number), last) if last else 0
    return [Bound(">=", partial.lowest, partial.labels), Bound("<", partial.bumped(place), "0")]


def _from_to(low: _Partial, high: _Partial) -> list[Bound]:
    bounds = [Bound(">=", low.lowest, low.labels)] if low.numbers else []
    if high.full:
        bounds.append(Bound("<=", high.numbers, high.labels))
    elif high.numbers:
        bounds.append(Bound("<", high.bumped(len(high.numbers) - 1), "0"))
    return bounds


def _partial(text: str, *, any_prefix: bool = False) -> _Partial:
    match = _PARTIAL.fullmatch(text)
    parts = [part for part in match.group(2, 3, 4) if part] if match else []
    known = [int(part) for part in takewhile(str.isdigit, parts)]
    full = len(known) == 3  # noqa: PLR2004 - major, minor, patch
    if not match or (full and not any_prefix and match[1] not in ("", "v")):
        raise invalid(Code.RANGE_NO_VERSION, text)
    jumps = any(part.isdigit() for part in parts[len(known) :])
    return _Partial(tuple(known), (match[5] or "") if full else "", jumps)


_OPERATORS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "": eq,
    "=": eq,
    "<": lt,
    "<=": le,
    ">": gt,
    ">=": ge,
}
_NOTHING: Final = Bound("<", (0, 0, 0), "0")
_AT_LEAST_ZERO: Final = Bound(">=", (0, 0, 0))
