"""What a registry answers to a request without a token, and whom it may send the token to (facts D; no I/O)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from package_retention.registry.address import as_ip, is_private, split

if TYPE_CHECKING:
    from urllib.parse import SplitResult

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - RFC 9110's word for a name
_QUOTED = r'"(?:[^"\\]|\\.)*"'
# One step through the header: a parameter, or the name of the next challenge's scheme.
_PIECE = re.compile(rf"[\s,]*(?:({_TOKEN})\s*=\s*({_QUOTED}|{_TOKEN})|({_TOKEN})(?=[\s,]|$))")
_MAX_HEADER = 8192
_MOST_LIFETIME = 3600.0  # seconds; a token that lives on longer is asked for again all the same
_LEAST_LIFETIME = 60.0  # seconds; distribution, "Token Authentication": never less, and the default


@dataclass(frozen=True, slots=True)
class Challenge:
    """A `Bearer` challenge: who gives tokens, and for which service."""

    realm: str
    service: str = ""
    scope: str = ""

    def url(self, scope: str) -> str:
        """Where a token for a scope is asked for."""
        query = urlencode([("service", self.service)] * bool(self.service) + [("scope", scope)])
        return f"{self.realm}{'&' if '?' in self.realm else '?'}{query}"


@dataclass(frozen=True, slots=True, repr=False)
class Grant:
    """A bearer token, and for how many seconds it is good; never printed."""

    token: str
    lifetime: float


def parse(header: str) -> Challenge | None:
    """The first `Bearer` challenge with a realm in a `WWW-Authenticate` header (RFC 9110, 11.6.1)."""
    scheme, position, found = "", 0, dict[str, str]()
    header = header[:_MAX_HEADER]
    while piece := _PIECE.match(header, position):
        position = piece.end()
        name, value, next_scheme = piece.groups()
        if next_scheme:
            if scheme == "bearer" and "realm" in found:
                break
            scheme, found = next_scheme.lower(), {}
        elif scheme == "bearer":
            found.setdefault(name.lower(), _unquoted(value))
    if scheme != "bearer" or not found.get("realm"):
        return None
    return Challenge(found["realm"], found.get("service", ""), found.get("scope", ""))


def objection(realm: str, registry_url: str, api_url: str) -> str:
    """Why the token must not be sent to a realm; empty where it may.

    A realm must be the registry's host, its parent domain or the API's host, and https but for loopback.
    """
    parts = split(realm)
    if parts is None:
        return "its address is no plain URL"
    if not is_private(parts):
        return "it would send the token in the clear"
    if (parts.hostname or "").lower() not in _trusted(split(registry_url), split(api_url)):
        return f"it is another host ({parts.hostname})"
    return ""


def read_grant(body: bytes) -> Grant | None:
    """The token in an answer of the realm (`token`, or OAuth's `access_token`); `None` where there is none."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(answer, dict):
        return None
    token = answer.get("token") or answer.get("access_token")
    if not isinstance(token, str) or not re.fullmatch(r"[!-~]{1,16384}", token, re.ASCII):
        return None
    return Grant(token, _lifetime(answer.get("expires_in")))


def _lifetime(seconds: object) -> float:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return _LEAST_LIFETIME
    return max(_LEAST_LIFETIME, float(min(seconds, _MOST_LIFETIME)))  # in this order NaN is the least, too


def _trusted(registry: SplitResult | None, api: SplitResult | None) -> set[str]:
    hosts = {(parts.hostname or "").lower() for parts in (registry, api) if parts}
    own = (registry.hostname or "").lower() if registry else ""
    parent = own.partition(".")[2]
    # The parent of ghcr.io is a whole top-level domain, that of 127.0.0.1 is nothing at all.
    if "." in parent and not as_ip(own):
        hosts.add(parent)
    return hosts - {""}


def _unquoted(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value
