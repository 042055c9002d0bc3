"""Refusals for limits, failures and unfit requests: rows 19 to 23, 25, 26, and 28 to 31 (the registry's) of part J."""

from __future__ import annotations

from package_retention.api import advice
from package_retention.api.refusal_row import Row
from package_retention.errors import RefusalKind as Kind

_WAIT = "run again later; `points-per-minute` lower, and fewer workflows at once"

SERVICE: tuple[Row, ...] = (
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
