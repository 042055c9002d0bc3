from __future__ import annotations

import io
import threading
from contextlib import redirect_stdout
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, strategies as st

from hostile import NAMES, names
from package_retention.errors import RetentionError
from package_retention.escaping import counted, harmless, shortened
from package_retention.model import Operation
from package_retention.output.annotations import annotate
from package_retention.output.console import MOST_ANNOTATIONS, MOST_CHARACTERS, Console
from package_retention.problems import Problem, ProblemCode as Code
from package_retention.results import RunResult

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

RUNNER = {"GITHUB_ACTIONS": "true"}


def said(console_does: str, *arguments: str, environ: Mapping[str, str] = RUNNER) -> list[str]:
    """What a fresh console prints when one of its methods is called, as lines."""
    stdout = io.StringIO()
    getattr(Console(stdout, environ), console_does)(*arguments)
    return stdout.getvalue().splitlines()


def as_the_runner_reads(line: str) -> tuple[str, str]:
    """The command of a line and its data, decoded as the runner does (facts E)."""
    assert line.startswith("::")
    command, data = line[2:].split("::", 1)
    for escape, sign in (("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        data = data.replace(escape, sign)
    return command, data


@given(names)
def test_harmless_text_is_one_printable_line_without_commands(name: str) -> None:
    text = harmless(name)
    assert text.isprintable()
    assert "::" not in text
    assert "##[" not in text
    assert harmless(text) == text


@given(st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=40))
def test_printable_text_without_commands_stays_as_it_is(text: str) -> None:
    if "::" not in text and "##[" not in text:
        assert harmless(text) == text


def test_what_cannot_be_printed_is_shown() -> None:
    assert harmless("a\r\n\x1b[31m\u202e\ud800\0") == r"a\r\n\x1b[31m\u202e\ud800\x00"
    assert harmless("::error::x ##[y") == r":\x3aerror:\x3ax #\x23[y"


@given(st.text(max_size=200), st.integers(40, 100))
def test_text_is_cut_to_its_bound_and_says_so(text: str, most: int) -> None:
    cut = shortened(text, most)
    assert len(cut) <= most
    assert cut == text or f"({len(text)} characters in all)" in cut


def test_numbers_have_their_nouns() -> None:
    assert [counted(1, "tag"), counted(1234, "tag"), counted(2, "index", "indexes")] == [
        "1 tag",
        "1,234 tags",
        "2 indexes",
    ]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("method", ["line", "warning", "error", "start_group"])
def test_no_name_forges_a_command_or_a_second_line(method: str, name: str) -> None:
    lines = said(method, f"deleted {name}")
    assert len(lines) == 1
    data = lines[0] if method == "line" else as_the_runner_reads(lines[0])[1]
    assert "\n" not in data
    assert "::" not in data
    assert "##[" not in lines[0]
    assert lines[0].isprintable()
    assert len(data) <= MOST_CHARACTERS


def test_a_line_that_begins_with_a_command_is_none() -> None:
    assert said("line", "::error::owned") == [r":\x3aerror:\x3aowned"]


def test_a_percent_sign_comes_through_a_command() -> None:
    assert as_the_runner_reads(said("warning", "50% of %0A")[0]) == ("warning", "50% of %0A")


def test_advice_is_a_second_line_of_the_same_annotation() -> None:
    (line,) = said("error", "no scope", "Add delete:packages.")
    assert as_the_runner_reads(line) == ("error", "no scope\nAdd delete:packages.")


def test_a_message_is_cut_where_the_runner_would_cut_it() -> None:
    (line,) = said("error", "x" * 10_000, "advice")
    assert len(as_the_runner_reads(line)[1]) == MOST_CHARACTERS


def test_ten_annotations_of_a_kind_and_the_rest_counted_in_one_last_line() -> None:
    stdout = io.StringIO()
    console = Console(stdout, RUNNER)
    for number in range(MOST_ANNOTATIONS + 3):
        console.warning(f"w{number}", "do this")
        console.error(f"e{number}")
    console.close()
    lines = stdout.getvalue().splitlines()
    for kind in ("warning", "error"):
        assert sum(line.startswith(f"::{kind}::") for line in lines) == MOST_ANNOTATIONS
        assert f"3 more of kind {kind} are in the log above: GitHub shows 10 of a kind." in lines
    assert "warning: w12 do this" in lines


def test_ten_annotations_need_no_last_line() -> None:
    stdout = io.StringIO()
    console = Console(stdout, RUNNER)
    for number in range(MOST_ANNOTATIONS):
        console.warning(f"w{number}")
    console.close()
    assert len(stdout.getvalue().splitlines()) == MOST_ANNOTATIONS


def test_every_problem_with_the_inputs_has_its_line() -> None:
    stdout = io.StringIO()
    problems = (
        Problem(Code.NOT_ONE_OF, "/(/", "versions", details={"choices": ("a",)}),
        Problem(Code.NOT_A_SHARE, "\n::error::x", "limit"),
    )
    annotate(RunResult(Operation.DELETE, dry_run=False, problems=problems), Console(stdout, RUNNER))
    (line,) = stdout.getvalue().splitlines()
    assert as_the_runner_reads(line)[1].split("\n") == [
        "2 problems with the inputs:",
        "- versions: `/(/` is not one of `a`",
        r"- limit: `\n:\x3aerror:\x3ax` is neither a whole number nor a percentage; write `20` or `10%`",
    ]


def test_any_other_error_has_its_advice() -> None:
    stdout = io.StringIO()
    Console(stdout, RUNNER).error("too many\nversions", "Raise fail-if-more-than.")
    assert as_the_runner_reads(stdout.getvalue().rstrip())[1] == (
        "too many\\nversions\nRaise fail-if-more-than."
    )


def test_each_line_of_a_secret_is_masked() -> None:
    assert said("mask", " one\r\n\ntwo\n") == ["::add-mask::one", "::add-mask::two"]


@pytest.mark.parametrize("environ", [{}, {"GITHUB_ACTIONS": "false"}])
def test_without_a_runner_a_secret_is_not_shown(environ: Mapping[str, str]) -> None:
    assert said("mask", "secret", environ=environ) == []


def test_debug_lines_are_for_debugging_only() -> None:
    assert said("debug", "GET /user 200", environ={"RUNNER_DEBUG": "1"}) == ["::debug::GET /user 200"]
    assert said("debug", "GET /user 200") == []


def test_only_the_given_stream_is_written_to() -> None:
    elsewhere = io.StringIO()
    with redirect_stdout(elsewhere):
        said("error", "x")
    assert elsewhere.getvalue() == ""


def test_a_stream_that_cannot_hold_a_letter_gets_its_escape() -> None:
    raw = io.BytesIO()
    stdout = io.TextIOWrapper(raw, encoding="ascii", newline="\n")
    console = Console(stdout, RUNNER)
    console.line("größer")
    console.warning("größer")
    assert raw.getvalue() == b"gr\\xf6\\xdfer\n::warning::gr\\xf6\\xdfer\n"


def test_lines_of_many_threads_stay_whole() -> None:
    stdout = io.StringIO()
    console = Console(stdout, {**RUNNER, "RUNNER_DEBUG": "1"})

    def speak(word: str) -> None:
        for _ in range(200):
            console.line(word * 20)
            console.debug(word * 20)

    threads = [threading.Thread(target=speak, args=(word,)) for word in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = {word * 20 for word in "abcd"} | {f"::debug::{word * 20}" for word in "abcd"}
    lines = stdout.getvalue().splitlines()
    assert len(lines) == 1600
    assert set(lines) == expected


def parsed(text: str) -> dict[str, str]:
    """The outputs in a file, read as the runner reads it (facts E)."""
    values: dict[str, str] = {}
    lines = text.split("\n")
    assert lines.pop() == ""
    while lines:
        name, delimiter = lines.pop(0).split("<<", 1)
        end = lines.index(delimiter)
        values[name] = "\n".join(lines[:end])
        del lines[: end + 1]
    return values


def test_outputs_come_back_as_the_runner_reads_them(tmp_path: Path) -> None:
    file = tmp_path / "output"
    file.write_text("before<<x\n1\nx\n")
    values = {"deleted-count": "3", "report-file": "a\nb<<c\n=d", "packages": '[{"name":"x"}]', "empty": ""}
    stdout = io.StringIO()
    Console(stdout, {"GITHUB_OUTPUT": str(file)}).set_outputs(values)
    assert parsed(file.read_bytes().decode()) == {"before": "1", **values}
    assert stdout.getvalue() == ""


def test_an_output_that_is_no_unicode_is_written_all_the_same(tmp_path: Path) -> None:
    file = tmp_path / "output"
    file.touch()
    Console(io.StringIO(), {"GITHUB_OUTPUT": str(file)}).set_outputs({"report-file": "\ud800"})
    assert parsed(file.read_text()) == {"report-file": r"\ud800"}


def test_outputs_that_cannot_be_written_are_told(tmp_path: Path) -> None:
    console = Console(io.StringIO(), {"GITHUB_OUTPUT": str(tmp_path)})
    with pytest.raises(RetentionError, match="outputs could not be written") as caught:
        console.set_outputs({"complete": "true"})
    assert "GITHUB_OUTPUT" in caught.value.hint


def test_without_a_runner_outputs_are_printed() -> None:
    stdout = io.StringIO()
    Console(stdout, {}).set_outputs({"complete": "true", "deleted-version-ids": "1" * 9000})
    first, second = stdout.getvalue().splitlines()
    assert first == "complete: true"
    assert len(second) < 300
