"""The sentences of reasons, findings and outcomes: the one place where their codes become words."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from package_retention.decide.expiry import KEY as EXPIRY
from package_retention.decide.git_names import GitKind
from package_retention.decide.in_use import UseReason
from package_retention.decide.source_gone import SourceCause, SourceFact, SourceState
from package_retention.escaping import counted, quoted
from package_retention.reason import Condition, Reason, ReasonCode, ReasonDetail

if TYPE_CHECKING:
    from collections.abc import Iterable

    from package_retention.reason import Fact, Terms

_REASONS: dict[ReasonCode | ReasonDetail, str] = {
    ReasonCode.SELECTED: "selected: no filter narrows the versions",
    ReasonDetail.BY_ID: "named by its id",
    ReasonDetail.BY_REPORT: "deleted by the run of the report",
    ReasonDetail.WITH_PACKAGE: "came back with its package",
    ReasonCode.WITH_IMAGE: "goes with {subject}",
    ReasonDetail.COMES_BACK: "comes back with its image",
    ReasonCode.NOT_MATCHED: "not matched by the filter",
    ReasonDetail.NO_RULE: "no rule deletes it",
    ReasonDetail.NOT_JUDGED: "listed: no input says which versions",
    ReasonDetail.NOT_LOOKED_AT: "nothing in the list can match, so the images were not looked at",
    ReasonCode.EXCLUDED: "excluded by `exclude-versions`",
    ReasonDetail.BY_RULE: "excluded by the `exclude-versions` of its rule",
    ReasonCode.REFERENCED: "referenced by a file",
    ReasonCode.NEWEST: "among the newest {number:,}{per}",
    ReasonDetail.NO_PLACE: "as new as the newest {number:,}{per}, and takes none of their places",
    ReasonCode.KEEP_RULE: "kept by the policy",
    ReasonCode.NEEDED: "needed by {subject}",
    ReasonDetail.PART: "part of {subject}",
    ReasonDetail.SHARED_PLACE: "shares the place of {subject}",
    ReasonCode.PARTLY_MATCHED: "only some of its tags match",
    ReasonCode.LATEST: "tagged `latest`: only `versions: latest` or its id reaches it",
    ReasonCode.GRACE: "untagged and younger than 24 hours: a push may be under way",
    ReasonCode.UNKNOWN: "not everything is known of it",
    ReasonDetail.NO_AGE: "its age is unknown",
    ReasonDetail.NO_DELETION_DATE: "when it was deleted is unknown",
    ReasonDetail.NO_VERSION: "has no version that the rules of its ecosystem know",
    ReasonDetail.UNTAGGED_NO_VERSION: "untagged: has no version",
    ReasonDetail.UNORDERED: "cannot be ordered or grouped",
    ReasonDetail.SOURCE: "whether what it is named after is gone is unknown",
    ReasonDetail.EXPIRY: "whether it has expired is unknown",
    ReasonDetail.CYCLIC: "its manifests name one another in a circle",
    ReasonCode.UNREADABLE: "a manifest that could not be read may need it",
    ReasonDetail.LOST_INDEX: "a tagged manifest that the registry does not have may need it",
    ReasonCode.CHANGED: "came, went or changed while the package was listed",
    ReasonDetail.SINCE_REPORT: "something came to it since the report was written",
    ReasonDetail.SINCE_PLAN: "the package has changed since the plan was made",
    ReasonDetail.NOT_WHOLE: "the newest look at the package no longer lets every version go: it is not deleted whole",
    ReasonCode.ORPHANED: "a referrer whose subject is gone: only `remove-damaged: orphaned` matches it",
    ReasonCode.OVER_LIMIT: "over `limit: {number}`: waits for the next run",
    ReasonCode.LAST: "GitHub does not delete the last version of a package",
    ReasonDetail.LAST_TAGGED: "GitHub does not delete the last tagged version of a package",
    ReasonCode.NOT_IN_REPORT: "not in the plan of the report",
    ReasonDetail.OTHER_CHANGE: "the report planned another change of it",
    ReasonDetail.NOT_DELETED: "not deleted by the run of the report",
    ReasonCode.TAG_MOVED: "its tag is on another version now: name it by its id to restore it",
    ReasonDetail.NAME_IN_USE: "its name is in use again",
    ReasonDetail.DELETED_LATER: "a version deleted later had the same name or tag",
    ReasonCode.EXPIRED: "deleted more than 30 days ago: GitHub no longer restores it",
    ReasonCode.UNTOUCHABLE: "untagged: the graph of docker packages cannot be read",
    ReasonDetail.BASE_LAYER: "`docker-base-layer` is never touched",
    ReasonCode.IMAGE_STAYS: "stays with its image, which stays",
    ReasonCode.SAME_REFUSAL: "not tried: every further change would meet the same refusal ({subject})",
    ReasonCode.NOT_REACHED: "waits for something that was not reached",
    ReasonCode.IN_DOUBT: "cancelled before GitHub had answered: it may have happened",
}


def reason_words(reason: Reason) -> str:
    """Say a reason in one sentence, without a full stop."""
    met = _facts(reason.facts)
    match reason.code:
        case ReasonCode.SELECTED if reason.detail is None:
            kept = (_kept_words("all but the newest", reason.rule),) if reason.number else ()
            return ", ".join((*met, *kept)) or _REASONS[ReasonCode.SELECTED]
        case ReasonCode.KEEP_RULE:
            newest = (_kept_words("among the newest", reason.rule),) if reason.number else ()
            words = ", ".join((*met, *newest))
            return f"{_REASONS[ReasonCode.KEEP_RULE]}: {words}" if words else _REASONS[ReasonCode.KEEP_RULE]
        case ReasonCode.NOT_MATCHED | ReasonCode.REFERENCED if met:
            return ", ".join(met)
        case ReasonCode.UNKNOWN if met:
            return f"{_REASONS[reason.detail or reason.code]}: {', '.join(met)}"
        case ReasonCode.PARTLY_MATCHED if reason.number:
            beside = _kept_words("among the newest", reason.rule)
            return f"{_REASONS[ReasonCode.PARTLY_MATCHED]}, and it would be {beside}"
    subject = reason.subject or "an image that stays"
    per = _per(reason.rule)
    return _REASONS[reason.detail or reason.code].format(subject=subject, number=reason.number, per=per)


def shared_words(reason: Reason) -> str:
    """Say what a reason has in common with those of the same rule or kind: what stands in a heading above them."""
    rule = rule_words(reason.rule, keeps=reason.code is ReasonCode.KEEP_RULE)
    missed = next((fact for fact in reason.facts if isinstance(fact, Condition)), None)
    match reason.code:
        case ReasonCode.SELECTED if reason.detail is None:
            return rule or "no filter narrows the versions"
        case ReasonCode.KEEP_RULE:
            return f"{_REASONS[ReasonCode.KEEP_RULE]}: {rule}" if rule else _REASONS[ReasonCode.KEEP_RULE]
        case ReasonCode.NOT_MATCHED if missed:
            return _SHARED.get(missed.key) or fact_words(replace(missed, age=None))
        case ReasonCode.REFERENCED | ReasonCode.UNKNOWN:
            return _REASONS[reason.detail or reason.code]
        case ReasonCode.NEWEST:
            placed = None if reason.detail is ReasonDetail.SHARED_PLACE else reason.detail
            return reason_words(Reason(ReasonCode.NEWEST, placed, number=reason.number, rule=reason.rule))
        case ReasonCode.NEEDED:
            return "needed by an image that stays"
        case ReasonCode.WITH_IMAGE if reason.subject:
            return "goes with its image"
    return reason_words(reason)


def own_words(reason: Reason) -> str:
    """Say what of a reason is a version's own, beside its age: what a row below such a heading says."""
    match reason.code:
        case ReasonCode.NEEDED | ReasonCode.WITH_IMAGE:
            return reason_words(reason) if reason.subject else ""
        case ReasonCode.NEWEST:
            return reason_words(reason) if reason.detail is ReasonDetail.SHARED_PLACE else ""
        case ReasonCode.NOT_MATCHED | ReasonCode.REFERENCED | ReasonCode.UNKNOWN:
            telling = (f for f in reason.facts if not isinstance(f, Condition) or f.key in _OWN)
            return ", ".join(_facts(telling))
        case ReasonCode.SELECTED | ReasonCode.KEEP_RULE:
            telling = (fact for fact in reason.facts if not isinstance(fact, Condition) or fact.key in _OWN)
            return ", ".join(_facts(telling))
    return ""


def rule_words(rule: Terms, *, keeps: bool = False) -> str:
    """Say a rule in its own words: `untagged, older than 7 days, all but the newest 3`."""
    words = [_TERMS[key].format(_shown(key, value)) for key, value in rule if key in _TERMS]
    if "min-versions-to-keep" in dict(rule):
        words.append(_kept_words("among the newest" if keeps else "all but the newest", rule))
    return ", ".join(words)


_TERMS = {
    "tag-status": "{}",
    "versions": "{}",
    "version-range": "in the range {}",
    "release-status": "{}s",
    "package-version-ids": "named by id",
    "remove-damaged": "damaged ({})",
    "source-gone": "{}",
    "source-exists": "{}",
    "referenced-in": "referenced in {}",
    "expired": "expired",
    "older-than": "older than {}",
    "newer-than": "newer than {}",
    "deleted-within": "deleted within {}",
}
_OWN = frozenset({"remove-damaged", "expired"})  # what several versions of one rule may differ in
_SHARED = {"source-gone": "named after nothing that is known to be gone", "expired": "not expired"}
_WRITTEN = frozenset({"versions", "version-range"})


def _shown(key: str, value: str) -> str:
    if key in ("source-gone", "source-exists"):
        return rule_of_source(value, gone=key == "source-gone")
    return quoted(value) if key in _WRITTEN else value


def _per(rule: Terms) -> str:
    per = dict(rule).get("keep-per", "")
    return f" of its {quoted(per)}" if per else ""


def _kept_words(start: str, rule: Terms) -> str:
    terms = dict(rule)
    per = f" per {quoted(terms['keep-per'])}" if "keep-per" in terms else ""
    return f"{start} {terms['min-versions-to-keep']}{per}"


def _facts(facts: Iterable[Fact]) -> list[str]:
    return [words for fact in facts if (words := fact_words(fact))]


def fact_words(fact: Fact) -> str:
    """Say what of a version meets, or misses, one condition."""
    if isinstance(fact, SourceFact):
        return source_words(fact)
    if isinstance(fact, UseReason):
        return f"referenced in {fact.file}:{fact.line}"
    if not isinstance(fact, Condition):
        return ""
    if fact.key == "expired":
        return _expiry_words(fact)
    if fact.age is not None:
        return _age_words(fact)
    asked = _shown(fact.key, fact.asked)
    met, missed = _CONDITIONS.get(fact.key, ("", ""))
    if fact.key == "versions" and not fact.holds and not fact.asked:
        return "untagged: `versions` looks at tags"
    if fact.key == "remove-damaged" and fact.texts:
        asked = ", ".join(fact.texts)
    return (met if fact.holds else missed).format(asked)


_CONDITIONS = {
    "tag-status": ("{}", "not {}"),
    "versions": ("matches {}", "does not match {}"),
    "version-range": ("in the range {}", "not in the range {}"),
    "release-status": ("a {}", "not a {}"),
    "package-version-ids": ("named by its id", "not among `package-version-ids`"),
    "remove-damaged": ("damaged: {}", "not damaged ({})"),
    "older-than": ("older than {}", "not older than {}"),
    "newer-than": ("newer than {}", "not newer than {}"),
    "deleted-within": ("deleted within {}", "not deleted within {}"),
}


def _expiry_words(fact: Condition) -> str:
    """Say when an image expired or will, with what it says itself."""
    said = ", ".join(f"{EXPIRY}={text}" for text in fact.texts)
    if fact.age is None:
        return (
            f"{quoted(said)} is no duration" if said else f"does not say when it expires ({quoted(EXPIRY)})"
        )
    if fact.age >= timedelta():
        return f"expired {exact_age(fact.age)} ago ({quoted(said)})"
    return f"expires in {exact_age(-fact.age)} ({quoted(said)})"


def _age_words(fact: Condition) -> str:
    """An age beside the limit that it is over or not; in days, so that no rounding makes the two look alike."""
    age = exact_age(fact.age or timedelta())
    negation = "" if fact.holds else "not "
    match fact.key:
        case "older-than":
            return f"{age} old ({negation}older than {fact.asked})"
        case "newer-than":
            return f"{age} old ({negation}newer than {fact.asked})"
        case _:
            return f"deleted {age} ago ({negation}within {fact.asked})"


def exact_age(age: timedelta) -> str:
    """Say an age in whole days; in hours or minutes below two days."""
    if age >= timedelta(days=2):
        return counted(age.days, "day")
    if age >= timedelta(hours=1):
        return counted(age // timedelta(hours=1), "hour")
    return counted(max(age, timedelta()) // timedelta(minutes=1), "minute")


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
        text=quoted(fact.text), name=name, kind=kind, kinds=plural_of(fact.kind)
    )


def rule_of_source(kinds: str, *, gone: bool) -> str:
    """Say a rule on things in git: `named after a branch or pull request that is gone or is closed`."""
    named = kinds.split(", ")
    pull_request, other = ("is closed", "is gone") if gone else ("is open", "exists")
    states = dict.fromkeys(pull_request if kind == GitKind.PULL_REQUEST else other for kind in named)
    return f"named after a {' or '.join(_THINGS[kind] for kind in named)} that {' or '.join(states)}"


def plural_of(kind: str) -> str:
    """Name several of a kind of thing in git."""
    thing = _THINGS.get(kind, kind)
    return f"{thing}es" if kind == GitKind.BRANCH else f"{thing}s"
