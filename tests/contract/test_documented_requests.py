"""Every request fits GitHub's documented paths, parameters and enums.

The integration tests hold every one of theirs to it (`integration/conftest.py`); here it is shown that this can fail,
that GitHub's 27 operations are all there, and which of them the action makes use of.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import requests

from emulator import storage
from emulator.documented import EXCEPTIONS, PACKAGES, undocumented
from emulator.messages import Request
from emulator.server import EmulatedGitHub
from emulator.steps import TOKEN
from emulator.world import World
from main_job import job
from watch import watching

if TYPE_CHECKING:
    from pathlib import Path

BASES = ("/orgs/{name}", "/user", "/users/{name}")
OURS = frozenset(
    {
        "GET {base}/packages",
        "GET {base}/packages/{type}/{name}",
        "GET {base}/packages/{type}/{name}/versions",
        "DELETE {base}/packages/{type}/{name}",
        "DELETE {base}/packages/{type}/{name}/versions/{id}",
        "POST {base}/packages/{type}/{name}/restore",
        "POST {base}/packages/{type}/{name}/versions/{id}/restore",
        "GET {base}/docker/conflicts",
        # Looked at where a change's answer leaves open whether it was made.
        "GET {base}/packages/{type}/{name}/versions/{id}",
    }
)
"""What facts A1 lists: nine operations at each of three bases."""

LIST = Request("GET", "/orgs/octo/packages/npm/a%2Fb/versions", {"per_page": "100", "page": "2"})


def test_githubs_27_operations_are_those_of_the_table() -> None:
    assert {f"{one.method} {one.path}" for one in PACKAGES} == {
        one.replace("{base}", base) for one in OURS for base in BASES
    }
    assert len(PACKAGES) == 27


def test_every_exception_names_the_fact_that_it_rests_on_and_only_reads() -> None:
    assert all(one.exception.startswith(("facts A6: ", "facts L3: ")) for one in EXCEPTIONS)
    assert {one.method for one in EXCEPTIONS} == {"GET"}


@pytest.mark.parametrize(
    "change",
    [
        {"path": "/orgs/octo/packages/npm/a/b/versions"},
        {"path": "/orgs/octo/packages/npm/lib/versions/"},
        {"path": "/orgs/octo/packages/NPM/lib/versions"},
        {"path": "/orgs/octo/packages/conda/lib/versions"},
        {"path": "/orgs/octo/packages/npm/a%2fb/versions"},
        {"path": "/orgs/octo/packages/npm/@a/versions"},
        {"path": "/api/v3/orgs/octo/packages/npm/lib/versions"},
        {"path": "/orgs/octo/packages/npm/lib/versions/v1"},
        {"path": "/orgs/octo/packages"},
        {"path": "/graphql"},
        {"method": "HEAD"},
        {"method": "PATCH"},
        {"query": {"per_page": "101"}},
        {"query": {"page": "0"}},
        {"query": {"state": "gone"}},
        {"query": {"sort": "created"}},
        {"query": {"package_type": "npm"}},
    ],
    ids=str,
)
def test_what_does_not_fit_is_told(change: dict[str, Any]) -> None:
    assert undocumented([LIST]) == []
    (told,) = undocumented([replace(LIST, **change)])
    assert told.startswith(f"{change.get('method', 'GET')} {change.get('path', LIST.path)}: ")


def test_the_watch_over_all_integration_tests_sees_every_request() -> None:
    world = World()
    world.add_token(TOKEN)
    with watching() as watch, EmulatedGitHub(world) as github:
        headers = {"Authorization": f"token {TOKEN}", "X-GitHub-Api-Version": "2022-11-28"}
        requests.get(f"{github.api_url}/user", headers=headers, timeout=9)
        assert watch.objections() == []
        requests.get(f"{github.api_url}/user/packages?sort=name", headers=headers, timeout=9)
        requests.get(
            f"{github.api_url}/user", headers=headers | {"X-GitHub-Api-Version": "2026-03-10"}, timeout=9
        )
    # Cleared records hide nothing.
    world.requests.clear()
    assert watch.objections() == [
        "GET /user/packages: package_type is missing; sort is no parameter",
        "API version 2026-03-10",
    ]


def test_the_watch_sees_a_token_that_follows_a_redirect_to_the_host_of_the_blobs() -> None:
    world = World()
    with watching() as watch, EmulatedGitHub(world):
        url = storage.location(world, "sha256:" + "0" * 64)
        requests.get(url, timeout=9)
        assert watch.objections() == []
        requests.get(url, headers={"Authorization": "Bearer x"}, timeout=9)
        assert watch.objections() == ["the host of the blobs was sent a token"]


def test_the_watch_over_all_integration_tests_sees_a_token_anywhere(tmp_path: Path) -> None:
    for where in ("log", "summary", "output", "report.jsonl"):
        with watching() as watch, job(tmp_path / where) as made:
            made.filled(count=4)
            made.step(min_versions_to_keep=3)
            assert watch.objections() == []
            (ran,) = made.ran
            if where == "report.jsonl":
                (made.folder / where).write_text(f'{{"inputs": "{TOKEN}"}}')
            elif where == "output":
                ran.outputs["packages"] += TOKEN
            else:
                said: dict[str, Any] = {where: f"x {TOKEN} y"}
                ran = replace(ran, **said)
            watch.ran({"INPUT_TOKEN": TOKEN}, ran, made.folder)
            assert watch.objections() != []


@pytest.mark.parametrize(
    ("owner", "base"), [("octo", "/orgs/octo"), ("octocat", "/user"), ("hubot", "/users/hubot")]
)
def test_what_the_action_asks_of_each_base_is_documented_there(tmp_path: Path, owner: str, base: str) -> None:
    with watching() as watch, job(tmp_path) as made:
        made.owner = owner
        docker = made.filled("image", "docker", count=150, roles={"octocat": "admin"})
        lib = made.filled("a/b", count=4, roles={"octocat": "admin"})
        other = made.filled("other", count=4, roles={"octocat": "admin"})
        gone = made.step(package_name="a/b", versions="1.0.1").ids("deleted-version-ids")
        made.step(package_name="a/b", operation="restore", package_version_ids=gone[0])
        made.step(package_name="*", min_versions_to_keep=3, repository="any")
        made.step(package_name="other", versions="*", delete_package="when-empty")
        made.step(package_name="other", operation="restore", versions="*")
        made.step(package_type="docker", package_name="image", operation="list", repository="any")
        stale = lib.active()[0]
        made.world.delete_version(lib, stale)
        stale.still_listed = True
        made.step(package_name="a/b", package_version_ids=stale.id)
        assert watch.objections() == []
        assert other.deleted_at is None
        assert len(docker.active()) == 150
        operations = [one for one in PACKAGES if one.path.replace("{name}", owner, 1).startswith(f"{base}/")]
        assert len(operations) == 9
        unused = [
            one.path
            for one in operations
            if not any(one.matches(request.method, request.path) for request in made.world.requests)
        ]
        assert unused == []
