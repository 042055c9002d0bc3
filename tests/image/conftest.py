"""The embedded GitHub, listening on a loopback address, for each test's `world`."""

from collections.abc import Iterator

import pytest
from emulator.server import Server, serve

from emulator.world import World


@pytest.fixture
def server(world: World) -> Iterator[Server]:
    with serve(world) as server:
        yield server
