"""A job as GitHub's runner keeps it: its folders, and a step's container with their mounts and environment."""

import os
import re
import subprocess
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from image.engine import IMAGE, ROOT, Run, environment, podman

RUNNER_UID = 1001
FOLDERS = ("file_commands", "home", "runner_temp", "workflow", "workspace")
CONTEXT = {
    "${{ github.repository_owner }}": "octo-org",
    "${{ github.repository }}": "octo-org/octo-repo",
    "${{ github.token }}": "",
}


def declared_inputs() -> dict[str, str]:
    """Return every input of `action.yml` with its default, expressions evaluated, as a runner passes them."""
    action = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
    defaults = {name: str(described.get("default", "")) for name, described in action["inputs"].items()}
    return {name: CONTEXT.get(default, default) for name, default in defaults.items()}


@dataclass
class Job:
    """One job's folders below `root`, and its `github` context; each step gets command files of its own."""

    root: Path
    github: Mapping[str, str]

    def __post_init__(self) -> None:
        for name in FOLDERS:
            (self.root / name).mkdir()
        (self.root / "workflow" / "event.json").write_text("{}")
        self._hand_to_runner()

    def _hand_to_runner(self) -> None:
        """The runner is no root: its files are of its own user, with the usual modes."""
        for path in [self.root, *self.root.rglob("*")]:
            os.chown(path, RUNNER_UID, RUNNER_UID)

    def step(self, inputs: Mapping[str, str], extra: Mapping[str, str] | None = None) -> "Step":
        """Prepare a step with these inputs, and variables of the workflow's own in `extra`."""
        commands = self.root / "file_commands"
        names = {
            name: f"{name.lower()}_{uuid.uuid4()}"
            for name in ("OUTPUT", "STEP_SUMMARY", "ENV", "PATH", "STATE")
        }
        for name in names.values():
            (commands / name).touch(mode=0o644)
        self._hand_to_runner()
        passed = {
            **{
                f"INPUT_{name.replace(' ', '_').upper()}": text
                for name, text in {**declared_inputs(), **inputs}.items()
            },
            **{f"GITHUB_{name}": f"/github/file_commands/{file}" for name, file in names.items()},
            "GITHUB_ACTIONS": "true",
            "CI": "true",
            "GITHUB_REPOSITORY": "octo-org/octo-repo",
            "GITHUB_REPOSITORY_OWNER": "octo-org",
            "GITHUB_WORKSPACE": "/github/workspace",
            "GITHUB_EVENT_PATH": "/github/workflow/event.json",
            "RUNNER_TEMP": "/github/runner_temp",
            "HOME": "/github/home",
            **{f"GITHUB_{name}": text for name, text in self.github.items()},
            **(extra or {}),
        }
        return Step(self, passed, commands / names["OUTPUT"], commands / names["STEP_SUMMARY"])


@dataclass
class Step:
    """A container action's step: run it whole, or start it and signal it."""

    job: Job
    environ: Mapping[str, str]
    output_file: Path
    summary_file: Path
    name: str = field(default_factory=lambda: f"step-{uuid.uuid4().hex[:12]}")

    def command(self) -> list[str]:
        """Return the arguments of `podman`, in the runner's order; values come from the client's environment."""
        variables = [part for name in self.environ for part in ("-e", name)]
        mounts = [part for name in FOLDERS for part in ("-v", f"{self.job.root / name}:/github/{name}")]
        begin = ["run", "--name", self.name, "--workdir", "/github/workspace", "--rm"]
        return [*begin, *variables, "--network", "host", *mounts, IMAGE]

    def run(self) -> Run:
        """Run the step to its end."""
        return podman(*self.command(), extra=self.environ, check=False)

    def start(self) -> "subprocess.Popen[str]":
        """Start the step; the process is the client's, which hands signals on to the container."""
        return subprocess.Popen(
            ["podman", *self.command()],
            env=environment(self.environ),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )

    def outputs(self) -> dict[str, str]:
        """Read the step's outputs as the runner does.

        Raises:
            AssertionError: The file is not of a form that the runner takes.
        """
        text = self.output_file.read_text("utf-8")
        found: dict[str, str] = {}
        while text:
            entry = re.match(
                r"(?P<name>[^=<\n]+)(?:=(?P<line>[^\n]*)|<<(?P<end>[^\n]+)\n(?P<lines>.*?)\n?(?P=end))\n",
                text,
                re.DOTALL,
            )
            assert entry, f"the runner would refuse: {text[:200]}"
            found[entry["name"]] = entry["line"] if entry["line"] is not None else entry["lines"]
            text = text[entry.end() :]
        return found
