"""A nightly run costs what changed: manifests carried from run to run, and none read where nothing can match."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from emulator import shapes
from scene import Scene, scene

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CACHE = ".package-retention/deep/manifests"
UNTAGGED: dict[str, Any] = {"tag_status": "untagged", "older_than": "7d", "manifest_cache": CACHE}


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path) as found:
        yield found


def registry_reads(made: Scene) -> list[str]:
    """The manifests that were asked for with a token, there or not."""
    seen = made.world.registry_requests
    asked = [one.path for one in seen if "/manifests/" in one.path and one.status != 401]
    return [path.rsplit("/", 1)[1] for path in asked]


def cache_of(made: Scene) -> Path:
    return made.folder / CACHE


def test_the_second_run_asks_for_what_is_new_alone(made: Scene) -> None:
    made.push("v0", created=3)
    made.delete(**UNTAGGED)
    # Nothing is old enough: not a manifest is read, and the file is there all the same.
    assert registry_reads(made) == []
    assert cache_of(made).read_bytes() == b""
    for number in range(1, 4):
        made.push(f"v{number}", created=30, attestations=True)
    old = made.push(created=20)
    made.forget()
    made.step(**UNTAGGED, dry_run="true")
    assert sorted(registry_reads(made)) == sorted(made.there), "every manifest once"
    made.forget()
    ran = made.step(**UNTAGGED, dry_run="true")
    assert set(ran.ids("selected-version-ids")) == set(old.ids)
    assert made.world.registry_requests == [], "not even a token is needed"
    new = made.push("v9", created=10)
    made.forget()
    made.step(**UNTAGGED, dry_run="true")
    assert set(registry_reads(made)) == set(new.members)


def test_a_deletion_with_a_warm_cache_is_the_one_without(made: Scene) -> None:
    old, young = made.push(created=20, attestations=True), made.push(created=2)
    tagged = made.push("v1", created=30, signed="bundle")
    cold = made.step(tag_status="untagged", older_than="7d", dry_run="true")
    made.step(**UNTAGGED, dry_run="true")
    made.forget()
    warm = made.delete(**UNTAGGED)
    assert registry_reads(made) == []
    assert set(warm.ids("deleted-version-ids")) == set(cold.ids("selected-version-ids")) == set(old.ids)
    assert (made.has(old), made.has(young), made.has(tagged)) == (False, True, True)
    # The next run's file holds what is listed, and no more.
    made.step(**UNTAGGED, dry_run="true", min_versions_to_keep=1)
    assert cache_of(made).stat().st_uid == made.folder.stat().st_uid


def test_a_ghost_is_found_with_a_full_cache(made: Scene) -> None:
    """What nothing lists is asked of the registry, though the cache has the bytes."""
    ghost = made.push("old", created=30)
    made.push("v1", created=30)
    inputs: dict[str, Any] = {"remove_damaged": "ghost", "manifest_cache": CACHE}
    made.step(**inputs, dry_run="true")
    for version in list(made.app.active()):
        if version.name in ghost.members and version.name != ghost.digest:
            made.world.delete_version(made.app, version)
    ran = made.step(**inputs, dry_run="true")
    assert set(ran.ids("selected-version-ids")) == {
        version.id for version in made.app.active() if version.name == ghost.digest
    }


def test_a_forged_file_changes_nothing(made: Scene) -> None:
    """An index that the cache calls an image without children would lose its platforms."""
    kept = made.push("v1", created=30)
    made.push(created=30)
    made.step(**UNTAGGED, dry_run="true")
    forged = json.dumps({"mediaType": shapes.OCI_IMAGE, "config": {}, "layers": []})
    lines = [json.loads(line) for line in cache_of(made).read_text().splitlines()]
    assert lines
    cache_of(made).write_text("".join(json.dumps([*line[:2], forged]) + "\n" for line in lines))
    made.delete(**UNTAGGED)
    assert made.has(kept)


@pytest.mark.parametrize("shape", ["link", "folder link", "hard link", "folder", "outside"])
def test_the_file_lies_where_a_report_may_lie(
    made: Scene, tmp_path_factory: pytest.TempPathFactory, shape: str
) -> None:
    made.push(created=30)
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "file").write_text("precious")
    given, at = CACHE, cache_of(made)
    if shape == "folder link":
        at.parent.parent.mkdir()
        at.parent.symlink_to(elsewhere)
    elif shape == "outside":
        given = "../manifests"
    else:
        at.parent.mkdir(parents=True)
        if shape == "link":
            at.symlink_to(elsewhere / "file")
        elif shape == "hard link":
            os.link(elsewhere / "file", at)
        else:
            at.mkdir()
    ran = made.step(tag_status="untagged", older_than="7d", manifest_cache=given)
    assert ran.status == 1
    assert "manifest-cache" in ran.log
    assert made.requests() == 0
    assert (elsewhere / "file").read_text() == "precious"


@pytest.mark.parametrize(
    "inputs",
    [
        {"versions": "pr-*"},
        {"tag_status": "untagged", "older_than": "60d"},
        {"versions": "v*", "exclude_versions": "v1"},
        {"versions": "v1", "older_than": "90d"},
    ],
    ids=["no tag", "none is old enough", "all are excluded", "the tag is too young"],
)
def test_where_nothing_can_match_no_manifest_is_read(made: Scene, inputs: dict[str, Any]) -> None:
    made.push("v1", created=30)
    made.push(created=30)
    made.forget()
    ran = made.delete(**inputs)
    assert made.world.registry_requests == []
    assert "the images were not looked at" in ran.summary
    assert ran.number("kept-count") == len(made.there)


@pytest.mark.parametrize(
    "inputs", [{"remove_damaged": "ghost"}, {"operation": "list"}, {"versions": "v1", "dry_run": "true"}]
)
def test_what_may_match_is_read(made: Scene, inputs: dict[str, Any]) -> None:
    made.push("v1", created=30)
    made.step(**inputs)
    assert registry_reads(made)
