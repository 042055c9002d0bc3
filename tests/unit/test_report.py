from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, strategies as st
from jsonschema import Draft202012Validator
from msgspec.structs import replace

from clocks import FakeClock
from hostile import NAMES
from package_retention.errors import InputError, RetentionError
from package_retention.inputs.report_reader import read
from package_retention.inputs.settings import Settings
from package_retention.model import (
    Decision,
    Operation,
    Outcome,
    Package,
    PackageType,
    Plan,
    Result,
    Step,
    StepKind,
    Version,
)
from package_retention.output.counts import count_run
from package_retention.output.problem_sentences import sentences
from package_retention.output.report_writer import ReportWriter
from package_retention.reason import Finding, FindingCode, Reason, ReasonCode
from package_retention.results import PackageResult, Spending
from run_results import NOW, OCTO, SELECTED, delete, listed, met, package, result, run, version

if TYPE_CHECKING:
    from package_retention.inputs.report_reader import Report

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "report.schema.json").read_text())
SETTINGS = Settings(
    Operation.DELETE,
    "octo",
    (),
    "ghs_secret",
    repository="octo/app",
    given={"package-name": "app", "token": "ghs_secret"},
)
APP = package()


def written(
    path: Path, *packages: PackageResult, settings: Settings = SETTINGS, ended: bool = True
) -> list[dict[str, Any]]:
    """Write a report as a run would, and give its lines."""
    writer = opened(path, settings)
    for one in packages:
        writer.planned(one.plan)
    for one in packages:
        for outcome in one.outcomes:
            writer.starting(outcome.step)
            writer.finished(outcome)
    if ended:
        writer.close(count_run(run(*packages)))
    return lines_of(path)


def opened(path: Path, settings: Settings = SETTINGS, clock: FakeClock | None = None) -> ReportWriter:
    writer = ReportWriter(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), clock or FakeClock(NOW))
    writer.open(settings, {"run_id": "7"})
    return writer


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def steps_of(report: Report) -> list[tuple[int | None, bool, bool]]:
    """Each step as (version id, done, in doubt)."""
    return [
        (one.version.id if one.version else None, one.done, one.in_doubt)
        for package in report.packages
        for one in package.steps
    ]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "report.json"


def everything() -> PackageResult:
    """A package with one of everything."""
    of = Package(OCTO, PackageType.CONTAINER, "app", "https://x", "private", "octo/app", 9, NOW, NOW)
    one = Version(1, "sha256:" + "a" * 64, NOW, NOW, NOW, ("v1", "v2"), "https://y")
    child, other = version(2), version(3, "keep", "drop")
    steps = (
        Step(StepKind.DELETE_VERSION, of, one, root=1),
        Step(StepKind.DELETE_VERSION, of, child, after=frozenset({1}), root=1),
        Step(StepKind.UNTAG, of, other, tags=("drop", "gone")),
        Step(StepKind.DELETE_PACKAGE, of),
    )
    decisions = (
        Decision(one, True, SELECTED, root=1),
        Decision(child, True, Reason(ReasonCode.WITH_IMAGE, subject="v1"), root=1),
        Decision(other, False, Reason(ReasonCode.PARTLY_MATCHED), root=3, untag=("drop", "gone")),
    )
    outcomes = (
        Outcome(steps[0], Result.DONE),
        Outcome(steps[1], Result.REFUSED, met("more than 5,000 downloads", "Ask GitHub.")),
        Outcome(steps[2], Result.FAILED, met("the second could not be moved"), tags=("drop",)),
        Outcome(steps[3], Result.NOT_REACHED, met("cancelled")),
    )
    warning = Finding(FindingCode.LAST_TAG_STAYS, "v1")
    problem = Finding(FindingCode.MANIFEST_UNREAD, "v2", error="500")
    return PackageResult(Plan(of, decisions, steps, (warning,), (problem,)), outcomes)


def test_every_line_fits_the_published_schema(path: Path) -> None:
    one = everything()
    writer = opened(path, dataclasses.replace(SETTINGS, repository=None, dry_run=True))
    writer.planned(one.plan)
    for outcome in one.outcomes:
        writer.starting(outcome.step)
        writer.finished(outcome)
    failed = PackageResult(Plan(package("lib")), failure=met("Package not found.", "Look."))
    ended = replace(
        run(one, failed, listed(package("other"))),
        ended_by="cancel",
        failure=met("f", "a"),
        warnings=(met("w"),),
        exit_status=143,
        spending=Spending(1, 2, 3, 4.5, 6.7),
    )
    writer.close(count_run(ended))
    lines = lines_of(path)
    validator = Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)
    for line in lines:
        validator.validate(line)
    # No run has anything to note beside its plans and outcomes; a reader still knows the kind.
    assert {line["kind"] for line in lines} | {"note"} == {
        ref["$ref"].rsplit("/", 1)[1] for ref in SCHEMA["oneOf"]
    }


@pytest.mark.parametrize(
    "line",
    [
        {},
        {"kind": "other"},
        {"kind": "starting", "step": -1, "at": "2026-11-01T12:00:00Z"},
        {"kind": "starting", "step": 1, "at": "2026-11-01T12:00:00Z", "more": 1},
        {"kind": "outcome", "step": 1, "result": "perhaps", "at": "2026-11-01T12:00:00Z"},
    ],
)
def test_the_schema_refuses_what_is_no_line(line: dict[str, Any]) -> None:
    assert not Draft202012Validator(SCHEMA).is_valid(line)


def test_the_header_holds_the_inputs_without_the_token(path: Path) -> None:
    header, *_ = written(path)
    assert header == {
        "kind": "run",
        "schema": 1,
        "operation": "delete",
        "dry_run": False,
        "created_at": "2026-11-01T12:00:00Z",
        "server": "https://github.com",
        "owner": "octo",
        "repository": "octo/app",
        "runner": {"run_id": "7"},
        "inputs": {"package-name": "app"},
    }
    assert "ghs_secret" not in path.read_text()


def test_what_was_written_is_read_back(path: Path) -> None:
    one = everything()
    lines = written(path, one, result(4, goes=1, of=package("lib", PackageType.NPM)))
    assert [line.get("after", []) for line in lines if line["kind"] == "step"] == [[], [1], [], [], []]
    assert lines[-1]["kind"] == "end"
    report = read(path)
    assert (report.run.operation, report.run.dry_run, report.run.created_at) == (Operation.DELETE, False, NOW)
    assert (report.run.server, report.run.owner, report.run.repository) == (
        "https://github.com",
        "octo",
        "octo/app",
    )
    assert report.run.inputs == {"package-name": "app"}
    app, lib = report.packages
    assert (lib.package.type, lib.package.name, len(lib.steps)) == (PackageType.NPM, "lib", 1)
    for said, outcome in zip(app.steps, one.outcomes, strict=True):
        step = outcome.step
        assert (said.kind, said.tags, said.root) == (step.kind, step.tags, step.root)
        if step.version:
            assert said.version
            assert (said.version.id, said.version.name, said.version.tags) == (
                step.version.id,
                step.version.name,
                step.version.tags,
            )
        assert said.outcome
        assert (said.outcome.result, said.outcome.tags, said.started) == (outcome.result, outcome.tags, True)


def test_a_dry_run_has_a_plan_and_no_outcomes(path: Path) -> None:
    written(path, result(10, goes=2, dry_run=True), settings=dataclasses.replace(SETTINGS, dry_run=True))
    report = read(path)
    assert report.run.dry_run
    assert steps_of(report) == [(9, False, False), (10, False, False)]


def test_a_change_without_an_outcome_is_in_doubt(path: Path) -> None:
    one = result(10, goes=3)
    writer = opened(path)
    writer.planned(one.plan)
    writer.starting(one.plan.steps[0])
    writer.finished(one.outcomes[0])
    writer.starting(one.plan.steps[1])
    report = read(path)
    assert steps_of(report) == [(8, True, False), (9, False, True), (10, False, False)]
    assert lines_of(path)[-1]["kind"] == "starting"


def test_a_step_that_no_plan_named_is_written_first(path: Path) -> None:
    writer = opened(path)
    writer.planned(result(2, goes=1).plan)
    writer.starting(delete(version(77), APP))
    assert [line["kind"] for line in lines_of(path)][-2:] == ["step", "starting"]
    assert steps_of(read(path)) == [(2, False, False), (77, False, True)]


def test_a_second_wave_of_the_same_package_goes_on(path: Path) -> None:
    writer = opened(path)
    first, second = version(1), version(2)
    writer.planned(Plan(APP, steps=(delete(first, APP),)))
    writer.planned(Plan(APP, steps=(delete(first, APP), delete(second, APP))))
    writer.finished(Outcome(delete(second, APP), Result.DONE))
    report = read(path)
    assert len(report.packages) == 1
    assert steps_of(report) == [(1, False, False), (2, True, False)]


def test_cut_anywhere_a_report_still_reads_and_never_claims_too_much(path: Path) -> None:
    one = everything()
    written(path, one)
    whole = path.read_bytes()
    all_done = {step for step, done, _ in steps_of(read(path)) if done}
    header = whole.index(b"\n")
    for cut in range(header, len(whole) + 1):
        path.write_bytes(whole[:cut])
        report = read(path)
        assert {step for step, done, _ in steps_of(report) if done} <= all_done
        before = whole[:cut].count(b'{"kind":"starting"')
        ended = whole[: whole[:cut].rfind(b"\n") + 1].count(b'{"kind":"outcome"')
        doubtful = sum(doubt for _, _, doubt in steps_of(report))
        assert before - ended - 1 <= doubtful <= before


def test_what_the_report_says_was_started_is_on_disk_before_the_change(path: Path) -> None:
    writer = opened(path)
    writer.planned(Plan(APP, steps=(delete(version(1), APP),)))
    writer.starting(delete(version(1), APP))
    assert lines_of(path)[-1]["kind"] == "starting"


@pytest.mark.parametrize("name", NAMES)
def test_hostile_names_come_back_as_they_went(path: Path, name: str) -> None:
    of = Package(OCTO, PackageType.CONTAINER, name)
    step = Step(StepKind.DELETE_VERSION, of, Version(1, name, tags=(name,)))
    plan = Plan(
        of,
        (Decision(Version(1, name, tags=(name,)), True, Reason(ReasonCode.WITH_IMAGE, subject=name)),),
        (step,),
    )
    written(path, PackageResult(plan, (Outcome(step, Result.DONE, met(name, name)),)))
    (reported,) = read(path).packages
    assert reported.package.name == name
    assert reported.steps[0].version == Version(1, name, tags=(name,))
    assert path.read_bytes().isascii()


def test_a_full_disk_stops_the_next_change_and_not_the_end() -> None:
    clock = FakeClock(NOW)
    writer = ReportWriter(os.open("/dev/full", os.O_WRONLY), clock)
    with pytest.raises(RetentionError, match="No space left") as caught:
        writer.open(SETTINGS, {})
    assert "report-file" in caught.value.hint
    writer.finished(Outcome(delete(version(1), APP), Result.DONE))
    with pytest.raises(RetentionError, match="No further change"):
        writer.starting(delete(version(2), APP))
    writer.close(count_run(run()))
    assert writer.failure == "No space left on device"


def test_100_000_versions(path: Path) -> None:
    written(path, result(100_000, goes=20_000))
    report = read(path)
    assert sum(done for _, done, _ in steps_of(report)) == 20_000
    assert path.stat().st_size < 50_000_000


# Reading what is none


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read(path)
    (problem,) = caught.value.problems
    assert (problem.input, problem.value) == ("from-report", str(path))
    return sentences((problem,))[0]


HEADER = (
    '{"kind":"run","schema":1,"operation":"delete","dry_run":false,"created_at":"2026-11-01T12:00:00Z",'
    '"server":"https://github.com","owner":"octo","inputs":{}}\n'
)
PACKAGE = '{"kind":"package","package":0,"owner":"octo","owner_kind":"user","type":"npm","name":"lib"}\n'
STEP = '{"kind":"step","step":0,"package":0,"change":"delete-version","version":{"id":1,"name":"1.0"}}\n'


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "is empty"),
        ("{", "is empty"),
        ("{\n", "line 1: it is not JSON"),
        ("[]\n", "line 1: Expected `object`, got `array`"),
        ("\x00\x01\n", "line 1: it is not JSON"),
        (PACKAGE, "line 1: a report begins"),
        (HEADER * 2, "line 2: a report begins"),
        (HEADER.replace('"schema":1', '"schema":2'), "its schema is not 1, the one that this version"),
        (HEADER.replace('"schema":1', '"schema":true'), "Expected `int`, got `bool` - at `$.schema`"),
        (HEADER.replace("delete", "erase"), "Invalid enum value 'erase' - at `$.operation`"),
        (
            HEADER.replace("2026-11-01T12:00:00Z", "yesterday"),
            "Invalid RFC3339 encoded datetime - at `$.created_at`",
        ),
        (HEADER.replace("12:00:00Z", "12:00:00"), "timezone component - at `$.created_at`"),
        (HEADER.replace('"inputs":{}', '"inputs":[]'), "Expected `object`, got `array` - at `$.inputs`"),
        (HEADER + '{"kind":"other"}\n', "line 2: Invalid value 'other' - at `$.kind`"),
        (HEADER + '{"kind":["run"]}\n', "line 2: Expected `str`, got `list` - at `$.kind`"),
        (HEADER + STEP, "step 0 was there before, or its package is not there"),
        (HEADER + PACKAGE + STEP + STEP, "line 4: step 0 was there before"),
        (HEADER + PACKAGE + PACKAGE.replace("lib", "other"), "package 0 was another one before"),
        (HEADER + PACKAGE + STEP.replace("delete-version", "delete-package"), "one too many"),
        (
            HEADER + PACKAGE + STEP.replace('"id":1', '"id":"1"'),
            "Expected `int`, got `str` - at `$.version.id`",
        ),
        (
            HEADER + PACKAGE + STEP.replace('"name":"1.0"', '"name":"1.0","tags":[1]'),
            "Expected `str`, got `int` - at `$.version.tags[0]`",
        ),
        (HEADER + '{"kind":"starting","step":5}\n', "step 5 is not there"),
        (
            HEADER + PACKAGE + STEP + '{"kind":"outcome","step":0,"result":"perhaps"}\n',
            "Invalid enum value 'perhaps' - at `$.result`",
        ),
        (HEADER + "[" * 100_000 + "\n", "line 2"),
        (HEADER + '{"kind":"note","n":' + "9" * 5000 + "}\n", "line 2"),
    ],
)
def test_what_is_no_report_is_refused_with_its_line(path: Path, content: str, why: str) -> None:
    path.write_text(content)
    assert why in refusal(path)


def test_no_file_a_folder_and_no_text_are_refused(path: Path, tmp_path: Path) -> None:
    assert "cannot be opened: No such file" in refusal(path)
    assert "cannot be opened: Is a directory" in refusal(tmp_path)
    path.write_bytes(b"\xff\xfe\n")
    assert "line 1" in refusal(path)


def test_a_file_that_is_too_large_is_refused(path: Path) -> None:
    written(path, result(10, goes=4))
    with pytest.raises(InputError) as caught:
        read(path, most=500)
    assert "it is larger than 500 bytes" in sentences(caught.value.problems)[0]


@given(
    st.lists(
        st.sampled_from(
            [HEADER, PACKAGE, STEP, '{"kind":"end"}\n', "{", "\n", '{"kind":"starting","step":0}\n']
        )
    )
)
def test_whatever_lines_there_are_reading_ends_with_a_report_or_a_refusal(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    path = tmp_path_factory.mktemp("report") / "r"
    path.write_text("".join(lines))
    try:
        report = read(path)
    except InputError as error:
        assert error.problems[0].input == "from-report"  # noqa: PT017 - either end is right
    else:
        assert lines[0] == HEADER
        assert report.run.owner == "octo"
