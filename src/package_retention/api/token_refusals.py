"""Refusals for what the token is, or may not do: rows 1 to 4, 13 to 18, 24 and 27 of part J of the facts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from package_retention.api import hints
from package_retention.api.refusal_table import USE_CLASSIC, KnownRefusal
from package_retention.api.tokens import TokenKind
from package_retention.errors import RefusalKind as Kind

if TYPE_CHECKING:
    from package_retention.api.responses import ErrorResponse, RequestContext


# One scope was seen, or several may be named: "read:packages and delete:packages scopes".
_SCOPES = r"you need at least \S.{0,150}? scopes?"


def _as_integration(context: RequestContext) -> RequestContext:
    # GitHub says so itself, also if the prefix looked like another kind of token.
    known = context.token in (TokenKind.INSTALLATION, TokenKind.APP_USER)
    return context if known else replace(context, token=TokenKind.INSTALLATION)


def _undocumented(context: RequestContext, _response: ErrorResponse) -> bool:
    return not hints.documented(_as_integration(context))


TOKENS: tuple[KnownRefusal, ...] = (
    KnownRefusal(
        1,
        "Bad credentials",
        Kind.BAD_TOKEN,
        "the token is wrong, has expired or was revoked",
        "put a new token into the secret; make an App's token in the same job",
        advise=lambda context, _: hints.new_token(context),
    ),
    KnownRefusal(
        2,
        "Requires authentication",
        Kind.BAD_TOKEN,
        "GitHub saw no token",
        "give `token`; where it is given, see whether a proxy takes the `Authorization` header away",
        starts="requires authentication|must authenticate to access this api|this endpoint requires you to be auth",
    ),
    KnownRefusal(
        0,
        "Maximum number of login attempts exceeded. Please try again later.",
        Kind.BAD_TOKEN,
        "GitHub saw too many wrong tokens and turns every token of this user away for a while",
        "replace the wrong token wherever it is used, and run again in an hour",
        starts="maximum number of login attempts exceeded",
    ),
    KnownRefusal(
        3,
        "You need at least read:packages scope to list packages.",
        Kind.SCOPE,
        "the token lacks the scope that GitHub names",
        f"{USE_CLASSIC}; `read:packages` is always among them",
        starts=rf"{_SCOPES} to (?!get a package's versions)",
        advise=lambda context, _: f"use {hints.classic(context)}",
    ),
    KnownRefusal(
        4,
        "You need at least read:packages scope to get a package's versions.",
        Kind.SCOPE,
        "the token lacks the scope that GitHub names",
        f"{USE_CLASSIC}; `read:packages` is always among them",
        starts=rf"{_SCOPES} to get a package's versions",
        advise=lambda context, _: f"use {hints.classic(context)}",
    ),
    KnownRefusal(
        13,
        "Resource not accessible by integration",
        Kind.TOKEN_KIND,
        "GitHub documents no use of this kind of token for this request",
        "Maven, and all but container on a GitHub Enterprise Server: " + USE_CLASSIC,
        advise=lambda context, _: hints.other_token(_as_integration(context)),
        when=_undocumented,
    ),
    KnownRefusal(
        13,
        "Resource not accessible by integration",
        Kind.ROLE,
        "the workflow's token lacks `packages: write`, or its repository the role Admin on the package",
        f"give the job `permissions: packages: write`, {hints.MANAGE_ACTIONS}. {hints.READ_ONLY}",
        advise=lambda context, _: hints.role(_as_integration(context)),
    ),
    KnownRefusal(
        14,
        "Resource not accessible by personal access token",
        Kind.TOKEN_KIND,
        "GitHub Packages does not support fine-grained personal access tokens",
        f"{USE_CLASSIC}, or GITHUB_TOKEN with `permissions: packages: write`",
        advise=lambda context, _: hints.other_token(context),
    ),
    KnownRefusal(
        16,
        "Resource protected by organization SAML enforcement. You must grant your OAuth token access to this"
        " organization.",
        Kind.SSO,
        "the organization demands single sign-on (SAML), for which this token is not authorised",
        "sign in through the identity provider, authorise the OAuth or GitHub App anew; or open the URL that is shown",
        starts=r"resource protected by organization saml enforcement.{0,80}?(oauth|github app|\bapp\b)",
        advise=hints.sso,
    ),
    KnownRefusal(
        15,
        "Resource protected by organization SAML enforcement. You must grant your Personal Access token access to this"
        " organization.",
        Kind.SSO,
        "the organization demands single sign-on (SAML), for which this token is not authorised",
        "open the URL that is shown (good for one hour), or authorise the token under Configure SSO in its settings",
        starts="resource protected by organization saml enforcement",
        advise=hints.sso,
    ),
    KnownRefusal(
        17,
        "`ORG` forbids access via a personal access token (classic). Please use a GitHub App, OAuth App, or a personal"
        " access token with fine-grained permissions.",
        Kind.TOKEN_KIND,
        "the organization forbids personal access tokens (classic)",
        "use GITHUB_TOKEN with `permissions: packages: write` of a repository with the role Admin on the package (a fine-grained"
        " token, which the text names, is not supported by GitHub Packages)",
        starts=r".{0,120}?forbids access via a personal access tokens? \(classic\)",
    ),
    KnownRefusal(
        0,
        "`ORG` forbids access via a fine-grained personal access tokens if the token's lifetime is greater than N days.",
        Kind.TOKEN_KIND,
        "the organization forbids this fine-grained personal access token",
        f"{USE_CLASSIC}, or GITHUB_TOKEN with `permissions: packages: write`",
        starts=r".{0,120}?forbids access via a fine-grained personal access token",
        advise=lambda context, _: hints.other_token(context),
    ),
    KnownRefusal(
        0,
        "Although you appear to have the correct authorization credentials, the `ORG` organization has enabled OAuth"
        " App access restrictions, meaning that data access to third-parties is limited.",
        Kind.TOKEN_KIND,
        "the organization has not approved the OAuth app that the token belongs to",
        "have an owner of the organization approve the app, or " + USE_CLASSIC,
        starts=r"although you appear to have the correct authorization credentials,.{0,200}?access restrictions",
    ),
    KnownRefusal(
        18,
        "Although you appear to have the correct authorization credentials, the `ORG` organization has an IP allow list"
        " enabled, and your IP address is not permitted to access this resource.",
        Kind.IP_ALLOW_LIST,
        "the organization's IP allow list does not hold this runner's address",
        "run on a self-hosted runner, or a larger one with a static address, that the list allows; or have an owner of"
        " the organization add the address",
        starts=r"although you appear to have the correct authorization credentials,.{0,200}?ip allow list",
    ),
    KnownRefusal(
        24,
        "Must have admin rights to Repository.",
        Kind.ROLE,
        "the token's user lacks the role Admin on the repository that the package belongs to",
        "give the token's user the role Admin on the repository that the package belongs to",
        starts="must have admin",
        advise=lambda context, _: hints.role(context),
    ),
    KnownRefusal(
        27,
        "This installation has been suspended",
        Kind.SUSPENDED,
        "the GitHub App's installation is suspended",
        "have an owner of the organization unsuspend it at Settings > GitHub Apps, or use another token",
        starts=r"this installation\b.{0,200}?\bsuspended",
    ),
)
