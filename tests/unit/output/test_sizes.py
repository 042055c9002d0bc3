from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from hostile import NAMES
from markdown_page import OURS, Page
from package_retention.errors import RetentionError
from package_retention.model import Decision, Operation, Outcome, Package, PackageType, Plan, Result, Version
from package_retention.output.counts import count_run
from package_retention.output.summary.page import MOST_BYTES, append
from package_retention.output.summary.tables import MOST_ROWS
from package_retention.reason import Finding, FindingCode, Reason, ReasonCode
from package_retention.results import PackageResult, RunResult
from run_results import (
    ABOUT,
    APP,
    NOW,
    OCTO,
    URL,
    WITH_REPORT,
    delete,
    met,
    package,
    render,
    render_text,
    result,
    run,
    version,
)

if TYPE_CHECKING:
    from pathlib import Path


# Hostile names and sizes


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_name_everywhere_changes_nothing_but_text(name: str) -> None:
    of = Package(OCTO, PackageType.CONTAINER, name, html_url=name, visibility=name, repository=name)
    listed = [Version(n, name, NOW, NOW, tags=(name,) * n, html_url=name) for n in range(1, 15)]
    reason = Reason(ReasonCode.WITH_IMAGE, subject=name)
    decisions = tuple(Decision(one, one.id > 3, reason) for one in listed)
    steps = tuple(delete(one, of) for one in listed[3:])
    outcomes = tuple(Outcome(step, Result.FAILED, met(name, name)) for step in steps)
    finding = Finding(FindingCode.LAST_TAG_STAYS, name, names=(name,), error=name, hint=name)
    one = PackageResult(Plan(of, decisions, steps, (finding,), (finding,)), outcomes, met(name, name))
    hostile = RunResult(Operation.DELETE, False, (one, one), (met(name),), failure=met(name, name))
    text = render(hostile, replace(ABOUT, report_file=name))
    page = Page(text)
    assert page.names <= OURS
    assert not [attributes for tag, attributes in page.tags if tag == "a"]
    assert len(text.encode()) < 200_000
    assert all(line.isprintable() for line in text.split("\n"))
    assert all(line.isprintable() for line in render_text(hostile, ABOUT).split("\n"))


@pytest.mark.parametrize("versions", [1, 6_000, 100_000])
def test_readable_with_one_version_and_with_100_000(versions: int) -> None:
    text = render(run(result(versions, goes=versions // 2)), ABOUT)
    rows = [line for line in text.split("\n") if line.startswith("| `")]
    assert len(rows) <= 2 * MOST_ROWS
    assert len(text.encode()) < 30_000
    if versions > 1:
        assert f"And {versions // 2 - MOST_ROWS:,} more (`report-file` lists every one)." in text


def test_hundreds_of_packages_stay_below_the_limit_and_are_counted() -> None:
    results = [result(60, goes=30, of=package(f"app-{number}")) for number in range(600)]
    text = render(run(*results), ABOUT)
    assert len(text.encode()) <= MOST_BYTES
    assert len(text.encode()) > MOST_BYTES * 0.95
    shown = len(re.findall(r"^### `app-", text, re.MULTILINE))
    assert 0 < shown < 600
    assert f"{600 - shown:,} more sections left out" in text
    assert "And 550 more packages." in text


def test_twenty_thousand_versions_take_thirty_kilobytes() -> None:
    """The longest that one package gets: many rules, each with its rows, pages to link to, and a chart."""
    of = replace(APP, html_url=URL)
    listed = [replace(version(n, f"v{n}.0.0"), html_url=f"{URL}/{n}") for n in range(1, 20_001)]
    reasons = [Reason(ReasonCode.NEWEST, number=n) for n in range(1, 31)]
    selected = [Reason(ReasonCode.SELECTED, rule=(("older-than", f"{n} days"),)) for n in range(1, 31)]
    decisions = tuple(
        Decision(
            one, one.id % 2 == 0, (selected if one.id % 2 == 0 else reasons)[one.id // 2 % 30], root=one.id
        )
        for one in listed
    )
    plan = Plan(of, decisions, tuple(delete(one, of) for one in listed if one.id % 2 == 0))
    text = render(run(PackageResult(plan), dry_run=True), WITH_REPORT)
    assert len(text.encode()) < 30_000
    assert text.startswith("## Dry run: would delete 10,000 of 20,000 images")


def test_five_hundred_packages_with_nothing_to_do_take_one_line() -> None:
    results = [result(20, goes=0, of=package(f"app-{number}", url=URL)) for number in range(500)]
    text = render(run(*results), ABOUT)
    assert len(text.encode()) < 100_000
    assert "<strong>500 packages unchanged:</strong> `app-0`" in text
    assert text.startswith("## Nothing was deleted: all 10,000 images of 500 packages stay")


@pytest.mark.parametrize("most", [0, 20, 100, 700, 5_000, 9_000])
def test_nothing_is_cut_in_the_middle(most: int) -> None:
    results = run(result(60, goes=30), result(60, goes=30, of=package("other")))
    text = render(results, ABOUT, most)
    assert len(text.encode()) <= most
    assert text == "" or text.startswith("## Deleted 60 of 120 images")
    assert text.count("<details>") == text.count("</details>")
    assert text.count("```") % 2 == 0
    assert text == "" or text.endswith("\n\n")


# Writing it


def test_the_summary_goes_behind_what_is_there(tmp_path: Path) -> None:
    file = tmp_path / "summary"
    file.write_text("before\n")
    assert append({"GITHUB_STEP_SUMMARY": str(file)}, count_run(run(result(3, goes=1))), ABOUT)
    assert file.read_text() == "before\n" + render(run(result(3, goes=1)), ABOUT)


@pytest.mark.parametrize("taken", [MOST_BYTES, MOST_BYTES - 100, MOST_BYTES - 3_000, MOST_BYTES + 5_000])
def test_what_is_there_counts(tmp_path: Path, taken: int) -> None:
    file = tmp_path / "summary"
    file.write_text("x" * taken)
    append({"GITHUB_STEP_SUMMARY": str(file)}, count_run(run(result(300, goes=100))), ABOUT)
    assert file.stat().st_size <= max(taken, MOST_BYTES)


def test_without_a_runner_there_is_no_file() -> None:
    assert not append({}, count_run(run()), ABOUT)


def test_a_summary_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(RetentionError, match="job summary could not be written"):
        append({"GITHUB_STEP_SUMMARY": str(tmp_path)}, count_run(run()), ABOUT)


def test_plain_text_says_the_same() -> None:
    ends = {9: Outcome(delete(version(9, "v9"), APP), Result.FAILED, met("GitHub said 500", "Try again."))}
    text = render_text(run(result(30, goes=25, ends=ends)), ABOUT)
    assert text.startswith("Deleted 24 of 30 images in octo/app (container); 1 version failed\n====")
    for words in (
        "GitHub said 500. What to do: Try again.",
        "operation: restore",
        "among the newest 3",
        "Images by age",
    ):
        assert words in text
    assert "<" not in text
    assert "&#" not in text
