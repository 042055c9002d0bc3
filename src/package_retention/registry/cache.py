"""Carry manifests over from run to run in a file, so that a nightly run requests only those that are new.

The cache decides nothing. Whoever can write the file must not be able to change what a run does, so an entry has
nothing but the manifest's bytes: its digest is computed from them, and its media type is the one that it names itself.
A digest that the newest list does not hold is always requested from the registry, and a 404 is never kept.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, KeysView
from threading import Lock
from typing import Literal

import msgspec

from package_retention.model import Manifest
from package_retention.registry import manifests
from package_retention.registry.manifests import FORMS, Form, InvalidJsonError
from package_retention.transport.exchange import MAX_BODY

MAX_BYTES = 200 * 1024 * 1024
"""A repository's caches hold 10 GB in all; 100,000 manifests take about 150 MB."""

# A line of the file: the number of its format, the package, and the bytes, each as a character.
_Line = tuple[Literal[1], str, str]
_FIELDS = {Form.INDEX: ("manifests",), Form.IMAGE: ("config", "layers"), Form.ARTIFACT: ("blobs",)}


class ManifestCache:
    """The manifests of several packages by digest; safe in threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._bodies: dict[tuple[str, str], bytes] = {}
        self._listed: dict[str, frozenset[str]] = {}

    @classmethod
    def load(cls, content: bytes) -> ManifestCache:
        """Read the file's content, without the entries that do not fit."""
        cache = cls()
        for line in content.splitlines():
            if entry := _entry(line):
                package, body = entry
                cache._bodies[package, manifests.digest_of(body)] = body
        return cache

    def find(self, package: str, digest: str) -> Manifest | None:
        """Return a manifest of a package; drop it if its bytes do not prove what it is."""
        with self._lock:
            body = self._bodies.get((package, digest))
        if body is None:
            return None
        found = proved(body, digest)
        if found is None:
            with self._lock:
                self._bodies.pop((package, digest), None)
        return found

    def add(self, package: str, digest: str, body: bytes, read: Manifest) -> None:
        """Keep a manifest that the registry sent, if its bytes alone are read as the same."""
        if proved(body, digest) == read:
            with self._lock:
                self._bodies[package, digest] = body

    def listed(self, package: str, digests: Collection[str]) -> None:
        """Record what the newest list of a package holds: the file leaves out the package's other manifests."""
        with self._lock:
            self._listed[package] = frozenset(digests)

    def dump(self, most: int = MAX_BYTES) -> Iterator[bytes]:
        """Yield the file's lines, at most `most` bytes in all: packages that this run listed come first."""
        with self._lock:
            kept = sorted(self._bodies.items(), key=lambda entry: (entry[0][0] not in self._listed, entry[0]))
            listed = dict(self._listed)
        room = most
        for (package, digest), body in kept:
            if digest not in listed.get(package, (digest,)):
                continue
            line = json.dumps([1, package, body.decode("latin-1")]).encode() + b"\n"
            room -= len(line)
            if room < 0:
                return
            yield line


def proved(body: bytes, digest: str) -> Manifest | None:
    """Read a manifest from its own bytes alone; `None` unless they prove the digest and name one form that fits.

    Only the SHA-256 of the bytes themselves counts. The digest of a signed schema 1 manifest is of its payload: such a
    body was forged to prove an index's digest with none of the index's children.
    """
    if len(body) > MAX_BODY or manifests.digest_of(body) != digest:
        return None
    try:
        found = manifests.document(body, manifests.FIELDS)
        read = manifests.manifest(found, "", digest)
    except InvalidJsonError:
        return None
    return read if read.media_type in FORMS and _fits(found.keys(), FORMS[read.media_type]) else None


def _fits(fields: KeysView[str], form: Form) -> bool:
    """Return whether a manifest has the fields of its form, and none of another form."""
    others = {name for other, names in _FIELDS.items() if other is not form for name in names}
    return (
        form in _FIELDS and _FIELDS[form][0] in fields and not others & fields and "signatures" not in fields
    )


def _entry(line: bytes) -> tuple[str, bytes] | None:
    try:
        _, package, body = msgspec.json.decode(line, type=_Line)
        return package, body.encode("latin-1")
    except ValueError:
        return None
