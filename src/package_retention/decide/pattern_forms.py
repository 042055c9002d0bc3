"""What an entry of a list of patterns is, told by its form; what looks like something else is refused.

An entry that cannot match anything would protect nothing, or delete nothing, in silence: so each refusal here
names the right form.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

Kind = Literal["literal", "glob", "regex"]

LONGEST = 1000
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
_RANGE = re.compile(r"\[[\d.\s]*\]|[\[(].*,.*[\])]")
_DIGEST_FORM = "`sha256:` and 64 hexadecimal digits, or a whole reference like `ghcr.io/owner/app@sha256:…`"


class PatternError(ValueError):
    """A pattern that looks like something else; the message names the right form."""


@dataclass(frozen=True, slots=True)
class Form:
    """The parts of an entry, as `Pattern` describes them."""

    kind: Kind
    body: str
    negated: bool = False
    digest: bool = False
    reference: str = ""
    flags: str = ""


def form(text: str) -> Form:
    """Tell what an entry is, its leading `!` included; raises `PatternError`."""
    entry = text.strip()
    negated = entry.startswith("!")
    body = entry[1:].strip() if negated else entry
    _check_text(body)
    found = _expression(body) if body.startswith("/") else _digest(body) or _plain(body)
    return replace(found, negated=negated)


def expression(source: str, flags: str = "") -> Form:
    """Check a regular expression that stands alone, without its slashes; raises `PatternError`."""
    if not source:
        raise PatternError(
            "an empty regular expression: `/v1/` means every text with v1 in it, `*` every text"
        )
    if unknown := [flag for flag in flags if flag not in _FLAGS]:
        known = ", ".join(f"`{flag}`" for flag in _FLAGS)
        raise PatternError(f"has the flag `{unknown[0]}`; a regular expression takes {known}, like `/v1/i`")
    import regex  # noqa: PLC0415 - heavy, and only regular expressions need it

    try:
        compiled(source, flags)
    except (regex.error, ValueError, OverflowError, RecursionError) as error:
        raise PatternError(f"is no regular expression: {error}") from error
    return Form("regex", source, flags=flags)


@lru_cache(maxsize=1024)
def compiled(source: str, flags: str = "") -> Any:
    r"""Compile an expression with ASCII classes: `\d` is a digit that version numbers may have."""
    import regex  # noqa: PLC0415 - heavy, and only regular expressions need it

    chosen = regex.ASCII
    for flag in flags:
        chosen |= {"i": regex.IGNORECASE, "m": regex.MULTILINE, "s": regex.DOTALL}[flag]
    return regex.compile(source, chosen)


def _check_text(body: str) -> None:
    if not body:
        raise PatternError("is empty: after `!` comes what is taken away again, like `!v1*`")
    if len(body) > LONGEST:
        raise PatternError(f"has {len(body):,} characters; {LONGEST:,} are the most")
    if hidden := [c for c in body if not c.isprintable()]:
        raise PatternError(f"has an invisible character (U+{ord(hidden[0]):04X}); type the entry anew")
    if body[0] in "\"'`" or body[-1] in "\"'`":
        raise PatternError("has quotes around it, which belong to YAML; say it without them")
    if body.startswith("!"):
        raise PatternError("has two `!`; one takes matches away again, like `!v1*`")


def _expression(body: str) -> Form:
    """`/source/flags`; the flags are what follows the last slash."""
    source, slash, flags = body[1:].rpartition("/")
    if not slash or not (flags.isalpha() or not flags):
        raise PatternError(
            "has a slash at its start alone; a regular expression stands between two, like `/^v1/`"
        )
    return expression(source, flags)


def _digest(body: str) -> Form | None:
    """A digest, a glob of digests, or a reference that holds a digest; `None` for anything else."""
    lowered = body.lower()
    if lowered.startswith("sha256:"):
        return _bare_digest(lowered)
    if _HEX.fullmatch(lowered):
        raise PatternError(
            f"looks like a digest; a digest is `sha256:{lowered[:8]}…` (a tag of that form: `/^{lowered[:8]}/`)"
        )
    if "@" not in body[1:]:
        return None
    if found := _REFERENCE.fullmatch(body):
        digest = found["digest"].lower()
        return Form("literal", digest, digest=True, reference=found["image"].lower())
    if "@sha256" in lowered:
        raise PatternError(f"is no whole reference; a digest is {_DIGEST_FORM}")
    raise PatternError(
        "has an `@` in it, which joins a name and a version; names and versions have inputs of their own"
    )


def _bare_digest(lowered: str) -> Form:
    if _DIGEST.fullmatch(lowered):
        return Form("literal", lowered, digest=True)
    if any(mark in lowered for mark in "*?[") and _DIGEST_GLOB.fullmatch(lowered):
        _check_classes(lowered)
        return Form("glob", lowered, digest=True)
    digits = len(lowered) - len("sha256:")
    raise PatternError(
        f"is no digest ({digits} digits); a digest is {_DIGEST_FORM}, or a glob like `sha256:ab12*`"
    )


def _plain(body: str) -> Form:
    _check_look(body)
    if not any(mark in body for mark in "*?[]"):
        return Form("literal", body)
    _check_classes(body)
    return Form("glob", body)


def _check_look(body: str) -> None:
    """Refuse what has the look of a range, a regular expression, a reference, or several entries."""
    if body.endswith("/"):
        raise PatternError(
            "has a slash at its end alone; a regular expression stands between two, like `/^v1/`"
        )
    if _RANGE.fullmatch(body) or body[0] in "<>=~" or re.match(r"\^[\d.\s]*$", body):
        raise PatternError("looks like a range of versions, which `version-range` takes")
    if meant := [c for c in "^$(|\\){}" if c in body]:
        raise PatternError(
            f"has `{meant[0]}` in it, as a regular expression has; that goes between slashes: `/{body}/`"
            " (globs know `*`, `?` and `[…]`)"
        )
    if any(quote in body for quote in "\"'`"):
        raise PatternError("has quotes in it, which no name, version or tag has")
    if " " in body:
        raise PatternError("has a blank in it; one entry a line, or commas between them")
    if "," in _CLASS.sub("", body):
        raise PatternError("has a comma in it; in a list that is written out, each entry stands alone")
    if ":" in body:
        raise PatternError(
            f"has a colon, which no name, version or tag has; a tag goes without its image, a digest is {_DIGEST_FORM},"
            " and GitHub names Maven packages `group.artifact`"
        )


def _check_classes(body: str) -> None:
    """Brackets of a glob: closed, not empty, and ranges that run upwards."""
    classes = _CLASS.findall(body)
    if any(mark in _CLASS.sub("", body) for mark in "[]"):
        raise PatternError("has a bracket that is not closed; a glob's set is `[…]`, like `v[12].*`")
    for each in classes:
        inner = each[1:-1].removeprefix("!")
        for first, last in re.findall(r"(.)-(.)", inner):
            if first > last:
                raise PatternError(
                    f"has the set `{each}`, which holds nothing: `{first}` comes after `{last}`"
                )
