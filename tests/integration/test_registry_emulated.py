"""The client against the embedded GitHub's registry over HTTP: what is pushed is read, whatever fault comes between."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from clocks import FakeClock
from connections import shared
from emulator import shapes
from emulator.faults import Fault, Kind, catalogue
from emulator.images import push_image
from emulator.server import EmulatedGitHub
from emulator.switches import Switches
from emulator.world import World
from package_retention.errors import RefusedError
from package_retention.model import Absent, Manifest, Owner, OwnerKind, Package, PackageType, Unreadable
from package_retention.ports import RawManifest
from package_retention.registry.client import Registry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from emulator.stored import StoredPackage

PAT = "ghp_" + "a" * 36
APP = Package(Owner("Octo-Org", OwnerKind.ORGANIZATION), PackageType.CONTAINER, "app")


class Scene:
    def __init__(self, switches: Switches | None = None) -> None:
        self.clock = FakeClock()
        self.world = World(self.clock.now, self.clock.monotonic, self.clock.sleep, switches=switches)
        self.world.add_org("octo-org")
        self.world.add_token(PAT)
        self.package: StoredPackage = self.world.add_package("octo-org", "container", "app")

    @contextmanager
    def client(self, token: str = PAT) -> Iterator[Registry]:
        with EmulatedGitHub(self.world) as github:
            registry = Registry(github.registry_url, github.api_url, token, shared(self.clock, token))
            try:
                yield registry
            finally:
                registry.close()


def test_a_package_is_read_with_two_requests_more_than_it_has_roots() -> None:
    scene = Scene()
    pushed = [
        push_image(scene.world, scene.package, [f"v{number}"], attestations=True, signed="bundle")
        for number in range(10)
    ]
    with scene.client() as registry:
        found = registry.manifests(APP, [one.digest for one in pushed])
        assert registry.requests_made == len(scene.world.registry_requests) == 12
        for one in pushed:
            reading = found[one.digest]
            assert isinstance(reading, Manifest)
            assert tuple(child.digest for child in reading.children) == one.children
        everything = registry.manifests(APP, [digest for one in pushed for digest in one.members])
    assert all(isinstance(reading, Manifest) for reading in everything.values())
    subjects = [
        reading.subject
        for reading in everything.values()
        if isinstance(reading, Manifest) and reading.subject
    ]
    assert subjects == [one.digest for one in pushed]


def test_what_is_deleted_is_absent() -> None:
    scene = Scene()
    first, second = (push_image(scene.world, scene.package, [tag]) for tag in ("v1", "v2"))
    scene.world.delete_version(scene.package, first.root_version)
    lost = push_image(scene.world, scene.package, ["v3"], platforms=())
    lost.root_version.manifest = None
    with scene.client() as registry:
        found = registry.manifests(APP, [first.digest, second.digest, lost.digest])
        assert registry.raw(APP, "v1") == Absent()
    assert found[first.digest] == found[lost.digest] == Absent()
    assert isinstance(found[second.digest], Manifest)


def test_a_tag_is_taken_away_by_a_dummy() -> None:
    scene = Scene()
    pushed = push_image(scene.world, scene.package, ["v1", "v1.0"])
    dummy = shapes.index([], annotations={"of": "v1"})
    with scene.client() as registry:
        registry.put(APP, "v1", RawManifest(dummy.digest, dummy.media_type, dummy.body))
        assert registry.raw(APP, "v1") == RawManifest(dummy.digest, dummy.media_type, dummy.body)
    assert pushed.root_version.tags == ["v1.0"]


def test_a_token_without_write_packages_writes_nothing() -> None:
    scene = Scene()
    scene.world.add_token("ghp_reads", scopes=["read:packages"])
    before = scene.world.snapshot()
    dummy = shapes.index([])
    with scene.client("ghp_reads") as registry, pytest.raises(RefusedError, match="DENIED: denied") as caught:
        registry.put(APP, "v1", RawManifest(dummy.digest, dummy.media_type, dummy.body))
    assert "write:packages" in caught.value.hint
    assert scene.world.snapshot() == before


@pytest.mark.parametrize("api", ["404", "empty", "answers"])
def test_referrers(api: str) -> None:
    scene = Scene(Switches(referrers_api=api))  # type: ignore[arg-type]
    pushed = push_image(scene.world, scene.package, ["v1"], signed="bundle")
    with scene.client() as registry:
        found = registry.referrers(APP, pushed.digest)
    expected = {"404": None, "empty": (), "answers": (pushed.referrers[0].digest,)}[api]
    assert (None if found is None else tuple(one.digest for one in found)) == expected


@pytest.mark.parametrize("fault", catalogue(registry=True), ids=lambda fault: fault.kind.name)
@pytest.mark.parametrize("number", [1, 2, 3, 5])
def test_no_single_fault_does_more_than_make_manifests_unreadable(fault: Fault, number: int) -> None:
    scene = Scene()
    pushed = [push_image(scene.world, scene.package, [f"v{index}"]) for index in range(8)]
    scene.world.faults.add(replace(fault, number=number))
    with scene.client() as registry:
        found = registry.manifests(APP, [one.digest for one in pushed])
    assert scene.world.faults.pending == 0
    assert list(found) == [one.digest for one in pushed]
    read = [reading for reading in found.values() if isinstance(reading, Manifest)]
    assert len(read) + sum(isinstance(reading, Unreadable) for reading in found.values()) == 8
    if fault.kind is not Kind.EXPIRED:
        assert len(read) == 8


def test_a_token_revoked_in_the_middle_leaves_the_rest_unreadable() -> None:
    scene = Scene()
    pushed = [push_image(scene.world, scene.package, [f"v{index}"]) for index in range(60)]
    scene.world.faults.add(Fault(Kind.EXPIRED, number=10, registry=True))
    with scene.client() as registry:
        found = registry.manifests(APP, [one.digest for one in pushed])
    unreadable = [reading.why for reading in found.values() if isinstance(reading, Unreadable)]
    assert 30 < len(unreadable) < 60
    assert all("DENIED" in why for why in unreadable)
    assert all(PAT not in why for why in unreadable)
