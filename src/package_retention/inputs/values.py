"""The values of inputs and of a policy's keys, one function a kind; each raises `ValueError` with a whole sentence.

A value is a text, as an input has it, or ready entries, as a list of a policy file has them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from package_retention.decide.durations import Duration, DurationError
from package_retention.decide.pattern_forms import PatternError
from package_retention.decide.patterns import Pattern, Patterns, entries
from package_retention.decide.rules import Series, Share
from package_retention.escaping import quoted
from package_retention.model import PackageType

if TYPE_CHECKING:
    from collections.abc import Iterable
    from enum import StrEnum
    from typing import TypeVar

    from package_retention.decide.ecosystems import VersionRange

    Choice = TypeVar("Choice", bound=StrEnum)

Value = str | tuple[str, ...]

WORDS = ("any", "none")
_WHOLE = re.compile(r"\d{1,18}", re.ASCII)
_PERCENT = re.compile(r"(\d{1,3}(?:\.\d+)?)\s*%", re.ASCII)
_HOSTS = ("ghcr.io/", "docker.pkg.github.com/", "docker.io/", "npm.pkg.github.com/", "containers.")


def one(value: Value) -> str:
    """Give a value that is no list, trimmed."""
    if isinstance(value, tuple):
        raise ValueError("takes one value, not a list")  # noqa: TRY004 - a user's mistake, not a programmer's
    return value.strip()


def several(value: Value) -> tuple[str, ...]:
    """Give a list's entries; an empty list is refused, since an expression may have evaluated to nothing."""
    found = entries(value) if isinstance(value, str) else value
    if not found:
        raise ValueError("evaluated to nothing: it has no entry")
    return found


def patterns(value: Value, package_type: PackageType | None = None) -> Patterns:
    """Read patterns on versions; a digest is refused where the package type has none."""
    found = Patterns.parse(_without_words(several(value)))
    if (
        package_type
        and not package_type.has_tags
        and (digests := [e.text for e in found.entries if e.digest])
    ):
        raise ValueError(f"{quoted(digests[0])} is a digest, and {package_type} packages have none")
    return found


def names(value: Value, package_type: PackageType | None = None) -> Patterns:
    """Read patterns on package names; those of container and docker packages are always lower-case."""
    found = Patterns.parse(
        _without_words(several(value)), lower=package_type is not None and package_type.has_tags
    )
    for entry in found.entries:
        if entry.digest or entry.body.lower().startswith(_HOSTS):
            raise ValueError(
                f"{quoted(entry.text)} is an image reference; a package's name goes without registry and owner"
            )
    return found


def ids(value: Value) -> frozenset[int]:
    """Read REST ids."""
    return frozenset(_id(entry) for entry in several(value))


def choice(value: Value, kind: type[Choice], beside: str = "") -> Choice:
    """Read one of an enum's values; `beside` is the default that is no condition, for the message."""
    text = one(value)
    try:
        return kind(text)
    except ValueError:
        raise ValueError(f"{quoted(text)} is none of {_said((*kind, beside) if beside else kind)}") from None


def package_type(value: Value) -> PackageType:
    """Read a package type, in any case (events write `CONTAINER`, facts H)."""
    return choice(one(value).lower(), PackageType)


def choices(value: Value, kind: type[Choice]) -> frozenset[Choice]:
    """Read several of an enum's values."""
    return frozenset(choice(entry, kind) for entry in several(value))


def globs(value: Value) -> tuple[str, ...]:
    """Read globs of files below the workspace; what they match is looked up later."""
    found = several(_without_words(several(value)))
    if negated := [entry for entry in found if entry.startswith("!")]:
        raise ValueError(f"{quoted(negated[0])} takes files away, which globs of files cannot")
    return found


def tag_patterns(value: Value) -> Patterns:
    """Read patterns that look at tags alone; `latest` says something by itself."""
    found = patterns(value)
    for entry in found.entries:
        if entry.digest:
            raise ValueError(f"{quoted(entry.text)} is a digest; a companion tag is a tag")
        if entry.kind == "literal" and entry.body == "latest" and not entry.negated:
            raise ValueError("`latest` is never a companion: it says which image is the newest")
    return found


def expression(value: Value) -> Patterns:
    """Read a bare regular expression that looks at names, tags and digests (`ignore-versions`)."""
    source = one(value)
    if len(source) > 1 and source.startswith("/") and source.endswith("/"):
        raise ValueError(
            f"{quoted(source)} has slashes around it, which that action takes literally; leave them out"
        )
    try:
        return Patterns((Pattern.expression(source),))
    except PatternError as error:
        raise ValueError(f"{quoted(source)} {error}") from error


def duration(value: Value) -> Duration:
    """Read a duration."""
    text = one(value)
    try:
        return Duration.parse(text)
    except DurationError as error:
        raise ValueError(f"{quoted(text)} {error}") from error


def count(value: Value, least: int = 0) -> int:
    """Read a whole number of at least `least`."""
    text = one(value)
    if not _WHOLE.fullmatch(text) or int(text) < least:
        raise ValueError(f"{quoted(text)} is no whole number of at least {least}")
    return int(text)


def minimum(value: Value) -> int:
    """Read `min-versions-to-keep`; `-1` is the official action's word for "not set"."""
    return 0 if one(value) == "-1" else count(value)


def share(value: Value) -> Share:
    """Read a number, or a percentage."""
    text = one(value)
    if _WHOLE.fullmatch(text):
        return Share(float(text))
    if (found := _PERCENT.fullmatch(text)) and float(found[1]) <= 100:  # noqa: PLR2004 - per cent
        return Share(float(found[1]), percent=True)
    raise ValueError(f"{quoted(text)} is neither a whole number nor a percentage; write `20` or `10%`")


def truth(value: Value) -> bool:
    """Read a boolean, in the spellings of YAML's core schema, as GitHub's own toolkit does (facts E)."""
    text = one(value)
    if text in ("true", "True", "TRUE"):
        return True
    if text in ("false", "False", "FALSE"):
        return False
    raise ValueError(f"{quoted(text)} is neither `true` nor `false`")


def series(value: Value) -> Series | Pattern:
    """Read `keep-per`: `major`, `minor`, or a regular expression with a group."""
    text = one(value)
    if text in tuple(Series):
        return Series(text)
    if not text.startswith("/"):
        raise ValueError(
            f"{quoted(text)} is none of {_said(Series)}, nor a regular expression like `/^(v\\d+)/`"
        )
    try:
        found = Pattern.parse(text)
    except PatternError as error:
        raise ValueError(f"{quoted(text)} {error}") from error
    if not found.groups:
        raise ValueError(f"{quoted(text)} has no group; the first group names the series, like `/^(v\\d+)/`")
    return found


def version_range(value: Value, package_type: PackageType) -> VersionRange:
    """Read a range in the syntax of the type's ecosystem."""
    from package_retention.decide import ecosystems  # noqa: PLC0415 - only ranges need it

    text = one(value)
    try:
        return ecosystems.of(package_type).parse_range(text)
    except ValueError as error:
        raise ValueError(f"{quoted(text)}: {error}") from error


def _without_words(found: tuple[str, ...]) -> tuple[str, ...]:
    if mixed := [entry for entry in found if entry.lower().removeprefix("!").strip() in WORDS]:
        raise ValueError(
            f"{quoted(mixed[0])} stands alone, or not at all (what is really called so: `/^{mixed[0].lstrip('! ')}$/`)"
        )
    return found


def _id(entry: str) -> int:
    if _WHOLE.fullmatch(entry) and int(entry):
        return int(entry)
    if entry.startswith("["):
        raise ValueError(f"{quoted(entry)} is JSON; write `${{{{ join(fromJSON(…), ',') }}}}`")
    if entry.startswith("PV_"):
        raise ValueError(f"{quoted(entry)} is a GraphQL id; the REST id is a whole number")
    raise ValueError(
        f"{quoted(entry)} is no id of a version; an id is a whole number, a tag or digest goes to `versions`"
    )


def _said(kind: Iterable[object]) -> str:
    return ", ".join(f"`{each}`" for each in kind)
