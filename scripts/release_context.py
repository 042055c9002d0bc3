"""What every step of a release works with: its version, the checkout, the job's variables, and commands."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts.release import ReleaseError


def command(*arguments: str, env: Mapping[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end."""
    return subprocess.run(
        arguments, env={**os.environ, **(env or {})}, capture_output=True, encoding="utf-8", check=False
    )


@dataclass(frozen=True)
class Release:
    """The release of one version from the checkout at `root`."""

    version: str
    root: Path
    environ: Mapping[str, str]

    @property
    def image(self) -> str:
        """Return where the image lies, without a tag."""
        return f"ghcr.io/{self.environ['GITHUB_REPOSITORY'].lower()}"

    @property
    def branch(self) -> str:
        """Return the branch that holds the released commit until the release is complete."""
        return f"refs/heads/release/v{self.version}"

    @property
    def tag_ref(self) -> str:
        """Return the release's own tag."""
        return f"refs/tags/v{self.version}"

    def run(self, *arguments: str, env: Mapping[str, str] | None = None) -> str:
        """Run a command and return what it prints.

        Raises:
            ReleaseError: It failed; its last words are in the message.
        """
        done = command(*arguments, env=env)
        if done.returncode:
            raise ReleaseError(f"`{' '.join(arguments[:3])} …` failed: {done.stderr.strip()[-600:]}")
        return done.stdout.strip()

    def git(self, *arguments: str, env: Mapping[str, str] | None = None) -> str:
        """Run git in the checkout and return what it prints; errors as of `run`."""
        return self.run("git", "-C", str(self.root), *arguments, env=env)

    def remote_refs(self) -> dict[str, str]:
        """Return every branch and tag of the repository on GitHub, with its commit."""
        self.run("gh", "auth", "setup-git")
        lines = self.git("ls-remote", "--heads", "--tags", "origin").splitlines()
        return {name: commit for commit, name in (line.split("\t") for line in lines)}

    def output(self, **values: str) -> None:
        """Write outputs of the step."""
        with Path(self.environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as file:
            file.writelines(f"{name}={value}\n" for name, value in values.items())
