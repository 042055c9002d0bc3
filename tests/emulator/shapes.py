"""Manifests as the field's tools push them: bytes, media type and digest; pure, and different for each `seed`.

The forms are those of image-spec 1.1, Docker's schema 1 and 2, BuildKit (attestations, `--cache-to type=registry`),
cosign, Helm, wasm-to-oci, Homebrew, and oras before OCI 1.1 was final (facts D1).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_IMAGE = "application/vnd.oci.image.manifest.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_IMAGE = "application/vnd.docker.distribution.manifest.v2+json"
ARTIFACT = "application/vnd.oci.artifact.manifest.v1+json"
SCHEMA1 = "application/vnd.docker.distribution.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
EMPTY = "application/vnd.oci.empty.v1+json"
IN_TOTO = "application/vnd.in-toto+json"
SIMPLE_SIGNING = "application/vnd.dev.cosign.simplesigning.v1+json"
SIGSTORE_BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
ATTESTATION = "application/vnd.docker.attestation.manifest.v1+json"
PREDICATE_TYPE = "in-toto.io/predicate-type"
PROVENANCE = "https://slsa.dev/provenance/v1"
SPDX = "https://spdx.dev/Document"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shape:
    """A manifest ready to be pushed; `blobs` are the contents that a real registry wants first, by digest."""

    body: bytes
    media_type: str
    blobs: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        return digest_of(self.body)

    @property
    def document(self) -> Json:
        found: Json = json.loads(self.body)
        return found


def digest_of(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def shape(document: Json, media_type: str, blobs: Iterable[bytes] = ()) -> Shape:
    body = json.dumps(document, indent=2).encode()
    return Shape(body, media_type, {digest_of(blob): blob for blob in blobs})


def blob_descriptor(blob: bytes, media_type: str) -> Json:
    return {"mediaType": media_type, "digest": digest_of(blob), "size": len(blob)}


def descriptor(of: Shape, platform: str = "", annotations: Mapping[str, str] | None = None) -> Json:
    found: Json = {"mediaType": of.media_type, "digest": of.digest, "size": len(of.body)}
    if platform:
        found["platform"] = dict(zip(("os", "architecture", "variant"), platform.split("/"), strict=False))
    if annotations:
        found["annotations"] = dict(annotations)
    return found


def described_as(of: Shape, media_type: str) -> Json:
    """A descriptor whose media type is not its manifest's: without platform, role or artifact type."""
    return descriptor(of) | {"mediaType": media_type}


def image(
    seed: str,
    *,
    layers: int = 1,
    layer_size: int = 0,
    docker: bool = False,
    subject: Shape | None = None,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
) -> Shape:
    """A plain image of one platform; labels are its config's, annotations its manifest's.

    `layer_size` is what its manifest says of each layer's bytes, which nobody fetches; 0: as they are.
    """
    config = json.dumps(
        {"architecture": "amd64", "os": "linux", "config": {"Labels": {"seed": seed, **(labels or {})}}}
    ).encode()
    contents = [f"layer {number} of {seed}".encode() for number in range(layers)]
    document: Json = {
        "schemaVersion": 2,
        "mediaType": DOCKER_IMAGE if docker else OCI_IMAGE,
        "config": blob_descriptor(config, DOCKER_CONFIG if docker else OCI_CONFIG),
        "layers": [blob_descriptor(blob, DOCKER_LAYER if docker else OCI_LAYER) for blob in contents],
    }
    for layer in document["layers"] if layer_size else ():
        layer["size"] = layer_size
    if subject:
        document["subject"] = descriptor(subject)
    if annotations:
        document["annotations"] = dict(annotations)
    return shape(document, document["mediaType"], [config, *contents])


def index(
    children: Sequence[Json], *, docker: bool = False, annotations: Mapping[str, str] | None = None
) -> Shape:
    """An index over descriptors (`descriptor`, `attestation_descriptor`); without any, the OCI empty index."""
    media_type = DOCKER_LIST if docker else OCI_INDEX
    document: Json = {"schemaVersion": 2, "mediaType": media_type, "manifests": list(children)}
    if annotations:
        document["annotations"] = dict(annotations)
    return shape(document, media_type)


def attestation(
    of: Shape, seed: str = "", *, artifact: bool = False, predicates: Sequence[str] = (PROVENANCE,)
) -> Shape:
    """What BuildKit pushes beside a platform: a manifest with an in-toto statement in each layer.

    Before BuildKit 0.32 an image without a subject; with `artifact`, as since then, an artifact whose subject is the platform.
    """
    statements = [
        json.dumps({"predicateType": one, "subject": of.digest, "of": seed}).encode() for one in predicates
    ]
    config = json.dumps({"architecture": "unknown", "os": "unknown", "of": of.digest}).encode()
    document: Json = {"schemaVersion": 2, "mediaType": OCI_IMAGE}
    if artifact:
        config = b"{}"
        empty = blob_descriptor(config, EMPTY) | {"data": "e30="}
        document |= {"artifactType": ATTESTATION, "config": empty, "subject": descriptor(of)}
    else:
        document["config"] = blob_descriptor(config, OCI_CONFIG)
    document["layers"] = [
        blob_descriptor(statement, IN_TOTO) | {"annotations": {PREDICATE_TYPE: one}}
        for statement, one in zip(statements, predicates, strict=True)
    ]
    return shape(document, OCI_IMAGE, [config, *statements])


def attestation_descriptor(attesting: Shape, of: Shape) -> Json:
    """How an index names an attestation: platform `unknown/unknown`, and what it belongs to in annotations."""
    return descriptor(
        attesting,
        "unknown/unknown",
        {
            "vnd.docker.reference.digest": of.digest,
            "vnd.docker.reference.type": "attestation-manifest",
        },
    )


def derived_tag(of: Shape | str, suffix: str = "") -> str:
    """`sha256-<hex>`, and with cosign's suffix `.sig`, `.att` or `.sbom`."""
    digest = of if isinstance(of, str) else of.digest
    return digest.replace(":", "-") + (f".{suffix}" if suffix else "")


def signature(of: Shape, kind: str = "sig") -> Shape:
    """What cosign pushes under `derived_tag(of, kind)`: it names its subject by its tag alone."""
    media_type = {
        "sig": SIMPLE_SIGNING,
        "att": "application/vnd.dsse.envelope.v1+json",
        "sbom": "text/spdx+json",
    }[kind]
    payload = json.dumps(
        {"critical": {"image": {"docker-manifest-digest": of.digest}, "type": kind}}
    ).encode()
    config = json.dumps({"architecture": "", "os": "", "history": [kind, of.digest]}).encode()
    return shape(
        {
            "schemaVersion": 2,
            "mediaType": OCI_IMAGE,
            "config": blob_descriptor(config, OCI_CONFIG),
            "layers": [
                blob_descriptor(payload, media_type)
                | {"annotations": {"dev.cosignproject.cosign/signature": "MEUC"}}
            ],
        },
        OCI_IMAGE,
        [config, payload],
    )


def referrer(of: Shape, seed: str = "", artifact_type: str = SIGSTORE_BUNDLE) -> Shape:
    """An OCI 1.1 referrer: an image manifest with a `subject` (cosign's new bundle, `oras attach`)."""
    payload = f"{artifact_type} {seed} of {of.digest}".encode()
    return shape(
        {
            "schemaVersion": 2,
            "mediaType": OCI_IMAGE,
            "artifactType": artifact_type,
            "config": blob_descriptor(b"{}", EMPTY),
            "layers": [blob_descriptor(payload, artifact_type)],
            "subject": descriptor(of),
        },
        OCI_IMAGE,
        [b"{}", payload],
    )


def bundle(of: Shape, seed: str = "", predicate: str = "https://sigstore.dev/cosign/sign/v1") -> Shape:
    """What cosign 3 pushes: a Sigstore bundle as a referrer, its content told by annotations."""
    payload = json.dumps({"mediaType": SIGSTORE_BUNDLE, "of": of.digest, "seed": seed}).encode()
    return shape(
        {
            "schemaVersion": 2,
            "mediaType": OCI_IMAGE,
            "artifactType": SIGSTORE_BUNDLE,
            "config": blob_descriptor(b"{}", EMPTY),
            "layers": [blob_descriptor(payload, SIGSTORE_BUNDLE)],
            "annotations": {
                "dev.sigstore.bundle.content": "dsse-envelope",
                "dev.sigstore.bundle.predicateType": predicate,
            },
            "subject": descriptor(of),
        },
        OCI_IMAGE,
        [b"{}", payload],
    )


def fallback_index(referrers: Sequence[Shape]) -> Shape:
    """What a client pushes under `derived_tag(subject)` where the registry has no referrers API."""
    return index([fallback_entry(one) for one in referrers])


def fallback_entry(referrer: Shape) -> Json:
    """How a fallback index names a referrer: with its artifact type, and its annotations copied."""
    document = referrer.document
    entry = descriptor(referrer, annotations=document.get("annotations"))
    return entry | {"artifactType": document.get("artifactType", EMPTY)}


def content_tag(seed: str) -> str:
    """`sha256-<hex>` of what somebody built from: it looks like a derived tag, and no manifest has this digest."""
    return derived_tag(digest_of(f"sources of {seed}".encode()))


def cache(seed: str, layers: int = 3) -> Shape:
    """BuildKit's registry cache as it is by default: an index of *layers*, and a config of its own type."""
    contents = [f"cached layer {number} of {seed}".encode() for number in range(layers)]
    config = json.dumps({"layers": [digest_of(blob) for blob in contents]}).encode()
    return shape(
        {
            "schemaVersion": 2,
            "mediaType": OCI_INDEX,
            "manifests": [
                *(blob_descriptor(blob, OCI_LAYER) for blob in contents),
                blob_descriptor(config, "application/vnd.buildkit.cacheconfig.v0"),
            ],
        },
        OCI_INDEX,
        [*contents, config],
    )


def artifact(seed: str, config_type: str, layer_type: str) -> Shape:
    """An artifact in the form of an image: its type is its config's."""
    config, content = json.dumps({"name": seed}).encode(), f"content of {seed}".encode()
    return shape(
        {
            "schemaVersion": 2,
            "config": blob_descriptor(config, config_type),
            "layers": [blob_descriptor(content, layer_type)],
        },
        OCI_IMAGE,
        [config, content],
    )


def helm_chart(seed: str) -> Shape:
    """`helm push`: no media type in the manifest itself."""
    return artifact(
        seed,
        "application/vnd.cncf.helm.config.v1+json",
        "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
    )


def wasm(seed: str) -> Shape:
    return artifact(seed, "application/vnd.wasm.config.v0+json", "application/wasm")


def homebrew_bottle(
    seed: str, platforms: Sequence[str] = ("darwin/arm64", "linux/amd64")
) -> tuple[Shape, list[Shape]]:
    """A bottle's index and its platforms."""
    bottles = [image(f"{seed} {platform}") for platform in platforms]
    children = [
        descriptor(one, platform, {"sh.brew.bottle.digest": digest_of(one.body)[7:]})
        for one, platform in zip(bottles, platforms, strict=True)
    ]
    return index(children, annotations={"com.github.package.type": "homebrew_bottle"}), bottles


def retired_artifact(of: Shape | None, seed: str) -> Shape:
    """The artifact manifest that image-spec 1.1 had and took back: blobs, and perhaps a subject."""
    blob = f"blob of {seed}".encode()
    document: Json = {
        "mediaType": ARTIFACT,
        "artifactType": "application/vnd.cncf.notary.signature",
        "blobs": [blob_descriptor(blob, "application/jose+json")],
    }
    if of:
        document["subject"] = descriptor(of)
    return shape(document, ARTIFACT, [blob])


def schema1(seed: str) -> Shape:
    """Docker's first form, unsigned."""
    return shape(
        {
            "schemaVersion": 1,
            "name": seed,
            "tag": "latest",
            "architecture": "amd64",
            "fsLayers": [{"blobSum": digest_of(seed.encode())}, {"blobSum": digest_of(b"base")}],
            "history": [{"v1Compatibility": "{}"}, {"v1Compatibility": "{}"}],
        },
        SCHEMA1,
    )
