from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from package_retention import __version__
from package_retention.inputs import cli, environment
from package_retention.inputs.rows import Group
from package_retention.inputs.table import INPUTS
from package_retention.model import Operation
from package_retention.output.annotations import annotate
from package_retention.output.console import Console, Terminal, console_for
from package_retention.output.problem_sentences import sentences
from package_retention.problems import Problem, ProblemCode as Code
from package_retention.results import RunResult

if TYPE_CHECKING:
    from collections.abc import Mapping

    from package_retention.inputs.rows import Input

ACTION_FILE = Path(__file__).parents[3] / "action.yml"
TOKEN = {"GITHUB_TOKEN": "ghp_from_the_environment"}


def merged(*argv: str, **environ: str) -> Mapping[str, str]:
    """The environment that a call leads to."""
    stdout = io.StringIO()
    found = cli.read(argv, TOKEN | environ, stdout)
    assert not isinstance(found, int), stdout.getvalue()
    assert stdout.getvalue() == ""
    return found.environ


def told(*argv: str, **environ: str) -> tuple[int, str]:
    """The status and the words of a call that goes no further."""
    stdout = io.StringIO()
    status = cli.read(argv, environ, stdout)
    assert isinstance(status, int)
    return status, stdout.getvalue()


@pytest.mark.parametrize("each", INPUTS, ids=lambda each: each.name)
def test_every_input_is_a_flag_and_arrives_under_its_own_name(each: Input) -> None:
    name = each.name
    for argv in ((f"--{name}", "some value"), (f"--{name}=some value",)):
        assert environment.read(merged(*argv)).values[name] == "some value"


def test_help_names_and_describes_every_input() -> None:
    status, text = told("--help")
    described = yaml.safe_load(ACTION_FILE.read_text(encoding="utf-8"))["inputs"]
    flat = "".join(text.split())
    assert status == 0
    for each in INPUTS:
        value = "[VALUE]" if each.is_switch else "VALUE"
        assert f"--{each.name}{value}" in flat
        assert "".join(described[each.name]["description"].split()) in flat
    assert "Default: GITHUB_TOKEN" in text
    assert max(map(len, text.splitlines())) <= 100
    places = [text.index(f"\n{group}:") for group in Group]
    assert places == sorted(places)
    assert "Without a terminal nobody asks" in " ".join(text.split())


def test_the_three_examples_of_the_help_are_calls_that_fit() -> None:
    """Each is read and checked as if it were typed; what they name needs no request."""
    text = told("--help")[1]
    examples = text[text.index("examples:") :].replace("\n      --", " --")
    calls = [line.split()[1:] for line in examples.splitlines() if line.startswith("    package-retention ")]
    assert len(calls) == 3
    for argv in calls:
        raw = environment.read(merged(*argv))
        assert (raw.problems, raw.values["owner"]) == ([], "octo")


def test_the_help_and_the_usage_name_the_command_as_it_was_typed() -> None:
    stdout, stderr = io.StringIO(), io.StringIO()
    assert cli.read(["--help"], {}, stdout, stderr, "python entrypoint.py") == 0
    assert "    python entrypoint.py --owner octo" in stdout.getvalue()
    assert "package-retention --owner" not in stdout.getvalue()
    assert cli.read(["--nonsense"], {}, stdout, stderr, "python entrypoint.py") == 2
    assert "usage: python entrypoint.py --package-type" in stderr.getvalue()


def test_yes_is_a_flag_and_no_input() -> None:
    for argv, yes in (
        (["--owner", "o"], False),
        (["--owner", "o", "--yes"], True),
        (["-y", "--owner=o"], True),
    ):
        found = cli.read(argv, TOKEN, io.StringIO())
        assert isinstance(found, cli.Call)
        assert found.yes is yes
        assert "INPUT_YES" not in found.environ


def test_help_goes_before_everything_else() -> None:
    assert told("--nonsense", "--help") == told("-h")


def test_the_version_is_told() -> None:
    assert told("--version") == (0, f"package-retention {__version__}\n")


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--packge-name", "lib"], "--packge-name is no flag; did you mean --package-name?"),
        (["--min_versions", "3"], "--min_versions is no flag; did you mean --min-versions-to-keep?"),
        (["--xyzzy"], "--xyzzy is no flag; --help names them all."),
        (["--delete-untagged"], "did you mean --tag-status=untagged?"),
        (["--older=3d"], "did you mean --older-than?"),
        (["lib"], "'lib' belongs to no flag"),
        (["--owner"], "expected one argument"),
        (["--owner", "a", "--owner", "b"], "--owner is given 2 times"),
        ([], "No flag says what to do."),
        (["--package-type", "npm"], "There is no token: set GITHUB_TOKEN"),
        (["--\x1b[31m::error::x"], r"--\x1b[31m:\x3aerror:\x3ax is no flag"),
    ],
)
def test_flags_that_do_not_fit_end_with_2_and_the_nearest_name(argv: list[str], words: str) -> None:
    status, text = told(*argv)
    assert status == 2
    assert words in text
    assert "usage: " in text


def test_an_abbreviation_is_no_flag() -> None:
    """What is short for one input today could be short for two tomorrow."""
    assert told("--dry", **TOKEN)[0] == 2


def test_a_list_may_be_repeated() -> None:
    environ = merged("--package-name", "a", "--package-name", "b, c")
    assert environ["INPUT_PACKAGE-NAME"] == "a\nb, c"


@pytest.mark.parametrize("name", [each.name for each in INPUTS if each.is_switch])
def test_a_switch_needs_no_value_and_takes_one(name: str) -> None:
    assert merged(f"--{name}")[f"INPUT_{name.upper()}"] == "true"
    assert merged(f"--{name}", "false")[f"INPUT_{name.upper()}"] == "false"
    assert merged(f"--{name}", "--owner", "o")[f"INPUT_{name.upper()}"] == "true"


def test_minus_one_is_a_value() -> None:
    assert merged("--min-versions-to-keep", "-1")["INPUT_MIN-VERSIONS-TO-KEEP"] == "-1"


def test_what_is_given_empty_arrives_empty() -> None:
    """So that the parser refuses it as it does on a runner."""
    raw = environment.read(merged("--older-than", ""))
    assert sentences(raw.problems) == ("older-than: evaluated to nothing; write `none` if that is meant",)


def test_a_flag_wins_over_a_variable() -> None:
    environ = merged("--owner", "flag", INPUT_OWNER="variable", INPUT_VERSIONS="*")
    assert (environ["INPUT_OWNER"], environ["INPUT_VERSIONS"]) == ("flag", "*")


@pytest.mark.parametrize(
    ("argv", "environ", "token"),
    [
        ([], {}, "ghp_from_the_environment"),
        ([], {"INPUT_TOKEN": "given"}, "given"),
        (["--token", "flag"], {"INPUT_TOKEN": "given"}, "flag"),
    ],
)
def test_where_the_token_comes_from(argv: list[str], environ: dict[str, str], token: str) -> None:
    assert merged("--owner", "o", *argv, **environ)["INPUT_TOKEN"] == token


@pytest.mark.parametrize("environ", [{"GITHUB_ACTIONS": "true"}, {"INPUT_OWNER": "octo"}])
def test_without_flags_the_environment_stays_as_it_is(environ: dict[str, str]) -> None:
    """On a runner nothing but the input is the token."""
    assert cli.read([], environ | TOKEN, io.StringIO()) == cli.Call(environ | TOKEN)


def test_a_person_reads_no_commands_and_errors_on_stderr(tmp_path: Path) -> None:
    stdout, stderr = io.StringIO(), io.StringIO()
    environ = {"RUNNER_DEBUG": "1"}
    console = console_for(stdout, environ, stderr)
    assert isinstance(console, Terminal)
    console.mask("secret")
    console.debug("d")
    console.warning("w", "do this")
    console.start_group("title")
    console.line("::error::x")
    console.end_group()
    problems = (Problem(Code.TOKEN_EMPTY, input="token"), Problem(Code.NO_ENTRY, input="versions"))
    annotate(RunResult(Operation.DELETE, dry_run=False, problems=problems), console)
    console.error("r", "a")
    console.set_outputs({"deleted-count": "1"})
    console.close()
    assert stdout.getvalue().splitlines() == [
        "debug: d",
        "title",
        r":\x3aerror:\x3ax",
        "",
    ]
    assert stderr.getvalue().splitlines() == [
        "warning: w",
        "  do this",
        "error: 2 problems with the inputs:",
        "  - token: is empty; set GITHUB_TOKEN",
        "  - versions: evaluated to nothing: it has no entry",
        "error: r",
        "  a",
    ]
    named = tmp_path / "outputs"
    console_for(stdout, {"GITHUB_OUTPUT": str(named)}).set_outputs({"deleted-count": "1"})
    assert "deleted-count" in named.read_text(encoding="utf-8")


def test_a_runner_reads_commands() -> None:
    assert type(console_for(io.StringIO(), {"GITHUB_ACTIONS": "true"})) is Console
