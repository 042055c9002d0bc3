"""Runs the action as a process and measures it from outside: seconds, CPU, peak memory, requests."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.memory import peak
from emulator.server import EmulatedGitHub
from emulator.steps import ROOT, environment, read_outputs

if TYPE_CHECKING:
    from emulator.world import World

LATENCY = 0.1
AT_ONCE = 48
"""How many requests of each service are under way at once, as `transport.limits` bounds them."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One run: its exit status, outputs, what it took, and what it asked for.

    `seconds` are of the clock on the wall and `cpu` of the process itself, `started` are seconds until its first request
    arrived. `megabytes` is the peak of its memory, `summary` the size of its summary in bytes.
    """

    status: int
    outputs: dict[str, str]
    seconds: float
    cpu: float
    megabytes: float
    requests: int
    registry_requests: int
    refused: int
    started: float
    summary: int


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table; `floor` is what nobody can beat, in seconds of the wall clock."""

    what: str
    requests: str
    seconds: float
    floor: float
    cpu: float
    megabytes: float
    note: str = ""

    def __str__(self) -> str:
        """Return the row in Markdown."""
        ratio = self.seconds / self.floor if self.floor else math.nan
        return (
            f"| {self.what} | {self.requests} | {self.seconds:.2f} | {self.floor:.2f} | {ratio:.2f} | {self.cpu:.2f} | "
            f"{self.megabytes:.0f} | {self.note} |"
        )


def row(what: str, result: Measured, floor: float, note: str = "") -> Row:
    """Return the row of a run."""
    asked = f"{result.requests} + {result.registry_requests}"
    return Row(what, asked, result.seconds, floor, result.cpu, result.megabytes, note)


def floor_of(result: Measured, chain: int, start: float) -> float:
    """Return the least seconds for a run's requests: `chain` of them wait for one another, the rest goes 48 at once.

    `start` is how long the process of the two libraries takes to its first request.
    """
    api = max(result.requests - chain, 0)
    waves = math.ceil(api / AT_ONCE) + math.ceil(result.registry_requests / AT_ONCE)
    return start + LATENCY * (chain + waves)


def measured(
    world: World, latency: float, *, status: int = 0, folder: Path | None = None, **inputs: Any
) -> Measured:
    """Serve a world and run one step on it, in a folder that is kept only if it is given."""
    with EmulatedGitHub(world, latency=latency) as github, tempfile.TemporaryDirectory() as scratch:
        place = folder or Path(scratch)
        result = run(github, place, **inputs)
        if result.status != status:
            sys.exit((place / "log").read_text())
        return result


def run(github: EmulatedGitHub, folder: Path, **inputs: Any) -> Measured:
    """Run one step to its end; what it prints goes to `log` in the folder."""
    environ = environment(github, folder, inputs) | {"PATH": os.environ["PATH"]}
    world = github.world
    api, registry = len(world.requests), len(world.registry_requests)
    spent = _spent([str(ROOT / "entrypoint.py")], environ, folder)
    asked, read = world.requests[api:], world.registry_requests[registry:]
    return Measured(
        spent.status,
        read_outputs(folder / "output"),
        spent.seconds,
        spent.cpu,
        spent.megabytes,
        len(asked),
        len(read),
        sum(1 for request in asked if request.status in (403, 429)),
        min((request.monotonic for request in asked), default=spent.began) - spent.began,
        (folder / "summary").stat().st_size,
    )


_FIRST_REQUEST = """
import gc, os, sys
gc.disable()
import github, requests
requests.get(sys.argv[1], timeout=10)
os._exit(0)
"""


def least_start(github: EmulatedGitHub, folder: Path) -> tuple[float, float]:
    """Return the seconds and the CPU seconds that the two libraries need to a first request; nothing is torn down."""
    before = len(github.world.requests)
    arguments = ["-c", _FIRST_REQUEST, f"{github.api_url}/zen"]
    spent = _spent(arguments, {"PATH": os.environ["PATH"]}, folder)
    return github.world.requests[before].monotonic - spent.began, spent.cpu


@dataclass(frozen=True, slots=True)
class _Spent:
    began: float
    status: int
    seconds: float
    cpu: float
    megabytes: float


def _spent(arguments: list[str], environ: dict[str, str], folder: Path) -> _Spent:
    """Run Python to its end, and return what it alone has spent."""
    megabytes = 0.0
    with (folder / "log").open("w") as log:
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, *arguments], env=environ, cwd=folder, stdout=log, stderr=log
        )
        while not (ended := os.wait4(process.pid, os.WNOHANG))[0]:
            megabytes = max(megabytes, peak(process.pid))
            time.sleep(0.005)
        seconds = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(ended[1])
    usage = ended[2]
    return _Spent(began, process.returncode, seconds, usage.ru_utime + usage.ru_stime, megabytes)
