"""A thin Packages-REST face over a real registry: its manifests are the versions of `octo/app`.

The rules (last tagged version, roles, scopes) are the embedded GitHub's; what a deletion or a restore does, it does in
the registry's storage. The registry offers no list of its manifests, so they are read where it keeps them
(distribution 2.8: `_manifests/revisions` and `_manifests/tags` of a repository).
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from emulator.server import EmulatedGitHub
from emulator.shapes import DOCKER_LIST, OCI_IMAGE, OCI_INDEX
from emulator.steps import TOKEN
from emulator.world import World
from real_registry import real_registry
from scene import Scene, StepClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from emulator.stored import StoredPackage, StoredVersion
    from real_registry import RealRegistry

NAME = "octo/app"


class Face(World):
    """A world whose one container package is a repository of a real registry."""

    def __init__(self, clock: StepClock, registry: RealRegistry, storage: Path) -> None:
        super().__init__(clock.now, clock.monotonic, clock.sleep)
        self.registry = registry
        self.add_org("octo")
        self.add_token(TOKEN)
        self.app = self.add_package("octo", "container", "app", repository="octo/app")
        self._blobs = storage / "blobs" / "sha256"
        self._manifests = storage / "repositories" / NAME / "_manifests"
        # What is pushed while a run goes on (the dummy of an untag) is seen by the next request.
        self.before_request.append(lambda request: None if request.registry else self.look())

    def look(self, days: float = 0) -> None:
        """Take in what the registry holds; what is new counts as pushed so many days ago."""
        with self.lock:
            tags = self._tags()
            for digest in self._revisions():
                if self.app.by_digest(digest) is None:
                    body = (self._blobs / digest[7:9] / digest[7:] / "data").read_bytes()
                    on_it = [tag for tag, there in tags.items() if there == digest]
                    self.add_version(self.app, "", days, on_it, body, _media_type(body))
            for tag, digest in tags.items():
                version = self.app.by_digest(digest)
                if version and tag not in version.tags:
                    self.move_tag(self.app, tag, version)

    def delete_version(self, package: StoredPackage, version: StoredVersion) -> None:
        super().delete_version(package, version)
        self.registry.delete(NAME, version.name)

    def restore_version(self, package: StoredPackage, version: StoredVersion) -> None:
        super().restore_version(package, version)
        self._link(self._manifests / "revisions" / "sha256" / version.name[7:], version.name)
        for tag in version.tags:
            self._link(self._manifests / "tags" / tag / "current", version.name)
            self._link(self._manifests / "tags" / tag / "index" / "sha256" / version.name[7:], version.name)

    def _revisions(self) -> list[str]:
        found = sorted((self._manifests / "revisions" / "sha256").glob("*/link"))
        return [link.read_text() for link in found]

    def _tags(self) -> dict[str, str]:
        found = (self._manifests / "tags").glob("*/current/link")
        return {link.parts[-3]: link.read_text() for link in found}

    def _link(self, place: Path, digest: str) -> None:
        place.mkdir(parents=True, exist_ok=True)
        (place / "link").write_text(digest)


class RealScene(Scene):
    """A scene whose images lie in a real registry."""

    face: Face

    def step(self, **inputs: Any) -> Any:
        ran = super().step(registry_url=self.face.registry.url, **inputs)
        self.face.look()
        return ran


def _media_type(body: bytes) -> str:
    document = json.loads(body)
    default = OCI_INDEX if "manifests" in document else OCI_IMAGE
    named = document.get("mediaType", default)
    assert named != DOCKER_LIST or "manifests" in document
    return str(named)


@contextmanager
def real_scene(folder: Path) -> Iterator[RealScene]:
    """Run a registry, and GitHub's face of it."""
    clock = StepClock()
    with real_registry(folder) as registry:
        face = Face(clock, registry, folder / "data" / "docker" / "registry" / "v2")
        with EmulatedGitHub(face) as github:
            made = RealScene(face, clock, github, folder, face.app)
            made.face = face
            yield made
