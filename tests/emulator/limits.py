"""GitHub's rate limits: an hour's requests, a minute's points, requests at once (facts C)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from emulator.refusals import RefusedRequest

if TYPE_CHECKING:
    from emulator.messages import Request
    from emulator.stored import Token
    from emulator.world import World

_HOUR = 3600
_MINUTE = 60.0
_INSTALLATION, _USER = 1_000, 5_000


@dataclass(slots=True)
class _Account:
    """What one user or installation has used; `until` is the end of its hour, in seconds since 1970."""

    used: int = 0
    until: float = 0.0
    arrivals: deque[tuple[float, int]] = field(default_factory=deque)
    points: int = 0


class Limits:
    """The books of every token's user or installation; called with the world's lock held."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._accounts: dict[str, _Account] = {}
        self.in_flight = 0
        self.most_in_flight = 0

    def begin(self) -> int:
        """Count a request that has arrived and is not answered yet; gives how many there are now."""
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        return self.in_flight

    def end(self) -> None:
        """Count its answer."""
        self.in_flight -= 1

    def admit(self, request: Request, token: Token) -> None:
        """Count a request; raises what GitHub answers beyond a limit."""
        if self._world.ghes:
            return  # facts C: off by default there
        account = self._account(token)
        self._secondary(account, request)
        if self._world.switches.primary_limit and request.path != "/rate_limit":
            if account.used >= self._limit(token):
                raise self.primary(token)
            account.used += 1

    def spend(self, token: Token, used: int) -> None:
        """Have others use up some of this hour's requests."""
        account = self._account(token)
        account.used = min(account.used + used, self._limit(token))

    def exhaust(self, token: Token, seconds: float) -> None:
        """Have nothing left of the hour, which ends in so many seconds."""
        account = self._account(token)
        account.used, account.until = self._limit(token), float(int(self._now() + seconds))

    def headers(self, token: Token) -> dict[str, str]:
        """The `x-ratelimit-…` headers; none where the limits are off (facts C)."""
        if self._world.ghes or not self._world.switches.primary_limit:
            return {}
        return {f"x-ratelimit-{name}": str(value) for name, value in self.core(token).items()} | {
            "x-ratelimit-resource": "core"
        }

    def core(self, token: Token) -> dict[str, int]:
        """What `/rate_limit` says of the core resource."""
        account, limit = self._account(token), self._limit(token)
        left = max(limit - account.used, 0)
        return {"limit": limit, "remaining": left, "used": account.used, "reset": int(account.until)}

    def primary(self, token: Token) -> RefusedRequest:
        """The refusal of an hour that is spent; never with `Retry-After`."""
        status = self._world.switches.limit_status
        if token.kind == "installation":
            return RefusedRequest("primary-installation", token.installation_id, status=status)
        owner = self._world.owner(token.login or "")
        return RefusedRequest("primary-user", owner.id if owner else 0, status=status)

    def secondary(self, status: int | None = None, retry_after: float | None = None) -> RefusedRequest:
        """The refusal of the minute, and of too many at once."""
        switches = self._world.switches
        headers = {} if retry_after is None else {"Retry-After": str(max(int(retry_after), 1))}
        what = "secondary" if switches.secondary_text == "current" else "abuse"
        return RefusedRequest(what, status=status or switches.limit_status, headers=headers)

    def _secondary(self, account: _Account, request: Request) -> None:
        switches = self._world.switches
        now = self._world.monotonic()
        while account.arrivals and account.arrivals[0][0] <= now - _MINUTE:
            account.points -= account.arrivals.popleft()[1]
        over = account.points + request.points > switches.points_per_minute
        crowded = request.at_once > switches.concurrent_requests
        refused = switches.secondary_limit and (over or crowded)
        if not refused or switches.refused_requests_count:
            account.arrivals.append((now, request.points))
            account.points += request.points
        if refused:
            raise self.secondary(retry_after=_MINUTE if switches.limit_sends_retry_after else None)

    def _limit(self, token: Token) -> int:
        if token.limit is not None:
            return token.limit
        return _INSTALLATION if token.kind == "installation" else _USER

    def _account(self, token: Token) -> _Account:
        key = token.login.lower() if token.login else f"installation {token.installation_id}"
        account = self._accounts.setdefault(key, _Account())
        if self._now() >= account.until:
            account.used, account.until = 0, float(int(self._now()) + _HOUR)
        return account

    def _now(self) -> float:
        return self._world.clock().timestamp() + self._world.switches.date_skew
