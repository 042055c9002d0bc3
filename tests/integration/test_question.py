"""What a person takes to answer: the time limit does not run meanwhile, and old facts are looked at again."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from clocks import FakeClock
from emulator.images import push_image
from emulator.steps import TOKEN
from emulator.world import World
from package_retention.app import main

if TYPE_CHECKING:
    from collections.abc import Callable

    from emulator.server import EmulatedGitHub

SELECT = ("--owner", "octo", "--package-name", "app", "--min-versions-to-keep", "2", "--time-limit", "10min")


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class Keyboard(Screen):
    """A person who does something, then types yes."""

    def __init__(self, before: Callable[[], None]) -> None:
        super().__init__()
        self._before = before
        self.asked = 0

    def readline(self, _size: int = -1, /) -> str:  # type: ignore[override] # as in the type of StringIO
        self.asked += 1
        self._before()
        return "yes\n"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(datetime.now(UTC))


@pytest.fixture
def world() -> World:
    world = World()
    world.add_org("octo")
    world.add_token(TOKEN)
    lib = world.add_package("octo", "npm", "app")
    app = world.add_package("octo", "container", "app")
    for number in range(5):
        world.add_version(lib, f"1.{number}.0", created=50 - number)
        push_image(world, app, [f"1.{number}.0"], created=50 - number, attestations=True)
    return world


def answered(
    github: EmulatedGitHub, clock: FakeClock, kind: str, before: Callable[[], None]
) -> tuple[int, str]:
    """Call it at a terminal where a person answers after `before`; the status, and all that was shown."""
    environ = {
        "GITHUB_TOKEN": TOKEN,
        "GITHUB_API_URL": github.api_url,
        "GITHUB_SERVER_URL": github.server_url,
        "COLUMNS": "120",
    }
    argv = [*SELECT, "--package-type", kind, "--registry-url", github.registry_url]
    stdout, keyboard = Screen(), Keyboard(before)
    status = main(environ, stdout, lambda _cancel: clock, argv, stdout, keyboard)
    assert keyboard.asked == 1, stdout.getvalue()
    return status, stdout.getvalue()


@pytest.mark.parametrize("kind", ["npm", "container"])
def test_the_time_limit_does_not_run_while_a_person_thinks(
    github: EmulatedGitHub, world: World, clock: FakeClock, kind: str
) -> None:
    status, shown = answered(github, clock, kind, lambda: clock.advance(3600))
    assert status == 0, shown
    assert "Deleted 3 of 5" in shown
    package = next(one for one in world.packages if one.type == kind)
    assert len([one for one in package.active() if kind == "npm" or one.tags]) == 2


def test_what_came_after_a_quick_answer_still_counts(github: EmulatedGitHub, clock: FakeClock) -> None:
    """The limit that did not run while the person thought runs on after it."""
    status, shown = answered(github, clock, "npm", lambda: clock.advance(1))
    assert (status, "Deleted 3 of 5" in shown) == (0, True)


@pytest.mark.parametrize("kind", ["npm", "container"])
def test_facts_that_grew_old_are_looked_at_again(
    github: EmulatedGitHub, world: World, clock: FakeClock, kind: str
) -> None:
    """Somebody deletes the newest version meanwhile: what is among the newest two then stays."""
    package = next(one for one in world.packages if one.type == kind)
    newest = next(one for one in package.active() if "1.4.0" in (one.name, *one.tags))

    def think() -> None:
        clock.advance(400)
        world.delete_version(package, newest)

    _, shown = answered(github, clock, kind, think)
    left = {name for one in package.active() for name in (one.name, *one.tags)}
    assert {"1.2.0", "1.3.0"} <= left
    assert not {"1.0.0", "1.1.0"} & left
    assert "Deleted 2 of 5" in shown
