"""Plain text from the same blocks, for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from package_retention.escaping import harmless
from package_retention.output.summary.blocks import (
    Alert,
    Chart,
    Code,
    Details,
    Heading,
    Link,
    Listing,
    Paragraph,
    Strong,
    Table,
    rows_of,
)

if TYPE_CHECKING:
    from package_retention.output.summary.blocks import Block, Inline, Line, Section

MOST_OF_CELL = 140
_UNDERLINES = {1: "=", 2: "=", 3: "-"}


def render(block: Block) -> str:
    """Write one block, without a blank line after it."""
    match block:
        case Heading(level, line):
            words = _line(line)
            return f"{words}\n{_UNDERLINES.get(level, '-') * min(len(words), 100)}"
        case Paragraph(line):
            return _line(line)
        case Alert(kind, lines):
            return "\n".join([f"{kind}:", *(f"  - {_line(line)}" for line in lines)])
        case Table(head, rows, numeric):
            return _table(
                [head, *(tuple(_line(cell, MOST_OF_CELL) for cell in row) for row in rows)], numeric
            )
        case Listing(_, content):
            return "\n".join(f"    {harmless(line)}" for line in content.split("\n"))
        case Chart():
            numbers = list(rows_of(block))
            return _table(numbers, frozenset(range(1, len(numbers[0]))))
        case Details(line, blocks):
            return "\n\n".join([_line(line), *(render(one) for one in blocks)])


def section(blocks: Section) -> str:
    """Write blocks one after another, each followed by a blank line."""
    return "".join(render(block) + "\n\n" for block in blocks)


def _line(line: Line, most: int = 0) -> str:
    return harmless("".join(_inline(inline) for inline in line), most)


def _inline(inline: Inline) -> str:
    match inline:
        case Code(words) | Strong(words):
            return words
        case Link(label, _):
            return label
        case str():
            return inline


def _table(rows: list[tuple[str, ...]], numeric: frozenset[int]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column in numeric else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
