"""A whole workflow with `uses: ./`, as act runs it: the image built, inputs evaluated, outputs read by a later step."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from emulator.server import EmulatedGitHub
from emulator.world import World
from image.act import act, committed, copy_action
from image.engine import ROOT

pytestmark = pytest.mark.image

TOKEN = "ghp_" + "a" * 36


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
def checkout(tmp_path: Path) -> Path:
    """What a user's runner checks out, with this test's workflow in it, as a git repository of its own."""
    tree = tmp_path / "checkout"
    copy_action(tree)
    workflows = tree / ".github" / "workflows"
    workflows.mkdir(parents=True)
    shutil.copyfile(ROOT / "tests" / "image" / "workflow.yml", workflows / "retention.yml")
    committed(tree)
    return tree


def test_a_workflow_deletes_and_its_next_step_reads_what(
    world: World,
    server: EmulatedGitHub,
    engine_socket: str,
    checkout: Path,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    done = act(checkout, tmp_path, server, engine_socket, TOKEN)
    assert done.status == 0, done.out + done.err
    record_property("a workflow under act, image built and all", f"{done.seconds:.1f} s")
    package = world.package("octo-org", "npm", "lib")
    assert package is not None
    assert [version.name for version in package.active()] == ["1.2.0"]
    read = re.search(r"a later step read: (?P<count>\d+) (?P<ids>\[.*?\])", done.out)
    assert read is not None
    assert int(read["count"]) == 2
    assert sorted(json.loads(read["ids"])) == sorted(version.id for version in package.deleted())
    assert "Summary - #" in done.out  # as act shows what the step wrote
    assert TOKEN not in done.out + done.err
