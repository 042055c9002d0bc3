"""A GitHub of a few lines for tests of the client alone: no HTTP, every answer is the test's."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from clocks import FakeClock
from package_retention.api.client import GitHubClient
from package_retention.api.packages import PackagesClient
from package_retention.api.rate_limit import RateLimiter
from package_retention.api.responses import RequestContext, ResponseHeaders
from package_retention.api.tokens import TokenKind
from package_retention.transport.exchange import Redactor, TransportContext, TransportError
from package_retention.transport.limits import TimeLimit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from package_retention.ports import Clock

API = "https://api.example.test"
LOST = TransportError("the connection was dropped", sent=True)
UNSENT = TransportError("no connection could be made", sent=False)


@dataclass(frozen=True)
class Reply:
    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return self.body if isinstance(self.body, str) else "" if self.body is None else json.dumps(self.body)


def shared(clock: Clock | None = None, secret: str = "", **more: Any) -> TransportContext:
    """What all requests share, as the test names it."""
    clock = clock or FakeClock()
    given = {"time_limit": TimeLimit(clock), "redactor": Redactor(secret), "jitter": lambda: 0.0, **more}
    return TransportContext(clock, **given)


def refusal(status: int, message: str, **headers: str) -> Reply:
    return Reply(
        status, {"message": message}, {name.replace("_", "-"): value for name, value in headers.items()}
    )


class Connections:
    """Connections that all answer by one function; records every request."""

    def __init__(self, answer: Callable[[str, str], Reply | TransportError]) -> None:
        self._answer = answer
        self._guard = threading.Lock()
        self.asked: list[tuple[str, str]] = []
        self.closed = 0

    def exchange(self, method: str, url: str) -> tuple[int, Mapping[str, str], str]:
        with self._guard:
            self.asked.append((method, url))
        found = self._answer(method, url)
        if isinstance(found, TransportError):
            raise found
        return found.status, found.headers, found.text

    def close(self) -> None:
        with self._guard:
            self.closed += 1


class InTurn:
    """Answers in the order given; more requests than answers are a failure."""

    def __init__(self, *answers: Reply | TransportError | Callable[[], Reply | TransportError]) -> None:
        self._answers = list(answers)

    def __call__(self, method: str, url: str) -> Reply | TransportError:
        assert self._answers, f"one request too many: {method} {url}"
        found = self._answers.pop(0)
        return found() if callable(found) else found

    @property
    def left(self) -> int:
        return len(self._answers)


@dataclass
class Rig:
    """A client with everything around it."""

    connections: Connections
    clock: FakeClock
    rate_limiter: RateLimiter
    response_headers: ResponseHeaders
    client: GitHubClient
    packages: PackagesClient

    @property
    def asked(self) -> list[tuple[str, str]]:
        return self.connections.asked


def rig(
    answer: Callable[[str, str], Reply | TransportError],
    *,
    time_limit: float | None = None,
    points_per_minute: int | None = None,
    kind: TokenKind = TokenKind.CLASSIC,
    on_github_com: bool = True,
    workers: int = 4,
    **more: Any,
) -> Rig:
    connections, clock = Connections(answer), FakeClock()
    rate_limiter = RateLimiter(
        clock, points_per_minute=points_per_minute, time_limit=TimeLimit(clock, time_limit)
    )
    response_headers = ResponseHeaders(clock, kind)
    client = GitHubClient(
        API, connections, rate_limiter, response_headers, shared(clock, jitter=lambda: 0.5, **more)
    )
    context = RequestContext("", "", kind, on_github_com=on_github_com)
    packages = PackagesClient(client, context, workers)
    return Rig(connections, clock, rate_limiter, response_headers, client, packages)
