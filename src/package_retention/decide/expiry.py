"""Find when an image expires by its own label `quay.expires-after`, and what must be read before that is known.

The annotation of an index decides alone. Of any other image every platform must state an expiry, and the longest
counts. What does not state one, or not one above zero, does not expire; what could not be read is not known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from package_retention.decide.facts import Facts
from package_retention.decide.graph import is_attestation
from package_retention.model import Manifest, Unreadable, Version
from package_retention.reason import Condition

KEY = "quay.expires-after"

# Quay's documentation names hours, days and weeks. Its code also takes `m` for minutes, which elsewhere in our inputs
# may mean months, so it is refused here as there.
_FORM = re.compile(r"([0-9]{1,9})([hdw])")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_LONGEST = timedelta(days=366_000)


class PlatformExpiry(Struct, frozen=True):
    """What one platform states: the annotation of its manifest, and the label of its config.

    The label is needed only if neither the index nor the manifest has the annotation.
    """

    digest: str
    annotation: str | None = None
    label: str | Unreadable | None = None

    @property
    def stated(self) -> str | Unreadable | None:
        """The annotation, or else the label."""
        return self.label if self.annotation is None else self.annotation


class Expires(Struct, frozen=True):
    """The image expires at `at` (or did); `text` is the duration as written."""

    at: datetime
    text: str
    expired: bool


class NotStated(Struct, frozen=True):
    """The platform `digest` (empty: the image has no platform) states no expiry: the image does not expire."""

    digest: str = ""


class InvalidExpiry(Struct, frozen=True):
    """`text` is not a duration above zero, so the image does not expire; `digest` is the platform, empty for the index."""

    text: str
    digest: str = ""


class UnreadExpiry(Struct, frozen=True):
    """The config of the platform `digest` could not be read: the image stays, and the run fails."""

    digest: str
    why: str


class UndatedExpiry(Struct, frozen=True):
    """The image has no date to count from: it stays."""

    text: str


Expiry = Expires | NotStated | InvalidExpiry | UnreadExpiry | UndatedExpiry


def parse_duration(text: str) -> timedelta | None:
    """Return the duration `1h`, `2d` or `3w` means; `None` unless it is one, above zero and at most 1,000 years."""
    if not (found := _FORM.fullmatch(text)) or not (number := int(found[1])):
        return None
    unit = _UNITS[found[2]]
    return number * unit if number <= _LONGEST / unit else None


def judge_expiry(
    index_annotation: str | None,
    platforms: Sequence[PlatformExpiry],
    touched_at: datetime | None,
    now: datetime,
) -> Expiry:
    """Return when an image expires by what its index or its platforms state.

    `index_annotation` is that of an index itself, which then decides alone; `platforms` are those of the index without
    its attestations, or the one manifest. Time counts from `touched_at`, the later of the version's two dates.
    """
    if index_annotation is not None:
        platforms = (PlatformExpiry("", index_annotation),)
    problems = [problem for platform in platforms if (problem := _problem(platform))]
    if problems or not platforms:
        # An unread config comes first, since it fails the run regardless of the other platforms.
        return min(problems, key=_severity, default=NotStated())
    text, duration = max(map(_stated_duration, platforms), key=lambda pair: pair[1])
    if touched_at is None:
        return UndatedExpiry(text)
    at = touched_at + duration
    return Expires(at, text, expired=at <= now)


def _stated_duration(platform: PlatformExpiry) -> tuple[str, timedelta]:
    text = str(platform.stated)
    return text, parse_duration(text) or timedelta.max


def _problem(platform: PlatformExpiry) -> UnreadExpiry | InvalidExpiry | NotStated | None:
    match platform.stated:
        case Unreadable(why):
            return UnreadExpiry(platform.digest, why)
        case None:
            return NotStated(platform.digest)
        case text:
            return None if parse_duration(text) else InvalidExpiry(text, platform.digest)


def _severity(problem: UnreadExpiry | InvalidExpiry | NotStated) -> int:
    return (UnreadExpiry, InvalidExpiry, NotStated).index(type(problem))


def expiry_condition(expiry: Expiry, now: datetime) -> Condition:
    """Return whether `expired` holds for an image; `texts` hold the duration as the image states it."""
    match expiry:
        case Expires(at, text, expired):
            return Condition("expired", "true", holds=expired, age=now - at, texts=(text,))
        case InvalidExpiry(text):
            return Condition("expired", "true", holds=False, texts=(text,))
        case NotStated():
            return Condition("expired", "true", holds=False)
        case _:
            return Condition("expired", "true", holds=None)


class ToRead(Struct, frozen=True):
    """Digests of the manifests and configs without which it is not known whether an image expires."""

    manifests: tuple[str, ...] = ()
    configs: tuple[str, ...] = ()


def image_expiry(facts: Facts, version: Version, now: datetime) -> Expiry | ToRead:
    """Return when an image expires, or what must be read first.

    A platform that is not in the registry states nothing, so an image that names one never expires.
    """
    manifest = facts.readings.get(version.name)
    if isinstance(manifest, Manifest) and manifest.is_index and manifest.expires_after is not None:
        return judge_expiry(manifest.expires_after, (), version.touched_at, now)
    found = list(_platforms(facts, version.name, set()))
    manifests = tuple(one for one in found if isinstance(one, str))
    platforms = [one for one in found if isinstance(one, PlatformExpiry)]
    configs = tuple(
        config for one in platforms if (config := _config(facts, one)) and config not in facts.labels
    )
    if manifests or configs:
        return ToRead(manifests, configs)
    return judge_expiry(None, [_labelled(facts, one) for one in platforms], version.touched_at, now)


def _platforms(facts: Facts, digest: str, seen: set[str]) -> Iterator[PlatformExpiry | str]:
    """Yield what each platform below a manifest states, or the digest of one that was not read."""
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
    """Return the config to read a platform's label from; empty if an annotation decides, or if it has none."""
    manifest = facts.readings.get(platform.digest)
    return manifest.config if isinstance(manifest, Manifest) and platform.annotation is None else ""


def _labelled(facts: Facts, platform: PlatformExpiry) -> PlatformExpiry:
    label = facts.labels.get(_config(facts, platform))
    return PlatformExpiry(platform.digest, platform.annotation, label)
