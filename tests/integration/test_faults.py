"""Every fault of the catalogue at every request of a run: afterwards the world, the outputs and the report agree."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest

from emulator.faults import Fault, Kind, catalogue
from emulator.server import EmulatedGitHub
from emulator.steps import Ran, run_step
from jobs import JOBS, REPORT, Job, State, Truth, agree, new_world
from scene import StepClock

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from emulator.messages import Request
    from emulator.stored import StoredPackage
    from emulator.world import World
    from jobs import Told


FAULTS = (*catalogue(), *catalogue(registry=True))


def name(fault: Fault) -> str:
    return f"{fault.kind.name}{'-registry' * fault.registry}"


@dataclass(frozen=True, slots=True)
class Place:
    """A world with one job to do, and nothing that waits."""

    job: Job
    world: World
    package: StoredPackage
    github: EmulatedGitHub
    clock: StepClock
    folder: Path

    def run(self, *faults: Fault) -> Ran:
        self.world.faults.extend(faults)
        ran = self._step(self.job.given())
        self.world.faults.clear()
        return ran

    def undo(self) -> Ran:
        """Restore what the run's report says that it did."""
        return self._step(self.job.undone())

    def _step(self, inputs: Mapping[str, Any]) -> Ran:
        return run_step(self.github, self.folder, clock_of=self.clock.of, **inputs)

    @property
    def report(self) -> Path:
        return self.folder / REPORT


@contextmanager
def place(job: Job) -> Iterator[Place]:
    clock = StepClock()
    world = new_world(clock.now, clock.monotonic, clock.sleep)
    package = job.fill(world)
    with TemporaryDirectory() as folder, EmulatedGitHub(world) as github:
        yield Place(job, world, package, github, clock, Path(folder))


@dataclass(frozen=True, slots=True)
class GoodDay:
    """A run that meets no fault: what it leaves behind, and how many requests it takes of the API and the registry."""

    after: State
    outputs: dict[str, str]
    changed: frozenset[int]
    requests: int
    registry_requests: int

    def positions(self, fault: Fault) -> range:
        return range(1, (self.registry_requests if fault.registry else self.requests) + 1)


@cache
def good_day(job: Job) -> GoodDay:
    with place(job) as at:
        before = State.of(at.package)
        ran = at.run()
        assert ran.status == 0, ran.log
        after = State.of(at.package)
        truth = Truth.between(before, after, at.package)
        changed = truth.back if job.restores else truth.gone
        assert changed or truth.untagged
        agree(job, truth, ran, at.report, changed)
        return GoodDay(after, ran.outputs, changed, len(at.world.requests), len(at.world.registry_requests))


@dataclass(frozen=True, slots=True)
class Met:
    """A run under a fault: what it left behind, and what the request that met the fault was answered (0: nothing)."""

    ran: Ran
    after: State
    told: Told
    status: int


def met(job: Job, fault: Fault) -> Met:
    """Run a job under a fault; whatever happens, all that is told agrees."""
    with place(job) as at:
        before = State.of(at.package)
        ran = at.run(fault)
        after = State.of(at.package)
        told = agree(job, Truth.between(before, after, at.package), ran, at.report, good_day(job).changed)
        struck = [one for one in (*at.world.requests, *at.world.registry_requests) if one.fault]
        return Met(ran, after, told, struck[0].status)


@pytest.mark.parametrize("fault", FAULTS, ids=name)
@pytest.mark.parametrize("job", JOBS, ids=str)
def test_one_fault_at_each_request_changes_nothing_in_the_end(job: Job, fault: Fault) -> None:
    good = good_day(job)
    for number in good.positions(fault):
        seen = met(job, replace(fault, number=number))
        # A refusal whose text cannot be read is one that nobody understands: it is not tried again.
        garbled = fault.kind is Kind.MALFORMED and seen.status >= 400 and not fault.registry
        if fault.kind is Kind.EXPIRED or garbled:
            assert seen.ran.status == 1, (number, seen.ran.log)
            continue
        assert seen.ran.status == 0, (number, seen.ran.log)
        assert seen.ran.outputs == good.outputs, number
        assert seen.after.there == good.after.there, number
        assert not seen.told.doubted, number


FOR_GOOD = (Kind.DROP, Kind.LOST, Kind.LOST_502, Kind.SECONDARY, Kind.MALFORMED)


@pytest.mark.parametrize("registry", [False, True], ids=["api", "registry"])
@pytest.mark.parametrize("kind", FOR_GOOD, ids=lambda kind: kind.name)
@pytest.mark.parametrize("job", [job for job in JOBS if not job.restores], ids=str)
def test_trouble_for_good_from_any_request_on_is_told_truly_and_can_be_undone(
    job: Job, kind: Kind, registry: bool
) -> None:
    for number in good_day(job).positions(Fault(kind, registry=registry)):
        with place(job) as at:
            before = State.of(at.package)

            def since(request: Request, number: int = number) -> bool:
                return request.number >= number

            ran = at.run(Fault(kind, where=since, times=None, registry=registry))
            after = State.of(at.package)
            truth = Truth.between(before, after, at.package)
            told = agree(job, truth, ran, at.report, good_day(job).changed)
            # A change whose answer cannot be read may still be found done: then all is well.
            cut_short = ran.status == 1 or ran.outputs["complete"] == "false"
            assert cut_short or ran.outputs == good_day(job).outputs, (number, ran.log)
            if not told.report.packages:
                assert not truth.gone
                continue
            back = at.undo()
            assert back.status == 0, (number, ran.log, back.log)
            undone = State.of(at.package)
            assert undone.active & before.known == before.active, (number, ran.log, back.log)
            assert undone.tags == before.tags, (number, ran.log, back.log)
