"""One HTTP request and its answer, bounded in size and time; any status is an answer.

Nothing leads a request, or the token in it, away from the URL that it was made for: redirects are not followed, and
`.netrc` and cookies are not used. Proxies and private CAs come from the environment, as requests reads them.
"""

from __future__ import annotations

from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError, NewConnectionError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MAX_BODY = 8 * 1024 * 1024  # bytes; registries take 4 MiB (distribution-spec, "Pushing Manifests")
_TIMEOUT = (10.0, 20.0)  # seconds to connect, and between two pieces of an answer
_LONGEST = 60.0  # seconds; an answer that drips is a drop
_CHUNK = 16 * 1024


class NoResponseError(Exception):
    """There was no usable answer; `reached` tells whether there was a connection at all."""

    def __init__(self, why: str, *, reached: bool) -> None:
        super().__init__(why)
        self.why = why
        self.reached = reached


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP answer, names of headers in any case; a body longer than `MAX_BODY` was cut off there."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def _anything(_response: Response) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Request:
    """A request; its `auth` is always given, or requests would look for one in `.netrc`.

    `plausible` tells whether an answer can be the registry's own: a proxy's or a portal's page is none.
    """

    method: str
    url: str
    auth: AuthBase
    headers: Mapping[str, str]
    body: bytes | None = None
    plausible: Callable[[Response], bool] = _anything


class Authorization(AuthBase):
    """The `Authorization` header of one request; empty for none."""

    def __init__(self, value: str = "") -> None:
        self._value = value

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Put the header on the request."""
        if self._value:
            request.headers["Authorization"] = self._value
        return request


def pooled_session(connections: int) -> requests.Session:
    """A session that several threads may share, with so many pooled connections a host."""
    session = requests.Session()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = HTTPAdapter(pool_connections=4, pool_maxsize=connections)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def exchange(session: requests.Session, request: Request, monotonic: Callable[[], float]) -> Response:
    """Send a request once; `NoResponseError` for a drop, a time-out, or an answer that breaks off."""
    try:
        return _exchange(session, request, monotonic)
    except (requests.RequestException, HTTPError, OSError) as error:
        why = f"{urlsplit(request.url).netloc}: {_plain(error)}"
        raise NoResponseError(why, reached=not _never_reached(error)) from error


def _exchange(session: requests.Session, request: Request, monotonic: Callable[[], float]) -> Response:
    until = monotonic() + _LONGEST
    with session.request(
        request.method,
        request.url,
        auth=request.auth,
        # Compressed answers could be bombs; manifests are small.
        headers={"User-Agent": "package-retention", "Accept-Encoding": "identity", **request.headers},
        data=request.body,
        allow_redirects=False,
        stream=True,
        timeout=_TIMEOUT,
    ) as response:
        body = bytearray()
        for piece in response.iter_content(_CHUNK):
            body += piece
            if len(body) > MAX_BODY:
                break
            if monotonic() > until:
                raise requests.Timeout
        return Response(response.status_code, response.headers, bytes(body))


def _never_reached(error: Exception) -> bool:
    """Whether there was no connection: refused, no such host, no route, a proxy or certificate that is refused."""
    if isinstance(
        error, requests.ConnectTimeout | requests.exceptions.SSLError | requests.exceptions.ProxyError
    ):
        return True
    return isinstance(getattr(error.args[0] if error.args else None, "reason", None), NewConnectionError)


def _plain(error: BaseException) -> str:
    """What went wrong in a few words: the innermost reason, without addresses of objects."""
    if isinstance(error, requests.Timeout):
        return "timed out"
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return (isinstance(error, OSError) and error.strerror) or type(error).__name__
