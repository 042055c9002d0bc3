"""Say what to do next, where that depends on the token, the package's type and its owner (facts A7, A8, B1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from package_retention.api.responses import ApiResponse, RequestContext
from package_retention.api.tokens import READ, TokenKind, granular, names, needed
from package_retention.model import OwnerKind, StepKind

_NO_USER = (TokenKind.INSTALLATION, TokenKind.UNKNOWN)
# What GitHub documents for App user tokens (facts A8).
_APP_USERS_MAY = (None, StepKind.DELETE_PACKAGE)

PERMISSIONS = "give the job\n\npermissions:\n  packages: write\n\n"
MANAGE_ACTIONS = (
    "and give the workflow's repository the role Admin under \"Manage Actions access\" in the package's settings (a"
    " repository whose workflow published the package has it)"
)
READ_ONLY = (
    "A run for a pull request from a fork, or started by Dependabot, always gets a read-only token: run"
    " this on `schedule`, `push` or `workflow_dispatch`"
)


def has_own_permissions(context: RequestContext) -> bool:
    """Return whether such packages have permissions of their own, as is assumed for an unknown type."""
    kind = context.package_type
    return kind is None or granular(kind, on_github_com=context.on_github_com)


def documented(context: RequestContext) -> bool:
    """Return whether GitHub documents this kind of token for this request (facts A8)."""
    if context.token is TokenKind.FINE_GRAINED:
        return False
    if context.token is TokenKind.APP_USER:
        return context.kind in _APP_USERS_MAY
    return context.token is not TokenKind.INSTALLATION or has_own_permissions(context)


def as_integration(context: RequestContext) -> RequestContext:
    """Return the context with an integration's token: GitHub has said so, also if the prefix looked like another kind."""
    known = context.token in (TokenKind.INSTALLATION, TokenKind.APP_USER)
    return context if known else replace(context, token=TokenKind.INSTALLATION)


def classic(context: RequestContext) -> str:
    """Name the classic token that suffices, with its scopes."""
    kinds = () if context.kind is None else (context.kind,)
    scopes = frozenset({READ})
    if context.package_type is not None:
        scopes = needed(kinds, context.package_type, on_github_com=context.on_github_com).sure
    return f"a personal access token (classic) with {names(scopes)}"


def other_token(context: RequestContext) -> str:
    """Name the tokens that GitHub documents for this request."""
    if not has_own_permissions(context):
        where = "" if context.on_github_com else " of a GitHub Enterprise Server"
        return (
            f"use {classic(context)}: for {context.package_type} packages{where}, whose permissions are those of their"
            " repository, GitHub documents no access by GITHUB_TOKEN or App tokens"
        )
    if context.by_hand:
        return f"use {classic(context)}"
    return f"use GITHUB_TOKEN with `permissions: packages: write`, or {classic(context)}"


def role(context: RequestContext) -> str:
    """Say how this token gets the role that a change needs (facts A2, A8)."""
    if not documented(context):
        return other_token(context)
    if not has_own_permissions(context):
        return f"the token's user needs the role Admin on the repository that the package belongs to{_also(context)}"
    if context.by_hand and context.token in _NO_USER:
        return f"use {classic(context)} of a user with the role Admin on the package"
    if context.token in _NO_USER:
        return f"{PERMISSIONS}{MANAGE_ACTIONS}. {READ_ONLY}. Else use {classic(context)} of a user with that role"
    return (
        "give the token's user the role Admin under \"Manage access\" in the package's settings"
        f"{_also(context)}{'' if context.by_hand else '; or use GITHUB_TOKEN of the repository that publishes it'}"
    )


def _also(context: RequestContext) -> str:
    if context.owner_kind in (OwnerKind.USER, OwnerKind.ONESELF):
        return f", or be {context.owner}"
    maybe = "" if context.owner_kind else " (if it is one)"
    return f", and admin permissions in the organization {context.owner}{maybe}"


def not_found(context: RequestContext) -> str:
    """Name every cause of a 404 on a package, the likeliest first; it never proves absence (facts A7)."""
    if context.restores:
        return not_restorable(context)
    if context.kind is not None and context.listed:
        return f"unless it was deleted meanwhile, the token, which can read it, lacks the role Admin: {role(context)}"
    return f"check {', '.join(_causes(context))}"


def version_not_found(context: RequestContext) -> str:
    """Name every cause of a 404 on a version."""
    if context.restores:
        return not_restorable(context)
    if context.kind is not None:
        return (
            "if it was deleted meanwhile, there is nothing to do. If it is still listed, the token lacks the role Admin:"
            f" {role(context)}"
        )
    return (
        "check the id (`package-version-ids` takes REST ids of this package); deleted versions are not listed"
    )


def _causes(context: RequestContext) -> tuple[str, ...]:
    if not context.package:
        return (
            f"`owner`: {context.owner} {_taken_for(context)}",
            f"and what the token may see ({_access(context)})",
        )
    change = () if context.kind is None else ("that it has the role Admin there",)
    return (
        "`package-name` (all of it: `a/b` for an image at OWNER/a/b)",
        "`package-type`",
        f"`owner` ({context.owner} {_taken_for(context)})",
        f"that the token may read the package ({_access(context)})",
        *change,
        "and that the package was not deleted (within 30 days `operation: restore` brings it back)",
    )


def _taken_for(context: RequestContext) -> str:
    if context.owner_kind is None:
        return "may be misspelt"
    return "is an organization" if context.owner_kind is OwnerKind.ORGANIZATION else "is a user"


def _access(context: RequestContext) -> str:
    if context.token in _NO_USER:
        permissions = "" if context.by_hand else "`permissions: packages: write`, and "
        return f'{permissions}the repository\'s role under "Manage Actions access"'
    return (
        "its scope `read:packages`, its user's role, its authorisation for the organization's single sign-on"
    )


def not_restorable(context: RequestContext) -> str:
    """Name every cause of a refused restore (facts A4)."""
    return (
        "GitHub restores within 30 days of the deletion, and only while no new package or version uses the name"
        " (delete that one first): check both, and whether it is deleted at all. Else the token lacks the role:"
        f" {role(context)}"
    )


def cannot_list(context: RequestContext) -> str:
    """Say what works without the list of an owner's packages (facts A8)."""
    name = (
        f"name the packages in `package-name`, without wildcards: then {context.owner}'s list is not needed"
    )
    return f"{name}. With wildcards, use {classic(context)}"


def sso(context: RequestContext, response: ApiResponse) -> str:
    """Say how to authorise this token for single sign-on; the URL in the response is valid for an hour."""
    url = response.sso_url(context.server_url)
    now = f"open {url} (good for one hour), then run again. Else, " if url else ""
    if context.token is TokenKind.OAUTH:
        return f"{now}sign in to the organization through its identity provider, then authorise the OAuth app anew"
    if context.token in (TokenKind.APP_USER, TokenKind.INSTALLATION):
        return f"{now}sign in to the organization through its identity provider, then authorise the GitHub App anew"
    return (
        f"{now}authorise the token at Settings > Developer settings > Personal access tokens > Tokens (classic) >"
        " Configure SSO"
    )


def new_token(context: RequestContext) -> str:
    """Say how to replace a token that is no longer accepted."""
    if context.token is TokenKind.INSTALLATION:
        return (
            "make the token in the same job, shortly before this step: an App's installation token lasts one hour, a"
            " GITHUB_TOKEN as long as its job. The next run does what is left"
        )
    place = "set GITHUB_TOKEN to a new token" if context.by_hand else "put a new token into the secret"
    return f"{place}: the old one has expired, was revoked, or was copied wrongly"


def limits(context: RequestContext) -> str:
    """Say what a spent hourly limit means for this token (facts C)."""
    mine = (
        "a GITHUB_TOKEN has 1,000 requests an hour, shared by all of the repository's workflows"
        if context.token is TokenKind.INSTALLATION
        else "a user has 5,000 requests an hour, shared by all of the user's tokens"
    )
    return (
        f"run again when the hour is over: {mine}. `limit` and a schedule spread the work over several runs"
    )


def later(response: ApiResponse) -> str:
    """Say what to do about a failure of GitHub's."""
    return f"run again later; what was done is done{support(response)}"


def support(response: ApiResponse) -> str:
    """Name the request for GitHub Support, where it has an id."""
    return (
        f"; GitHub Support finds the request by its id {response.request_id}" if response.request_id else ""
    )


ADVICE: Mapping[str, Callable[[RequestContext, ApiResponse], str]] = {
    "new-token": lambda context, _: new_token(context),
    "classic-token": lambda context, _: f"use {classic(context)}",
    "other-token": lambda context, _: other_token(context),
    "other-token-than-integration": lambda context, _: other_token(as_integration(context)),
    "role": lambda context, _: role(context),
    "role-of-integration": lambda context, _: role(as_integration(context)),
    "single-sign-on": sso,
    "not-found": lambda context, _: not_found(context),
    "version-not-found": lambda context, _: version_not_found(context),
    "cannot-list": lambda context, _: cannot_list(context),
    "limits": lambda context, _: limits(context),
    "later": lambda _, response: later(response),
}
"""What a request should do next, by the names in `refusals.toml`."""

CONDITIONS: Mapping[str, Callable[[RequestContext, ApiResponse], bool]] = {
    "undocumented-for-integration": lambda context, _: not documented(as_integration(context)),
    "lists-packages": lambda context, _: not context.package and context.kind is None,
    "may-be-api-version": lambda _, response: response.status in (400, 410),
    "no-restore": lambda context, _: not context.restores,
}
"""Which requests a refusal explains, by the names in `refusals.toml`."""
