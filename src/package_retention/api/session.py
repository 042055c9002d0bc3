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
    Redactor,
    Request,
    Response,
    TransportError,
    exchange,
    failure_of,
    pooled_session,
)

API_VERSION = "2022-11-28"
TIMEOUT = 30  # seconds without any data, after which a request counts as dropped
MAX_RESPONSE = 32 * 1024 * 1024
"""Bytes, decompressed; a page of 100 versions with 1,000 tags each has some 3 MiB."""
# No `If-None-Match`: lists come newest first, so a push changes every page, and ETags differ by token, which is new in
# every job. A 304 would be rare, and a wrongly remembered list would delete.
_HEADERS = {"Accept": "application/vnd.github+json", "Accept-Encoding": "gzip, deflate"}
_HANDLED_BY_PYGITHUB = (202, 301)


class Session:
    """A connection that is kept alive; used by one thread at a time.

    To PyGithub it is the connection itself, of which it uses no more than `request` and `getresponse`.

    Args:
        api_url: the API's base, with a path where it has one (`https://HOST/api/v3`).
        token: sent as the `Authorization` header to that host, and nowhere else.
        redactor: replaces secrets in the response.
        monotonic: reads a clock, in seconds.
        deadline: returns a reading of it after which no response is waited for; the end of the time limit may move.
    """

    def __init__(
        self,
        api_url: str,
        token: str,
        redactor: Redactor | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        *,
        deadline: Callable[[], float] = lambda: math.inf,
    ) -> None:
        # At DEBUG PyGithub would log headers and bodies.
        logging.getLogger("github").setLevel(logging.WARNING)
        self._requester = Github(
            auth=Auth.Token(token),
            base_url=api_url.rstrip("/"),
            user_agent=f"package-retention/{__version__}",
            retry=None,
            seconds_between_requests=None,
            seconds_between_writes=None,
            api_version=API_VERSION,
        ).requester
        self._redactor = redactor or Redactor(token)
        self._monotonic = monotonic
        self._deadline = deadline
        base = urlsplit(api_url)
        host = f"[{base.hostname}]" if ":" in (base.hostname or "") else base.hostname
        self._origin = f"{base.scheme}://{host}:{base.port or (443 if base.scheme == 'https' else 80)}"
        self._session = pooled_session(1)
        self._status = 0

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
        connection: Any = self
        try:
            _, headers, body = self._requester.requestJson(
                method, url, headers=dict(_HEADERS), cnx=connection
            )
        except ValueError as error:
            # PyGithub reads some headers as numbers.
            raise failure_of(error) from None
        shown = {name: self._redactor.text(value) for name, value in headers.items()}
        return self._status, shown, self._redactor.text(body)

    def request(self, verb: str, url: str, _body: None, headers: dict[str, str], _stream: bool) -> None:
        """Take a request from PyGithub."""
        self._request = Request(verb, f"{self._origin}{url}", headers)

    def getresponse(self) -> _PyGithubResponse:
        """Send the request within bounds, and return the response; its real status is kept beside it."""
        response = exchange(
            self._session,
            self._request,
            self._monotonic,
            self._deadline(),
            most=MAX_RESPONSE,
            timeout=(TIMEOUT, TIMEOUT),
        )
        if len(response.body) > MAX_RESPONSE:
            raise TransportError(f"an answer of more than {MAX_RESPONSE // 1024 // 1024} MiB", sent=True)
        self._status = response.status
        return _PyGithubResponse(response)

    def close(self) -> None:
        """Close the connection."""
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
