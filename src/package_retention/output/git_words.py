"""Sentences about what repositories list: why something counts as gone or existing, and what could not be listed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from package_retention.decide.git_names import GitKind, UnlistedCause
from package_retention.decide.source_gone import SourceCause, SourceFact, SourceState
from package_retention.escaping import quoted
from package_retention.reason import FindingCode

if TYPE_CHECKING:
    from package_retention.reason import Finding

_THINGS: dict[str, str] = {
    GitKind.PULL_REQUEST: "pull request",
    GitKind.BRANCH: "branch",
    GitKind.TAG: "git tag",
    GitKind.RELEASE: "release",
}
_UNKNOWN_SOURCES = {
    SourceCause.NO_REPOSITORY: "it is linked to no repository",
    SourceCause.UNLISTED: "the {kinds} could not be listed",
    SourceCause.ABOVE_NEWEST: "pull request {name} is newer than the newest that is listed",
    SourceCause.NAMES_TAG_OR_RELEASE: "{text} names the git tag or release {name}",
    SourceCause.BEGINS_WITH_BRANCH: "{text} begins with the branch {name}",
    SourceCause.BEGINS_AS_VERSION: "{text} begins as a version does",
    SourceCause.COMMIT: "{text} is the hash of a commit",
    SourceCause.NO_NAME: "{text} is no name",
    SourceCause.NO_VERSION: "{text} is no version",
    SourceCause.TOO_YOUNG: "younger than 24 hours: the git tag {text} may be still to come",
    SourceCause.OTHER_KIND: "{text} is not the name of a {kind}",
}


def source_words(fact: SourceFact) -> str:
    """Say what is known of the thing in git that a tag or version is named after."""
    kind = _THINGS[fact.kind]
    name = fact.name if fact.kind is GitKind.PULL_REQUEST else quoted(fact.name or fact.text)
    match fact.state:
        case SourceState.EXISTS:
            return f"{kind} {name} is open" if fact.kind is GitKind.PULL_REQUEST else f"{kind} {name} exists"
        case SourceState.GONE:
            return (
                f"{kind} {name} is closed" if fact.kind is GitKind.PULL_REQUEST else f"{kind} {name} is gone"
            )
    return _UNKNOWN_SOURCES[fact.cause].format(
        text=quoted(fact.text), name=name, kind=kind, kinds=_plural(fact.kind)
    )


_PERMISSIONS = {GitKind.PULL_REQUEST.value: "pull-requests: read"}


def rule_of_source(kinds: str, *, gone: bool) -> str:
    """Say a rule on things in git: `named after a branch or pull request that is gone or is closed`."""
    named = kinds.split(", ")
    pull_request, other = ("is closed", "is gone") if gone else ("is open", "exists")
    states = dict.fromkeys(pull_request if kind == GitKind.PULL_REQUEST else other for kind in named)
    return f"named after a {' or '.join(_THINGS[kind] for kind in named)} that {' or '.join(states)}"


def _plural(kind: str) -> str:
    thing = _THINGS.get(kind, kind)
    return f"{thing}es" if kind == GitKind.BRANCH else f"{thing}s"


def unlisted_words(finding: Finding) -> str:
    """Say which lists of a repository are unknown, what follows, and the permissions that the job lacks."""
    cause = finding.others[0]
    words = (
        f"the {_joined(tuple(map(_plural, finding.names)))} of {finding.subject} could not be listed ({finding.error}), so what is "
        "named after them is unknown and stays"
    )
    return f"{words}. {_ADVICE[cause]}" if cause in _ADVICE else words


_ADVICE: dict[str, str] = dict.fromkeys(
    (UnlistedCause.FORBIDDEN.value, UnlistedCause.NOT_FOUND.value),
    "Give the job these permissions (a classic token needs `repo` for a private repository)",
)


def paste_of(finding: Finding | str) -> str:
    """Return the YAML to paste that mends a finding; empty where none does."""
    if (
        isinstance(finding, str)
        or finding.code is not FindingCode.GIT_UNLISTED
        or finding.others[0] not in _ADVICE
    ):
        return ""
    needed = sorted(
        {_PERMISSIONS.get(name, "contents: read") for name in finding.others[1:]} | {"packages: write"}
    )
    return "\n".join(["permissions:", *(f"  {line}" for line in needed)])


def _joined(words: tuple[str, ...]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
