"""Sentences about problems of inputs: what is wrong, where, and what to write instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from package_retention.escaping import counted, harmless, quoted
from package_retention.model import Operation, PackageType
from package_retention.output.flags import as_flags
from package_retention.problems import ProblemCode as Code

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from package_retention.problems import Detail, Problem

_DURATIONS = "`90s`, `15min`, `36h`, `30d`, `2w`, `6 months`, `1 year`, `P30D`"
_DIGEST = "`sha256:` and 64 hexadecimal digits, or a whole reference like `ghcr.io/owner/app@sha256:…`"
_PLACES = "the workspace and the runner's temporary folder"
_RANGES: Mapping[str, str] = {
    PackageType.MAVEN: "`[1.0,2.0)`, `[1.0,)`, `(,1.0],[1.2,)`, or `1.0` for exactly that one",
    PackageType.NUGET: "`[1.0,2.0)`, `[1.0]`, `1.0` (that or later), `1.*`, `1.0.0-beta.*`",
    PackageType.RUBYGEMS: "`~> 1.2`, `>= 1.0, < 2.0`, `!= 1.3.0`, `1.2.3`",
}
_NPM_RANGES = "`^1.2`, `~1.2.3`, `1.x`, `>=1.0.0 <2.0.0`, `1.2 - 2.3`, `^1 || ^3`"
# `{value}` and details are put between backticks, escaped; numbers are written plainly.
_SENTENCES: Mapping[Code, str] = {
    Code.UNKNOWN_INPUT: "{value} is not an input{hint}",
    Code.NO_FILTER: "no filter: every {hint}",
    Code.SOURCE_GONE_NEEDS: "`source-gone` needs `versions` (other than `*`) or `exclude-versions`: what was never named"
    " after anything would count as gone",
    Code.EXPIRED_NEEDS: "`expired` needs `versions`, `tag-status` or `exclude-versions`: labels are inherited from base"
    " images",
    Code.EMPTY_INPUT: "evaluated to nothing;{hint} if that is meant",
    Code.MISSING_TYPE: "is missing; add the line `package-type: container` to `with:` (or {others})",
    Code.MISSING_NAME: "is missing; add the line {line} to `with:`, with the name of the package",
    Code.NOT_TAKEN: "{first} and {second}: {operation} does not take it",
    Code.BESIDE_POLICY: "{first} and `policy-file`: the file's rules say which versions; beside it only {beside} count",
    Code.SAME_MEANING: "{first} and {second} mean the same; give only {second}",
    Code.NEVER_TOGETHER: "{first} and {second} never match together: {cause}",
    Code.NEEDS_MINIMUM: "says how `min-versions-to-keep` counts, which is not given; set it to 1 or more",
    Code.OTHER_TYPES: "is for {types} packages, not for {other}",
    Code.NOT_IN_POLICY: "is for {types} packages, and the policy file names none",
    Code.HOLDS_TOKEN: "contains the token, which belongs only in `token`",
    Code.REPOSITORY_NOT_KNOWN: "is not known here, and a wildcard in `package-name` reaches only packages linked to it;"
    " write `owner/name`, or `any` for all packages of the owner",
    Code.SAME_FILE: "{first} and {second} are the same file ({value}), and one would overwrite the other; give them"
    " different names",
    Code.NOT_A_LIST: "takes one value, not a list",
    Code.NO_ENTRY: "evaluated to nothing: it has no entry",
    Code.NOT_ONE_OF: "{value} is not one of {choices}",
    Code.NOT_A_COUNT: "{value} is not a whole number of at least {least}",
    Code.NOT_A_SHARE: "{value} is neither a whole number nor a percentage; write `20` or `10%`",
    Code.NOT_A_BOOLEAN: "{value} is neither `true` nor `false`",
    Code.NOT_A_SERIES: "{value} is neither `major` nor `minor`, nor a regular expression like `/^(v\\d+)/`",
    Code.NO_GROUP: "{value} has no group; the first group names the series, like `/^(v\\d+)/`",
    Code.WORD_IN_LIST: "{value} cannot stand beside other entries (for something that is really named so, write {instead})",
    Code.DIGEST_NOT_HERE: "{value} is a digest, which {package_type} packages do not have",
    Code.DIGEST_COMPANION: "{value} is a digest, which companion tags do not have",
    Code.NAME_IS_REFERENCE: "{value} is an image reference; write the name of the package without registry and owner",
    Code.ID_IS_JSON: "{value} is JSON; write `${{{{ join(fromJSON(…), ',') }}}}`",
    Code.ID_OF_GRAPHQL: "{value} is a GraphQL id; the REST id is a whole number",
    Code.NOT_AN_ID: "{value} is not an id of a version; an id is a whole number, a tag or digest goes to `versions`",
    Code.NEGATED_GLOB: "{value} excludes files, which globs of files cannot do",
    Code.LATEST_COMPANION: "`latest` is never a companion tag",
    Code.SLASHES_TAKEN_LITERALLY: "{value} has slashes around it, which that action takes literally; leave them out",
    Code.NO_OWNER: "is not known here; name the organization or user that owns the packages",
    Code.NOT_AN_OWNER: "{value} is not an organization or user; write only its login, like `octo-org`",
    Code.NOT_A_REPOSITORY: "{value} is not a repository; write `owner/name`, or `any` for all packages of the owner",
    Code.NOT_A_URL: "{value} is not a URL with `https://` and a host; write it like {example}",
    Code.CLEAR_TEXT: "{value} would send the token unencrypted; write {instead}",
    Code.NO_TIME: "{value} leaves no time to run; write `none` for no limit",
    Code.TOKEN_EMPTY: "evaluated to nothing; leave it out for the job's own token, or name a secret that exists here"
    " (runs for forks and Dependabot see none)",
    Code.TOKEN_BLANKS: "has blanks or line ends inside: two tokens, or more than the token, were given",
    Code.TOKEN_CHARACTERS: "has characters that no HTTP header can carry: it was copied wrongly",
    Code.TOKEN_REFRESHES: "is a refresh token (`ghr_`), which only serves to get another token; give a token like"
    " `${{{{ github.token }}}}`",
    Code.NOT_A_DURATION: "{value} is not a duration; write {durations}",
    Code.DURATION_UNIT: "{value} has the unit {unit}; write {durations}",
    Code.DURATION_NO_UNIT: "{value} has no unit; write days ({days}), hours ({hours}) or another",
    Code.DURATION_AMBIGUOUS: "{value} may mean minutes or months; write {minutes} or {months}",
    Code.DURATION_NEGATIVE: "{value} is negative; write {durations}",
    Code.DURATION_ISO: "{value} is not an ISO 8601 duration; write {durations}",
    Code.DURATION_TOO_LONG: "{value} is longer than 1,000 years",
    Code.DURATION_PART_OF_MONTH: "{value} has a part of a month, which has no fixed length; write it in days",
    Code.DURATION_NOT_FIXED: "{value} has months or years, which have no fixed length; write it in days, hours or minutes",
    Code.PATTERN_EMPTY: "{value} is empty; `!` stands before what it excludes, like `!v1*`, and `/v1/` matches"
    " every text that contains v1",
    Code.PATTERN_LONG: "{value} has more than {most} characters",
    Code.PATTERN_INVISIBLE: "{value} has an invisible character ({character}); type the entry again",
    Code.PATTERN_QUOTES: "{value} has quotes, which belong to YAML; write it without them",
    Code.PATTERN_NEGATED_TWICE: "{value} has two `!`; one excludes matches, like `!v1*`",
    Code.PATTERN_ONE_SLASH: "{value} has a slash at one end only; a regular expression stands between two, like `/^v1/`",
    Code.PATTERN_FLAG: "{value} has the flag {flag}; a regular expression takes `i`, `m` and `s`, like `/v1/i`",
    Code.PATTERN_EXPRESSION: "{value} is not a regular expression: {why}",
    Code.PATTERN_COSTLY: "{value} repeats a repetition too often ({size} steps, {most} are allowed); write smaller numbers",
    Code.PATTERN_LIKE_DIGEST: "{value} looks like a digest; a digest is {digest}",
    Code.PATTERN_NOT_A_DIGEST: "{value} is not a digest; a digest is {digest}, or a glob like `sha256:ab12*`",
    Code.PATTERN_NOT_A_REFERENCE: "{value} is not a whole reference; a digest is {digest}",
    Code.PATTERN_NAME_AND_VERSION: "{value} has an `@`, which joins a name and a version; names and versions have inputs"
    " of their own",
    Code.PATTERN_LIKE_RANGE: "{value} looks like a range of versions, which `version-range` takes",
    Code.PATTERN_LIKE_EXPRESSION: "{value} contains {mark}, so it looks like a regular expression; write it between slashes:"
    " {instead} (a glob uses `*`, `?` and `[…]`)",
    Code.PATTERN_BLANK: "{value} has a blank; write one entry a line, or commas between them",
    Code.PATTERN_COMMA: "{value} has a comma; in a YAML list, each entry stands alone",
    Code.PATTERN_COLON: "{value} has a colon, which no name, version or tag has; write a tag without its image, a digest"
    " as {digest}, and a Maven package as `group.artifact`",
    Code.PATTERN_BRACKET: "{value} has a bracket that is not closed; a glob's set is `[…]`, like `v[12].*`",
    Code.PATTERN_EMPTY_SET: "{value} has the set {set}, which holds nothing: {first} comes after {last}",
    Code.RANGE_TOO_LONG: "{value} is longer than {most} characters; write ranges like {ranges}",
    Code.RANGE_NOT_A_RANGE: "{value}: {part} is not a range; write ranges like {ranges}",
    Code.RANGE_NO_VERSION: "{value}: {part} is not a version in a range; write ranges like {ranges}",
    Code.RANGE_ONE_VERSION: "{value}: {part} names one version, which stands in square brackets; write ranges like"
    " {ranges}",
    Code.RANGE_REVERSED: "{value}: {part} ends before it begins; write ranges like {ranges}",
    Code.RANGE_OVERLAP: "{value}: its intervals overlap or do not ascend; write ranges like {ranges}",
    Code.RANGE_EMPTY_ALTERNATIVE: "{value}: an alternative beside `||` is empty; write `*` for every release, and ranges"
    " like {ranges}",
    Code.RANGE_STAR: "{value}: {part} has its `*` where NuGet does not take one; write ranges like {ranges}",
    Code.RANGE_TOO_LARGE: "{value} has a number over {most}, which npm refuses",
    Code.FILE_CHARACTER: "{value} has a character that no path should have",
    Code.FILE_PARENT: "{value} has `..` in it; name the file by its path inside {places}",
    Code.FILE_OUTSIDE: "{value} lies outside {places}",
    Code.FILE_IS_FOLDER: "{value} is a folder; name a file in it",
    Code.FILE_NOT_REGULAR: "{value} is not a regular file; name a file",
    Code.FILE_NOT_A_FOLDER: "{value} is not a folder",
    Code.FILE_LINK: "{value} is a symbolic link, which could lead anywhere; name the file itself",
    Code.FILE_HARD_LINK: "{value} has another name (a hard link), and that file would be overwritten; name a file of its"
    " own",
    Code.FILE_NO_FOLDER: "{value} needs the folder {folder}, which does not exist; create it in an earlier step",
    Code.FILE_NOT_THERE: "{value} does not exist; check out the repository before this step",
    Code.FILE_UNREADABLE: "{value} cannot be opened: {why}",
    Code.FILE_TOO_LARGE: "{value} is larger than {most} bytes",
    Code.FILE_NO_TEXT: "{value} is not a text in UTF-8, or in UTF-16 with a byte-order mark",
    Code.FILE_NOT_PARSED: "{value} cannot be parsed: {why}",
    Code.GLOB_OUTSIDE: "{value} leaves the workspace; write a path below it",
    Code.GLOB_UNMATCHED: "{value} matches no file",
    Code.GLOB_IS_FOLDER: "{value} is a folder; write a glob of files, like `deploy/**/*.yaml`",
    Code.GLOBS_TOO_MANY: "{value} match more than {most} files; name them more closely",
    Code.GLOBS_TOO_MUCH: "{value} match files of more than {most} bytes in all; name them more closely",
    Code.GLOBS_WITHOUT_REFERENCE: "{value} hold no reference at all; is a listing empty?",
    Code.EMPTY_REPORT: "{value} is empty: the run that wrote it ended before it began",
    Code.REPORT_TOO_LARGE: "{report}: it is larger than {most} bytes, or a line is",
    Code.REPORT_NOT_JSON: "{report}: it is not JSON",
    Code.REPORT_OTHER_SCHEMA: "{report}: its schema is not {schema}, the one that this version of the action reads",
    Code.REPORT_WITHOUT_HEADER: "{report}: a report begins with its one line of kind run",
    Code.REPORT_OTHER_PACKAGE: "{report}: package {number} was another one before",
    Code.REPORT_STEP_MISPLACED: "{report}: step {number} was there before, or its package is not there",
    Code.REPORT_STEP_UNFIT: "{report}: a step of kind {change} with a version missing, or one too many",
    Code.REPORT_NO_STEP: "{report}: step {number} is not there",
    Code.REPORT_LINE_UNFIT: "{report}: {why}",
    Code.NOT_UTF8: "is not UTF-8; save the file as UTF-8",
    Code.NOT_YAML: "is not YAML: {why}",
    Code.NOT_YAML_STAR: "is not YAML: {why}; a text that begins with `*` goes between quotes, like `'*'`",
    Code.NOT_YAML_TAB: "is not YAML: {why}; YAML is indented by blanks, never by tabs",
    Code.YAML_ESCAPE: "is not YAML after this place: an escape sequence or number is out of range",
    Code.YAML_CHARACTER: "has the character {character}, which YAML does not allow",
    Code.YAML_EMPTY: "is empty; a policy begins with `packages:`",
    Code.YAML_DIRECTIVE: "begins with a directive (`%…`), which no policy needs; leave it out",
    Code.YAML_DOCUMENTS: "begins a second document; a policy is one, so write all under one `packages:`",
    Code.YAML_DEPTH: "is nested too deeply: lists and maps of a policy hold one another 6 deep at most",
    Code.YAML_LONG_TEXT: "is a text of {size} characters; at most {most} are allowed, so use a list",
    Code.YAML_ANCHOR: "has the anchor {value}; write out what it stands for",
    Code.YAML_ALIAS: "{value} is an alias in YAML; write out what it stands for (a text that begins with `*` goes"
    " between quotes, like {instead})",
    Code.YAML_TAG: "has the tag {value}; every value is a text as it is (one that begins with `!` goes between quotes,"
    " like `'!v1*'`)",
    Code.YAML_SIZE: "is more than a policy may hold ({most} values)",
    Code.YAML_KEY: "is a list or map in the place of a key",
    Code.YAML_MERGE: "is a merge key; write out what it stands for",
    Code.YAML_DUPLICATE: "{value} appears twice; the first is in line {line}",
    Code.MORE_PROBLEMS: "has {number} more problems",
    Code.NOT_A_MAP: "{map} is a map with the keys {keys}",
    Code.UNKNOWN_KEY: "{value} is not a key of {map}{hint}",
    Code.MISSING_KEY: "this package has no {key}; say which packages its rules are for",
    Code.MISSING_LIST: "{key} is missing; it is {list}",
    Code.NOT_A_FULL_LIST: "{key} has no entry, or is not a list; it is {list}",
    Code.RULE_WITHOUT_CONDITION: "this {rule} rule would {rule} every version; add a condition, like `older-than: 30d`",
    Code.KEEPS_NOTHING: "keeps nothing with this number; leave it out if every match is to stay",
    Code.EMPTY_LIST: "is an empty list; leave the key out, or name an entry",
    Code.EMPTY_TEXT: "is empty; leave the key out, or write its value",
    Code.NOT_A_TEXT: "has a {shape} where a text belongs (globs with `[…]` go between quotes)",
    Code.POLICY_HAS_NO_TYPE: "the policy file {file} has no {type} packages",
    Code.POLICY_REACHES_NOT: "no entry of the policy file {file} reaches {value}",
}

# What a person at a terminal does instead of what a workflow takes.
_BY_HAND: Mapping[Code, str] = {
    Code.MISSING_TYPE: "is missing; add `--package-type container` (or {others})",
    Code.MISSING_NAME: "is missing; add `--package-name`, with the name of the package",
    Code.TOKEN_EMPTY: "is empty; set GITHUB_TOKEN",
    Code.FILE_NO_FOLDER: "{value} needs the folder {folder}, which does not exist; create it first",
    Code.FILE_NOT_THERE: "{value} does not exist; paths are relative to the current folder",
}
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
    form = _BY_HAND.get(problem.code) if by_hand else None
    words = _words(problem)
    report = f"{value} is not a report of this action: line {words.get('line')}"
    text = (form or _SENTENCES[problem.code]).format(value=_VALUE, report=report, **words)
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
        advice = (
            "a report only narrows what the inputs select, so repeat the inputs of the step that wrote it"
        )
    elif given:
        advice = f"{quoted(given)} does not say which; add for example `{_FITTING[given]}`"
    else:
        advice = "add for example `num-old-versions-to-delete: 1`"
    return f"version would go; {advice}"


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
