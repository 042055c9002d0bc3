"""Undo by report: exactly what a run deleted comes back, and what does not is told."""

from __future__ import annotations

import html
import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from emulator import shapes, steps
from emulator.faults import Fault, Kind
from emulator.images import push_signature
from emulator.steps import ROOT
from package_retention.report_format import SCHEMA
from scene import Scene, scene

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from emulator.steps import Ran

REPORT: dict[str, Any] = {"report_file": "report.jsonl"}
UNDO: dict[str, Any] = {"from_report": "report.jsonl"}


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path) as found:
        yield found


def state(made: Scene, *ignored: int) -> dict[Any, Any]:
    """All that is there: the package's snapshot without what was deleted before, and without `ignored` ids."""
    versions: dict[int, tuple[Any, ...]] = made.world.snapshot()[
        made.app.owner.login, made.app.type, made.app.name, made.app.id
    ][2]
    return {i: v for i, v in versions.items() if v[2] is None and i not in ignored}


def changes(made: Scene) -> list[str]:
    return [f"{one.method} {one.path}" for one in made.changes()]


# Everything comes back


def test_images_come_back_whole_with_their_tags(made: Scene) -> None:
    for n in range(5):
        made.push(f"v{n}", created=100 - n, attestations=True, signed="cosign" if n % 2 else "bundle")
    made.push(created=50)
    before = made.world.snapshot()
    ran = made.delete(versions="v*, !v4", **REPORT)
    assert ran.number("deleted-count") > 20
    back = made.restore(**UNDO)
    assert made.world.snapshot() == before
    assert back.ids("restored-version-ids") == sorted(ran.ids("deleted-version-ids"))
    assert back.summary.startswith("## Restored 26 of 26 deleted versions in octo/app (container)\n")
    assert "WARNING" not in back.summary


def test_what_somebody_else_deleted_stays_deleted(made: Scene) -> None:
    mine = made.push("v1", created=100, attestations=True)
    before = made.push("v0", created=120)
    other = made.push("v2", created=90)
    made.push("v3", created=80)
    made.world.delete_version(made.app, before.root_version)
    made.delete(versions="v1", **REPORT)
    for version in other.versions:
        made.world.delete_version(made.app, version)
    made.restore(**UNDO)
    assert made.has(mine)
    assert not made.has(other)
    assert before.digest not in made.there


def test_a_shared_child_that_somebody_else_deleted_stays_and_is_told(made: Scene) -> None:
    """`v2` keeps the child in the run; then both go by somebody else's hand. The undo brings `v1` alone, and says so."""
    child = shapes.image("shared")
    made.add(child, created=100)
    indexes = [
        shapes.index([shapes.descriptor(child, "linux/amd64")], annotations={"n": str(n)}) for n in (1, 2)
    ]
    first, second = (made.add(one, f"v{n}", created=90 - n) for n, one in enumerate(indexes, 1))
    made.push("v3", created=80)
    ran = made.delete(versions="v1", **REPORT)
    assert ran.ids("deleted-version-ids") == [first.id]
    shared = made.app.by_digest(child.digest)
    assert shared
    made.world.delete_version(made.app, second)
    made.world.delete_version(made.app, shared)
    back = made.restore(**UNDO)
    assert back.ids("restored-version-ids") == [first.id]
    assert child.digest not in made.there
    assert f"package-version-ids: {shared.id}" in back.log
    made.restore(package_version_ids=shared.id)
    assert child.digest in made.there


def test_tags_that_were_taken_away_come_back(made: Scene) -> None:
    image = made.push("v1", "pr-7", "pr-8", created=100)
    made.push("v2", "pr-9", created=90)
    made.push("pr-1", created=95)
    before = state(made)
    ran = made.delete(versions="pr-*", untag="true", **REPORT)
    assert ran.number("untagged-count") == 3
    assert made.tags == {"v1": image.digest, "v2": made.tags["v2"]}
    back = made.restore(**UNDO)
    assert state(made) == before
    assert "put 3 tags back" in back.summary.split("\n", maxsplit=1)[0]
    again = made.restore(**UNDO)
    assert again.number("restored-count") == 0
    assert state(made) == before


def test_an_image_tagged_latest_comes_back_like_any_other(made: Scene) -> None:
    """No wildcard deletes it; what brings it back need not say its name again."""
    image, other = made.push("latest", "v3", created=100), made.push("v2", "latest-tools", created=99)
    made.push("v1", created=90)
    made.delete(versions="latest, v3", **REPORT)
    assert not made.has(image)
    made.delete(versions="latest*, v2", untag="true", report_file="second.jsonl")
    made.restore(**UNDO)
    assert made.has(image)
    made.restore(from_report="second.jsonl")
    assert made.has(other)
    assert set(made.tags) == {"latest", "v3", "v2", "latest-tools", "v1"}


def test_tags_come_back_by_the_inputs_of_the_step(made: Scene) -> None:
    image = made.push("v1", "pr-7", created=100)
    other = made.push("v2", "pr-9", created=90)
    made.delete(versions="pr-*", untag="true", **REPORT)
    made.restore(versions="pr-9", **UNDO)
    assert made.tags == {"v1": image.digest, "v2": other.digest, "pr-9": other.digest}


def test_a_tag_that_moved_on_stays_where_it_is(made: Scene) -> None:
    image = made.push("v1", "pr-7", "pr-8", created=100)
    made.delete(versions="pr-*", untag="true", **REPORT)
    newer = made.push("pr-7", created=1)
    back = made.restore(**UNDO)
    assert made.tags == {"v1": image.digest, "pr-7": newer.digest, "pr-8": image.digest}
    assert "the tag pr-7 is on another image now: it stays there" in back.log


def test_a_part_of_it_comes_back_by_the_inputs_of_the_step(made: Scene) -> None:
    images = [made.push(f"v{n}", created=100 - n, attestations=True, signed="bundle") for n in range(4)]
    made.delete(versions="v0, v1, v2", **REPORT)
    back = made.restore(versions="v1", **UNDO)
    assert [made.has(image) for image in images] == [False, True, False, True]
    assert back.number("restored-count") == len(images[1].versions)


def test_every_type_comes_back_and_whole_packages_first(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        world = made.world
        for kind in ("npm", "maven", "nuget", "rubygems"):
            for name in ("kept", "whole"):
                package = world.add_package("octo", kind, f"{kind}.{name}")
                for n in range(4):
                    world.add_version(package, f"1.{n}.0", created=50 - n)
                if name == "kept":
                    world.add_version(package, "2.0.0", created=1)
        before = world.snapshot()
        for kind in ("npm", "maven", "nuget", "rubygems"):
            given = {"package_type": kind, "package_name": f"{kind}.*", "repository": "any"}
            ran = made.step(versions="1.*", delete_package="when-empty", **given, **REPORT)
            assert ran.number("deleted-count") == 8
            assert world.package("octo", kind, f"{kind}.whole") is None
            made.forget()
            named = f"{kind}.kept, {kind}.whole"
            back = made.step(operation="restore", package_type=kind, package_name=named, **UNDO)
            assert back.status == 0, back.log
            asked = changes(made)
            assert asked[0].endswith(f"/{kind}.whole/restore")
            assert len(asked) == 5
        assert world.snapshot() == before


# What GitHub leaves open


@pytest.mark.parametrize("rows_have_tags", [True, False])
def test_tags_come_back_where_a_restore_does_not_bring_them(tmp_path: Path, rows_have_tags: bool) -> None:
    with scene(
        tmp_path, restored_versions_get_tags_back=False, deleted_versions_keep_tags=rows_have_tags
    ) as made:
        image = made.push("v1", "v1.0", created=100, attestations=True, signed="cosign")
        made.push("v2", created=90)
        before = state(made)
        made.delete(versions="v1*", **REPORT)
        taken = made.push("v1.0", created=1)
        back = made.restore(**UNDO)
        assert made.has(image)
        assert made.tags["v1"] == image.digest
        assert made.tags["v1.0"] == taken.digest
        left = state(made, *taken.ids)
        before[image.root_version.id] = (
            *before[image.root_version.id][:1],
            ("v1",),
            *left[image.root_version.id][2:],
        )
        assert left == before
        assert "the tag v1.0 is on another image now: it stays there" in back.log
        assert "put 2 tags back" in back.summary.split("\n", maxsplit=1)[0]


def test_docker_versions_that_lost_their_tags_are_told(tmp_path: Path) -> None:
    with scene(tmp_path, kind="docker", restored_versions_get_tags_back=False) as made:
        for n in range(3):
            made.world.add_version(made.app, f"sha256:{n:064x}", created=50 - n, tags=(f"v{n}",))
        given = {"package_type": "docker"}
        made.step(versions="v0", **given, **REPORT)
        back = made.step(operation="restore", **given, **UNDO)
        assert back.number("restored-count") == 1
        assert "came back without its tags (v0): push them again" in back.log


@pytest.mark.parametrize("listed", [True, False])
def test_past_thirty_days_is_told(tmp_path: Path, listed: bool) -> None:
    with scene(tmp_path, expired_stay_listed=listed) as made:
        image = made.push("v1", created=100)
        made.push("v2", created=90)
        made.delete(versions="v1", **REPORT)
        made.clock.advance(timedelta(days=31).total_seconds())
        made.forget()
        back = made.restore(**UNDO)
        assert not made.has(image)
        assert changes(made) == []
        assert "30 days" in back.log
        assert "v1" in first_screen(back)


def test_reused_names_are_told(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        lib = made.world.add_package("octo", "npm", "lib")
        for n in range(4):
            made.world.add_version(lib, f"1.{n}.0", created=50 - n)
        given = {"package_type": "npm", "package_name": "lib"}
        made.step(versions="1.0.0, 1.1.0", **given, **REPORT)
        made.world.add_version(lib, "1.0.0", created=0)
        back = made.step(operation="restore", **given, **UNDO)
        assert back.status == 0
        assert back.number("restored-count") == 1
        assert "1.0.0 stays deleted: its name is in use again" in first_screen(back)


def test_a_package_whose_name_is_in_use_again_is_told(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        lib = made.world.add_package("octo", "npm", "lib")
        made.world.add_version(lib, "1.0.0", created=50)
        given = {"package_type": "npm", "package_name": "lib"}
        made.step(versions="*", delete_package="when-empty", **given, **REPORT)
        fresh = made.world.add_package("octo", "npm", "lib")
        made.world.add_version(fresh, "1.0.0", created=0)
        before = made.world.snapshot()
        back = made.step(operation="restore", **given, **UNDO)
        assert made.world.snapshot() == before
        assert "the package was deleted and made anew" in first_screen(back)


def test_what_is_there_again_is_skipped_and_told(made: Scene) -> None:
    image, other = made.push("v1", created=100), made.push("v2", created=99)
    made.push("v3", created=90)
    made.delete(versions="v1, v2", **REPORT)
    for version in image.versions:
        made.world.restore_version(made.app, version)
    made.forget()
    back = made.restore(**UNDO)
    assert len(made.changes()) == len(other.versions)
    assert made.has(image)
    assert made.has(other)
    assert "v1 exists again already" in first_screen(back)
    again = made.restore(**UNDO)
    assert again.number("restored-count") == 0
    assert again.summary.startswith("## Nothing was restored")


@pytest.mark.parametrize("token", ["octocat", "somebody"])
def test_users_without_a_deleted_list_restore_by_report(tmp_path: Path, token: str) -> None:
    """`/users/{username}` documents no list of deleted versions (facts A1)."""
    with scene(tmp_path) as made:
        world = made.world
        world.add_user("mona")
        app = world.add_package("mona", "container", "tool")
        if token == "somebody":
            app.roles["octocat"] = "admin"
        else:
            world.add_token(steps.TOKEN, login="mona")
        made.app = app
        images = [made.push(f"v{n}", created=100 - n, attestations=True) for n in range(3)]
        before = world.snapshot()
        ran = step_of(made, "mona", versions="v0, v1", **REPORT)
        assert ran.number("deleted-count") == 10
        made.forget()
        part = step_of(made, "mona", operation="restore", versions="v0", **UNDO)
        assert part.status == 0, part.log
        assert made.has(images[0])
        assert not made.has(images[1])
        back = step_of(made, "mona", operation="restore", **UNDO)
        assert back.status == 0, back.log
        assert world.snapshot() == before
        assert any("/users/mona/" in one.path for one in world.requests) == (token == "somebody")


def step_of(made: Scene, owner: str, **inputs: Any) -> Ran:
    return made.step(owner=owner, package_name=made.app.name, **inputs)


def test_a_restore_that_takes_long_does_not_forget_what_belongs_to_its_images(made: Scene) -> None:
    """Five minutes go by between the two waves: the children are no less wanted."""
    image = made.push("v1", created=100, attestations=True, signed="bundle")
    made.push("v2", created=90)
    made.delete(versions="v1", **REPORT)
    seen: list[int] = []

    def others(request: Any) -> None:
        if request.method == "POST":
            seen.append(request.number)
            if len(seen) == 2:
                made.clock.advance(301)

    made.world.before_request.append(others)
    made.restore(versions="v1", **UNDO)
    assert len(seen) == len(image.versions)
    assert made.has(image)


def first_screen(ran: Ran) -> str:
    return ran.summary.split("\n### <", maxsplit=1)[0]


# Undo again


@pytest.mark.parametrize("rows_have_tags", [True, False])
@pytest.mark.parametrize("inputs", [{}, {"versions": "v1*"}], ids=["all", "by tag"])
def test_a_second_undo_puts_back_what_the_first_could_not(
    tmp_path: Path, rows_have_tags: bool, inputs: dict[str, Any]
) -> None:
    with scene(
        tmp_path, restored_versions_get_tags_back=False, deleted_versions_keep_tags=rows_have_tags
    ) as made:
        image = made.push("v1", "v1.0", created=100, attestations=True, signed="cosign")
        made.push("v2", created=90)
        before = state(made)
        made.delete(versions="v1*", **REPORT)
        made.world.faults.add(Fault(Kind.UNAVAILABLE, registry=True, method="PUT", times=None))
        if inputs and not rows_have_tags:
            # Nothing but the report knows the tags of what is deleted, and a filter looks at GitHub's rows.
            made.restore(status=1, **UNDO)
        else:
            made.restore(status=1, **inputs, **UNDO)
        assert made.has(image)
        assert "v1" not in made.tags
        made.world.faults.clear()
        ran = made.restore(**inputs, **UNDO)
        assert state(made) == before
        assert ran.number("restored-count") == 0
        assert "put 3 tags back" in ran.summary.split("\n", maxsplit=1)[0].lower()
        # The next clean-up finds no untagged image.
        assert made.delete(tag_status="untagged", older_than="0s").number("selected-count") == 0
        assert made.restore(**inputs, **UNDO).summary.startswith("## Nothing was restored")


def test_a_second_undo_looks_past_what_its_inputs_leave_out(tmp_path: Path) -> None:
    with scene(tmp_path, restored_versions_get_tags_back=False) as made:
        images = [made.push(f"pr-{n}", f"v{n}", created=100 - n, signed="cosign") for n in range(3)]
        made.push("main", created=10)
        made.delete(versions="pr-*, v*", **REPORT)
        made.world.faults.add(Fault(Kind.UNAVAILABLE, registry=True, method="PUT", times=None))
        made.restore(status=1, **UNDO)
        made.world.faults.clear()
        made.restore(versions="pr-*", exclude_versions="pr-2", **UNDO)
        signatures = {image.referrers[0].digest for image in images[:2]}
        assert {tag: at for tag, at in made.tags.items() if not tag.startswith("sha256-")} == {
            "main": made.tags["main"],
            "pr-0": images[0].digest,
            "pr-1": images[1].digest,
        }
        assert {at for tag, at in made.tags.items() if tag.startswith("sha256-")} == signatures


def test_companion_tags_are_put_back_with_their_image(tmp_path: Path) -> None:
    with scene(tmp_path, restored_versions_get_tags_back=False) as made:
        images = [made.push(f"pr-{n}", f"sha-{n}abcdef", created=100 - n) for n in range(2)]
        made.push("v2", created=90)
        made.delete(versions="pr-*, sha-*", **REPORT)
        made.restore(**UNDO, exclude_versions="pr-*, sha-*")
        made.world.faults.add(Fault(Kind.UNAVAILABLE, registry=True, method="PUT", times=None))
        made.restore(status=1, **UNDO)
        made.world.faults.clear()
        made.restore(versions="pr-0", companion_tags="sha-*", **UNDO)
        assert made.tags == {"pr-0": images[0].digest, "sha-0abcdef": images[0].digest, "v2": made.tags["v2"]}
        made.restore(versions="pr-1", **UNDO)
        assert made.tags.keys() == {"pr-0", "sha-0abcdef", "pr-1", "v2"}


def test_latest_is_put_back_only_where_it_is_named(tmp_path: Path) -> None:
    with scene(tmp_path, restored_versions_get_tags_back=False) as made:
        image = made.push("latest", "v1", created=100, signed="cosign")
        made.push("v2", created=90)
        before = state(made)
        made.delete(versions="latest, v1", **REPORT)
        ran = made.restore(**UNDO)
        assert made.has(image)
        assert "latest" not in made.tags
        assert "the tag latest is not put back: only `versions: latest` or the id does that" in ran.log
        again = made.restore(versions="latest", **UNDO)
        assert state(made) == before
        assert "not put back" not in again.log


def test_a_restore_by_tag_says_what_only_a_report_finds(made: Scene) -> None:
    """Referrers that no tag and no index lists: GHCR answers no referrers API (facts D)."""
    image = made.push("v1", created=100, attestations=True)
    shape = shapes.image("signed")
    root = made.add(shape, "v3", created=100)
    loose = [made.add(shapes.referrer(shape, f"signature {n}"), created=99) for n in range(2)]
    made.push("v2", created=90)
    before = state(made)
    ran = made.delete(versions="v1, v3", **REPORT)
    assert set(ran.ids("deleted-version-ids")) == {*image.ids, root.id, *(one.id for one in loose)}
    dry = made.restore(versions="v3", dry_run="true")
    assert "may be missing" in dry.log
    back = made.restore(versions="v3")
    assert back.ids("restored-version-ids") == [root.id]
    assert "6 more deleted version(s) have no tag" in back.log
    assert "from-report" in back.log
    made.world.delete_version(made.app, root)
    made.restore(versions="v1, v3", **UNDO)
    assert state(made) == before
    assert "may be missing" not in made.restore(versions="v1", **UNDO).log


def test_parts_that_a_report_only_claims_come_back_by_no_other_images_tag(made: Scene) -> None:
    """A report that counts a tagged image among another's parts brings it back by no filter that leaves it out."""
    made.push("v1", created=100)
    other = made.push("evil", created=99)
    made.push("v2", created=90)
    made.delete(versions="v1, evil", **REPORT)
    path = made.folder / "report.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    root = next(line["version"]["id"] for line in lines if line.get("version", {}).get("tags") == ["v1"])
    for line in lines:
        if line["kind"] == "step":
            line["root"] = root
            line["version"].pop("tags", None)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    made.restore(versions="v1", **UNDO)
    assert "v1" in made.tags
    assert other.digest not in made.there


# Plan, change the world, apply

PLAN: dict[str, Any] = {"report_file": "plan.jsonl", "dry_run": "true"}
APPLY: dict[str, Any] = {"from_report": "plan.jsonl"}
FILTER: dict[str, Any] = {"versions": "v*", "older_than": "30d"}


def test_a_plan_is_applied_and_nothing_else_goes(made: Scene) -> None:
    planned = [made.push(f"v{n}", created=100 - n, attestations=True) for n in range(3)]
    made.push("stable", created=5)
    plan = made.delete(**FILTER, **PLAN)
    later = made.push("v9", created=90)
    ran = made.delete(**FILTER, **APPLY)
    assert ran.ids("deleted-version-ids") == plan.ids("selected-version-ids")
    assert not any(made.has(image) for image in planned)
    assert made.has(later)
    assert "WARNING" not in ran.summary
    assert "not in the plan of the report" in ran.summary


def test_what_was_rescued_stays_and_each_is_told(made: Scene) -> None:
    images = {
        name: made.push(f"v-{name}", created=100 - n, attestations=True)
        for n, name in enumerate(("plain", "tagged", "named", "signed", "gone", "retagged", "moved"))
    }
    made.push("stable", created=5)
    plan = made.delete(**FILTER, **PLAN)
    world, app = made.world, made.app
    world.move_tag(app, "promoted", images["tagged"].root_version)
    parts = [shapes.descriptor(images["named"].platforms[0], "linux/amd64")]
    index = shapes.index(parts)
    world.push(app, index.body, index.media_type, ["combined"])
    push_signature(world, app, images["signed"].root, created=0)
    for version in images["gone"].versions:
        world.delete_version(app, version)
    world.move_tag(app, "v-other", images["retagged"].root_version)
    images["retagged"].root_version.tags.remove("v-retagged")
    made.push("v-moved", created=0)
    ran = made.delete(**FILTER, **APPLY)
    gone = set(ran.ids("deleted-version-ids"))
    assert gone <= set(plan.ids("selected-version-ids"))
    assert not made.has(images["plain"])
    for name in ("tagged", "signed", "retagged", "moved"):
        assert made.has(images[name]), name
    assert images["named"].platforms[0].digest in made.there
    screen = first_screen(ran)
    for told in (
        "v-tagged, promoted stays: its tags differ from the report",
        "v-signed was in the report's plan and stays: something came to it since the report was written",
        "v-gone was in the report's plan and is gone already",
        "v-other stays: its tags differ from the report",
        f"{images['named'].platforms[0].digest[:19]} was in the report's plan and stays: part of combined",
        f"{images['moved'].digest[:19]} stays: its tags differ from the report's (v-moved then, none now)",
    ):
        assert told in plain(screen), told
    assert screen.count("> - ") == 6


def test_a_planned_image_that_an_index_needs_by_now_stays(made: Scene) -> None:
    loose = [made.push(created=100 - n, platforms=()) for n in range(3)]
    made.push("stable", created=5)
    made.delete(tag_status="untagged", **PLAN)
    index = shapes.index([shapes.descriptor(loose[1].root, "linux/amd64")])
    made.world.push(made.app, index.body, index.media_type, ["combined"])
    ran = made.delete(tag_status="untagged", **APPLY)
    assert [made.has(image) for image in loose] == [False, True, False]
    assert f"{loose[1].digest[:19]} was in the report's plan and stays: part of combined" in plain(
        first_screen(ran)
    )


def test_an_image_that_only_loses_tags_is_not_deleted_by_the_apply(made: Scene) -> None:
    """What was approved is the loss of a tag: although all tags match by now, the image stays."""
    image = made.push("v1", "stable", created=100)
    made.push("v2", created=99)
    made.push("newest", created=5)
    made.delete(untag="true", versions="v*", **PLAN)
    image.root_version.tags.remove("stable")
    ran = made.delete(untag="true", versions="v*", **APPLY)
    assert made.has(image)
    assert ran.number("untagged-count") == 0
    assert "v1 stays: its tags differ" in plain(first_screen(ran))


def test_a_reviewed_untag_is_applied(made: Scene) -> None:
    image = made.push("v1", "stable", created=100)
    made.push("newest", created=5)
    made.delete(untag="true", versions="v*", **PLAN)
    made.push("v3", "other", created=99)
    ran = made.delete(untag="true", versions="v*", **APPLY)
    assert ran.number("untagged-count") == 1
    assert image.digest == made.tags["stable"]
    assert "v1" not in made.tags
    assert "v3" in made.tags


def test_leftovers_of_an_image_that_was_cut_are_finished_by_its_report(made: Scene) -> None:
    image = made.push("v1", created=100, attestations=True, signed="cosign")
    other = made.push(created=0)
    made.push("v2", created=99)
    # GitHub answers 503 to every change behind the root's, and the runner cancels meanwhile.
    made.world.faults.add(Fault(Kind.UNAVAILABLE, method="DELETE", skip=1, times=None))
    happened = made.when(lambda request: request.method == "DELETE", made.clock.signal, skip=1)
    made.delete(versions="v1", status=143, **REPORT)
    made.world.faults.clear()
    assert happened
    assert image.digest not in made.there
    left = set(image.members) & made.there
    assert left
    made.clock = type(made.clock)()
    finish: dict[str, Any] = {"from_report": "report.jsonl", "older_than": "0s"}
    made.delete(tag_status="untagged", **finish)
    assert {name for name in image.members if name in made.there} <= {one.digest for one in image.referrers}
    made.delete(remove_damaged="orphaned", from_report="report.jsonl")
    assert not set(image.members) & made.there
    assert made.has(other)


@pytest.mark.parametrize(
    ("plan", "apply", "told"),
    [
        ({"package_name": "app"}, {"package_name": "other"}, "is about octo/app (container)"),
        ({}, {"owner": "elsewhere"}, "is about packages of octo"),
        ({"operation": "list"}, {}, "is that of the operation list"),
    ],
)
def test_owner_type_and_name_must_agree(
    made: Scene, plan: dict[str, Any], apply: dict[str, Any], told: str
) -> None:
    made.push("v1", created=100)
    made.push("v2", created=99)
    made.world.add_org("elsewhere")
    for owner, name in (("octo", "other"), ("elsewhere", "app")):
        package = made.world.add_package(owner, "container", name)
        for n in range(3):
            made.world.add_image(package, shapes.image(f"{owner} {n}"), f"v{n}", created=100)
    dry = {} if "operation" in plan else {"dry_run": "true"}
    made.step(versions="v1", report_file="plan.jsonl", **dry, **plan)
    made.forget()
    ran = made.step(versions="v1", **APPLY, **apply)
    assert ran.status == 1
    assert told in ran.log
    assert made.changes() == []


def test_type_must_agree(made: Scene) -> None:
    made.push("v1", created=100)
    made.push("v2", created=99)
    npm = made.world.add_package("octo", "npm", "app")
    for n in range(3):
        made.world.add_version(npm, f"{n}.0.0", created=50)
    made.step(versions="v1", **PLAN)
    made.forget()
    ran = made.step(package_type="npm", versions="1.*", **APPLY)
    assert ran.status == 1
    assert "is about octo/app (container), and this step is about octo/app (npm)" in ran.log
    assert made.changes() == []


def test_a_package_that_the_report_does_not_know_is_left_alone_and_told(made: Scene) -> None:
    for n in range(2):
        made.push(f"v{n}", created=100 - n)
    other = made.world.add_package("octo", "container", "other")
    for n in range(3):
        made.world.add_image(other, shapes.image(f"other {n}"), f"v{n}", created=100)
    made.step(versions="v0", **PLAN)
    ran = made.step(package_name="app, other", versions="v0", **APPLY)
    assert ran.status == 0
    assert len(other.active()) == 3
    assert "octo/other (container): the report does not mention this package" in plain(first_screen(ran))


def test_a_plan_older_than_seven_days_is_refused(made: Scene) -> None:
    made.push("v1", created=100)
    made.push("v2", created=99)
    made.step(versions="v1", **PLAN)
    made.clock.advance(timedelta(days=7, minutes=1).total_seconds())
    made.forget()
    ran = made.step(versions="v1", **APPLY)
    assert ran.status == 1
    assert "a plan older than seven days is not applied" in ran.log
    assert made.changes() == []


def test_a_report_of_another_server_or_of_a_restore_is_refused(made: Scene) -> None:
    made.push("v1", created=100)
    made.push("v2", created=99)
    made.step(versions="v1", **PLAN)
    ran = made.step(versions="v1", variables={"GITHUB_SERVER_URL": "https://ghe.example"}, **APPLY)
    assert ran.status == 1
    assert "was made on http://127.0.0.1" in ran.log
    made.delete(versions="v1", **REPORT)
    made.restore(from_report="report.jsonl", report_file="restored.jsonl")
    for operation in ("delete", "restore"):
        ran = made.step(operation=operation, versions="v1", from_report="restored.jsonl")
        assert ran.status == 1
        assert "is that of the operation restore" in ran.log
    ran = made.step(operation="restore", from_report="plan.jsonl")
    assert ran.status == 1
    assert "is that of a dry run" in ran.log


# Where a report may lie


@pytest.mark.parametrize(
    "place",
    [
        "link.jsonl",
        "linked/report.jsonl",
        "../report.jsonl",
        "a/../report.jsonl",
        "a",
        ".",
        "/etc/report.jsonl",
    ],
)
@pytest.mark.parametrize("operation", ["delete", "restore", "list"])
def test_a_report_in_a_wrong_place_is_refused_before_the_first_request(
    made: Scene, place: str, operation: str
) -> None:
    target = made.folder.parent / f"{made.folder.name}-outside"
    target.mkdir()
    (target / "precious").write_text("precious")
    (made.folder / "a").mkdir()
    (made.folder / "link.jsonl").symlink_to(target / "precious")
    (made.folder / "linked").symlink_to(target)
    given = {} if operation == "list" else {"versions": "v*"}
    ran = made.step(operation=operation, report_file=place, **given)
    assert ran.status == 1
    assert "- report-file: `" in ran.log
    assert made.requests() == 0
    assert [one.name for one in target.iterdir()] == ["precious"]
    assert (target / "precious").read_text() == "precious"
    assert ran.outputs["complete"]


def plain(text: str) -> str:
    """Text without the entities that keep names from being markup."""
    return re.sub(r"<[^>]*>", "", html.unescape(text))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}\n",
        b"[]\n",
        b"not JSON\n",
        b"\xff\xfe\n",
        b'{"kind":"run","schema":2}\n',
        b'{"kind":"decision"}\n',
        b"[" * 100_000 + b"\n",
        b'{"kind":"run","padding":"' + b"x" * (17 * 1024 * 1024) + b'"}\n',
        b'{"kind":"run","schema":' + b"9" * 10_000 + b"}\n",
    ],
    ids=["empty", "object", "list", "text", "bytes", "schema", "headless", "deep", "huge", "number"],
)
@pytest.mark.parametrize("operation", ["delete", "restore"])
def test_what_is_no_report_is_refused_before_the_first_request(
    made: Scene, content: bytes, operation: str
) -> None:
    made.push("v1", created=100)
    (made.folder / "report.jsonl").write_bytes(content)
    ran = made.step(operation=operation, versions="v*", **UNDO)
    assert ran.status == 1
    assert "from-report: " in ran.log
    assert "unexpected" not in ran.log
    assert made.requests() == 0


def test_reports_of_real_runs_fit_the_published_schema(tmp_path: Path) -> None:
    """Of every operation: dry, done, failing, with tags taken away, whole, in doubt, listed."""
    schema = json.loads((ROOT / "docs" / "report.schema.json").read_text())
    validator = Draft202012Validator(schema, format_checker=FormatChecker())
    seen: set[str] = set()

    def fits(made: Scene, **inputs: Any) -> None:
        made.step(report_file="checked.jsonl", **inputs)
        lines = [json.loads(line) for line in (made.folder / "checked.jsonl").read_text().splitlines()]
        for line in lines:
            validator.validate(line)
            seen.add(line["kind"])
        assert lines[0]["schema"] == SCHEMA
        assert (lines[0]["kind"], lines[-1]["kind"]) == ("run", "end")

    with scene(tmp_path) as made:
        for n in range(6):
            made.push(f"v{n}", f"pr-{n}", created=100 - n, attestations=True, signed="bundle")
        made.push("newest", created=0)
        whole = made.world.add_package("octo", "npm", "whole")
        for n in range(3):
            made.world.add_version(whole, f"1.{n}.0", created=50)
        fits(made, versions="v*", untag="true", dry_run="true")
        made.step(versions="v0, pr-0, pr-1", untag="true", **REPORT)
        fits(made, operation="restore", **UNDO)
        made.step(versions="v0, pr-0", **REPORT)
        fits(made, operation="restore", dry_run="true", **UNDO)
        fits(made, operation="list", older_than="30d")
        fits(made, package_type="npm", package_name="whole", versions="*", delete_package="when-empty")
        fits(made, operation="restore", package_type="npm", package_name="whole", versions="*")
        made.world.faults.add(Fault(Kind.UNAVAILABLE, method="DELETE", skip=2, times=None))
        fits(made, versions="v2, pr-2, v3, pr-3", time_limit="2min")
        made.world.faults.clear()
        made.app.roles["octocat"] = "read"
        fits(made, versions="v4, pr-4")
        fits(made, package_name="absent", versions="v4")
    kinds = {one["$ref"].rsplit("/", 1)[1] for one in schema["oneOf"]}
    assert kinds - {"note"} <= seen
