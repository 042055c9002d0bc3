"""The action's main job on an embedded GitHub, over real HTTP: dry run, deletion, a second run, and the undo.

Run it with `make demo`. It needs no token and no network.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emulator.images import push_image
from emulator.server import EmulatedGitHub
from emulator.steps import run_process
from emulator.world import World

if TYPE_CHECKING:
    from emulator.steps import Ran

POLICY = """\
packages:
  - type: container
    name: app
    keep:
      - versions: [latest, stable]
      - versions: "*"
        min-versions-to-keep: 2
    delete:
      - versions: "v*"
        older-than: 30d
      - tag-status: untagged
        older-than: 7d
  - {type: npm, name: lib, delete: [{min-versions-to-keep: 3}]}
  - {type: maven, name: org.octo.core, delete: [{release-status: pre-release, older-than: 14d}]}
  - {type: nuget, name: Octo.Core, delete: [{version-range: "[1.0,2.0)"}]}
  - {type: rubygems, name: octo, delete: [{versions: "/rc/", older-than: 1 month}]}
  - {type: docker, name: legacy, delete: [{versions: "pr-*"}]}
"""
PACKAGES = {
    "container": "app",
    "npm": "lib",
    "maven": "org.octo.core",
    "nuget": "Octo.Core",
    "rubygems": "octo",
    "docker": "legacy",
}


def seed() -> World:
    """An organization with one package of each type."""
    world = World()
    world.add_org("octo")
    world.add_user("octocat")
    world.add_token()
    app = world.add_package("octo", "container", "app", repository="octo/app", visibility="public")
    for number in range(6):
        tags = (f"v1.{number}.0", "latest") if number == 5 else (f"v1.{number}.0",)
        push_image(world, app, tags, created=90 - 14 * number, attestations=True, signed="cosign")
    push_image(world, app, (), platforms=("linux/amd64",), created=20)
    named = {
        kind: world.add_package("octo", kind, name) for kind, name in PACKAGES.items() if kind != "container"
    }
    for number in range(8):
        world.add_version(named["npm"], f"1.{number}.0", created=80 - 10 * number)
        world.add_version(named["nuget"], f"{1 + number // 5}.{number}.0", created=80 - 10 * number)
    for name, age in (("1.0", 60), ("1.1-SNAPSHOT", 50), ("1.1-rc-1", 40), ("1.1", 30), ("1.2-SNAPSHOT", 2)):
        world.add_version(named["maven"], name, created=age)
    for name, age in (("0.9.0.rc1", 70), ("0.9.0", 60), ("1.0.0.rc1", 3), ("1.0.0", 1)):
        world.add_version(named["rubygems"], name, created=age)
    for tag, age, digest in (("pr-7", 30, "7" * 64), ("pr-8", 20, "8" * 64), ("release", 10, "9" * 64)):
        world.add_version(named["docker"], f"sha256:{digest}", created=age, tags=(tag,))
    return world


def main() -> int:
    """Run the demonstration; gives 0 where every step did what it should."""
    world = seed()
    before = world.snapshot()
    with EmulatedGitHub(world) as github, tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "retention.yml").write_text(POLICY)
        policy: dict[str, Any] = {"policy_file": "retention.yml"}
        dry = tell(
            "A dry run: what a policy for six packages would do",
            run_process(github, folder, dry_run="true", **policy),
        )
        done = tell(
            "The same step for real", run_process(github, folder, report_file="report.jsonl", **policy)
        )
        again = tell("Once more: nothing is left to do", run_process(github, folder, **policy))
        undone = [
            tell(
                f"The undo, from the report: {kind}",
                run_process(
                    github,
                    folder,
                    operation="restore",
                    package_type=kind,
                    package_name=name,
                    from_report="report.jsonl",
                ),
                brief=True,
            )
            for kind, name in PACKAGES.items()
        ]
    restored = sum(ran.number("restored-count") for ran in undone)
    checks = {
        "the deletion did what the dry run said": dry.ids("selected-version-ids")
        == done.ids("selected-version-ids"),
        "every planned version went": done.number("deleted-count") == done.number("selected-count") > 0,
        "a second run found nothing": again.number("selected-count") == 0,
        "the undo brought back all of it": restored == done.number("deleted-count"),
        "the world is as it was before": world.snapshot() == before,
        "every step succeeded": all(ran.status == 0 for ran in (dry, done, again, *undone)),
    }
    title("What was checked")
    for what, held in checks.items():
        print(f"{'ok  ' if held else 'FAIL'}  {what}")
    return 0 if all(checks.values()) else 1


def tell(what: str, ran: Ran, *, brief: bool = False) -> Ran:
    """Show a step's log, outputs and summary, as its user finds them."""
    title(what)
    print(ran.log)
    if not brief:
        print("--- outputs ---")
        for name, value in ran.outputs.items():
            print(f"{name}: {value if len(value) <= 150 else value[:147] + '...'}")
        print("\n--- job summary ---")
        print(ran.summary)
    return ran


def title(text: str) -> None:
    """Print a heading."""
    print(f"\n{'=' * 100}\n{text}\n{'=' * 100}")


if __name__ == "__main__":
    sys.exit(main())
