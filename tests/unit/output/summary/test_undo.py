from __future__ import annotations

import pytest
from msgspec.structs import replace

from hostile import NAMES
from markdown_page import steps_to_paste
from package_retention.model import Decision, Operation, Outcome, PackageType, Plan, Result, Step, StepKind
from package_retention.output.summary.undo import action_reference
from package_retention.results import PackageResult
from run_results import ABOUT, APP, SELECTED, WITH_REPORT, package, render, result, run, version


def test_the_way_back_by_report() -> None:
    lib = package("@scope/lib", PackageType.NPM)
    (container, npm) = steps_to_paste(render(run(result(10, goes=4), result(3, goes=1, of=lib)), WITH_REPORT))
    assert container == {
        "uses": "octo/package-retention@v1",
        "with": {
            "operation": "restore",
            "owner": "octo",
            "package-type": "container",
            "package-name": "app\n",
            "from-report": "out/report.json",
        },
    }
    assert npm["with"]["package-name"] == "@scope/lib\n"  # type: ignore[index]


def test_the_way_back_by_ids() -> None:
    (step,) = steps_to_paste(render(run(result(10, goes=4)), ABOUT))
    assert step["with"] == {
        "operation": "restore",
        "owner": "octo",
        "package-type": "container",
        "package-name": "app\n",
        "package-version-ids": "7, 8, 9, 10",
    }


def test_too_many_ids_to_paste_are_counted() -> None:
    text = render(run(result(500, goes=201)), ABOUT)
    assert "```yaml" not in text
    assert "201 ids are too many to paste; the output `deleted-version-ids` has them all." in text
    assert "`deleted-within` (for example `2h`) brings back everything that anybody deleted" in text
    by_hand = render(run(result(500, goes=201)), replace(ABOUT, uses=None))
    assert "201 ids are too many to paste. `operation: restore` with" in by_hand


def test_an_action_of_the_same_repository_is_checked_out_first() -> None:
    text = render(run(result(10, goes=4)), replace(ABOUT, uses="./"))
    assert 0 < text.index("- uses: actions/checkout@") < text.index("- uses: ./")
    assert "contents: read" in text


def test_a_whole_package_comes_back_whole() -> None:
    step = Step(StepKind.DELETE_PACKAGE, APP)
    plan = Plan(APP, (Decision(version(1), True, SELECTED),), (step,))
    text = render(run(PackageResult(plan, (Outcome(step, Result.DONE),))), ABOUT)
    assert steps_to_paste(text)[0]["with"]["versions"] == "*"  # type: ignore[index]
    assert text.startswith("## Deleted 1 of 1 version (1 package whole) in octo/app (container)")


def test_a_restore_is_undone_by_deleting_what_came_back() -> None:
    step = Step(StepKind.RESTORE_VERSION, APP, version(5, "v5"))
    plan = Plan(APP, (Decision(version(5, "v5"), True, SELECTED),), (step,))
    restored = run(PackageResult(plan, (Outcome(step, Result.DONE),)), operation=Operation.RESTORE)
    text = render(restored, ABOUT)
    assert text.startswith("## Restored 1 of 1 deleted version in octo/app (container)")
    assert steps_to_paste(text)[0]["with"]["operation"] == "delete"  # type: ignore[index]


@pytest.mark.parametrize("name", NAMES)
def test_the_way_back_evaluates_nothing(name: str) -> None:
    text = render(run(result(2, goes=1, of=package(name))), replace(ABOUT, report_file=f"{name}.json"))
    (step,) = steps_to_paste(text)
    assert "${{" not in str(step)
    assert set(step["with"]) <= {  # type: ignore[call-overload]
        "operation",
        "owner",
        "package-type",
        "package-name",
        "repository",
        "from-report",
    }


@pytest.mark.parametrize(
    ("environ", "uses"),
    [
        ({"GITHUB_ACTION_REPOSITORY": "o/r", "GITHUB_ACTION_REF": "v1"}, "o/r@v1"),
        ({"GITHUB_ACTION_REPOSITORY": "o/r/sub", "GITHUB_ACTION_REF": "a/b"}, "o/r/sub@a/b"),
        ({"GITHUB_ACTION_REPOSITORY": "o/r", "GITHUB_ACTION_REF": "v1\nwith:"}, "./"),
        ({}, "./"),
    ],
)
def test_the_action_is_called_as_it_was(environ: dict[str, str], uses: str) -> None:
    assert action_reference(environ) == uses
