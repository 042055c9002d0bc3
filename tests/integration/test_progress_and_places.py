"""What a run writes while it goes, and in which order it opens the files that it is given."""

from __future__ import annotations

import io
import threading
from typing import TYPE_CHECKING

import pytest

from emulator.steps import environment
from package_retention.app import main
from scene import Scene, deletes, lists, reads, scene

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from emulator.messages import Request


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path) as found:
        found.push("v1", created=100)
        found.push("v2", created=90)
        found.push("v3", created=1)
        yield found


class Log(io.StringIO):
    """A log that tells when a line of progress came."""

    def __init__(self) -> None:
        super().__init__()
        self.progress = threading.Event()

    def write(self, text: str) -> int:
        if "so far" in text:
            self.progress.set()
        return super().write(text)


@pytest.mark.parametrize("slow", [lists, reads, deletes], ids=["listing", "reading", "deleting"])
def test_a_request_that_takes_long_is_no_silence(made: Scene, slow: Callable[[Request], bool]) -> None:
    log = Log()

    def hold(request: Request) -> None:
        if slow(request) and not log.progress.is_set():
            made.clock.advance(6)
            assert log.progress.wait(30)

    made.world.before_request.append(hold)
    inputs = {"package_type": "container", "package_name": "app", "older_than": "30d"}
    environ = environment(made.github, made.folder, inputs)
    assert main(environ, log, made.clock.of) == 0
    (line,) = (line for line in log.getvalue().splitlines() if "so far" in line)
    assert ("changes done" in line) is (slow is deletes)


def test_long_work_tells_how_far_it_is(made: Scene) -> None:
    package = made.world.add_package("octo", "npm", "lib", repository="octo/app")
    for number in range(120):
        made.world.add_version(package, f"1.0.{number}", created=200 - number)
    given = {"package_type": "npm", "package_name": "lib", "points_per_minute": 100}
    ran = made.step(**given, min_versions_to_keep=1)
    told = [line for line in ran.log.splitlines() if " of 119 changes done, " in line]
    # Six minutes, and a line every five seconds at most.
    assert 5 <= len(told) <= 80
    assert any(" a second, about " in line for line in told)


def test_short_work_says_nothing_of_its_progress(made: Scene) -> None:
    ran = made.delete(older_than="30d")
    assert "so far" not in ran.log
    assert "changes done" not in ran.log


@pytest.mark.parametrize("name", ["report.jsonl", "./report.jsonl", "twin.jsonl"])
def test_a_report_is_never_written_over_the_one_that_is_read(made: Scene, name: str) -> None:
    made.delete(older_than="30d", report_file="report.jsonl")
    report = made.folder / "report.jsonl"
    if name == "twin.jsonl":
        (made.folder / name).hardlink_to(report)
    before = report.read_bytes()
    ran = made.restore(from_report="report.jsonl", report_file=name, status=1)
    # Another name for the same file is refused for what it is.
    why = "and that file would be overwritten" if name == "twin.jsonl" else "are the same file"
    assert why in ran.log
    assert report.read_bytes() == before
    assert made.restore(from_report="report.jsonl", report_file="other.jsonl").number("restored-count") == 6


@pytest.mark.parametrize("named", ["none-such.jsonl", "broken.jsonl"])
def test_a_report_that_cannot_be_read_costs_no_other_report(made: Scene, named: str) -> None:
    (made.folder / "broken.jsonl").write_text("{}\n")
    kept = made.folder / "kept.jsonl"
    kept.write_text("what an earlier step wrote\n")
    ran = made.restore(from_report=named, report_file="kept.jsonl", status=1)
    assert named in ran.log
    assert kept.read_text() == "what an earlier step wrote\n"
    assert made.requests() == 0
