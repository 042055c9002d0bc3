"""The person who calls the action by hand: shows the plan, asks before the first change, and shows the end.

A terminal shows blocks of the summary by `rich`, which the image does without: there, and if the output is not a
terminal, all is plain text. A person's answer only ever lets a plan be carried out or not.
"""

from __future__ import annotations

import select
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TextIO

from package_retention.errors import PlanError
from package_retention.escaping import harmless
from package_retention.model import Operation
from package_retention.output.console import Console
from package_retention.output.counts import RunCounts, count_run
from package_retention.output.progress import Bar
from package_retention.output.sentences import finding_words
from package_retention.output.summary import blocks, page
from package_retention.output.summary.blocks import About, Block, Line
from package_retention.output.summary.words import planned_words
from package_retention.ports import Clock
from package_retention.reason import Finding, FindingCode
from package_retention.results import PackageResult, RunResult

if TYPE_CHECKING:
    from rich.console import Console as RichConsole, JustifyMethod, RenderableType
    from rich.text import Text

_POLL_SECONDS = 0.1
_YES = frozenset({"y", "yes"})
_ALERTS = {"CAUTION": "bold red", "WARNING": "bold yellow"}


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
    """A terminal that shows blocks of the summary; what is folded there is one line here."""

    def __init__(self, console: RichConsole) -> None:
        self.console = console

    def show(self, section: Iterable[Block]) -> None:
        """Print blocks, and a blank line after them."""
        before: Block | None = None
        for block in section:
            if isinstance(before, blocks.Table) or (before and isinstance(block, blocks.Heading)):
                self.console.print()
            self._show(block)
            before = block
        self.console.print()

    def _show(self, block: Block) -> None:
        match block:
            case blocks.Heading(_, line):
                self.console.print(self._text(line, "bold"))
            case blocks.Paragraph(line) | blocks.Details(line, _):
                self.console.print(self._text(line))
            case blocks.Alert(kind, lines):
                for line in lines:
                    self.console.print(self._text(line, _ALERTS.get(kind, "cyan")))
            case blocks.Table():
                self.console.print(self._table(block))
            case blocks.Listing(_, text):
                # To be copied: never broken into lines.
                for words in text.split("\n"):
                    self.console.print(f"    {harmless(words)}", soft_wrap=True)
            case blocks.Chart():
                pass  # its numbers are those of the headline, by age

    def _table(self, table: blocks.Table) -> RenderableType:
        from rich.table import Table  # noqa: PLC0415 - only for a person's terminal

        drawn = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        for place, name in enumerate(table.head):
            justify: JustifyMethod = "right" if place and table.numeric else "left"
            drawn.add_column(harmless(name), justify=justify, overflow="fold")
        for cells in table.rows:
            drawn.add_row(*map(self._text, cells))
        return drawn

    def _text(self, line: Line, style: str = "") -> Text:
        from rich.text import Text  # noqa: PLC0415 - only for a person's terminal

        text = Text(style=style)
        for inline in line:
            match inline:
                case blocks.Code(words) | blocks.Link(words, _):
                    text.append(harmless(words), "cyan")
                case blocks.Strong(words):
                    text.append(harmless(words), "bold")
                case str():
                    for words, quoted in blocks.pieces(harmless(inline)):
                        text.append(words, "cyan" if quoted else "")
        return text


class Person:
    """A person who calls the action; at a terminal there is a `screen` with a `bar`.

    Without a terminal nobody answers, so nobody is asked.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        stdout: TextIO,
        stderr: TextIO,
        stdin: TextIO | None,
        clock: Clock,
        program: str = "package-retention",
        *,
        yes: bool = False,
    ) -> None:
        self._stdin = stdin if stdin and stdin.isatty() and stderr.isatty() and not yes else None
        self._stderr = stderr
        self._clock = clock
        self.program = program
        self.screen = screen_for(stdout, environ)
        self.bar = Bar(self.screen.console, clock) if self.screen else None
        self._asking = self.screen or screen_for(stderr, environ)

    def confirm(
        self, operation: Operation, planned: Sequence[PackageResult], report_file: str | None
    ) -> None:
        """Show what is planned, and return if it may be done.

        Raises `PlanError` at any answer but yes, and `CancelledError` if a signal comes first.
        """
        if self.screen is None and self._stdin is None:
            return  # the log has each change
        if self.bar:
            self.bar.stop()
        # What cannot be handled is said before the question, and is not asked about.
        failures = tuple((finding_words(one.failure),) for one in planned if one.failure)
        run = RunResult(operation, dry_run=True, packages=tuple(one for one in planned if not one.failure))
        counts, about = count_run(run), About(self._clock.now(), None, report_file, alerts=False)
        shown = [block for section in page.package_sections(counts, about) for block in section]
        shown += [blocks.Alert("CAUTION", failures)] if failures else []
        if self._asking:
            self._asking.show(shown)
        else:
            self._stderr.write(blocks.joined(shown, blocks.plain))
        if self._stdin:
            words = planned_words(counts)
            self._ask(f"{words[:1].upper()}{words[1:]}?", self._stdin)

    def show(self, counts: RunCounts, about: About, console: Console) -> None:
        """Show the end of a run: of one that changed something what happened, of any other all that it found."""
        if self.screen is None:
            for line in ("", *page.render(counts, about, blocks.plain).splitlines()):
                console.line(line)
            return
        sections = [page.first_screen(counts, about)]
        if counts.run.dry_run or counts.run.operation is Operation.LIST:
            sections += page.package_sections(counts, about)
        for section in sections:
            self.screen.show(section)

    def _ask(self, question: str, stdin: TextIO) -> None:
        self._stderr.write(f"{question} [y/N] ")
        self._stderr.flush()
        typed = ""
        try:
            typed = self._line(stdin)
        finally:
            if not typed.endswith("\n"):
                self._stderr.write("\n")
        if typed.strip().lower() not in _YES:
            raise PlanError(Finding(FindingCode.NOT_CONFIRMED))

    def _line(self, stdin: TextIO) -> str:
        """Read a line; a signal handler only notes its signal, so a read that blocks would not end at Ctrl-C."""
        while not _ready(stdin):
            self._clock.sleep(0)
        self._clock.sleep(0)
        return stdin.readline()


def _ready(stdin: TextIO) -> bool:
    try:
        return bool(select.select([stdin], [], [], _POLL_SECONDS)[0])
    except OSError:
        return True  # Windows waits for sockets alone
