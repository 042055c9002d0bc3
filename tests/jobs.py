"""Small jobs of every kind, and an oracle: what is said of a run is what happened to the embedded GitHub."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from emulator import shapes, steps
from emulator.images import push_image
from emulator.world import World
from package_retention.inputs.report_reader import read
from package_retention.model import StepKind
from wholeness import holdings, losses

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    from emulator.steps import Ran
    from emulator.stored import StoredPackage
    from package_retention.inputs.report_reader import Report

REPORT = "report.jsonl"


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """Something that a step is asked to do in a world of one package, which `fill` makes."""

    name: str
    fill: Callable[[World], StoredPackage]
    inputs: Mapping[str, Any]
    kind: str = "container"

    def given(self, **more: Any) -> dict[str, Any]:
        """The step's inputs."""
        named = {"package_type": self.kind, "package_name": "app", "report_file": REPORT}
        return named | dict(self.inputs) | more

    def undone(self) -> dict[str, Any]:
        """The inputs of a step that takes back what the job's report says."""
        again = {"operation": "restore", "from_report": REPORT, "report_file": "undone.jsonl"}
        return {"package_type": self.kind, "package_name": "app"} | again

    @property
    def restores(self) -> bool:
        return self.inputs.get("operation") == "restore"

    def __str__(self) -> str:
        return self.name


def new_world(
    clock: Callable[[], datetime] | None = None,
    monotonic: Callable[[], float] | None = None,
    sleep: Callable[[float], None] | None = None,
) -> World:
    """A world with the organization and the token of the steps; by its own clock where none is given."""
    given = {"clock": clock, "monotonic": monotonic, "sleep": sleep}
    world = World(**{name: one for name, one in given.items() if one})  # type: ignore[arg-type]
    world.add_org("octo")
    world.add_token(steps.TOKEN)
    return world


def _libraries(world: World) -> StoredPackage:
    package = world.add_package("octo", "npm", "app", repository="octo/app")
    for number in range(5):
        world.add_version(package, f"1.0.{number}", created=50 - number)
    return package


def _deleted_libraries(world: World) -> StoredPackage:
    package = _libraries(world)
    for version in list(package.versions.values())[:3]:
        world.delete_version(package, version)
    return package


def _images(world: World) -> StoredPackage:
    """Two signed images of two platforms to go, one that stays, and an index that needs a child of the first."""
    package = world.add_package("octo", "container", "app", repository="octo/app")
    old = push_image(world, package, ["v1"], created=60, signed="cosign")
    push_image(world, package, ["v2"], created=50, signed="cosign")
    push_image(world, package, ["v3"], created=2, platforms=("linux/amd64",))
    world.add_image(
        package, shapes.index([shapes.descriptor(old.platforms[0], "linux/amd64")]), "stable", created=1
    )
    return package


def _deleted_images(world: World) -> StoredPackage:
    package = _images(world)
    stays = holdings(package)
    kept = set().union(
        *(stays[version.name] for version in package.active() if version.tags[:1] in (["v3"], ["stable"]))
    )
    for version in package.active():
        if version.name not in kept:
            world.delete_version(package, version)
    return package


def _small(world: World) -> StoredPackage:
    package = world.add_package("octo", "container", "app", repository="octo/app")
    push_image(world, package, ["v1", "v1-old"], created=60, platforms=("linux/amd64",))
    push_image(world, package, ["v2"], created=50, platforms=())
    return package


def _gone(world: World) -> StoredPackage:
    package = _small(world)
    world.delete_package(package)
    return package


DELETE_LIBRARIES = Job("delete npm", _libraries, {"min_versions_to_keep": 2}, "npm")
DELETE_IMAGES = Job("delete images", _images, {"older_than": "30d"})
RESTORE_LIBRARIES = Job("restore npm", _deleted_libraries, {"operation": "restore", "versions": "*"}, "npm")
RESTORE_IMAGES = Job("restore images", _deleted_images, {"operation": "restore", "versions": "v*"})
DELETE_PACKAGE = Job("delete package", _small, {"versions": "*", "delete_package": "when-empty"})
RESTORE_PACKAGE = Job("restore package", _gone, {"operation": "restore", "versions": "*"})
UNTAG = Job("untag", _small, {"versions": "v1-old", "untag": "true"})
JOBS = (
    DELETE_LIBRARIES,
    DELETE_IMAGES,
    RESTORE_LIBRARIES,
    RESTORE_IMAGES,
    DELETE_PACKAGE,
    RESTORE_PACKAGE,
    UNTAG,
)


@dataclass(frozen=True, slots=True)
class State:
    """What is there: ids of active versions, tags with the ids that they are on, and who holds what."""

    known: frozenset[int]
    active: frozenset[int]
    tags: Mapping[str, int]
    holdings: Mapping[str, set[str]] = field(compare=False)

    @property
    def there(self) -> tuple[frozenset[int], Mapping[str, int]]:
        """What a user sees; versions that were only there for a while are not."""
        return self.active, self.tags

    @classmethod
    def of(cls, package: StoredPackage) -> State:
        there = package.active() if package.deleted_at is None else []
        held = holdings(package) if there and package.type == "container" else {}
        return cls(
            frozenset(package.versions),
            frozenset(version.id for version in there),
            {tag: version.id for version in there for tag in version.tags},
            held,
        )


@dataclass(frozen=True, slots=True)
class Truth:
    """What happened between two looks at a package: ids that went and came back, tags that left what stays."""

    gone: frozenset[int]
    back: frozenset[int]
    lost: Mapping[str, set[str]]
    untagged: frozenset[str]

    @classmethod
    def between(cls, before: State, after: State, package: StoredPackage) -> Truth:
        left = {tag for tag, at in before.tags.items() if at in after.active and after.tags.get(tag) != at}
        lost = losses(before.holdings, package) if package.deleted_at is None else {}
        gone, back = before.active - after.active, (after.active - before.active) & before.known
        return cls(gone, back, lost, frozenset(left))


@dataclass(frozen=True, slots=True)
class Told:
    """What a run's report says of its one package, by id; `tags` are those taken away or put back.

    `whole`: the package itself came back, with whatever versions it had.
    """

    report: Report
    done: frozenset[int]
    doubted: frozenset[int]
    tags: frozenset[str]
    doubted_tags: frozenset[str]
    whole: bool

    @classmethod
    def by(cls, path: Path) -> Told:
        report = read(path)
        done: set[int] = set()
        doubted: set[int] = set()
        tags: set[str] = set()
        doubted_tags: set[str] = set()
        whole = False
        for package in report.packages:
            everything = set(package.selected)
            for one in package.steps:
                ids = {one.version.id} if one.version else everything
                whole = whole or (one.kind is StepKind.RESTORE_PACKAGE and one.done)
                if one.kind is StepKind.UNTAG:
                    tags |= set(one.outcome.tags) if one.outcome else set()
                    doubted_tags |= set(one.tags) if one.in_doubt else set()
                elif one.done:
                    done |= ids
                elif one.in_doubt:
                    doubted |= ids
        return cls(
            report, frozenset(done), frozenset(doubted), frozenset(tags), frozenset(doubted_tags), whole
        )


def end_of(path: Path) -> dict[str, Any]:
    """The last line of a report."""
    found: dict[str, Any] = json.loads(path.read_text().splitlines()[-1])
    assert found["kind"] == "end"
    return found


def agree(job: Job, truth: Truth, ran: Ran, path: Path, planned: frozenset[int]) -> Told:
    """Hold what a run says of itself to what happened; `planned` is what it would do on a good day."""
    told = Told.by(path)
    deleted, restored = (frozenset(ran.ids(f"{verb}-version-ids")) for verb in ("deleted", "restored"))
    failed = ran.ids("failed-version-ids")
    changed = truth.back if job.restores else truth.gone
    said = restored if job.restores else deleted
    # What is said to be done is done, what is done is said (or told as in doubt), and nothing else happened.
    assert said <= changed, (said - changed, ran.log)
    assert changed - said <= told.doubted or told.whole, (changed - said, ran.log)
    assert changed <= planned, ran.log
    assert not (truth.gone if job.restores else truth.back), ran.log
    assert not (deleted if job.restores else restored), ran.log
    assert not truth.lost, ran.log
    assert told.tags <= truth.untagged, ran.log
    assert truth.untagged - told.tags <= told.doubted_tags, ran.log
    # Every place tells the same.
    assert told.done == said, ran.log
    end = end_of(path)
    ended = dict(end["counts"])
    assert ended.pop("freed_bytes", 0) == ran.number("freed-bytes"), ran.log
    counts = {name: ran.number(f"{name}-count") for name in ended}
    assert ended == counts, ran.log
    lists = {"deleted": deleted, "restored": restored, "failed": failed}
    assert {name: len(found) for name, found in lists.items()} == {name: counts[name] for name in lists}
    assert counts["untagged"] == (0 if job.restores else len(told.tags))
    (package,) = json.loads(ran.outputs["packages"]) or [{}]
    assert {name: package.get(f"{name}-count", 0) for name in counts} == counts
    assert (end["exit_status"], str(end["complete"]).lower()) == (ran.status, ran.outputs["complete"])
    assert str(len(said)) in ran.summary.splitlines()[0] or not said, ran.summary
    # A run that did not do all that it planned says so.
    if not (planned <= said or ran.outputs["complete"] == "false"):
        assert ran.status == 1, ran.log
    assert ran.status or not failed, ran.log
    assert "::error" in ran.log or ran.status != 1, ran.log
    return told
