"""The log of a run without a runner: the same words for a person, without the runner's commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from package_retention.errors import InputError, RetentionError
from package_retention.runner.inputs.raw import on_runner
from package_retention.runner.log.commands import MOST_CHARACTERS, Console
from package_retention.runner.log.escaping import harmless

if TYPE_CHECKING:
    from collections.abc import Mapping


def console_for(stdout: TextIO, environ: Mapping[str, str]) -> Console:
    """Give the console that fits who reads it."""
    return Console(stdout, environ) if on_runner(environ) else Terminal(stdout, environ)


class Terminal(Console):
    """A console whose reader is a person; safe to use from several threads."""

    def debug(self, text: str) -> None:
        """Print one line that is shown with `RUNNER_DEBUG=1`."""
        if self.debugging:
            self.line(f"debug: {text}")

    def notice(self, text: str, advice: str = "") -> None:
        """Say something worth a note."""
        self._told("note", (text, advice))

    def warning(self, text: str, advice: str = "") -> None:
        """Say something that a person should look at."""
        self._told("warning", (text, advice))

    def error(self, text: str, advice: str = "") -> None:
        """Say what failed, and what to do next."""
        self._told("error", (text, advice))

    def fail(self, error: RetentionError) -> None:
        """Say why the run, or a part of it, was refused: every problem on a line of its own."""
        if isinstance(error, InputError):
            head = error.message.split("\n", 1)[0]
            self._told("error", (head, *(f"- {problem}" for problem in error.problems)))
        else:
            self.error(error.message, error.advice)

    def start_group(self, title: str) -> None:
        """Print the title of what follows."""
        self.line(title)

    def end_group(self) -> None:
        """Leave a blank line."""
        self.line("")

    def set_outputs(self, values: Mapping[str, str]) -> None:
        """Write outputs where a file is named for them; a person reads the summary."""
        if self._environ.get("GITHUB_OUTPUT"):
            super().set_outputs(values)

    def _told(self, kind: str, lines: tuple[str, ...]) -> None:
        first, *others = [harmless(line, MOST_CHARACTERS) for line in lines if line]
        self._print("\n".join([f"{kind}: {first}", *(f"  {line}" for line in others)]))
