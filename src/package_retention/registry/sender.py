"""Send requests to the registry and its token service, as often as the retry policy allows, for several threads."""

from __future__ import annotations

import json
import threading
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from package_retention.cancel import is_shielded
from package_retention.errors import BudgetError, Refusal, RefusalKind
from package_retention.escaping import counted
from package_retention.transport.exchange import (
    Request,
    Response,
    TransportContext,
    TransportError,
    exchange,
    pooled_session,
)
from package_retention.transport.limits import RAISE_LIMIT
from package_retention.transport.retry import REGISTRY, RetryCause, Wait, cause_of, wait_after

_LONGEST = 200  # characters of a registry's own words that a message repeats
_KINDS = {
    401: RefusalKind.ROLE,
    403: RefusalKind.ROLE,
    404: RefusalKind.NOT_FOUND,
    429: RefusalKind.SECONDARY_LIMIT,
}
_HINTS = {
    RefusalKind.ROLE: "writing to the registry needs `write:packages` on a classic token; in a workflow, "
    "GITHUB_TOKEN needs `permissions: packages: write`, and its repository the role Write or Admin under Manage Actions access",
    RefusalKind.NOT_FOUND: "check that the package exists, and that `registry-url` is its registry",
    RefusalKind.SECONDARY_LIMIT: "run again later, or less at once",
    RefusalKind.OTHER: "check that `registry-url` is the registry of the package",
}


class PermanentError(Exception):
    """A failure that every request of the package would meet; `status` is that of the response, if there was one."""

    def __init__(self, why: str, status: int = 0) -> None:
        super().__init__(why)
        self.why = why
        self.status = status


def is_unknown_name(body: bytes) -> bool:
    """Return whether a 404 is about the whole repository (distribution-spec, "Error Codes"), not about a manifest."""
    return _first_error(body)[0] == "NAME_UNKNOWN"


def write_refusal(status: int, why: str, what: str) -> Refusal:
    """Explain a refused write; `what` names the package and tag."""
    kind = _KINDS.get(status, RefusalKind.OTHER)
    return Refusal(kind, status, f"{what} was not written: {why}", _HINTS[kind])


def _first_error(body: bytes) -> tuple[str, str]:
    """Return code and message of the first of the distribution-spec's `errors`; else a line of plain text."""
    try:
        response = json.loads(body[: 64 * 1024])
    except (ValueError, RecursionError):
        text = body[:_LONGEST].decode("utf-8", "replace").strip()
        return "", "" if text.startswith("<") else text.partition("\n")[0]
    errors: Any = response.get("errors") if isinstance(response, dict) else None
    error = errors[0] if isinstance(errors, list) and errors else None
    if not isinstance(error, dict):
        return "", ""
    return _short(error.get("code")), _short(error.get("message"))


def _short(text: object) -> str:
    """Return a text that can be printed (JSON may hold half a character)."""
    return text[:_LONGEST].encode("utf-8", "replace").decode() if isinstance(text, str) else ""


class Sender:
    """Sends requests for several threads.

    Args:
        shared: what all requests of the run share.
        at_once: how many requests may be under way at once.
    """

    def __init__(self, shared: TransportContext, at_once: int) -> None:
        self.shared = shared
        self.requests_made = 0
        """The number of requests sent, tries included."""
        self.waited = 0.0
        """The seconds waited between tries."""
        self._session = pooled_session(at_once)
        self._room = threading.Semaphore(at_once)
        self._lock = threading.Lock()
        self._throttled_until = 0.0
        self._unreachable: set[str] = set()

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def described(self, response: Response) -> str:
        """Describe a response in a few words: `403 DENIED: denied`; its text is the registry's, and hostile."""
        words = ": ".join(filter(None, _first_error(response.body)))
        return self.shared.redactor.text(f"{response.status} {words}".strip())

    def check_time(self, seconds: float = 0.0) -> None:
        """Raise `CancelledError` or `BudgetError` unless something that takes so many seconds may start."""
        if is_shielded():
            return
        self.shared.clock.sleep(0)
        if self.shared.clock.monotonic() + seconds >= self.shared.time_limit.deadline:
            raise BudgetError(
                "the time limit came before everything that is needed was read from the container registry",
                "time",
                RAISE_LIMIT,
            )

    def send(self, request: Request) -> Response:
        """Send a request until there is a response; raise `TransportError` if every try met a drop, a 429 or a 5xx.

        After a response that is not plausible the request is sent again a few times, before the response counts.
        """
        tries, failing = 0, False
        while True:
            self._wait(self._throttled_until - self.shared.clock.monotonic(), failing=failing)
            tries += 1
            found = self._try(request, tries)
            if isinstance(found, Response):
                return found
            if found.cause.is_limit:
                self._throttled_until = max(
                    self._throttled_until, self.shared.clock.monotonic() + found.seconds
                )
            else:
                failing = True
                self._wait(found.seconds, failing=True)

    def wait_for_another_try(self, tries: int) -> bool:
        """Wait after a token was refused so many times, and return whether another try is worth it."""
        wait = self._wait_after(RetryCause.UNAUTHORIZED, tries)
        if wait is None:
            return False
        self._wait(wait.seconds, failing=True)
        return True

    def _try(self, request: Request, tries: int) -> Response | Wait:
        """Send a request once; return the response, or the wait before another try."""
        host = urlsplit(request.url).netloc
        try:
            response = self._once(request)
        except TransportError as error:
            return self._after_drop(host, tries, error)
        self._unreachable.discard(host)
        cause = cause_of(response.status, response.headers, None, REGISTRY)
        if cause is None:
            if response.status != HTTPStatus.OK or request.plausible(response.body):
                return response
            return self._wait_after(RetryCause.IMPLAUSIBLE, tries) or response
        wait = self._wait_after(cause, tries, response)
        if wait is None:
            what = f"{host} answered {self.described(response)} ({counted(tries, 'try', 'tries')})"
            raise TransportError(what, sent=True)
        return wait

    def _after_drop(self, host: str, tries: int, error: TransportError) -> Wait:
        wait = self._wait_after(RetryCause.DROP, tries)
        if wait is not None and error.retryable and (error.sent or host not in self._unreachable):
            return wait
        if not error.sent:
            # From now on each request has one try, until the host responds again.
            self._unreachable.add(host)
        raise TransportError(f"{host}: {error.why} ({counted(tries, 'try', 'tries')})", sent=error.sent)

    def _wait_after(self, cause: RetryCause, tries: int, response: Response | None = None) -> Wait | None:
        headers, body = (response.headers, response.body) if response else ({}, b"")
        now = self.shared.clock.now()
        return wait_after(cause, tries, headers, now, REGISTRY, jitter=self.shared.jitter(), body=body)

    def _wait(self, seconds: float, *, failing: bool = False) -> None:
        try:
            self.check_time(max(0.0, seconds))
        except BudgetError as error:
            error.failing = failing
            raise
        if seconds > 0:
            with self._lock:
                self.waited += seconds
            self.shared.clock.sleep(seconds)

    def _once(self, request: Request) -> Response:
        with self._lock:
            self.requests_made += 1
        try:
            with self._room:
                response = exchange(self._session, request, self.shared)
        except TransportError as error:
            self._emit(request, error.why)
            raise
        self._emit(request, str(response.status))
        return response

    def _emit(self, request: Request, what: str) -> None:
        self.shared.log(f"registry: {request.method} {urlsplit(request.url).path}: {what}")
