"""The action called by hand: `entrypoint.py` with flags, as a process, against the embedded GitHub."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from emulator.steps import ROOT, TOKEN

if TYPE_CHECKING:
    from pathlib import Path

    from emulator.server import EmulatedGitHub
    from emulator.world import World

SELECT = ("--owner", "octo", "--package-type", "npm", "--package-name", "lib", "--min-versions-to-keep", "2")


def by_hand(github: EmulatedGitHub, folder: Path, *argv: str) -> tuple[int, str]:
    """Call it as a person's script does: no runner's variables but those that name the server, and no terminal."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "entrypoint.py"), *argv],
        env={
            "PATH": os.environ["PATH"],
            "GITHUB_TOKEN": TOKEN,
            "GITHUB_API_URL": github.api_url,
            "GITHUB_SERVER_URL": github.server_url,
        },
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert "::" not in done.stdout + done.stderr
    assert TOKEN not in done.stdout + done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    assert (done.returncode == 0) == (done.stderr == "")
    return done.returncode, done.stdout + done.stderr


def test_a_dry_run_shows_the_plan_and_changes_nothing(
    github: EmulatedGitHub, world: World, tmp_path: Path
) -> None:
    before = world.snapshot()
    status, text = by_hand(github, tmp_path, *SELECT, "--dry-run")
    assert status == 0
    assert "Dry run: would delete 3 of 5 versions in octo/lib (npm)" in text
    assert "among the newest 2" in text
    assert world.snapshot() == before


def test_what_the_summary_says_undoes_it(github: EmulatedGitHub, world: World, tmp_path: Path) -> None:
    """The command is taken from the summary and run as it stands."""
    before = world.snapshot()
    status, text = by_hand(github, tmp_path, *SELECT, "--report-file", "run one.jsonl")
    assert status == 0
    assert "Deleted 3 of 5 versions" in text
    (command,) = (line for line in text.splitlines() if line.startswith("    python entrypoint.py "))
    argv = subprocess.run(
        ["/bin/sh", "-c", f'python() {{ printf "%s\\n" "$@"; }}; {command}'],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()[1:]
    status, text = by_hand(github, tmp_path, *argv)
    assert (status, "Restored 3" in text) == (0, True)
    assert world.snapshot() == before


def test_ids_undo_a_run_without_a_report(github: EmulatedGitHub, world: World, tmp_path: Path) -> None:
    before = world.snapshot()
    text = by_hand(github, tmp_path, *SELECT)[1]
    (command,) = (line for line in text.splitlines() if line.startswith("    python entrypoint.py "))
    assert by_hand(github, tmp_path, *command.split()[2:])[0] == 0
    assert world.snapshot() == before


def test_bad_values_are_told_once_each_and_end_with_2(github: EmulatedGitHub, tmp_path: Path) -> None:
    status, text = by_hand(github, tmp_path, "--package-type", "nmp", "--package-name", "lib")
    assert status == 2
    assert text.count("package-type: ") == 1
    assert "owner: is not known here" in text


def test_a_name_that_is_called_as_a_flag_stays_a_name(github: EmulatedGitHub, tmp_path: Path) -> None:
    text = by_hand(github, tmp_path, *SELECT[:5], "octo/limit", "--versions", "1*")[1]
    assert "Leave the owner out: `limit`." in text
    assert "`--package-name`" in text


def test_wrong_flags_end_with_2_and_no_request(github: EmulatedGitHub, world: World, tmp_path: Path) -> None:
    status, text = by_hand(github, tmp_path, *SELECT, "--dryrun")
    assert (status, "did you mean --dry-run?" in text) == (2, True)
    assert world.requests == []
