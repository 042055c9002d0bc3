"""The token service of the emulated registry: Basic in, a bearer token for one repository out (facts D, J31).

A bearer token is no state: it says which GitHub token it stands for, for what, and until when.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any

from emulator import access
from emulator.access import Call
from emulator.messages import Answer, json_answer
from emulator.refusals import RefusedRequest

if TYPE_CHECKING:
    from emulator.messages import Request
    from emulator.stored import StoredPackage, Token
    from emulator.world import World

LIFETIME = 300
"""Seconds; GHCR's own are not known (facts D), 60 are the specification's least."""


def grant(world: World, request: Request) -> Answer:
    """Answer the exchange: any user name, a GitHub token as password; anonymous for what is public."""
    scope = request.query.get("scope", "")
    kind, _, rest = scope.partition(":")
    name, _, actions = rest.rpartition(":")
    if request.query.get("service") != "ghcr.io" or (scope and kind != "repository"):
        return json_answer(400, {"errors": [{"code": "UNSUPPORTED", "message": "unsupported scope"}]})
    wanted = actions.split(",") if scope else []
    try:
        token = _admitted(world, request, name, wanted)
    except RefusedRequest:
        # Whatever the reason, this is all that GHCR says.
        return json_answer(403, {"errors": [{"code": "DENIED", "message": "denied"}]})
    claims = {
        "for": _fingerprint(token),
        "name": name.lower(),
        "actions": wanted,
        "until": world.monotonic() + LIFETIME,
    }
    bearer = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode()
    return json_answer(200, {"token": bearer, "expires_in": LIFETIME})


def challenge(request: Request, scope: str) -> Answer:
    """The 401 that tells where tokens are given."""
    words = f'Bearer realm="http://{request.headers.get("host", "ghcr.io")}/token",service="ghcr.io"'
    if scope:
        words += f',scope="{scope}"'
    body = {"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]}
    return json_answer(401, body, {"WWW-Authenticate": words})


def held(world: World, request: Request) -> dict[str, Any]:
    """What the request's bearer token says; empty where it is none, has ended, or its GitHub token has."""
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    try:
        claims = json.loads(base64.urlsafe_b64decode(bearer)) if scheme.lower() == "bearer" else {}
    except ValueError:
        return {}
    if not isinstance(claims, dict) or world.monotonic() >= claims.get("until", 0):
        return {}
    known = {_fingerprint(token) for token in world.tokens.values() if not token.expired} | {
        _fingerprint(None)
    }
    return claims if claims.get("for") in known else {}


def allows(world: World, request: Request, name: str, action: str) -> bool:
    """Whether the request's bearer token is for this repository and action."""
    claims = held(world, request)
    return claims.get("name") == name.lower() and action in claims.get("actions", ())


def package_of(world: World, name: str) -> StoredPackage | None:
    """The package that a path of the registry means, whatever the case of its letters."""
    owner, _, rest = name.partition("/")
    named = (one for one in world.packages_of(owner, "container") if one.name.lower() == rest.lower())
    return next((one for one in named if not one.ghost), None)


def _admitted(world: World, request: Request, name: str, actions: list[str]) -> Token | None:
    token = _authenticated(world, request)
    if not all(_may(world, token, name, action) for action in actions):
        raise RefusedRequest("package")
    return token


def _authenticated(world: World, request: Request) -> Token | None:
    """The GitHub token in the Basic credentials; `None` for an anonymous request."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if not scheme:
        return None
    try:
        value = base64.b64decode(encoded).decode().partition(":")[2]
    except ValueError as error:
        raise RefusedRequest("bad-credentials") from error
    token = world.tokens.get(value) if scheme.lower() == "basic" else None
    if token is None or token.expired or token.suspended:
        raise RefusedRequest("bad-credentials")
    return token


def _may(world: World, token: Token | None, name: str, action: str) -> bool:
    package = package_of(world, name)
    if action not in ("pull", "push"):
        return False
    if package is None:
        return world.switches.tokens_for_unknown_names
    if token is None:
        return action == "pull" and package.visibility == "public"
    access.enter(world, Call("get", "users", package.owner, token, "container"))
    role = access.role_of(world, token, package)
    if action == "pull":
        return role != "none"
    return role in ("write", "admin") and _writes(token)


def _writes(token: Token) -> bool:
    """Facts B1: `write:packages`, or a job's `permissions: packages: write`."""
    if token.kind == "installation":
        return token.permission == "write"
    return token.kind not in ("classic", "oauth", "legacy") or "write:packages" in token.scopes


def _fingerprint(token: Token | None) -> str:
    return hashlib.sha256((token.value if token else "").encode()).hexdigest()[:16]
