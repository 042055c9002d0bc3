"""The sentences of reasons, findings and outcomes: the one place where their codes become words."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta

from msgspec.structs import replace

from package_retention.decide.expiry import KEY as EXPIRY
from package_retention.decide.git_names import GitKind
from package_retention.decide.in_use import UseReason
from package_retention.decide.source_gone import SourceCause, SourceFact, SourceState
from package_retention.escaping import counted, quoted
from package_retention.reason import Condition, Fact, Reason, ReasonCode, ReasonDetail, Terms

REASONS: dict[ReasonCode, tuple[str, str]] = {
    ReasonCode.SELECTED: ("selected: no filter narrows the versions", "selected, but not changed"),
    ReasonCode.WITH_IMAGE: ("goes with {subject}", "goes with its image, but not changed"),
    ReasonCode.NOT_MATCHED: ("not matched by the filter", "not matched by the filter"),
    ReasonCode.EXCLUDED: ("excluded by `exclude-versions`", "excluded"),
    ReasonCode.REFERENCED: ("referenced by a file", "referenced by a file"),
    ReasonCode.NEWEST: ("among the newest {number:,}{per}", "among the newest"),
    ReasonCode.KEEP_RULE: ("kept by the policy", "kept by a rule"),
    ReasonCode.NEEDED: ("needed by {subject}", "needed by an image that stays"),
    ReasonCode.PARTLY_MATCHED: ("only some of its tags match", "partly matched"),
    ReasonCode.LATEST: (
        "tagged `latest`: only `versions: latest` or its id reaches it",
        "tagged latest, which was not named",
    ),
    ReasonCode.GRACE: ("untagged and younger than 24 hours: a push may be under way", "too young"),
    ReasonCode.UNKNOWN: ("a fact about it is unknown", "a fact about it is unknown"),
    ReasonCode.UNREADABLE: ("a manifest that could not be read may need it", "a manifest could not be read"),
    ReasonCode.CHANGED: ("came, went or changed while the package was listed", "changed meanwhile"),
    ReasonCode.ORPHANED: (
        "a referrer whose subject is gone: only `remove-damaged: orphaned` matches it",
        "an orphaned referrer",
    ),
    ReasonCode.OVER_LIMIT: ("over `limit: {number}`: waits for the next run", "over the limit of this run"),
    ReasonCode.LAST: (
        "GitHub does not delete the last version of a package",
        "GitHub does not delete the last one",
    ),
    ReasonCode.NOT_IN_REPORT: ("not in the plan of the report", "not in the report"),
    ReasonCode.TAG_MOVED: (
        "its tag is on another version now: name it by its id to restore it",
        "its tag is on another version now",
    ),
    ReasonCode.EXPIRED: ("deleted more than 30 days ago: GitHub no longer restores it", "past its 30 days"),
    ReasonCode.UNTOUCHABLE: ("untagged: the graph of docker packages cannot be read", "never touched"),
    ReasonCode.IMAGE_STAYS: ("stays with its image, which stays", "part of an image that stays"),
    ReasonCode.SAME_REFUSAL: (
        "not tried: every further change would meet the same refusal ({subject})",
        "not tried after a refusal",
    ),
    ReasonCode.NOT_REACHED: ("waits for something that was not reached", "not reached"),
    ReasonCode.IN_DOUBT: ("cancelled before GitHub had answered: it may have happened", "in doubt"),
}
"""The sentence of each code, and a few words for what many of a kind have in common."""

_DETAILS: dict[ReasonDetail, str] = {
    ReasonDetail.BY_ID: "named by its id",
    ReasonDetail.BY_REPORT: "deleted by the report's run",
    ReasonDetail.WITH_PACKAGE: "came back with its package",
    ReasonDetail.COMES_BACK: "comes back with its image",
    ReasonDetail.NO_RULE: "no rule deletes it",
    ReasonDetail.NOT_JUDGED: "listed: no input says which versions",
    ReasonDetail.NOT_LOOKED_AT: "nothing in the list can match, so the images were not looked at",
    ReasonDetail.BY_RULE: "excluded by the `exclude-versions` of its rule",
    ReasonDetail.NO_PLACE: "as new as the newest {number:,}{per}, and takes no place",
    ReasonDetail.PART: "part of {subject}",
    ReasonDetail.SHARED_PLACE: "shares the place of {subject}",
    ReasonDetail.NO_AGE: "its age is unknown",
    ReasonDetail.NO_DELETION_DATE: "when it was deleted is unknown",
    ReasonDetail.NO_VERSION: "has no version that the rules of its ecosystem know",
    ReasonDetail.UNTAGGED_NO_VERSION: "untagged: has no version",
    ReasonDetail.UNORDERED: "cannot be ordered or grouped",
    ReasonDetail.SOURCE: "whether what it is named after is gone is unknown",
    ReasonDetail.EXPIRY: "whether it has expired is unknown",
    ReasonDetail.CYCLIC: "its manifests name one another in a circle",
    ReasonDetail.LOST_INDEX: "a tagged manifest that the registry does not have may need it",
    ReasonDetail.SINCE_REPORT: "something came to it since the report was written",
    ReasonDetail.SINCE_PLAN: "the package has changed since the plan was made",
    ReasonDetail.NOT_WHOLE: "the newest look at the package no longer lets every version go: it is not deleted whole",
    ReasonDetail.LAST_TAGGED: "GitHub does not delete the last tagged version of a package",
    ReasonDetail.OTHER_CHANGE: "the report planned another change of it",
    ReasonDetail.NOT_DELETED: "not deleted by the report's run",
    ReasonDetail.NAME_IN_USE: "its name is in use again",
    ReasonDetail.DELETED_LATER: "a version deleted later had the same name or tag",
    ReasonDetail.BASE_LAYER: "`docker-base-layer` is never touched",
}
# In a few words of their own, since those of the code would not be true.
_SHORT_DETAILS = {
    ReasonDetail.NOT_JUDGED: "listed without a filter",
    ReasonDetail.NO_RULE: "not matched by a delete rule",
}


def _sentence(reason: Reason) -> str:
    return _DETAILS[reason.detail] if reason.detail else REASONS[reason.code][0]


def reason_words(reason: Reason) -> str:
    """Say a reason in one sentence, without a full stop."""
    met, sentence = _facts(reason.facts), _sentence(reason)
    match reason.code:
        case ReasonCode.SELECTED if reason.detail is None:
            kept = [_kept_words("all but the newest", reason.rule)] if reason.number else []
            return ", ".join(met + kept) or sentence
        case ReasonCode.KEEP_RULE:
            newest = [_kept_words("among the newest", reason.rule)] if reason.number else []
            return ": ".join(filter(None, (REASONS[reason.code][0], ", ".join(met + newest))))
        case ReasonCode.NOT_MATCHED | ReasonCode.REFERENCED if met:
            return ", ".join(met)
        case ReasonCode.UNKNOWN if met:
            return f"{sentence}: {', '.join(met)}"
        case ReasonCode.PARTLY_MATCHED if reason.number:
            return (
                f"{REASONS[reason.code][0]}, and it would be {_kept_words('among the newest', reason.rule)}"
            )
    per = dict(reason.rule).get("keep-per")
    subject = reason.subject or "an image that stays"
    words = sentence.format(
        subject=subject, number=reason.number, per=f" of its {quoted(per)}" if per else ""
    )
    return _of_one(words) if reason.code is ReasonCode.NEWEST else words


def shared_words(reason: Reason) -> str:
    """Say what a reason has in common with those of the same rule or kind: what stands in a heading above them."""
    rule = rule_words(reason.rule, keeps=reason.code is ReasonCode.KEEP_RULE)
    missed = next((fact for fact in reason.facts if isinstance(fact, Condition)), None)
    match reason.code:
        case ReasonCode.SELECTED if reason.detail is None:
            return rule or "no filter narrows the versions"
        case ReasonCode.KEEP_RULE:
            return ": ".join(filter(None, (REASONS[reason.code][0], rule)))
        case ReasonCode.NOT_MATCHED if missed:
            return _SHARED.get(missed.key) or fact_words(replace(missed, age=None))
        case ReasonCode.REFERENCED | ReasonCode.UNKNOWN:
            return _sentence(reason)
        case ReasonCode.NEWEST if reason.detail is ReasonDetail.SHARED_PLACE:
            return reason_words(replace(reason, detail=None))
        case ReasonCode.NEEDED:
            return "needed by an image that stays"
        case ReasonCode.WITH_IMAGE if reason.subject:
            return "goes with its image"
    return reason_words(reason)


def own_words(reason: Reason) -> str:
    """Say what of a reason is a version's own, beside its age: what stands in its line below such a heading."""
    match reason.code:
        case ReasonCode.NEEDED | ReasonCode.WITH_IMAGE:
            return reason_words(reason) if reason.subject else ""
        case ReasonCode.NEWEST:
            return reason_words(reason) if reason.detail is ReasonDetail.SHARED_PLACE else ""
        case _ if reason.code in _RESTING_ON_FACTS:
            own = (fact for fact in reason.facts if not isinstance(fact, Condition) or fact.key in _OWN)
            return ", ".join(_facts(own))
    return ""


def group_words(reason: Reason) -> str:
    """Say in a few words what a reason has in common with others of its kind."""
    short = _SHORT_DETAILS.get(reason.detail) if reason.detail else None
    return short or REASONS[reason.code][1]


def rule_words(rule: Terms, *, keeps: bool = False) -> str:
    """Say a rule in its own words: `untagged, older than 7 days, all but the newest 3`."""
    words = [_CONDITIONS[key][0].format(_shown(key, value)) for key, value in rule if key in _CONDITIONS]
    if "min-versions-to-keep" in dict(rule):
        words.append(_kept_words("among the newest" if keeps else "all but the newest", rule))
    return ", ".join(words)


# A condition in a rule, as a version meets it, and as a version does not meet it.
_CONDITIONS = {
    "tag-status": ("{}", "{}", "not {}"),
    "versions": ("{}", "matches {}", "does not match {}"),
    "version-range": ("in the range {}", "in the range {}", "not in the range {}"),
    "release-status": ("{}s", "a {}", "not a {}"),
    "package-version-ids": ("named by id", "named by its id", "not among `package-version-ids`"),
    "remove-damaged": ("damaged ({})", "damaged: {}", "not damaged ({})"),
    "source-gone": ("{}", "", ""),
    "source-exists": ("{}", "", ""),
    "referenced-in": ("referenced in {}", "", ""),
    "expired": ("expired", "", ""),
    "older-than": ("older than {}", "older than {}", "not older than {}"),
    "newer-than": ("newer than {}", "newer than {}", "not newer than {}"),
    "deleted-within": ("deleted within {}", "deleted within {}", "not deleted within {}"),
}
_RESTING_ON_FACTS = frozenset(
    {
        ReasonCode.NOT_MATCHED,
        ReasonCode.REFERENCED,
        ReasonCode.UNKNOWN,
        ReasonCode.SELECTED,
        ReasonCode.KEEP_RULE,
    }
)
_OWN = frozenset({"remove-damaged", "expired"})  # what several versions of one rule may differ in
_SHARED = {"source-gone": "not named after anything that is known to be gone", "expired": "not expired"}
_NEWEST_ONE = re.compile(r"newest 1\b(?![,.]\d)")
_WRITTEN = frozenset({"versions", "version-range"})


def _shown(key: str, value: str) -> str:
    if key in ("source-gone", "source-exists"):
        return rule_of_source(value, gone=key == "source-gone")
    return quoted(value) if key in _WRITTEN else value


def _kept_words(start: str, rule: Terms) -> str:
    terms = dict(rule)
    per = f" per {quoted(terms['keep-per'])}" if "keep-per" in terms else ""
    return _of_one(f"{start} {terms['min-versions-to-keep']}{per}")


def _of_one(words: str) -> str:
    """Leave the number out if it is one: `the newest per `minor``, `all but the newest`."""
    return (
        _NEWEST_ONE.sub("newest", words).replace("among the newest", "the newest")
        if _NEWEST_ONE.search(words)
        else words
    )


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
    if fact.key == "versions" and not fact.holds and not fact.value:
        return "untagged, so `versions` does not match"
    found = ", ".join(fact.texts) if fact.key == "remove-damaged" else ""
    _, met, missed = _CONDITIONS.get(fact.key, ("", "", ""))
    return (met if fact.holds else missed).format(found or _shown(fact.key, fact.value))


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
    """Say an age beside the limit that it is over or not; in days, so that no rounding makes the two look alike."""
    age = exact_age(fact.age or timedelta())
    limit = f"{'' if fact.holds else 'not '}{_LIMITS.get(fact.key, 'within')} {fact.value}"
    return f"{age} old ({limit})" if fact.key in _LIMITS else f"deleted {age} ago ({limit})"


_LIMITS = {"older-than": "older than", "newer-than": "newer than"}


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
    SourceCause.NO_NAME: "{text} is not a name",
    SourceCause.NO_VERSION: "{text} is not a version",
    SourceCause.TOO_YOUNG: "younger than 24 hours: the git tag {text} may be still to come",
    SourceCause.OTHER_KIND: "{text} is not the name of a {kind}",
}


_STATES = {
    # Of a pull request, and of anything else.
    SourceState.EXISTS: ("is open", "exists"),
    SourceState.GONE: ("is closed", "is gone"),
}


def source_words(fact: SourceFact) -> str:
    """Say what is known of the thing in git that a tag or version is named after."""
    kind = _THINGS[fact.kind]
    name = fact.name if fact.kind is GitKind.PULL_REQUEST else quoted(fact.name or fact.text)
    if fact.state in _STATES:
        return f"{kind} {name} {_state_words(fact.kind, fact.state)}"
    return _UNKNOWN_SOURCES[fact.cause].format(
        text=quoted(fact.text), name=name, kind=kind, kinds=plural_of(fact.kind)
    )


def rule_of_source(kinds: str, *, gone: bool) -> str:
    """Say a rule on things in git: `named after a branch or pull request that is gone or is closed`."""
    named = kinds.split(", ")
    state = SourceState.GONE if gone else SourceState.EXISTS
    states = dict.fromkeys(_state_words(kind, state) for kind in named)
    return f"named after a {' or '.join(_THINGS[kind] for kind in named)} that {' or '.join(states)}"


def _state_words(kind: str, state: SourceState) -> str:
    of_pull_request, of_others = _STATES[state]
    return of_pull_request if kind == GitKind.PULL_REQUEST else of_others


def plural_of(kind: str) -> str:
    """Name several of a kind of thing in git."""
    thing = _THINGS.get(kind, kind)
    return f"{thing}es" if kind == GitKind.BRANCH else f"{thing}s"
