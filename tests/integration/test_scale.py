"""Large packages and many at once: requests, sizes and memory stay within bounds; nothing here measures time."""

from __future__ import annotations

import io
import json
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from clocks import START, FakeClock
from emulator.steps import environment, read_outputs
from package_retention.inputs.report_reader import read
from package_retention.inputs.settings import read_settings
from package_retention.model import Owner, OwnerKind, Package, Version
from package_retention.output.console import Console
from package_retention.output.outputs import conclude
from package_retention.output.records import Records
from package_retention.pipeline.context import RunContext as Edges
from package_retention.pipeline.run import run
from package_retention.results import Spending
from scene import Scene, deletes, lists, reads, scene

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from emulator.messages import Request
    from package_retention.model import PackageType, StepKind
    from package_retention.results import RunResult

MEGABYTE = 1_000_000
MEBIBYTE = 1024 * 1024


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path) as found:
        yield found


def test_20_000_versions_are_listed_and_planned_in_204_requests(made: Scene) -> None:
    package = made.world.add_package("octo", "npm", "lib", repository="octo/app")
    for number in range(20_000):
        made.world.add_version(package, f"1.{number}.0", created=20_000 - number)
    ran = made.step(package_type="npm", package_name="lib", min_versions_to_keep=100, dry_run="true")
    assert ran.status == 0, ran.log
    assert ran.number("selected-count") == 19_900
    assert len(made.world.requests) <= 204
    assert {one.status for one in made.world.requests} == {200}


# 100,000 versions, without the network between


class Listed:
    """A `PackagesApi` that has one package, and answers nothing but what a dry run asks."""

    def __init__(self, versions: tuple[Version, ...]) -> None:
        self._versions = versions

    def owner(self, login: str) -> Owner:
        return Owner(login, OwnerKind.ORGANIZATION)

    def package(self, owner: Owner, package_type: PackageType, name: str) -> Package:
        return Package(owner, package_type, name)

    def fetch_ahead(self, _package: Package) -> None:
        pass

    def versions(
        self, _package: Package, *, deleted: bool = False, at_rest: bool = False
    ) -> tuple[Version, ...]:
        assert not deleted
        assert not at_rest
        return self._versions

    def require(self, _kinds: Iterable[StepKind], _package_type: PackageType) -> tuple[str, ...]:
        return ()

    def now(self) -> datetime:
        return START

    def notices(self) -> tuple[str, ...]:
        return ()


def versions(count: int) -> tuple[Version, ...]:
    """Versions with ids as long as GitHub's are, one an hour."""
    first = datetime(2012, 1, 1, tzinfo=UTC)
    return tuple(
        Version(812_000_000 + number, f"{number // 1000}.{number % 1000}.0", at, at)
        for number in range(count)
        for at in [first + timedelta(hours=number)]
    )


class _Server:
    """What the environment of a step names; nobody asks it."""

    api_url = server_url = registry_url = "http://127.0.0.1:9"


def planned(folder: Path, listed: tuple[Version, ...], **given: Any) -> tuple[RunResult, int, str]:
    """Take versions from their list to outputs, summary and report; gives result, exit status and log."""
    named = {"package_type": "npm", "package_name": "lib", "min_versions_to_keep": 10, "dry_run": "true"}
    environ = environment(_Server(), folder, named | given)  # type: ignore[arg-type]
    log, clock = io.StringIO(), FakeClock()
    console = Console(log, environ)
    settings = read_settings(environ)
    records = Records(environ, console, clock)
    records.open(settings)
    with ThreadPoolExecutor(1) as changes, ThreadPoolExecutor(1) as packages:
        edges = Edges(
            settings,
            Listed(listed),  # type: ignore[arg-type]
            None,  # type: ignore[arg-type]
            clock,
            records,
            changes,
            packages,
            nonce=str,
            spent=Spending,
        )
        result = run(edges)
    return result, conclude(result, records), log.getvalue()


def test_100_000_versions_fit_into_outputs_summary_and_report(tmp_path: Path) -> None:
    result, status, log = planned(tmp_path, versions(100_000), report_file="report.jsonl")
    assert status == 0, log[-2000:]
    assert len(result.packages[0].plan.steps) == 99_990
    written = (tmp_path / "output").read_text()
    # GitHub measures Unicode strings: as UTF-16, to be safe.
    assert len(written.encode("utf-16-le")) < MEGABYTE
    outputs = read_outputs(tmp_path / "output")
    assert outputs["selected-count"] == "99990"
    told = len(json.loads(outputs["selected-version-ids"]))
    assert 0 < told < 99_990
    assert f"{99_990 - told:,} ids of 99,990 left out of the output selected-version-ids" in log
    assert (tmp_path / "summary").stat().st_size < MEBIBYTE / 4
    assert len(log) < MEBIBYTE / 4
    report = read(tmp_path / "report.jsonl")
    assert len(report.packages[0].planned) == 99_990


def test_memory_grows_with_the_versions_and_no_faster(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        listed = versions(count)
        tracemalloc.start()
        try:
            planned(tmp_path / str(count), listed, report_file="report.jsonl")
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(100)  # what is loaded only once
    small, large = peak(2_000), peak(10_000)
    assert large < 5 * small * 1.2
    assert large < 10_000 * 5_000


# At once


class Together:
    """Holds requests that fit until so many of them are there: a run that sends fewer at once never gets on."""

    def __init__(self, fits: Callable[[Request], bool], parties: int, *, skip: int = 0) -> None:
        self._fits = fits
        self._barrier = threading.Barrier(parties)
        self._skip = skip
        self._lock = threading.Lock()
        self.held = 0

    def __call__(self, request: Request) -> None:
        if not self._fits(request):
            return
        with self._lock:
            self._skip -= 1
            if self._skip >= 0:
                return
            self.held += 1
        self._barrier.wait(30)


def libraries(made: Scene, names: Iterable[str], count: int) -> None:
    for name in names:
        package = made.world.add_package("octo", "npm", name, repository="octo/app")
        for number in range(count):
            made.world.add_version(package, f"1.0.{number}", created=count - number)


def test_pages_are_listed_at_once_after_the_first(made: Scene) -> None:
    libraries(made, ["lib"], 1_700)
    together = Together(lists, 16, skip=1)
    made.world.before_request.append(together)
    ran = made.step(package_type="npm", package_name="lib", min_versions_to_keep=1, dry_run="true")
    assert ran.number("selected-count") == 1_699
    assert together.held == 16


def test_deletes_go_at_once_after_the_first(made: Scene) -> None:
    libraries(made, ["lib"], 50)
    together = Together(deletes, 24, skip=1)
    made.world.before_request.append(together)
    ran = made.step(package_type="npm", package_name="lib", min_versions_to_keep=1)
    assert ran.number("deleted-count") == 49
    assert together.held == 48
    assert 24 <= made.world.limits.most_in_flight <= 100


def test_restores_go_at_once_after_the_first(made: Scene) -> None:
    libraries(made, ["lib"], 50)
    package = made.world.packages_of("octo", "npm")[0]
    for version in list(package.versions.values())[:49]:
        made.world.delete_version(package, version)
    together = Together(lambda request: request.method == "POST", 24, skip=1)
    made.world.before_request.append(together)
    ran = made.step(operation="restore", package_type="npm", package_name="lib", versions="*")
    assert ran.number("restored-count") == 49
    assert together.held == 48


def test_manifests_are_read_at_once_after_the_first(made: Scene) -> None:
    for number in range(33):
        made.push(f"v{number}", created=100 - number)
    together = Together(lambda request: reads(request) and "authorization" in request.headers, 16, skip=1)
    made.world.before_request.append(together)
    ran = made.step(min_versions_to_keep=1, dry_run="true")
    assert ran.number("selected-count") == 32 * 3
    assert together.held == 32


def test_packages_are_worked_on_at_once_within_githubs_limit(made: Scene) -> None:
    names = [f"lib-{number}" for number in range(8)]
    libraries(made, names, 20)
    first = Together(deletes, 8)
    seen: set[str] = set()
    lock = threading.Lock()

    def first_of_each(request: Request) -> None:
        name = request.path.split("/")[5] if deletes(request) else ""
        with lock:
            fresh = bool(name) and name not in seen
            seen.add(name)
        if fresh:
            first(request)

    made.world.before_request.append(first_of_each)
    ran = made.step(
        package_type="npm", package_name="lib-*", min_versions_to_keep=1, points_per_minute="none"
    )
    assert ran.status == 0, ran.log
    assert first.held == 8
    assert ran.number("deleted-count") == 8 * 19
    assert {
        one["name"]: one["deleted-count"] for one in json.loads(ran.outputs["packages"])
    } == dict.fromkeys(names, 19)
    assert 8 <= made.world.limits.most_in_flight <= 100
    # Each package's lines stand in its own group.
    assert ran.log.count("::group::") == 8
