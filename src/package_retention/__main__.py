"""Run the action as a process: from its image, from a checkout, or as the console script of an installed package."""

from __future__ import annotations

import gc
import io
import os
import signal
import sys
from pathlib import Path
from typing import NoReturn, TextIO


def run() -> NoReturn:
    """Run the action with the environment, flags and streams of this process, and end the process."""
    # Without handlers, process 1 of a container would sleep through a cancel.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _frame: os._exit(128 + number))
    for stream in (sys.stdout, sys.stderr):
        _write_everything(stream)
    # A run makes many values and drops few before its end: looking through them all again and again for garbage
    # took a third of the time of deciding on 100,000 versions, and a tenth of that of starting.
    gc.disable()
    from package_retention.app import main  # noqa: PLC0415 - takes a while: after the handlers

    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    gc.enable()
    status = main(
        os.environ,
        sys.stdout,
        argv=sys.argv[1:],
        stderr=sys.stderr,
        stdin=sys.stdin,
        program=_program(sys.argv[0]),
    )
    sys.stdout.flush()
    sys.stderr.flush()
    # All is written by now. `sys.exit` would still wait for threads whose answers do not come, and on a cancel
    # the runner would have killed the step before that.
    os._exit(status)


def _program(path: str) -> str:
    """Return the command that called this process, as a person types it."""
    name = Path(path).name
    if name == "__main__.py":
        return "python -m package_retention"
    return "python entrypoint.py" if name == "entrypoint.py" else "package-retention"


def _write_everything(stream: TextIO) -> None:
    """Have each line in the log at once, in any locale and however the run ends."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)


if __name__ == "__main__":
    run()
