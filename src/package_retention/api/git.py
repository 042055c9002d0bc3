"""List what a repository has (pull requests, branches, git tags, releases), whole or not at all; `ports.GitApi`."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, TypeVar

from msgspec.structs import replace

from package_retention.api import resources, responses
from package_retention.api.client import GitHubClient
from package_retention.api.pagination import Listing, Paginator
from package_retention.api.responses import ApiResponse
from package_retention.decide.git_names import (
    GitKind,
    PullRequests,
    RepositoryNames,
    Unlisted,
    UnlistedCause,
)
from package_retention.errors import MissingError, Refusal, RefusalKind, RefusedError, UnreachableError

Listed = TypeVar("Listed")

_CAUSES = {401: UnlistedCause.FORBIDDEN, 403: UnlistedCause.FORBIDDEN, 404: UnlistedCause.NOT_FOUND}
_NEWEST = "state=all&sort=created&direction=desc&per_page=1"


class GitClient:
    """Lists what repositories have, with the client and the paginator of the packages API; safe in threads."""

    def __init__(self, client: GitHubClient, paginator: Paginator) -> None:
        self._client = client
        self._paginator = paginator

    def names(self, repository: str, kinds: Collection[GitKind]) -> RepositoryNames:
        """List what a repository (`owner/name`) has of some kinds; what cannot be listed is `Unlisted`."""
        found = RepositoryNames(repository)
        if GitKind.PULL_REQUEST in kinds:
            found = replace(found, pull_requests=_unless_unlisted(lambda: self._pull_requests(repository)))
        if GitKind.BRANCH in kinds:
            found = replace(
                found, branches=_unless_unlisted(lambda: self._texts(repository, "branches", "name"))
            )
        if GitKind.TAG in kinds:
            found = replace(found, tags=_unless_unlisted(lambda: self._texts(repository, "tags", "name")))
        if GitKind.RELEASE in kinds:
            releases = _unless_unlisted(lambda: self._texts(repository, "releases", "tag_name"))
            found = replace(found, releases=releases)
        return found

    def _pull_requests(self, repository: str) -> PullRequests:
        """List the open pull requests, after reading the newest of all: one opened in between is then not taken for a closed one."""
        action = f"list the pull requests of {repository}"
        newest = self._newest(f"{_path(repository)}/pulls?{_NEWEST}", action)
        opened = self._paginator.all_at_rest(
            _listing(f"{_path(repository)}/pulls?state=open", action, _number)
        )
        return PullRequests(frozenset(opened), max((newest, *opened)))

    def _newest(self, url: str, action: str) -> int:
        response = self._client.get(url, action)
        if not response.ok:
            raise _refused(response)
        with resources.reading(action):
            return max((_number(data) for data in resources.json_list(response)), default=0)

    def _texts(self, repository: str, what: str, key: str) -> frozenset[str]:
        action = f"list the {what} of {repository}"
        return frozenset(
            self._paginator.all_at_rest(
                _listing(f"{_path(repository)}/{what}", action, lambda data: _text(data, key))
            )
        )


def _unless_unlisted(fetch: Callable[[], Listed]) -> Listed | Unlisted:
    """Return a list; after a refusal, or without a usable response for a page, all of it is `Unlisted`."""
    try:
        return fetch()
    except RefusedError as error:
        cause = _CAUSES.get(error.refusal.status, UnlistedCause.INCOMPLETE)
        return Unlisted(cause, error.refusal.message)
    except UnreachableError as error:
        return Unlisted(UnlistedCause.UNREACHABLE, error.message)


def _path(repository: str) -> str:
    owner, _, name = repository.partition("/")
    return f"/repos/{resources.segment(owner)}/{resources.segment(name)}"


def _listing(url: str, action: str, read: Callable[[Any], Any]) -> Listing[Any]:
    return Listing(url, action, read, lambda one: one, _refused)


def _refused(response: ApiResponse) -> RefusedError:
    quote = responses.read(response.status, response.headers, response.body).quote
    kind = RefusalKind.NOT_FOUND if response.status == 404 else RefusalKind.OTHER  # noqa: PLR2004 - HTTP
    refusal = Refusal(kind, response.status, quote, "")
    return MissingError(refusal) if kind is RefusalKind.NOT_FOUND else RefusedError(refusal)


def _number(data: Any) -> int:
    number = data.get("number") if isinstance(data, dict) else None
    if isinstance(number, bool) or not isinstance(number, int):
        raise ValueError("GitHub's answer does not fit: a pull request has no number")  # noqa: TRY004 - as in resources
    return number


def _text(data: Any, key: str) -> str:
    text = data.get(key) if isinstance(data, dict) else None
    if not isinstance(text, str):
        raise ValueError(f"GitHub's answer does not fit: a row has no `{key}`")  # noqa: TRY004 - as in resources
    return text
