"""Answers that pass, and answers that nobody who means well would give: what a client has to bear all the same."""

from __future__ import annotations

import base64
import gzip
from dataclasses import replace
from typing import TYPE_CHECKING

from emulator import registry, registry_tokens
from emulator.faults import Odd
from emulator.messages import Answer, json_answer
from emulator.refusals import RefusedRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from emulator.faults import Fault
    from emulator.messages import Request
    from emulator.world import World

MILLION = 1_000_000


def answer(world: World, request: Request, fault: Fault, handled: Callable[[], Answer]) -> Answer:
    """What is answered under an odd fault; `handled` carries the request out."""
    match fault.kind:
        case Odd.UNAUTHORIZED:
            return _unauthorized(world, request)
        case Odd.MISSING:
            return _missing(world, request)
        case Odd.ECHO:
            return _echo(request)
        case Odd.OVERSIZED:
            return Answer(200, _blank(fault.size))
        case Odd.BOMB:
            return Answer(200, gzip.compress(_blank(fault.size)), {"Content-Encoding": "gzip"})
        case Odd.ABSURD_WAIT:
            return _absurd_wait(world, request, fault.text)
        case Odd.ABSURD_BUDGET:
            return _with(handled(), _budget(fault.text))
        case _:
            return _with(handled(), {"Link": _endless(world, request)})


def _unauthorized(world: World, request: Request) -> Answer:
    """Facts B4: under load, of a token that is good before and after."""
    if request.registry:
        return registry_tokens.challenge(request, "")
    return RefusedRequest("bad-credentials").answer(ghes=world.ghes)


def _missing(world: World, request: Request) -> Answer:
    if request.registry:
        return registry.error(404, "MANIFEST_UNKNOWN", "manifest unknown")
    return RefusedRequest("not-found").answer(ghes=world.ghes)


def _echo(request: Request) -> Answer:
    """Every form in which what was sent could be told: as it came, without its scheme, as text, and in base64."""
    sent = request.headers.get("authorization", "")
    value = sent.partition(" ")[2]
    coded = base64.b64encode(value.encode()).decode()
    try:
        plain = base64.b64decode(value, validate=True).decode()
    except ValueError:
        plain = value
    told = f"you sent {sent}, that is {value}, {plain} or {coded}"
    headers = {"X-GitHub-SSO": f"required; url=https://github.com/orgs/acme/sso?of={value}", "X-Echo": told}
    body = {"message": told, "errors": [{"code": "DENIED", "message": told}]}
    return json_answer(403, body, headers)


def _absurd_wait(world: World, request: Request, text: str) -> Answer:
    if request.registry:
        return _with(registry.throttled(f"{text}ms"), {"Retry-After": text})
    refused = RefusedRequest("secondary", status=429).answer(ghes=world.ghes)
    return _with(refused, {"Retry-After": text, **_budget(text), "x-ratelimit-remaining": "0"})


def _budget(text: str) -> dict[str, str]:
    return {f"x-ratelimit-{name}": text for name in ("limit", "remaining", "used", "reset")}


def _endless(world: World, request: Request) -> str:
    """A list that goes on: there is always a next page, and the last one is far."""
    page = int(request.query.get("page", "1"))
    url = f"{world.api_url}{request.path}?per_page={request.query.get('per_page', '30')}"
    return f'<{url}&page={page + 1}>; rel="next", <{url}&page={MILLION}>; rel="last"'


def _blank(size: int) -> bytes:
    """An empty JSON list of this size."""
    return b"[" + b" " * size + b"]"


def _with(found: Answer, headers: dict[str, str]) -> Answer:
    return replace(found, headers={**found.headers, **headers})
