"""Read the values of inputs and of a policy's keys, one function a kind; each raises `InvalidValueError`.

A value is a text, as an input has it, or ready entries, as a list of a policy file has them. What its meaning may
depend on is its context.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from package_retention.decide.durations import Duration
from package_retention.decide.ecosystems import VersionParser, VersionRange
from package_retention.decide.pattern import Pattern
from package_retention.decide.patterns import Patterns, entries
from package_retention.decide.rules import OrderBy, ReleaseStatus, Series, Share, TagStatus
from package_retention.inputs.files import Places
from package_retention.model import Damage, GitKind, Operation, PackageType
from package_retention.problems import InvalidValueError, ProblemCode as Code, invalid

Value = str | tuple[str, ...]

WORDS = ("any", "none")
_WHOLE = re.compile(r"\d{1,18}", re.ASCII)
_PERCENT = re.compile(r"(\d{1,3}(?:\.\d+)?)\s*%", re.ASCII)
_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_REPOSITORY = re.compile(rf"{_LOGIN.pattern}/[A-Za-z0-9._-]{{1,100}}")
_HOST = re.compile(r"(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(?::\d{1,5})?", re.ASCII)
_POINTS_OF_A_CHANGE = 5
_REFRESH = "ghr_"  # facts B3
_HOSTS = ("ghcr.io/", "docker.pkg.github.com/", "docker.io/", "npm.pkg.github.com/", "containers.")


@dataclass(frozen=True, slots=True)
class Context:
    """What the meaning of a value depends on.

    `package_type` is `None` if it is not known. Files may lie in the folders of `places`.
    """

    package_type: PackageType | None = None
    places: Places = field(default_factory=lambda: Places(Path()))
    server_url: str = "https://github.com"


Kind = Callable[[Value, Context], Any]


def one(value: Value) -> str:
    """Return a value that is not a list, trimmed."""
    if isinstance(value, tuple):
        raise invalid(Code.NOT_A_LIST)
    return value.strip()


def several(value: Value) -> tuple[str, ...]:
    """Return a list's entries; an empty list is refused, since an expression may have evaluated to nothing."""
    found = entries(value) if isinstance(value, str) else value
    if not found:
        raise invalid(Code.NO_ENTRY)
    return found


def patterns(value: Value, context: Context) -> Patterns:
    """Read patterns on versions; a digest is refused where the package type has none."""
    found = Patterns.parse(_without_words(several(value)))
    digests = [entry.text for entry in found.entries if entry.digest]
    if digests and context.package_type and not context.package_type.has_tags:
        raise invalid(Code.DIGEST_NOT_HERE, digests[0], package_type=context.package_type)
    return found


def names(value: Value, context: Context) -> Patterns:
    """Read patterns on package names; those of container and docker packages are always lower-case."""
    lower = context.package_type is not None and context.package_type.has_tags
    found = Patterns.parse(_without_words(several(value)), lower=lower)
    for entry in found.entries:
        if entry.digest or entry.body.lower().startswith(_HOSTS):
            raise invalid(Code.NAME_IS_REFERENCE, entry.text)
    return found


def ids(value: Value, _: Context) -> frozenset[int]:
    """Read REST ids."""
    return frozenset(_id(entry) for entry in several(value))


def one_of(choices: Iterable[str], beside: str = "") -> Kind:
    """Return what reads one of these words, such as an enum's; `beside` is the default that is no condition."""
    words = {each: each for each in choices}
    known = (*words, beside) if beside else tuple(words)

    def read(value: Value, _: Context) -> str:
        text = one(value)
        if text not in words:
            raise invalid(Code.NOT_ONE_OF, text, choices=known)
        return words[text]

    return read


def some_of(choices: Iterable[str]) -> Kind:
    """Return what reads several of these words."""
    read = one_of(choices)
    return lambda value, context: frozenset(read(entry, context) for entry in several(value))


def either(no: str, yes: str) -> Kind:
    """Return what reads one of two words, the second of which means yes."""
    read = one_of((no, yes))
    return lambda value, context: read(value, context) == yes


operation = one_of(Operation)
release_status = one_of(ReleaseStatus, "any")
tag_status = one_of(TagStatus, "any")
order_by = one_of(OrderBy)
damages = some_of(Damage)
git_kinds = some_of(GitKind)
delete_package = either("never", "when-empty")
if_missing = either("fail", "ignore")


def package_type(value: Value, context: Context) -> Any:
    """Read a package type, in any case (events write `CONTAINER`, facts H)."""
    return one_of(PackageType)(one(value).lower(), context)


def globs(value: Value, _: Context) -> tuple[str, ...]:
    """Read globs of files below the workspace; what they match is looked up later."""
    found = several(_without_words(several(value)))
    if negated := [entry for entry in found if entry.startswith("!")]:
        raise invalid(Code.NEGATED_GLOB, negated[0])
    return found


def tag_patterns(value: Value, context: Context) -> Patterns:
    """Read patterns that look at tags alone; `latest` says something by itself."""
    found = patterns(value, context)
    for entry in found.entries:
        if entry.digest:
            raise invalid(Code.DIGEST_COMPANION, entry.text)
        if entry.kind == "literal" and entry.body == "latest" and not entry.negated:
            raise invalid(Code.LATEST_COMPANION, entry.text)
    return found


def expression(value: Value, _: Context) -> Patterns:
    """Read a bare regular expression that looks at names, tags and digests (`ignore-versions`)."""
    source = one(value)
    if len(source) > 1 and source.startswith("/") and source.endswith("/"):
        raise invalid(Code.SLASHES_TAKEN_LITERALLY, source)
    try:
        return Patterns((Pattern.expression(source),))
    except InvalidValueError as error:
        # As written: it stands without slashes.
        (problem,) = error.problems
        raise InvalidValueError(replace(problem, value=source)) from error


def duration(value: Value, _: Context) -> Duration:
    """Read a duration."""
    return Duration.parse(one(value))


def count(value: Value, _: Context, least: int = 0) -> int:
    """Read a whole number of at least `least`."""
    text = one(value)
    if not _WHOLE.fullmatch(text) or int(text) < least:
        raise invalid(Code.NOT_A_COUNT, text, least=least)
    return int(text)


def minimum(value: Value, context: Context) -> int:
    """Read `min-versions-to-keep`; `-1` is the official action's word for "not set"."""
    return 0 if one(value) == "-1" else count(value, context)


def share(value: Value, _: Context) -> Share:
    """Read a number, or a percentage."""
    text = one(value)
    if _WHOLE.fullmatch(text):
        return Share(float(text))
    if (found := _PERCENT.fullmatch(text)) and float(found[1]) <= 100:  # noqa: PLR2004 - per cent
        return Share(float(found[1]), percent=True)
    raise invalid(Code.NOT_A_SHARE, text)


def truth(value: Value, _: Context) -> bool:
    """Read a boolean, in the spellings of YAML's core schema, as GitHub's own toolkit does (facts E)."""
    text = one(value)
    if text in ("true", "True", "TRUE"):
        return True
    if text in ("false", "False", "FALSE"):
        return False
    raise invalid(Code.NOT_A_BOOLEAN, text)


def series(value: Value, _: Context) -> Series | Pattern:
    """Read `keep-per`: `major`, `minor`, or a regular expression with a group."""
    text = one(value)
    if text in tuple(Series):
        return Series(text)
    if not text.startswith("/"):
        raise invalid(Code.NOT_A_SERIES, text)
    found = Pattern.parse(text)
    if not found.groups:
        raise invalid(Code.NO_GROUP, text)
    return found


def version_range(value: Value, context: Context) -> VersionRange | None:
    """Read a range in the syntax of the type's ecosystem; `None` if the type is not known: it was refused itself."""
    kind = context.package_type
    if kind is None:
        return None
    text = one(value)
    try:
        return VersionParser(kind).parse_range(text)
    except InvalidValueError as error:
        (problem,) = error.problems
        syntax = PackageType.NPM if kind.has_tags else kind
        details = {"part": problem.value, "ranges": syntax, **problem.details}
        raise InvalidValueError(replace(problem, value=text, details=details)) from error


def owner(value: Value, _: Context) -> str:
    """Read the login of an organization or user."""
    text = one(value)
    if not text:
        raise invalid(Code.NO_OWNER)
    if not _LOGIN.fullmatch(text):
        raise invalid(Code.NOT_AN_OWNER, text)
    return text


def repository(value: Value, _: Context) -> str | None:
    """Read `owner/name`; `None` for `any`, and empty if it is not known: no package is linked to that."""
    text = one(value)
    if text.lower() == "any":
        return None
    if text and not _REPOSITORY.fullmatch(text):
        raise invalid(Code.NOT_A_REPOSITORY, text)
    return text


def token(value: Value, _: Context) -> str:
    """Read the token, which no problem may hold."""
    text = one(value)
    if not text:
        raise invalid(Code.TOKEN_EMPTY)
    if any(character.isspace() for character in text):
        raise invalid(Code.TOKEN_BLANKS)
    if not (text.isascii() and text.isprintable()):
        raise invalid(Code.TOKEN_CHARACTERS)
    if text.startswith(_REFRESH):
        raise invalid(Code.TOKEN_REFRESHES)
    return text


def time_limit(value: Value, context: Context) -> float | None:
    """Read a duration in seconds; `None` for `none`."""
    text = one(value)
    if text.lower() == "none":
        return None
    seconds = duration(text, context).total_seconds()
    if not seconds:
        raise invalid(Code.NO_TIME, text)
    return seconds


def points(value: Value, context: Context) -> int | None:
    """Read `points-per-minute`; `None` for `none`. Fewer than a change costs would never let one through."""
    text = one(value)
    return None if text.lower() == "none" else count(text, context, least=_POINTS_OF_A_CHANGE)


def github_url(text: str) -> str:
    """Check a URL of the GitHub server, as the runner names it; the token goes only to an encrypted or local one."""
    try:
        url = urlsplit(text)
        host = url.hostname if url.port != 0 else None
    except ValueError:
        host = None
    if not host or url.scheme not in ("https", "http") or url.username or not text.isprintable():
        raise invalid(Code.NOT_A_URL, text, example="https://github.com")
    if url.scheme == "http" and not _is_loopback(host):
        raise invalid(Code.CLEAR_TEXT, text, instead=f"https{text[4:]}")
    return text.rstrip("/")


def registry_url(value: Value, context: Context) -> str:
    """Read the container registry's URL; if none is given, return that which belongs to the GitHub server (facts I)."""
    text = one(value)
    if not text:
        server = urlsplit(context.server_url)
        on_github = server.hostname == "github.com"
        return "https://ghcr.io" if on_github else f"{server.scheme}://containers.{server.netloc.lower()}"
    scheme, _, rest = text.lower().rstrip("/").rpartition("://")
    if not _HOST.fullmatch(rest) or scheme not in ("", "https", "http"):
        raise invalid(Code.NOT_A_URL, text, example="https://ghcr.io")
    if scheme == "http" and not _is_loopback(urlsplit(f"//{rest}").hostname or ""):
        raise invalid(Code.CLEAR_TEXT, text, instead=f"https://{rest}")
    return f"{scheme or 'https'}://{rest}"


def file(value: Value, context: Context, *, written: bool = False) -> Path:
    """Read the path of a file that is read, or `written`."""
    path = context.places.place(one(value))
    context.places.inspect(path, written=written)
    return path


def written_file(value: Value, context: Context) -> Path:
    """Read the path of a file that is written."""
    return file(value, context, written=True)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _without_words(found: tuple[str, ...]) -> tuple[str, ...]:
    if mixed := [entry for entry in found if entry.lower().removeprefix("!").strip() in WORDS]:
        raise invalid(Code.WORD_IN_LIST, mixed[0], instead=f"/^{mixed[0].lstrip('! ')}$/")
    return found


def _id(entry: str) -> int:
    if _WHOLE.fullmatch(entry) and int(entry):
        return int(entry)
    if entry.startswith("["):
        raise invalid(Code.ID_IS_JSON, entry)
    if entry.startswith("PV_"):
        raise invalid(Code.ID_OF_GRAPHQL, entry)
    raise invalid(Code.NOT_AN_ID, entry)


LISTS = frozenset({patterns, names, ids, tag_patterns, globs, damages, git_kinds})
"""The kinds that take several entries."""
