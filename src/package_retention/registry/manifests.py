"""Reading manifests: bytes in, a `Manifest` or an `Unreadable` out; nothing that is pushed makes this raise.

Whoever can push decides what stands in a manifest, so it is read as strictly as the registry's own clients (Go) do:
a field of another type than the specification's makes the whole unreadable, and unreadable means keep.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re

from package_retention.model import Descriptor, Manifest, Unreadable
from package_retention.registry.exchange import MAX_BODY
from package_retention.registry.media_types import FORMS, Form, essence, is_manifest
from package_retention.registry.strict_json import (
    NonsenseError,
    Table,
    document,
    entries,
    table,
    tables,
    text,
    whole_number,
)

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}", re.ASCII)
_FIELDS = {
    name.lower(): name
    for name in ("manifests", "mediaType", "subject", "config", "layers", "fsLayers", "blobs", "artifactType")
}
_ROLE = "vnd.docker.reference.type"  # BuildKit's annotation on an attestation's descriptor (facts D)


def is_digest(name: str) -> bool:
    """Whether a text is a whole sha256 or sha512 digest."""
    return _DIGEST.fullmatch(name) is not None


def digest_of(body: bytes, algorithm: str = "sha256") -> str:
    """The digest of a manifest's bytes."""
    return f"{algorithm}:{hashlib.new(algorithm, body).hexdigest()}"


def parse(body: bytes, content_type: str, digest: str) -> Manifest | Unreadable:
    """Read a manifest; `Unreadable` unless the body is whole, is the one asked for, and says what it is."""
    if problem := check_digest(body, digest):
        return Unreadable(problem)
    try:
        return _manifest(document(body, _FIELDS), content_type, digest)
    except NonsenseError as error:
        return Unreadable(f"the manifest makes no sense: {error}")


def parse_referrers(body: bytes) -> tuple[Descriptor, ...] | Unreadable:
    """Read one page of the referrers API: an index whose children refer to the digest that was asked for."""
    try:
        found = document(body, _FIELDS)
        if "manifests" not in found:
            return Unreadable("the list of referrers is no index")
        return _children(found)[0]
    except NonsenseError as error:
        return Unreadable(f"the list of referrers makes no sense: {error}")


def check_digest(body: bytes, digest: str) -> str:
    """Why these bytes are not what the digest names; empty where they are."""
    if len(body) > MAX_BODY:
        return f"the manifest is larger than {MAX_BODY // 1024 // 1024} MiB"
    if not is_digest(digest):
        return "the manifest's name is no digest"
    algorithm = digest.partition(":")[0]
    if digest in (digest_of(body, algorithm), digest_of(_unsigned(body), algorithm)):
        return ""
    return f"the registry sent other bytes than the {algorithm} digest says"


def _manifest(found: Table, content_type: str, digest: str) -> Manifest:
    media_type, form = _form(found, content_type)
    children, others = _children(found)
    contents = [*tables(found, "layers"), *tables(found, "blobs")]
    loose = [e for e in tables(found, "manifests") if not is_manifest(essence(text(e, "mediaType")))]
    config = table(found, "config")
    if form is not Form.INDEX and entries(found, "manifests"):
        raise NonsenseError("it is no index, and lists manifests")
    if form is Form.INDEX and (contents or config):
        raise NonsenseError("it is an index, and has layers or a config")
    return Manifest(
        digest=digest,
        media_type=media_type,
        is_index=form is Form.INDEX,
        children=children,
        layers=others + len(contents) + len(entries(found, "fsLayers")),
        subject=_subject(found),
        artifact_type=text(found, "artifactType") or text(config, "mediaType"),
        size=whole_number(config, "size") + sum(whole_number(entry, "size") for entry in (*contents, *loose)),
    )


def _form(found: Table, content_type: str) -> tuple[str, Form]:
    """The media type and form: the manifest's own word, else the registry's, else what its fields show."""
    told, header = essence(text(found, "mediaType")), essence(content_type)
    if told in FORMS and header in FORMS and FORMS[told] is not FORMS[header]:
        raise NonsenseError(f"it says {FORMS[told].value}, the registry says {FORMS[header].value}")
    media_type = told if told in FORMS else header
    if media_type not in FORMS:
        return told or header, _form_by_fields(found)
    form = FORMS[media_type]
    if form is Form.INDEX and "manifests" not in found:
        raise NonsenseError("it is an index without a list of manifests")
    return media_type, form


def _form_by_fields(found: Table) -> Form:
    telling = (("manifests", Form.INDEX), ("config", Form.IMAGE), ("fsLayers", Form.SCHEMA1))
    shown = [form for name, form in telling if found.get(name) is not None]
    if len(shown) != 1:
        raise NonsenseError("neither a media type nor its fields tell what it is")
    return shown[0]


def _children(found: Table) -> tuple[tuple[Descriptor, ...], int]:
    """The descriptors that name manifests, each once, and the number of the others (a cache's layers)."""
    named = [_descriptor(entry) for entry in tables(found, "manifests")]
    children = dict.fromkeys(entry for entry in named if is_manifest(entry.media_type))
    return tuple(children), sum(1 for entry in named if not is_manifest(entry.media_type))


def _descriptor(entry: Table) -> Descriptor:
    media_type = essence(text(entry, "mediaType"))
    if not media_type:
        raise NonsenseError("a descriptor does not tell its media type")
    platform = table(entry, "platform")
    parts = [text(platform, name) for name in ("os", "architecture", "variant")]
    return Descriptor(
        digest=_digest(entry, "a descriptor"),
        media_type=media_type,
        platform="/".join(part for part in parts if part),
        role=text(table(entry, "annotations"), _ROLE),
        size=whole_number(entry, "size"),
    )


def _subject(found: Table) -> str | None:
    return None if found.get("subject") is None else _digest(table(found, "subject"), "the subject")


def _digest(entry: Table, what: str) -> str:
    digest = text(entry, "digest")
    if not is_digest(digest):
        raise NonsenseError(f"the digest of {what} is none")
    return digest


def _unsigned(body: bytes) -> bytes:
    """The payload of a signed schema 1 manifest, which is what its digest is of; else the bytes as they are.

    A signature's `protected` header tells how many bytes of the body are payload, and how the payload ends
    (distribution, "Image Manifest Version 2, Schema 1", signed manifests).
    """
    if b'"signatures"' not in body:
        return body
    try:
        header = json.loads(_base64(json.loads(body)["signatures"][0]["protected"]))
        return body[: int(header["formatLength"])] + _base64(header["formatTail"])
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError, OverflowError):
        return body


def _base64(encoded: str) -> bytes:
    return base64.urlsafe_b64decode(encoded.encode("ascii") + b"==")
