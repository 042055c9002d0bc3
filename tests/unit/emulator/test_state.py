"""The embedded GitHub keeps state: what is deleted moves, what is restored moves back, lists come in pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from emulator.calling import Caller
from emulator.documented import undocumented
from emulator.server import EmulatedGitHub
from emulator.situations import INSTALLATION, LIB, VERSION, Scene
from emulator.world import World

if TYPE_CHECKING:
    from emulator.messages import Request

BASES = ("/orgs/acme", "/users/acme")
TYPES = ("container", "docker", "maven", "npm", "nuget", "rubygems")


def test_a_deleted_version_moves_and_a_restored_one_moves_back() -> None:
    scene = Scene()
    scene.world.switches.users_list_honours_state = True
    before = scene.world.snapshot()
    with EmulatedGitHub(scene.world) as github, Caller(github) as caller:
        assert caller.delete(VERSION).status_code == 204
        assert len(caller.get(f"{LIB}/versions").json()) == 2
        for base in BASES:
            (row,) = caller.get(f"{base}/packages/npm/lib/versions", state="deleted").json()
            assert (row["id"], row["deleted_at"]) == (5001, "2026-11-01T12:00:00Z")
        assert caller.restore(VERSION).status_code == 204
        assert scene.world.snapshot() == before
        assert not undocumented(scene.world.requests)


def test_a_deleted_package_comes_back_with_the_versions_it_had() -> None:
    scene = Scene()
    with EmulatedGitHub(scene.world) as github, Caller(github) as caller:
        caller.delete(VERSION)
        before = scene.world.snapshot()
        assert caller.delete(LIB).status_code == 204
        assert [caller.get(path).status_code for path in (LIB, f"{LIB}/versions", VERSION)] == [404] * 3
        assert caller.get("/orgs/acme/packages", package_type="npm").json() == []
        assert caller.restore(LIB).status_code == 204
        assert scene.world.snapshot() == before


@pytest.mark.parametrize("package_type", TYPES)
@pytest.mark.parametrize("owner", ["acme", "octocat"])
def test_every_operation_under_every_base(package_type: str, owner: str) -> None:
    bases = ["/orgs/acme", "/users/acme"] if owner == "acme" else ["/user", "/users/octocat"]
    scene = Scene()
    package = scene.world.add_package(owner, package_type, "a/b")
    first, second, _ = (
        scene.world.add_version(package, f"sha256:{number:064x}", tags=[f"t{number}"]) for number in range(3)
    )
    with EmulatedGitHub(scene.world) as github, Caller(github) as caller:
        for base in bases:
            path = f"{base}/packages/{package_type}/a%2Fb"
            version = f"{path}/versions/{first.id}"
            assert caller.get(f"{base}/docker/conflicts").json() == []
            listed = caller.get(f"{base}/packages", package_type=package_type, visibility="private").json()
            assert "a/b" in [row["name"] for row in listed]
            assert caller.get(path).json()["version_count"] == 3
            assert len(caller.get(f"{path}/versions").json()) == 3
            assert caller.get(version).json()["name"] == first.name
            assert caller.delete(version).status_code == 204
            assert caller.restore(version).status_code == 204
            assert caller.delete(path).status_code == 204
            assert caller.restore(path).status_code == 204
        assert not undocumented(scene.world.requests)
    assert [first.deleted_at, second.deleted_at] == [None, None]


def test_links_of_an_organization_take_the_numeric_form_and_are_answered() -> None:
    scene = Scene()
    for number in range(250):
        scene.world.add_version(scene.lib, f"2.0.{number}", created=number / 10)
    number = scene.world.owners["acme"].id
    with EmulatedGitHub(scene.world) as github, Caller(github) as caller:
        links = caller.get(f"{LIB}/versions", per_page=100, page=2, state="active").links
        url = f"{github.api_url}/organizations/{number}/packages/npm/lib/versions?per_page=100&page=%d&state=active"
        assert {rel: link["url"] for rel, link in links.items()} == {
            "prev": url % 1,
            "next": url % 3,
            "last": url % 3,
            "first": url % 1,
        }
        rows = caller.all(f"{LIB}/versions", per_page=100)
        assert len({row["id"] for row in rows}) == len(rows) == 253
        assert rows == sorted(rows, key=lambda row: (row["created_at"], row["id"]), reverse=True)
        assert list(caller.get(f"{LIB}/versions", per_page=100, page=3).links) == ["prev", "first"]
        assert len(caller.get(f"{LIB}/versions", per_page=500).json()) == 100
        assert len(caller.get(f"{LIB}/versions").json()) == 30
        assert not [said for said in undocumented(scene.world.requests) if "per_page=500" not in said]
        assert len(undocumented(scene.world.requests)) == 1


def test_package_lists_have_pages_filters_and_ghosts() -> None:
    scene = Scene()
    for number in range(120):
        scene.world.add_package(
            "acme", "npm", f"p{number}", visibility="public" if number < 10 else "internal"
        )
    ghost = scene.world.add_ghost("acme", "npm", "gone")
    with EmulatedGitHub(scene.world) as github, Caller(github) as caller:
        rows = caller.all("/orgs/acme/packages", package_type="npm", per_page=100)
        assert len(rows) == 122
        assert rows[-1]["name"] == ghost.name
        assert ghost.name.startswith("deleted_")
        public = caller.get("/orgs/acme/packages", package_type="npm", visibility="public").json()
        assert [row["name"] for row in public] == [f"p{number}" for number in range(10)]
        assert rows[0]["repository"]["full_name"] == "acme/lib"
        assert "repository" not in rows[1]


def test_a_deletion_by_somebody_else_shifts_the_pages() -> None:
    scene = Scene()

    def delete_newest(request: Request) -> None:
        if request.query.get("page") == "2":
            scene.world.delete_version(scene.lib, scene.lib.versions[5003])

    scene.world.before_request.append(delete_newest)
    with EmulatedGitHub(scene.world) as github, Caller(github) as caller:
        assert [row["id"] for row in caller.all(f"{LIB}/versions", per_page=1)] == [5003, 5001]


def test_lists_follow_whatever_changes_in_a_version() -> None:
    scene = Scene()
    with EmulatedGitHub(scene.world) as github, Caller(github) as caller:

        def listed() -> list[str]:
            return [row["name"] for row in caller.get(f"{LIB}/versions").json()]

        assert listed() == ["1.0.2", "1.0.1", "1.0.0"]
        scene.lib.versions[5001].created_at = scene.clock.now()
        assert listed() == ["1.0.0", "1.0.2", "1.0.1"]
        scene.lib.versions[5001].name = "other"
        scene.lib.versions[5002].unlisted = True
        assert listed() == ["other", "1.0.2"]
        assert caller.get(f"{LIB}/versions/5002").status_code == 200


def test_conflicts_are_docker_packages_that_a_container_package_has_replaced() -> None:
    scene = Scene()
    scene.container("v1")
    for name in ("app", "alone"):
        scene.world.add_package("acme", "docker", name)
    with EmulatedGitHub(scene.world) as github, Caller(github) as caller:
        (row,) = caller.get("/orgs/acme/docker/conflicts").json()
        assert (row["name"], row["package_type"]) == ("app", "docker")


def test_a_pushed_tag_leaves_the_version_that_had_it() -> None:
    scene = Scene()
    image = scene.container("latest", "old")
    pushed = scene.world.push(image, b"{}", "application/vnd.oci.image.manifest.v1+json", ["latest"])
    assert image.versions[6001].tags == []
    assert pushed.tags == ["latest"]
    assert image.by_tag("latest") is pushed
    assert scene.world.push(image, b"{}", "", ["again"]) is pushed
    assert pushed.tags == ["latest", "again"]


def test_an_installation_sees_what_its_repository_may_see() -> None:
    scene = Scene()
    scene.world.add_package("acme", "npm", "hidden")
    scene.world.add_package("acme", "npm", "open", visibility="public")
    token = scene.world.add_token(INSTALLATION, repository="acme/lib")
    with EmulatedGitHub(scene.world) as github, Caller(github, token.value) as caller:
        rows = caller.get("/orgs/acme/packages", package_type="npm").json()
        assert [row["name"] for row in rows] == ["lib", "open"]
        assert caller.delete(VERSION).status_code == 204


def test_who_is_asked_for_and_what_is_left_of_the_hour() -> None:
    scene = Scene()
    with EmulatedGitHub(scene.world) as github, Caller(github) as caller:
        assert caller.get("/user").json()["login"] == "octocat"
        kinds = [caller.get(f"/users/{login}").json()["type"] for login in ("ACME", "octocat")]
        assert kinds == ["Organization", "User"]
        core = caller.get("/rate_limit").json()["resources"]["core"]
        assert (core["limit"], core["remaining"], core["used"]) == (5000, 4997, 3)


def test_an_enterprise_server_has_a_prefix_and_no_limits() -> None:
    world = World(ghes=True)
    world.add_org("acme")
    world.add_token(scopes=["read:packages"])
    world.switches.points_per_minute = 0
    for package_type in ("npm", "container"):
        world.add_package("acme", package_type, "lib")
    with EmulatedGitHub(world) as github, Caller(github) as caller:
        assert github.api_url == f"{github.server_url}/api/v3"
        answer = caller.get("/orgs/acme/packages/container/lib")
        assert answer.status_code == 200
        assert not [name for name in answer.headers if name.lower().startswith("x-ratelimit")]
        assert caller.get("/orgs/acme/packages/npm/lib").status_code == 404  # there npm needs `repo`, too
        assert caller.get(f"{github.server_url}/users/acme").status_code == 404
        headers = {"X-GitHub-Api-Version": "2026-03-10"}
        assert caller.call("GET", "/user", headers).status_code == 400
        assert [one.path for one in world.requests][:1] == ["/orgs/acme/packages/container/lib"]
        assert not undocumented(world.requests[:2])


def test_requests_are_recorded() -> None:
    scene = Scene()
    with EmulatedGitHub(scene.world) as github, Caller(github) as caller:
        caller.get(f"{LIB}/versions", page=1)
        caller.delete(VERSION)
    first, second = scene.world.requests
    assert (first.number, first.method, first.path, dict(first.query)) == (
        1,
        "GET",
        f"{LIB}/versions",
        {"page": "1"},
    )
    assert (second.number, second.status, second.points, second.token_kind) == (2, 204, 5, "classic")
    assert scene.world.registry_requests == []


@pytest.mark.parametrize(
    ("method", "path", "query", "why"),
    [
        ("GET", "/orgs/acme/packages", {}, "package_type is missing"),
        ("GET", "/orgs/acme/packages", {"package_type": "conda"}, "package_type=conda is not allowed"),
        ("GET", f"{LIB}/versions", {"per_page": "101"}, "per_page=101 is not allowed"),
        ("GET", f"{LIB}/versions", {"sort": "name"}, "sort is no parameter"),
        ("GET", f"{VERSION}/x", {}, "no such operation"),
        ("GET", "/orgs/acme/packages/npm/a@b", {}, "no such operation"),
        ("GET", "/orgs/acme/packages/npm/lib/versions/1.0.0", {}, "no such operation"),
        ("PUT", LIB, {}, "no such operation"),
    ],
)
def test_what_github_does_not_document_is_told(
    method: str, path: str, query: dict[str, str], why: str
) -> None:
    scene = Scene()
    with EmulatedGitHub(scene.world) as github, Caller(github) as caller:
        caller.call(method, path, None, **query)
    (said,) = undocumented(scene.world.requests)
    assert said == f"{method} {path}: {why}"
