"""Reasons that more than one module names."""

from __future__ import annotations

from package_retention.reason import Reason, ReasonCode, ReasonDetail

CHANGED = Reason(ReasonCode.CHANGED)
NOT_IN_REPORT = Reason(ReasonCode.NOT_IN_REPORT)
MORE_SINCE_REPORT = Reason(ReasonCode.CHANGED, ReasonDetail.SINCE_REPORT)
OTHERWISE_IN_REPORT = Reason(ReasonCode.NOT_IN_REPORT, ReasonDetail.OTHER_CHANGE)
NOT_DELETED_THERE = Reason(ReasonCode.NOT_IN_REPORT, ReasonDetail.NOT_DELETED)
LAST_VERSION = Reason(ReasonCode.LAST)
LAST_TAGGED = Reason(ReasonCode.LAST, ReasonDetail.LAST_TAGGED)
TANGLED = Reason(ReasonCode.UNKNOWN, ReasonDetail.CYCLIC)
UNREAD = Reason(ReasonCode.UNREADABLE)
UNKNOWN_TAGGED = Reason(ReasonCode.UNREADABLE, ReasonDetail.LOST_INDEX)
WITH_ITS_IMAGE = Reason(ReasonCode.IMAGE_STAYS)
CHANGED_SINCE_PLAN = Reason(ReasonCode.CHANGED, ReasonDetail.SINCE_PLAN)
NOT_WHOLE = Reason(ReasonCode.CHANGED, ReasonDetail.NOT_WHOLE)
IN_DOUBT = Reason(ReasonCode.IN_DOUBT)


def over_limit(limit: int | None) -> Reason:
    """The reason of what waits for the next run."""
    return Reason(ReasonCode.OVER_LIMIT, number=limit or 0)
