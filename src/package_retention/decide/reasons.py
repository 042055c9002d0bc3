"""Reasons that more than one room gives."""

from __future__ import annotations

from package_retention.model import Reason, ReasonCode

CHANGED = Reason(ReasonCode.CHANGED, "came, went or changed while the package was listed")
NOT_IN_REPORT = Reason(ReasonCode.NOT_IN_REPORT, "not in the plan of the report")
MORE_SINCE_REPORT = Reason(ReasonCode.CHANGED, "something came to it since the report was written")
OTHERWISE_IN_REPORT = Reason(ReasonCode.NOT_IN_REPORT, "the report planned another change of it")
NOT_DELETED_THERE = Reason(ReasonCode.NOT_IN_REPORT, "not deleted by the run that the report tells of")
LAST_VERSION = Reason(ReasonCode.LAST, "GitHub does not delete the last version of a package")
LAST_TAGGED = Reason(ReasonCode.LAST, "GitHub does not delete the last tagged version of a package")
TANGLED = Reason(ReasonCode.UNKNOWN, "its manifests name one another in a circle")
UNREAD = Reason(ReasonCode.UNREADABLE, "a manifest that could not be read may need it")
UNKNOWN_TAGGED = Reason(
    ReasonCode.UNREADABLE, "a tagged manifest that the registry does not have may need it"
)

WITH_ITS_IMAGE = "stays with its image, which stays"


def over_limit(limit: int | None) -> Reason:
    """The reason of what waits for the next run."""
    return Reason(ReasonCode.OVER_LIMIT, f"over `limit: {limit}`: waits for the next run")
