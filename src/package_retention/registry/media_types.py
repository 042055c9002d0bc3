"""The media types of manifests, and what a request accepts (facts D; image-spec `media-types.md`)."""

from __future__ import annotations

from enum import Enum

from package_retention.decide.graph import INDEX_TYPES


class Form(Enum):
    """The four shapes a manifest can have."""

    INDEX = "index"
    IMAGE = "image"
    ARTIFACT = "artifact"
    SCHEMA1 = "schema 1"


FORMS = {
    **dict.fromkeys(INDEX_TYPES, Form.INDEX),
    "application/vnd.oci.image.manifest.v1+json": Form.IMAGE,
    "application/vnd.docker.distribution.manifest.v2+json": Form.IMAGE,
    # Retired before OCI 1.1 was final; oras and notation pushed it for a while.
    "application/vnd.oci.artifact.manifest.v1+json": Form.ARTIFACT,
    "application/vnd.docker.distribution.manifest.v1+prettyjws": Form.SCHEMA1,
    "application/vnd.docker.distribution.manifest.v1+json": Form.SCHEMA1,
}

ACCEPT = ", ".join(FORMS)


def essence(text: str) -> str:
    """A media type without its parameters, in lower case."""
    return text.split(";", 1)[0].strip().lower()


def is_manifest(media_type: str) -> bool:
    """Whether a descriptor of this media type names a manifest (a layer, a config or a blob is none)."""
    return essence(media_type) in FORMS
