from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from connections import API, InTurn, Reply, refusal, rig, shared
from package_retention.api.tokens import TokenKind
from package_retention.app import connect
from package_retention.cancel import shielded
from package_retention.errors import (
    BudgetError,
    CancelledError,
    MissingError,
    RefusalKind,
    RefusedError,
    UnreachableError,
)
from package_retention.inputs.settings import Settings
from package_retention.model import Operation, Owner, OwnerKind, Package, PackageType, Result, StepKind
from package_retention.reason import FindingCode
from package_retention.transport.exchange import TransportError

if TYPE_CHECKING:
    from package_retention.ports import PackagesApi

ORG = Owner("acme", OwnerKind.ORGANIZATION)
USER = Owner("octocat", OwnerKind.USER)
SELF = Owner("octocat", OwnerKind.ONESELF)


def test_it_is_what_the_pipeline_asks_for() -> None:
    made = connect(Settings(Operation.DELETE, "acme", (), "ghp_x"), shared())
    api: PackagesApi = made
    with closing(made):
        assert api.notices() == ()
        assert made.pacing().requests == 0


@pytest.mark.parametrize(
    ("kind", "answers", "expected", "asked"),
    [
        (
            TokenKind.CLASSIC,
            [{"login": "Acme", "type": "Organization"}],
            Owner("Acme", OwnerKind.ORGANIZATION),
            1,
        ),
        (TokenKind.INSTALLATION, [{"login": "octocat", "type": "User"}], USER, 1),
        (TokenKind.CLASSIC, [{"login": "octocat", "type": "User"}, {"login": "OctoCat"}], SELF, 2),
        (TokenKind.CLASSIC, [{"login": "octocat", "type": "User"}, {"login": "other"}], USER, 2),
        (TokenKind.APP_USER, [{"login": "octocat", "type": "User"}, {"login": "octocat"}], SELF, 2),
        (TokenKind.UNKNOWN, [{"login": "octocat", "type": "User"}, 403], USER, 2),
        (TokenKind.CLASSIC, [{"login": "bot[bot]", "type": "Bot"}, {}], Owner("bot[bot]", OwnerKind.USER), 2),
    ],
)
def test_the_kind_of_owner(kind: TokenKind, answers: list[Any], expected: Owner, asked: int) -> None:
    replies = [refusal(answer, "no") if isinstance(answer, int) else Reply(200, answer) for answer in answers]
    made = rig(InTurn(*replies), kind=kind)
    assert made.packages.owner("octocat") == expected
    assert [url for _, url in made.asked] == ["/users/octocat", "/user"][:asked]


def test_an_owner_that_is_not_there_or_a_bad_token() -> None:
    with pytest.raises(MissingError, match="cannot find the owner nobody") as missing:
        rig(InTurn(refusal(404, "Not Found"))).packages.owner("nobody")
    assert missing.value.hint
    for answers in (
        [refusal(401, "Bad credentials")],
        [Reply(200, {"type": "User"}), *[refusal(401, "Bad credentials")] * 3],
    ):
        with pytest.raises(RefusedError) as bad:
            rig(InTurn(*answers)).packages.owner("x")
        assert bad.value.refusal.kind is RefusalKind.BAD_TOKEN
    bodies: tuple[Any, ...] = ([], None, "x")
    for body in bodies:
        with pytest.raises(UnreachableError):
            rig(lambda *_, body=body: Reply(200, body)).packages.owner("x")


@pytest.mark.parametrize(
    ("owner", "base"),
    [
        (ORG, "/orgs/acme"),
        (USER, "/users/octocat"),
        (SELF, "/user"),
        (Owner("a b/c", OwnerKind.USER), "/users/a%20b%2Fc"),
    ],
)
def test_the_three_bases(owner: Owner, base: str) -> None:
    package = Package(owner, PackageType.CONTAINER, "a/b")
    body = {"name": "a/b", "package_type": "container"}
    version = {"id": 7, "name": "sha256:0", "metadata": {"container": {"tags": ["x"]}}}
    answers = [[body], body, [version], [], [], None, None, None, None]
    made = rig(InTurn(*(Reply(200 if answer is not None else 204, answer) for answer in answers)))
    api = made.packages
    assert [found.name for found in api.packages(owner, PackageType.CONTAINER)] == ["a/b"]
    assert api.package(owner, PackageType.CONTAINER, "a/b").label == package.label
    assert [found.tags for found in api.versions(package)] == [("x",)]
    assert api.versions(package, deleted=True) == ()
    assert api.docker_conflicts(owner) == ()
    for change in (api.delete_package, api.restore_package):
        change(package)
    for change_version in (api.delete_version, api.restore_version):
        change_version(package, 7)
    thing = f"{base}/packages/container/a%2Fb"
    assert made.asked == [
        ("GET", f"{base}/packages?package_type=container&per_page=100"),
        ("GET", thing),
        ("GET", f"{thing}/versions?per_page=100"),
        ("GET", f"{thing}/versions?state=deleted&per_page=100"),
        ("GET", f"{base}/docker/conflicts"),
        ("DELETE", thing),
        ("POST", f"{thing}/restore"),
        ("DELETE", f"{thing}/versions/7"),
        ("POST", f"{thing}/versions/7/restore"),
    ]
    spending = api.pacing()
    assert (spending.requests, spending.points) == (9, 25)


def test_ghosts_are_no_packages() -> None:
    rows = [{"name": "deleted_x", "package_type": "npm"}, {"name": "x", "package_type": "npm"}]
    made = rig(lambda _, url: Reply(200, rows if "?" in url else rows[0]))
    assert [package.name for package in made.packages.packages(ORG, PackageType.NPM)] == ["x"]
    with pytest.raises(MissingError):
        made.packages.package(ORG, PackageType.NPM, "deleted_x")


def test_a_list_that_an_installation_may_not_have() -> None:
    answer = refusal(400, "Invalid argument.")
    made = rig(lambda *_: answer, kind=TokenKind.INSTALLATION)
    with pytest.raises(RefusedError) as caught:
        made.packages.packages(ORG, PackageType.CONTAINER)
    assert caught.value.refusal.kind is RefusalKind.CANNOT_LIST


def test_a_version_is_found_by_its_name_page_by_page() -> None:
    pages = {None: 1, "2": 101}

    def answer(_: str, url: str) -> Reply:
        page = "2" if "&page=2" in url else None
        link = (
            {}
            if page
            else {"link": f'<{API}/orgs/acme/packages/npm/lib/versions?per_page=100&page=2>; rel="next"'}
        )
        start = pages[page]
        return Reply(200, [{"id": n, "name": f"1.0.{n}"} for n in range(start, start + 100)], link)

    for name, requests in (("1.0.7", 1), ("1.0.107", 2), ("1.0.999", 2)):
        made = rig(answer)
        found = made.packages.find_version(Package(ORG, PackageType.NPM, "lib"), name)
        assert (found.name if found else None) == (name if name != "1.0.999" else None)
        assert len(made.asked) == requests


def test_what_is_begun_is_finished_in_spite_of_a_cancel_and_of_every_budget() -> None:
    made = rig(lambda *_: Reply(204), points_per_minute=5, time_limit=100)
    package = Package(ORG, PackageType.NPM, "lib")
    made.packages.delete_version(package, 1)
    made.clock.advance(200)
    with pytest.raises(BudgetError):
        made.packages.delete_version(package, 2)
    made.clock.cancel()
    with shielded():
        assert made.packages.delete_version(package, 3) is Result.DONE
        assert made.packages.delete_version(package, 4) is Result.DONE
    with pytest.raises(CancelledError):
        made.packages.delete_version(package, 5)
    assert [url[-1] for _, url in made.asked] == ["1", "3", "4"]


def test_room_for_more_changes() -> None:
    free = rig(InTurn())
    free.packages.ensure_room(10**6)
    tight = rig(InTurn(), points_per_minute=720, time_limit=120)
    tight.packages.ensure_room(288)
    with pytest.raises(BudgetError) as time:
        tight.packages.ensure_room(1000)
    assert time.value.cause == "time"
    left = {"x-ratelimit-limit": "1000", "x-ratelimit-remaining": "130", "x-ratelimit-reset": "99999999999"}
    spent = rig(
        InTurn(Reply(200, {}, left), TransportError("x", sent=True, retryable=False)), time_limit=3600
    )
    spent.client.get("/x", "look")
    spent.packages.ensure_room(30)
    with pytest.raises(BudgetError, match="130 of 1000") as budget:
        spent.packages.ensure_room(31)
    assert budget.value.cause == "budget"
    with pytest.raises(UnreachableError):
        spent.client.get("/x", "look")
    with pytest.raises(BudgetError):
        spent.packages.ensure_room(30)


@pytest.mark.parametrize(
    ("scopes", "kinds", "type_", "lacking"),
    [
        ("read:packages", [], PackageType.NPM, None),
        ("read:packages", [StepKind.DELETE_VERSION], PackageType.NPM, "delete:packages"),
        ("write:packages, delete:packages", [StepKind.DELETE_VERSION], PackageType.CONTAINER, None),
        (
            "read:packages, delete:packages",
            [StepKind.RESTORE_VERSION],
            PackageType.CONTAINER,
            "write:packages",
        ),
        ("read:packages, delete:packages", [StepKind.DELETE_VERSION], PackageType.MAVEN, "repo"),
        ("", [], PackageType.CONTAINER, "read:packages"),
        (None, [StepKind.DELETE_VERSION], PackageType.MAVEN, None),
    ],
)
def test_scopes_are_told_before_the_first_change(
    scopes: str | None, kinds: list[StepKind], type_: PackageType, lacking: str | None
) -> None:
    headers = {} if scopes is None else {"x-oauth-scopes": scopes}
    made = rig(lambda *_: Reply(200, [], headers))
    made.packages.packages(ORG, PackageType.NPM)
    before = len(made.asked)
    if lacking is None:
        made.packages.require(kinds, type_)
    else:
        with pytest.raises(RefusedError, match=lacking) as caught:
            made.packages.require(kinds, type_)
        assert caught.value.refusal.kind is RefusalKind.SCOPE
    assert len(made.asked) == before


def test_the_kind_of_token_is_warned_about() -> None:
    made = rig(InTurn(), kind=TokenKind.FINE_GRAINED)
    assert [notice.code for notice in made.packages.notices()] == [FindingCode.TOKEN_FINE_GRAINED]
    assert rig(InTurn(), kind=TokenKind.CLASSIC).packages.notices() == ()
