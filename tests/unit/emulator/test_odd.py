"""Answers that pass or that mean harm, names in another spelling, and rows that slip."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from emulator.calling import Caller
from emulator.faults import Fault, Kind, Odd
from emulator.images import push_image
from emulator.meanwhile import Slips
from emulator.server import EmulatedGitHub
from emulator.situations import CLASSIC, LIB, VERSION, Scene

if TYPE_CHECKING:
    import requests

VERSIONS = "/orgs/acme/packages/container/app/versions"


def met(fault: Fault, method: str = "GET", path: str = f"{LIB}/versions") -> tuple[Scene, requests.Response]:
    scene = Scene()
    scene.world.faults.add(fault)
    with EmulatedGitHub(scene.world) as github, Caller(github) as caller:
        answer = caller.call(method, path)
        assert caller.get(f"{LIB}/versions").status_code == 200
    return scene, answer


@pytest.mark.parametrize(("kind", "status"), [(Odd.UNAUTHORIZED, 401), (Odd.MISSING, 404)])
def test_what_passes_was_not_carried_out(kind: Odd, status: int) -> None:
    scene, answer = met(Fault(kind), "DELETE", VERSION)
    assert answer.status_code == status
    assert scene.lib.versions[5001].deleted_at is None
    assert scene.world.bad_tries == 0
    assert [one.fault for one in scene.world.requests] == [kind.name, ""]


def test_a_manifest_is_missing_once_and_then_there() -> None:
    scene = Scene()
    push_image(scene.world, scene.container(), ["v1"])
    scene.world.faults.add(Fault(Odd.UNAUTHORIZED, path="/manifests/", registry=True))
    scene.world.faults.add(Fault(Odd.MISSING, path="/manifests/", registry=True))
    with EmulatedGitHub(scene.world) as github, Caller(github) as caller:
        caller.become(base64.b64encode(f"x:{CLASSIC}".encode()).decode(), "Basic")
        scope = "repository:acme/app:pull"
        token = caller.get(f"{github.registry_url}/token", service="ghcr.io", scope=scope).json()["token"]
        caller.become(token, "Bearer")
        url = f"{github.registry_url}/v2/acme/app/manifests/v1"
        answers = [caller.get(url) for _ in range(3)]
    assert [one.status_code for one in answers] == [401, 404, 200]
    assert answers[0].headers["WWW-Authenticate"].startswith("Bearer realm=")
    assert answers[1].json()["errors"][0]["code"] == "MANIFEST_UNKNOWN"


def test_an_echo_has_the_token_in_every_form() -> None:
    _, answer = met(Fault(Odd.ECHO))
    assert answer.status_code == 403
    for form in (CLASSIC, base64.b64encode(CLASSIC.encode()).decode()):
        assert form in answer.json()["message"]
        assert form in answer.headers["X-Echo"]
    assert CLASSIC in answer.headers["X-GitHub-SSO"]


@pytest.mark.parametrize("kind", [Odd.OVERSIZED, Odd.BOMB])
def test_a_body_is_as_large_as_asked(kind: Odd) -> None:
    _, answer = met(Fault(kind, size=5_000_000))
    assert len(answer.content) == 5_000_002
    assert answer.json() == []
    assert (int(answer.headers["Content-Length"]) < 10_000) is (kind is Odd.BOMB)


@pytest.mark.parametrize("text", ["inf", "-1", "1e400", "NaN", "9" * 400])
def test_numbers_in_headers_may_be_none(text: str) -> None:
    _, refused = met(Fault(Odd.ABSURD_WAIT, text=text))
    assert refused.status_code == 429
    assert (refused.headers["Retry-After"], refused.headers["x-ratelimit-reset"]) == (text, text)
    _, answer = met(Fault(Odd.ABSURD_BUDGET, text=text))
    assert answer.status_code == 200
    assert len(answer.json()) == 3
    assert answer.headers["x-ratelimit-remaining"] == text


def test_the_registry_s_waits_may_be_none_too() -> None:
    scene = Scene()
    scene.world.faults.add(Fault(Odd.ABSURD_WAIT, text="1e400", registry=True))
    with EmulatedGitHub(scene.world) as github, Caller(github) as caller:
        answer = caller.get(f"{github.registry_url}/v2/acme/app/manifests/v1")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1e400")
    assert "retry-after: 1e400ms" in answer.text


def test_a_list_may_claim_a_million_pages() -> None:
    scene = Scene()
    scene.world.faults.add(Fault(Odd.ENDLESS, times=None))
    with EmulatedGitHub(scene.world) as github, Caller(github) as caller:
        first = caller.get(f"{LIB}/versions", per_page=100)
        assert first.links["last"]["url"].endswith("page=1000000")
        second = caller.get(first.links["next"]["url"])
        assert second.json() == []
        assert second.links["next"]["url"].endswith("page=3")


def test_one_package_may_fail_alone() -> None:
    scene = Scene()
    scene.world.add_version(scene.world.add_package("acme", "npm", "other"), "1.0.0")
    scene.world.faults.add(Fault(Kind.SERVER_ERROR, path="/npm/lib", times=None))
    with EmulatedGitHub(scene.world) as github, Caller(github) as caller:
        assert [caller.get(f"{LIB}/versions").status_code for _ in range(3)] == [500] * 3
        assert caller.get("/orgs/acme/packages/npm/other/versions").status_code == 200


@pytest.mark.parametrize(
    ("package_type", "name", "asked"),
    [("nuget", "MyCompany.Lib", "mycompany.lib"), ("npm", "scoped", "%40acme%2Fscoped")],
)
def test_a_package_answers_in_another_spelling_than_it_was_asked_by(
    package_type: str, name: str, asked: str
) -> None:
    scene = Scene()
    also = [asked.replace("%40", "@").replace("%2F", "/")]
    package = scene.world.add_package("acme", package_type, name, also=also)
    version = scene.world.add_version(package, "1.0.0")
    scene.world.add_version(package, "2.0.0")
    path = f"/orgs/acme/packages/{package_type}/{asked}"
    with EmulatedGitHub(scene.world) as github, Caller(github) as caller:
        assert caller.get(path).json()["name"] == name
        assert len(caller.get(f"{path}/versions").json()) == 2
        assert caller.delete(f"{path}/versions/{version.id}").status_code == 204
        assert caller.delete(path).status_code == caller.restore(path).status_code == 204
        assert caller.get(f"/orgs/acme/packages/{package_type}/{name}").json()["name"] == name


def test_restored_versions_may_come_back_without_tags() -> None:
    scene = Scene()
    app = scene.container("v1", "v2")
    scene.world.switches.restored_versions_get_tags_back = False
    scene.world.delete_version(app, app.versions[6001])
    with EmulatedGitHub(scene.world) as github, Caller(github) as caller:
        assert caller.restore(f"{VERSIONS}/6001").status_code == 204
        assert caller.get(f"{VERSIONS}/6001").json()["metadata"]["container"]["tags"] == []


def test_rows_slip_over_the_edges_of_pages() -> None:
    scene = Scene()
    app = scene.container()
    for number in range(40):
        push_image(scene.world, app, [f"v{number}"] if number % 2 else (), platforms=(), created=number + 1)
    missed, twice, pushed = 0, 0, 0
    with EmulatedGitHub(scene.world) as github, Caller(github) as caller:
        for seed in range(10):
            slips = Slips(scene.world, app, seed=seed, most=1)
            scene.world.before_request[:] = [slips]
            before = {version.id for version in app.active()}
            rows = [row["id"] for row in caller.all(VERSIONS, per_page=7)]
            gone = {version.id for version in slips.deleted}
            missed += len(before - gone - set(rows))
            twice += len(rows) - len(set(rows))
            pushed += len(slips.pushed)
    assert pushed
    assert missed
    assert twice
    assert all(version.tags == [] for version in app.deleted())


def test_somebody_may_delete_what_a_test_names() -> None:
    scene = Scene()
    app = scene.container("v1", "v2", "v3")
    slips = Slips(scene.world, app, victims=[app.versions[6002]], most=3, seed=1)
    scene.world.before_request.append(slips)
    with EmulatedGitHub(scene.world) as github, Caller(github) as caller:
        caller.get(VERSIONS, per_page=1)
        assert not slips.deleted
        for page in (2, 3, 4):
            caller.get(VERSIONS, per_page=1, page=page)
    assert slips.deleted == [app.versions[6002]]
