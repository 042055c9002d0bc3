"""Send requests to GitHub's REST API: each waits for the rate limit, is tried again, and ends in a response or an error.

The redirect of a GET is followed within the API's own host, that of a change never: `changes` interprets it.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit

from msgspec import Struct, field

from package_retention.api.budgets import Permit
from package_retention.api.rate_limit import CHANGE_POINTS, READ_POINTS, RateLimiter
from package_retention.api.responses import ApiResponse, ResponseHeaders
from package_retention.errors import BudgetError, CancelledError, StaleError, UnreachableError
from package_retention.transport import links, retry
from package_retention.transport.exchange import TransportContext, TransportError
from package_retention.transport.retry import RetryCause

MAX_REDIRECTS = 3
_DONE = range(200, 300)
_LATER = "GitHub may have trouble (https://www.githubstatus.com), or the network: run again later"


class Exchange(Protocol):
    """Connections to the API, such as `session.Session`; safe in threads."""

    def exchange(self, method: str, url: str) -> tuple[int, Mapping[str, str], str]:
        """Send a request once; raise `TransportError`."""

    def close(self) -> None:
        """Close the connections."""


class _Request(Struct, eq=False):
    """A request on its way: `met` counts what its tries have met, `lost` says whether one of a change may have made it."""

    method: str
    url: str
    action: str
    not_after: float | None = None
    once: bool = False
    met: Counter[RetryCause] = field(default_factory=Counter)
    lost: bool = False

    @property
    def changes(self) -> bool:
        return self.method != "GET"


class _Try(Struct, frozen=True):
    status: int | None
    headers: Mapping[str, str]
    body: Any = None
    drop: TransportError | None = None

    @property
    def failed(self) -> bool:
        return self.status is None or self.status in retry.API.failures

    @property
    def may_be_done(self) -> bool:
        return self.failed and (self.drop is None or self.drop.sent)


class LostChangeError(UnreachableError):
    """A change may have been made: its response was lost, and it could not be sent again."""


class GitHubClient:
    """Sends the requests of every worker; safe in threads.

    Args:
        api_url: the API's base; no request leaves its host.
        session: sends one request once.
        rate_limiter: where every request waits.
        response_headers: records each response's headers.
        shared: what all requests of the run share.
    """

    def __init__(
        self,
        api_url: str,
        session: Exchange,
        rate_limiter: RateLimiter,
        response_headers: ResponseHeaders,
        shared: TransportContext,
    ) -> None:
        self._api_url = api_url.rstrip("/")
        self._session = session
        self.rate_limiter = rate_limiter
        self.response_headers = response_headers
        self._shared = shared
        self._worked = False
        self._accepted = 0
        self._doubt = threading.Lock()
        # Requests that failed and have no response yet.
        self._failing: set[_Request] = set()

    def get(self, url: str, action: str) -> ApiResponse:
        """Send a GET, follow redirects within the API's host, and return the response.

        Args:
            url: a path under the API's base, or a whole URL from the API, which must be on the API's own host.
            action: what the request is for, as messages say it after "cannot".

        Raises:
            UnreachableError: no try had a usable response.
            BudgetError: time or budget ends the run first.
            CancelledError: the run is cancelled.
        """
        for _ in range(MAX_REDIRECTS + 1):
            response = self._send(_Request("GET", self._on_own_host(url, action), action))
            if not (300 <= response.status < 400 and response.headers.get("location")):  # noqa: PLR2004 - 3xx
                return response
            url = self._redirected(url, response.headers["location"])
        raise UnreachableError(f"cannot {action}: GitHub redirects without end", _LATER)

    def change(
        self, method: str, path: str, action: str, *, not_after: float | None = None, once: bool = False
    ) -> ApiResponse:
        """Send a change (`DELETE` or `POST`); a redirect is returned, not followed.

        Args:
            method: `DELETE` or `POST`.
            path: a path under the API's base.
            action: as in `get`.
            not_after: a reading of `Clock.monotonic` after which the change is not sent.
            once: do not send it again, since each try needs another look at the package first.

        Raises:
            StaleError: it could not be sent in time and never was sent, or (`once`) another try is due.
            LostChangeError: it may have been made: no try had a usable response.
            UnreachableError: it was not made: no try reached GitHub.
            BudgetError: time or budget ended the run before it was sent.
            CancelledError: the run was cancelled before it was sent.
        """
        return self._send(_Request(method, path, action, not_after, once))

    def close(self) -> None:
        """Close the connections; one in use is closed after its request."""
        self._session.close()

    def _send(self, request: _Request) -> ApiResponse:
        met = request.met
        while True:
            try:
                tried, wait = self._try(request)
                if wait is not None and wait.cause is RetryCause.UNAUTHORIZED:
                    tried, wait = self._retry_with_doubted_token(request, tried, wait)
                if wait is None:
                    self._failing.discard(request)
                    return _final(request, tried)
                if met[RetryCause.DROP] + met[RetryCause.SERVER]:
                    self._failing.add(request)
                self._wait_for_another_try(request, wait)
            except (BudgetError, StaleError, CancelledError) as error:
                # Whichever request meets the limit first ends the run for all, also for one that fails meanwhile.
                if isinstance(error, StaleError):
                    self._failing.discard(request)
                raise _ended(request, error, failing=bool(self._failing)) from error

    def _retry_with_doubted_token(
        self, request: _Request, tried: _Try, wait: retry.Wait | None
    ) -> tuple[_Try, retry.Wait | None]:
        """Try again after a 401, one request at a time: after many wrong tokens GitHub locks their user out (facts B2)."""
        accepted = self._accepted
        with self._doubt:
            while wait is not None and wait.cause is RetryCause.UNAUTHORIZED:
                if not self._worked:
                    return tried, None
                if accepted == self._accepted:
                    self._wait_for_another_try(request, wait)
                accepted = self._accepted
                again, wait = self._try(request)
                if retry.is_lockout(again.body):
                    # It says only that there were too many; the first response says what is wrong with the token.
                    self._worked = False
                    return tried, None
                tried = again
        return tried, wait

    def _wait_for_another_try(self, request: _Request, wait: retry.Wait) -> None:
        if wait.scope == "this":
            self.rate_limiter.wait(wait.seconds, f"{request.action}: {wait.why}", not_after=request.not_after)
        if request.once:
            raise StaleError(f"cannot {request.action}: {wait.why}", "")

    def _try(self, request: _Request) -> tuple[_Try, retry.Wait | None]:
        """Send a request once, as soon as the rate limiter lets it go."""
        points = CHANGE_POINTS if request.changes else READ_POINTS
        permit = self.rate_limiter.enter(points, not_after=request.not_after)
        headers = date = wait = None
        try:
            tried = self._exchange(request, permit)
            request.lost |= request.changes and tried.may_be_done
            if tried.drop is None:
                headers, date = tried.headers, self.response_headers.record(tried.headers)
            wait = self._wait(request, tried)
        finally:
            self.rate_limiter.leave(permit, headers, date, wait)
        return tried, wait

    def _wait(self, request: _Request, tried: _Try) -> retry.Wait | None:
        """Count what a try has met, and return the wait before the next one; `None` if none is worth it."""
        met = request.met
        cause = retry.cause_of(tried.status, tried.headers, tried.body, retry.API, worked=self._worked)
        if cause is None:
            if tried.status in _DONE:
                self._worked = True
                self._accepted += 1
            return None
        met[cause] += 1
        if met[RetryCause.UNAUTHORIZED] >= retry.API.tries[RetryCause.UNAUTHORIZED]:
            self._worked = False  # it has expired: requests under way need not try it again
        if tried.drop is not None and not tried.drop.retryable:
            return None
        return retry.wait_after(
            cause,
            met[cause],
            tried.headers,
            self._shared.clock.now(),
            retry.API,
            jitter=self._shared.jitter(),
            status=tried.status,
        )

    def _exchange(self, request: _Request, permit: Permit) -> _Try:
        try:
            tried = self._read(*self._session.exchange(request.method, request.url))
        except TransportError as drop:
            tried = _Try(None, {}, drop=drop)
        self._emit(request, tried, permit)
        return tried

    def _read(self, status: int, headers: Mapping[str, str], text: str) -> _Try:
        try:
            body = json.loads(text) if text else None
            # Refusals are quoted; JSON may write a secret with escapes, which the connection has not replaced.
            return _Try(status, headers, body if status in _DONE else self._shared.redactor.value(body))
        except (ValueError, RecursionError):
            if status in _DONE:
                # The page of a proxy or a portal: it must pass neither for an empty list nor for a change made.
                return _Try(None, headers, drop=TransportError("an answer that is not JSON", sent=True))
            return _Try(status, headers, text)

    def _emit(self, request: _Request, tried: _Try, permit: Permit) -> None:
        target = urlsplit(request.url)
        path = f"{target.path}?{target.query}" if target.query else target.path
        described = "no answer" if tried.status is None else tried.status
        request_id = tried.headers.get("x-github-request-id") or "no request id"
        milliseconds = (self._shared.clock.monotonic() - permit.departed) * 1000
        self._shared.log(f"{request.method} {path}: {described} ({request_id}, {milliseconds:.0f} ms)")

    def _on_own_host(self, url: str, action: str) -> str:
        # `Link` and `Location` are text from outside, and each request carries the token. So scheme, host and port must be
        # the API's own: another port may belong to anybody, and `//host/path` looks like a path and names another host.
        if url.startswith("/") and not url.startswith("//"):
            return url
        if links.same_host(url, self._api_url):
            return url
        raise UnreachableError(
            f"cannot {action}: GitHub's answer leads to another host, to which the token must not be sent",
            f"check that GITHUB_API_URL ({self._api_url}) is the API's own address, with no redirect before it",
        )

    def _redirected(self, url: str, location: str) -> str:
        context = self._api_url + url if url.startswith("/") else url
        target = links.absolute(context, location)
        # The redirect of a renamed owner may drop the query, which holds the number of the page.
        if urlsplit(target).query:
            return target
        return urlsplit(target)._replace(query=urlsplit(context).query).geturl()


def _final(request: _Request, tried: _Try) -> ApiResponse:
    if tried.status is not None and not tried.failed:
        return ApiResponse(tried.status, tried.headers, tried.body, lost=request.lost)
    hint = (tried.drop.hint if tried.drop else "") or _LATER
    tries = request.met.total()
    after = f" after {tries} tries" if tries > 1 else ""
    kind = LostChangeError if request.lost else UnreachableError
    why = tried.drop.why if tried.drop else f"HTTP {tried.status}"
    detail = f"no usable answer from GitHub{after} ({why})"
    raise kind(f"cannot {request.action}: {detail}", hint, detail)


def _ended(
    request: _Request, error: BudgetError | StaleError | CancelledError, *, failing: bool
) -> BudgetError | StaleError | CancelledError | LostChangeError:
    if request.lost:
        detail = "the answer to it was lost, and the run ended before it could be asked for again"
        hint = "whether it was done is not known: run again, or look at the package's page"
        return LostChangeError(f"cannot {request.action}: {detail}", hint, detail)
    if isinstance(error, BudgetError):
        error.failing = failing
    return error
