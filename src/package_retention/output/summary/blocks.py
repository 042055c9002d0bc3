"""What a summary is made of, before it is Markdown or plain text; every string may be hostile and is escaped later."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """A name, tag or digest, shown as it is."""

    text: str


@dataclass(frozen=True, slots=True)
class Strong:
    """Words that matter more."""

    text: str


@dataclass(frozen=True, slots=True)
class Link:
    """A name that leads to a page; only an https address makes it a link."""

    label: str
    url: str


Inline = str | Code | Strong | Link
Line = tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of level 1 to 6."""

    level: int
    line: Line


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph."""

    line: Line


@dataclass(frozen=True, slots=True)
class Alert:
    """A coloured box of one of GitHub's kinds (`NOTE`, `TIP`, `WARNING`, `CAUTION`)."""

    kind: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table; the columns whose numbers are in `numeric` are set to the right."""

    head: tuple[str, ...]
    rows: tuple[tuple[Line, ...], ...]
    numeric: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Listing:
    """Text to paste, in a language."""

    language: str
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Two counts for each label of one axis: what stays, and what goes (or went, or comes back)."""

    title: str
    labels: tuple[str, ...]
    kept: tuple[int, ...]
    changed: tuple[int, ...]
    changed_word: str


@dataclass(frozen=True, slots=True)
class Details:
    """Blocks that are folded away under a line."""

    line: Line
    blocks: tuple[Block, ...]


Block = Heading | Paragraph | Alert | Table | Listing | Chart | Details
Section = tuple[Block, ...]
