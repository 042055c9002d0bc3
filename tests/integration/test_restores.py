"""Restores end to end: by every filter, by id where GitHub lists nothing, and what had better stay deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from main_job import TYPES, Job, job, named, numbered, shown, texts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from emulator.stored import StoredPackage

OWNERS = {"octo": "/orgs/octo/", "octocat": "/user/"}


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Job]:
    with job(tmp_path) as found:
        yield found


@pytest.fixture
def lib(made: Job) -> StoredPackage:
    """A package of three versions, and deleted ones of several ages and kinds."""
    package = made.filled(count=3)
    for name, days in (("2.0.0", 1), ("2.1.0-rc.1", 5), ("2.1.0", 10), ("nightly", 20), ("1.9.0", 29)):
        made.world.add_version(package, name, created=40, deleted=days)
    made.world.add_version(package, "0.9.0", created=90, deleted=31)
    return package


def back(package: StoredPackage) -> set[str]:
    return texts(package) - numbered(1, 2, 3)


@pytest.mark.parametrize("owner", OWNERS)
@pytest.mark.parametrize("kind", TYPES)
def test_what_was_deleted_comes_back(made: Job, kind: str, owner: str) -> None:
    made.owner = owner
    package = made.filled(kind=kind)
    before = made.world.snapshot()
    gone = made.step(package_type=kind, min_versions_to_keep=3).ids("deleted-version-ids")
    dry = made.step(package_type=kind, operation="restore", versions="*", dry_run="true")
    assert dry.number("selected-count") == 9
    assert len(package.active()) == 3
    ran = made.step(package_type=kind, operation="restore", versions="*")
    assert made.world.snapshot() == before
    assert set(ran.ids("restored-version-ids")) == set(gone)
    counts = ("restored-count", "deleted-count", "failed-count", "kept-count")
    assert [ran.number(name) for name in counts] == [9, 0, 0, 0]
    restores = [one.path for one in made.changes() if one.method == "POST"]
    base = f"{OWNERS[owner]}packages/{kind}/lib/versions/"
    assert sorted(restores) == sorted(f"{base}{number}/restore" for number in gone)
    assert made.step(package_type=kind, operation="restore", versions="*").number("selected-count") == 0


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({"versions": "2.*"}, {"2.0.0", "2.1.0-rc.1", "2.1.0"}),
        ({"versions": "/^2/, !*-rc*"}, {"2.0.0", "2.1.0"}),
        ({"versions": "*", "exclude_versions": "2*"}, {"nightly", "1.9.0"}),
        ({"deleted_within": "7d"}, {"2.0.0", "2.1.0-rc.1"}),
        ({"deleted_within": "36h"}, {"2.0.0"}),
        ({"deleted_within": "30d", "versions": "1*"}, {"1.9.0"}),
        ({"version_range": ">=2.0.0 <3"}, {"2.0.0", "2.1.0"}),
        ({"version_range": ">=2.1.0-a"}, {"2.1.0-rc.1", "2.1.0"}),
        ({"release_status": "pre-release"}, {"2.1.0-rc.1"}),
        ({"release_status": "release"}, {"2.0.0", "2.1.0", "1.9.0"}),
        ({"versions": "*", "limit": 2}, {"2.0.0", "2.1.0-rc.1"}),
        ({"versions": "0.9.0"}, set()),
    ],
    ids=lambda value: (
        ",".join(sorted(map(str, value.items() if isinstance(value, dict) else value))) or "none"
    ),
)
def test_filters(made: Job, lib: StoredPackage, inputs: dict[str, Any], expected: set[str]) -> None:
    ran = made.step(operation="restore", **inputs)
    assert back(lib) == expected
    assert ran.number("restored-count") == len(expected)


def test_ids(made: Job, lib: StoredPackage) -> None:
    wanted = [named(lib, "nightly").id, named(lib, "2.0.0").id]
    there = named(lib, "1.0.1").id
    ran = made.step(operation="restore", package_version_ids=f"{wanted[0]},{wanted[1]},{there},4242")
    assert back(lib) == {"nightly", "2.0.0"}
    assert set(ran.ids("restored-version-ids")) == set(wanted)
    assert f"version {there} is not deleted" in ran.log
    assert "version 4242 is not among the deleted versions" in ran.log


def test_what_is_past_its_30_days_is_told(made: Job, lib: StoredPackage) -> None:
    ran = made.step(operation="restore", versions="0.9.0")
    assert back(lib) == set()
    assert "more than 30 days ago" in shown(ran)
    assert made.changes() == []


def test_a_name_that_is_in_use_again_stays_deleted(made: Job, lib: StoredPackage) -> None:
    made.world.add_version(lib, "2.0.0", created=0)
    ran = made.step(operation="restore", versions="2.0.0, 2.1.0")
    assert ran.ids("restored-version-ids") == [named(lib, "2.1.0").id]
    assert "in use again" in shown(ran)
    assert ran.number("failed-count") == 0


def test_a_tag_that_moved_on_keeps_its_docker_image_deleted_unless_its_id_is_given(made: Job) -> None:
    package = made.filled(kind="docker", count=2)
    old = made.world.add_version(package, f"sha256:{77:064x}", created=90, tags=["stable"], deleted=3)
    made.world.move_tag(package, "stable", named(package, "1.0.2"))
    ran = made.step(operation="restore", package_type="docker", versions="stable")
    assert ran.number("restored-count") == 0
    assert "its tag is on another version now" in shown(ran)
    made.step(operation="restore", package_type="docker", package_version_ids=old.id)
    assert old.deleted_at is None
    assert old.tags == []


@pytest.mark.parametrize("honours", [False, True])
def test_another_users_deleted_versions_come_back_by_id(made: Job, honours: bool) -> None:
    made.world.switches.users_list_honours_state = honours
    made.owner = "hubot"
    package = made.filled(roles={"octocat": "admin"})
    gone = made.step(min_versions_to_keep=9).ids("deleted-version-ids")
    if honours:
        made.step(operation="restore", versions="1.0.1")
        assert texts(package) == numbered(1, *range(4, 13))
    else:
        ran = made.refused(operation="restore", versions="1.0.1")
        for word in ("documents no list", "`package-version-ids`", "report", "token of the owner"):
            assert word in ran.log
    made.step(operation="restore", package_version_ids=",".join(map(str, gone[1:])))
    assert texts(package) >= numbered(2, 3)
    assert made.asked()[-1].startswith("POST /users/hubot/packages/npm/lib/versions/")


def test_what_somebody_else_restored_meanwhile_is_no_failure(made: Job, lib: StoredPackage) -> None:
    wanted = named(lib, "2.0.0")
    made.when(lambda request: request.method == "POST", lambda: made.world.restore_version(lib, wanted))
    ran = made.step(operation="restore", versions="2.0.0")
    assert (ran.number("restored-count"), ran.number("failed-count")) == (0, 0)
    assert "there already" in ran.log


@pytest.mark.parametrize("status", [404, 400, 409, 422])
def test_a_refused_restore_is_a_failure_and_the_rest_goes_on(
    made: Job, lib: StoredPackage, status: int
) -> None:
    made.world.switches.restore_conflict_status = status  # type: ignore[assignment]
    made.when(
        lambda request: request.method == "POST",
        lambda: made.world.add_version(lib, "2.0.0", created=0),
    )
    ran = made.step(status=1, operation="restore", deleted_within="7d")
    assert back(lib) == {"2.0.0", "2.1.0-rc.1"}
    assert (ran.number("restored-count"), ran.number("failed-count")) == (1, 1)
    assert "only while no new package or version uses the name" in ran.log
