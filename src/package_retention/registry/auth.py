"""Bearer tokens of a registry, one for each scope: requested once for all threads, and renewed when they expire."""

from __future__ import annotations

import base64
import json
import re
import threading
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import SplitResult, urlencode, urlsplit

from msgspec import Struct

from package_retention.registry.sender import PermanentError, Sender
from package_retention.transport.exchange import Request
from package_retention.transport.links import as_ip, is_private, place, split_url

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - RFC 9110's word for a name
_QUOTED = r'"(?:[^"\\]|\\.)*"'
# One step through the header: a parameter, or the name of the next challenge's scheme.
_PIECE = re.compile(rf"[\s,]*(?:({_TOKEN})\s*=\s*({_QUOTED}|{_TOKEN})|({_TOKEN})(?=[\s,]|$))")
_MAX_HEADER = 8192
_MOST_LIFETIME = 3600.0  # seconds; a token that lives longer is renewed after this time
_LEAST_LIFETIME = 60.0  # seconds; distribution, "Token Authentication": the least, and the default
_EARLY = 10.0  # seconds before a token expires at which it is no longer used


class Challenge(Struct, frozen=True):
    """A `Bearer` challenge: who issues tokens, and for which service."""

    realm: str
    service: str = ""

    def url(self, scope: str) -> str:
        """Return the URL that issues a token for a scope."""
        query = {"service": self.service, "scope": scope} if self.service else {"scope": scope}
        return f"{self.realm}{'&' if '?' in self.realm else '?'}{urlencode(query)}"


@dataclass(frozen=True, slots=True, repr=False)
class Grant:
    """A bearer token and its lifetime in seconds; never printed."""

    token: str
    lifetime: float


def parse(header: str) -> Challenge | None:
    """Return the first `Bearer` challenge with a realm in a `WWW-Authenticate` header (RFC 9110, 11.6.1)."""
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
    return Challenge(found["realm"], found.get("service", ""))


def objection(realm: str, registry_url: str, api_url: str) -> str:
    """Return why the token must not be sent to a realm; empty if it may.

    A realm must be the registry's host, its parent domain or the API's host, and https but for loopback. Whoever
    answers in place of the registry names the realm, and would get the GitHub token as a password: that is why other
    clients, which believe the challenge, are not used here.
    """
    target = split_url(realm)
    if target is None:
        return "its address is not a plain URL"
    if not is_private(target):
        return "it would send the token in the clear"
    if place(target) not in _trusted(split_url(registry_url), split_url(api_url)):
        return f"it is another host or port ({target.netloc})"
    return ""


def read_grant(body: bytes) -> Grant | None:
    """Return the token in a response of the realm (`token`, or OAuth's `access_token`); `None` if there is none."""
    try:
        response = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(response, dict):
        return None
    token = response.get("token") or response.get("access_token")
    if not isinstance(token, str) or not re.fullmatch(r"[!-~]{1,16384}", token, re.ASCII):
        return None
    return Grant(token, _lifetime(response.get("expires_in")))


def _lifetime(seconds: object) -> float:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return _LEAST_LIFETIME
    return max(_LEAST_LIFETIME, float(min(seconds, _MOST_LIFETIME)))  # in this order NaN is the least, too


def _trusted(registry: SplitResult | None, api: SplitResult | None) -> set[tuple[str, int]]:
    places = {place(url) for url in (registry, api) if url}
    own, port = place(registry) if registry else ("", 0)
    parent = own.partition(".")[2]
    # The parent of ghcr.io is a whole top-level domain, that of 127.0.0.1 is nothing at all.
    if "." in parent and not as_ip(own):
        places.add((parent, port))
    return places


def _unquoted(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value


class Tokens:
    """The bearer tokens of one registry (facts D: the 401 challenge, then Basic with any user name at the realm).

    `token` is the GitHub token; without one the exchange is anonymous, which public packages allow. `worked`: whether
    the registry accepted it before in this run. Without a token for a scope, `PermanentError` is raised.
    """

    def __init__(self, sender: Sender, token: str, registry_url: str, api_url: str) -> None:
        self._sender = sender
        self._host = urlsplit(registry_url).netloc
        self._token = token
        self._urls = (registry_url, api_url)
        self._challenge: Challenge | None = None
        self.worked = False
        # Of each scope, the token and the reading of the clock from which on it is no longer used.
        self._held: dict[str, tuple[str, float]] = {}
        self._locks: dict[str, threading.Lock] = {}

    def current(self, scope: str) -> str:
        """Return a valid token; empty until a challenge has named the token service."""
        if self._challenge is None:
            return ""
        with self._lock(scope):
            return self._usable(scope) or self._exchange(scope, self._challenge)

    def renewed(self, scope: str, refused: str, header: str) -> str:
        """Return a token in place of one (or none) that was refused with this `WWW-Authenticate` header."""
        with self._lock(scope):
            usable = self._usable(scope)
            if usable and usable != refused:  # another thread was here first
                return usable
            found = parse(header) or self._challenge
            if found is None:
                why = f"{self._host}: the registry refused the request and named no token service"
                raise PermanentError(why, HTTPStatus.UNAUTHORIZED)
            self._challenge = found
            return self._exchange(scope, found)

    def _lock(self, scope: str) -> threading.Lock:
        return self._locks.setdefault(scope, threading.Lock())  # which is atomic

    def _usable(self, scope: str) -> str:
        token, until = self._held.get(scope, ("", 0.0))
        return token if self._sender.shared.clock.monotonic() < until else ""

    def _exchange(self, scope: str, challenge: Challenge) -> str:
        if why := objection(challenge.realm, *self._urls):
            raise PermanentError(
                f"{self._host}: the token was not sent to the realm that the registry names: {why}"
            )
        began = self._sender.shared.clock.monotonic()
        grant = self._request(scope, challenge)
        self._held[scope] = (grant.token, began + grant.lifetime - _EARLY)
        return grant.token

    def _request(self, scope: str, challenge: Challenge) -> Grant:
        headers = {"Accept": "application/json"}
        if self._token:
            basic = base64.b64encode(f"token:{self._token}".encode()).decode()
            headers["Authorization"] = f"Basic {basic}"
        request = Request("GET", challenge.url(scope), headers, plausible=_holds_token)
        response, tries = self._sender.send(request), 1
        # A 401 of a token that had worked may be one in passing, under load (facts L): only the third is believed.
        while response.status == HTTPStatus.UNAUTHORIZED and self.worked:
            if not self._sender.wait_for_another_try(tries):
                break
            response, tries = self._sender.send(request), tries + 1
        if response.status != HTTPStatus.OK:
            self.worked = False
            why = f"{self._host}: no token for {scope}: {self._sender.described(response)}"
            raise PermanentError(why, response.status)
        grant = read_grant(response.body)
        if grant is None:
            raise PermanentError(
                f"{self._host}: no token for {scope}: the response of the token service holds none"
            )
        self.worked = True
        # Before the token is used: the runner masks only what is printed after the command.
        self._sender.shared.redactor.add(grant.token)
        return grant


def _holds_token(body: bytes) -> bool:
    return read_grant(body) is not None
