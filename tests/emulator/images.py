"""Whole images in a package of the embedded GitHub, pushed as real clients push them: children before their index."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from emulator import shapes
from emulator.rules import time_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from emulator.shapes import Shape
    from emulator.stored import StoredPackage, StoredVersion
    from emulator.world import World

Signed = Literal["", "cosign", "bundle"]


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
    attestations: bool = False,
    signed: Signed = "",
    created: datetime | float = 10,
    seed: str = "",
    docker: bool = False,
    downloads: int = 0,
) -> PushedImage:
    """Push an image; without `platforms` a plain one, else an index over them.

    `created` is a time, or days ago: of the first child; each further member comes a second later. `attestations` are
    BuildKit's, one a platform. `signed`: `cosign` pushes `sha256-<hex>.sig`, `bundle` an OCI referrer and its
    `sha256-<hex>` fallback index. The same `seed` gives the same digests; without one every image is new.
    """
    push = _Push(world, package, created)
    seed = seed or f"{package.name} {len(package.versions)}"
    built = tuple(
        shapes.image(f"{seed} {platform}".strip(), docker=docker) for platform in platforms or ("",)
    )
    proofs = tuple(shapes.attestation(one) for one in built) if attestations else ()
    if platforms:
        entries = [shapes.descriptor(one, platform) for one, platform in zip(built, platforms, strict=True)]
        entries += [
            shapes.attestation_descriptor(proof, one) for proof, one in zip(proofs, built, strict=False)
        ]
        root = shapes.index(entries, docker=docker)
        for one in (*built, *proofs):
            push(one)
    else:
        (root,), built, proofs = built, (), ()
    push(root, tags, downloads=downloads)
    referrers = push_signature(world, package, root, signed, push=push) if signed else ()
    return PushedImage(root, built, proofs, referrers, tuple(push.versions))


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
    fallback = shapes.fallback_index([bundle])
    push(bundle)
    push(fallback, [shapes.derived_tag(subject)])
    return bundle, fallback


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
