"""`make demo`, as somebody runs it who looks at the project for the first time."""

from __future__ import annotations

import os
import subprocess
import sys

from emulator.steps import ROOT

MOST_LINES = 60


def test_the_demo_fits_on_a_page_and_shows_all_of_it() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "emulator.demo"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": "src:tests"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert len(lines) <= MOST_LINES
    for words in (
        "older-than: 30d",
        "among the newest 2",
        "[y/N] y",
        "Deleted 3 of 6 images",
        "Nothing was deleted",
        "Restored 13",
    ):
        assert words in done.stdout
    page = (ROOT / lines[-1]).read_text(encoding="utf-8")
    assert "<svg" in page
    assert "src=" not in page
    assert "<link" not in page
