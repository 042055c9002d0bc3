"""Prints the performance table: `make bench`, or one row by its name (`python -m benchmarks pace`)."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import run
from emulator.images import push_image
from emulator.server import EmulatedGitHub
from emulator.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.measure import Measured

LATENCY = 0.1


def world_of(kind: str, name: str) -> World:
    """A world with one package of an organization."""
    world = World()
    world.add_org("octo")
    world.add_user("octocat")
    world.add_token()
    world.add_package("octo", kind, name)
    return world


def npm(count: int) -> World:
    """An npm package of so many versions, a version an hour."""
    world = world_of("npm", "lib")
    for number in range(count):
        world.add_version(world.packages[0], f"1.0.{number}", created=(count - number) / 24 + 1)
    return world


def measured(world: World, latency: float, **inputs: object) -> Measured:
    """Serve a world and run one step on it."""
    with EmulatedGitHub(world, latency=latency) as github, tempfile.TemporaryDirectory() as folder:
        result = run(github, Path(folder), **inputs)
        if result.status:
            sys.exit((Path(folder) / "log").read_text())
        return result


def row(what: str, result: Measured, floor: float | None, *, note: str = "") -> str:
    """One line of the table."""
    over = f"{floor:.1f} | {result.seconds / floor:.2f}" if floor else "- | -"
    return (
        f"| {what} | {result.requests} + {result.registry_requests} | {result.seconds:.1f} | {over} | "
        f"{result.megabytes:.0f} | {note} |"
    )


def leaves() -> str:
    """250 npm versions, 120 of them to delete."""
    result = measured(npm(250), LATENCY, package_type="npm", package_name="lib", min_versions_to_keep=130)
    return row("250 npm versions, 120 deletes, 100 ms an answer", result, None, note=_deleted(result))


def images() -> str:
    """48 indexes of four platforms; the 24 older ones go, with all that belongs to them."""
    world = world_of("container", "app")
    platforms = ("linux/amd64", "linux/arm64", "linux/arm/v7", "linux/s390x")
    for number in range(48):
        push_image(world, world.packages[0], (f"v1.{number}.0",), platforms=platforms, created=100 - number)
    result = measured(world, LATENCY, package_type="container", package_name="app", min_versions_to_keep=24)
    return row(
        "240 container versions, 24 images (120 deletes), 100 ms an answer",
        result,
        None,
        note=_deleted(result),
    )


def pace() -> str:
    """330 deletes at GitHub's own limit, which is enforced: the floor is a full minute between the two bursts."""
    inputs = {
        "package_type": "npm",
        "package_name": "lib",
        "min_versions_to_keep": 20,
        "points_per_minute": 900,
    }
    result = measured(npm(350), LATENCY, **inputs)
    return row(
        "330 deletes at 900 points a minute",
        result,
        60.0,
        note=f"{_deleted(result)}, {result.refused} refused",
    )


def listing() -> str:
    """20,000 versions listed over HTTP and planned."""
    inputs = {"package_type": "npm", "package_name": "lib", "min_versions_to_keep": 100, "dry_run": "true"}
    result = measured(npm(20_000), 0.0, **inputs)
    return row(
        "20,000 npm versions listed and planned over HTTP",
        result,
        None,
        note=f"{result.outputs['selected-count']} planned",
    )


def deciding() -> str:
    """100,000 versions decided in memory: a process of its own, so that its memory is its own."""
    said = subprocess.run(
        [sys.executable, "-m", "benchmarks.decide"], capture_output=True, text=True, check=True
    ).stdout.split()
    npm_seconds, image_seconds, megabytes = (float(number) for number in said)
    return (
        f"| 100,000 npm versions decided | - | {npm_seconds:.1f} | - | - | {megabytes:.0f} | |\n"
        f"| 100,000 container versions (20,000 indexes) decided | - | {image_seconds:.1f} | - | - | {megabytes:.0f} | |"
    )


def starting() -> str:
    """From the start of the process to the first request, against importing the two libraries that it must have."""
    world = npm(1)
    firsts, imports = [], []
    for _ in range(7):
        result = measured(
            world, 0.0, package_type="npm", package_name="lib", versions="none-such", dry_run="true"
        )
        firsts.append(result.started)
        began = time.monotonic()
        subprocess.run([sys.executable, "-c", "import github, requests"], check=True)
        imports.append(time.monotonic() - began)
    first, floor = statistics.median(firsts), statistics.median(imports)
    what = "process start to first request (floor: `import github, requests`)"
    return f"| {what} | 1 | {first:.2f} | {floor:.2f} | {first / floor:.2f} | - | median of 7 |"


def _deleted(result: Measured) -> str:
    return f"{result.outputs['deleted-count']} deleted"


BENCHES: dict[str, Callable[[], str]] = {
    "leaves": leaves,
    "images": images,
    "pace": pace,
    "listing": listing,
    "deciding": deciding,
    "starting": starting,
}


def main(names: list[str]) -> None:
    """Run the named rows, or all."""
    print("| what | requests (API + registry) | seconds | floor | ratio | MB | |")
    print("| --- | --: | --: | --: | --: | --: | --- |")
    for name in names or BENCHES:
        print(BENCHES[name](), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
