"""What cannot be known protects: manifests that nobody can read, registries out of reach, damage that may be none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from emulator import hostile_shapes, shapes
from emulator.faults import Fault, Kind, Odd
from emulator.images import push_signature
from scene import Scene, reads, scene
from scripted_server import Reply, ScriptedServer, Seen

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from emulator.images import PushedImage

LASTING = (
    Kind.DROP,
    Kind.SERVER_ERROR,
    Kind.BAD_GATEWAY,
    Kind.UNAVAILABLE,
    Kind.PORTAL,
    Kind.TRUNCATED,
    Kind.MALFORMED,
    Kind.LOST,
)
CLOSED = "http://127.0.0.1:9"


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path) as found:
        yield found


@pytest.mark.parametrize("kind", LASTING)
@pytest.mark.parametrize("tagged", [True, False])
def test_a_manifest_that_cannot_be_read_keeps_the_whole_package(
    made: Scene, kind: Kind, tagged: bool
) -> None:
    images = [made.push(f"v{n}", created=100 - n) for n in range(3)]
    images += [made.push(created=90 - n) for n in range(3)]
    unread = images[1 if tagged else 4]
    made.world.faults.add(Fault(kind, registry=True, path=unread.digest, times=None))
    ran = made.delete(status=1, tag_status="untagged")
    assert all(made.has(image) for image in images)
    assert not made.changes()
    assert "::error" in ran.log
    assert ("v1" if tagged else unread.digest[:19]) in ran.log
    assert "could not be read" in ran.log
    # When it can be read again, the next run does what was to be done.
    made.world.faults.clear()
    made.delete(tag_status="untagged")
    assert [made.has(image) for image in images] == [True] * 3 + [False] * 3


@pytest.mark.parametrize("kind", [*LASTING, Kind.TOO_MANY])
def test_what_passes_is_waited_for(made: Scene, kind: Kind) -> None:
    """A manifest that can be read at a later try is as good as one read at once."""
    image, dangling = made.push("v1", created=100), made.push(created=99)
    made.world.faults.add(Fault(kind, registry=True, path=image.digest))
    made.delete(tag_status="untagged")
    assert made.world.faults.pending == 0
    assert made.has(image)
    assert not made.has(dangling)


def test_a_manifest_that_the_second_look_needs_and_cannot_read_keeps_all(made: Scene) -> None:
    made.push("v1", created=100)
    dangling = [made.push(created=90 - n) for n in range(3)]

    def pushed() -> None:
        index = shapes.index([shapes.descriptor(dangling[0].platforms[0], "linux/amd64")])
        made.world.push(made.app, index.body, index.media_type, ["combined"])
        made.world.faults.add(Fault(Kind.UNAVAILABLE, registry=True, path=index.digest, times=None))

    made.when(lambda request: request.path.endswith("/versions"), pushed, skip=1)
    ran = made.delete(status=1, tag_status="untagged")
    assert all(made.has(image) for image in dangling)
    assert not made.changes()
    assert "could not be read" in ran.log


@pytest.mark.parametrize("status", [401, 403, 429, 451, 500])
def test_a_registry_that_refuses_one_manifest_keeps_the_package(made: Scene, status: int) -> None:
    images = [made.push("v1", created=100), made.push(created=99), made.push(created=98)]
    refused = images[2].digest

    def answer(request: Seen) -> Reply:
        digest = request.path.rsplit("/", 1)[1]
        version = made.app.by_digest(digest)
        if digest == refused:
            return Reply(status, b'{"errors":[{"code":"DENIED","message":"denied"}]}')
        if version is None or version.manifest is None:
            return Reply(404)
        return Reply(200, version.manifest, {"Content-Type": version.media_type})

    with ScriptedServer(answer).running() as registry:
        ran = made.delete(status=1, tag_status="untagged", registry_url=registry.url)
    assert all(made.has(image) for image in images)
    assert not made.changes()
    assert "::error" in ran.log


def test_no_registry_no_change(made: Scene) -> None:
    image = made.push("v1", created=100)
    made.push("v2", created=1)
    ran = made.delete(status=1, versions="v1", registry_url=CLOSED)
    assert made.has(image)
    assert not made.changes()
    assert "127.0.0.1:9" in ran.log
    assert ran.number("deleted-count") == 0
    assert "could not be read" in ran.log


def test_one_package_that_cannot_be_read_does_not_hold_up_the_others(made: Scene) -> None:
    image = made.push("v1", created=100)
    made.push("v2", created=1)
    other = made.world.add_package("octo", "container", "other", repository="octo/app")
    made.world.add_image(other, shapes.image("a"), "v1", created=100)
    made.world.add_image(other, shapes.image("b"), "v2", created=1)
    made.world.faults.add(Fault(Kind.UNAVAILABLE, registry=True, path=image.digest, times=None))
    assert made.step(versions="v1", package_name="app\nother").status == 1
    assert made.has(image)
    assert [version.tags for version in other.active()] == [["v2"]]


@pytest.mark.parametrize("why", hostile_shapes.hostile())
def test_a_hostile_manifest_never_costs_an_image(made: Scene, why: str) -> None:
    """Whatever somebody with push rights put there: it stays, and so does all that it may name."""
    hostile = hostile_shapes.hostile()[why]
    good = shapes.image("good")
    made.add(good, created=100)
    made.add(hostile, "hostile", created=99)
    image, dangling = made.push("v1", created=98), made.push(created=97)
    ran = made.step(tag_status="untagged")
    assert ran.status in (0, 1)
    assert "unexpected" not in ran.log
    assert {good.digest, hostile.digest} <= made.there or b"manifests" not in hostile.body or ran.status == 0
    assert made.has(image)
    # All or nothing: what could not be read keeps everything and fails the run.
    assert made.has(dangling) is (ran.status == 1)
    if ran.status == 1:
        assert not made.changes()
        assert "hostile" in ran.log


def test_an_index_of_somebody_else_s_bytes_is_no_manifest(made: Scene) -> None:
    """The registry serves other bytes than the digest says: they are not believed."""
    image, dangling = made.push("v1", created=100), made.push(created=99)
    version = made.app.by_digest(image.digest)
    assert version
    version.manifest = shapes.index([]).body
    made.delete(status=1, tag_status="untagged")
    assert {*image.members, *dangling.members} <= made.there


def lose(made: Scene, *digests: str) -> None:
    """Have the registry lose manifests whose versions are still listed."""
    for digest in digests:
        version = made.app.by_digest(digest)
        assert version
        version.manifest = None


def test_an_untagged_version_without_a_manifest_is_one_piece(made: Scene) -> None:
    image, lost, dangling = made.push("v1", created=100), made.push(created=90), made.push(created=80)
    lose(made, lost.digest)
    ran = made.step(tag_status="untagged")
    assert ran.status == 0
    assert "::warning" in ran.log
    assert "no manifest in the registry" in ran.log
    assert made.there == set(image.members)
    assert made.has(dangling) is False
    # Asked for twice, the second time for whatever it may be; and so again right before the first change.
    assert sum(lost.digest in one.path for one in made.world.registry_requests) == 4


def test_a_tagged_version_without_a_manifest_keeps_what_is_untagged(made: Scene) -> None:
    lost = made.push("lost", created=100, signed="cosign")
    dangling, old, newest = made.push(created=90), made.push("v1", created=80), made.push("v2", created=1)
    lose(made, lost.digest)
    ran = made.step(versions="v1")
    assert ran.status == 0
    assert "::warning" in ran.log
    assert "lost" in ran.log
    made.step(tag_status="untagged")
    assert {*lost.members, *dangling.members, *newest.members, *old.children} <= made.there
    assert old.digest not in made.there


def test_a_404_that_passes_is_none(made: Scene) -> None:
    """It is asked for again before the first change: what an index names stays with the index."""
    image = made.push("v1", created=100)
    made.push(created=90)
    inner = shapes.image("inner")
    made.add(inner, created=80)
    index = shapes.index([shapes.descriptor(inner, "linux/amd64")])
    made.add(index, created=1)
    made.world.faults.add(Fault(Odd.MISSING, registry=True, path=index.digest, times=2))
    made.delete(tag_status="untagged", older_than="10d")
    assert made.there == {*image.members, inner.digest, index.digest}


@pytest.mark.parametrize("kind", ["nested", "fallback"])
def test_an_index_without_a_manifest_is_no_leaf(made: Scene, kind: str) -> None:
    made.push("v0", created=1)
    inner = shapes.image("inner")
    lost = shapes.index([shapes.descriptor(inner, "linux/amd64")])
    if kind == "nested":
        outer = shapes.index([shapes.descriptor(lost)])
        for one, tags in ((inner, ()), (lost, ()), (outer, ("v1",))):
            made.add(one, *tags, created=50)
    else:
        image = made.push("v1", created=60)
        bundle = shapes.referrer(image.root)
        lost = shapes.fallback_index([bundle])
        made.add(bundle, created=50)
        made.add(lost, shapes.derived_tag(image.root), created=50)
    lose(made, lost.digest)
    before = made.there
    ran = made.delete(tag_status="untagged")
    assert made.there == before
    assert "::warning" in ran.log


def test_a_tagged_404_that_somebody_has_deleted_meanwhile_holds_nothing_up(made: Scene) -> None:
    image, lost, dangling = made.push("v1", created=100), made.push("v2", created=90), made.push(created=80)
    happened = made.when(reads, lambda: made.world.delete_version(made.app, lost.root_version))
    made.delete(tag_status="untagged")
    assert happened
    assert made.has(image)
    assert not made.has(dangling)


def test_a_registry_that_knows_no_such_name_keeps_the_package(made: Scene) -> None:
    """A wrong `registry-url`: were each manifest a leaf, platforms would go as untagged images."""
    made.push("v1", created=100)
    made.push(created=90)
    before = made.there
    unknown = Reply(404, b'{"errors":[{"code":"NAME_UNKNOWN","message":"repository name not known"}]}')
    with ScriptedServer(lambda _: unknown).running() as registry:
        ran = made.delete(status=1, tag_status="untagged", registry_url=registry.url)
    assert made.there == before
    assert "NAME_UNKNOWN" in ran.log


def broken(made: Scene, tag: str, created: float, gone: int, **look: Any) -> PushedImage:
    """An image of two platforms of which some are gone: from the list and from the registry."""
    image = made.push(tag, created=created, **look)
    for one in image.platforms[:gone]:
        version = made.app.by_digest(one.digest)
        assert version
        made.world.delete_version(made.app, version)
    return image


@pytest.mark.parametrize(
    ("damage", "goes"),
    [("ghost", {"all gone"}), ("partial", {"one gone"}), ("ghost\npartial", {"all gone", "one gone"})],
)
def test_damaged_images_go_and_healthy_ones_stay(made: Scene, damage: str, goes: set[str]) -> None:
    images = {
        "healthy": made.push("v1", created=100, attestations=True, signed="cosign"),
        "one gone": broken(made, "v2", 90, 1, signed="cosign"),
        "all gone": broken(made, "v3", 80, 2),
        "attestation gone": made.push("v4", created=70, attestations=True),
        "newest": made.push("v5", created=1),
    }
    for one in images["attestation gone"].attestations:
        version = made.app.by_digest(one.digest)
        assert version
        made.world.delete_version(made.app, version)
    made.add(shapes.index([]), "empty", created=60)
    made.add(shapes.cache("c"), "cache", created=60)
    made.delete(remove_damaged=damage)
    assert {what for what, image in images.items() if image.digest not in made.there} == goes
    assert {"empty", "cache"} <= made.tags.keys()


def test_one_pushed_index_does_not_have_a_run_ask_without_bounds(made: Scene) -> None:
    children = [
        shapes.descriptor(shapes.image(f"never pushed {number}"), "linux/amd64") for number in range(5000)
    ]
    made.add(shapes.index(children), "wide", created=60)
    broken(made, "v2", 90, 2)
    made.push("v3", created=1)
    made.delete(remove_damaged="ghost,partial")
    assert "wide" in made.tags
    assert "v2" not in made.tags
    assert len(made.world.requests) < 60


@pytest.mark.parametrize("status", ["ghost", "partial", "ghost, partial"])
def test_a_child_that_no_list_has_and_the_registry_has_is_not_gone(made: Scene, status: str) -> None:
    """A list that shifts while it is paged, or is behind: only a 404 of the registry makes damage."""
    image, half = made.push("v1", created=100), made.push("v2", created=90)
    made.push("v3", created=1)
    for digest in (*image.children, half.children[0]):
        version = made.app.by_digest(digest)
        assert version
        version.unlisted = True
    assert made.delete(remove_damaged=status).number("selected-count") == 0
    assert made.has(image)
    assert made.has(half)


def test_a_child_that_cannot_be_asked_for_is_not_gone(made: Scene) -> None:
    image = broken(made, "v1", 100, 2)
    made.push("v2", created=1)
    gone = image.platforms[0].digest
    made.world.faults.add(Fault(Kind.UNAVAILABLE, registry=True, path=gone, times=None))
    made.step(remove_damaged="ghost")
    assert image.digest in made.there


def test_an_image_that_is_mended_while_the_run_goes_on_stays(made: Scene) -> None:
    image = broken(made, "v1", 100, 2)
    made.push("v2", created=1)

    def mend() -> None:
        for version in made.app.deleted():
            made.world.restore_version(made.app, version)

    happened = made.when(lambda request: request.path.endswith("/versions"), mend, skip=1)
    made.delete(remove_damaged="ghost")
    assert happened
    assert made.has(image)


@pytest.mark.parametrize("signed", ["cosign", "bundle"])
def test_orphaned_signatures_go_and_the_others_stay(made: Scene, signed: Any) -> None:
    image = made.push("v1", created=100, signed=signed)
    orphans = push_signature(made.world, made.app, shapes.image("gone"), signed, created=50)
    made.delete(remove_damaged="orphaned")
    assert made.has(image)
    assert not {one.digest for one in orphans} & made.there


@pytest.mark.parametrize("signed", ["cosign", "bundle"])
def test_a_package_of_signatures_alone_is_refused(made: Scene, signed: Any) -> None:
    for number in range(3):
        push_signature(made.world, made.app, shapes.image(f"elsewhere {number}"), signed, created=50)
    before = made.there
    ran = made.delete(status=1, remove_damaged="orphaned")
    assert made.there == before
    assert "without their image" in ran.log


def test_a_subject_that_is_only_not_listed_makes_no_orphan(made: Scene) -> None:
    image = made.push("v1", created=100, signed="cosign")
    made.push("v2", created=1)
    made.when(reads, lambda: None)
    image.root_version.unlisted = True
    assert made.delete(remove_damaged="orphaned").number("selected-count") == 0
    assert made.has(image)
