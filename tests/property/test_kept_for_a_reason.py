"""Git, files and the images' own expiry at the level of plans: they only protect, and what is unknown stays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hypothesis import event, given, settings, strategies as st
from msgspec.structs import replace

from package_retention.decide.deletion_plan import deletion_plan
from package_retention.decide.ecosystems import VersionParser
from package_retention.decide.in_use import Reference, ReferenceIndex
from package_retention.decide.patterns import Patterns
from package_retention.decide.rules import DecisionContext, Filter, PackageRules, Retention, Rule
from package_retention.decide.source_gone import GitNames
from package_retention.model import (
    GitKind,
    Manifest,
    PackageType,
    RepositoryNames,
    Unlisted,
    UnlistedCause,
    Unreadable,
)
from package_retention.reason import FindingCode, ReasonCode
from property.worlds import NOW, PACKAGE, TAGS, packages

if TYPE_CHECKING:
    from collections.abc import Mapping

    from package_retention.decide.facts import Facts
    from package_retention.model import Plan

MANY = settings(max_examples=150, deadline=None)
# More of what is named after git than the tags of other worlds are.
AFTER_GIT = {
    "latest": "pr-3",
    "v1": "pr-4",
    "v2": "sha-1234567",
    "stable": "pr-5",
    "1.2.4": "sha-7654321",
    "1.3.0": "login",
}
GLOBS = ("deploy/*.yaml",)
REPOSITORY = "octo/app"
NOTHING_LISTED = Unlisted(UnlistedCause.FORBIDDEN, "403")
FULL = RepositoryNames(
    REPOSITORY,
    dict.fromkeys(GitKind, frozenset(TAGS)) | {GitKind.PULL_REQUEST: frozenset({"1", "2"})},
    newest_pull_request=9,
)


def planned(facts: Facts, rules: PackageRules) -> Plan:
    """The plan once all is read that it asks for; labels that are not known by then are unreadable."""
    numbers = VersionParser(PackageType.CONTAINER)
    while True:
        plan = deletion_plan(facts, DecisionContext(rules, numbers, NOW, when_empty=True))
        more = {config: Unreadable("403") for config in plan.unread_configs}
        unread = [digest for digest in plan.unread if digest not in facts.readings]
        if not more and not unread:
            return plan
        silent: Mapping[str, Manifest] = {digest: Manifest(digest, "") for digest in unread}
        facts = replace(facts, labels={**facts.labels, **more}, readings={**facts.readings, **silent})


def images_gone(plan: Plan) -> set[int]:
    """The roots that go: which attestation stays beside a platform may differ with the rules."""
    return {one.version.id for one in plan.decisions if one.selected and one.root == one.version.id}


def may_go(plan: Plan) -> set[int]:
    """The roots that go, and what GitHub alone keeps because all other tagged images would go, with all that it needs.

    That one may go where another stays, so it belongs to what no protection can add.
    """
    held = {one.version.label: one.version.id for one in plan.decisions if one.reason.code is ReasonCode.LAST}
    waiting = [one for one in plan.decisions if one.reason.code is ReasonCode.NEEDED]
    while more := {one.version.label: one.version.id for one in waiting if one.reason.subject in held}:
        waiting = [one for one in waiting if one.version.label not in more]
        held |= more
    return images_gone(plan) | set(held.values())


@dataclass(frozen=True)
class Scene:
    facts: Facts
    rules: PackageRules


def unlisted(plan: Plan) -> bool:
    """Whether the run fails over what could not be listed."""
    codes = (FindingCode.GIT_UNLISTED, FindingCode.GIT_FORBIDDEN)
    return any(one.code in codes for one in plan.problems)


@st.composite
def repositories(draw: st.DrawFn) -> RepositoryNames:
    names = st.frozensets(st.sampled_from(TAGS), max_size=4)
    numbers = st.frozensets(st.sampled_from(("1", "2", "3", "4", "5")), max_size=3)
    lists = {kind: draw(numbers if kind is GitKind.PULL_REQUEST else names) for kind in GitKind}
    return RepositoryNames(REPOSITORY, lists, draw(st.sampled_from((1, 4, 9, 9))))


_KINDS = st.frozensets(st.sampled_from(GitKind), min_size=1)
_PATTERNS = st.sampled_from(("pr-*", "*", "*, !stable", r"/^pr-(\d+)$/", "*.*.*\nlogin")).map(Patterns.parse)
_LABELS = st.sampled_from((None, "1h", "1h", "1h", "2w", "52w", "soon", Unreadable("500")))


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    """A package, what its repository lists, what its configs say, and one delete rule of each kind at most."""
    built = packages(most=8)
    facts = draw(built).facts()
    if draw(st.booleans()):
        versions = tuple(
            replace(one, tags=tuple(AFTER_GIT.get(tag, tag) for tag in one.tags)) for one in facts.first
        )
        facts = replace(facts, first=versions, latest=versions)
    readings = {
        digest: replace(reading, config=f"config of {digest}")
        if isinstance(reading, Manifest) and not reading.is_index
        else reading
        for digest, reading in facts.readings.items()
    }
    labels = {f"config of {digest}": draw(_LABELS) for digest in readings}
    facts = replace(facts, readings=readings, labels=labels, git=GitNames((draw(repositories()),)))
    minimum = draw(st.sampled_from((0, 0, 1)))
    by_source = Filter(versions=draw(_PATTERNS), source_gone=draw(_KINDS))
    by_expiry = Filter(versions=draw(_PATTERNS), expired=True)
    filters = draw(st.sampled_from(((by_source,), (by_expiry,), (by_source, by_expiry))))
    rules = tuple(Rule(f"rule {n}", each, Retention(minimum)) for n, each in enumerate(filters))
    companions = draw(st.sampled_from((None, Patterns.parse("sha-*"), Patterns.parse("v*"))))
    return Scene(
        facts, PackageRules(PackageType.CONTAINER, Patterns.parse("app"), delete=rules, companions=companions)
    )


def with_git(facts: Facts, repository: RepositoryNames) -> Facts:
    return replace(facts, git=GitNames((repository,)))


@MANY
@given(scenes(), st.sampled_from(TAGS), _KINDS)
def test_what_protects_only_protects(scene: Scene, tag: str, kinds: frozenset[GitKind]) -> None:
    """References, and both keep rules, take nothing more away, and each says why what it keeps stays."""
    plan = planned(scene.facts, scene.rules)
    before = may_go(plan)
    event(f"{min(len(images_gone(plan)), 2)} images go")
    index = ReferenceIndex((Reference("ghcr.io/octo/app", "deploy/a.yaml", 7, tag=tag),))
    used = index.protected("octo", PackageType.CONTAINER, PACKAGE.name, "ghcr.io", scene.facts.union)
    facts = replace(scene.facts, in_use={GLOBS: used})
    for rules in (
        replace(scene.rules, referenced_in=GLOBS),
        replace(scene.rules, keep=(Rule("keep", Filter(referenced_in=GLOBS)),)),
        replace(scene.rules, keep=(Rule("keep", Filter(source_exists=kinds)),)),
    ):
        plan = planned(facts, rules)
        assert images_gone(plan) <= before
        if rules.referenced_in or rules.keep[0].filter.referenced_in:
            assert not used.reasons.keys() & {one.version.id for one in plan.decisions if one.selected}


@MANY
@given(scenes())
def test_a_condition_more_takes_nothing_more_away(scene: Scene) -> None:
    wider = tuple(
        replace(rule, filter=replace(rule.filter, source_gone=frozenset(), expired=False))
        for rule in scene.rules.delete
    )
    plan = planned(scene.facts, replace(scene.rules, delete=wider))
    assert images_gone(planned(scene.facts, scene.rules)) <= may_go(plan)


@MANY
@given(scenes(), repositories())
def test_what_opens_takes_nothing_more_away(scene: Scene, more: RepositoryNames) -> None:
    """Things that come to be never make anything more gone; the number of the newest pull request stays as it is."""
    (now,) = scene.facts.git.repositories if scene.facts.git else (more,)
    lists: dict[GitKind, frozenset[str] | Unlisted] = {}
    for kind in GitKind:
        before, opened = now.listed(kind), more.listed(kind)
        assert isinstance(before, frozenset)
        assert isinstance(opened, frozenset)
        lists[kind] = before | opened
    then = replace(now, lists=lists)
    went = may_go(planned(scene.facts, scene.rules))
    assert images_gone(planned(with_git(scene.facts, then), scene.rules)) <= went


@MANY
@given(scenes(), st.sampled_from(GitKind))
def test_what_could_not_be_listed_takes_nothing_away(scene: Scene, kind: GitKind) -> None:
    """Nothing goes by a kind that is unknown; a keep rule of that kind keeps all that it could mean."""
    (now,) = scene.facts.git.repositories if scene.facts.git else (FULL,)
    facts = with_git(scene.facts, replace(now, lists={**now.lists, kind: NOTHING_LISTED}))
    by_source = tuple(
        replace(rule, filter=replace(rule.filter, source_gone=frozenset({kind})))
        for rule in scene.rules.delete
        if rule.filter.source_gone
    )
    plan = planned(facts, replace(scene.rules, delete=by_source))
    assert images_gone(plan) == set()
    assert unlisted(plan) == bool(by_source)
    keep = (Rule("keep", Filter(source_exists=frozenset({kind}))),)
    kept = planned(facts, replace(scene.rules, keep=keep))
    assert images_gone(kept) == set()
    assert unlisted(kept)


@MANY
@given(scenes())
def test_what_cannot_be_read_never_expires(scene: Scene) -> None:
    facts = replace(scene.facts, labels={})
    rules = replace(scene.rules, delete=tuple(one for one in scene.rules.delete if one.filter.expired))
    plan = planned(facts, rules)
    assert images_gone(plan) == set()
