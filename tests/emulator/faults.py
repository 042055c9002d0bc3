"""Faults that a test asks for: which request meets which, and all of their kinds, so that a test can walk them.

world.faults.add(Fault(Kind.LOST, number=3))
for fault in catalogue():
    world.faults.add(replace(fault, number=n))
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from emulator.messages import Request


class Kind(StrEnum):
    """What goes wrong. Only the kinds in `AFTER` happen once the request was carried out."""

    DROP = "the connection is dropped before the request is looked at"
    LOST = "the connection is dropped after it was carried out"
    LOST_502 = "502 after it was carried out"
    SERVER_ERROR = "500 with GitHub's own body"
    BAD_GATEWAY = "502 with an HTML body"
    UNAVAILABLE = "503 with an empty body"
    DELAY = "the answer comes late"
    PRIMARY = "the hourly limit, by its reset"
    SECONDARY = "the secondary limit, 403 without Retry-After"
    SECONDARY_AFTER = "the secondary limit, 403 with Retry-After"
    TOO_MANY = "the secondary limit, 429 without Retry-After"
    TOO_MANY_AFTER = "the secondary limit, 429 with Retry-After"
    EXPIRED = "401 from now on"
    TRUNCATED = "the body ends early, after it was carried out"
    PORTAL = "200 with somebody else's HTML page; it was not carried out"
    MALFORMED = "JSON that ends early, after it was carried out"


class Odd(StrEnum):
    """Answers that pass, and answers that nobody who means well would give; `odd` makes them."""

    UNAUTHORIZED = "401, although the token is good before and after; it was not carried out"
    MISSING = "404, although it is there; it was not carried out"
    ECHO = "403 that repeats the token in its message and headers"
    OVERSIZED = "a body of so many bytes"
    BOMB = "a small body that unpacks to so many bytes"
    ABSURD_WAIT = "429 whose headers hold no sensible number"
    ABSURD_BUDGET = "the answer, with a budget that is no sensible number"
    ENDLESS = "the answer, with a Link to yet another page, of a million"


AFTER = frozenset({Kind.LOST, Kind.LOST_502, Kind.TRUNCATED, Kind.MALFORMED, Kind.DELAY})


@dataclass(slots=True)
class Fault:
    """A fault and the requests that meet it: every one that fits all that is given, `times` times at most.

    Args:
        kind: what goes wrong.
        number: the n-th request, counted from 1, of the API or (`registry`) of the registry.
        method: only requests of this method.
        path: a regular expression that is searched in the path as it was sent.
        where: any other condition.
        times: how often it strikes; `None` for always.
        registry: strike the registry's requests in place of the API's.
        seconds: how late a `DELAY` is; how long a `Retry-After` or an hour's rest lasts.
        size: how large the body of an `OVERSIZED` or `BOMB` is.
        text: what stands for a number in an `ABSURD_…`.
        skip: this many requests that fit go by before it strikes.
    """

    kind: Kind | Odd
    number: int | None = None
    method: str | None = None
    path: str | None = None
    where: Callable[[Request], bool] | None = None
    times: int | None = 1
    registry: bool = False
    seconds: float = 1.0
    size: int = 64 * 1024 * 1024
    text: str = "inf"
    skip: int = 0

    def fits(self, request: Request) -> bool:
        """Whether the request is one that this fault means."""
        return (
            request.registry is self.registry
            and self.number in (None, request.number)
            and self.method in (None, request.method)
            and (self.path is None or re.search(self.path, request.path) is not None)
            and (self.where is None or self.where(request))
        )


class Faults:
    """The faults that are still to come; safe in threads."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Ask for a fault."""
        with self._guard:
            self._faults.append(fault)

    def extend(self, faults: Iterable[Fault]) -> None:
        """Ask for several."""
        for fault in faults:
            self.add(fault)

    def clear(self) -> None:
        """Ask for nothing any more."""
        with self._guard:
            self._faults.clear()

    @property
    def pending(self) -> int:
        """How many have not struck as often as they should: a test that expects none left checks that it struck."""
        with self._guard:
            return sum(fault.times is not None and fault.times > 0 for fault in self._faults)

    def strike(self, request: Request) -> Fault | None:
        """The fault that this request meets, if any; it is then used up by one."""
        with self._guard:
            for fault in self._faults:
                if fault.times == 0 or not fault.fits(request):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None


def catalogue(*, registry: bool = False) -> tuple[Fault, ...]:
    """Every kind of fault, once each, to be aimed with `dataclasses.replace(fault, number=n)`."""
    return tuple(Fault(kind, registry=registry) for kind in Kind)
