"""What others do in the middle of a run: promotions, pushes, deletions; and facts that grow old."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from emulator import rest, shapes
from emulator.faults import Fault, Kind, Odd
from emulator.images import push_image
from emulator.meanwhile import Slips
from emulator.messages import Request
from emulator.steps import TOKEN
from scene import Scene, deletes, lists, page, reads, scene
from wholeness import named_by

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from emulator.images import PushedImage

FOUR = ("linux/amd64", "linux/arm64", "linux/arm/v7", "linux/s390x")


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path) as found:
        yield found


def promote(made: Scene, image: PushedImage, tag: str = "stable") -> None:
    """`docker tag` and push: the manifest is there, it only gets a tag."""
    made.world.push(made.app, image.root.body, image.root.media_type, [tag])


def point(made: Scene, number: int, act: Callable[[], object]) -> list[int]:
    """Points of a run before its first change, in their order, at which others may act."""
    fits: tuple[tuple[Callable[[Request], bool], int], ...] = (
        (page(1), 0),  # before the first list
        (page(2), 0),  # between its pages
        (reads, 0),  # before the first manifest
        (reads, 2),  # between manifests
        (page(1), 1),  # between the plan and the second list
        (page(2), 1),  # between the pages of the second list
    )
    return made.when(fits[number][0], act, skip=fits[number][1])


def listed_late(made: Scene, images: list[PushedImage]) -> PushedImage:
    """One of the images whose root is on the second page."""
    request = Request("GET", "/orgs/octo/packages/container/app/versions", {"per_page": "100", "page": "2"})
    headers = {"authorization": f"token {TOKEN}"}
    answer = rest.handle(made.world, replace(request, headers=headers))
    names = {row["name"] for row in json.loads(answer.body)}
    return next(image for image in images if image.digest in names)


@pytest.mark.parametrize("number", range(6))
@pytest.mark.parametrize("order", ["newest", "oldest", "scrambled"])
def test_a_promotion_before_the_first_change_is_heeded(tmp_path: Path, number: int, order: str) -> None:
    with scene(tmp_path, version_order=order) as made:
        made.push("v1", created=100)
        dangling = [made.push(created=90 - day, platforms=FOUR) for day in range(22)]
        # What happens to a page that was answered already is seen at the next look.
        promoted = listed_late(made, dangling)
        happened = point(made, number, lambda: promote(made, promoted))
        made.delete(tag_status="untagged")
        assert happened
        assert made.tags["stable"] == promoted.digest
        assert made.has(promoted)
        assert sum(made.has(image) for image in dangling) == 1


@pytest.mark.parametrize("number", range(6))
def test_an_index_that_names_a_planned_image_keeps_it(tmp_path: Path, number: int) -> None:
    # In a list that is oldest first, what is new comes last, and is there when its page is asked for.
    with scene(tmp_path, version_order="oldest" if number in (1, 5) else "newest") as made:
        _combined(made, number)


def _combined(made: Scene, number: int) -> None:
    made.push("v1", created=400)
    dangling = [made.push(created=300 - day, platforms=FOUR) for day in range(22)]
    wanted = dangling[10:13]

    def combine() -> None:
        """`docker buildx imagetools create` over images that are there."""
        index = shapes.index([shapes.descriptor(one.root) for one in wanted])
        made.world.push(made.app, index.body, index.media_type, ["combined"])

    happened = point(made, number, combine)
    made.delete(tag_status="untagged")
    assert happened
    assert "combined" in made.tags
    assert [made.has(image) for image in dangling] == [image in wanted for image in dangling]


@pytest.mark.parametrize("number", range(6))
@pytest.mark.parametrize("newest", [True, False])
def test_a_deletion_elsewhere_while_pages_are_read_breaks_nothing(
    made: Scene, number: int, newest: bool
) -> None:
    """What follows moves up by one: an item slips over a page's edge and is in no page of that list."""
    dangling = [made.push(created=200 - n, platforms=FOUR) for n in range(3)]
    images = [made.push(f"v{n}", created=100 - n, platforms=FOUR) for n in range(25)]
    loose = made.push(created=0.1, platforms=())
    assert len(made.app.versions) == 141
    victim = loose if newest else dangling[1]
    happened = point(made, number, lambda: made.world.delete_version(made.app, victim.root_version))
    made.delete(tag_status="untagged")
    assert happened
    assert all(made.has(image) for image in images)
    # What slipped is left to the next run, and nothing else.
    made.delete(tag_status="untagged")
    assert made.there <= {digest for image in [*images, loose] for digest in image.members}


def test_an_index_that_slips_over_the_edge_keeps_its_children(made: Scene) -> None:
    """The one item that is in no page of the first list is the index that names two of the others."""
    made.push("newest", created=0.5, platforms=())
    loose = [made.push(created=1 + n / 100, platforms=()) for n in range(99)]
    edge = made.push("v1", created=3)
    rest = [made.push(created=4 + n / 100, platforms=()) for n in range(30)]
    listed = sorted(made.app.active(), key=lambda version: version.created_at, reverse=True)
    assert listed[100].name == edge.digest

    def others() -> None:
        made.world.delete_version(made.app, loose[50].root_version)

    happened = made.when(page(2), others)
    made.delete(tag_status="untagged", older_than="0s")
    assert happened
    assert made.has(edge)
    assert not any(made.has(image) for image in rest)


def test_what_is_deleted_elsewhere_before_its_turn_is_told_as_gone(made: Scene) -> None:
    made.push("v9", created=1)
    images = [made.push(f"v{n}", created=100 - n) for n in range(4)]
    target = images[2].root_version
    happened = made.when(
        lambda request: deletes(request) and request.path.endswith(f"/{target.id}"),
        lambda: made.world.delete_version(made.app, target),
    )
    ran = made.delete(versions="v0, v1, v2, v3")
    assert happened
    assert not any(made.has(image) for image in images)
    assert ran.number("deleted-count") == 11
    assert target.id not in ran.ids("deleted-version-ids")


def test_a_stale_list_still_has_what_is_gone(tmp_path: Path) -> None:
    with scene(tmp_path, deleted_stay_listed=True) as made:
        made.push("v9", created=1)
        image, other = made.push("v1", created=100), made.push("v2", created=99)
        made.world.delete_version(made.app, image.root_version)
        ran = made.delete(versions="v1, v2")
        # The registry has no manifest under the tag: what it named is not known, so all that is untagged stays.
        assert not {image.digest, other.digest} & made.there
        assert {*image.children, *other.children} <= made.there
        assert ran.number("deleted-count") == 1
        assert ran.number("failed-count") == 0


@pytest.mark.parametrize("what", ["tag", "index"])
def test_facts_older_than_five_minutes_are_taken_anew(made: Scene, what: str) -> None:
    """Between the first change and the rest time passes, and somebody comes to need what is planned."""
    made.push("v1", created=100)
    dangling = [made.push(created=90 - n, platforms=()) for n in range(40)]
    wanted = dangling[35]

    def others() -> None:
        made.clock.advance(301)
        if what == "tag":
            promote(made, wanted)
        else:
            index = shapes.index([shapes.descriptor(wanted.root, "linux/amd64")])
            made.world.push(made.app, index.body, index.media_type, ["combined"])

    happened = made.when(deletes, others)
    ran = made.delete(tag_status="untagged")
    assert happened
    assert [made.has(image) for image in dangling] == [image is wanted for image in dangling]
    assert ran.number("deleted-count") == 39
    assert len([one for one in made.world.requests if one.path.endswith("/versions")]) == 3


def test_a_wait_for_the_rate_limit_does_not_make_old_facts_good(made: Scene) -> None:
    made.push("v1", created=100)
    dangling = [made.push(created=90 - n, platforms=()) for n in range(5)]
    made.world.faults.add(Fault(Kind.SECONDARY_AFTER, method="DELETE", seconds=400))
    happened = made.when(deletes, lambda: promote(made, dangling[0]))
    made.delete(tag_status="untagged")
    assert happened
    assert made.world.faults.pending == 0
    assert [made.has(image) for image in dangling] == [True, False, False, False, False]


@pytest.mark.parametrize("kind", [Kind.UNAVAILABLE, Kind.DROP])
def test_a_look_that_fails_ends_the_package_and_is_told(made: Scene, kind: Kind) -> None:
    """After five minutes the package must be looked at again; where that cannot be done, nothing more is changed."""
    made.push("v1", created=100)
    dangling = [made.push(created=90 - n, platforms=()) for n in range(40)]

    def others() -> None:
        made.clock.advance(301)
        made.world.faults.add(Fault(kind, path="/versions", method="GET", times=None))

    made.when(deletes, others)
    ran = made.delete(tag_status="untagged", status=1)
    assert ran.number("deleted-count") == 1
    assert sum(made.has(image) for image in dangling) == 39
    assert "::error" in ran.log
    made.world.faults.clear()
    made.delete(tag_status="untagged")
    assert not any(made.has(image) for image in dangling)


def test_half_an_image_is_finished_although_its_root_is_gone_when_facts_grow_old(made: Scene) -> None:
    made.push("v9", created=1)
    image = made.push("v1", created=100, attestations=True, signed="bundle")
    happened = made.when(deletes, lambda: made.clock.advance(301), skip=1)
    made.delete(versions="v1")
    assert happened
    assert not made.has(image)


def test_a_tag_that_moves_to_the_last_version_at_the_last_moment(made: Scene) -> None:
    """The root that a run wants to delete is the only one that is tagged by then: GitHub refuses, it stays."""
    image, other = made.push("v1", created=100), made.push("v2", created=1)

    def others() -> None:
        made.world.delete_version(made.app, other.root_version)

    made.when(deletes, others)
    ran = made.delete(versions="v1")
    assert made.has(image)
    assert ran.number("deleted-count") == 0
    assert "::warning" in ran.log


def test_a_push_just_before_a_package_goes_whole_keeps_it(made: Scene) -> None:
    old = made.push("v1", created=100)
    happened = made.when(
        page(1), lambda: push_image(made.world, made.app, ["v2"], platforms=(), created=0), skip=1
    )
    made.delete(versions="v1", delete_package="when-empty")
    assert happened
    assert not made.app.deleted_at
    assert not made.has(old)
    assert made.tags.keys() == {"v2"}


def test_a_push_of_what_the_filter_matches_keeps_the_package_too(made: Scene) -> None:
    """It was in no list when the plan was made: it stays, although the filter would take it."""
    made.push("v1", created=100)
    happened = made.when(
        page(1), lambda: push_image(made.world, made.app, ["v2"], platforms=(), created=0), skip=1
    )
    made.delete(versions="*", delete_package="when-empty")
    assert happened
    assert not made.app.deleted_at
    assert "v2" in made.tags


@pytest.mark.parametrize(
    ("moves", "inputs"),
    [
        ("tag taken away", {"versions": "v1"}),
        ("tag added", {"versions": "v1"}),
        ("pushed again", {"older_than": "30d"}),
    ],
)
def test_what_differs_between_the_two_lists_stays(made: Scene, moves: str, inputs: Any) -> None:
    image, other = made.push("v1", created=100), made.push("v2", created=1)

    def others() -> None:
        match moves:
            case "tag taken away":
                made.world.move_tag(made.app, "v1", other.root_version)
            case "tag added":
                promote(made, image)
            case _:
                promote(made, image, "v1")

    happened = made.when(lists, others, skip=1)
    ran = made.delete(**inputs)
    assert happened
    assert made.has(image)
    assert "left out: v1, " in ran.log
    assert "refused" not in ran.log


@pytest.mark.parametrize("listed", [True, False])
def test_parts_of_a_root_that_answers_404_go_only_where_the_list_lacks_it_too(
    made: Scene, listed: bool
) -> None:
    """A role that was lost reads as a 404: then the image is there, and would lose its platforms."""
    made.push("v9", created=1)
    image, other = made.push("v1", created=90), made.push("v2", created=80)
    root = image.root_version
    if listed:
        made.world.faults.add(Fault(Odd.MISSING, path=f"/versions/{root.id}", times=None))
    else:
        made.when(
            lambda request: deletes(request) and request.path.endswith(f"/{root.id}"),
            lambda: made.world.delete_version(made.app, root),
        )
    made.delete(versions="v1, v2")
    assert made.has(image) is listed
    assert not made.has(other)


def test_what_the_list_about_a_404_shows_for_the_first_time_keeps_what_it_needs(made: Scene) -> None:
    """Somebody takes a platform into an index of their own and deletes the old one, just before it is deleted here."""
    made.push("v9", created=1)
    image = made.push("v1", created=90, platforms=FOUR)
    root, wanted = image.root_version, image.platforms[0]

    def meanwhile() -> None:
        index = shapes.index([shapes.descriptor(wanted)])
        made.world.push(made.app, index.body, index.media_type, ["theirs"])
        made.world.delete_version(made.app, root)

    happened = made.when(lambda request: deletes(request) and request.path.endswith(f"/{root.id}"), meanwhile)
    made.delete(versions="v1")
    assert happened
    assert {wanted.digest, made.tags["theirs"]} <= made.there
    assert not made.there & (set(image.members) - {wanted.digest})


def test_a_digest_that_is_listed_twice_stays_and_each_of_its_versions_counts(made: Scene) -> None:
    """Whatever the reason, nobody can tell which of the two rows a deletion would take."""
    made.push("v9", created=1)
    image = made.push("v1", created=90, platforms=())
    twin = made.world.add_version(made.app, image.digest, 90, ("v1-again",))
    ran = made.delete(versions="v1*")
    assert ran.number("deleted-count") == 0
    assert ran.number("kept-count") == len(list(made.app.active()))
    assert twin.deleted_at is None


@pytest.mark.parametrize("changes", [1, 4, 30, None])
@pytest.mark.parametrize("seed", range(3))
def test_rows_that_slip_over_page_edges_cost_no_kept_image_anything(
    made: Scene, seed: int, changes: int | None
) -> None:
    """Others push and delete between all pages; a package that never rests is left as it is."""
    for number in range(150):
        tags = [f"v{number}"] if number % 3 == 0 else []
        made.push(*tags, created=200 - number, platforms=("linux/amd64",))
    slips = Slips(made.world, made.app, most=2, seed=seed)
    left = [changes]

    def others(request: Request) -> None:
        if left[0] != 0 and lists(request) and request.query.get("page", "1") != "1":
            left[0] = None if left[0] is None else left[0] - 1
            slips(request)

    made.world.before_request.append(others)
    ran = made.step(tag_status="untagged", older_than="1d")
    made.world.before_request.clear()
    theirs = {version.id for version in slips.deleted}
    if changes is None:
        assert ran.status == 1
        assert "each of the 4 times that the list was read" in ran.log
        assert made.changes() == []
    for version in made.app.active():
        lost = named_by(version.manifest) - made.there
        assert all(one.id in theirs for one in made.app.versions.values() if one.name in lost), ran.log
