"""Bearer tokens of a registry, one a scope: asked for once however many threads need it, renewed when they end."""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import requests
from requests.auth import HTTPBasicAuth

from package_retention.registry import challenge as challenges
from package_retention.registry.answers import told
from package_retention.registry.exchange import Authorization, Request

if TYPE_CHECKING:
    from package_retention.ports import Clock
    from package_retention.registry.challenge import Challenge, Grant
    from package_retention.registry.exchange import Answer
    from package_retention.registry.transport import Transport

_EARLY = 10.0  # seconds before its end at which a token is no longer used


class NoTokenError(Exception):
    """The registry gives no token for a scope; `status` is what its token service answered (0: was not asked)."""

    def __init__(self, why: str, status: int = 0) -> None:
        super().__init__(why)
        self.why = why
        self.status = status


@dataclass(frozen=True, slots=True, repr=False)
class _Held:
    token: str
    until: float


class Tokens:
    """The bearer tokens of one registry (facts D: the 401 challenge, then Basic with any user name at the realm).

    `token` is the GitHub token; without one the exchange is anonymous, which public packages allow.
    """

    def __init__(
        self, transport: Transport, clock: Clock, token: str, registry_url: str, api_url: str
    ) -> None:
        self._transport = transport
        self._clock = clock
        self._token = token
        self._urls = (registry_url, api_url)
        self._challenge: Challenge | None = None
        self._held: dict[str, _Held] = {}
        self._guard = threading.Lock()
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def current(self, scope: str) -> str:
        """A token that is good now; empty while no challenge has told where tokens are given."""
        if self._challenge is None:
            return ""
        with self._lock(scope):
            return self._usable(scope) or self._exchange(scope, self._challenge)

    def renewed(self, scope: str, refused: str, header: str) -> str:
        """A token in place of one (or none) that was refused with this `WWW-Authenticate` header."""
        with self._lock(scope):
            usable = self._usable(scope)
            if usable and usable != refused:  # another thread was here first
                return usable
            found = challenges.parse(header)
            if found is None:
                raise NoTokenError("the registry refused the request and told no way to get a token", 401)
            self._challenge = found
            return self._exchange(scope, found)

    def _lock(self, scope: str) -> threading.Lock:
        with self._guard:
            return self._locks[scope]

    def _usable(self, scope: str) -> str:
        held = self._held.get(scope)
        return held.token if held and self._clock.monotonic() < held.until else ""

    def _exchange(self, scope: str, challenge: Challenge) -> str:
        if objection := challenges.objection(challenge.realm, *self._urls):
            raise NoTokenError(f"the token was not sent to the realm that the registry names: {objection}")
        asked = self._clock.monotonic()
        grant = self._ask(scope, challenge)
        self._held[scope] = _Held(grant.token, asked + grant.lifetime - _EARLY)
        return grant.token

    def _ask(self, scope: str, challenge: Challenge) -> Grant:
        auth = HTTPBasicAuth(b"token", self._token.encode()) if self._token else Authorization()
        answer = self._transport.send(
            Request("GET", challenge.url(scope), auth, {"Accept": "application/json"}, plausible=_holds_token)
        )
        if answer.status != requests.codes.ok:
            raise NoTokenError(f"no token for {scope}: {told(answer.status, answer.body)}", answer.status)
        grant = challenges.read_grant(answer.body)
        if grant is None:
            raise NoTokenError(f"no token for {scope}: the token service's answer holds none")
        return grant


def _holds_token(answer: Answer) -> bool:
    return answer.status != requests.codes.ok or challenges.read_grant(answer.body) is not None
