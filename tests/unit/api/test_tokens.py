from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from package_retention.api.tokens import TokenKind, kind_of
from package_retention.inputs import values
from package_retention.output.sentences import finding_words
from package_retention.problems import InvalidValueError, ProblemCode as Code
from package_retention.reason import Finding

PREFIXES = {
    "ghp_": TokenKind.CLASSIC,
    "gho_": TokenKind.OAUTH,
    "ghs_": TokenKind.INSTALLATION,
    "ghu_": TokenKind.APP_USER,
    "github_pat_": TokenKind.FINE_GRAINED,
    "ghr_": TokenKind.REFRESH,
}


@given(st.sampled_from(sorted(PREFIXES)), st.text(max_size=600))
def test_a_prefix_alone_tells_the_kind_whatever_follows(prefix: str, rest: str) -> None:
    assert kind_of(prefix + rest) is PREFIXES[prefix]


def test_the_stateless_form_of_an_installation_token_is_one() -> None:
    assert kind_of("ghs_123456_eyJhbGciOiJSUzI1NiJ9.eyJp-c3MiOiIx_In0." + "a" * 450) is TokenKind.INSTALLATION


@pytest.mark.parametrize(
    ("token", "kind"),
    [
        ("0123456789abcdef0123456789ABCDEF01234567", TokenKind.LEGACY),
        ("0123456789abcdef0123456789abcdef0123456", TokenKind.UNKNOWN),
        ("v1.0123456789abcdef", TokenKind.UNKNOWN),
        ("GHP_abc", TokenKind.UNKNOWN),
        ("xghp_abc", TokenKind.UNKNOWN),
        ("", TokenKind.UNKNOWN),
    ],
)
def test_tokens_without_a_known_prefix(token: str, kind: TokenKind) -> None:
    assert kind_of(token) is kind


def test_which_kinds_name_scopes() -> None:
    without = {kind for kind in TokenKind if not kind.has_scopes}
    assert without == {
        TokenKind.INSTALLATION,
        TokenKind.APP_USER,
        TokenKind.FINE_GRAINED,
        TokenKind.REFRESH,
    }


def test_tokens_with_no_or_partial_support_are_warned_about() -> None:
    assert {kind for kind in TokenKind if kind.warning} == {TokenKind.FINE_GRAINED, TokenKind.APP_USER}
    assert "GITHUB_TOKEN" in warning_of(TokenKind.FINE_GRAINED)
    assert "neither deleting a version nor restoring" in warning_of(TokenKind.APP_USER)


def warning_of(kind: TokenKind) -> str:
    assert kind.warning
    return finding_words(Finding(kind.warning))


@pytest.mark.parametrize("around", ["", " ", "\n", "\r\n", "\t  \n"])
def test_a_token_is_trimmed(around: str) -> None:
    assert values.token(f"{around}ghp_abc{around}", values.Context()) == "ghp_abc"


@pytest.mark.parametrize(
    ("token", "why"),
    [
        ("", Code.TOKEN_EMPTY),
        (" \r\n", Code.TOKEN_EMPTY),
        ("ghp_abc ghp_def", Code.TOKEN_BLANKS),
        ("ghp_abc\nghp_def", Code.TOKEN_BLANKS),
        ("ghp_abc\x00def", Code.TOKEN_CHARACTERS),
        ("ghp_äbc", Code.TOKEN_CHARACTERS),
        ("ghr_abcdef", Code.TOKEN_REFRESHES),
    ],
)
def test_what_cannot_be_a_token_is_refused_and_never_shown(token: str, why: Code) -> None:
    with pytest.raises(InvalidValueError) as caught:
        values.token(token, values.Context())
    (problem,) = caught.value.problems
    assert problem.code is why
    assert "abc" not in repr(problem)


@given(st.text(max_size=60))
def test_a_clean_token_fits_a_header_and_stays_clean(text: str) -> None:
    try:
        token = values.token(text, values.Context())
    except InvalidValueError:
        return
    assert token
    assert all("!" <= character <= "~" for character in token)
    assert values.token(token, values.Context()) == token
