"""Paths in inputs, against a real folder: no symbolic link in any part, no folder, no special file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from package_retention.errors import InputError
from package_retention.inputs.settings import read_settings
from package_retention.output.problem_sentences import sentences

if TYPE_CHECKING:
    from pathlib import Path


def problem(workspace: Path, path: str) -> str:
    """What is told of a `report-file`; empty where it is accepted."""
    environ = {
        "GITHUB_REPOSITORY_OWNER": "o",
        "GITHUB_WORKSPACE": str(workspace),
        "INPUT_TOKEN": "ghp_0123456789",
        "INPUT_PACKAGE-TYPE": "npm",
        "INPUT_PACKAGE-NAME": "lib",
        "INPUT_VERSIONS": "*",
        "INPUT_REPORT-FILE": path,
    }
    try:
        read_settings(environ)
    except InputError as error:
        return "\n".join(sentences(error.problems))
    return ""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    (folder / "sub").mkdir(parents=True)
    (folder / "file.json").write_text("{}")
    return folder


@pytest.mark.parametrize(
    "path", ["file.json", "new.json", "sub/new.json", "not/there/yet.json", "./file.json"]
)
def test_plain_files_are_fine(workspace: Path, path: str) -> None:
    assert problem(workspace, path) == ""


def test_a_link_is_refused(workspace: Path, tmp_path: Path) -> None:
    (workspace / "link.json").symlink_to(tmp_path / "elsewhere")
    assert "is a symbolic link" in problem(workspace, "link.json")


def test_a_link_in_the_middle_is_refused(workspace: Path) -> None:
    (workspace / "way").symlink_to(workspace / "sub")
    assert "is a symbolic link" in problem(workspace, "way/report.json")


def test_a_link_above_the_workspace_is_the_runners_own_affair(workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "known-as").symlink_to(workspace)
    assert problem(tmp_path / "known-as", "file.json") == ""


def test_a_folder_is_refused(workspace: Path) -> None:
    assert "is not a regular file" in problem(workspace, "sub")


def test_a_file_is_no_folder(workspace: Path) -> None:
    assert "is not a folder" in problem(workspace, "file.json/report.json")


def test_a_pipe_is_no_file(workspace: Path) -> None:
    os.mkfifo(workspace / "pipe")
    assert "is not a regular file" in problem(workspace, "pipe")


def test_a_name_that_no_file_can_have_is_told(workspace: Path) -> None:
    assert "cannot be opened" in problem(workspace, "x" * 300)
