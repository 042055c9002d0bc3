"""The hour's requests: lists that it cannot hold are refused from their first pages, and no hour is spent for nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from scene import Scene, scene

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from emulator.messages import Recorded

WORKFLOW = "ghs_" + "w" * 36


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path) as found:
        found.world.add_token(WORKFLOW, repository="octo/app")
        yield found


def library(made: Scene, count: int, name: str = "lib") -> None:
    package = made.world.add_package("octo", "npm", name, repository="octo/app")
    for number in range(count):
        made.world.add_version(package, f"1.0.{number}", created=count - number)


def listed(made: Scene) -> list[Recorded]:
    return [one for one in made.world.requests if one.path.endswith("/versions")]


def step(made: Scene, **inputs: Any) -> Any:
    given: dict[str, Any] = {"package_type": "npm", "token": WORKFLOW, "min_versions_to_keep": 1}
    return made.step(**(given | inputs))


def test_95_000_versions_are_refused_from_the_first_page_of_a_github_token(made: Scene) -> None:
    library(made, 95_000)
    ran = step(made, package_name="lib")
    assert ran.status == 1
    assert len(listed(made)) == 1
    assert len(made.world.requests) <= 3
    assert "949 more requests" in ran.log
    assert "use a personal access token (classic), which has 5,000 requests an hour" in ran.log


def limited(made: Scene, limit: int) -> None:
    made.world.tokens[WORKFLOW].limit = limit


@pytest.mark.parametrize("operation", ["delete", "list"])
def test_lists_that_fit_alone_and_not_together_are_refused_from_their_first_pages(
    made: Scene, operation: str
) -> None:
    limited(made, 40)
    for name in ("lib-a", "lib-b", "lib-c"):
        library(made, 1_500, name)
    ran = step(made, package_name="lib-*", operation=operation)
    assert ran.status == 1, ran.log
    assert {one.query.get("page") for one in listed(made)} == {None}
    assert len(listed(made)) == 3
    assert "personal access token" in ran.log


def test_lists_that_fit_together_take_a_request_a_page(made: Scene) -> None:
    limited(made, 100)
    for name in ("lib-a", "lib-b", "lib-c"):
        library(made, 1_500, name)
    ran = step(made, package_name="lib-*", dry_run="true")
    assert ran.status == 0, ran.log
    assert ran.number("selected-count") == 3 * 1_499
    assert len(listed(made)) == 45


def test_what_others_left_of_the_hour_is_what_counts(made: Scene) -> None:
    limited(made, 100)
    library(made, 3_000)
    made.world.limits.spend(made.world.tokens[WORKFLOW], 65)
    ran = step(made, package_name="lib")
    assert ran.status == 1
    assert len(listed(made)) == 1
    assert "run again after" in ran.log


def test_who_waits_for_the_next_hour_is_not_refused(made: Scene) -> None:
    limited(made, 100)
    library(made, 3_000)
    made.world.limits.spend(made.world.tokens[WORKFLOW], 65)
    ran = step(made, package_name="lib", dry_run="true", time_limit="3h")
    assert ran.status == 0, ran.log
    assert ran.number("selected-count") == 2_999


def test_no_list_is_begun_that_a_whole_hour_does_not_hold_whoever_waits(made: Scene) -> None:
    limited(made, 100)
    library(made, 9_500)
    ran = step(made, package_name="lib", time_limit="6h")
    assert ran.status == 1
    assert len(listed(made)) == 1


def test_a_container_is_listed_twice_only_where_something_goes(made: Scene) -> None:
    for number in range(120):
        made.push(f"v{number}", created=200 - number)
    pages = -(-len(made.app.active()) // 100)
    assert made.step(min_versions_to_keep=200).status == 0
    assert len(listed(made)) == pages


def test_a_second_list_that_the_hour_does_not_hold_fails_the_run(made: Scene) -> None:
    limited(made, 16)
    for number in range(320):
        made.push(f"v{number}", created=400 - number)
    pages = -(-len(made.app.active()) // 100)
    ran = step(made, package_type="container", package_name=made.app.name)
    assert ran.status == 1, ran.log
    assert len(listed(made)) == pages + 1
    assert ran.number("deleted-count") == 0


def test_an_hour_spent_on_reading_alone_is_no_success(made: Scene) -> None:
    limited(made, 20)
    for number in range(40):
        library(made, 2, f"lib-{number}")
    ran = step(made, package_name="lib-*")
    assert ran.status == 1, ran.log
    assert ran.outputs["complete"] == "false"
    assert "used up an hour's requests and changed nothing" in ran.log
