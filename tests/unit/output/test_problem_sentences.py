"""Advice as it stands at a terminal."""

from __future__ import annotations

import pytest

from package_retention.output.problem_sentences import as_flags, sentence
from package_retention.problems import Problem, ProblemCode


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
