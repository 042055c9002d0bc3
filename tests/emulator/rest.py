"""The REST API: a request in, an answer out, the world changed in between (facts A).

Called with the world's lock held. What may not be is raised as `RefusedRequest` inside, and is an answer outside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulator import access, git, lists, routes, rows
from emulator.messages import Answer, json_answer
from emulator.refusals import RefusedRequest
from emulator.routes import Asked, package_of, version_of
from emulator.rules import DownloadsError, ExpiredError, LastTaggedError, LastVersionError, NameTakenError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from emulator.access import Verb
    from emulator.messages import Request
    from emulator.stored import Token
    from emulator.world import World

_EMPTY = Answer(204)
_GHES_API_VERSIONS = frozenset({"2022-11-28"})


def handle(world: World, request: Request) -> Answer:
    """Answer any request of the API; headers that every answer has are the server's part."""
    token: Token | None = None
    verb: Verb | None = None
    try:
        _check_api_version(world, request)
        token = access.authenticate(world, request)
        world.limits.admit(request, token)
        verb, answer = _answer(world, request, token)
    except RefusedRequest as refused:
        answer = refused.answer(ghes=world.ghes)
    if token is None:
        return answer
    told = access.scope_headers(world, token, verb) | world.limits.headers(token)
    return Answer(answer.status, answer.body, {**told, **answer.headers}, answer.media_type)


def _answer(world: World, request: Request, token: Token) -> tuple[Verb | None, Answer]:
    plain = _PLAIN.get(request.path) if request.method == "GET" else None
    if plain is not None:
        return None, plain(world, token)
    of_repository = git.answer(world, request, token)
    if of_repository is not None:
        return None, of_repository
    route = routes.parse(request.path)
    if route is None:
        raise RefusedRequest("not-found")
    if route.base == "users" and not route.rest and request.method == "GET":
        return None, _user(world, route.owner)
    found = _OPERATIONS.get((request.method, route.shape))
    if found is None:
        raise RefusedRequest("not-found")
    verb, operation = found
    asked = routes.understood(world, request, route, token, verb)
    try:
        access.enter(world, asked.call)
        return verb, operation(asked)
    except RefusedRequest as refused:
        return verb, refused.answer(ghes=world.ghes)


def _check_api_version(world: World, request: Request) -> None:
    """Facts A5, J26: unversioned requests are the oldest version's; retired ones 410, unknown ones 400."""
    wanted = request.headers.get("x-github-api-version")
    known = _GHES_API_VERSIONS if world.ghes else world.switches.api_versions
    if wanted in world.switches.retired_api_versions:
        raise RefusedRequest("api-version-retired", wanted)
    if wanted is not None and wanted not in known:
        raise RefusedRequest("api-version-unknown", wanted)


def _get_package(asked: Asked) -> Answer:
    package = package_of(asked)
    access.may_read(asked.world, asked.call, package)
    return json_answer(200, rows.package_row(asked.world, package))


def _get_version(asked: Asked) -> Answer:
    package = package_of(asked)
    access.may_read(asked.world, asked.call, package)
    version = version_of(asked, package)
    if version.deleted_at is not None:
        raise RefusedRequest("version")  # facts A6: although a list may still have it
    return Answer(200, rows.version_bytes(asked.world, package, version))


def _delete_package(asked: Asked) -> Answer:
    """Facts A3."""
    package = package_of(asked)
    access.may_change(asked.world, asked.call, package)
    try:
        asked.world.delete_package(package)
    except DownloadsError:
        raise RefusedRequest("downloads-package", status=asked.world.switches.downloads_status) from None
    return _EMPTY


def _restore_package(asked: Asked) -> Answer:
    """Facts A4: by name, within 30 days, while the name is free."""
    world = asked.world
    package = world.deleted_package(asked.call.owner.login, asked.call.type, asked.route.rest[2])
    if package is None:
        raise RefusedRequest("package")
    access.may_change(world, asked.call, package)
    return _restored(world, lambda: world.restore_package(package))


def _delete_version(asked: Asked) -> Answer:
    """Facts A3, A6: a stale list, the last version, the last tagged one, downloads."""
    world, package = asked.world, package_of(asked)
    access.may_change(world, asked.call, package)
    version = version_of(asked, package)
    if version.deleted_at is not None:
        raise RefusedRequest("version")
    try:
        world.delete_version(package, version)
    except LastTaggedError:
        raise RefusedRequest("last-tagged") from None
    except LastVersionError:
        raise RefusedRequest("last-version") from None
    except DownloadsError:
        raise RefusedRequest("downloads-version", status=world.switches.downloads_status) from None
    return _EMPTY


def _restore_version(asked: Asked) -> Answer:
    """Facts A4; a version that is not deleted is none of the deleted ones."""
    world, package = asked.world, package_of(asked)
    access.may_change(world, asked.call, package)
    version = version_of(asked, package)
    if version.deleted_at is None:
        raise RefusedRequest("version")
    return _restored(world, lambda: world.restore_version(package, version))


def _restored(world: World, restore: Callable[[], None]) -> Answer:
    try:
        restore()
    except NameTakenError:
        raise RefusedRequest("restore-conflict", status=world.switches.restore_conflict_status) from None
    except ExpiredError:
        raise RefusedRequest("restore-expired", status=world.switches.restore_expired_status) from None
    return _EMPTY


def _user(world: World, login: str) -> Answer:
    """`GET /users/{login}`: organizations too, `type` tells them apart."""
    owner = world.owner(login)
    if owner is None:
        raise RefusedRequest("not-found")
    return json_answer(200, rows.user_row(world, owner))


def _own_user(world: World, token: Token) -> Answer:
    """`GET /user`: an installation is no user (facts A8, J13)."""
    if token.login is None:
        raise RefusedRequest("integration")
    return _user(world, token.login)


def _rate_limit(world: World, token: Token) -> Answer:
    """Facts C: it counts on no primary limit; where limits are off there is nothing to tell [INFER]."""
    if world.ghes:
        raise RefusedRequest("not-found")
    core = world.limits.core(token)
    return json_answer(200, {"resources": {"core": core}, "rate": core})


_PLAIN: Mapping[str, Callable[[World, Token], Answer]] = {"/user": _own_user, "/rate_limit": _rate_limit}

_OPERATIONS: Mapping[tuple[str, str], tuple[Verb, Callable[[Asked], Answer]]] = {
    ("GET", "docker/conflicts"): ("conflicts", lists.docker_conflicts),
    ("GET", "packages"): ("list", lists.list_packages),
    ("GET", "packages/T/N"): ("get", _get_package),
    ("DELETE", "packages/T/N"): ("delete-package", _delete_package),
    ("POST", "packages/T/N/restore"): ("restore", _restore_package),
    ("GET", "packages/T/N/versions"): ("versions", lists.list_versions),
    ("GET", "packages/T/N/versions/I"): ("get", _get_version),
    ("DELETE", "packages/T/N/versions/I"): ("delete-version", _delete_version),
    ("POST", "packages/T/N/versions/I/restore"): ("restore", _restore_version),
}
