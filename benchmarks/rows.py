"""The rows of the table: what is served, what is asked for, and what nobody can beat."""

from __future__ import annotations

import functools
import math
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measure import LATENCY, Row, floor_of, least_start, measured, row, run
from emulator.faults import Fault, Kind
from emulator.images import push_image
from emulator.server import EmulatedGitHub
from emulator.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

WORKFLOW = "ghs_" + "w" * 36
PLATFORMS = ("linux/amd64", "linux/arm64", "linux/arm/v7", "linux/s390x")
# A package and the first page of its list wait for the owner, the other pages for the first, the first change for the lists.
LISTED, CHANGED = 2, 4


def world_of(kind: str, *names: str) -> World:
    """A world of an organization with packages."""
    world = World()
    world.add_org("octo")
    world.add_user("octocat")
    world.add_token()
    for name in names:
        world.add_package("octo", kind, name, repository="octo/app")
    return world


def npm(count: int) -> World:
    """An npm package of so many versions, a version an hour."""
    world = world_of("npm", "lib")
    for number in range(count):
        world.add_version(world.packages[0], f"1.0.{number}", created=(count - number) / 24 + 1)
    return world


def indexes(world: World, count: int, place: int = 0) -> World:
    """The world with so many images of four platforms, five versions each, in one of its packages."""
    for number in range(count):
        push_image(
            world,
            world.packages[place],
            (f"v1.{number}.0",),
            platforms=PLATFORMS,
            created=count + 10 - number,
        )
    return world


@functools.cache
def start() -> tuple[float, float]:
    """The median seconds, and CPU seconds, of seven processes with the two libraries, to a first request."""
    with EmulatedGitHub(npm(1)) as github, tempfile.TemporaryDirectory() as folder:
        found = [least_start(github, Path(folder)) for _ in range(7)]
    return statistics.median(one for one, _ in found), statistics.median(cpu for _, cpu in found)


def leaves() -> list[Row]:
    """250 npm versions, 120 of them to delete."""
    result = measured(npm(250), LATENCY, package_type="npm", package_name="lib", min_versions_to_keep=130)
    note = f"{result.outputs['deleted-count']} deleted"
    return [row("250 npm versions, 120 deletes", result, floor_of(result, CHANGED, start()[0]), note)]


def images() -> list[Row]:
    """48 indexes of four platforms; the 24 older ones go, with all that belongs to them."""
    world = indexes(world_of("container", "app"), 48)
    result = measured(world, LATENCY, package_type="container", package_name="app", min_versions_to_keep=24)
    note = f"{result.outputs['deleted-count']} deleted"
    what = "240 container versions, 24 images (120 deletes)"
    return [row(what, result, floor_of(result, CHANGED + 3, start()[0]), note)]


def manifests() -> list[Row]:
    """Images of one manifest each, all of which are read; nothing goes."""
    rows: list[Row] = []
    for count in (1_000, 5_000):
        world = world_of("container", "app")
        for number in range(count):
            push_image(world, world.packages[0], (f"v{number}",), platforms=(), created=count + 10 - number)
        inputs: dict[str, Any] = {
            "package_type": "container",
            "package_name": "app",
            "min_versions_to_keep": count,
        }
        result = measured(world, LATENCY, **inputs)
        floor = floor_of(result, LISTED + 1, start()[0])
        note = f"growth exponent of the CPU {_exponent(rows[0].cpu, result.cpu, 5)}" if rows else ""
        rows.append(row(f"{count:,} manifests read", result, floor, note))
    return rows


def nothing() -> list[Row]:
    """Nothing to do in packages of usual size."""
    return _nothing(240, 2_000)


def nothing_in_many() -> list[Row]:
    """Nothing to do in a large package, whose cache takes a minute to fill."""
    return _nothing(20_000)


def _nothing(*counts: int) -> list[Row]:
    """Nothing to do: nothing can match, without a cache; and all is kept as the newest, with a warm one."""
    rows: list[Row] = []
    for count in counts:
        world = indexes(world_of("container", "app"), count // 5)
        inputs: dict[str, Any] = {"package_type": "container", "package_name": "app"}
        result = measured(world, LATENCY, **inputs, older_than="10000d")
        floor = floor_of(result, LISTED, start()[0])
        rows.append(row(f"nothing can match, {count:,} container versions, no cache", result, floor))
        kept: dict[str, Any] = inputs | {"min_versions_to_keep": count, "manifest_cache": "manifests"}
        # One server for both runs: the cache is kept by host and package.
        with (
            EmulatedGitHub(world, latency=LATENCY) as github,
            tempfile.TemporaryDirectory() as folder,
        ):
            cold = run(github, Path(folder), **kept)
            result = run(github, Path(folder), **kept)
        note = f"cold: {cold.registry_requests} reads, {cold.seconds:.1f} s"
        floor = floor_of(result, LISTED, start()[0])
        rows.append(row(f"nothing to do, {count:,} container versions, warm cache", result, floor, note))
    return rows


def packages() -> list[Row]:
    """500 packages of 20 versions in one run, with nothing to do."""
    names = [f"lib-{number}" for number in range(500)]
    libraries = world_of("npm", *names)
    for package in libraries.packages:
        for number in range(20):
            libraries.add_version(package, f"1.0.{number}", created=40 - number)
    containers = world_of("container", *names)
    for place in range(500):
        indexes(containers, 4, place)
    rows: list[Row] = []
    for kind, world in (("npm", libraries), ("container", containers)):
        result = measured(
            world, LATENCY, package_type=kind, package_name="lib-*", min_versions_to_keep=20, repository="any"
        )
        note = f"summary {result.summary / 1000:.0f} KB"
        floor = floor_of(
            result, LISTED + 1, start()[0]
        )  # of what a wildcard reaches, the packages are listed first
        rows.append(row(f"500 {kind} packages of 20 versions, nothing to do", result, floor, note))
    return rows


def listing() -> list[Row]:
    """20,000 versions listed over HTTP and planned; the server answers at once."""
    inputs: dict[str, Any] = {
        "package_type": "npm",
        "package_name": "lib",
        "min_versions_to_keep": 100,
        "dry_run": "true",
    }
    result = measured(npm(20_000), 0.0, **inputs)
    note = f"{result.outputs['selected-count']} planned, 0 ms an answer"
    return [row("20,000 npm versions listed and planned", result, start()[0], note)]


def report() -> list[Row]:
    """A report of 100,000 versions; the server answers at once and counts no points."""
    world = npm(100_000)
    world.switches.secondary_limit = False
    with tempfile.TemporaryDirectory() as folder:
        result = measured(
            world,
            0.0,
            folder=Path(folder),
            package_type="npm",
            package_name="lib",
            min_versions_to_keep=10,
            dry_run="true",
            points_per_minute="none",
            report_file="report.jsonl",
        )
        size = (Path(folder) / "report.jsonl").stat().st_size
    note = f"report {size / 1e6:.0f} MB, summary {result.summary / 1000:.0f} KB, 0 ms an answer"
    return [row("a report of 100,000 npm versions", result, start()[0], note)]


def hour() -> list[Row]:
    """95,000 versions with a `GITHUB_TOKEN`, whose hour holds 900 requests of a run: refused from the first page."""
    world = npm(95_000)
    world.add_token(WORKFLOW, repository="octo/app")
    result = measured(
        world,
        LATENCY,
        status=1,
        token=WORKFLOW,
        package_type="npm",
        package_name="lib",
        min_versions_to_keep=10,
    )
    what = "95,000 npm versions with a GITHUB_TOKEN"
    return [row(what, result, floor_of(result, LISTED, start()[0]), "refused from the first page, exit 1")]


def deciding() -> list[Row]:
    """Versions decided in memory, each kind in a process of its own; the floor is to make and sort the versions."""
    rows: list[Row] = []
    for kind, what in (("npm", "npm versions"), ("container", "container versions (20,000 indexes)")):
        small, _, _ = _decided(kind, 20_000)
        seconds, floor, megabytes = _decided(kind, 100_000)
        note = f"growth exponent {_exponent(small, seconds, 5)}"
        rows.append(Row(f"100,000 {what} decided", "-", seconds, floor, seconds, megabytes, note))
    return rows


def starting() -> list[Row]:
    """From the start of the process to the first request, against the two libraries that it must have."""
    world = npm(1)
    inputs: dict[str, Any] = {
        "package_type": "npm",
        "package_name": "lib",
        "versions": "none-such",
        "dry_run": "true",
    }
    found = [measured(world, 0.0, **inputs) for _ in range(7)]
    first = statistics.median(one.started for one in found)
    cpu, megabytes = (
        statistics.median(one.cpu for one in found),
        statistics.median(one.megabytes for one in found),
    )
    start.cache_clear()  # beside the runs that it is compared with: a machine is not always as fast
    floor, floor_cpu = start()
    note = f"median of 7; CPU of a whole run that finds nothing, of the floor {floor_cpu:.2f}"
    return [Row("process start to first request", "1", first, floor, cpu, megabytes, note)]


def pace() -> list[Row]:
    """330 deletes at GitHub's own limit, which is enforced: the floor is a full minute between the two bursts."""
    inputs: dict[str, Any] = {"package_type": "npm", "package_name": "lib", "min_versions_to_keep": 20}
    result = measured(npm(350), LATENCY, **inputs, points_per_minute=900)
    note = f"{result.outputs['deleted-count']} deleted, {result.refused} refused"
    return [row("330 deletes at 900 points a minute", result, 60.0, note)]


def thousand() -> list[Row]:
    """300 of 1,000 versions go by the defaults: 160 changes fit into each minute, so one full minute must pass."""
    result = measured(npm(1_000), LATENCY, package_type="npm", package_name="lib", min_versions_to_keep=700)
    note = f"{result.outputs['deleted-count']} deleted, {result.refused} refused"
    return [row("300 of 1,000 npm versions deleted, defaults", result, 60.0, note)]


def points() -> list[Row]:
    """1,000 deletes at 900 points a minute: 180 a minute, so five full minutes must pass."""
    inputs: dict[str, Any] = {"package_type": "npm", "package_name": "lib", "min_versions_to_keep": 20}
    result = measured(npm(1_020), LATENCY, **inputs, points_per_minute=900)
    note = f"{result.outputs['deleted-count']} deleted, {result.refused} refused"
    return [row("1,000 deletes at 900 points a minute", result, 300.0, note)]


def refusals() -> list[Row]:
    """120 deletes, three of which a secondary limit refuses for three seconds each; they may share a wait."""
    world = npm(250)
    for number in (20, 50, 80):
        world.faults.add(Fault(Kind.SECONDARY_AFTER, method="DELETE", seconds=3, skip=number))
    result = measured(world, LATENCY, package_type="npm", package_name="lib", min_versions_to_keep=130)
    floor = floor_of(result, CHANGED, start()[0]) + 3
    note = f"{result.outputs['deleted-count']} deleted, {result.refused} refused"
    return [row("120 deletes, three refusals of 3 s", result, floor, note)]


def _decided(kind: str, count: int) -> tuple[float, float, float]:
    said = subprocess.run(
        [sys.executable, "-m", "benchmarks.decide", kind, str(count)],
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, floor, megabytes = (float(number) for number in said.stdout.split())
    return seconds, floor, megabytes


def _exponent(small: float, large: float, times: int) -> str:
    return f"{math.log(large / small) / math.log(times):.2f}"


BENCHES: dict[str, Callable[[], list[Row]]] = {
    bench.__name__: bench
    for bench in (
        leaves,
        images,
        manifests,
        nothing,
        packages,
        listing,
        report,
        hour,
        deciding,
        starting,
    )
}
LONG: dict[str, Callable[[], list[Row]]] = {
    bench.__name__: bench for bench in (pace, thousand, points, refusals, nothing_in_many)
}
"""Rows of more than half a minute each: only by name."""
