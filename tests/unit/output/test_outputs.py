from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, strategies as st
from msgspec.structs import replace

from hostile import NAMES
from package_retention.model import Decision, Operation, Outcome, PackageType, Plan, Result, Step, StepKind
from package_retention.output.counts import count_run
from package_retention.output.outputs import MOST_BYTES, bounded
from package_retention.output.sentences import finding_words
from package_retention.reason import Reason, ReasonCode
from package_retention.results import PackageResult, RunResult
from run_results import APP, NEWEST, SELECTED, delete, met, package, result, run, version

if TYPE_CHECKING:
    from collections.abc import Mapping


OUTPUTS = (
    "selected-count",
    "deleted-count",
    "restored-count",
    "untagged-count",
    "failed-count",
    "kept-count",
    "selected-version-ids",
    "deleted-version-ids",
    "restored-version-ids",
    "failed-version-ids",
    "packages",
    "freed-bytes",
    "complete",
    "dry-run",
    "report-file",
)


def values(one: RunResult, report_file: str | None = None) -> dict[str, str]:
    """Every output of a run, by name."""
    return bounded(count_run(one), report_file)[0]


def size(outputs: Mapping[str, str]) -> int:
    """Bytes as GitHub may measure them: UTF-16 of names and values."""
    return sum(len((name + value).encode("utf-16-le")) for name, value in outputs.items())


def counts(outputs: Mapping[str, str]) -> dict[str, int]:
    return {name: int(value) for name, value in outputs.items() if name.endswith("-count")}


def ended(kind: Result, *versions: int) -> PackageResult:
    """A package of five versions, of which some are planned and all end the same way."""
    listed = [version(number) for number in range(1, 6)]
    decisions = tuple(Decision(one, one.id in versions, SELECTED) for one in listed)
    steps = tuple(delete(one, APP) for one in listed if one.id in versions)
    return PackageResult(Plan(APP, decisions, steps), tuple(Outcome(step, kind) for step in steps))


def test_every_output_of_the_contract_in_every_run() -> None:
    assert tuple(values(run())) == OUTPUTS
    assert set(values(run()).values()) == {"0", "[]", "true", "false", ""}


def test_a_deletion() -> None:
    failed = Outcome(delete(version(8, "v8"), APP), Result.FAILED, met("no"))
    outputs = values(run(result(10, goes=4, ends={8: failed})), "out/report.json")
    assert outputs == {
        "selected-count": "4",
        "deleted-count": "3",
        "restored-count": "0",
        "untagged-count": "0",
        "failed-count": "1",
        "kept-count": "7",
        "selected-version-ids": "[7,8,9,10]",
        "deleted-version-ids": "[7,9,10]",
        "restored-version-ids": "[]",
        "failed-version-ids": "[8]",
        "packages": json.dumps(
            [
                {
                    "name": "app",
                    "selected-count": 4,
                    "deleted-count": 3,
                    "restored-count": 0,
                    "untagged-count": 0,
                    "failed-count": 1,
                    "kept-count": 7,
                }
            ],
            separators=(",", ":"),
        ),
        "freed-bytes": "0",
        "complete": "true",
        "dry-run": "false",
        "report-file": "out/report.json",
    }


def test_a_dry_run_selects_and_changes_nothing() -> None:
    outputs = values(run(result(10, goes=4, dry_run=True), dry_run=True))
    assert counts(outputs) == {
        "selected-count": 4,
        "deleted-count": 0,
        "restored-count": 0,
        "untagged-count": 0,
        "failed-count": 0,
        "kept-count": 10,
    }
    assert outputs["selected-version-ids"] == "[7,8,9,10]"
    assert outputs["dry-run"] == "true"


def test_children_that_go_with_an_image_are_selected() -> None:
    child = Decision(version(2), True, Reason(ReasonCode.WITH_IMAGE, subject="v1"), root=1)
    plan = Plan(APP, (Decision(version(1, "v1"), True, SELECTED, root=1), child))
    assert values(run(PackageResult(plan)))["selected-version-ids"] == "[1,2]"


@pytest.mark.parametrize(
    ("kind", "deleted", "failed", "kept"),
    [
        (Result.DONE, 2, 0, 3),
        (Result.ALREADY, 0, 0, 3),
        (Result.REFUSED, 0, 0, 5),
        (Result.FAILED, 0, 2, 5),
        (Result.SKIPPED, 0, 0, 5),
        (Result.NOT_REACHED, 0, 0, 5),
    ],
)
def test_each_result_counts_where_it_belongs(kind: Result, deleted: int, failed: int, kept: int) -> None:
    found = counts(values(run(ended(kind, 2, 3))))
    assert (found["deleted-count"], found["failed-count"], found["kept-count"]) == (deleted, failed, kept)
    assert found["selected-count"] == 2


def test_a_package_deleted_whole_counts_its_versions() -> None:
    decisions = tuple(Decision(version(number), True, SELECTED) for number in (1, 2, 3))
    step = Step(StepKind.DELETE_PACKAGE, APP)
    whole = PackageResult(Plan(APP, decisions, (step,)), (Outcome(step, Result.DONE),))
    outputs = values(run(whole))
    assert outputs["deleted-version-ids"] == "[1,2,3]"
    assert outputs["kept-count"] == "0"


def test_tags_taken_away_are_counted_by_tag_and_only_as_far_as_they_went() -> None:
    one = version(1, "a", "b", "c")
    step = Step(StepKind.UNTAG, APP, one, tags=("a", "b"))
    plan = Plan(
        APP, (Decision(one, False, NEWEST, untag=("a", "b")), Decision(version(2), False, NEWEST)), (step,)
    )
    done = values(run(PackageResult(plan, (Outcome(step, Result.DONE, tags=("a", "b")),))))
    assert (done["untagged-count"], done["selected-count"], done["kept-count"]) == ("2", "0", "1")
    half = values(run(PackageResult(plan, (Outcome(step, Result.FAILED, met("no"), tags=("a",)),))))
    assert (half["untagged-count"], half["failed-version-ids"]) == ("1", "[1]")


def test_a_restore_counts_what_came_back_and_no_tag_as_taken_away() -> None:
    back = version(1, "a")
    steps = (
        Step(StepKind.RESTORE_VERSION, APP, back),
        Step(StepKind.RETAG, APP, version(2, "b"), tags=("b",)),
    )
    outcomes = (Outcome(steps[0], Result.DONE), Outcome(steps[1], Result.DONE, tags=("b",)))
    restored = PackageResult(Plan(APP, (Decision(back, True, SELECTED),), steps), outcomes)
    outputs = values(run(restored, operation=Operation.RESTORE))
    assert (outputs["restored-version-ids"], outputs["untagged-count"]) == ("[1]", "0")
    assert count_run(run(restored, operation=Operation.RESTORE)).total.moved == 1


def test_counts_are_over_all_packages() -> None:
    one, other = result(10, goes=4), result(5, goes=1, of=package("lib", PackageType.NPM))
    outputs = values(run(one, other))
    assert (outputs["deleted-count"], outputs["kept-count"]) == ("5", "10")
    assert [entry["name"] for entry in json.loads(outputs["packages"])] == ["app", "lib"]


def test_a_run_cut_short_is_not_complete() -> None:
    assert values(replace(run(), ended_by="time"))["complete"] == "false"


@pytest.mark.parametrize("name", NAMES)
def test_package_names_stay_inside_their_json(name: str) -> None:
    text = values(run(result(1, goes=0, of=package(name))))["packages"]
    assert text.isascii()
    assert text.isprintable()
    assert json.loads(text)[0]["name"] == name


def test_100_000_versions_stay_below_1_mb_and_say_what_was_left_out() -> None:
    base = 100_000_000
    listed = [replace(version(1, days=1), id=base + number) for number in range(100_000)]
    decisions = tuple(Decision(one, True, SELECTED) for one in listed)
    steps = tuple(delete(one, APP) for one in listed)
    failed = {one.id for one in listed[:50]}
    outcomes = tuple(
        Outcome(step, Result.FAILED if step.version and step.version.id in failed else Result.DONE)
        for step in steps
    )
    outputs, warnings = bounded(count_run(run(PackageResult(Plan(APP, decisions, steps), outcomes))))
    assert size(outputs) <= MOST_BYTES
    assert size(outputs) > MOST_BYTES * 0.99
    assert outputs["selected-count"] == "100000"
    assert outputs["deleted-count"] == "99950"
    assert json.loads(outputs["failed-version-ids"]) == sorted(failed)
    for name, all_of_them in (("selected-version-ids", 100_000), ("deleted-version-ids", 99_950)):
        left = all_of_them - len(json.loads(outputs[name]))
        assert left > 0
        assert any(
            f"{left:,} ids of {all_of_them:,} left out of the output {name}" in finding_words(told)
            for told in warnings
        )
    assert len(warnings) == 2


def test_many_packages_stay_below_1_mb() -> None:
    results = [result(1, goes=1, of=package(f"{'n' * 100}-{number}")) for number in range(10_000)]
    outputs, warnings = bounded(count_run(run(*results)))
    assert size(outputs) <= MOST_BYTES
    assert outputs["deleted-count"] == "10000"
    left = 10_000 - len(json.loads(outputs["packages"]))
    assert [
        f"{left:,} packages of 10,000 left out of the output packages" in finding_words(told)
        for told in warnings
    ] == [True]


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30), st.sampled_from(NAMES[:-1])), max_size=5),
    st.integers(1500, 20_000),
)
def test_any_bound_is_kept_and_every_list_stays_json(shapes: list[tuple[int, int, str]], most: int) -> None:
    results = [result(max(a, b), goes=min(a, b), of=package(name)) for a, b, name in shapes]
    outputs, warnings = bounded(count_run(RunResult(Operation.DELETE, False, tuple(results))), most=most)
    assert size(outputs) <= most
    whole = values(RunResult(Operation.DELETE, False, tuple(results)))
    for name in OUTPUTS:
        if whole[name].startswith("["):
            kept, of = json.loads(outputs[name]), json.loads(whole[name])
            assert kept == of[: len(kept)]
            assert (kept != of) == any(f"output {name}:" in finding_words(told) for told in warnings)
        else:
            assert outputs[name] == whole[name]
