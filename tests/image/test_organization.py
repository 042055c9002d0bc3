"""The reusable workflow for organizations, as it stands, under act: list, plan, review, approve, apply.

Its `OWNER/package-retention@v1` is taken from this checkout. No action can be fetched here, so `artifacts/` stands in for the two
that carry files from job to job; act passes `actions/checkout` over, lets every environment approve, and takes no
expression for `max-parallel`.
"""

import json
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from scripts.release import OWN_ACTION

from emulator.messages import Request
from emulator.server import EmulatedGitHub
from emulator.world import StoredPackage, World
from image.act import act, committed, copy_action
from image.engine import ROOT, Run, podman

pytestmark = [pytest.mark.image, pytest.mark.timeout(600)]

TOKEN = "ghp_" + "a" * 36
OWNER = "octo-org"
HERE = ROOT / "tests" / "image"
REUSABLE = Path(".github/workflows/organization.yml")
JOB = re.compile(
    r"^\[[^]]*/(?P<job>[^/\]]+?)(?:-\d+)? *\] (?: *(?P<failed>❌  Failure - Main)|🏁)", re.MULTILINE
)
OLD = ["1.0.0", "1.1.0", "1.2.0"]
EVERY = {
    "lib": [*OLD, "2.0.0"],
    "tool": [*OLD, "2.0.0"],
    "large": ["0.9.0", *OLD, "2.0.0"],
    "young": ["2.0.0"],
}


@pytest.fixture
def world() -> World:
    world = World()
    world.add_org(OWNER)
    world.add_token(TOKEN)
    return world


@pytest.fixture
def packages(world: World) -> dict[str, StoredPackage]:
    """All but their `2.0.0` is old; `tool` is another repository's; one package more is a ghost."""
    found = {}
    for name, versions in EVERY.items():
        repository = f"{OWNER}/elsewhere" if name == "tool" else f"{OWNER}/octo-repo"
        found[name] = world.add_package(OWNER, "npm", name, repository=repository)
        for place, version in enumerate(versions):
            world.add_version(found[name], version, created=10 if version == "2.0.0" else 90 - place)
    world.add_ghost(OWNER, "npm", "gone")
    return found


def left(packages: dict[str, StoredPackage]) -> dict[str, list[str]]:
    return {name: sorted(version.name for version in each.active()) for name, each in packages.items()}


def own_action(text: str) -> str:
    """What the workflow uses of this repository: `OWNER/package-retention@v1`, or a release's."""
    (found,) = {f"{used['repository']}@{used['tag']}" for used in OWN_ACTION.finditer(text)}
    return found


@dataclass
class Caller:
    """A repository that calls the workflow; `artifacts` is what its jobs hand on."""

    tree: Path
    action: Path
    artifacts: Path
    own: Path
    server: EmulatedGitHub
    socket: str

    def run(self, *, plan_only: bool) -> Run:
        """Run all jobs, every action from this machine."""
        called = (HERE / "organization.yml").read_text("utf-8")
        assert "plan-only: true" in called
        text = called if plan_only else called.replace("plan-only: true", "plan-only: false")
        (self.tree / REUSABLE.parent / "retention.yml").write_text(text)
        committed(self.tree)
        return act(self.tree, self.own, self.server, self.socket, TOKEN, self._options())

    def _options(self) -> Sequence[str]:
        text = (ROOT / REUSABLE).read_text("utf-8")
        stands_for = {own_action(text): self.action}
        for name, kind, commit in re.findall(r"(actions/(upload|download)-artifact)@(\w+)", text):
            stands_for[f"{name}@{commit}"] = HERE / "artifacts" / kind
        options = [f"--local-repository={pinned}={folder}" for pinned, folder in stands_for.items()]
        return [*options, f"--container-options=--volume={self.artifacts}:/artifacts"]

    def inputs(self, kind: str) -> dict[str, dict[str, Any]]:
        """The inputs in each uploaded report of a kind, by package name."""
        heads = [
            path.read_text("utf-8").splitlines()[0]
            for path in self.artifacts.glob(f"retention-{kind}-*/*.jsonl")
        ]
        given: list[dict[str, Any]] = [json.loads(head)["inputs"] for head in heads]
        return {each["package-name"]: each for each in given}


@pytest.fixture
def caller(tmp_path: Path, server: EmulatedGitHub, engine_socket: str) -> Iterator[Caller]:
    tree, action, artifacts, own = (tmp_path / name for name in ("caller", "action", "artifacts", "own"))
    for folder in (tree / REUSABLE.parent, action, artifacts, own):
        folder.mkdir(parents=True)
    shutil.copyfile(ROOT / REUSABLE, tree / REUSABLE)
    copy_action(action)
    yield Caller(tree, action, artifacts, own, server, engine_socket)
    image = re.sub(r"[^a-z0-9]", "-", own_action((ROOT / REUSABLE).read_text("utf-8")).lower())
    podman("rmi", "--force", f"act-{image}-dockeraction:latest", check=False)


def jobs(run: Run) -> dict[str, bool]:
    """Whether each job succeeded, by its steps: act calls all jobs of a matrix failed where one is."""
    found = list(JOB.finditer(run.out))
    failed = {each["job"] for each in found if each["failed"]}
    return {each["job"]: each["job"] not in failed for each in found}


PLANNED = {"List": True, **{f"Plan {name}": name != "large" for name in EVERY}, "What is planned": True}


def test_plans_alone_change_nothing(world: World, packages: dict[str, StoredPackage], caller: Caller) -> None:
    before = world.snapshot()
    run = caller.run(plan_only=True)
    assert jobs(run) == PLANNED, run.out + run.err
    assert (world.snapshot(), left(packages)) == (before, EVERY)
    assert {recorded.method for recorded in world.requests} == {"GET"}
    plans = caller.inputs("plan")
    assert plans.keys() == {"lib", "tool"}
    assert {each["points-per-minute"] for each in plans.values()} == {"180"}  # 720 among four jobs
    assert "Planned changes: 6, packages: 2" in run.out
    assert TOKEN not in run.out + run.err


def test_what_was_planned_is_applied_and_nothing_else(
    world: World, packages: dict[str, StoredPackage], caller: Caller, capsys: pytest.CaptureFixture[str]
) -> None:
    """`large` breaks `fail-if-more-than`; a version of `lib` is published anew between plan and application."""
    rescued = next(version for version in packages["lib"].active() if version.name == "1.0.0")
    young = packages["young"].active()[0].updated_at

    def rescue(_request: Request) -> None:
        if (caller.artifacts / ".applying").exists():
            rescued.updated_at = young
            if len(packages["young"].active()) == 1:
                world.add_version(packages["tool"], "0.1.0", created=200)  # old, and in no plan
                world.add_version(packages["young"], "0.1.0", created=200)

    world.before_request.append(rescue)
    run = caller.run(plan_only=False)
    with capsys.disabled():
        print(f"\nthe organization's workflow under act, 9 jobs: {run.seconds:.0f} s")
    applied = {"Approve", "Apply lib", "Apply tool"}
    assert jobs(run) == PLANNED | dict.fromkeys(applied, True), run.out + run.err
    assert left(packages) == EVERY | {
        "lib": ["1.0.0", "2.0.0"],
        "tool": ["0.1.0", "2.0.0"],
        "young": ["0.1.0", "2.0.0"],
    }
    reports = caller.inputs("report")
    assert reports.keys() == {"lib", "tool"}
    assert {each["points-per-minute"] for each in reports.values()} == {"360"}  # 720 between two jobs
