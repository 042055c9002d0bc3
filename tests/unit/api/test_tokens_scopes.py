from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from package_retention.api.tokens import Needs, TokenKind, doubtful, granted, granular, lacking, needed
from package_retention.errors import RefusalKind
from package_retention.model import PackageType, StepKind
from package_retention.output.sentences import finding_words

READ, WRITE, DELETE, REPO = "read:packages", "write:packages", "delete:packages", "repo"
CONTAINER, NPM, MAVEN, DOCKER = PackageType.CONTAINER, PackageType.NPM, PackageType.MAVEN, PackageType.DOCKER
ALL_SCOPES = [READ, WRITE, DELETE, REPO, "admin:org", "public_repo", "gist"]

kinds_of_steps = st.sets(st.sampled_from(StepKind))
types = st.sampled_from(PackageType)


@pytest.mark.parametrize(
    ("kinds", "scopes_needed"),
    [
        ([], {READ}),
        ([StepKind.DELETE_VERSION], {READ, DELETE}),
        ([StepKind.DELETE_PACKAGE], {READ, DELETE}),
        ([StepKind.RESTORE_VERSION], {READ, WRITE}),
        ([StepKind.RESTORE_PACKAGE], {READ, WRITE}),
        ([StepKind.UNTAG], {READ, WRITE, DELETE}),
        ([StepKind.DELETE_VERSION, StepKind.RESTORE_VERSION], {READ, WRITE, DELETE}),
    ],
)
def test_what_each_operation_needs(kinds: list[StepKind], scopes_needed: set[str]) -> None:
    assert needed(kinds, CONTAINER, on_github_com=True) == Needs(frozenset(scopes_needed))


@pytest.mark.parametrize(
    ("package_type", "on_github_com", "sure", "likely"),
    [
        ("container", True, False, False),
        ("container", False, False, False),
        ("npm", True, False, True),
        ("nuget", True, False, True),
        ("rubygems", True, False, True),
        ("maven", True, True, False),
        ("docker", True, True, False),
        ("npm", False, True, False),
        ("nuget", False, True, False),
        ("rubygems", False, True, False),
        ("maven", False, True, False),
        ("docker", False, True, False),
    ],
)
def test_where_repo_is_needed(package_type: str, on_github_com: bool, sure: bool, likely: bool) -> None:
    needs = needed([StepKind.DELETE_VERSION], PackageType(package_type), on_github_com=on_github_com)
    assert (REPO in needs.sure, REPO in needs.likely) == (sure, likely)
    assert granular(PackageType(package_type), on_github_com=on_github_com) is not sure


@given(kinds_of_steps, kinds_of_steps, types, st.booleans())
def test_more_changes_never_need_less(
    some: set[StepKind], more: set[StepKind], package_type: PackageType, on_github_com: bool
) -> None:
    few = needed(some, package_type, on_github_com=on_github_com)
    many = needed(some | more, package_type, on_github_com=on_github_com)
    assert few.sure <= many.sure
    assert few.likely == many.likely
    assert READ in few.sure
    assert not few.sure & few.likely


@pytest.mark.parametrize(
    ("header", "read"),
    [
        ("read:packages, delete:packages", {READ, DELETE}),
        ("read:packages,delete:packages", {READ, DELETE}),
        ("  READ:packages ,, ", {READ}),
        ("write:packages", {READ, WRITE}),
        ("delete:packages", {DELETE}),
        ("repo", {REPO}),
        ("admin:org", {"admin:org"}),
        ("", set()),
    ],
)
def test_reading_the_header(header: str, read: set[str]) -> None:
    assert granted(header) == frozenset(read)


def test_no_header_and_kinds_without_scopes_tell_nothing() -> None:
    assert granted(None) is None
    assert granted("", TokenKind.APP_USER) is None
    assert granted("repo", TokenKind.INSTALLATION) is None


@pytest.mark.parametrize("kind", [TokenKind.LEGACY, TokenKind.UNKNOWN])
def test_an_empty_header_settles_nothing_where_the_prefix_does_not(kind: TokenKind) -> None:
    assert granted(" , ", kind) is None
    assert granted("repo", kind) == frozenset({REPO})


@given(st.lists(st.sampled_from(ALL_SCOPES)), st.sampled_from([",", ", ", " ,  "]))
def test_what_is_granted_holds_what_is_named_and_little_more(named: list[str], comma: str) -> None:
    have = granted(comma.join(named))
    assert have is not None
    assert set(named) <= have <= set(named) | {READ}
    assert granted(",".join(have)) == have


@given(st.one_of(st.none(), st.text()), st.sampled_from(TokenKind))
def test_any_header_is_read(header: str | None, kind: TokenKind) -> None:
    have = granted(header, kind)
    assert have is None or "" not in have


def test_a_missing_scope_is_named_with_the_next_step() -> None:
    needs = needed([StepKind.DELETE_VERSION], MAVEN, on_github_com=True)
    refusal = lacking(needs, frozenset({READ}), MAVEN)
    assert refusal is not None
    assert (refusal.kind, refusal.status) == (RefusalKind.SCOPE, 0)
    assert "lacks the scopes `delete:packages`, `repo`" in refusal.message
    assert "it has `read:packages`" in refusal.message
    assert "Tokens (classic)" in refusal.hint
    assert "`repo` because" in refusal.hint


def test_one_missing_scope_of_a_container_says_nothing_of_repo() -> None:
    refusal = lacking(needed([StepKind.UNTAG], CONTAINER, on_github_com=False), frozenset(), CONTAINER)
    assert refusal is not None
    assert "(it has none)" in refusal.message
    assert "repo" not in refusal.message + refusal.hint


def test_a_likely_scope_is_a_warning_alone() -> None:
    needs, have = needed([StepKind.DELETE_VERSION], NPM, on_github_com=True), frozenset({READ, DELETE})
    assert lacking(needs, have, NPM) is None
    (warning,) = doubtful(needs, have, NPM)
    assert "`repo`" in finding_words(warning)
    assert "a package of type npm that inherits" in finding_words(warning)
    assert "likely cause" in finding_words(warning)


def test_delete_alone_does_not_read() -> None:
    refusal = lacking(
        needed([StepKind.DELETE_VERSION], CONTAINER, on_github_com=True), granted(DELETE), CONTAINER
    )
    assert refusal is not None
    assert "the scope `read:packages`" in refusal.message


@given(kinds_of_steps, types, st.booleans(), st.one_of(st.none(), st.sets(st.sampled_from(ALL_SCOPES))))
def test_refused_exactly_where_a_sure_scope_is_surely_not_there(
    kinds: set[StepKind], package_type: PackageType, on_github_com: bool, have: set[str] | None
) -> None:
    needs = needed(kinds, package_type, on_github_com=on_github_com)
    refusal = lacking(needs, None if have is None else frozenset(have), package_type)
    lacks = set() if have is None else needs.sure - have
    assert (refusal is not None) == bool(lacks)
    if refusal:
        assert all(f"`{scope}`" in refusal.message for scope in lacks)
    every = needs.sure | needs.likely
    assert lacking(needs, every, package_type) is None
    assert doubtful(needs, every, package_type) == ()
    assert doubtful(needs, None, package_type) == ()
