"""`operation: list` end to end: an inventory is told as it is, and nothing is ever changed."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from clocks import START
from emulator import shapes
from emulator.faults import Fault, Kind
from emulator.images import push_signature
from scene import Scene, lists, scene

if TYPE_CHECKING:
    from collections.abc import Iterator

    from emulator.steps import Ran
    from emulator.stored import StoredVersion

SCHEMA = Draft202012Validator(
    json.loads((Path(__file__).parents[2] / "docs" / "report.schema.json").read_text()),
    format_checker=Draft202012Validator.FORMAT_CHECKER,
)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path, visibility="public") as found:
        yield found


def inventory(made: Scene, *, status: int = 0, **inputs: Any) -> Ran:
    """List, with a report; nothing changes whatever is found."""
    before = made.world.snapshot()
    ran = made.step(operation="list", report_file="report.jsonl", **inputs)
    assert ran.status == status, ran.log
    assert not made.changes()
    assert made.world.snapshot() == before
    for line in lines(made):
        SCHEMA.validate(line)
    assert not told(made, "step")
    return ran


def lines(made: Scene) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(made.report).read_text(encoding="utf-8").splitlines()]


def told(made: Scene, kind: str) -> list[dict[str, Any]]:
    return [line for line in lines(made) if line["kind"] == kind]


def entry(made: Scene, version: StoredVersion) -> dict[str, Any]:
    (found,) = (line for line in told(made, "entry") if line["version"]["id"] == version.id)
    return found


def weight(*of: shapes.Shape) -> int:
    """What configs and layers weigh, read off the documents themselves."""
    total = 0
    for one in of:
        parts = [one.document.get("config", {}), *one.document.get("layers", ())]
        total += sum(part.get("size", 0) for part in parts)
    return total


def test_an_image_is_told_with_its_parts_sizes_and_referrers(made: Scene) -> None:
    image = made.push("v1", "stable", attestations=True, signed="cosign", created=40)
    ran = inventory(made)
    line = entry(made, image.root_version)
    assert set(line["members"]) == set(image.ids)
    assert line["platforms"] == ["linux/amd64", "linux/arm64"]
    assert line["attestations"] == 2
    assert line["size_bytes"] == weight(image.root, *image.platforms, *image.attestations, *image.referrers)
    assert [one["kind"] for one in line["referrers"]] == ["cosign signature"]
    assert "damage" not in line
    assert "due" not in line
    assert ran.outputs["selected-count"] == "0"
    assert ran.outputs["kept-count"] == str(len(image.ids))
    assert set(made.reads()) == set(image.members)
    assert "public, linked to octo/app" in ran.summary
    assert "linux/amd64, linux/arm64" in ran.summary


def test_damage_is_told_once_the_registry_confirms_it(made: Scene) -> None:
    whole, ghost, partial = (made.push(tag, created=40) for tag in ("whole", "ghost", "partial"))
    signature = push_signature(made.world, made.app, shapes.image("long gone"), "cosign")[0]
    for digest in (*ghost.children, partial.children[0]):
        version = next(v for v in made.app.versions.values() if v.name == digest)
        made.world.delete_version(made.app, version)
    ran = inventory(made)
    damage = {line["version"]["name"]: line.get("damage") for line in told(made, "entry")}
    assert damage[whole.digest] is None
    assert damage[ghost.digest] == "ghost"
    assert damage[partial.digest] == "partial"
    assert damage[signature.digest] == "orphaned"
    assert "3 damaged" in ran.summary


def test_deleted_versions_are_told_with_their_last_day(made: Scene) -> None:
    made.push("v1", created=40)
    gone = made.push("v0", platforms=(), created=50)
    made.world.delete_version(made.app, gone.root_version)
    ran = inventory(made)
    (line,) = told(made, "deleted")
    assert line["version"]["id"] == gone.root_version.id
    assert line["restorable_until"].startswith(f"{START + timedelta(days=30):%Y-%m-%d}")
    assert f"{START + timedelta(days=30):%Y-%m-%d} (30 days)" in ran.summary
    assert "1 deleted version" in ran.summary


def test_dues_come_true_and_by_the_rule_that_was_told(made: Scene) -> None:
    images = [made.push(f"v{days}", created=days) for days in (1, 10, 20, 50, 60)]
    rules: dict[str, Any] = {"older_than": "30d", "min_versions_to_keep": 1}
    ran = inventory(made, **rules)
    lines = [entry(made, image.root_version) for image in images]
    assert [line["selected"] for line in lines] == [False, False, False, False, True]
    days = [line["due"]["by"][:10] if "due" in line else None for line in lines]
    # The newest stays among the newest; each other goes when the one after it is 30 days old.
    due_in = [None, 29, 20, 10, None]
    assert days == [n and f"{START + timedelta(days=n):%Y-%m-%d}" for n in due_in]
    assert lines[0]["stays"]["text"] == "the newest"
    reasons = [line["due"]["reason"] for line in lines[1:4]]
    assert all(reason["rule"] == {"older-than": "30 days", "min-versions-to-keep": "1"} for reason in reasons)
    assert reasons[0]["text"].endswith("(older than 30 days), all but the newest")
    assert len(ran.ids("selected-version-ids")) == 3
    assert "never under these rules: the newest" in ran.summary
    made.step(**rules)
    made.clock.advance(timedelta(days=10, minutes=1).total_seconds())
    made.step(**rules)
    assert [made.has(image) for image in images] == [True, True, True, False, False]


def test_a_plan_that_a_deletion_would_refuse_is_a_warning(made: Scene) -> None:
    for days in (40, 50):
        made.push(f"v{days}", created=days)
    made.push("v1", created=1)
    ran = inventory(made, older_than="30d", fail_if_more_than="1")
    assert "deletion would be refused" in ran.summary
    assert len(told(made, "entry")) == 3
    assert ran.number("selected-count") == 6


def test_a_manifest_that_cannot_be_read_leaves_its_size_unknown(made: Scene) -> None:
    first, second = made.push("v1", created=40), made.push("v2", created=30)
    child = first.children[0]
    made.world.faults.add(Fault(Kind.UNAVAILABLE, path=re.escape(child), registry=True, times=None))
    inventory(made, older_than="35d")
    assert "size_bytes" not in entry(made, first.root_version)
    assert "size_bytes" in entry(made, second.root_version)
    # No decision rests on a child that its index describes: a deletion would not even read it.
    assert entry(made, first.root_version)["selected"]


def test_versions_without_manifests_are_told_with_their_age(made: Scene) -> None:
    # Without a filter nothing is selected, in no package of any type.
    lib = made.world.add_package("octo", "npm", "lib", repository="octo/app")
    for number in range(3):
        made.world.add_version(lib, f"1.{number}.0", created=30 - number)
    ran = inventory(made, package_type="npm", package_name="lib")
    assert [line["version"]["name"] for line in told(made, "entry")] == ["1.2.0", "1.1.0", "1.0.0"]
    assert not made.world.registry_requests
    assert "28 days" in ran.summary
    assert ran.number("selected-count") == 0
    assert told(made, "inventory")[0]["judged"] is False


def test_docker_conflicts_are_asked_for_once_and_told(made: Scene) -> None:
    for name in ("app", "old", "free"):
        legacy = made.world.add_package("octo", "docker", name, repository="octo/app")
        made.world.add_version(
            legacy, f"sha256:{name.encode().hex().rjust(64, '0')}", created=9, tags=("v1",)
        )
    made.world.add_package("octo", "container", "old")
    ran = inventory(made, package_type="docker", package_name="*")
    asked = [one for one in made.world.requests if one.path.endswith("/docker/conflicts")]
    assert len(asked) == 1
    assert [line["conflicts"] for line in told(made, "inventory")] == [["app", "old"]] * 3
    assert "2 docker packages in conflict" in ran.summary
    assert ran.summary.count("In conflict:") == 2


def test_without_a_list_of_deleted_versions_the_rest_is_told_all_the_same(made: Scene) -> None:
    made.push("v1", created=40)
    made.world.faults.add(
        Fault(
            Kind.SERVER_ERROR,
            where=lambda request: lists(request) and "deleted" in str(request.query),
            times=None,
        )
    )
    ran = inventory(made, status=1, time_limit="none")
    assert len(told(made, "entry")) == 1
    assert told(made, "inventory")[0]["deleted_known"] is False
    assert "deleted versions could not be listed" in ran.summary.lower()


def test_an_empty_package_is_told_too(made: Scene) -> None:
    ran = inventory(made)
    assert told(made, "inventory")[0]["versions"] == 0
    assert "0 versions, public" in ran.summary
