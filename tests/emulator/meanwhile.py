"""Somebody else who acts meanwhile: once, or between the pages of a list, so that rows slip over their edges (facts A6)."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING

from emulator import shapes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from emulator.messages import Request
    from emulator.stored import StoredPackage, StoredVersion
    from emulator.world import World


def act_once(
    world: World, fits: Callable[[Request], bool], act: Callable[[], object], *, skip: int = 0
) -> list[int]:
    """Act just before a request that fits is answered, after `skip` such; return a list that then is not empty."""
    happened: list[int] = []
    seen: list[int] = []

    def hook(request: Request) -> None:
        with world.lock:
            if happened or not fits(request):
                return
            seen.append(request.number)
            if len(seen) > skip:
                happened.append(request.number)
                act()

    world.before_request.append(hook)
    return happened


class Slips:
    """A hook: `world.before_request.append(Slips(world, package))`.

    Args:
        world: whose lists slip.
        package: the container package that they act on.
        most: how many are pushed, and how many deleted, before each page but a list's first; the number is drawn.
        victims: what is deleted, in this order; every untagged version otherwise, drawn.
        seed: of what is drawn.
    """

    def __init__(
        self,
        world: World,
        package: StoredPackage,
        *,
        most: int = 2,
        victims: Sequence[StoredVersion] | None = None,
        seed: int = 0,
    ) -> None:
        self._world, self._package, self._most = world, package, most
        self._victims = None if victims is None else list(victims)
        self._random = random.Random(seed)
        self._lists = re.compile(rf"/packages/container/{re.escape(package.name)}/versions$")
        self.pushed: list[StoredVersion] = []
        self.deleted: list[StoredVersion] = []

    def __call__(self, request: Request) -> None:
        if request.method != "GET" or not self._lists.search(request.path):
            return
        if request.query.get("page", "1") == "1":
            return
        with self._world.lock:
            for _ in range(self._random.randint(0, self._most)):
                self._push()
            for _ in range(self._random.randint(0, self._most)):
                self._delete()

    def _push(self) -> None:
        one = shapes.image(f"pushed meanwhile {len(self._package.versions)}")
        self.pushed.append(self._world.push(self._package, one.body, one.media_type))

    def _delete(self) -> None:
        if self._victims is None:
            left = [version for version in self._package.active() if not version.tags]
            victim = self._random.choice(left) if left else None
        else:
            victim = self._victims.pop(0) if self._victims else None
        if victim is not None and victim.deleted_at is None and len(self._package.active()) > 1:
            self._world.delete_version(self._package, victim)
            self.deleted.append(victim)
