"""The container registry of the embedded GitHub: manifests, tags, referrers (facts D; distribution-spec 1.1).

Called with the world's lock held. Every manifest is a package version, tags sit on versions, and nothing can be
deleted here. A manifest is taken without its blobs; those of `StoredPackage.blobs` are answered by a redirect.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from emulator import registry_tokens, shapes, storage
from emulator.messages import Answer, json_answer

if TYPE_CHECKING:
    from emulator.messages import Request
    from emulator.stored import StoredPackage, StoredVersion
    from emulator.world import World

_ROUTE = re.compile(r"/v2/(?P<name>.+)/(?P<what>manifests|referrers|blobs)/(?P<reference>[^/]+)")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_TYPES = frozenset(
    {
        shapes.OCI_INDEX,
        shapes.OCI_IMAGE,
        shapes.DOCKER_LIST,
        shapes.DOCKER_IMAGE,
        shapes.ARTIFACT,
        shapes.SCHEMA1,
    }
)
_MOST = 4 * 1024 * 1024


def handle(world: World, request: Request) -> Answer:
    """Answer any request of the registry and its token service."""
    if request.path == "/token":
        return registry_tokens.grant(world, request)
    if request.path in ("/v2", "/v2/"):
        held = registry_tokens.held(world, request)
        return json_answer(200, {}) if held else registry_tokens.challenge(request, "")
    route = _ROUTE.fullmatch(request.path)
    if route is None:
        return error(404, "NOT_FOUND", "page not found")
    name, reference = unquote(route["name"]), unquote(route["reference"])
    action = "push" if request.method in ("PUT", "DELETE") else "pull"
    if not registry_tokens.allows(world, request, name, action):
        wanted = "pull,push" if action == "push" else "pull"
        return registry_tokens.challenge(request, f"repository:{name}:{wanted}")
    package = registry_tokens.package_of(world, name)
    if package is None:
        return error(404, "NAME_UNKNOWN", "repository name not known to registry")
    if route["what"] == "manifests":
        return _manifest_of(world, package, name, reference, request)
    if request.method not in ("GET", "HEAD"):
        return _unsupported()
    found = _referrers if route["what"] == "referrers" else _blob
    return found(world, package, reference)


def error(status: int, code: str, message: str) -> Answer:
    """An error in the registry's form."""
    return json_answer(status, {"errors": [{"code": code, "message": message}]})


def throttled(wait: str = "333.939671ms") -> Answer:
    """The 429 of GHCR: its wait stands in the body, with Go's units (facts J28)."""
    return Answer(
        429, f"toomanyrequests: retry-after: {wait}, allowed: 44000/minute".encode(), media_type="text/plain"
    )


def _manifest_of(world: World, package: StoredPackage, name: str, reference: str, request: Request) -> Answer:
    if request.method in ("GET", "HEAD"):
        return _get(package, reference, request.headers.get("accept", "*/*"))
    return _put(world, package, name, reference, request) if request.method == "PUT" else _unsupported()


def _get(package: StoredPackage, reference: str, accept: str) -> Answer:
    version = package.by_digest(reference) if ":" in reference else package.by_tag(reference)
    if version is None or version.manifest is None or not _accepted(version.media_type, accept):
        return error(404, "MANIFEST_UNKNOWN", "manifest unknown")
    headers = {"Docker-Content-Digest": version.name, "ETag": f'"{version.name}"'}
    return Answer(200, version.manifest, headers, version.media_type)


def _blob(world: World, package: StoredPackage, digest: str) -> Answer:
    """Facts D2: a redirect to where blobs are kept; one that keeps them itself answers with them."""
    if digest not in package.blobs:
        return error(404, "BLOB_UNKNOWN", "blob unknown to registry")
    if world.switches.blobs_redirect:
        return Answer(307, b"", {"Location": storage.location(world, digest)})
    headers = {"Docker-Content-Digest": digest}
    return Answer(200, package.blobs[digest], headers, "application/octet-stream")


def _accepted(media_type: str, accept: str) -> bool:
    ranges = {part.split(";")[0].strip() for part in accept.split(",")}
    return bool(ranges & {media_type, "*/*", "application/*", ""})


def _put(world: World, package: StoredPackage, name: str, reference: str, request: Request) -> Answer:
    body, media_type = request.body, request.headers.get("content-type", "").split(";")[0].strip()
    digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
    if len(body) > _MOST:
        return error(413, "SIZE_INVALID", "manifest too large")
    document = _manifest(body, media_type)
    if document is None:
        return error(400, "MANIFEST_INVALID", "manifest invalid")
    if ":" in reference:
        if reference != digest:
            return error(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        world.push(package, body, media_type)
    elif _TAG.fullmatch(reference):
        world.push(package, body, media_type, [reference])
    else:
        return error(400, "TAG_INVALID", "manifest tag did not match URI")
    package.updated_at = world.clock()
    headers = {"Location": f"/v2/{name}/manifests/{digest}", "Docker-Content-Digest": digest}
    if world.switches.referrers_api == "answers" and (subject := _subject(document)):
        headers["OCI-Subject"] = subject
    return Answer(201, b"", headers)


def _manifest(body: bytes, media_type: str) -> dict[str, Any] | None:
    """The manifest, if a registry would take it."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or media_type not in _TYPES:
        return None
    return document if document.get("mediaType", media_type) == media_type else None


def _referrers(world: World, package: StoredPackage, digest: str) -> Answer:
    api = world.switches.referrers_api
    if api == "404":
        return error(404, "MANIFEST_UNKNOWN", "manifest unknown")
    if not _DIGEST.fullmatch(digest):
        return error(400, "DIGEST_INVALID", "invalid digest")
    found = [_listed(version) for version in _referring(package, digest)] if api == "answers" else []
    return Answer(200, shapes.index(found).body, media_type=shapes.OCI_INDEX)


def _referring(package: StoredPackage, digest: str) -> list[StoredVersion]:
    return [
        version
        for version in package.active()
        if version.manifest is not None and _subject(_document(version.manifest)) == digest
    ]


def _listed(version: StoredVersion) -> dict[str, Any]:
    """A referrer's descriptor, with the artifact type that it has or that its config stands for."""
    body = version.manifest or b""
    document = _document(body)
    artifact_type = document.get("artifactType") or document.get("config", {}).get("mediaType", "")
    listed = {
        "mediaType": version.media_type,
        "digest": version.name,
        "size": len(body),
        "artifactType": artifact_type,
    }
    return {name: value for name, value in listed.items() if value}


def _document(body: bytes) -> dict[str, Any]:
    """A stored manifest; worlds may hold hostile ones, which are then empty."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _subject(document: dict[str, Any]) -> str:
    subject = document.get("subject")
    digest = subject.get("digest") if isinstance(subject, dict) else None
    return digest if isinstance(digest, str) else ""


def _unsupported() -> Answer:
    """Facts J30: GHCR deletes nothing here."""
    return error(405, "UNSUPPORTED", "The operation is unsupported.")
