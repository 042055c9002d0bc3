"""Job summaries to look at, each of a real run over a package that tells something; `make screenshots` shows them."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emulator import demo
from emulator.images import push_image
from emulator.server import EmulatedGitHub
from emulator.steps import run_step
from emulator.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from emulator.steps import Ran
    from emulator.stored import StoredPackage


POLICY = """\
packages:
  - type: container
    name: app
    keep:
      - versions: [latest, stable]
      - versions: "*"
        min-versions-to-keep: 2
    delete:
      - versions: "v*"
        older-than: 30d
      - tag-status: untagged
        older-than: 7d
  - {type: npm, name: lib, delete: [{min-versions-to-keep: 3}]}
  - {type: maven, name: org.octo.core, delete: [{release-status: pre-release, older-than: 14d}]}
  - {type: nuget, name: Octo.Core, delete: [{version-range: "[1.0,2.0)"}]}
  - {type: rubygems, name: octo, delete: [{versions: "/rc/", older-than: 1 month}]}
  - {type: docker, name: legacy, delete: [{versions: "pr-*"}]}
"""
PACKAGES = {
    "container": "app",
    "npm": "lib",
    "maven": "org.octo.core",
    "nuget": "Octo.Core",
    "rubygems": "octo",
    "docker": "legacy",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A summary and its log; `unfolded` are the places of the folded parts that the picture shows open."""

    text: str
    log: str
    unfolded: tuple[int, ...] = ()


@contextmanager
def _served(world: World, policy: str = POLICY) -> Iterator[Callable[..., Ran]]:
    """Serve a world, whose pages then have github.com's addresses; gives what runs a step on it."""
    with EmulatedGitHub(world) as github, tempfile.TemporaryDirectory() as place:
        world.server_url = "https://github.com"
        folder = Path(place)
        (folder / "retention.yml").write_text(policy)
        called = {
            "GITHUB_ACTION_REPOSITORY": "octo/package-retention",
            "GITHUB_ACTION_REF": "v1",
        }

        def step(**inputs: Any) -> Ran:
            return run_step(github, folder, variables=called, **inputs)

        yield step


def _app(world: World, **kw: Any) -> StoredPackage:
    world.add_org("octo")
    world.add_token()
    return world.add_package("octo", "container", "app", repository="octo/app", visibility="public", **kw)


def _images(world: World, app: StoredPackage, count: int = 12) -> None:
    for number in range(count):
        tags = [f"v1.{number}.0"] + (["latest", "stable"] if number == count - 1 else [])
        push_image(
            world,
            app,
            tags,
            created=400 - 33 * number,
            attestations=True,
            signed="cosign" if number % 3 else "",
        )
    for number in range(10):
        push_image(world, app, [f"pr-{120 + number}"], created=1 + 7 * number, platforms=("linux/amd64",))


CONTAINER: dict[str, Any] = {"package_type": "container", "package_name": "app"}
MAIN_JOB: dict[str, Any] = {
    "versions": "v*, pr-*",
    "older_than": "30d",
    "min_versions_to_keep": "3",
    **CONTAINER,
}


def dry_run() -> Shown:
    """A dry run over one package of images."""
    world = World()
    _images(world, _app(world))
    with _served(world) as step:
        ran = step(dry_run="true", report_file="plan.jsonl", **MAIN_JOB)
    return Shown(ran.summary, ran.log)


def deleted() -> Shown:
    """The same for real, with a report."""
    world = World()
    _images(world, _app(world))
    with _served(world) as step:
        ran = step(report_file="package-retention.jsonl", **MAIN_JOB)
    return Shown(ran.summary, ran.log, (0,))


def _six_packages() -> World:
    """An organization with one package of each type."""
    world = World()
    world.add_org("octo")
    world.add_user("octocat")
    world.add_token()
    app = world.add_package("octo", "container", "app", repository="octo/app", visibility="public")
    for number in range(6):
        tags = (f"v1.{number}.0", "latest") if number == 5 else (f"v1.{number}.0",)
        push_image(world, app, tags, created=90 - 14 * number, attestations=True, signed="cosign")
    push_image(world, app, (), platforms=("linux/amd64",), created=20)
    named = {
        kind: world.add_package("octo", kind, name) for kind, name in PACKAGES.items() if kind != "container"
    }
    for number in range(8):
        world.add_version(named["npm"], f"1.{number}.0", created=80 - 10 * number)
        world.add_version(named["nuget"], f"{1 + number // 5}.{number}.0", created=80 - 10 * number)
    for name, age in (("1.0", 60), ("1.1-SNAPSHOT", 50), ("1.1-rc-1", 40), ("1.1", 30), ("1.2-SNAPSHOT", 2)):
        world.add_version(named["maven"], name, created=age)
    for name, age in (("0.9.0.rc1", 70), ("0.9.0", 60), ("1.0.0.rc1", 3), ("1.0.0", 1)):
        world.add_version(named["rubygems"], name, created=age)
    for tag, age, digest in (("pr-7", 30, "7" * 64), ("pr-8", 20, "8" * 64), ("release", 10, "9" * 64)):
        world.add_version(named["docker"], f"sha256:{digest}", created=age, tags=(tag,))
    return world


def organization() -> Shown:
    """A policy over a package of each type."""
    with _served(_six_packages()) as step:
        ran = step(policy_file="retention.yml", report_file="package-retention.jsonl")
    return Shown(ran.summary, ran.log)


def failures() -> Shown:
    """Downloads, a version that GitHub does not delete, a package without a role, one that is not there."""
    world = World()
    app = _app(world)
    for number in range(8):
        push_image(world, app, [f"v1.{number}.0"], created=90 - number, downloads=9_000 if number == 2 else 0)
    other = world.add_package("octo", "container", "api", repository="octo/app")
    other.roles["octocat"] = "read"
    for number in range(4):
        push_image(world, other, [f"v2.{number}.0"], created=80 - number)
    broken = app.by_tag("v1.4.0")
    assert broken

    def fail(request: Any) -> None:
        if request.method == "DELETE" and request.path.endswith(f"/{broken.id}"):
            broken.downloads = 9_000

    world.before_request.append(fail)
    with _served(world) as step:
        ran = step(
            package_type="container",
            package_name="app, api, gone",
            versions="v*",
            min_versions_to_keep="2",
            report_file="package-retention.jsonl",
        )
    return Shown(ran.summary, ran.log)


def reviewed() -> Shown:
    """A plan that is applied after the world changed."""
    world = World()
    app = _app(world)
    images = [push_image(world, app, [f"v1.{n}.0"], created=90 - n, attestations=True) for n in range(6)]
    push_image(world, app, ["latest"], created=1)
    given = {"versions": "v*", "older_than": "30d", **CONTAINER}
    with _served(world) as step:
        step(dry_run="true", report_file="plan.jsonl", **given)
        world.move_tag(app, "production", images[1].root_version)
        for version in images[3].versions:
            world.delete_version(app, version)
        ran = step(from_report="plan.jsonl", report_file="package-retention.jsonl", **given)
    return Shown(ran.summary, ran.log)


def restored() -> Shown:
    """The undo, with tags that were taken away, and a name that somebody took meanwhile."""
    world = World()
    app = _app(world)
    for number in range(5):
        push_image(world, app, [f"v1.{number}.0", f"pr-{number}"], created=90 - number)
    push_image(world, app, ["pr-7"], created=50, attestations=True, signed="cosign")
    push_image(world, app, ["pr-8"], created=49, attestations=True)
    with _served(world) as step:
        step(versions="pr-*", untag="true", report_file="package-retention.jsonl", **CONTAINER)
        push_image(world, app, ["pr-2"], created=0)
        ran = step(operation="restore", from_report="package-retention.jsonl", **CONTAINER)
    return Shown(ran.summary, ran.log)


def cut_short() -> Shown:
    """A run that the hour's budget ends."""
    world = World()
    _images(world, _app(world))
    token = next(iter(world.tokens.values()))
    token.limit = 60
    with _served(world) as step:
        ran = step(time_limit="1min", report_file="package-retention.jsonl", **MAIN_JOB)
    return Shown(ran.summary, ran.log)


def refused() -> Shown:
    """Inputs that do not fit."""
    world = World()
    _app(world)
    with _served(world) as step:
        ran = step(versions="^v\\d+$", older_than="6m", min_version_to_keep="3", **CONTAINER)
    return Shown(ran.summary, ran.log)


def nothing() -> Shown:
    """A package with nothing to do."""
    world = World()
    lib = world.add_package(world.add_org("octo"), "npm", "lib", repository="octo/app")
    world.add_token()
    for number in range(5):
        world.add_version(lib, f"1.{number}.0", created=50 - 10 * number)
    with _served(world) as step:
        ran = step(package_type="npm", package_name="lib", min_versions_to_keep="5")
    return Shown(ran.summary, ran.log)


def inventory() -> Shown:
    """A list with the moment when each image falls due."""
    world = World()
    _images(world, _app(world))
    with _served(world) as step:
        ran = step(**MAIN_JOB | {"operation": "list", "older_than": "90d"})
    return Shown(ran.summary, ran.log, (0,))


def readme() -> Shown:
    """The dry run that the README shows: the plan of `make demo`, less one row."""
    with _served(demo.seed((40.5,)), demo.POLICY) as step:
        ran = step(policy_file="retention.yml", manifest_cache="manifests.json", dry_run="true")
    return Shown(ran.summary, ran.log)


SUMMARIES: dict[str, Callable[[], Shown]] = {
    "readme": readme,
    "dry-run": dry_run,
    "deleted": deleted,
    "organization": organization,
    "failures": failures,
    "reviewed": reviewed,
    "restored": restored,
    "cut-short": cut_short,
    "refused": refused,
    "nothing": nothing,
    "list": inventory,
}
