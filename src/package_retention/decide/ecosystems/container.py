"""Container tags that are versions: an optional `v`, three or four numbers, then pieces after `-`.

No tool defines them; this is the action's own rule. A piece that begins with a pre-release word makes a pre-release, also when
glued to the numbers (`3.12.0rc2`); any other piece belongs to the variant (`-alpine`). Numbers may have leading
zeros (`2024.01.15`). Pre-releases sort as SemVer 2.0's labels do; ranges are npm's, read on the numbers and
pre-release labels alone: a variant follows its numbers. Fewer numbers (`1`, `1.2-alpine`) are moving tags.
"""

from __future__ import annotations

import re
from typing import Final

from package_retention.decide.ecosystems import VersionNumber
from package_retention.decide.ecosystems.npm import parse_range, release_key

__all__ = ["parse", "parse_range"]

_MAX_TAG: Final = 128
_WORDS = "alpha|beta|rc|cr|pre|preview|dev|snapshot|nightly|canary|next|milestone|ea"
_TAG = re.compile(
    r"v?(?P<numbers>[0-9]+(?:\.[0-9]+){2,3})(?P<glued>[A-Za-z][0-9A-Za-z._]*)?(?P<pieces>(?:-[0-9A-Za-z._]+)*)"
)
# `pr` and `m` are words only as a whole, with or without a number: `pr.12`, `M1`; never `prod`, `musl`.
_PRERELEASE = re.compile(rf"(?:{_WORDS})|(?:pr|m[0-9]+)(?![a-z])", re.IGNORECASE)
_GLUED = re.compile(rf"(?:{_WORDS})|[abm][0-9]+(?![a-z])", re.IGNORECASE)
_RUN = re.compile(r"[0-9]+|[^0-9.]+")


def parse(text: str) -> VersionNumber | None:
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
    order = release_key(release, ".".join([*glued, *labels]))
    # Among equals the plain tag is the highest, so that an image with both counts as the plain one.
    return VersionNumber(text, (*order, not variant, variant), bool(glued or labels), release, variant)
