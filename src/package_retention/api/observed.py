"""What answers tell in passing: the server's time, the token's scopes, and what a user must know."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING

from package_retention.api import paging, scopes
from package_retention.api.retry import http_date

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from package_retention.api.tokens import TokenKind
    from package_retention.ports import Clock


class Observed:
    """Listens to every answer; safe in threads."""

    def __init__(self, clock: Clock, kind: TokenKind) -> None:
        self._clock = clock
        self._kind = kind
        self._guard = threading.Lock()
        self._date: tuple[datetime, float] | None = None
        self._scopes: frozenset[str] | None = None
        self._notices: dict[str, None] = {}

    def hear(self, headers: Mapping[str, str]) -> datetime | None:
        """Listen to one answer's headers (names in small letters); gives its `Date`."""
        date = http_date(headers.get("date"))
        granted = scopes.granted(headers.get("x-oauth-scopes"), self._kind)
        with self._guard:
            if date is not None:
                self._date = (date, self._clock.monotonic())
            if granted is not None:
                self._scopes = granted
            for notice in (paging.partial_notice(headers.get("x-github-sso")), _ending(headers)):
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
    told = [f"{name.title()}: {headers[name]}" for name in ("deprecation", "sunset") if headers.get(name)]
    if not told:
        return ""
    return f"GitHub announces the end of an API that this action uses ({', '.join(told)}): look for a newer release"
