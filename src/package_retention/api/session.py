"""Send a request to GitHub's API through PyGithub, and return the response untouched (facts F).

PyGithub 2.10 follows a 301 without its query, sleeps two seconds on a 202, and repeats the request after either without
end. It is shown 200 in these cases; the real status is kept beside it. Proxies and private CAs come from the
environment (`HTTPS_PROXY`, `NO_PROXY`, `REQUESTS_CA_BUNDLE`); a `.netrc` is never read, since each request brings its
own authentication.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from github import Auth, Github

from package_retention import __version__
from package_retention.transport.exchange import (
    Authorization,
    Bounds,
    Request,
    Response,
    TransportError,
    exchange,
    failure_of,
    pooled_session,
)
from package_retention.transport.redaction import Redactor

API_VERSION = "2022-11-28"
TIMEOUT = 30
MAX_RESPONSE = 32 * 1024 * 1024
"""Bytes, decompressed; a page of 100 versions with 1,000 tags each has some 3 MiB."""
# No `If-None-Match`: lists come newest first, so a push changes every page, and ETags differ by token, which is new in
# every job. A 304 would be rare, and a wrongly remembered list would delete.
_HEADERS = {"Accept": "application/vnd.github+json", "Accept-Encoding": "gzip, deflate"}
_HANDLED_BY_PYGITHUB = (202, 301)


class Session:
    """A connection that is kept alive; used by one thread at a time.

    Args:
        api_url: the API's base, with a path where it has one (`https://HOST/api/v3`).
        token: sent as the `Authorization` header to that host, and nowhere else.
        redactor: replaces secrets in the response.
        monotonic: reads a clock, in seconds.
        deadline: returns a reading of it after which no response is waited for; the end of the time limit may move.
        timeout: seconds without any data after which a request counts as dropped.
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
        # PyGithub uses no more of a connection than these methods.
        self._connection: Any = _Connection(api_url, timeout, monotonic, deadline)

    def exchange(self, method: str, url: str) -> tuple[int, Mapping[str, str], str]:
        """Send a request once.

        Args:
            method: `GET`, `POST` or `DELETE`.
            url: a path under the API's base, or a whole URL of the API's own host (the caller has checked that).

        Returns:
            Status, headers (names in small letters), body. Redirects are not followed.

        Raises:
            TransportError: there was no usable response.
        """
        try:
            _, headers, body = self._requester.requestJson(
                method, url, headers=dict(_HEADERS), cnx=self._connection
            )
        except ValueError as error:
            # PyGithub reads some headers as numbers.
            raise failure_of(error) from None
        shown = {name: self._redactor.text(value) for name, value in headers.items()}
        return self._connection.status, shown, self._redactor.text(body)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class _Connection:
    """Sends PyGithub's requests by `transport.exchange`, within bounds.

    `status` is the real one; PyGithub is shown 200 where it would act on its own.
    """

    def __init__(
        self, api_url: str, timeout: int, monotonic: Callable[[], float], deadline: Callable[[], float]
    ) -> None:
        base = urlsplit(api_url)
        host = f"[{base.hostname}]" if ":" in (base.hostname or "") else base.hostname
        self._origin = f"{base.scheme}://{host}:{base.port or (443 if base.scheme == 'https' else 80)}"
        self._session = pooled_session(1)
        self._timeout = (timeout, timeout)
        self._monotonic = monotonic
        self._deadline = deadline
        self.status = 0

    def request(self, verb: str, url: str, _body: None, headers: dict[str, str], _stream: bool) -> None:
        self._request = Request(verb, f"{self._origin}{url}", Authorization(), headers)

    def getresponse(self) -> _PyGithubResponse:
        bounds = Bounds(MAX_RESPONSE, self._timeout, self._deadline())
        response = exchange(self._session, self._request, self._monotonic, bounds)
        if len(response.body) > MAX_RESPONSE:
            raise TransportError(f"an answer of more than {MAX_RESPONSE // 1024 // 1024} MiB", sent=True)
        self.status = response.status
        return _PyGithubResponse(response)

    def close(self) -> None:
        self._session.close()


class _PyGithubResponse:
    """A response in the form that PyGithub reads; `requests` would also guess its encoding, which is slow."""

    def __init__(self, response: Response) -> None:
        self.status = 200 if response.status in _HANDLED_BY_PYGITHUB else response.status
        self._response = response

    def getheaders(self) -> Iterable[tuple[str, str]]:
        return self._response.headers.items()

    def read(self) -> str:
        return self._response.body.decode("utf-8", "replace")
