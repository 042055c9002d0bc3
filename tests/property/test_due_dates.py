"""When a version falls due is when a plan made then deletes it, and no plan made sooner does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import assume, given, settings, strategies as st
from msgspec.structs import replace

from drawing import builds
from package_retention.decide.deletion_plan import deletion_plan
from package_retention.decide.due_dates import moments, schedule
from package_retention.decide.durations import Duration
from package_retention.decide.ecosystems import VersionParser
from package_retention.decide.facts import Facts
from package_retention.decide.patterns import Patterns
from package_retention.decide.rules import (
    DecisionContext,
    Filter,
    PackageRules,
    Retention,
    Rule,
    TagStatus,
)
from package_retention.errors import PlanError
from package_retention.model import Owner, OwnerKind, Package, PackageType, Plan, Version
from package_retention.output.sentences import reason_words
from property.worlds import NOW, Built, package_rules, packages

EXAMPLES = settings(max_examples=100, deadline=None)
FEW = settings(max_examples=60, deadline=None)
TICK = timedelta(microseconds=1)
NPM = Package(Owner("octo", OwnerKind.ORGANIZATION), PackageType.NPM, "lib")

DAYS = st.datetimes(datetime(2023, 1, 1), datetime(2028, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - given one
LENGTHS = st.sampled_from(
    ("0s", "90min", "36h", "30d", "1 month", "3 months", "12 months", "1 month 5 days")
).map(Duration.parse)


def plan(facts: Facts, rules: PackageRules, at: datetime) -> Plan:
    numbers = VersionParser(facts.package.type)
    try:
        return deletion_plan(facts, DecisionContext(replace(rules, limit=None), numbers, at, when_empty=True))
    except PlanError:
        assume(False)
        raise


def going(facts: Facts, rules: PackageRules, at: datetime) -> set[int]:
    return {decision.version.id for decision in plan(facts, rules, at).decisions if decision.selected}


@st.composite
def timed_rules(draw: st.DrawFn) -> PackageRules:
    """Rules that look at ages more than at anything else."""
    lengths = st.sampled_from(("1h", "20h", "2d", "30d", "3 months")).map(Duration.parse)
    patterns = st.sampled_from(("*", "v*", "!v2")).map(Patterns.parse)
    condition = builds(
        Filter,
        versions=st.none() | patterns,
        tag_status=st.none() | st.sampled_from(TagStatus),
        older_than=st.none() | lengths,
    )
    fresh = builds(Filter, newer_than=lengths)
    retention = builds(Retention, st.integers(0, 2))
    delete = st.lists(builds(Rule, st.sampled_from("ab"), condition, retention), min_size=1, max_size=2)
    keep = st.lists(builds(Rule, st.just("k"), fresh, retention), max_size=1)
    return PackageRules(
        PackageType.CONTAINER, Patterns.parse("app"), delete=tuple(draw(delete)), keep=tuple(draw(keep))
    )


def made_young(built: Built, factor: int) -> Facts:
    """The same package with all ages divided: most of what rules ask then lies in the future."""
    facts = built.facts()
    versions = tuple(
        replace(v, created_at=at, updated_at=at)
        for v in facts.first
        if (at := NOW - (NOW - (v.created_at or NOW)) / factor)
    )
    return replace(facts, first=versions, latest=versions)


def numbers_of(facts: Facts) -> VersionParser:
    return VersionParser(facts.package.type)


@settings(max_examples=100, deadline=None)
@given(DAYS, LENGTHS, st.data())
def test_between_two_turns_the_answer_does_not_change(
    moment: datetime, length: Duration, data: st.DataObject
) -> None:
    turns = length.turns(moment)
    assert list(turns) == sorted(turns)
    assert length.before(turns[0]) >= moment > length.before(turns[0] - TICK)
    other = data.draw(st.datetimes(datetime(2022, 1, 1), datetime(2031, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
    near = data.draw(st.sampled_from(turns)) + timedelta(minutes=data.draw(st.integers(-5000, 5000)))
    for at in (other, near):
        passed = [turn for turn in turns if turn <= at]
        there = length.before(passed[-1]) >= moment if passed else False
        assert (length.before(at) >= moment) is there


@EXAMPLES
@given(packages(most=8), timed_rules() | package_rules(), st.sampled_from((1, 5, 100)), st.data())
def test_each_falls_due_when_a_plan_deletes_it_and_not_before(
    built: Built, rules: PackageRules, factor: int, data: st.DataObject
) -> None:
    facts = made_young(built, factor)
    going(facts, rules, NOW)
    dues = schedule(facts, DecisionContext(rules, numbers_of(facts), NOW, when_empty=True)).dues
    assert going(facts, rules, NOW) == {i for i, due in dues.items() if due.by == NOW}
    ends = {due.by for due in dues.values()}
    for moment in ends:
        then = {d.version.id: d for d in plan(facts, rules, moment).decisions}
        due_then = {i for i, due in dues.items() if due.by == moment}
        assert all(then[i].selected and then[i].reason == dues[i].reason for i in due_then)
        assert all(dues[i].not_before == dues[i].by for i in due_then)
    horizon = data.draw(st.sampled_from((48, 48, 2400, 9600)))
    looks = data.draw(st.lists(st.integers(0, horizon * 60), max_size=6))
    before = [moment - TICK for moment in ends if moment > NOW]
    for at in (*before, *(NOW + timedelta(minutes=minutes) for minutes in looks)):
        assert all(i in dues and dues[i].by <= at for i in going(facts, rules, at))


@st.composite
def small_worlds(draw: st.DrawFn) -> tuple[Facts, PackageRules]:
    """An npm package whose whole future lies in the next three days, so that every hour of it can be tried."""
    hours = draw(st.lists(st.integers(0, 60), min_size=1, max_size=6))
    times = [NOW - timedelta(hours=one) for one in hours]
    versions = tuple(Version(n, f"1.{n}.0", at, at) for n, at in enumerate(times, 1))
    lengths = st.sampled_from(("1h", "12h", "1d", "2d", "60h")).map(Duration.parse)
    retention = builds(Retention, st.integers(0, 3))
    delete = builds(
        Rule, st.sampled_from(("a", "b")), builds(Filter, older_than=st.none() | lengths), retention
    )
    keep = builds(Rule, st.just("k"), builds(Filter, newer_than=lengths), retention)
    rules = PackageRules(
        PackageType.NPM,
        Patterns.parse("lib"),
        delete=tuple(draw(st.lists(delete, min_size=1, max_size=2))),
        keep=tuple(draw(st.lists(keep, max_size=2))),
    )
    return Facts(NPM, versions, versions), rules


@EXAMPLES
@given(small_worlds())
def test_dues_are_those_of_trying_every_moment(world: tuple[Facts, PackageRules]) -> None:
    facts, rules = world
    tried: dict[int, datetime] = {}
    for hour in range(130):
        for at in (NOW + timedelta(hours=hour), NOW + timedelta(hours=hour) + TICK):
            for version_id in going(facts, rules, at):
                tried.setdefault(version_id, at)
    scheduled = schedule(facts, DecisionContext(rules, numbers_of(facts), NOW, when_empty=True))
    assert {i: due.by for i, due in scheduled.dues.items()} == tried
    assert scheduled.stays.keys() == {v.id for v in facts.first} - tried.keys()


@FEW
@given(packages(), timed_rules(), st.integers(2, 12), st.sampled_from((5, 20, 100)))
def test_fewer_plans_give_wider_dues_that_hold_the_exact_ones(
    built: Built, rules: PackageRules, most: int, factor: int
) -> None:
    assume(not any(m and m.months for m in durations(rules)))
    facts = made_young(built, factor)
    # `_halving` rests on versions that stay due once they are. A keep rule that counts what is newer than something may
    # take one back, and so may a tagged platform that matches later and shares its place with its index.
    selected = [going(facts, rules, at) for at in (NOW, *(at for at in moments(facts, rules) if at > NOW))]
    assume(all(before <= after for before, after in pairwise(selected)))
    exact = schedule(facts, DecisionContext(rules, numbers_of(facts), NOW, when_empty=True), most=10_000).dues
    made = 0

    def count() -> None:
        nonlocal made
        made += 1

    rough = schedule(
        facts, DecisionContext(rules, numbers_of(facts), NOW, when_empty=True), count, most=most
    ).dues
    assert made <= most
    assert rough.keys() == exact.keys()
    for version_id, due in rough.items():
        assert due.not_before <= exact[version_id].by <= due.by
    many = schedule(
        facts,
        DecisionContext(rules, numbers_of(facts), NOW, when_empty=True),
        most=1 + len(moments(facts, rules)),
    )
    assert many.dues == exact


def durations(rules: PackageRules) -> list[Duration | None]:
    return [
        length for r in (*rules.delete, *rules.keep) for length in (r.filter.older_than, r.filter.newer_than)
    ]


def test_a_limit_postpones_and_is_no_due() -> None:
    versions = tuple(
        Version(n, f"1.{n}.0", NOW - timedelta(days=n), NOW - timedelta(days=n)) for n in (1, 2, 40, 50)
    )
    rule = Rule("the inputs", Filter(older_than=Duration.parse("30d")))
    rules = PackageRules(PackageType.NPM, Patterns.parse("lib"), delete=(rule,), limit=1)
    facts = Facts(NPM, versions, versions)
    dues = schedule(facts, DecisionContext(rules, numbers_of(facts), NOW)).dues
    assert {i: (due.by - NOW).days for i, due in dues.items()} == {40: 0, 50: 0, 2: 28}
    assert (
        reason_words(dues[2].reason) == "30 days old (older than 30 days)"
    )  # and 1, the newest, stays: GitHub keeps the last
