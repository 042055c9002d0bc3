"""act: workflows as they stand, over podman's socket, against the embedded GitHub."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from emulator.server import EmulatedGitHub
from image.engine import BASE, ROOT, Run, environment, podman

MOST_TRIES = 1200  # a minute: the first start makes its database
NEEDED = (
    "Dockerfile",
    ".dockerignore",
    ".github/actions",
    "LICENSE",
    "action.yml",
    "entrypoint.py",
    "requirements",
    "scripts",
    "src",
)


@contextmanager
def engine(socket: Path) -> Iterator[str]:
    """Serve podman under Docker's API on `socket`; gives its address."""
    command = ["podman", "system", "service", "--time=0", f"unix://{socket}"]
    service = subprocess.Popen(
        command, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(MOST_TRIES):
            if socket.exists() or service.poll() is not None:
                break
            time.sleep(0.05)
        assert socket.exists(), "podman's service did not start"
        yield f"unix://{socket}"
    finally:
        service.send_signal(signal.SIGTERM)
        service.wait(timeout=60)


def copy_action(tree: Path) -> None:
    """Copy what a runner that fetches the action needs to run it."""
    for name in NEEDED:
        source = ROOT / name
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, tree / name)


def committed(tree: Path) -> None:
    """Make a git repository of a folder, with one commit, as act wants it."""
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    for arguments in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message=x"]):
        subprocess.run(["git", *identity, *arguments], cwd=tree, check=True)


def act(
    checkout: Path,
    own: Path,
    server: EmulatedGitHub,
    socket: str,
    token: str,
    options: Sequence[str] = (),
    image: str = "act-dockeraction",
) -> Run:
    """Run the workflows of a checkout that a push starts; `own` is a folder for act's files.

    The first job builds the action's `image`, and the others of the run use it: what an earlier run built goes first.
    act names images and containers by action and workflow alone: the runs of one workflow lie in one file of tests.
    """
    podman("rmi", "--force", f"{image}:latest", check=False)
    folders = {name: str(own / name.lower()) for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME")}
    command = [
        *[
            "act",
            "push",
            "--rm",
            "--pull=false",
            "--rebuild=false",
            "--network=host",
            "--container-daemon-socket=-",
        ],
        *["--platform", f"ubuntu-latest={BASE}", "--secret", f"GITHUB_TOKEN={token}"],
        *["--env", f"GITHUB_API_URL={server.api_url}", "--env", f"GITHUB_SERVER_URL={server.server_url}"],
        *options,
    ]
    started = time.monotonic()
    done = subprocess.run(
        command,
        cwd=checkout,
        env=environment({**folders, "DOCKER_HOST": socket, "HOME": os.environ["HOME"]}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    return Run(done.returncode, done.stdout, done.stderr, time.monotonic() - started)
