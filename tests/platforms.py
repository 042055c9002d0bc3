"""An image whose platforms state when it expires, each by an annotation of its manifest or the label of its config."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from package_retention.decide.expiry import Expiry, image_expiry
from package_retention.decide.facts import Facts
from package_retention.model import (
    Descriptor,
    Manifest,
    Owner,
    OwnerKind,
    Package,
    PackageType,
    Unreadable,
    Version,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

INDEX = "application/vnd.oci.image.index.v1+json"
IMAGE = "application/vnd.oci.image.manifest.v1+json"
PACKAGE = Package(Owner("octo", OwnerKind.ORGANIZATION), PackageType.CONTAINER, "app")


class Platform(Struct, frozen=True):
    annotation: str | None = None
    label: str | Unreadable | None = None

    @property
    def stated(self) -> str | Unreadable | None:
        return self.label if self.annotation is None else self.annotation


def expiry(
    annotation: str | None, platforms: Sequence[Platform], touched: datetime | None, now: datetime
) -> Expiry:
    """Return the expiry of an index with this annotation and these platforms."""
    manifests = [
        Manifest(f"sha256:{n}", IMAGE, config=f"config of {n}", expires_after=platform.annotation)
        for n, platform in enumerate(platforms)
    ]
    children = tuple(Descriptor(one.digest, IMAGE) for one in manifests)
    index = Manifest("sha256:index", INDEX, is_index=True, children=children, expires_after=annotation)
    version = Version(1, index.digest, touched, touched)
    facts = Facts(
        PACKAGE,
        (version,),
        (version,),
        readings={one.digest: one for one in (index, *manifests)},
        labels={f"config of {n}": platform.label for n, platform in enumerate(platforms)},
    )
    return image_expiry(facts, version, now)
