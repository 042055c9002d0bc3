"""Shapes that today's tools push to a real registry: deleted, kept, untagged and restored, and what stays is verified.

Neither BuildKit 0.32 nor Helm is at hand here: their manifests are made by hand, to the letter of what they write.
Signatures are cosign 3's own, and attachments those of oras.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from emulator import shapes
from emulator.shapes import Shape, attestation, attestation_descriptor, descriptor, image, index

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from image.face import RealScene
    from image.image_tools import Tools

pytestmark = pytest.mark.image
PLATFORMS = ("linux/amd64", "linux/arm64")


@dataclass(frozen=True)
class Artifact:
    """A root, what it names to any depth with children first, and the platforms that it can be pulled for."""

    root: Shape
    below: tuple[Shape, ...] = ()
    platforms: tuple[str, ...] = ()


def buildkit(seed: str, platforms: Sequence[str] = PLATFORMS, built_from: str = "") -> Artifact:
    """What BuildKit 0.32 pushes: each attestation is an artifact whose subject is its platform.

    Builds from one source are cached: they share their platforms, and each has attestations of its own.
    """
    images = [image(f"{built_from or seed} {platform}") for platform in platforms]
    proofs = [attestation(one, seed, artifact=True) for one in images]
    entries = [descriptor(one, platform) for one, platform in zip(images, platforms, strict=True)]
    entries += [attestation_descriptor(proof, one) for proof, one in zip(proofs, images, strict=True)]
    return Artifact(index(entries), (*images, *proofs), tuple(platforms))


def nested(seed: str) -> Artifact:
    """An index of an index: what `docker buildx imagetools create` and manifest tools make of other indexes."""
    inner, single = buildkit(f"inner {seed}"), image(f"{seed} s390x")
    root = index([descriptor(inner.root), descriptor(single, "linux/s390x")])
    return Artifact(root, (*inner.below, inner.root, single), ("linux/s390x",))


def helm(seed: str) -> Artifact:
    return Artifact(shapes.helm_chart(seed))


@dataclass
class Published:
    """An artifact in the registry, signed twice, with an SBOM attached; `members` are its manifests there."""

    artifact: Artifact
    members: set[str]

    @property
    def digest(self) -> str:
        return self.artifact.root.digest


class Publisher:
    """Publishes artifacts as a release workflow does, and verifies them as a user would."""

    def __init__(self, made: RealScene, tools: Tools) -> None:
        self.made = made
        self.tools = tools

    def publish(self, artifact: Artifact, *tags: str, days: float) -> Published:
        before = self.made.there
        self.tools.push_by_hand(artifact.root, artifact.below, *tags, days=days)
        self.tools.sign(artifact.root.digest)
        self.tools.attach(artifact.root.digest, artifact.root.digest)
        self.tools.sign(artifact.root.digest)
        self.made.face.look(days)
        return Published(artifact, self.made.there - before)

    def verify(self, published: Published, *tags: str) -> None:
        """Pull by every tag and for every platform, and verify what refers to it."""
        for tag in tags:
            assert self.made.tags[tag] == published.digest
            self.tools.pulls_with_referrers(tag, published.artifact.platforms)
        for one in published.artifact.below:
            self.tools.pulls_with_referrers(one.digest)
        assert self.tools.verify(published.digest) == 2
        assert self.tools.attached(published.digest) == 3


@pytest.fixture
def publisher(made: RealScene, tools: Tools) -> Publisher:
    return Publisher(made, tools)


@pytest.mark.parametrize("make", [buildkit, nested, helm])
def test_a_deletion_takes_all_of_one_and_nothing_of_another(
    made: RealScene, publisher: Publisher, make: Callable[[str], Artifact]
) -> None:
    old = publisher.publish(make("old"), "v1", days=70)
    new = publisher.publish(make("new"), "v2", "v2.0", days=60)
    before = made.state()
    made.delete(tag_status="untagged", older_than="0s")
    assert made.state() == before
    made.delete(versions="v*", min_versions_to_keep=1, report_file=made.report)
    assert made.there == before.keys() - old.members
    publisher.verify(new, "v2", "v2.0")
    made.restore(from_report=made.report)
    assert made.state() == before
    publisher.verify(old, "v1")
    publisher.verify(new, "v2", "v2.0")


@pytest.mark.parametrize("make", [buildkit, nested, helm])
def test_a_tag_goes_and_comes_back_and_all_of_its_artifact_stays(
    made: RealScene, publisher: Publisher, make: Callable[[str], Artifact]
) -> None:
    one = publisher.publish(make("one"), "pr-1", "v1", days=70)
    before = made.state()
    ran = made.delete(versions="pr-*", untag="true", report_file=made.report)
    assert ran.number("untagged-count") == 1
    assert made.there == before.keys()
    assert "pr-1" not in made.tags
    publisher.verify(one, "v1")
    made.restore(from_report=made.report)
    assert made.state() == before
    publisher.verify(one, "pr-1", "v1")


def test_a_platform_that_has_a_tag_of_its_own_keeps_its_attestation(
    made: RealScene, tools: Tools, publisher: Publisher
) -> None:
    """The attestation is listed by the index alone, and its subject is the platform that stays."""
    whole = publisher.publish(buildkit("one"), "v1", days=70)
    amd64, _arm64, proof, _other = whole.artifact.below
    tools.push_by_hand(amd64, (), "promoted", days=60)
    before = made.state()
    made.delete(versions="v1", report_file=made.report)
    assert made.there == {amd64.digest, proof.digest}
    tools.pulls_with_referrers("promoted")
    tools.pulls_with_referrers(proof.digest)
    made.restore(from_report=made.report)
    assert made.state() == before
    publisher.verify(whole, "v1")


def test_a_superseded_build_takes_its_own_attestations_and_no_shared_platform(
    made: RealScene, tools: Tools, publisher: Publisher
) -> None:
    first = buildkit("first build", built_from="one source")
    second = publisher.publish(buildkit("second build", built_from="one source"), "main", days=60)
    tools.push_by_hand(first.root, first.below, days=70)
    made.delete(tag_status="untagged", older_than="30d")
    assert made.there == second.members
    publisher.verify(second, "main")
