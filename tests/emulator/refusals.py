"""What the embedded GitHub says when it refuses: the texts of part J of the facts, in one table.

`row` is the row of part J; 0 where the text stands in none of them, and then the comment says what it rests on.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from emulator.messages import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping

_DOCS = "https://docs.github.com/rest/packages/packages"
_LIMIT_DOCS = "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api"


@dataclass(frozen=True, slots=True)
class Said:
    """A refusal: its row in part J, its usual status, its exact text with `{}` for names and numbers."""

    row: int
    status: int
    message: str
    docs: str = _DOCS


SAID: Mapping[str, Said] = {
    "bad-credentials": Said(1, 401, "Bad credentials", "https://docs.github.com/rest"),
    "no-token": Said(2, 401, "Requires authentication", "https://docs.github.com/rest"),
    # Facts B2: 403 after several bad tries; the text is that of GitHub's page on failed logins, unverified here.
    "blocked": Said(0, 403, "Maximum number of login attempts exceeded. Please try again later."),
    "scope-list": Said(3, 403, "You need at least read:packages scope to list packages."),
    "scope-versions": Said(4, 403, "You need at least read:packages scope to get a package's versions."),
    # Inferred from rows 3 and 4: nobody has shown the text for a single package or version, nor for a change.
    "scope-get": Said(0, 403, "You need at least read:packages scope to get a package."),
    "scope-delete": Said(
        0, 403, "You need at least read:packages and delete:packages scopes to delete a package."
    ),
    "scope-restore": Said(
        0, 403, "You need at least read:packages and write:packages scopes to restore a package."
    ),
    "package": Said(5, 404, "Package not found."),
    "version": Said(6, 404, "Package version not found."),
    "not-found": Said(7, 404, "Not Found"),
    "invalid": Said(8, 400, "Invalid argument.", f"{_DOCS}#list-packages-for-an-organization"),
    "last-tagged": Said(
        9, 400, "You cannot delete the last tagged version of a package. You must delete the package instead."
    ),
    "last-version": Said(
        10, 400, "You cannot delete the last version of a package. You must delete the package instead."
    ),
    "downloads-version": Said(
        11,
        400,
        "Publicly visible package versions with more than 5000 downloads cannot be deleted."
        " Contact GitHub support for further assistance.",
    ),
    "downloads-package": Said(
        12,
        400,
        "Publicly visible packages with a version with more than 5000 downloads cannot be deleted."
        " contact GitHub support for further assistance",
    ),
    "integration": Said(13, 403, "Resource not accessible by integration"),
    "fine-grained": Said(14, 403, "Resource not accessible by personal access token"),
    "sso-pat": Said(
        15,
        403,
        "Resource protected by organization SAML enforcement."
        " You must grant your Personal Access token access to this organization.",
    ),
    "sso-oauth": Said(
        16,
        403,
        "Resource protected by organization SAML enforcement."
        " You must grant your OAuth token access to this organization.",
    ),
    "classic-forbidden": Said(
        17,
        403,
        "`{}` forbids access via a personal access token (classic). Please use a GitHub App, OAuth App, or a"
        " personal access token with fine-grained permissions.",
    ),
    "ip": Said(
        18,
        403,
        "Although you appear to have the correct authorization credentials, the `{}` organization has an IP allow"
        " list enabled, and your IP address is not permitted to access this resource.",
    ),
    "primary-installation": Said(19, 403, "API rate limit exceeded for installation ID {}.", _LIMIT_DOCS),
    "primary-user": Said(20, 403, "API rate limit exceeded for user ID {}.", _LIMIT_DOCS),
    "secondary": Said(
        21,
        403,
        "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
        _LIMIT_DOCS,
    ),
    "abuse": Said(
        22,
        403,
        "You have triggered an abuse detection mechanism. Please wait a few minutes before you try again.",
        _LIMIT_DOCS,
    ),
    "server-error": Said(23, 500, "Server Error", ""),
    "repository-role": Said(24, 403, "Must have admin rights to Repository."),
    # Row 25: the sentence is the reference's; the exact message was not found.
    "page-cap": Said(25, 400, "The value of `per_page` multiplied by `page` cannot be greater than 10000."),
    # Row 26: only the statuses are documented.
    "api-version-unknown": Said(26, 400, "X-GitHub-Api-Version {} is not supported."),
    "api-version-retired": Said(26, 410, "X-GitHub-Api-Version {} is no longer supported."),
    "suspended": Said(27, 403, "This installation is currently suspended."),
    # Facts L1, L4: lists of a repository.
    "validation": Said(
        0, 422, "Validation Failed", "https://docs.github.com/rest/pulls/pulls#list-pull-requests"
    ),
    "only-the-first": Said(
        0,
        422,
        "Only the first {} results are available.",
        "https://docs.github.com/rest/releases/releases#list-releases",
    ),
    # Facts A4 and K: no body of a refused restore was found; the status is a switch.
    "restore-conflict": Said(0, 409, "The package or version name is already in use."),
    "restore-expired": Said(0, 404, "Not Found"),
}


class RefusedRequest(Exception):  # noqa: N818 - it is an answer, not an error
    """Ends the handling of a request; `status` in place of the usual one, `names` for the text's gaps."""

    def __init__(
        self, what: str, *names: object, status: int | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(what)
        said = SAID[what]
        self.status = status or said.status
        self.message = said.message.format(*names)
        self.docs = said.docs
        self.headers = headers or {}

    def answer(self, *, ghes: bool = False) -> Answer:
        """The answer; `status` in its body is a text, and older servers leave it out (facts J)."""
        body = {"message": self.message}
        if self.docs:
            body["documentation_url"] = self.docs
            if not ghes:
                body["status"] = str(self.status)
        return Answer(self.status, json.dumps(body).encode(), self.headers)
