"""Read the inputs of a run from its environment, one after the other, and collect the problems of all.

A name that is no input is reported with what was meant: by other actions' words first, then by spelling.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from package_retention.inputs import values
from package_retention.inputs.rows import Input
from package_retention.inputs.table import BY_NAME, INPUTS
from package_retention.inputs.values import Context
from package_retention.model import Operation
from package_retention.problems import Detail, InvalidValueError, Problem, ProblemCode as Code

_PREFIX = "INPUT_"
# A runner reads these two itself, and may still pass them on (facts E).
_RUNNERS_OWN = frozenset({"args", "entrypoint"})
IGNORE = "ignore-versions"
_OFFICIAL = tuple(each for each in INPUTS if each.stands_for)
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
        return operation, values.truth(environ.get("INPUT_DRY-RUN", "false"), Context())
    except InvalidValueError:
        return operation, False


@dataclass(slots=True)
class InputReader:
    """The inputs of a run, with the problems found so far and the files that were named; no problem shows the token.

    `values` holds all inputs as text. `written` are those that are not at their default, without the token; `given` are
    these and what they mean in this action's words.
    """

    values: dict[str, str]
    written: dict[str, str]
    given: dict[str, str]
    context: Context = field(default_factory=Context)
    problems: list[Problem] = field(default_factory=list)
    files: dict[str, Path] = field(default_factory=dict)

    def note(self, problem: Problem) -> None:
        """Note a problem."""
        self.problems.append(problem.with_texts(self.without_token))

    def report(self, problem: Problem) -> None:
        """Note a problem, under the name that the input was given by."""
        self.note(problem.of(self.called(problem.input)))

    def called(self, name: str) -> str:
        """Return the name under which an input was given: this action's, or the other one's."""
        others = (each.name for each in _OFFICIAL if each.stands_for == name and each.name in self.written)
        return name if name in self.written else next(others, name)

    def without_token(self, text: str) -> str:
        """Return a text with asterisks for a token that strayed into it."""
        token = self.values["token"]
        return text.replace(token, _HIDDEN) if len(token) >= _SHORTEST_TOKEN else text

    def value(self, name: str) -> Any:
        """Return the value of an input, given or at its default; `None` if it does not fit."""
        text = self.given.get(name, self.values[name])
        found = BY_NAME[name].read(text, self.context, self.report)
        if isinstance(found, Path):
            self.files[name] = found
        return found

    def given_value(self, name: str) -> Any:
        """Return the value of an input that is given; `None` if it is at its default, or does not fit."""
        return self.value(name) if name in self.given else None


def read(environ: Mapping[str, str]) -> InputReader:
    """Read every `INPUT_…` variable: hyphens kept, upper-cased (facts E); what is absent has its default."""
    arrived = {
        name.removeprefix(_PREFIX).lower(): value.strip()
        for name, value in environ.items()
        if name.startswith(_PREFIX)
    }
    defaults = {each.name: _default(each, environ) for each in INPUTS}
    values = {name: arrived.get(name) or default for name, default in defaults.items()}
    written = {
        name: value
        for name, value in values.items()
        if name != "token" and not BY_NAME[name].is_default(value, defaults[name])
    }
    reader = InputReader(values, written, dict(written))
    for name in sorted(arrived.keys() - BY_NAME.keys() - _RUNNERS_OWN):
        reader.note(Problem(Code.UNKNOWN_INPUT, name, details=input_meant(name)))
    _check_empty(reader, arrived)
    for name, value in written.items():
        if reader.without_token(value) != value:
            # It would be printed in names, outputs and reports, where no runner masks it.
            reader.note(Problem.about(name, Code.HOLDS_TOKEN))
    _translate(reader)
    return reader


def _default(row: Input, environ: Mapping[str, str]) -> str:
    if row.name == "token":
        return ""  # only a call by hand takes it from its variable (`cli`)
    return environ.get(row.variable, "").strip() if row.variable else row.default


def _check_empty(reader: InputReader, arrived: Mapping[str, str]) -> None:
    """Report inputs that evaluated to nothing.

    A mistyped expression must not remove a protection, nor turn a reviewed plan into an unreviewed one.
    """
    for each in INPUTS:
        if arrived.get(each.name) == "" and not each.may_be_empty:
            default = "" if each.variable else each.default
            reader.note(Problem.about(each.name, Code.EMPTY_INPUT, default=default))


def _translate(reader: InputReader) -> None:
    """Give the other action's flags and number the names and values that they have here.

    `ignore-versions` stays as it is: its expression has no slashes.
    """
    for each in _OFFICIAL:
        name, value = each.stands_for, reader.written.get(each.name)
        if value is None:
            continue
        if name in reader.written:
            reader.note(Problem.about(name, Code.SAME_MEANING, first=each.name, second=name))
        if each.as_value:
            if each.read(value, reader.context, reader.note):
                reader.given.setdefault(name, each.as_value)
        elif each.name != IGNORE:
            reader.given.setdefault(name, value)


# A name that is spelled alike may mean the contrary: `delete-tagged` is not `delete-untagged`.
_ACTIONS = {"delete", "remove", "restore", "keep", "exclude", "ignore", "skip"}
_VERSIONS = {"only", "tagged", "untagged", "older", "newer", "younger", "min", "max"}
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
    meant = (_ACTIONS | _VERSIONS) & {*name.split("-")}
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
