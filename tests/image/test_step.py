"""The image as the runner starts it: a step's inputs in, its outputs, summary, report and exit status out."""

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from emulator.messages import Request
from emulator.server import EmulatedGitHub
from emulator.shapes import descriptor, image, index
from emulator.world import StoredPackage, World
from image.engine import IMAGE, podman
from image.job import RUNNER_UID, Job

pytestmark = pytest.mark.image

TOKEN = "ghp_" + "a" * 36
OWNER = "octo-org"
LONGEST_WAIT = 60.0
RUNNER_PATIENCE = 10.0  # seconds from the runner's first signal to its last, which kills (facts E)


@pytest.fixture
def world() -> World:
    world = World()
    world.add_org(OWNER)
    world.add_token(TOKEN)
    return world


@pytest.fixture
def package(world: World) -> StoredPackage:
    """An npm package of five versions, 1.0.0 the oldest."""
    package = world.add_package(OWNER, "npm", "lib", repository="octo-org/octo-repo")
    for age in range(5):
        world.add_version(package, f"1.{4 - age}.0", created=10 + age)
    return package


@pytest.fixture
def job(tmp_path: Path, server: EmulatedGitHub) -> Job:
    root = tmp_path / "job"
    root.mkdir()
    return Job(root, {"API_URL": server.api_url, "SERVER_URL": server.server_url})


def names(package: StoredPackage) -> list[str]:
    return sorted(version.name for version in package.active())


def test_a_deletion_from_inputs_to_outputs(job: Job, package: StoredPackage) -> None:
    step = job.step(
        {
            "token": TOKEN,
            "package-type": "npm",
            "package-name": "lib",
            "min-versions-to-keep": "2",
            "report-file": "report.json",
        }
    )
    run = step.run()
    assert run.status == 0, run.out + run.err
    assert names(package) == ["1.3.0", "1.4.0"]
    outputs = step.outputs()
    assert (outputs["deleted-count"], outputs["failed-count"], outputs["complete"]) == ("3", "0", "true")
    gone = sorted(version.id for version in package.deleted())
    assert sorted(json.loads(outputs["deleted-version-ids"])) == gone
    assert "lib" in step.summary_file.read_text("utf-8")
    assert TOKEN not in run.out.replace(f"::add-mask::{TOKEN}", "") + run.err
    report = job.root / "workspace" / "report.json"
    lines = [json.loads(line) for line in report.read_text("utf-8").splitlines()]
    assert lines[0]["kind"] == "run"
    assert report.stat().st_uid == RUNNER_UID  # a later step, which is no root, can read and remove it


def test_a_multi_platform_image_goes_whole_and_comes_back_whole(
    job: Job, world: World, server: EmulatedGitHub
) -> None:
    package = world.add_package(OWNER, "container", "app")
    for age, tag in enumerate(["v3", "v2", "v1"]):
        platforms = [image(f"{tag} {platform}") for platform in ("amd64", "arm64")]
        parts = [
            descriptor(of, f"linux/{name}") for of, name in zip(platforms, ("amd64", "arm64"), strict=True)
        ]
        for of in platforms:
            world.add_image(package, of, created=10 + age)
        world.add_image(package, index(parts), tag, created=10 + age)
    before = world.snapshot()
    inputs = {
        "token": TOKEN,
        "package-type": "container",
        "package-name": "app",
        "registry-url": server.registry_url,
    }
    delete = job.step(inputs | {"versions": "v*", "min-versions-to-keep": "1", "report-file": "report.json"})
    run = delete.run()
    assert run.status == 0, run.out + run.err
    assert delete.outputs()["deleted-count"] == "6"
    assert [version.tags for version in package.active() if version.tags] == [["v3"]]
    restore = job.step(inputs | {"operation": "restore", "from-report": "report.json"})
    run = restore.run()
    assert run.status == 0, run.out + run.err
    assert restore.outputs()["restored-count"] == "6"
    assert world.snapshot() == before


def test_a_dry_run_changes_nothing(job: Job, world: World, package: StoredPackage) -> None:
    before = world.snapshot()
    step = job.step(
        {
            "token": TOKEN,
            "package-type": "npm",
            "package-name": "lib",
            "min-versions-to-keep": "2",
            "dry-run": "true",
        }
    )
    assert step.run().status == 0
    assert step.outputs()["selected-count"] == "3"
    assert step.outputs()["dry-run"] == "true"
    assert world.snapshot() == before
    assert {recorded.method for recorded in world.requests} == {"GET"}
    assert package.name in step.summary_file.read_text("utf-8")


def test_refused_inputs_fail_the_step_before_any_request(job: Job, world: World) -> None:
    step = job.step({"token": TOKEN, "package-type": "npn", "package-name": "lib"})
    run = step.run()
    assert run.status == 1
    assert "::error" in run.out
    assert "package-type" in run.out
    assert step.outputs()["deleted-count"] == "0"
    assert world.requests == []


@pytest.mark.parametrize(("signal", "status"), [("INT", 130), ("TERM", 143)])
def test_a_cancel_ends_process_1_and_tells_what_was_done(
    job: Job, world: World, package: StoredPackage, signal: str, status: int
) -> None:
    """Every deletion after the first is held until the step has ended: the signal always meets a run at work.

    Answers that never come must not hold it for longer than the runner waits before it kills.
    """
    for number in range(40):
        world.add_version(package, f"0.{number}.0", created=50 + number)
    reached, ended = threading.Event(), threading.Event()

    def hold_deletions(request: Request) -> None:
        if request.method == "DELETE" and package.deleted():
            reached.set()
            ended.wait(LONGEST_WAIT)

    world.before_request.append(hold_deletions)
    step = job.step(
        {"token": TOKEN, "package-type": "npm", "package-name": "lib", "min-versions-to-keep": "1"}
    )
    process = step.start()
    try:
        assert reached.wait(LONGEST_WAIT)
        podman("kill", f"--signal={signal}", step.name)
        said, _ = process.communicate(timeout=RUNNER_PATIENCE)
        deleted = [version.id for version in package.deleted()]
    finally:
        ended.set()
        process.kill()
        podman("rm", "--force", "--ignore", step.name)
    assert process.returncode == status, said
    outputs = step.outputs()
    assert json.loads(outputs["deleted-version-ids"]) == deleted
    assert len(deleted) == 1
    assert outputs["complete"] == "false"
    assert "lib" in step.summary_file.read_text("utf-8")


def test_earlier_steps_cannot_slip_code_into_the_process(
    job: Job, world: World, package: StoredPackage
) -> None:
    """HOME and the workspace are shared with the job's other steps, and any step can set variables for all."""
    planted = "raise SystemExit('planted code ran')"
    for folder in ("home", "workspace"):
        (job.root / folder / "requests.py").write_text(planted)
        for version in ("3.13", "3.14", "3.15"):
            site = job.root / folder / ".local" / "lib" / f"python{version}" / "site-packages"
            site.mkdir(parents=True)
            (site / "usercustomize.py").write_text(planted)
            (site / "planted.pth").write_text(f"import sys; {planted}")
    variables = {
        "PYTHONPATH": "/github/workspace",
        "PYTHONSTARTUP": "/github/workspace/requests.py",
        "PYTHONUSERBASE": "/github/workspace/.local",
        "PYTHONHOME": "/github/workspace",
    }
    step = job.step(
        {
            "token": TOKEN,
            "package-type": "npm",
            "package-name": "lib",
            "min-versions-to-keep": "2",
            "dry-run": "true",
        },
        extra=variables,
    )
    run = step.run()
    assert "planted" not in run.out + run.err
    assert run.status == 0, run.out + run.err
    assert world.requests
    assert len(package.active()) == 5


def test_by_hand_it_runs_without_any_privilege(
    server: EmulatedGitHub, package: StoredPackage, tmp_path: Path
) -> None:
    """Nothing of the container can be written but a mounted folder, and its user owns nothing in it."""
    folder = tmp_path / "reports"
    folder.mkdir()
    os.chown(folder, RUNNER_UID, RUNNER_UID)
    done = podman(
        *("run", "--rm", "--read-only", "--read-only-tmpfs=false", "--cap-drop=ALL"),
        *(f"--user={RUNNER_UID}", "--security-opt=no-new-privileges", "--network=host"),
        *("-e", "GITHUB_TOKEN", "-e", "GITHUB_API_URL", "-e", "GITHUB_SERVER_URL"),
        *("--volume", f"{folder}:/reports", "--workdir=/reports", IMAGE),
        *(f"--owner={OWNER}", "--package-type=npm", "--package-name=lib", "--min-versions-to-keep=2"),
        "--report-file=report.jsonl",
        extra={
            "GITHUB_TOKEN": TOKEN,
            "GITHUB_API_URL": server.api_url,
            "GITHUB_SERVER_URL": server.server_url,
        },
        check=False,
    )
    assert done.status == 0, done.out + done.err
    assert names(package) == ["1.3.0", "1.4.0"]
    report = folder / "report.jsonl"
    assert report.stat().st_uid == RUNNER_UID
    assert TOKEN not in done.out + done.err + report.read_text("utf-8")


def test_the_time_of_a_step_is_told(
    job: Job, package: StoredPackage, record_property: Callable[[str, object], None]
) -> None:
    inputs = {
        "token": TOKEN,
        "package-type": "npm",
        "package-name": package.name,
        "limit": "1",
        "dry-run": "true",
    }
    times = sorted(job.step(inputs).run().seconds for _ in range(3))
    record_property("a dry run on five versions, container and all", f"{times[1]:.2f} s")
    assert len(package.active()) == 5
