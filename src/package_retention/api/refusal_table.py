"""Refusals for limits, failures and unfit requests: rows 19 to 23, 25, 26, and 28 to 31 (the registry's) of part J."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from package_retention.api import hints
from package_retention.errors import RefusalKind as Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from package_retention.api.responses import ErrorResponse, RequestContext
    from package_retention.errors import RefusalKind


USE_CLASSIC = "use a personal access token (classic) with the scopes that the operation needs"


@dataclass(frozen=True, slots=True)
class KnownRefusal:
    """A refusal that GitHub is known to send.

    `number` is its row in part J of the facts (0: a public text that is not in it), `text` its exact words, `starts`
    the pattern of its beginning (else the words themselves). `next_step` is the general one, for the documentation;
    `advise` returns the one for this request. `when` restricts the row to some requests.
    """

    number: int
    text: str
    kind: RefusalKind
    meaning: str
    next_step: str
    starts: str = ""
    advise: Callable[[RequestContext, ErrorResponse], str] | None = None
    when: Callable[[RequestContext, ErrorResponse], bool] | None = None

    def fits(self, context: RequestContext, response: ErrorResponse) -> bool:
        """Return whether this row explains this response to this request."""
        if self.when is not None and not self.when(context, response):
            return False
        pattern = self.starts or re.escape(self.text)
        return any(re.match(pattern, text, re.IGNORECASE) for text in response.texts)

    def hint(self, context: RequestContext, response: ErrorResponse) -> str:
        """Return the next step for this request."""
        return self.advise(context, response) if self.advise else self.next_step


def _lists(context: RequestContext, _response: ErrorResponse) -> bool:
    return not context.package and context.kind is None


def _version_gone(context: RequestContext, _response: ErrorResponse) -> str:
    if hints.restores(context):
        return hints.not_restorable(context)
    if context.kind is not None:
        return (
            "nothing is to be done if it was deleted meanwhile. If it is still listed, the token lacks the role Admin:"
            f" {hints.role(context)}"
        )
    return (
        "check the id (`package-version-ids` takes REST ids of this package); deleted versions are not listed"
    )


OBJECTS: tuple[KnownRefusal, ...] = (
    KnownRefusal(
        6,
        "Package version not found.",
        Kind.VERSION_NOT_FOUND,
        "GitHub finds no such version: deleted already, a list that was out of date, or a wrong id",
        "nothing if it was deleted meanwhile; if it is still listed, the token lacks the role Admin on the package",
        starts="package version not found",
        advise=_version_gone,
    ),
    KnownRefusal(
        5,
        "Package not found.",
        Kind.NOT_FOUND,
        "GitHub finds no such package, or hides it from this token",
        "check `package-name`, `package-type`, `owner`, the token's access and role, and that it was not deleted",
        starts="package not found",
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
        "give the new name: `owner` for an organization or user, GITHUB_API_URL for a server",
        starts="moved permanently|temporary redirect",
    ),
    KnownRefusal(
        8,
        "Invalid argument.",
        Kind.CANNOT_LIST,
        "GitHub does not let GITHUB_TOKEN and App tokens list an owner's container packages",
        "name the packages in `package-name`, without wildcards; or " + USE_CLASSIC,
        starts="invalid argument",
        advise=lambda context, _: hints.cannot_list(context),
        when=_lists,
    ),
    KnownRefusal(
        9,
        "You cannot delete the last tagged version of a package. You must delete the package instead.",
        Kind.LAST_TAGGED,
        "GitHub never deletes a package's last tagged version alone",
        "nothing to keep the package; else delete it whole (`delete-package: when-empty`)",
        starts="you cannot delete the last tagged version",
    ),
    KnownRefusal(
        10,
        "You cannot delete the last version of a package. You must delete the package instead.",
        Kind.LAST_VERSION,
        "GitHub never deletes a package's last version alone",
        "nothing to keep the package; else delete it whole (`delete-package: when-empty`)",
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


_WAIT = "run again later; `points-per-minute` lower, and fewer workflows at once"

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
        "GitHub asks to send requests more slowly",
        _WAIT,
        starts="you have exceeded a secondary rate limit",
    ),
    KnownRefusal(
        22,
        "You have triggered an abuse detection mechanism. Please wait a few minutes before you try again.",
        Kind.SECONDARY_LIMIT,
        "GitHub asks to send requests more slowly",
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
        starts="server error",
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
        "the container registry asks to send requests more slowly",
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
        when=lambda context, _: not hints.restores(context),
    ),
)
