"""The whole action on container packages: the unit is the image, and nothing that stays loses anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from emulator import shapes
from emulator.images import push_signature
from scene import Scene, ids, scene

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FOUR = ("linux/amd64", "linux/arm64", "linux/arm/v7", "linux/s390x")


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path) as found:
        yield found


@pytest.mark.parametrize(
    "inputs",
    [
        {"tag_status": "untagged"},
        {"older_than": "30d"},
        {"min_versions_to_keep": 2},
        {"tag_status": "untagged", "older_than": "0s"},
        {"versions": "*", "older_than": "30d"},
        {"delete_only_untagged_versions": "true"},
    ],
    ids=lambda inputs: " ".join(f"{name}={value}" for name, value in inputs.items()),
)
@pytest.mark.parametrize("signed", ["", "cosign", "bundle"])
def test_images_of_many_platforms_stay_whole_or_go_whole(made: Scene, inputs: Any, signed: Any) -> None:
    look = {"platforms": FOUR, "attestations": True, "signed": signed}
    images = [
        made.push(f"v{number}", created=100 - 20 * number, docker=number == 1, **look) for number in range(4)
    ]
    images += [made.push(created=90 - 20 * number, **look) for number in range(4)]
    images.append(made.push("newest", created=1, **look))
    made.delete(**inputs)
    standing = [made.has(image) for image in images]
    assert any(standing)
    assert not all(standing)
    assert standing[-1]


def test_keeping_three_means_three_images_however_many_untagged_ones_are_newer(made: Scene) -> None:
    tagged = [
        made.push(f"v{number}", platforms=FOUR, attestations=True, signed="cosign", created=100 - number)
        for number in range(10)
    ]
    dangling = [made.push(platforms=(), created=60 - number) for number in range(50)]
    ran = made.delete(min_versions_to_keep=3)
    assert [made.has(image) for image in tagged] == [False] * 7 + [True] * 3
    # Untagged images are a group of their own.
    assert [made.has(image) for image in dangling] == [False] * 47 + [True] * 3
    assert ran.number("deleted-count") == 7 * 10 + 47
    made.delete(min_versions_to_keep=3)
    assert len(made.ran[-1].ids("selected-version-ids")) == 0


def test_240_versions_and_24_images_to_delete_take_185_requests_at_most(made: Scene) -> None:
    images = [made.push(f"v{number}", platforms=FOUR, created=100 - number) for number in range(48)]
    assert len(made.app.versions) == 240
    ran = made.delete(older_than="76d")
    assert [made.has(image) for image in images] == [False] * 24 + [True] * 24
    assert ran.number("deleted-count") == 24 * 5
    assert made.requests() <= 185
    # One read an image: children that their index describes as plain manifests need none.
    assert sorted(made.reads()) == sorted(image.digest for image in images)


def test_a_refused_root_costs_one_request_and_keeps_its_children(tmp_path: Path) -> None:
    with scene(tmp_path, visibility="public") as made:
        popular = made.push("v1", created=100, downloads=5_001, signed="cosign", attestations=True)
        other = made.push("v2", created=90)
        newest = made.push("v3", created=1)
        ran = made.delete(older_than="30d")
        assert made.has(popular)
        assert not made.has(other)
        assert made.has(newest)
        asked = [one for one in made.changes() if any(one.path.endswith(f"/{i}") for i in popular.ids)]
        assert len(asked) == 1
        assert "::warning" in ran.log
        assert "5,000 downloads" in ran.log or "5000 downloads" in ran.log
        assert ran.number("failed-count") == 0
        # A scheduled run is not red for ever.
        assert made.delete(older_than="30d").status == 0


def test_a_child_that_two_indexes_share_goes_with_the_last_of_them(made: Scene) -> None:
    shared = shapes.image("shared")
    own = [shapes.image(f"own {number}") for number in range(2)]
    made.add(shared, created=50)
    for number, one in enumerate(own):
        made.add(one, created=49)
        index = shapes.index(
            [shapes.descriptor(shared, "linux/amd64"), shapes.descriptor(one, "linux/arm64")]
        )
        made.add(index, f"v{number}", created=48 - 10 * number)
    made.push("newest", created=1)
    made.delete(versions="v0")
    assert shared.digest in made.there
    assert own[0].digest not in made.there
    made.delete(versions="v1")
    assert shared.digest not in made.there
    assert own[1].digest not in made.there


def test_children_of_nested_indexes_stay_and_go_with_the_outermost(made: Scene) -> None:
    def nest(name: str, created: int) -> list[str]:
        leaf = shapes.image(f"leaf of {name}")
        inner = shapes.index([shapes.descriptor(leaf, "linux/amd64")])
        middle = shapes.index([shapes.descriptor(inner)])
        outer = shapes.index([shapes.descriptor(middle)])
        for one in (leaf, inner, middle):
            made.add(one, created=created)
        made.add(outer, name, created=created)
        return [one.digest for one in (leaf, inner, middle, outer)]

    stays, goes = nest("stable", 200), nest("old", 200)
    made.delete(tag_status="untagged")
    assert made.there == {*stays, *goes}
    made.delete(versions="old")
    assert made.there == set(stays)


def test_a_tagged_child_is_an_image_of_its_own_and_stays_while_it_is_needed(made: Scene) -> None:
    child = shapes.image("child")
    made.add(child, "v1-amd64", created=100)
    made.add(shapes.index([shapes.descriptor(child, "linux/amd64")]), "v1", created=99)
    made.push("other", created=98)
    ran = made.delete(versions="v1-amd64")
    assert child.digest in made.there
    assert ran.number("deleted-count") == 0
    made.delete(versions="v1")
    assert made.tags.keys() == {"v1-amd64", "other"}
    made.delete(versions="v1-*")
    assert made.tags.keys() == {"other"}


def test_an_untagged_index_of_referrers_is_an_image_unless_its_fallback_tag_is_elsewhere(made: Scene) -> None:
    """cosign's `sha256-….sbom` is no fallback tag: the index's own may still be on its way."""
    image = made.push("v1", created=20)
    made.push("main", created=1)
    sbom = shapes.signature(image.root, "sbom")
    made.add(sbom, shapes.derived_tag(image.root, "sbom"), created=20)
    bundle = shapes.bundle(image.root, "1")
    made.add(bundle, created=20)
    listing = shapes.fallback_index([bundle])
    made.add(listing, created=20)
    made.delete(versions="v1")
    assert {bundle.digest, listing.digest} <= made.there
    assert not {image.digest, sbom.digest} & made.there


@pytest.mark.parametrize("suffix", ["sig", "att", "sbom"])
def test_what_cosign_pushed_stays_and_goes_with_its_image(made: Scene, suffix: str) -> None:
    image, other = made.push("v1", created=100), made.push("v2", created=100)
    for one in (image, other):
        made.add(shapes.signature(one.root, suffix), shapes.derived_tag(one.root, suffix), created=1)
    signed = shapes.signature(image.platforms[0], suffix)
    made.add(signed, shapes.derived_tag(image.platforms[0], suffix), created=1)
    assert made.delete(tag_status="tagged", versions="sha256-*").number("deleted-count") == 0
    assert made.delete(tag_status="untagged").number("deleted-count") == 0
    made.delete(versions="v1")
    assert made.there == {*other.members, shapes.signature(other.root, suffix).digest}


@pytest.mark.parametrize("api", ["404", "empty", "answers"])
@pytest.mark.parametrize("fallback", [True, False])
def test_oci_referrers_belong_to_their_subject(tmp_path: Path, api: str, fallback: bool) -> None:
    with scene(tmp_path, referrers_api=api) as made:
        image, other = made.push("v1", created=100), made.push("v2", created=100)
        bundles = {
            one.digest: shapes.referrer(one.root, artifact_type=shapes.EMPTY) for one in (image, other)
        }
        for one in (image, other):
            made.add(bundles[one.digest], created=50)
            # A referrer of a referrer: the signature of an SBOM.
            made.add(shapes.referrer(bundles[one.digest], "second"), created=40)
            if fallback:
                index = shapes.fallback_index([bundles[one.digest]])
                made.add(index, shapes.derived_tag(one.root), created=50)
        before = made.there
        made.delete(tag_status="untagged", older_than="0s")
        assert made.there == before
        made.delete(versions="v1")
        # Half of it is left: all that belongs to v2.
        assert len(made.there) * 2 == len(before)
        assert bundles[other.digest].digest in made.there
        assert bundles[image.digest].digest not in made.there


def test_a_referrer_with_a_tag_of_its_own_protects_its_subject(made: Scene) -> None:
    image = made.push("v1", created=100)
    made.add(shapes.referrer(image.root), "sbom-v1", created=50)
    made.push("v2", created=1)
    assert made.delete(versions="v1").number("deleted-count") == 0
    made.delete(versions="v1\nsbom-*")
    assert made.tags.keys() == {"v2"}


@pytest.mark.parametrize(
    "leaf",
    [
        shapes.cache("build"),
        shapes.helm_chart("chart"),
        shapes.wasm("module"),
        shapes.schema1("old"),
        shapes.retired_artifact(None, "artifact"),
        shapes.index([]),
    ],
    ids=["cache", "helm", "wasm", "schema 1", "artifact", "empty index"],
)
def test_what_is_no_image_of_platforms_is_one_piece(made: Scene, leaf: shapes.Shape) -> None:
    """A cache is an index of layers: they are no children, so it is neither a ghost nor in anybody's way."""
    made.add(leaf, "special", created=100)
    image, dangling = made.push("v1", created=99), made.push(created=98)
    made.delete(tag_status="untagged", remove_damaged="none")
    assert leaf.digest in made.there
    assert made.has(image)
    assert not made.has(dangling)
    assert made.delete(remove_damaged="ghost,partial").number("selected-count") == 0
    made.delete(versions="special")
    assert made.there == set(image.members)


def test_homebrew_bottles_are_images(made: Scene) -> None:
    for name, created in (("1.0", 100), ("1.1", 50)):
        index, bottles = shapes.homebrew_bottle(name)
        for bottle in bottles:
            made.add(bottle, created=created)
        made.add(index, name, created=created)
    assert made.delete(tag_status="untagged").number("deleted-count") == 0
    assert made.delete(version_range="<1.1.0").number("deleted-count") == 0
    made.delete(min_versions_to_keep=1)
    assert made.tags.keys() == {"1.1"}
    assert len(made.there) == 3


@pytest.mark.parametrize("what", ["root", "child", "reference", "child reference", "signature tag"])
def test_an_exclusion_keeps_the_whole_image(made: Scene, what: str) -> None:
    image, other = made.push("v1", created=100, signed="cosign"), made.push("v2", created=99)
    made.push("latest", created=1)
    host = made.github.registry_url.removeprefix("http://")
    entry = {
        "root": image.digest,
        "child": image.children[1],
        "reference": f"{host}/octo/app@{image.digest}",
        "child reference": f"{host}/octo/app@{image.children[0]}",
        "signature tag": shapes.derived_tag(image.root, "sig"),
    }[what]
    ran = made.delete(versions="v*", exclude_versions=entry)
    assert made.has(image)
    assert not made.has(other)
    assert "matched nothing" not in ran.log


def test_a_reference_of_another_package_excludes_nothing_and_is_told(made: Scene) -> None:
    image = made.push("v1", created=100)
    made.push("v2", created=1)
    elsewhere = f"ghcr.io/octo/other@{image.digest}"
    ran = made.delete(versions="v1", exclude_versions=elsewhere)
    assert "matched nothing" in ran.log
    assert elsewhere in ran.log


@pytest.mark.parametrize(
    ("inputs", "goes"),
    [
        ({"versions": "*"}, False),
        ({"versions": "/^latest$/"}, False),
        ({"older_than": "1d"}, False),
        ({"tag_status": "tagged"}, False),
        ({"limit": 5}, False),
        ({"versions": "latest"}, True),
        ({"versions": "v*, latest"}, True),
    ],
    ids=str,
)
def test_latest_goes_by_its_name_alone(made: Scene, inputs: Any, goes: bool) -> None:
    image = made.push("latest", created=100)
    made.push("v1", created=90)
    made.push("edge", created=0.01)
    made.delete(**inputs, exclude_versions="edge")
    assert made.has(image) is not goes


def test_latest_goes_by_its_id(made: Scene) -> None:
    image, other = made.push("latest", created=100), made.push("v1", created=90)
    made.delete(package_version_ids=ids([image.root_version]))
    assert not made.has(image)
    assert made.has(other)


def test_the_id_of_a_part_goes_with_its_image_alone(made: Scene) -> None:
    image = made.push("v1", created=100)
    made.push("v2", created=90)
    child = made.app.by_digest(image.children[0])
    assert child
    ran = made.delete(package_version_ids=ids([child]))
    assert made.has(image)
    assert "is part of v1" in ran.log


def test_young_untagged_images_may_be_platforms_of_an_index_to_come(made: Scene) -> None:
    made.push("v1", created=100)
    young, old = made.push(created=0.9), made.push(created=1.1)
    made.delete(tag_status="untagged")
    assert made.has(young)
    assert not made.has(old)
    made.delete(tag_status="untagged", older_than="0s")
    assert not made.has(young)


def test_children_pushed_an_hour_before_their_index(made: Scene) -> None:
    made.push("v1", created=100)
    amd, arm = shapes.image("amd"), shapes.image("arm")
    for one in (amd, arm):
        made.add(one, created=1 / 24)
    made.delete(tag_status="untagged")
    made.delete(min_versions_to_keep=1)
    assert {amd.digest, arm.digest} <= made.there
    made.add(shapes.index([shapes.descriptor(one, "linux/amd64") for one in (amd, arm)]), "v2", created=0)
    made.clock.advance(40 * 24 * 3600)
    # A filter that the children alone match (they are older than their index) reaches neither.
    made.delete(older_than=f"{40 * 24 * 60 + 30}min", exclude_versions="v1")
    made.delete(tag_status="untagged")
    assert {amd.digest, arm.digest} <= made.there


def test_a_limit_counts_images_and_takes_the_oldest(made: Scene) -> None:
    images = [made.push(f"v{number}", created=100 - number, signed="bundle") for number in range(5)]
    for left in (3, 1):
        ran = made.delete(versions="v*", limit=2)
        assert [made.has(image) for image in images] == [False] * (5 - left) + [True] * left
        assert ran.number("deleted-count") == 2 * 5
        assert "limit: 2" in ran.summary or left == 1


def test_the_last_tagged_image_stays_with_a_warning(made: Scene) -> None:
    old, newest = made.push("v1", created=100, signed="cosign"), made.push("v2", created=50, signed="cosign")
    ran = made.delete(versions="v*")
    assert not made.has(old)
    assert made.has(newest)
    assert "::warning" in ran.log
    assert "when-empty" in ran.log
    assert len(made.changes()) == 4


def test_an_empty_package_goes_whole_where_that_is_asked_for(made: Scene) -> None:
    for number in range(3):
        made.push(f"v{number}", created=100 - number, signed="cosign")
    ran = made.delete(versions="v*", delete_package="when-empty")
    assert made.app.deleted_at
    assert [one.method for one in made.changes()] == ["DELETE"]
    assert ran.number("deleted-count") == len(made.app.versions)


def test_one_image_that_stays_keeps_the_package(made: Scene) -> None:
    made.push("v1", created=100)
    stays = made.push("v2", created=1)
    made.delete(older_than="30d", delete_package="when-empty")
    assert not made.app.deleted_at
    assert made.there == set(stays.members)


def test_circles_of_referrers_stay(made: Scene) -> None:
    """Digests cannot name one another in a circle; digest-derived tags can."""
    one, two, self_made = shapes.image("one"), shapes.image("two"), shapes.image("self")
    made.add(one, shapes.derived_tag(two), created=100)
    made.add(two, shapes.derived_tag(one), created=100)
    made.add(self_made, shapes.derived_tag(self_made), created=100)
    image, dangling = made.push("v1", created=100), made.push(created=99)
    made.delete(tag_status="untagged")
    assert {one.digest, two.digest, *image.members} <= made.there
    assert not made.has(dangling)
    made.delete(remove_damaged="orphaned")
    assert {one.digest, two.digest} <= made.there


def test_signatures_whose_image_is_gone_match_nothing_but_orphaned(made: Scene) -> None:
    gone, image = shapes.image("gone"), made.push("v1", created=100, signed="cosign")
    others = [made.push(f"v1.{n}", created=99) for n in range(2)]
    orphan = push_signature(made.world, made.app, gone, "cosign", created=100)[0]
    bundle, fallback = push_signature(made.world, made.app, gone, "bundle", created=100)
    orphans = {orphan.digest, bundle.digest, fallback.digest}
    for name, value in (("versions", "*"), ("tag_status", "untagged"), ("older_than", "1d")):
        given: dict[str, Any] = {name: value}
        made.delete(exclude_versions="v1*", **given)
        assert orphans <= made.there
    made.delete(remove_damaged="orphaned")
    assert made.there == {digest for one in (image, *others) for digest in one.members}


@pytest.mark.parametrize("what", ["untagged", "docker-base-layer"])
def test_the_legacy_docker_type_is_read_by_tags_alone(tmp_path: Path, what: str) -> None:
    with scene(tmp_path, kind="docker") as made:
        base = made.world.add_version(
            made.app, "docker-base-layer" if what == "docker-base-layer" else f"sha256:{'1' * 64}", 100
        )
        old = made.world.add_version(made.app, f"sha256:{'2' * 64}", 90, ("pr-1",))
        new = made.world.add_version(made.app, f"sha256:{'3' * 64}", 1, ("v1",))
        made.step(package_type="docker", older_than="30d")
        assert made.ran[-1].status == 0, made.ran[-1].log
        assert {one.id for one in made.app.active()} == {base.id, new.id}
        assert old.deleted_at
        assert not made.world.registry_requests
