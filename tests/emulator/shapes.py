"""Manifests as the field's tools push them: bytes, media type and digest; pure, and different for each `seed`.

The forms are those of image-spec 1.1, Docker's schema 1 and 2, BuildKit (attestations, `--cache-to type=registry`),
cosign, Helm, wasm-to-oci, Homebrew, and oras before OCI 1.1 was final.
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


def image(seed: str, *, layers: int = 1, docker: bool = False, subject: Shape | None = None) -> Shape:
    """A plain image of one platform."""
    config = json.dumps(
        {"architecture": "amd64", "os": "linux", "config": {"Labels": {"seed": seed}}}
    ).encode()
    contents = [f"layer {number} of {seed}".encode() for number in range(layers)]
    document: Json = {
        "schemaVersion": 2,
        "mediaType": DOCKER_IMAGE if docker else OCI_IMAGE,
        "config": blob_descriptor(config, DOCKER_CONFIG if docker else OCI_CONFIG),
        "layers": [blob_descriptor(blob, DOCKER_LAYER if docker else OCI_LAYER) for blob in contents],
    }
    if subject:
        document["subject"] = descriptor(subject)
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


def attestation(of: Shape) -> Shape:
    """What BuildKit pushes beside a platform: an image manifest whose one layer is an in-toto statement."""
    statement = json.dumps({"_type": "https://in-toto.io/Statement/v0.1", "subject": of.digest}).encode()
    config = json.dumps({"architecture": "unknown", "os": "unknown", "of": of.digest}).encode()
    return shape(
        {
            "schemaVersion": 2,
            "mediaType": OCI_IMAGE,
            "config": blob_descriptor(config, OCI_CONFIG),
            "layers": [
                blob_descriptor(statement, IN_TOTO)
                | {"annotations": {"in-toto.io/predicate-type": "https://slsa.dev/provenance/v0.2"}}
            ],
        },
        OCI_IMAGE,
        [config, statement],
    )


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


def fallback_index(referrers: Sequence[Shape]) -> Shape:
    """What a client pushes under `derived_tag(subject)` where the registry has no referrers API."""
    return index(
        [descriptor(one) | {"artifactType": one.document.get("artifactType", EMPTY)} for one in referrers]
    )


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


def hostile() -> dict[str, Shape]:
    """Manifests that somebody might push to harm whoever reads them, by what is wrong with them."""
    good = image("good")
    child = descriptor(good, "linux/amd64")
    wrong: dict[str, Json] = {
        "manifests is a text": {"manifests": "all of them"},
        "an entry is a number": {"manifests": [1]},
        "a digest is a path": {"manifests": [child | {"digest": "../../token"}]},
        "a digest is too short": {"manifests": [child | {"digest": "sha256:abc"}]},
        "a digest is a list": {"manifests": [child | {"digest": [good.digest]}]},
        "a media type is missing": {"manifests": [{"digest": good.digest, "size": 1}]},
        "a media type is an object": {"manifests": [child | {"mediaType": {}}]},
        "a platform is a text": {"manifests": [child | {"platform": "linux/amd64"}]},
        "annotations are a list": {"manifests": [child | {"annotations": ["x"]}]},
        "a size is a text": {"manifests": [child | {"size": "1"}]},
        "half a character": {"manifests": [child | {"platform": {"os": "\ud800", "architecture": "x"}}]},
        "the subject is a text": {"manifests": [], "subject": good.digest},
        "the subject is empty": {"manifests": [], "subject": {}},
        "index and image in one": {"manifests": [child], "layers": [child], "config": child},
        "another spelling": {"manifests": [], "Manifests": [child]},
        "no list at all": {},
    }
    found = {
        why: shape({"schemaVersion": 2, "mediaType": OCI_INDEX} | part, OCI_INDEX)
        for why, part in wrong.items()
    }
    image_with_children = good.document | {"manifests": [child]}
    found["an image that lists manifests"] = shape(image_with_children, OCI_IMAGE)
    found["says image, sent as index"] = Shape(good.body, OCI_INDEX)
    found["says nothing"] = shape({"schemaVersion": 2}, "application/json")
    bodies = {
        "a list": b"[]",
        "a number": b"17",
        "no JSON": b"<html>Sign in</html>",
        "nothing": b"",
        "not UTF-8": b'{"manifests": ["\xff\xfe"]}',
        "a key twice": b'{"schemaVersion": 2, "manifests": [], "manifests": []}',
        "a number that is none": b'{"schemaVersion": NaN, "manifests": []}',
        "a number without end": b'{"schemaVersion": ' + b"9" * 10_000 + b', "manifests": []}',
        "too deep": b'{"manifests": ' + b"[" * 200_000 + b"]" * 200_000 + b"}",
        "too large": b'{"manifests": []' + b" " * (9 * 1024 * 1024) + b"}",
    }
    return found | {why: Shape(body, OCI_INDEX) for why, body in bodies.items()}
