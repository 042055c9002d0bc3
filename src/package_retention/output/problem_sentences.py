"""Say what is wrong with inputs, where, and what to write instead: in a workflow, or as flags at a terminal."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping, Sequence

from package_retention.escaping import counted, harmless, quoted
from package_retention.inputs.table import BY_NAME
from package_retention.model import Operation, PackageType
from package_retention.output.problem_templates import BY_HAND, SENTENCES
from package_retention.problems import Detail, Problem
from package_retention.problems import ProblemCode as Code

_DURATIONS = "`90s`, `15min`, `36h`, `30d`, `2w`, `6 months`, `1 year`, `P30D`"
_DIGEST = "`sha256:` and 64 hexadecimal digits, or a whole reference like `ghcr.io/owner/app@sha256:…`"
_PLACES = "the workspace and the runner's temporary folder"
_RANGES: Mapping[str, str] = {
    PackageType.MAVEN: "`[1.0,2.0)`, `[1.0,)`, `(,1.0],[1.2,)`, or `1.0` for exactly that one",
    PackageType.NUGET: "`[1.0,2.0)`, `[1.0]`, `1.0` (that or later), `1.*`, `1.0.0-beta.*`",
    PackageType.RUBYGEMS: "`~> 1.2`, `>= 1.0, < 2.0`, `!= 1.3.0`, `1.2.3`",
}
_NPM_RANGES = "`^1.2`, `~1.2.3`, `1.x`, `>=1.0.0 <2.0.0`, `1.2 - 2.3`, `^1 || ^3`"
_CAUSES = {
    "untagged": "an untagged image has no tag; leave one of them out",
    "no-tag-to-remove": "an untagged image has no tag that could be removed; leave `untag` out",
    "excluded": "what the one selects, the other excludes; leave one of them out",
    "ages": "what is that old is never that new; exchange the two durations, or leave one out",
}
_MAPS = {
    "policy": "a policy",
    "package": "a package",
    "delete": "a delete rule",
    "keep": "a keep rule",
}
_RULES = "a list of rules, each a map like `- versions: pr-*`"
_LISTS = {
    "packages": "a list of packages, each with `type`, `name` and `delete`",
    "keep": _RULES,
    "delete": _RULES,
}
_ELSEWHERE = {
    "package-type": "write `type`, beside the rules",
    "package-name": "write `name`, beside the rules",
    "companion-tags": "write it beside the rules",
    "limit": "it is an input of the step, and binds all rules together",
    "deleted-within": "it is for `operation: restore`, which takes no policy file",
    "keep-referenced-in": "it is an input of the step; a keep rule has `referenced-in`",
    "newer-than": "it is for keep rules; a delete rule has `older-than`",
    "source-exists": "it is for keep rules; a delete rule has `source-gone`",
    "source-gone": "it is for delete rules; a keep rule has `source-exists`",
}
# A filter that fits what was given in its place.
_FITTING = {
    "untag": "versions: pr-*",
    "companion-tags": "versions: pr-*",
    "exclude-versions": "older-than: 30d",
    "keep-referenced-in": "older-than: 30d",
    "delete-package": "older-than: 30d",
}
_CONSTANTS = {"durations": _DURATIONS, "digest": _DIGEST, "places": _PLACES}
_VALUE = "\0"  # where what was written goes: it may be called as an input is
_LONGEST_PATH = 1000
_OF_PATHS = frozenset(
    {code for code in Code if code.name.startswith("FILE_")}
    | {code for code in Code if code.name.startswith("REPORT_")}
    | {Code.EMPTY_REPORT, Code.SAME_FILE}
)
# These sentences say of which inputs they are.
_NAME_THE_INPUT = frozenset(
    {
        Code.NOT_TAKEN,
        Code.BESIDE_POLICY,
        Code.SAME_MEANING,
        Code.SAME_FILE,
        Code.NEVER_TOGETHER,
        Code.SOURCE_GONE_NEEDS,
        Code.EXPIRED_NEEDS,
    }
)
# Details that are words of a sentence.
_PLAIN = frozenset({"why", "change", "package_type", "rule", "operation", "shape", "character"})


def sentence(problem: Problem, *, by_hand: bool = False) -> str:
    """Return what is wrong, with the place or the input before it, and advice that fits where it is read."""
    # A path is shown whole: its end tells which file it is.
    value = (
        f"`{harmless(problem.value, _LONGEST_PATH)}`" if problem.code in _OF_PATHS else quoted(problem.value)
    )
    form = BY_HAND.get(problem.code) if by_hand else None
    words = _words(problem)
    report = f"{value} is not a report of this action: line {words.get('line')}"
    text = (form or SENTENCES[problem.code]).format(value=_VALUE, report=report, **words)
    if by_hand and problem.at is None:
        text = as_flags(text)
    text = text.replace(_VALUE, value)
    subject = f"{problem.input}: " if problem.input and problem.code not in _NAME_THE_INPUT else ""
    at = problem.at
    if at is None:
        return f"{subject}{text}"
    place = ":".join([at.file, *(str(number) for number in (at.line, at.column) if number)])
    return f"{place}: {subject}{text}"


def sentences(problems: Sequence[Problem], *, by_hand: bool = False) -> tuple[str, ...]:
    """Return a sentence for each problem."""
    return tuple(sentence(problem, by_hand=by_hand) for problem in problems)


def lines(problems: Sequence[Problem], *, by_hand: bool = False) -> tuple[str, ...]:
    """Return how many problems there are, and a line for each."""
    head = f"{counted(len(problems), 'problem')} with the inputs:"
    return (head, *(f"- {each}" for each in sentences(problems, by_hand=by_hand)))


def _words(problem: Problem) -> dict[str, str]:
    words = {name: _word(name, detail) for name, detail in problem.details.items()}
    ranges = _RANGES.get(str(problem.details.get("type")), _NPM_RANGES)
    hint = _HINTS[problem.code](problem.details) if problem.code in _HINTS else ""
    entries = _LISTS.get(str(problem.details.get("key")), "")
    return {**_CONSTANTS, "ranges": ranges, "hint": hint, "list": entries, **words}


def _word(name: str, detail: Detail) -> str:
    if name == "types" and isinstance(detail, tuple):
        return " and ".join(detail)
    if isinstance(detail, tuple):
        return ", ".join(map(quoted, detail))
    if isinstance(detail, int):
        return f"{detail:,}"
    if name == "map":
        return _MAPS[detail]
    if name == "cause":
        return _CAUSES.get(detail, detail)
    return harmless(detail) if name in _PLAIN else quoted(detail)


def _hint_for_input(details: Mapping[str, Detail]) -> str:
    if said := details.get("said"):
        return f"; here it is {_joined(said)}"
    if unneeded := details.get("unneeded"):
        return f"; it is not needed: {unneeded}"
    if meant := details.get("meant"):
        return f"; did you mean {_word('', meant)}?"
    return f"; the inputs are {_word('', details['known'])}"


def _hint_for_key(details: Mapping[str, Detail]) -> str:
    elsewhere = str(details.get("elsewhere", ""))
    other = "keep" if details["map"] == "delete" else "delete"
    why = _ELSEWHERE.get(elsewhere, f"it is for {other} rules") if elsewhere else ""
    if meant := details.get("meant"):
        return f"; did you mean {_word('', meant)}{f' ({why})' if why else ''}?"
    if why:
        return f"; {why}"
    return f"; {'it is an input of the step; ' if details.get('input') else ''}the keys are {_word('', details['known'])}"


def _hint_for_filter(details: Mapping[str, Detail]) -> str:
    given = str(details.get("given", ""))
    if details["operation"] == Operation.RESTORE:
        return "deleted version would come back; add for example `deleted-within: 3d`"
    if given == "from-report":
        hint = "a report only narrows what the inputs select, so repeat the inputs of the step that wrote it"
    elif given:
        hint = f"{quoted(given)} does not say which; add for example `{_FITTING[given]}`"
    else:
        hint = "add for example `num-old-versions-to-delete: 1`"
    return f"version would go; {hint}"


def _joined(said: Detail) -> str:
    return " with ".join(map(quoted, said)) if isinstance(said, tuple) else quoted(str(said))


def _hint_for_empty(details: Mapping[str, Detail]) -> str:
    default = details.get("default")
    return f" write {_word('', default)}" if default else " leave it out"


_HINTS: Mapping[Code, Callable[[Mapping[str, Detail]], str]] = {
    Code.EMPTY_INPUT: _hint_for_empty,
    Code.UNKNOWN_INPUT: _hint_for_input,
    Code.UNKNOWN_KEY: _hint_for_key,
    Code.NO_FILTER: _hint_for_filter,
}


_INPUT = re.compile(r"`([a-z][a-z-]+)(?:: ([^`]*))?`")


def as_flags(text: str) -> str:
    """Return a text with its inputs as flags: `dry-run: true` becomes `--dry-run`, `limit: 3` becomes `--limit 3`."""
    return _INPUT.sub(_flag, text)


def _flag(found: re.Match[str]) -> str:
    name, value = found.groups()
    if name not in BY_NAME:
        return found[0]
    if name == "token":
        return "GITHUB_TOKEN"
    if value in (None, "true"):
        return f"`--{name}`"
    return f"`--{name} {shlex.quote(value.strip(chr(39)))}`"
