"""What GitHub documents for the endpoints that are used, as data, and a check of requests against it (facts A1).

Transcribed from GitHub's OpenAPI description of 2026-03 (facts A1 has the table).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

PACKAGE_TYPES = frozenset({"npm", "maven", "rubygems", "docker", "nuget", "container"})
VISIBILITIES = frozenset({"public", "private", "internal"})
STATES = frozenset({"active", "deleted"})


def _one_of(allowed: frozenset[str]) -> Callable[[str], bool]:
    return allowed.__contains__


def _number(least: int, most: int | None = None) -> Callable[[str], bool]:
    def fits(value: str) -> bool:
        return re.fullmatch(r"[1-9]\d*", value, re.ASCII) is not None and least <= int(value) <= (
            most or int(value)
        )

    return fits


_SEGMENTS: Mapping[str, Callable[[str], bool]] = {
    # Facts A-path: encoded, slashes included; only unreserved characters stand for themselves.
    "{name}": lambda value: re.fullmatch(r"(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})+", value) is not None,
    "{type}": _one_of(PACKAGE_TYPES),
    "{id}": _number(1),
}
_PAGES = {"page": _number(1), "per_page": _number(1, 100)}
_STATE = {"state": _one_of(STATES)}
_LIST = {"package_type": _one_of(PACKAGE_TYPES), "visibility": _one_of(VISIBILITIES)}


@dataclass(frozen=True, slots=True)
class Operation:
    """A method, a path whose variable segments are `{name}`, `{type}` and `{id}`, and its query parameters."""

    method: str
    path: str
    parameters: Mapping[str, Callable[[str], bool]] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    exception: str = ""
    """Why an operation is used that is not in the reference: the fact that it rests on."""

    def matches(self, method: str, path: str) -> bool:
        """Whether a request is one of this operation."""
        theirs, own = path.split("/"), self.path.split("/")
        return (
            method == self.method
            and len(theirs) == len(own)
            and all(_SEGMENTS.get(mine, mine.__eq__)(given) for mine, given in zip(own, theirs, strict=True))
        )

    def objections(self, query: Mapping[str, str]) -> list[str]:
        """What does not fit about a query."""
        missing = [f"{name} is missing" for name in sorted(self.required - set(query))]
        unknown = [f"{name} is no parameter" for name in query if name not in self.parameters]
        wrong = [
            f"{name}={value} is not allowed"
            for name, value in query.items()
            if name in self.parameters and not self.parameters[name](value)
        ]
        return missing + unknown + wrong


def _operations(base: str) -> tuple[Operation, ...]:
    package = f"{base}/packages/{{type}}/{{name}}"
    version = f"{package}/versions/{{id}}"
    pages = {} if base == "/users/{name}" else {**_PAGES, **_STATE}
    return (
        Operation("GET", f"{base}/docker/conflicts"),
        Operation("GET", f"{base}/packages", {**_LIST, **_PAGES}, frozenset({"package_type"})),
        Operation("GET", package),
        Operation("DELETE", package),
        Operation("POST", f"{package}/restore", {"token": bool}),
        Operation("GET", f"{package}/versions", pages),
        Operation("GET", version),
        Operation("DELETE", version),
        Operation("POST", f"{version}/restore"),
    )


PACKAGES = _operations("/orgs/{name}") + _operations("/user") + _operations("/users/{name}")
_SORTED = {"sort": _one_of(frozenset({"created", "updated", "popularity", "long-running"}))}
_PULLS = {"state": _one_of(frozenset({"open", "closed", "all"})), **_SORTED, **_PAGES} | {
    "direction": _one_of(frozenset({"asc", "desc"}))
}


def _of_repository(base: str, exception: str = "") -> tuple[Operation, ...]:
    """Facts L1: a repository's lists."""
    parameters = {"pulls": _PULLS, "branches": _PAGES, "tags": _PAGES, "releases": _PAGES}
    return tuple(
        Operation("GET", f"{base}/{what}", given, exception=exception) for what, given in parameters.items()
    )


OTHERS = (
    Operation("GET", "/user"),
    Operation("GET", "/users/{name}"),
    Operation("GET", "/rate_limit"),
    Operation("GET", "/repos/{name}/{name}"),
    *_of_repository("/repos/{name}/{name}"),
)

_LINKED = "facts A6: the Link header of an organization's lists points there"
_LIKEWISE = "facts A6: the same for a user's, where a switch of the embedded GitHub has it so; never made by ourselves"
_NUMBERED = "facts L3: links of a repository's lists, and redirects of renamed ones, point there"
EXCEPTIONS = (
    Operation(
        "GET",
        "/users/{name}/packages/{type}/{name}/versions",
        {**_PAGES, **_STATE},
        exception="facts A6: GitHub's own action pages this list; `state` is tried, and not relied upon",
    ),
    Operation("GET", "/organizations/{id}/packages", {**_LIST, **_PAGES}, exception=_LINKED),
    Operation(
        "GET",
        "/organizations/{id}/packages/{type}/{name}/versions",
        {**_PAGES, **_STATE},
        exception=_LINKED,
    ),
    Operation("GET", "/user/{id}/packages", {**_LIST, **_PAGES}, exception=_LIKEWISE),
    Operation("GET", "/user/{id}/packages/{type}/{name}/versions", {**_PAGES, **_STATE}, exception=_LIKEWISE),
    *_of_repository("/repositories/{id}", _NUMBERED),
)


class Asked(Protocol):
    """What is looked at of a request."""

    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def query(self) -> Mapping[str, str]: ...


def undocumented(requests: Iterable[Asked]) -> list[str]:
    """Say which requests of the API fit neither the reference nor a named exception, and why."""
    return [found for request in requests if (found := _objection(request))]


def _objection(request: Asked) -> str:
    said = f"{request.method} {request.path}"
    fitting = [one for one in PACKAGES + OTHERS + EXCEPTIONS if one.matches(request.method, request.path)]
    if not fitting:
        return f"{said}: no such operation"
    objections = [one.objections(request.query) for one in fitting]
    return "" if [] in objections else f"{said}: {'; '.join(objections[-1])}"
