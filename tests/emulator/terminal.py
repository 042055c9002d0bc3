"""Calls the action as a person does, in a terminal: a process on a pseudo-terminal, whose output is read as it comes."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from dataclasses import dataclass
from fcntl import ioctl
from typing import TYPE_CHECKING

from emulator.steps import ROOT, TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from emulator.server import EmulatedGitHub

_CONTROLS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_QUESTION = "[y/N] "
_MOST_SECONDS = 100.0


@dataclass(frozen=True, slots=True)
class Shown:
    """What a call left on the screen, byte for byte in `raw`, and its exit status."""

    status: int
    raw: str

    @property
    def text(self) -> str:
        """What a person reads: without colours and cursor movements."""
        return _CONTROLS.sub("", self.raw).replace("\r\n", "\n")


def call(
    github: EmulatedGitHub,
    folder: Path,
    *argv: str,
    answer: str | Callable[[int], None] = "y\n",
    variables: Mapping[str, str] | None = None,
    echo: Callable[[str], None] | None = None,
    width: int = 100,
) -> Shown:
    """Run `python -m package_retention` on a terminal of its own.

    Args:
        github: the server that it works on.
        folder: where it runs.
        argv: its flags.
        answer: what is typed at the question; or what is done then with the number of the process.
        variables: more of its environment.
        echo: called with each piece of output.
        width: columns of the terminal.
    """
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 60, width, 0, 0))
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT / "src"),
        "TERM": "xterm-256color",
        "GITHUB_TOKEN": TOKEN,
        "GITHUB_API_URL": github.api_url,
        "GITHUB_SERVER_URL": github.server_url,
        **(variables or {}),
    }
    command = [sys.executable, "-m", "package_retention", *argv]
    if "--registry-url" not in argv:
        command += ["--registry-url", github.registry_url]
    process = subprocess.Popen(
        command, env=environ, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    try:
        raw = _read(ours, process, answer, echo)
    finally:
        os.close(ours)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
    return Shown(process.wait(), raw)


def _read(
    terminal: int,
    process: subprocess.Popen[bytes],
    answer: str | Callable[[int], None],
    echo: Callable[[str], None] | None,
) -> str:
    """Read until the process has ended, and answer its question once."""
    raw, asked, ends = "", False, time.monotonic() + _MOST_SECONDS
    while time.monotonic() < ends:
        if not select.select([terminal], [], [], 0.1)[0]:
            if process.poll() is not None:
                break
            continue
        try:
            piece = os.read(terminal, 65536).decode(errors="replace")
        except OSError:  # Linux: the other side is closed
            break
        if not piece:
            break
        raw += piece
        if echo:
            echo(piece)
        if not asked and _QUESTION in raw:
            asked = True
            if isinstance(answer, str):
                os.write(terminal, answer.encode())
            else:
                answer(process.pid)
    return raw
