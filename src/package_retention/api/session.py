"""One connection to GitHub's API through PyGithub: what goes out, and what comes back, untouched (facts F).

PyGithub 2.10 follows a 301 without its query, sleeps two seconds on a 202, and on either asks again without end. It is
told 200 in these cases; the status that really came is kept beside it. Proxies and private CAs come from the
environment (`HTTPS_PROXY`, `NO_PROXY`, `REQUESTS_CA_BUNDLE`); a `.netrc` is never read, for PyGithub's sessions bring
an authentication of their own.
"""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests
import urllib3
from github import Auth, Github
from github.Requester import HTTPRequestsConnectionClass, HTTPSRequestsConnectionClass, RequestsResponse

from package_retention import __version__
from package_retention.api import tokens
from package_retention.transport import links
from package_retention.transport.retry import http_date

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from package_retention.api.tokens import TokenKind
    from package_retention.ports import Clock


class ResponseHeaders:
    """Listens to every answer; safe in threads."""

    def __init__(self, clock: Clock, kind: TokenKind) -> None:
        self._clock = clock
        self._kind = kind
        self._guard = threading.Lock()
        self._date: tuple[datetime, float] | None = None
        self._scopes: frozenset[str] | None = None
        self._notices: dict[str, None] = {}

    def record(self, headers: Mapping[str, str]) -> datetime | None:
        """Listen to one answer's headers (names in small letters); gives its `Date`."""
        date = http_date(headers.get("date"))
        granted = tokens.granted(headers.get("x-oauth-scopes"), self._kind)
        with self._guard:
            if date is not None:
                self._date = (date, self._clock.monotonic())
            if granted is not None:
                self._scopes = granted
            for notice in (links.partial_notice(headers.get("x-github-sso")), _ending(headers)):
                if notice:
                    self._notices[notice] = None
        return date

    @property
    def scopes(self) -> frozenset[str] | None:
        """The token's scopes, as the latest answer that named them did; `None` where none has."""
        return self._scopes

    def now(self) -> datetime:
        """The server's time of day, carried on by the monotonic clock; the clock's own before the first answer."""
        with self._guard:
            if self._date is None:
                return self._clock.now()
            date, heard = self._date
            return date + timedelta(seconds=self._clock.monotonic() - heard)

    def notices(self) -> tuple[str, ...]:
        """Give each notice once, in the order of hearing."""
        with self._guard:
            return tuple(self._notices)


def _ending(headers: Mapping[str, str]) -> str:
    reported = [f"{name.title()}: {headers[name]}" for name in ("deprecation", "sunset") if headers.get(name)]
    if not reported:
        return ""
    return f"GitHub announces the end of an API that this action uses ({', '.join(reported)}): look for a newer release"


API_VERSION = "2022-11-28"
TIMEOUT = 30
_HEADERS = {"Accept": "application/vnd.github+json"}
_HANDLED_BY_PYGITHUB = (202, 301)


class TransportError(Exception):
    """No usable answer came.

    `sent`: the request may have arrived, so a change may have been made. `hopeless`: another try would meet the same;
    `hint` then says what to do. The text never quotes the library's own, which may hold the token.
    """

    def __init__(self, why: str, *, sent: bool, permanent: bool = False, hint: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.sent = sent
        self.permanent = permanent
        self.hint = hint


class Session:
    """One connection that is kept alive; used by one thread at a time.

    Args:
        api_url: the API's base, with a path where it has one (`https://HOST/api/v3`).
        token: sent as the `Authorization` header to that host, and nowhere else.
        timeout: seconds without any answer after which a request counts as dropped.
    """

    def __init__(self, api_url: str, token: str, *, timeout: int = TIMEOUT) -> None:
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
        self._timeout = timeout
        self._connection = _connection(api_url, timeout)

    def exchange(self, method: str, url: str) -> tuple[int, Mapping[str, str], str]:
        """Send one request, once.

        Args:
            method: `GET`, `POST` or `DELETE`.
            url: a path under the API's base, or a whole URL of the API's own host (the caller has checked that).

        Returns:
            Status, headers (names in small letters), body. Redirects are not followed.

        Raises:
            DropError: there is no usable answer.
        """
        try:
            _, headers, body = self._requester.requestJson(
                method, url, headers=dict(_HEADERS), cnx=self._connection
            )
        except (requests.RequestException, urllib3.exceptions.HTTPError, ValueError, OSError) as error:
            raise _dropped(error, self._timeout) from None
        return self._connection.seen, headers, body

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class _Http(HTTPRequestsConnectionClass):
    seen = 0

    def getresponse(self) -> RequestsResponse:
        response = super().getresponse()
        self.seen = response.status
        return _as_it_is(response)


class _Https(HTTPSRequestsConnectionClass):
    seen = 0

    def getresponse(self) -> RequestsResponse:
        response = super().getresponse()
        self.seen = response.status
        return _as_it_is(response)


def _as_it_is(response: RequestsResponse) -> RequestsResponse:
    if response.status in _HANDLED_BY_PYGITHUB:
        response.status = requests.codes.ok
    # Else `requests` would guess the encoding of a body that does not name it, at length.
    response.response.encoding = "utf-8"
    return response


def _connection(api_url: str, timeout: int) -> _Http | _Https:
    parts = urlsplit(api_url)
    host = parts.hostname or ""
    kind = _Https if parts.scheme == "https" else _Http
    name = f"[{host}]" if ":" in host else host
    return kind(name, parts.port, timeout=timeout, retry=None, pool_size=1)


def _dropped(error: Exception, timeout: int) -> TransportError:
    if permanent := _permanent(error):
        return permanent
    if isinstance(error, requests.exceptions.ProxyError):
        return TransportError("the proxy gave no connection", sent=False)
    if isinstance(error, requests.ConnectTimeout) or _never_connected(error):
        return TransportError("no connection could be made", sent=False)
    if isinstance(error, requests.ReadTimeout):
        return TransportError(f"no answer within {timeout} s", sent=True)
    return TransportError("the connection was dropped", sent=True)


def _permanent(error: Exception) -> TransportError | None:
    why, hint = "", ""
    if isinstance(error, requests.exceptions.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
        why = "the server's certificate is not trusted"
        hint = "name the file of your CA's certificates in the environment variable REQUESTS_CA_BUNDLE"
    elif isinstance(error, requests.exceptions.InvalidHeader | UnicodeError):
        why = "the token holds characters that cannot be sent"
    elif isinstance(error, requests.exceptions.InvalidSchema | requests.exceptions.InvalidProxyURL):
        why = "the proxy's URL is not one that can be used"
        hint = "look at the environment variables HTTPS_PROXY, HTTP_PROXY and ALL_PROXY"
    return TransportError(why, sent=False, permanent=True, hint=hint) if why else None


def _never_connected(error: Exception) -> bool:
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return isinstance(reason, urllib3.exceptions.NewConnectionError)
