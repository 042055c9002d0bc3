"""What is planned and yet stays: refusals for good, failures, stale lists; the rest goes on, and the exit status tells."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from emulator import steps
from emulator.faults import Fault, Kind
from main_job import TYPES, Job, job, named, numbered, shown, texts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Job]:
    with job(tmp_path) as found:
        yield found


@pytest.mark.parametrize("kind", TYPES)
def test_the_last_version_stays_with_a_warning_and_the_run_is_no_failure(made: Job, kind: str) -> None:
    package = made.filled(kind=kind, count=4)
    ran = made.step(package_type=kind, versions="*")
    assert texts(package) == numbered(4)
    assert ran.number("deleted-count") == 3
    assert (ran.number("failed-count"), ran.number("kept-count")) == (0, 1)
    (warning,) = (line for line in ran.log.splitlines() if line.startswith("::warning"))
    assert "GitHub refuses to delete the last" in warning
    assert "delete-package: when-empty" in warning
    assert "GitHub does not delete the last" in shown(ran)
    again = made.step(package_type=kind, versions="*")
    assert again.number("deleted-count") == 0
    assert len(made.changes()) == 3


def test_the_last_version_that_github_refuses_by_itself_is_no_failure_either(made: Job) -> None:
    """Another step deletes what was to remain, meanwhile: then GitHub's own refusal tells."""
    package = made.filled(count=3)
    rest = [named(package, f"1.0.{number}") for number in (2, 3)]

    def others() -> None:
        for version in rest:
            made.world.delete_version(package, version)

    happened = made.when(lambda request: request.method == "DELETE", others)
    ran = made.step(versions="1.0.1")
    assert happened
    assert texts(package) == numbered(1)
    assert (ran.number("deleted-count"), ran.number("failed-count")) == (0, 0)
    assert "last version" in ran.log
    assert "::warning" in ran.log


@pytest.mark.parametrize("status", [400, 422])
def test_more_than_5000_downloads_stay_with_a_warning_and_the_rest_goes(made: Job, status: int) -> None:
    made.world.switches.downloads_status = status  # type: ignore[assignment]
    package = made.filled(visibility="public")
    for number in (1, 5):
        named(package, f"1.0.{number}").downloads = 5_001
    named(package, "1.0.2").downloads = 5_000
    ran = made.step(min_versions_to_keep=3)
    assert texts(package) == numbered(1, 5, 10, 11, 12)
    assert (ran.number("deleted-count"), ran.number("failed-count"), ran.number("kept-count")) == (7, 0, 5)
    assert "5,000" in ran.log
    assert "::warning" in ran.log
    assert "::error" not in ran.log
    assert len(made.changes()) == 9


@pytest.mark.parametrize("number", [1, 5])
def test_one_version_that_fails_is_an_outcome_and_the_rest_goes_on(made: Job, number: int) -> None:
    package = made.filled()
    failing = named(package, f"1.0.{number}")
    path = f"/versions/{failing.id}$"
    made.world.faults.add(Fault(Kind.SERVER_ERROR, method="DELETE", path=path, times=None))
    ran = made.step(status=1, min_versions_to_keep=3)
    assert texts(package) == numbered(number, 10, 11, 12)
    assert ran.ids("failed-version-ids") == [failing.id]
    assert (ran.number("deleted-count"), ran.number("failed-count")) == (8, 1)
    assert ran.outputs["complete"] == "true"
    (counts,) = json.loads(ran.outputs["packages"])
    assert (counts["deleted-count"], counts["failed-count"], counts["kept-count"]) == (8, 1, 4)
    (error,) = (line for line in ran.log.splitlines() if line.startswith("::error"))
    assert f"version {failing.id}" in error
    assert f"1.0.{number}" in ran.summary
    made.world.faults.clear()
    made.step(min_versions_to_keep=3)
    assert texts(package) == numbered(10, 11, 12)


def test_a_refusal_that_every_change_would_meet_ends_the_package_at_the_first(made: Job) -> None:
    package = made.filled(roles={"octocat": "write"})
    other = made.filled("other", roles={"octocat": "admin"})
    ran = made.step(status=1, package_name="lib, other", min_versions_to_keep=3)
    assert len(package.active()) == 12
    assert texts(other) == numbered(10, 11, 12)
    sent = [one for one in made.changes() if "/lib/" in one.path]
    assert len(sent) == 1
    assert ran.ids("failed-version-ids") == [named(package, "1.0.1").id]
    assert "the role Admin" in ran.log
    assert "so 8 further changes were not tried" in ran.summary
    one, two = json.loads(ran.outputs["packages"])
    assert (one["name"], one["deleted-count"], one["failed-count"], one["kept-count"]) == ("lib", 0, 1, 12)
    assert (two["name"], two["deleted-count"], two["failed-count"]) == ("other", 9, 0)


@pytest.mark.parametrize("number", [1, 5])
def test_a_stale_list_is_not_a_missing_role(made: Job, number: int) -> None:
    package = made.filled()
    stale = named(package, f"1.0.{number}")
    made.world.delete_version(package, stale)
    stale.still_listed = True
    ran = made.step(min_versions_to_keep=3)
    assert texts(package) == numbered(10, 11, 12)
    # What was gone at the first try is in no count.
    assert (ran.number("deleted-count"), ran.number("failed-count"), ran.number("kept-count")) == (8, 0, 3)
    assert stale.id not in ran.ids("deleted-version-ids")
    assert f"already gone: 1.0.{number}" in ran.log
    assert "role" not in ran.log
    assert "::error" not in ran.log


def test_what_was_asked_for_and_is_not_there_is_a_warning(made: Job) -> None:
    package = made.filled(count=4)
    known = named(package, "1.0.1").id
    ran = made.step(package_version_ids=f"{known}\n4242", exclude_versions="1.0.2, v9*, /^nightly/")
    assert texts(package) == numbered(2, 3, 4)
    told = (
        "there is no version with the id 4242",
        "entry v9* matched nothing",
        "entry /^nightly/ matched nothing",
    )
    for words in told:
        assert words in ran.log
        assert words in shown(ran)
    assert "1.0.2 matched nothing" not in ran.log


def test_exclusions_win_over_everything(made: Job) -> None:
    package = made.filled()
    ids = ",".join(str(version.id) for version in package.active())
    made.step(package_version_ids=ids, exclude_versions="1.0.1*\n!1.0.11")
    assert texts(package) == numbered(1, 10, 12)


def test_a_limit_takes_the_oldest_and_leaves_the_rest_to_the_next_run(made: Job) -> None:
    package = made.filled()
    ran = made.step(min_versions_to_keep=3, limit=4)
    assert texts(package) == numbered(*range(5, 13))
    assert "over limit: 4" in shown(ran).replace("`", "")
    made.step(min_versions_to_keep=3, limit=4)
    made.step(min_versions_to_keep=3, limit=4)
    assert texts(package) == numbered(10, 11, 12)


def test_a_token_that_expires_in_the_middle_ends_the_run_and_what_was_done_is_told(made: Job) -> None:
    package = made.filled()
    made.when(
        lambda request: request.method == "DELETE",
        lambda: setattr(made.world.tokens[steps.TOKEN], "expired", True),
        skip=1,
    )
    ran = made.step(status=1, min_versions_to_keep=3)
    assert texts(package) == numbered(*range(2, 13))
    assert ran.ids("deleted-version-ids") == [named(package, "1.0.1").id]
    assert "expired" in ran.log
