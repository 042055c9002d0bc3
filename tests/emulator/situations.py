"""Situations in which the embedded GitHub refuses, by the text that it then says (`refusals.SAID`).

Other tests walk them too: whoever explains refusals should meet each of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clocks import FakeClock
from emulator.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from emulator.stored import StoredPackage

CLASSIC = "ghp_" + "a" * 36
INSTALLATION = "ghs_" + "b" * 36
STATELESS = "ghs_12345_eyJhbGciOiJSUzI1NiJ9." + "c" * 480
LEGACY = "0123456789abcdef" * 2 + "01234567"
LIB = "/orgs/acme/packages/npm/lib"
VERSION = f"{LIB}/versions/5001"


@dataclass(frozen=True, slots=True)
class Ask:
    """The request that is then refused."""

    method: str
    path: str
    token: str = CLASSIC


class Scene:
    """An organization `acme` with the npm package `lib` of three versions (5001 to 5003), and its admin's token."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.world = World(self.clock.now, self.clock.monotonic, self.clock.sleep)
        self.world.add_org("acme")
        self.token = self.world.add_token(CLASSIC)
        self.lib = self.world.add_package("acme", "npm", "lib", repository="acme/lib")
        for number in range(3):
            self.world.add_version(self.lib, f"1.0.{number}", created=30 - number, id=5001 + number)

    def container(self, *tags: str) -> StoredPackage:
        """Add the container package `app`, a version for each tag (6001 and so on); an empty one is untagged."""
        image = self.world.add_package("acme", "container", "app")
        for number, tag in enumerate(tags):
            name = f"sha256:{number:064x}"
            self.world.add_version(image, name, id=6001 + number, tags=[tag] if tag else [])
        return image

    def scoped(self, *scopes: str) -> str:
        """Add a token with these scopes alone."""
        return self.world.add_token("gho_some", scopes=scopes).value


SITUATIONS: dict[str, Callable[[Scene], Ask]] = {}
"""By `text (what happened)`."""


def situation(said: str) -> Callable[[Callable[[Scene], Ask]], Callable[[Scene], Ask]]:
    """Add a situation in which this is said."""

    def add(arrange: Callable[[Scene], Ask]) -> Callable[[Scene], Ask]:
        SITUATIONS[f"{said} ({arrange.__name__})"] = arrange
        return arrange

    return add


def _simple(asked: Ask) -> Callable[[Scene], Ask]:
    return lambda _: asked


SITUATIONS.update(
    {
        name: _simple(asked)
        for name, asked in {
            "bad-credentials (unknown_token)": Ask("GET", LIB, "ghp_unknown"),
            "no-token (without_token)": Ask("GET", LIB, ""),
            "package (package_of_another_name)": Ask("GET", "/orgs/acme/packages/npm/other"),
            "package (restore_of_a_package_that_never_was)": Ask(
                "POST", "/orgs/acme/packages/npm/never/restore"
            ),
            "version (version_of_another_id)": Ask("GET", f"{LIB}/versions/99"),
            "version (restore_of_an_active_version)": Ask("POST", f"{VERSION}/restore"),
            "not-found (user_under_orgs)": Ask("GET", "/orgs/octocat/packages?package_type=npm"),
            "not-found (nobody)": Ask("GET", "/users/nobody"),
            "not-found (slash_at_the_end)": Ask("GET", f"{LIB}/"),
            "not-found (id_that_is_none)": Ask("GET", f"{LIB}/versions/PV_abc"),
            "not-found (method_that_is_none)": Ask("PATCH", LIB),
            "invalid (list_without_a_type)": Ask("GET", "/orgs/acme/packages"),
            "invalid (state_that_is_none)": Ask("GET", f"{LIB}/versions?state=gone"),
            "page-cap (beyond_10_000_packages)": Ask(
                "GET", "/orgs/acme/packages?package_type=npm&per_page=100&page=101"
            ),
        }.items()
    }
)
