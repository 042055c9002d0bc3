"""GitHub's limits met in the middle of a run: it slows, goes on, and ends cleanly where it must; nothing waits."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from emulator.faults import Fault, Kind
from emulator.steps import TOKEN, run_step
from jobs import DELETE_LIBRARIES, REPORT, State, Truth, agree
from scene import Scene, deletes, lists, scene

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from emulator.messages import Request
    from emulator.steps import Ran
    from emulator.stored import StoredPackage

WORKFLOW = "ghs_" + "w" * 36


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path) as found:
        yield found


def libraries(made: Scene, count: int, name: str = "lib") -> StoredPackage:
    package = made.world.add_package("octo", "npm", name, repository="octo/app")
    for number in range(count):
        made.world.add_version(package, f"1.0.{number}", created=900 - number)
    return package


def delete(made: Scene, package: StoredPackage, keep: int = 1, **inputs: Any) -> Ran:
    """Delete all but the newest; outputs and report tell the truth."""
    before = State.of(package)
    given: dict[str, Any] = {
        "package_type": package.type,
        "package_name": package.name,
        "min_versions_to_keep": keep,
        "report_file": REPORT,
    }
    ran = run_step(made.github, made.folder, clock_of=made.clock.of, **(given | inputs))
    truth = Truth.between(before, State.of(package), package)
    oldest = sorted(before.active)[: len(before.active) - keep]
    agree(DELETE_LIBRARIES, truth, ran, made.folder / REPORT, frozenset(oldest))
    return ran


def refusals(made: Scene) -> list[int]:
    """What was refused at a limit."""
    return [one.status for one in made.world.requests if one.status in {403, 429}]


def minutes(made: Scene) -> float:
    return made.clock.monotonic() / 60


# The secondary limit


def test_330_deletes_at_900_points_a_minute_meet_no_refusal(made: Scene) -> None:
    ran = delete(made, libraries(made, 331), points_per_minute=900)
    assert ran.status == 0
    assert ran.number("deleted-count") == 330
    assert refusals(made) == []
    # 330 changes and four reads are 1,654 points: they fit into two minutes and no fewer.
    assert 1 <= minutes(made) < 1.25


@pytest.mark.parametrize("points", [100, 450, 720, 900])
def test_no_minute_holds_more_points_than_were_allowed(made: Scene, points: int) -> None:
    ran = delete(made, libraries(made, 200), points_per_minute=points)
    assert ran.number("deleted-count") == 199
    arrived = [(one.monotonic, one.points) for one in made.world.requests]
    for start, _ in arrived:
        assert sum(cost for at, cost in arrived if start <= at < start + 60) <= points
    assert refusals(made) == []


@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize("told", [True, False], ids=["Retry-After", "no Retry-After"])
def test_a_run_that_finds_less_room_than_it_was_told_slows_down_and_finishes(
    tmp_path: Path, status: Any, told: bool
) -> None:
    switches = {"limit_status": status, "limit_sends_retry_after": told, "points_per_minute": 300}
    with scene(tmp_path, **switches) as made:
        ran = delete(made, libraries(made, 150), points_per_minute=900)
        assert ran.status == 0, ran.log
        assert ran.number("deleted-count") == 149
        assert set(refusals(made)) == {status}
        # One that is told to wait stops all: they do not run on into refusals.
        assert len(refusals(made)) < 150


def test_a_refusal_stops_every_worker_for_as_long_as_github_asks(made: Scene) -> None:
    made.world.faults.add(Fault(Kind.SECONDARY_AFTER, method="DELETE", skip=20, seconds=90))
    ran = delete(made, libraries(made, 60))
    assert ran.number("deleted-count") == 59
    (refused,) = (one for one in made.world.requests if one.status == 403)
    after = [one.monotonic for one in made.world.requests if one.monotonic > refused.monotonic]
    assert min(after) >= refused.monotonic + 90
    # What was under way already was answered; nothing was sent in between.
    assert all(
        one.monotonic in {refused.monotonic, *after} or one.monotonic < refused.monotonic
        for one in made.world.requests
    )


def test_refusals_in_a_row_are_one_limit_and_cost_their_own_waits_alone(made: Scene) -> None:
    made.world.faults.add(Fault(Kind.SECONDARY_AFTER, method="DELETE", seconds=3, times=3))
    ran = delete(made, libraries(made, 121))
    assert ran.number("deleted-count") == 120
    assert len(refusals(made)) == 3
    # The pace stays above 600 points, so all 120 changes fit into one minute.
    assert minutes(made) * 60 < 12


def test_refusals_at_separate_moments_cost_their_own_waits_and_no_minute(made: Scene) -> None:
    """Each lowers the pace: to 640, 512 and 409 points a minute, fewer than went out before the last."""
    for number in (20, 50, 80):
        made.world.faults.add(Fault(Kind.SECONDARY_AFTER, method="DELETE", seconds=3, skip=number))
    ran = delete(made, libraries(made, 121))
    assert ran.number("deleted-count") == 120
    assert len(refusals(made)) == 3
    assert minutes(made) * 60 < 15


def test_a_run_without_pacing_survives_the_limit_too(made: Scene) -> None:
    ran = delete(made, libraries(made, 400), points_per_minute="none")
    assert ran.status == 0
    assert ran.number("deleted-count") == 399
    assert refusals(made)


def test_a_limit_that_never_ends_is_a_failure_in_the_end(made: Scene) -> None:
    made.world.faults.add(Fault(Kind.TOO_MANY, method="DELETE", times=None))
    ran = delete(made, libraries(made, 10), time_limit="none")
    assert ran.status == 1
    assert ran.number("deleted-count") == 0
    assert "::error" in ran.log
    # It was asked ever less often, not without end.
    assert len(refusals(made)) <= 8


# The hour's budget


def workflow(made: Scene) -> None:
    """Have a `GITHUB_TOKEN`, whose 1,000 requests an hour belong to its whole repository."""
    made.world.add_token(WORKFLOW, repository="octo/app")


def test_the_last_tenth_of_a_workflow_tokens_hour_is_left_to_others(made: Scene) -> None:
    workflow(made)
    package = libraries(made, 200)
    package.roles["octo/app"] = "admin"
    made.world.limits.spend(made.world.tokens[WORKFLOW], 850)
    ran = delete(made, package, token=WORKFLOW, time_limit="30min")
    assert ran.status == 0, ran.log
    assert ran.outputs["complete"] == "false"
    core = made.world.limits.core(made.world.tokens[WORKFLOW])
    assert 100 <= core["remaining"] <= 102  # never into the tenth, and hardly short of it
    deleted = ran.number("deleted-count")
    assert 30 < deleted < 50
    warnings = [line for line in ran.log.splitlines() if line.startswith("::warning::the run ended")]
    assert len(warnings) == 1
    assert f"{199 - deleted} planned changes remain" in warnings[0]
    assert re.search(r"the limit resets at \d\d:\d\d UTC", warnings[0])
    assert "the rate limit ended the run" in ran.summary
    assert minutes(made) < 31


def test_a_budget_that_returns_in_time_is_waited_for(made: Scene) -> None:
    workflow(made)
    package = libraries(made, 200)
    package.roles["octo/app"] = "admin"
    made.world.limits.spend(made.world.tokens[WORKFLOW], 850)
    ran = delete(made, package, token=WORKFLOW, time_limit="2h")
    assert ran.status == 0
    assert ran.outputs["complete"] == "true"
    assert ran.number("deleted-count") == 199
    assert refusals(made) == []
    assert 59 < minutes(made) < 63


def test_a_long_wait_for_the_hour_ends_the_run_where_no_time_limit_is_given(made: Scene) -> None:
    workflow(made)
    package = libraries(made, 200)
    package.roles["octo/app"] = "admin"
    made.world.limits.spend(made.world.tokens[WORKFLOW], 850)
    ran = delete(made, package, token=WORKFLOW)
    assert ran.status == 0, ran.log
    assert ran.outputs["complete"] == "false"
    assert 30 < ran.number("deleted-count") < 50
    assert minutes(made) < 1
    assert "ive `time-limit` to have the run wait" in ran.log


def test_a_list_that_the_hour_cannot_hold_is_refused_from_its_first_page(made: Scene) -> None:
    workflow(made)
    package = libraries(made, 1500)
    package.roles["octo/app"] = "admin"
    made.world.limits.spend(made.world.tokens[WORKFLOW], 890)
    ran = made.step(
        token=WORKFLOW, package_type="npm", package_name="lib", min_versions_to_keep=1, report_file=REPORT
    )
    assert ran.status == 1
    assert len(made.world.requests) <= 4
    assert "its list takes 14 more requests" in ran.log
    assert "personal access token" in ran.log


def test_others_who_spend_the_hour_meanwhile_are_noticed(made: Scene) -> None:
    package = libraries(made, 300)
    token = made.world.tokens[TOKEN]
    made.when(deletes, lambda: made.world.limits.spend(token, 4_490), skip=50)
    ran = delete(made, package, time_limit="20min")
    assert ran.status == 0
    assert ran.outputs["complete"] == "false"
    assert 50 < ran.number("deleted-count") < 110
    assert refusals(made) == []


@pytest.mark.parametrize("budget", range(13, 40, 3))
def test_no_image_is_begun_that_the_hour_cannot_finish(made: Scene, budget: int) -> None:
    images = [made.push(f"v{n}", created=100 - n, signed="cosign") for n in range(8)]
    made.push("newest", created=1)
    made.world.tokens[TOKEN].limit = budget
    ran = made.delete(older_than="30d", time_limit="10min")
    gone = [not made.has(image) for image in images]
    assert gone == sorted(gone, reverse=True)
    assert ran.number("deleted-count") == 4 * sum(gone)
    assert ran.outputs["complete"] == str(all(gone)).lower()


# The time limit


@pytest.mark.parametrize("limit", ["1s", "59s", "61s", "90s", "150s"])
def test_nothing_starts_after_the_time_limit_and_the_rest_is_told(made: Scene, limit: str) -> None:
    ran = delete(made, libraries(made, 400), points_per_minute=450, time_limit=limit)
    assert ran.status == 0, ran.log
    assert ran.outputs["complete"] == "false"
    assert all(one.monotonic < float(limit[:-1]) for one in made.world.requests)
    assert made.clock.monotonic() <= float(limit[:-1])
    remaining = 399 - ran.number("deleted-count")
    assert f"{remaining} planned changes remain" in ran.log
    assert ran.number("selected-count") == 399
    assert ran.number("deleted-count") + ran.number("kept-count") == 400


def test_no_image_is_begun_that_the_time_limit_cannot_finish(made: Scene) -> None:
    images = [made.push(f"v{n}", created=100 - n, signed="cosign") for n in range(30)]
    made.push("newest", created=1)
    ran = made.delete(older_than="30d", points_per_minute=200, time_limit="110s")
    gone = [not made.has(image) for image in images]
    # Two minutes' points hold 78 changes and no more, which is 19 images of four; one minute's hold nine.
    assert 9 < sum(gone) < 20
    assert gone == sorted(gone, reverse=True)
    assert ran.outputs["complete"] == "false"


def test_the_next_run_goes_on_where_the_time_limit_ended_the_last(made: Scene) -> None:
    package = libraries(made, 200)
    first = delete(made, package, points_per_minute=400, time_limit="30s")
    second = delete(made, package, points_per_minute=400, time_limit="10min")
    assert first.outputs["complete"] == "false"
    assert second.outputs["complete"] == "true"
    assert first.number("deleted-count") + second.number("deleted-count") == 199


@pytest.mark.parametrize("kind", [Kind.SERVER_ERROR, Kind.DROP], ids=lambda kind: kind.name)
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_time_limit_that_comes_while_requests_fail_is_no_clean_end(
    made: Scene, kind: Kind, method: str
) -> None:
    # Every try takes a while: the limit comes before the last of them.
    made.world.faults.add(Fault(kind, method=method, path="versions", times=None))
    made.world.before_request.append(lambda _request: made.clock.advance(8))
    ran = delete(made, libraries(made, 5), time_limit="50s")
    assert ran.status == 1, ran.log
    assert ran.outputs["complete"] == "false"
    assert ran.number("deleted-count") == 0
    assert "::error" in ran.log
    if method == "GET":
        assert "requests were failing then" in ran.log


def test_a_time_limit_that_comes_while_manifests_fail_is_no_clean_end(made: Scene) -> None:
    made.push("v1", created=100)
    made.push("newest", created=1)
    made.world.faults.add(Fault(Kind.UNAVAILABLE, registry=True, times=None))
    made.world.before_request.append(lambda _request: made.clock.advance(8))
    ran = made.delete(older_than="30d", time_limit="50s", status=1)
    assert ran.outputs["complete"] == "false"
    assert ran.number("deleted-count") == 0


# What ends a run in the middle


@pytest.mark.parametrize("skip", [0, 1, 5, 40])
def test_a_token_that_expires_in_the_middle_ends_every_package_truly(made: Scene, skip: int) -> None:
    packages = [libraries(made, 30, name) for name in ("one", "two", "three")]
    made.world.faults.add(Fault(Kind.EXPIRED, method="DELETE", skip=skip))
    ran = made.step(
        package_type="npm", package_name="one,two,three", min_versions_to_keep=1, report_file=REPORT
    )
    assert ran.status == 1
    gone = {version.id for package in packages for version in package.deleted()}
    assert set(ran.ids("deleted-version-ids")) == gone
    # What was under way met it too; after the first answer that told it, one request alone asked twice more.
    refused = [one for one in made.world.requests if one.status == 401]
    assert len(refused) <= 32 * 3 + 2
    assert "expired" in ran.log
    counted = json.loads(ran.outputs["packages"])
    assert sum(one["deleted-count"] for one in counted) == len(gone)


@pytest.mark.parametrize("kind", [Kind.SERVER_ERROR, Kind.MALFORMED, Kind.PORTAL], ids=lambda kind: kind.name)
@pytest.mark.parametrize("page", [1, 2, 5])
def test_a_list_that_fails_for_good_changes_nothing(made: Scene, kind: Kind, page: int) -> None:
    package = libraries(made, 410)

    def at_page(request: Request) -> bool:
        number = int(request.query.get("page", "1"))
        return lists(request) and number in (
            {page} if request.query["per_page"] == "100" else range(4 * page - 3, 4 * page + 1)
        )

    made.world.faults.add(Fault(kind, where=at_page, times=None))
    before = made.world.snapshot()
    ran = delete(made, package)
    assert ran.status == 1
    assert made.world.snapshot() == before
    assert made.changes() == []
    assert "cannot list the versions" in ran.log


@pytest.mark.parametrize("kind", [Kind.SERVER_ERROR, Kind.DROP, Kind.EXPIRED], ids=lambda kind: kind.name)
def test_a_second_list_that_fails_for_good_changes_nothing(made: Scene, kind: Kind) -> None:
    made.push("v1", created=100)
    made.push("newest", created=1)
    made.world.faults.add(Fault(kind, where=lists, skip=1, times=None))
    before = made.world.snapshot()
    ran = made.delete(older_than="30d", status=1)
    assert made.world.snapshot() == before
    assert "::error" in ran.log
    assert "cannot list the versions" in ran.log
