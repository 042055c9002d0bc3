"""Kinds of tokens end to end: each works where GitHub lets it, and every refusal has its next step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from emulator import steps
from main_job import WORKFLOW, Job, job, named, numbered, shown, texts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STATELESS = "ghs_12345_eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiIxMjM0NSJ9." + "c-_" * 120


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Job]:
    with job(tmp_path) as found:
        yield found


@pytest.mark.parametrize("token", [WORKFLOW, STATELESS])
@pytest.mark.parametrize("owner", ["octo", "octocat", "hubot"])
def test_a_workflows_token_works_and_never_asks_who_it_is(made: Job, owner: str, token: str) -> None:
    made.owner = owner
    made.world.add_token(token, repository=f"{owner}/app")
    package = made.filled()
    made.step(token=token, min_versions_to_keep=3)
    assert texts(package) == numbered(10, 11, 12)
    assert "GET /user" not in made.asked()
    assert not any(path.split()[1].startswith("/user/") for path in made.asked())
    if owner == "octo":
        made.step(token=token, operation="restore", versions="*")
        assert len(package.active()) == 12


@pytest.mark.parametrize("hidden", [403, 404])
def test_a_workflow_without_the_role_is_told_where_to_get_it(made: Job, hidden: int) -> None:
    made.world.switches.installation_without_role = hidden  # type: ignore[assignment]
    made.world.add_token(WORKFLOW, repository="octo/app")
    package = made.filled(roles={"octo/app": "read"})
    ran = made.step(status=1, token=WORKFLOW, min_versions_to_keep=3)
    assert len(package.active()) == 12
    assert len(made.changes()) == 1
    for word in ("packages: write", "Manage Actions access", "Admin"):
        assert word in ran.log


@pytest.mark.parametrize("kind", ["maven", "docker"])
def test_a_workflows_token_where_github_documents_none(made: Job, kind: str) -> None:
    made.world.add_token(WORKFLOW, repository="octo/app")
    made.filled(kind=kind)
    ran = made.refused(token=WORKFLOW, package_type=kind, min_versions_to_keep=3)
    assert "documents no access by GITHUB_TOKEN" in ran.log
    made.world.switches.installation_changes_repository_scoped = True
    assert made.step(token=WORKFLOW, package_type=kind, min_versions_to_keep=3).number("deleted-count") == 9


@pytest.mark.parametrize(
    ("token", "switch", "word"),
    [
        ("github_pat_" + "f" * 60, "fine_grained_works", "fine-grained"),
        ("ghu_" + "u" * 36, "app_user_changes", "App user token"),
    ],
)
def test_tokens_that_github_documents_in_part_are_warned_about_and_tried(
    made: Job, token: str, switch: str, word: str
) -> None:
    made.world.add_token(token)
    package = made.filled()
    ran = made.step(status=1, token=token, min_versions_to_keep=3)
    assert len(package.active()) == 12
    assert any(
        line.startswith("::warning") and word.removeprefix("App ") in line for line in ran.log.splitlines()
    )
    assert any(line.startswith("::error") for line in ran.log.splitlines())
    assert "GITHUB_TOKEN" in ran.log
    setattr(made.world.switches, switch, True)
    ran = made.step(token=token, min_versions_to_keep=3)
    assert texts(package) == numbered(10, 11, 12)
    assert "::warning" in ran.log


@pytest.mark.parametrize("token", [steps.TOKEN, "gho_" + "o" * 36])
def test_single_sign_on_shows_where_to_authorise(made: Job, token: str) -> None:
    if token != steps.TOKEN:
        made.world.add_token(token)
    made.filled()
    made.world.owners["octo"].sso = True
    made.world.server_url = "https://github.com"
    ran = made.refused(token=token, min_versions_to_keep=3)
    assert "https://github.com/orgs/octo/sso?authorization_request=" in ran.log
    assert "good for one hour" in ran.log
    made.world.switches.sso_refusal = 404
    ran = made.refused(token=token, min_versions_to_keep=3)
    assert "single sign-on" in ran.log
    made.world.tokens[token].sso_authorized = frozenset({"octo"})
    assert made.step(token=token, min_versions_to_keep=3).number("deleted-count") == 9


def test_a_list_that_single_sign_on_makes_incomplete_is_told(made: Job) -> None:
    made.filled()
    made.world.owners["octo"].sso = True
    made.world.switches.sso_lists = "partial"
    ran = made.step(package_name="*", min_versions_to_keep=3)
    assert made.changes() == []
    assert "list is incomplete" in ran.log
    assert "::warning" in ran.log
    assert "list is incomplete" in shown(ran)


def test_an_ip_allow_list(made: Job) -> None:
    made.filled()
    made.world.owners["octo"].ip_allow_list = True
    assert "self-hosted runner" in made.refused(min_versions_to_keep=3).log


def test_classic_tokens_that_an_organization_forbids(made: Job) -> None:
    package = made.filled()
    made.world.owners["octo"].forbids_classic = True
    ran = made.refused(min_versions_to_keep=3)
    assert "forbids personal access tokens (classic)" in ran.log
    assert "GITHUB_TOKEN" in ran.log
    made.world.add_token(WORKFLOW, repository="octo/app")
    made.step(token=WORKFLOW, min_versions_to_keep=3)
    assert len(package.active()) == 3


@pytest.mark.parametrize("state", ["expired", "suspended", "unknown", "blocked"])
def test_tokens_that_nobody_accepts(made: Job, state: str) -> None:
    made.filled()
    found = made.world.tokens[steps.TOKEN]
    match state:
        case "expired":
            found.expired = True
        case "suspended":
            found.suspended = True
        case "unknown":
            made.world.tokens.clear()
        case _:
            made.world.bad_tries = 99
    ran = made.refused(min_versions_to_keep=3)
    assert {"expired": "new token", "unknown": "new token", "suspended": "suspended", "blocked": "hour"}[
        state
    ] in ran.log
    # Nobody is locked out by a loop of bad tries.
    assert len(made.world.requests) == 1


def test_a_member_who_is_no_admin_of_the_organization(made: Job) -> None:
    made.world.owners["octo"].members["octocat"] = "member"
    package = made.filled(roles={"octocat": "admin"})
    ran = made.step(status=1, min_versions_to_keep=3)
    assert len(package.active()) == 12
    assert len(made.changes()) == 1
    assert "admin permissions in the organization octo" in ran.log


def test_a_role_that_is_taken_away_in_the_middle(made: Job) -> None:
    package = made.filled()
    made.when(
        lambda request: request.method == "DELETE",
        lambda: package.roles.update({"octocat": "read"}),
        skip=1,
    )
    ran = made.step(status=1, min_versions_to_keep=3)
    assert texts(package) == numbered(*range(2, 13))
    assert ran.ids("deleted-version-ids") == [named(package, "1.0.1").id]
    assert "lacks the role Admin" in ran.log
