"""Find when what stays will fall due: the plan is made anew at the moments at which ages pass what rules say.

Of all that a plan looks at, ages alone change by themselves. So a version falls due at one of the moments at which
something's age passes an `older-than`, a `newer-than`, its own expiry or the first 24 hours; only the plan shows at which.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from package_retention.decide.deletion_plan import deletion_plan
from package_retention.decide.durations import Duration
from package_retention.decide.expiry import image_expiry
from package_retention.decide.facts import Facts
from package_retention.decide.matching import GRACE
from package_retention.decide.rules import DecisionContext, PackageRules
from package_retention.model import Plan
from package_retention.reason import Reason
from package_retention.results import Due

PlanAt = Callable[[datetime], Plan]

WORK = 300_000
"""How many versions are decided on, over all the plans of one package: some six seconds."""

LEAST_PLANS, MOST_PLANS = 16, 1000

_EARLIEST = datetime.min.replace(tzinfo=UTC)
_TICK = timedelta(microseconds=1)
_GRACE = Duration("24h", 0, GRACE.total_seconds())


class Schedule(Struct, frozen=True):
    """When versions fall due, by id; `stays` says of every other version why it still stays once all else is due."""

    dues: Mapping[int, Due]
    stays: Mapping[int, Reason]


def schedule(
    facts: Facts,
    context: DecisionContext,
    alive: Callable[[], None] = lambda: None,
    most: int | None = None,
) -> Schedule:
    """Return when each version will fall due, those included that would go now, and why the others never will.

    `limit` is left aside: it only postpones. `alive` is called before each plan and may raise to end the work.
    `most` bounds the number of plans; by default it depends on the number of versions. Where there are more moments
    than that, they are narrowed down where most versions fall due, and the others' dues are not exact. Raise
    `PlanError` if a rule must not be applied to the package.
    """
    now, rules = context.now, context.rules
    unlimited = replace(context, rules=replace(rules, limit=None))

    def plan_at(moment: datetime) -> Plan:
        alive()
        return deletion_plan(facts, replace(unlimited, now=moment))

    times = (now, *(moment for moment in moments(facts, rules) if moment > now))
    if most is None:
        most = min(MOST_PLANS, max(LEAST_PLANS, WORK // max(1, len(facts.union))))
    dues, last = _one_by_one(times, plan_at) if len(times) <= most else _halving(times, plan_at, most)
    return Schedule(dues, {d.version.id: d.reason for d in last.decisions if d.version.id not in dues})


def moments(facts: Facts, rules: PackageRules) -> list[datetime]:
    """Return every moment at which the age of any version passes what any rule says, in order."""
    lengths = _lengths(rules)
    found = _ends(facts, rules)
    for then in {touched for version in facts.union if (touched := version.touched_at)}:
        for length, shift in lengths:
            with suppress(OverflowError, ValueError):
                found.update(length.turns(then + shift))
    return sorted(found)


def _ends(facts: Facts, rules: PackageRules) -> set[datetime]:
    """Return the moments at which images expire by their own labels."""
    if not any(rule.filter.expired for rule in rules.delete):
        return set()
    expiries = (image_expiry(facts, version, _EARLIEST) for version in facts.union)
    return {expiry.at for expiry in expiries if expiry.at}


def _lengths(rules: PackageRules) -> list[tuple[Duration, timedelta]]:
    """Return the durations in rules, with shifts: `newer-than` ends just after its moment, `older-than` begins at it."""
    filters = [rule.filter for rule in (*rules.delete, *rules.keep)]
    begins = dict.fromkeys(one.older_than for one in filters if one.older_than)
    if any(rule.filter.older_than is None for rule in rules.delete):
        begins[_GRACE] = None
    ends = dict.fromkeys(one.newer_than for one in filters if one.newer_than)
    return [*((length, timedelta()) for length in begins), *((length, _TICK) for length in ends)]


def _one_by_one(times: Sequence[datetime], plan_at: PlanAt) -> tuple[dict[int, Due], Plan]:
    dues: dict[int, Due] = {}
    for moment in times:
        plan = plan_at(moment)
        for i, reason in _selected(plan).items():
            dues.setdefault(i, Due(moment, moment, reason))
    return dues, plan


def _selected(plan: Plan) -> dict[int, Reason]:
    return {decision.version.id: decision.reason for decision in plan.decisions if decision.selected}


@dataclass(order=True, slots=True)
class _Span:
    """Versions that fall due after the moment numbered `low` and at the latest at the one numbered `high`."""

    rank: float
    low: int
    high: int
    reasons: Mapping[int, Reason] = field(compare=False)


def _halving(times: Sequence[datetime], plan_at: PlanAt, most: int) -> tuple[dict[int, Due], Plan]:
    """Halve spans of time, always the one in which the most versions wait the longest.

    It relies on versions staying due once they are; one that a later plan takes back may be reported too late, or as
    never due.
    """
    spans: list[_Span] = []

    def add(low: int, high: int, reasons: Mapping[int, Reason]) -> None:
        """Note a span that holds anything; those that can no longer be halved rank last."""
        if reasons:
            width = (times[high] - times[low]).total_seconds() if high - low > 1 else 0.0
            heapq.heappush(spans, _Span(-width * len(reasons), low, high, reasons))

    dues = {i: Due(times[0], times[0], reason) for i, reason in _selected(plan_at(times[0])).items()}
    plan = plan_at(times[-1])
    add(0, len(times) - 1, {i: reason for i, reason in _selected(plan).items() if i not in dues})
    for _ in range(most - 2):
        if not spans or spans[0].high - spans[0].low == 1:
            break
        span = heapq.heappop(spans)
        middle = (span.low + span.high) // 2
        then = _selected(plan_at(times[middle]))
        early = {i: then[i] for i in span.reasons if i in then}
        add(span.low, middle, early)
        add(middle, span.high, {i: reason for i, reason in span.reasons.items() if i not in early})
    for span in spans:
        by = times[span.low + 1], times[span.high]
        dues |= {i: Due(*by, reason) for i, reason in span.reasons.items()}
    return dues, plan
