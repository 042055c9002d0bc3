"""Use GitHub's REST API: the 27 operations on packages (facts A1) as `ports.PackagesApi`, and repositories as `ports.GitApi`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from typing import Any, TypeVar

from msgspec.structs import replace

from package_retention.api import refusals, resources, tokens
from package_retention.api.budgets import RateLimiterState
from package_retention.api.changes import Change, execute
from package_retention.api.client import GitHubClient
from package_retention.api.pagination import Listing, Paginator
from package_retention.api.responses import ApiResponse, RequestContext
from package_retention.api.tokens import TokenKind
from package_retention.errors import MissingError, Refusal, RefusalKind, RefusedError, UnreachableError
from package_retention.model import (
    RESTORES,
    GitKind,
    Owner,
    OwnerKind,
    Package,
    PackageType,
    RepositoryNames,
    Result,
    StepKind,
    Unlisted,
    UnlistedCause,
    Version,
)
from package_retention.reason import Finding
from package_retention.transport import limits

_UNAUTHORIZED, _NOT_FOUND = 401, 404
_UNLISTED = {401: UnlistedCause.FORBIDDEN, 403: UnlistedCause.FORBIDDEN, 404: UnlistedCause.NOT_FOUND}
_LIST, _LIST_DELETED = "list the versions of", "list the deleted versions of"
_ROWS: dict[GitKind, tuple[str, type[resources.Named | resources.Release]]] = {
    GitKind.BRANCH: ("branches", resources.Named),
    GitKind.TAG: ("tags", resources.Named),
    GitKind.RELEASE: ("releases", resources.Release),
}
# The newest of all pull requests.
_NEWEST = "state=all&sort=created&direction=desc&per_page=1"
Read = TypeVar("Read")


class PackagesClient:
    """`ports.PackagesApi` over GitHub's REST API; safe in threads.

    Args:
        client: sends requests.
        base_context: the token and the server; each request adds what it is about.
        workers: how many pages of lists are under way at once.
    """

    def __init__(
        self, client: GitHubClient, base_context: RequestContext, workers: int = limits.PAGES
    ) -> None:
        self._client = client
        self._paginator = Paginator(client, workers)
        self._base_context = base_context
        self._seen: set[str] = set()
        self.git = GitClient(client, self._paginator)

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
        found = self._get(
            f"/users/{resources.segment(login)}", context, lambda body: resources.row(body, resources.Account)
        )
        name = found.login or login
        if found.type == "Organization":
            return Owner(name, OwnerKind.ORGANIZATION)
        return Owner(name, OwnerKind.ONESELF if self._is_oneself(name) else OwnerKind.USER)

    def packages(self, owner: Owner, package_type: PackageType) -> tuple[Package, ...]:
        """List the owner's packages of a type, without ghosts."""
        context = self._of(f"list the {package_type} packages of {owner.login}", owner, package_type)
        found = self._paginator.all(
            Listing(
                f"{resources.owner_path(owner)}/packages?package_type={package_type.value}",
                context.action,
                lambda data: resources.package(data, owner, package_type),
                lambda package: package.name,
                lambda response: refusals.refused(context, response),
            )
        )
        self._seen.update(package.label for package in found)
        return found

    def some_packages(self, owner: Owner, package_type: PackageType) -> tuple[Package, ...]:
        """List at most a hundred of the owner's packages of a type, with one request."""
        context = self._of(f"list the {package_type} packages of {owner.login}", owner, package_type)
        path = f"{resources.owner_path(owner)}/packages?package_type={package_type.value}&per_page=100"
        return self._get(path, context, lambda body: resources.packages(body, owner, package_type))

    def package(self, owner: Owner, package_type: PackageType, name: str) -> Package:
        """Get one package; raise `MissingError` if it does not exist or is hidden."""
        plain = Package(owner, package_type, name)
        context = self._about(f"get {plain.label}", plain)
        path = resources.package_path(plain)
        found = self._get(path, context, lambda body: resources.package(body, owner, package_type))
        if found is None:
            raise MissingError(refusals.not_found_package(context))
        self._seen.add(found.label)
        return found

    def fetch_ahead(self, package: Package) -> None:
        """Fetch the first page of a package's active versions in the background, for the next list of them."""
        self._paginator.fetch_ahead(self._versions(package, _LIST))

    def begin_versions(self, package: Package) -> None:
        """Fetch the first page of a package's active versions, and count the other pages into the hour's budget."""
        self._paginator.begin(self._versions(package, _LIST))

    def versions(
        self, package: Package, *, deleted: bool = False, at_rest: bool = False
    ) -> tuple[Version, ...]:
        """List all versions, active or deleted, without those of the other state (facts A6)."""
        listing = self._versions(package, _LIST_DELETED if deleted else _LIST, deleted=deleted)
        found = self._paginator.all_at_rest(listing) if at_rest else self._paginator.all(listing)
        self._seen.add(package.label)
        return found

    def find_version(self, package: Package, name: str) -> Version | None:
        """Find an active version by its name (a digest), newest pages first; return `None` if it is not listed."""
        listing = self._versions(package, f"find the version {name} of")
        return self._paginator.find(listing, lambda version: version.name == name)

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
        action = f"list the docker packages in conflict of {owner.login}"
        context = self._of(action, owner, PackageType.DOCKER)
        response = self._client.get(f"{resources.owner_path(owner)}/docker/conflicts", context.action)
        if not response.ok:
            raise refusals.refused(context, response)
        with resources.reading(context.action):
            return resources.packages(response.body, owner)

    def ensure_room(self, changes: int) -> None:
        """Raise `BudgetError` if time or rate budget do not suffice for so many more changes."""
        self._client.rate_limiter.ensure_room(changes)

    def require(self, kinds: Iterable[StepKind], package_type: PackageType) -> tuple[Finding, ...]:
        """Check the scopes that responses have named, and return warnings; raise `RefusedError` if a required scope is missing."""
        needs = tokens.needed(kinds, package_type, on_github_com=self._base_context.on_github_com)
        have = self._client.response_headers.scopes
        if lacking := tokens.lacking(needs, have, package_type):
            raise RefusedError(lacking)
        return tokens.doubtful(needs, have, package_type)

    def now(self) -> datetime:
        """Return the time by GitHub's own `Date` headers; before the first response, the clock's."""
        return self._client.response_headers.now()

    def notices(self) -> tuple[Finding, ...]:
        """Return what users must know about this kind of token, and from the headers of responses."""
        warning = self._base_context.token.warning
        of_token = (Finding(warning),) if warning else ()
        return of_token + self._client.response_headers.notices()

    def pacing(self) -> RateLimiterState:
        """Return the state of the rate limiter: what it waits for, and what was spent."""
        return self._client.rate_limiter.state()

    def _change(
        self, kind: StepKind, package: Package, version_id: int | None, not_after: float | None
    ) -> Result:
        what, thing = package.label, resources.package_path(package)
        if version_id is not None:
            what, thing = f"version {version_id} of {what}", resources.version_path(package, version_id)
        action = f"{'restore' if kind in RESTORES else 'delete'} {what}"
        context = replace(self._about(action, package), kind=kind)
        return execute(self._client, Change(context, thing), not_after=not_after)

    def _is_oneself(self, login: str) -> bool:
        if self._base_context.token is TokenKind.INSTALLATION:
            return False  # it is not a user, and gets a 403 (facts A8)
        context = self._context("find out whose token this is", login)
        response = self._client.get("/user", context.action)
        if response.status == _UNAUTHORIZED:
            raise refusals.refused(context, response)
        # A token that may not read `/user` belongs to nobody known: the owner's packages are read as any user's.
        own = response.body.get("login") if response.ok and isinstance(response.body, dict) else None
        return isinstance(own, str) and own.lower() == login.lower()

    def _get(self, path: str, context: RequestContext, read: Callable[[Any], Read]) -> Read:
        """Get something with one request, and read it."""
        response = self._client.get(path, context.action)
        if not response.ok:
            raise self._refused(context, response)
        with resources.reading(context.action):
            return read(response.body)

    def _refused(self, context: RequestContext, response: ApiResponse) -> RefusedError:
        """Explain a refusal; GitHub hides a package from a token without the scope, so name the scope that is missing (facts A7, B1)."""
        error = refusals.refused(context, response)
        if not isinstance(error, MissingError) or context.package_type is None:
            return error
        needs = tokens.needed((), context.package_type, on_github_com=context.on_github_com)
        lacking = tokens.lacking(needs, self._client.response_headers.scopes, context.package_type)
        if lacking is None:
            return error
        reported = f"most likely {lacking.message}: {lacking.hint}. Else {error.hint}"
        return MissingError(replace(error.refusal, hint=reported))

    def _versions(self, package: Package, doing: str, *, deleted: bool = False) -> Listing[Version]:
        context = self._about(f"{doing} {package.label}", package)

        def read(data: Any) -> Version | None:
            version = resources.version(data, package.type)
            return version if (version.deleted_at is not None) is deleted else None

        return Listing(
            f"{resources.package_path(package)}/versions{'?state=deleted' if deleted else ''}",
            context.action,
            read,
            lambda version: version.id,
            lambda response: refusals.refused(context, response),
        )

    def _context(self, action: str, owner: str) -> RequestContext:
        return replace(self._base_context, action=action, owner=owner)

    def _of(self, action: str, owner: Owner, package_type: PackageType) -> RequestContext:
        return replace(self._context(action, owner.login), owner_kind=owner.kind, package_type=package_type)

    def _about(self, action: str, package: Package) -> RequestContext:
        context = self._of(action, package.owner, package.type)
        return replace(context, package=package.label, listed=package.label in self._seen)


class GitClient:
    """`ports.GitApi` over GitHub's REST API: lists are whole, or `Unlisted`; safe in threads."""

    def __init__(self, client: GitHubClient, paginator: Paginator) -> None:
        self._client = client
        self._paginator = paginator

    def names(self, repository: str, kinds: Collection[GitKind]) -> RepositoryNames:
        """List what a repository (`owner/name`) has of some kinds.

        After a refusal, or without a usable response for a page, all of a list is `Unlisted`.
        """
        newest = 0
        lists: dict[GitKind, frozenset[str] | Unlisted] = {}
        for kind in (kind for kind in GitKind if kind in kinds):
            try:
                if kind is GitKind.PULL_REQUEST:
                    newest, lists[kind] = self._pull_requests(repository)
                else:
                    lists[kind] = self._names(repository, *_ROWS[kind])
            except RefusedError as error:
                cause = _UNLISTED.get(error.refusal.status, UnlistedCause.INCOMPLETE)
                lists[kind] = Unlisted(cause, error.refusal.message)
            except UnreachableError as error:
                lists[kind] = Unlisted(UnlistedCause.UNREACHABLE, error.message)
        return RepositoryNames(repository, lists, newest)

    def _pull_requests(self, repository: str) -> tuple[int, frozenset[str]]:
        """Return the number of the newest pull request, and those of all that are open.

        The newest is read first: one that is opened in between is then not taken for a closed one.
        """
        action = f"list the pull requests of {repository}"
        path = f"{resources.repository_path(repository)}/pulls"
        response = self._client.get(f"{path}?{_NEWEST}", action)
        if not response.ok:
            raise _git_refused(response)
        with resources.reading(action):
            newest = [_number(data) for data in resources.json_list(response.body)]
        opened = self._paginator.all_at_rest(_git_listing(f"{path}?state=open", action, _number))
        return max((*newest, *opened), default=0), frozenset(map(str, opened))

    def _names(
        self, repository: str, what: str, row: type[resources.Named | resources.Release]
    ) -> frozenset[str]:
        path = f"{resources.repository_path(repository)}/{what}"
        listing = _git_listing(
            path, f"list the {what} of {repository}", lambda data: resources.row(data, row).name
        )
        return frozenset(self._paginator.all_at_rest(listing))


def _git_listing(url: str, action: str, read: Callable[[Any], Read]) -> Listing[Read]:
    return Listing(url, action, read, lambda one: one, _git_refused)


def _git_refused(response: ApiResponse) -> RefusedError:
    if response.status == _NOT_FOUND:
        return MissingError(Refusal(RefusalKind.NOT_FOUND, response.status, response.quote, ""))
    return RefusedError(Refusal(RefusalKind.OTHER, response.status, response.quote, ""))


def _number(data: Any) -> int:
    return resources.row(data, resources.PullRequest).number
