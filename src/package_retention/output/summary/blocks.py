"""What a summary is made of, and its form as plain text.

Every string of a block may be hostile: who writes blocks out makes it harmless.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from msgspec import Struct

from package_retention.escaping import counted, harmless
from package_retention.model import Package

_QUOTED = re.compile(r"`([^`]+)`")


def pieces(sentence: str) -> list[tuple[str, bool]]:
    """Cut a sentence of ours at what it quotes between backticks; each piece says whether it was quoted."""
    return [(piece, bool(place % 2)) for place, piece in enumerate(_QUOTED.split(sentence))]


class Code(Struct, frozen=True):
    """A name, tag or digest, shown as it is."""

    text: str


class Strong(Struct, frozen=True):
    """Words that matter more."""

    text: str


class Link(Struct, frozen=True):
    """A name that leads to a page; only an https address makes it a link."""

    label: str
    url: str


Inline = str | Code | Strong | Link
Line = tuple[Inline, ...]


class Heading(Struct, frozen=True):
    """A heading of level 1 to 6."""

    level: int
    line: Line


class Paragraph(Struct, frozen=True):
    """A paragraph."""

    line: Line


class Alert(Struct, frozen=True):
    """A coloured box of one of GitHub's kinds (`NOTE`, `TIP`, `WARNING`, `CAUTION`)."""

    kind: str
    lines: tuple[Line, ...]


class Table(Struct, frozen=True):
    """A table; if it is `numeric`, all columns but the first are set to the right."""

    head: tuple[str, ...]
    rows: tuple[tuple[Line, ...], ...]
    numeric: bool = False

    @classmethod
    def of(cls, columns: Sequence[Column], *, numeric: bool = False) -> Table:
        """Make a table of columns, each a name and its cells; a column in which every cell is empty goes."""
        shown = [(name, cells) for name, cells in columns if any(cells)]
        lines = [[(cell,) if isinstance(cell, str) else cell for cell in cells] for _, cells in shown]
        return cls(tuple(name for name, _ in shown), tuple(zip(*lines, strict=True)), numeric)


class Listing(Struct, frozen=True):
    """Text to paste, in a language."""

    language: str
    text: str


class Chart(Struct, frozen=True):
    """Two counts for each label of one axis: what stays, and what goes (or went, or comes back)."""

    title: str
    labels: tuple[str, ...]
    kept: tuple[int, ...]
    changed: tuple[int, ...]
    changed_word: str


def numbers_of(chart: Chart) -> Table:
    """Return the numbers of a chart as a table: its labels, then what stays, then what goes."""
    goes = chart.changed_word.removeprefix("was ")
    columns: list[Column] = [
        (label, [f"{kept:,}", f"{changed:,}"])
        for label, kept, changed in zip(chart.labels, chart.kept, chart.changed, strict=True)
    ]
    return Table.of([(chart.title, ["stays", goes]), *columns], numeric=True)


class Details(Struct, frozen=True):
    """Blocks that are folded away under a line."""

    line: Line
    blocks: tuple[Block, ...]


def package_heading(package: Package) -> Heading:
    """Return the heading of a package's section."""
    return Heading(3, (Link(package.name, package.html_url), f" ({package.type} of {package.owner.login})"))


def package_cell(package: Package, beside: str = "") -> Line:
    """Name a package in a table of several."""
    return (Link(package.name, package.html_url), f" ({package.type}){beside}")


def some_names(names: Sequence[str], most: int) -> Line:
    """List names, and how many there are beyond `most`."""
    more = (f"and {len(names) - most:,} more",) if len(names) > most else ()
    return (*(piece for name in names[:most] for piece in (Code(name), " ")), *more)


def more_packages(number: int) -> Section:
    """Say how many packages were left out of a table; nothing if there are none."""
    return (Paragraph((f"And {counted(number, 'more package')}.",)),) if number > 0 else ()


class About(Struct, frozen=True):
    """What the summary must know beside the run: the time, how the action is called, and the report's path.

    `uses` is what stands behind `uses:` in a workflow, `None` if the run was called by hand, as `program`. Without
    `alerts`, errors and warnings are left out: they are printed elsewhere. A chart is drawn of at least `chart_from`
    images or versions.
    """

    now: datetime
    uses: str | None = "./"
    report_file: str | None = None
    run_id: str = ""
    alerts: bool = True
    chart_from: int = 20
    program: str = "package-retention"

    def left_out(self, number: int) -> Section:
        """Say how many rows were left out, and where they are; nothing if there are none."""
        where = ", which the report file holds" if self.report_file else " (`report-file` lists every one)"
        return (Paragraph((f"And {number:,} more{where}.",)),) if number > 0 else ()


Column = tuple[str, "Sequence[Line | str]"]
Block = Heading | Paragraph | Alert | Table | Listing | Chart | Details
Section = tuple[Block, ...]

MOST_OF_CELL = 140
_UNDERLINES = {1: "=", 2: "=", 3: "-"}


def plain(block: Block) -> str:
    """Write one block as plain text, without a blank line after it."""
    match block:
        case Heading(level, line):
            words = _line(line)
            return f"{words}\n{_UNDERLINES.get(level, '-') * min(len(words), 100)}"
        case Paragraph(line):
            return _line(line)
        case Alert(kind, lines):
            return "\n".join([f"{kind}:", *(f"  - {_line(line)}" for line in lines)])
        case Table():
            return _table(block)
        case Listing(_, content):
            return "\n".join(f"    {harmless(line)}" for line in content.split("\n"))
        case Chart():
            return plain(numbers_of(block))
        case Details(line, blocks):
            return "\n\n".join([_line(line), *map(plain, blocks)])


def joined(section: Iterable[Block], render: Callable[[Block], str]) -> str:
    """Write blocks one after another, each followed by a blank line."""
    return "".join(render(block) + "\n\n" for block in section)


def _line(line: Line, most: int = 0) -> str:
    return harmless("".join(_inline(inline) for inline in line), most)


def _inline(inline: Inline) -> str:
    match inline:
        case Code(words) | Strong(words) | Link(words, _):
            return words
        case str():
            return inline


def _table(table: Table) -> str:
    lines = [table.head, *(tuple(_line(cell, MOST_OF_CELL) for cell in cells) for cells in table.rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if place and table.numeric else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ).rstrip()
        for cells in lines
    )
