"""A whole workflow with `uses: ./`, as act runs it: the image built, inputs evaluated, outputs read by a later step."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator.server import EmulatedGitHub
from emulator.world import World
from image.engine import BASE, ROOT, environment, podman

pytestmark = pytest.mark.image

TOKEN = "ghp_" + "a" * 36
MOST_TRIES = 200
NEEDED = (
    "Dockerfile",
    ".dockerignore",
    "LICENSE",
    "action.yml",
    "entrypoint.py",
    "requirements",
    "scripts",
    "src",
)


@pytest.fixture
def world() -> World:
    world = World()
    world.add_org("octo-org")
    world.add_token(TOKEN)
    package = world.add_package("octo-org", "npm", "lib", repository="octo-org/octo-repo")
    for age in range(3):
        world.add_version(package, f"1.{2 - age}.0", created=10 + age)
    return world


@pytest.fixture
def engine_socket(tmp_path: Path) -> Iterator[str]:
    """podman under Docker's API, on a socket of this test's own."""
    socket = tmp_path / "podman.sock"
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
        service.wait(timeout=30)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What a user's runner checks out, with this test's workflow in it, as a git repository of its own."""
    tree = tmp_path / "checkout"
    tree.mkdir()
    for name in NEEDED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, tree / name)
    workflows = tree / ".github" / "workflows"
    workflows.mkdir(parents=True)
    shutil.copyfile(ROOT / "tests" / "image" / "workflow.yml", workflows / "retention.yml")
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    for arguments in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message=x"]):
        subprocess.run(["git", *identity, *arguments], cwd=tree, check=True)
    return tree


def test_a_workflow_deletes_and_its_next_step_reads_what(
    world: World,
    server: EmulatedGitHub,
    engine_socket: str,
    checkout: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folders = {name: str(tmp_path / name.lower()) for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME")}
    command = [
        *["act", "push", "--rm", "--pull=false", "--network=host", "--container-daemon-socket=-"],
        *["--platform", f"ubuntu-latest={BASE}", "--secret", f"GITHUB_TOKEN={TOKEN}"],
        *["--env", f"GITHUB_API_URL={server.api_url}", "--env", f"GITHUB_SERVER_URL={server.server_url}"],
    ]
    started = time.monotonic()
    done = subprocess.run(
        command,
        cwd=checkout,
        env=environment({**folders, "DOCKER_HOST": engine_socket, "HOME": os.environ["HOME"]}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    with capsys.disabled():
        print(f"\na workflow under act, image built and all: {time.monotonic() - started:.1f} s")
    package = world.package("octo-org", "npm", "lib")
    assert package is not None
    assert [version.name for version in package.active()] == ["1.2.0"]
    read = re.search(r"a later step read: (?P<count>\d+) (?P<ids>\[.*?\])", done.stdout)
    assert read is not None
    assert int(read["count"]) == 2
    assert sorted(json.loads(read["ids"])) == sorted(version.id for version in package.deleted())
    assert "Summary - #" in done.stdout  # as act shows what the step wrote
    assert TOKEN not in done.stdout + done.stderr
    podman("rmi", "--force", "act-dockeraction:latest", check=False)
