"""Make sentences of reasons, facts, findings and outcomes: the one place where their codes become words.

The words themselves stand in `messages.toml`; here they are chosen, filled in and put together.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from functools import cache
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from package_retention import catalogue
from package_retention.decide.expiry import KEY as EXPIRY
from package_retention.decide.in_use import Use
from package_retention.decide.source_gone import SourceCause, SourceFact, SourceState
from package_retention.escaping import counted, quoted
from package_retention.model import GitKind, Outcome
from package_retention.output.problem_sentences import as_flags
from package_retention.reason import (
    Condition,
    Fact,
    Finding,
    FindingCode,
    Reason,
    ReasonCode,
    ReasonDetail,
    Terms,
)


class Entry(Struct, frozen=True, forbid_unknown_fields=True):
    """What is said of a code; `short` counts many of a kind, `hint` says what to do."""

    sentence: str
    short: str = ""
    hint: str = ""


class ConditionWords(Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """What is said of a key of a rule: in the rule, and of a version that meets or misses it."""

    rule: str
    met: str = ""
    missed: str = ""
    met_at: str = ""
    missed_at: str = ""
    shared: str = ""


class Thing(Struct, frozen=True, forbid_unknown_fields=True):
    """What a kind of thing in git is called, and what is said of one."""

    one: str
    many: str
    exists: str
    gone: str


class Messages(Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """The catalogue of `messages.toml`."""

    reasons: dict[ReasonCode, Entry]
    details: dict[ReasonDetail, Entry]
    conditions: dict[str, ConditionWords]
    things: dict[GitKind, Thing]
    unknown_sources: dict[SourceCause, str]
    findings: dict[FindingCode, Entry]


@cache
def messages() -> Messages:
    """Return the catalogue; it is read with the first sentence."""
    return catalogue.read(Path(__file__).with_name("messages.toml"), Messages)


def _entry(reason: Reason) -> Entry:
    return messages().details[reason.detail] if reason.detail else messages().reasons[reason.code]


def reason_words(reason: Reason) -> str:
    """Say a reason in one sentence, without a full stop."""
    met, sentence = _facts(reason.facts), _entry(reason).sentence
    of_code = messages().reasons[reason.code].sentence
    match reason.code:
        case ReasonCode.SELECTED if reason.detail is None:
            kept = [_kept_words("all but the newest", reason.rule)] if reason.number else []
            return ", ".join(met + kept) or sentence
        case ReasonCode.KEEP_RULE:
            newest = [_kept_words("among the newest", reason.rule)] if reason.number else []
            return ": ".join(filter(None, (of_code, ", ".join(met + newest))))
        case ReasonCode.NOT_MATCHED | ReasonCode.REFERENCED if met:
            return ", ".join(met)
        case ReasonCode.UNKNOWN if met:
            return f"{sentence}: {', '.join(met)}"
        case ReasonCode.PARTLY_MATCHED if reason.number:
            return f"{of_code}, and it would be {_kept_words('among the newest', reason.rule)}"
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
    of_code = messages().reasons[reason.code]
    match reason.code:
        case ReasonCode.SELECTED if reason.detail is None:
            return rule or "no filter narrows the versions"
        case ReasonCode.KEEP_RULE:
            return ": ".join(filter(None, (of_code.sentence, rule)))
        case ReasonCode.NOT_MATCHED if missed:
            return _condition(missed.key).shared or fact_words(replace(missed, age=None))
        case ReasonCode.REFERENCED | ReasonCode.UNKNOWN:
            return _entry(reason).sentence
        case ReasonCode.NEWEST if reason.detail is ReasonDetail.SHARED_PLACE:
            return reason_words(replace(reason, detail=None))
        case ReasonCode.NEEDED:
            return of_code.short
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
        case (
            ReasonCode.SELECTED
            | ReasonCode.KEEP_RULE
            | ReasonCode.NOT_MATCHED
            | ReasonCode.REFERENCED
            | ReasonCode.UNKNOWN
        ):
            own = (fact for fact in reason.facts if not isinstance(fact, Condition) or fact.key in _OWN)
            return ", ".join(_facts(own))
    return ""


_OWN = frozenset({"remove-damaged", "expired"})  # what several versions of one rule may differ in


def group_words(reason: Reason) -> str:
    """Say in a few words what a reason has in common with others of its kind."""
    return _entry(reason).short or messages().reasons[reason.code].short


def rule_words(rule: Terms, *, keeps: bool = False) -> str:
    """Say a rule in its own words: `untagged, older than 7 days, all but the newest 3`."""
    conditions = messages().conditions
    words = [
        conditions[key].rule.format(value=_shown(key, value)) for key, value in rule if key in conditions
    ]
    if "min-versions-to-keep" in dict(rule):
        words.append(_kept_words("among the newest" if keeps else "all but the newest", rule))
    return ", ".join(words)


def _shown(key: str, value: str) -> str:
    """Return a key's value as a sentence has it."""
    match key:
        case "source-gone":
            return _rule_of_source(value, SourceState.GONE)
        case "source-exists":
            return _rule_of_source(value, SourceState.EXISTS)
        case "versions" | "version-range":
            return quoted(value)
    return value


def _rule_of_source(value: str, state: SourceState) -> str:
    """Say a rule on things in git: `named after a branch or pull request that is gone or is closed`."""
    kinds = [GitKind(kind) for kind in value.split(", ")]
    states = dict.fromkeys(_state_words(kind, state) for kind in kinds)
    return f"named after a {' or '.join(messages().things[kind].one for kind in kinds)} that {' or '.join(states)}"


def _state_words(kind: GitKind, state: SourceState) -> str:
    thing = messages().things[kind]
    return thing.gone if state is SourceState.GONE else thing.exists


def _kept_words(start: str, rule: Terms) -> str:
    terms = dict(rule)
    per = f" per {quoted(terms['keep-per'])}" if "keep-per" in terms else ""
    return _of_one(f"{start} {terms['min-versions-to-keep']}{per}")


_NEWEST_ONE = re.compile(r"newest 1\b(?![,.]\d)")


def _of_one(words: str) -> str:
    """Leave the number out if it is one: `the newest per `minor``, `all but the newest`."""
    if not _NEWEST_ONE.search(words):
        return words
    return _NEWEST_ONE.sub("newest", words).replace("among the newest", "the newest")


def _facts(facts: Iterable[Fact]) -> list[str]:
    return [words for fact in facts if (words := fact_words(fact))]


def fact_words(fact: Fact) -> str:
    """Say what of a version meets, or misses, one condition."""
    match fact:
        case SourceFact():
            return _source_words(fact)
        case Use():
            return f"referenced in {fact.file}:{fact.line}"
        case Condition(key="expired"):
            return _expiry_words(fact)
        case Condition():
            return _condition_words(fact)
    return ""


def _source_words(fact: SourceFact) -> str:
    """Say what is known of the thing in git that a tag or version is named after."""
    thing = messages().things[fact.kind]
    name = fact.name if fact.kind is GitKind.PULL_REQUEST else quoted(fact.name or fact.text)
    if fact.state in (SourceState.EXISTS, SourceState.GONE):
        return f"{thing.one} {name} {_state_words(fact.kind, fact.state)}"
    return (
        messages()
        .unknown_sources[fact.cause]
        .format(text=quoted(fact.text), name=name, thing=thing.one, things=thing.many)
    )


def _condition_words(fact: Condition) -> str:
    if fact.key == "versions" and not fact.holds and not fact.value:
        return "untagged, so `versions` does not match"
    words = _condition(fact.key)
    value = fact.text or _shown(fact.key, fact.value)
    if fact.age is None:
        return (words.met if fact.holds else words.missed).format(value=value)
    return (words.met_at if fact.holds else words.missed_at).format(value=value, age=_exact_age(fact.age))


def _condition(key: str) -> ConditionWords:
    return messages().conditions.get(key) or ConditionWords(rule="")


def _expiry_words(fact: Condition) -> str:
    """Say when an image expired or will, with what it says itself; nothing if that is not known."""
    if fact.holds is None:
        return ""
    if fact.text is None:
        return f"does not say when it expires ({quoted(EXPIRY)})"
    said = quoted(f"{EXPIRY}={fact.text}")
    if fact.age is None:
        return f"{said} is no duration"
    if fact.age >= timedelta():
        return f"expired {_exact_age(fact.age)} ago ({said})"
    return f"expires in {_exact_age(-fact.age)} ({said})"


def _exact_age(age: timedelta) -> str:
    """Say an age in whole days; in hours or minutes below two days."""
    if age >= timedelta(days=2):
        return counted(age.days, "day")
    if age >= timedelta(hours=1):
        return counted(age // timedelta(hours=1), "hour")
    return counted(max(age, timedelta()) // timedelta(minutes=1), "minute")


def finding_words(finding: Finding | None) -> str:
    """Say a finding in one sentence, without a full stop; empty if there is none."""
    if finding is None:
        return ""
    return _filled(messages().findings[finding.code].sentence, finding).strip()


def finding_hint(finding: Finding | None, *, by_hand: bool = False) -> str:
    """Say what to do about a finding, at a terminal in flags; empty if nothing is to be done, or if its sentence says it."""
    if finding is None:
        return ""
    words = messages().findings[finding.code].hint
    # Before it is filled: a package or tag may be called as an input is.
    return _filled(as_flags(words) if by_hand else words, finding, by_hand=by_hand)


def outcome_words(outcome: Outcome) -> str:
    """Say why a step ended as it did; empty if that needs no reason."""
    own = reason_words(outcome.reason) if outcome.reason else finding_words(outcome.message)
    return "; ".join(filter(None, (*map(finding_words, outcome.findings), own)))


def outcome_hint(outcome: Outcome, *, by_hand: bool = False) -> str:
    """Say what to do next; empty if there is nothing to do."""
    hints = (finding_hint(one, by_hand=by_hand) for one in (outcome.message, *outcome.findings))
    return next(filter(None, hints), "")


_MOST_NAMES = 10


def _filled(words: str, finding: Finding, *, by_hand: bool = False) -> str:
    """Fill in what a sentence or hint may name; what a finding does not have is empty."""
    number, about = finding.number, finding.about
    own = as_flags(finding.hint) if by_hand else finding.hint
    hint = own or finding_hint(about, by_hand=by_hand)
    capital = hint[:1].upper() + hint[1:]
    things = [messages().things[kind].many for kind in GitKind if kind in finding.names]
    # What a plan over its cap, or an output that was cut, has beside its names.
    parts = dict(zip(("of", "what", "share"), finding.others, strict=False))
    return words.format(
        subject=finding.subject,
        number=number,
        names=_listed(finding.names),
        others=_listed(finding.others),
        reason=reason_words(finding.reason) if finding.reason else "",
        error=finding.error or finding_words(about),
        hint=hint,
        Hint=capital,
        next=f". {capital}" if hint else "",
        more=f" (and {number:,} more)" if number else "",
        organizations=counted(number, "organization") if number else "some organizations",
        remaining=f"{counted(number, 'planned change')} {'remains' if number == 1 else 'remain'}",
        things=" and ".join(filter(None, (", ".join(things[:-1]), *things[-1:]))),
        **parts,
    )


def _listed(names: tuple[str, ...]) -> str:
    more = len(names) - _MOST_NAMES
    shown = ", ".join(names[:_MOST_NAMES]) or "none"
    return f"{shown} and {more:,} more" if more > 0 else shown
