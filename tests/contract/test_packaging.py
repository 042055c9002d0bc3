"""What `pyproject.toml` says of the package that `pip`, `pipx` and `uvx` install."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from package_retention import __version__

ROOT = Path(__file__).parents[2]
DECLARED = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def required(name: str) -> list[str]:
    lines = (ROOT / "requirements" / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith(("#", "-"))]


def test_the_package_needs_what_the_image_needs_and_rich() -> None:
    rich = [line for line in required("dev.in") if line.startswith("rich")]
    assert DECLARED["project"]["dependencies"] == [*required("runtime.in"), *rich]


def test_the_image_does_without_rich() -> None:
    assert "\nrich==" not in (ROOT / "requirements" / "runtime.txt").read_text(encoding="utf-8")


def test_the_build_backend_is_pinned_and_the_version_is_the_packages() -> None:
    assert all("==" in one for one in DECLARED["build-system"]["requires"])
    assert DECLARED["project"]["version"] == __version__


def test_the_console_script_is_there() -> None:
    module, _, name = DECLARED["project"]["scripts"]["package-retention"].partition(":")
    assert callable(getattr(import_module(module), name))


@pytest.mark.parametrize(
    ("command", "program"),
    [
        (["-m", "package_retention"], "python -m package_retention"),
        ([str(ROOT / "entrypoint.py")], "python entrypoint.py"),
    ],
)
def test_each_way_to_call_it_is_named_in_its_help(command: list[str], program: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, *command, "--help"],
        env={"PYTHONPATH": str(ROOT / "src")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith(f"usage: {program} ")
    assert done.stderr == ""
