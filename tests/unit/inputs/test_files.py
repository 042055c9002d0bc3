from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from package_retention.errors import InputError
from package_retention.inputs.files import Places
from package_retention.output.problem_sentences import sentences

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def places(tmp_path: Path) -> Places:
    (tmp_path / "workspace" / "out").mkdir(parents=True)
    (tmp_path / "temp").mkdir()
    return Places(tmp_path / "workspace", tmp_path / "temp")


def opened(places: Places, path: Path) -> None:
    """Open a report, write a line as the report would, close it."""
    file = places.open_report(path)
    os.write(file, b"line\n")
    os.close(file)


def refusal(places: Places, path: Path) -> str:
    with pytest.raises(InputError) as caught:
        places.open_report(path)
    (problem,) = sentences(caught.value.problems)
    assert problem.startswith("report-file: `")
    return problem


@pytest.mark.parametrize("name", ["report.json", "out/report.json", "./out//./report.json"])
def test_a_file_below_the_workspace(places: Places, name: str) -> None:
    opened(places, Path(name))
    assert (places.workspace / name).read_text() == "line\n"


def test_a_file_below_the_temporary_folder(places: Places, tmp_path: Path) -> None:
    opened(places, tmp_path / "temp" / "report.json")
    assert (tmp_path / "temp" / "report.json").read_text() == "line\n"


def test_an_older_report_is_replaced(places: Places) -> None:
    (places.workspace / "report.json").write_text("x" * 1000)
    opened(places, Path("report.json"))
    assert (places.workspace / "report.json").read_text() == "line\n"


def test_the_runner_s_own_folder_may_be_behind_a_link(places: Places, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "workspace")
    opened(Places(tmp_path / "link"), Path("out/report.json"))
    assert (places.workspace / "out" / "report.json").exists()


def put_link(places: Places, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("precious")
    (places.workspace / "report.json").symlink_to(tmp_path / "elsewhere")


def put_link_inside(places: Places, _tmp_path: Path) -> None:
    (places.workspace / "other").write_text("precious")
    (places.workspace / "report.json").symlink_to("other")


def put_dangling_link(places: Places, tmp_path: Path) -> None:
    (places.workspace / "report.json").symlink_to(tmp_path / "new")


@pytest.mark.parametrize("put", [put_link, put_link_inside, put_dangling_link])
def test_a_link_is_refused_and_what_it_leads_to_stays(
    places: Places, tmp_path: Path, put: Callable[[Places, Path], None]
) -> None:
    put(places, tmp_path)
    before = {file: file.read_text() for file in tmp_path.rglob("*") if file.is_file()}
    assert "is a symbolic link" in refusal(places, Path("report.json"))
    assert {file: file.read_text() for file in tmp_path.rglob("*") if file.is_file()} == before


def test_a_link_in_the_middle_is_refused(places: Places, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (places.workspace / "out" / "deep").symlink_to(tmp_path / "elsewhere")
    assert "is a symbolic link" in refusal(places, Path("out/deep/report.json"))
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../report.json", "has `..` in it"),
        ("out/../../report.json", "has `..` in it"),
        ("/etc/report.json", "lies outside the workspace and the runner's temporary folder"),
        ("out", "is a folder"),
        (".", "is a folder"),
        ("missing/report.json", "needs the folder `missing`, which does not exist"),
        ("file/report.json", "`file` is not a folder"),
        ("pipe", "cannot be opened"),
        ("a\0b", "has a character that no path should have"),
        ("x" * 300, "cannot be opened: File name too long"),
    ],
)
def test_what_is_no_place_for_a_report(places: Places, name: str, why: str) -> None:
    (places.workspace / "file").touch()
    os.mkfifo(places.workspace / "pipe")
    assert why in refusal(places, Path(name))


def test_a_pipe_that_somebody_reads_is_refused_too(places: Places) -> None:
    os.mkfifo(places.workspace / "pipe")
    reader = os.open(places.workspace / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    assert "is not a regular file" in refusal(places, Path("pipe"))
    os.close(reader)


def test_a_neighbour_with_the_same_beginning_is_outside(places: Places, tmp_path: Path) -> None:
    (tmp_path / "workspace-other").mkdir()
    assert "lies outside" in refusal(places, tmp_path / "workspace-other" / "report.json")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_the_report_belongs_to_whom_the_folder_belongs_to(places: Places) -> None:
    os.chown(places.workspace / "out", 1001, 121)
    opened(places, Path("out/report.json"))
    found = (places.workspace / "out" / "report.json").stat()
    assert (found.st_uid, found.st_gid, found.st_mode & 0o777) == (1001, 121, 0o644)


def test_no_descriptor_is_left_open(places: Places, tmp_path: Path) -> None:
    put_link(places, tmp_path)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for name in ("report.json", "out", "../x", "missing/x", "out/good.json"):
        try:
            os.close(places.open_report(Path(name)))
        except InputError:
            continue
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_the_places_of_a_runner_and_of_a_checkout(tmp_path: Path) -> None:
    environ = {"GITHUB_WORKSPACE": "/github/workspace", "RUNNER_TEMP": "/github/runner_temp"}
    on_runner = Places.of(environ, tmp_path)
    assert [str(on_runner.workspace), str(on_runner.temporary)] == [
        "/github/workspace",
        "/github/runner_temp",
    ]
    assert Places.of({"GITHUB_WORKSPACE": "", "RUNNER_TEMP": ""}, tmp_path) == Places(tmp_path)
