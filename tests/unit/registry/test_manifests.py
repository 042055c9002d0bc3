"""Manifests are read as strictly as clients read them, and nothing that is pushed raises."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from emulator import hostile_shapes, shapes
from package_retention.model import Descriptor, Manifest, Unreadable
from package_retention.registry.manifests import (
    FORMS,
    check_digest,
    digest_of,
    is_digest,
    parse,
    parse_referrers,
)


def read(one: shapes.Shape, content_type: str | None = None) -> Manifest:
    found = parse(one.body, one.media_type if content_type is None else content_type, one.digest)
    assert isinstance(found, Manifest), found
    return found


def test_an_image_is_a_leaf_with_the_size_of_its_contents() -> None:
    one = shapes.image("app", layers=3)
    found = read(one)
    document = one.document
    assert found == Manifest(
        digest=one.digest,
        media_type=shapes.OCI_IMAGE,
        layers=3,
        artifact_type=shapes.OCI_CONFIG,
        blobs=tuple((blob["digest"], blob["size"]) for blob in (document["config"], *document["layers"])),
        runnable=True,
        config=document["config"]["digest"],
    )


@pytest.mark.parametrize("docker", [False, True])
def test_an_index_names_its_platforms_and_attestations(*, docker: bool) -> None:
    amd, arm = shapes.image("amd", docker=docker), shapes.image("arm", docker=docker)
    proof = shapes.attestation(amd)
    one = shapes.index(
        [
            shapes.descriptor(amd, "linux/amd64"),
            shapes.descriptor(arm, "linux/arm64/v8"),
            shapes.attestation_descriptor(proof, amd),
        ],
        docker=docker,
    )
    found = read(one)
    assert found.is_index
    assert found.children == (
        Descriptor(amd.digest, amd.media_type, "linux/amd64", "", len(amd.body)),
        Descriptor(arm.digest, arm.media_type, "linux/arm64/v8", "", len(arm.body)),
        Descriptor(
            proof.digest, shapes.OCI_IMAGE, "unknown/unknown", "attestation-manifest", len(proof.body)
        ),
    )


def test_a_build_cache_is_an_index_of_layers_and_names_no_manifest() -> None:
    found = read(shapes.cache("app", layers=5))
    assert (found.is_index, found.children, found.layers) == (True, (), 6)


@pytest.mark.parametrize(
    ("one", "artifact_type"),
    [
        (shapes.helm_chart("chart"), "application/vnd.cncf.helm.config.v1+json"),
        (shapes.wasm("module"), "application/vnd.wasm.config.v0+json"),
        (shapes.index([]), ""),
        (shapes.schema1("old"), ""),
        (shapes.retired_artifact(None, "x"), "application/vnd.cncf.notary.signature"),
        (shapes.signature(shapes.image("app")), shapes.OCI_CONFIG),
    ],
    ids=["helm", "wasm", "empty index", "schema 1", "retired artifact", "cosign signature"],
)
def test_artifacts_are_leaves(one: shapes.Shape, artifact_type: str) -> None:
    found = read(one)
    assert (found.children, found.subject, found.artifact_type) == ((), None, artifact_type)


def test_a_bottle_names_its_platforms() -> None:
    one, bottles = shapes.homebrew_bottle("wget")
    assert [child.digest for child in read(one).children] == [bottle.digest for bottle in bottles]


@pytest.mark.parametrize("make", [shapes.referrer, lambda of: shapes.retired_artifact(of, "x")])
def test_a_referrer_tells_its_subject(make: Any) -> None:
    subject = shapes.image("app")
    assert read(make(subject)).subject == subject.digest


def test_the_fallback_index_names_referrers_whatever_their_artifact_type() -> None:
    subject = shapes.image("app")
    referrers = [shapes.referrer(subject, "1"), shapes.retired_artifact(subject, "2")]
    found = read(shapes.fallback_index(referrers))
    assert [child.digest for child in found.children] == [one.digest for one in referrers]


@pytest.mark.parametrize("why", sorted(hostile_shapes.hostile()))
def test_hostile_manifests_are_unreadable(why: str) -> None:
    one = hostile_shapes.hostile()[why]
    found = parse(one.body, one.media_type, one.digest)
    assert isinstance(found, Unreadable)
    assert found.why


def test_the_same_child_twice_counts_once_and_under_two_platforms_twice() -> None:
    child = shapes.image("app")
    entry, other = shapes.descriptor(child, "linux/amd64"), shapes.descriptor(child, "linux/386")
    assert len(read(shapes.index([entry, entry])).children) == 1
    assert len(read(shapes.index([entry, other])).children) == 2


def test_other_bytes_than_asked_for_are_unreadable() -> None:
    one = shapes.image("app")
    asked = shapes.image("other").digest
    assert isinstance(parse(one.body, one.media_type, asked), Unreadable)
    assert isinstance(parse(one.body[:-1], one.media_type, one.digest), Unreadable)
    assert isinstance(parse(one.body, one.media_type, "latest"), Unreadable)


def test_sha512_is_a_digest_too() -> None:
    one = shapes.image("app")
    assert isinstance(parse(one.body, one.media_type, digest_of(one.body, "sha512")), Manifest)


@pytest.mark.parametrize(
    "header", ["", "application/json", shapes.OCI_INDEX + "; charset=utf-8", shapes.DOCKER_LIST]
)
def test_the_manifest_itself_says_what_it_is(header: str) -> None:
    one = shapes.index([shapes.descriptor(shapes.image("app"), "linux/amd64")])
    assert read(one, header).media_type == shapes.OCI_INDEX


def test_a_manifest_that_says_nothing_is_what_the_registry_or_its_fields_say() -> None:
    chart = shapes.helm_chart("chart")
    assert read(chart).media_type == shapes.OCI_IMAGE
    assert read(chart, "application/json").layers == 1
    bare = shapes.shape({"manifests": [shapes.descriptor(chart)]}, "")
    assert [child.digest for child in read(bare).children] == [chart.digest]


def test_go_writes_an_empty_list_as_null() -> None:
    one = shapes.shape({"mediaType": shapes.OCI_INDEX, "manifests": None}, shapes.OCI_INDEX)
    assert read(one).children == ()


def test_media_types_are_compared_without_case_and_parameters() -> None:
    child = shapes.image("app")
    entry = shapes.descriptor(child) | {"mediaType": shapes.OCI_IMAGE.upper() + " ;v=1"}
    assert read(shapes.index([entry])).children[0].media_type == shapes.OCI_IMAGE


def signed_schema1(payload: bytes) -> bytes:
    """Sign as libtrust does: the signatures go in before the closing brace; the digest is that of the payload."""
    tail = b"\n}"
    assert payload.endswith(tail)
    head = payload[: -len(tail)]
    header = {"formatLength": len(head), "formatTail": base64.urlsafe_b64encode(tail).decode().rstrip("=")}
    protected = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
    signatures = json.dumps([{"header": {}, "signature": "x", "protected": protected}]).encode()
    return head + b',\n  "signatures": ' + signatures + b"\n}"


def test_a_signed_schema_1_manifest_is_named_by_its_payload() -> None:
    one = shapes.schema1("old")
    signed = signed_schema1(one.body)
    media_type = "application/vnd.docker.distribution.manifest.v1+prettyjws"
    assert digest_of(signed) != one.digest
    found = parse(signed, media_type, one.digest)
    assert isinstance(found, Manifest)
    assert found.layers == 2
    assert check_digest(signed.replace(b"amd64", b"arm64"), one.digest)


def test_a_list_of_referrers_is_read_like_an_index() -> None:
    subject = shapes.image("app")
    one = shapes.referrer(subject)
    listed = parse_referrers(shapes.fallback_index([one]).body)
    assert listed == (
        Descriptor(one.digest, shapes.OCI_IMAGE, "", "", len(one.body), shapes.SIGSTORE_BUNDLE),
    )
    assert parse_referrers(shapes.index([]).body) == ()
    assert isinstance(parse_referrers(b"{}"), Unreadable)
    assert isinstance(parse_referrers(b"[]"), Unreadable)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
descriptors = st.fixed_dictionaries(
    {},
    optional={
        "mediaType": st.sampled_from(sorted(FORMS)) | st.just(shapes.OCI_LAYER) | json_values,
        "digest": st.just(shapes.image("x").digest) | json_values,
        "size": st.integers() | json_values,
        "platform": st.just({"os": "linux", "architecture": "amd64"}) | json_values,
        "annotations": st.just({"vnd.docker.reference.type": "attestation-manifest"}) | json_values,
    },
)
documents = st.fixed_dictionaries(
    {},
    optional={
        "schemaVersion": st.just(2) | json_values,
        "mediaType": st.sampled_from(sorted(FORMS)) | json_values,
        "manifests": st.lists(descriptors, max_size=4) | json_values,
        "layers": st.lists(descriptors, max_size=3) | json_values,
        "config": descriptors | json_values,
        "subject": descriptors | json_values,
        "artifactType": st.text(max_size=10) | json_values,
        "fsLayers": json_values,
        "blobs": json_values,
        "signatures": json_values,
    },
)


@given(documents | json_values, st.sampled_from(["", *sorted(FORMS)]) | st.text(max_size=20))
def test_no_document_raises(document: Any, content_type: str) -> None:
    body = json.dumps(document).encode()
    found = parse(body, content_type, digest_of(body))
    assert isinstance(found, Manifest | Unreadable)
    if isinstance(found, Manifest):
        assert all(is_digest(child.digest) and child.media_type in FORMS for child in found.children)
        assert found.subject is None or is_digest(found.subject)
        assert found.size >= 0
        # What a plain reading finds named is never lost on the way.
        named = [e["digest"] for e in document.get("manifests") or () if e["mediaType"] in FORMS]
        assert {child.digest for child in found.children} == set(named)


@given(st.binary(max_size=200), st.text(max_size=80))
def test_no_bytes_raise(body: bytes, digest: str) -> None:
    assert isinstance(parse(body, "", digest), Unreadable)
    assert isinstance(parse(body, shapes.OCI_INDEX, digest_of(body)), Unreadable)
    assert isinstance(parse_referrers(body), Unreadable)


def test_an_attestation_tells_its_subject_and_the_kinds_of_its_statements() -> None:
    image = shapes.image("app")
    kinds = ("https://slsa.dev/provenance/v1", "https://spdx.dev/Document")
    proof = shapes.attestation(image, artifact=True, predicates=kinds)
    read = parse(proof.body, proof.media_type, proof.digest)
    assert isinstance(read, Manifest)
    assert (read.subject, read.predicates, read.runnable) == (image.digest, frozenset(kinds), False)


def test_a_descriptor_of_another_media_type_is_mentioned() -> None:
    image = shapes.image("app")
    index = shapes.index([shapes.described_as(image, shapes.OCI_LAYER)])
    read = parse(index.body, index.media_type, index.digest)
    assert isinstance(read, Manifest)
    assert (read.children, read.mentions, read.layers) == ((), (image.digest,), 1)
