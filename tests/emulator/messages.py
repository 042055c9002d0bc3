"""What goes over the wire, as plain values: a request, its answer, and the record that is kept of both."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_READS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Request:
    """One request: `path` as it was sent (percent-encoded), header names in lower case.

    `number` counts from 1, the API's and the registry's requests apart; `at_once` is how many were under way when it
    arrived, itself included. `storage`: it reached the host that keeps blobs; such requests are among the registry's.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    number: int = 0
    registry: bool = False
    storage: bool = False
    at_once: int = 1

    @property
    def points(self) -> int:
        """What it costs of the 900 points a minute: 1 for a read, 5 for a change (facts C)."""
        return 1 if self.method in _READS else 5


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; `Date`, request id, `Content-Length` and rate-limit headers come from the server."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A request that arrived; `status` is 0 where no answer was sent, `fault` the fault that met it."""

    number: int
    method: str
    path: str
    query: Mapping[str, str]
    status: int
    token_kind: str
    points: int
    at: datetime
    monotonic: float
    fault: str = ""


def json_answer(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer whose body is JSON."""
    return Answer(status, json.dumps(value).encode(), headers or {})
