"""Packages as a whole: deleted when empty, restored by name, missing, many at once."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from emulator import steps
from emulator.faults import Fault, Kind
from emulator.images import push_image
from main_job import TYPES, WORKFLOW, Job, job, numbered, shown, texts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from emulator.messages import Recorded, Request
    from emulator.stored import StoredPackage


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Job]:
    with job(tmp_path) as found:
        yield found


def lists(request: Request | Recorded) -> bool:
    return request.method == "GET" and request.path.endswith("/versions")


def is_gone(package: StoredPackage) -> bool:
    return package.deleted_at is not None


@pytest.mark.parametrize("kind", TYPES)
def test_a_package_whose_every_version_would_go_is_deleted_whole(made: Job, kind: str) -> None:
    package = made.filled(kind=kind)
    dry = made.step(package_type=kind, versions="*", delete_package="when-empty", dry_run="true")
    assert dry.number("selected-count") == 12
    assert not is_gone(package)
    ran = made.step(package_type=kind, versions="*", delete_package="when-empty")
    assert is_gone(package)
    assert [one.path for one in made.changes()] == [f"/orgs/octo/packages/{kind}/lib"]
    assert ran.number("deleted-count") == 12
    assert set(ran.ids("deleted-version-ids")) == set(package.versions)
    back = made.step(package_type=kind, operation="restore", versions="*")
    assert texts(package) == numbered(*range(1, 13))
    assert set(back.ids("restored-version-ids")) == set(package.versions)
    assert [one.path for one in made.changes()][1:] == [f"/orgs/octo/packages/{kind}/lib/restore"]


def test_a_package_of_which_anything_stays_is_not_deleted_whole(made: Job) -> None:
    package = made.filled()
    made.step(versions="*", delete_package="when-empty", exclude_versions="1.0.7")
    assert not is_gone(package)
    assert texts(package) == numbered(7)


def test_what_came_before_the_last_look_keeps_the_package(made: Job) -> None:
    package = made.filled(count=3)
    happened = made.when(lists, lambda: made.world.add_version(package, "2.0.0", created=0), skip=1)
    ran = made.step(versions="1.*", delete_package="when-empty")
    assert happened
    assert not is_gone(package)
    assert texts(package) == {"2.0.0"}
    assert ran.number("deleted-count") == 3
    assert "it is not deleted whole" in ran.log


WAITS = [
    Fault(Kind.SECONDARY, method="DELETE"),
    Fault(Kind.SECONDARY_AFTER, method="DELETE", seconds=45),
    Fault(Kind.TOO_MANY, method="DELETE"),
    Fault(Kind.TOO_MANY_AFTER, method="DELETE", seconds=290),
    Fault(Kind.PRIMARY, method="DELETE", seconds=200),
    Fault(Kind.SERVER_ERROR, method="DELETE"),
    Fault(Kind.BAD_GATEWAY, method="DELETE", times=3),
    Fault(Kind.UNAVAILABLE, method="DELETE"),
    Fault(Kind.DROP, method="DELETE"),
    Fault(Kind.PORTAL, method="DELETE"),
]


def deletes_package(request: Request | Recorded) -> bool:
    return request.method == "DELETE" and request.path.endswith("/lib")


@pytest.mark.parametrize("fault", WAITS, ids=lambda fault: fault.kind.name)
@pytest.mark.parametrize("kind", ["npm", "container"])
def test_each_try_of_a_packages_deletion_has_a_look_of_its_own(made: Job, fault: Fault, kind: str) -> None:
    """What is pushed while a try waits, for a limit or after an error, is never deleted with the package."""
    package = made.package("lib", kind)
    for number in range(3):
        if kind == "npm":
            made.world.add_version(package, f"1.0.{number}", created=90)
        else:
            push_image(made.world, package, [f"1.0.{number}"], created=90)
    old = {version.name for version in package.active()}
    made.world.faults.add(replace(fault))
    pushed: list[str] = []

    def push(request: Request) -> None:
        # The first request after the one that failed: it waited, and whoever pushed meanwhile was done before.
        tried = [one for one in made.world.requests if deletes_package(one)]
        if tried and not request.registry and not pushed and not package.deleted_at:
            pushed.append("2.0.0")
            if kind == "npm":
                made.world.add_version(package, "2.0.0", created=0)
            else:
                push_image(made.world, package, ["2.0.0"], created=0)

    made.world.before_request.append(push)
    made.step(package_type=kind, versions="1.*", delete_package="when-empty")
    assert pushed
    assert not is_gone(package)
    assert {text for version in package.active() for text in version.tags or [version.name]} & {"2.0.0"}
    assert not old & {version.name for version in package.active()}


@pytest.mark.parametrize("fault", WAITS, ids=lambda fault: fault.kind.name)
def test_a_package_whose_deletion_had_to_wait_goes_whole_all_the_same(made: Job, fault: Fault) -> None:
    package = made.filled(count=3)
    made.world.faults.add(replace(fault))
    ran = made.step(versions="*", delete_package="when-empty")
    assert is_gone(package)
    assert ran.number("deleted-count") == 3
    asked = [one for one in made.world.requests if lists(one) or deletes_package(one)]
    tries = [place for place, one in enumerate(asked) if deletes_package(one)]
    assert len(tries) > 1
    assert all(lists(asked[place - 1]) for place in tries)


def test_a_package_that_github_never_deletes_fails_after_some_tries(made: Job) -> None:
    package = made.filled(count=3)
    made.world.faults.add(Fault(Kind.BAD_GATEWAY, method="DELETE", times=None))
    ran = made.step(status=1, versions="*", delete_package="when-empty")
    assert not is_gone(package)
    assert "8 tries, each after a look" in ran.log
    assert len(made.changes()) == 8


def test_what_came_and_would_go_too_still_keeps_the_package(made: Job) -> None:
    """What is not in both lists stays, whatever the filter says of it."""
    package = made.filled(count=3)
    made.when(lists, lambda: made.world.add_version(package, "1.0.4", created=0), skip=1)
    made.step(versions="*", delete_package="when-empty")
    assert not is_gone(package)
    assert texts(package) == numbered(4)


@pytest.mark.parametrize(
    ("when", "skip"), [(lambda request: request.method == "DELETE", 0), (lists, 1)], ids=["deletion", "look"]
)
def test_a_package_that_somebody_deleted_meanwhile_is_no_failure(made: Job, when: Any, skip: int) -> None:
    package = made.filled(count=3)
    made.when(when, lambda: made.world.delete_package(package), skip=skip)
    ran = made.step(versions="*", delete_package="when-empty")
    assert (ran.number("deleted-count"), ran.number("failed-count")) == (0, 0)
    assert "already gone" in ran.log


def test_downloads_keep_a_public_package(made: Job) -> None:
    package = made.filled(visibility="public", count=3)
    next(iter(package.versions.values())).downloads = 6_000
    ran = made.step(versions="*", delete_package="when-empty")
    assert not is_gone(package)
    assert len(package.active()) == 3
    assert ran.number("deleted-count") == 0
    assert "::warning" in ran.log


@pytest.mark.parametrize(
    "inputs",
    [
        {"versions": "1.*"},
        {"versions": "*", "exclude_versions": "2*"},
        {"deleted_within": "30d"},
        {"versions": "*", "deleted_within": "7d"},
        {"versions": "*", "limit": 3},
        {"package_version_ids": "17"},
    ],
    ids=str,
)
def test_a_package_that_is_gone_whole_comes_back_whole_or_not_at_all(made: Job, inputs: Any) -> None:
    package = made.filled()
    made.world.delete_package(package)
    ran = made.refused(operation="restore", **inputs)
    assert "`versions: '*'`" in ran.log
    assert made.changes() == []
    assert made.step(operation="restore", versions="*", dry_run="true").status == 0
    assert is_gone(package)
    made.step(operation="restore", versions="*")
    assert not is_gone(package)


def test_a_report_brings_no_whole_package_back_that_it_does_not_name(made: Job) -> None:
    """A report narrows what the step's own inputs select."""
    other, package = made.filled("other"), made.filled()
    made.step(package_name="other", versions="*", delete_package="when-empty", report_file="report.jsonl")
    made.world.delete_package(package)
    ran = made.step(operation="restore", package_name="other, lib", versions="*", from_report="report.jsonl")
    assert "the report does not mention this package" in ran.log
    assert is_gone(package)
    assert not is_gone(other)


def test_a_report_that_names_a_whole_package_leaves_the_filter_as_it_is(made: Job) -> None:
    package = made.filled()
    made.step(versions="*", delete_package="when-empty", report_file="report.jsonl")
    ran = made.refused(operation="restore", versions="1.*", from_report="report.jsonl")
    assert "`versions: '*'`" in ran.log
    assert is_gone(package)
    made.step(operation="restore", versions="*", from_report="report.jsonl")
    assert not is_gone(package)


def test_if_missing(made: Job) -> None:
    package = made.filled()
    ran = made.step(status=1, package_name="lib, gone", min_versions_to_keep=3)
    assert texts(package) == numbered(10, 11, 12)
    assert "octo/gone (npm)" in ran.log
    assert "`package-name`" in ran.log
    assert "::error" in ran.log
    again = made.step(package_name="lib, gone", min_versions_to_keep=2, if_missing="ignore")
    assert texts(package) == numbered(11, 12)
    assert "::warning" in again.log
    assert "::error" not in again.log
    assert [one["name"] for one in json.loads(again.outputs["packages"])] == ["gone", "lib"]


def test_if_missing_ignores_no_other_trouble(made: Job) -> None:
    made.filled()
    made.world.faults.add(Fault(Kind.SERVER_ERROR, path="/lib$", times=None))
    made.refused(min_versions_to_keep=3, if_missing="ignore")


def test_wildcards_reach_what_is_linked_to_the_repository_and_no_ghosts(made: Job) -> None:
    linked = [made.filled(f"app-{name}", count=4) for name in ("one", "two")]
    legacy = made.filled("app-legacy", count=4)
    elsewhere = made.filled("app-elsewhere", count=4, repository="octo/other")
    unlinked = made.filled("app-unlinked", count=4, repository=None)
    ghost = made.world.add_ghost("octo", "npm", "app-three")
    plain = made.filled("plain", count=4, repository="octo/other")
    inputs: dict[str, Any] = {
        "package_name": "app-*, !app-legacy, plain, deleted_*",
        "min_versions_to_keep": 3,
    }
    ran = made.step(**inputs)
    assert [len(one.active()) for one in (*linked, plain)] == [3, 3, 3]
    assert [len(one.active()) for one in (legacy, elsewhere, unlinked)] == [4, 4, 4]
    assert not any(ghost.name in path for path in made.asked())
    assert [one["name"] for one in json.loads(ran.outputs["packages"])] == ["app-one", "app-two", "plain"]
    # The list is asked for once, and spares each package's own row.
    assert sum(path.endswith("/packages") for path in made.asked()) == 1
    made.step(**inputs, repository="any")
    assert [len(one.active()) for one in (legacy, elsewhere, unlinked)] == [4, 3, 3]
    made.step(**{**inputs, "min_versions_to_keep": 2}, repository="OCTO/Other")
    assert [len(one.active()) for one in (*linked, elsewhere)] == [3, 3, 2]


def test_a_wildcard_that_reaches_nothing_is_told(made: Job) -> None:
    made.filled(repository="octo/other")
    ran = made.step(package_name="li*, !lib-x", min_versions_to_keep=3)
    assert ran.number("selected-count") == 0
    (warning,) = (line for line in ran.log.splitlines() if line.startswith("::warning"))
    assert "li*, !lib-x reached no npm package of octo that is linked to octo/app" in warning
    assert "`repository: any`" in warning
    assert "reached no npm package" in shown(ran)
    ran = made.step(package_name="other*", repository="any", min_versions_to_keep=3)
    assert "reached no npm package of octo" in ran.log
    assert "linked" not in ran.log
    assert "reached no" not in made.step(package_name="li*", repository="any", versions="1.0.1").log


def test_one_packages_failure_does_not_stop_the_others(made: Job) -> None:
    packages = [made.filled(f"app-{number}", count=5) for number in range(4)]
    packages[1].roles["octocat"] = "write"
    made.world.faults.add(Fault(Kind.SERVER_ERROR, path="/app-2/versions$", times=None))
    ran = made.step(status=1, package_name="app-*", min_versions_to_keep=3)
    assert [len(one.active()) for one in packages] == [3, 5, 5, 3]
    assert ran.number("deleted-count") == 4
    for name in ("octo/app-1 (npm)", "octo/app-2 (npm)"):
        assert name in ran.log
    found = {one["name"]: one["deleted-count"] for one in json.loads(ran.outputs["packages"])}
    assert found == {"app-0": 2, "app-1": 0, "app-2": 0, "app-3": 2}


def test_a_workflow_token_with_a_wildcard_on_containers_is_told(made: Job) -> None:
    made.world.add_token(WORKFLOW, repository="octo/app")
    made.package("app-one", "container")
    ran = made.refused(token=WORKFLOW, package_type="container", package_name="app-*", older_than="30d")
    assert "without wildcards" in ran.log
    assert "Invalid argument." in ran.log
    assert not any(path == "GET /user" for path in made.asked())
    # Other types may be listed, and a plain name needs no list.
    lib = made.filled("lib", count=4)
    made.step(token=WORKFLOW, package_name="li*", min_versions_to_keep=3)
    assert len(lib.active()) == 3
    made.step(token=steps.TOKEN, package_name="lib", min_versions_to_keep=2)
    assert len(lib.active()) == 2
