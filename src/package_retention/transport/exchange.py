"""Send one HTTP request and read its response, bounded in size and time; any status is a response.

Nothing leads a request, or the token in it, away from the URL that it was made for: redirects are not followed, and
`.netrc` and cookies are not used. Proxies and private CAs come from the environment, as requests reads them.

Nor does a secret come back in a message: libraries' own errors are never quoted, and `Redactor` replaces secrets in what
servers say. A proxy that repeats the `Authorization` header in its error page, or a token service that repeats the
credentials it refuses, would otherwise carry the token into the report and the summary, which no runner masks.
"""

from __future__ import annotations

import base64
import random
from collections.abc import Callable, Iterator, Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import quote, urlsplit

import requests
from msgspec import Struct
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, NewConnectionError

from package_retention.ports import Clock
from package_retention.transport.limits import TimeLimit

MAX_BODY = 8 * 1024 * 1024  # bytes; registries take 4 MiB (distribution-spec, "Pushing Manifests")
LONGEST_RESPONSE = 60.0  # seconds; a response that takes longer counts as a drop
_CHUNK = 16 * 1024
_HIDDEN = "***"
_SHORTEST = 8  # characters; replacing a shorter text would destroy words


class TransportContext(Struct, frozen=True):
    """What all requests of a run share.

    Args:
        clock: its `sleep` raises `CancelledError` once the run is cancelled, `sleep(0)` too.
        time_limit: after which no request and no wait may start.
        redactor: takes secrets out of what servers say.
        log: called with a line for each request, for debug logs; never with a header.
        jitter: returns random numbers in [0, 1), which spread the waits.
    """

    clock: Clock
    time_limit: TimeLimit
    redactor: Redactor
    log: Callable[[str], None] = lambda _line: None
    jitter: Callable[[], float] = random.random


class TransportError(Exception):
    """There was no usable response.

    `sent`: whether there was a connection, so that the request may have arrived, and a change may have been made.
    `retryable`: whether another try may go better; otherwise `hint` says what to do. The text never quotes the
    libraries' own, which may hold the token.
    """

    def __init__(self, why: str, *, sent: bool, retryable: bool = True, hint: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.sent = sent
        self.retryable = retryable
        self.hint = hint


class Response(Struct, frozen=True):
    """An HTTP response; names of headers are in any case, and a body longer than the bounds was cut off."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Request(Struct, frozen=True):
    """A request, with its `Authorization` among the headers.

    `plausible` returns whether the body of a 200 can be the server's own; the page of a proxy or a portal cannot.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None = None
    plausible: Callable[[bytes], bool] = lambda _body: True


class _Session(requests.Session):
    """Read proxies and CAs from the environment once for each host: for each request, that was a sixth of a run's work."""

    def __init__(self) -> None:
        super().__init__()
        self._settings: dict[tuple[Any, ...], Any] = {}

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        """Return the settings of one request, after what the environment says about its host."""
        if proxies:
            return super().merge_environment_settings(url, proxies, stream, verify, cert)
        place = urlsplit(url)
        key = (place.scheme, place.netloc, stream, verify, cert)
        if key not in self._settings:
            self._settings[key] = super().merge_environment_settings(url, proxies, stream, verify, cert)
        return self._settings[key]


def pooled_session(connections: int) -> requests.Session:
    """Return a session that several threads may share, with so many pooled connections a host."""
    session = _Session()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = HTTPAdapter(pool_connections=4, pool_maxsize=connections)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def exchange(
    session: requests.Session,
    request: Request,
    shared: TransportContext,
    *,
    most: int = MAX_BODY,
    timeout: tuple[float, float] = (10.0, 20.0),
) -> Response:
    """Send a request once; raise `TransportError` for a drop, a time-out, or a response that breaks off.

    Args:
        session: made by `pooled_session`.
        request: what is sent.
        shared: of which the clock and the time limit bound the response.
        most: bytes of the body, decompressed; it is cut off soon after.
        timeout: seconds to connect, and between two pieces of the response.
    """
    try:
        monotonic = shared.clock.monotonic
        until = min(monotonic() + LONGEST_RESPONSE, shared.time_limit.last_response)
        with session.request(
            request.method,
            request.url,
            auth=_as_it_is,
            # Compressed responses could be bombs; manifests are small.
            headers={"User-Agent": "package-retention", "Accept-Encoding": "identity", **request.headers},
            data=request.body,
            allow_redirects=False,
            stream=True,
            timeout=timeout,
        ) as response:
            body = _read_body(response, most, until, monotonic)
        return Response(response.status_code, response.headers, body)
    except _FAILURES as error:
        # The libraries' own errors may hold the token: they are neither quoted nor chained.
        raise failure_of(error) from None


def _as_it_is(prepared: requests.PreparedRequest) -> requests.PreparedRequest:
    """Authenticate a request by its headers alone: without any `auth`, `requests` would look for one in `.netrc`."""
    return prepared


def _read_body(response: requests.Response, most: int, until: float, monotonic: Callable[[], float]) -> bytes:
    body = bytearray()
    for piece in response.iter_content(_CHUNK):
        body += piece
        if len(body) > most:
            break
        if monotonic() > until:
            raise requests.Timeout
    return bytes(body)


# What the libraries raise if no usable response comes.
_FAILURES = (requests.RequestException, HTTPError, ValueError, OSError)


def failure_of(error: Exception) -> TransportError:
    """Describe what went wrong, in words that hold nothing of the request."""
    if permanent := _permanent(error):
        return permanent
    if isinstance(error, requests.exceptions.ProxyError):
        return TransportError(f"the proxy refused the connection ({_innermost(error)})", sent=False)
    if isinstance(error, requests.ConnectTimeout | requests.exceptions.SSLError) or _never_connected(error):
        return TransportError(f"no connection could be made ({_innermost(error)})", sent=False)
    if isinstance(error, requests.Timeout):
        return TransportError("the response took too long (timed out)", sent=True)
    return TransportError(f"the connection was dropped ({_innermost(error)})", sent=True)


def _permanent(error: Exception) -> TransportError | None:
    why, hint = "", ""
    if isinstance(error, requests.exceptions.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
        why = "the server's certificate is not trusted"
        hint = "name the file of your CA's certificates in the environment variable REQUESTS_CA_BUNDLE"
    elif isinstance(error, OSError) and "CA certificate bundle" in str(error):
        why = "the file that REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE names is not there"
        hint = (
            "a container action sees the workspace and little else of the runner: put the file below the workspace, and"
            " name it by its path in the container (`/github/workspace/…`)"
        )
    elif isinstance(error, requests.exceptions.InvalidHeader | UnicodeError):
        why = "the token holds characters that cannot be sent"
    elif isinstance(error, requests.exceptions.InvalidSchema | requests.exceptions.InvalidProxyURL):
        why = "the proxy's URL is not one that can be used"
        hint = "look at the environment variables HTTPS_PROXY, HTTP_PROXY and ALL_PROXY"
    return TransportError(why, sent=False, retryable=False, hint=hint) if why else None


def _never_connected(error: Exception) -> bool:
    return isinstance(getattr(error.args[0] if error.args else None, "reason", None), NewConnectionError)


def _innermost(error: BaseException) -> str:
    """Return the innermost reason in a few words, without the addresses of objects."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return (isinstance(error, OSError) and error.strerror) or type(error).__name__


class Redactor:
    """Replaces the secrets of a run; safe in threads.

    Args:
        secret: the token of the run.
        mask: called with each secret that comes later (bearer tokens of the registry), so that logs hide them too.
    """

    def __init__(self, secret: str = "", mask: Callable[[str], None] = lambda _: None) -> None:
        self._mask = mask
        self._forms = _forms(secret)

    def add(self, secret: str) -> None:
        """Hide one more secret from now on."""
        forms = _forms(secret)
        if forms and forms[0] not in self._forms:
            # A new tuple each time: other threads may be reading the old one.
            self._forms = (*self._forms, *forms)
            self._mask(secret)

    def text(self, text: str) -> str:
        """Replace every secret in a text, whether plain, in base64 or in the form of URLs."""
        for form in self._forms:
            text = text.replace(form, _HIDDEN)
        return text

    def value(self, value: Any) -> Any:
        """Replace secrets in every text of a decoded JSON document."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(entry) for entry in value]
        if isinstance(value, dict):
            return {self.text(str(key)): self.value(entry) for key, entry in value.items()}
        return value


def _forms(secret: str) -> tuple[str, ...]:
    if len(secret) < _SHORTEST:
        return ()
    return tuple(dict.fromkeys([secret, quote(secret, safe=""), *_encoded(secret.encode())]))


def _encoded(secret: bytes) -> Iterator[str]:
    """Yield what base64 makes of a secret at each place where it may begin (`user:secret`), without the edges."""
    for before in range(3):
        digits = base64.b64encode(b"\0" * before + secret).decode().rstrip("=")
        # The first and last digit also hold bits of what stands beside the secret.
        inner = digits[-(-before * 8 // 6) : len(secret + b"\0" * before) * 8 // 6]
        yield inner
        yield inner.replace("+", "-").replace("/", "_")
