"""Read the form of an entry in a list of patterns, and refuse what looks like something else.

An entry that cannot match anything would protect nothing, or delete nothing, in silence.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import replace

from package_retention.problems import ProblemCode as Code
from package_retention.problems import invalid

Kind = Literal["literal", "glob", "regex"]

LONGEST = 1000
LARGEST = 20_000
_FLAGS = "ims"
_HEX = re.compile(r"[0-9a-f]{64}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_DIGEST_GLOB = re.compile(r"sha256:[0-9a-f*?\[\]!-]+")
_REFERENCE = re.compile(
    r"(?:docker(?:-pullable)?://)?"
    r"(?P<image>(?:(?:[a-z0-9-]+\.)+[a-z0-9-]+(?::\d+)?|[a-z0-9-]+:\d+|localhost)(?:/[a-z0-9._-]+)+)(?::[\w][\w.-]{0,127})?"
    r"@(?P<digest>sha256:[0-9a-f]{64})",
    re.IGNORECASE | re.ASCII,
)
_CLASS = re.compile(r"\[!?\]?[^\]]*\]")
_TOKEN = re.compile(
    r"(?P<open>\()|(?P<close>\))|\{(?P<least>\d*),?(?P<most>\d*)\}|(?P<atom>\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|.)",
    re.DOTALL | re.ASCII,
)
_RANGE = re.compile(r"\[[\d.\s]*\]|[\[(].*,.*[\])]")


class Form(Struct, frozen=True):
    """What an entry is, as `Pattern` describes it."""

    kind: Kind
    body: str
    negated: bool = False
    digest: bool = False
    reference: str = ""
    flags: str = ""


def form(text: str) -> Form:
    """Read an entry, its leading `!` included; raise `InvalidValueError`."""
    entry = text.strip()
    negated = entry.startswith("!")
    body = entry[1:].strip() if negated else entry
    _check_text(body)
    found = _expression(body) if body.startswith("/") else _digest(body) or _plain(body)
    return replace(found, negated=negated)


def expression(source: str, flags: str = "") -> Form:
    """Check a regular expression that stands alone, without its slashes; raise `InvalidValueError`."""
    if not source:
        raise invalid(Code.PATTERN_EMPTY, "//")
    if unknown := [flag for flag in flags if flag not in _FLAGS]:
        raise invalid(Code.PATTERN_FLAG, f"/{source}/{flags}", flag=unknown[0])
    if len(source) > LONGEST:
        raise invalid(Code.PATTERN_LONG, source, most=LONGEST)
    if (size := _size(source)) > LARGEST:
        raise invalid(Code.PATTERN_COSTLY, f"/{source}/", size=size, most=LARGEST)
    import regex  # noqa: PLC0415 - heavy, and only regular expressions need it

    try:
        compiled(source, flags)
    except (regex.error, ValueError, OverflowError, RecursionError) as error:
        raise invalid(Code.PATTERN_EXPRESSION, f"/{source}/{flags}", why=str(error)) from error
    return Form("regex", source, flags=flags)


@lru_cache(maxsize=1024)
def compiled(source: str, flags: str = "") -> Any:
    r"""Compile an expression with ASCII classes: `\d` is a digit that version numbers may have."""
    import regex  # noqa: PLC0415 - heavy, and only regular expressions need it

    chosen = regex.ASCII
    for flag in flags:
        chosen |= {"i": regex.IGNORECASE, "m": regex.MULTILINE, "s": regex.DOTALL}[flag]
    return regex.compile(source, chosen)


def _size(source: str) -> int:
    """Return how many steps an expression has once its counted repetitions are written out, as compiling does."""
    outer: list[int] = []
    size = atom = 0
    for token in _TOKEN.finditer(source):
        if token["open"]:
            outer.append(size + atom)
            size = atom = 0
        elif token["close"]:
            atom, size = size + atom, outer.pop() if outer else 0
        elif token["atom"]:
            size, atom = size + atom, 1
        else:
            atom *= max(1, *(int(number[:9]) for number in (token["least"], token["most"]) if number), 1)
    return sum(outer) + size + atom


def _check_text(body: str) -> None:
    if not body:
        raise invalid(Code.PATTERN_EMPTY, "!")
    if len(body) > LONGEST:
        raise invalid(Code.PATTERN_LONG, body, most=LONGEST)
    if hidden := [c for c in body if not c.isprintable()]:
        raise invalid(Code.PATTERN_INVISIBLE, body, character=f"U+{ord(hidden[0]):04X}")
    if body[0] in "\"'`" or body[-1] in "\"'`":
        raise invalid(Code.PATTERN_QUOTES, body)
    if body.startswith("!"):
        raise invalid(Code.PATTERN_NEGATED_TWICE, f"!{body}")


def _expression(body: str) -> Form:
    """Read `/source/flags`; the flags are what follows the last slash."""
    source, slash, flags = body[1:].rpartition("/")
    if not slash or not (flags.isalpha() or not flags):
        raise invalid(Code.PATTERN_ONE_SLASH, body)
    return expression(source, flags)


def _digest(body: str) -> Form | None:
    """Read a digest, a glob of digests, or a reference with a digest; `None` for anything else."""
    lowered = body.lower()
    if lowered.startswith("sha256:"):
        return _bare_digest(lowered)
    if _HEX.fullmatch(lowered):
        raise invalid(Code.PATTERN_LIKE_DIGEST, body)
    if "@" not in body[1:]:
        return None
    if found := _REFERENCE.fullmatch(body):
        digest = found["digest"].lower()
        return Form("literal", digest, digest=True, reference=found["image"].lower())
    if "@sha256" in lowered:
        raise invalid(Code.PATTERN_NOT_A_REFERENCE, body)
    raise invalid(Code.PATTERN_NAME_AND_VERSION, body)


def _bare_digest(lowered: str) -> Form:
    if _DIGEST.fullmatch(lowered):
        return Form("literal", lowered, digest=True)
    if any(mark in lowered for mark in "*?[") and _DIGEST_GLOB.fullmatch(lowered):
        _check_classes(lowered)
        return Form("glob", lowered, digest=True)
    raise invalid(Code.PATTERN_NOT_A_DIGEST, lowered)


def _plain(body: str) -> Form:
    _check_look(body)
    if not any(mark in body for mark in "*?[]"):
        return Form("literal", body)
    _check_classes(body)
    return Form("glob", body)


def _check_look(body: str) -> None:
    """Refuse what has the look of a range, a regular expression, a reference, or several entries."""
    if body.endswith("/"):
        raise invalid(Code.PATTERN_ONE_SLASH, body)
    if _RANGE.fullmatch(body) or body[0] in "<>=~" or re.match(r"\^[\d.\s]*$", body):
        raise invalid(Code.PATTERN_LIKE_RANGE, body)
    if meant := [c for c in "^$(|\\){}" if c in body]:
        raise invalid(Code.PATTERN_LIKE_EXPRESSION, body, mark=meant[0], instead=f"/{body}/")
    if any(quote in body for quote in "\"'`"):
        raise invalid(Code.PATTERN_QUOTES, body)
    if " " in body:
        raise invalid(Code.PATTERN_BLANK, body)
    if "," in _CLASS.sub("", body):
        raise invalid(Code.PATTERN_COMMA, body)
    if ":" in body:
        raise invalid(Code.PATTERN_COLON, body)


def _check_classes(body: str) -> None:
    """Refuse brackets of a glob that are not closed, are empty, or have ranges that run downwards."""
    classes = _CLASS.findall(body)
    if any(mark in _CLASS.sub("", body) for mark in "[]"):
        raise invalid(Code.PATTERN_BRACKET, body)
    for each in classes:
        inner = each[1:-1].removeprefix("!")
        for first, last in re.findall(r"(.)-(.)", inner):
            if first > last:
                raise invalid(Code.PATTERN_EMPTY_SET, body, set=each, first=first, last=last)
