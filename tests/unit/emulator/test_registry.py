"""What the emulated registry promises: GHCR's behaviour as the facts have it (D, J28 to J31)."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from clocks import FakeClock
from emulator import registry, shapes
from emulator.images import push_image, push_signature
from emulator.messages import Request
from emulator.switches import Switches
from emulator.world import World

if TYPE_CHECKING:
    from emulator.messages import Answer
    from emulator.stored import StoredPackage

PAT = "ghp_" + "a" * 36
NAME = "octo-org/app"


class Scene:
    """A world with one container package, and a client that answers challenges."""

    def __init__(self, switches: Switches | None = None, *, visibility: str = "private") -> None:
        self.clock = FakeClock()
        self.world = World(self.clock.now, self.clock.monotonic, self.clock.sleep, switches=switches)
        self.world.add_org("octo-org")
        self.world.add_token(PAT)
        self.package: StoredPackage = self.world.add_package(
            "octo-org", "container", "app", visibility=visibility
        )

    def plain(self, method: str, path: str, *, body: bytes = b"", query: str = "", **headers: Any) -> Answer:
        sent = {name.replace("_", "-"): value for name, value in headers.items()} | {"host": "127.0.0.1:1"}
        asked = dict(part.split("=", 1) for part in query.split("&")) if query else {}
        return registry.handle(self.world, Request(method, path, asked, sent, body, registry=True))

    def exchange(self, scope: str, password: str | None = PAT) -> Answer:
        credentials = base64.b64encode(f"x:{password}".encode()).decode()
        basic: dict[str, Any] = {} if password is None else {"authorization": f"Basic {credentials}"}
        return self.plain("GET", "/token", query=f"service=ghcr.io&scope={scope}", **basic)

    def bearer(self, actions: str = "pull", password: str | None = PAT) -> str:
        answer = self.exchange(f"repository:{NAME}:{actions}", password)
        assert answer.status == 200, answer.body
        return f"Bearer {json.loads(answer.body)['token']}"

    def get(self, reference: str, **headers: Any) -> Answer:
        return self.plain("GET", f"/v2/{NAME}/manifests/{reference}", authorization=self.bearer(), **headers)

    def put(self, reference: str, one: shapes.Shape) -> Answer:
        path, bearer = f"/v2/{NAME}/manifests/{reference}", self.bearer("pull,push")
        return self.plain("PUT", path, body=one.body, authorization=bearer, content_type=one.media_type)


def code(answer: Answer) -> tuple[int, str]:
    return answer.status, json.loads(answer.body)["errors"][0]["code"]


def test_a_request_without_a_token_is_challenged() -> None:
    answer = Scene().plain("GET", f"/v2/{NAME}/manifests/v1")
    assert code(answer) == (401, "UNAUTHORIZED")
    assert answer.headers["WWW-Authenticate"] == (
        f'Bearer realm="http://127.0.0.1:1/token",service="ghcr.io",scope="repository:{NAME}:pull"'
    )


def test_a_token_is_for_one_repository_action_and_time() -> None:
    scene = Scene()
    scene.world.add_package("octo-org", "container", "other")
    one = shapes.image("app")
    scene.world.add_image(scene.package, one, "v1")
    pull = scene.bearer()
    assert scene.plain("GET", f"/v2/{NAME}/manifests/v1", authorization=pull).status == 200
    assert scene.plain("GET", "/v2/octo-org/other/manifests/v1", authorization=pull).status == 401
    put = scene.plain(
        "PUT", f"/v2/{NAME}/manifests/v2", body=one.body, authorization=pull, content_type=one.media_type
    )
    assert put.status == 401
    scene.clock.advance(301)
    assert scene.plain("GET", f"/v2/{NAME}/manifests/v1", authorization=pull).status == 401


@pytest.mark.parametrize(
    ("token", "pull", "push"),
    [
        (PAT, 200, 200),
        ("ghp_reads", 200, 403),
        ("ghp_nothing", 403, 403),
        ("ghp_stranger", 403, 403),
        ("ghs_linked", 200, 200),
        ("ghs_reads", 200, 403),
        ("ghs_elsewhere", 403, 403),
        ("ghp_expired", 403, 403),
        ("ghp_unknown", 403, 403),
        (None, 403, 403),
    ],
)
def test_who_gets_a_token(token: str | None, pull: int, push: int) -> None:
    scene = Scene()
    scene.package.repository = "octo-org/app"
    world = scene.world
    world.add_token("ghp_reads", scopes=["read:packages"])
    world.add_token("ghp_nothing", scopes=["repo", "delete:packages"])
    world.add_token("ghp_stranger", "mona")
    world.add_token("ghs_linked", repository="octo-org/app")
    world.add_token("ghs_reads", repository="octo-org/app", permission="read")
    world.add_token("ghs_elsewhere", repository="octo-org/other")
    world.add_token("ghp_expired", expired=True)
    assert scene.exchange(f"repository:{NAME}:pull", token).status == pull
    assert scene.exchange(f"repository:{NAME}:pull,push", token).status == push


def test_a_refusal_says_no_more_than_denied() -> None:
    answer = Scene().exchange("repository:octo-org/none:pull")
    assert json.loads(answer.body) == {"errors": [{"code": "DENIED", "message": "denied"}]}


def test_what_is_public_is_read_anonymously_and_not_written() -> None:
    scene = Scene(visibility="public")
    assert scene.exchange(f"repository:{NAME}:pull", None).status == 200
    assert scene.exchange(f"repository:{NAME}:pull,push", None).status == 403


def test_a_manifest_comes_by_tag_and_digest_as_it_was_pushed() -> None:
    scene = Scene()
    pushed = push_image(scene.world, scene.package, ["v1"])
    for reference in ("v1", pushed.digest):
        answer = scene.get(reference)
        assert (answer.status, answer.body, answer.media_type) == (200, pushed.root.body, shapes.OCI_INDEX)
        assert answer.headers["Docker-Content-Digest"] == pushed.digest
    assert scene.get("v1", accept=shapes.OCI_IMAGE).status == 404
    assert scene.get("v1", accept=f"{shapes.OCI_IMAGE}, */*").status == 200
    assert code(scene.get("v2")) == (404, "MANIFEST_UNKNOWN")


def test_what_is_deleted_is_gone_here_too() -> None:
    scene = Scene()
    first = push_image(scene.world, scene.package, ["v1"])
    push_image(scene.world, scene.package, ["v2"])
    scene.world.delete_version(scene.package, first.root_version)
    assert scene.get("v1").status == scene.get(first.digest).status == 404
    assert scene.get(first.children[0]).status == 200
    scene.world.restore_version(scene.package, first.root_version)
    assert scene.get("v1").status == 200


def test_a_put_makes_a_version_and_takes_the_tag_off_the_one_that_had_it() -> None:
    scene = Scene()
    old = push_image(scene.world, scene.package, ["v1", "v1.0"], created=10).root_version
    dummy = shapes.index([], annotations={"of": "v1"})
    answer = scene.put("v1", dummy)
    assert (answer.status, answer.headers["Docker-Content-Digest"]) == (201, dummy.digest)
    new = scene.package.by_digest(dummy.digest)
    assert new is not None
    assert (new.tags, new.created_at, old.tags) == (["v1"], scene.clock.now(), ["v1.0"])


def test_a_put_of_what_is_there_moves_the_tag_alone() -> None:
    scene = Scene()
    first = push_image(scene.world, scene.package, ["v1"], created=10)
    second = push_image(scene.world, scene.package, ["v2"], created=5)
    count = len(scene.package.versions)
    assert scene.put("v1", second.root).status == 201
    assert len(scene.package.versions) == count
    assert (first.root_version.tags, second.root_version.tags) == ([], ["v2", "v1"])
    assert second.root_version.updated_at == scene.clock.now() > second.root_version.created_at


def test_a_put_by_digest_must_be_of_that_digest() -> None:
    scene, one = Scene(), shapes.image("app")
    assert code(scene.put(shapes.image("other").digest, one)) == (400, "DIGEST_INVALID")
    assert scene.put(one.digest, one).status == 201
    assert scene.package.by_digest(one.digest)


@pytest.mark.parametrize(
    "one",
    [
        shapes.Shape(b"<html>", shapes.OCI_IMAGE),
        shapes.Shape(b"[]", shapes.OCI_IMAGE),
        shapes.Shape(shapes.image("x").body, shapes.OCI_INDEX),
        shapes.Shape(shapes.image("x").body, "text/plain"),
    ],
)
def test_nonsense_is_not_taken(one: shapes.Shape) -> None:
    assert code(Scene().put("v1", one)) == (400, "MANIFEST_INVALID")


def test_nothing_is_deleted_through_the_registry() -> None:
    scene = Scene()
    digest = push_image(scene.world, scene.package, ["v1"]).digest
    answer = scene.plain("DELETE", f"/v2/{NAME}/manifests/{digest}", authorization=scene.bearer("pull,push"))
    assert json.loads(answer.body) == {
        "errors": [{"code": "UNSUPPORTED", "message": "The operation is unsupported."}]
    }
    assert answer.status == 405
    assert scene.get("v1").status == 200


@pytest.mark.parametrize(
    ("api", "status", "count"), [("404", 404, 0), ("empty", 200, 0), ("answers", 200, 1)]
)
def test_the_referrers_api_is_a_switch(api: str, status: int, count: int) -> None:
    scene = Scene(Switches(referrers_api=api))  # type: ignore[arg-type]
    pushed = push_image(scene.world, scene.package, ["v1"], signed="bundle")
    answer = scene.plain("GET", f"/v2/{NAME}/referrers/{pushed.digest}", authorization=scene.bearer())
    assert answer.status == status
    if status == 200:
        listed = json.loads(answer.body)["manifests"]
        assert [entry["digest"] for entry in listed] == [pushed.referrers[0].digest][:count]


def test_an_image_is_pushed_children_first() -> None:
    scene = Scene()
    pushed = push_image(
        scene.world,
        scene.package,
        ["v1"],
        attestations=True,
        signed="cosign",
        created=3,
        platforms=("linux/amd64", "linux/arm64/v8"),
    )
    assert [len(version.tags) for version in pushed.versions] == [0, 0, 0, 0, 1, 1]
    assert [version.created_at for version in pushed.versions] == sorted(
        version.created_at for version in pushed.versions
    )
    assert pushed.versions[-1].tags == [f"sha256-{pushed.digest[7:]}.sig"]
    named = [entry["digest"] for entry in pushed.root.document["manifests"]]
    assert named == list(pushed.children) == list(pushed.members[:4])
    again = push_image(scene.world, scene.package, ["v2"], platforms=("linux/amd64", "linux/arm64/v8"))
    assert again.digest != pushed.digest


def test_images_of_one_seed_share_their_members() -> None:
    scene = Scene()
    first = push_image(scene.world, scene.package, ["v1"], seed="same")
    second = push_image(scene.world, scene.package, ["v2"], seed="same")
    assert first.ids == second.ids
    assert first.root_version.tags == ["v1", "v2"]
    assert len(scene.package.versions) == 3
    plain = push_image(scene.world, scene.package, ["v3"], platforms=())
    assert plain.children == ()
    assert len(push_signature(scene.world, scene.package, plain.root, "bundle")) == 2


def test_a_name_that_is_none_is_denied_a_token_or_not_known() -> None:
    scene, path = Scene(), "/v2/octo-org/none/manifests/v1"
    assert scene.exchange("repository:octo-org/none:pull").status == 403
    scene.world.switches.tokens_for_unknown_names = True
    bearer = json.loads(scene.exchange("repository:octo-org/none:pull").body)["token"]
    answer = scene.plain("GET", path, authorization=f"Bearer {bearer}")
    assert code(answer) == (404, "NAME_UNKNOWN")
