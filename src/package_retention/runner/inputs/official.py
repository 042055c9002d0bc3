"""The words of `actions/delete-package-versions`, put into the words of this action.

They mean what they mean there (its source, `src/input.ts` and `src/delete.ts` of v5), or less: never more is deleted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from package_retention.decide import values
from package_retention.decide.pattern_forms import PatternError
from package_retention.decide.patterns import Pattern, Patterns
from package_retention.decide.quoting import quoted

if TYPE_CHECKING:
    from package_retention.runner.inputs.raw import Raw

NUMBER, IGNORE = "num-old-versions-to-delete", "ignore-versions"
_TWINS = {
    NUMBER: "limit",
    IGNORE: "exclude-versions",
    "delete-only-untagged-versions": "tag-status",
    "delete-only-pre-release-versions": "release-status",
}
_FLAGS = {
    "delete-only-untagged-versions": "untagged",
    "delete-only-pre-release-versions": "pre-release",
}
# What this action's words were given as; a problem names the word that stands in the workflow.
WORDS = {twin: name for name, twin in _TWINS.items() if name != IGNORE}


def translate(raw: Raw) -> dict[str, str]:
    """Give what is given, with the flags and the number in this action's words; `ignore-versions` stays as it is."""
    given = dict(raw.given)
    for name, twin in _TWINS.items():
        if name in given and twin in given:
            raw.tell_all(f"`{name}` and `{twin}` say the same thing; give `{twin}` alone")
    for name, word in _FLAGS.items():
        if name in given and _is_true(raw, name):
            given.setdefault(_TWINS[name], word)
    if NUMBER in given:
        given.setdefault("limit", given[NUMBER])
    return given


def ignored(raw: Raw) -> Patterns | None:
    """Read `ignore-versions`: a bare regular expression, on names, tags and digests."""
    source = raw.given.get(IGNORE)
    if source is None:
        return None
    if len(source) > 1 and source.startswith("/") and source.endswith("/"):
        raw.tell(
            IGNORE,
            f"{quoted(source)} has slashes around it, which that action takes literally; leave them out",
        )
        return None
    try:
        return Patterns((Pattern.expression(source),))
    except PatternError as error:
        raw.tell(IGNORE, f"{quoted(source)} {error}")
        return None


def _is_true(raw: Raw, name: str) -> bool:
    try:
        return values.truth(raw.given[name])
    except ValueError as error:
        raw.tell(name, str(error))
        return False
