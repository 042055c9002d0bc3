"""An organization's packages are dealt out to jobs: each once, within GitHub's limits, and never from half a list."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, strategies as st
from scripts.organization_jobs import PLAIN, Job, NoJobsError, listed, main, outputs, planned, summary

from package_retention.decide.patterns import Patterns

WORKFLOW = Path(__file__).parents[3] / ".github" / "workflows" / "organization.yml"
END = {"kind": "end", "complete": True, "exit_status": 0}


def package(name: str, number: int = 0, kind: str = "npm") -> dict[str, Any]:
    return {"kind": "package", "package": number, "type": kind, "name": name}


def lines(*values: dict[str, Any]) -> list[str]:
    return [json.dumps(value) for value in ({"kind": "run"}, *values)]


def environ(folder: Path, **more: str) -> dict[str, str]:
    files = {"GITHUB_OUTPUT": str(folder / "output"), "GITHUB_STEP_SUMMARY": str(folder / "summary")}
    return {"OWNER": "octo", "PACKAGE_TYPE": "npm", "PARALLEL": "4", "POINTS": "720", **files, **more}


def test_one_job_a_package() -> None:
    jobs = listed(lines(package("lib"), package("scope/tool"), END), "npm")
    assert jobs == [Job(0, ("lib",)), Job(1, ("scope/tool",))]


@pytest.mark.parametrize("count", [255, 256, 257, 1000])
def test_at_most_256_jobs_and_no_package_lost(count: int) -> None:
    names = [f"package-{number}" for number in range(count)]
    jobs = listed(lines(*map(package, names), END), "npm")
    assert [job.number for job in jobs] == list(range(min(count, 256)))
    assert sorted(name for job in jobs for name in job.names) == sorted(names)
    sizes = {len(job.names) for job in jobs}
    assert max(sizes) - min(sizes) <= 1


def test_no_package_is_no_job() -> None:
    assert listed(lines(END), "npm") == []


@pytest.mark.parametrize(
    "ended", [[], [END | {"complete": False}], [END | {"exit_status": 1}]], ids=["killed", "cut", "failed"]
)
def test_an_empty_list_is_believed_only_from_a_run_that_came_to_its_end(ended: list[dict[str, Any]]) -> None:
    with pytest.raises(NoJobsError, match="could not be listed"):
        listed(lines(*ended), "npm")


def test_packages_are_found_before_their_versions_and_are_all_there_when_time_ends() -> None:
    cut = lines(package("lib"), package("tool"), END | {"complete": False})
    assert [job.names for job in listed(cut, "npm")] == [("lib",), ("tool",)]


def test_another_types_packages_have_jobs_of_their_own_elsewhere() -> None:
    jobs = listed(lines(package("lib"), package("app", kind="container"), END), "npm")
    assert jobs == [Job(0, ("lib",))]


@pytest.mark.parametrize(
    "name",
    ["*", "a*", "/a/", "a/", "/a", "!a", "#a", "a,b", "a b", "a\nb", "[a]", "a?", '"a"', "^a", "ä", ""],
)
def test_a_name_that_would_mean_more_than_itself_is_left_alone(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert listed(lines(package(name), package("lib"), END), "npm") == [Job(0, ("lib",))]
    told = capsys.readouterr().out
    assert told.startswith("::warning::")
    assert told.count("\n") == 1


@pytest.mark.parametrize(
    "name", ["lib", "a/b/c", "@scope/lib", "com.example.core", "Example.Core", "a_b~c+d", "-x"]
)
def test_a_plain_name_is_taken(name: str) -> None:
    assert listed(lines(package(name), END), "npm") == [Job(0, (name,))]


def plan(*counts: int) -> list[str]:
    packages = [package(f"lib-{number}", number) for number in range(len(counts))]
    steps = [{"kind": "step", "package": number} for number, count in enumerate(counts) for _ in range(count)]
    return lines(*packages, *steps, END)


def matrix(*names: str) -> list[dict[str, Any]]:
    """The matrix that `listed` makes of one job a name, several where a name holds blanks."""
    return [Job(number, tuple(each.split())).entry("octo/npm") for number, each in enumerate(names)]


def digest(plan: list[str]) -> str:
    return hashlib.sha256("\n".join(plan).encode()).hexdigest()


def uploaded(folder: Path, plans: dict[str, list[str]]) -> Path:
    """The artifacts as they are downloaded, by their path."""
    for name, text in plans.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("\n".join(text))
    return folder


def test_plans_keep_their_jobs_number_and_what_they_change(tmp_path: Path) -> None:
    plans = {
        "retention-plan-0/plan-0.jsonl": plan(0),
        "retention-plan-1/plan-1.jsonl": plan(2, 0, 1),
        "retention-plan-3/plan-3.jsonl": plan(5),
    }
    listed_jobs = matrix("lib-0", "lib-0 lib-1 lib-2", "other", "lib-0 lib-9")
    assert planned(listed_jobs, uploaded(tmp_path, plans)) == [
        Job(1, ("lib-0", "lib-2"), {"lib-0": 2, "lib-2": 1}, digest(plan(2, 0, 1))),
        Job(3, ("lib-0",), {"lib-0": 5}, digest(plan(5))),
    ]


def test_a_plan_whose_last_line_is_cut_is_read_up_to_it(tmp_path: Path) -> None:
    cut = [*plan(2)[:-1], '{"kind": "st']
    plans = {"retention-plan-0/plan-0.jsonl": cut}
    (job,) = planned(matrix("lib-0"), uploaded(tmp_path, plans))
    assert job == Job(0, ("lib-0",), {"lib-0": 2}, digest(cut))


@pytest.mark.parametrize(
    "path",
    [
        "retention-plan-7/plan-7.jsonl",  # no such job was listed
        "retention-plan-1/plan-0.jsonl",
        "retention-plan-0/other.jsonl",
        "retention-plan-00/plan-0.jsonl",
        "plan-0.jsonl",
    ],
)
def test_an_artifact_that_only_looks_like_a_plan_makes_no_job(path: str, tmp_path: Path) -> None:
    assert planned(matrix("lib-0", "lib-1"), uploaded(tmp_path, {path: plan(3)})) == []


def test_a_plan_that_names_a_package_of_another_job_is_refused_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plans = {f"retention-plan-{number}/plan-{number}.jsonl": plan(1, 1) for number in (0, 1)}
    jobs = planned(matrix("lib-0", "lib-0 lib-1"), uploaded(tmp_path, plans))
    assert jobs == [Job(1, ("lib-0", "lib-1"), {"lib-0": 1, "lib-1": 1}, digest(plan(1, 1)))]
    assert capsys.readouterr().out == '::warning::Plan 0 is left out: "lib-1" is not a package of its job\n'


@pytest.mark.parametrize(
    ("jobs", "parallel", "points", "expected"),
    [
        (3, 4, 720, ("3", "240")),
        (10, 4, 720, ("4", "180")),
        (256, 256, 720, ("144", "5")),  # as many as can pay for a change
        (1, 4, 720, ("1", "720")),
        (0, 4, 720, ("1", "720")),
        (9, 0, 720, ("1", "720")),
    ],
)
def test_points_are_divided_and_never_exceeded(
    jobs: int, parallel: int, points: int, expected: tuple[str, str]
) -> None:
    found = outputs([Job(n, (f"lib-{n}",)) for n in range(jobs)], "octo/npm", parallel, points)
    assert (found["parallel"], found["points"]) == expected
    assert int(expected[0]) * int(expected[1]) <= points


def test_an_entry_names_its_packages_among_all_runs() -> None:
    def entry(scope: str, *names: str) -> dict[str, Any]:
        return Job(0, names).entry(scope)

    one = entry("octo/npm", "lib")
    assert one == {
        "number": 0,
        "names": "lib",
        "expression": "lib",
        "label": "lib",
        "key": one["key"],
        "digest": "",
    }
    assert entry("octo/npm", "a", "b", "c")["label"] == "a and 2 more"
    keys = [
        entry("octo/npm", "lib"),
        entry("octo/nuget", "lib"),
        entry("octo/npm", "tool"),
        entry("octo/npm", "lib", "b"),
    ]
    assert len({each["key"] for each in keys}) == 4
    assert Job(5, ("lib",)).entry("octo/npm")["key"] == one["key"]


NAME = st.text(st.sampled_from("abXZ09_@~+./-"), min_size=1, max_size=8).filter(PLAIN.fullmatch)
NAMES = st.lists(NAME, min_size=1, max_size=4, unique=True)
STEPS = yaml.safe_load(WORKFLOW.read_text("utf-8"))["jobs"]["apply"]["steps"]
(PACKAGE_NAME,) = (step["with"]["package-name"] for step in STEPS if "package-name" in step.get("with", {}))
CALLERS = ("*", "!a*", "*, !a*", "a*, /b/, Z", "/^[a-c]/i", "!*/*, !X?")


@given(NAMES, NAMES, st.sampled_from(CALLERS))
def test_what_applies_is_of_the_callers_patterns_only_what_the_list_job_gave(
    names: list[str], others: list[str], caller: str
) -> None:
    """The pattern of the workflow's Apply job, as it stands there, means both conditions."""
    expression = Job(0, tuple(names)).entry("")["expression"]
    text = PACKAGE_NAME.replace("${{ inputs.package-name }}", caller).replace(
        "${{ matrix.expression }}", expression
    )
    both, asked = Patterns.parse(text), Patterns.parse(caller)
    for name in (*names, *others):
        assert both.matches(name) == (name in names and asked.matches(name))


def test_a_matrix_that_no_output_takes_is_refused() -> None:
    jobs = [Job(n, ("x" * 2_000,)) for n in range(256)]
    with pytest.raises(NoJobsError, match="say fewer"):
        outputs(jobs, "octo/npm", 4, 720)


def test_the_summary_counts_all_and_shows_the_first_thousand() -> None:
    names = {f"lib-{number:04}": 2 for number in range(1_001)}
    told = summary([Job(0, tuple(names), names)])
    assert told.startswith("### Planned changes: 2,002, packages: 1,001\n")
    assert told.count("| `lib-") == 1_000
    assert "| and 1 more | |" in told
    assert summary([]) == "### Nothing is to be changed\n"


def test_the_commands_write_what_the_workflow_reads(tmp_path: Path) -> None:
    report = tmp_path / "packages.jsonl"
    report.write_text("\n".join(lines(package("a"), package("b"), END)))
    assert main("listed", report, environ(tmp_path)) == 0
    written = dict(line.split("=", 1) for line in (tmp_path / "output").read_text().splitlines())
    assert [each["names"] for each in json.loads(written["matrix"])] == ["a", "b"]
    assert (written["parallel"], written["points"]) == ("2", "360")
    plans = uploaded(tmp_path / "plans", {"retention-plan-1/plan-1.jsonl": plan(3)})
    (tmp_path / "output").unlink()
    assert main("planned", plans, environ(tmp_path, LISTED=json.dumps(matrix("lib", "lib-0")))) == 0
    written = dict(line.split("=", 1) for line in (tmp_path / "output").read_text().splitlines())
    assert [each["number"] for each in json.loads(written["matrix"])] == [1]
    assert "Planned changes: 3, packages: 1" in (tmp_path / "summary").read_text()


def test_nothing_planned_anywhere_is_an_empty_matrix(tmp_path: Path) -> None:
    assert main("planned", tmp_path / "no-such-folder", environ(tmp_path, LISTED="[]")) == 0
    assert "matrix=[]\n" in (tmp_path / "output").read_text()


@pytest.mark.parametrize("missing", ["no report", "half a report"])
def test_without_a_trustworthy_list_the_job_fails(
    missing: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "packages.jsonl"
    if missing == "half a report":
        report.write_text("\n".join(lines()))
    assert main("listed", report, environ(tmp_path)) == 1
    assert capsys.readouterr().out.startswith("::error::No jobs were made: ")
    assert not (tmp_path / "output").exists()
