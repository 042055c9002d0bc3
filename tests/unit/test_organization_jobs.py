"""An organization's packages are dealt out to jobs: each once, within GitHub's limits, and never from half a list."""

import json
from pathlib import Path
from typing import Any

import pytest
from scripts.organization_jobs import Job, NoJobsError, listed, main, outputs, planned, summary

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


def test_plans_keep_their_jobs_number_and_what_they_change() -> None:
    jobs = planned({3: plan(2, 0, 1), 1: plan(0), 7: plan(5)})
    assert jobs == [
        Job(3, ("lib-0", "lib-2"), {"lib-0": 2, "lib-2": 1}),
        Job(7, ("lib-0",), {"lib-0": 5}),
    ]


def test_a_plan_whose_last_line_is_cut_is_read_up_to_it() -> None:
    assert planned({0: [*plan(2)[:-1], '{"kind": "st']}) == [Job(0, ("lib-0",), {"lib-0": 2})]


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
    assert one == {"number": 0, "names": "lib", "label": "lib", "key": one["key"]}
    assert entry("octo/npm", "a", "b", "c")["label"] == "a and 2 more"
    keys = [
        entry("octo/npm", "lib"),
        entry("octo/nuget", "lib"),
        entry("octo/npm", "tool"),
        entry("octo/npm", "lib", "b"),
    ]
    assert len({each["key"] for each in keys}) == 4
    assert Job(5, ("lib",)).entry("octo/npm")["key"] == one["key"]


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
    plans = tmp_path / "plans"
    plans.mkdir()
    (plans / "plan-12.jsonl").write_text("\n".join(plan(3)))
    (tmp_path / "output").unlink()
    assert main("planned", plans, environ(tmp_path)) == 0
    written = dict(line.split("=", 1) for line in (tmp_path / "output").read_text().splitlines())
    assert [each["number"] for each in json.loads(written["matrix"])] == [12]
    assert "Planned changes: 3, packages: 1" in (tmp_path / "summary").read_text()


def test_nothing_planned_anywhere_is_an_empty_matrix(tmp_path: Path) -> None:
    assert main("planned", tmp_path / "no-such-folder", environ(tmp_path)) == 0
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
