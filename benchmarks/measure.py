"""Runs the action as a process and measures it from outside: seconds, peak memory, requests."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from emulator.steps import ROOT, environment, read_outputs

if TYPE_CHECKING:
    from pathlib import Path

    from emulator.server import EmulatedGitHub


@dataclass(frozen=True, slots=True)
class Measured:
    """One run: its exit status, outputs, seconds, peak memory in MB, requests, and seconds to the first request."""

    status: int
    outputs: dict[str, str]
    seconds: float
    megabytes: float
    requests: int
    registry_requests: int
    refused: int
    started: float


def run(github: EmulatedGitHub, folder: Path, **inputs: Any) -> Measured:
    """Run one step to its end; what it prints goes to `log` in the folder."""
    environ = environment(github, folder, inputs) | {"PATH": os.environ["PATH"]}
    world = github.world
    api, registry = len(world.requests), len(world.registry_requests)
    with (folder / "log").open("w") as log:
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "entrypoint.py")], env=environ, cwd=folder, stdout=log, stderr=log
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    asked, read = world.requests[api:], world.registry_requests[registry:]
    return Measured(
        process.returncode,
        read_outputs(folder / "output"),
        seconds,
        usage.ru_maxrss / 1024,
        len(asked),
        len(read),
        sum(1 for request in asked if request.status in (403, 429)),
        min((request.monotonic for request in asked), default=began) - began,
    )
