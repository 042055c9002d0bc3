"""Hold what repositories list (pull requests, branches, git tags, releases), and find what a text names.

Names are compared in a loose form, since tags of images cannot spell what git can. What could not be listed is a value
of its own, never an empty list: unknown keeps.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from msgspec import Struct

# A slug of this length may have been cut (docker/metadata-action, GitLab and Helm cut at 40, 53 or 63).
CUT_SLUG_LENGTH = 40


class GitKind(StrEnum):
    """What a tag or version may be named after."""

    PULL_REQUEST = "pull-request"
    BRANCH = "branch"
    TAG = "tag"
    RELEASE = "release"


class UnlistedCause(StrEnum):
    """Why a repository's pull requests, branches, git tags or releases are not known."""

    NOT_ASKED = "not-asked"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not-found"
    INCOMPLETE = "incomplete"
    UNREACHABLE = "unreachable"


class Unlisted(Struct, frozen=True):
    """A list that is not known whole; `detail` is for the reader (an HTTP status, a message)."""

    cause: UnlistedCause
    detail: str = ""


NOT_ASKED = Unlisted(UnlistedCause.NOT_ASKED)


class PullRequests(Struct, frozen=True):
    """The numbers of the open pull requests, and that of the newest of all (0: the repository has none)."""

    open: frozenset[int] = frozenset()
    newest: int = 0


class RepositoryNames(Struct, frozen=True):
    """What one repository lists, as written there; `releases` are the tag names of releases, drafts included."""

    repository: str
    pull_requests: PullRequests | Unlisted = NOT_ASKED
    branches: frozenset[str] | Unlisted = NOT_ASKED
    tags: frozenset[str] | Unlisted = NOT_ASKED
    releases: frozenset[str] | Unlisted = NOT_ASKED

    def listed(self, kind: GitKind) -> PullRequests | frozenset[str] | Unlisted:
        """Return what is listed of one kind."""
        return {
            GitKind.PULL_REQUEST: self.pull_requests,
            GitKind.BRANCH: self.branches,
            GitKind.TAG: self.tags,
            GitKind.RELEASE: self.releases,
        }[kind]


class Found(Struct, frozen=True):
    """A thing that exists: its name (or number) as the repository writes it."""

    name: str
    repository: str


def needed_kinds(gone: frozenset[GitKind], exists: frozenset[GitKind]) -> frozenset[GitKind]:
    """Return what must be listed: a branch counts as gone only if no git tag or release has its name."""
    beside = {GitKind.TAG, GitKind.RELEASE} if GitKind.BRANCH in gone else set()
    return gone | exists | beside


def loose(text: str) -> str:
    """Return the form in which names are compared: `feature/#12-login` and `feature-12-login` are one."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def loose_version(text: str) -> str:
    """Return the loose form of a git tag or release: as `loose`, without a leading `v` of a number."""
    return re.sub(r"^v(?=[0-9])", "", loose(text))


@dataclass(frozen=True)
class GitNames:
    """The names of one or two repositories together: what exists in either exists. Without one, nothing is known."""

    repositories: tuple[RepositoryNames, ...]

    def unlisted(self, kind: GitKind) -> Unlisted | None:
        """Return why one kind is not known whole; `None` if it is."""
        if not self.repositories:
            return NOT_ASKED
        lists = (repository.listed(kind) for repository in self.repositories)
        return next((found for found in lists if isinstance(found, Unlisted)), None)

    def open_pull_request(self, number: int) -> Found | None:
        """Return the open pull request with this number."""
        for repository in self.repositories:
            listed = repository.pull_requests
            if isinstance(listed, PullRequests) and number in listed.open:
                return Found(str(number), repository.repository)
        return None

    @cached_property
    def newest_pull_request(self) -> int:
        """The highest number of a pull request in any of the repositories."""
        lists = (repository.pull_requests for repository in self.repositories)
        return max((listed.newest for listed in lists if isinstance(listed, PullRequests)), default=0)

    def branch(self, text: str) -> Found | None:
        """Return a branch with this name; a text of 40 characters or more may be a slug that was cut."""
        wanted = loose(text)
        if found := self._branches.get(wanted):
            return found
        if len(text) < CUT_SLUG_LENGTH or not wanted:
            return None
        position = bisect_left(self._sorted_branches, wanted)
        following = self._sorted_branches[position : position + 1]
        return self._branches[following[0]] if following and following[0].startswith(wanted) else None

    def branch_before(self, text: str) -> Found | None:
        """Return a branch whose name the text begins with, a separator following (`main-3f2a9c1`)."""
        wanted = loose(text)
        ends = (match.start() for match in re.finditer("-", wanted))
        # A separator at the end is one too (`main-`), and `loose` has stripped it.
        return next((found for end in ends if (found := self._branches.get(wanted[:end]))), None)

    def tagged(self, kind: GitKind, text: str, *, ending: bool) -> Found | None:
        """Return a git tag or release with this name, or (`ending`) one that ends with it after a separator."""
        wanted = loose_version(text)
        found = self._tagged[kind].get(wanted)
        return found or (self._endings[kind].get(wanted) if ending else None)

    @cached_property
    def _branches(self) -> dict[str, Found]:
        return {form: found for found in self._listed(GitKind.BRANCH) if (form := loose(found.name))}

    @cached_property
    def _sorted_branches(self) -> list[str]:
        return sorted(self._branches)

    @cached_property
    def _tagged(self) -> dict[GitKind, dict[str, Found]]:
        return {
            kind: {form: found for found in self._listed(kind) if (form := loose_version(found.name))}
            for kind in (GitKind.TAG, GitKind.RELEASE)
        }

    @cached_property
    def _endings(self) -> dict[GitKind, dict[str, Found]]:
        return {
            kind: {form: found for found in self._listed(kind) for form in _endings(found.name)}
            for kind in (GitKind.TAG, GitKind.RELEASE)
        }

    def _listed(self, kind: GitKind) -> Iterator[Found]:
        for repository in self.repositories:
            listed = repository.listed(kind)
            if isinstance(listed, frozenset):
                yield from (Found(name, repository.repository) for name in sorted(listed))


def _endings(name: str) -> Iterator[str]:
    """Yield the versions that a git tag ends with: `1-2-3` of `lib-v1.2.3`, `@acme/lib@1.2.3` and `app.v1.2.3`.

    A full stop before a bare number is none: `v2.1.0` is not named after version `1.0`.
    """
    for separator in re.finditer(r"[^A-Za-z0-9.](?=[vV]?[0-9])|\.(?=[vV][0-9])", name):
        yield loose_version(name[separator.end() :])
