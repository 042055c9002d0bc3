"""Bad input end to end: every problem in one error, before any request; and what only looks bad."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from emulator import steps
from emulator.server import EmulatedGitHub
from emulator.world import World
from main_job import Job, fill, job, numbered, texts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from emulator.steps import Ran

OUTPUTS = {
    **dict.fromkeys(
        ("selected-count", "deleted-count", "restored-count", "untagged-count", "failed-count", "kept-count"),
        "0",
    ),
    **dict.fromkeys(
        (
            "selected-version-ids",
            "deleted-version-ids",
            "restored-version-ids",
            "failed-version-ids",
            "packages",
        ),
        "[]",
    ),
}


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Job]:
    with job(tmp_path) as found:
        yield found


def errors(ran: Ran) -> list[str]:
    """Each error of the log, with its own line ends."""
    found = (line for line in ran.log.splitlines() if line.startswith("::error"))
    return [line.split("::", 2)[2].replace("%0A", "\n").replace("%25", "%") for line in found]


def process(folder: Path, **inputs: Any) -> tuple[Ran, World]:
    """Run the real process over a package of twelve versions; nothing may be asked for."""
    world = World()
    world.add_org("octo")
    world.add_token(steps.TOKEN)
    fill(world, world.add_package("octo", "npm", "lib"), range(1, 13))
    with EmulatedGitHub(world) as github:
        return steps.run_process(github, folder, **inputs), world


def test_five_bad_inputs_are_one_error_and_no_request(tmp_path: Path) -> None:
    bad = {
        "package_type": "conda",
        "versions": "/(/",
        "older_than": "soon",
        "min_versions_to_keep": "-2",
        "dry_run": "maybe",
    }
    ran, world = process(tmp_path, package_name="lib", **bad)
    assert ran.status == 1
    assert world.requests == world.registry_requests == []
    (error,) = errors(ran)
    head, *problems = error.split("\n")
    assert head == "5 problems with the inputs:"
    for (name, value), allowed in zip(
        bad.items(), ["`container`", "missing )", "`30d`", "at least 0", "`true` nor `false`"], strict=True
    ):
        (problem,) = (one for one in problems if one.startswith(f"- {name.replace('_', '-')}: "))
        assert f"`{value}`" in problem
        assert allowed in problem
    assert {name: ran.outputs[name] for name in OUTPUTS} == OUTPUTS
    assert ran.outputs["dry-run"] in ("true", "false")
    assert all(name.replace("_", "-") in ran.summary for name in bad)


@pytest.mark.parametrize(
    ("inputs", "form"),
    [
        ({"versions": "1*", "exclude_versions": ""}, "exclude-versions: evaluated to nothing; write `none`"),
        ({"older_than": "6m"}, "`6min` or `6 months`"),
        ({"versions": "^v1"}, "`/^v1/`"),
    ],
    ids=str,
)
def test_the_right_form_is_named(tmp_path: Path, inputs: Any, form: str) -> None:
    ran, world = process(tmp_path, package_type="npm", package_name="lib", **inputs)
    assert ran.status == 1
    assert world.requests == []
    (error,) = errors(ran)
    assert form in error
    assert error.startswith("1 problem with the inputs:")


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        ({}, ("every version would go", "`num-old-versions-to-delete: 1`")),
        ({"exclude_versions": "1.0.1"}, ("every version would go", "`older-than: 30d`")),
        ({"operation": "restore"}, ("every deleted version would come back",)),
        ({"operation": "restore", "older_than": "1d", "versions": "*"}, ("`older-than`", "restore")),
        ({"deleted_within": "1d"}, ("`deleted-within`", "delete")),
        ({"operation": "undelete", "versions": "*"}, ("`undelete`", "`restore`")),
        ({"version": "1*"}, ("`version` is not an input", "`versions`")),
        ({"versions": "1*", "keep_per": "minor"}, ("keep-per", "`min-versions-to-keep`")),
        ({"versions": "1*", "tag_status": "untagged"}, ("tag-status", "container")),
        ({"versions": "sha256:" + "a" * 64}, ("digest", "npm")),
        ({"version_range": "[1.0,2.0)"}, ("version-range", "[1.0,2.0)")),
        ({"versions": "'1*'"}, ("quotes",)),
        ({"package_version_ids": "[1, 2]"}, ("join(fromJSON(",)),
        ({"package_name": "ghcr.io/octo/lib", "versions": "1*"}, ("image reference",)),
        ({"package_name": "", "package_type": "", "versions": "1*"}, ("package-type", "package-name")),
        ({"versions": "1*", "fail_if_more_than": "110%"}, ("fail-if-more-than", "`10%`")),
        ({"versions": "1*", "time_limit": "10"}, ("time-limit", "`10`")),
        ({"versions": "1*", "points_per_minute": "0"}, ("points-per-minute",)),
        ({"versions": "1*", "token": ""}, ("token", "evaluated to nothing")),
        ({"versions": "1*", "token": "two tokens"}, ("token", "blank")),
        ({"versions": "1*", "registry_url": "http://ghcr.io"}, ("registry-url", "https://ghcr.io")),
        ({"versions": "1*", "owner": "octo/app"}, ("owner", "`octo-org`")),
        ({"versions": "1*", "limit": "1", "num_old_versions_to_delete": "2"}, ("`limit`", "mean the same")),
    ],
    ids=lambda value: " ".join(f"{k}={v}" for k, v in value.items())[:60] if isinstance(value, dict) else "",
)
def test_contradictions_and_wrong_forms(made: Job, inputs: Any, told: tuple[str, ...]) -> None:
    made.filled()
    ran = made.refused(**inputs)
    (error,) = errors(ran)
    assert all(word in error for word in told), error
    assert made.world.requests == []


def test_line_ends_of_windows_comments_and_trailing_blanks(made: Job) -> None:
    package = made.filled()
    made.step(
        package_type=" NPM \r\n",
        package_name="\r\n  lib  \r\n",
        versions="# the old ones\r\n1.0.1 \r\n\r\n\t1.0.2\t# and this\r\n1.0.3,1.0.4,\r\n",
        exclude_versions="1.0.2\r\n",
        dry_run="False\r\n",
        limit=" 9 ",
        if_missing="fail\n",
    )
    assert texts(package) == numbered(2, *range(5, 13))


def test_inputs_at_their_defaults_are_not_given(made: Job) -> None:
    """On a runner every declared input arrives; its default says nothing."""
    package = made.filled()
    made.step(
        operation="delete",
        repository="octo/app",
        versions="any",
        exclude_versions="none",
        package_version_ids="none",
        version_range="none",
        release_status="any",
        tag_status="any",
        older_than="none",
        deleted_within="none",
        min_versions_to_keep="3",
        keep_per="none",
        order_by="date",
        limit="none",
        fail_if_more_than="none",
        delete_package="never",
        if_missing="fail",
        untag="false",
        remove_damaged="none",
        time_limit="60min",
        points_per_minute="800",
        policy_file="none",
        report_file="none",
        from_report="none",
        num_old_versions_to_delete="none",
        ignore_versions="none",
        delete_only_untagged_versions="none",
        delete_only_pre_release_versions="none",
    )
    assert texts(package) == numbered(10, 11, 12)


def test_a_pattern_that_takes_for_ever_stops_the_run_and_deletes_nothing(made: Job) -> None:
    package = made.filled()
    made.world.add_version(package, "a" * 200 + "!", created=300)
    ran = made.refused(versions=r"/^(a|a|aa)+$/")
    assert "takes too long" in ran.log
    assert made.changes() == []
