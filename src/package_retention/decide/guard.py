"""The guard: a plan that takes more than a package can bear fails before its first change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from package_retention.errors import PlanError
from package_retention.model import PackageType

if TYPE_CHECKING:
    from package_retention.decide.rules import Share
    from package_retention.model import Decision, Plan

_NAMES = 10


def check_share(plan: Plan, share: Share | None) -> None:
    """Raise `PlanError` where the plan deletes more than the share of the package's images or versions."""
    if share is None:
        return
    units = [decision for decision in plan.decisions if _is_unit(decision, plan)]
    going = [decision for decision in units if decision.selected]
    allowed = share.amount * len(units) / 100 if share.percent else share.amount
    if len(going) <= allowed:
        return
    what = "images" if plan.package.type.has_tags else "versions"
    names = ", ".join(decision.version.label for decision in going[:_NAMES])
    more = f" and {len(going) - _NAMES} more" if len(going) > _NAMES else ""
    raise PlanError(
        f"{plan.package.label}: the plan deletes {len(going)} of {len(units)} {what}, and `fail-if-more-than` is "
        f"{share}: nothing was changed. It would delete {names}{more}",
        "Look at the plan with `dry-run: true`; raise `fail-if-more-than`, or use `limit` to delete a few at a time.",
    )


def _is_unit(decision: Decision, plan: Plan) -> bool:
    return plan.package.type is not PackageType.CONTAINER or decision.root == decision.version.id
