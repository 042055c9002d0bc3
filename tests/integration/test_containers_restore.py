"""The undo: an image comes back in waves, with children and signatures, and takes no tag from anybody."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from emulator import shapes
from emulator.faults import Fault, Kind
from emulator.images import push_signature
from scene import Scene, ids, scene

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from emulator.images import PushedImage

ANSWERS = list(itertools.product([True, False], repeat=2))


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path) as found:
        yield found


def filled(made: Scene, signed: Any = "cosign") -> PushedImage:
    """A package of which `v1` is to be deleted and restored."""
    image = made.push("v1", created=100, attestations=True, signed=signed)
    made.push("v2", created=50, signed=signed)
    made.push(created=40)
    return image


@pytest.mark.parametrize(("keeps", "back"), ANSWERS)
@pytest.mark.parametrize("signed", ["cosign", "bundle"])
def test_the_report_undoes_a_deletion(tmp_path: Path, keeps: bool, back: bool, signed: Any) -> None:
    """Whatever GitHub makes of the tags of what is deleted."""
    with scene(tmp_path, deleted_versions_keep_tags=keeps, restored_versions_get_tags_back=back) as made:
        image = filled(made, signed)
        before = made.state()
        made.delete(versions="v1", report_file=made.report)
        assert not made.has(image)
        ran = made.restore(from_report=made.report)
        assert made.there == before.keys()
        assert made.state() == before or not back
        assert ran.number("restored-count") == len(image.members)
        assert made.restore(from_report=made.report).number("restored-count") == 0


@pytest.mark.parametrize(("keeps", "back"), ANSWERS)
@pytest.mark.parametrize("signed", ["cosign", "bundle"])
@pytest.mark.parametrize("days", [50, 0.5])
def test_the_report_undoes_the_deletion_of_orphans(
    tmp_path: Path, keeps: bool, back: bool, signed: Any, days: float
) -> None:
    """A tag derived from an image that was gone before comes back with the signature, however young that is."""
    with scene(tmp_path, deleted_versions_keep_tags=keeps, restored_versions_get_tags_back=back) as made:
        made.push("v1", created=100, signed=signed)
        push_signature(made.world, made.app, shapes.image("gone"), signed, created=days)
        before = made.state()
        made.delete(remove_damaged="orphaned", older_than="0s", report_file=made.report)
        assert made.state() != before
        made.restore(from_report=made.report)
        assert made.state() == before


@pytest.mark.parametrize(("keeps", "back"), ANSWERS)
@pytest.mark.parametrize("signed", ["", "cosign", "bundle"])
def test_a_root_brings_back_what_belongs_to_it(tmp_path: Path, keeps: bool, back: bool, signed: Any) -> None:
    with scene(tmp_path, deleted_versions_keep_tags=keeps, restored_versions_get_tags_back=back) as made:
        image = filled(made, signed)
        before = made.state()
        made.delete(versions="v1")
        given: dict[str, Any] = {"versions": "v1"}
        if not keeps:
            given = {"package_version_ids": ids([image.root_version])}
        made.restore(**given)
        assert {image.digest, *image.children} <= made.there
        if keeps:
            # A signature is known by its tag alone: where GitHub shows none, only a report knows it.
            assert made.there == before.keys()
        if keeps and back:
            assert made.state() == before


def test_nested_and_shared_children_come_back(made: Scene) -> None:
    leaf = shapes.image("leaf")
    inner = shapes.index([shapes.descriptor(leaf, "linux/amd64")])
    outers = [shapes.index([shapes.descriptor(inner)], annotations={"n": str(n)}) for n in range(2)]
    for one in (leaf, inner):
        made.add(one, created=100)
    for number, one in enumerate(outers):
        made.add(one, f"v{number}", created=99)
    made.push("newest", created=1)
    before = made.state()
    made.delete(versions="v0, v1")
    assert leaf.digest not in made.there
    ran = made.restore(versions="v0")
    assert made.there == before.keys() - {outers[1].digest}
    assert ran.number("restored-count") == 3
    made.restore(versions="v1")
    assert made.state() == before


@pytest.mark.parametrize("api", ["404", "empty", "answers"])
def test_referrers_come_back_with_their_subject(tmp_path: Path, api: str) -> None:
    with scene(tmp_path, referrers_api=api) as made:
        image = filled(made, "bundle")
        before = made.state()
        made.delete(versions="v1")
        made.restore(versions="v1")
        assert made.state() == before
        assert made.has(image)


def test_a_tag_that_moved_on_is_not_taken_back(made: Scene) -> None:
    old = filled(made)
    made.world.move_tag(made.app, "1.0.0", old.root_version)
    old_id = ids([old.root_version])
    made.delete(versions="v1, 1.0.0")
    new = made.push("v1", created=0)
    ran = made.restore(versions="v1, 1.0.0")
    assert made.tags["v1"] == new.digest
    assert old.digest not in made.there
    assert ran.number("restored-count") == 0
    assert "on another version now" in ran.summary
    # Named by its id it comes back, with the tags that nobody has taken.
    made.restore(package_version_ids=old_id)
    assert made.has(old)
    assert made.tags["v1"] == new.digest
    assert made.tags["1.0.0"] == old.digest


def test_a_tag_that_moves_while_the_restore_goes_on_stays_where_it_is(made: Scene) -> None:
    filled(made)
    made.delete(versions="v1")
    new: list[PushedImage] = []
    made.when(lambda request: request.method == "POST", lambda: new.append(made.push("v1", created=0)))
    made.restore(versions="v1")
    assert made.tags["v1"] == new[0].digest


def test_an_exclusion_binds_what_comes_along(made: Scene) -> None:
    image = filled(made)
    made.delete(versions="v1")
    signature = image.referrers[0]
    made.restore(versions="v1", exclude_versions="/\\.sig$/")
    assert signature.digest not in made.there
    assert {image.digest, *image.children} <= made.there


def test_a_restore_wave_that_is_refused_is_told(made: Scene) -> None:
    image = filled(made)
    child = made.app.by_digest(image.children[0])
    assert child
    made.delete(versions="v1")
    made.world.faults.add(Fault(Kind.UNAVAILABLE, method="POST", path=f"/{child.id}/restore", times=None))
    ran = made.restore(status=1, versions="v1")
    assert child.name not in made.there
    assert set(image.members) - {child.name} <= made.there
    assert ran.ids("failed-version-ids") == [child.id]
    # The report is not the only way: its id says enough.
    made.world.faults.clear()
    made.restore(package_version_ids=str(child.id))
    assert made.has(image)


def test_a_manifest_that_cannot_be_read_after_its_restore_fails_the_run(made: Scene) -> None:
    image = filled(made)
    made.delete(versions="v1")
    made.world.faults.add(Fault(Kind.UNAVAILABLE, registry=True, path=image.digest, times=None))
    ran = made.restore(status=1, versions="v1")
    assert image.digest in made.there
    assert image.digest in ran.log
    assert "could not be read" in ran.log


@pytest.mark.parametrize("api", ["404", "answers"])
def test_referrers_that_cannot_be_asked_for_do_not_hold_up_the_children(tmp_path: Path, api: str) -> None:
    with scene(tmp_path, referrers_api=api) as made:
        image = filled(made)
        made.delete(versions="v1")
        made.world.faults.add(Fault(Kind.UNAVAILABLE, registry=True, path="/referrers/", times=None))
        ran = made.restore(status=1, versions="v1")
        assert made.has(image)
        assert "what refers to" in ran.log


def test_what_is_past_30_days_stays_deleted(made: Scene) -> None:
    filled(made)
    made.delete(versions="v1")
    made.clock.advance(31 * 24 * 3600)
    ran = made.restore(versions="v1")
    assert ran.number("restored-count") == 0
    assert "30 days" in ran.summary
    assert not any(one.method == "POST" for one in made.world.requests)


def test_an_image_cut_by_a_cancel_is_finished_by_its_report(made: Scene) -> None:
    image = filled(made)
    made.when(lambda request: request.method == "DELETE", made.clock.signal)
    made.delete(status=143, versions="v1", report_file=made.report)
    left = set(image.members) & made.there
    assert left
    assert image.digest not in left
    # It is untagged now and young enough: nothing but the report may say that it is to go.
    made.restore(from_report=made.report)
    assert made.has(image)


def test_a_whole_package_comes_back_by_everything_alone(made: Scene) -> None:
    image = made.push("v1", created=100, signed="cosign")
    before = made.state()
    made.delete(versions="*", delete_package="when-empty")
    assert made.app.deleted_at
    assert made.step(operation="restore", versions="v1").status == 1
    assert made.app.deleted_at
    made.restore(versions="*")
    assert made.state() == before
    assert made.has(image)
