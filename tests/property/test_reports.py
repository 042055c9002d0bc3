"""Whatever the package: a restore by report is the inverse of its deletion, and no report widens what a step does."""

from __future__ import annotations

import json
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings, strategies as st

from emulator import shapes
from emulator.faults import Fault, Kind
from emulator.images import push_image
from package_retention.decide.deletion_plan import deletion_plan
from package_retention.decide.ecosystems import VersionParser
from package_retention.decide.graph import derived_subject
from package_retention.decide.patterns import Patterns
from package_retention.decide.rules import DecisionContext
from package_retention.errors import PlanError
from package_retention.inputs.report_reader import Report, ReportedPackage, ReportedStep
from package_retention.model import Operation, PackageType, StepKind, Version
from package_retention.pipeline.review import Review
from package_retention.report_format import SCHEMA, Run
from property.worlds import NOW, PACKAGE, TAGS, package_rules, packages
from scene import Scene, scene

if TYPE_CHECKING:
    from collections.abc import Iterator

    from package_retention.model import Plan

RUNS = settings(max_examples=30, deadline=None)
PLANS = settings(max_examples=120, deadline=None)

# Random packages on the embedded GitHub


@dataclass(frozen=True)
class Push:
    """One push: an image of its own, or an index over images that are there."""

    tags: tuple[str, ...]
    days: int
    platforms: int
    attestations: bool
    signed: Any
    shares: tuple[int, ...]


@st.composite
def pushes(draw: st.DrawFn) -> list[Push]:
    """Draw two to six pushes; a tag is pushed once."""
    free = list(TAGS)
    found = []
    for _ in range(draw(st.integers(2, 6))):
        count = min(len(free), draw(st.integers(0, 2)))
        tags = tuple(free.pop(draw(st.integers(0, len(free) - 1))) for _ in range(count))
        found.append(
            Push(
                tags,
                draw(st.integers(2, 200)),
                draw(st.integers(0, 2)),
                draw(st.booleans()),
                draw(st.sampled_from(("", "cosign", "bundle"))),
                tuple(draw(st.lists(st.integers(0, 5), max_size=2))),
            )
        )
    return found


def build(made: Scene, recipe: list[Push]) -> None:
    plain: list[shapes.Shape] = []
    for push in recipe:
        shared = [plain[place % len(plain)] for place in push.shares] if plain else []
        if shared:
            entries = [
                shapes.descriptor(one, "linux/amd64") for one in {s.digest: s for s in shared}.values()
            ]
            index = shapes.index(entries, annotations={"n": str(len(made.app.versions))})
            made.add(index, *push.tags, created=push.days)
        else:
            names = ("linux/amd64", "linux/arm64")[: push.platforms]
            image = push_image(
                made.world,
                made.app,
                push.tags,
                platforms=names,
                attestations=push.attestations,
                signed=push.signed,
                created=push.days,
            )
            plain += image.platforms


def sensible(given: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is refused together: neither a pattern on tags nor `untag` means what is untagged."""
    if given.get("tag_status") == "untagged":
        given = {name: value for name, value in given.items() if name not in ("versions", "untag")}
    return given if set(given) & FILTERS else {**given, "versions": "*"}


FILTERS = {"versions", "tag_status", "older_than", "min_versions_to_keep", "limit"}
DELETIONS: Any = st.fixed_dictionaries(
    {},
    optional={
        "versions": st.sampled_from(("*", "v*", "pr-*", "1.*", "/^[v1]/", "*, !stable", "latest")),
        "tag_status": st.sampled_from(("tagged", "untagged")),
        "older_than": st.sampled_from(("0s", "30d", "3 months")),
        "exclude_versions": st.sampled_from(("stable", "v1*")),
        "min_versions_to_keep": st.sampled_from(("1", "2")),
        "limit": st.sampled_from(("1", "2", "3")),
        "untag": st.just("true"),
        "delete_package": st.just("when-empty"),
    },
).map(sensible)


@contextmanager
def opened(recipe: list[Push], **switches: Any) -> Iterator[Scene]:
    with tempfile.TemporaryDirectory() as place, scene(Path(place), **switches) as made:
        build(made, recipe)
        yield made


def snapshot(made: Scene, of: set[int]) -> dict[int, Any]:
    """The package's versions as values; what runs pushed only to take a tag along is left out."""
    return {
        version.id: (version.name, sorted(version.tags), version.deleted_at, version.manifest)
        for version in made.app.versions.values()
        if version.id in of
    }


@RUNS
@given(pushes(), DELETIONS, st.booleans(), st.booleans())
def test_delete_then_restore_is_the_identity(
    recipe: list[Push], given_: dict[str, Any], tags_come_back: bool, rows_have_tags: bool
) -> None:
    with opened(
        recipe, restored_versions_get_tags_back=tags_come_back, deleted_versions_keep_tags=rows_have_tags
    ) as made:
        ids = set(made.app.versions)
        before = snapshot(made, ids)
        made.delete(**given_, report_file="report.jsonl")
        made.restore(from_report="report.jsonl")
        if not tags_come_back:
            # `latest` is put back only where it is named.
            made.restore(from_report="report.jsonl", versions="latest")
        assert snapshot(made, ids) == before
        assert not made.app.deleted_at
        assert {version.id for version in made.app.active()} == ids


@RUNS
@given(pushes(), DELETIONS, st.booleans(), st.integers(0, 60), st.sampled_from(("cancel", "outage")))
def test_an_undo_that_was_cut_is_finished_by_the_next(
    recipe: list[Push], given_: dict[str, Any], tags_come_back: bool, number: int, how: str
) -> None:
    """Whichever request a cancel, or an outage of the registry, comes before."""
    with opened(recipe, restored_versions_get_tags_back=tags_come_back) as made:
        ids = set(made.app.versions)
        before = snapshot(made, ids)
        made.delete(**given_, report_file="report.jsonl")
        outage = Fault(Kind.UNAVAILABLE, registry=True, times=None)
        act = made.clock.signal if how == "cancel" else lambda: made.world.faults.add(outage)
        made.when(lambda _: True, act, skip=number)
        made.step(operation="restore", from_report="report.jsonl")
        made.world.before_request.clear()
        made.world.faults.clear()
        made.restore(from_report="report.jsonl")
        if not tags_come_back:
            made.restore(from_report="report.jsonl", versions="latest")
        assert snapshot(made, ids) == before
        assert {version.id for version in made.app.active()} == ids


@RUNS
@given(pushes(), DELETIONS, st.data())
def test_what_somebody_else_deletes_in_between_stays_deleted(
    recipe: list[Push], given_: dict[str, Any], data: st.DataObject
) -> None:
    given_ = {name: value for name, value in given_.items() if name != "delete_package"}
    with opened(recipe) as made:
        ids = set(made.app.versions)
        before = snapshot(made, ids)
        made.delete(**given_, report_file="report.jsonl")
        left = sorted(version.id for version in made.app.active() if version.id in ids)
        theirs = data.draw(st.lists(st.sampled_from(left), unique=True, max_size=3))
        for number in theirs:
            made.app.versions[number].deleted_at = made.clock.now()
        made.restore(from_report="report.jsonl")
        # A tag is taken by `untag`, too: `latest` is put back only where it is named.
        made.restore(from_report="report.jsonl", versions="latest")
        now = snapshot(made, ids)
        assert all(made.app.versions[number].deleted_at for number in theirs)
        assert {i: one for i, one in now.items() if i not in theirs} == {
            i: one for i, one in before.items() if i not in theirs
        }


# Forged reports, as files


@st.composite
def forged(draw: st.DrawFn, lines: list[dict[str, Any]], everything: list[Any]) -> bytes:
    """Edit a report: other ids, names, tags, owners, kinds; lines left out, repeated, or of no report."""
    lines = [json.loads(json.dumps(line)) for line in lines]
    derived = [f"{one.name.replace(':', '-')}{end}" for one in everything for end in ("", ".sig")]
    minted = st.sampled_from([*TAGS, *derived, "never-was"])
    for _ in range(draw(st.integers(1, 6))):
        line = draw(st.sampled_from(lines))
        what = draw(st.sampled_from(("id", "mint", "owner", "drop", "twice", "select", "change", "junk")))
        version = draw(st.sampled_from(everything))
        if what == "drop":
            lines.remove(line)
        elif what == "twice":
            lines.append(line)
        elif what == "owner" and "owner" in line:
            line[draw(st.sampled_from(("owner", "name", "type")))] = draw(
                st.sampled_from(("octo", "app", "evil", "npm", "container", "OCTO"))
            )
        elif what == "select" and "selected" in line:
            line["selected"] = True
        elif what == "change" and "change" in line:
            line["change"] = draw(st.sampled_from(StepKind)).value
        elif what == "junk":
            line[draw(st.sampled_from(sorted(line)))] = draw(JUNK)
        elif what == "mint" and isinstance(line.get("version"), dict):
            line["version"]["tags"] = draw(st.lists(minted, min_size=1, max_size=3, unique=True))
            line["untag" if line["kind"] == "decision" else "tags"] = line["version"]["tags"]
        elif "version" in line:
            line["version"] = {"id": version.id, "name": version.name, "tags": list(version.tags)}
            line["selected"] = True
            if "change" in line:
                line.pop("selected")
                line["tags"] = list(version.tags)
        if not lines:
            break
    ending = draw(st.sampled_from((b"", b"{", b"[]\n", b"\xff\n", b'{"kind":"run"}\n')))
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines) + ending


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 10**30),
    st.text(max_size=5),
    st.just([]),
    st.just({}),
    st.just([{"id": 1}]),
)


@RUNS
@given(pushes(), DELETIONS, st.data())
def test_a_forged_report_deletes_nothing_that_the_step_alone_would_not(
    recipe: list[Push], given_: dict[str, Any], data: st.DataObject
) -> None:
    with opened(recipe) as made:
        made.step(versions="*", report_file="plan.jsonl", dry_run="true")
        alone = made.step(**given_, dry_run="true")
        assert alone.status == 0, alone.log
        lines = [json.loads(line) for line in (made.folder / "plan.jsonl").read_text().splitlines()]
        everything = list(made.app.versions.values())
        (made.folder / "plan.jsonl").write_bytes(data.draw(forged(lines, everything)))
        ran = made.step(**given_, from_report="plan.jsonl")
        assert ran.status in (0, 1)
        assert "unexpected" not in ran.log
        allowed = set(alone.ids("selected-version-ids"))
        gone = {version.id for version in everything if version.deleted_at}
        if made.app.deleted_at:
            gone = {version.id for version in everything}
        assert gone <= allowed
        assert set(ran.ids("selected-version-ids")) <= allowed


UNDOES: Any = st.fixed_dictionaries(
    {},
    optional={
        "versions": st.sampled_from(("*", "pr-*", "v*, !v2", "latest", "/^1[.]/", "stable, latest")),
        "exclude_versions": st.sampled_from(("stable", "v1*", "/\\.sig$/", "never-*")),
        "tag_status": st.just("tagged"),
    },
)


def may_have(made: Scene, tag: str, undo: dict[str, Any]) -> bool:
    """Whether the inputs of an undo let a tag be put back at all."""
    if "exclude_versions" in undo and Patterns.parse(undo["exclude_versions"]).matches(tag):
        return False
    subject = derived_subject(tag)
    if subject is not None:
        # What was an orphan has no subject there: without a pattern, its tag comes back with it.
        return subject in made.there or undo.keys().isdisjoint(("versions", "tag_status"))
    wanted = Patterns.parse(undo["versions"]) if "versions" in undo else None
    if tag == "latest":
        return wanted is not None and wanted.literally(tag)
    return wanted is None or wanted.matches(tag)


@st.composite
def minting(draw: st.DrawFn, made: Scene, lines: list[dict[str, Any]], had: dict[int, list[str]]) -> bytes:
    """Draw a report that says of any version that it was deleted or lost tags, and which; `had` is what decisions say."""
    everything = list(made.app.versions.values())
    derived = [f"{one.name.replace(':', '-')}{end}" for one in everything for end in ("", ".sig")]
    minted = st.lists(st.sampled_from([*TAGS, *derived, "never-was"]), max_size=4, unique=True)
    told = [line for line in lines if line["kind"] in ("run", "package")]
    for number, one in enumerate(draw(st.permutations(everything))):
        tags, loses = draw(minted), draw(st.booleans())
        decided = had.get(one.id, []) if had else draw(st.sampled_from((tags, list(one.tags))))
        version = {"id": one.id, "name": one.name}
        decision = {"kind": "decision", "package": 0, "version": version | {"tags": decided}}
        decision |= {"selected": False, "untag": tags or ["never-was"]} if loses else {"selected": True}
        step = {
            "kind": "step",
            "step": number,
            "package": 0,
            "version": version | {"tags": tags},
            "tags": tags,
        }
        step |= {
            "change": "untag" if loses else "delete-version",
            "root": draw(st.sampled_from(everything)).id,
        }
        outcome = {"kind": "outcome", "step": number, "result": "done", "tags": tags if loses else []}
        told += [decision, step, {"kind": "starting", "step": number}, outcome]
    return b"".join(json.dumps(line).encode() + b"\n" for line in told)


@RUNS
@given(pushes(), DELETIONS, UNDOES, st.booleans(), st.data())
def test_a_forged_report_mints_no_tags(
    recipe: list[Push], given_: dict[str, Any], undo: dict[str, Any], decided: bool, data: st.DataObject
) -> None:
    """Not even where its decisions are forged, too, does a tag pass that the step's own inputs do not let through."""
    given_ = {name: value for name, value in given_.items() if name != "delete_package"}
    with opened(recipe, restored_versions_get_tags_back=False) as made:
        had = {version.id: list(version.tags) for version in made.app.versions.values()}
        made.delete(**given_, report_file="report.jsonl")
        path = made.folder / "report.jsonl"
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        path.write_bytes(data.draw(minting(made, lines, {} if decided else had)))
        before = {version.id: set(version.tags) for version in made.app.active()}
        holders = made.tags
        ran = made.step(operation="restore", from_report="report.jsonl", **undo)
        assert ran.status in (0, 1)
        assert "unexpected" not in ran.log
        for version in made.app.active():
            new = set(version.tags) - before.get(version.id, set())
            assert all(may_have(made, tag, undo) for tag in new), (new, ran.log)
            assert new.isdisjoint(holders)
            assert decided or new <= set(had.get(version.id, ()))
        assert holders.items() <= made.tags.items(), "a tag was moved"


# Forged reports, as values


HEADER = Run(
    schema=SCHEMA,
    operation=Operation.DELETE,
    dry_run=True,
    created_at=NOW,
    server="https://github.com",
    owner="octo",
    inputs={},
)


@st.composite
def reports(draw: st.DrawFn, versions: list[Version]) -> Report:
    """Draw a report about a package: any of its versions planned in any way, with any tags."""
    chosen = draw(st.lists(st.sampled_from(versions), unique=True))
    selected, steps = {}, []
    for one in chosen:
        kind = draw(st.sampled_from((None, StepKind.DELETE_VERSION, StepKind.UNTAG, StepKind.UNTAG)))
        tags = tuple(draw(st.lists(st.sampled_from(one.tags), unique=True))) if one.tags else ()
        if kind is None:
            selected[one.id] = one
        else:
            steps.append(ReportedStep(kind, one, tags or one.tags))
    if draw(st.booleans()):
        steps.append(ReportedStep(StepKind.DELETE_PACKAGE))
    about = ReportedPackage(PACKAGE, steps, selected)
    return Report(HEADER, [about])


def does(plan: Plan) -> tuple[set[int], dict[int, set[str]], bool]:
    """What a plan deletes, the tags that it takes away, and whether the package goes whole."""
    going = {decision.version.id for decision in plan.decisions if decision.selected}
    untags = {one.version.id: set(one.untag) for one in plan.decisions if one.untag}
    return going, untags, any(step.kind is StepKind.DELETE_PACKAGE for step in plan.steps)


@PLANS
@given(packages(), package_rules(), st.booleans(), st.booleans(), st.data())
def test_a_report_only_narrows(
    built: Any, rules: Any, untag: bool, when_empty: bool, data: st.DataObject
) -> None:
    facts, numbers = built.facts(), VersionParser(PackageType.CONTAINER)
    context = DecisionContext(rules, numbers, NOW, untag, when_empty)
    try:
        alone = deletion_plan(facts, context)
    except PlanError:
        return
    report = data.draw(reports(list(facts.latest)))
    found = Review(report, alone, facts.latest)
    plan = found.reconciled(deletion_plan(facts, found.narrowed(context)))
    going, losing, whole = does(plan)
    going_alone, losing_alone, whole_alone = does(alone)
    said = report.packages[0]
    assert going <= going_alone & said.planned_deletions
    assert all(tags <= losing_alone.get(i, set()) & said.planned_untags[i] for i, tags in losing.items())
    assert whole <= whole_alone
    assert not (going & losing.keys())
    # Each version that was planned and stays is told, or the root that it belongs to is.
    assert bool(plan.warnings) or said.planned_deletions <= going


@PLANS
@given(packages(), package_rules(), st.booleans())
def test_a_plan_that_meets_the_same_world_is_carried_out_as_it_is(
    built: Any, rules: Any, untag: bool
) -> None:
    facts, numbers = built.facts(), VersionParser(PackageType.CONTAINER)
    context = DecisionContext(rules, numbers, NOW, untag)
    try:
        alone = deletion_plan(facts, context)
    except PlanError:
        return
    selected = {decision.version.id: decision.version for decision in alone.decisions if decision.selected}
    steps = [ReportedStep(step.kind, step.version, step.tags, step.root) for step in alone.steps]
    about = ReportedPackage(PACKAGE, steps, selected)
    report = Report(HEADER, [about])
    found = Review(report, alone, facts.latest)
    plan = found.reconciled(deletion_plan(facts, found.narrowed(context)))
    assert does(plan) == does(alone)
    assert plan.steps == alone.steps
    assert set(plan.warnings) <= set(alone.warnings)
