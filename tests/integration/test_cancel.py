"""The real process under signals, at every request of a job: it ends soon, and tells exactly what happened."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest

from emulator.faults import Fault, Kind
from emulator.server import EmulatedGitHub
from emulator.steps import ROOT, Ran, environment, ran, read_outputs, run_process
from forked import ForkedStep
from jobs import (
    DELETE_IMAGES,
    DELETE_LIBRARIES,
    REPORT,
    UNTAG,
    Job,
    State,
    Told,
    Truth,
    agree,
    new_world,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from emulator.messages import Request
    from emulator.stored import StoredPackage
    from emulator.world import World

_LONG = 60.0  # seconds for which a test waits for what surely comes
_SOON = 5.0  # seconds within which a cancelled step ends


@dataclass
class Gate:
    """Holds a request up: before it is looked at, or (by a fault's delay) after it was carried out."""

    reached: threading.Event = field(default_factory=threading.Event)
    opened: threading.Event = field(default_factory=threading.Event)

    def wait(self, _seconds: float = 0.0) -> None:
        self.reached.set()
        self.opened.wait(_LONG)


@dataclass(frozen=True, slots=True)
class Position:
    """A request by its number, the API's and the registry's apart; held up before it is carried out, or `after`."""

    number: int
    registry: bool = False
    after: bool = False


NOWHERE = Position(0)


@dataclass(frozen=True, slots=True)
class Held:
    """A step that runs as a process of its own, and whose n-th request is held up."""

    job: Job
    world: World
    package: StoredPackage
    github: EmulatedGitHub
    folder: Path
    gate: Gate
    before: State

    def start(self) -> subprocess.Popen[bytes]:
        """Start the step, and come back when its request is held up."""
        with self.log.open("wb") as log:
            step = subprocess.Popen(
                [sys.executable, str(ROOT / "entrypoint.py")],
                env=self.environment(self.job.given()),
                cwd=self.folder,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        assert self.gate.reached.wait(_LONG)
        return step

    def fork(self) -> ForkedStep:
        """Do the same in a process whose modules were imported before."""
        step = ForkedStep(self.environment(self.job.given()), self.folder, self.log)
        assert self.gate.reached.wait(_LONG)
        return step

    def undo(self) -> Ran:
        """Run the step that takes back what the report says, to its end."""
        environ = self.environment(self.job.undone())
        status = ForkedStep(environ, self.folder, self.log).wait(_LONG)
        return ran(environ, self.folder, status, self.log.read_text())

    def environment(self, inputs: Mapping[str, Any]) -> dict[str, str]:
        return environment(self.github, self.folder, inputs) | {"PATH": os.environ["PATH"]}

    def ran(self, status: int) -> Ran:
        return Ran(
            status,
            self.log.read_text(),
            read_outputs(self.folder / "output"),
            (self.folder / "summary").read_text(),
        )

    @property
    def log(self) -> Path:
        return self.folder.with_suffix(".log")

    @property
    def report(self) -> Path:
        return self.folder / REPORT

    def truth(self) -> Truth:
        return Truth.between(self.before, State.of(self.package), self.package)

    def changes(self) -> int:
        """How many changes have arrived."""
        everything = (*self.world.requests, *self.world.registry_requests)
        return sum(one.method != "GET" for one in everything)


@contextmanager
def held(job: Job, place: Position) -> Iterator[Held]:
    gate = Gate()
    world = new_world(sleep=gate.wait)
    package = job.fill(world)
    if place.after:
        world.faults.add(Fault(Kind.DELAY, number=place.number, registry=place.registry))
    else:

        def hold(request: Request) -> None:
            if (request.number, request.registry) == (place.number, place.registry):
                gate.wait()

        world.before_request.append(hold)
    with TemporaryDirectory() as folder, EmulatedGitHub(world) as github:
        try:
            yield Held(job, world, package, github, Path(folder, "step"), gate, State.of(package))
        finally:
            gate.opened.set()


@dataclass(frozen=True, slots=True)
class Count:
    """How a job goes when nobody holds it up."""

    changed: frozenset[int]
    requests: int
    registry_requests: int
    first_change: int
    first_write: int

    def reads_only(self, at: Position) -> bool:
        """Whether nothing is changed before this request is answered."""
        return at.number < (self.first_write if at.registry else self.first_change)

    def positions(self) -> list[Position]:
        """Every request; what changes something is held up once before it is carried out and once after."""
        api = [Position(number) for number in range(1, self.requests + 1)]
        registry = [Position(number, registry=True) for number in range(1, self.registry_requests + 1)]
        changes = [replace(one, after=True) for one in api if one.number >= self.first_change]
        changes += [replace(one, after=True) for one in registry if one.number >= self.first_write]
        return [*api, *registry, *changes]


@cache
def count(job: Job) -> Count:
    with held(job, NOWHERE) as at:
        ran = run_process(at.github, at.folder, **job.given())
        assert ran.status == 0, ran.log
        truth = at.truth()
        api, registry = at.world.requests, at.world.registry_requests
        change, write = (
            min([one.number for one in made if one.method != "GET"], default=sys.maxsize)
            for made in (api, registry)
        )
        return Count(truth.gone, len(api), len(registry), change, write)


def undo(at: Held, place: Position) -> None:
    """Restore from the report what a run that was ended did, or may have done: everything is there again."""
    told = Told.by(at.report)
    if not (told.done or told.doubted or told.tags or told.doubted_tags):
        assert not at.truth().gone | at.truth().untagged, place
        return
    back = at.undo()
    assert back.status == 0, (place, back.log)
    undone = State.of(at.package)
    assert undone.active & at.before.known == at.before.active, (place, back.log)
    assert undone.tags == at.before.tags, (place, back.log)


def everywhere(look: Callable[[Position], None], positions: Iterable[Position]) -> None:
    """Look at every position, several at a time: most of their time is spent waiting."""
    with ThreadPoolExecutor(4) as pool:
        looks = [pool.submit(look, one) for one in positions]
    for one in looks:
        one.result()


@pytest.mark.parametrize(
    ("job", "number"),
    [(DELETE_LIBRARIES, signal.SIGINT), (DELETE_IMAGES, signal.SIGTERM), (UNTAG, signal.SIGTERM)],
    ids=str,
)
def test_a_cancel_at_any_request_ends_the_run_soon_and_truly_though_github_does_not_answer(
    job: Job, number: signal.Signals
) -> None:
    counted = count(job)

    def look(place: Position) -> None:
        with held(job, place) as at:
            step = at.fork()
            step.send_signal(number)
            status = step.wait(_SOON)
            ran = at.ran(status)
            assert status == 128 + number, (place, ran.log)
            assert ran.outputs["complete"] == "false", (place, ran.log)
            agree(job, at.truth(), ran, at.report, counted.changed)
            if counted.reads_only(place) and job is not UNTAG:
                assert at.changes() == 0, place
            # The first change goes alone: none comes after it.
            if place == Position(counted.first_change) and job is not UNTAG:
                assert at.changes() <= 1, place
            undo(at, place)

    everywhere(look, counted.positions())


@pytest.mark.parametrize("job", [DELETE_LIBRARIES, UNTAG], ids=str)
def test_a_kill_at_any_request_leaves_a_true_report_that_brings_everything_back(job: Job) -> None:
    counted = count(job)

    def look(place: Position) -> None:
        with held(job, place) as at:
            step = at.fork()
            step.send_signal(signal.SIGKILL)
            assert step.wait(_LONG) == -signal.SIGKILL
            told, truth = Told.by(at.report), at.truth()
            assert b'{"kind":"end"' not in at.report.read_bytes()
            # What it says was done was done; what was started and has no end is in doubt, and nothing else happened.
            assert told.done <= truth.gone <= told.done | told.doubted <= counted.changed, place
            assert told.tags <= truth.untagged <= told.tags | told.doubted_tags, place
            assert not truth.lost or told.doubted, place
            undo(at, place)

    everywhere(look, counted.positions())


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_second_signal_changes_nothing(second: signal.Signals) -> None:
    counted = count(DELETE_LIBRARIES)
    with held(DELETE_LIBRARIES, Position(counted.first_change)) as at:
        step = at.start()
        step.send_signal(signal.SIGINT)
        step.send_signal(second)
        status = step.wait(_SOON)
        # Both may be pending by the time that the process looks: which comes first is the system's business.
        assert status in {130, 128 + second}
        ran = at.ran(status)
        agree(DELETE_LIBRARIES, at.truth(), ran, at.report, counted.changed)
        assert ran.outputs["complete"] == "false"


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_change_that_github_answers_in_time_is_awaited_and_told_as_done(after: bool) -> None:
    counted = count(DELETE_LIBRARIES)
    with held(DELETE_LIBRARIES, Position(counted.first_change, after=after)) as at:
        step = at.start()
        step.send_signal(signal.SIGTERM)
        at.gate.opened.set()
        status = step.wait(_SOON)
        ran = at.ran(status)
        told = agree(DELETE_LIBRARIES, at.truth(), ran, at.report, counted.changed)
        # Unless the signal came only after all was done, the others were not begun.
        assert status in {0, 143}
        assert ran.number("deleted-count") >= 1
        assert not told.doubted


def test_several_packages_are_ended_by_one_signal_and_each_is_told() -> None:
    gate = Gate()
    world = new_world(sleep=gate.wait)
    for name in ("one", "two", "three"):
        package = world.add_package("octo", "npm", name, repository="octo/app")
        for number in range(4):
            world.add_version(package, f"1.0.{number}", created=50 - number)
    deletes = threading.Semaphore(0)

    def hold(request: Request) -> None:
        if request.method == "DELETE":
            deletes.release()
            gate.opened.wait(_LONG)

    world.before_request.append(hold)
    with TemporaryDirectory() as folder, EmulatedGitHub(world) as github:
        job = Job(
            "", lambda _world: package, {"package_name": "one,two,three", "min_versions_to_keep": 1}, "npm"
        )
        at = Held(job, world, package, github, Path(folder, "step"), gate, State.of(package))
        gate.reached.set()
        step = at.start()
        # The first change of each package goes alone: three are under way.
        for _ in range(3):
            assert deletes.acquire(timeout=_LONG)
        step.send_signal(signal.SIGTERM)
        status = step.wait(_SOON)
        gate.opened.set()
        ran = at.ran(status)
        assert status == 143, ran.log
        assert ran.number("deleted-count") == 0
        assert ran.number("selected-count") == 9
        found: list[dict[str, Any]] = json.loads(ran.outputs["packages"])
        assert sorted(one["name"] for one in found) == ["one", "three", "two"]
        assert len(Told.by(at.report).doubted) == 3
        assert sum(one.method == "DELETE" for one in world.requests) <= 3
