"""The embedded GitHub, listening on a loopback address, for each test's `world`."""

from collections.abc import Iterator

import pytest

from emulator.server import EmulatedGitHub
from emulator.world import World


@pytest.fixture
def server(world: World) -> Iterator[EmulatedGitHub]:
    with EmulatedGitHub(world) as server:
        yield server
