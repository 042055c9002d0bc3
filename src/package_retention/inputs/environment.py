"""Read the inputs of a run from its environment, one after the other, and collect the problems of all."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from package_retention.inputs import values
from package_retention.inputs.rows import Context
from package_retention.inputs.table import BY_NAME, INPUTS
from package_retention.model import Operation
from package_retention.problems import Detail, InvalidValueError, Problem
from package_retention.problems import ProblemCode as Code

_PREFIX = "INPUT_"
# A runner reads these two itself, and may still pass them on (facts E).
_RUNNERS_OWN = frozenset({"args", "entrypoint"})
CONTEXT = {"owner": "GITHUB_REPOSITORY_OWNER", "repository": "GITHUB_REPOSITORY"}
_HIDDEN = "***"
_SHORTEST_TOKEN = 8


def on_runner(environ: Mapping[str, str]) -> bool:
    """Whether the Actions runner started this process."""
    return environ.get("GITHUB_ACTIONS") == "true"


def requested(environ: Mapping[str, str]) -> tuple[Operation | None, bool]:
    """Return the operation (`None` if unknown) and whether it was a dry run, as far as a refused run knows them."""
    given = environ.get("INPUT_OPERATION", "").strip() or Operation.DELETE
    operation = Operation(given) if given in tuple(Operation) else None
    try:
        return operation, values.truth(environ.get("INPUT_DRY-RUN", "false"))
    except InvalidValueError:
        return operation, False


@dataclass(slots=True)
class RawInputs:
    """All inputs as text, with the problems found so far; no problem and no value shown holds the token.

    `given` holds those that are not at their default, without the token.
    """

    values: dict[str, str]
    given: dict[str, str]
    problems: list[Problem] = field(default_factory=list)

    def report(self, problem: Problem) -> None:
        """Note a problem."""
        token = self.values["token"]
        self.problems.append(problem.without(token, _HIDDEN) if len(token) >= _SHORTEST_TOKEN else problem)

    def reported(self, name: str) -> bool:
        """Whether a problem of this input was reported already."""
        return any(problem.input == name for problem in self.problems)

    def without_token(self) -> dict[str, str]:
        """Return what was given, for the report, with asterisks for a token that strayed into another input."""
        return {name: self._hide(value) for name, value in self.given.items()}

    def strayed(self) -> list[str]:
        """Return the inputs that hold the token, which belongs only into its own."""
        return [name for name, value in self.given.items() if self._hide(value) != value]

    def _hide(self, text: str) -> str:
        token = self.values["token"]
        return text.replace(token, _HIDDEN) if len(token) >= _SHORTEST_TOKEN else text


def read(environ: Mapping[str, str]) -> RawInputs:
    """Read every `INPUT_…` variable: hyphens kept, upper-cased (facts E); what is absent has its default."""
    arrived = {
        name.removeprefix(_PREFIX).lower(): value.strip()
        for name, value in environ.items()
        if name.startswith(_PREFIX)
    }
    values = {each.name: arrived.get(each.name) or _default(each.name, environ) for each in INPUTS}
    given = {
        name: value
        for name, value in values.items()
        if name != "token" and not BY_NAME[name].is_default(value, _default(name, environ))
    }
    raw = RawInputs(values, given)
    _check_names(raw, arrived)
    _check_empty(raw, arrived)
    for name in raw.strayed():
        # It would be printed in names, outputs and reports, where no runner masks it.
        raw.report(Problem.about(name, Code.HOLDS_TOKEN))
    return raw


def _default(name: str, environ: Mapping[str, str]) -> str:
    if name == "token":
        return ""
    return environ.get(CONTEXT[name], "").strip() if name in CONTEXT else BY_NAME[name].default


def _check_names(raw: RawInputs, arrived: Mapping[str, str]) -> None:
    for name in sorted(set(arrived) - set(BY_NAME) - _RUNNERS_OWN):
        raw.report(Problem(Code.UNKNOWN_INPUT, name, details=input_meant(name)))


def _check_empty(raw: RawInputs, arrived: Mapping[str, str]) -> None:
    """Report inputs that evaluated to nothing.

    A mistyped expression must not remove a protection, nor turn a reviewed plan into an unreviewed one.
    """
    for each in INPUTS:
        if arrived.get(each.name) == "" and not each.may_be_empty:
            default = "" if each.from_context else each.default
            raw.report(Problem.about(each.name, Code.EMPTY_INPUT, default=default))


IGNORE = "ignore-versions"
# The other action's input by this action's; a problem names the one that stands in the workflow.
WORDS = {each.stands_for: each.name for each in INPUTS if each.stands_for and each.name != IGNORE}


def translate(raw: RawInputs) -> dict[str, str]:
    """Return what is given, with the other action's flags and number as inputs of this one.

    `ignore-versions` stays as it is: its expression has no slashes.
    """
    given = dict(raw.given)
    for each in (each for each in INPUTS if each.stands_for and each.name in raw.given):
        if each.stands_for in raw.given:
            raw.report(
                Problem.about(each.stands_for, Code.SAME_MEANING, first=each.name, second=each.stands_for)
            )
        if not each.as_value and each.name != IGNORE:
            given.setdefault(each.stands_for, given[each.name])
        elif each.as_value and each.read(given[each.name], Context(), raw.report):
            given.setdefault(each.stands_for, each.as_value)
    return given


@dataclass(slots=True)
class InputReader:
    """The inputs of a run: `raw` as they arrived, `given` in this action's words, `files` that they name."""

    raw: RawInputs
    given: Mapping[str, str]
    context: Context
    files: dict[str, Path] = field(default_factory=dict)

    def report(self, problem: Problem) -> None:
        """Note a problem, under the name that the input was given by."""
        self.raw.report(replace(problem, input=self.called(problem.input)))

    def called(self, name: str) -> str:
        """Return the name under which an input was given: this action's, or the other one's."""
        return name if name in self.raw.given else WORDS.get(name, name)

    def value(self, name: str) -> Any:
        """Return the value of an input, given or at its default; `None` if it does not fit."""
        return self._read(name, self.raw.values[name])

    def given_value(self, name: str) -> Any:
        """Return the value of an input that is given; `None` if it is at its default, or does not fit."""
        return self._read(name, self.given[name]) if name in self.given else None

    def _read(self, name: str, text: str) -> Any:
        found = BY_NAME[name].read(text, self.context, self.report)
        if isinstance(found, Path):
            self.files[name] = found
        return found


# A name that is spelled alike may mean the contrary: `delete-tagged` is not `delete-untagged`.
_MEANINGS = frozenset(
    [
        "delete",
        "remove",
        "restore",
        "keep",
        "exclude",
        "ignore",
        "skip",
        "only",
        "tagged",
        "untagged",
        "older",
        "newer",
        "younger",
        "min",
        "max",
    ]
)
_ALIKE = 0.75
_KEYS_ALIKE = 0.6

# What other actions have and this one does not need, with the reason.
_UNNEEDED: Mapping[str, str] = {
    **dict.fromkeys(("log-level", "loglevel", "rust-log"), "debug logging of the job shows the details"),
    "timestamp-to-use": "the later of creation and update always counts",
    "scan-after-cleanup": "changes are verified as they are made",
    "upload-artifacts": "`report-file` names the file to upload",
}

_WORDS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    word: (each.name, here) for each in INPUTS for word, here in each.words.items()
}


def nearest(name: str, names: Collection[str], cutoff: float = _ALIKE) -> str | None:
    """Return the name that is spelled most alike, unless a word in it means something else."""
    meant = _MEANINGS & {*name.split("-")}
    alike = [each for each in names if meant <= {*each.split("-")}]
    return next(iter(get_close_matches(name, alike, n=1, cutoff=cutoff)), None)


def input_meant(name: str) -> dict[str, Detail]:
    """Return the details of a problem with an unknown input: `said` here, `unneeded`, `meant`, or all that are `known`."""
    plain = name.lower().replace("_", "-")
    word = plain if plain in _WORDS else nearest(plain, _WORDS)
    here = nearest(plain, BY_NAME)
    if plain in BY_NAME:
        return {"meant": plain}
    if plain in _UNNEEDED:
        return {"unneeded": _UNNEEDED[plain]}
    if word and (plain == word or not here):
        meant, said = _WORDS[word]
        return {"said": said or (meant,)}
    return {"meant": here} if here else {"known": tuple(BY_NAME)}


def key_meant(key: str, keys: Collection[str], elsewhere: tuple[str, ...]) -> dict[str, Detail]:
    """Return the details of a problem with an unknown key: where it belongs, what was meant, or all that are `known`."""
    if key in elsewhere:
        return {"elsewhere": key}
    plain = key.replace("_", "-").lower()
    if near := nearest(plain, (*keys, *elsewhere), _KEYS_ALIKE):
        return {"misplaced": near, "elsewhere": near} if near in elsewhere else {"meant": near}
    return {"known": tuple(keys), **({"input": 1} if key in BY_NAME else {})}


def has_key(key: str, keys: Collection[str]) -> bool:
    """Whether a key of a policy is among these, or one that was surely meant for it."""
    return key in keys or any(nearest(each, (key,), _KEYS_ALIKE) for each in keys)
