"""The client against a real registry (distribution 2.8): what is pushed is read, what is deleted is absent."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from connections import shared
from emulator import shapes
from package_retention.errors import RefusedError
from package_retention.model import Absent, Manifest, Owner, OwnerKind, Package, PackageType, Unreadable
from package_retention.ports import RawManifest
from package_retention.registry.client import Registry
from real_registry import RealRegistry, real_registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.image
APP = Package(Owner("Octo", OwnerKind.ORGANIZATION), PackageType.CONTAINER, "App")
NAME, PAT = "octo/app", "ghp_of_the_tests"


@pytest.fixture(scope="module")
def open_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRegistry]:
    with real_registry(tmp_path_factory.mktemp("open")) as registry:
        yield registry


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[RealRegistry]:
    with real_registry(tmp_path, password=PAT) as registry:
        yield registry


def client(registry: RealRegistry, token: str = PAT) -> Registry:
    # A realm on another port is trusted only where it is the API's host: the token service stands in for that.
    api = registry.realm.url if registry.realm else "https://api.github.com"
    return Registry(registry.url, api, token, shared(secret=token))


def everything() -> dict[str, shapes.Shape]:
    amd, arm = shapes.image("amd"), shapes.image("arm")
    proof = shapes.attestation(amd)
    docker = shapes.image("docker", docker=True)
    root = shapes.index(
        [
            shapes.descriptor(amd, "linux/amd64"),
            shapes.descriptor(arm, "linux/arm64/v8"),
            shapes.attestation_descriptor(proof, amd),
        ]
    )
    referrer = shapes.referrer(root)
    return {
        "amd": amd,
        "arm": arm,
        "proof": proof,
        "docker": docker,
        "root": root,
        "docker list": shapes.index([shapes.descriptor(docker, "linux/amd64")], docker=True),
        "nested": shapes.index([shapes.descriptor(root)]),
        "empty": shapes.index([]),
        "signature": shapes.signature(root),
        "referrer": referrer,
        "fallback": shapes.fallback_index([referrer]),
        "helm": shapes.helm_chart("chart"),
        "wasm": shapes.wasm("module"),
    }


def test_every_shape_comes_back_as_it_was_pushed(open_registry: RealRegistry) -> None:
    pushed = everything()
    for one in pushed.values():
        open_registry.push(NAME, one)
    found = client(open_registry).manifests(APP, [one.digest for one in pushed.values()])
    for what, one in pushed.items():
        reading = found[one.digest]
        assert isinstance(reading, Manifest), (what, reading)
        named = [entry["digest"] for entry in one.document.get("manifests", [])]
        assert [child.digest for child in reading.children] == named, what
    referrer = found[pushed["referrer"].digest]
    assert isinstance(referrer, Manifest)
    assert referrer.subject == pushed["root"].digest


def test_a_deleted_child_leaves_its_index_and_is_absent(open_registry: RealRegistry) -> None:
    child = shapes.image("child")
    root = shapes.index([shapes.descriptor(child, "linux/amd64")])
    open_registry.push(NAME, child)
    open_registry.push(NAME, root, "broken")
    open_registry.delete(NAME, child.digest)
    registry = client(open_registry)
    found = registry.manifests(APP, [root.digest, child.digest])
    assert isinstance(found[root.digest], Manifest)
    assert found[child.digest] == Absent()
    assert registry.raw(APP, "broken") == RawManifest(root.digest, root.media_type, root.body)
    assert registry.raw(APP, "never-pushed") == Absent()


def test_a_written_tag_moves(open_registry: RealRegistry) -> None:
    first, second = shapes.image("first"), shapes.index([])
    open_registry.push(NAME, first, "moving")
    registry = client(open_registry)
    registry.put(APP, "moving", RawManifest(second.digest, second.media_type, second.body))
    raw = registry.raw(APP, "moving")
    assert isinstance(raw, RawManifest)
    assert raw.digest == second.digest
    assert isinstance(registry.manifests(APP, [first.digest])[first.digest], Manifest)


def test_what_the_registry_will_not_hold_is_refused(open_registry: RealRegistry) -> None:
    lost = shapes.index([shapes.descriptor(shapes.image("nowhere"), "linux/amd64")])
    with pytest.raises(RefusedError, match="MANIFEST"):
        client(open_registry).put(APP, "lost", RawManifest(lost.digest, lost.media_type, lost.body))


def test_this_registry_has_no_referrers_api(open_registry: RealRegistry) -> None:
    registry = client(open_registry)
    assert registry.referrers(APP, shapes.image("amd").digest) is None
    assert registry.requests_made == 1


def test_the_challenge_is_answered_once_for_many(guarded: RealRegistry) -> None:
    held = [shapes.image(f"app {number}") for number in range(20)]
    for one in held:
        guarded.push(NAME, one)
    registry = client(guarded)
    found = registry.manifests(APP, [one.digest for one in held])
    assert [type(reading) for reading in found.values()] == [Manifest] * 20
    assert guarded.realm
    assert [one.query["scope"] for one in guarded.realm.seen] == [["repository:octo/app:pull"]]
    assert registry.requests_made == 22
    registry.put(APP, "v1", RawManifest(held[0].digest, held[0].media_type, held[0].body))
    assert isinstance(registry.raw(APP, "v1"), RawManifest)


def test_a_wrong_token_reads_and_writes_nothing(guarded: RealRegistry) -> None:
    one = shapes.image("app")
    guarded.push(NAME, one)
    registry = client(guarded, "ghp_wrong")
    (reading,) = registry.manifests(APP, [one.digest]).values()
    assert isinstance(reading, Unreadable)
    assert "403 DENIED: denied" in reading.why
    with pytest.raises(RefusedError, match="DENIED"):
        registry.put(APP, "v1", RawManifest(one.digest, one.media_type, one.body))


def test_skopeo_reads_the_same(open_registry: RealRegistry) -> None:
    child = shapes.image("for skopeo")
    root = shapes.index([shapes.descriptor(child, "linux/amd64")])
    open_registry.push(NAME, child)
    open_registry.push(NAME, root, "skopeo")
    command = [
        "skopeo",
        "inspect",
        "--raw",
        "--tls-verify=false",
        f"docker://{open_registry.host}/{NAME}:skopeo",
    ]
    raw = client(open_registry).raw(APP, "skopeo")
    assert isinstance(raw, RawManifest)
    assert subprocess.run(command, capture_output=True, check=True, timeout=60).stdout == raw.body
