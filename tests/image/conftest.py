"""The embedded GitHub, listening on a loopback address, for each test's `world`; podman for act."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator.server import EmulatedGitHub
from emulator.world import World
from image.act import engine
from image.face import RealScene, real_scene
from image.image_tools import Tools


@pytest.fixture
def server(world: World) -> Iterator[EmulatedGitHub]:
    with EmulatedGitHub(world) as server:
        yield server


@pytest.fixture
def engine_socket(tmp_path: Path) -> Iterator[str]:
    """podman under Docker's API, on a socket of this test's own."""
    with engine(tmp_path / "podman.sock") as address:
        yield address


@pytest.fixture
def made(tmp_path: Path) -> Iterator[RealScene]:
    with real_scene(tmp_path) as found:
        yield found


@pytest.fixture
def tools(made: RealScene) -> Tools:
    return Tools(made)
