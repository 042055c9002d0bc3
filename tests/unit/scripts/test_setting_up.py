"""What a bare machine reads before anything is installed, and what a run that skips a test ends with."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from conftest import LISTED, unlisted

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """An interpreter as Debian has it without `python3-venv`."""
    found = tmp_path / "python3"
    found.write_text(f'#!/bin/sh\ncase "$2" in *ensurepip*) exit 1 ;; esac\nexec {sys.executable} "$@"\n')
    found.chmod(0o755)
    return found


def find(*candidates: Path | str) -> subprocess.CompletedProcess[str]:
    command = [ROOT / "scripts" / "find-python.sh", *candidates]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_python_without_venv_is_named_with_the_package_to_install(bare: Path) -> None:
    done = find(bare)
    assert done.returncode == 1
    assert str(bare) in done.stderr
    assert "apt-get install python3-venv" in done.stderr


def test_a_python_that_can_make_environments_is_taken_before_it(bare: Path) -> None:
    done = find(bare, sys.executable)
    assert (done.returncode, done.stdout) == (0, f"{sys.executable}\n")


def test_no_python_at_all_is_said(tmp_path: Path) -> None:
    done = find(tmp_path / "none")
    assert done.returncode == 1
    assert "Python 3.11 or newer was not found" in done.stderr


def test_every_skip_whose_reason_is_not_listed_is_found() -> None:
    reasons = {f"test {number}": f"Skipped: {reason}" for number, reason in enumerate(LISTED)}
    assert unlisted(reasons | {"test_built.py::test_one": "Skipped: no podman"}) == [
        "test_built.py::test_one"
    ]
