"""Run the action from its image or from a checkout: inputs come in as environment variables, or as flags."""

import gc
import io
import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "src"))


def run() -> int:
    """Give the run its world; gives its exit status."""
    # Without handlers, process 1 of a container would sleep through a cancel.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _frame: os._exit(128 + number))
    # What was said is in the log, whatever the locale and however this ends.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
    # A run makes many values and drops few before its end: looking through them all again and again for garbage
    # took a third of the time of deciding on 100,000 versions, and a tenth of that of starting.
    gc.disable()
    from package_retention.app import main  # noqa: PLC0415 - takes a while: after the handlers

    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    gc.enable()
    return main(os.environ, sys.stdout, argv=sys.argv[1:])


if __name__ == "__main__":
    status = run()
    sys.stdout.flush()
    sys.stderr.flush()
    # All is told by now. `sys.exit` would still wait for threads whose answers do not come, and on a cancel
    # the runner would have killed the step before that.
    os._exit(status)
