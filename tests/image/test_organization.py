"""The reusable workflow for organizations, as it stands, under act: list, plan, review, approve, apply.

act knows no `$/` (the workflow's own repository, at the commit that runs): an action by a commit is put in its place, and
taken from this checkout. No action can be fetched here, so `artifacts/` stands in for the two that carry files from
job to job, and one of them is forged; act passes `actions/checkout` over, lets every environment approve, takes no
expression for `max-parallel`, and mounts no temporary folder into a container: a folder of this machine is that.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from emulator.images import push_image
from emulator.messages import Request
from emulator.server import EmulatedGitHub
from emulator.world import StoredPackage, World
from image.act import act, committed, copy_action
from image.engine import ROOT, Run

pytestmark = [pytest.mark.image, pytest.mark.timeout(600)]

TOKEN, READ_TOKEN = "ghp_" + "a" * 36, "ghp_" + "b" * 36
OWN = "example/own@" + "0" * 40
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
    world.add_token(READ_TOKEN, scopes=("read:packages", "repo"))
    return world


def old_and_new(world: World, package: StoredPackage, place: int, version: str) -> None:
    """A version, or an image with its platforms and attestations; all but `2.0.0` is old."""
    created = 10 if version == "2.0.0" else 90 - place
    if package.type == "container":
        push_image(world, package, (version,), created=created, attestations=True)
    else:
        world.add_version(package, version, created=created)


@pytest.fixture(params=["npm", "container"])
def packages(request: pytest.FixtureRequest, world: World) -> dict[str, StoredPackage]:
    """All but their `2.0.0` is old; `tool` is another repository's; one package more is a ghost."""
    found = {}
    for name, versions in EVERY.items():
        repository = f"{OWNER}/elsewhere" if name == "tool" else f"{OWNER}/octo-repo"
        found[name] = world.add_package(OWNER, request.param, name, repository=repository)
        for place, version in enumerate(versions):
            old_and_new(world, found[name], place, version)
    world.add_ghost(OWNER, request.param, "gone")
    spare = world.add_package(OWNER, request.param, "spare-parts")  # which the caller excludes
    for place, version in enumerate(OLD):
        old_and_new(world, spare, place, version)
    return found


def left(packages: dict[str, StoredPackage]) -> dict[str, list[str]]:
    """Names of versions, or tags; an untagged part of an image stays and goes with its tag."""
    found = {}
    for name, package in packages.items():
        versions = package.active()
        if package.type == "container":
            found[name] = sorted(tag for version in versions for tag in version.tags)
            assert len(versions) == 5 * len(found[name]), (
                "an index, two platforms and their attestations each"
            )
        else:
            found[name] = sorted(version.name for version in versions)
    return found


@dataclass
class Caller:
    """A repository that calls the workflow; `artifacts` is what its jobs hand on."""

    tree: Path
    action: Path
    artifacts: Path
    temporary: Path
    own: Path
    server: EmulatedGitHub
    socket: str

    def run(self, kind: str, *, plan_only: bool) -> Run:
        """Run all jobs, every action from this machine."""
        text = (HERE / "organization.yml").read_text("utf-8")
        changes = {
            "package-type: npm": f"package-type: {kind}",
            "plan-only: true": f"plan-only: {plan_only}".lower(),
        }
        for old, new in changes.items():
            assert old in text
            text = text.replace(old, new)
        (self.tree / REUSABLE.parent / "retention.yml").write_text(text)
        (self.tree / REUSABLE).write_text(self._called())
        committed(self.tree)
        image = f"act-{re.sub(r'[^a-z0-9]', '-', OWN.lower())}-dockeraction"
        return act(self.tree, self.own, self.server, self.socket, TOKEN, self._options(), image)

    def _called(self) -> str:
        """The workflow as it stands, but for `$/` and for the registry, which lies at no address that follows from the server's."""
        text = (ROOT / REUSABLE).read_text("utf-8")
        name, commit = OWN.split("@")
        text, uses = re.subn(r"(?<=uses: )\$/(\S*)$", rf"{name}/\1@{commit}", text, flags=re.MULTILINE)
        text = text.replace(f"{name}/@", f"{name}@")
        text, steps = re.subn(
            r"^( +)(token: .*)$",
            rf"\1\2\n\1registry-url: {self.server.registry_url}",
            text,
            flags=re.MULTILINE,
        )
        assert (uses, steps) == (5, 3)
        return text

    def _options(self) -> Sequence[str]:
        text = (ROOT / REUSABLE).read_text("utf-8")
        stands_for = {OWN: self.action}
        for name, kind, commit in re.findall(r"(actions/(upload|download)-artifact)@(\w+)", text):
            stands_for[f"{name}@{commit}"] = HERE / "artifacts" / kind
        options = [f"--local-repository={pinned}={folder}" for pinned, folder in stands_for.items()]
        mounts = f"--volume={self.artifacts}:/artifacts --volume={self.temporary}:/tmp"
        return [*options, f"--container-options={mounts}", "--secret", f"READ_TOKEN={READ_TOKEN}"]

    def inputs(self, kind: str) -> dict[str, dict[str, Any]]:
        """The inputs in each uploaded report of a kind, by package name."""
        reports = [
            [json.loads(line) for line in path.read_text("utf-8").splitlines()]
            for path in self.artifacts.glob(f"retention-{kind}-?/*.jsonl")
        ]
        return {lines[1]["name"]: lines[0]["inputs"] for lines in reports}

    def forge(self, kind: str) -> None:
        """Upload what another job of the run could: plans of jobs that were never listed, and files that are no plan."""
        forged = [
            {"kind": "package", "package": 0, "type": kind, "name": "young"},
            {"kind": "step", "package": 0},
        ]
        for name in (
            "retention-plan-77/plan-77.jsonl",
            "retention-plan-other/plan-0.jsonl",
            "retention-plan-other/policy.yml",
        ):
            path = self.artifacts / name
            path.parent.mkdir(exist_ok=True)
            path.write_text("\n".join(map(json.dumps, forged)))


@pytest.fixture
def caller(tmp_path: Path, server: EmulatedGitHub, engine_socket: str) -> Caller:
    folders = {name: tmp_path / name for name in ("tree", "action", "artifacts", "temporary", "own")}
    for folder in (folders["tree"] / REUSABLE.parent, *folders.values()):
        folder.mkdir(parents=True, exist_ok=True)
    copy_action(folders["action"])
    return Caller(**folders, server=server, socket=engine_socket)


def jobs(run: Run) -> dict[str, bool]:
    """Whether each job succeeded, by its steps: act calls all jobs of a matrix failed where one is."""
    found = list(JOB.finditer(run.out))
    failed = {each["job"] for each in found if each["failed"]}
    return {each["job"]: each["job"] not in failed for each in found}


PLANNED = {"List": True, **{f"Plan {name}": name != "large" for name in EVERY}, "What is planned": True}


def test_plans_alone_change_nothing(world: World, packages: dict[str, StoredPackage], caller: Caller) -> None:
    before, tokens = world.snapshot(), set[str]()

    def record(request: Request) -> None:
        if not request.registry:
            tokens.add(request.headers["authorization"].split()[-1])

    world.before_request.append(record)
    caller.forge(packages["lib"].type)
    run = caller.run(packages["lib"].type, plan_only=True)
    assert jobs(run) == PLANNED, run.out + run.err
    assert (world.snapshot(), left(packages)) == (before, EVERY)
    assert {recorded.method for recorded in world.requests} == {"GET"}
    assert tokens == {READ_TOKEN}
    plans = caller.inputs("plan")
    assert plans.keys() == {"lib", "tool"}
    assert {each["points-per-minute"] for each in plans.values()} == {"200"}  # 800 among four jobs
    assert re.search(r"Planned changes: \d+, packages: 2", run.out)
    assert not {token for token in (TOKEN, READ_TOKEN) if token in run.out + run.err}


def test_what_was_planned_is_applied_and_nothing_else(
    world: World,
    packages: dict[str, StoredPackage],
    caller: Caller,
    record_property: Callable[[str, object], None],
) -> None:
    """`large` breaks `fail-if-more-than`; a version of `lib` is touched anew between plan and application."""
    rescued = next(
        version for version in packages["lib"].active() if "1.0.0" in {version.name, *version.tags}
    )
    young = packages["young"].active()[0].updated_at

    def rescue(_request: Request) -> None:
        if (caller.artifacts / ".applying").exists() and rescued.updated_at != young:
            rescued.updated_at = young
            for name in ("tool", "young"):  # old, and in no plan
                old_and_new(world, packages[name], 0, "0.1.0")

    world.before_request.append(rescue)
    caller.forge(packages["lib"].type)
    run = caller.run(packages["lib"].type, plan_only=False)
    record_property("the organization's workflow under act, 9 jobs", f"{run.seconds:.0f} s")
    applied = {"Approve", "Apply lib", "Apply tool"}
    assert jobs(run) == PLANNED | dict.fromkeys(applied, True), run.out + run.err
    assert left(packages) == EVERY | {
        "lib": ["1.0.0", "2.0.0"],
        "tool": ["0.1.0", "2.0.0"],
        "young": ["0.1.0", "2.0.0"],
    }
    spare = world.package(OWNER, packages["lib"].type, "spare-parts")
    assert spare is not None
    assert left({"spare-parts": spare}) == {"spare-parts": OLD}
    reports = caller.inputs("report")
    assert reports.keys() == {"lib", "tool"}
    assert {each["points-per-minute"] for each in reports.values()} == {"400"}  # 800 between two jobs
