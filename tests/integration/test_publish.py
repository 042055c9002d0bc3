"""A release, step by step as its workflow runs it, from a fresh fork to the tags, on stand-ins for GitHub."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from release.fork import IMAGE, TOKEN, Fork, git

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

REPOSITORY = "octo-fork/package-retention"


class StoppedError(Exception):
    """A step failed; its output is the message."""


@dataclass
class Run:
    """One run of the release's workflow, in a clone of its own; `commit` is what it was started on."""

    fork: Fork
    folder: Path
    tools: Mapping[str, str]
    version: str
    commit: str
    outputs: dict[str, str] = field(default_factory=dict)

    def step(self, name: str, **more: str) -> None:
        """Run a step of `scripts.publish`, with the outputs of the ones before it as its variables."""
        if not self.folder.exists():
            self.folder.mkdir(parents=True)
            subprocess.run(
                ["git", "clone", "--quiet", self.fork.origin, self.folder / "clone"],
                check=True,
                env=self._environ(),
            )
        self._call([sys.executable, "-m", "scripts.publish", name, self.version], **more)

    def build(self) -> None:
        """Build both architectures as the workflow's own script does."""
        for architecture in ("amd64", "arm64"):
            metadata = self.folder / "build.json"
            base = f"BASE=python:3.14-slim@sha256:{'b' * 64}"
            self._call(["docker", "login", "ghcr.io", "--username", "octocat", "--password-stdin"])
            pinned = [f"x@sha256:{'c' * 64}", f"image=moby/buildkit:v1@sha256:{'d' * 64}"]
            self._call(
                [
                    "docker",
                    "buildx",
                    "create",
                    "--use",
                    "--driver",
                    "docker-container",
                    "--driver-opt",
                    pinned[1],
                ]
            )
            self._call(
                [
                    *("docker", "buildx", "build", ".", "--platform", f"linux/{architecture}"),
                    *("--build-arg", base, "--build-arg", f"REVISION={self.outputs['commit']}"),
                    *("--attest", "type=provenance,mode=max", "--attest", f"type=sbom,generator={pinned[0]}"),
                    *("--output", f"type=image,name={IMAGE},push-by-digest=true,push=true"),
                    *("--metadata-file", str(metadata)),
                ]
            )
            self.outputs[architecture] = json.loads(metadata.read_text())["containerimage.digest"]

    def through(self) -> None:
        """Run everything; what is published already is not built again."""
        self.step("find")
        self.step("hold")
        built = {} if self.outputs["digest"] else self.built()
        self.step("join", **built)
        self.step("pull")
        self.step("tag")

    def built(self) -> dict[str, str]:
        self.build()
        return {"AMD64": self.outputs["amd64"], "ARM64": self.outputs["arm64"]}

    def _environ(self) -> dict[str, str]:
        given = {name.upper(): value for name, value in self.outputs.items()}
        return {
            **self.tools,
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_ACTOR": "octocat",
            "GITHUB_SHA": self.commit,
            "GITHUB_OUTPUT": str(self.folder / "output"),
            "RUNNER_TEMP": str(self.folder),
            "GH_TOKEN": TOKEN,
            "TOKEN": TOKEN,
            "AMD64": "",
            "ARM64": "",
            **{name: given[name] for name in ("COMMIT", "DIGEST") if name in given},
        }

    def _call(self, command: list[str], **more: str) -> None:
        output = self.folder / "output"
        output.write_text("")
        done = subprocess.run(
            command,
            cwd=self.folder / "clone",
            env=self._environ() | more,
            input=TOKEN,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise StoppedError(done.stdout + done.stderr)
        self.outputs |= dict(line.split("=", 1) for line in output.read_text().splitlines())


@pytest.fixture
def fork(tmp_path: Path) -> Fork:
    return Fork.create(tmp_path / "fork")


@pytest.fixture
def tools(fork: Fork) -> Iterator[Mapping[str, str]]:
    yield from fork.serving()


@dataclass
class Publisher:
    """Starts runs, one after the other."""

    fork: Fork
    folder: Path
    tools: Mapping[str, str]
    count: int = 0

    def run(self, version: str, commit: str) -> Run:
        self.count += 1
        return Run(self.fork, self.folder / f"run-{self.count}", self.tools, version, commit)


@pytest.fixture
def publisher(fork: Fork, tmp_path: Path, tools: Mapping[str, str]) -> Publisher:
    return Publisher(fork, tmp_path, tools)


def release(publisher: Publisher, version: str) -> str:
    """Release a version; the first stops once, until the package is public. Gives main's commit."""
    commit = publisher.fork.prepare(version)
    run = publisher.run(version, commit)
    if not publisher.fork.image_tags():
        with pytest.raises(StoppedError, match="cannot be pulled without credentials"):
            run.through()
        publisher.fork.make_public()
        run.step("pull")
        run.step("tag")
    else:
        run.through()
    return commit


def check_release(fork: Fork, version: str, commit: str) -> None:
    """The tag is one commit beside main's, which names the image that was built from main's."""
    refs, tags = fork.refs(), fork.image_tags()
    tag = refs[f"refs/tags/v{version}"]
    assert git(fork.origin, "rev-parse", f"{tag}^") == commit
    assert git(fork.origin, "diff", "--name-only", commit, tag) == "action.yml"
    assert f"image: docker://{IMAGE}@{tags[version]}\n" in fork.show(f"{tag}:action.yml") + "\n"
    index = json.loads(
        (fork.state / "registry/octo-fork/package-retention/blobs" / tags[version]).read_text()
    )
    assert index["annotations"]["org.opencontainers.image.revision"] == commit
    assert f"refs/heads/release/v{version}" not in refs
    assert f"v{version}" in fork.releases()


def test_the_first_release_and_a_patch(publisher: Publisher) -> None:
    fork = publisher.fork
    first = release(publisher, "1.0.0")
    check_release(fork, "1.0.0", first)
    assert fork.refs()["refs/tags/v1"] == fork.refs()["refs/tags/v1.0.0"]
    patch = release(publisher, "1.0.1")
    check_release(fork, "1.0.1", patch)
    assert fork.refs()["refs/tags/v1"] == fork.refs()["refs/tags/v1.0.1"]
    assert fork.releases()["v1.0.1"] == {"notes": "- News of 1.0.1.\n", "latest": "--latest=true"}
    assert fork.refs()["refs/heads/main"] == patch
    with pytest.raises(StoppedError, match=r"v1\.0\.1 is released already"):
        publisher.run("1.0.1", patch).through()


def test_the_first_stop_says_what_to_click(publisher: Publisher) -> None:
    commit = publisher.fork.prepare("1.0.0")
    with pytest.raises(StoppedError) as stopped:
        publisher.run("1.0.0", commit).through()
    words = str(stopped.value)
    assert words.startswith("::error::Not released: ")
    assert "Change visibility > Public" in words
    assert "Re-run failed jobs" in words
    assert words.count("\n") == 1, "one annotation holds all of it"
    assert not [name for name in publisher.fork.refs() if name.startswith("refs/tags/")]


def test_a_failure_after_the_push_of_the_tags(publisher: Publisher) -> None:
    fork = publisher.fork
    release(publisher, "1.0.0")
    commit = fork.prepare("1.1.0")
    (fork.state / "fail-release").touch()
    run = publisher.run("1.1.0", commit)
    with pytest.raises(StoppedError, match="502"):
        run.through()
    before, pushed = fork.refs(), fork.manifests()
    assert "refs/tags/v1.1.0" in before
    fork.push_main("Go on", later="on: push\njobs: {}\n")
    publisher.run("1.1.0", fork.refs()["refs/heads/main"]).through()
    check_release(fork, "1.1.0", commit)
    assert fork.refs()["refs/tags/v1.1.0"] == before["refs/tags/v1.1.0"]
    assert fork.manifests() == pushed, "nothing was built or pushed again"


def test_main_changes_its_workflows_while_the_release_runs(publisher: Publisher) -> None:
    """GitHub refuses a tag whose workflow files no branch has: the release's branch has them."""
    fork = publisher.fork
    release(publisher, "1.0.0")
    commit = fork.prepare("1.1.0")
    run = publisher.run("1.1.0", commit)
    run.step("find")
    run.step("hold")
    fork.push_main("Change a workflow", later="on: push\njobs: {}\n")
    run.step("join", **run.built())
    run.step("pull")
    run.step("tag")
    check_release(fork, "1.1.0", commit)


def test_main_changed_its_workflows_before_the_commit_was_held(publisher: Publisher) -> None:
    fork = publisher.fork
    commit = fork.prepare("1.0.0")
    fork.push_main("Change a workflow", later="on: push\njobs: {}\n")
    run = publisher.run("1.0.0", commit)
    run.step("find")
    with pytest.raises(StoppedError, match="without `workflows` permission"):
        run.step("hold")


def test_a_failure_between_the_build_and_the_tags_leads_to_the_same_commit(publisher: Publisher) -> None:
    fork = publisher.fork
    release(publisher, "1.0.0")
    commit = fork.prepare("1.1.0")
    run = publisher.run("1.1.0", commit)
    run.step("find")
    run.step("hold")
    run.step("join", **run.built())
    pushed, digest = fork.manifests(), fork.image_tags()["1.1.0"]
    later = fork.push_main("Go on")
    again = publisher.run("1.1.0", later)
    again.through()
    assert again.outputs["commit"] == commit
    check_release(fork, "1.1.0", commit)
    assert (fork.manifests(), fork.image_tags()["1.1.0"]) == (pushed, digest)


def test_an_image_of_another_commit_is_never_released(publisher: Publisher) -> None:
    fork = publisher.fork
    commit = fork.prepare("1.0.0")
    run = publisher.run("1.0.0", commit)
    run.step("find")
    run.step("hold")
    run.step("join", **run.built())
    run.outputs["commit"] = "0" * 40
    with pytest.raises(StoppedError, match=f"was built from {commit}, and {'0' * 40} is to be released"):
        run.step("join")
    with pytest.raises(StoppedError, match="was built from"):
        run.step("hold")


def test_a_tag_of_another_image_is_never_moved(publisher: Publisher) -> None:
    fork = publisher.fork
    release(publisher, "1.0.0")
    before = fork.refs()
    run = publisher.run("1.0.0", before["refs/heads/main"])
    run.outputs |= {"commit": before["refs/heads/main"], "digest": "sha256:" + "e" * 64}
    with pytest.raises(StoppedError, match="is tagged already, with another image"):
        run.step("tag")
    assert fork.refs() == before


def test_each_platforms_sbom_is_written_for_its_attestation(publisher: Publisher) -> None:
    commit = publisher.fork.prepare("1.0.0")
    run = publisher.run("1.0.0", commit)
    run.step("find")
    run.step("hold")
    run.step("join", **run.built())
    for architecture in ("amd64", "arm64"):
        sbom = json.loads((run.folder / f"sbom-{architecture}.spdx.json").read_text())
        assert sbom == {"spdxVersion": "SPDX-2.3", "name": architecture}
        assert re.fullmatch(r"sha256:[0-9a-f]{64}", run.outputs[architecture])
    assert TOKEN not in os.environ.values()
