"""Use GitHub's Packages REST API: the 27 operations of facts A1 as `ports.PackagesApi`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Self

from msgspec.structs import replace

from package_retention.api import refusals, resources, tokens
from package_retention.api.budgets import RateLimiterState
from package_retention.api.changes import Change, execute, refused
from package_retention.api.client import GitHubClient
from package_retention.api.git import GitClient
from package_retention.api.pagination import Listing, Paginator
from package_retention.api.rate_limit import RateLimiter
from package_retention.api.responses import ApiResponse, RequestContext, ResponseHeaders
from package_retention.errors import MissingError, RefusedError
from package_retention.model import Owner, OwnerKind, Package, PackageType, Result, StepKind, Version
from package_retention.ports import Clock
from package_retention.results import Spending

_UNAUTHORIZED = 401
_NEXT = "run again; if it stays so, report it with the log of a run with debug logging on"


class PackagesClient:
    """`ports.PackagesApi` and `ports.Meter` over GitHub's REST API; safe in threads.

    Args:
        client: sends requests.
        paginator: fetches lists.
        rate_limiter: that of `client`.
        response_headers: those that `client` records.
        base_context: the token and the server; each request adds what it is about.
        clock: time, for `spending`.
    """

    def __init__(
        self,
        client: GitHubClient,
        paginator: Paginator,
        rate_limiter: RateLimiter,
        response_headers: ResponseHeaders,
        base_context: RequestContext,
        clock: Clock,
    ) -> None:
        self._client = client
        self._paginator = paginator
        self._rate_limiter = rate_limiter
        self._response_headers = response_headers
        self._base_context = base_context
        self._clock = clock
        self._began = clock.monotonic()
        self._seen: set[tuple[str, PackageType, str]] = set()
        self.git = GitClient(client, paginator)

    def __enter__(self) -> Self:
        """Close the connections at the end of the `with` block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """End the workers and close the connections."""
        self._paginator.close()
        self._client.close()

    def owner(self, login: str) -> Owner:
        """Return the owner of this login with its kind: one request, two for a user who may be the token's own.

        Raises:
            MissingError: the owner does not exist, or is hidden.
        """
        context = self._context(f"find the owner {login}", login)
        response = self._client.get(f"/users/{resources.segment(login)}", context.action)
        with resources.reading(context.action):
            fields = resources.json_object(self._body(response, context), "user")
        name = resources.text(fields.get("login")) or login
        if fields.get("type") == "Organization":
            return Owner(name, OwnerKind.ORGANIZATION)
        return Owner(name, OwnerKind.ONESELF if self._is_oneself(name) else OwnerKind.USER)

    def packages(self, owner: Owner, package_type: PackageType) -> tuple[Package, ...]:
        """List the owner's packages of a type, without ghosts."""
        context = replace(
            self._context(f"list the {package_type} packages of {owner.login}", owner.login),
            owner_kind=owner.kind,
            package_type=package_type,
        )
        found = self._paginator.all(
            Listing(
                f"{resources.owner_path(owner)}/packages?package_type={package_type.value}",
                context.action,
                lambda data: resources.package(data, owner, package_type),
                lambda package: package.name,
                lambda response: refused(context, response),
            )
        )
        self._seen.update(_key(package) for package in found)
        return found

    def some_packages(self, owner: Owner, package_type: PackageType) -> tuple[Package, ...]:
        """List at most a hundred of the owner's packages of a type, with one request; none if that is refused."""
        path = f"{resources.owner_path(owner)}/packages?package_type={package_type.value}&per_page=100"
        response = self._client.get(path, f"list the {package_type} packages of {owner.login}")
        if not response.ok:
            return ()
        try:
            found = [resources.package(data, owner, package_type) for data in resources.json_list(response)]
        except ValueError:
            return ()
        return tuple(package for package in found if package is not None)

    def package(self, owner: Owner, package_type: PackageType, name: str) -> Package:
        """Get one package; raise `MissingError` if it does not exist or is hidden."""
        plain = Package(owner, package_type, name)
        context = self._about(f"get {plain.label}", plain)
        response = self._client.get(resources.package_path(plain), context.action)
        with resources.reading(context.action):
            found = resources.package(self._body(response, context), owner, package_type)
        if found is None:
            raise MissingError(refusals.not_found_package(context))
        self._seen.add(_key(found))
        return found

    def fetch_ahead(self, package: Package) -> None:
        """Fetch the first page of a package's active versions in the background, for the next list of them."""
        context = self._about(f"list the versions of {package.label}", package)
        self._paginator.fetch_ahead(_versions(package, context, deleted=False))

    def begin_versions(self, package: Package) -> None:
        """Fetch the first page of a package's active versions, and count the other pages into the hour's budget."""
        context = self._about(f"list the versions of {package.label}", package)
        self._paginator.begin(_versions(package, context, deleted=False))

    def versions(
        self, package: Package, *, deleted: bool = False, at_rest: bool = False
    ) -> tuple[Version, ...]:
        """List all versions, active or deleted, without those of the other state (facts A6)."""
        context = self._about(f"list the {'deleted ' if deleted else ''}versions of {package.label}", package)
        fetch = self._paginator.all_at_rest if at_rest else self._paginator.all
        found = fetch(_versions(package, context, deleted=deleted))
        self._seen.add(_key(package))
        return found

    def find_version(self, package: Package, name: str) -> Version | None:
        """Find an active version by its name (a digest), newest pages first; return `None` if it is not listed."""
        context = self._about(f"find the version {name} of {package.label}", package)
        listing = _versions(package, context, deleted=False)
        return self._paginator.find(listing, lambda version: version.name == name)

    def version(self, package: Package, version_id: int) -> Version:
        """Get one version; raise `MissingError` if it does not exist."""
        context = self._about(f"get version {version_id} of {package.label}", package)
        response = self._client.get(resources.version_path(package, version_id), context.action)
        with resources.reading(context.action):
            return resources.version(self._body(response, context), package.type)

    def delete_version(self, package: Package, version_id: int, *, not_after: float | None = None) -> Result:
        """Delete one version; results and errors as in `changes.execute`."""
        return self._change(StepKind.DELETE_VERSION, package, version_id, not_after)

    def restore_version(self, package: Package, version_id: int, *, not_after: float | None = None) -> Result:
        """Restore one version; results and errors as in `changes.execute`."""
        return self._change(StepKind.RESTORE_VERSION, package, version_id, not_after)

    def delete_package(self, package: Package, *, not_after: float | None = None) -> Result:
        """Delete a whole package; results and errors as in `changes.execute`."""
        return self._change(StepKind.DELETE_PACKAGE, package, None, not_after)

    def restore_package(self, package: Package, *, not_after: float | None = None) -> Result:
        """Restore a whole package by its name; results and errors as in `changes.execute`."""
        return self._change(StepKind.RESTORE_PACKAGE, package, None, not_after)

    def docker_conflicts(self, owner: Owner) -> tuple[Package, ...]:
        """List the docker packages that conflict with container packages of the same name."""
        context = replace(
            self._context(f"list the docker packages in conflict of {owner.login}", owner.login),
            owner_kind=owner.kind,
            package_type=PackageType.DOCKER,
        )
        response = self._client.get(f"{resources.owner_path(owner)}/docker/conflicts", context.action)
        if not response.ok:
            raise refused(context, response)
        with resources.reading(context.action):
            found = [resources.package(data, owner) for data in resources.json_list(response)]
        return tuple(package for package in found if package is not None)

    def ensure_room(self, changes: int) -> None:
        """Raise `BudgetError` if time or rate budget do not suffice for so many more changes."""
        self._rate_limiter.ensure_room(changes)

    def require(self, kinds: Iterable[StepKind], package_type: PackageType) -> tuple[str, ...]:
        """Check the scopes that responses have named, and return warnings; raise `RefusedError` if a required scope is missing."""
        needs = tokens.needed(kinds, package_type, on_github_com=self._base_context.on_github_com)
        shortfall = tokens.missing(needs, self._response_headers.scopes, package_type)
        if shortfall.refusal is not None:
            raise RefusedError(shortfall.refusal)
        return shortfall.warnings

    def now(self) -> datetime:
        """Return the time by GitHub's own `Date` headers; before the first response, the clock's."""
        return self._response_headers.now()

    def notices(self) -> tuple[str, ...]:
        """Return what users must know about this kind of token, and from the headers of responses."""
        warning = self._base_context.token.warning
        return ((warning,) if warning else ()) + self._response_headers.notices()

    def pacing(self) -> RateLimiterState:
        """Return the state of the rate limiter, for progress lines."""
        return self._rate_limiter.state()

    def spending(self) -> Spending:
        """Return the requests, points and seconds of this API up to now."""
        state = self._rate_limiter.state()
        return Spending(
            api_requests=state.requests,
            points=state.points,
            waited=state.waited,
            seconds=self._clock.monotonic() - self._began,
        )

    def _change(
        self, kind: StepKind, package: Package, version_id: int | None, not_after: float | None
    ) -> Result:
        verb = "restore" if kind in (StepKind.RESTORE_VERSION, StepKind.RESTORE_PACKAGE) else "delete"
        noun = package.label if version_id is None else f"version {version_id} of {package.label}"
        context = replace(self._about(f"{verb} {noun}", package), kind=kind)
        thing = (
            resources.package_path(package)
            if version_id is None
            else resources.version_path(package, version_id)
        )
        return execute(self._client, Change(context, thing), not_after=not_after)

    def _is_oneself(self, login: str) -> bool:
        if not self._base_context.token.may_get_user:
            return False
        context = self._context("find out whose token this is", login)
        response = self._client.get("/user", context.action)
        if response.status == _UNAUTHORIZED:
            raise refused(context, response)
        # A token that may not read `/user` belongs to nobody known: the owner's packages are read as any user's.
        own = response.body.get("login") if response.ok and isinstance(response.body, dict) else None
        return isinstance(own, str) and own.lower() == login.lower()

    def _body(self, response: ApiResponse, context: RequestContext) -> Any:
        if not response.ok:
            raise self._refused(context, response)
        return response.body

    def _refused(self, context: RequestContext, response: ApiResponse) -> RefusedError:
        """Explain a refusal; GitHub hides a package from a token without the scope, so name the scope that is missing (facts A7, B1)."""
        error = refused(context, response)
        if not isinstance(error, MissingError) or context.package_type is None:
            return error
        needs = tokens.needed((), context.package_type, on_github_com=context.on_github_com)
        lacking = tokens.missing(needs, self._response_headers.scopes, context.package_type).refusal
        if lacking is None:
            return error
        reported = f"most likely {lacking.message}: {lacking.hint}. Else {error.hint}"
        return MissingError(replace(error.refusal, hint=reported))

    def _context(self, action: str, owner: str) -> RequestContext:
        return replace(self._base_context, action=action, owner=owner)

    def _about(self, action: str, package: Package) -> RequestContext:
        return replace(
            self._context(action, package.owner.login),
            package_type=package.type,
            package=package.label,
            owner_kind=package.owner.kind,
            listed=_key(package) in self._seen,
        )


def _versions(package: Package, context: RequestContext, *, deleted: bool) -> Listing[Version]:
    def read(data: Any) -> Version | None:
        version = resources.version(data, package.type)
        return version if (version.deleted_at is not None) is deleted else None

    return Listing(
        f"{resources.package_path(package)}/versions{'?state=deleted' if deleted else ''}",
        context.action,
        read,
        lambda version: version.id,
        lambda response: refused(context, response),
    )


def _key(package: Package) -> tuple[str, PackageType, str]:
    return package.owner.login, package.type, package.name
