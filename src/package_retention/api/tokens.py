"""What a token's prefix tells, and what follows from it (facts B3, A8)."""

from __future__ import annotations

import re
from enum import StrEnum

from package_retention.errors import InputError

_NEXT = "give one token, e.g. `token: ${{ github.token }}` or `token: ${{ secrets.PACKAGES_TOKEN }}`"


class TokenKind(StrEnum):
    """The kinds of token that GitHub hands out; the value is how messages call it."""

    CLASSIC = "personal access token (classic)"
    OAUTH = "OAuth token"
    LEGACY = "token of the old 40-digit form"
    INSTALLATION = "GITHUB_TOKEN or App installation token"
    APP_USER = "App user token"
    FINE_GRAINED = "fine-grained personal access token"
    REFRESH = "refresh token"
    UNKNOWN = "token of an unknown kind"

    @property
    def has_scopes(self) -> bool:
        """Whether GitHub names the scopes of such a token in `X-OAuth-Scopes` (facts B2)."""
        return self in (TokenKind.CLASSIC, TokenKind.OAUTH, TokenKind.LEGACY, TokenKind.UNKNOWN)

    @property
    def may_get_user(self) -> bool:
        """Whether `GET /user` makes sense: an installation is no user and is answered 403 (facts A8)."""
        return self is not TokenKind.INSTALLATION

    @property
    def warning(self) -> str:
        """What to warn about before such a token is tried; empty where GitHub documents its use (facts A8)."""
        return _WARNINGS.get(self, "")


_WARNINGS = {
    TokenKind.FINE_GRAINED: (
        "the token is a fine-grained personal access token, which GitHub Packages does not support; it is tried all the"
        " same. Where it is refused, use GITHUB_TOKEN with `permissions: packages: write`, or a personal access token"
        " (classic) with the scopes `read:packages` and `delete:packages`"
    ),
    TokenKind.APP_USER: (
        "the token is a GitHub App's user token, for which GitHub documents reading and deleting whole packages, but"
        " neither deleting a version nor restoring; it is tried all the same. Where it is refused, use the App's"
        " installation token, or a personal access token (classic)"
    ),
}

# The longest prefix that fits names the kind; never a length or an alphabet: GitHub changes both (facts B3).
_PREFIXES = {
    "github_pat_": TokenKind.FINE_GRAINED,
    "ghp_": TokenKind.CLASSIC,
    "gho_": TokenKind.OAUTH,
    "ghs_": TokenKind.INSTALLATION,
    "ghu_": TokenKind.APP_USER,
    "ghr_": TokenKind.REFRESH,
}
_LEGACY = re.compile(r"[0-9a-fA-F]{40}")


def kind_of(token: str) -> TokenKind:
    """Tell a token's kind by its prefix; only the old form, which has none, is told by being 40 hex digits."""
    for prefix, kind in _PREFIXES.items():
        if token.startswith(prefix):
            return kind
    return TokenKind.LEGACY if _LEGACY.fullmatch(token) else TokenKind.UNKNOWN


def clean(token: str) -> str:
    """Trim a token as it was given, and refuse what cannot be one.

    Raises:
        InputError: it is empty, has blanks, line ends or control characters inside, characters that no header can
            carry, or is a refresh token. The token itself is never part of the message.
    """
    trimmed = token.strip()
    if problem := _problem(trimmed):
        raise InputError((f"token: {problem}; {_NEXT}",))
    return trimmed


def _problem(token: str) -> str:
    if not token:
        return "is empty (a secret that this event or fork cannot see evaluates to nothing)"
    if any(character.isspace() for character in token):
        return "has blanks or line ends inside: two tokens, or more than the token, were given"
    if not (token.isascii() and token.isprintable()):
        return "has characters that no HTTP header can carry: it was copied wrongly"
    if kind_of(token) is TokenKind.REFRESH:
        return "is a refresh token (ghr_), which only serves to get another token"
    return ""
