from __future__ import annotations

import io

from msgspec.structs import replace

from package_retention.model import Outcome, Plan, Result
from package_retention.output.annotations import annotate, notices
from package_retention.output.console import Console
from package_retention.reason import WITH_ITS_IMAGE, Finding, FindingCode
from package_retention.results import PackageResult
from run_results import APP, delete, met, result, run, version


class Heard(Console):
    def __init__(self) -> None:
        super().__init__(io.StringIO(), {})
        self.said: list[tuple[str, str, str]] = []

    def warning(self, text: str, hint: str = "", *more: str) -> None:
        assert not more
        self.said.append(("warning", text, hint))

    def error(self, text: str, hint: str = "", *more: str) -> None:
        assert not more
        self.said.append(("error", text, hint))


def test_failures_are_errors_and_what_github_refuses_for_good_is_a_warning() -> None:
    ends = {
        7: Outcome(
            delete(version(7, "v7"), APP), Result.REFUSED, met("more than 5,000 downloads", "Ask GitHub.")
        ),
        8: Outcome(delete(version(8, "v8"), APP), Result.FAILED, met("500", "Try again.")),
        9: Outcome(delete(version(9, "v9"), APP), Result.FAILED, met("502", "Try again.")),
    }
    one = result(10, goes=4, ends=ends)
    heard = Heard()
    annotate(replace(run(one), warnings=(met("partial list"),) * 2), heard)
    assert heard.said == [
        ("error", "v8: 500 (and 1 more like it)", "Try again."),
        ("warning", "partial list", ""),
        ("warning", "v7: more than 5,000 downloads", "Ask GitHub."),
    ]


def test_a_missing_package_fails_unless_it_is_ignored() -> None:
    missing = PackageResult(Plan(APP), failure=met("Package not found."))
    ignored = PackageResult(Plan(APP, warnings=(Finding(FindingCode.MISSING, error="Package not found."),)))
    assert [point.error for point in notices(run(missing, ignored))] == [True, False]


def test_a_cancel_says_how_much_is_left() -> None:
    ends = {n: Outcome(delete(version(n), APP), Result.NOT_REACHED, met("cancelled")) for n in (8, 9, 10)}
    cut = replace(run(result(10, goes=4, ends=ends)), ended_by="cancel", exit_status=143)
    (point,) = notices(cut)
    assert (point.error, point.text) == (False, "The run was cancelled: 3 planned changes not reached")
    assert "run the same step again" in point.hint


def test_changes_not_tried_after_a_refusal_are_told() -> None:
    ends = {
        n: Outcome(delete(version(n), APP), Result.NOT_REACHED, met("not tried", "Add admin."))
        for n in (8, 9, 10)
    }
    (point,) = notices(run(result(10, goes=4, ends=ends)))
    assert point.sentence == "sha256:000000000000: not tried (and 2 more like it)"


def test_what_a_refusal_ended_is_told_with_it() -> None:
    ends = {
        7: Outcome(delete(version(7, "v7"), APP), Result.FAILED, met("no role", "Add admin.")),
        **{
            n: Outcome(delete(version(n), APP), Result.NOT_REACHED, met("not tried", "Add admin."))
            for n in (8, 9, 10)
        },
    }
    (point,) = notices(run(result(10, goes=4, ends=ends)))
    assert point.error
    assert point.sentence == "v7: no role; so 3 further changes were not tried"


def test_the_parts_of_an_image_that_stays_are_not_told_one_by_one() -> None:
    root, parts = version(1, "v1"), [version(n) for n in (2, 3, 4)]
    steps = [replace(delete(one, APP), root=1) for one in (root, *parts)]
    ends = [Outcome(steps[0], Result.REFUSED, met("more than 5,000 downloads"))]
    ends += [Outcome(step, Result.SKIPPED, reason=WITH_ITS_IMAGE) for step in steps[1:]]
    (point,) = notices(run(PackageResult(Plan(APP, steps=tuple(steps)), tuple(ends))))
    assert point.text == "v1: more than 5,000 downloads"
