"""Laws of `source-gone` and `source-exists`: whatever exists more protects more, and unknown is never gone."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from drawing import builds
from package_retention.decide.ecosystems import VersionParser
from package_retention.decide.git_names import (
    GitKind,
    GitNames,
    PullRequests,
    RepositoryNames,
    Unlisted,
    UnlistedCause,
)
from package_retention.decide.patterns import Patterns
from package_retention.decide.source_gone import NamedText, SourceJudge, SourceState, named_texts
from package_retention.model import PackageType

TAGS = (
    *(
        "pr-1",
        "pr-2",
        "pr-3",
        "pr-4",
        "pr-9",
        "PR2",
        "7",
        "2",
        "1.2",
        "v1.2.3",
        "1.2.3",
        "2.0.0",
        "latest",
        "stable",
    ),
    *(
        "main",
        "main-2",
        "feature-12-login",
        "feature-login",
        "feature-login-2",
        "fix-2",
        "app-pr-2",
        "sha-3f2a9c1",
    ),
    *("deadbee", "a" * 45, "nightly", "2.x", "__"),
)
BRANCHES = (
    "main",
    "feature/#12-login",
    "feature/login",
    "fix/2",
    "2.x",
    "2.0.0",
    "a" * 60,
    "pr-2",
    "stable",
    "app",
)
GIT_TAGS = ("v1.2.3", "lib-v2.0.0", "nightly", "stable", "2.0.0", "deadbee", "@acme/lib@1.2.3")
KINDS = st.sets(st.sampled_from(GitKind), min_size=1).map(frozenset)
PATTERNS = st.sampled_from(
    (None, "*", r"/^pr-(\d+)$/", "/^(feature|fix)-.+/", r"/-(\d+)$/", "/^app-(.+)$/", "/^(.+)-2$/")
).map(lambda text: Patterns.parse([text]) if text else None)
AGES = st.sampled_from((None, timedelta(hours=1), timedelta(days=3)))
UNLISTED = st.sampled_from(UnlistedCause).map(Unlisted)


def _names(of: tuple[str, ...]) -> st.SearchStrategy[frozenset[str]]:
    return st.sets(st.sampled_from(of), max_size=4).map(frozenset)


@st.composite
def pull_requests(draw: st.DrawFn) -> PullRequests:
    newest = draw(st.integers(0, 5))
    return PullRequests(
        draw(st.sets(st.integers(1, newest)).map(frozenset)) if newest else frozenset(), newest
    )


REPOSITORIES = builds(
    RepositoryNames,
    st.sampled_from(("octo/app", "octo/linked")),
    pull_requests(),
    _names(BRANCHES),
    _names(GIT_TAGS),
    _names(GIT_TAGS),
)
WORLDS = st.lists(REPOSITORIES, min_size=1, max_size=2).map(tuple)
VERSIONS = st.lists(st.sampled_from(TAGS), min_size=1, max_size=3, unique=True)


def _judge(repositories: tuple[RepositoryNames, ...], kinds: frozenset[GitKind]) -> SourceJudge:
    parse = VersionParser(PackageType.CONTAINER).of
    return SourceJudge(GitNames(repositories), kinds, lambda text: parse(text) is not None)


def _gone(
    repositories: tuple[RepositoryNames, ...],
    kinds: frozenset[GitKind],
    texts: tuple[NamedText, ...],
    age: timedelta | None = timedelta(days=3),
) -> bool:
    return _judge(repositories, kinds).gone(texts, age).state is SourceState.GONE


@st.composite
def richer(draw: st.DrawFn, repository: RepositoryNames) -> RepositoryNames:
    """Draw the same repository with one thing more: a branch, a git tag, a release or an open pull request.

    A pull request that opens is an old one, or takes the next number: one further on shows that the numbers before it
    were given meanwhile, so they are unknown no longer.
    """
    pulls = repository.pull_requests
    branches, tags, releases = repository.branches, repository.tags, repository.releases
    assert isinstance(pulls, PullRequests)
    assert isinstance(branches, frozenset)
    assert isinstance(tags, frozenset)
    assert isinstance(releases, frozenset)
    number = draw(st.integers(1, pulls.newest + 1))
    return draw(
        st.sampled_from(
            (
                replace(repository, branches=branches | {draw(st.sampled_from(BRANCHES))}),
                replace(repository, tags=tags | {draw(st.sampled_from(GIT_TAGS))}),
                replace(repository, releases=releases | {draw(st.sampled_from(GIT_TAGS))}),
                replace(
                    repository, pull_requests=PullRequests(pulls.open | {number}, max(pulls.newest, number))
                ),
            )
        )
    )


@given(st.data(), WORLDS, KINDS, VERSIONS, PATTERNS, AGES)
def test_one_thing_more_that_exists_never_makes_anything_gone(
    data: st.DataObject,
    world: tuple[RepositoryNames, ...],
    kinds: frozenset[GitKind],
    tags: list[str],
    patterns: Patterns | None,
    age: timedelta | None,
) -> None:
    texts = named_texts(tags, patterns)
    more = (*world[:-1], data.draw(richer(world[-1])))
    assert _gone(world, kinds, texts, age) or not _gone(more, kinds, texts, age)
    if _judge(world, kinds).exists(texts):
        assert _judge(more, kinds).exists(texts)


@given(WORLDS, PATTERNS, st.integers(1, 6))
def test_what_is_gone_shrinks_when_a_pull_request_opens(
    world: tuple[RepositoryNames, ...], patterns: Patterns | None, number: int
) -> None:
    first, pulls = world[0], world[0].pull_requests
    assert isinstance(pulls, PullRequests)
    number = min(number, pulls.newest + 1)
    opened = PullRequests(pulls.open | {number}, max(pulls.newest, number))
    kinds = frozenset({GitKind.PULL_REQUEST})
    later = (replace(first, pull_requests=opened), *world[1:])
    before = {text for text in TAGS if _gone(world, kinds, named_texts([text], patterns))}
    after = {text for text in TAGS if _gone(later, kinds, named_texts([text], patterns))}
    assert after <= before
    assert f"pr-{number}" not in after


@given(WORLDS, KINDS, VERSIONS, PATTERNS, st.sampled_from(GitKind), UNLISTED)
def test_what_cannot_be_listed_lets_nothing_be_gone_and_keeps(
    world: tuple[RepositoryNames, ...],
    kinds: frozenset[GitKind],
    tags: list[str],
    patterns: Patterns | None,
    hidden: GitKind,
    unlisted: Unlisted,
) -> None:
    field = {"pull-request": "pull_requests", "branch": "branches", "tag": "tags", "release": "releases"}[
        hidden
    ]
    blind = (*world[:-1], replace(world[-1], **{field: unlisted}))
    texts = named_texts(tags, patterns)
    assert _gone(world, kinds, texts) or not _gone(blind, kinds, texts)
    if hidden in kinds:
        assert not _gone(blind, kinds, texts)
        assert _judge(blind, kinds).exists(texts)


@given(WORLDS, KINDS, VERSIONS, PATTERNS)
def test_a_version_whose_thing_exists_is_never_gone(
    world: tuple[RepositoryNames, ...], kinds: frozenset[GitKind], tags: list[str], patterns: Patterns | None
) -> None:
    texts = named_texts(tags, patterns)
    if _judge(world, kinds).exists(texts):
        assert not _gone(world, kinds, texts)


@given(WORLDS, KINDS, VERSIONS, st.sampled_from(TAGS), PATTERNS)
def test_one_tag_more_never_makes_a_version_gone(
    world: tuple[RepositoryNames, ...],
    kinds: frozenset[GitKind],
    tags: list[str],
    another: str,
    patterns: Patterns | None,
) -> None:
    if not _gone(world, kinds, named_texts(tags, patterns)):
        assert not _gone(world, kinds, named_texts([*tags, another], patterns))


@given(WORLDS, KINDS, VERSIONS, PATTERNS, AGES)
def test_the_order_of_tags_and_repositories_is_irrelevant(
    world: tuple[RepositoryNames, ...],
    kinds: frozenset[GitKind],
    tags: list[str],
    patterns: Patterns | None,
    age: timedelta | None,
) -> None:
    one = _judge(world, kinds).gone(named_texts(tags, patterns), age).state
    assert one is _judge(world[::-1], kinds).gone(named_texts(tags[::-1], patterns), age).state
