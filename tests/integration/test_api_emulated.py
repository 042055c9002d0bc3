"""The whole client over HTTP against the embedded GitHub: its limits, faults and open questions; no test sleeps."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from clocks import FakeClock
from connections import shared
from emulator.faults import AFTER, Fault, Kind, catalogue
from emulator.server import EmulatedGitHub
from emulator.world import World
from package_retention.app import connect
from package_retention.errors import (
    BudgetError,
    MissingError,
    RefusalKind,
    RefusedError,
    RetentionError,
    UnreachableError,
)
from package_retention.inputs.settings import Settings
from package_retention.model import Operation, Owner, OwnerKind, Package, PackageType, Result, StepKind
from package_retention.reason import FindingCode
from package_retention.transport.limits import TimeLimit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from emulator.stored import StoredPackage
    from package_retention.api.packages import PackagesClient

CLASSIC = "ghp_" + "a" * 36
WORKFLOW = "ghs_" + "b" * 36


@dataclass
class Scene:
    """An embedded GitHub, a client, and the clock that both go by."""

    world: World
    clock: FakeClock
    api: PackagesClient
    lines: list[str]

    def asked(self) -> list[tuple[str, str]]:
        return [(request.method, request.path) for request in self.world.requests]


@contextmanager
def scene(
    token: str = CLASSIC,
    *,
    login: str | None = "octocat",
    points_per_minute: int | None = 720,
    time_limit: float | None = 3600,
    ghes: bool = False,
    **kw: Any,
) -> Iterator[Scene]:
    clock = FakeClock()
    world = World(clock.now, clock.monotonic, clock.sleep, ghes=ghes)
    world.add_org("acme")
    world.add_user("hubot")
    world.add_token(token, login, **kw)
    with EmulatedGitHub(world) as github:
        settings = Settings(
            Operation.DELETE,
            "acme",
            (),
            token,
            api_url=github.api_url,
            server_url="https://ghes.example.test" if ghes else "https://github.com",
            points_per_minute=points_per_minute,
            time_limit=time_limit,
            given={} if time_limit == 3600 else {"time-limit": str(time_limit)},
        )
        lines: list[str] = []
        transport = shared(
            clock, token, time_limit=TimeLimit(clock, time_limit), log=lines.append, jitter=lambda: 0.5
        )
        with closing(connect(settings, transport)) as api:
            yield Scene(world, clock, api, lines)


def filled(
    world: World, owner: str = "acme", count: int = 250, name: str = "lib", **kw: Any
) -> StoredPackage:
    package = world.add_package(owner, "npm", name, **kw)
    for number in range(count):
        world.add_version(package, f"1.0.{number}", created=400 - number)
    return package


def active(package: StoredPackage) -> set[int]:
    return {version.id for version in package.active()}


@pytest.mark.parametrize(
    ("owner", "kind", "base"),
    [
        ("acme", OwnerKind.ORGANIZATION, "/orgs/acme"),
        ("octocat", OwnerKind.ONESELF, "/user"),
        ("hubot", OwnerKind.USER, "/users/hubot"),
    ],
)
@pytest.mark.parametrize("ghes", [False, True])
def test_everything_for_each_kind_of_owner(owner: str, kind: OwnerKind, base: str, ghes: bool) -> None:
    with scene(ghes=ghes) as made:
        api, world = made.api, made.world
        stored = filled(world, owner, 5, "a/b", roles={"octocat": "admin"})
        found = api.owner(owner.upper())
        assert found == Owner(owner, kind)
        (package,) = api.packages(found, PackageType.NPM)
        assert package == api.package(found, PackageType.NPM, "a/b")
        versions = api.versions(package)
        assert {version.id for version in versions} == active(stored)
        first = versions[-1]
        assert api.find_version(package, first.name) == first
        assert api.delete_version(package, first.id) is Result.DONE
        assert api.delete_version(package, first.id) is Result.ALREADY
        assert api.find_version(package, first.name) is None
        assert first.id not in active(stored)
        assert api.restore_version(package, first.id) is Result.DONE
        assert api.restore_version(package, first.id) is Result.ALREADY
        assert len(active(stored)) == 5
        assert api.delete_package(package) is Result.DONE
        with pytest.raises(MissingError):
            api.versions(package)
        assert api.restore_package(package) is Result.DONE
        assert {version.id for version in api.versions(package)} == active(stored)
        assert api.docker_conflicts(found) == ()
        owners = {"/users/" + owner.upper(), "/user"}
        paths = {path.removeprefix("/api/v3") for _, path in made.asked()} - owners
        assert all(path.startswith((f"{base}/packages", f"{base}/docker")) for path in paths), paths
        for request, line in zip(world.requests, made.lines, strict=True):
            assert line.startswith(f"{request.method} /")
            assert f": {request.status} (" in line
        assert CLASSIC not in repr(made.lines)


def test_deleted_versions() -> None:
    with scene() as made:
        stored = filled(made.world)
        org = made.api.owner("acme")
        package = made.api.package(org, PackageType.NPM, "lib")
        gone = [version.id for version in made.api.versions(package)][:120]
        for number in gone:
            made.api.delete_version(package, number)
        assert {version.id for version in made.api.versions(package, deleted=True)} == set(gone)
        assert {version.id for version in made.api.versions(package)} == active(stored)


def test_an_installation_never_asks_who_it_is() -> None:
    with scene(WORKFLOW, login=None, repository="hubot/app") as made:
        filled(made.world, "hubot", 3, repository="hubot/app")
        owner = made.api.owner("hubot")
        assert owner.kind is OwnerKind.USER
        package = made.api.package(owner, PackageType.NPM, "lib")
        versions = made.api.versions(package)
        assert made.api.delete_version(package, versions[0].id) is Result.DONE
        assert "/user" not in {path for _, path in made.asked()}
        assert made.api.require([StepKind.DELETE_VERSION], PackageType.MAVEN) == ()
        with pytest.raises(RefusedError) as caught:
            made.api.packages(owner, PackageType.CONTAINER)
        assert caught.value.refusal.kind is RefusalKind.CANNOT_LIST


def test_a_missing_role_is_told_apart_from_a_version_that_is_gone() -> None:
    with scene() as made:
        stored = filled(made.world, "hubot", 3, visibility="public", roles={"octocat": "read"})
        package = made.api.package(made.api.owner("hubot"), PackageType.NPM, "lib")
        version = made.api.versions(package)[0]
        with pytest.raises(RefusedError) as caught:
            made.api.delete_version(package, version.id)
        assert caught.value.refusal.kind is RefusalKind.ROLE
        assert caught.value.refusal.meets_every_change
        assert len(active(stored)) == 3


@pytest.mark.parametrize(
    "switched",
    [
        {},
        {"version_order": "oldest"},
        {"version_order": "scrambled"},
        {"links_tell_last": False},
        {"numeric_user_links": True},
        {"users_list_honours_paging": False},
        {"page_past_the_end": "404"},
        {"server_error_above_per_page": 50},
        {"deleted_stay_listed": True},
    ],
    ids=str,
)
@pytest.mark.parametrize("owner", ["acme", "octocat", "hubot"])
@pytest.mark.parametrize("count", [1, 99, 100, 101, 250, 400])
def test_every_version_is_listed_whatever_github_does(
    owner: str, count: int, switched: dict[str, Any]
) -> None:
    with scene() as made:
        stored = filled(made.world, owner, count, roles={"octocat": "admin"})
        for name, value in switched.items():
            setattr(made.world.switches, name, value)
        package = Package(made.api.owner(owner), PackageType.NPM, "lib")
        listed = [version.id for version in made.api.versions(package)]
        assert sorted(listed) == sorted(active(stored))


def test_250_versions_are_three_requests() -> None:
    with scene() as made:
        filled(made.world)
        made.api.versions(Package(Owner("acme", OwnerKind.ORGANIZATION), PackageType.NPM, "lib"))
        assert len(made.world.requests) == 3


LIB = Package(Owner("acme", OwnerKind.ORGANIZATION), PackageType.NPM, "lib")
REQUESTS = 7  # of the run below without a fault


def run(made: Scene) -> dict[str, Any]:
    """A small run: what each part answered, or the error that it ended in."""
    stored = made.world.packages[0]
    ids = sorted(active(stored))
    parts: dict[str, Callable[[], Any]] = {
        "owner": lambda: made.api.owner("acme"),
        "versions": lambda: {version.id for version in made.api.versions(LIB)},
        "delete": lambda: made.api.delete_version(LIB, ids[0]),
        "restore": lambda: made.api.restore_version(LIB, ids[1]),
        "last": lambda: made.api.package(LIB.owner, LIB.type, LIB.name).name,
    }
    made.world.delete_version(stored, stored.versions[ids[1]])
    told: dict[str, Any] = {"ids": ids}
    for name, part in parts.items():
        try:
            told[name] = part()
        except RetentionError as error:
            told[name] = error
    return told


@pytest.mark.parametrize("number", range(1, REQUESTS + 1))
@pytest.mark.parametrize("fault", catalogue(), ids=lambda fault: fault.kind.name)
def test_after_every_fault_at_every_request_answers_and_world_agree(fault: Fault, number: int) -> None:
    with scene() as made:
        stored = filled(made.world)
        made.world.faults.add(replace(fault, number=number))
        told = run(made)
        assert made.world.faults.pending == 0
        first, second = told["ids"][:2]
        assert (told["delete"] is Result.DONE) is (first not in active(stored))
        assert (told["restore"] is Result.DONE) is (second in active(stored))
        if not isinstance(told["versions"], RetentionError):
            assert told["versions"] == set(told["ids"]) - {second}
        if fault.kind is Kind.EXPIRED:
            ended = [told[name] for name in ("owner", "versions", "delete", "restore", "last")]
            refused = [error for error in ended if isinstance(error, RefusedError)]
            assert refused
            assert refused[0].refusal.ends_run
            assert ended.index(refused[0]) + len(refused) == len(ended)
        else:
            # One fault of any other kind is survived by everything.
            assert told["delete"] is told["restore"] is Result.DONE
            assert told["last"] == "lib"


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in (Kind.EXPIRED, Kind.DELAY)])
def test_a_change_that_always_fails_is_told_as_what_it_is(kind: Kind) -> None:
    with scene(time_limit=None) as made:
        stored = filled(made.world, count=3)
        number = min(active(stored))
        made.world.faults.add(Fault(kind, method="DELETE", times=None))
        try:
            result: Any = made.api.delete_version(LIB, number)
        except RetentionError as error:
            result = error
        done = number not in active(stored)
        assert done is (kind in AFTER)
        if done:
            assert result is Result.DONE
        elif kind in (Kind.PRIMARY, Kind.SECONDARY, Kind.SECONDARY_AFTER, Kind.TOO_MANY, Kind.TOO_MANY_AFTER):
            assert isinstance(result, RefusedError)
            assert result.refusal.kind in (RefusalKind.PRIMARY_LIMIT, RefusalKind.SECONDARY_LIMIT)
        else:
            assert isinstance(result, UnreachableError)
            assert "it was not done" in result.message


def test_a_run_of_many_workers_keeps_to_the_pace_and_meets_no_limit() -> None:
    with scene(points_per_minute=900) as made:
        filled(made.world, count=500)
        ids = [version.id for version in made.api.versions(LIB)][:400]
        made.world.limits.most_in_flight = 0
        with ThreadPoolExecutor(24) as pool:
            results = list(pool.map(lambda number: made.api.delete_version(LIB, number), ids))
        assert results == [Result.DONE] * 400
        assert {request.status for request in made.world.requests} == {200, 204}
        assert made.world.limits.most_in_flight <= 48
        # 2,005 points at 900 a minute: two waits of a minute and a second.
        assert 120 <= made.clock.monotonic() <= 123
        spending = made.api.pacing()
        assert (spending.requests, spending.points) == (405, 2005)


@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize("tells", [True, False])
def test_a_run_without_pacing_survives_the_secondary_limit(status: Any, tells: bool) -> None:
    with scene(points_per_minute=None, time_limit=None) as made:
        made.world.switches.limit_status = status
        made.world.switches.limit_sends_retry_after = tells
        stored = filled(made.world, count=420)
        ids = [version.id for version in made.api.versions(LIB)][:400]
        with ThreadPoolExecutor(24) as pool:
            results = list(pool.map(lambda number: made.api.delete_version(LIB, number), ids))
        assert results == [Result.DONE] * 400
        assert len(active(stored)) == 20
        refused = sum(request.status == status for request in made.world.requests)
        assert 1 <= refused <= 2 * 24
        assert made.api.pacing().points_per_minute is not None


def test_the_last_tenth_of_the_hour_is_left_to_others() -> None:
    with scene(points_per_minute=None, time_limit=1800, limit=200) as made:
        filled(made.world, count=400)
        token = made.world.tokens[CLASSIC]
        ids = [version.id for version in made.api.versions(LIB)]

        def delete(number: int) -> Any:
            try:
                return made.api.delete_version(LIB, number)
            except BudgetError as error:
                return error.cause

        with ThreadPoolExecutor(24) as pool:
            results = list(pool.map(delete, ids))
        assert made.world.limits.core(token)["remaining"] == 20
        assert (results.count(Result.DONE), results.count("budget")) == (176, 224)
        assert made.clock.slept == []


def test_an_hour_that_ends_within_the_time_limit_is_waited_for() -> None:
    with scene(points_per_minute=None, time_limit=None, limit=50) as made:
        filled(made.world, count=90)
        ids = [version.id for version in made.api.versions(LIB)][:80]
        with ThreadPoolExecutor(8) as pool:
            results = list(pool.map(lambda number: made.api.delete_version(LIB, number), ids))
        assert results == [Result.DONE] * 80
        assert 3600 <= made.clock.monotonic() <= 3602
        assert {request.status for request in made.world.requests} == {200, 204}


def test_scopes_come_from_an_answer_that_is_needed_anyway() -> None:
    with scene(scopes=("read:packages",)) as made:
        made.api.owner("acme")
        before = len(made.world.requests)
        with pytest.raises(RefusedError, match="delete:packages"):
            made.api.require([StepKind.DELETE_VERSION], PackageType.NPM)
        assert len(made.world.requests) == before


def test_lists_that_single_sign_on_makes_partial_are_told() -> None:
    with scene() as made:
        filled(made.world, count=1)
        made.world.owners["acme"].sso = True
        made.world.switches.sso_lists = "partial"
        assert made.api.packages(LIB.owner, PackageType.NPM) == ()
        (notice,) = made.api.notices()
        assert notice.code is FindingCode.LIST_INCOMPLETE


def test_the_time_is_githubs_unless_it_is_ahead() -> None:
    with scene() as made:
        made.world.switches.date_skew = -7200
        made.api.owner("acme")
        assert (made.api.now() - made.clock.now()).total_seconds() == pytest.approx(-7200, abs=1)
        # A server's clock that is ahead would make versions older than they are.
        made.world.switches.date_skew = 7200
        made.api.owner("acme")
        assert made.api.now() == made.clock.now()
