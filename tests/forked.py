"""The real `entrypoint.py` in processes that begin with its modules imported.

Importing takes a small step longer than all the rest of it; what it does from its first handler on is the same.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import sys
import threading
from functools import cache
from multiprocessing import connection, forkserver
from typing import TYPE_CHECKING

from emulator.steps import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_APP = "package_retention.app"
_guard = threading.Lock()
"""Held wherever `multiprocessing` looks at all of its processes: it is not made for several threads."""


class ForkedStep:
    """A step under way in a folder, by the environment of a runner; its output goes into `log`."""

    def __init__(self, environ: Mapping[str, str], folder: Path, log: Path) -> None:
        with _guard:
            self._process = _context().Process(target=_enter, args=(environ, folder, log), daemon=True)
            self._process.start()

    def send_signal(self, number: int) -> None:
        assert self._process.pid
        os.kill(self._process.pid, number)

    def wait(self, seconds: float) -> int:
        """Wait for its end, at most so long, and return its status; negative for a signal that ended it."""
        assert connection.wait([self._process.sentinel], seconds), "it did not end in time"
        with _guard:
            self._process.join()
        assert self._process.exitcode is not None
        return self._process.exitcode


@cache
def _context() -> multiprocessing.context.ForkServerContext:
    """Start the process that the others are forks of: it has one thread, unlike this one."""
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload([_APP])
    # Up to Python 3.12 it does not look for these modules in `sys.path`.
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path)
    try:
        forkserver.ensure_running()
    finally:
        os.environ.pop("PYTHONPATH")
        if before is not None:
            os.environ["PYTHONPATH"] = before
    return found


def _enter(environ: Mapping[str, str], folder: Path, log: Path) -> None:
    assert _APP in sys.modules
    opened = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(opened, stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    sys.argv = [str(ROOT / "entrypoint.py")]
    runpy.run_path(sys.argv[0], run_name="__main__")
