"""The main job end to end: every type but container, every kind of owner, base path and output."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from emulator import steps
from emulator.server import EmulatedGitHub
from emulator.world import World
from main_job import TYPES, Job, fill, job, named, numbered, texts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OWNERS = {"octo": "/orgs/octo/", "octocat": "/user/", "hubot": "/users/hubot/"}
EXPECTED = {
    "selected-count": "9",
    "deleted-count": "9",
    "restored-count": "0",
    "untagged-count": "0",
    "failed-count": "0",
    "kept-count": "3",
    "restored-version-ids": "[]",
    "failed-version-ids": "[]",
    "complete": "true",
    "dry-run": "false",
    "report-file": "",
}


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Job]:
    with job(tmp_path) as found:
        yield found


def assert_newest_three(ran: steps.Ran, found: dict[int, str], left: set[str], name: str = "lib") -> None:
    """The outputs say what happened, by id and count; `found` is what was there before, by id."""
    assert left == numbered(10, 11, 12)
    deleted = {number for number, text in found.items() if text not in left}
    assert {key: ran.outputs[key] for key in EXPECTED} == EXPECTED
    assert set(ran.ids("deleted-version-ids")) == set(ran.ids("selected-version-ids")) == deleted
    counts = {key: int(value) for key, value in EXPECTED.items() if key.endswith("-count")}
    assert json.loads(ran.outputs["packages"]) == [{"name": name, **counts}]
    assert "Deleted 9 of 12 versions" in ran.summary


@pytest.mark.parametrize(("owner", "base"), OWNERS.items())
@pytest.mark.parametrize("kind", TYPES)
def test_keeping_the_newest_3_of_12_leaves_exactly_these(made: Job, kind: str, owner: str, base: str) -> None:
    made.owner = owner
    package = made.filled(kind=kind, roles={"octocat": "admin"})
    other = made.filled("other", kind=kind, roles={"octocat": "admin"})
    there = {one.id: text for one in package.active() for text in one.tags or [one.name]}
    ran = made.step(package_type=kind, min_versions_to_keep=3)
    assert_newest_three(ran, there, texts(package))
    assert len(other.active()) == 12
    assert all(one.path.startswith(f"{base}packages/{kind}/lib/versions/") for one in made.changes())
    reads = [one.path for one in made.world.requests if one.method == "GET"]
    assert all(path.startswith((base, "/organizations/", "/users/", "/user")) for path in reads)
    assert f"{base}packages/{kind}/lib/versions" in reads
    # Oldest first, and the first of all alone: the second is asked for when the first is done.
    assert made.changes()[0].path.endswith(f"/{named(package, '1.0.1').id}")
    again = made.step(package_type=kind, min_versions_to_keep=3)
    assert (again.number("selected-count"), again.number("kept-count")) == (0, 3)
    assert len(made.changes()) == 9


@pytest.mark.parametrize(
    ("kind", "owner"), [*zip(TYPES, ["octo", "octocat", "hubot", "octo", "octocat"], strict=True)]
)
def test_the_same_as_the_real_process(tmp_path: Path, kind: str, owner: str) -> None:
    world = World()
    world.add_org("octo")
    world.add_user("hubot")
    world.add_token(steps.TOKEN)
    package = world.add_package(owner, kind, "lib", roles={"octocat": "admin"})
    fill(world, package, range(1, 13))
    there = {one.id: text for one in package.active() for text in one.tags or [one.name]}
    with EmulatedGitHub(world) as github:
        inputs: dict[str, Any] = {"package_type": kind, "package_name": "lib", "min_versions_to_keep": 3}
        dry = steps.run_process(github, tmp_path, owner=owner, dry_run="true", **inputs)
        assert (dry.status, dry.number("selected-count"), dry.outputs["dry-run"]) == (0, 9, "true"), dry.log
        assert len(package.active()) == 12
        ran = steps.run_process(github, tmp_path, owner=owner, **inputs)
    assert ran.status == 0, ran.log
    assert ran.ids("deleted-version-ids") == dry.ids("selected-version-ids")
    assert_newest_three(ran, there, texts(package))


@pytest.mark.parametrize("owner", OWNERS)
def test_250_versions_are_3_list_requests_and_at_most_6_reads_before_the_first_change(
    made: Job, owner: str
) -> None:
    made.owner = owner
    package = made.filled(count=250, roles={"octocat": "admin"})
    made.step(min_versions_to_keep=10)
    assert texts(package) == numbered(*range(241, 251))
    methods = [one.method for one in made.world.requests]
    before = made.world.requests[: methods.index("DELETE")]
    assert len(before) <= 6
    lists = [one for one in before if one.path.endswith("/versions")]
    assert [one.query["per_page"] for one in lists] == ["100"] * 3
    assert methods.count("GET") == len(before)


@pytest.mark.parametrize(
    "name", ["scope/lib", "a/b/c", "Lib_X.y-Z", "@octo/lib", "com.example.Thing", "ü-lib"]
)
def test_names_with_slashes_upper_case_and_strange_letters(made: Job, name: str) -> None:
    package = made.filled(name)
    made.step(package_name=name, min_versions_to_keep=3)
    assert texts(package) == numbered(10, 11, 12)


def test_names_of_docker_images_are_lower_case(made: Job) -> None:
    package = made.filled("app/web", "docker")
    made.step(package_type="DOCKER", package_name="App/Web", versions="1.0.1")
    assert texts(package) == numbered(*range(2, 13))


def test_an_owner_is_found_whatever_the_case_of_its_letters(made: Job) -> None:
    package = made.filled()
    made.step(owner="OCTO", versions="1.0.1")
    assert texts(package) == numbered(*range(2, 13))


def test_docker_base_layers_and_untagged_images_are_never_touched(made: Job) -> None:
    package = made.filled(kind="docker", count=3)
    base = made.world.add_version(package, "docker-base-layer", created=300, tags=["docker-base-layer"])
    loose = made.world.add_version(package, f"sha256:{99:064x}", created=300)
    ids = f"{base.id},{loose.id}"
    filters: tuple[dict[str, Any], ...] = (
        {"versions": "*"},
        {"older_than": "1d"},
        {"tag_status": "untagged"},
        {"package_version_ids": ids},
    )
    for inputs in filters:
        made.step(package_type="docker", **inputs)
        assert {base.id, loose.id} <= {one.id for one in package.active()}


def test_an_enterprise_server_below_its_own_path(tmp_path: Path) -> None:
    with job(tmp_path, ghes=True) as made:
        package = made.filled("scope/lib")
        assert made.github.api_url.endswith("/api/v3")
        ran = made.step(package_name="scope/lib", min_versions_to_keep=3)
        assert texts(package) == numbered(10, 11, 12)
        assert ran.number("deleted-count") == 9
        assert (
            made.step(operation="restore", package_name="scope/lib", versions="*").number("restored-count")
            == 9
        )


def test_ghe_com_has_its_own_hosts(made: Job) -> None:
    made.variables = {"GITHUB_SERVER_URL": "https://octo.ghe.com"}
    package = made.filled()
    # npm has permissions of its own there, as on github.com: `repo` is not surely needed.
    made.world.tokens[steps.TOKEN].scopes = frozenset({"read:packages", "delete:packages"})
    ran = made.step(min_versions_to_keep=3)
    assert texts(package) == numbered(10, 11, 12)
    assert "::warning::" in ran.log


def test_the_words_of_the_other_action(made: Job) -> None:
    package = made.filled()
    for number, name in enumerate(("2.0.0-beta.1", "2.0.0-beta.2")):
        made.world.add_version(package, name, created=5 - number)
    made.step(num_old_versions_to_delete=2, min_versions_to_keep=-1)
    assert texts(package) >= numbered(*range(3, 13))
    made.step(min_versions_to_keep=1, delete_only_pre_release_versions="true")
    assert texts(package) == numbered(*range(3, 13)) | {"2.0.0-beta.2"}
    made.step(min_versions_to_keep=0, ignore_versions=r"^1\.0\.\d$")
    assert len(texts(package)) == 10
    assert texts(package) >= numbered(*range(3, 10))
