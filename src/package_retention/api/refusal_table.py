"""The refusals that GitHub is known to send: rows of part J of the facts (28 to 31 are the registry's).

The first row that fits explains a response, so the order within a group matters. A text that GitHub words anew is one
line in one row; `make docs` then renews docs/troubleshooting.md.
"""

from __future__ import annotations

from package_retention.api import hints
from package_retention.api.responses import KnownRefusal
from package_retention.errors import RefusalKind as Kind

_USE_CLASSIC = "use a personal access token (classic) with the scopes that the operation needs"
# One scope was seen, or several may be named: "read:packages and delete:packages scopes".
_SCOPES = r"you need at least \S.{0,150}? scopes?"


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
        "set `token`; if it is set, check whether a proxy removes the `Authorization` header",
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
        f"{_USE_CLASSIC}; `read:packages` is always among them",
        starts=rf"{_SCOPES} to (?!get a package's versions)",
        advise=lambda context, _: f"use {hints.classic(context)}",
    ),
    KnownRefusal(
        4,
        "You need at least read:packages scope to get a package's versions.",
        Kind.SCOPE,
        "the token lacks the scope that GitHub names",
        f"{_USE_CLASSIC}; `read:packages` is always among them",
        starts=rf"{_SCOPES} to get a package's versions",
        advise=lambda context, _: f"use {hints.classic(context)}",
    ),
    KnownRefusal(
        13,
        "Resource not accessible by integration",
        Kind.TOKEN_KIND,
        "GitHub documents no use of this kind of token for this request",
        "Maven, and all but container on a GitHub Enterprise Server: " + _USE_CLASSIC,
        advise=lambda context, _: hints.other_token(hints.as_integration(context)),
        when=lambda context, _: not hints.documented(hints.as_integration(context)),
    ),
    KnownRefusal(
        13,
        "Resource not accessible by integration",
        Kind.ROLE,
        "the workflow's token lacks `packages: write`, or its repository the role Admin on the package",
        f"give the job `permissions: packages: write`, {hints.MANAGE_ACTIONS}. {hints.READ_ONLY}",
        advise=lambda context, _: hints.role(hints.as_integration(context)),
    ),
    KnownRefusal(
        14,
        "Resource not accessible by personal access token",
        Kind.TOKEN_KIND,
        "GitHub Packages does not support fine-grained personal access tokens",
        f"{_USE_CLASSIC}, or GITHUB_TOKEN with `permissions: packages: write`",
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
        f"{_USE_CLASSIC}, or GITHUB_TOKEN with `permissions: packages: write`",
        starts=r".{0,120}?forbids access via a fine-grained personal access token",
        advise=lambda context, _: hints.other_token(context),
    ),
    KnownRefusal(
        0,
        "Although you appear to have the correct authorization credentials, the `ORG` organization has enabled OAuth"
        " App access restrictions, meaning that data access to third-parties is limited.",
        Kind.TOKEN_KIND,
        "the organization has not approved the OAuth app that the token belongs to",
        "have an owner of the organization approve the app, or " + _USE_CLASSIC,
        starts=r"although you appear to have the correct authorization credentials,.{0,200}?access restrictions",
    ),
    KnownRefusal(
        18,
        "Although you appear to have the correct authorization credentials, the `ORG` organization has an IP allow list"
        " enabled, and your IP address is not permitted to access this resource.",
        Kind.IP_ALLOW_LIST,
        "the organization's IP allow list does not include this runner's address",
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

OBJECTS: tuple[KnownRefusal, ...] = (
    KnownRefusal(
        6,
        "Package version not found.",
        Kind.VERSION_NOT_FOUND,
        "GitHub finds no such version: deleted already, a list that was out of date, or a wrong id",
        "nothing if it was deleted meanwhile; if it is still listed, the token lacks the role Admin on the package",
        advise=lambda context, _: hints.version_not_found(context),
    ),
    KnownRefusal(
        5,
        "Package not found.",
        Kind.NOT_FOUND,
        "GitHub finds no such package, or hides it from this token",
        "check `package-name`, `package-type`, `owner`, the token's access and role, and that it was not deleted",
        advise=lambda context, _: hints.not_found(context),
    ),
    KnownRefusal(
        7,
        "Not Found",
        Kind.NOT_FOUND,
        "GitHub finds nothing there, or hides it from this token",
        "check `owner` (organization or user), the names, and the token's access and single sign-on",
        starts=r"not found\b",
        advise=lambda context, _: hints.not_found(context),
    ),
    KnownRefusal(
        0,
        "Moved Permanently",
        Kind.NOT_FOUND,
        "it has moved: the owner was renamed (no token is sent after it)",
        "use the new name: `owner` for an organization or user, GITHUB_API_URL for a server",
        starts="moved permanently|temporary redirect",
    ),
    KnownRefusal(
        8,
        "Invalid argument.",
        Kind.CANNOT_LIST,
        "GitHub does not let GITHUB_TOKEN and App tokens list an owner's container packages",
        "name the packages in `package-name`, without wildcards; or " + _USE_CLASSIC,
        advise=lambda context, _: hints.cannot_list(context),
        when=lambda context, _: not context.package and context.kind is None,
    ),
    KnownRefusal(
        9,
        "You cannot delete the last tagged version of a package. You must delete the package instead.",
        Kind.LAST_TAGGED,
        "GitHub never deletes a package's last tagged version alone",
        "to keep the package, do nothing; to delete it whole, set `delete-package: when-empty`",
        starts="you cannot delete the last tagged version",
    ),
    KnownRefusal(
        10,
        "You cannot delete the last version of a package. You must delete the package instead.",
        Kind.LAST_VERSION,
        "GitHub never deletes a package's last version alone",
        "to keep the package, do nothing; to delete it whole, set `delete-package: when-empty`",
        starts="you cannot delete the last version",
    ),
    KnownRefusal(
        11,
        "Publicly visible package versions with more than 5000 downloads cannot be deleted. Contact GitHub support for"
        " further assistance.",
        Kind.DOWNLOADS,
        "GitHub never deletes a public version that was downloaded more than 5,000 times",
        "name it in `exclude-versions`, or ask GitHub Support",
        starts=r"publicly visible package versions?\b.{0,40}?downloads",
    ),
    KnownRefusal(
        12,
        "Publicly visible packages with a version with more than 5000 downloads cannot be deleted. contact GitHub"
        " support for further assistance",
        Kind.DOWNLOADS,
        "GitHub never deletes a public package of which a version was downloaded more than 5,000 times",
        "leave it out of `package-name`, or ask GitHub Support",
        starts=r"publicly visible packages?\b.{0,60}?downloads",
    ),
)


_WAIT = "run again later, with a lower `points-per-minute` and fewer workflows at once"

SERVICE: tuple[KnownRefusal, ...] = (
    KnownRefusal(
        19,
        "API rate limit exceeded for installation ID N.",
        Kind.PRIMARY_LIMIT,
        "the hourly limit of the GITHUB_TOKEN or App installation is spent",
        "run again when the hour is over; `limit` and a schedule spread the work",
        starts=r"api rate limit (already )?exceeded for installation",
        advise=lambda context, _: hints.limits(context),
    ),
    KnownRefusal(
        20,
        "API rate limit exceeded for user ID N.",
        Kind.PRIMARY_LIMIT,
        "the hourly limit of the token's user is spent",
        "run again when the hour is over; `limit` and a schedule spread the work",
        starts=r"api rate limit (already )?exceeded",
        advise=lambda context, _: hints.limits(context),
    ),
    KnownRefusal(
        21,
        "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
        Kind.SECONDARY_LIMIT,
        "GitHub asks for fewer requests",
        _WAIT,
        starts="you have exceeded a secondary rate limit",
    ),
    KnownRefusal(
        22,
        "You have triggered an abuse detection mechanism. Please wait a few minutes before you try again.",
        Kind.SECONDARY_LIMIT,
        "GitHub asks for fewer requests",
        _WAIT,
        starts=r"you have triggered an abuse detection mechanism"
        r"|.*(please retry your request again later|please wait a few minutes before you try again)\.$",
    ),
    KnownRefusal(
        23,
        "Server Error",
        Kind.SERVER,
        "GitHub failed, as it does on very large packages",
        "run again later; what was done is done",
        advise=lambda _, response: "run again later; what was done is done" + hints.support(response),
    ),
    KnownRefusal(
        25,
        "The value of `per_page` multiplied by `page` cannot be greater than 10000.",
        Kind.CANNOT_LIST,
        "GitHub lists no more than an owner's first 10,000 packages",
        "name the packages in `package-name`, without wildcards",
        starts=r"the value of .?per_page",
    ),
    KnownRefusal(
        26,
        "X-GitHub-Api-Version is not supported",
        Kind.API_VERSION,
        "this GitHub does not support the version of the API that this action asks for (2022-11-28)",
        "update the action; on a GitHub Enterprise Server, update the server to 3.9 or later",
        starts=r".{0,200}?(x-github-api-version|api version|version .{0,80}?(not |un)supported|a supported version)",
        when=lambda _, response: response.status in (400, 410),
    ),
    KnownRefusal(
        28,
        "toomanyrequests: retry-after: 333.939671ms",
        Kind.SECONDARY_LIMIT,
        "the container registry asks for fewer requests",
        _WAIT,
        starts="toomanyrequests",
    ),
    KnownRefusal(
        29,
        "manifest unknown",
        Kind.VERSION_NOT_FOUND,
        "the container registry has no such manifest: the tag or digest is absent",
        "see whether the image still pulls; `remove-damaged` finds images whose parts are gone",
        starts="manifest[_ ]unknown",
    ),
    KnownRefusal(
        30,
        "The operation is unsupported.",
        Kind.OTHER,
        "the container registry does not offer this: GitHub deletes through its REST API alone",
        "see that `registry-url` is the registry of GitHub's container packages",
        starts="unsupported: the operation is unsupported|the operation is unsupported",
    ),
    KnownRefusal(
        31,
        "DENIED: denied",
        Kind.ROLE,
        "the container registry gives this token no access to the package",
        "give the token `read:packages` (`write:packages` for `untag`), or the repository its role under"
        ' "Manage Actions access"',
        starts=r"denied\b",
        advise=lambda context, _: hints.role(context),
    ),
    KnownRefusal(
        0,
        "Validation Failed",
        Kind.OTHER,
        "GitHub does not accept the request as it is",
        "check the ids and names that it was about",
        starts="validation failed|unprocessable",
        when=lambda context, _: not context.restores,
    ),
)
