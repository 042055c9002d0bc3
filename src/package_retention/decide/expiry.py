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
from package_retention.model import Manifest, Reading, Unreadable, Version
from package_retention.reason import Condition

KEY = "quay.expires-after"

# Quay's documentation names hours, days and weeks. Its code also takes `m` for minutes, which elsewhere in our inputs
# may mean months, so it is refused here as there.
_FORM = re.compile(r"([0-9]{1,9})([hdw])")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_LONGEST = timedelta(days=366_000)


class ToRead(Struct, frozen=True):
    """Digests of the manifests and configs without which it is not known whether an image expires."""

    manifests: tuple[str, ...] = ()
    configs: tuple[str, ...] = ()


class Expiry(Struct, frozen=True):
    """Whether an image has `expired` (`None`: not known), and `at` what moment it did or will.

    `text` is the duration as the image states it; without `at` it is none. `to_read` must be read before more is known.
    """

    expired: bool | None
    at: datetime | None = None
    text: str | None = None
    to_read: ToRead | None = None

    @property
    def invalid(self) -> str | None:
        """What is stated and no duration, so that the image does not expire."""
        return self.text if self.at is None else None

    def condition(self, now: datetime) -> Condition:
        """Return whether `expired` holds for the image."""
        age = None if self.at is None else now - self.at
        return Condition("expired", "true", self.expired, age, self.text)


def parse_duration(text: str) -> timedelta | None:
    """Return the duration `1h`, `2d` or `3w` means; `None` unless it is one, above zero and at most 1,000 years."""
    if not (found := _FORM.fullmatch(text)) or not (number := int(found[1])):
        return None
    unit = _UNITS[found[2]]
    return number * unit if number <= _LONGEST / unit else None


def image_expiry(facts: Facts, version: Version, now: datetime) -> Expiry:
    """Return when an image expires by what it or its platforms state; time counts from the later of its two dates.

    An annotation comes before the label of a config. A platform that is not in the registry states nothing, so an image
    that names one never expires.
    """
    stated: list[str | Unreadable | None] = []
    manifests: list[str] = []
    configs: list[str] = []
    for digest, reading in _platforms(facts, version.name, set()):
        if reading is None:
            manifests.append(digest)
        elif not isinstance(reading, Manifest):
            stated.append(None)
        elif reading.expires_after is not None or not reading.config:
            stated.append(reading.expires_after)
        elif reading.config in facts.labels:
            stated.append(facts.labels[reading.config])
        else:
            configs.append(reading.config)
    if manifests or configs:
        return Expiry(None, to_read=ToRead(tuple(manifests), tuple(configs)))
    return _expiry(stated, version.touched_at, now)


def _platforms(facts: Facts, digest: str, seen: set[str]) -> Iterator[tuple[str, Reading | None]]:
    """Yield the platforms below a manifest, and what was read of each; an index that states an expiry is one itself."""
    if digest in seen:
        return
    seen.add(digest)
    reading = facts.readings.get(digest)
    if isinstance(reading, Manifest) and reading.is_index and reading.expires_after is None:
        for child in reading.children:
            if not is_attestation(child):
                yield from _platforms(facts, child.digest, seen)
    else:
        yield digest, reading


def _expiry(stated: Sequence[str | Unreadable | None], touched_at: datetime | None, now: datetime) -> Expiry:
    """Return when an image expires of whose platforms each states a duration, or something else, or nothing."""
    # An unread config comes first, since it fails the run regardless of the other platforms.
    if any(isinstance(one, Unreadable) for one in stated):
        return Expiry(None)
    texts = [one for one in stated if isinstance(one, str)]
    durations = {text: length for text in texts if (length := parse_duration(text))}
    invalid = next((text for text in texts if text not in durations), None)
    if invalid is not None or None in stated or not stated:
        return Expiry(expired=False, text=invalid)
    if touched_at is None:
        return Expiry(None)
    longest = max(durations, key=durations.__getitem__)
    at = touched_at + durations[longest]
    return Expiry(at <= now, at, longest)
