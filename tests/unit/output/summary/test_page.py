from __future__ import annotations

import re
from datetime import timedelta

import pytest
from msgspec.structs import replace

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
from package_retention.output.summary.page import bucket
from package_retention.output.summary.words import age, lasting
from package_retention.problems import Problem, ProblemCode
from package_retention.reason import Reason, ReasonCode, ReasonDetail
from package_retention.results import PackageResult, RunResult, Spending
from run_results import (
    ABOUT,
    APP,
    NEWEST,
    NOW,
    OCTO,
    SELECTED,
    URL,
    WITH_REPORT,
    delete,
    met,
    package,
    render,
    result,
    run,
    version,
)


def first_screen(text: str) -> str:
    return (
        text.split("\n### [", maxsplit=1)[0]
        .split("\n### `", maxsplit=1)[0]
        .split("\n```mermaid", maxsplit=1)[0]
    )


# The first screen


def test_the_first_line_says_what_happened() -> None:
    assert render(run(result(10, goes=4)), ABOUT).split("\n")[0] == (
        "## Deleted 4 of 10 images in octo/app (container)"
    )


def test_a_dry_run_is_unmistakable() -> None:
    text = render(run(result(10, goes=4, dry_run=True), dry_run=True), WITH_REPORT)
    lines = text.split("\n")
    assert lines[0] == "## Dry run: would delete 4 of 10 images in octo/app (container)"
    assert lines[2] == "> [!NOTE]"
    assert lines[3] == (
        "> <strong>Dry run: nothing was changed.</strong> Without `dry-run`, the same step carries out this plan, as "
        "far as its token is allowed to; with `from-report`, it changes nothing else."
    )
    assert "How to undo" not in text


def test_the_first_screen_holds_counts_failures_and_the_way_back() -> None:
    ends = {
        number: Outcome(
            delete(version(number, f"v{number}"), APP),
            Result.FAILED,
            met(f"{number}: GitHub said 500", "Try again."),
        )
        for number in (7, 8)
    }
    screen = first_screen(render(replace(run(result(10, goes=4, ends=ends)), exit_status=1), WITH_REPORT))
    lines = screen.split("\n")
    assert lines[0] == "## Deleted 2 of 10 images in octo/app (container); 2 versions failed"
    assert "> [!CAUTION]" in lines
    assert "7: GitHub said 500 (and 1 more like it). <strong>What to do:</strong> Try again." in screen
    assert len(re.sub(r"<details>.*?</details>", "", screen, flags=re.DOTALL).split("\n")) < 20
    assert "For 30 days (until 2026-12-01)" in screen


def headline_of(one: RunResult) -> str:
    return render(one, ABOUT).split("\n")[0].removeprefix("## ")


def test_headlines() -> None:
    refused = PackageResult(Plan(APP), failure=met("Package not found.", "Look at the name."))
    none = result(10, goes=0)
    assert headline_of(run(none)) == "Nothing was deleted: all 10 images of octo/app (container) stay"
    assert headline_of(run()) == "Nothing was deleted: no package matched"
    assert headline_of(replace(run(), failure=met("Bad credentials"), exit_status=1)) == (
        "Nothing was deleted: the run was refused"
    )
    assert headline_of(run(refused)) == (
        "Nothing was deleted in octo/app (container); 1 package could not be handled"
    )
    assert headline_of(run(none, none)) == "Nothing was deleted: all 20 images of 2 packages stay"
    cut = replace(run(result(10, goes=4)), ended_by="time")
    assert headline_of(cut).endswith("; the time limit ended the run")
    assert headline_of(run(result(3, goes=0), operation=Operation.LIST)) == (
        "Listed 3 images of octo/app (container)"
    )
    assert headline_of(run(result(0, goes=0), operation=Operation.RESTORE)) == (
        "Nothing was restored: no deleted version of octo/app (container) matched"
    )


def test_a_refused_run_says_what_to_do() -> None:
    refused = replace(run(), failure=met("The token lacks delete:packages", "Add the scope."), exit_status=1)
    text = render(refused, ABOUT)
    assert (
        "> [!CAUTION]\n> The token lacks delete:packages. <strong>What to do:</strong> Add the scope." in text
    )


def test_a_refused_call_by_hand_says_it_in_flags() -> None:
    problems = (Problem(ProblemCode.MISSING_TYPE, input="package-type", details={"others": ("npm",)}),)
    refused = replace(run(), problems=problems, exit_status=1)
    assert "add the line `package-type: container` to" in render(refused, ABOUT)
    assert "add `--package-type container` (or `npm`)" in render(refused, replace(ABOUT, uses=None))


def test_headlines_about_tags() -> None:
    one = version(1, "a", "b")
    step = Step(StepKind.UNTAG, APP, one, tags=("a",))
    plan = Plan(APP, (Decision(one, False, NEWEST, untag=("a",)),), (step,))
    assert "and would take" not in headline_of(run(PackageResult(plan), dry_run=True))
    assert headline_of(run(PackageResult(plan), dry_run=True)) == (
        "Dry run: would remove 1 tag in octo/app (container)"
    )
    done = run(PackageResult(plan, (Outcome(step, Result.DONE, tags=("a",)),)))
    assert headline_of(done) == "Removed 1 tag in octo/app (container)"
    assert "Only a report can put removed tags back." in render(done, ABOUT)


# The packages


def test_what_changed_is_newest_first_and_tags_come_before_digests() -> None:
    listed = [version(1, days=1), version(2, "b", days=3), version(3, "a", days=2), version(4, days=4)]
    steps = tuple(delete(one, APP) for one in listed)
    plan = Plan(APP, tuple(Decision(one, True, SELECTED) for one in listed), steps)
    text = render(run(PackageResult(plan, tuple(Outcome(step, Result.DONE) for step in steps))), ABOUT)
    assert "<strong>4 images deleted</strong>: older than 30 days" in text
    rows = [line for line in text.split("\n") if re.match(r"\| (?!Image|---)", line)]
    assert [re.findall(r"(?<=`)\w+(?=`)", row) for row in rows] == [["a"], ["b"], [], []]
    assert [row.removesuffix(" |").split(" | ")[1] for row in rows] == ["2 days", "3 days", "1 day", "4 days"]
    assert "`sha256:000000000000`" in rows[0]


def test_the_rest_is_grouped_by_reason() -> None:
    reasons = [
        NEWEST,
        NEWEST,
        Reason(ReasonCode.NEEDED, subject="a"),
        Reason(ReasonCode.NEEDED, subject="b"),
    ]
    decisions = tuple(
        Decision(version(number, f"t{number}"), False, reason) for number, reason in enumerate(reasons, 1)
    )
    text = render(run(PackageResult(Plan(APP, decisions))), ABOUT)
    assert "<strong>2 images stay</strong>: among the newest 3" in text
    assert "<strong>2 images stay</strong>: needed by an image that stays" in text
    assert "| needed by b |" in text


def test_packages_and_versions_lead_to_their_pages() -> None:
    of = package(url=URL)
    one = Version(1, "sha256:" + "a" * 64, NOW, NOW, tags=("v1",), html_url=f"{URL}/1")
    text = render(run(PackageResult(Plan(of, (Decision(one, False, NEWEST),)))), ABOUT)
    assert f"### [`app`]({URL}) (container of octo)" in text
    assert f"`v1` [`sha256:aaaaaaaaaaaa`]({URL}/1)" in text


def test_facts_about_the_package() -> None:
    of = Package(OCTO, PackageType.NPM, "lib", visibility="internal", repository="octo/lib")
    assert "2 versions listed, internal, linked to octo/lib." in render(run(result(2, goes=0, of=of)), ABOUT)


def test_a_version_without_dates_has_no_age() -> None:
    one = Decision(Version(1, "1.0"), False, Reason(ReasonCode.UNKNOWN, ReasonDetail.NO_AGE))
    assert (
        "<strong>1 image stays</strong>: its age is unknown\n\n| Image | Age |\n| --- | --- |\n| `1.0` | unknown |"
        in (render(run(PackageResult(Plan(APP, (one,)))), ABOUT))
    )


def test_what_was_planned_and_did_not_go_says_why() -> None:
    step = delete(version(9, "v9"), APP)
    ends = {9: Outcome(step, Result.SKIPPED, met("it has a new tag"))}
    text = render(run(result(10, goes=4, ends=ends)), ABOUT)
    assert "| left out | it has a new tag |" in text
    assert "> [!WARNING]" in text


def test_a_run_with_a_warning_each_tells_ten_and_counts_the_rest() -> None:
    text = render(replace(run(), warnings=tuple(met(f"warning {number}") for number in range(25))), ABOUT)
    assert text.count("> - Warning") == 10
    assert "> - And 15 more, which the log holds." in text


def test_several_packages_have_an_overview_and_failures_come_first() -> None:
    bad = package("bad")
    failed = Outcome(delete(version(2, "v2"), bad), Result.FAILED, met("no"))
    results = [
        result(3, goes=0),
        result(3, goes=1, of=package("good")),
        result(2, goes=1, of=bad, ends={2: failed}),
    ]
    text = render(run(*results), ABOUT)
    assert "| Package | Images | Deleted | Failed |" in text
    assert "| `good` (container) | 3 | 1 | 0 |" in text
    assert "<strong>1 package unchanged:</strong> `app`" in text
    assert re.findall(r"^### `(\w+)", text, re.MULTILINE) == ["good", "bad"]


def test_what_it_cost() -> None:
    spent = replace(run(result(1, goes=0)), spending=Spending(185, 24, 640, 12.4, 75))
    assert (
        "185 requests to GitHub's API, 640 points, 24 requests to the registry, "
        "1 minute and 15 seconds in all, 12 seconds of it waiting."
    ) in render(spent, ABOUT)


# The chart


def test_a_chart_where_it_says_more_than_a_number() -> None:
    text = render(run(result(300, goes=200)), ABOUT)
    bars = [line.strip() for line in text.split("\n") if line.startswith("  bar ")]
    both, kept = ([int(n) for n in re.findall(r"\d+", bar)] for bar in bars)
    assert sum(both) == 300
    assert sum(kept) == 100
    assert all(a >= b for a, b in zip(both, kept, strict=True))
    assert 0 not in (both[0], both[-1]), "no empty buckets at the ends"
    assert f"| stays | {' | '.join(map(str, kept))} |" in text
    assert text.count("```mermaid") == 1


@pytest.mark.parametrize(("versions", "goes"), [(5, 2), (300, 0), (300, 300)])
def test_no_chart_where_a_number_says_it_all(versions: int, goes: int) -> None:
    assert "mermaid" not in render(run(result(versions, goes=goes)), ABOUT)


@pytest.mark.parametrize(
    ("days", "words", "label"),
    [
        (0, "under a minute", 0),
        (-3, "under a minute", 0),
        (0.5, "12 hours", 0),
        (1, "1 day", 1),
        (45, "45 days", 3),
        (89, "89 days", 3),
        (120, "120 days", 4),
        (121, "4 months", 4),
        (350, "11 months", 5),
        (400, "13 months", 6),
        (4000, "11 years", 7),
    ],
)
def test_ages_in_words(days: float, words: str, label: int) -> None:
    then = NOW - timedelta(days=days)
    assert age(then, NOW) == words
    assert bucket(then, NOW) == label


def test_spans_in_words() -> None:
    assert lasting(timedelta(seconds=75)) == "1 minute and 15 seconds"
    assert lasting(timedelta(seconds=0.43)) == "0.4 seconds"
    assert lasting(timedelta(hours=3, minutes=2, seconds=1)) == "3 hours and 2 minutes"
