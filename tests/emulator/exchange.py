"""One request from its arrival to what is sent: hooks, faults, the answer, the record (everything but the sockets)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

from emulator import access, odd, registry, rest, storage
from emulator.faults import AFTER, Kind, Odd
from emulator.messages import Answer, Recorded
from emulator.refusals import RefusedRequest
from emulator.rules import kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from emulator.faults import Fault
    from emulator.messages import Request
    from emulator.world import World

_HTML = "text/html; charset=utf-8"
_PAGE = b"<!DOCTYPE html><html><head><title>Sign in to the network</title></head><body>Unicorn!</body></html>"
_GHES_PREFIX = "/api/v3"


@dataclass(frozen=True, slots=True)
class Sent:
    """What goes over the wire: `None` for a connection that is dropped, `cut` for a body that ends early."""

    answer: Answer | None
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None


def serve(world: World, request: Request, *, latency: float = 0.0) -> Sent:
    """Take a request as it arrived to what is sent for it."""
    of_registry = request.storage or request.path == "/token" or request.path.split("/")[1:2] == ["v2"]
    with world.lock:
        world.arrived[of_registry] += 1
        at_once = 1 if of_registry else world.limits.begin()
        request = replace(request, number=world.arrived[of_registry], registry=of_registry, at_once=at_once)
        at, monotonic = world.clock(), world.monotonic()
    try:
        for hook in tuple(world.before_request):
            hook(request)
        fault = world.faults.strike(request)
        answer, cut = _met(world, request, fault)
        if latency:
            world.sleep(latency)
    finally:
        with world.lock:
            if not of_registry:
                world.limits.end()
    recorded = Recorded(
        request.number,
        request.method,
        _plain_path(world, request),
        dict(request.query),
        answer.status if answer else 0,
        _token_kind(request),
        request.points,
        at,
        monotonic,
        fault.kind.name if fault else "",
    )
    with world.lock:
        (world.registry_requests if of_registry else world.requests).append(recorded)
    return Sent(answer, _headers(world, request, answer) if answer else {}, cut)


def _met(world: World, request: Request, fault: Fault | None) -> tuple[Answer | None, int | None]:
    """The answer under a fault: `None` for a drop, and how much of its body is sent (`None`: all)."""
    if fault is None:
        return _handled(world, request), None
    if isinstance(fault.kind, Odd):
        return odd.answer(world, request, fault, lambda: _handled(world, request)), None
    if fault.kind not in AFTER:
        return _instead(world, request, fault), None
    answer = _handled(world, request)
    match fault.kind:
        case Kind.LOST:
            return None, None
        case Kind.LOST_502:
            return Answer(502, _PAGE, {}, _HTML), None
        case Kind.DELAY:
            world.sleep(fault.seconds)
            return answer, None
        case Kind.TRUNCATED:
            # An answer without a body has none that could end early: the next worse is that it never comes.
            return (answer, len(answer.body) // 2) if answer.body else (None, None)
        case _:
            return replace(
                answer, status=answer.status if answer.body else 200, body=b'[{"id": 17, "na'
            ), None


def _instead(world: World, request: Request, fault: Fault) -> Answer | None:
    """What is answered in place of the request's own answer."""
    match fault.kind:
        case Kind.DROP:
            return None
        case Kind.SERVER_ERROR:
            return RefusedRequest("server-error").answer(ghes=world.ghes)
        case Kind.BAD_GATEWAY:
            return Answer(502, _PAGE, {}, _HTML)
        case Kind.UNAVAILABLE:
            return Answer(503, b"")
        case Kind.PORTAL:
            return Answer(200, _PAGE, {}, _HTML)
        case Kind.EXPIRED:
            for token in world.tokens.values():
                token.expired = True
            return _handled(world, request)
        case _:
            return registry.throttled() if request.registry else _limited(world, request, fault)


def _limited(world: World, request: Request, fault: Fault) -> Answer:
    with world.lock:
        try:
            token = access.authenticate(world, request)
        except RefusedRequest as refused:
            return refused.answer(ghes=world.ghes)
        status = 429 if fault.kind in {Kind.TOO_MANY, Kind.TOO_MANY_AFTER} else 403
        waits = fault.kind in {Kind.SECONDARY_AFTER, Kind.TOO_MANY_AFTER}
        if fault.kind is Kind.PRIMARY:
            world.limits.exhaust(token, fault.seconds)
            refused_by = world.limits.primary(token)
        else:
            refused_by = world.limits.secondary(status, fault.seconds if waits else None)
        answer = refused_by.answer(ghes=world.ghes)
        return replace(answer, headers={**world.limits.headers(token), **answer.headers})


def _handled(world: World, request: Request) -> Answer:
    if request.storage:
        with world.lock:
            return storage.handle(world, request)
    if request.registry:
        with world.lock:
            return registry.handle(world, request)
    if world.ghes and not request.path.startswith(f"{_GHES_PREFIX}/"):
        return RefusedRequest("not-found").answer(ghes=True)
    with world.lock:
        return rest.handle(world, replace(request, path=_plain_path(world, request)))


def _plain_path(world: World, request: Request) -> str:
    return request.path.removeprefix(_GHES_PREFIX) if world.ghes and not request.registry else request.path


def _token_kind(request: Request) -> str:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    return kind_of(value.strip()) if scheme.lower() in {"token", "bearer"} else scheme.lower()


def _headers(world: World, request: Request, answer: Answer) -> dict[str, str]:
    now = world.clock() + timedelta(seconds=world.switches.date_skew)
    headers = {"Server": "github.com", "Date": format_datetime(now, usegmt=True)}
    if not request.registry:
        headers["X-GitHub-Media-Type"] = "github.v3; format=json"
        headers["X-GitHub-Request-Id"] = f"E0A1:{request.number:05X}:{int(now.timestamp()):X}"
    if answer.status != 204:
        headers["Content-Type"] = answer.media_type
    given = {name.lower() for name in answer.headers}
    if answer.status != 204 and "content-length" not in given:
        headers["Content-Length"] = str(len(answer.body))
    return headers | dict(answer.headers)
