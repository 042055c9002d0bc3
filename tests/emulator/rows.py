"""Packages and versions as the API shows them (facts A5)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from datetime import datetime

    from emulator.stored import StoredOwner, StoredPackage, StoredVersion
    from emulator.world import World


def moment(at: datetime) -> str:
    """A time as GitHub writes it: UTC, whole seconds."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def user_row(world: World, owner: StoredOwner) -> dict[str, Any]:
    """A simple user; an organization is one too."""
    return {
        "login": owner.login,
        "id": owner.id,
        "node_id": f"MDQ6VXNlcnt{owner.id}",
        "avatar_url": f"{world.server_url}/avatars/u/{owner.id}?v=4",
        "url": f"{world.api_url}/users/{owner.login}",
        "html_url": f"{world.server_url}/{owner.login}",
        "type": owner.kind,
        "site_admin": False,
    }


def package_row(world: World, package: StoredPackage) -> dict[str, Any]:
    """A package; `repository` is left out where there is none (facts A5)."""
    row: dict[str, Any] = {
        "id": package.id,
        "name": package.name,
        "package_type": package.type,
        "owner": user_row(world, package.owner),
        "version_count": max(len(package.active()) + world.switches.version_count_off_by, 0),
        "visibility": package.visibility,
        "url": f"{world.api_url}{_path(package)}",
        "created_at": moment(package.created_at),
        "updated_at": moment(package.updated_at),
        "html_url": _page(world, package),
    }
    if package.repository:
        linked = world.repository(package.repository)
        full_name = linked.full_name if linked else package.repository
        owner, _, name = full_name.partition("/")
        row["repository"] = {
            "id": linked.id if linked else package.id + 1_000_000,
            "name": name,
            "full_name": full_name,
            "private": (linked or package).visibility != "public",
            "owner": {"login": owner},
            "html_url": f"{world.server_url}/{full_name}",
        }
    return row


def version_bytes(world: World, package: StoredPackage, version: StoredVersion) -> bytes:
    """A version's row as JSON, made once for each state of the version."""
    switches = world.switches
    state = (
        version.name,
        tuple(version.tags),
        version.created_at,
        version.updated_at,
        version.deleted_at,
        version.still_listed,
        version.description,
        switches.deleted_versions_keep_tags,
        switches.docker_tags_key,
        world.api_url,
        package.name,
    )
    return package.cached_row(
        version, state, lambda: json.dumps(_version_row(world, package, version)).encode()
    )


def _version_row(world: World, package: StoredPackage, version: StoredVersion) -> dict[str, Any]:
    page = f"{_page(world, package)}/{version.id}"
    gone = version.deleted_at is not None and not version.still_listed
    row: dict[str, Any] = {
        "id": version.id,
        "name": version.name,
        "url": f"{world.api_url}{_path(package)}/versions/{version.id}",
        "package_html_url": _page(world, package),
        "created_at": moment(version.created_at),
        "updated_at": moment(version.updated_at),
        "html_url": page,
        "metadata": {"package_type": package.type},
    }
    if version.description:
        row["description"] = version.description
    if gone and version.deleted_at is not None:
        row["deleted_at"] = moment(version.deleted_at)
    tags = [] if gone and not world.switches.deleted_versions_keep_tags else list(version.tags)
    if package.type == "container":
        row["metadata"]["container"] = {"tags": tags}
    elif package.type == "docker":
        row["metadata"]["docker"] = {world.switches.docker_tags_key: tags}
    return row


def _base(package: StoredPackage) -> str:
    return "orgs" if package.owner.kind == "Organization" else "users"


def _path(package: StoredPackage) -> str:
    name = quote(package.name, safe="")
    return f"/{_base(package)}/{package.owner.login}/packages/{package.type}/{name}"


def _page(world: World, package: StoredPackage) -> str:
    name = quote(package.name, safe="")
    return f"{world.server_url}/{_base(package)}/{package.owner.login}/packages/{package.type}/package/{name}"
