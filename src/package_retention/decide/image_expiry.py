"""What an image says of its own end, from the manifests and configs that were read; and what is still to be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from package_retention.decide.expiry import PlatformExpiry, judge
from package_retention.decide.graph import is_attestation
from package_retention.model import Manifest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from package_retention.decide.expiry import Expiry
    from package_retention.decide.facts import Facts
    from package_retention.model import Version


@dataclass(frozen=True, slots=True)
class ToRead:
    """Digests of the manifests and configs without which it is not known whether an image expires."""

    manifests: tuple[str, ...] = ()
    configs: tuple[str, ...] = ()


def image_expiry(facts: Facts, version: Version, now: datetime) -> Expiry | ToRead:
    """Return when an image expires, or what is to be read first.

    A platform that is not in the registry says nothing, so an image that names one never expires.
    """
    manifest = facts.readings.get(version.name)
    if isinstance(manifest, Manifest) and manifest.is_index and manifest.expires_after is not None:
        return judge(manifest.expires_after, (), version.touched_at, now)
    found = list(_platforms(facts, version.name, set()))
    manifests = tuple(one for one in found if isinstance(one, str))
    platforms = [one for one in found if isinstance(one, PlatformExpiry)]
    configs = tuple(
        config for one in platforms if (config := _config(facts, one)) and config not in facts.labels
    )
    if manifests or configs:
        return ToRead(manifests, configs)
    return judge(None, [_labelled(facts, one) for one in platforms], version.touched_at, now)


def _platforms(facts: Facts, digest: str, seen: set[str]) -> Iterator[PlatformExpiry | str]:
    """Yield what each platform below a manifest says, or the digest of one that was not read."""
    if digest in seen:
        return
    seen.add(digest)
    if digest not in facts.readings:
        yield digest
        return
    manifest = facts.readings[digest]
    if not isinstance(manifest, Manifest):
        yield PlatformExpiry(digest)
    elif manifest.is_index and manifest.expires_after is None:
        for child in manifest.children:
            if not is_attestation(child):
                yield from _platforms(facts, child.digest, seen)
    else:
        yield PlatformExpiry(digest, manifest.expires_after)


def _config(facts: Facts, platform: PlatformExpiry) -> str:
    """The config to read a platform's label from; empty where an annotation decides, or none is an image's."""
    manifest = facts.readings.get(platform.digest)
    return manifest.config if isinstance(manifest, Manifest) and platform.annotation is None else ""


def _labelled(facts: Facts, platform: PlatformExpiry) -> PlatformExpiry:
    label = facts.labels.get(_config(facts, platform))
    return PlatformExpiry(platform.digest, platform.annotation, label)
