"""Read manifests: bytes in, a `Manifest` or an `Unreadable` out; nothing that is pushed makes this raise.

Whoever can push decides what stands in a manifest, so it is read as strictly as the registry's own clients (Go) do:
a field of another type than the specification's makes the whole unreadable, and unreadable means keep.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from enum import Enum
from typing import Any, TypeVar

from package_retention.decide.expiry import KEY as EXPIRY
from package_retention.decide.graph import INDEX_TYPES
from package_retention.model import Descriptor, Manifest, Unreadable
from package_retention.transport.exchange import MAX_BODY


class Form(Enum):
    """The four forms of a manifest."""

    INDEX = "index"
    IMAGE = "image"
    ARTIFACT = "artifact"
    SCHEMA1 = "schema 1"


FORMS = {
    **dict.fromkeys(INDEX_TYPES, Form.INDEX),
    "application/vnd.oci.image.manifest.v1+json": Form.IMAGE,
    "application/vnd.docker.distribution.manifest.v2+json": Form.IMAGE,
    # Retired before OCI 1.1 was final; oras and notation pushed it for a while.
    "application/vnd.oci.artifact.manifest.v1+json": Form.ARTIFACT,
    "application/vnd.docker.distribution.manifest.v1+prettyjws": Form.SCHEMA1,
    "application/vnd.docker.distribution.manifest.v1+json": Form.SCHEMA1,
}

ACCEPT = ", ".join(FORMS)


def essence(text: str) -> str:
    """Return a media type without its parameters, in lower case."""
    return text.split(";", 1)[0].strip().lower()


def is_manifest(media_type: str) -> bool:
    """Return whether a descriptor of this media type names a manifest, and not a layer, a config or a blob."""
    return essence(media_type) in FORMS


Table = dict[str, Any]
Kind = TypeVar("Kind")


class InvalidJsonError(ValueError):
    """JSON that is not what the specification says; the message says where."""


def document(body: bytes, fields: Mapping[str, str]) -> Table:
    """Read a JSON object; `fields` maps the lower-case name of each field that matters to its right spelling.

    Raise `InvalidJsonError` also for what two readers could read differently: a key that occurs twice, and spellings such
    as `Manifests` (Go matches names in any case, so a client reads what would be ignored here).
    """
    try:
        found = json.loads(body, object_pairs_hook=_unique, parse_constant=_refuse)
    except InvalidJsonError:
        raise
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise InvalidJsonError("it cannot be read as JSON") from error
    if not isinstance(found, dict):
        raise InvalidJsonError("it is not a JSON object")
    for name in found:
        if (right := fields.get(name.lower(), name)) != name:
            raise InvalidJsonError(f"{right} is spelled in another way")
    return found


def _member(holder: Table, name: str, kind: type[Kind], noun: str) -> Kind:
    """Return a member of an object; an empty one if it is absent or null."""
    value = holder.get(name)
    if value is None:
        return kind()
    if not isinstance(value, kind) or isinstance(value, bool):
        raise InvalidJsonError(f"{name} is not {noun}")
    return value


def table(holder: Table, name: str) -> Table:
    """Return an object inside an object; an empty one if it is absent or null."""
    return _member(holder, name, dict, "an object")


def entries(holder: Table, name: str) -> list[Any]:
    """Return a list; an empty one if it is absent or null."""
    return _member(holder, name, list, "a list")


def tables(holder: Table, name: str) -> list[Table]:
    """Return a list of objects."""
    found = entries(holder, name)
    if not all(isinstance(entry, dict) for entry in found):
        raise InvalidJsonError(f"an entry of {name} is not an object")
    return found


def text(holder: Table, name: str) -> str:
    """Return a text that can be printed; empty if it is absent or null."""
    value = _member(holder, name, str, "text")
    # Nearly every text is ASCII: looking at each character of each digest took a third of the time of reading manifests.
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        raise InvalidJsonError(f"{name} holds half a character")
    return value


def whole_number(holder: Table, name: str) -> int:
    """Return a whole number; 0 if it is absent, null or negative."""
    return max(0, _member(holder, name, int, "a whole number"))


def _unique(pairs: list[tuple[str, Any]]) -> Table:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise InvalidJsonError("it holds a key twice")
    return found


def _refuse(_constant: str) -> None:
    raise InvalidJsonError("it holds a number that JSON does not know")


_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}", re.ASCII)
FIELDS = {
    name.lower(): name
    for name in ("manifests", "mediaType", "subject", "config", "layers", "fsLayers", "blobs", "artifactType")
}
MAX_CONFIG = 1024 * 1024  # bytes; configs of images have some 10,000
_ROLE = "vnd.docker.reference.type"  # BuildKit's annotation on an attestation's descriptor (facts D)
_PREDICATE = "in-toto.io/predicate-type"  # BuildKit's annotation on each layer of an attestation
_IMAGE_CONFIGS = frozenset(
    {"application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"}
)
_IMAGE_LAYERS = ("application/vnd.oci.image.layer.", "application/vnd.docker.image.rootfs.")


def is_digest(name: str) -> bool:
    """Return whether a text is a whole sha256 or sha512 digest."""
    return _DIGEST.fullmatch(name) is not None


def digest_of(body: bytes, algorithm: str = "sha256") -> str:
    """Return the digest of a manifest's bytes."""
    return f"{algorithm}:{hashlib.new(algorithm, body).hexdigest()}"


def parse(body: bytes, content_type: str, digest: str) -> Manifest | Unreadable:
    """Read a manifest; return `Unreadable` unless the body is whole, has the digest, and says what it is."""
    if problem := check_digest(body, digest):
        return Unreadable(problem)
    try:
        return manifest(document(body, FIELDS), content_type, digest)
    except InvalidJsonError as error:
        return Unreadable(f"the manifest is invalid: {error}")


def parse_referrers(body: bytes) -> tuple[Descriptor, ...] | Unreadable:
    """Read one page of the referrers API: an index whose children refer to the digest."""
    try:
        found = document(body, FIELDS)
        if "manifests" not in found:
            return Unreadable("the list of referrers is not an index")
        return _described(found)[0]
    except InvalidJsonError as error:
        return Unreadable(f"the list of referrers is invalid: {error}")


def parse_label(body: bytes, digest: str) -> str | Unreadable | None:
    """Read the label `quay.expires-after` of an image's config; return `None` if it has no such label."""
    if len(body) > MAX_CONFIG:
        return Unreadable(f"the config is larger than {MAX_CONFIG // 1024 // 1024} MiB")
    if not is_digest(digest) or digest_of(body, digest.partition(":")[0]) != digest:
        return Unreadable("the registry sent another config than its digest says")
    try:
        return _stated(table(document(body, {"config": "config"}), "config").get("Labels"))
    except InvalidJsonError as error:
        return Unreadable(f"the config is invalid: {error}")


def _stated(labels: object) -> str | None:
    """Return the expiry that labels or annotations state; one that is not a text is invalid, which differs from absent."""
    value = labels.get(EXPIRY) if isinstance(labels, dict) else None
    return None if value is None else str(value).encode("utf-8", "backslashreplace").decode()


def check_digest(body: bytes, digest: str) -> str:
    """Return why these bytes do not fit the digest; empty if they do."""
    if len(body) > MAX_BODY:
        return f"the manifest is larger than {MAX_BODY // 1024 // 1024} MiB"
    if not is_digest(digest):
        return "the manifest's name is not a digest"
    algorithm = digest.partition(":")[0]
    if digest_of(body, algorithm) == digest or digest_of(_unsigned(body), algorithm) == digest:
        return ""
    return f"the registry sent other bytes than the {algorithm} digest says"


def manifest(found: Table, content_type: str, digest: str) -> Manifest:
    """Read a manifest from its document; raise `InvalidJsonError` unless it says what it is."""
    media_type, form = _form(found, content_type)
    children, others = _described(found)
    contents = [*tables(found, "layers"), *tables(found, "blobs")]
    loose = [e for e in tables(found, "manifests") if not is_manifest(essence(text(e, "mediaType")))]
    config = table(found, "config")
    if form is not Form.INDEX and entries(found, "manifests"):
        raise InvalidJsonError("it is not an index, and lists manifests")
    if form is Form.INDEX and (contents or config):
        raise InvalidJsonError("it is an index, and has layers or a config")
    return Manifest(
        digest=digest,
        media_type=media_type,
        is_index=form is Form.INDEX,
        children=children,
        layers=len(others) + len(contents) + len(entries(found, "fsLayers")),
        subject=_subject(found),
        artifact_type=text(found, "artifactType") or text(config, "mediaType"),
        blobs=tuple((text(b, "digest"), whole_number(b, "size")) for b in (config, *contents, *loose) if b),
        mentions=tuple(dict.fromkeys(entry.digest for entry in others)),
        predicates=frozenset(filter(None, (text(table(e, "annotations"), _PREDICATE) for e in contents))),
        runnable=form is Form.SCHEMA1
        or any(essence(text(e, "mediaType")).startswith(_IMAGE_LAYERS) for e in contents),
        config=text(config, "digest") if essence(text(config, "mediaType")) in _IMAGE_CONFIGS else "",
        expires_after=_stated(found.get("annotations")),
    )


def _form(found: Table, content_type: str) -> tuple[str, Form]:
    """Return media type and form: by the manifest's own `mediaType`, else by the `Content-Type`, else by its fields."""
    described, header = essence(text(found, "mediaType")), essence(content_type)
    if described in FORMS and header in FORMS and FORMS[described] is not FORMS[header]:
        raise InvalidJsonError(f"it says {FORMS[described].value}, the registry says {FORMS[header].value}")
    media_type = described if described in FORMS else header
    if media_type not in FORMS:
        return described or header, _form_by_fields(found)
    form = FORMS[media_type]
    if form is Form.INDEX and "manifests" not in found:
        raise InvalidJsonError("it is an index without a list of manifests")
    return media_type, form


def _form_by_fields(found: Table) -> Form:
    typical = (("manifests", Form.INDEX), ("config", Form.IMAGE), ("fsLayers", Form.SCHEMA1))
    shown = [form for name, form in typical if found.get(name) is not None]
    if len(shown) != 1:
        raise InvalidJsonError("neither a media type nor its fields say what it is")
    return shown[0]


def _described(found: Table) -> tuple[tuple[Descriptor, ...], tuple[Descriptor, ...]]:
    """Return the descriptors that name manifests, each once, and the others (a cache's layers)."""
    named = [_descriptor(entry) for entry in tables(found, "manifests")]
    children = dict.fromkeys(entry for entry in named if is_manifest(entry.media_type))
    return tuple(children), tuple(entry for entry in named if not is_manifest(entry.media_type))


def _descriptor(entry: Table) -> Descriptor:
    media_type = essence(text(entry, "mediaType"))
    if not media_type:
        raise InvalidJsonError("a descriptor has no media type")
    platform = table(entry, "platform")
    names = [text(platform, name) for name in ("os", "architecture", "variant")]
    return Descriptor(
        digest=_digest(entry, "a descriptor"),
        media_type=media_type,
        platform="/".join(filter(None, names)),
        role=text(table(entry, "annotations"), _ROLE),
        size=whole_number(entry, "size"),
        artifact_type=text(entry, "artifactType"),
    )


def _subject(found: Table) -> str | None:
    return None if found.get("subject") is None else _digest(table(found, "subject"), "the subject")


def _digest(entry: Table, what: str) -> str:
    digest = text(entry, "digest")
    if not is_digest(digest):
        raise InvalidJsonError(f"the digest of {what} is invalid")
    return digest


def _unsigned(body: bytes) -> bytes:
    """Return the payload of a signed schema 1 manifest, which is what its digest is of; else the bytes as they are.

    A signature's `protected` header says how many bytes of the body are payload, and how the payload ends
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
