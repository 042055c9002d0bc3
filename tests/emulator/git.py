"""Repositories and what is listed of them: pull requests, branches, git tags, releases (facts L).

Called with the world's lock held.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlencode

from emulator import access, git_rows, paging
from emulator.access import Call
from emulator.messages import Answer, json_answer
from emulator.refusals import RefusedRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from emulator.messages import Request
    from emulator.stored import Role, Token
    from emulator.stored_git import StoredPull, StoredRelease, StoredRepository
    from emulator.world import World

_SCOPED = frozenset({"classic", "oauth", "legacy"})
_PERMISSIONS = {
    "": "metadata",
    "pulls": "pull_requests",
    "branches": "contents",
    "tags": "contents",
    "releases": "contents",
}


@dataclass(frozen=True, slots=True)
class _Asked:
    world: World
    request: Request
    token: Token
    repository: StoredRepository


def answer(world: World, request: Request, token: Token) -> Answer | None:
    """Answer a request for a repository; `None` where the path names none."""
    owner, name, number, what = _parsed(request.path)
    if not (owner or number):
        return None
    permission = _PERMISSIONS.get(what)
    if permission is None or request.method != "GET":
        raise RefusedRequest("not-found")
    repository = world.repository(number or f"{owner}/{name}")
    if repository is None or role_of(token, repository) == "none":
        raise RefusedRequest("not-found")  # facts A7: hidden, not forbidden
    access.organization(world, Call("get", "users", repository.owner, token))
    if owner and repository.full_name.lower() != f"{owner}/{name}".lower():
        return _moved(world, repository, what, request.query)
    _check_permission(world, token, repository, permission)
    asked = _Asked(world, request, token, repository)
    found = _LISTS[what](asked) if what else json_answer(200, git_rows.repository_row(world, repository))
    return replace(found, headers={**found.headers, **_accepted(permission)})


def role_of(token: Token, repository: StoredRepository) -> Role:
    """A token's role; `repository.roles` wins over what follows from membership (facts L2)."""
    public = repository.visibility == "public"
    if token.kind == "installation":
        own = (token.repository or "").lower() == repository.full_name.lower()
        return ("write" if token.contents == "write" else "read") if own else _floor(public=public)
    if token.kind in _SCOPED and not public and "repo" not in token.scopes:
        return "none"
    who = (token.login or "").lower()
    if (named := repository.roles.get(who)) is not None:
        return named
    member = repository.owner.members.get(who)
    if member == "admin" or repository.owner.login.lower() == who:
        return "admin"
    return "read" if member else _floor(public=public)


def _floor(*, public: bool) -> Role:
    return "read" if public else "none"


def _check_permission(world: World, token: Token, repository: StoredRepository, permission: str) -> None:
    """Facts L2: permissions of tokens without scopes, documented not to be needed for what is public."""
    needed = repository.visibility != "public" or world.switches.public_repositories_need_permissions
    if token.kind in _SCOPED or permission == "metadata" or not needed:
        return
    if getattr(token, permission) == "none":
        what = "fine-grained" if token.kind == "fine-grained" else "integration"
        raise RefusedRequest(what, headers=_accepted(permission))


def _accepted(permission: str) -> dict[str, str]:
    return {"X-Accepted-GitHub-Permissions": f"{permission}=read"}


def _parsed(path: str) -> tuple[str, str, str, str]:
    """Owner and name, or the number, and what is asked of the repository."""
    segments = [unquote(segment) for segment in path.split("/")[1:]]
    match segments:
        case (_, _, _, "") | ("repositories", _, ""):
            return "", "", "", ""
        case ("repos", owner, name, *rest) if owner and name:
            return owner, name, "", "/".join(rest)
        case ("repositories", number, *rest) if number.isdigit():
            return "", "", number, "/".join(rest)
        case _:
            return "", "", "", ""


def _moved(world: World, repository: StoredRepository, what: str, query: Mapping[str, str]) -> Answer:
    """Facts L3: a former name is redirected to the number."""
    url = f"{world.api_url}/repositories/{repository.id}" + (f"/{what}" if what else "")
    url += f"?{urlencode(query)}" if query else ""
    return json_answer(301, {"message": "Moved Permanently", "url": url}, {"Location": url})


def _listed(asked: _Asked, what: str, found: Sequence[Any], row: Callable[[Any], Any]) -> Answer:
    """One page; the links name the repository by its number (facts L3)."""
    world, query = asked.world, asked.request.query
    page = paging.asked(query, None)
    url = f"{world.api_url}/repositories/{asked.repository.id}/{what}"
    headers = paging.links(url, query, page, len(found), tell_last=world.switches.links_tell_last)
    return json_answer(200, [row(one) for one in found[page.rows]], headers)


def _pulls(asked: _Asked) -> Answer:
    """Facts L1: open ones, newest first, unless asked otherwise."""
    query, repository = asked.request.query, asked.repository
    state, sort = query.get("state", "open"), query.get("sort", "created")
    direction = query.get("direction", "desc" if sort == "created" else "asc")
    if state not in ("open", "closed", "all") or sort not in _SORTED or direction not in ("asc", "desc"):
        raise RefusedRequest("validation")
    found = [pull for pull in repository.pulls.values() if state in ("all", pull.state)]
    found.sort(key=_SORTED[sort], reverse=direction == "desc")
    return _listed(asked, "pulls", found, lambda one: git_rows.pull_row(asked.world, repository, one))


_SORTED: Mapping[str, Callable[[StoredPull], Any]] = {
    "created": lambda pull: (pull.created_at, pull.number),
    "updated": lambda pull: (pull.updated_at, pull.number),
}


def _branches(asked: _Asked) -> Answer:
    """Facts L1: by name."""
    repository, wanted = asked.repository, asked.request.query.get("protected")
    found = [
        name
        for name in sorted(repository.branches)
        if wanted is None or (name in repository.protected) is (wanted == "true")
    ]
    return _listed(asked, "branches", found, lambda one: git_rows.branch_row(asked.world, repository, one))


def _tags(asked: _Asked) -> Answer:
    """Facts L1: by name, from the end of the alphabet."""
    found = sorted(asked.repository.tags, reverse=True)
    return _listed(asked, "tags", found, lambda one: git_rows.tag_row(asked.world, asked.repository, one))


def _releases(asked: _Asked) -> Answer:
    """Facts L1, L4: newest first; drafts for those alone who may push; nothing beyond the first 1,000."""
    world, repository = asked.world, asked.repository
    drafts = _may_push(asked.token, repository)
    found = [one for one in repository.releases if drafts or not one.draft]
    found.sort(key=_published, reverse=True)
    most, page = world.switches.release_lists_capped_at, paging.asked(asked.request.query, None)
    if most is not None and page.rows.start >= most:
        raise RefusedRequest("only-the-first", most)
    return _listed(asked, "releases", found, lambda one: git_rows.release_row(world, repository, one))


def _may_push(token: Token, repository: StoredRepository) -> bool:
    """Facts L2: the role, and what the token may make of it."""
    if role_of(token, repository) not in ("write", "admin"):
        return False
    if token.kind in _SCOPED:
        return bool(token.scopes & {"repo", "public_repo"})
    return token.contents == "write"


def _published(release: StoredRelease) -> tuple[Any, int]:
    return release.created_at, release.id


_LISTS: Mapping[str, Callable[[_Asked], Answer]] = {
    "pulls": _pulls,
    "branches": _branches,
    "tags": _tags,
    "releases": _releases,
}
