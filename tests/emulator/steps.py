"""Runs the action as a workflow step against the embedded GitHub: in this process, or as the real `entrypoint.py`."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from emulator.server import EmulatedGitHub
    from package_retention.cancel import Cancel
    from package_retention.ports import Clock

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "ghp_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
_OUTPUT = re.compile(
    r"^(?P<name>[\w-]+)<<(?P<delimiter>\S+)\n(?P<value>.*?)\n(?P=delimiter)$", re.DOTALL | re.MULTILINE
)


watchers: list[Callable[[Mapping[str, str], Ran, Path], None]] = []
"""Told of every step that has ended: its environment, what it left behind, its folder."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a step left behind."""

    status: int
    log: str
    outputs: dict[str, str]
    summary: str

    def number(self, name: str) -> int:
        return int(self.outputs[name])

    def ids(self, name: str) -> list[int]:
        found: list[int] = json.loads(self.outputs[name])
        return found


def environment(
    github: EmulatedGitHub, folder: Path, inputs: Mapping[str, Any], owner: str = "octo"
) -> dict[str, str]:
    """The variables that the runner sets, with every input upper-cased and hyphens kept (facts E)."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("output", "summary"):
        (folder / name).write_text("")
    given = {"token": TOKEN, "registry_url": github.registry_url} | dict(inputs)
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_API_URL": github.api_url,
        "GITHUB_SERVER_URL": github.server_url,
        "GITHUB_REPOSITORY": f"{owner}/app",
        "GITHUB_REPOSITORY_OWNER": owner,
        "GITHUB_OUTPUT": str(folder / "output"),
        "GITHUB_STEP_SUMMARY": str(folder / "summary"),
        "GITHUB_WORKSPACE": str(folder),
        **{f"INPUT_{name.upper().replace('_', '-')}": str(value) for name, value in given.items()},
    }


def run_step(
    github: EmulatedGitHub,
    folder: Path,
    *,
    owner: str = "octo",
    clock_of: Callable[[Cancel], Clock] | None = None,
    variables: Mapping[str, str] | None = None,
    **inputs: Any,
) -> Ran:
    """Run the step in this process, over real HTTP; by the clock that `clock_of` makes, else by the real one.

    `variables` are those of the runner that are to be others than `environment` makes them.
    """
    # The demo runs it as a process instead.
    from package_retention.app import main  # noqa: PLC0415
    from package_retention.cancel import RealClock  # noqa: PLC0415

    environ = environment(github, folder, inputs, owner) | dict(variables or {})
    log = io.StringIO()
    status = main(environ, log, clock_of or RealClock)
    return ran(environ, folder, status, log.getvalue())


def run_process(
    github: EmulatedGitHub,
    folder: Path,
    *,
    owner: str = "octo",
    variables: Mapping[str, str] | None = None,
    **inputs: Any,
) -> Ran:
    """Run the step as the real `entrypoint.py`, in a process of its own."""
    environ = environment(github, folder, inputs, owner) | dict(variables or {})
    environ["PATH"] = os.environ["PATH"]
    done = subprocess.run(
        [sys.executable, str(ROOT / "entrypoint.py")],
        env=environ,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    return ran(environ, folder, done.returncode, done.stdout + done.stderr)


def ran(environ: Mapping[str, str], folder: Path, status: int, log: str) -> Ran:
    """Read what a step left behind, and tell the watchers."""
    found = Ran(
        status, log, read_outputs(folder / "output"), (folder / "summary").read_text(encoding="utf-8")
    )
    for watch in watchers:
        watch(environ, found, folder)
    return found


def read_outputs(path: Path) -> dict[str, str]:
    """Read a step's outputs as the runner does."""
    return {found["name"]: found["value"] for found in _OUTPUT.finditer(path.read_text(encoding="utf-8"))}
