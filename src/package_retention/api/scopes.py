"""Which scopes a classic or OAuth token needs for a change, and which of them it lacks (facts B1, B2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from package_retention.api.tokens import TokenKind
from package_retention.errors import Refusal, RefusalKind
from package_retention.model import PackageType, StepKind

if TYPE_CHECKING:
    from collections.abc import Iterable

READ, WRITE, DELETE, REPO = "read:packages", "write:packages", "delete:packages", "repo"

_BY_STEP = {
    StepKind.DELETE_VERSION: frozenset({READ, DELETE}),
    StepKind.DELETE_PACKAGE: frozenset({READ, DELETE}),
    StepKind.RESTORE_VERSION: frozenset({READ, WRITE}),
    StepKind.RESTORE_PACKAGE: frozenset({READ, WRITE}),
    StepKind.UNTAG: frozenset({READ, WRITE, DELETE}),
}
# What a scope contains. Neither `delete:packages` nor `repo` nor `admin:org` contains any scope of packages.
_CONTAINS = {WRITE: frozenset({READ})}
_GRANULAR_ON_GITHUB_COM = frozenset(
    {PackageType.CONTAINER, PackageType.NPM, PackageType.NUGET, PackageType.RUBYGEMS}
)


@dataclass(frozen=True, slots=True)
class Needs:
    """The scopes that are surely needed, and those that may be (the package may inherit from a repository)."""

    sure: frozenset[str]
    likely: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Shortfall:
    """What a token lacks: the refusal where a scope that is surely needed is not there, and warnings."""

    refusal: Refusal | None = None
    warnings: tuple[str, ...] = ()


def granular(package_type: PackageType, *, on_github_com: bool) -> bool:
    """Whether the registry knows permissions of a package's own, not of its repository alone (facts B1, I)."""
    return package_type is PackageType.CONTAINER or (
        on_github_com and package_type in _GRANULAR_ON_GITHUB_COM
    )


def needed(kinds: Iterable[StepKind], package_type: PackageType, *, on_github_com: bool) -> Needs:
    """Give the scopes that these changes need (no kinds: reading), `repo` included (facts B1)."""
    sure = frozenset({READ}).union(*(_BY_STEP[kind] for kind in kinds))
    if package_type is PackageType.CONTAINER:
        return Needs(sure)
    if granular(package_type, on_github_com=on_github_com):
        return Needs(sure, frozenset({REPO}))
    return Needs(sure | {REPO})


def granted(header: str | None, kind: TokenKind = TokenKind.CLASSIC) -> frozenset[str] | None:
    """Read `X-OAuth-Scopes`; `None` where it tells nothing (absent, or a kind of token without scopes).

    An empty header of a classic token means no scope at all. App user tokens are sent an empty one too, so for a
    kind that the prefix does not settle an empty header tells nothing.
    """
    if header is None or not kind.has_scopes:
        return None
    named = frozenset(scope for part in header.split(",") if (scope := part.strip().lower()))
    if not named and kind in (TokenKind.LEGACY, TokenKind.UNKNOWN):
        return None
    return named.union(*(_CONTAINS.get(scope, frozenset()) for scope in named))


def missing(needs: Needs, have: frozenset[str] | None, package_type: PackageType) -> Shortfall:
    """Name the scopes that the token lacks; `have=None` (no scopes to read) lacks nothing that we could know of.

    The refusal's status is 0: it is made before any request was refused.
    """
    if have is None:
        return Shortfall()
    if lacking := sorted(needs.sure - have):
        return Shortfall(refusal=_refusal(lacking, needs, have, package_type))
    return Shortfall(warnings=tuple(_warning(scope, package_type) for scope in sorted(needs.likely - have)))


def _refusal(lacking: list[str], needs: Needs, have: frozenset[str], package_type: PackageType) -> Refusal:
    noun = "scope" if len(lacking) == 1 else "scopes"
    message = (
        f"the token lacks the {noun} {_names(lacking)}, which GitHub demands for this on {package_type} packages"
        f" (it has {_names(sorted(have)) or 'none'})"
    )
    because = (
        "; `repo` because the permissions of such a package are those of its repository"
        if REPO in lacking
        else ""
    )
    advice = (
        f"use a personal access token (classic) with {_names(sorted(needs.sure))}: add the {noun} at Settings >"
        f" Developer settings > Personal access tokens > Tokens (classic){because}"
    )
    return Refusal(RefusalKind.SCOPE, 0, message, advice)


def _warning(scope: str, package_type: PackageType) -> str:
    return (
        f"the token lacks the scope `{scope}`: a package of type {package_type} that inherits its permissions from a"
        " repository needs it. If GitHub refuses, this is the likely cause: add the scope to the token"
    )


def _names(scopes: Iterable[str]) -> str:
    return ", ".join(f"`{scope}`" for scope in scopes)
