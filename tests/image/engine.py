"""podman as `prepare.sh` has set it up: the project's own configuration, storage and images."""

import json
import os
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "image"
IMAGE = "localhost/package-retention:test"
BASE = "localhost/python:3.14-slim"
OLDER_BASE = "localhost/python:3.13-slim"
HOME = "/opt/package-retention"


@dataclass(frozen=True)
class Run:
    """A command that has ended."""

    status: int
    out: str
    err: str
    seconds: float


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return this process's environment with podman's configuration, and `extra`, in it."""
    own = {
        "CONTAINERS_CONF": str(BUILD / "containers.conf"),
        "CONTAINERS_STORAGE_CONF": str(BUILD / "storage.conf"),
        "CONTAINERS_REGISTRIES_CONF": str(BUILD / "registries.conf"),
    }
    return {**os.environ, **own, **(extra or {})}


def podman(*arguments: str, extra: Mapping[str, str] | None = None, check: bool = True) -> Run:
    """Run podman to its end.

    Raises:
        AssertionError: It failed and `check` is set; what it said is in the message.
    """
    started = time.monotonic()
    done = subprocess.run(
        ["podman", *arguments], env=environment(extra), capture_output=True, encoding="utf-8", check=False
    )
    run = Run(done.returncode, done.stdout, done.stderr, time.monotonic() - started)
    assert not check or run.status == 0, f"podman {arguments[0]} ended with {run.status}: {run.out}{run.err}"
    return run


def inspect(image: str) -> dict[str, Any]:
    """Return what podman knows of an image."""
    described = json.loads(podman("image", "inspect", image).out)
    assert isinstance(described, list)
    first: dict[str, Any] = described[0]
    return first


def in_image(*command: str, image: str = IMAGE, check: bool = True) -> Run:
    """Run another command than the action in its image, or in another one."""
    return podman(
        "run", "--rm", "--network=none", f"--entrypoint={command[0]}", image, *command[1:], check=check
    )
