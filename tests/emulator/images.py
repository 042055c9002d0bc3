"""Whole images in a package of the embedded GitHub, pushed as real clients push them: children before their index."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from emulator import shapes
from emulator.rules import time_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from emulator.shapes import Shape
    from emulator.stored import StoredPackage, StoredVersion
    from emulator.world import World

Signed = Literal["", "cosign", "bundle"]
Attested = bool | Literal["image", "artifact"]
"""BuildKit's attestations: as images (True, before 0.32), or as artifacts with a subject."""


@dataclass(frozen=True, slots=True)
class PushedImage:
    """What a push left in the package; `versions` holds every member in the order of the push."""

    root: Shape
    platforms: tuple[Shape, ...]
    attestations: tuple[Shape, ...]
    referrers: tuple[Shape, ...]
    versions: tuple[StoredVersion, ...]

    @property
    def digest(self) -> str:
        return self.root.digest

    @property
    def children(self) -> tuple[str, ...]:
        return tuple(one.digest for one in (*self.platforms, *self.attestations))

    @property
    def members(self) -> tuple[str, ...]:
        """Every digest that belongs to the image, its root's too."""
        return tuple(version.name for version in self.versions)

    @property
    def ids(self) -> tuple[int, ...]:
        return tuple(version.id for version in self.versions)

    @property
    def root_version(self) -> StoredVersion:
        return next(version for version in self.versions if version.name == self.digest)


def push_image(
    world: World,
    package: StoredPackage,
    tags: Iterable[str] = (),
    *,
    platforms: Sequence[str] = ("linux/amd64", "linux/arm64"),
    attestations: Attested = False,
    signed: Signed = "",
    created: datetime | float = 10,
    seed: str = "",
    docker: bool = False,
    downloads: int = 0,
    tag_platforms: bool = False,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    layer_size: int = 0,
) -> PushedImage:
    """Push an image; without `platforms` a plain one, else an index over them.

    `created` is a time, or days ago: of the first child; each further member comes a second later. `attestations` are
    BuildKit's, one a platform. `signed`: `cosign` pushes `sha256-<hex>.sig`, `bundle` an OCI referrer and its
    `sha256-<hex>` fallback index. `tag_platforms` tags each `<tag>-<architecture>` for each of the tags. `labels` are
    those of each platform's config, `annotations` the root's. The same `seed` gives the same digests; without one every
    image is new.
    """
    push = _Push(world, package, created)
    seed = seed or f"{package.name} {len(package.versions)}"
    own = None if platforms else annotations
    built = tuple(
        shapes.image(
            f"{seed} {platform}".strip(),
            layer_size=layer_size,
            docker=docker,
            labels=labels,
            annotations=own,
        )
        for platform in platforms or ("",)
    )
    if not platforms:
        push(built[0], tags, downloads=downloads)
        return _signed(world, package, PushedImage(built[0], (), (), (), ()), signed, push)
    tags = tuple(tags)
    for one, platform in zip(built, platforms, strict=True):
        architecture = platform.split("/")[1]
        push(one, [f"{tag}-{architecture}" for tag in tags] if tag_platforms else ())
    image = _indexed(push, built, platforms, seed, attestations, docker=docker, annotations=annotations)
    push(image.root, tags, downloads=downloads)
    return _signed(world, package, image, signed, push)


def push_rebuild(
    world: World,
    package: StoredPackage,
    of: PushedImage,
    tags: Iterable[str] = (),
    *,
    platforms: Sequence[str] = ("linux/amd64", "linux/arm64"),
    attestations: Attested = "artifact",
    created: datetime | float = 5,
    seed: str = "",
) -> PushedImage:
    """Push what a build from cache pushes: an index over the platforms that `of` has, each with an attestation of its own."""
    push = _Push(world, package, created)
    for one in of.platforms:
        push(one)
    seed = seed or f"{package.name} {len(package.versions)}"
    annotations = {"org.opencontainers.image.revision": seed}
    image = _indexed(push, of.platforms, platforms, seed, attestations, annotations=annotations)
    push(image.root, tags)
    return _signed(world, package, image, "", push)


def _indexed(
    push: _Push,
    built: Sequence[Shape],
    platforms: Sequence[str],
    seed: str,
    attestations: Attested,
    *,
    docker: bool = False,
    annotations: Mapping[str, str] | None = None,
) -> PushedImage:
    """Push the attestations, and give the image whose index is still to be pushed."""
    artifact = attestations == "artifact"
    proofs = [shapes.attestation(one, seed, artifact=artifact) for one in built] if attestations else []
    for proof in proofs:
        push(proof)
    entries = [shapes.descriptor(one, platform) for one, platform in zip(built, platforms, strict=True)]
    entries += [shapes.attestation_descriptor(proof, one) for proof, one in zip(proofs, built, strict=False)]
    root = shapes.index(entries, docker=docker, annotations=annotations)
    return PushedImage(root, tuple(built), tuple(proofs), (), ())


def _signed(
    world: World, package: StoredPackage, image: PushedImage, signed: Signed, push: _Push
) -> PushedImage:
    referrers = push_signature(world, package, image.root, signed, push=push) if signed else ()
    return replace(image, referrers=referrers, versions=tuple(push.versions))


def push_signature(
    world: World,
    package: StoredPackage,
    subject: Shape,
    signed: Signed = "cosign",
    *,
    created: datetime | float = 10,
    push: _Push | None = None,
) -> tuple[Shape, ...]:
    """Sign a manifest that may be there or not; gives what was pushed."""
    push = push or _Push(world, package, created)
    if signed == "cosign":
        signature = shapes.signature(subject)
        push(signature, [shapes.derived_tag(subject, "sig")])
        return (signature,)
    bundle = shapes.referrer(subject)
    return bundle, *_attach(push, package, subject, [bundle])


def attach(
    world: World,
    package: StoredPackage,
    subject: Shape,
    *referrers: Shape,
    created: datetime | float = 5,
    racing: bool = False,
) -> tuple[StoredVersion, ...]:
    """Attach referrers one after the other, as cosign 3 and `oras attach` do; gives the versions of all that was pushed.

    Each writes the fallback index anew under `sha256-<hex>`; the one before it becomes an untagged version. `racing`:
    all of them read that index before any of them writes it, so its tag names the last one alone, besides what was there.
    """
    push = _Push(world, package, created)
    groups = [list(referrers)] if racing else [[one] for one in referrers]
    for group in groups:
        _attach(push, package, subject, group)
    return tuple(push.versions)


def _attach(
    push: _Push, package: StoredPackage, subject: Shape, referrers: Sequence[Shape]
) -> tuple[Shape, ...]:
    """Push referrers, then for each of them the index as it was before them all, with that one added."""
    tag = shapes.derived_tag(subject)
    there = package.by_tag(tag)
    before = json.loads(there.manifest or b"{}").get("manifests", []) if there else []
    for one in referrers:
        push(one)
    made = []
    for one in referrers:
        entry = shapes.fallback_entry(one)
        made.append(shapes.index(before if entry in before else [*before, entry]))
        push(made[-1], [tag])
    return tuple(made)


class _Push:
    """Adds versions a second apart; a digest that is there only gets the tags."""

    def __init__(self, world: World, package: StoredPackage, created: datetime | float) -> None:
        self._world = world
        self._package = package
        self._at = time_of(created, world.clock())
        self.versions: list[StoredVersion] = []

    def __call__(self, one: Shape, tags: Iterable[str] = (), *, downloads: int = 0) -> StoredVersion:
        version = self._package.by_digest(one.digest)
        if version is None:
            version = self._world.add_image(self._package, one, *tags, created=self._at, downloads=downloads)
        else:
            for tag in tags:
                self._world.move_tag(self._package, tag, version)
            version.updated_at = self._at
        self._at += timedelta(seconds=1)
        self.versions.append(version)
        return version
