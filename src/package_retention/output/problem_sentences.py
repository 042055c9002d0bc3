"""Say what is wrong with inputs, where, and what to write instead: in a workflow, or as flags at a terminal.

The sentences stand in `problems.toml`. What they are about is escaped when it is put in.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from msgspec import Struct

from package_retention import catalogue
from package_retention.escaping import counted, harmless, quoted
from package_retention.inputs.table import BY_NAME
from package_retention.problems import Detail, Problem, ProblemCode

_LONGEST_PATH = 1000
# Details that are words of a sentence.
_PLAIN = frozenset(
    {"change", "character", "operation", "package_type", "rule", "shape", "types", "unneeded", "why"}
)
_BETWEEN = {"types": " and ", "said": " with "}


class Texts(Struct, frozen=True, forbid_unknown_fields=True):
    """What `problems.toml` holds; its head says how that is used."""

    sentences: dict[ProblemCode, str | dict[str, str]]
    constants: dict[str, str]
    words: dict[str, dict[str, str]]


@cache
def texts() -> Texts:
    """Return the catalogue; it is read with the first sentence."""
    return catalogue.read(Path(__file__).with_name("problems.toml"), Texts)


def sentence(problem: Problem, *, by_hand: bool = False) -> str:
    """Return what is wrong, with the place or the input before it, and advice that fits where it is read."""
    form = _form(problem, by_hand=by_hand)
    details = {name: _word(name, detail, problem) for name, detail in problem.details.items()}
    words = texts().constants | {"first": quoted(problem.input)} | details
    at = problem.at
    if by_hand and at is None:
        # Before the value is put in: that may be called as an input is.
        words = {name: as_flags(word) for name, word in words.items()}
        form = as_flags(form)
    # A path is shown whole: its end tells which file it is.
    path = f"`{harmless(problem.value, _LONGEST_PATH)}`"
    text = form.format(value=quoted(problem.value), path=path, **words)
    if problem.input and not form.startswith("{first}"):
        text = f"{problem.input}: {text}"
    if at is None:
        return text
    place = ":".join([at.file, *(str(number) for number in (at.line, at.column) if number)])
    return f"{place}: {text}"


def sentences(problems: Sequence[Problem], *, by_hand: bool = False) -> tuple[str, ...]:
    """Return a sentence for each problem."""
    return tuple(sentence(problem, by_hand=by_hand) for problem in problems)


def lines(problems: Sequence[Problem], *, by_hand: bool = False) -> tuple[str, ...]:
    """Return how many problems there are, and a line for each."""
    head = f"{counted(len(problems), 'problem')} with the inputs:"
    return (head, *(f"- {each}" for each in sentences(problems, by_hand=by_hand)))


def _form(problem: Problem, *, by_hand: bool) -> str:
    """Return the sentence with its places still empty; of several, the first that fits the problem or its reader."""
    forms = texts().sentences[problem.code]
    if isinstance(forms, str):
        return forms
    fitting = {name for name, detail in problem.details.items() if detail}
    fitting |= {"terminal" if by_hand else "workflow", "otherwise"}
    return next(form for name, form in forms.items() if name in fitting)


def _word(name: str, detail: Detail, problem: Problem) -> str:
    if isinstance(detail, int):
        return f"{detail:,}"
    if isinstance(detail, str) and (words := texts().words.get(name)):
        return words.get(detail) or words[f"not-in-{problem.details['map']}"]
    parts = (detail,) if isinstance(detail, str) else detail
    return _BETWEEN.get(name, ", ").join(map(harmless if name in _PLAIN else quoted, parts))


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
