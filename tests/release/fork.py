"""A fork that is to be published, on stand-ins for what lies at GitHub: the repository, the registry, releases.

`tools/` holds the commands that a runner has (docker, gh, make); they keep their state below one folder. The repository
is a real one of git, bare, with a hook that refuses what GitHub refuses from a workflow's token.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scripts import publishable

from scripted_server import Reply, ScriptedServer
from workflows import ACTION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scripted_server import Seen

ROOT = Path(__file__).resolve().parents[2]
TOOLS = Path(__file__).parent / "tools"
TOKEN = "ghs_" + "a" * 36
IMAGE = "ghcr.io/octo-fork/package-retention"
OWN = ACTION.removesuffix("@").encode()  # the placeholder, or whose this repository is
# What a release reads
RELEASED = (
    ".github",
    "scripts",
    "Dockerfile",
    "CHANGELOG.md",
    "action.yml",
    "pyproject.toml",
    "docs/publishing.md",
)
_PERSON = {
    **{f"GIT_{who}_NAME": "Person" for who in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{who}_EMAIL": "person@example.org" for who in ("AUTHOR", "COMMITTER")},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}


def tracked(root: Path = ROOT) -> list[str]:
    """The repository's files, those included that are to be committed."""
    listing = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    command = ["git", "-c", "safe.directory=*", "-C", str(root), *listing]
    names = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\0")
    return [name for name in names if name and (root / name).is_file()]


def copy_tree(to: Path, within: tuple[str, ...] = ("",)) -> None:
    """Copy this repository's files, those below `within` alone, into a repository of git with one commit.

    Where this repository is its owner's already, the placeholder stands in the copy again.
    """
    for name in tracked():
        if not name.startswith(within):
            continue
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, to / name)
        if publishable.PLACEHOLDER != OWN:
            text = (
                (to / name)
                .read_bytes()
                .replace(b"ghcr.io/" + OWN.lower(), b"ghcr.io/" + publishable.PLACEHOLDER)
            )
            (to / name).write_bytes(text.replace(OWN, publishable.PLACEHOLDER))
    for arguments in (
        ["init", "--quiet", "--initial-branch=main"],
        ["add", "--all"],
        ["commit", "--quiet", "--message=x"],
    ):
        git(to, *arguments)


def git(folder: Path, *arguments: str) -> str:
    """Run git as a person who may do everything."""
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments],
        env={"PATH": os.environ["PATH"], "BY_HAND": "1", **_PERSON},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@dataclass
class Fork:
    """`tree` is the person's clone, `origin` what GitHub has, `state` what the stand-ins keep."""

    tree: Path
    origin: Path
    state: Path

    @classmethod
    def create(cls, folder: Path) -> Fork:
        """Fork this repository as `octo-fork`, and make it its own."""
        tree, origin, state = (folder / name for name in ("tree", "origin.git", "standin"))
        state.mkdir(parents=True)
        copy_tree(tree, RELEASED)
        assert publishable.main("octo-fork", tree) == 0
        git(tree, "init", "--quiet", "--bare", "--initial-branch=main", str(origin))
        shutil.copy2(TOOLS / "pre-receive", origin / "hooks" / "pre-receive")
        git(tree, "remote", "add", "origin", str(origin))
        return cls(tree, origin, state)

    def prepare(self, version: str) -> str:
        """Push what a person prepares on main for a version; gives the commit."""
        project, changes = self.tree / "pyproject.toml", self.tree / "CHANGELOG.md"
        lines = project.read_text("utf-8").splitlines(keepends=True)
        project.write_text(
            "".join(f'version = "{version}"\n' if line.startswith("version = ") else line for line in lines)
        )
        if f"## [{version}]" not in changes.read_text("utf-8"):
            text = changes.read_text("utf-8").replace(
                "## [Unreleased]\n", f"## [Unreleased]\n\n## [{version}]\n\n- News of {version}.\n"
            )
            changes.write_text(text)
        return self.push_main(f"Prepare {version}")

    def push_main(self, message: str, **files: str) -> str:
        """Commit what is there, and push it to main; gives the commit."""
        for name, text in files.items():
            (self.tree / ".github" / "workflows" / f"{name}.yml").write_text(text)
        git(self.tree, "add", "--all")
        git(self.tree, "commit", "--quiet", "--allow-empty", "--message", message)
        git(self.tree, "push", "--quiet", "origin", "main")
        return git(self.tree, "rev-parse", "HEAD")

    def refs(self) -> dict[str, str]:
        """Branches and tags at GitHub, with their commits."""
        lines = git(self.origin, "for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        return dict(line.split(" ") for line in lines)

    def show(self, name: str) -> str:
        """A file at GitHub, as `v1.0.0:action.yml`."""
        return git(self.origin, "show", name)

    def releases(self) -> dict[str, dict[str, str]]:
        path = self.state / "releases.json"
        found: dict[str, dict[str, str]] = json.loads(path.read_text()) if path.exists() else {}
        return found

    def image_tags(self) -> dict[str, str]:
        path = self._package / "tags.json"
        found: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        return found

    def manifests(self) -> int:
        """How many blobs and manifests were ever pushed."""
        return len(list((self._package / "blobs").glob("*")))

    def make_public(self) -> None:
        """Click, as the page says."""
        (self._package / "private").unlink()

    @property
    def _package(self) -> Path:
        return self.state / "registry" / "octo-fork" / "package-retention"

    def answer(self, request: Seen) -> Reply:
        """Answer as the registry does: a token for who logs in, and blobs for the token."""
        if request.path == "/token":
            return Reply(200, b'{"token": "bearer"}')
        assert request.headers["authorization"] == "Bearer bearer"
        return Reply(200, (self._package / "blobs" / request.path.rpartition("/")[2]).read_bytes())

    def serving(self) -> Iterator[Mapping[str, str]]:
        """Serve the registry; gives the variables that lead the tools to the stand-ins."""
        with ScriptedServer(self.answer).running() as server:
            yield {
                "PATH": f"{TOOLS}:{Path(sys.executable).parent}:{os.environ['PATH']}",
                "STANDIN": str(self.state),
                "ORIGIN": str(self.origin),
                "DOCKER_CONFIG": str(self.state / "docker"),
                "REGISTRY_URL": server.url,
                "GIT_CONFIG_GLOBAL": os.devnull,
                "GIT_CONFIG_SYSTEM": os.devnull,
            }
