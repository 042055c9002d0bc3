"""The log of a run, for the Actions runner or a person; the only module that knows the workflow commands.

It masks secrets, prints lines, groups and annotations, and writes the step's outputs. It never decides what to say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from pathlib import Path
from threading import RLock
from typing import Any, TextIO

from actions_toolkit import core

from package_retention.errors import RetentionError
from package_retention.escaping import harmless, shortened
from package_retention.inputs.environment import on_runner

MOST_ANNOTATIONS = 10  # of each kind and step; the runner drops the rest (facts E)
MOST_CHARACTERS = 4096  # the runner cuts a message there (facts E)

_ANNOTATIONS: Mapping[str, Callable[[str], None]] = {"warning": core.warning, "error": core.error}
_COLOURS = {"error": "\x1b[1;31m", "warning": "\x1b[1;33m"}


class Console:
    """The log of one step, safe to use from several threads; `environ` is read, never written.

    Without a runner (`GITHUB_ACTIONS` is not `true`) nothing is masked, since that would show the secret, and
    outputs are printed if `GITHUB_OUTPUT` names no file.
    """

    by_hand = False
    """Whether a person called the action, and so reads what to do at a terminal."""

    def __init__(self, stdout: TextIO, environ: Mapping[str, str]) -> None:
        self._stdout = stdout
        self._environ = environ
        self._lock = RLock()
        self._annotated: Counter[str] = Counter()
        self.debugging = environ.get("RUNNER_DEBUG") == "1"

    def mask(self, secret: str) -> None:
        """Have the runner replace a secret in all that is printed from now on; a line of it at a time (facts E)."""
        if not on_runner(self._environ):
            return
        for line in secret.splitlines():
            if line.strip():
                self._command(core.set_secret, line.strip())

    def line(self, text: str) -> None:
        """Print one plain line."""
        self._print(harmless(text, MOST_CHARACTERS))

    def debug(self, text: str) -> None:
        """Print one line that is shown if debug logging is on (`RUNNER_DEBUG=1`)."""
        if self.debugging:
            self._command(core.debug, harmless(text, MOST_CHARACTERS))

    def warning(self, text: str, hint: str = "", *more: str) -> None:
        """Say something that a person should look at."""
        self._annotate("warning", text, hint, *more)

    def error(self, text: str, hint: str = "", *more: str) -> None:
        """Say what failed, and what to do next."""
        self._annotate("error", text, hint, *more)

    def start_group(self, title: str) -> None:
        """Open a foldable group; the runner knows no groups in groups."""
        self._command(core.start_group, harmless(title, MOST_CHARACTERS))

    def end_group(self) -> None:
        """Close the group."""
        self._command(core.end_group)

    def set_outputs(self, values: Mapping[str, str]) -> None:
        """Write the step's outputs, all of them in one go.

        Raises `RetentionError` if the runner's file cannot be written.
        """
        path = self._environ.get("GITHUB_OUTPUT", "")
        if not path:
            for name, value in values.items():
                self.line(f"{name}: {shortened(value, 200)}")
            return
        # `NAME<<DELIMITER`, the value, the delimiter; the toolkit refuses a value that holds the delimiter.
        message = "".join(
            f"{core.prepare_key_value_message(name, value)}\n" for name, value in values.items()
        )
        try:
            with Path(path).open("a", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
                file.write(message)
        except OSError as error:
            raise RetentionError(
                f"The outputs could not be written to {path}: {error.strerror}",
                "The runner makes this file (GITHUB_OUTPUT) before the step; run the step again.",
            ) from error

    def close(self) -> None:
        """Say how many annotations of each kind were more than GitHub shows."""
        for kind, number in sorted(self._annotated.items()):
            if (more := number - MOST_ANNOTATIONS) > 0:
                self.line(
                    f"{more:,} more of kind {kind} are in the log above: GitHub shows {MOST_ANNOTATIONS} of a kind."
                )

    def _annotate(self, kind: str, *texts: str) -> None:
        safe = [harmless(text) for text in texts if text]
        with self._lock:
            self._annotated[kind] += 1
            if self._annotated[kind] <= MOST_ANNOTATIONS:
                self._command(_ANNOTATIONS[kind], shortened("\n".join(safe), MOST_CHARACTERS))
            else:
                self._print(shortened(f"{kind}: " + " ".join(safe), MOST_CHARACTERS))

    def _command(self, print_command: Callable[..., Any], *arguments: str) -> None:
        with self._lock, redirect_stdout(_Encodable(self._stdout)):
            print_command(*arguments)
        self._stdout.flush()

    def _print(self, text: str, stream: TextIO | None = None) -> None:
        with self._lock:
            _Encodable(stream or self._stdout).write(text + "\n")
            (stream or self._stdout).flush()


class _Encodable:
    """A stream that writes what its encoding cannot hold as escapes, so that no name can end a run."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        encoding = self._stream.encoding or "utf-8"
        return self._stream.write(text.encode(encoding, "backslashreplace").decode(encoding))

    def flush(self) -> None:
        self._stream.flush()


class Terminal(Console):
    """A console whose reader is a person; errors and warnings go to `stderr`. Safe to use from several threads."""

    by_hand = True

    def __init__(self, stdout: TextIO, environ: Mapping[str, str], stderr: TextIO) -> None:
        super().__init__(stdout, environ)
        self._stderr = stderr

    def debug(self, text: str) -> None:
        """Print one line that is shown with `RUNNER_DEBUG=1`."""
        if self.debugging:
            self.line(f"debug: {text}")

    def start_group(self, title: str) -> None:
        """Print the title of what follows."""
        self.line(title)

    def end_group(self) -> None:
        """Leave a blank line."""
        self.line("")

    def set_outputs(self, values: Mapping[str, str]) -> None:
        """Write outputs if a file is named for them; a person reads the summary."""
        if self._environ.get("GITHUB_OUTPUT"):
            super().set_outputs(values)

    def _annotate(self, kind: str, *texts: str) -> None:
        first, *others = [harmless(text, MOST_CHARACTERS) for text in texts if text]
        coloured = self._stderr.isatty() and not self._environ.get("NO_COLOR")
        head = f"{_COLOURS[kind]}{kind}:\x1b[0m" if coloured else f"{kind}:"
        self._print("\n".join([f"{head} {first}", *(f"  {line}" for line in others)]), self._stderr)


def console_for(stdout: TextIO, environ: Mapping[str, str], stderr: TextIO | None = None) -> Console:
    """Return the console that fits who reads it; a runner reads everything from the standard output."""
    return Console(stdout, environ) if on_runner(environ) else Terminal(stdout, environ, stderr or stdout)
