"""What a run says of itself, through the whole action: what was refused, what was planned, what became free."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from scene import Scene, scene

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path) as found:
        yield found


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        ("delete", "Nothing was deleted: the run was refused"),
        ("restore", "Nothing was restored: the run was refused"),
        ("list", "Nothing was listed: the run was refused"),
        ("destroy", "Nothing was changed: the run was refused"),
    ],
)
@pytest.mark.parametrize("dry_run", ["true", "false"])
def test_a_refused_run_says_what_it_was_asked_for(
    made: Scene, operation: str, words: str, dry_run: str
) -> None:
    ran = made.step(operation=operation, dry_run=dry_run, versions="/(/")
    assert ran.status == 1
    assert ran.summary.startswith(f"## {words}\n")
    assert ran.outputs["dry-run"] == dry_run


def size(made: Scene) -> int:
    """What the whole package takes, as a list tells it."""
    ran = made.step(operation="list", report_file="list.jsonl")
    assert ran.status == 0
    lines = map(json.loads, (made.folder / "list.jsonl").read_text(encoding="utf-8").splitlines())
    (inventory,) = (line for line in lines if line["kind"] == "inventory")
    found: int = inventory["size_bytes"]
    return found


def test_what_is_freed_is_what_the_package_takes_less(made: Scene) -> None:
    """With a cache every manifest is read, so the dry run knows it, and the deletion does it."""
    for number in range(4):
        made.push(f"v{number}", created=90 - number, attestations=True, signed="cosign" if number else "")
    made.push("stable", created=1)
    given: dict[str, Any] = {"versions": "v*", "min_versions_to_keep": 1, "manifest_cache": "cache/manifests"}
    before = size(made)
    planned = made.delete(dry_run="true", **given)
    done = made.delete(**given)
    assert int(done.outputs["freed-bytes"]) == int(planned.outputs["freed-bytes"]) == before - size(made) > 0
    headline = done.summary.split("\n", 1)[0]
    assert headline.startswith("## Deleted 3 of 5 images (")
    assert "B in octo/app (container)" in headline
    assert "about" not in headline
    assert "For 30 days" in done.summary


def test_without_every_manifest_the_size_is_only_about_right(made: Scene) -> None:
    made.push("v1", created=90, attestations=True)
    made.push("stable", created=1)
    ran = made.delete(versions="v*")
    assert "2 manifests were not read" in ran.summary
    assert "About " in ran.summary


def test_a_report_is_named_only_where_there_is_one(made: Scene) -> None:
    for number in range(60):
        made.push(f"v{number}", created=200 - number, platforms=("linux/amd64",))
    without = made.delete(versions="v*", dry_run="true")
    assert "which the report file holds" not in without.summary + without.log
    assert "`report-file` lists every one" in without.summary
    assert "from-report" not in without.summary
    held = made.delete(versions="v*", dry_run="true", report_file="plan.jsonl")
    assert "which the report file holds" in held.summary
    assert "with `from-report`, it changes nothing else" in held.summary


def test_a_plan_over_its_cap_is_shown_and_called_what_it_is(made: Scene) -> None:
    for number in range(4):
        made.push(f"v{number}", created=90 - number)
    made.push("stable", created=1)
    for dry_run in ("true", "false"):
        ran = made.step(versions="v*", fail_if_more_than="2", dry_run=dry_run)
        assert ran.status == 1
        assert "4 images: planned, and not carried out" in ran.summary
        assert "would delete v0" in ran.log
        assert "0 changes planned" not in ran.log
        assert "more than `fail-if-more-than` allows" in ran.summary.split("\n", 1)[0]
        assert "carries out this plan" not in ran.summary
    assert not made.changes()
