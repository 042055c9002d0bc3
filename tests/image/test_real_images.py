"""Images made by the field's own tools in a real registry: after every run, each tag that is left still pulls."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from emulator import shapes
from image.face import NAME, RealScene, real_scene

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.image
FOUR = ("linux/amd64", "linux/arm64", "linux/arm/v7", "linux/s390x")


def run(*command: str, cwd: Path | None = None) -> str:
    """Run a tool to its end."""
    environ = {**os.environ, "COSIGN_PASSWORD": "", "COSIGN_YES": "true"}
    done = subprocess.run(
        command, capture_output=True, text=True, env=environ, cwd=cwd, timeout=100, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout


class Tools:
    """What a user's workflow does with images."""

    def __init__(self, made: RealScene) -> None:
        self.made = made
        self.folder = made.folder
        self.host = made.face.registry.host
        self._key = self.folder / "cosign.key"

    def reference(self, what: str) -> str:
        return f"{self.host}/{NAME}{'@' if ':' in what else ':'}{what}"

    def push(self, seed: str, *tags: str, days: float = 0) -> str:
        """Push an image of four platforms, with attestations as BuildKit's, by skopeo; gives its digest."""
        images = [shapes.image(f"{seed} {platform}") for platform in FOUR]
        proofs = [shapes.attestation(one) for one in images]
        entries = [shapes.descriptor(one, p) for one, p in zip(images, FOUR, strict=True)]
        entries += [
            shapes.attestation_descriptor(proof, one) for proof, one in zip(proofs, images, strict=True)
        ]
        index = shapes.index(entries)
        layout = self.layout(seed, index, [*images, *proofs])
        for tag in tags:
            self.skopeo(
                "copy", f"oci:{layout}:it", f"docker://{self.reference(tag)}", "--dest-tls-verify=false"
            )
        self.made.face.look(days)
        return index.digest

    def layout(self, name: str, root: shapes.Shape, others: list[shapes.Shape]) -> Path:
        """An OCI image layout on disk (image-spec 1.1)."""
        place = self.folder / "layouts" / name
        blobs = place / "blobs" / "sha256"
        blobs.mkdir(parents=True)
        for one in (root, *others):
            for digest, body in {one.digest: one.body, **one.blobs}.items():
                (blobs / digest.removeprefix("sha256:")).write_bytes(body)
        entry = shapes.descriptor(root) | {"annotations": {"org.opencontainers.image.ref.name": "it"}}
        (place / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
        (place / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
        return place

    def skopeo(self, verb: str, *arguments: str) -> str:
        whole = ("--all", "--preserve-digests") if verb == "copy" else ()
        return run("skopeo", "--insecure-policy", verb, *whole, *arguments)

    def pulls(self, what: str) -> None:
        """Pull an image with every platform."""
        place = self.folder / "pulled"
        shutil.rmtree(place, ignore_errors=True)
        self.skopeo("copy", "--src-tls-verify=false", f"docker://{self.reference(what)}", f"oci:{place}:it")

    def sign(self, digest: str) -> None:
        if not self._key.exists():
            run("cosign", "generate-key-pair", cwd=self.folder)
        run(
            "cosign",
            "sign",
            "--key",
            str(self._key),
            "--tlog-upload=false",
            "--use-signing-config=false",
            "--new-bundle-format=false",
            "--allow-http-registry",
            self.reference(digest),
        )

    def verify(self, digest: str) -> None:
        run(
            "cosign",
            "verify",
            "--key",
            str(self._key.with_suffix(".pub")),
            "--insecure-ignore-tlog",
            "--allow-http-registry",
            self.reference(digest),
        )

    def attach(self, digest: str, text: str = "made of nothing") -> None:
        """Attach an SBOM as an OCI referrer; the registry has no referrers API, so oras writes a fallback index."""
        (self.folder / "sbom.txt").write_text(text)
        run(
            "oras",
            "attach",
            "--plain-http",
            "--artifact-type",
            "application/vnd.example.sbom",
            self.reference(digest),
            "sbom.txt:text/plain",
            cwd=self.folder,
        )

    def attached(self, digest: str) -> int:
        found = json.loads(
            run("oras", "discover", "--plain-http", "--format", "json", self.reference(digest))
        )
        return len(found.get("manifests") or found.get("referrers") or ())


@pytest.fixture
def made(tmp_path: Path) -> Iterator[RealScene]:
    with real_scene(tmp_path) as found:
        yield found


@pytest.fixture
def tools(made: RealScene) -> Tools:
    return Tools(made)


def every_tag_pulls(made: RealScene, tools: Tools) -> set[str]:
    """Pull every tag that is left; gives those of images."""
    tags = {tag for tag in made.tags if not tag.startswith("sha256-")}
    for tag in tags:
        tools.pulls(tag)
    return tags


@pytest.mark.parametrize(
    ("inputs", "left"),
    [
        ({"tag_status": "untagged"}, {"v0", "v1", "v2", "latest"}),
        ({"older_than": "55d"}, {"v2", "latest"}),
        # The newest is `latest`, which no filter but its name reaches, and so is not counted either.
        ({"min_versions_to_keep": 1}, {"v1", "v2", "latest"}),
        ({"tag_status": "untagged", "older_than": "0s"}, {"v0", "v1", "v2", "latest"}),
        ({"versions": "v1"}, {"v0", "v2", "latest"}),
    ],
    ids=str,
)
def test_every_tag_that_is_left_still_pulls(
    made: RealScene, tools: Tools, inputs: Any, left: set[str]
) -> None:
    tools.push("zero", "v0", days=70)
    tools.push("one", "v1", days=60)
    # An image of which the next build took the only tag away.
    replaced = tools.push("before", "moving", days=50)
    tools.push("two", "v2", "latest", "moving", days=1)
    assert replaced in made.there
    ran = made.delete(**inputs)
    assert ran.number("failed-count") == 0
    assert (replaced in made.there) is ("tag_status" not in inputs)
    assert every_tag_pulls(made, tools) == left | {"moving"}
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
    listed = json.loads(tools.skopeo("list-tags", "--tls-verify=false", f"docker://{tools.host}/{NAME}"))
    assert listed["Tags"] == ["v1"]
    made.restore(from_report=made.report)
    assert made.state() == before
    assert every_tag_pulls(made, tools) == {"pr-1", "pr-2", "v1"}


def test_signatures_of_cosign_stay_go_and_come_back_with_their_image(made: RealScene, tools: Tools) -> None:
    digests = {tag: tools.push(tag, tag, days=60) for tag in ("v1", "v2")}
    for digest in digests.values():
        tools.sign(digest)
    made.face.look()
    before = made.state()
    signatures = {tag for tag in made.tags if tag.endswith(".sig")}
    assert len(signatures) == 2
    made.delete(tag_status="untagged", older_than="0s")
    assert made.state() == before
    made.delete(versions="v1")
    assert len(signatures & made.tags.keys()) == 1
    tools.verify(digests["v2"])
    made.restore(versions="v1")
    assert made.state() == before
    tools.verify(digests["v1"])
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
        tools.sign(digest)
    made.face.look(days=2)
    gone = made.app.by_digest(digests["v1"])
    assert gone
    made.face.delete_version(made.app, gone)
    made.delete(remove_damaged="orphaned")
    assert [tag for tag in made.tags if tag.endswith(".sig")] == [shapes.derived_tag(digests["v2"], "sig")]
    tools.verify(digests["v2"])


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
