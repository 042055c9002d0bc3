"""Tokens end to end: every kind, what it lacks told before the first change, every refusal with its next step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from emulator import steps
from main_job import WORKFLOW, Job, job, named, numbered, shown, texts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

READ, WRITE, DELETE, REPO = "read:packages", "write:packages", "delete:packages", "repo"
TYPES = ("container", "docker", "maven", "npm", "nuget", "rubygems")
STATELESS = "ghs_12345_eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiIxMjM0NSJ9." + "c-_" * 120
LEGACY = "0123456789abcdef" * 2 + "01234567"


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Job]:
    with job(tmp_path) as found:
        yield found


def scopes(made: Job, *held: str) -> None:
    made.world.tokens[steps.TOKEN].scopes = frozenset(held)


def package_of(made: Job, kind: str) -> None:
    """Two active versions and a deleted one, whatever the type."""
    package = made.package("app", kind)
    for number, deleted in ((1, None), (2, None), (3, 2)):
        tags = [f"v{number}"] if kind in ("container", "docker") else []
        made.world.add_version(
            package, f"sha256:{number:064x}" if tags else f"{number}.0.0", 90, tags, deleted=deleted
        )


def needed(operation: str, kind: str) -> set[str]:
    """The contract's table, written once more."""
    change = {"delete": {DELETE}, "restore": {WRITE}, "list": set[str]()}[operation]
    return {READ, *change, *({REPO} if kind in ("maven", "docker") else set())}


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("operation", ["delete", "restore"])
def test_a_scope_that_is_surely_missing_is_told_before_the_first_change(
    made: Job, operation: str, kind: str
) -> None:
    if kind == "container":
        made.world.switches.referrers_api = "empty"
    package_of(made, kind)
    sure = needed(operation, kind)
    # Without `repo` such a package is not even shown; without `read:packages` GitHub refuses to list.
    for scope in sorted(sure - {READ, REPO}):
        made.world.requests.clear()
        held = {READ, REPO, WRITE, DELETE} - {scope} - ({WRITE} if scope == READ else set())
        scopes(made, *held)
        inputs: dict[str, Any] = {"package_type": kind, "package_name": "app", "operation": operation}
        inputs |= {"older_than": "30d"} if operation == "delete" else {"versions": "*"}
        ran = made.refused(**inputs)
        assert made.changes() == []
        assert f"lacks the scope `{scope}`" in ran.log
        assert "Tokens (classic)" in ran.log
        assert ran.outputs["deleted-count"] == ran.outputs["restored-count"] == "0"
        assert ran.number("selected-count") > 0
        # A dry run needs no more than reading.
        scopes(made, READ, REPO)
        assert made.step(**inputs, dry_run="true").number("selected-count") > 0


@pytest.mark.parametrize("kind", ["maven", "docker"])
@pytest.mark.parametrize("operation", ["delete", "restore"])
def test_repo_is_surely_needed_where_permissions_are_a_repositorys(
    made: Job, operation: str, kind: str
) -> None:
    package_of(made, kind)
    # A public package is shown without `repo`, in this world; the change would be refused.
    scopes(made, READ, WRITE, DELETE)
    made.world.packages[-1].roles["octocat"] = "admin"
    ran = made.refused(package_type=kind, package_name="app", operation=operation, versions="*")
    assert made.changes() == []
    assert "`repo`" in ran.log


@pytest.mark.parametrize("kind", ["npm", "nuget", "rubygems"])
def test_repo_is_a_warning_where_permissions_may_be_a_repositorys(made: Job, kind: str) -> None:
    package = made.filled(kind=kind)
    scopes(made, READ, DELETE)
    ran = made.step(package_type=kind, min_versions_to_keep=3)
    assert len(package.active()) == 3
    (warning,) = (line for line in ran.log.splitlines() if line.startswith("::warning"))
    assert "lacks the scope `repo`" in warning
    assert "lacks the scope `repo`" in shown(ran)


@pytest.mark.parametrize("ghes", [False, True])
@pytest.mark.parametrize("kind", ["maven", "npm"])
def test_a_package_that_is_hidden_for_want_of_repo_is_told_by_it(
    tmp_path: Path, kind: str, ghes: bool
) -> None:
    with job(tmp_path, ghes=ghes, scopes=(READ, DELETE)) as made:
        package = made.filled(kind=kind, roles={"octocat": "admin"})
        hidden = ghes or kind == "maven"
        ran = made.step(status=int(hidden), package_type=kind, min_versions_to_keep=3)
        assert len(package.active()) == (12 if hidden else 3)
        assert ("most likely the token lacks the scope `repo`" in ran.log) is hidden


@pytest.mark.parametrize("owner", ["octo", "octocat", "hubot"])
def test_read_packages_is_missing(made: Job, owner: str) -> None:
    made.owner = owner
    made.filled(roles={"octocat": "admin"})
    scopes(made, REPO, DELETE)
    for inputs in ({"package_name": "lib"}, {"package_name": "li*"}):
        ran = made.refused(min_versions_to_keep=3, **inputs)
        assert "`read:packages`" in ran.log
    made.world.switches.missing_read_scope = 404
    ran = made.refused(min_versions_to_keep=3)
    assert "`read:packages`" in ran.log


def test_no_scope_is_refused_early_that_github_did_not_name(made: Job) -> None:
    """Without the header, GitHub decides; its refusal is explained by the scopes."""
    made.world.switches.scopes_header = False
    package = made.filled()
    scopes(made, READ, REPO)
    ran = made.step(status=1, min_versions_to_keep=3)
    assert len(package.active()) == 12
    assert len(made.changes()) == 1
    assert "scope" in ran.log
    assert "`delete:packages`, `read:packages`" in ran.log


@pytest.mark.parametrize("token", ["gho_" + "o" * 36, LEGACY, "ghp_short"])
def test_other_tokens_with_scopes(made: Job, token: str) -> None:
    made.world.add_token(token, scopes=(READ, DELETE, REPO))
    package = made.filled()
    made.step(token=token, min_versions_to_keep=3)
    assert texts(package) == numbered(10, 11, 12)
    ran = made.refused(token=token, operation="restore", versions="*")
    assert "`write:packages`" in ran.log


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


def test_a_read_only_token_of_a_fork_or_dependabot_is_told(made: Job) -> None:
    made.world.add_token(WORKFLOW, repository="octo/app", permission="read")
    package = made.filled()
    ran = made.step(status=1, token=WORKFLOW, min_versions_to_keep=3)
    assert len(package.active()) == 12
    assert len(made.changes()) == 1
    assert "Dependabot" in ran.log
    assert "fork" in ran.log


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
