"""The embedded GitHub says each refusal of part J of the facts, with its status, over real HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from emulator import situations_of_objects, situations_of_repositories, situations_of_tokens
from emulator.calling import Caller
from emulator.refusals import SAID
from emulator.server import EmulatedGitHub
from emulator.situations import CLASSIC, INSTALLATION, LEGACY, LIB, SITUATIONS, STATELESS, VERSION, Scene

if TYPE_CHECKING:
    import requests

# Importing them fills the table.
assert situations_of_objects
assert situations_of_repositories
assert situations_of_tokens


def ask(github: EmulatedGitHub, method: str, path: str, token: str = CLASSIC) -> requests.Response:
    with Caller(github, token) as caller:
        return caller.call(method, path, {"X-GitHub-Api-Version": "2022-11-28"})


@pytest.mark.parametrize("name", SITUATIONS)
def test_a_refusal_has_its_status_and_text_and_changes_nothing(name: str) -> None:
    scene = Scene()
    world = scene.world
    said = SAID[name.partition(" ")[0]]
    asked = SITUATIONS[name](scene)
    before = world.snapshot()
    with EmulatedGitHub(world) as github:
        answer = ask(github, asked.method, asked.path, asked.token)
    assert answer.status_code == said.status
    body = answer.json()
    start, _, end = said.message.partition("{}")
    assert body["message"].startswith(start)
    assert body["message"].endswith(end)
    assert "{}" not in body["message"]
    assert body.get("status", str(said.status)) == str(said.status)
    assert world.snapshot() == before


def test_every_text_has_a_situation() -> None:
    assert {name.partition(" ")[0] for name in SITUATIONS} == set(SAID)


def test_get_works_where_a_delete_is_not_found() -> None:
    scene = Scene()
    world, package = scene.world, scene.lib
    package.roles["octocat"] = "read"
    with EmulatedGitHub(world) as github:
        assert ask(github, "GET", VERSION).status_code == 200
        assert ask(github, "DELETE", VERSION).json()["message"] == "Package not found."


def test_the_url_that_authorises_for_sso_comes_along() -> None:
    scene = Scene()
    world = scene.world
    world.owners["acme"].sso = True
    with EmulatedGitHub(world) as github:
        told = ask(github, "GET", LIB).headers["X-GitHub-SSO"]
        assert told.startswith(f"required; url={github.server_url}/orgs/acme/sso?authorization_request=")
        scene.token.sso_authorized = frozenset({"acme"})
        assert ask(github, "GET", LIB).status_code == 200


def test_several_bad_tries_block_good_tokens_too() -> None:
    scene = Scene()
    world = scene.world
    with EmulatedGitHub(world) as github:
        statuses = [ask(github, "GET", LIB, "ghp_wrong").status_code for _ in range(6)]
        assert statuses == [401] * 5 + [403]
        assert ask(github, "GET", LIB).status_code == 403


@pytest.mark.parametrize("visibility", ["private", "internal"])
def test_downloads_count_on_public_packages_alone(visibility: str) -> None:
    scene = Scene()
    world, package = scene.world, scene.lib
    package.visibility, package.versions[5001].downloads = visibility, 1_000_000
    with EmulatedGitHub(world) as github:
        assert ask(github, "DELETE", VERSION).status_code == 204
        assert ask(github, "DELETE", LIB).status_code == 204


def test_5000_downloads_are_not_too_many() -> None:
    scene = Scene()
    world, package = scene.world, scene.lib
    package.visibility, package.versions[5001].downloads = "public", 5_000
    with EmulatedGitHub(world) as github:
        assert ask(github, "DELETE", VERSION).status_code == 204


@pytest.mark.parametrize(
    ("token", "scopes"),
    [
        ("ghp_one", "delete:packages, repo, write:packages"),
        ("gho_one", "delete:packages, repo, write:packages"),
        (LEGACY, "delete:packages, repo, write:packages"),
        (INSTALLATION, None),
        (STATELESS, None),
        ("ghu_one", None),
        ("github_pat_one", None),
    ],
)
def test_scopes_are_told_of_tokens_that_have_them(token: str, scopes: str | None) -> None:
    scene = Scene()
    world = scene.world
    world.add_token(token, scopes=["repo", "read:packages", "write:packages", "delete:packages"])
    with EmulatedGitHub(world) as github:
        answer = ask(github, "GET", VERSION, token)
    assert answer.headers.get("X-OAuth-Scopes") == scopes
    assert answer.headers.get("X-Accepted-OAuth-Scopes") == (scopes and "read:packages")


def test_old_servers_leave_the_status_out_of_the_body() -> None:
    scene = Scene()
    world = scene.world
    world.ghes = True
    with EmulatedGitHub(world) as github:
        assert "status" not in ask(github, "GET", "/users/nobody").json()
