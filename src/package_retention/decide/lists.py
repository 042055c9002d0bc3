"""How the text of a *list* input becomes entries: one a line, or commas; comments and blanks dropped."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_COMMENT = re.compile(r"(?:^|(?<=\s))#.*")
# A regular expression ends at a slash that flags and a comma (or the line's end) follow; its own commas stay.
_REGEX = re.compile(
    r"\s*!?\s*/(?:[^\\\[/]|\\.|\[(?:[^\\\]]|\\.)*+\]|/(?![A-Za-z]*\s*(?:,|$)))*+/[A-Za-z]*\s*(?=,|$)"
)
# Anything else ends at a comma outside of `[…]`; a bracket that nothing closes takes the rest, to be refused whole.
_PLAIN = re.compile(r"(?:[^,\[]|\[!?\]?[^\]]*+(?:\]|$))*+")


def entries(text: str) -> tuple[str, ...]:
    """Split a list input's text into its entries, trimmed, in order; none of them is empty."""
    lines = (_COMMENT.sub("", line) for line in text.splitlines())
    return tuple(entry for line in lines for part in _parts(line) if (entry := part.strip()))


def _parts(line: str) -> Iterator[str]:
    start = 0
    while start <= len(line):
        found = _REGEX.match(line, start) or _PLAIN.match(line, start)
        end = found.end() if found else len(line)
        yield line[start:end]
        start = end + 1
