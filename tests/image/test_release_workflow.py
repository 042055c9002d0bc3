"""The release's workflow, as it stands, under act: from a fresh fork to the tag, a patch, and a failure in between.

Nothing of GitHub can be reached here. The jobs run on this machine, with the stand-ins of `tests/release` for docker, gh
and make and for the four actions; the repository and its branches are real, and refuse what GitHub refuses.
"""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from image.engine import ROOT, Run
from release.fork import IMAGE, TOKEN, Fork, git

pytestmark = [pytest.mark.image, pytest.mark.timeout(600)]

WORKFLOW = Path(".github/workflows/release.yml")
ACTIONS = ROOT / "tests" / "release" / "actions"
USED = re.compile(r"uses: (?P<action>actions/(?P<name>[\w-]+))@(?P<commit>[0-9a-f]{40})")
JOB = re.compile(r"^\[Release/(?P<job>[^]]+?) *\] .*?(?P<ended>Job succeeded|Job failed)$", re.MULTILINE)


@dataclass
class Machine:
    """Starts the workflow of a fork, as GitHub does for its main branch."""

    fork: Fork
    own: Path
    tools: Mapping[str, str]

    def run(self, version: str) -> Run:
        """Run all jobs on this machine."""
        workspaces, workflow = self.own / "cache", self.own / "release.yml"
        workflow.write_text(self._for_act())
        environment = {
            **self.tools,
            "WORKSPACES": str(workspaces),
            "GITHUB_REPOSITORY": "octo-fork/package-retention",
        }
        stands_for = {
            f"{used['action']}@{used['commit']}": ACTIONS / used["name"]
            for used in USED.finditer(self._workflow())
        }
        command = [
            *["act", "workflow_dispatch", "--workflows", str(workflow), "--input", f"version={version}"],
            *[f"--platform={label}=-self-hosted" for label in ("ubuntu-24.04", "ubuntu-24.04-arm")],
            *["--no-skip-checkout", "--container-daemon-socket=-", "--secret", f"GITHUB_TOKEN={TOKEN}"],
            *[f"--local-repository={pinned}={folder}" for pinned, folder in stands_for.items()],
            *[part for name in environment for part in ("--env", f"{name}={environment[name]}")],
        ]
        done = subprocess.run(
            command,
            cwd=self.fork.tree,
            env={
                "PATH": environment["PATH"],
                "HOME": str(self.own),
                "XDG_CACHE_HOME": str(workspaces),
                "XDG_CONFIG_HOME": str(self.own / "config"),
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert TOKEN not in done.stdout + done.stderr
        return Run(done.returncode, done.stdout, done.stderr, 0)

    def _for_act(self) -> str:
        """The workflow as it stands, but for two lines.

        act knows no permission `artifact-metadata`. And of a matrix it keeps the first job's outputs alone, where GitHub
        keeps those of all; here the stand-in for docker has written down what it built.
        """
        text, lines = re.subn(r"^ +artifact-metadata: write.*\n", "", self._workflow(), flags=re.MULTILINE)
        step = 'run: python3 -m scripts.publish join "$VERSION"'
        assert (lines, text.count(step)) == (1, 1)
        return text.replace(step, step.replace("run: ", 'run: export $(cat "$STANDIN/built") && '))

    def _workflow(self) -> str:
        return (self.fork.tree / WORKFLOW).read_text("utf-8")


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    fork, own = Fork.create(tmp_path / "fork"), tmp_path / "act"
    own.mkdir()
    for tools in fork.serving():
        yield Machine(fork, own, tools)


def ended(run: Run) -> dict[str, bool]:
    return {found["job"]: found["ended"] == "Job succeeded" for found in JOB.finditer(run.out)}


JOBS = ("Check", "Hold the commit", "Build for amd64-1", "Build for arm64-2", "Publish")


def attested(fork: Fork) -> list[str]:
    return (fork.state / "attested").read_text().splitlines()


def test_from_a_fresh_fork_to_the_tag_then_a_patch_that_fails_after_the_push(machine: Machine) -> None:
    fork = machine.fork
    first = fork.prepare("1.0.0")
    run = machine.run("1.0.0")
    assert run.status, "the package is private"
    assert ended(run) == dict.fromkeys(JOBS, True) | {"Publish": False}, run.out + run.err
    assert "Change visibility > Public" in run.out, run.out + run.err
    assert not [name for name in fork.refs() if name.startswith("refs/tags/")]
    fork.make_public()

    run = machine.run("1.0.0")
    assert run.status == 0, run.out + run.err
    digest, tag = fork.image_tags()["1.0.0"], fork.refs()["refs/tags/v1.0.0"]
    assert fork.refs() == {"refs/heads/main": first, "refs/tags/v1": tag, "refs/tags/v1.0.0": tag}
    assert f"image: docker://{IMAGE}@{digest}" in fork.show("v1.0.0:action.yml")
    subjects = [line.split(" ", 1) for line in attested(fork)]
    assert [kind for _, kind in subjects] == ["provenance", "sbom SPDX-2.3 amd64", "sbom SPDX-2.3 arm64"]
    assert subjects[0][0] == f"{IMAGE}@{digest}"
    assert len({subject for subject, _ in subjects}) == 3

    patch = fork.prepare("1.0.1")
    (fork.state / "fail-release").touch()
    run = machine.run("1.0.1")
    assert ended(run)["Publish"] is False, run.out + run.err
    pushed, before = fork.manifests(), fork.refs()
    assert before["refs/tags/v1.0.1"] == before["refs/tags/v1"] != tag
    fork.push_main("Change a workflow meanwhile", later="on: push\njobs: {}\n")
    run = machine.run("1.0.1")
    assert run.status == 0, run.out + run.err
    assert (fork.manifests(), fork.refs()["refs/tags/v1.0.1"]) == (pushed, before["refs/tags/v1.0.1"])
    assert fork.releases().keys() == {"v1.0.0", "v1.0.1"}
    assert git(fork.origin, "rev-parse", "v1.0.1^") == patch
    assert (fork.state / "made").read_text().splitlines()[:2] == ["make test", "make lint"]
    assert os.environ.get("GH_TOKEN") != TOKEN
