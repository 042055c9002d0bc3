"""Every recipe of the documentation, run as it stands against the embedded GitHub: what goes, and what stays."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from emulator.images import push_image, push_signature
from emulator.server import EmulatedGitHub
from emulator.steps import ROOT, TOKEN
from emulator.world import World
from workflows import ACTION, REUSED, Workflow, load, reused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from emulator.images import PushedImage
    from emulator.steps import Ran
    from emulator.stored import StoredPackage

RECIPES = ROOT / "docs" / "recipes"
README = (ROOT / "README.md").read_text("utf-8")
FILES = sorted(RECIPES.glob("*.yml"))


def policy(name: str) -> dict[str, str]:
    """Return one of the documented policy files under the name by which a workflow reads it."""
    return {".github/package-retention.yml": (ROOT / "docs/policies" / name).read_text("utf-8")}


POLICY, NIGHTLY = policy("organization.yml"), policy("nightly.yml")
# As the README shows them: short, with the permissions of all jobs.
IN_THE_README = ("quick-start.yml", "nightly.yml")


@pytest.fixture
def world() -> World:
    world = World()
    world.add_org("octo")
    world.add_token(TOKEN)
    return world


@pytest.fixture
def app(world: World) -> StoredPackage:
    return world.add_package("octo", "container", "app", repository="octo/app")


def names(package: StoredPackage) -> set[str]:
    """Tags and names of what is there, digests left out."""
    found = {tag for version in package.active() for tag in version.tags if not tag.startswith("sha256-")}
    return found | {version.name for version in package.active() if package.type != "container"}


def has(package: StoredPackage, image: PushedImage) -> bool:
    """Whether all of an image is there; fails where only a part is."""
    here = {version.name for version in package.active()} & set(image.members)
    assert here in (set(), set(image.members)), "an image was torn apart"
    return bool(here)


def one(ran: dict[str, Ran]) -> Ran:
    """What the only job of a workflow left behind."""
    (found,) = ran.values()
    assert found.status == 0, found.log
    return found


def test_every_recipe_is_tried_here() -> None:
    tried = Path(__file__).read_text(encoding="utf-8")
    assert [path.name for path in FILES if f'RECIPES / "{path.name}"' not in tried] == []


def test_quick_start_plans_and_changes_nothing(
    world: World, app: StoredPackage, github: EmulatedGitHub, tmp_path: Path
) -> None:
    old = push_image(world, app, (), created=20, attestations=True)
    push_image(world, app, (), created=2)
    push_image(world, app, ("v1",), created=30, signed="cosign")
    before = world.snapshot()
    ran = one(Workflow(github, tmp_path).run(RECIPES / "quick-start.yml"))
    assert set(ran.ids("selected-version-ids")) == set(old.ids)
    assert "Dry run: nothing was changed." in ran.summary
    assert world.snapshot() == before


def test_nightly_and_its_undo(
    world: World, app: StoredPackage, github: EmulatedGitHub, tmp_path: Path
) -> None:
    repository = world.add_repository("octo/app")
    for number in (7, 8):
        repository.open_pull(number=number)
    repository.close_pull(7)
    old = push_image(world, app, (), created=20, attestations=True, signed="bundle")
    closed = push_image(world, app, ("pr-7", "sha-3f2a9c1"), created=2, signed="cosign")
    gone = (old, closed)
    stay = (
        push_image(world, app, (), created=2),
        push_image(world, app, ("pr-8", "sha-1111111"), created=20),
        push_image(world, app, ("v1", "sha-2222222"), created=30, signed="cosign"),
    )
    before = world.snapshot()
    nightly = Workflow(github, tmp_path / "nightly", files=NIGHTLY)
    ran = one(nightly.run(RECIPES / "nightly.yml"))
    number = sum(len(image.ids) for image in gone)
    assert ran.number("deleted-count") == number
    assert [has(app, image) for image in (*gone, *stay)] == [False, False, True, True, True]
    deleted = world.snapshot()
    with pytest.raises(subprocess.CalledProcessError):
        undo_of(FORGED, tmp_path / "forged", github, nightly.artifacts).run(RECIPES / "undo.yml")
    assert world.snapshot() == deleted
    undo = undo_of(CLEANUP, tmp_path / "undo", github, nightly.artifacts)
    assert one(undo.run(RECIPES / "undo.yml")).number("restored-count") == number
    assert world.snapshot() == before


CLEANUP = {
    "event": "schedule",
    "path": ".github/workflows/nightly.yml",
    "head_branch": "main",
    "head_repository": {"full_name": "octo/app"},
}
FORGED = CLEANUP | {"event": "pull_request", "head_branch": "attack"}


def undo_of(
    run: Mapping[str, Any], place: Path, github: EmulatedGitHub, artifacts: dict[str, Path], number: str = "7"
) -> Workflow:
    """The recipe's workflow where run 7 of the repository is `run`; its `gh` answers that one question alone."""
    tools = place / "tools"
    tools.mkdir(parents=True)
    (tools / "gh").write_text(
        f"""#!{sys.executable}
import sys
assert sys.argv[1:3] == ["api", "repos/octo/app/actions/runs/7"], sys.argv
assert sys.argv[3:] == ["--jq", r'"\\(.event) \\(.path) \\(.head_branch) \\(.head_repository.full_name)"'], sys.argv
run = {run!r}
print(run["event"], run["path"], run["head_branch"], run["head_repository"]["full_name"])
"""
    )
    (tools / "gh").chmod(0o755)
    values = {
        "inputs.run-id": number,
        "github.event.repository.default_branch": "main",
        "github.repository": "octo/app",
    }
    return Workflow(github, place / "run", values, artifacts, tools=tools)


@pytest.mark.parametrize(
    "run",
    [
        CLEANUP | {"path": ".github/workflows/other.yml"},
        CLEANUP | {"head_branch": "feature"},
        CLEANUP | {"head_repository": {"full_name": "stranger/app"}},
        *(
            CLEANUP | {"event": event}
            for event in ("pull_request", "pull_request_target", "workflow_run", "push", "issue_comment")
        ),
    ],
)
def test_undo_takes_no_report_of_another_run(
    run: Mapping[str, Any], github: EmulatedGitHub, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        undo_of(run, tmp_path, github, {}).run(RECIPES / "undo.yml")
    assert "::error::run 7 is not a scheduled or manual run of" in capfd.readouterr().out


@pytest.mark.parametrize("number", ["", "7/../../other", "7 8", "latest", "-7"])
def test_undo_takes_the_number_of_a_run_alone(number: str, github: EmulatedGitHub, tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        undo_of(CLEANUP, tmp_path, github, {}, number).run(RECIPES / "undo.yml")


def test_undo_names_the_file_of_the_recipe_that_deletes() -> None:
    assert (RECIPES / Path(str(CLEANUP["path"])).name).exists()
    assert str(CLEANUP["path"]) in (RECIPES / "undo.yml").read_text("utf-8")


def test_branches(world: World, app: StoredPackage, github: EmulatedGitHub, tmp_path: Path) -> None:
    repository = world.add_repository("octo/app")
    repository.add_branch("feature/#12-login")
    gone = push_image(world, app, ("feature-11-logout", "sha-3f2a9c1"), created=3)
    stay = [
        push_image(world, app, tags, created=3)
        for tags in (("feature-12-login", "sha-1111111"), ("main",), ("fix-1.2", "v1.0.0"))
    ]
    young = push_image(world, app, ("fix-typo",), created=0.5)
    one(Workflow(github, tmp_path).run(RECIPES / "branches.yml"))
    assert [has(app, image) for image in (gone, *stay, young)] == [False, True, True, True, True]


def test_gitops(world: World, app: StoredPackage, github: EmulatedGitHub, tmp_path: Path) -> None:
    old = [push_image(world, app, (f"v1.0.{number}",), created=200 - number) for number in range(8)]
    files = {
        "deploy/prod/values.yaml": "image:\n  repository: ghcr.io/octo/app\n  tag: v1.0.0\n",
        "deploy/staging/compose.yml": "services:\n  app:\n    image: ghcr.io/octo/app:v1.0.1\n",
    }
    run = Workflow(github, tmp_path, {"secrets.DEPLOY_READ_TOKEN": "ghp_read", **OWNED}, files=files)
    ran = one(run.run(RECIPES / "gitops.yml"))
    assert [has(app, image) for image in old] == [True, True, False, *[True] * 5]
    assert "referenced in deploy/prod/values.yaml:2" in ran.summary


def test_gitops_stops_where_nothing_was_checked_out(
    world: World, app: StoredPackage, github: EmulatedGitHub, tmp_path: Path
) -> None:
    push_image(world, app, ("v1.0.0",), created=200)
    run = Workflow(github, tmp_path, {"secrets.DEPLOY_READ_TOKEN": "ghp_read", **OWNED})
    assert run.run(RECIPES / "gitops.yml")["retention"].status == 1
    assert world.requests == []


OWNED = {"github.repository_owner": "octo"}


@pytest.mark.parametrize("running", [True, False])
def test_cluster(
    world: World, app: StoredPackage, github: EmulatedGitHub, tmp_path: Path, running: bool
) -> None:
    old = [push_image(world, app, (f"v1.0.{number}",), created=200 - number) for number in range(8)]
    lines = f"ghcr.io/octo/app:v1.0.0\ndocker.io/library/redis:7\nghcr.io/octo/app@{old[1].children[0]}\n"
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "kubectl").write_text(
        f"#!{sys.executable}\nimport os, sys\n"
        'assert sys.argv[1:5] == ["get", "pods", "-A", "-o"], sys.argv\n'
        'assert open(os.environ["KUBECONFIG"]).read() == "cluster"\n'
        f"print({lines if running else ''!r}, end='')\n"
    )
    (tools / "kubectl").chmod(0o755)
    run = Workflow(github, tmp_path / "run", {"secrets.KUBECONFIG": "cluster"}, tools=tools)
    ran = run.run(RECIPES / "cluster.yml")["retention"]
    if not running:
        assert (ran.status, world.requests) == (1, [])
        return
    assert ran.status == 0, ran.log
    assert [has(app, image) for image in old] == [True, True, False, *[True] * 5]


def test_releases_stay(world: World, app: StoredPackage, github: EmulatedGitHub, tmp_path: Path) -> None:
    repository = world.add_repository("octo/app")
    repository.add_tag("v1.0.0")
    repository.add_release("v2.0.0")
    stay = [
        push_image(world, app, tags, created=500)
        for tags in (("1.0.0", "sha-1111111"), ("v2.0.0",), ("latest",))
    ]
    gone = push_image(world, app, ("v0.1.0", "sha-2222222"), created=500)
    run = Workflow(github, tmp_path, files=policy("releases-stay.yml"))
    one(run.run(RECIPES / "releases-stay.yml"))
    assert [has(app, image) for image in (*stay, gone)] == [True, True, True, False]


def test_expiry(world: World, app: StoredPackage, github: EmulatedGitHub, tmp_path: Path) -> None:
    label = {"quay.expires-after": "2w"}
    gone = push_image(world, app, ("tmp-1",), created=20, labels=label)
    stay = [
        push_image(world, app, ("tmp-2",), created=10, labels=label),
        push_image(world, app, ("tmp-3",), created=20),
        push_image(world, app, ("v1.0.0",), created=20, labels=label),
        push_image(world, app, ("latest",), created=20, labels=label),
    ]
    one(Workflow(github, tmp_path).run(RECIPES / "expiry.yml"))
    assert [has(app, image) for image in (gone, *stay)] == [False, True, True, True, True]


def test_a_second_run_with_the_manifest_cache_reads_no_manifest(
    world: World, app: StoredPackage, github: EmulatedGitHub, tmp_path: Path
) -> None:
    gone = push_image(world, app, (), created=20)
    stay = push_image(world, app, ("v1.0.0",), created=20)
    first = Workflow(github, tmp_path / "first", {"github.run_id": "1"})
    one(first.run(RECIPES / "manifest-cache.yml"))
    assert (has(app, gone), has(app, stay)) == (False, True)
    push_image(world, app, (), created=20)
    world.registry_requests.clear()
    second = Workflow(github, tmp_path / "second", {"github.run_id": "2"}, caches=first.caches)
    one(second.run(RECIPES / "manifest-cache.yml"))
    read = {request.path.rpartition("/")[2] for request in world.registry_requests}
    assert not read & set(stay.members)
    assert list(first.caches) == ["package-retention-1", "package-retention-2"]


def test_after_a_release(world: World, github: EmulatedGitHub, tmp_path: Path) -> None:
    lib = world.add_package("octo", "npm", "lib", repository="octo/app")
    for number in range(8):
        world.add_version(lib, f"2.0.0-rc.{number}", created=80 - number)
    world.add_version(lib, "1.0.0", created=300)
    world.add_version(lib, "1.0.0+build.7", created=299)
    world.add_version(lib, "2.0.0", created=0)
    world.add_version(lib, "2.1.0-rc.0", created=1)
    one(Workflow(github, tmp_path).run(RECIPES / "after-release.yml"))
    stay = {f"2.0.0-rc.{number}" for number in range(3, 8)}
    assert names(lib) == stay | {"1.0.0", "1.0.0+build.7", "2.0.0", "2.1.0-rc.0"}


def closed(number: int, repository: str = "octo/app") -> dict[str, str]:
    """The context of a pull request that was closed."""
    return {
        "github.event.number": str(number),
        "github.event.pull_request.head.repo.full_name": repository,
        "github.repository": "octo/app",
    }


def test_pull_request_images_on_close(
    world: World, app: StoredPackage, github: EmulatedGitHub, tmp_path: Path
) -> None:
    gone = [
        push_image(world, app, tags, created=1, signed="cosign")
        for tags in (("pr-7",), ("pr-7-arm", "pr-7-debug"))
    ]
    others = [push_image(world, app, tags, created=1) for tags in (("pr-70",), ("pr-6",), ("latest",))]
    shared = push_image(world, app, ("pr-7-final", "v1.0.0"), created=1)
    one(Workflow(github, tmp_path, closed(7)).run(RECIPES / "pull-request-images.yml"))
    assert [has(app, image) for image in (*gone, *others, shared)] == [False, False, True, True, True, True]
    assert names(app) == {"pr-70", "pr-6", "latest", "v1.0.0"}


def test_a_pull_request_from_a_fork_runs_nothing(github: EmulatedGitHub, tmp_path: Path) -> None:
    run = Workflow(github, tmp_path, closed(7, "stranger/app"))
    assert run.run(RECIPES / "pull-request-images.yml") == {}


def test_a_pull_request_without_a_package_is_nothing_to_do(github: EmulatedGitHub, tmp_path: Path) -> None:
    ran = one(Workflow(github, tmp_path, closed(7)).run(RECIPES / "pull-request-images.yml"))
    assert "::warning::" in ran.log


def test_releases_per_minor(world: World, app: StoredPackage, github: EmulatedGitHub, tmp_path: Path) -> None:
    for minor in range(2):
        for patch in range(5):
            push_image(world, app, (f"v1.{minor}.{patch}",), created=400 - 10 * patch)
            push_image(world, app, (f"v1.{minor}.{patch}-alpine",), created=400 - 10 * patch)
    push_image(world, app, ("v1.0.9",), created=5)
    push_image(world, app, ("v0.9.1", "stable"), created=700)
    for name in ("main", "3f2a1c9", "latest"):
        push_image(world, app, (name,), created=500)
    one(Workflow(github, tmp_path).run(RECIPES / "releases-per-minor.yml"))
    expected = {f"v1.1.{patch}{variant}" for patch in (2, 3, 4) for variant in ("", "-alpine")}
    expected |= {f"v1.0.{patch}{variant}" for patch in (2, 3, 4) for variant in ("", "-alpine")}
    assert names(app) == expected | {"v1.0.9", "v0.9.1", "stable", "main", "3f2a1c9", "latest"}


def test_approval_applies_what_was_reviewed_and_nothing_else(
    world: World, app: StoredPackage, github: EmulatedGitHub, tmp_path: Path
) -> None:
    images = [push_image(world, app, (f"v{number}",), created=500 - number) for number in range(5)]
    run = Workflow(github, tmp_path)

    # Between the plan and the approval somebody tags an image that was to go.
    def meanwhile(_request: object) -> None:
        if "plan" in run.artifacts and "stable" not in names(app):
            world.move_tag(app, "stable", images[1].root_version)

    world.before_request.append(meanwhile)
    ran = run.run(RECIPES / "approval.yml")
    assert set(ran["plan"].ids("selected-version-ids")) == {i for image in images[:3] for i in image.ids}
    assert ran["plan"].number("deleted-count") == 0
    assert ran["apply"].status == 0
    assert [has(app, image) for image in images] == [False, True, False, True, True]
    assert "its tags differ from the report's" in ran["apply"].summary


def test_approval_asks_nobody_where_there_is_nothing_to_do(
    world: World, app: StoredPackage, github: EmulatedGitHub, tmp_path: Path
) -> None:
    push_image(world, app, ("v1",), created=500)
    assert Workflow(github, tmp_path).run(RECIPES / "approval.yml").keys() == {"plan"}


def test_the_jobs_of_approval_say_the_same() -> None:
    plan, apply = (
        next(step["with"] for step in job["steps"] if step["uses"].startswith(ACTION))
        for job in load(RECIPES / "approval.yml")["jobs"].values()
    )
    assert apply.pop("from-report") == plan.pop("report-file")
    assert plan.pop("dry-run") is True
    assert plan == apply


def test_one_file_of_rules(world: World, github: EmulatedGitHub, tmp_path: Path) -> None:
    app = world.add_package("octo", "container", "app-one", repository="octo/one")
    old = push_image(world, app, (), created=30)
    kept = push_image(world, app, ("v1.0.0",), created=30)
    legacy = world.add_package("octo", "container", "app-legacy")
    untouched = push_image(world, legacy, (), created=30)
    push_signature(world, legacy, untouched.root, created=30)
    lib = world.add_package("octo", "npm", "anything", repository="octo/other")
    for number in range(7):
        world.add_version(lib, f"1.0.0-rc.{number}", created=60 - number)
    world.add_version(lib, "1.0.0", created=50)
    world.add_version(world.add_package("octo", "nuget", "Example"), "1.0.0", created=10)
    world.add_version(world.add_package("octo", "rubygems", "example"), "1.0.0", created=10)
    run = Workflow(github, tmp_path, {"secrets.PACKAGES_TOKEN": TOKEN}, files=POLICY)
    one(run.run(RECIPES / "one-file-of-rules.yml"))
    assert (has(app, old), has(app, kept), has(legacy, untouched)) == (False, True, True)
    assert names(lib) == {f"1.0.0-rc.{number}" for number in range(2, 7)} | {"1.0.0"}


ORGANIZATION = RECIPES / "organization.yml"


def organization(world: World) -> dict[str, tuple[StoredPackage, PushedImage, PushedImage]]:
    """Three packages, of three repositories, each with an old untagged image and a tagged one."""
    found = {}
    for name in ("one", "two/three", "legacy-four"):
        package = world.add_package("octo", "container", name, repository=f"octo/{name.split('/')[0]}")
        old = push_image(world, package, (), created=30, attestations=True)
        found[name] = package, old, push_image(world, package, ("v1",), created=30)
    return found


def test_organization(world: World, github: EmulatedGitHub, tmp_path: Path) -> None:
    packages = organization(world)
    ran = Workflow(github, tmp_path, {"secrets.PACKAGES_TOKEN": TOKEN}).run(RECIPES / "organization.yml")
    assert [each.status for each in ran.values()] == [0] * 5, "".join(each.log for each in ran.values())
    assert sorted(ran) == ["apply 0", "apply 1", "list", "plan 0", "plan 1"]
    assert all(ran[name].number("deleted-count") == 0 for name in ("list", "plan 0", "plan 1"))
    left = {name: (has(package, old), has(package, new)) for name, (package, old, new) in packages.items()}
    assert left == {"one": (False, True), "two/three": (False, True), "legacy-four": (True, True)}


def test_an_organizations_plan_that_was_uploaded_anew_is_not_applied(
    world: World, github: EmulatedGitHub, tmp_path: Path
) -> None:
    """Another job of the run puts a plan of its own in the place of the one that reviewers saw."""
    packages = organization(world)
    forged = tmp_path / "plan-0.jsonl"

    class Artifacts(dict[str, Path]):
        def __getitem__(self, name: str) -> Path:
            real = super().__getitem__(name)
            if name != "retention-plan-0" or not (tmp_path / "retention" / "apply-0").exists():
                return real
            forged.write_text(real.read_text("utf-8") + "\n")
            return forged

    run = Workflow(github, tmp_path, {"secrets.PACKAGES_TOKEN": TOKEN}, Artifacts())
    with pytest.raises(subprocess.CalledProcessError):
        run.run(RECIPES / "organization.yml")
    assert all(has(package, old) for package, old, _ in packages.values())


def test_an_organization_without_such_packages_is_nothing_to_do(
    github: EmulatedGitHub, tmp_path: Path
) -> None:
    run = Workflow(github, tmp_path, {"secrets.PACKAGES_TOKEN": TOKEN})
    assert run.run(RECIPES / "organization.yml").keys() == {"list"}


def test_the_reusable_workflow_may_do_what_its_jobs_need() -> None:
    """A called workflow gets no more than its caller grants."""
    order = ["none", "read", "write"]
    (job,) = load(ORGANIZATION)["jobs"].values()
    for inner in load(reused(job))["jobs"].values():
        for name, grant in inner["permissions"].items():
            assert order.index(job["permissions"].get(name, "none")) >= order.index(grant)


def test_enterprise_server(tmp_path: Path) -> None:
    world = World(ghes=True)
    world.add_org("octo")
    world.add_token(TOKEN)
    core = world.add_package("octo", "maven", "com.example.core", repository="octo/core")
    other = world.add_package("octo", "maven", "org.example.core", repository="octo/core")
    for package in (core, other):
        for version, age in (("1.0", 90), ("1.1-SNAPSHOT", 60), ("1.1", 50), ("1.2-SNAPSHOT", 3)):
            world.add_version(package, version, created=age)
    with EmulatedGitHub(world) as github:
        one(
            Workflow(github, tmp_path, {"secrets.PACKAGES_TOKEN": TOKEN}).run(
                RECIPES / "enterprise-server.yml"
            )
        )
    assert names(core) == {"1.0", "1.1", "1.2-SNAPSHOT"}
    assert len(names(other)) == 4


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_what_a_recipe_may_do_is_said_with_its_reason(path: Path) -> None:
    read = load(path)
    text = path.read_text(encoding="utf-8")
    if path.name in IN_THE_README:
        # The README explains these two beside them; what they may do, all their jobs need.
        assert all("permissions" not in job for job in read["jobs"].values())
        assert text in README.replace("```yaml\n", "")
    else:
        assert read["permissions"] == {}
        assert text.startswith("# ")
    for job in read["jobs"].values():
        for name, grant in job.get("permissions", {}).items():
            assert f"{name}: {grant} # " in text
        steps = [step for step in job.get("steps", ()) if "uses" in step]
        for uses in [job["uses"]] if "uses" in job else [step["uses"] for step in steps]:
            pinned = uses.split("@")[1]
            ours = uses.startswith((ACTION, REUSED))
            assert pinned == "v1" if ours else len(pinned) == 40, uses
            assert ours or f"{uses} # v" in text


def test_recipes_are_valid_workflows() -> None:
    """By the schema that check-jsonschema brings along, and by actionlint: neither needs the network."""
    schema = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows"]
    actionlint = shutil.which("actionlint", path=str(Path(sys.executable).parent))
    assert actionlint is not None
    for command in (schema, [actionlint, "-shellcheck=", "-pyflakes="]):
        done = subprocess.run([*command, *map(str, FILES)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
