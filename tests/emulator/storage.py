"""Where the registry keeps its blobs: another host, which a redirect with a signed address leads to (facts D2).

Called with the world's lock held.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from emulator.messages import Answer

if TYPE_CHECKING:
    from datetime import datetime

    from emulator.messages import Request
    from emulator.world import World

_BINARY = "application/octet-stream"
_LIFETIME = timedelta(minutes=5)
_PREFIX = "/ghcr1/blobs/"


def location(world: World, digest: str) -> str:
    """The address of a blob, good for five minutes."""
    world.open_storage()
    until = _moment(world.clock() + _LIFETIME)
    return (
        f"{world.storage_url}{_PREFIX}{digest}?{urlencode({'se': until, 'sig': _signature(digest, until)})}"
    )


def handle(world: World, request: Request) -> Answer:
    """Answer as a store does that knows no GitHub: a signed GET alone, and without an Authorization header."""
    digest, until = request.path.removeprefix(_PREFIX), request.query.get("se", "")
    if "authorization" in request.headers:
        return _refused(400, "InvalidAuthenticationInfo")
    late = until < _moment(world.clock())
    if request.method != "GET" or late or request.query.get("sig") != _signature(digest, until):
        return _refused(403, "AuthenticationFailed")
    found = (package.blobs[digest] for package in world.packages if digest in package.blobs)
    body = next(found, None)
    return _refused(404, "BlobNotFound") if body is None else Answer(200, body, media_type=_BINARY)


def _refused(status: int, code: str) -> Answer:
    body = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code></Error>'
    return Answer(status, body.encode(), media_type="application/xml")


def _signature(digest: str, until: str) -> str:
    return hashlib.sha256(f"{digest} {until}".encode()).hexdigest()[:16]


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
