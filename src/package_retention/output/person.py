"""Who calls the action by hand: the plan before the question, the question before the first change, and the end."""

from __future__ import annotations

import select
from typing import TYPE_CHECKING, TextIO

from package_retention.errors import PlanError
from package_retention.model import Operation
from package_retention.output.counts import count_run
from package_retention.output.findings import finding_words
from package_retention.output.screen import Bar, screen_for
from package_retention.output.summary import page, plain
from package_retention.output.summary.blocks import About, Alert
from package_retention.output.summary.words import planned_words
from package_retention.results import RunResult

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from package_retention.output.console import Console
    from package_retention.output.counts import RunCounts
    from package_retention.output.summary.blocks import Block
    from package_retention.ports import Clock
    from package_retention.results import PackageResult

_POLL_SECONDS = 0.1
_YES = frozenset({"y", "yes"})


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
        self.bar = Bar(self.screen, clock) if self.screen else None
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
        # What cannot be handled is said before the question, and is no part of it.
        failures = tuple((finding_words(one.failure),) for one in planned if one.failure)
        run = RunResult(operation, dry_run=True, packages=tuple(one for one in planned if not one.failure))
        counts, about = count_run(run), About(self._clock.now(), None, report_file, alerts=False)
        blocks = [block for one in page.package_sections(run, about, counts) for block in one]
        self._show_plan([*blocks, *([Alert("CAUTION", failures)] if failures else [])])
        if self._stdin:
            words = planned_words(run, counts)
            self._ask(f"{words[:1].upper()}{words[1:]}?", self._stdin)

    def show(self, run: RunResult, about: About, counts: RunCounts, console: Console) -> None:
        """Show the end of a run: of one that changed something what happened, of any other all that it found."""
        if self.screen is None:
            text = page.render_text(run, about, counts=counts)
            for line in ("", *text.splitlines()):
                console.line(line)
            return
        sections = [page.first_screen(run, about, counts)]
        if run.dry_run or run.operation is Operation.LIST:
            sections += page.package_sections(run, about, counts)
        for section in sections:
            self.screen.show(section)

    def _show_plan(self, blocks: Sequence[Block]) -> None:
        if self._asking:
            self._asking.show(blocks)
        else:
            self._stderr.write(plain.section(tuple(blocks)))

    def _ask(self, question: str, stdin: TextIO) -> None:
        self._stderr.write(f"{question} [y/N] ")
        self._stderr.flush()
        answer = ""
        try:
            answer = self._line(stdin)
        finally:
            if not answer.endswith("\n"):
                self._stderr.write("\n")
        if answer.strip().lower() not in _YES:
            raise PlanError("Nothing was changed: the answer was not yes")

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
