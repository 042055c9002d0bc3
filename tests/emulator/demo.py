"""The action's main job on an embedded GitHub, as a person sees it in a terminal: plan, deletion, a second run, the undo.

Run it with `make demo`; `make demo VERBOSE=1` adds the log of the same in a workflow. It needs no token and no network.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emulator.html_page import render_html
from emulator.images import push_image
from emulator.server import EmulatedGitHub
from emulator.steps import ROOT, environment, run_process
from emulator.terminal import call
from emulator.world import World
from package_retention.app import perform
from package_retention.cancel import Cancel, RealClock
from package_retention.inputs.settings import read_settings
from package_retention.output.console import console_for
from package_retention.output.records import Records
from package_retention.output.summary.blocks import About

if TYPE_CHECKING:
    from collections.abc import Iterable

    from emulator.terminal import Shown

POLICY = """\
packages:
  - type: container
    name: app
    keep:
      - versions: v*
        min-versions-to-keep: 2
    delete:
      - versions: v*
        older-than: 30d
      - tag-status: untagged
        older-than: 7d
"""
PAGE = ROOT / "build" / "demo" / "summary.html"
_RUN = ("--owner", "octo", "--policy-file", "retention.yml", "--manifest-cache", "manifests.json")
_REPORT = ("--report-file", "report.jsonl")
_UNDO = ("--operation", "restore", "--owner", "octo", "--package-type", "container", "--package-name", "app")
_PLAIN = {"TERM": "dumb", "COLUMNS": "100", "LINES": "50"}
_MOST_LINES = 6  # of the undo, which lists every version


def seed(untagged: Iterable[float] = (40.5, 2.5)) -> World:
    """An organization with one package of images: releases for two platforms, attested, and untagged ones so old."""
    world = World()
    world.add_org("octo")
    world.add_user("octocat")
    world.add_token()
    app = world.add_package("octo", "container", "app", repository="octo/app", visibility="public")
    push = partial(push_image, world, app, layer_size=48_000_000)
    for number, age in enumerate((95.5, 62.5, 33.5, 5.5)):
        tags = [f"v1.{number}.0"] + (["latest"] if number == 3 else [])
        push(tags, created=age, attestations=True, signed="cosign" if number == 1 else "")
    for age in untagged:
        push((), created=age, platforms=("linux/amd64",))
    return world


def main() -> int:
    """Play the demonstration and return 0 if every step did what it should."""
    verbose = bool(os.environ.get("VERBOSE"))
    world = seed()
    before = world.snapshot()
    with EmulatedGitHub(world) as github, tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "retention.yml").write_text(POLICY)
        print(f"$ cat retention.yml\n{POLICY}")
        planned = write_page(github, folder)
        done = _play(github, folder, *_RUN, *_REPORT)
        again = _play(github, folder, *_RUN)
        most = 0 if verbose else _MOST_LINES
        undone = _play(github, folder, *_UNDO, "--from-report", "report.jsonl", most=most)
        if verbose:
            print(
                f"The same step in a workflow, as its log shows it:\n{run_process(github, folder, **_STEP).log}"
            )
    checks = {
        "the plan was shown before it was carried out": "Delete 3 of 6 images" in done.text,
        "what was planned was deleted": "Deleted 3 of 6 images" in done.text and "3 of 6 images" in planned,
        "the second run found nothing to delete": "Nothing was deleted" in again.text,
        "the undo brought all of it back": world.snapshot() == before,
        "every step succeeded": all(shown.status == 0 for shown in (done, again, undone)),
    }
    for what, held in checks.items():
        if not held:
            print(f"FAIL  {what}")
    print("The plan as a job summary shows it, as a page for a browser:")
    print(PAGE.relative_to(ROOT))
    return 0 if all(checks.values()) else 1


_STEP: dict[str, Any] = {
    "policy_file": "retention.yml",
    "manifest_cache": "manifests.json",
    "dry_run": "true",
}


def write_page(github: EmulatedGitHub, folder: Path, page: Path = PAGE) -> str:
    """Write the summary of a dry run as an HTML page, and return it."""
    environ = environment(github, folder, _STEP)
    clock, console = RealClock(Cancel()), console_for(io.StringIO(), environ)
    records = Records(environ, console, clock)
    settings = read_settings(environ, folder)
    records.open(settings)
    run = perform(settings, records)
    page.parent.mkdir(parents=True, exist_ok=True)
    text = render_html(run, About(clock.now(), "octo/package-retention@v1", chart_from=5))
    page.write_text(text, encoding="utf-8")
    return text


def _play(github: EmulatedGitHub, folder: Path, *argv: str, most: int = 0) -> Shown:
    """Type a command and show what its terminal shows; with `most`, no more lines of it before its end."""
    print(f"$ python -m package_retention {' '.join(argv)}")
    coloured = sys.stdout.isatty()
    shown = call(github, folder, *argv, variables={} if coloured else _PLAIN)
    text = shown.raw.replace("\r\n", "\n") if coloured else shown.text
    lines = [line.rstrip() for line in text.splitlines()]
    end = next((place for place, line in enumerate(lines) if "[y/N]" in line), len(lines))
    if most and end - 1 > most:
        lines = [
            *lines[:most],
            f"… {end - 1 - most} more lines (make demo VERBOSE=1)",
            "",
            # A slow machine shows a bar meanwhile, which leaves blank lines.
            *[line for line in lines[end:] if line][:2],
            "",
        ]
    print("\n".join(lines))
    return shown


if __name__ == "__main__":
    sys.exit(main())
