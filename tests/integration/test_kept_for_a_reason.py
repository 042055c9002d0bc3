"""What git, files and images say of images: named after pull requests and branches, with companion tags, expired."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from emulator import shapes
from emulator.faults import Fault, Kind
from scene import Scene, scene

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from emulator.stored_git import StoredRepository

JOB = "ghs_" + "b" * 36


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path) as found:
        found.app.repository = "octo/app"
        yield found


@pytest.fixture
def repository(made: Scene) -> StoredRepository:
    return made.world.add_repository("octo/app")


def closed(repository: StoredRepository, *numbers: int) -> None:
    """Give a repository pull requests that are closed."""
    for number in numbers:
        repository.open_pull(number=number)
        repository.close_pull(number)


def asked(made: Scene) -> list[str]:
    """The requests for what the repository lists."""
    return [one.path for one in made.world.requests if one.path.startswith(("/repos/", "/repositories/"))]


PULL_REQUESTS: dict[str, Any] = {"versions": "pr-*", "source_gone": "pull-request"}


def test_images_of_open_pull_requests_stay_and_four_more_requests_are_made(
    made: Scene, repository: StoredRepository
) -> None:
    for number in range(1, 301):
        repository.open_pull(number=number)
        if number % 15 > 1:
            repository.close_pull(number)
        made.push(f"pr-{number}", platforms=(), created=2)
    made.push("main", created=1)
    assert sum(pull.state == "open" for pull in repository.pulls.values()) == 40
    ran = made.delete(**PULL_REQUESTS)
    assert ran.number("deleted-count") == 260
    assert {int(tag[3:]) for tag in made.tags if tag != "main"} == {
        pull.number for pull in repository.pulls.values() if pull.state == "open"
    }
    assert len(asked(made)) == 4
    assert "pull request 3 is closed" in ran.log


def test_a_pull_request_that_is_reopened_between_plan_and_first_change_keeps_its_image(
    made: Scene, repository: StoredRepository
) -> None:
    closed(repository, 7, 8)
    kept, gone = made.push("pr-7", created=3), made.push("pr-8", created=3)
    made.push("main")
    made.when(lambda request: request.path.endswith("/versions"), lambda: repository.reopen_pull(7), skip=1)
    ran = made.delete(**PULL_REQUESTS)
    assert (made.has(kept), made.has(gone)) == (True, False)
    assert "pull request 7 is open" in ran.summary


def test_what_is_reopened_keeps_versions_of_every_type(made: Scene, repository: StoredRepository) -> None:
    lib = made.world.add_package("octo", "npm", "lib", repository="octo/app")
    closed(repository, 7, 8)
    for name in ("1.0.0-pr-7", "1.0.0-pr-8", "1.0.0"):
        made.world.add_version(lib, name, created=5)
    made.when(lambda request: request.path.endswith("/versions"), lambda: repository.reopen_pull(7), skip=1)
    made.step(package_type="npm", package_name="lib", versions=r"/-pr-(\d+)$/", source_gone="pull-request")
    assert {version.name for version in lib.active()} == {"1.0.0-pr-7", "1.0.0"}


def test_without_the_permission_nothing_is_gone_and_the_yaml_to_paste_is_shown(
    made: Scene, repository: StoredRepository
) -> None:
    closed(repository, 7)
    image = made.push("pr-7", created=3)
    made.world.add_token(
        JOB, repository="octo/app", permission="write", contents="none", pull_requests="none"
    )
    made.app.roles["octo/app"] = "admin"
    ran = made.delete(status=1, token=JOB, **PULL_REQUESTS)
    assert made.has(image)
    block = "permissions:%0A  packages: write%0A  pull-requests: read"
    assert block in ran.log
    assert block.replace("%0A", "\n") in ran.summary
    assert made.changes() == []
    # What else the rules need of git stands in the block, too: it takes the place of the one that is there.
    made.world.tokens[JOB].contents = "read"
    ran = made.delete(status=1, token=JOB, **PULL_REQUESTS | {"source_gone": "pull-request, branch"})
    assert "permissions:%0A  contents: read%0A  packages: write%0A  pull-requests: read" in ran.log


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize("kind", ["branch", "tag", "release"])
def test_the_permission_for_contents_is_named(made: Scene, kind: str) -> None:
    image = made.push("9.9.9" if kind != "branch" else "gone", created=3)
    made.world.add_token(
        JOB, repository="octo/app", permission="write", contents="none", pull_requests="none"
    )
    made.app.roles["octo/app"] = "admin"
    ran = made.delete(status=1, token=JOB, versions="*.*\ngone", source_gone=kind)
    assert made.has(image)
    assert "contents: read%0A  packages: write" in ran.log


@pytest.mark.parametrize("fault", [Kind.SERVER_ERROR, Kind.DROP, Kind.PORTAL])
def test_a_list_without_an_answer_is_unknown(made: Scene, repository: StoredRepository, fault: Kind) -> None:
    closed(repository, 7)
    image = made.push("pr-7", created=3)
    made.push("main")
    made.world.faults.add(Fault(fault, path="/pulls", times=100))
    ran = made.delete(status=1, **PULL_REQUESTS)
    assert made.has(image)
    assert "could not be listed" in ran.log


def test_releases_beyond_the_first_thousand_are_unknown(made: Scene, repository: StoredRepository) -> None:
    for number in range(1001):
        repository.add_release(f"v1.0.{number}")
    repository.tags.clear()
    image = made.push("9.0.0", created=3)
    ran = made.delete(status=1, versions="9.*", source_gone="release")
    assert made.has(image)
    assert "the releases of octo/app could not be listed" in ran.log


def test_an_image_goes_whole_with_its_companion_tag(made: Scene, repository: StoredRepository) -> None:
    closed(repository, 7)
    gone = made.push("pr-7", "sha-3f2a9c1", created=3)
    main = made.push("main", "sha-1111111", created=3)
    alone = made.push("sha-2222222", created=3)
    ran = made.delete(companion_tags="sha-*", **PULL_REQUESTS)
    assert (made.has(gone), made.has(main), made.has(alone)) == (False, True, True)
    assert set(ran.ids("deleted-version-ids")) == set(gone.ids)


def test_without_companion_tags_the_second_tag_keeps_the_image(
    made: Scene, repository: StoredRepository
) -> None:
    closed(repository, 7)
    image = made.push("pr-7", "sha-3f2a9c1", created=3)
    made.delete(**PULL_REQUESTS)
    assert made.has(image)


def test_untag_takes_companions_with_the_last_other_tag_alone(made: Scene) -> None:
    both = made.push("pr-7", "v1.0.0", "sha-3f2a9c1", created=3)
    made.delete(versions="pr-*", companion_tags="sha-*", untag="true")
    assert sorted(both.root_version.tags) == ["sha-3f2a9c1", "v1.0.0"]


def test_a_report_puts_companions_back_with_the_tags_that_the_step_lets_through(made: Scene) -> None:
    platform = shapes.image("child")
    made.add(platform, "pr-7", "sha-3f2a9c1", created=9)
    made.add(shapes.index([shapes.descriptor(platform, "linux/amd64")]), "v1.0.0", created=9)
    companions: dict[str, Any] = {"versions": "pr-*", "companion_tags": "sha-*"}
    made.delete(untag="true", report_file="report.jsonl", **companions)
    assert made.tags.keys() == {"v1.0.0"}
    made.restore(from_report="report.jsonl", **companions | {"companion_tags": "none"})
    assert made.tags.keys() == {"v1.0.0", "pr-7"}
    made.restore(from_report="report.jsonl", **companions)
    assert made.tags.keys() == {"v1.0.0", "pr-7", "sha-3f2a9c1"}


def test_images_with_companions_alone_take_no_place_of_releases(made: Scene) -> None:
    releases = [made.push(f"v1.0.{number}", created=30 - number) for number in range(3)]
    shas = [made.push(f"sha-{number}{number}{number}aaaa", created=number + 1) for number in range(3)]
    made.delete(versions="v*\nsha-*", companion_tags="sha-*", min_versions_to_keep="3")
    assert all(made.has(image) for image in releases)
    assert all(made.has(image) for image in shas)  # newer than the oldest that is kept


def test_latest_and_versions_are_no_companions(made: Scene, repository: StoredRepository) -> None:
    closed(repository, 7)
    images = [made.push("pr-7", "latest", created=3), made.push("pr-07", "v1.2.3", created=3)]
    made.delete(companion_tags="*", **PULL_REQUESTS)
    assert all(made.has(image) for image in images)


@pytest.mark.parametrize(
    ("tags", "versions", "kinds"),
    [
        (("7",), "*[0-9]", "pull-request"),
        (("1.2",), "*.*", "pull-request"),
        (("1.2",), "*.*", "branch"),
        (("pr-8",), "pr-*", "pull-request, branch"),
        (("app-pr-8",), r"/^app-pr-(\d+)$/", "pull-request, branch"),
        (("feature-12-login",), "feature-*", "branch"),
        (("feature-other-2",), "/^(feature|fix)-.+/", "branch"),
        (("pr-999",), "pr-*", "pull-request"),
        (("3f2a9c1d",), "*[0-9]d", "branch"),
        (("main-3f2a9c1",), "main-*", "branch"),
        (("v2-hotfix",), "v2-*", "branch"),
        (("pr-7", "main"), "pr-*\nmain", "pull-request"),
    ],
)
def test_what_may_be_something_that_exists_stays(
    made: Scene, repository: StoredRepository, tags: tuple[str, ...], versions: str, kinds: str
) -> None:
    closed(repository, 7)
    repository.open_pull(number=8)
    for name in ("feature/#12-login", "feature/other"):
        repository.add_branch(name)
    image = made.push(*tags, created=3)
    made.push("beside")
    before = made.state()
    made.delete(versions=versions, source_gone=kinds)
    assert made.has(image)
    assert made.state() == before


def test_a_branch_that_is_gone_takes_its_images(made: Scene, repository: StoredRepository) -> None:
    repository.add_branch("fix/login")
    gone, living = made.push("fix-logout", created=3), made.push("fix-login", created=3)
    made.push("main")
    ran = made.delete(versions="fix-*", source_gone="branch")
    assert (made.has(gone), made.has(living)) == (False, True)
    assert "branch `fix/login` exists" in ran.log + ran.summary
    assert "branch `fix-logout` is gone" in ran.log


def test_a_package_linked_to_another_repository_is_asked_there(
    made: Scene, repository: StoredRepository
) -> None:
    other = made.world.add_repository("octo/other")
    made.app.repository = "octo/other"
    closed(other, 7, 9)
    other.reopen_pull(9)
    closed(repository, 7, 9)
    gone, kept = made.push("pr-7", created=3), made.push("pr-9", created=3)
    made.push("main")
    made.delete(**PULL_REQUESTS)
    assert (made.has(gone), made.has(kept)) == (False, True)


def test_a_renamed_repository_is_asked_under_its_number(made: Scene, repository: StoredRepository) -> None:
    for number in range(1, 151):
        repository.open_pull(number=number)
    repository.close_pull(3)
    gone, kept = made.push("pr-3", created=3), made.push("pr-150", created=3)
    made.push("main")
    repository.rename("renamed")
    made.delete(repository="octo/app", **PULL_REQUESTS)
    assert (made.has(gone), made.has(kept)) == (False, True)


def test_without_any_repository_nothing_is_gone_and_nothing_fails(made: Scene) -> None:
    made.app.repository = None
    image = made.push("pr-7", created=3)
    ran = made.delete(repository="any", **PULL_REQUESTS)
    assert made.has(image)
    assert "linked to no repository" in ran.log


def test_untag_takes_the_tag_whose_pull_request_is_closed(made: Scene, repository: StoredRepository) -> None:
    closed(repository, 7)
    repository.open_pull(number=8)
    image = made.push("pr-7", "pr-8", created=3)
    made.delete(untag="true", **PULL_REQUESTS)
    assert image.root_version.tags == ["pr-8"]


def policy(made: Scene, text: str) -> dict[str, Any]:
    """Write a policy file, and name it."""
    made.folder.mkdir(parents=True, exist_ok=True)
    (made.folder / "policy.yml").write_text(text, encoding="utf-8")
    return {"policy_file": "policy.yml", "package_type": "", "package_name": ""}


RELEASES_STAY = """
packages:
  - type: container
    name: app
    companion-tags: sha-*
    keep:
      - source-exists: [tag, release]
    delete:
      - older-than: 1d
"""


def test_a_keep_rule_keeps_what_exists_in_git(made: Scene, repository: StoredRepository) -> None:
    repository.add_tag("v1.0.0")
    repository.add_release("v2.0.0")
    kept = [made.push("1.0.0", "sha-aaaaaaa", created=9), made.push("v2.0.0", created=9)]
    gone = made.push("v3.0.0", created=9)
    ran = made.delete(**policy(made, RELEASES_STAY))
    assert [made.has(image) for image in (*kept, gone)] == [True, True, False]
    assert "git tag `v1.0.0` exists" in ran.log + ran.summary


def test_a_keep_rule_keeps_all_where_git_cannot_be_asked(made: Scene) -> None:
    image = made.push("v3.0.0", created=9)
    made.push("v4.0.0", created=9)
    ran = made.delete(status=1, **policy(made, RELEASES_STAY))
    assert made.has(image)
    assert "contents: read" in ran.log


EXPIRED: dict[str, Any] = {"versions": "*", "exclude_versions": "v*", "expired": "true"}


def test_an_expired_image_goes_and_its_label_is_read_once_a_platform(made: Scene) -> None:
    gone = made.push("tmp-1", created=20.5, labels={"quay.expires-after": "2w"})
    later = made.push("tmp-2", created=10, labels={"quay.expires-after": "2w"})
    silent = made.push("tmp-3", created=20)
    excluded = made.push("v1.0.0", created=20, labels={"quay.expires-after": "1d"})
    ran = made.delete(**EXPIRED)
    assert [made.has(image) for image in (gone, later, silent, excluded)] == [False, True, True, True]
    assert "expired 6 days ago (<code>quay.expires-after=2w</code>)" in ran.summary
    blobs = [one.path for one in made.world.registry_requests if one.path.startswith("/v2/octo/app/blobs/")]
    assert len(blobs) == len(set(blobs)) == 6


def test_an_annotation_decides_without_a_blob(made: Scene) -> None:
    gone = made.push("tmp-1", created=20, annotations={"quay.expires-after": "2w"})
    made.push("main")
    made.delete(**EXPIRED | {"versions": "tmp-*"})
    assert not made.has(gone)
    assert not [one for one in made.world.registry_requests if "/blobs/" in one.path]


def test_a_config_that_cannot_be_read_keeps_the_image_and_fails_the_run(made: Scene) -> None:
    image = made.push("tmp-1", created=20, labels={"quay.expires-after": "2w"})
    made.push("main")
    for digest in list(made.app.blobs):
        made.app.blobs[digest] = b"{}"
    ran = made.delete(status=1, **EXPIRED)
    assert made.has(image)
    assert "could not be read" in ran.log


def test_a_config_that_is_missing_or_too_large_keeps_the_image_and_fails_the_run(made: Scene) -> None:
    padding = {"padding": "a" * 2**20}
    images = [
        made.push(tag, created=20, labels={"quay.expires-after": "1d", **more}, platforms=())
        for tag, more in (("tmp-0", {}), ("tmp-1", padding))
    ]
    gone = made.push("tmp-2", created=20, labels={"quay.expires-after": "2d"}, platforms=())
    made.push("main")
    del made.app.blobs[images[0].root.document["config"]["digest"]]
    ran = made.delete(status=1, **EXPIRED | {"versions": "tmp-*"})
    assert [made.has(image) for image in (*images, gone)] == [True, True, False]
    assert "(and 1 more)" in ran.log


def test_a_registry_that_keeps_its_blobs_itself_is_asked_with_its_token(made: Scene) -> None:
    made.world.switches.blobs_redirect = False
    gone = made.push("tmp-1", created=20, labels={"quay.expires-after": "1d"})
    made.push("main")
    made.delete(**EXPIRED | {"versions": "tmp-*"})
    assert not made.has(gone)


def test_nonsense_is_told(made: Scene) -> None:
    image = made.push("tmp-1", created=20, labels={"quay.expires-after": "soon"})
    made.push("main")
    ran = made.delete(**EXPIRED)
    assert made.has(image)
    assert "`quay.expires-after=soon`" in ran.log


def test_a_list_says_when_an_image_expires(made: Scene) -> None:
    made.push("tmp-2", created=9.5, labels={"quay.expires-after": "2w"})
    made.push("v1.0.0", created=20)
    ran = made.step(operation="list", **EXPIRED)
    assert ran.status == 0, ran.log
    assert "in 4 days" in ran.summary, ran.summary
