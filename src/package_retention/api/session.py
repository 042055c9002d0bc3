"""Send a request to GitHub's API through PyGithub, and return the response untouched (facts F).

PyGithub 2.10 follows a 301 without its query, sleeps two seconds on a 202, and repeats the request after either without
end. It is shown 200 in these cases; the real status is kept beside it. Proxies and private CAs come from the
environment (`HTTPS_PROXY`, `NO_PROXY`, `REQUESTS_CA_BUNDLE`); a `.netrc` is never read, since each request brings its
own authentication.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from github import Auth, Github

from package_retention import __version__
from package_retention.transport.exchange import (
    Request,
    Response,
    TransportContext,
    TransportError,
    exchange,
    failure_of,
    pooled_session,
)
from package_retention.transport.limits import API_REQUESTS

API_VERSION = "2022-11-28"
TIMEOUT = 30  # seconds without any data, after which a request counts as dropped
MAX_RESPONSE = 32 * 1024 * 1024
"""Bytes, decompressed; a page of 100 versions with 1,000 tags each has some 3 MiB."""
# No `If-None-Match`: lists come newest first, so a push changes every page, and ETags differ by token, which is new in
# every job. A 304 would be rare, and a wrongly remembered list would delete.
_HEADERS = {"Accept": "application/vnd.github+json", "Accept-Encoding": "gzip, deflate"}
_HANDLED_BY_PYGITHUB = (202, 301)


class Session:
    """Connections to the API that are kept alive; safe in threads.

    Args:
        api_url: the API's base, with a path where it has one (`https://HOST/api/v3`).
        token: sent as the `Authorization` header to that host, and nowhere else.
        shared: what all requests of the run share.
    """

    def __init__(self, api_url: str, token: str, shared: TransportContext) -> None:
        # At DEBUG PyGithub would log headers and bodies.
        logging.getLogger("github").setLevel(logging.WARNING)
        self._api_url = api_url.rstrip("/")
        self._auth = Auth.Token(token)
        self._shared = shared
        base = urlsplit(api_url)
        host = f"[{base.hostname}]" if ":" in (base.hostname or "") else base.hostname
        self._origin = f"{base.scheme}://{host}:{base.port or (443 if base.scheme == 'https' else 80)}"
        self._session = pooled_session(API_REQUESTS)

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
        # One for each request: it is not safe in threads, and is made within microseconds.
        requester = Github(
            auth=self._auth,
            base_url=self._api_url,
            user_agent=f"package-retention/{__version__}",
            retry=None,
            seconds_between_requests=None,
            seconds_between_writes=None,
            api_version=API_VERSION,
        ).requester
        connection: Any = _Connection(self._send)
        try:
            _, headers, body = requester.requestJson(method, url, headers=dict(_HEADERS), cnx=connection)
        except ValueError as error:
            # PyGithub reads some headers as numbers.
            raise failure_of(error) from None
        redactor = self._shared.redactor
        shown = {name: redactor.text(value) for name, value in headers.items()}
        return connection.response.status, shown, redactor.text(body)

    def _send(self, method: str, path: str, headers: Mapping[str, str]) -> Response:
        """Send a request within bounds; `path` is the whole path below the host."""
        response = exchange(
            self._session,
            Request(method, f"{self._origin}{path}", headers),
            self._shared,
            most=MAX_RESPONSE,
            timeout=(TIMEOUT, TIMEOUT),
        )
        if len(response.body) > MAX_RESPONSE:
            raise TransportError(f"an answer of more than {MAX_RESPONSE // 1024 // 1024} MiB", sent=True)
        return response

    def close(self) -> None:
        """Close the connections; one in use is closed after its request."""
        self._session.close()


class _Connection:
    """One request and its response, in the form of the connection and the response that PyGithub uses.

    `requests`' own response would also guess its encoding, which is slow.
    """

    response: Response

    def __init__(self, send: Callable[[str, str, Mapping[str, str]], Response]) -> None:
        self._send = send

    def request(self, verb: str, url: str, _body: None, headers: dict[str, str], _stream: bool) -> None:
        self.response = self._send(verb, url, headers)

    def getresponse(self) -> _Connection:
        return self

    @property
    def status(self) -> int:
        return 200 if self.response.status in _HANDLED_BY_PYGITHUB else self.response.status

    def getheaders(self) -> Iterable[tuple[str, str]]:
        return self.response.headers.items()

    def read(self) -> str:
        return self.response.body.decode("utf-8", "replace")
