"""Switches of limits and headers (facts A5, C)."""

# ruff: noqa: ARG001 - every look has the same arguments

from __future__ import annotations

from typing import TYPE_CHECKING

from emulator.looks import said, switch
from emulator.situations import LIB, VERSION

if TYPE_CHECKING:
    from emulator.calling import Caller
    from emulator.situations import Scene


@switch("primary_limit", {True: (403, True), False: (200, False)})
def hour(scene: Scene, caller: Caller) -> tuple[int, bool]:
    scene.world.limits.spend(scene.token, 5_000)
    answer = caller.get(LIB)
    return answer.status_code, "x-ratelimit-limit" in answer.headers


@switch("secondary_limit", {True: 403, False: 200})
def minute(scene: Scene, caller: Caller) -> int:
    scene.world.switches.points_per_minute = 0
    return caller.get(LIB).status_code


@switch("limit_status", {403: (403, 403), 429: (429, 429)})
def status_of_limits(scene: Scene, caller: Caller) -> tuple[int, int]:
    scene.world.limits.spend(scene.token, 5_000)
    primary = caller.get(LIB)
    scene.world.switches.points_per_minute = 0
    return primary.status_code, caller.get(LIB).status_code


@switch("limit_sends_retry_after", {True: "60", False: None})
def retry_after(scene: Scene, caller: Caller) -> str | None:
    scene.world.switches.points_per_minute = 0
    return caller.get(LIB).headers.get("Retry-After")


@switch("secondary_text", {"current": "You have exceeded", "abuse": "You have triggered"})
def text_of_the_minute(scene: Scene, caller: Caller) -> str:
    scene.world.switches.points_per_minute = 0
    return " ".join(said(caller.get(LIB))[1].split()[:3])


@switch("points_per_minute", {900: 204, 4: 403})
def five_points(scene: Scene, caller: Caller) -> int:
    return caller.delete(VERSION).status_code


@switch("concurrent_requests", {100: 200, 0: 403})
def at_once(scene: Scene, caller: Caller) -> int:
    return caller.get(LIB).status_code


@switch(
    "api_versions",
    {frozenset({"2022-11-28", "2026-03-10"}): 200, frozenset({"2026-03-10"}): 400},
)
def known_version(scene: Scene, caller: Caller) -> int:
    return caller.call("GET", LIB, {"X-GitHub-Api-Version": "2022-11-28"}).status_code


@switch("retired_api_versions", {frozenset(): 200, frozenset({"2022-11-28"}): 410})
def retired_version(scene: Scene, caller: Caller) -> int:
    return caller.call("GET", LIB, {"X-GitHub-Api-Version": "2022-11-28"}).status_code


@switch("date_skew", {0.0: "12:00:00", 90.0: "12:01:30", -3600.0: "11:00:00"})
def date(scene: Scene, caller: Caller) -> str:
    return caller.get(LIB).headers["Date"].split()[4]


@switch("refused_requests_count", {True: 403, False: 204})
def hammering(scene: Scene, caller: Caller) -> int:
    scene.world.switches.points_per_minute = 5
    assert caller.delete(VERSION).status_code == 204
    scene.clock.advance(59)
    assert caller.delete(f"{LIB}/versions/5002").status_code == 403
    scene.clock.advance(2)
    return caller.delete(f"{LIB}/versions/5002").status_code
