"""Forty mistakes of a new user: each says what is wrong, where, and what to write, before anything is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from emulator import steps
from main_job import WORKFLOW, Job, job

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

IMAGES = {"package_type": "container", "package_name": "app"}
ALL_OF = {"package_type": "npm", "package_name": "lib"}


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Job]:
    with job(tmp_path) as found:
        found.filled()
        yield found


# What was written, and the words of the answer: what, where, what next.
MISTAKES: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "a mistyped input": ({"older_then": "30d"}, ("`older-then` is not an input", "`older-than`")),
    "tags: image-tags": ({"image_tags": "pr-*"}, ("`image-tags` is not an input", "here it is `versions`")),
    "tags: tags": ({"tags": "pr-*"}, ("`tags` is not an input", "here it is `versions`")),
    "tags: tag-regex": ({"tag_regex": "pr"}, ("`tag-regex` is not an input", "`versions: /REGEX/`")),
    "untagged: delete-untagged": (
        {"delete_untagged": "true"},
        ("`delete-untagged` is not an input", "here it is `tag-status: untagged`"),
    ),
    "untagged: untagged-only": ({"untagged_only": "true"}, ("here it is `tag-status: untagged`",)),
    "age: cut-off": ({"cut_off": "2w"}, ("`cut-off` is not an input", "here it is `older-than`")),
    "age: keep-younger-than": ({"keep_younger_than": "7"}, ("here it is `older-than`",)),
    "keep: keep-n-tagged": (
        {"keep_n_tagged": "3"},
        ("`keep-n-tagged` is not an input", "`min-versions-to-keep: N` with `tag-status: tagged`"),
    ),
    "keep: keep-n-most-recent": ({"keep_n_most_recent": "3"}, ("here it is `min-versions-to-keep`",)),
    "keep: skip-tags": ({"skip_tags": "v*"}, ("here it is `exclude-versions`",)),
    "dry run: dryrun": ({"dryrun": "true"}, ("`dryrun` is not an input", "`dry-run`")),
    "dry run: do_delete": ({"do_delete": "false"}, ("is not an input", "`dry-run: true|false`")),
    "a missing type": (
        {"package_type": "", "versions": "1*"},
        ("package-type: is missing", "`package-type: container`", "`npm`", "`rubygems`"),
    ),
    "a missing name": (
        {"package_name": "", "versions": "1*"},
        ("package-name: is missing", "add the line `package-name: app` to `with:`"),
    ),
    "an unknown type": (
        {"package_type": "conda", "versions": "1*"},
        ("package-type: `conda`", "`container`"),
    ),
    "an empty version filter": ({"older_than": ""}, ("older-than: evaluated to nothing", "`none`")),
    "an empty retention": (
        {"versions": "1*", "min_versions_to_keep": ""},
        ("min-versions-to-keep: evaluated to nothing", "`0`"),
    ),
    "an empty guard": (
        {"versions": "1*", "fail_if_more_than": ""},
        ("fail-if-more-than: evaluated to nothing",),
    ),
    "an empty reference": (
        {"versions": "1*", "keep_referenced_in": ""},
        ("keep-referenced-in: evaluated to nothing",),
    ),
    "an empty owner": ({"versions": "1*", "owner": ""}, ("owner: evaluated to nothing; leave it out",)),
    "an empty report": (
        {"versions": "1*", "from_report": ""},
        ("from-report: evaluated to nothing", "`none`"),
    ),
    "an empty word of the official action": (
        {"num_old_versions_to_delete": ""},
        ("num-old-versions-to-delete: evaluated to nothing", "`none`"),
    ),
    "a regular expression without slashes": ({"versions": "^v1"}, ("versions: `^v1`", "`/^v1/`")),
    "a broken regular expression": ({"versions": "/(/"}, ("versions: `/(/` is not a regular expression",)),
    "minutes or months": ({"older_than": "5m"}, ("older-than: `5m` may mean", "`5min` or `5 months`")),
    "no duration": ({"older_than": "soon"}, ("older-than: `soon` is not a duration", "`30d`")),
    "a negative number": ({"limit": "-2"}, ("limit: `-2` is not a whole number of at least 0",)),
    "no boolean": ({"versions": "1*", "dry_run": "maybe"}, ("dry-run: `maybe`", "`true` nor `false`")),
    "a range of another ecosystem": (
        {"version_range": "[1.0,2.0)"},
        ("version-range: `[1.0,2.0)`", "write ranges like `^1.2`"),
    ),
    "contradiction: tags of untagged images": (
        {**IMAGES, "versions": "pr-*", "tag_status": "untagged"},
        ("`versions: pr-*` and `tag-status: untagged` never match together", "leave one of them out"),
    ),
    "contradiction: everything selected is excluded": (
        {"versions": "1.0.1", "exclude_versions": "1.0.1"},
        ("`versions: 1.0.1` and `exclude-versions` never match together",),
    ),
    "contradiction: ages in a restore": (
        {"operation": "restore", "versions": "1*", "older_than": "3d"},
        ("`older-than` and `operation: restore`", "restore does not take it"),
    ),
    "contradiction: untag what has no tag": (
        {**IMAGES, "tag_status": "untagged", "untag": "true"},
        ("`untag: true` and `tag-status: untagged`", "leave `untag` out"),
    ),
    "contradiction: groups without a number": (
        {"versions": "1*", "keep_per": "minor"},
        ("keep-per: says how `min-versions-to-keep` counts", "1 or more"),
    ),
    "contradiction: what was never named after anything": (
        {"source_gone": "branch"},
        ("`source-gone` needs `versions`", "`exclude-versions`"),
    ),
    "contradiction: labels are inherited": (
        {**IMAGES, "expired": "true"},
        ("`expired` needs `versions`, `tag-status` or `exclude-versions`",),
    ),
    "no filter at all": ({}, ("no filter: every version would go", "`num-old-versions-to-delete: 1`")),
    "exclusions alone": (
        {"exclude_versions": "1.0.1"},
        ("no filter: every version would go", "`exclude-versions` does not say which", "`older-than: 30d`"),
    ),
    "an image reference as name": (
        {"package_type": "container", "package_name": "ghcr.io/octo/app", "versions": "v1"},
        ("package-name: `ghcr.io/octo/app` is an image reference", "without registry and owner"),
    ),
    "the type of another package": (
        {"versions": "1*", "tag_status": "untagged"},
        ("tag-status: is for container and docker packages, not for `package-type: npm`",),
    ),
    "no token": (
        {"versions": "1*", "token": ""},
        ("token: evaluated to nothing", "leave it out for the job's own"),
    ),
    "a token that refreshes": (
        {"versions": "1*", "token": "ghr_" + "a" * 36},
        ("token: is a refresh token (`ghr_`)", "`${{ github.token }}`"),
    ),
    "a glob that matches nothing": (
        {"versions": "1*", "keep_referenced_in": "deploy/*.yaml"},
        ("keep-referenced-in: `deploy/*.yaml` matches no file",),
    ),
    "GraphQL ids": ({"package_version_ids": "PV_lADO"}, ("package-version-ids: `PV_lADO`", "whole number")),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_says_what_where_and_what_next(made: Job, mistake: str) -> None:
    inputs, words = MISTAKES[mistake]
    ran = made.refused(**inputs)
    told = ran.log.replace("%25", "%")
    assert "1 problem with the inputs:" in told, told
    assert [each for each in words if each not in told] == [], told
    assert "versions: '*'" not in told
    assert made.world.requests == []
    assert "the run was refused" in ran.summary


POLICY = "packages:\n- type: npm\n  name: lib\n  delete:\n"
POLICIES = {
    "a wrong key": (
        POLICY + "  - older-then: 3d\n",
        ("p.yml:5:5: `older-then` is not a key", "`older-than`"),
    ),
    "indentation": (POLICY + "  - versions: a\n     limit: 3\n", ("p.yml:6:", "is not YAML")),
    "a key twice": (
        POLICY + "  - versions: a\n    versions: b\n",
        ("p.yml:6:5: `versions` appears twice", "line 5"),
    ),
    "a list for a text": (
        POLICY + "  - older-than: [3d]\n",
        ("p.yml:5:17: older-than: takes one value, not a list",),
    ),
    "a rule without a condition": (
        POLICY + "  - exclude-versions: a\n",
        ("p.yml:5:5: this delete rule would delete every version", "`older-than: 30d`"),
    ),
}


@pytest.mark.parametrize("mistake", POLICIES)
def test_a_mistake_in_a_policy_names_line_and_column(made: Job, mistake: str) -> None:
    content, words = POLICIES[mistake]
    (made.folder / "p.yml").write_text(content, encoding="utf-8")
    ran = made.refused(package_type="", package_name="", policy_file="p.yml")
    assert [each for each in words if each not in ran.log] == [], ran.log
    assert made.world.requests == []


def no_scope(made: Job) -> dict[str, Any]:
    made.world.tokens[steps.TOKEN].scopes = frozenset({"read:packages", "repo"})
    return {}


def no_role(made: Job) -> dict[str, Any]:
    made.world.owners["octo"].members["octocat"] = "member"
    made.world.packages[0].roles["octocat"] = "read"
    return {}


def no_single_sign_on(made: Job) -> dict[str, Any]:
    made.world.owners["octo"].sso = True
    made.world.server_url = "https://github.com"
    return {}


def fine_grained(made: Job) -> dict[str, Any]:
    token = "github_pat_" + "f" * 60
    made.world.add_token(token)
    return {"token": token}


def token_of_a_fork(made: Job) -> dict[str, Any]:
    made.world.add_token(WORKFLOW, repository="octo/app", permission="read")
    return {"token": WORKFLOW}


def type_of_another(made: Job) -> dict[str, Any]:
    made.filled("tool", kind="nuget")
    return {"package_type": "nuget"}


def wrong_owner(made: Job) -> dict[str, Any]:
    made.world.add_org("octo-labs")
    return {"owner": "octo-labs"}


def report_of_another_owner(made: Job) -> dict[str, Any]:
    made.step(versions="1*", dry_run="true", report_file="r.jsonl")
    made.world.add_org("octo-labs")
    made.filled(owner="octo-labs")
    return {"owner": "octo-labs", "from_report": "r.jsonl"}


# What was wrong about the token or the place, and the words of the answer.
ACCESS: dict[Callable[[Job], dict[str, Any]], tuple[str, ...]] = {
    no_scope: ("octo/lib (npm)", "lacks the scope `delete:packages`", "Settings > Developer settings"),
    no_role: ("octo/lib (npm)", "role Admin", "Manage access", "admin permissions in the organization octo"),
    no_single_sign_on: (
        "demands single sign-on",
        "open https://github.com/orgs/octo/sso?authorization_request=",
        "good for one hour",
    ),
    fine_grained: ("octo/lib (npm)", "fine-grained", "use GITHUB_TOKEN with `permissions: packages: write`"),
    token_of_a_fork: ("octo/lib (npm)", "fork, or started by Dependabot", "run this on `schedule`"),
    type_of_another: ("octo/lib (nuget)", "check `package-name`", "`package-type`"),
    wrong_owner: ("octo-labs/lib (npm)", "`owner` (octo-labs is an organization)"),
    report_of_another_owner: (
        "the report is about packages of octo, and this step is about those of octo-labs",
        "Name the report of a run on the same host, owner and packages",
    ),
}


@pytest.mark.parametrize("mistake", ACCESS, ids=lambda mistake: mistake.__name__)
def test_a_mistake_about_access_or_place_names_the_package_and_the_way_out(
    made: Job, mistake: Callable[[Job], dict[str, Any]]
) -> None:
    ran = made.refused(**{"versions": "1*"} | mistake(made))
    told = ran.log.replace("%25", "%")
    assert [each for each in ACCESS[mistake] if each not in told] == [], told
    assert ran.outputs["deleted-count"] == "0"
    assert len(made.changes()) <= 1


def test_a_name_with_its_owner_is_told_to_leave_it_out(made: Job) -> None:
    ran = made.refused(package_name="octo/lib", versions="1*")
    assert "Leave the owner out: `lib`." in ran.log
    assert sum(each.endswith("/packages") for each in made.asked()) == 0


def test_so_it_is_where_a_missing_package_is_a_warning(made: Job) -> None:
    ran = made.step(package_name="octo/lib", versions="1*", if_missing="ignore")
    assert "Leave the owner out: `lib`." in ran.log


def test_a_near_miss_names_the_package_for_one_request(made: Job) -> None:
    made.filled("frontend")
    before = len(made.asked())
    ran = made.refused(package_name="frontent", versions="1*")
    assert "Did you mean `frontend`?" in ran.log
    assert sum(each.endswith("/packages") for each in made.asked()[before:]) == 1


def test_a_private_package_of_another_repository_is_never_named(made: Job) -> None:
    made.filled("frontend", repository="octo/other", visibility="private")
    ran = made.refused(package_name="frontent", versions="1*")
    assert "`frontend`" not in ran.log


def test_a_refused_run_says_what_it_was_asked_for(made: Job) -> None:
    ran = made.refused(operation="restore", dry_run="true")
    assert ran.outputs["dry-run"] == "true"
    assert "Nothing was deleted" not in ran.log
