"""Every refusal explained: what GitHub's answer means for what was asked, and what to do next (facts J, A7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from package_retention.api.asked import Asked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from package_retention.errors import Refusal

__all__ = [
    "Asked",
    "explain",
    "gone",
    "not_found_package",
    "restore_refused",
    "role_missing",
    "users_deleted_list",
]


def explain(subject: Asked, status: int, headers: Mapping[str, str], body: Any) -> Refusal:
    """Explain a refusal by the text of its body, never by the code alone; never raises."""
    raise NotImplementedError


def role_missing(subject: Asked) -> Refusal:
    """A change is answered 404 although the object can be read: the admin role is missing (facts A7)."""
    raise NotImplementedError


def gone(subject: Asked) -> Refusal:
    """The object was there and is not any more."""
    raise NotImplementedError


def not_found_package(subject: Asked) -> Refusal:
    """`Package not found.`: every cause is named, for the answer never proves absence (facts A7)."""
    raise NotImplementedError


def restore_refused(subject: Asked, status: int, body: Any) -> Refusal:
    """A restore is refused without a text that we know: window over, name reused, or no role (facts A4)."""
    raise NotImplementedError


def users_deleted_list(subject: Asked) -> str:
    """Why a user's deleted versions may not be listed, and what works all the same (facts A1, A6)."""
    raise NotImplementedError
