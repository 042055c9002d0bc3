"""The client against scripted servers on loopback: tokens, faults, waits and bounds."""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from clocks import FakeClock
from connections import shared
from emulator import shapes
from package_retention.errors import BudgetError, CancelledError, RefusalKind, RefusedError, UnreachableError
from package_retention.model import (
    Absent,
    Descriptor,
    Manifest,
    Owner,
    OwnerKind,
    Package,
    PackageType,
    Unreadable,
)
from package_retention.ports import RawManifest
from package_retention.registry.client import Registry
from package_retention.transport.exchange import Redactor
from package_retention.transport.limits import TimeLimit
from scripted_server import Reply, ScriptedServer, Seen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from package_retention.ports import Clock

OWNER = Owner("Octo", OwnerKind.ORGANIZATION)
APP = Package(OWNER, PackageType.CONTAINER, "App")
PAT = "ghp_secret"
NOT_FOUND = Reply(404, b'{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}')


def sent(one: shapes.Shape) -> Reply:
    return Reply(200, one.body, {"Content-Type": one.media_type, "Docker-Content-Digest": one.digest})


class Fake:
    """A registry with a token service; `faults` are served first, one a request of manifests."""

    def __init__(self, held: list[shapes.Shape], *, open_: bool = False) -> None:
        self.held = {one.digest: one for one in held}
        self.open = open_
        self.faults: list[Reply] = []
        self.always: dict[str, Reply] = {}
        self.good: set[str] = set()
        self.granted = 0
        self.realm = ""
        self.grants: Callable[[Seen], Reply] = self.grant
        self._lock = threading.Lock()

    def __call__(self, request: Seen) -> Reply:
        if request.path == "/token":
            return self.grants(request)
        if (
            not self.open
            and request.headers.get("authorization", "").removeprefix("Bearer ") not in self.good
        ):
            challenge = f'Bearer realm="{self.realm}",service="ghcr.io",scope="repository:octo/app:pull"'
            return Reply(401, b"{}", {"WWW-Authenticate": challenge})
        with self._lock:
            if self.faults:
                return self.faults.pop(0)
        reference = request.path.rpartition("/")[2]
        if reference in self.always:
            return self.always[reference]
        return sent(self.held[reference]) if reference in self.held else NOT_FOUND

    def grant(self, _request: Seen) -> Reply:
        with self._lock:
            self.granted += 1
            token = f"granted-{self.granted}"
            self.good.add(token)
        return Reply(200, json.dumps({"token": token, "expires_in": 300}).encode())


@contextmanager
def serving(fake: Fake) -> Iterator[ScriptedServer]:
    with ScriptedServer(fake).running() as server:
        fake.realm = fake.realm or f"{server.url}/token"
        yield server


def client(url: str, clock: Clock | None = None, *, token: str = PAT, **more: Any) -> Registry:
    api = "https://api.github.com"
    own = {name: more.pop(name) for name in ("workers", "cache") if name in more}
    return Registry(url, api, token, shared(clock, token, **more), **own)


def images(count: int) -> list[shapes.Shape]:
    return [shapes.image(f"app {number}") for number in range(count)]


def unreadable(reading: object) -> str:
    assert isinstance(reading, Unreadable), reading
    return reading.why


def test_manifests_are_read_with_one_token_a_package() -> None:
    held = images(40)
    with serving(Fake(held)) as server:
        registry = client(server.url, workers=16)
        found = registry.manifests(APP, [one.digest for one in held])
        assert [type(reading) for reading in found.values()] == [Manifest] * 40
        assert list(found) == [one.digest for one in held]
        assert server.paths().count("/token") == 1
        assert registry.requests_made == len(server.seen) == 42
        assert server.connections <= 17


def test_the_token_is_exchanged_with_basic_and_sent_nowhere_else() -> None:
    held = images(2)
    with serving(Fake(held)) as server:
        client(server.url).manifests(APP, [one.digest for one in held])
    exchange = next(one for one in server.seen if one.path == "/token")
    assert exchange.query == {"service": ["ghcr.io"], "scope": ["repository:octo/app:pull"]}
    assert (
        base64.b64decode(exchange.headers["authorization"].removeprefix("Basic ")) == b"token:" + PAT.encode()
    )
    first, *others = [one for one in server.seen if one.path != "/token"]
    assert "authorization" not in first.headers
    assert {one.headers["authorization"] for one in others} == {"Bearer granted-1"}
    assert all(PAT not in json.dumps([one.path, dict(one.query)]) for one in server.seen)


def test_a_second_package_asks_for_its_own_token_at_once() -> None:
    held = images(1)
    other = Package(OWNER, PackageType.CONTAINER, "other")
    with serving(Fake(held)) as server:
        registry = client(server.url)
        registry.manifests(APP, [held[0].digest])
        registry.manifests(other, [held[0].digest])
    scopes = [one.query["scope"][0] for one in server.seen if one.path == "/token"]
    assert scopes == ["repository:octo/app:pull", "repository:octo/other:pull"]
    assert len(server.seen) == 5


def test_without_a_token_the_exchange_is_anonymous() -> None:
    held = images(1)
    with serving(Fake(held)) as server:
        found = client(server.url, token="").manifests(APP, [held[0].digest])
    assert isinstance(found[held[0].digest], Manifest)
    assert all("authorization" not in one.headers for one in server.seen if one.path == "/token")


NETRC_RUN = """
import sys
from connections import shared
from package_retention.model import Owner, OwnerKind, Package, PackageType
from package_retention.registry.client import Registry
package = Package(Owner("Octo", OwnerKind.ORGANIZATION), PackageType.CONTAINER, "App")
print(*Registry(sys.argv[1], "", "ghp_secret", shared()).manifests(package, [sys.argv[2]]).values())
"""


def test_no_netrc_takes_the_tokens_place(tmp_path: Path) -> None:
    held = images(1)
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1\nlogin me\npassword of-another\n")
    netrc.chmod(0o600)
    environ = os.environ | {"NETRC": str(netrc), "PYTHONPATH": os.pathsep.join(sys.path)}
    with serving(Fake(held)) as server:
        command = [sys.executable, "-c", NETRC_RUN, server.url, held[0].digest]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.startswith("Manifest(")
    sent = [
        base64.b64decode(one.headers.get("authorization", "").removeprefix("Basic "))
        for one in server.seen[:2]
    ]
    assert sent == [b"", b"token:ghp_secret"]


def test_a_token_that_ends_is_renewed_once_for_all_threads() -> None:
    held = images(30)
    fake = Fake(held)
    with serving(fake) as server:
        registry = client(server.url)
        digests = [one.digest for one in held]
        registry.manifests(APP, digests[:1])
        fake.good.clear()
        found = registry.manifests(APP, digests)
        assert all(isinstance(reading, Manifest) for reading in found.values())
        assert fake.granted == 2
        fake.good = {"granted-3"}  # the token ends in the middle, for all threads at once
        registry.manifests(APP, digests)
        assert fake.granted == 3


def test_a_token_is_renewed_before_it_ends() -> None:
    held = images(1)
    fake, clock = Fake(held), FakeClock()
    with serving(fake) as server:
        registry = client(server.url, clock)
        registry.manifests(APP, [held[0].digest])
        clock.advance(295)
        registry.manifests(APP, [held[0].digest])
    assert [one.path == "/token" for one in server.seen] == [False, True, False, True, False]


def test_a_realm_on_another_host_never_sees_the_token() -> None:
    held, fake = images(3), None
    with ScriptedServer(lambda _request: Reply(200, b'{"token": "x"}')).running() as evil:
        fake = Fake(held)
        fake.realm = evil.url.replace("127.0.0.1", "localhost") + "/token"
        with serving(fake) as server:
            found = client(server.url).manifests(APP, [one.digest for one in held])
    assert evil.seen == []
    assert all("another host or port (localhost:" in unreadable(reading) for reading in found.values())
    assert len(server.seen) == 1


def test_a_refused_token_is_told_for_all_and_asked_once() -> None:
    held, fake = images(100), None
    fake = Fake(held)
    fake.grants = lambda _request: Reply(403, b'{"errors":[{"code":"DENIED","message":"denied"}]}')
    with serving(fake) as server:
        found = client(server.url).manifests(APP, [one.digest for one in held])
    assert len(found) == 100
    assert all("403 DENIED: denied" in unreadable(reading) for reading in found.values())
    assert len(server.seen) == 2


def test_a_fresh_token_that_is_refused_ends_the_matter() -> None:
    held, fake = images(100), None
    fake = Fake(held)
    fake.grants = lambda _request: Reply(200, b'{"token": "worthless"}')
    with serving(fake) as server:
        found = client(server.url).manifests(APP, [one.digest for one in held])
    assert all("a token just given is refused" in unreadable(reading) for reading in found.values())
    assert len(server.seen) == 3


REFUSED = Reply(401, b'{"errors":[{"code":"UNAUTHORIZED"}]}')


@pytest.mark.parametrize(("refused", "believed"), [(1, False), (3, False), (4, True)])
def test_a_401_in_passing_is_not_believed(refused: int, believed: bool) -> None:
    held = images(2)
    fake = Fake(held)
    with serving(fake) as server:
        registry = client(server.url)
        registry.manifests(APP, [held[0].digest])
        fake.faults = [REFUSED] * refused
        found = registry.manifests(APP, [held[1].digest])[held[1].digest]
    assert isinstance(found, Unreadable if believed else Manifest), found


@pytest.mark.parametrize(("refused", "believed"), [(1, False), (2, False), (3, True)])
def test_a_401_of_the_token_service_in_passing_is_not_believed(refused: int, believed: bool) -> None:
    held = images(2)
    fake = Fake(held)
    answers = [REFUSED] * refused
    with serving(fake) as server:
        registry = client(server.url)
        registry.manifests(APP, [held[0].digest])
        fake.good.clear()
        fake.grants = lambda request: answers.pop() if answers else fake.grant(request)
        found = registry.manifests(APP, [held[1].digest])[held[1].digest]
    assert isinstance(found, Unreadable if believed else Manifest), found


def test_no_secret_that_the_registry_repeats_is_in_a_message() -> None:
    held = images(3)
    fake = Fake(held)
    basic = base64.b64encode(f"token:{PAT}".encode()).decode()
    fake.grants = lambda _request: Reply(403, f"denied for {PAT} and {basic}".encode())
    with serving(fake) as server:
        found = client(server.url).manifests(APP, [one.digest for one in held])
    for reading in found.values():
        assert "denied for *** and " in unreadable(reading)
        assert basic not in unreadable(reading)


def test_a_bearer_that_the_registry_repeats_is_hidden_and_masked() -> None:
    held, masked = images(3), list[str]()
    fake = Fake(held)
    fake.grants = lambda _request: Reply(200, b'{"token": "bearer-of-this-run"}')
    with serving(fake) as server:
        answer = server.answer
        server.answer = lambda request: (
            Reply(403, b"no bearer-of-this-run")
            if request.headers.get("authorization", "").startswith("Bearer")
            else answer(request)
        )
        registry = client(server.url, redactor=Redactor(PAT, masked.append))
        found = registry.manifests(APP, [one.digest for one in held])
    assert masked == ["bearer-of-this-run"]
    assert all("no ***" in unreadable(reading) for reading in found.values())


def test_a_missing_manifest_is_asked_for_twice() -> None:
    gone = shapes.image("gone").digest
    with serving(Fake([], open_=True)) as server:
        assert client(server.url).manifests(APP, [gone]) == {gone: Absent()}
    assert [one.headers["accept"] == "*/*" for one in server.seen] == [False, True]


def test_a_manifest_of_a_type_that_was_not_accepted_is_found_the_second_time() -> None:
    held = images(1)
    fake = Fake(held, open_=True)
    fake.faults = [NOT_FOUND]
    with serving(fake) as server:
        assert isinstance(client(server.url).manifests(APP, [held[0].digest])[held[0].digest], Manifest)


def test_a_throttled_registry_is_waited_for_as_its_body_says() -> None:
    held, clock = images(1), FakeClock()
    fake = Fake(held, open_=True)
    fake.faults = [Reply(429, b"toomanyrequests: retry-after: 333.939671ms, allowed: 44000/minute")] * 3
    with serving(fake) as server:
        registry = client(server.url, clock)
        assert isinstance(registry.manifests(APP, [held[0].digest])[held[0].digest], Manifest)
    assert clock.slept == pytest.approx([0.333939671] * 3)
    assert registry.waited == pytest.approx(sum(clock.slept))


@pytest.mark.parametrize(
    "fault",
    [Reply(500, b'{"message":"Server Error"}'), Reply(503), Reply(drop=True), Reply(200, b"x" * 100, cut=50)],
    ids=["500", "503", "drop", "cut"],
)
def test_troubles_that_pass_are_waited_out(fault: Reply) -> None:
    held, clock = images(1), FakeClock()
    fake = Fake(held, open_=True)
    fake.faults = [fault] * 4
    with serving(fake) as server:
        assert isinstance(
            client(server.url, clock).manifests(APP, [held[0].digest])[held[0].digest], Manifest
        )
    assert len(server.seen) == 5
    assert len(clock.slept) == 4


@pytest.mark.parametrize(
    ("fault", "told", "requests"),
    [
        (Reply(503, b"<html>"), "answered 503 (5 tries)", 5),
        (Reply(drop=True), "(5 tries)", 5),
        (
            Reply(429, b"toomanyrequests: retry-after: 1ms"),
            "answered 429 toomanyrequests: retry-after: 1ms (8 tries)",
            8,
        ),
        (Reply(403, b'{"errors":[{"code":"DENIED","message":"denied"}]}'), "answered 403 DENIED: denied", 1),
        (Reply(200, b"{}"), "other bytes", 3),
        (Reply(200, b" " * (8 * 1024 * 1024 + 1)), "larger than 8 MiB", 1),
        (Reply(302, headers={"Location": "https://elsewhere.example/x"}), "another host", 1),
        (Reply(302), "another host", 1),
    ],
    ids=["503", "drop", "429", "403", "other bytes", "too large", "redirect", "redirect nowhere"],
)
def test_one_bad_manifest_is_unreadable_and_the_others_are_not(
    fault: Reply, told: str, requests: int
) -> None:
    held = images(6)
    bad = held[3].digest
    fake = Fake(held, open_=True)
    fake.always[bad] = fault
    with serving(fake) as server:
        found = dict(client(server.url).manifests(APP, [one.digest for one in held]))
    assert told in unreadable(found.pop(bad))
    assert all(isinstance(reading, Manifest) for reading in found.values())
    assert server.paths().count(f"/v2/octo/app/manifests/{bad}") == requests


def test_a_redirect_on_the_same_host_is_followed() -> None:
    one = shapes.image("app")
    fake = Fake([one], open_=True)
    fake.always["moved"] = Reply(307, headers={"Location": f"/v2/octo/app/manifests/{one.digest}"})
    with serving(fake) as server:
        assert client(server.url).raw(APP, "moved") == RawManifest(one.digest, one.media_type, one.body)
        fake.always["moved"] = Reply(307, headers={"Location": "/v2/octo/app/manifests/moved"})
        assert "307" in unreadable(client(server.url).raw(APP, "moved"))


def refused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def test_a_registry_out_of_reach_is_tried_for_one_manifest_alone() -> None:
    clock = FakeClock()
    registry = client(f"http://127.0.0.1:{refused_port()}", clock)
    digests = [one.digest for one in images(1000)]
    found = registry.manifests(APP, digests)
    assert len(found) == 1000
    assert all("Connection refused" in unreadable(reading) for reading in found.values())
    assert registry.requests_made == 5
    # The next package needs one try to know.
    registry.manifests(Package(OWNER, PackageType.CONTAINER, "other"), digests)
    assert registry.requests_made == 6


def test_a_registry_that_stops_answering_is_given_up() -> None:
    held = images(300)
    fake = Fake(held, open_=True)
    for one in held[1:]:
        fake.always[one.digest] = Reply(500)
    with serving(fake) as server:
        registry = client(server.url, workers=4)
        found = registry.manifests(APP, [one.digest for one in held])
    assert sum(isinstance(reading, Unreadable) for reading in found.values()) == 299
    assert registry.requests_made < 80


def test_the_time_limit_ends_reading() -> None:
    held, clock = images(20), FakeClock()
    fake = Fake(held, open_=True)
    fake.faults = [Reply(429, b"", {"Retry-After": "50"})]
    with serving(fake) as server:
        registry = client(server.url, clock, time_limit=TimeLimit(clock, 40.0))
        with pytest.raises(BudgetError) as caught:
            registry.manifests(APP, [one.digest for one in held])
        assert caught.value.cause == "time"
        clock.advance(40)
        with pytest.raises(BudgetError):
            registry.raw(APP, "v1")
    assert len(server.seen) == 1


def test_a_cancel_ends_reading_at_once() -> None:
    held, clock = images(50), FakeClock()
    fake = Fake(held, open_=True)
    release = threading.Event()

    def slow(request: Seen) -> Reply:
        if len(server.seen) > 5:
            clock.cancel(130)
            release.wait(30)
        return fake(request)

    with serving(fake) as server:
        server.answer = slow
        with pytest.raises(CancelledError) as caught:
            client(server.url, clock).manifests(APP, [one.digest for one in held])
        release.set()
    assert caught.value.status == 130
    assert len(server.seen) < 30


def test_what_is_no_digest_is_not_asked_for() -> None:
    with serving(Fake([], open_=True)) as server:
        found = client(server.url).manifests(APP, ["latest", "../../token", "sha256:12"])
        assert all("not a digest" in unreadable(reading) for reading in found.values())
        assert "neither a tag nor a digest" in unreadable(client(server.url).raw(APP, "../../token"))
        strange = Package(OWNER, PackageType.CONTAINER, "../../token")
        assert "not a path" in unreadable(client(server.url).raw(strange, "v1"))
        assert client(server.url).manifests(APP, []) == {}
    assert server.seen == []


def test_a_manifest_is_written_under_a_tag_with_a_token_to_push() -> None:
    one = shapes.image("app")
    fake = Fake([])
    with serving(fake) as server:
        fake.always["v1"] = Reply(201)
        client(server.url).put(APP, "v1", RawManifest(one.digest, one.media_type, one.body))
    (put,) = [seen for seen in server.seen if seen.headers.get("authorization") == "Bearer granted-1"]
    assert (put.method, put.path, put.body) == ("PUT", "/v2/octo/app/manifests/v1", one.body)
    assert put.headers["content-type"] == one.media_type
    exchange = next(seen for seen in server.seen if seen.path == "/token")
    assert exchange.query["scope"] == ["repository:octo/app:pull,push"]


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(403, b'{"errors":[{"code":"DENIED","message":"denied"}]}'), RefusalKind.ROLE),
        (Reply(404, b'{"errors":[{"code":"NAME_UNKNOWN"}]}'), RefusalKind.NOT_FOUND),
        (Reply(405, b'{"errors":[{"code":"UNSUPPORTED"}]}'), RefusalKind.OTHER),
        (Reply(400, b'{"errors":[{"code":"MANIFEST_INVALID"}]}'), RefusalKind.OTHER),
        (Reply(302, headers={"Location": "/elsewhere"}), RefusalKind.OTHER),
    ],
)
def test_a_refused_write_is_explained(reply: Reply, kind: RefusalKind) -> None:
    one = shapes.image("app")
    fake = Fake([], open_=True)
    fake.always["v1"] = reply
    with serving(fake) as server, pytest.raises(RefusedError) as caught:
        client(server.url).put(APP, "v1", RawManifest(one.digest, one.media_type, one.body))
    assert caught.value.refusal.kind is kind
    assert "Octo/App (container): the tag v1 was not written" in caught.value.message
    assert caught.value.hint


def test_a_token_that_may_not_push_is_explained() -> None:
    one = shapes.image("app")
    fake = Fake([])
    fake.grants = lambda _request: Reply(403, b'{"errors":[{"code":"DENIED","message":"denied"}]}')
    with serving(fake) as server, pytest.raises(RefusedError) as caught:
        client(server.url).put(APP, "v1", RawManifest(one.digest, one.media_type, one.body))
    assert caught.value.refusal.kind is RefusalKind.ROLE
    assert "write:packages" in caught.value.hint
    assert PAT not in caught.value.message


def test_a_write_without_an_answer_is_not_called_refused() -> None:
    one = shapes.image("app")
    fake = Fake([], open_=True)
    fake.always["v1"] = Reply(502)
    with serving(fake) as server, pytest.raises(UnreachableError, match="perhaps not written"):
        client(server.url).put(APP, "v1", RawManifest(one.digest, one.media_type, one.body))


def test_referrers_are_read_page_by_page() -> None:
    subject = shapes.image("app")
    both = [shapes.referrer(subject, "1"), shapes.referrer(subject, "2")]
    path = f"/v2/octo/app/referrers/{subject.digest}"

    def answer(request: Seen) -> Reply:
        assert request.path == path
        if "page" in request.query:
            return Reply(200, shapes.fallback_index(both[1:]).body)
        return Reply(200, shapes.fallback_index(both[:1]).body, {"Link": f'<{path}?page=2>; rel="next"'})

    with ScriptedServer(answer).running() as server:
        found = client(server.url).referrers(APP, subject.digest)
    assert found == tuple(
        Descriptor(one.digest, one.media_type, size=len(one.body), artifact_type=shapes.SIGSTORE_BUNDLE)
        for one in both
    )


def test_half_a_list_of_referrers_is_no_list() -> None:
    """One that goes on at another host, which is not requested, or that does not end."""
    subject = shapes.image("app")
    path = f"/v2/octo/app/referrers/{subject.digest}"
    body = shapes.fallback_index([shapes.referrer(subject, "1")]).body
    with ScriptedServer(lambda _request: Reply(200, shapes.index([]).body)).running() as other:
        away = {"Link": f'<{other.url.replace("127.0.0.1", "localhost")}/x>; rel="next"'}
        with ScriptedServer(lambda _request: Reply(200, body, away)).running() as server:
            with pytest.raises(UnreachableError, match="goes on at another host"):
                client(server.url).referrers(APP, subject.digest)
            assert len(server.seen) == 1
    assert other.seen == []
    broken = {"Link": '<http://[>; rel="next"'}
    with (
        ScriptedServer(lambda _request: Reply(200, body, broken)).running() as server,
        pytest.raises(UnreachableError, match="goes on at another host"),
    ):
        client(server.url).referrers(APP, subject.digest)
    endless = {"Link": f'<{path}?page=2>; rel="next"'}
    with ScriptedServer(lambda _request: Reply(200, body, endless)).running() as server:
        with pytest.raises(UnreachableError, match="more than 100 pages"):
            client(server.url).referrers(APP, subject.digest)
        assert len(server.seen) == 101


def test_a_registry_without_referrers_is_asked_once_a_package() -> None:
    with serving(Fake([], open_=True)) as server:
        registry = client(server.url)
        subjects = [one.digest for one in images(5)]
        assert [registry.referrers(APP, digest) for digest in subjects] == [None] * 5
        assert len(server.seen) == 1
        registry.referrers(Package(OWNER, PackageType.CONTAINER, "other"), subjects[0])
        assert len(server.seen) == 2


@pytest.mark.parametrize("reply", [Reply(500), Reply(200, b"<html>")])
def test_referrers_that_are_not_known_are_no_empty_list(reply: Reply) -> None:
    subject = shapes.image("app").digest
    fake = Fake([], open_=True)
    fake.always[subject] = reply
    with serving(fake) as server, pytest.raises(UnreachableError, match="not known"):
        client(server.url).referrers(APP, subject)


def test_the_log_tells_requests_and_never_a_secret() -> None:
    held, lines = images(1), list[str]()
    with serving(Fake(held)) as server:
        registry = client(server.url, log=lines.append)
        registry.manifests(APP, [held[0].digest])
    path = f"/v2/octo/app/manifests/{held[0].digest}"
    assert lines == [f"registry: GET {path}: 401", "registry: GET /token: 200", f"registry: GET {path}: 200"]


def test_packages_at_once_share_the_workers() -> None:
    held, under_way, most = images(40), 0, 0
    fake, guard = Fake(held, open_=True), threading.Lock()

    def counting(request: Seen) -> Reply:
        nonlocal under_way, most
        with guard:
            under_way += 1
            most = max(most, under_way)
        reply = fake(request)
        with guard:
            under_way -= 1
        return reply

    with serving(fake) as server:
        server.answer = counting
        registry = client(server.url, workers=2)
        packages = [Package(OWNER, PackageType.CONTAINER, f"app-{number}") for number in range(6)]
        with ThreadPoolExecutor(6) as callers:
            found = list(callers.map(lambda one: registry.manifests(one, [i.digest for i in held]), packages))
        registry.close()
    assert all(isinstance(reading, Manifest) for readings in found for reading in readings.values())
    assert len(server.seen) == 240
    # Two workers, and six callers that read the first of their package themselves.
    assert most <= 8
    assert server.connections <= 12
