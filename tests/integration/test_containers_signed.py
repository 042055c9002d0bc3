"""Attestations and signatures as today's tools push them: what stays keeps its own, what goes leaves none behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from emulator import shapes
from scene import Scene, scene

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from emulator.shapes import Shape

SPDX = "https://spdx.dev/Document"


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path) as found:
        yield found


def built(made: Scene, platform: Shape, *tags: str, days: float, **look: Any) -> tuple[Shape, Shape]:
    """Push an index over a platform, which may be there, with an attestation of BuildKit 0.32; gives both."""
    proof = shapes.attestation(platform, f"{tags} {days}", artifact=True, **look)
    index = shapes.index(
        [shapes.descriptor(platform, "linux/amd64"), shapes.attestation_descriptor(proof, platform)]
    )
    for one in (platform, proof):
        if made.app.by_digest(one.digest) is None:
            made.add(one, created=days)
    made.add(index, *tags, created=days)
    return index, proof


def test_a_platform_that_was_promoted_alone_keeps_its_attestation(made: Scene) -> None:
    platform = shapes.image("app")
    _, proof = built(made, platform, "pr-1", days=50)
    made.world.push(made.app, platform.body, platform.media_type, ["stable"])
    made.delete(versions="pr-*")
    assert made.there == {platform.digest, proof.digest}


def test_a_platform_that_two_indexes_share_keeps_an_attestation(made: Scene) -> None:
    platform = shapes.image("app")
    _, proof = built(made, platform, "pr-1", days=50)
    plain = shapes.index([shapes.descriptor(platform, "linux/amd64")])
    made.add(plain, "v1", created=1)
    made.delete(versions="pr-*")
    assert made.there == {platform.digest, proof.digest, plain.digest}


def test_an_attestation_goes_where_what_stays_has_one_of_its_own(made: Scene) -> None:
    platform = shapes.image("app")
    built(made, platform, "pr-1", days=50)
    stays, proof = built(made, platform, "v1", days=1)
    made.delete(versions="pr-*")
    assert made.there == {platform.digest, stays.digest, proof.digest}


def test_one_that_says_something_else_replaces_nothing(made: Scene) -> None:
    platform = shapes.image("app")
    _, first = built(made, platform, "pr-1", days=50, predicates=(SPDX,))
    stays, second = built(made, platform, "v1", days=1)
    made.delete(versions="pr-*")
    assert made.there == {platform.digest, stays.digest, first.digest, second.digest}


@pytest.mark.parametrize("how", ["annotation", "lost"])
def test_only_an_attestation_that_was_read_replaces_another(made: Scene, how: str) -> None:
    """An index may call anything an attestation, and the one that it lists may not be there."""
    platform = shapes.image("app")
    _, first = built(made, platform, "pr-1", days=50)
    other = shapes.image("of something else") if how == "annotation" else shapes.attestation(platform)
    made.add(other, created=1)
    stays = shapes.index(
        [shapes.descriptor(platform, "linux/amd64"), shapes.attestation_descriptor(other, platform)]
    )
    made.add(stays, "v1", created=1)
    if how == "lost":
        version = made.app.by_digest(other.digest)
        assert version
        version.manifest = None
    made.delete(versions="pr-*")
    assert made.there == {platform.digest, first.digest, other.digest, stays.digest}


def test_pull_requests_one_after_the_other_pile_up_no_attestations(made: Scene) -> None:
    platform = shapes.image("app")
    plain = shapes.index([shapes.descriptor(platform, "linux/amd64")])
    made.add(platform, created=99)
    made.add(plain, "v1", created=99)
    for number in range(5):
        built(made, platform, f"pr-{number}", days=50 - number)
        made.delete(versions="pr-*")
        assert len(made.there) == 3, "the platform, its index, and one attestation"


def signed_again(made: Scene, subject: Shape, times: int, days: float) -> list[Shape]:
    """Sign as cosign 3 does: each time the list of `sha256-<hex>` is written anew; gives bundles and lists."""
    bundles = [shapes.bundle(subject, str(number)) for number in range(times)]
    lists = [shapes.fallback_index(bundles[: number + 1]) for number in range(times)]
    for number, (bundle, listed) in enumerate(zip(bundles, lists, strict=True)):
        made.add(bundle, created=days)
        made.add(listed, *([shapes.derived_tag(subject)] if number == times - 1 else []), created=days)
    return [*bundles, *lists]


def test_superseded_lists_of_signatures_are_parts_of_their_image(made: Scene) -> None:
    images = [made.push(f"v{number}", created=30 - number) for number in range(4)]
    parts = {one.digest for image in images for one in signed_again(made, image.root, 3, 20)}
    ran = made.delete(tag_status="untagged", fail_if_more_than="50%")
    assert ran.number("selected-count") == 0
    assert parts <= made.there
    made.delete(versions="v0")
    gone = {one.digest for one in signed_again_digests(images[0].root)}
    assert not gone & made.there
    assert len(parts - made.there) == len(gone)


def signed_again_digests(subject: Shape) -> list[Shape]:
    bundles = [shapes.bundle(subject, str(number)) for number in range(3)]
    return [*bundles, *(shapes.fallback_index(bundles[: number + 1]) for number in range(3))]


def test_a_signature_that_only_a_superseded_list_names_stays_and_goes_with_its_image(made: Scene) -> None:
    """Two jobs signed at once: the tag is on a list that lacks the first one's bundle."""
    image, other = made.push("v1", created=50), made.push("v2", created=1)
    lost, listed = shapes.bundle(image.root, "lost"), shapes.bundle(image.root, "listed")
    parts = [lost, listed, shapes.fallback_index([lost]), shapes.fallback_index([listed])]
    for one in parts[:-1]:
        made.add(one, created=50)
    made.add(parts[-1], shapes.derived_tag(image.root), created=50)
    made.delete(tag_status="untagged")
    assert {one.digest for one in parts} <= made.there
    made.delete(versions="v1")
    assert made.there == set(other.members)


def test_a_list_whose_own_tag_is_still_to_come_is_an_image(made: Scene) -> None:
    image = made.push("v1", created=50)
    bundle = shapes.bundle(image.root)
    listed = shapes.fallback_index([bundle])
    made.add(bundle, created=40)
    made.add(listed, created=40)
    made.delete(tag_status="untagged")
    # The list goes, as any untagged image does; the signature belongs to what stays.
    assert made.there == {*image.members, bundle.digest}


def test_what_is_tagged_by_a_hash_of_its_content_is_no_orphan(made: Scene) -> None:
    image = shapes.image("built from a lock file")
    made.add(image, shapes.content_tag("lock"), created=50)
    platform = shapes.image("one of two")
    index = shapes.index([shapes.descriptor(platform, "linux/amd64")])
    made.add(platform, created=50)
    made.add(index, shapes.content_tag("flake"), created=50)
    for number in range(3):
        made.push(f"v{number}", created=50)
    before = made.there
    made.delete(remove_damaged="orphaned")
    assert made.there == before


def test_a_descriptor_protects_whatever_its_media_type(made: Scene) -> None:
    named, inner = shapes.image("named"), shapes.image("inner")
    nested = shapes.index([shapes.descriptor(inner, "linux/amd64")])
    odd = shapes.described_as(named, "application/vnd.example.odd.v1")
    # An index described as a plain manifest is read as what it is.
    root = shapes.index([odd, shapes.described_as(nested, shapes.OCI_IMAGE)])
    for one in (named, inner, nested):
        made.add(one, created=50)
    made.add(root, "v1", created=50)
    made.delete(tag_status="untagged", older_than="0s")
    assert made.there == {one.digest for one in (named, inner, nested, root)}


def test_a_platform_that_github_keeps_keeps_its_attestation(tmp_path: Path) -> None:
    with scene(tmp_path, visibility="public") as made:
        platform = shapes.image("app")
        index, proof = built(made, platform, "pr-1", days=50)
        made.push("v1", created=1)
        version = made.app.by_digest(platform.digest)
        assert version
        version.downloads = 6000
        made.delete(versions="pr-*")
        assert index.digest not in made.there
        assert {platform.digest, proof.digest} <= made.there


def test_a_restore_brings_back_what_an_index_names_whatever_it_calls_it(made: Scene) -> None:
    named = shapes.image("named")
    root = shapes.index([shapes.described_as(named, "application/vnd.example.odd.v1")])
    made.add(named, created=50)
    made.add(root, "v1", created=50)
    made.push("v2", created=1)
    before = made.there
    made.delete(versions="v1")
    assert not {named.digest, root.digest} & made.there
    made.restore(versions="v1")
    assert made.there == before
