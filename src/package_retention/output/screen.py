"""A person's terminal: the plan as tables, in colour, and a bar while the run goes on.

`rich` draws it, which the image does without: there, and wherever the output is no terminal, all is plain text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from package_retention.escaping import harmless
from package_retention.output.progress import Progress
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
    pieces,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rich.console import Console, RenderableType
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID
    from rich.text import Text

    from package_retention.model import Step
    from package_retention.output.summary.blocks import Block, Inline, Line
    from package_retention.ports import Clock

_ALERTS = {"CAUTION": "bold red", "WARNING": "bold yellow"}
_QUICK = 0.5  # seconds in which a run needs no bar


def screen_for(stream: TextIO, environ: Mapping[str, str]) -> Screen | None:
    """Return a screen if the stream is a terminal and `rich` is installed; a debug log stays plain."""
    if not stream.isatty() or environ.get("RUNNER_DEBUG") == "1":
        return None
    try:
        from rich.console import Console  # noqa: PLC0415 - only for a person's terminal
    except ModuleNotFoundError:
        return None
    plain = bool(environ.get("NO_COLOR"))
    return Screen(
        Console(
            file=stream, no_color=plain, highlight=False, markup=False, emoji=False, _environ=dict(environ)
        )
    )


class Screen:
    """Shows blocks of the summary; what is folded there is one line here."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def show(self, blocks: Iterable[Block]) -> None:
        """Print blocks, and a blank line after them."""
        before: Block | None = None
        for block in blocks:
            if isinstance(before, Table) or (before and isinstance(block, Heading)):
                self.console.print()
            self._show(block)
            before = block
        self.console.print()

    def _show(self, block: Block) -> None:
        match block:
            case Heading(_, line):
                self.console.print(self._text(line, "bold"))
            case Paragraph(line):
                self.console.print(self._text(line))
            case Alert(kind, lines):
                for line in lines:
                    self.console.print(self._text(line, _ALERTS.get(kind, "cyan")))
            case Table(head, rows, numeric):
                self.console.print(self._table(head, rows, numeric))
            case Listing(_, text):
                # To be copied: never broken into lines.
                for words in text.split("\n"):
                    self.console.print(f"    {harmless(words)}", soft_wrap=True)
            case Details(line, _):
                self.console.print(self._text(line))
            case Chart():
                pass  # its numbers are those of the headline, by age

    def _table(
        self, head: Iterable[str], rows: Iterable[Iterable[Line]], numeric: frozenset[int]
    ) -> RenderableType:
        from rich.table import Table as RichTable  # noqa: PLC0415 - only for a person's terminal

        table = RichTable(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        for place, name in enumerate(head):
            table.add_column(harmless(name), justify="right" if place in numeric else "left", overflow="fold")
        for row in rows:
            table.add_row(*(self._text(line) for line in row))
        return table

    def _text(self, line: Line, style: str = "") -> Text:
        from rich.text import Text  # noqa: PLC0415 - only for a person's terminal

        text = Text(style=style)
        for inline in line:
            _append(text, inline)
        return text


def _append(text: Text, inline: Inline) -> None:
    match inline:
        case Code(words) | Link(words, _):
            text.append(harmless(words), "cyan")
        case Strong(words):
            text.append(harmless(words), "bold")
        case str():
            for words, quoted in pieces(harmless(inline)):
                text.append(words, "cyan" if quoted else "")


class Bar(Progress):
    """Progress as a bar on a person's terminal; it is gone when it stops. Safe to use from several threads."""

    def __init__(self, screen: Screen, clock: Clock) -> None:
        super().__init__(lambda _line: None, clock)
        self._screen = screen
        self._shown_from = clock.monotonic() + _QUICK
        self._bar: RichProgress | None = None
        self._task: TaskID | None = None

    def starting(self, step: Step) -> None:
        """Count from the first change on, and show the bar."""
        super().starting(step)
        self._draw()

    def going_on(self, requests: int, seconds: float, why: str) -> None:
        """Hear what the run does, and draw it."""
        super().going_on(requests, seconds, why)
        self._draw()

    def stop(self) -> None:
        """Take the bar away."""
        with self._lock:
            bar, self._bar = self._bar, None
            self._shown_from = self._clock.monotonic() + _QUICK
        if bar:
            bar.stop()

    def _draw(self) -> None:
        status = self.status()
        with self._lock:
            if self._clock.monotonic() < self._shown_from:
                return
            if self._bar is None:
                self._bar, self._task = self._started()
            if self._task is not None:
                total = self._total if self._marks else None
                self._bar.update(self._task, total=total, completed=self._done, status=status)
                self._bar.refresh()

    def _started(self) -> tuple[RichProgress, TaskID]:
        from rich.progress import BarColumn, TextColumn  # noqa: PLC0415 - only for a person's terminal
        from rich.progress import Progress as RichProgress  # noqa: PLC0415 - the same

        # Drawn where the run looks up anyway (several times a second): no thread that outlives it.
        bar = RichProgress(
            BarColumn(),
            TextColumn("{task.fields[status]}", markup=False),
            console=self._screen.console,
            transient=True,
            auto_refresh=False,
        )
        bar.start()
        return bar, bar.add_task("", total=None, status="")
