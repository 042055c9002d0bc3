"""Who may do what: tokens, scopes, roles and an organization's own rules (facts A2, A7, A8, B)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from emulator.refusals import RefusedRequest

if TYPE_CHECKING:
    from emulator.messages import Request
    from emulator.stored import Role, StoredOwner, StoredPackage, Token
    from emulator.world import World

Base = Literal["orgs", "user", "users"]
Verb = Literal["conflicts", "list", "get", "versions", "delete-package", "delete-version", "restore"]

_IMPLIED = {"write:packages": ("read:packages",), "delete:packages": ()}
_NEEDS: dict[str, tuple[str, ...]] = {
    "delete-package": ("delete:packages", "read:packages"),
    "delete-version": ("delete:packages", "read:packages"),
    "restore": ("read:packages", "write:packages"),
}
_NO_READ = {"list": "scope-list", "conflicts": "scope-list", "versions": "scope-versions"}
_SCOPED = frozenset({"classic", "oauth", "legacy"})
_CHANGES = frozenset({"delete-package", "delete-version", "restore"})
# Facts B1: permissions of their own, not a repository's.
_GRANULAR = frozenset({"container", "npm", "nuget", "rubygems"})


@dataclass(frozen=True, slots=True)
class Call:
    """One operation that a token asks for; `verb` says which, `type` is a package type or empty."""

    verb: Verb
    base: Base
    owner: StoredOwner
    token: Token
    type: str = ""

    @property
    def changes(self) -> bool:
        return self.verb in _CHANGES


def authenticate(world: World, request: Request) -> Token:
    """The token of a request (facts B2, J1, J2)."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() not in {"token", "bearer"} or not value:
        raise RefusedRequest("no-token")
    if world.bad_tries >= world.switches.bad_tries_until_block:
        raise RefusedRequest("blocked")
    token = world.tokens.get(value.strip())
    if token is None or token.expired:
        world.bad_tries += 1
        raise RefusedRequest("bad-credentials")
    if token.suspended:
        raise RefusedRequest("suspended")
    return token


def scope_headers(world: World, token: Token, verb: Verb | None) -> dict[str, str]:
    """`X-OAuth-Scopes` of tokens that have scopes, parents standing for what they contain (facts B2)."""
    if token.kind not in _SCOPED or not world.switches.scopes_header:
        return {}
    held = token.scopes - {part for scope in token.scopes for part in _IMPLIED.get(scope, ())}
    wanted = () if verb is None else _NEEDS.get(verb, ("read:packages",))
    return {"X-OAuth-Scopes": ", ".join(sorted(held)), "X-Accepted-OAuth-Scopes": ", ".join(wanted)}


def enter(world: World, call: Call) -> None:
    """What an owner, and the kind of token, refuse whatever the package: facts A8, B2, J13 to J18."""
    organization(world, call)
    _kind(world, call)
    if call.token.kind in _SCOPED:
        _scopes(world, call)


def is_partial(world: World, call: Call) -> bool:
    """Whether a package list misses what SSO hides from this token (facts B2)."""
    return (
        call.verb == "list"
        and world.switches.sso_lists == "partial"
        and _unauthorized(call.owner, call.token)
    )


def role_of(world: World, token: Token, package: StoredPackage) -> Role:
    """A token's role on a package; one that is named in `package.roles` wins over any that follows from elsewhere."""
    if not is_granular(world, package.type) and token.kind in _SCOPED and "repo" not in token.scopes:
        return "none"  # facts B1: such registries need `repo`, for any operation
    who = (token.repository if token.kind == "installation" else token.login) or ""
    if (named := package.roles.get(who.lower())) is not None:
        return named
    floor: Role = "read" if package.visibility == "public" else "none"
    if token.kind == "installation":
        # Facts A8: the repository whose workflow published it is admin.
        return "admin" if who and who.lower() == (package.repository or "").lower() else floor
    member = package.owner.members.get(who.lower())
    if member == "admin" or package.owner.login.lower() == who.lower():
        return "admin"
    return "read" if member and package.visibility == "internal" else floor


def may_read(world: World, call: Call, package: StoredPackage) -> None:
    """Refuse a package that is hidden from the token: as not found, or as an integration's refusal (facts A7)."""
    if role_of(world, call.token, package) != "none":
        return
    if call.token.kind == "installation" and world.switches.installation_without_role == 403:
        raise RefusedRequest("integration")
    raise RefusedRequest("package")


def may_change(world: World, call: Call, package: StoredPackage) -> None:
    """Refuse a change without the role Admin (facts A2, A7: a 404 although GET works; A8)."""
    may_read(world, call, package)
    granular = is_granular(world, package.type)
    if call.token.kind == "installation":
        if call.token.permission != "write" or not (
            granular or world.switches.installation_changes_repository_scoped
        ):
            raise RefusedRequest("integration")
        if role_of(world, call.token, package) != "admin":
            found = "integration" if world.switches.installation_without_role == 403 else "package"
            raise RefusedRequest(found)
        return
    if role_of(world, call.token, package) != "admin" or not _org_admin(world, call):
        forbidden = not granular and world.switches.repository_role_missing == 403
        raise RefusedRequest("repository-role" if forbidden else "package")


def is_granular(world: World, type: str) -> bool:  # noqa: A002 - the API's own name
    """Whether packages of a type have permissions of their own (facts B1)."""
    return type == "container" if world.ghes else type in _GRANULAR


def organization(world: World, call: Call) -> None:
    """What an owner's own rules refuse: facts B2, J15 to J18."""
    owner, token = call.owner, call.token
    if owner.ip_allow_list:
        raise RefusedRequest("ip", owner.login)
    if owner.forbids_classic and token.kind in {"classic", "legacy"}:
        raise RefusedRequest("classic-forbidden", owner.login)
    if _unauthorized(owner, token) and not is_partial(world, call):
        url = f"{world.server_url}/orgs/{owner.login}/sso?authorization_request=A{token.installation_id:08}"
        what = "sso-oauth" if token.kind in {"oauth", "app-user"} else "sso-pat"
        if world.switches.sso_refusal == 404:
            raise RefusedRequest("not-found")
        raise RefusedRequest(what, headers={"X-GitHub-SSO": f"required; url={url}"})


def _unauthorized(owner: StoredOwner, token: Token) -> bool:
    return owner.sso and token.kind != "installation" and owner.login.lower() not in token.sso_authorized


def _kind(world: World, call: Call) -> None:
    token, switches = call.token, world.switches
    if token.kind == "fine-grained" and call.verb != "conflicts" and not switches.fine_grained_works:
        raise RefusedRequest("fine-grained")
    # Facts A8, the table: only whole packages may be deleted with one.
    undocumented = call.verb in {"delete-version", "restore"} and not switches.app_user_changes
    if token.kind == "app-user" and undocumented:
        raise RefusedRequest("integration")
    if token.kind == "installation":
        if token.permission == "none":
            raise RefusedRequest("integration")
        if call.verb == "list" and call.type == "container" and not switches.installation_lists_containers:
            raise RefusedRequest("invalid")


def _scopes(world: World, call: Call) -> None:
    held = call.token.scopes | {part for scope in call.token.scopes for part in _IMPLIED.get(scope, ())}
    if "read:packages" not in held:
        what = _NO_READ.get(call.verb, "scope-get")
        hidden = world.switches.missing_read_scope == 404 and what != "scope-list"
        raise RefusedRequest("package" if hidden else what)
    if not held.issuperset(_NEEDS.get(call.verb, ())):
        what = "scope-restore" if call.verb == "restore" else "scope-delete"
        raise RefusedRequest("package" if world.switches.missing_change_scope == 404 else what)


def _org_admin(world: World, call: Call) -> bool:
    if call.base != "orgs" or not world.switches.org_changes_need_org_admin:
        return True
    return call.owner.members.get((call.token.login or "").lower()) == "admin"
