"""Laws of `source-gone` and `source-exists`: whatever exists more protects more, and unknown is never gone."""

from __future__ import annotations

from hypothesis import given, strategies as st
from msgspec.structs import replace

from package_retention.decide.ecosystems import VersionParser
from package_retention.decide.patterns import Patterns
from package_retention.decide.source_gone import GitNames, SourceJudge, SourceState, state_of
from package_retention.model import GitKind, PackageType, RepositoryNames, Unlisted, UnlistedCause

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
UNLISTED = st.sampled_from(UnlistedCause).map(Unlisted)


def _names(of: tuple[str, ...]) -> st.SearchStrategy[frozenset[str]]:
    return st.sets(st.sampled_from(of), max_size=4).map(frozenset)


@st.composite
def repositories(draw: st.DrawFn) -> RepositoryNames:
    newest = draw(st.integers(0, 5))
    opened = draw(st.sets(st.integers(1, newest)).map(frozenset)) if newest else frozenset[int]()
    lists = {
        GitKind.PULL_REQUEST: frozenset(map(str, opened)),
        GitKind.BRANCH: draw(_names(BRANCHES)),
        GitKind.TAG: draw(_names(GIT_TAGS)),
        GitKind.RELEASE: draw(_names(GIT_TAGS)),
    }
    return RepositoryNames(draw(st.sampled_from(("octo/app", "octo/linked"))), lists, newest)


WORLDS = st.lists(repositories(), min_size=1, max_size=2).map(tuple)
VERSIONS = st.lists(st.sampled_from(TAGS), min_size=1, max_size=3, unique=True)


def _judge(
    repositories: tuple[RepositoryNames, ...],
    kinds: frozenset[GitKind],
    patterns: Patterns | None,
    *,
    mature: bool = True,
) -> SourceJudge:
    parser = VersionParser(PackageType.CONTAINER)
    return SourceJudge(GitNames(repositories), kinds, patterns, parser, mature)


def _gone(
    repositories: tuple[RepositoryNames, ...],
    kinds: frozenset[GitKind],
    tags: list[str],
    patterns: Patterns | None,
    *,
    mature: bool = True,
) -> bool:
    judge = _judge(repositories, kinds, patterns, mature=mature)
    return state_of(judge.gone(tags)) is SourceState.GONE


def _with(repository: RepositoryNames, kind: GitKind, *more: str) -> RepositoryNames:
    """The same repository with more names of a kind."""
    listed = repository.listed(kind)
    assert isinstance(listed, frozenset)
    return replace(repository, lists={**repository.lists, kind: listed | {*more}})


def _opened(repository: RepositoryNames, number: int) -> RepositoryNames:
    more = _with(repository, GitKind.PULL_REQUEST, str(number))
    return replace(more, newest_pull_request=max(repository.newest_pull_request, number))


@st.composite
def richer(draw: st.DrawFn, repository: RepositoryNames) -> RepositoryNames:
    """Draw the same repository with one thing more: a branch, a git tag, a release or an open pull request.

    A pull request that opens is an old one, or takes the next number: one further on shows that the numbers before it
    were given meanwhile, so they are unknown no longer.
    """
    number = draw(st.integers(1, repository.newest_pull_request + 1))
    return draw(
        st.sampled_from(
            (
                _with(repository, GitKind.BRANCH, draw(st.sampled_from(BRANCHES))),
                _with(repository, GitKind.TAG, draw(st.sampled_from(GIT_TAGS))),
                _with(repository, GitKind.RELEASE, draw(st.sampled_from(GIT_TAGS))),
                _opened(repository, number),
            )
        )
    )


@given(st.data(), WORLDS, KINDS, VERSIONS, PATTERNS, st.booleans())
def test_one_thing_more_that_exists_never_makes_anything_gone(
    data: st.DataObject,
    world: tuple[RepositoryNames, ...],
    kinds: frozenset[GitKind],
    tags: list[str],
    patterns: Patterns | None,
    mature: bool,
) -> None:
    more = (*world[:-1], data.draw(richer(world[-1])))
    assert _gone(world, kinds, tags, patterns, mature=mature) or not _gone(
        more, kinds, tags, patterns, mature=mature
    )
    if _judge(world, kinds, patterns).exists(tags):
        assert _judge(more, kinds, patterns).exists(tags)


@given(WORLDS, PATTERNS, st.integers(1, 6))
def test_what_is_gone_shrinks_when_a_pull_request_opens(
    world: tuple[RepositoryNames, ...], patterns: Patterns | None, number: int
) -> None:
    number = min(number, world[0].newest_pull_request + 1)
    kinds = frozenset({GitKind.PULL_REQUEST})
    later = (_opened(world[0], number), *world[1:])
    before = {text for text in TAGS if _gone(world, kinds, [text], patterns)}
    after = {text for text in TAGS if _gone(later, kinds, [text], patterns)}
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
    blind = (*world[:-1], replace(world[-1], lists={**world[-1].lists, hidden: unlisted}))
    assert _gone(world, kinds, tags, patterns) or not _gone(blind, kinds, tags, patterns)
    if hidden in kinds:
        assert not _gone(blind, kinds, tags, patterns)
        assert _judge(blind, kinds, patterns).exists(tags)


@given(WORLDS, KINDS, VERSIONS, PATTERNS)
def test_a_version_whose_thing_exists_is_never_gone(
    world: tuple[RepositoryNames, ...], kinds: frozenset[GitKind], tags: list[str], patterns: Patterns | None
) -> None:
    if _judge(world, kinds, patterns).exists(tags):
        assert not _gone(world, kinds, tags, patterns)


@given(WORLDS, KINDS, VERSIONS, st.sampled_from(TAGS), PATTERNS)
def test_one_tag_more_never_makes_a_version_gone(
    world: tuple[RepositoryNames, ...],
    kinds: frozenset[GitKind],
    tags: list[str],
    another: str,
    patterns: Patterns | None,
) -> None:
    if not _gone(world, kinds, tags, patterns):
        assert not _gone(world, kinds, [*tags, another], patterns)


@given(WORLDS, KINDS, VERSIONS, PATTERNS, st.booleans())
def test_the_order_of_tags_and_repositories_is_irrelevant(
    world: tuple[RepositoryNames, ...],
    kinds: frozenset[GitKind],
    tags: list[str],
    patterns: Patterns | None,
    mature: bool,
) -> None:
    one = state_of(_judge(world, kinds, patterns, mature=mature).gone(tags))
    assert one is state_of(_judge(world[::-1], kinds, patterns, mature=mature).gone(tags[::-1]))
