"""Refusals for the package or version that was asked for: rows 5 to 12 of part J of the facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from package_retention.api import advice
from package_retention.api.refusal_row import USE_CLASSIC, Row
from package_retention.errors import RefusalKind as Kind

if TYPE_CHECKING:
    from package_retention.api.answers import Answer
    from package_retention.api.asked import Asked


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


OBJECTS: tuple[Row, ...] = (
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
        0,
        "Moved Permanently",
        Kind.NOT_FOUND,
        "it has moved: the owner was renamed (no token is sent after it)",
        "give the new name: `owner` for an organization or user, GITHUB_API_URL for a server",
        starts="moved permanently|temporary redirect",
    ),
    Row(
        8,
        "Invalid argument.",
        Kind.CANNOT_LIST,
        "GitHub does not let GITHUB_TOKEN and App tokens list an owner's container packages",
        "name the packages in `package-name`, without wildcards; or " + USE_CLASSIC,
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
