"""Judge whether what a tag or version is named after is gone from git (`source-gone`), or exists (`source-exists`).

Gone is only what surely is: what could not be listed, or may be something else, is unknown, and unknown keeps. One
thing more that exists never makes anything more gone. Names are compared in a loose form, since tags of images cannot
spell what git can.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from msgspec import Struct

from package_retention.decide.ecosystems import VersionParser
from package_retention.decide.patterns import Patterns
from package_retention.model import GitKind, RepositoryNames, Unlisted
from package_retention.reason import Fact

# A slug of this length may have been cut (docker/metadata-action, GitLab and Helm cut at 40, 53 or 63).
CUT_SLUG_LENGTH = 40

_NAMED_BY_VERSION = (GitKind.TAG, GitKind.RELEASE)
_PULL_REQUEST = re.compile(r"(?:pull-request-|pull[-/]|pr-?)([0-9]+)", re.IGNORECASE)
_NUMBER = re.compile(r"([0-9]+)")
_LONGEST_NUMBER = 20  # digits: far above any pull request, so longer ones may be cut
_VERSION_START = re.compile(r"v?[0-9]", re.IGNORECASE)
_COMMIT = re.compile(r"(?:sha-?)?[0-9a-f]{7,64}", re.IGNORECASE)


def needed_kinds(gone: frozenset[GitKind]) -> frozenset[GitKind]:
    """Return what must be listed: a branch counts as gone only if no git tag or release has its name."""
    return gone.union(_NAMED_BY_VERSION) if GitKind.BRANCH in gone else gone


def _loose(text: str) -> str:
    """Return the form in which names are compared: `feature/#12-login` and `feature-12-login` are one."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _loose_version(text: str) -> str:
    """Return the loose form of a git tag or release: without a leading `v` of a number."""
    return re.sub(r"^v(?=[0-9])", "", _loose(text))


def _endings(name: str) -> Iterator[str]:
    """Yield the versions that a git tag ends with: `1-2-3` of `lib-v1.2.3`, `@acme/lib@1.2.3` and `app.v1.2.3`.

    A full stop before a bare number is none: `v2.1.0` is not named after version `1.0`.
    """
    for separator in re.finditer(r"[^A-Za-z0-9.](?=[vV]?[0-9])|\.(?=[vV][0-9])", name):
        yield _loose_version(name[separator.end() :])


@dataclass(frozen=True)
class GitNames:
    """The names of one or two repositories together: what exists in either exists. Without one, nothing is known."""

    repositories: tuple[RepositoryNames, ...]

    def all_listed(self, kind: GitKind) -> bool:
        """Return whether one kind is known whole."""
        lists = (repository.listed(kind) for repository in self.repositories)
        return bool(self.repositories) and not any(isinstance(found, Unlisted) for found in lists)

    @cached_property
    def newest_pull_request(self) -> int:
        """The highest number of a pull request in any of the repositories."""
        return max((repository.newest_pull_request for repository in self.repositories), default=0)

    def pull_request(self, number: str) -> str | None:
        """Return the number if it is that of an open pull request."""
        return self._by_form[GitKind.PULL_REQUEST].get(number)

    def branch(self, text: str) -> str | None:
        """Return a branch with this name; a text of 40 characters or more may be a slug that was cut."""
        wanted, branches = _loose(text), self._by_form[GitKind.BRANCH]
        if wanted in branches or len(text) < CUT_SLUG_LENGTH or not wanted:
            return branches.get(wanted)
        position = bisect_left(self._sorted_branches, wanted)
        following = self._sorted_branches[position : position + 1]
        return branches[following[0]] if following and following[0].startswith(wanted) else None

    def branch_before(self, text: str) -> str | None:
        """Return a branch whose name the text begins with, a separator following (`main-3f2a9c1`)."""
        wanted, branches = _loose(text), self._by_form[GitKind.BRANCH]
        ends = (match.start() for match in re.finditer("-", wanted))
        # A separator at the end is one too (`main-`), and `_loose` has stripped it.
        return next((found for end in ends if (found := branches.get(wanted[:end]))), None)

    def tagged(self, kind: GitKind, text: str, *, ending: bool) -> str | None:
        """Return a git tag or release with this name, or (`ending`) one that ends with it after a separator."""
        wanted = _loose_version(text)
        found = self._by_form[kind].get(wanted)
        return found or (self._by_ending[kind].get(wanted) if ending else None)

    @cached_property
    def _by_form(self) -> dict[GitKind, dict[str, str]]:
        loose = dict.fromkeys(GitKind, _loose) | dict.fromkeys(_NAMED_BY_VERSION, _loose_version)
        return {
            kind: {form: name for name in self._names(kind) if (form := loose[kind](name))}
            for kind in GitKind
        }

    @cached_property
    def _sorted_branches(self) -> list[str]:
        return sorted(self._by_form[GitKind.BRANCH])

    @cached_property
    def _by_ending(self) -> dict[GitKind, dict[str, str]]:
        return {
            kind: {form: name for name in self._names(kind) for form in _endings(name)}
            for kind in _NAMED_BY_VERSION
        }

    def _names(self, kind: GitKind) -> Iterator[str]:
        for repository in self.repositories:
            listed = repository.listed(kind)
            if not isinstance(listed, Unlisted):
                yield from sorted(listed)


class SourceState(StrEnum):
    """What is known of the thing that a text is named after."""

    GONE = "gone"
    EXISTS = "exists"
    UNKNOWN = "unknown"
    NOT_NAMED = "not-named"


class SourceCause(StrEnum):
    """Why a thing counts as gone, as existing, or as unknown."""

    CLOSED = "closed"
    ABSENT = "absent"
    LISTED = "listed"
    NO_REPOSITORY = "no-repository"
    UNLISTED = "unlisted"
    ABOVE_NEWEST = "above-newest-pull-request"
    NAMES_TAG_OR_RELEASE = "names-tag-or-release"
    BEGINS_WITH_BRANCH = "begins-with-branch"
    BEGINS_AS_VERSION = "begins-as-version"
    COMMIT = "commit-hash"
    NO_NAME = "no-name"
    NO_VERSION = "no-version"
    TOO_YOUNG = "too-young"
    OTHER_KIND = "other-kind"


# Any other cause leaves it unknown.
_STATES = {
    SourceCause.CLOSED: SourceState.GONE,
    SourceCause.ABSENT: SourceState.GONE,
    SourceCause.LISTED: SourceState.EXISTS,
    SourceCause.OTHER_KIND: SourceState.NOT_NAMED,
}
# These count as existing in a keep rule, and let nothing be gone, regardless of another kind.
_MAY_EXIST = frozenset({SourceCause.NO_REPOSITORY, SourceCause.UNLISTED, SourceCause.ABOVE_NEWEST})
_LEAST_GONE = (SourceState.EXISTS, SourceState.UNKNOWN, SourceState.NOT_NAMED, SourceState.GONE)


class SourceFact(Fact, frozen=True):
    """What is known of one text under one kind.

    `name` is that of the thing that exists (or that stands in the way), or the number of a pull request.
    """

    cause: SourceCause
    kind: GitKind
    text: str = ""
    name: str = ""

    @property
    def state(self) -> SourceState:
        """What the cause means for the thing."""
        return _STATES.get(self.cause, SourceState.UNKNOWN)


def state_of(facts: Sequence[SourceFact]) -> SourceState:
    """Return the state of a tag or a whole version by the facts that were found: the first one decides."""
    return facts[0].state if facts else SourceState.NOT_NAMED


class SourceJudge(Struct, frozen=True):
    """Judges versions by the kinds that one rule names.

    `versions` are the rule's patterns, of which groups may name a thing; `parser` has the ecosystem's own grammar.
    `mature` says that a git tag that comes after the package has had its time.
    """

    names: GitNames
    kinds: frozenset[GitKind]
    versions: Patterns | None
    parser: VersionParser
    mature: bool = True

    def gone(self, texts: Iterable[str]) -> tuple[SourceFact, ...]:
        """Judge a version for `source-gone`: what every one of its texts (companion tags left out) names must be gone.

        A version without texts is never gone.
        """
        if missing := self._unlisted(needed_kinds(self.kinds)):
            return missing
        by_text = [self._decisive(text) for text in texts]
        by_text.sort(key=lambda facts: _LEAST_GONE.index(state_of(facts)))
        return tuple(fact for facts in by_text for fact in facts)

    def gone_tags(self, tags: Iterable[str], every: Sequence[str]) -> tuple[str, ...]:
        """Return those of the tags that may be taken off an image although others, of `every` one it has, stay.

        What is gone as a git tag or release goes only if nothing that another tag names exists: a moving tag such as
        `1.2.3` beside a living one is a mistake of the reader more often than a version that was withdrawn.
        """
        judged = {tag: self.gone((tag,)) for tag in every}
        living = any(state_of(facts) is SourceState.EXISTS for facts in judged.values())
        return tuple(
            tag
            for tag in tags
            if (facts := judged.get(tag))
            and state_of(facts) is SourceState.GONE
            and not (living and any(fact.kind in _NAMED_BY_VERSION for fact in facts))
        )

    def exists(self, texts: Iterable[str]) -> SourceFact | None:
        """Judge a version for `source-exists`: return the thing that one of its texts names, or that may exist."""
        if missing := self._unlisted(self.kinds):
            return missing[0]
        facts = [fact for text in texts for fact in self._facts(text)]
        existing = [fact for fact in facts if fact.state is SourceState.EXISTS]
        possible = [fact for fact in facts if fact.cause in _MAY_EXIST]
        return next(iter(existing + possible), None)

    def _unlisted(self, kinds: frozenset[GitKind]) -> tuple[SourceFact, ...]:
        """Return a fact for every list that is not known whole: nothing matches then, regardless of the others."""
        cause = SourceCause.UNLISTED if self.names.repositories else SourceCause.NO_REPOSITORY
        unlisted = (kind for kind in GitKind if kind in kinds and not self.names.all_listed(kind))
        return tuple(SourceFact(cause, kind) for kind in unlisted)

    def _decisive(self, text: str) -> list[SourceFact]:
        """Return the facts of one text that decide: all of one state."""
        facts = self._facts(text)
        existing = [fact for fact in facts if fact.state is SourceState.EXISTS]
        possible = [fact for fact in facts if fact.cause in _MAY_EXIST]
        unknown = [fact for fact in facts if fact.state is SourceState.UNKNOWN]
        # `/^(feature|fix)-.+/` names no branch `feature`: the whole `feature-login-2` still may be the living
        # `feature/login`. So a kind is gone if the whole text or a group says so, and neither leaves it unknown.
        doubtful = {fact.kind for fact in unknown}
        gone = [fact for fact in facts if fact.state is SourceState.GONE and fact.kind not in doubtful]
        return existing or possible or gone or unknown or facts

    def _facts(self, text: str) -> list[SourceFact]:
        """Return what is known of a text, and of each group by which a pattern matches it, under every kind."""
        entries = self.versions.entries if self.versions else ()
        groups = [group for entry in entries if not entry.negated and (group := entry.group(text))]
        spellings = dict.fromkeys(
            [(text, self._number(text)), *((group, self._number(group, is_group=True)) for group in groups)]
        )
        facts = [
            self._fact(kind, spelling, number)
            for kind in GitKind
            if kind in self.kinds
            for spelling, number in spellings
        ]
        if all(number is None for _, number in spellings):
            return facts
        # Where one spelling is a pull request, the other (`app-pr-8`) is not the name of a branch that is gone.
        certain = (SourceState.EXISTS, SourceState.NOT_NAMED)
        return [fact for fact in facts if fact.kind is GitKind.PULL_REQUEST or fact.state in certain]

    def _number(self, text: str, *, is_group: bool = False) -> int | None:
        """Return the number of the pull request that a text names; a bare number names one only as a group."""
        found = _PULL_REQUEST.fullmatch(text)
        if not found and is_group and GitKind.PULL_REQUEST in self.kinds:
            found = _NUMBER.fullmatch(text)
        return int(found[1][:_LONGEST_NUMBER]) if found else None

    def _fact(self, kind: GitKind, text: str, number: int | None) -> SourceFact:
        if (number is None) is (kind is GitKind.PULL_REQUEST):
            # The name of a pull request is never that of a branch: else `pr-8`, open, would be a branch that is gone.
            return SourceFact(SourceCause.OTHER_KIND, kind, text)
        if number is not None:
            return self._pull_request(text, number)
        return self._branch(text) if kind is GitKind.BRANCH else self._tagged(kind, text)

    def _pull_request(self, text: str, number: int) -> SourceFact:
        if self.names.pull_request(str(number)):
            cause = SourceCause.LISTED
        elif 1 <= number <= self.names.newest_pull_request:
            cause = SourceCause.CLOSED
        else:
            cause = SourceCause.ABOVE_NEWEST
        return SourceFact(cause, GitKind.PULL_REQUEST, text, str(number))

    def _branch(self, text: str) -> SourceFact:
        kind, is_version = GitKind.BRANCH, self._is_version(text)
        if found := self.names.branch(text):
            return SourceFact(SourceCause.LISTED, kind, text, found)
        for beside in _NAMED_BY_VERSION:
            if found := self.names.tagged(beside, text, ending=is_version):
                return SourceFact(SourceCause.NAMES_TAG_OR_RELEASE, kind, text, found)
        if found := self.names.branch_before(text):
            return SourceFact(SourceCause.BEGINS_WITH_BRANCH, kind, text, found)
        return SourceFact(_cause_by_form(text), kind, text)

    def _tagged(self, kind: GitKind, text: str) -> SourceFact:
        is_version = self._is_version(text)
        if found := self.names.tagged(kind, text, ending=is_version):
            return SourceFact(SourceCause.LISTED, kind, text, found)
        if not is_version:
            return SourceFact(SourceCause.NO_VERSION, kind, text)
        return SourceFact(SourceCause.ABSENT if self.mature else SourceCause.TOO_YOUNG, kind, text)

    def _is_version(self, text: str) -> bool:
        return self.parser.of(text) is not None


def _cause_by_form(text: str) -> SourceCause:
    """Return why what is listed nowhere may still not be a branch that is gone, by the form of its name."""
    if not _loose(text):
        return SourceCause.NO_NAME
    if _VERSION_START.match(text):
        return SourceCause.BEGINS_AS_VERSION
    return SourceCause.COMMIT if _COMMIT.fullmatch(text) else SourceCause.ABSENT
