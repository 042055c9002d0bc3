"""The embedded GitHub answers what is asked of repositories: pull requests, branches, git tags, releases (facts L)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from emulator.calling import Caller
from emulator.documented import undocumented
from emulator.faults import Fault, Kind
from emulator.server import EmulatedGitHub
from emulator.situations import INSTALLATION, LEGACY, LIB, Scene

if TYPE_CHECKING:
    from emulator.stored_git import StoredRepository

APP = "/repos/acme/app"
LISTS = ("pulls", "branches", "tags", "releases")


class GitScene(Scene):
    """A scene with the repository `acme/app`."""

    def __init__(self, visibility: str = "private") -> None:
        super().__init__()
        self.app: StoredRepository = self.world.add_repository("acme/app", visibility=visibility)


def field(caller: Caller, path: str, name: str, **query: Any) -> list[Any]:
    return [row[name] for row in caller.all(path, **query)]


def test_open_pull_requests_come_newest_first_and_follow_what_happens_to_them() -> None:
    scene = GitScene()
    for age in (5, 4, 3):
        scene.app.open_pull(f"topic-{age}", created=age)
    scene.app.add_issue()
    scene.app.open_pull("fork:fix/login", draft=True)
    scene.app.close_pull(2, merged=True)
    with EmulatedGitHub(scene.world) as github, Caller(github) as caller:
        assert field(caller, f"{APP}/pulls", "number", state="open") == [5, 3, 1]
        assert field(caller, f"{APP}/pulls", "number") == [5, 3, 1]
        assert field(caller, f"{APP}/pulls", "number", state="closed") == [2]
        newest = {"state": "all", "sort": "created", "direction": "desc", "per_page": 1}
        (row,) = caller.get(f"{APP}/pulls", **newest).json()
        assert (row["number"], row["draft"], row["head"]["ref"]) == (5, True, "fix/login")
        scene.app.reopen_pull(2)
        assert field(caller, f"{APP}/pulls", "number", sort="updated", direction="desc")[0] in (2, 5)
        assert caller.get(f"{APP}/pulls", state="merged").status_code == 422
    assert len(undocumented(scene.world.requests)) == 1


def test_branches_and_tags_come_by_name_and_releases_newest_first() -> None:
    scene = GitScene()
    scene.app.add_branch("fix/login")
    scene.app.add_branch("develop", protected=True)
    scene.app.add_tag("v1.0.0")
    scene.app.add_release("v1.1.0", created=9)
    scene.app.add_release("v1.2.0", created=3)
    with EmulatedGitHub(scene.world) as github, Caller(github) as caller:
        assert field(caller, f"{APP}/branches", "name") == ["develop", "fix/login", "main"]
        assert field(caller, f"{APP}/tags", "name") == ["v1.2.0", "v1.1.0", "v1.0.0"]
        assert field(caller, f"{APP}/releases", "tag_name") == ["v1.2.0", "v1.1.0"]
        assert caller.get(f"{APP}/branches", protected="true").json()[0]["name"] == "develop"
        assert caller.get(APP).json()["full_name"] == "acme/app"


@pytest.mark.parametrize("what", LISTS)
def test_lists_come_in_pages_whose_links_name_the_number(what: str) -> None:
    scene = GitScene()
    for number in range(249):
        scene.app.open_pull()
        scene.app.add_branch(f"b{number}")
        scene.app.add_release(f"v{number}")
    scene.app.open_pull()
    scene.app.add_release("v249")
    with EmulatedGitHub(scene.world) as github, Caller(github) as caller:
        first = caller.get(f"{APP}/{what}", per_page=100)
        url = f"{github.api_url}/repositories/{scene.app.id}/{what}?per_page=100&page=%d"
        assert {rel: link["url"] for rel, link in first.links.items()} == {"next": url % 2, "last": url % 3}
        rows = caller.all(f"{APP}/{what}", per_page=100)
        assert len({str(row) for row in rows}) == len(rows) == 250
        assert caller.get(f"{APP}/{what}", page=9, per_page=100).json() == []
    assert not undocumented(scene.world.requests)


@pytest.mark.parametrize(
    ("permissions", "statuses"),
    [
        ({}, [200, 403, 403, 403, 403]),
        ({"contents": "read"}, [200, 403, 200, 200, 200]),
        ({"pull_requests": "read"}, [200, 200, 403, 403, 403]),
        ({"contents": "write", "pull_requests": "write"}, [200] * 5),
    ],
    ids=str,
)
def test_a_job_needs_the_permissions_of_what_it_lists(
    permissions: dict[str, Any], statuses: list[int]
) -> None:
    scene = GitScene()
    token = scene.world.add_token(INSTALLATION, repository="acme/app", **permissions)
    with EmulatedGitHub(scene.world) as github, Caller(github, token.value) as caller:
        answers = [caller.get(f"{APP}/{what}".rstrip("/")) for what in ("", *LISTS)]
    assert [one.status_code for one in answers] == statuses
    refused = [one for one in answers if one.status_code == 403]
    assert {one.json()["message"] for one in refused} <= {"Resource not accessible by integration"}
    assert all(one.headers["X-Accepted-GitHub-Permissions"].endswith("=read") for one in answers)


@pytest.mark.parametrize(
    ("token", "login", "scopes", "private", "public"),
    [
        ("ghp_admin", "octocat", ["repo"], 200, 200),
        ("ghp_packages", "octocat", ["write:packages", "delete:packages"], 404, 200),
        ("gho_admin", "octocat", ["repo"], 200, 200),
        (LEGACY, "octocat", [], 404, 200),
        ("ghp_stranger", "mona", ["repo"], 404, 200),
        ("ghs_elsewhere", None, [], 404, 200),
    ],
)
def test_a_private_repository_is_not_found_by_who_may_not_see_it(
    token: str, login: str | None, scopes: list[str], private: int, public: int
) -> None:
    scene = GitScene()
    scene.world.add_token(token, login, scopes, repository="acme/other" if login is None else None)
    with EmulatedGitHub(scene.world) as github, Caller(github, token) as caller:
        for what in LISTS:
            scene.app.visibility = "private"
            answer = caller.get(f"{APP}/{what}")
            assert (answer.status_code, answer.json() if answer.ok else answer.json()["message"]) == (
                private,
                answer.json() if answer.ok else "Not Found",
            )
            scene.app.visibility = "public"
            assert caller.get(f"{APP}/{what}").status_code == public


def test_drafts_of_releases_are_for_those_who_may_push() -> None:
    scene = GitScene("public")
    scene.app.add_release("v1", created=2)
    scene.app.add_release("v2", draft=True)
    scene.world.add_token(INSTALLATION, repository="acme/app", contents="read")
    scene.world.add_token("ghs_writes", repository="acme/app", contents="write")
    scene.world.add_token("ghp_stranger", "mona", ["repo"])
    scene.world.add_token("ghp_packages", "octocat", ["write:packages"])
    with EmulatedGitHub(scene.world) as github, Caller(github) as caller:
        for token, tags in {
            "ghp_packages": ["v1"],
            scene.token.value: ["v2", "v1"],
            "ghs_writes": ["v2", "v1"],
            INSTALLATION: ["v1"],
            "ghp_stranger": ["v1"],
        }.items():
            caller.become(token)
            assert field(caller, f"{APP}/releases", "tag_name") == tags
    assert "v2" not in scene.app.tags


@pytest.mark.parametrize(
    "path", [f"{APP}/", f"{APP}/pulls/", f"{APP}/issues", "/repos/acme", "/repos/acme//"]
)
def test_other_paths_are_not_found(path: str) -> None:
    scene = GitScene()
    with EmulatedGitHub(scene.world) as github, Caller(github) as caller:
        assert caller.get(path).status_code == 404


def test_a_renamed_repository_is_redirected_to_its_number() -> None:
    scene = GitScene()
    scene.app.open_pull()
    scene.app.rename("server")
    with EmulatedGitHub(scene.world) as github, Caller(github) as caller:
        moved = caller.get(f"{APP}/pulls", state="open")
        assert (moved.status_code, moved.json()["message"]) == (301, "Moved Permanently")
        assert moved.headers["Location"] == f"{github.api_url}/repositories/{scene.app.id}/pulls?state=open"
        assert len(caller.get(moved.headers["Location"]).json()) == 1
        caller.become(scene.world.add_token("ghp_stranger", "mona", ["repo"]).value)
        assert caller.get(f"{APP}/pulls").status_code == 404


def test_a_package_names_the_repository_that_it_is_linked_to_as_it_is_called_now() -> None:
    scene = GitScene()
    scene.lib.repository = "acme/app"
    scene.app.rename("server")
    with EmulatedGitHub(scene.world) as github, Caller(github) as caller:
        linked = caller.get(LIB).json()["repository"]
    assert (linked["full_name"], linked["id"]) == ("acme/server", scene.app.id)


def test_points_limits_and_faults_hold_here_too() -> None:
    scene = GitScene()
    scene.world.faults.add(Fault(Kind.SERVER_ERROR, path="/pulls$"))
    scene.world.owners["acme"].forbids_classic = True
    with EmulatedGitHub(scene.world) as github, Caller(github) as caller:
        assert caller.get(f"{APP}/pulls").status_code == 500
        assert caller.get(f"{APP}/pulls").status_code == 403
        scene.world.owners["acme"].forbids_classic = False
        scene.world.limits.spend(scene.token, 5_000)
        assert "rate limit" in caller.get(f"{APP}/pulls").json()["message"]
        caller.become("ghp_wrong")
        assert caller.get(f"{APP}/pulls").status_code == 401
    assert [one.status for one in scene.world.requests] == [500, 403, 403, 401]
