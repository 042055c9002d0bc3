from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, strategies as st

from connections import API, LOST, Reply, Rig, refusal, rig
from package_retention.errors import BudgetError, RefusalKind, RefusedError, RetentionError, UnreachableError
from package_retention.model import Owner, OwnerKind, Package, PackageType

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from package_retention.transport.exchange import TransportError

ORG = Owner("acme", OwnerKind.ORGANIZATION)
LIB = Package(ORG, PackageType.NPM, "lib")


def row(number: int, **more: Any) -> dict[str, Any]:
    return {"id": number, "name": f"1.0.{number}", **more}


def query(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def paged(
    rows: Sequence[Any], url: str, *, at_most: int = 100, base: str = f"{API}/organizations/7"
) -> Reply:
    """Page a list as GitHub does: links in the numeric form, no link where all is on one page."""
    size = min(int(query(url).get("per_page", 30)), at_most)
    page, last = int(query(url).get("page", 1)), max(math.ceil(len(rows) / size), 1)

    def link(number: int, rel: str) -> str:
        others = "".join(
            f"&{name}={value}" for name, value in query(url).items() if name not in ("page", "per_page")
        )
        return f'<{base}/packages/npm/lib/versions?per_page={size}&page={number}{others}>; rel="{rel}"'

    links = [link(page + 1, "next"), link(last, "last")] if page < last else []
    links += [link(1, "first"), link(page - 1, "prev")] if page > 1 else []
    return Reply(
        200, list(rows)[(page - 1) * size : page * size], {"link": ", ".join(links)} if links else {}
    )


def pages_asked(made: Rig) -> list[str]:
    return sorted(query(url).get("page", "1") for _, url in made.asked)


@given(count=st.integers(0, 1200), at_most=st.sampled_from([30, 100]))
def test_every_row_comes_once_and_in_order(count: int, at_most: int) -> None:
    rows = [row(number) for number in range(1, count + 1)]
    made = rig(lambda _, url: paged(rows, url, at_most=at_most))
    found = made.packages.versions(LIB)
    made.packages.close()
    assert [version.id for version in found] == list(range(1, count + 1))
    pages = max(math.ceil(count / at_most), 1)
    # A page that is full and has no link may not be all (facts A1): one request more.
    assert len(made.asked) == pages + (count == at_most == 100)


def test_250_versions_are_three_requests_and_the_links_are_followed() -> None:
    made = rig(lambda _, url: paged([row(number) for number in range(1, 251)], url))
    assert len(made.packages.versions(LIB)) == 250
    first, *others = made.asked
    assert first == ("GET", "/orgs/acme/packages/npm/lib/versions?per_page=100")
    assert sorted(url for _, url in others) == [
        f"{API}/organizations/7/packages/npm/lib/versions?per_page=100&page={number}" for number in (2, 3)
    ]


def test_the_first_page_is_fetched_while_the_package_is_asked_for_and_not_again() -> None:
    asked = threading.Event()

    def answer(_: str, url: str) -> Reply:
        if url.endswith("/lib"):
            assert asked.wait(60), "the list waits for the package"
            return Reply(200, {"name": "lib", "package_type": "npm"})
        asked.set()
        return paged([row(number) for number in range(1, 251)], url)

    made = rig(answer)
    made.packages.fetch_ahead(LIB)
    package = made.packages.package(ORG, PackageType.NPM, "lib")
    assert len(made.packages.versions(package)) == 250
    assert len(made.asked) == 4
    # What was fetched ahead counts once: the next list is a new one.
    assert len(made.packages.versions(package)) == 250
    assert len(made.asked) == 7


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_list_that_is_refused_ahead_of_its_turn_is_explained_as_in_its_turn(status: int) -> None:
    def answer(_: str, url: str) -> Reply:
        if url.endswith("/lib"):
            return Reply(200, {"name": "lib", "package_type": "npm"})
        return Reply(status, {"message": "Not Found" if status == 404 else "Forbidden"})

    def error(*, ahead: bool) -> RetentionError:
        made = rig(answer)
        if ahead:
            made.packages.fetch_ahead(LIB)
        package = made.packages.package(ORG, PackageType.NPM, "lib")
        with pytest.raises(RetentionError) as caught:
            made.packages.versions(package)
        return caught.value

    early, late = error(ahead=True), error(ahead=False)
    assert (type(early), early.said, early.hint) == (type(late), late.said, late.hint)


def test_deleted_versions_are_asked_for_on_every_page() -> None:
    rows = [
        row(number, deleted_at="2026-10-01T00:00:00Z" if number % 2 else None) for number in range(1, 251)
    ]
    made = rig(lambda _, url: paged(rows, url))
    assert [version.id for version in made.packages.versions(LIB, deleted=True)] == list(range(1, 251, 2))
    assert all(query(url)["state"] == "deleted" for _, url in made.asked)
    assert [version.id for version in made.packages.versions(LIB)] == list(range(2, 251, 2))
    assert all("state" not in query(url) for _, url in made.asked[3:])


def test_no_next_page_of_another_host_is_asked_for() -> None:
    rows = [row(number) for number in range(1, 251)]
    made = rig(lambda _, url: paged(rows, url, base="https://evil.test/organizations/7"))
    with pytest.raises(UnreachableError, match="another host"):
        made.packages.versions(LIB)
    assert len(made.asked) == 1


@pytest.mark.parametrize("last", ["", f', <{API}/x?page=3>; rel="last"'])
@pytest.mark.parametrize("next_", ["http://[", "//[", "http://[::1"])
def test_a_next_page_that_is_no_url_is_refused(next_: str, last: str) -> None:
    made = rig(lambda *_: Reply(200, [row(1)], {"link": f'<{next_}>; rel="next"{last}'}))
    with pytest.raises(UnreachableError, match="another host"):
        made.packages.versions(LIB)
    assert len(made.asked) == 1


def test_without_a_last_page_the_next_one_is_followed() -> None:
    rows = [row(number) for number in range(1, 351)]

    def answer(_: str, url: str) -> Reply:
        reply = paged(rows, url)
        link = reply.headers.get("link", "").partition(", ")[0]
        return Reply(
            200, reply.body, {"link": link} if 'rel="next"' in link else {"link": '<x>; rel="first"'}
        )

    made = rig(answer)
    assert len(made.packages.versions(LIB)) == 350
    assert pages_asked(made) == ["1", "2", "3", "4"]


def test_a_list_without_any_links_is_read_until_a_page_is_not_full() -> None:
    rows = [row(number) for number in range(1, 251)]
    made = rig(lambda _, url: Reply(200, paged(rows, url).body))
    assert len(made.packages.versions(LIB)) == 250
    assert pages_asked(made) == ["1", "2", "3"]


def test_pages_that_repeat_without_end_end() -> None:
    made = rig(lambda *_: Reply(200, [row(1)], {"link": f'<{API}/x?page=2>; rel="next"'}))
    with pytest.raises(UnreachableError, match="its pages repeat"):
        made.packages.versions(LIB)
    assert len(made.asked) == 2


def test_a_list_that_ignores_pages_is_no_more_than_its_rows() -> None:
    rows = [row(number) for number in range(1, 101)]
    made = rig(lambda *_: Reply(200, rows))
    assert len(made.packages.versions(LIB)) == 100
    assert len(made.asked) == 2


def test_a_list_that_changed_while_it_was_read_is_read_again() -> None:
    """Ten versions are deleted by somebody after page 1: what page 3 began with is now on page 2."""
    rows = [row(number) for number in range(1, 301)]
    served: list[str] = []

    def answer(_: str, url: str) -> Reply:
        served.append(url)
        if len(served) == 2:
            del rows[:210]
        return paged(rows, url)

    made = rig(answer, workers=1)
    assert [version.id for version in made.packages.versions(LIB)] == list(range(211, 301))


def test_a_list_that_grows_is_read_to_its_new_end() -> None:
    rows = [row(number) for number in range(1000, 800, -1)]
    served: list[str] = []

    def answer(_: str, url: str) -> Reply:
        served.append(url)
        if len(served) == 2:
            rows[:0] = [row(number) for number in range(1150, 1000, -1)]
        return paged(rows, url)

    found = [version.id for version in rig(answer, workers=1).packages.versions(LIB)]
    assert set(range(801, 1001)) <= set(found)
    assert len(found) == len(set(found))


def failing(number: int, with_: Callable[[], Reply | TransportError], *, small_too: bool = False) -> Any:
    rows = [row(number) for number in range(1, 451)]

    def answer(_: str, url: str) -> Reply | TransportError:
        size = int(query(url)["per_page"])
        page = int(query(url).get("page", 1))
        if (size == 100 and page == number) or (size == 25 and small_too):
            return with_()
        return paged(rows, url)

    return answer


@pytest.mark.parametrize("number", [1, 2, 5])
@pytest.mark.parametrize("with_", [lambda: refusal(500, "Server Error"), lambda: LOST], ids=["500", "drop"])
def test_a_page_too_heavy_for_github_is_read_in_parts(number: int, with_: Callable[[], Any]) -> None:
    made = rig(failing(number, with_))
    assert [version.id for version in made.packages.versions(LIB)] == list(range(1, 451))
    small = [query(url)["page"] for _, url in made.asked if query(url)["per_page"] == "25"]
    start = (number - 1) * 4 + 1
    assert {str(part) for part in range(start, start + (2 if number == 5 else 4))} <= set(small)
    # Once one page was too heavy, those that come later are not tried whole.
    assert number != 1 or len([url for _, url in made.asked if query(url)["per_page"] == "100"]) == 5


def test_a_page_that_fails_for_good_fails_the_list() -> None:
    made = rig(failing(3, lambda: refusal(500, "Server Error"), small_too=True))
    with pytest.raises(UnreachableError, match=r"cannot list the versions of acme/lib \(npm\)"):
        made.packages.versions(LIB)
    made = rig(
        failing(4, lambda: refusal(403, "You need at least read:packages scope to get a package's versions."))
    )
    with pytest.raises(RefusedError) as caught:
        made.packages.versions(LIB)
    assert caught.value.refusal.kind is RefusalKind.SCOPE


def test_the_time_limit_ends_a_list_as_such() -> None:
    made = rig(failing(3, lambda: refusal(500, "Server Error")), time_limit=5)
    with pytest.raises(BudgetError):
        made.packages.versions(LIB)


@pytest.mark.parametrize(
    "body",
    [{"message": "x"}, None, [{"id": 1}], [{"name": "a"}], [7], [row(1), None], "<html>", [row(0)]],
    ids=["an object", "nothing", "no name", "no id", "a number", "null", "markup", "id 0"],
)
def test_what_is_no_list_of_versions_is_never_an_empty_one(body: Any) -> None:
    made = rig(lambda *_: Reply(200, body))
    with pytest.raises(UnreachableError, match="cannot list the versions of acme/lib"):
        made.packages.versions(LIB)


class Busy:
    """A list on which others work between requests: each request meets the next of `changes`, then nothing more.

    A change is how many rows are pushed, and places of rows that are deleted; what was pushed is never deleted.
    """

    def __init__(self, count: int, changes: Sequence[tuple[int, Sequence[int]]], *, after: int = 1) -> None:
        self.rows = [row(number) for number in range(count, 0, -1)]
        self.count = count
        self.changes = list(changes)
        self.asked = 0
        self.after = after
        self.stays = set(range(1, count + 1))

    def __call__(self, _: str, url: str) -> Reply:
        self.asked += 1
        if self.asked > self.after and self.changes:
            pushed, gone = self.changes.pop(0)
            for place in gone:
                old = [one["id"] for one in self.rows if one["id"] <= self.count]
                if len(old) > 1:
                    victim = old[place % len(old)]
                    self.stays.discard(victim)
                    self.rows = [one for one in self.rows if one["id"] != victim]
            newest = self.rows[0]["id"]
            self.rows[:0] = [row(number) for number in range(newest + pushed, newest, -1)]
        return paged(self.rows, url)


CHANGES = st.lists(
    st.tuples(st.integers(0, 3), st.lists(st.integers(0, 900), max_size=3)), min_size=1, max_size=40
)


@given(count=st.sampled_from((1, 99, 100, 101, 199, 200, 201, 350, 500)), changes=CHANGES)
def test_a_list_at_rest_misses_nothing_that_was_there_all_the_time(
    count: int, changes: list[tuple[int, list[int]]]
) -> None:
    busy = Busy(count, changes)
    made = rig(busy, workers=1)
    try:
        found = [version.id for version in made.packages.versions(LIB, at_rest=True)]
    except UnreachableError as error:
        assert "each of the 4 times" in error.message  # noqa: PT017 - an error is one of two right answers
        return
    finally:
        made.packages.close()
    assert busy.stays <= set(found)
    assert found == sorted(set(found), reverse=True)


def test_a_row_that_slips_from_a_list_is_in_the_list_at_rest() -> None:
    # Somebody deletes from page 1 after it was read: the first row of page 2 is on page 1 then, and on no page read.
    slips = [(0, [5])]
    slipped = Busy(350, slips)
    missing = slipped.stays - {one.id for one in rig(slipped, workers=1).packages.versions(LIB)} - {345}
    assert missing == {250}
    busy = Busy(350, slips)
    made = rig(busy, workers=1)
    assert {version.id for version in made.packages.versions(LIB, at_rest=True)} == busy.stays
    assert len(made.asked) == 12


def test_a_push_between_the_ends_that_are_read_again_hides_no_deletion() -> None:
    busy = Busy(350, [(0, []), (0, []), (0, [120]), (0, []), (1, [])])
    made = rig(busy, workers=1)
    assert busy.stays <= {version.id for version in made.packages.versions(LIB, at_rest=True)}


def test_a_list_that_is_never_at_rest_is_no_list() -> None:
    busy = Busy(350, [(1, [])] * 100)
    with pytest.raises(UnreachableError, match=r"acme/lib \(npm\): rows came or went each of the 4 times"):
        rig(busy, workers=1).packages.versions(LIB, at_rest=True)
    assert busy.asked == 4 * 6


def test_a_list_of_one_page_is_at_rest_by_itself() -> None:
    made = rig(lambda _, url: paged([row(number) for number in range(1, 51)], url))
    assert len(made.packages.versions(LIB, at_rest=True)) == 50
    assert len(made.asked) == 1


def test_what_a_server_claims_costs_no_more_than_the_pages_that_are_there() -> None:
    def answer(_: str, url: str) -> Reply:
        number = int(query(url).get("page", "1"))
        rows = [{"id": 100 * number + i, "name": f"v{i}"} for i in range(100)] if number <= 3 else []
        last = f'<{API}/x?page=2>; rel="next", <{API}/x?page=19999>; rel="last"'
        return Reply(200, rows, {"link": last})

    made = rig(answer)
    with pytest.raises(UnreachableError, match="the list has no end"):
        made.packages.versions(LIB)
    assert len(made.asked) < 200


def test_more_pages_than_there_can_be_are_not_asked_for() -> None:
    last = f'<{API}/x?page=2>; rel="next", <{API}/x?page=20001>; rel="last"'
    made = rig(lambda *_: Reply(200, [{"id": 1, "name": "v"}], {"link": last}))
    with pytest.raises(UnreachableError, match="more than 20,000 pages"):
        made.packages.versions(LIB)
    assert len(made.asked) == 1
