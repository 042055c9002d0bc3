"""The lists: an owner's packages, a package's versions, docker conflicts (facts A1, A6)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from emulator import access, paging, rows
from emulator.messages import Answer, json_answer
from emulator.refusals import RefusedRequest
from emulator.routes import Asked, list_url, package_of
from emulator.rules import RESTORE_WINDOW

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from emulator.paging import Page
    from emulator.stored import StoredPackage, StoredVersion
    from emulator.world import World

TYPES = frozenset({"container", "docker", "maven", "npm", "nuget", "rubygems"})
VISIBILITIES = frozenset({"public", "private", "internal"})


def list_packages(asked: Asked) -> Answer:
    """Facts A1 (cap, filters), A6 (ghosts), B2 (partial results)."""
    world, call, query = asked.world, asked.call, asked.request.query
    page = paging.asked(query, paging.PACKAGE_LIST_CAP)
    if call.type not in TYPES or query.get("visibility", "public") not in VISIBILITIES:
        raise RefusedRequest("invalid")
    if access.is_partial(world, call):
        told = {"X-GitHub-SSO": f"partial-results; organizations={call.owner.id}"}
        return json_answer(200, [], told)
    found = [
        package
        for package in world.packages_of(call.owner.login, call.type)
        if _shown(world, package, query.get("visibility"))
        and access.role_of(world, call.token, package) != "none"
    ]
    headers = _page_headers(asked, page, len(found))
    return json_answer(200, [rows.package_row(world, package) for package in found[page.rows]], headers)


def list_versions(asked: Asked) -> Answer:
    """Facts A1, A6: order, staleness, and what `/users/…` makes of parameters that it does not document."""
    world, switches, query = asked.world, asked.world.switches, asked.request.query
    package = package_of(asked)
    access.may_read(world, asked.call, package)
    state = query.get("state", "active")
    if state not in {"active", "deleted"}:
        raise RefusedRequest("invalid")
    undocumented = asked.call.base == "users"
    if undocumented and not switches.users_list_honours_state:
        state = "active"
    found = _deleted(world, package) if state == "deleted" else _active(world, package)
    if undocumented and not switches.users_list_honours_paging:
        return _rows(world, package, found, {})
    page = paging.asked(query, switches.version_lists_capped_at)
    too_large = switches.server_error_above_per_page
    if too_large is not None and page.size > too_large:
        raise RefusedRequest("server-error")
    headers = _page_headers(asked, page, len(found))
    return _rows(world, package, found[page.rows], headers)


def docker_conflicts(asked: Asked) -> Answer:
    """Docker packages whose name a container package has too (facts A1)."""
    world, login = asked.world, asked.call.owner.login
    taken = {package.name for package in world.packages_of(login, "container")}
    found = [
        rows.package_row(world, package)
        for package in world.packages_of(login, "docker")
        if package.name in taken and access.role_of(world, asked.call.token, package) != "none"
    ]
    return json_answer(200, found)


def _rows(
    world: World, package: StoredPackage, found: list[StoredVersion], headers: Mapping[str, str]
) -> Answer:
    body = b",".join([rows.version_bytes(world, package, version) for version in found])
    return Answer(200, b"[" + body + b"]", headers)


def _shown(world: World, package: StoredPackage, visibility: str | None) -> bool:
    """Facts A1: `internal` is another word for private where permissions are a repository's."""
    alike = {} if access.is_granular(world, package.type) else {"internal": "private"}
    return visibility is None or alike.get(visibility, visibility) == alike.get(
        package.visibility, package.visibility
    )


def _page_headers(asked: Asked, page: Page, total: int) -> dict[str, str]:
    switches = asked.world.switches
    if switches.page_past_the_end == "404" and page.number > 1 and page.rows.start >= total:
        raise RefusedRequest("not-found")
    return paging.links(list_url(asked), asked.request.query, page, total, tell_last=switches.links_tell_last)


def _active(world: World, package: StoredPackage) -> list[StoredVersion]:
    def listed(version: StoredVersion) -> bool:
        return version.still_listed or (version.deleted_at is None and not version.unlisted)

    return _ordered(world, package, "active", listed)


def _deleted(world: World, package: StoredPackage) -> list[StoredVersion]:
    def listed(version: StoredVersion) -> bool:
        return version.deleted_at is not None and not version.still_listed

    found = _ordered(world, package, "deleted", listed)
    if world.switches.expired_stay_listed:
        return found
    since = world.clock() - RESTORE_WINDOW
    return [version for version in found if version.deleted_at is not None and version.deleted_at >= since]


def _ordered(
    world: World, package: StoredPackage, state: str, listed: Callable[[StoredVersion], bool]
) -> list[StoredVersion]:
    order = world.switches.version_order

    def make() -> list[StoredVersion]:
        return sorted(filter(listed, package.versions.values()), key=_KEYS[order], reverse=order == "newest")

    return package.cached_list(f"{state} {order}", make)


_KEYS: Mapping[str, Callable[[StoredVersion], Any]] = {
    "newest": lambda version: (version.created_at, version.id),
    "oldest": lambda version: (version.created_at, version.id),
    "id": lambda version: version.id,
    "scrambled": lambda version: hashlib.sha256(str(version.id).encode()).digest(),
}
