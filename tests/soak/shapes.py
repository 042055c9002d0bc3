"""Shapes that are put together for the random worlds, in few words: a world's text is read by people."""

from __future__ import annotations

from emulator.shapes import (
    OCI_IMAGE,
    PROVENANCE,
    SPDX,
    Shape,
    attestation,
    attestation_descriptor,
    bundle,
    cache,
    content_tag,
    derived_tag,
    described_as,
    descriptor,
    fallback_index,
    helm_chart,
    image,
    index,
    referrer,
    retired_artifact,
    signature,
)

__all__ = [
    "PROVENANCE",
    "SPDX",
    "attestation",
    "bundle",
    "cache",
    "content_tag",
    "derived_tag",
    "fallback_index",
    "gone",
    "helm_chart",
    "image",
    "index_of",
    "referrer",
    "retired_artifact",
    "signature",
]


def gone(seed: str) -> Shape:
    """An image that is never pushed."""
    return image(f"{seed} nowhere")


def index_of(
    *children: Shape,
    attested: tuple[tuple[Shape, Shape], ...] = (),
    plain: tuple[Shape, ...] = (),
    typed: tuple[Shape, ...] = (),
    docker: bool = False,
    seed: str = "",
) -> Shape:
    """An index.

    Args:
        children: what it names with a platform.
        attested: attestations, each with what it is said to be about.
        plain: indexes and others, described as plain manifests without a platform.
        typed: what it names with a media type that is no manifest's.
        docker: in Docker's form.
        seed: makes it another one than an index over the same children.
    """
    entries = [descriptor(one, "linux/amd64") for one in children]
    for proof, about in attested:
        entries.append(attestation_descriptor(proof, about))
    entries += [described_as(one, OCI_IMAGE) for one in plain]
    entries += [described_as(one, "application/vnd.example.odd.v1") for one in typed]
    marked = {"org.opencontainers.image.revision": seed} if seed else None
    return index(entries, docker=docker, annotations=marked)
