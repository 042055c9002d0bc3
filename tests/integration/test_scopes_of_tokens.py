"""Scopes end to end: what a token lacks is told before the first change, as the contract's table has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from emulator import steps
from emulator.images import push_image
from main_job import Job, job, numbered, shown, texts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

READ, WRITE, DELETE, REPO = "read:packages", "write:packages", "delete:packages", "repo"
TYPES = ("container", "docker", "maven", "npm", "nuget", "rubygems")
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
        dry = made.step(**inputs, dry_run="true")
        assert dry.number("selected-count") > 0
        # It tells what the real run lacks, and promises nothing.
        lacking = sorted(sure - {READ, REPO})
        assert f"lacks the scope `{lacking[0]}`" in dry.log
        assert "would be refused before its first change" in dry.log
        assert "would be refused before its first change" in shown(dry)
        assert "carries out this plan" not in shown(dry)


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
    assert "lacks the scope repo" in shown(ran)


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


@pytest.mark.parametrize("lacking", [WRITE, DELETE])
def test_untag_needs_to_write_and_to_delete(made: Job, lacking: str) -> None:
    app = made.package("app", "container")
    image = push_image(made.world, app, ("v1", "v1.0"), created=40)
    push_image(made.world, app, ("v2",), created=30)
    scopes(made, *({READ, WRITE, DELETE} - {lacking}))
    inputs: dict[str, Any] = {
        "package_type": "container",
        "package_name": "app",
        "versions": "v1",
        "untag": "true",
    }
    ran = made.refused(**inputs)
    assert made.changes() == []
    assert all(one.method == "GET" for one in made.world.registry_requests)
    assert f"lacks the scope `{lacking}`" in ran.log
    scopes(made, READ, WRITE, DELETE)
    made.step(**inputs)
    assert image.root_version.tags == ["v1.0"]
