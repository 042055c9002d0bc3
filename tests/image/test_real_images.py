"""Images made by the field's own tools in a real registry: after every run, each tag that is left still pulls."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from emulator import shapes

if TYPE_CHECKING:
    from image.face import RealScene
    from image.image_tools import Tools

pytestmark = pytest.mark.image


def every_tag_pulls(made: RealScene, tools: Tools) -> set[str]:
    """Pull every tag that is left; gives those of images."""
    tags = {tag for tag in made.tags if not tag.startswith("sha256-")}
    for tag in tags:
        tools.pulls(tag)
    return tags


@pytest.mark.parametrize(
    ("inputs", "left"),
    [
        ({"tag_status": "untagged"}, "v0 v1 v2 latest"),
        ({"older_than": "55d"}, "v2 latest"),
        # The newest is `latest`, which no filter but its name reaches, and so is not counted either.
        ({"min_versions_to_keep": 1}, "v1 v2 latest"),
        ({"tag_status": "untagged", "older_than": "0s"}, "v0 v1 v2 latest"),
        ({"versions": "v1"}, "v0 v2 latest"),
    ],
    ids=str,
)
def test_every_tag_that_is_left_still_pulls(made: RealScene, tools: Tools, inputs: Any, left: str) -> None:
    tools.push("zero", "v0", days=70)
    tools.push("one", "v1", days=60)
    # An image of which the next build took the only tag away.
    replaced = tools.push("before", "moving", days=50)
    tools.push("two", "v2", "latest", "moving", days=1)
    assert replaced in made.there
    ran = made.delete(**inputs)
    assert ran.number("failed-count") == 0
    assert (replaced in made.there) is ("tag_status" not in inputs)
    assert every_tag_pulls(made, tools) == {*left.split(), "moving"}
    assert made.delete(**inputs).ids("selected-version-ids") == []


def test_what_goes_is_gone_from_the_registry(made: RealScene, tools: Tools) -> None:
    first = tools.push("one", "v1", days=60)
    tools.push("two", "v2", days=1)
    members = made.there
    made.delete(versions="v1")
    assert len(members - made.there) == 9
    with pytest.raises(AssertionError, match="manifest unknown"):
        tools.pulls(first)
    assert every_tag_pulls(made, tools) == {"v2"}


def test_an_image_is_deleted_and_restored_and_pulls_again(made: RealScene, tools: Tools) -> None:
    digest = tools.push("one", "v1", days=60)
    tools.push("two", "v2", days=1)
    before = made.state()
    made.delete(versions="v1", report_file=made.report)
    with pytest.raises(AssertionError, match="manifest unknown"):
        tools.pulls("v1")
    made.restore(versions="v1")
    assert made.state() == before
    tools.pulls("v1")
    tools.pulls(digest)
    made.delete(versions="v1", report_file=made.report)
    made.restore(from_report=made.report)
    assert made.state() == before
    assert every_tag_pulls(made, tools) == {"v1", "v2"}


def test_a_tag_is_taken_away_and_the_image_still_pulls(made: RealScene, tools: Tools) -> None:
    digest = tools.push("one", "pr-1", "pr-2", "v1", days=60)
    before = made.state()
    ran = made.delete(versions="pr-*", untag="true", report_file=made.report)
    assert ran.number("untagged-count") == 2
    assert made.tags == {"v1": digest}
    assert made.there == before.keys()
    tools.pulls("v1")
    listed = json.loads(tools.skopeo("list-tags", "--tls-verify=false", f"docker://{tools.repository}"))
    assert listed["Tags"] == ["v1"]
    made.restore(from_report=made.report)
    assert made.state() == before
    assert every_tag_pulls(made, tools) == {"pr-1", "pr-2", "v1"}


def test_signatures_of_cosign_stay_go_and_come_back_with_their_image(made: RealScene, tools: Tools) -> None:
    digests = {tag: tools.push(tag, tag, days=60) for tag in ("v1", "v2")}
    for digest in digests.values():
        tools.sign(digest, bundle=False)
    made.face.look()
    before = made.state()
    signatures = {tag for tag in made.tags if tag.endswith(".sig")}
    assert len(signatures) == 2
    made.delete(tag_status="untagged", older_than="0s")
    assert made.state() == before
    made.delete(versions="v1")
    assert len(signatures & made.tags.keys()) == 1
    tools.verify(digests["v2"], bundle=False)
    made.restore(versions="v1")
    assert made.state() == before
    tools.verify(digests["v1"], bundle=False)
    assert every_tag_pulls(made, tools) == {"v1", "v2"}


def test_attachments_of_oras_stay_go_and_come_back_with_their_image(made: RealScene, tools: Tools) -> None:
    digests = {tag: tools.push(tag, tag, days=60) for tag in ("v1", "v2")}
    for digest in digests.values():
        tools.attach(digest, "one")
        tools.attach(digest, "two")
    made.face.look()
    before = made.state()
    assert {shapes.derived_tag(digest) for digest in digests.values()} <= made.tags.keys()
    made.delete(tag_status="untagged", older_than="0s")
    assert {tools.attached(digest) for digest in digests.values()} == {2}
    made.delete(versions="v1")
    assert tools.attached(digests["v2"]) == 2
    assert len([tag for tag in made.tags if tag.startswith("sha256-")]) == 1
    made.restore(versions="v1")
    assert {tools.attached(digest) for digest in digests.values()} == {2}
    # Of the fallback indexes that oras wrote one after the other, the last of each is in use.
    assert made.state().items() <= before.items()
    assert every_tag_pulls(made, tools) == {"v1", "v2"}


def test_signatures_whose_image_is_gone_are_orphans(made: RealScene, tools: Tools) -> None:
    digests = {tag: tools.push(tag, tag, days=60) for tag in ("v1", "v2")}
    for digest in digests.values():
        tools.sign(digest, bundle=False)
    made.face.look(days=2)
    gone = made.app.by_digest(digests["v1"])
    assert gone
    made.face.delete_version(made.app, gone)
    made.delete(remove_damaged="orphaned")
    assert [tag for tag in made.tags if tag.endswith(".sig")] == [shapes.derived_tag(digests["v2"], "sig")]
    tools.verify(digests["v2"], bundle=False)


def test_a_child_deleted_by_hand_makes_damage_that_the_registry_confirms(
    made: RealScene, tools: Tools
) -> None:
    tools.push("one", "v1", days=60)
    tools.push("two", "v2", days=50)
    child = shapes.image("one linux/arm64")
    version = made.app.by_digest(child.digest)
    assert version
    made.face.delete_version(made.app, version)
    with pytest.raises(AssertionError, match="manifest unknown"):
        tools.pulls("v1")
    made.delete(remove_damaged="ghost")
    assert "v1" in made.tags
    made.delete(remove_damaged="partial")
    assert every_tag_pulls(made, tools) == {"v2"}
