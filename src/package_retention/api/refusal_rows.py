"""The table of refusals: GitHub's text -> what it means and the next step (facts J).

A row is recognised by how the text begins, in any case, never by the status alone. The first row that fits counts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from package_retention.api import advice
from package_retention.api.tokens import TokenKind
from package_retention.errors import RefusalKind as Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from package_retention.api.answers import Answer
    from package_retention.api.asked import Asked

_USE_CLASSIC = "use a personal access token (classic) with the scopes that the operation needs"
_ADMIN = "give the token the role Admin on the package"
_WAIT = "run again later; `points-per-minute` lower, and fewer workflows at once"


@dataclass(frozen=True, slots=True)
class Row:
    """One text of GitHub's.

    `number` is its row in part J of the facts (0: a public text that is not in it), `text` its exact words, `starts`
    the pattern of its beginning (else the words themselves). `next_step` is the general one, for the documentation;
    `advise` makes the one that fits what was asked. `when` narrows the row.
    """

    number: int
    text: str
    kind: Kind
    meaning: str
    next_step: str
    starts: str = ""
    advise: Callable[[Asked, Answer], str] | None = None
    when: Callable[[Asked, Answer], bool] | None = None

    def fits(self, asked: Asked, answer: Answer) -> bool:
        """Whether this row is about this answer to this request."""
        if self.when is not None and not self.when(asked, answer):
            return False
        pattern = self.starts or re.escape(self.text)
        return any(re.match(pattern, text, re.IGNORECASE) for text in answer.texts)

    def advice(self, asked: Asked, answer: Answer) -> str:
        """Give the next step for this request."""
        return self.advise(asked, answer) if self.advise else self.next_step


def _lists(asked: Asked, _answer: Answer) -> bool:
    return not asked.package and asked.kind is None


def _version_gone(asked: Asked, _answer: Answer) -> str:
    if advice.restores(asked):
        return advice.not_restorable(asked)
    if asked.kind is not None:
        return (
            "nothing is to be done if it was deleted meanwhile. If it is still listed, the token lacks the role Admin:"
            f" {advice.role(asked)}"
        )
    return (
        "check the id (`package-version-ids` takes REST ids of this package); deleted versions are not listed"
    )


def _undocumented(asked: Asked, _answer: Answer) -> bool:
    return not advice.documented(asked)


TOKENS = (
    Row(
        1,
        "Bad credentials",
        Kind.BAD_TOKEN,
        "the token is wrong, has expired or was revoked",
        "put a new token into the secret; make an App's token in the same job",
        advise=lambda asked, _: advice.new_token(asked),
    ),
    Row(
        2,
        "Requires authentication",
        Kind.BAD_TOKEN,
        "GitHub saw no token",
        "give `token`; where it is given, see whether a proxy takes the `Authorization` header away",
        starts="requires authentication|must authenticate to access this api|this endpoint requires you to be auth",
    ),
    Row(
        0,
        "Maximum number of login attempts exceeded. Please try again later.",
        Kind.BAD_TOKEN,
        "GitHub saw too many wrong tokens and turns every token of this user away for a while",
        "replace the wrong token wherever it is used, and run again in an hour",
        starts="maximum number of login attempts exceeded",
    ),
    Row(
        3,
        "You need at least read:packages scope to list packages.",
        Kind.SCOPE,
        "the token lacks the scope that GitHub names",
        f"{_USE_CLASSIC}; `read:packages` is always among them",
        starts=r"you need at least \S{1,40} scope to (?!get a package's versions)",
        advise=lambda asked, _: f"use {advice.classic(asked)}",
    ),
    Row(
        4,
        "You need at least read:packages scope to get a package's versions.",
        Kind.SCOPE,
        "the token lacks the scope that GitHub names",
        f"{_USE_CLASSIC}; `read:packages` is always among them",
        starts=r"you need at least \S{1,40} scope to get a package's versions",
        advise=lambda asked, _: f"use {advice.classic(asked)}",
    ),
    Row(
        13,
        "Resource not accessible by integration",
        Kind.TOKEN_KIND,
        "GitHub documents no use of this kind of token for this request",
        "Maven, and all but container on a GitHub Enterprise Server: " + _USE_CLASSIC,
        advise=lambda asked, _: advice.other_token(asked),
        when=_undocumented,
    ),
    Row(
        13,
        "Resource not accessible by integration",
        Kind.ROLE,
        "the workflow's token lacks `packages: write`, or its repository the role Admin on the package",
        f"{advice.PERMISSIONS}{advice.MANAGE_ACTIONS}. {advice.READ_ONLY}",
        advise=lambda asked, _: advice.role(asked),
    ),
    Row(
        14,
        "Resource not accessible by personal access token",
        Kind.TOKEN_KIND,
        "GitHub Packages does not support fine-grained personal access tokens",
        f"{_USE_CLASSIC}, or GITHUB_TOKEN with `permissions: packages: write`",
        advise=lambda asked, _: advice.other_token(asked),
    ),
    Row(
        16,
        "Resource protected by organization SAML enforcement. You must grant your OAuth token access to this"
        " organization.",
        Kind.SSO,
        "the organization demands single sign-on (SAML), for which this token is not authorised",
        "sign in through the identity provider, authorise the OAuth or GitHub App anew; or open the URL that is shown",
        starts=r"resource protected by organization saml enforcement.{0,80}?(oauth|github app|\bapp\b)",
        advise=advice.sso,
    ),
    Row(
        15,
        "Resource protected by organization SAML enforcement. You must grant your Personal Access token access to this"
        " organization.",
        Kind.SSO,
        "the organization demands single sign-on (SAML), for which this token is not authorised",
        "open the URL that is shown (good for one hour), or authorise the token under Configure SSO in its settings",
        starts="resource protected by organization saml enforcement",
        advise=advice.sso,
    ),
    Row(
        17,
        "`ORG` forbids access via a personal access token (classic). Please use a GitHub App, OAuth App, or a personal"
        " access token with fine-grained permissions.",
        Kind.TOKEN_KIND,
        "the organization forbids personal access tokens (classic)",
        "use GITHUB_TOKEN with `permissions: packages: write`, or a GitHub App's installation token (a fine-grained"
        " token, which the text names, is not supported by GitHub Packages)",
        starts=r".{0,120}?forbids access via a personal access tokens? \(classic\)",
    ),
    Row(
        0,
        "`ORG` forbids access via a fine-grained personal access tokens if the token's lifetime is greater than N days.",
        Kind.TOKEN_KIND,
        "the organization forbids this fine-grained personal access token",
        f"{_USE_CLASSIC}, or GITHUB_TOKEN with `permissions: packages: write`",
        starts=r".{0,120}?forbids access via a fine-grained personal access token",
        advise=lambda asked, _: advice.other_token(asked),
    ),
    Row(
        0,
        "Although you appear to have the correct authorization credentials, the `ORG` organization has enabled OAuth"
        " App access restrictions, meaning that data access to third-parties is limited.",
        Kind.TOKEN_KIND,
        "the organization has not approved the OAuth app that the token belongs to",
        "have an owner of the organization approve the app, or " + _USE_CLASSIC,
        starts=r"although you appear to have the correct authorization credentials,.{0,200}?access restrictions",
    ),
    Row(
        18,
        "Although you appear to have the correct authorization credentials, the `ORG` organization has an IP allow list"
        " enabled, and your IP address is not permitted to access this resource.",
        Kind.IP_ALLOW_LIST,
        "the organization's IP allow list does not hold this runner's address",
        "run on a self-hosted runner, or a larger one with a static address, that the list allows; or have an owner of"
        " the organization add the address",
        starts=r"although you appear to have the correct authorization credentials,.{0,200}?ip allow list",
    ),
    Row(
        24,
        "Must have admin rights to Repository.",
        Kind.ROLE,
        "the token's user lacks the role Admin on the repository that the package belongs to",
        _ADMIN + ", or its user on the repository that the package belongs to",
        starts="must have admin",
        advise=lambda asked, _: advice.role(asked),
    ),
    Row(
        27,
        "This installation has been suspended",
        Kind.SUSPENDED,
        "the GitHub App's installation is suspended",
        "have an owner of the organization unsuspend it at Settings > GitHub Apps, or use another token",
        starts=r"this installation\b.{0,200}?\bsuspended",
    ),
)

OBJECTS = (
    Row(
        6,
        "Package version not found.",
        Kind.VERSION_NOT_FOUND,
        "GitHub finds no such version: deleted already, a list that was out of date, or a wrong id",
        "nothing if it was deleted meanwhile; if it is still listed, the token lacks the role Admin on the package",
        starts="package version not found",
        advise=_version_gone,
    ),
    Row(
        5,
        "Package not found.",
        Kind.NOT_FOUND,
        "GitHub finds no such package, or hides it from this token",
        "check `package-name`, `package-type`, `owner`, the token's access and role, and that it was not deleted",
        starts="package not found",
        advise=lambda asked, _: advice.not_found(asked),
    ),
    Row(
        7,
        "Not Found",
        Kind.NOT_FOUND,
        "GitHub finds nothing there, or hides it from this token",
        "check `owner` (organization or user), the names, and the token's access and single sign-on",
        starts=r"not found\b",
        advise=lambda asked, _: advice.not_found(asked),
    ),
    Row(
        8,
        "Invalid argument.",
        Kind.CANNOT_LIST,
        "GitHub does not let GITHUB_TOKEN and App tokens list an owner's container packages",
        "name the packages in `package-name`, without wildcards; or " + _USE_CLASSIC,
        starts="invalid argument",
        advise=lambda asked, _: advice.cannot_list(asked),
        when=_lists,
    ),
    Row(
        9,
        "You cannot delete the last tagged version of a package. You must delete the package instead.",
        Kind.LAST_TAGGED,
        "GitHub never deletes a package's last tagged version alone",
        "nothing to keep the package; else delete it whole (`delete-package: when-empty`)",
        starts="you cannot delete the last tagged version",
    ),
    Row(
        10,
        "You cannot delete the last version of a package. You must delete the package instead.",
        Kind.LAST_VERSION,
        "GitHub never deletes a package's last version alone",
        "nothing to keep the package; else delete it whole (`delete-package: when-empty`)",
        starts="you cannot delete the last version",
    ),
    Row(
        11,
        "Publicly visible package versions with more than 5000 downloads cannot be deleted. Contact GitHub support for"
        " further assistance.",
        Kind.DOWNLOADS,
        "GitHub never deletes a public version that was downloaded more than 5,000 times",
        "name it in `exclude-versions`, or ask GitHub Support",
        starts=r"publicly visible package versions?\b.{0,40}?downloads",
    ),
    Row(
        12,
        "Publicly visible packages with a version with more than 5000 downloads cannot be deleted. contact GitHub"
        " support for further assistance",
        Kind.DOWNLOADS,
        "GitHub never deletes a public package of which a version was downloaded more than 5,000 times",
        "leave it out of `package-name`, or ask GitHub Support",
        starts=r"publicly visible packages?\b.{0,60}?downloads",
    ),
)

SERVICE = (
    Row(
        19,
        "API rate limit exceeded for installation ID N.",
        Kind.PRIMARY_LIMIT,
        "the hourly limit of the GITHUB_TOKEN or App installation is spent",
        "run again when the hour is over; `limit` and a schedule spread the work",
        starts=r"api rate limit (already )?exceeded for installation",
        advise=lambda asked, _: advice.limits(asked),
    ),
    Row(
        20,
        "API rate limit exceeded for user ID N.",
        Kind.PRIMARY_LIMIT,
        "the hourly limit of the token's user is spent",
        "run again when the hour is over; `limit` and a schedule spread the work",
        starts=r"api rate limit (already )?exceeded",
        advise=lambda asked, _: advice.limits(asked),
    ),
    Row(
        21,
        "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
        Kind.SECONDARY_LIMIT,
        "GitHub asks to be asked more slowly",
        _WAIT,
        starts="you have exceeded a secondary rate limit",
    ),
    Row(
        22,
        "You have triggered an abuse detection mechanism. Please wait a few minutes before you try again.",
        Kind.SECONDARY_LIMIT,
        "GitHub asks to be asked more slowly",
        _WAIT,
        starts=r"you have triggered an abuse detection mechanism"
        r"|.*(please retry your request again later|please wait a few minutes before you try again)\.$",
    ),
    Row(
        23,
        "Server Error",
        Kind.SERVER,
        "GitHub failed, as it does on very large packages",
        "run again later; what was done is done",
        starts="server error",
        advise=lambda _, answer: "run again later; what was done is done" + advice.support(answer),
    ),
    Row(
        25,
        "The value of `per_page` multiplied by `page` cannot be greater than 10000.",
        Kind.CANNOT_LIST,
        "GitHub lists no more than an owner's first 10,000 packages",
        "name the packages in `package-name`, without wildcards",
        starts=r"the value of .?per_page",
    ),
    Row(
        26,
        "X-GitHub-Api-Version is not supported",
        Kind.API_VERSION,
        "this GitHub does not support the version of the API that this action asks for (2022-11-28)",
        "update the action; on a GitHub Enterprise Server, update the server to 3.9 or later",
        starts=r".{0,200}?(x-github-api-version|api version|version .{0,80}?(not |un)supported|a supported version)",
        when=lambda _, answer: answer.status in (400, 410),
    ),
    Row(
        28,
        "toomanyrequests: retry-after: 333.939671ms",
        Kind.SECONDARY_LIMIT,
        "the container registry asks to be asked more slowly",
        _WAIT,
        starts="toomanyrequests",
    ),
    Row(
        29,
        "manifest unknown",
        Kind.VERSION_NOT_FOUND,
        "the container registry has no such manifest: the tag or digest is absent",
        "see whether the image still pulls; `remove-damaged` finds images whose parts are gone",
        starts="manifest[_ ]unknown",
    ),
    Row(
        30,
        "The operation is unsupported.",
        Kind.OTHER,
        "the container registry does not offer this: GitHub deletes through its REST API alone",
        "see that `registry-url` is the registry of GitHub's container packages",
        starts="unsupported: the operation is unsupported|the operation is unsupported",
    ),
    Row(
        31,
        "DENIED: denied",
        Kind.ROLE,
        "the container registry gives this token no access to the package",
        "give the token `read:packages` (`write:packages` for `untag`), or the repository its role under"
        ' "Manage Actions access"',
        starts=r"denied\b",
        advise=lambda asked, _: advice.role(asked),
    ),
    Row(
        0,
        "Validation Failed",
        Kind.OTHER,
        "GitHub does not accept the request as it is",
        "check the ids and names that it was about",
        starts="validation failed|unprocessable",
        when=lambda asked, _: not advice.restores(asked),
    ),
)

ROWS: tuple[Row, ...] = (*TOKENS, *OBJECTS, *SERVICE)


def sso_row(token: TokenKind) -> Row:
    """Give the row for an answer whose header, not its text, says that single sign-on is demanded."""
    number = 16 if token in (TokenKind.OAUTH, TokenKind.APP_USER) else 15
    return next(row for row in ROWS if row.number == number)
