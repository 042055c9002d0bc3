"""Versions as their ecosystems mean them, groups and the guard, through the whole action."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from emulator.images import push_image
from main_job import Job, job, named, numbered, shown, texts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from emulator.steps import Ran
    from emulator.stored import StoredPackage

# What each ecosystem's own tool makes of a range: versions in it, versions outside, and what has no version there.
RANGES = {
    "npm": (
        "^1.2 || 3.x",
        {"1.2.0", "1.9.9", "3.0.0", "3.9.1"},
        {"1.1.9", "2.0.0", "4.0.0", "3.1.0-rc.1", "1.3.0-beta"},
        {"1.2", "v-1", "latest", "1.2.3.4", "01.2.3"},
    ),
    "maven": (
        "[1.0,2.0)",
        {"1.0", "1.0.0", "1.9", "1.5-SNAPSHOT", "1.1-alpha-1", "2.0-rc1"},
        {"0.9", "2.0", "2.0.1", "1.0-SNAPSHOT"},
        set(),
    ),
    "nuget": (
        "[1.0,2.0)",
        {"1.0.0", "1.9.9.9", "1.5.0-beta", "2.0.0-rc1"},
        {"0.9.0", "2.0.0", "1.0.0-alpha"},
        {"one", "1.0.0-"},
    ),
    "rubygems": (
        "~> 1.2",
        {"1.2", "1.2.0", "1.9.9", "1.3.a"},
        {"1.1.9", "2.0", "1.2.pre"},
        {"1.0-ä", "_"},
    ),
}

PRE_RELEASES = {
    "npm": ({"1.0.0-alpha", "1.0.0-0"}, {"1.0.0", "1.0.0+build"}, {"1.0", "x"}),
    "maven": (
        {"1.0-SNAPSHOT", "1.0-rc1", "1.0-M2", "1.0-alpha"},
        {"1.0", "1.0.Final", "1.0-GA", "1.0-sp1"},
        set(),
    ),
    "nuget": ({"1.0.0-beta", "1.0-x"}, {"1.0.0", "1.0.0+a-b"}, {"x.y"}),
    "rubygems": ({"1.0.a", "1.0.0.rc1"}, {"1.0", "1.0.0"}, {"-"}),
}


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Job]:
    with job(tmp_path) as found:
        yield found


def of_names(made: Job, kind: str, *groups: set[str]) -> StoredPackage:
    package = made.package(kind=kind)
    for name in sorted(set().union(*groups)):
        made.world.add_version(package, name, created=90)
    return package


@pytest.mark.parametrize("kind", RANGES)
def test_ranges_are_those_of_the_ecosystem_and_what_its_tool_refuses_stays(made: Job, kind: str) -> None:
    text, inside, outside, refused = RANGES[kind]
    package = of_names(made, kind, inside, outside, refused)
    ran = made.step(package_type=kind, version_range=text)
    assert texts(package) == outside | refused
    assert ran.number("deleted-count") == len(inside)
    page = shown(ran)
    assert all(name in page for name in refused)
    assert ("has no version that the rules of its ecosystem know" in page) is bool(refused)


@pytest.mark.parametrize("kind", PRE_RELEASES)
@pytest.mark.parametrize("status", ["pre-release", "release"])
def test_release_status_by_the_rules_of_the_ecosystem(made: Job, kind: str, status: str) -> None:
    pre, releases, refused = PRE_RELEASES[kind]
    package = of_names(made, kind, pre, releases, refused)
    made.step(package_type=kind, release_status=status, older_than="30d")
    assert texts(package) == (releases if status == "pre-release" else pre) | refused


@pytest.mark.parametrize("kind", ["docker", "npm"])
def test_the_newest_of_each_minor_series_whatever_the_dates(made: Job, kind: str) -> None:
    """A backport history: patches of old series are younger than new series."""
    history = [
        "1.9.0",
        "2.0.0",
        "1.9.1",
        "2.1.0",
        "1.10.0",
        "2.0.1",
        "1.9.10",
        "1.9.2",
        "2.1.1",
        "1.10.1",
        "2.0.0-rc.9",
    ]
    package = made.package(kind=kind)
    for age, name in enumerate(reversed(history)):
        digest = f"sha256:{age:064x}"
        text, tags = (digest, [name]) if kind == "docker" else (name, [])
        made.world.add_version(package, text, created=100 - 7 * age % 50, tags=tags)
    inputs: dict[str, Any] = {"keep_per": "minor", "order_by": "version", "min_versions_to_keep": 1}
    made.step(package_type=kind, **inputs)
    assert texts(package) == {"1.9.10", "1.10.1", "2.0.1", "2.1.1"}
    assert made.step(package_type=kind, **inputs).number("selected-count") == 0


def test_keep_per_major_and_by_a_group_of_ones_own(made: Job) -> None:
    names = {"1.0.0", "1.5.0", "2.0.0", "2.3.0", "2.10.0", "nightly-b", "nightly-a"}
    package = of_names(made, "npm", names)
    made.step(keep_per="major", order_by="version", min_versions_to_keep=1)
    assert texts(package) == {"1.5.0", "2.10.0", "nightly-b", "nightly-a"}
    ran = made.step(keep_per=r"/^(nightly|\d)/", min_versions_to_keep=1, versions="*, !1*")
    # Of the same age, the one with the higher id is the newer.
    assert texts(package) == {"1.5.0", "2.10.0", "nightly-b"}
    assert ran.number("deleted-count") == 1


def test_what_cannot_be_ordered_stays_and_is_not_counted(made: Job) -> None:
    package = of_names(made, "npm", {"1.0.0", "1.0.1", "1.0.2", "main", "v1"})
    ran = made.step(order_by="version", min_versions_to_keep=1)
    assert texts(package) == {"1.0.2", "main", "v1"}
    assert "cannot be ordered or grouped" in shown(ran)


@pytest.mark.parametrize(
    ("share", "allowed"),
    [("9", True), ("8", False), ("0", False), ("75%", True), ("74.9%", False), ("0%", False), ("100%", True)],
)
def test_a_plan_over_the_guard_fails_before_any_change(made: Job, share: str, allowed: bool) -> None:
    package = made.filled()
    for dry_run in ("true", "false"):
        ran = made.step(
            status=int(not allowed), min_versions_to_keep=3, fail_if_more_than=share, dry_run=dry_run
        )
        assert ("the plan deletes 9 of 12 versions" in ran.log) is not allowed
        # The plan is shown, refused or not.
        assert ("would delete 1.0.1 (id" in ran.log) is (dry_run == "true" or not allowed)
        assert ran.number("selected-count") == 9
        assert ran.number("kept-count") == (3 if allowed and dry_run == "false" else 12)
    if allowed:
        assert texts(package) == numbered(10, 11, 12)
        return
    assert made.changes() == []
    assert len(package.active()) == 12
    assert f"`fail-if-more-than` is {share}" in ran.log
    assert ran.number("deleted-count") == 0
    assert re.search(r"would delete 1\.0\.\d+(, 1\.0\.\d+){8}\b", ran.log)


def test_the_guard_tells_the_first_ten_names(made: Job) -> None:
    made.filled(count=15)
    ran = made.refused(min_versions_to_keep=2, fail_if_more_than=5)
    assert re.search(r"would delete 1\.0\.\d+(, 1\.0\.\d+){9} and 3 more", ran.log)
    assert "If the plan is right, raise" in ran.log


def test_the_guard_counts_images_not_their_parts(made: Job) -> None:
    app = made.package("app", "container")
    images = [
        push_image(
            made.world, app, (f"v{number}",), created=90 - number, platforms=("linux/amd64", "linux/arm64")
        )
        for number in range(4)
    ]
    assert len(app.versions) == 12
    inputs: dict[str, Any] = {"package_type": "container", "package_name": "app", "versions": "v0, v1"}
    ran = made.refused(fail_if_more_than=1, **inputs)
    assert "the plan deletes 2 of 4 images" in ran.log
    assert "It would delete v0, v1%0A" in ran.log or "It would delete v1, v0%0A" in ran.log
    made.refused(fail_if_more_than="49%", **inputs)
    assert made.changes() == []
    made.step(fail_if_more_than="50%", **inputs)
    assert {version.name for version in app.active()} == {*images[2].members, *images[3].members}


def test_the_guard_is_each_packages_own_and_stops_that_one_alone(made: Job) -> None:
    big, small = made.filled("big"), made.filled("small", count=4)
    ran = made.step(status=1, package_name="big, small", min_versions_to_keep=3, fail_if_more_than=5)
    assert len(big.active()) == 12
    assert len(small.active()) == 3
    assert results(ran) == {"big": (0, 0, 12), "small": (1, 0, 3)}


def results(ran: Ran) -> dict[str, tuple[int, int, int]]:
    """Deleted, failed and kept of each package, as the output tells."""
    return {
        one["name"]: (one["deleted-count"], one["failed-count"], one["kept-count"])
        for one in json.loads(ran.outputs["packages"])
    }


def test_each_package_has_its_result_in_outputs_and_summary(made: Job) -> None:
    for name, count in (("a", 5), ("b", 3), ("c", 12)):
        made.filled(name, count=count)
    named(made.world.packages[0], "1.0.1").downloads = 6_000
    made.world.packages[0].visibility = "public"
    ran = made.step(package_name="a, b, c", min_versions_to_keep=3)
    assert results(ran) == {"a": (1, 0, 4), "b": (0, 0, 3), "c": (9, 0, 3)}
    assert [ran.number(f"{name}-count") for name in ("deleted", "kept", "failed", "selected")] == [
        10,
        10,
        0,
        11,
    ]
    page = shown(ran)
    for name in ("a", "c"):
        assert re.search(rf"\b{name} \(npm of octo\)", page)
    assert "1 package unchanged: b" in page
