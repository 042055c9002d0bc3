"""Faults strike where they are asked to, and leave the world as they say; limits are enforced."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import requests

from clocks import FakeClock
from emulator.calling import Caller
from emulator.faults import AFTER, Fault, Kind, catalogue
from emulator.server import EmulatedGitHub
from emulator.situations import INSTALLATION, LIB, VERSION, Scene

if TYPE_CHECKING:
    from emulator.messages import Request

DROPPED = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)


def outcome(caller: Caller, method: str, path: str) -> tuple[int, str]:
    try:
        answer = caller.call(method, path)
    except DROPPED:
        return 0, "dropped"
    return answer.status_code, answer.text


@pytest.mark.parametrize("fault", catalogue(), ids=lambda fault: fault.kind.name)
def test_a_change_happened_under_the_faults_that_say_so_alone(fault: Fault) -> None:
    scene = Scene()
    scene.world.faults.add(replace(fault, number=2))
    with EmulatedGitHub(scene.world) as github, Caller(github) as caller:
        assert outcome(caller, "GET", VERSION)[0] == 200
        status, body = outcome(caller, "DELETE", VERSION)
    gone = scene.lib.versions[5001].deleted_at is not None
    assert gone is (fault.kind in AFTER)
    assert (status, body) != (204, "") or fault.kind is Kind.DELAY
    assert scene.world.faults.pending == 0
    assert [one.fault for one in scene.world.requests] == ["", fault.kind.name]


EXPECTED = {
    Kind.DROP: (0, "dropped"),
    Kind.LOST: (0, "dropped"),
    Kind.LOST_502: (502, "<!DOCTYPE html>"),
    Kind.SERVER_ERROR: (500, '{"message": "Server Error"'),
    Kind.BAD_GATEWAY: (502, "<!DOCTYPE html>"),
    Kind.UNAVAILABLE: (503, ""),
    Kind.DELAY: (200, '{"id": 5001'),
    Kind.PRIMARY: (403, '{"message": "API rate limit exceeded for user ID'),
    Kind.SECONDARY: (403, '{"message": "You have exceeded a secondary rate limit'),
    Kind.SECONDARY_AFTER: (403, '{"message": "You have exceeded a secondary rate limit'),
    Kind.TOO_MANY: (429, '{"message": "You have exceeded a secondary rate limit'),
    Kind.TOO_MANY_AFTER: (429, '{"message": "You have exceeded a secondary rate limit'),
    Kind.EXPIRED: (401, '{"message": "Bad credentials"'),
    Kind.TRUNCATED: (0, "dropped"),
    Kind.PORTAL: (200, "<!DOCTYPE html>"),
    Kind.MALFORMED: (200, '[{"id": 17, "na'),
}


@pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.name)
def test_a_read_meets_the_fault_as_it_is_described(kind: Kind) -> None:
    scene = Scene()
    scene.world.faults.add(Fault(kind))
    with EmulatedGitHub(scene.world) as github, Caller(github) as caller:
        status, body = outcome(caller, "GET", VERSION)
        assert status == EXPECTED[kind][0]
        assert body.startswith(EXPECTED[kind][1])
        after = 200
        if kind is Kind.EXPIRED:
            after = 401
        if kind is Kind.PRIMARY:
            after = 403
        assert outcome(caller, "GET", VERSION)[0] == after


@pytest.mark.parametrize(
    ("kind", "expected"), [(Kind.SECONDARY_AFTER, "7"), (Kind.TOO_MANY, None), (Kind.PRIMARY, None)]
)
def test_a_wait_is_told_where_the_fault_says_so(kind: Kind, expected: str | None) -> None:
    scene = Scene()
    scene.world.faults.add(Fault(kind, seconds=7))
    with EmulatedGitHub(scene.world) as github, Caller(github) as caller:
        answer = caller.get(VERSION)
        assert answer.headers.get("Retry-After") == expected
        spent = answer.headers["x-ratelimit-remaining"] == "0"
        assert spent is (kind is Kind.PRIMARY)
        scene.clock.advance(8)
        assert caller.get(VERSION).status_code == 200


def test_a_fault_is_aimed() -> None:
    scene = Scene()
    faults = scene.world.faults
    faults.add(Fault(Kind.UNAVAILABLE, method="DELETE", times=2))
    faults.add(Fault(Kind.BAD_GATEWAY, path=r"/versions$", skip=1, times=None))
    faults.add(Fault(Kind.SERVER_ERROR, where=lambda request: request.query.get("x") == "1"))
    faults.add(Fault(Kind.DROP, registry=True))
    with EmulatedGitHub(scene.world) as github, Caller(github) as caller:
        assert [caller.delete(VERSION).status_code for _ in range(3)] == [503, 503, 204]
        assert [caller.get(f"{LIB}/versions").status_code for _ in range(3)] == [200, 502, 502]
        assert [caller.get(LIB, x=1).status_code for _ in range(2)] == [500, 200]
    assert faults.pending == 1
    faults.clear()
    assert faults.pending == 0


@pytest.mark.parametrize(
    "kind", [Kind.TOO_MANY, Kind.SECONDARY_AFTER, Kind.PRIMARY], ids=lambda kind: kind.name
)
def test_the_registry_throttles_in_its_own_words(kind: Kind) -> None:
    scene = Scene()
    scene.world.faults.add(Fault(kind, registry=True))
    with EmulatedGitHub(scene.world) as github, Caller(github) as caller:
        answer = caller.get(f"{github.registry_url}/v2/acme/app/manifests/v1")
        assert caller.get(VERSION).status_code == 200
    assert (answer.status_code, answer.text[:15]) == (429, "toomanyrequests")
    assert [one.fault for one in scene.world.registry_requests] == [kind.name]
    assert [one.fault for one in scene.world.requests] == [""]


def test_the_minute_slides_and_the_hour_ends() -> None:
    scene = Scene()
    scene.world.switches.points_per_minute = 10
    token = scene.world.add_token(INSTALLATION, repository="acme/lib")
    with EmulatedGitHub(scene.world) as github, Caller(github, token.value) as caller:
        for _ in range(10):
            assert caller.get(LIB).status_code == 200
        refused = caller.get(LIB)
        assert (refused.status_code, refused.headers["Retry-After"]) == (403, "60")
        scene.clock.advance(61)
        scene.world.limits.spend(token, 989)
        last = caller.get(LIB)
        assert (last.status_code, last.headers["x-ratelimit-remaining"]) == (200, "0")
        assert last.headers["x-ratelimit-limit"] == "1000"
        spent = caller.get(LIB)
        assert spent.json()["message"].startswith("API rate limit exceeded for installation ID")
        assert "Retry-After" not in spent.headers
        assert caller.get("/rate_limit").json()["rate"]["remaining"] == 0
        wait = int(spent.headers["x-ratelimit-reset"]) - scene.clock.now().timestamp()
        assert 0 < wait <= 3600
        scene.clock.advance(wait)
        assert caller.get(LIB).headers["x-ratelimit-remaining"] == "999"


def test_too_many_at_once_are_refused() -> None:
    scene = Scene()
    scene.world.switches.concurrent_requests = 2
    hold, all_here = threading.Event(), threading.Barrier(4)

    def wait(_: Request) -> None:
        all_here.wait(5)
        assert hold.wait(5)

    scene.world.before_request.append(wait)
    statuses: list[int] = []

    def ask(github: EmulatedGitHub) -> None:
        with Caller(github) as caller:
            statuses.append(caller.get(LIB).status_code)

    with EmulatedGitHub(scene.world) as github:
        threads = [threading.Thread(target=ask, args=(github,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        all_here.wait(5)
        hold.set()
        for thread in threads:
            thread.join(5)
    assert sorted(statuses) == [200, 200, 403]
    assert scene.world.limits.most_in_flight == 3
    assert scene.world.limits.in_flight == 0


def test_latency_is_waited_for_with_the_world_s_own_sleep() -> None:
    scene = Scene()
    with EmulatedGitHub(scene.world, latency=0.25) as github, Caller(github) as caller:
        caller.get(LIB)
        caller.get(LIB)
    assert scene.clock.slept == [0.25, 0.25]
    assert isinstance(scene.clock, FakeClock)
