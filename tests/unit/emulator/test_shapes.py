"""The embedded GitHub's images are what the field's tools leave behind (facts D1)."""

from __future__ import annotations

import base64

import pytest

from emulator import shapes
from emulator.images import attach, push_image, push_rebuild
from emulator.situations import Scene

WHERE = ("vnd.docker.reference.digest", "vnd.docker.reference.type")


def entries(one: shapes.Shape) -> list[shapes.Json]:
    found: list[shapes.Json] = one.document["manifests"]
    return found


def test_an_attestation_is_an_artifact_whose_subject_is_the_platform() -> None:
    scene = Scene()
    pushed = push_image(scene.world, scene.container(), ["v1"], attestations="artifact")
    for platform, proof in zip(pushed.platforms, pushed.attestations, strict=True):
        document = proof.document
        assert document["artifactType"] == "application/vnd.docker.attestation.manifest.v1+json"
        assert document["subject"] == shapes.descriptor(platform)
        assert base64.b64decode(document["config"]["data"]) == b"{}"
        (entry,) = [one for one in entries(pushed.root) if one["digest"] == proof.digest]
        assert entry["platform"] == {"os": "unknown", "architecture": "unknown"}
        assert [entry["annotations"][name] for name in WHERE] == [platform.digest, "attestation-manifest"]
    assert [version.tags for version in pushed.versions] == [[], [], [], [], ["v1"]]


def test_before_it_was_an_image_without_a_subject() -> None:
    proof = shapes.attestation(shapes.image("app"))
    assert "subject" not in proof.document
    assert "artifactType" not in proof.document
    assert proof.document["config"]["mediaType"] == shapes.OCI_CONFIG


@pytest.mark.parametrize("artifact", [True, False])
def test_predicate_types_stand_on_the_layers(artifact: bool) -> None:
    predicates = (shapes.PROVENANCE, shapes.SPDX)
    proof = shapes.attestation(shapes.image("app"), artifact=artifact, predicates=predicates)
    layers = proof.document["layers"]
    assert tuple(layer["annotations"]["in-toto.io/predicate-type"] for layer in layers) == predicates
    assert {layer["mediaType"] for layer in layers} == {shapes.IN_TOTO}


def test_a_rebuild_from_cache_shares_platforms_and_has_attestations_of_its_own() -> None:
    scene = Scene()
    app = scene.container()
    old = push_image(scene.world, app, ["v1"], attestations="artifact", created=9)
    new = push_rebuild(scene.world, app, old, ["v1"])
    assert new.platforms == old.platforms
    assert not {one.digest for one in new.attestations} & {one.digest for one in old.attestations}
    assert [one.document["subject"] for one in new.attestations] == [
        one.document["subject"] for one in old.attestations
    ]
    assert (old.root_version.tags, new.root_version.tags) == ([], ["v1"])
    assert len(app.versions) == 2 + 2 + 2 + 2


def test_each_signature_leaves_a_superseded_index_behind() -> None:
    scene = Scene()
    app = scene.container()
    root = push_image(scene.world, app, ["v1"]).root
    signatures = [shapes.bundle(root, str(number)) for number in range(3)]
    versions = attach(scene.world, app, root, *signatures)
    tag = shapes.derived_tag(root)
    indexes = [one for one in versions if one.media_type == shapes.OCI_INDEX]
    assert [one.tags for one in indexes] == [[], [], [tag]]
    named = [[entry["digest"] for entry in entries(_shape(one.manifest))] for one in indexes]
    digests = [one.digest for one in signatures]
    assert named == [digests[:1], digests[:2], digests]


def test_of_two_that_race_the_tag_names_one() -> None:
    scene = Scene()
    app = scene.container()
    root = push_image(scene.world, app, ["v1"]).root
    first, second, third = (shapes.referrer(root, str(number)) for number in range(3))
    attach(scene.world, app, root, first)
    versions = attach(scene.world, app, root, second, third, racing=True)
    tagged = app.by_tag(shapes.derived_tag(root))
    assert tagged is versions[-1]
    assert [entry["digest"] for entry in entries(_shape(tagged.manifest))] == [first.digest, third.digest]
    assert app.by_digest(second.digest) is not None


def test_a_bundle_says_what_is_in_it_and_the_index_repeats_that() -> None:
    image = shapes.image("app")
    bundle = shapes.bundle(image, predicate=shapes.PROVENANCE)
    (entry,) = entries(shapes.fallback_index([bundle]))
    assert entry["artifactType"] == "application/vnd.dev.sigstore.bundle.v0.3+json"
    assert entry["annotations"] == bundle.document["annotations"]
    assert bundle.document["subject"] == shapes.descriptor(image)


def test_platforms_may_have_tags_of_their_own() -> None:
    scene = Scene()
    pushed = push_image(scene.world, scene.container(), ["1.0", "edge"], tag_platforms=True)
    assert [version.tags for version in pushed.versions] == [
        ["1.0-amd64", "edge-amd64"],
        ["1.0-arm64", "edge-arm64"],
        ["1.0", "edge"],
    ]


def test_a_descriptor_may_lie_about_what_it_describes() -> None:
    index = shapes.index([])
    assert shapes.described_as(index, shapes.OCI_IMAGE) == {
        "mediaType": shapes.OCI_IMAGE,
        "digest": index.digest,
        "size": len(index.body),
    }


def test_a_content_hash_looks_like_a_derived_tag() -> None:
    scene = Scene()
    app = scene.container()
    tag = shapes.content_tag("app")
    pushed = push_image(scene.world, app, [tag], platforms=())
    assert len(tag) == len("sha256-") + 64
    assert app.by_tag(tag) is pushed.root_version
    assert app.by_digest(tag.replace("-", ":")) is None
    assert pushed.root.document["layers"][0]["mediaType"] == shapes.OCI_LAYER


def test_labels_are_in_the_config_and_annotations_on_the_root() -> None:
    scene = Scene()
    app = scene.container()
    given = {"quay.expires-after": "2w"}
    index = push_image(scene.world, app, ["a"], labels=given)
    plain = push_image(scene.world, app, ["b"], platforms=(), annotations=given)
    marked = push_image(scene.world, app, ["c"], annotations=given)
    assert marked.root.document["annotations"] == plain.root.document["annotations"] == given
    for platform in index.platforms:
        config = platform.blobs[platform.document["config"]["digest"]]
        assert b'"quay.expires-after": "2w"' in config
        assert app.blobs[platform.document["config"]["digest"]] == config


def _shape(body: bytes | None) -> shapes.Shape:
    assert body is not None
    return shapes.Shape(body, shapes.OCI_INDEX)
