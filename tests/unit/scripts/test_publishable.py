"""`make publishable OWNER=acme` writes a name where the placeholder stood, and nothing else."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from scripts.publishable import MARK, PAGE, PLACEHOLDER, STEP, main, owned, remaining

from release.fork import ROOT, copy_tree, git, tracked

if TYPE_CHECKING:
    from pathlib import Path

RECIPES = "tests/integration/test_recipes.py"
NAMING = ("tests/contract/test_docs.py", "tests/contract/test_pins.py", f"{RECIPES}::test_organization")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("uses: {}@v1", "uses: Octo-Fork/package-retention@v1"),
        ("docker run ghcr.io/{}:1.0.0", "docker run ghcr.io/octo-fork/package-retention:1.0.0"),
        (
            "oci://ghcr.io/{}:1 --repo {}",
            "oci://ghcr.io/octo-fork/package-retention:1 --repo Octo-Fork/package-retention",
        ),
        ("{}-live, YOUR-{}, MY.{}", "{}-live, YOUR-{}, MY.{}"),
        (
            "OWNER/other, OWNER, /orgs/$GITHUB_REPOSITORY_{}",
            "OWNER/other, OWNER, /orgs/$GITHUB_REPOSITORY_{}",
        ),
        ("{}\r\n", "Octo-Fork/package-retention\r\n"),
    ],
)
def test_the_placeholder_alone_is_replaced(text: str, expected: str) -> None:
    mark = PLACEHOLDER.decode()
    assert owned(text.replace("{}", mark).encode(), "Octo-Fork").decode() == expected.replace("{}", mark)


def test_no_file_names_the_placeholder_in_a_way_that_would_stay() -> None:
    for name in tracked():
        text = (ROOT / name).read_bytes()
        assert text.count(PLACEHOLDER) == len(MARK.findall(text)), name


def test_nothing_tells_to_run_a_package_that_is_not_ours() -> None:
    """The name on the Python package index may become anybody's."""
    told = re.compile(rb"(?:uvx|pipx? (?:run|install))\s+" + b"package" + b"-retention")
    assert [name for name in tracked() if told.search((ROOT / name).read_bytes())] == []


@pytest.mark.parametrize(
    "owner", ["", "OWNER", "-acme", "acme-", "a b", "a/b", "acme\n", "ä", "a" * 40, "$(id)"]
)
def test_an_owner_is_a_login(owner: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(owner, tmp_path) == 1
    assert "make publishable OWNER=acme" in capsys.readouterr().err


def test_the_steps_that_remain_are_those_of_the_page() -> None:
    page = (ROOT / PAGE).read_text("utf-8")
    numbers = [int(step["number"]) for step in STEP.finditer(page)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert "make publishable" in page.split("## 2. ")[1].split("## 3. ")[0]
    assert [int(line.split(".")[0]) for line in remaining(page)] == numbers[2:]


@pytest.mark.parametrize("owner", ["acme", "A", "Very-Long-Name-Of-An-Organization-39-char"[:39]])
def test_a_clone_becomes_its_owners(owner: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy_tree(tmp_path)
    assert main(owner, tmp_path) == 0
    printed = capsys.readouterr().out
    assert all(line in printed for line in remaining((ROOT / PAGE).read_text("utf-8")))
    assert [name for name in tracked(tmp_path) if PLACEHOLDER in (tmp_path / name).read_bytes()] == []
    lines = git(tmp_path, "diff", "--unified=0", "--no-color").splitlines()
    gone = [line[1:] for line in lines if line.startswith("-") and not line.startswith("---")]
    came = [line[1:] for line in lines if line.startswith("+") and not line.startswith("+++")]
    assert gone
    assert [owned(line.encode(), owner).decode() for line in gone] == came
    assert main(owner, tmp_path) == 0, "a second time"
    assert capsys.readouterr().out.startswith("\n0 files")


def test_a_clone_that_is_its_owners_passes_what_reads_names(tmp_path: Path) -> None:
    """The tests that read the owner from a file; the others name none."""
    copy_tree(tmp_path)
    assert main("acme", tmp_path) == 0
    named = git(tmp_path, "diff", "--name-only", "--", "*.py", "*.toml").splitlines()
    assert named == ["tests/workflows.py"], "Python that names the owner is tested here"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "0", *NAMING],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
