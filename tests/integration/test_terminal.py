"""The action called by a person at a terminal: the plan, the question, and what an answer leads to."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from emulator.terminal import call

if TYPE_CHECKING:
    from pathlib import Path

    from emulator.server import EmulatedGitHub
    from emulator.world import World

SELECT = ("--owner", "octo", "--package-type", "npm", "--package-name", "lib", "--min-versions-to-keep", "2")
QUESTION = "Delete 3 of 5 versions in octo/lib (npm)? [y/N] "


def test_yes_carries_out_the_plan_that_was_shown(
    github: EmulatedGitHub, world: World, tmp_path: Path
) -> None:
    shown = call(github, tmp_path, *SELECT, answer="y\n")
    plan, question, end = shown.text.partition(QUESTION)
    assert (shown.status, question) == (0, QUESTION)
    assert all(f"1.{number}.0" in plan for number in range(5))
    assert "among the newest 2" in plan
    assert "Deleted 3 of 5 versions in octo/lib (npm)" in end
    assert "python -m package_retention --operation restore" in end
    (lib,) = world.packages
    assert [version.name for version in lib.versions.values() if version.deleted_at is None] == [
        "1.3.0",
        "1.4.0",
    ]


@pytest.mark.parametrize(
    "answer", ["n\n", "\n", "yep\n", "\x04"], ids=["no", "enter", "other", "end of input"]
)
def test_any_other_answer_changes_nothing_and_ends_with_1(
    github: EmulatedGitHub, world: World, tmp_path: Path, answer: str
) -> None:
    before = world.snapshot()
    shown = call(github, tmp_path, *SELECT, answer=answer)
    assert shown.status == 1
    assert "Nothing was changed: the answer was not yes" in shown.text
    assert world.snapshot() == before


def test_what_cannot_be_handled_is_said_before_the_question_and_is_no_part_of_it(
    github: EmulatedGitHub, tmp_path: Path
) -> None:
    shown = call(github, tmp_path, *SELECT, "--package-name", "gone", answer="n\n")
    plan, question, _ = shown.text.partition(QUESTION)
    assert question
    assert "cannot get octo/gone (npm)" in plan


def test_a_cancel_ends_the_question(github: EmulatedGitHub, world: World, tmp_path: Path) -> None:
    before = world.snapshot()
    shown = call(github, tmp_path, *SELECT, answer=lambda process: os.kill(process, signal.SIGINT))
    assert shown.status == 130
    assert world.snapshot() == before


@pytest.mark.parametrize(
    ("flags", "variables"),
    [(("--yes",), {}), ((), {"GITHUB_ACTIONS": "true"}), (("--dry-run",), {})],
    ids=["yes", "a runner", "a dry run"],
)
def test_nobody_is_asked(
    github: EmulatedGitHub, tmp_path: Path, flags: tuple[str, ...], variables: dict[str, str]
) -> None:
    shown = call(github, tmp_path, *SELECT, *flags, variables=variables)
    assert shown.status == 0
    assert "[y/N]" not in shown.text


def test_nothing_to_do_is_no_question(github: EmulatedGitHub, tmp_path: Path) -> None:
    shown = call(github, tmp_path, *SELECT[:-1], "5")
    assert shown.status == 0
    assert "[y/N]" not in shown.text
    assert "Nothing was deleted" in shown.text


def test_colour_is_for_who_wants_it(github: EmulatedGitHub, tmp_path: Path) -> None:
    coloured, plain = "\x1b[36m", "\x1b["
    assert coloured in call(github, tmp_path, *SELECT, "--dry-run").raw
    without = call(github, tmp_path, *SELECT, "--dry-run", variables={"NO_COLOR": "1"}).raw
    assert coloured not in without
    assert plain not in without.replace("\x1b[1m", "").replace("\x1b[2m", "").replace("\x1b[0m", "")


def test_a_token_that_is_not_accepted_is_replaced_where_it_was_set(
    github: EmulatedGitHub, tmp_path: Path
) -> None:
    shown = call(github, tmp_path, *SELECT, variables={"GITHUB_TOKEN": "ghp_" + "x" * 36})
    assert shown.status == 1
    assert "set GITHUB_TOKEN to a new token" in shown.text
    assert "secret" not in shown.text


def test_bad_input_is_an_error_in_the_persons_words(github: EmulatedGitHub, tmp_path: Path) -> None:
    shown = call(github, tmp_path, "--owner", "octo", "--older-than", "5m")
    assert shown.status == 2
    assert "error:" in shown.text
    assert "with:" not in shown.text
    assert "--package-type" in shown.text
