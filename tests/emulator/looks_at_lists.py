"""Switches of lists, of deleting and of restoring (facts A1, A3 to A6)."""

# ruff: noqa: ARG001 - every look has the same arguments

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emulator.looks import names, said, switch
from emulator.situations import LIB, VERSION

if TYPE_CHECKING:
    from emulator.calling import Caller
    from emulator.situations import Scene

USERS = "/users/acme/packages/npm/lib/versions"


def delete_first(scene: Scene) -> None:
    scene.world.delete_version(scene.lib, scene.lib.versions[5001])


@switch(
    "version_order",
    {"newest": [3, 2, 1], "oldest": [1, 2, 3], "id": [1, 2, 3], "scrambled": [2, 3, 1]},
)
def order_of_versions(scene: Scene, caller: Caller) -> list[int]:
    return [row["id"] - 5000 for row in caller.get(f"{LIB}/versions").json()]


@switch("users_list_honours_paging", {True: (1, True), False: (3, False)})
def paging_under_users(scene: Scene, caller: Caller) -> tuple[int, bool]:
    answer = caller.get(USERS, per_page=1)
    return len(answer.json()), "Link" in answer.headers


@switch("users_list_honours_state", {False: ["1.0.2", "1.0.1"], True: ["1.0.0"]})
def state_under_users(scene: Scene, caller: Caller) -> list[str]:
    delete_first(scene)
    return names(caller.get(USERS, state="deleted").json())


@switch("links_tell_last", {True: {"next", "last"}, False: {"next"}})
def last_link(scene: Scene, caller: Caller) -> set[str]:
    return set(caller.get(f"{LIB}/versions", per_page=1).links)


@switch("numeric_user_links", {False: "/users/octocat/", True: "/user/"})
def links_of_users(scene: Scene, caller: Caller) -> str:
    package = scene.world.add_package("octocat", "npm", "own")
    for number in range(3):
        scene.world.add_version(package, str(number))
    path = "/users/octocat/packages/npm/own/versions"
    assert len(caller.all(path, per_page=1)) == 3
    link = caller.get(path, per_page=1).links["next"]["url"].removeprefix(scene.world.api_url)
    return str(link).partition("packages")[0].rstrip("0123456789/") + "/"


@switch("page_past_the_end", {"empty": (200, []), "404": (404, "Not Found")})
def past_the_end(scene: Scene, caller: Caller) -> tuple[int, Any]:
    answer = caller.get(f"{LIB}/versions", page=2)
    return (200, answer.json()) if answer.ok else said(answer)


@switch("version_lists_capped_at", {None: 200, 10_000: 400})
def cap_of_version_lists(scene: Scene, caller: Caller) -> int:
    return caller.get(f"{LIB}/versions", page=101, per_page=100).status_code


@switch("server_error_above_per_page", {None: (200, 200), 25: (500, 200)})
def large_pages(scene: Scene, caller: Caller) -> tuple[int, ...]:
    return tuple(caller.get(f"{LIB}/versions", per_page=size).status_code for size in (100, 25))


@switch("deleted_stay_listed", {False: 2, True: 3})
def stale_list(scene: Scene, caller: Caller) -> int:
    delete_first(scene)
    assert caller.get(VERSION).status_code == 404
    rows = caller.get(f"{LIB}/versions").json()
    assert not any("deleted_at" in row for row in rows)
    return len(rows)


@switch("version_count_off_by", {0: 3, 2: 5, -5: 0})
def version_count(scene: Scene, caller: Caller) -> Any:
    return caller.get(LIB).json()["version_count"]


@switch("docker_tags_key", {"tag": {"tag": ["v1"]}, "tags": {"tags": ["v1"]}})
def docker_tags(scene: Scene, caller: Caller) -> Any:
    package = scene.world.add_package("acme", "docker", "old")
    scene.world.add_version(package, "0123", tags=["v1"])
    (row,) = caller.get("/orgs/acme/packages/docker/old/versions").json()
    return row["metadata"]["docker"]


@switch("deleted_versions_keep_tags", {True: ["v1"], False: []})
def tags_of_the_deleted(scene: Scene, caller: Caller) -> Any:
    image = scene.container("v1", "v2")
    scene.world.delete_version(image, image.versions[6001])
    (row,) = caller.get("/orgs/acme/packages/container/app/versions", state="deleted").json()
    return row["metadata"]["container"]["tags"]


@switch("restored_versions_get_tags_back", {True: ["v1"], False: []})
def tags_of_the_restored(scene: Scene, caller: Caller) -> list[str]:
    image = scene.container("v1", "v2")
    scene.world.move_tag(image, "moved", image.versions[6001])
    scene.world.delete_version(image, image.versions[6001])
    scene.world.move_tag(image, "moved", image.versions[6002])
    assert caller.restore("/orgs/acme/packages/container/app/versions/6001").status_code == 204
    return image.versions[6001].tags


@switch("expired_stay_listed", {True: ["1.0.0", "0.9"], False: ["1.0.0"]})
def expired_in_the_list(scene: Scene, caller: Caller) -> list[str]:
    delete_first(scene)
    scene.world.add_version(scene.lib, "0.9", created=90, deleted=31)
    return names(caller.get(f"{LIB}/versions", state="deleted").json())


@switch("restore_expired_status", {404: 404, 400: 400, 422: 422})
def restore_too_late(scene: Scene, caller: Caller) -> int:
    scene.world.add_version(scene.lib, "0.9", deleted=31, id=5009)
    return caller.restore(f"{LIB}/versions/5009").status_code


@switch("restore_conflict_status", {409: 409, 400: 400, 404: 404, 422: 422})
def restore_of_a_name_in_use(scene: Scene, caller: Caller) -> int:
    delete_first(scene)
    scene.world.add_version(scene.lib, "1.0.0")
    return caller.restore(VERSION).status_code


@switch("downloads_status", {400: (400, 400), 422: (422, 422)})
def popular(scene: Scene, caller: Caller) -> tuple[int, int]:
    scene.lib.visibility, scene.lib.versions[5001].downloads = "public", 5001
    return caller.delete(VERSION).status_code, caller.delete(LIB).status_code
