"""What a path means: a base, an owner, and what is asked of its packages (facts A1, A-path, A6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from emulator.access import Base, Call
from emulator.refusals import RefusedRequest

if TYPE_CHECKING:
    from emulator.access import Verb
    from emulator.messages import Request
    from emulator.stored import StoredOwner, StoredPackage, StoredVersion, Token
    from emulator.world import World


@dataclass(frozen=True, slots=True)
class Route:
    """A base path, the owner in it (a login, or with `numeric` a number; empty for `/user`), and the segments after it."""

    base: Base
    owner: str
    numeric: bool
    rest: tuple[str, ...]

    @property
    def shape(self) -> str:
        """The segments with type, name and id as `T`, `N` and `I`."""
        if self.rest[:1] != ("packages",):
            return "/".join(self.rest)
        return "/".join(
            {1: "T", 2: "N", 4: "I"}.get(place, segment) for place, segment in enumerate(self.rest)
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that is understood: who asks, for which operation, of what."""

    world: World
    request: Request
    route: Route
    call: Call


def parse(path: str) -> Route | None:
    """Read a path as it was sent; slashes in a segment are `%2F`, and a slash at the end makes it another path."""
    segments = tuple(unquote(segment) for segment in path.split("/")[1:])
    if not all(segments):
        return None
    match segments:
        case ("user", number, ("packages" | "docker"), *_) if number.isdigit():
            return Route("users", number, numeric=True, rest=segments[2:])
        case ("organizations", number, *_) if number.isdigit():
            return Route("orgs", number, numeric=True, rest=segments[2:])
        case ("user", *_):
            return Route("user", "", numeric=False, rest=segments[1:])
        case ("orgs", owner, *_):
            return Route("orgs", owner, numeric=False, rest=segments[2:])
        case ("users", owner, *_):
            return Route("users", owner, numeric=False, rest=segments[2:])
        case _:
            return None


def understood(world: World, request: Request, route: Route, token: Token, verb: Verb) -> Asked:
    """Find the owner, and let it and the kind of token refuse what they refuse whatever the package is."""
    owner = _owner(world, route, token)
    types = route.rest[1:2] or (request.query.get("package_type", ""),)
    call = Call(verb, route.base, owner, token, types[0] if verb != "conflicts" else "docker")
    return Asked(world, request, route, call)


def package_of(asked: Asked) -> StoredPackage:
    """The package that the path names."""
    _, package_type, name = asked.route.rest[:3]
    package = asked.world.package(asked.call.owner.login, package_type, name)
    if package is None:
        raise RefusedRequest("package")
    return package


def version_of(asked: Asked, package: StoredPackage) -> StoredVersion:
    """The version that the path names, deleted or not."""
    number = asked.route.rest[4]
    if not (number.isascii() and number.isdigit()):
        raise RefusedRequest("not-found")
    version = package.versions.get(int(number))
    if version is None:
        raise RefusedRequest("version")
    return version


def list_url(asked: Asked) -> str:
    """The URL that a list's links point at: of organizations the numeric form (facts A6)."""
    owner, route = asked.call.owner, asked.route
    rest = "/".join(quote(segment, safe="") for segment in route.rest)
    base = {"orgs": f"organizations/{owner.id}", "user": "user", "users": f"users/{quote(owner.login)}"}[
        route.base
    ]
    if route.base == "users" and (route.numeric or asked.world.switches.numeric_user_links):
        base = f"user/{owner.id}"
    return f"{asked.world.api_url}/{base}/{rest}"


def _owner(world: World, route: Route, token: Token) -> StoredOwner:
    if route.base == "user":
        return _own(world, token)
    if route.numeric:
        owner = next((one for one in world.owners.values() if str(one.id) == route.owner), None)
    else:
        owner = world.owner(route.owner)
    if owner is None or (route.base == "orgs" and owner.kind != "Organization"):
        raise RefusedRequest("not-found")  # facts A6: the reverse, an organization under /users, works
    return owner


def _own(world: World, token: Token) -> StoredOwner:
    login = token.login or ""
    if token.kind == "installation" and world.switches.installation_on_user_base == "answers":
        login = (token.repository or "").partition("/")[0]
    owner = world.owner(login)
    if owner is None:
        raise RefusedRequest("integration")
    return owner
