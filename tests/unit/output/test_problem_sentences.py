"""The catalogue of problems, and advice as it stands at a terminal."""

from __future__ import annotations

import ast
import io
import re
import string
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

from package_retention.model import Operation
from package_retention.output.annotations import annotate
from package_retention.output.console import Terminal
from package_retention.output.problem_sentences import as_flags, sentence, texts
from package_retention.problems import Problem, ProblemCode
from package_retention.results import RunResult

SOURCE = Path(__file__).parents[3] / "src" / "package_retention"
# What is put in beside what the file says in which the problem is found, by the beginnings of codes.
ADDED = {
    "": {"value", "path", *texts().constants},
    "RANGE": {"part", "ranges"},
    "REPORT": {"line"},
    "UNKNOWN": {"said", "unneeded", "meant", "known", "misplaced", "elsewhere", "input"},
}
READERS = {"workflow", "terminal", "otherwise"}


@cache
def filled() -> dict[str, set[str]]:
    """The names that may be details in the files which name a code, by the code's name."""
    found: dict[str, set[str]] = defaultdict(set)
    for file in SOURCE.rglob("*.py"):
        nodes = [*ast.walk(ast.parse(file.read_text(encoding="utf-8")))]
        keywords = {node.arg for node in nodes if isinstance(node, ast.keyword) and node.arg}
        keys = [key for node in nodes if isinstance(node, ast.Dict) for key in node.keys if key]
        named = keywords | {ast.unparse(key).strip("'") for key in keys}
        for node in nodes:
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("Code", "ProblemCode"):
                found[node.attr] |= named
    return found


def test_every_code_has_exactly_one_entry_and_is_used() -> None:
    assert [*texts().sentences] == [*ProblemCode]
    assert {code.name for code in ProblemCode} - filled().keys() == set()


@pytest.mark.parametrize("code", ProblemCode)
def test_every_place_is_one_that_is_filled_in(code: ProblemCode) -> None:
    known = {name for start, names in ADDED.items() if code.name.startswith(start) for name in names}
    known |= filled()[code.name]
    forms = texts().sentences[code]
    if not isinstance(forms, str):
        assert forms.keys() <= known | READERS
        forms = " ".join(forms.values())
    assert {name for _, name, _, _ in string.Formatter().parse(forms) if name} <= known


def test_every_constant_and_every_list_of_words_is_used() -> None:
    assert {*texts().constants, *texts().words} <= set(re.findall(r"{(\w+)}", str(texts().sentences)))


@pytest.mark.parametrize(
    ("of_a_workflow", "at_a_terminal"),
    [
        ("Make a new plan with `dry-run: true`.", "Make a new plan with `--dry-run`."),
        ("raise `fail-if-more-than`, or use `limit`", "raise `--fail-if-more-than`, or use `--limit`"),
        ("restore it with `versions: '*'`", "restore it with `--versions '*'`"),
        ("say `repository: any`", "say `--repository any`"),
        (
            "within 30 days `operation: restore` brings it back",
            "within 30 days `--operation restore` brings it back",
        ),
        ("give `token`", "give GITHUB_TOKEN"),
        ("its scope `read:packages`, and `octo/app`", "its scope `read:packages`, and `octo/app`"),
    ],
)
def test_inputs_become_flags(of_a_workflow: str, at_a_terminal: str) -> None:
    assert as_flags(of_a_workflow) == at_a_terminal


def test_what_was_written_stays_as_it_is() -> None:
    problem = Problem(ProblemCode.NOT_A_DURATION, "limit", "older-than")
    assert sentence(problem, by_hand=True).startswith("older-than: `limit` is not a duration")
    stream = io.StringIO()
    refused = RunResult(Operation.DELETE, dry_run=False, problems=(problem,), exit_status=1)
    annotate(refused, Terminal(stream, {}, stream))
    assert "- older-than: `limit` is not a duration" in stream.getvalue()
