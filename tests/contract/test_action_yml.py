"""`action.yml`, the parser's table and the outputs' names are one and the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from package_retention.errors import InputError
from package_retention.inputs.rows import Group
from package_retention.inputs.settings import read_settings
from package_retention.inputs.table import INPUTS
from package_retention.output.counts import count_run
from package_retention.output.outputs import bounded
from package_retention.problems import ProblemCode
from run_results import run

ROOT = Path(__file__).parents[2]
ACTION = cast("dict[str, Any]", yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8")))
CONTEXT = {
    "${{ github.repository_owner }}": "octo-org",
    "${{ github.repository }}": "octo-org/app",
    "${{ github.token }}": "ghs_the_jobs_own_token",
}
RUNNER = {"GITHUB_REPOSITORY_OWNER": "octo-org", "GITHUB_REPOSITORY": "octo-org/app"}


def as_a_runner_passes(**given: str) -> dict[str, str]:
    """Every declared input arrives: as given, with its default, or empty (facts E)."""
    defaults = {name: str(about.get("default", "")) for name, about in ACTION["inputs"].items()}
    values = {name: CONTEXT.get(value, value) for name, value in defaults.items()}
    values |= {name.replace("_", "-"): value for name, value in given.items()}
    return {**RUNNER, **{f"INPUT_{name.upper()}": value for name, value in values.items()}}


def test_inputs_are_those_of_the_parser_in_its_order() -> None:
    assert list(ACTION["inputs"]) == [each.name for each in INPUTS]


@pytest.mark.parametrize("each", INPUTS, ids=lambda each: each.name)
def test_defaults_are_those_of_the_parser(each: Any) -> None:
    assert ACTION["inputs"][each.name].get("default", "") == each.default


def test_defaults_are_texts() -> None:
    """YAML would turn `0`, `no` or `800` into something else, which the runner may write in another way."""
    assert all(isinstance(about.get("default", ""), str) for about in ACTION["inputs"].values())


def test_outputs_are_those_that_are_written() -> None:
    assert tuple(ACTION["outputs"]) == tuple(bounded(count_run(run()))[0])


def test_everything_is_described() -> None:
    described = [*ACTION["inputs"].values(), *ACTION["outputs"].values(), ACTION]
    assert all(about["description"].strip() for about in described)
    assert not any("\n" in about["description"] for about in described)


def test_the_image_is_a_container_that_is_called_without_arguments() -> None:
    assert ACTION["runs"] == {"using": "docker", "image": "Dockerfile"}


def test_words_of_the_other_action_default_to_none() -> None:
    words = [each for each in INPUTS if each.group is Group.OFFICIAL]
    assert len(words) == 4
    assert {each.default for each in words} == {"none"}


def test_defaults_alone_are_valid_but_for_what_is_required(tmp_path: Path) -> None:
    environ = as_a_runner_passes(package_type="npm", package_name="lib", versions="*")
    settings = read_settings(environ, tmp_path)
    assert settings.given == {"package-type": "npm", "package-name": "lib", "versions": "*"}
    assert settings.repository == "octo-org/app"
    assert settings.time_limit == 3600
    assert settings.points_per_minute == 800


def test_defaults_alone_select_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_settings(as_a_runner_passes(package_type="npm", package_name="lib"), tmp_path)
    assert [problem.code for problem in caught.value.problems] == [ProblemCode.NO_FILTER]
