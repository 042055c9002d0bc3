"""Find when what stays will fall due: the plan is made anew at the moments at which ages pass what rules say.

Of all that a plan looks at, ages alone change by themselves. So a version falls due at one of the moments at which
something's age passes an `older-than`, a `newer-than`, its own expiry or the first 24 hours; only the plan shows at which.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
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
from package_retention.model import Decision
from package_retention.reason import Reason
from package_retention.results import Due

PlanAt = Callable[[datetime], Mapping[int, Decision]]

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

    def plan_at(moment: datetime) -> Mapping[int, Decision]:
        alive()
        plan = deletion_plan(facts, replace(unlimited, now=moment))
        return {decision.version.id: decision for decision in plan.decisions}

    times = (now, *(moment for moment in moments(facts, rules) if moment > now))
    if most is None:
        most = min(MOST_PLANS, max(LEAST_PLANS, WORK // max(1, len(facts.union))))
    return _one_by_one(times, plan_at) if len(times) <= most else _halving(times, plan_at, most)


def moments(facts: Facts, rules: PackageRules) -> list[datetime]:
    """Return every moment at which the age of any version passes what any rule says, in order."""
    touched = {version.touched_at for version in facts.union} - {None}
    found: set[datetime] = set()
    for then in touched:
        for length, shift in _lengths(rules):
            try:
                found.update(length.turns(then + shift)) if then else None
            except (OverflowError, ValueError):
                continue
    return sorted(found | _ends(facts, rules))


def _ends(facts: Facts, rules: PackageRules) -> set[datetime]:
    """Return the moments at which images expire by their own labels."""
    if not any(rule.filter.expired for rule in rules.delete):
        return set()
    expiries = (image_expiry(facts, version, _EARLIEST) for version in facts.union)
    return {expiry.at for expiry in expiries if expiry.at}


def _lengths(rules: PackageRules) -> list[tuple[Duration, timedelta]]:
    """Return the durations in rules, with shifts: `newer-than` ends just after its moment, `older-than` begins at it."""
    older = [rule.filter.older_than for rule in (*rules.delete, *rules.keep)]
    newer = [rule.filter.newer_than for rule in (*rules.delete, *rules.keep)]
    grace = [_GRACE] if any(rule.filter.older_than is None for rule in rules.delete) else []
    begins = dict.fromkeys((length, timedelta()) for length in (*older, *grace) if length)
    return [*begins, *dict.fromkeys((length, _TICK) for length in newer if length)]


def _one_by_one(times: Sequence[datetime], plan_at: PlanAt) -> Schedule:
    dues: dict[int, Due] = {}
    plan: Mapping[int, Decision] = {}
    for moment in times:
        plan = plan_at(moment)
        for version_id, reason in _selected(plan).items():
            dues.setdefault(version_id, Due(moment, moment, reason))
    return _with_stays(dues, plan)


def _selected(plan: Mapping[int, Decision]) -> dict[int, Reason]:
    return {version_id: decision.reason for version_id, decision in plan.items() if decision.selected}


def _with_stays(dues: Mapping[int, Due], last: Mapping[int, Decision]) -> Schedule:
    return Schedule(dues, {i: decision.reason for i, decision in last.items() if i not in dues})


@dataclass(order=True, slots=True)
class _Span:
    """Versions that fall due after the moment numbered `low` and at the latest at the one numbered `high`."""

    rank: float
    low: int
    high: int
    reasons: Mapping[int, Reason] = field(compare=False)


def _halving(times: Sequence[datetime], plan_at: PlanAt, most: int) -> Schedule:
    """Halve spans of time, always the one in which the most versions wait the longest.

    It relies on versions staying due once they are; one that a later plan takes back may be reported too late, or as
    never due.
    """
    last = len(times) - 1
    dues = {i: Due(times[0], times[0], reason) for i, reason in _selected(plan_at(times[0])).items()}
    plan = plan_at(times[last])
    spans: list[_Span] = []
    _add(spans, times, 0, last, {i: r for i, r in _selected(plan).items() if i not in dues})
    for _ in range(most - 2):
        if not spans or spans[0].high - spans[0].low == 1:
            break
        span = heapq.heappop(spans)
        middle = (span.low + span.high) // 2
        then = _selected(plan_at(times[middle]))
        early = {i: then[i] for i in span.reasons if i in then}
        _add(spans, times, span.low, middle, early)
        _add(spans, times, middle, span.high, {i: r for i, r in span.reasons.items() if i not in early})
    return _with_stays(dues | {i: due for span in spans for i, due in _dues(span, times)}, plan)


def _add(
    spans: list[_Span], times: Sequence[datetime], low: int, high: int, reasons: Mapping[int, Reason]
) -> None:
    """Note a span that holds anything; those that can no longer be halved rank last."""
    if reasons:
        width = (times[high] - times[low]).total_seconds() if high - low > 1 else 0.0
        heapq.heappush(spans, _Span(-width * len(reasons), low, high, reasons))


def _dues(span: _Span, times: Sequence[datetime]) -> Iterable[tuple[int, Due]]:
    for version_id, reason in span.reasons.items():
        yield version_id, Due(times[span.low + 1], times[span.high], reason)
