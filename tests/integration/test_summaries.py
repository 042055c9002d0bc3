"""What a person finds on the first screen of a summary, and in the log, of real runs (the same as in the pictures)."""

from __future__ import annotations

import re
from functools import cache

import pytest
import yaml

from emulator.summaries import SUMMARIES, Shown
from markdown_page import OURS, Page

MOST_BYTES = 1024 * 1024
CHANGING = ["deleted", "organization", "failures", "reviewed", "cut-short", "restored"]


@cache
def made(name: str) -> Shown:
    return SUMMARIES[name]()


def first_screen(text: str) -> str:
    """All above the first chart or package: what is seen without scrolling."""
    return re.split(r"\n### \[|\nVersions by age", text, maxsplit=1)[0]


@pytest.mark.parametrize("name", SUMMARIES)
def test_it_is_readable(name: str) -> None:
    text = made(name).text
    page = Page(text)
    assert text.startswith("## ")
    assert page.names <= OURS | {"ol"}
    assert len(text.encode()) < MOST_BYTES
    assert "&#96;" not in text, "what a sentence quotes is code"
    assert not re.search(r"sha256[-:][0-9a-f]{20}", "".join(page.words)), "no digest in its full length"
    assert not re.search(r"months? and \d+ days", text)
    seen = re.sub(r"<details>.*?</details>", "", first_screen(text), flags=re.DOTALL)
    assert len(seen.splitlines()) < 40


@pytest.mark.parametrize("name", CHANGING)
def test_the_first_screen_says_what_happened_and_how_to_undo_it(name: str) -> None:
    screen = first_screen(made(name).text)
    assert re.match(r"## (Deleted|Restored) \d+ of \d+ ", screen)
    assert "### How to undo it" in screen
    pasted = re.search(r"```yaml\n(.*?)```", screen, re.DOTALL)
    assert pasted
    workflow = yaml.safe_load(pasted[1])
    assert workflow["permissions"]["packages"] == "write"
    used = [step["uses"] for job in workflow["jobs"].values() for step in job["steps"]]
    assert set(used) - {used[0]} <= {"octo/package-retention@v1"}


def test_a_dry_run_says_so_and_undoes_nothing() -> None:
    screen = first_screen(made("dry-run").text)
    assert screen.startswith(
        "## Dry run: would delete 13 of 22 images (66 versions) in octo/app (container)\n"
    )
    assert "nothing was changed" in screen
    assert "How to undo" not in screen


def test_what_failed_and_what_was_refused_says_what_to_do() -> None:
    screen = first_screen(made("failures").text)
    assert "> [!CAUTION]" in screen
    assert "> [!WARNING]" in screen
    assert screen.count("<strong>What to do:</strong>") == 3
    assert "so 3 further changes were not tried" in screen
    assert "and 1 more like it" in screen


def test_what_differs_from_a_reviewed_plan_is_told_at_the_top() -> None:
    screen = first_screen(made("reviewed").text)
    assert "v1.1.0, production stays: its tags differ from the report's" in screen
    assert "v1.3.0 was in the report's plan and is gone already" in screen


def test_the_workflow_to_paste_is_folded() -> None:
    screen = first_screen(made("organization").text)
    assert "<details><summary>A workflow to paste (6 steps)</summary>" in screen


def test_packages_and_versions_lead_to_their_pages() -> None:
    links = [attributes["href"] for tag, attributes in Page(made("organization").text).tags if tag == "a"]
    assert "https://github.com/orgs/octo/packages/npm/package/lib" in links
    assert len(set(links)) > 20


@pytest.mark.parametrize("name", SUMMARIES)
def test_the_log_has_a_group_for_a_package_and_few_annotations(name: str) -> None:
    lines = made(name).log.splitlines()
    opened = 0
    for line in lines:
        opened += line.startswith("::group::")
        opened -= line == "::endgroup::"
        assert opened in (0, 1)
        assert len(line) < 1500
    titles = [line for line in lines if line.startswith("::group::")]
    assert len(titles) == len(set(titles))
    for kind in ("error", "warning", "notice"):
        assert sum(line.startswith(f"::{kind}::") for line in lines) <= 10
    assert lines[-1] == made(name).text.split("\n", 1)[0].removeprefix("## ")
