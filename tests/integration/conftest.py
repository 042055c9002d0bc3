"""Holds every integration test to GitHub's documented requests, and to silence about the token; and a small world."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from emulator.server import EmulatedGitHub
from emulator.steps import TOKEN
from emulator.world import World
from watch import watching

if TYPE_CHECKING:
    from collections.abc import Iterator

    from watch import Watch


@pytest.fixture(autouse=True)
def watched() -> Iterator[Watch]:
    """Look at every request and every step of a test; a test that asks on purpose clears `watched.asked`."""
    with watching() as watch:
        yield watch
    assert watch.objections() == []


@pytest.fixture
def world() -> World:
    """An organization with one npm package of five versions; a module that needs another has its own."""
    world = World()
    world.add_org("octo")
    world.add_token(TOKEN)
    lib = world.add_package("octo", "npm", "lib")
    for number in range(5):
        world.add_version(lib, f"1.{number}.0", created=50 - number)
    return world


@pytest.fixture
def github(world: World) -> Iterator[EmulatedGitHub]:
    with EmulatedGitHub(world) as github:
        yield github
