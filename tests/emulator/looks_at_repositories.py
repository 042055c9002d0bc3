"""Switches of a repository's lists (facts L)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulator.looks import switch
from emulator.situations import INSTALLATION

if TYPE_CHECKING:
    from emulator.calling import Caller
    from emulator.situations import Scene


@switch("public_repositories_need_permissions", {False: (200, 200), True: (403, 403)})
def public_repository(scene: Scene, caller: Caller) -> tuple[int, ...]:
    scene.world.add_repository("acme/app", visibility="public")
    caller.become(scene.world.add_token(INSTALLATION, repository="acme/app").value)
    return tuple(caller.get(f"/repos/acme/app/{what}").status_code for what in ("pulls", "tags"))


@switch("release_lists_capped_at", {1_000: (200, 422, 422), 10_000: (200, 200, 422), None: (200, 200, 200)})
def many_releases(scene: Scene, caller: Caller) -> tuple[int, ...]:
    scene.world.add_repository("acme/app")
    path = "/repos/acme/app/releases"
    return tuple(caller.get(path, per_page=100, page=page).status_code for page in (10, 11, 101))
