"""Taking tags away (facts D): the tag goes, the image stays, and no dummy is left behind, whatever happens."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from emulator import shapes
from emulator.faults import Fault, Kind
from scene import Scene, deletes, scene

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from emulator.messages import Request


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path) as found:
        yield found


def puts(request: Request) -> bool:
    return request.registry and request.method == "PUT"


def untag(made: Scene, *, status: int = 0, **inputs: Any) -> Any:
    """Run a deletion that untags: whatever happens, no image is lost and no dummy stays behind."""
    before = {version.name for version in made.app.versions.values()}
    ran = made.delete(status=status, untag="true", **inputs)
    assert made.there <= before, f"a dummy was left behind:\n{ran.log}"
    return ran


@pytest.mark.parametrize("platforms", [(), ("linux/amd64", "linux/arm64")])
@pytest.mark.parametrize("docker", [True, False])
def test_a_partly_matched_image_loses_the_tags_that_match(made: Scene, platforms: Any, docker: bool) -> None:
    image = made.push("pr-1", "pr-2", "v1", created=100, platforms=platforms, docker=docker, signed="cosign")
    made.push("v2", created=1)
    assert made.delete(versions="pr-*").number("untagged-count") == 0
    ran = untag(made, versions="pr-*")
    assert made.has(image)
    assert image.root_version.tags == ["v1"]
    assert ran.number("untagged-count") == 2
    assert ran.number("deleted-count") == 0
    assert made.delete(untag="true", versions="pr-*").number("untagged-count") == 0


def test_a_needed_image_loses_all_its_tags_and_stays(made: Scene) -> None:
    child = shapes.image("child")
    made.add(child, "v1-amd64", created=100)
    made.add(shapes.index([shapes.descriptor(child, "linux/amd64")]), "v1", created=99)
    made.push("v2", created=1)
    ran = untag(made, versions="/-amd64$/")
    assert child.digest in made.there
    assert made.tags.keys() == {"v1", "v2"}
    assert ran.number("untagged-count") == 1


def test_an_image_that_matches_whole_goes_and_is_not_untagged(made: Scene) -> None:
    whole, partly = made.push("pr-1", "pr-2", created=100), made.push("pr-3", "v1", created=99)
    ran = untag(made, versions="pr-*")
    assert not made.has(whole)
    assert made.has(partly)
    assert made.tags.keys() == {"v1"}
    assert ran.number("untagged-count") == 1


def test_a_limit_counts_images_that_lose_tags(made: Scene) -> None:
    for number in range(4):
        made.push(f"pr-{number}", f"v{number}", created=100 - number)
    untag(made, versions="pr-*", limit=3)
    assert made.tags.keys() == {"v0", "v1", "v2", "v3", "pr-3"}


def test_latest_is_not_taken_away_by_a_wildcard(made: Scene) -> None:
    made.push("latest", "v1", created=100)
    made.push("edge", created=1)
    untag(made, versions="*", exclude_versions="edge")
    assert {"latest", "edge"} <= made.tags.keys()


def test_a_dry_run_tells_and_takes_nothing(made: Scene) -> None:
    made.push("pr-1", "v1", created=100)
    before = made.world.snapshot()
    ran = untag(made, versions="pr-*", dry_run="true")
    assert made.world.snapshot() == before
    assert not any(puts_were_sent(made))
    assert "pr-1" in ran.summary


def puts_were_sent(made: Scene) -> list[str]:
    return [one.path for one in made.world.registry_requests if one.method == "PUT"]


def test_a_tag_that_moved_meanwhile_stays_where_it_is(made: Scene) -> None:
    image, other = made.push("pr-1", "v1", created=100), made.push("v2", created=1)
    happened = made.when(
        lambda request: request.registry and request.path.endswith("/manifests/pr-1"),
        lambda: made.world.move_tag(made.app, "pr-1", other.root_version),
    )
    ran = untag(made, versions="pr-*")
    assert happened
    assert made.tags == {"pr-1": other.digest, "v1": image.digest, "v2": other.digest}
    assert ran.number("untagged-count") == 0
    assert not puts_were_sent(made)
    assert "on another image now" in ran.log


def is_dummy(made: Scene, request: Request) -> bool:
    """A deletion of a version that names nothing."""
    version = made.app.versions.get(int(request.path.rsplit("/", 1)[1])) if deletes(request) else None
    body = json.loads(version.manifest) if version and version.manifest else {}
    return version is not None and not (body.get("manifests") or body.get("layers"))


@pytest.mark.parametrize("kind", [Kind.SERVER_ERROR, Kind.DROP, Kind.PORTAL])
def test_a_dummy_that_cannot_be_deleted_is_undone(made: Scene, kind: Kind) -> None:
    image = made.push("pr-1", "v1", created=100)
    made.push("v2", created=1)

    def while_it_is_tagged(request: Request) -> bool:
        with made.world.lock:
            version = made.app.by_tag("pr-1")
            return is_dummy(made, request) and version is not None and version.name != image.digest

    made.world.faults.add(Fault(kind, where=while_it_is_tagged, times=None))
    ran = untag(made, status=1, versions="pr-*")
    assert made.tags["pr-1"] == image.digest
    assert made.has(image)
    assert ran.number("untagged-count") == 0
    assert "pr-1 was put back" in ran.log


def test_a_dummy_that_is_never_deleted_is_told(made: Scene) -> None:
    image = made.push("pr-1", "v1", created=100)
    made.push("v2", created=1)
    before = made.there
    made.world.faults.add(Fault(Kind.SERVER_ERROR, where=lambda request: is_dummy(made, request), times=None))
    ran = made.delete(status=1, untag="true", versions="pr-*")
    assert made.tags["pr-1"] == image.digest
    (blank,) = made.there - before
    assert blank in ran.log
    assert "delete it by hand" in ran.log
    # An empty untagged image, which any rule for untagged images takes.
    made.world.faults.clear()
    made.delete(tag_status="untagged", older_than="0s")
    assert blank not in made.there


@pytest.mark.parametrize("looks", [1, 3])
def test_a_dummy_that_the_list_shows_late_is_waited_for(made: Scene, looks: int) -> None:
    made.push("pr-1", "v1", created=100)
    made.push("v2", created=1)
    known = set(made.app.versions)
    seen: list[int] = []

    def late(request: Request) -> None:
        with made.world.lock:
            for version in made.app.active():
                if version.id not in known and request.path.endswith("/versions"):
                    seen.append(version.id)
                    version.unlisted = len(seen) <= looks

    made.world.before_request.append(late)
    untag(made, versions="pr-*")
    assert "pr-1" not in made.tags
    assert len(seen) > looks


def test_a_refused_write_changes_nothing(made: Scene) -> None:
    image = made.push("pr-1", "v1", created=100)
    made.push("v2", created=1)
    made.world.faults.add(Fault(Kind.UNAVAILABLE, registry=True, method="PUT", times=None))
    ran = untag(made, status=1, versions="pr-*")
    assert made.tags["pr-1"] == image.digest
    assert ran.number("untagged-count") == 0


@pytest.mark.parametrize("kind", [Kind.LOST, Kind.LOST_502])
def test_a_write_whose_answer_is_lost_is_repeated(made: Scene, kind: Kind) -> None:
    image = made.push("pr-1", "v1", created=100)
    made.push("v2", created=1)
    made.world.faults.add(Fault(kind, registry=True, method="PUT"))
    untag(made, versions="pr-*")
    assert "pr-1" not in made.tags
    assert made.has(image)


@pytest.mark.parametrize("kind", [Kind.LOST, Kind.LOST_502])
def test_a_write_that_was_done_although_every_answer_said_otherwise_leaves_no_dummy(
    made: Scene, kind: Kind
) -> None:
    image = made.push("pr-1", "v1", created=100)
    made.push("v2", created=1)
    made.world.faults.add(Fault(kind, registry=True, method="PUT", times=5))
    ran = untag(made, status=1, versions="pr-*")
    assert made.tags.get("pr-1") in (None, image.digest)
    assert made.has(image)
    assert "::error" in ran.log


@pytest.mark.parametrize(
    "where", ["before the look", "before the write", "before the list", "before the deletion"]
)
def test_a_cancel_in_the_middle_finishes_or_undoes(made: Scene, where: str) -> None:
    image = made.push("pr-1", "v1", created=100)
    made.push("v2", created=1)
    written: list[int] = []
    made.when(puts, lambda: written.append(1))
    fits = {
        "before the look": lambda request: request.registry and request.path.endswith("/manifests/pr-1"),
        "before the write": puts,
        "before the list": lambda request: bool(written) and request.path.endswith("/versions"),
        "before the deletion": deletes,
    }[where]
    happened = made.when(fits, made.clock.signal)
    ran = untag(made, status=143, versions="pr-*")
    assert happened
    assert made.has(image)
    assert made.tags.get("pr-1") in (None, image.digest)
    assert ran.outputs["complete"] == "false"
    taken = "pr-1" not in made.tags
    assert ran.number("untagged-count") == taken
    # What is begun is finished.
    assert taken or where == "before the look"


def test_the_time_limit_does_not_leave_a_dummy(made: Scene) -> None:
    image = made.push("pr-1", "v1", created=100)
    made.push("v2", created=1)
    happened = made.when(puts, lambda: made.clock.advance(4000))
    ran = untag(made, versions="pr-*")
    assert happened
    assert made.has(image)
    assert made.tags.get("pr-1") in (None, image.digest)
    assert ran.number("untagged-count") == ("pr-1" not in made.tags)


def test_the_last_tag_of_a_package_stays(made: Scene) -> None:
    """GitHub refuses to delete the last tagged version, and the dummy would be it."""
    child = shapes.image("child")
    made.add(child, "amd64", created=100)
    made.add(shapes.index([shapes.descriptor(child, "linux/amd64")]), created=99)
    ran = untag(made, versions="amd64")
    assert made.tags.keys() == {"amd64"}
    assert ran.number("untagged-count") == 0
    assert not puts_were_sent(made)
    assert "::warning" in ran.log
    assert "last tagged" in ran.log


def test_a_tag_that_becomes_the_last_meanwhile_is_put_back(made: Scene) -> None:
    child, other = shapes.image("child"), made.push("v2", created=1)
    made.add(child, "amd64", created=100)
    made.add(shapes.index([shapes.descriptor(child, "linux/amd64")]), created=99)
    happened = made.when(deletes, lambda: made.world.delete_version(made.app, other.root_version))
    ran = untag(made, versions="amd64")
    assert happened
    assert made.tags == {"amd64": child.digest}
    assert "amd64 was put back" in ran.log


def test_a_token_that_may_not_write_is_told_before_the_first_change(made: Scene) -> None:
    made.push("pr-1", "v1", created=100)
    made.push("pr-2", created=100)
    made.world.add_token(scopes=("read:packages", "delete:packages"))
    before = made.world.snapshot()
    ran = untag(made, status=1, versions="pr-*")
    assert made.world.snapshot() == before
    assert "write:packages" in ran.log


def test_a_signed_image_keeps_its_signatures_when_a_tag_goes(made: Scene) -> None:
    image = made.push("pr-1", "v1", created=100, signed="bundle", attestations=True)
    untag(made, versions="pr-*")
    assert made.has(image)


def test_the_report_puts_tags_back(made: Scene) -> None:
    image = made.push("pr-1", "v1", created=100)
    gone = made.push("pr-2", created=90, signed="cosign")
    before = made.state()
    untag(made, versions="pr-*", report_file=made.report)
    assert made.tags.keys() == {"v1"}
    ran = made.restore(from_report=made.report)
    assert made.state() == before
    assert made.tags["pr-1"] == image.digest
    assert made.has(gone)
    assert ran.number("restored-count") == 4


def test_a_tag_that_was_pushed_again_is_not_taken_back(made: Scene) -> None:
    made.push("pr-1", "v1", created=100)
    untag(made, versions="pr-*", report_file=made.report)
    new = made.push("pr-1", created=0)
    made.restore(from_report=made.report)
    assert made.tags["pr-1"] == new.digest


@pytest.mark.parametrize("kind", [Kind.SERVER_ERROR, Kind.DROP, Kind.PORTAL, Kind.LOST])
@pytest.mark.parametrize("when", ["find", "delete", "delete again", "read"])
@pytest.mark.parametrize("lasting", [True, False])
def test_a_newer_push_of_a_tag_stays_whenever_it_comes(
    made: Scene, kind: Kind, when: str, lasting: bool
) -> None:
    """Once the placeholder has the tag, whoever pushes the tag anew keeps it, whatever then goes wrong."""
    image = made.push("pr-1", "v1", created=100)
    made.push("v2", created=1)
    new = shapes.image("pushed meanwhile")

    def written() -> bool:
        with made.world.lock:
            version = made.app.by_tag("pr-1")
            return version is not None and version.name not in (image.digest, new.digest)

    fits = {
        "find": lambda request: written() and request.path.endswith("/versions"),
        "delete": lambda request: written() and deletes(request),
        "delete again": lambda request: written() and deletes(request),
        "read": lambda request: (
            written()
            and request.registry
            and request.method == "GET"
            and request.path.endswith("/manifests/pr-1")
        ),
    }[when]
    happened = made.when(
        fits,
        lambda: made.world.push(made.app, new.body, new.media_type, ["pr-1"]),
        skip=int(when == "delete again"),
    )
    made.world.faults.add(
        Fault(kind, where=lambda request: is_dummy(made, request), times=None if lasting else 5)
    )
    before = {version.name for version in made.app.versions.values()}
    ran = made.step(untag="true", versions="pr-*")
    assert "unexpected" not in ran.log
    if happened:
        assert made.tags["pr-1"] == new.digest
    assert made.has(image)
    assert ran.number("untagged-count") == ("pr-1" not in image.root_version.tags)
    if not lasting:
        assert made.there <= before | {new.digest}, f"a placeholder was left behind:\n{ran.log}"
