"""Judge whether what a tag or version is named after is gone from git (`source-gone`), or exists (`source-exists`).

Gone is only what surely is: what could not be listed, or may be something else, is unknown, and unknown keeps. One
thing more that exists never makes anything more gone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from enum import StrEnum

from msgspec import Struct

from package_retention.decide.candidates import Candidate
from package_retention.decide.ecosystems import VersionParser
from package_retention.decide.git_names import Found, GitKind, GitNames, Unlisted, loose, needed_kinds
from package_retention.decide.patterns import Patterns
from package_retention.decide.rules import DecisionContext, Filter
from package_retention.reason import Fact

# The git tag may come after the package that is named after it.
GIT_TAG_GRACE = timedelta(hours=24)

_PULL_REQUEST = re.compile(r"(?:pull-request-|pull[-/]|pr-?)([0-9]+)", re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]+")
_LONGEST_NUMBER = 20  # digits: far above any pull request, so longer ones may be cut
_VERSION_START = re.compile(r"v?[0-9]", re.IGNORECASE)
_COMMIT = re.compile(r"(?:sha-?)?[0-9a-f]{7,64}", re.IGNORECASE)


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


# These count as existing in a keep rule, and let nothing be gone, regardless of another kind.
_MAY_EXIST = frozenset({SourceCause.NO_REPOSITORY, SourceCause.UNLISTED, SourceCause.ABOVE_NEWEST})


class SourceFact(Fact, frozen=True):
    """What is known of one text under one kind.

    `name` and `repository` are those of the thing that exists (or that stands in the way); `name` is the number of a
    pull request. `unlisted` is why a list is not known.
    """

    state: SourceState
    cause: SourceCause
    kind: GitKind
    text: str = ""
    name: str = ""
    repository: str = ""
    unlisted: Unlisted | None = None


class SourceVerdict(Struct, frozen=True):
    """The state of a tag or a whole version, with the facts behind it (the first one is the one to report)."""

    state: SourceState
    facts: tuple[SourceFact, ...]


class NamedText(Struct, frozen=True):
    """A tag (or the name of a version that has no tags), and the groups by which patterns of `versions` matched it."""

    whole: str
    groups: tuple[str, ...] = ()


def named_texts(texts: Iterable[str], versions: Patterns | None) -> tuple[NamedText, ...]:
    """Return each tag (or name) with the first group of every pattern that matches it with one."""
    entries = [
        entry for entry in (versions.entries if versions else ()) if entry.groups and not entry.negated
    ]
    return tuple(
        NamedText(text, tuple(group for entry in entries if (group := entry.group(text)))) for text in texts
    )


class SourceJudge(Struct, frozen=True):
    """Judges versions by the kinds that one rule names.

    `reads_as_version` is the ecosystem's own grammar.
    """

    names: GitNames
    kinds: frozenset[GitKind]
    reads_as_version: Callable[[str], bool]

    def gone(
        self, texts: Sequence[NamedText], age: timedelta | None, *, older_than_given: bool = False
    ) -> SourceVerdict:
        """Judge a version for `source-gone`: what every one of its texts (companion tags left out) names must be gone.

        `age` counts from the later of its two dates; `None`: not known. A version without texts is never gone.
        """
        if missing := self._unlisted(needed_kinds(self.kinds, frozenset())):
            return SourceVerdict(SourceState.UNKNOWN, missing)
        mature = older_than_given or (age is not None and age >= GIT_TAG_GRACE)
        verdicts = [self._gone_text(text, mature=mature) for text in texts]
        if not verdicts:
            return SourceVerdict(SourceState.NOT_NAMED, ())
        worst = max(verdicts, key=lambda verdict: _LEAST_GONE.index(verdict.state))
        facts = (
            *worst.facts,
            *(fact for verdict in verdicts if verdict is not worst for fact in verdict.facts),
        )
        return SourceVerdict(worst.state, facts)

    def exists(self, texts: Sequence[NamedText]) -> SourceFact | None:
        """Judge a version for `source-exists`: return the thing that one of its texts names, or that may exist."""
        if missing := self._unlisted(self.kinds):
            return missing[0]
        facts = [fact for text in texts for fact in self._facts(text, mature=True)]
        listed = [fact for fact in facts if fact.state is SourceState.EXISTS]
        return next(iter([*listed, *(fact for fact in facts if fact.cause in _MAY_EXIST)]), None)

    def _unlisted(self, kinds: frozenset[GitKind]) -> tuple[SourceFact, ...]:
        """Return a fact for every list that is not known whole: nothing matches then, regardless of the others."""
        cause = SourceCause.UNLISTED if self.names.repositories else SourceCause.NO_REPOSITORY
        return tuple(
            SourceFact(SourceState.UNKNOWN, cause, kind, unlisted=unlisted)
            for kind in GitKind
            if kind in kinds and (unlisted := self.names.unlisted(kind))
        )

    def _gone_text(self, text: NamedText, *, mature: bool) -> SourceVerdict:
        facts = self._facts(text, mature=mature)
        if found := [f for f in facts if f.state is SourceState.EXISTS]:
            return SourceVerdict(SourceState.EXISTS, tuple(found))
        if found := [f for f in facts if f.cause in _MAY_EXIST]:
            return SourceVerdict(SourceState.UNKNOWN, tuple(found))
        by_kind = [[f for f in facts if f.kind is kind] for kind in GitKind]
        gone = [
            f for of_kind in by_kind if _surely_gone(of_kind) for f in of_kind if f.state is SourceState.GONE
        ]
        if gone:
            return SourceVerdict(SourceState.GONE, tuple(gone))
        unknown = [f for f in facts if f.state is SourceState.UNKNOWN]
        state = SourceState.UNKNOWN if unknown else SourceState.NOT_NAMED
        return SourceVerdict(state, tuple(unknown or facts))

    def _facts(self, text: NamedText, *, mature: bool) -> list[SourceFact]:
        spellings = dict.fromkeys([(text.whole, False), *((group, True) for group in text.groups)])
        facts = [
            self._fact(kind, spelling, is_group=is_group, mature=mature)
            for kind in GitKind
            if kind in self.kinds
            for spelling, is_group in spellings
        ]
        if not any(
            self._pull_request_number(spelling, is_group=group) is not None for spelling, group in spellings
        ):
            return facts
        # Where one spelling is a pull request, the other (`app-pr-8`) is not the name of a branch that is gone.
        decisive = (SourceState.EXISTS, SourceState.NOT_NAMED)
        return [f for f in facts if f.kind is GitKind.PULL_REQUEST or f.state in decisive]

    def _fact(self, kind: GitKind, text: str, *, is_group: bool, mature: bool) -> SourceFact:
        number = self._pull_request_number(text, is_group=is_group)
        if (number is None) is (kind is GitKind.PULL_REQUEST):
            # The name of a pull request is never that of a branch: else `pr-8`, open, would be a branch that is gone.
            return SourceFact(SourceState.NOT_NAMED, SourceCause.OTHER_KIND, kind, text)
        if number is not None:
            return self._pull_request(text, number)
        return self._branch(text) if kind is GitKind.BRANCH else self._tagged(kind, text, mature=mature)

    def _pull_request_number(self, text: str, *, is_group: bool) -> int | None:
        """Return the number of the pull request that a text names; a bare number names one only as a group."""
        found = _PULL_REQUEST.fullmatch(text)
        if not found and is_group and GitKind.PULL_REQUEST in self.kinds:
            found = _NUMBER.fullmatch(text)
        return int(found[found.lastindex or 0][:_LONGEST_NUMBER]) if found else None

    def _pull_request(self, text: str, number: int) -> SourceFact:
        kind = GitKind.PULL_REQUEST
        if found := self.names.open_pull_request(number):
            return _exists(kind, text, found)
        if not 1 <= number <= self.names.newest_pull_request:
            return SourceFact(SourceState.UNKNOWN, SourceCause.ABOVE_NEWEST, kind, text, str(number))
        return SourceFact(SourceState.GONE, SourceCause.CLOSED, kind, text, str(number))

    def _branch(self, text: str) -> SourceFact:
        kind = GitKind.BRANCH
        if found := self.names.branch(text):
            return _exists(kind, text, found)
        for beside in (GitKind.TAG, GitKind.RELEASE):
            if found := self.names.tagged(beside, text, ending=self.reads_as_version(text)):
                return _unknown(kind, SourceCause.NAMES_TAG_OR_RELEASE, text, found)
        if found := self.names.branch_before(text):
            return _unknown(kind, SourceCause.BEGINS_WITH_BRANCH, text, found)
        if cause := _no_branch_name(text):
            return _unknown(kind, cause, text)
        return SourceFact(SourceState.GONE, SourceCause.ABSENT, kind, text)

    def _tagged(self, kind: GitKind, text: str, *, mature: bool) -> SourceFact:
        is_version = self.reads_as_version(text)
        if found := self.names.tagged(kind, text, ending=is_version):
            return _exists(kind, text, found)
        if not is_version:
            return _unknown(kind, SourceCause.NO_VERSION, text)
        if not mature:
            return _unknown(kind, SourceCause.TOO_YOUNG, text)
        return SourceFact(SourceState.GONE, SourceCause.ABSENT, kind, text)


_LEAST_GONE = (SourceState.GONE, SourceState.NOT_NAMED, SourceState.UNKNOWN, SourceState.EXISTS)


def _surely_gone(facts: list[SourceFact]) -> bool:
    """Return whether one kind is gone for a text: by its whole or a group, and unknown by neither.

    `/^(feature|fix)-.+/` names no branch `feature`: the whole `feature-login-2` still may be the living `feature/login`.
    """
    states = {fact.state for fact in facts}
    return SourceState.GONE in states and SourceState.UNKNOWN not in states


def _no_branch_name(text: str) -> SourceCause | None:
    if not loose(text):
        return SourceCause.NO_NAME
    if _VERSION_START.match(text):
        return SourceCause.BEGINS_AS_VERSION
    return SourceCause.COMMIT if _COMMIT.fullmatch(text) else None


def _exists(kind: GitKind, text: str, found: Found) -> SourceFact:
    return SourceFact(SourceState.EXISTS, SourceCause.LISTED, kind, text, found.name, found.repository)


def _unknown(kind: GitKind, cause: SourceCause, text: str, found: Found | None = None) -> SourceFact:
    name, repository = (found.name, found.repository) if found else ("", "")
    return SourceFact(SourceState.UNKNOWN, cause, kind, text, name, repository)


_AFTER_VERSIONS = frozenset({GitKind.TAG, GitKind.RELEASE})


def gone(
    condition: Filter, candidate: Candidate, texts: Sequence[str], context: DecisionContext
) -> SourceVerdict:
    """Judge some texts of a version for `source-gone`: what each of them is named after must be gone."""
    touched = candidate.version.touched_at
    age = None if touched is None else context.now - touched
    return _judge(candidate, condition.source_gone, context.parser).gone(
        named_texts(texts, condition.versions), age, older_than_given=condition.older_than is not None
    )


def gone_tags(
    condition: Filter, candidate: Candidate, texts: Sequence[str], context: DecisionContext
) -> tuple[str, ...]:
    """Return those of the texts that may be taken off an image although others stay.

    What is gone as a git tag or release goes only if nothing that another tag names exists: a moving tag such as
    `1.2.3` beside a living one is a mistake of the reader more often than a version that was withdrawn.
    """
    verdicts = {text: gone(condition, candidate, (text,), context) for text in candidate.without_companions}
    living = any(verdict.state is SourceState.EXISTS for verdict in verdicts.values())
    return tuple(
        text
        for text in texts
        if (verdict := verdicts.get(text)) is not None
        and verdict.state is SourceState.GONE
        and not (living and any(fact.kind in _AFTER_VERSIONS for fact in verdict.facts))
    )


def exists(
    condition: Filter, candidate: Candidate, texts: Sequence[str], parser: VersionParser
) -> SourceFact | None:
    """Return the thing that one of the texts is named after, or that may exist (`source-exists`)."""
    judge = _judge(candidate, condition.source_exists, parser)
    return judge.exists(named_texts(texts, condition.versions))


def _judge(candidate: Candidate, kinds: frozenset[GitKind], parser: VersionParser) -> SourceJudge:
    names = (candidate.facts and candidate.facts.git) or GitNames(())
    return SourceJudge(names, kinds, lambda text: parser.of(text) is not None)
