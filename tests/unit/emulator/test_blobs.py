"""Blobs of the emulated registry are on another host, which wants no token (facts D2)."""

from __future__ import annotations

import base64
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from emulator.calling import Caller
from emulator.faults import Fault, Kind
from emulator.images import push_image
from emulator.server import EmulatedGitHub
from emulator.situations import CLASSIC, Scene

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests


class Reader:
    """Reads blobs of `acme/app` as a registry's client does."""

    def __init__(self, github: EmulatedGitHub, caller: Caller) -> None:
        self._github, self._caller = github, caller
        basic = base64.b64encode(f"x:{CLASSIC}".encode()).decode()
        caller.become(basic, "Basic")
        scope = {"service": "ghcr.io", "scope": "repository:acme/app:pull"}
        self.bearer = caller.get(f"{github.registry_url}/token", **scope).json()["token"]

    def blob(self, digest: str, method: str = "GET") -> requests.Response:
        self._caller.become(self.bearer, "Bearer")
        return self._caller.call(method, f"{self._github.registry_url}/v2/acme/app/blobs/{digest}")

    def follow(self, answer: requests.Response, *, token: bool = False) -> requests.Response:
        self._caller.become(self.bearer if token else "", "Bearer")
        return self._caller.get(answer.headers["Location"])


class BlobScene(Scene):
    """The image `app` and the digest of its config."""

    def __init__(self) -> None:
        super().__init__()
        self.app = self.container()
        image = push_image(self.world, self.app, ["v1"], platforms=(), labels={"quay.expires-after": "2w"})
        self.config: str = image.root.document["config"]["digest"]

    @contextmanager
    def reader(self) -> Iterator[Reader]:
        with EmulatedGitHub(self.world) as github, Caller(github) as caller:
            yield Reader(github, caller)


def test_a_blob_is_a_redirect_to_another_host() -> None:
    scene = BlobScene()
    with scene.reader() as reader:
        answer = reader.blob(scene.config)
        where = urlsplit(answer.headers["Location"])
        assert (answer.status_code, answer.content) == (307, b"")
        assert (
            where.netloc == urlsplit(scene.world.storage_url).netloc != urlsplit(scene.world.api_url).netloc
        )
        found = reader.follow(answer)
        labels: dict[str, Any] = json.loads(found.content)["config"]["Labels"]
        assert labels["quay.expires-after"] == "2w"
        assert reader.blob(scene.config, "HEAD").status_code == 307
    assert scene.world.requests == []
    assert [one.status for one in scene.world.registry_requests] == [200, 307, 200, 307]


def test_the_other_host_refuses_a_token() -> None:
    scene = BlobScene()
    with scene.reader() as reader:
        answer = reader.follow(reader.blob(scene.config), token=True)
    assert (answer.status_code, b"InvalidAuthenticationInfo" in answer.content) == (400, True)


def test_its_addresses_are_signed_and_end() -> None:
    scene = BlobScene()
    with scene.reader() as reader:
        answer = reader.blob(scene.config)
        answer.headers["Location"] = answer.headers["Location"].replace("sig=", "sig=0")
        assert reader.follow(answer).status_code == 403
        answer = reader.blob(scene.config)
        scene.clock.advance(301)
        assert reader.follow(answer).status_code == 403


def test_a_blob_needs_a_token_and_must_be_there() -> None:
    scene = BlobScene()
    with scene.reader() as reader:
        missing = reader.blob("sha256:" + "0" * 64)
        assert (missing.status_code, missing.json()["errors"][0]["code"]) == (404, "BLOB_UNKNOWN")
        answer = reader.blob(scene.config)
        del scene.app.blobs[scene.config]
        assert reader.follow(answer).status_code == 404
        reader.bearer = "none"
        assert reader.blob(scene.config).status_code == 401


def test_a_registry_may_keep_blobs_itself() -> None:
    scene = BlobScene()
    scene.world.switches.blobs_redirect = False
    with scene.reader() as reader:
        answer = reader.blob(scene.config)
    assert (answer.status_code, answer.content) == (200, scene.app.blobs[scene.config])


@pytest.mark.parametrize("path", ["/v2/acme/app/blobs/", "^/ghcr1/"])
def test_faults_strike_here_too(path: str) -> None:
    scene = BlobScene()
    scene.world.faults.add(Fault(Kind.UNAVAILABLE, path=path, registry=True))
    with scene.reader() as reader:
        answers = [reader.blob(scene.config)]
        answers += [reader.follow(one) for one in answers if one.status_code == 307]
    assert answers[-1].status_code == 503
