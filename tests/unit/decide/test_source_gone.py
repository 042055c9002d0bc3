from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from package_retention.decide.candidates import Candidate
from package_retention.decide.durations import Duration
from package_retention.decide.ecosystems import VersionParser
from package_retention.decide.facts import Facts
from package_retention.decide.matching import source_judge
from package_retention.decide.patterns import Patterns
from package_retention.decide.plan_warnings import git_kinds
from package_retention.decide.rules import DecisionContext, Filter, PackageRules, Rule
from package_retention.decide.source_gone import (
    GitNames,
    SourceCause,
    SourceFact,
    SourceJudge,
    SourceState,
    needed_kinds,
    state_of,
)
from package_retention.model import (
    GitKind,
    Owner,
    OwnerKind,
    Package,
    PackageType,
    RepositoryNames,
    Unlisted,
    UnlistedCause,
    Version,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

PULL, BRANCH, TAG, RELEASE = GitKind
GONE, EXISTS, UNKNOWN, NOT_NAMED = SourceState
OLD = timedelta(days=40)
NOW = datetime(2026, 5, 1, tzinfo=UTC)
HEX = "3f2a9c1"


def repository(
    *branches: str,
    opened: Iterable[int] = (),
    newest: int = 0,
    tags: Iterable[str] = (),
    releases: Iterable[str] = (),
    name: str = "octo/app",
) -> RepositoryNames:
    lists = {
        PULL: frozenset(map(str, opened)),
        BRANCH: frozenset(branches),
        TAG: frozenset(tags),
        RELEASE: frozenset(releases),
    }
    return RepositoryNames(name, lists, newest)


def judge(
    *repositories: RepositoryNames,
    kinds: Iterable[GitKind],
    versions: str | None = None,
    package_type: PackageType = PackageType.CONTAINER,
    age: timedelta | None = OLD,
    older_than_given: bool = False,
) -> SourceJudge:
    package = Package(Owner("octo", OwnerKind.ORGANIZATION), package_type, "app")
    touched = None if age is None else NOW - age
    version = Version(1, "v", touched, touched)
    condition = Filter(
        versions=Patterns.parse([versions]) if versions else None,
        older_than=Duration.parse("1h") if older_than_given else None,
    )
    return source_judge(
        condition,
        frozenset(kinds),
        Candidate(version, (), facts=Facts(package, (version,), (version,), git=GitNames(repositories))),
        DecisionContext(
            PackageRules(package_type, Patterns.parse("app")),
            VersionParser(package_type),
            NOW,
        ),
    )


def state(
    *texts: str,
    among: Iterable[RepositoryNames] = (),
    kinds: Iterable[GitKind],
    versions: str | None = None,
    age: timedelta | None = OLD,
    package_type: PackageType = PackageType.CONTAINER,
    older_than_given: bool = False,
) -> SourceState:
    judging = judge(
        *among,
        kinds=kinds,
        versions=versions,
        package_type=package_type,
        age=age,
        older_than_given=older_than_given,
    )
    return state_of(judging.gone(texts))


def kept(*texts: str, among: Iterable[RepositoryNames], kinds: Iterable[GitKind]) -> SourceFact | None:
    return judge(*among, kinds=kinds).exists(texts)


def name_of(fact: SourceFact | None) -> str | None:
    return fact.name if fact else None


def cause_of(fact: SourceFact | None) -> SourceCause | None:
    return fact.cause if fact else None


APP = repository("main", "feature/#12-login", "2.x", opened=[8, 130], newest=130, tags=["v1.2.3"])


# Pull requests


@pytest.mark.parametrize("tag", ["pr-7", "pr7", "pull-7", "pull/7", "pull-request-7", "PR-7", "pr-007"])
def test_the_tag_of_a_closed_pull_request_is_gone(tag: str) -> None:
    assert state(tag, among=[APP], kinds=[PULL]) is GONE
    assert state(tag.replace("7", "8"), among=[APP], kinds=[PULL]) is EXISTS


def test_the_reason_names_the_pull_request() -> None:
    facts = judge(APP, kinds=[PULL]).gone(["pr-128"])
    assert facts == (SourceFact(SourceCause.CLOSED, PULL, "pr-128", "128"),)
    facts = judge(APP, kinds=[PULL]).gone(["pr-8"])
    assert facts == (SourceFact(SourceCause.LISTED, PULL, "pr-8", "8"),)


@pytest.mark.parametrize("tag", ["7", "1.2", "v7", "latest", "stable", "buildcache", "pr-", "pr-x", "pr-7-amd64", "spr-7"])  # fmt: skip
def test_nothing_else_is_a_pull_request(tag: str) -> None:
    assert state(tag, among=[APP], kinds=[PULL]) is NOT_NAMED


@pytest.mark.parametrize("tag", ["pr-131", "pr-0", "pr-20261124", "pr-" + "9" * 100])
def test_a_number_above_the_newest_pull_request_is_unknown(tag: str) -> None:
    assert state(tag, among=[APP], kinds=[PULL]) is UNKNOWN
    assert state(tag, among=[APP], kinds=[PULL, BRANCH]) is UNKNOWN
    assert state("pr-1", among=[repository()], kinds=[PULL]) is UNKNOWN


def test_a_group_that_is_a_number_is_a_pull_request_where_that_is_named() -> None:
    assert state("review-7", among=[APP], kinds=[PULL], versions=r"/^review-(\d+)$/") is GONE
    assert state("review-8", among=[APP], kinds=[PULL, BRANCH], versions=r"/^review-(\d+)$/") is EXISTS
    assert state("7", among=[APP], kinds=[PULL], versions=r"/^(\d+)$/") is GONE
    assert state("1.4.0-pr-7", among=[APP], kinds=[PULL, BRANCH], versions=r"/-pr-(\d+)$/") is GONE
    assert state("review-7", among=[APP], kinds=[PULL], versions=r"/^review-\d+$/") is NOT_NAMED


def test_an_open_pull_request_is_no_branch_that_is_gone() -> None:
    for kinds in ([PULL, BRANCH], [BRANCH], [PULL, BRANCH, TAG, RELEASE]):
        assert state("pr-8", among=[APP], kinds=kinds) is not GONE
        assert state("app-pr-8", among=[APP], kinds=kinds, versions="/^app-(pr-.*)$/") is not GONE
    assert state("pr-7", among=[APP], kinds=[BRANCH, TAG, RELEASE]) is NOT_NAMED


def test_every_tag_of_the_image_must_be_gone() -> None:
    assert state("pr-7", "pr-9", among=[APP], kinds=[PULL]) is GONE
    assert state("pr-7", "pr-8", among=[APP], kinds=[PULL]) is EXISTS
    assert state("pr-7", "stable", among=[APP], kinds=[PULL]) is NOT_NAMED
    assert state("pr-7", "pr-999", among=[APP], kinds=[PULL]) is UNKNOWN
    assert state(among=[APP], kinds=[PULL]) is NOT_NAMED


# Branches


@pytest.mark.parametrize("tag", ["feature-12-login", "Feature_12.Login", "main"])
def test_a_living_branch_exists_as_its_slug(tag: str) -> None:
    assert state(tag, among=[APP], kinds=[BRANCH]) is EXISTS


def test_a_branch_that_is_not_listed_is_gone() -> None:
    assert state("fix-logout", among=[APP], kinds=[BRANCH]) is GONE
    assert state("mainline", among=[APP], kinds=[BRANCH]) is GONE


@pytest.mark.parametrize(
    ("tag", "cause"),
    [
        ("v1.2.3", SourceCause.NAMES_TAG_OR_RELEASE),
        ("1.2.3", SourceCause.NAMES_TAG_OR_RELEASE),
        ("1.2", SourceCause.BEGINS_AS_VERSION),
        ("7", SourceCause.BEGINS_AS_VERSION),
        ("v9", SourceCause.BEGINS_AS_VERSION),
        ("20260501", SourceCause.BEGINS_AS_VERSION),
        (HEX, SourceCause.BEGINS_AS_VERSION),
        ("deadbee", SourceCause.COMMIT),
        ("f" * 40, SourceCause.COMMIT),
        ("sha-" + HEX, SourceCause.COMMIT),
        ("main-" + HEX, SourceCause.BEGINS_WITH_BRANCH),
        ("main_2", SourceCause.BEGINS_WITH_BRANCH),
        ("feature-12-login.3", SourceCause.BEGINS_WITH_BRANCH),
        ("___", SourceCause.NO_NAME),
    ],
)
def test_what_may_be_something_else_is_unknown_as_a_branch(tag: str, cause: SourceCause) -> None:
    facts = judge(APP, kinds=[BRANCH]).gone([tag])
    assert (state_of(facts), facts[0].cause) == (UNKNOWN, cause)


def test_the_name_of_a_release_or_git_tag_is_unknown_as_a_branch() -> None:
    app = repository("main", tags=["nightly"], releases=["edge"])
    for tag in ("nightly", "edge"):
        assert state(tag, among=[app], kinds=[BRANCH]) is UNKNOWN


def test_a_slug_that_was_cut_is_its_branch() -> None:
    branch = "feature/a-very-long-name-of-a-branch-that-goes-on-and-on"
    app = repository(branch, "feature/a", "zebra")
    assert state(branch.replace("/", "-")[:40], among=[app], kinds=[BRANCH]) is EXISTS
    assert state(branch.replace("/", "-")[:39], among=[repository(branch)], kinds=[BRANCH]) is GONE
    assert state("x" * 40 + "y", among=[app], kinds=[BRANCH]) is GONE


def test_a_group_and_the_whole_tag_are_both_looked_for() -> None:
    app = repository("feature/login", "main")
    alternation = "/^(feature|fix)-.+/"
    assert state("feature-login", among=[app], kinds=[BRANCH], versions=alternation) is EXISTS
    assert state("feature-login-2", among=[app], kinds=[BRANCH], versions=alternation) is UNKNOWN
    assert state("fix-logout", among=[app], kinds=[BRANCH], versions=alternation) is GONE
    assert state("branch-main", among=[app], kinds=[BRANCH], versions="/^branch-(.+)$/") is EXISTS
    assert state("branch-main-2", among=[app], kinds=[BRANCH], versions="/^branch-(.+)$/") is UNKNOWN
    assert state("branch-old", among=[app], kinds=[BRANCH], versions="/^branch-(.+)$/") is GONE


def test_a_closed_pull_request_beside_a_branch_of_the_same_text() -> None:
    app = repository("x-7", newest=9)
    assert state("x-7", among=[app], kinds=[PULL, BRANCH], versions=r"/^x-(\d+)$/") is EXISTS


# Git tags and releases


def test_a_version_whose_git_tag_is_not_there_is_gone() -> None:
    assert state("1.2.4", among=[APP], kinds=[TAG]) is GONE
    assert state("v1.2.3", among=[APP], kinds=[TAG]) is EXISTS
    assert state("1.2.3", among=[APP], kinds=[RELEASE]) is GONE
    assert state("1.2.3", among=[repository(releases=["v1.2.3"])], kinds=[RELEASE]) is EXISTS
    assert state("1.2.3", among=[APP], kinds=[RELEASE, TAG]) is EXISTS


@pytest.mark.parametrize("tag", ["latest", "1.2", "7", "nightly", "sha-" + HEX])
def test_only_what_reads_as_a_version_is_judged_as_a_git_tag(tag: str) -> None:
    assert state(tag, among=[APP], kinds=[TAG, RELEASE]) is UNKNOWN


def test_a_version_younger_than_a_day_is_not_judged_unless_an_age_is_given() -> None:
    young = timedelta(hours=23, minutes=59)
    assert state("9.9.9", among=[APP], kinds=[TAG], age=young) is UNKNOWN
    assert state("9.9.9", among=[APP], kinds=[TAG], age=None) is UNKNOWN
    assert state("9.9.9", among=[APP], kinds=[TAG], age=young, older_than_given=True) is GONE
    assert state("9.9.9", among=[APP], kinds=[TAG], age=timedelta(hours=24)) is GONE
    assert state("pr-7", among=[APP], kinds=[PULL], age=young) is GONE


@pytest.mark.parametrize("git_tag", ["lib-v1.2.3", "@acme/lib@1.2.3", "app/v1.2.3", "lib_1.2.3", "lib.v1.2.3", "V1.2.3"])  # fmt: skip
def test_a_git_tag_that_ends_with_the_version_exists(git_tag: str) -> None:
    app = repository(tags=[git_tag])
    assert state("1.2.3", among=[app], kinds=[TAG], package_type=PackageType.NPM) is EXISTS
    assert state("2.3.0", among=[app], kinds=[TAG], package_type=PackageType.NPM) is GONE
    assert state("v1.2.3", among=[app], kinds=[TAG]) is EXISTS


def test_a_longer_version_does_not_end_with_a_shorter_one() -> None:
    app = repository(tags=["v2.1.0"])
    assert state("1.0", among=[app], kinds=[TAG], package_type=PackageType.MAVEN) is GONE


def test_a_version_that_is_no_branch_may_go_with_its_git_tag() -> None:
    assert state("v9.9.9", among=[APP], kinds=[BRANCH, TAG, RELEASE]) is GONE
    assert state("2.x", among=[APP], kinds=[BRANCH, TAG]) is EXISTS
    assert state("2.0.0", among=[repository("2.0.0")], kinds=[BRANCH, TAG]) is EXISTS


# Where


def test_what_exists_in_either_repository_exists() -> None:
    linked = repository("topic", opened=[7], newest=9, tags=["v3.0.0"], name="octo/linked")
    for tag in ("pr-7", "topic", "3.0.0"):
        assert state(tag, among=[APP, linked], kinds=list(GitKind)) is EXISTS
        assert state(tag, among=[linked, APP], kinds=list(GitKind)) is EXISTS
    assert state("pr-6", among=[APP, linked], kinds=[PULL]) is GONE
    assert kept("pr-7", among=[APP, linked], kinds=[PULL]) == SourceFact(
        SourceCause.LISTED, PULL, "pr-7", "7"
    )


def test_a_number_is_unknown_only_above_the_newest_of_both() -> None:
    small = repository(newest=2, name="octo/small")
    assert state("pr-100", among=[APP, small], kinds=[PULL]) is GONE
    assert state("pr-131", among=[APP, small], kinds=[PULL]) is UNKNOWN


def test_without_a_repository_nothing_is_known() -> None:
    facts = judge(kinds=[PULL]).gone(["pr-7"])
    assert (state_of(facts), facts[0].cause) == (UNKNOWN, SourceCause.NO_REPOSITORY)
    assert cause_of(kept("stable", among=[], kinds=[PULL])) is SourceCause.NO_REPOSITORY


FORBIDDEN = Unlisted(UnlistedCause.FORBIDDEN, "HTTP 403")


@pytest.mark.parametrize("kind", GitKind)
def test_what_cannot_be_listed_lets_nothing_be_gone(kind: GitKind) -> None:
    whole = repository("main", newest=9)
    hidden = replace(whole, lists={**whole.lists, kind: FORBIDDEN})
    for among in ([hidden], [APP, hidden], [hidden, APP]):
        facts = judge(*among, kinds=GitKind).gone(["pr-7"])
        unlisted = SourceFact(SourceCause.UNLISTED, kind)
        assert (state_of(facts), facts[0]) == (UNKNOWN, unlisted)
        assert kept("stable", among=among, kinds=GitKind) == unlisted


def test_a_branch_is_not_gone_before_git_tags_and_releases_are_listed() -> None:
    alone = RepositoryNames("octo/app", {BRANCH: frozenset({"main"})})
    assert state("topic", among=[alone], kinds=[BRANCH]) is UNKNOWN
    assert name_of(kept("main", among=[alone], kinds=[BRANCH])) == "main"
    assert kept("topic", among=[alone], kinds=[BRANCH]) is None


def test_only_what_a_rule_needs_is_listed() -> None:
    assert needed_kinds(frozenset({PULL})) == {PULL}
    assert needed_kinds(frozenset({BRANCH})) == {BRANCH, TAG, RELEASE}
    deleting = Rule("gone", Filter(source_gone=frozenset({PULL})))
    keeping = Rule("exists", Filter(source_exists=frozenset({BRANCH})))
    rules = PackageRules(PackageType.CONTAINER, Patterns.parse("app"), delete=(deleting,), keep=(keeping,))
    assert git_kinds(rules) == {PULL, BRANCH}


# Keep rules


def test_one_tag_whose_thing_exists_is_enough_to_keep() -> None:
    assert name_of(kept("stable", "pr-8", among=[APP], kinds=[PULL])) == "8"
    assert kept("pr-7", among=[APP], kinds=[PULL]) is None
    assert name_of(kept("feature-12-login", among=[APP], kinds=[BRANCH])) == "feature/#12-login"
    assert name_of(kept("v1.2.3", among=[APP], kinds=[TAG, RELEASE])) == "v1.2.3"
    assert kept("9.9.9", among=[APP], kinds=[TAG]) is None


def test_what_is_unknown_for_its_form_does_not_exist() -> None:
    for tag in ("main-" + HEX, HEX, "sha-" + HEX, "1.2", "nightly", "v9"):
        assert kept(tag, among=[APP], kinds=GitKind) is None


def test_a_number_above_the_newest_pull_request_counts_as_existing() -> None:
    assert cause_of(kept("pr-131", among=[APP], kinds=[PULL])) is SourceCause.ABOVE_NEWEST


# The text


def test_groups_come_from_every_pattern_that_matches_with_one() -> None:
    patterns = Patterns.parse(["pr-*", r"/^pr-(\d+)$/", "/^(?:x|(pr))-/", "/^(q)?pr/", "!/^(pr)-9$/"])
    judging = replace(judge(APP, kinds=[PULL]), versions=patterns)
    assert [fact.text for fact in judging._facts("pr-9")] == ["pr-9", "9", "pr"]
    assert [fact.text for fact in judging._facts("z")] == ["z"]
    assert [fact.text for fact in replace(judging, versions=None)._facts("pr-9")] == ["pr-9"]


def test_a_group_that_is_the_whole_tag_is_one_thing() -> None:
    assert len(judge(APP, kinds=[PULL], versions=r"/^(pr-\d+)$/").gone(["pr-7"])) == 1
    assert len(judge(APP, kinds=[BRANCH], versions="/^(fix-.+)$/").gone(["fix-logout"])) == 1
