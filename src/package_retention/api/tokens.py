"""Tell the kinds of token apart by their prefix, and find the scopes that are needed and missing (facts B1, B3, A8)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct

from package_retention.errors import Refusal, RefusalKind
from package_retention.model import PackageType, StepKind
from package_retention.reason import Finding, FindingCode


class TokenKind(StrEnum):
    """The kinds of token that GitHub issues; the value is the name in messages."""

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
    def warning(self) -> FindingCode | None:
        """What is to be said before such a token is tried; `None` if GitHub documents its use (facts A8)."""
        return _WARNINGS.get(self)


_WARNINGS = {
    TokenKind.FINE_GRAINED: FindingCode.TOKEN_FINE_GRAINED,
    TokenKind.APP_USER: FindingCode.TOKEN_APP_USER,
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
    """Return a token's kind by its prefix; the old form has none, but 40 hex digits."""
    for prefix, kind in _PREFIXES.items():
        if token.startswith(prefix):
            return kind
    return TokenKind.LEGACY if _LEGACY.fullmatch(token) else TokenKind.UNKNOWN


READ, WRITE, DELETE, REPO = "read:packages", "write:packages", "delete:packages", "repo"

_BY_STEP = {
    StepKind.DELETE_VERSION: frozenset({READ, DELETE}),
    StepKind.DELETE_PACKAGE: frozenset({READ, DELETE}),
    StepKind.RESTORE_VERSION: frozenset({READ, WRITE}),
    StepKind.RESTORE_PACKAGE: frozenset({READ, WRITE}),
    StepKind.UNTAG: frozenset({READ, WRITE, DELETE}),
    StepKind.RETAG: frozenset({READ, WRITE}),
}
# What a scope contains. Neither `delete:packages` nor `repo` nor `admin:org` contains any scope of packages.
_CONTAINS = {WRITE: frozenset({READ})}
_GRANULAR_ON_GITHUB_COM = frozenset(
    {PackageType.CONTAINER, PackageType.NPM, PackageType.NUGET, PackageType.RUBYGEMS}
)


class Needs(Struct, frozen=True):
    """The scopes that are required, and those that may be (the package may inherit permissions from a repository)."""

    sure: frozenset[str]
    likely: frozenset[str] = frozenset()


def granular(package_type: PackageType, *, on_github_com: bool) -> bool:
    """Return whether packages of this type can have permissions of their own (facts B1, I)."""
    return package_type is PackageType.CONTAINER or (
        on_github_com and package_type in _GRANULAR_ON_GITHUB_COM
    )


def needed(kinds: Iterable[StepKind], package_type: PackageType, *, on_github_com: bool) -> Needs:
    """Return the scopes that these changes need (no kinds: reading), `repo` included (facts B1)."""
    sure = frozenset({READ}).union(*(_BY_STEP[kind] for kind in kinds))
    if package_type is PackageType.CONTAINER:
        return Needs(sure)
    if granular(package_type, on_github_com=on_github_com):
        return Needs(sure, frozenset({REPO}))
    return Needs(sure | {REPO})


def granted(header: str | None, kind: TokenKind = TokenKind.CLASSIC) -> frozenset[str] | None:
    """Read `X-OAuth-Scopes`; return `None` if it says nothing (absent, or a kind of token without scopes).

    An empty header of a classic token means no scope at all. App user tokens get an empty one too, so for a kind that the
    prefix does not decide it says nothing.
    """
    if header is None or not kind.has_scopes:
        return None
    named = frozenset(scope for name in header.split(",") if (scope := name.strip().lower()))
    if not named and kind in (TokenKind.LEGACY, TokenKind.UNKNOWN):
        return None
    return named.union(*(_CONTAINS.get(scope, frozenset()) for scope in named))


def lacking(needs: Needs, have: frozenset[str] | None, package_type: PackageType) -> Refusal | None:
    """Return the refusal of a token that lacks a required scope; `None` if it has all, or if its scopes are not known.

    The refusal's status is 0, since no request was refused yet.
    """
    if have is None or needs.sure <= have:
        return None
    lacks = needs.sure - have
    noun = "scope" if len(lacks) == 1 else "scopes"
    message = (
        f"the token lacks the {noun} {names(lacks)}, which GitHub demands for this on {package_type} packages"
        f" (it has {names(have) or 'none'})"
    )
    because = (
        "; `repo` because the permissions of such a package are those of its repository"
        if REPO in lacks
        else ""
    )
    hint = (
        f"use a personal access token (classic) with {names(needs.sure)}: add the {noun} at Settings >"
        f" Developer settings > Personal access tokens > Tokens (classic){because}"
    )
    return Refusal(RefusalKind.SCOPE, 0, message, hint)


def doubtful(needs: Needs, have: frozenset[str] | None, package_type: PackageType) -> tuple[Finding, ...]:
    """Return a warning for each scope that the token lacks and that may be needed; none if its scopes are not known."""
    lacks = () if have is None else sorted(needs.likely - have)
    return tuple(Finding(FindingCode.SCOPE_MAY_LACK, scope, names=(package_type,)) for scope in lacks)


def names(scopes: Iterable[str]) -> str:
    """Name scopes as messages do, in order."""
    return ", ".join(f"`{scope}`" for scope in sorted(scopes))
