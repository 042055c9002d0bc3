"""A cache of manifests proves what it holds by its own bytes, and answers for nothing else."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from emulator import shapes
from package_retention.model import Manifest
from package_retention.registry import cache as caches
from package_retention.registry.cache import ManifestCache, proved
from package_retention.registry.manifests import digest_of, parse

PACKAGE = "ghcr.io/octo/app"


def read(one: shapes.Shape) -> Manifest:
    found = parse(one.body, one.media_type, one.digest)
    assert isinstance(found, Manifest)
    return found


def reloaded(cache: ManifestCache) -> ManifestCache:
    return ManifestCache.load(b"".join(cache.dump()))


def index() -> shapes.Shape:
    return shapes.index([shapes.descriptor(shapes.image("amd"), "linux/amd64")])


@pytest.mark.parametrize("one", [shapes.image("app"), index()], ids=["image", "index"])
def test_what_was_read_answers_in_the_next_run(one: shapes.Shape) -> None:
    cache = ManifestCache()
    cache.add(PACKAGE, one.digest, one.body, read(one))
    assert reloaded(cache).find(PACKAGE, one.digest) == read(one)
    assert reloaded(cache).find("ghcr.io/octo/other", one.digest) is None


def body_of(**fields: Any) -> bytes:
    return json.dumps(fields).encode()


@pytest.mark.parametrize(
    "body",
    [
        body_of(config={"digest": shapes.image("a").digest, "mediaType": "x"}, layers=[]),
        body_of(mediaType="application/example", manifests=[]),
        body_of(mediaType=shapes.OCI_IMAGE, manifests=[]),
        body_of(mediaType=shapes.OCI_INDEX, manifests=[], layers=[]),
        body_of(mediaType=shapes.OCI_INDEX, manifests=[], blobs=[]),
        body_of(mediaType=shapes.OCI_IMAGE, config={}, layers=[], signatures=[]),
        b'{"mediaType": "%s", "manifests": [], "manifests": []}' % shapes.OCI_INDEX.encode(),
        b'{"mediaType": "%s", "Manifests": [], "manifests": []}' % shapes.OCI_INDEX.encode(),
        b"no JSON",
    ],
)
def test_a_body_that_does_not_name_one_form_that_fits_is_not_kept(body: bytes) -> None:
    assert proved(body, digest_of(body)) is None


def test_a_signed_body_proves_no_index() -> None:
    """The digest of a signed schema 1 manifest is of its payload, so its other fields could be anything."""
    real = index()
    tail = base64.urlsafe_b64encode(real.body).decode().rstrip("=")
    header = base64.urlsafe_b64encode(json.dumps({"formatLength": 0, "formatTail": tail}).encode()).decode()
    forged = body_of(mediaType=shapes.OCI_INDEX, manifests=[], signatures=[{"protected": header.rstrip("=")}])
    told = parse(forged, shapes.OCI_INDEX, real.digest)
    assert isinstance(told, Manifest), "the registry's own check takes it for the index"
    assert not told.children
    cache = ManifestCache()
    cache.add(PACKAGE, real.digest, forged, told)
    assert reloaded(cache).find(PACKAGE, real.digest) is None
    line = json.dumps([1, PACKAGE, forged.decode("latin-1")]).encode()
    assert ManifestCache.load(line).find(PACKAGE, real.digest) is None


def test_a_bad_line_is_left_out_and_the_others_are_read() -> None:
    one, cache = shapes.image("app"), ManifestCache()
    cache.add(PACKAGE, one.digest, one.body, read(one))
    (line,) = cache.dump()
    bad = b"\n".join(
        [b"{", b"[]", b"[1, 2, 3]", b"[2, %s]" % line[4:-2], b"\xff\x00", b'[1, "p", "\\ud800"]']
    )
    loaded = ManifestCache.load(bad + b"\n" + line)
    assert b"".join(loaded.dump()) == line


def test_a_changed_body_is_another_manifest() -> None:
    one = index()
    line = json.dumps([1, PACKAGE, one.body.decode().replace("amd64", "arm64")]).encode()
    assert ManifestCache.load(line).find(PACKAGE, one.digest) is None


def test_what_the_newest_list_lacks_is_left_out_of_the_file() -> None:
    here, gone, cache = shapes.image("here"), shapes.image("gone"), ManifestCache()
    for one in (here, gone):
        cache.add(PACKAGE, one.digest, one.body, read(one))
        cache.add("ghcr.io/octo/not-in-this-run", one.digest, one.body, read(one))
    cache.listed(PACKAGE, {here.digest})
    loaded = reloaded(cache)
    assert loaded.find(PACKAGE, here.digest)
    assert loaded.find(PACKAGE, gone.digest) is None
    assert loaded.find("ghcr.io/octo/not-in-this-run", gone.digest)


def test_the_file_is_bounded() -> None:
    cache = ManifestCache()
    for number in range(50):
        one = shapes.image(str(number))
        cache.add(PACKAGE, one.digest, one.body, read(one))
    lines = list(cache.dump(most=1000))
    assert 0 < sum(map(len, lines)) <= 1000
    assert caches.MAX_BYTES > 1000


@given(st.binary(max_size=300))
def test_no_file_makes_it_raise(content: bytes) -> None:
    assert list(ManifestCache.load(content).dump()) == []
