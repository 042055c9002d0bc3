"""One connection to GitHub's API through PyGithub: what goes out, and what comes back, untouched (facts F).

PyGithub 2.10 follows a 301 without its query, sleeps two seconds on a 202, and on either asks again without end. It is
shown 200 in these cases; the status that really came is kept beside it. Proxies and private CAs come from the
environment (`HTTPS_PROXY`, `NO_PROXY`, `REQUESTS_CA_BUNDLE`); a `.netrc` is never read, for PyGithub's sessions bring
an authentication of their own.
"""

from __future__ import annotations

import logging
import math
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from github import Auth, Github
from github.Requester import HTTPRequestsConnectionClass, HTTPSRequestsConnectionClass, RequestsResponse

from package_retention import __version__
from package_retention.shield import is_shielded
from package_retention.transport.exchange import FAILURES, LONGEST_ANSWER, TransportError, failed, read_body
from package_retention.transport.redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


API_VERSION = "2022-11-28"
TIMEOUT = 30
MAX_ANSWER = (
    32 * 1024 * 1024
)  # bytes, decompressed; a page of 100 versions with 1,000 tags each has some 3 MiB
# No `If-None-Match`: lists come newest first, so a push changes every page, and ETags differ by token, which is a new
# one in every job. A 304 would be rare, and a list remembered wrongly would delete.
_HEADERS = {"Accept": "application/vnd.github+json"}
_HANDLED_BY_PYGITHUB = (202, 301)


class Session:
    """One connection that is kept alive; used by one thread at a time.

    Args:
        api_url: the API's base, with a path where it has one (`https://HOST/api/v3`).
        token: sent as the `Authorization` header to that host, and nowhere else.
        redactor: takes secrets out of what comes back.
        monotonic: reads a clock, in seconds.
        deadline: returns a reading of it after which no answer is waited for; the end of the time limit may move.
        timeout: seconds without any answer after which a request counts as dropped.
    """

    def __init__(
        self,
        api_url: str,
        token: str,
        redactor: Redactor | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        *,
        deadline: Callable[[], float] = lambda: math.inf,
        timeout: int = TIMEOUT,
    ) -> None:
        # At DEBUG PyGithub would log headers and bodies.
        logging.getLogger("github").setLevel(logging.WARNING)
        self._requester = Github(
            auth=Auth.Token(token),
            base_url=api_url.rstrip("/"),
            timeout=timeout,
            user_agent=f"package-retention/{__version__}",
            retry=None,
            pool_size=1,
            seconds_between_requests=None,
            seconds_between_writes=None,
            api_version=API_VERSION,
        ).requester
        self._redactor = redactor or Redactor(token)
        self._connection = _connection(api_url, timeout)
        # What must not be left half done is waited for in spite of the time limit.
        self._connection.until = lambda: min(
            monotonic() + LONGEST_ANSWER, math.inf if is_shielded() else deadline()
        )
        self._connection.monotonic = monotonic

    def exchange(self, method: str, url: str) -> tuple[int, Mapping[str, str], str]:
        """Send one request, once.

        Args:
            method: `GET`, `POST` or `DELETE`.
            url: a path under the API's base, or a whole URL of the API's own host (the caller has checked that).

        Returns:
            Status, headers (names in small letters), body. Redirects are not followed.

        Raises:
            TransportError: no usable answer came.
        """
        try:
            _, headers, body = self._requester.requestJson(
                method, url, headers=dict(_HEADERS), cnx=self._connection
            )
        except FAILURES as error:
            raise failed(error) from None
        shown = {name: self._redactor.text(value) for name, value in headers.items()}
        return self._connection.seen, shown, self._redactor.text(body)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class _BoundedResponse(RequestsResponse):
    """An answer whose body was read within bounds; `requests` would also guess at its encoding, at length."""

    def __init__(self, response: requests.Response, body: bytes) -> None:
        super().__init__(response)
        self._body = body
        if self.status in _HANDLED_BY_PYGITHUB:
            self.status = requests.codes.ok

    def read(self) -> str:
        return self._body.decode("utf-8", "replace")


class _Bounded:
    """What is the same for http and https: the body is bounded, and the status that really came is kept."""

    seen = 0
    until: Callable[[], float]
    monotonic: Callable[[], float]
    # Of PyGithub's two classes, which share no other.
    session: Any
    verb: Any
    protocol: Any
    host: Any
    port: Any
    url: Any
    headers: Any
    input: Any
    timeout: Any
    verify: Any

    def getresponse(self) -> RequestsResponse:
        with self.session.request(
            self.verb,
            f"{self.protocol}://{self.host}:{self.port}{self.url}",
            headers=self.headers,
            data=self.input,
            timeout=self.timeout,
            verify=self.verify,
            allow_redirects=False,
            stream=True,
        ) as response:
            body = read_body(response, MAX_ANSWER, self.until(), self.monotonic)
        if len(body) > MAX_ANSWER:
            raise TransportError(f"an answer of more than {MAX_ANSWER // 1024 // 1024} MiB", sent=True)
        self.seen = response.status_code
        return _BoundedResponse(response, body)


class _Http(_Bounded, HTTPRequestsConnectionClass):
    pass


class _Https(_Bounded, HTTPSRequestsConnectionClass):
    pass


def _connection(api_url: str, timeout: int) -> _Http | _Https:
    parts = urlsplit(api_url)
    host = parts.hostname or ""
    kind = _Https if parts.scheme == "https" else _Http
    name = f"[{host}]" if ":" in host else host
    return kind(name, parts.port, timeout=timeout, retry=None, pool_size=1)
