"""The paths of the API: three bases, and names that are one segment each (facts A1, A-path)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from package_retention.errors import MissingError, Refusal, RefusalKind
from package_retention.model import OwnerKind

if TYPE_CHECKING:
    from package_retention.model import Owner, Package

# URL libraries take these two for steps along the path, however they are encoded.
_STEPS = ("", ".", "..")


def segment(name: str) -> str:
    """Encode a name as one segment, slashes included.

    Raises:
        MissingError: the name is empty, `.` or `..`: as a segment it would lead to another object.
    """
    if name in _STEPS:
        message = f"there can be no owner or package of the name {name!r}"
        raise MissingError(Refusal(RefusalKind.NOT_FOUND, 0, message, "check `owner` and `package-name`"))
    return quote(name, safe="")


def base(owner: Owner) -> str:
    """Return the base path that reaches an owner's packages."""
    if owner.kind is OwnerKind.ONESELF:
        return "/user"
    return f"/{'orgs' if owner.kind is OwnerKind.ORGANIZATION else 'users'}/{segment(owner.login)}"


def package(of: Package) -> str:
    """Return the path of a package."""
    return f"{base(of.owner)}/packages/{of.type.value}/{segment(of.name)}"


def version(of: Package, version_id: int) -> str:
    """Return the path of a version."""
    return f"{package(of)}/versions/{version_id:d}"
