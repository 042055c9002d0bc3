from __future__ import annotations

import io
from pathlib import Path

import pytest

from clocks import FakeClock
from hostile import NAMES
from package_retention.errors import RetentionError
from package_retention.inputs.settings import Settings
from package_retention.model import Operation, Outcome, Plan, Result, Step, StepKind
from package_retention.output.console import Console
from package_retention.output.records import MOST_PLANNED, MOST_WAITING, LogListener, Records
from run_results import APP, LIB, NOW, delete, done, met, package, plan_of, version


class Logged:
    """A log journal and what it printed."""

    def __init__(self, operation: Operation = Operation.DELETE, *, reads_only: bool = False) -> None:
        self.stdout = io.StringIO()
        console = Console(self.stdout, {"RUNNER_DEBUG": "0"})
        self.journal = LogListener(console, Settings(operation, "octo", (), "token", dry_run=reads_only))

    @property
    def lines(self) -> list[str]:
        return self.stdout.getvalue().splitlines()


def test_a_group_for_a_package_and_a_line_for_a_change() -> None:
    logged = Logged()
    plan = plan_of(2)
    logged.journal.planned(plan)
    logged.journal.finished(done(plan.steps[0]))
    logged.journal.finished(Outcome(plan.steps[1], Result.FAILED, met("GitHub said 500")))
    assert logged.lines == [
        "::group::octo/app (container)",
        "0 versions listed, 2 changes planned",
        "deleted: v1, sha256:000000000000 (id 1)",
        "failed: v2, sha256:000000000000 (id 2): GitHub said 500",
        "::endgroup::",
    ]


def test_a_dry_run_tells_what_it_would_do() -> None:
    logged = Logged(reads_only=True)
    untag = Step(StepKind.UNTAG, APP, version(9, "a", "b"), tags=("b",))
    logged.journal.planned(Plan(APP, steps=(*plan_of(1).steps, untag, Step(StepKind.DELETE_PACKAGE, APP))))
    assert logged.lines[2:] == [
        "would delete v1, sha256:000000000000 (id 1)",
        "would remove tags from b, sha256:000000000000 (id 9)",
        "would delete the whole package",
        "::endgroup::",
    ]


def test_a_long_plan_is_counted() -> None:
    logged = Logged(reads_only=True)
    logged.journal.planned(plan_of(MOST_PLANNED + 234))
    assert logged.lines[-2] == "and 234 more"
    assert len(logged.lines) == MOST_PLANNED + 4


def test_no_group_holds_another_package_s_lines() -> None:
    logged = Logged()
    app, lib = plan_of(2), plan_of(2, LIB)
    logged.journal.planned(app)
    logged.journal.planned(lib)
    for one, other in zip(app.steps, lib.steps, strict=True):
        logged.journal.finished(done(other))
        logged.journal.finished(done(one))
    assert [line.split(" (")[0] for line in logged.lines] == [
        "::group::octo/app",
        "0 versions listed, 2 changes planned",
        "deleted: v1, sha256:000000000000",
        "deleted: v2, sha256:000000000000",
        "::endgroup::",
        "::group::octo/lib",
        "0 versions listed, 2 changes planned",
        "deleted: v1, sha256:000000000000",
        "deleted: v2, sha256:000000000000",
        "::endgroup::",
    ]


def test_a_package_that_stands_still_holds_nobody_up_for_ever() -> None:
    logged = Logged()
    still, lib = plan_of(1), plan_of(MOST_WAITING + 50, LIB)
    logged.journal.planned(still)
    logged.journal.planned(lib)
    for step in lib.steps[:-1]:
        logged.journal.finished(done(step))
    assert sum("deleted:" in line for line in logged.lines) == MOST_WAITING + 49
    logged.journal.finished(done(still.steps[0]))
    logged.journal.finished(done(lib.steps[-1]))
    starts = [line for line in logged.lines if line.startswith("::")]
    assert starts == [
        "::group::octo/app (container)",
        "::endgroup::",
        "::group::octo/lib (npm)",
        "::endgroup::",
        "::group::octo/app (container) (part 2)",
        "::endgroup::",
    ]


def test_what_waits_is_told_at_the_end_and_what_was_not_reached_is_counted() -> None:
    logged = Logged()
    app, lib = plan_of(3), plan_of(1, LIB)
    logged.journal.planned(app)
    logged.journal.planned(lib)
    logged.journal.finished(done(lib.steps[0]))
    for step in app.steps[:2]:
        logged.journal.finished(Outcome(step, Result.NOT_REACHED))
    logged.journal.close()
    assert [line.split(" (")[0] for line in logged.lines[1:]] == [
        "0 versions listed, 3 changes planned",
        "2 changes not reached",
        "::endgroup::",
        "::group::octo/lib",
        "0 versions listed, 1 change planned",
        "deleted: v1, sha256:000000000000",
        "::endgroup::",
    ]


def test_the_words_of_a_restore() -> None:
    logged = Logged(Operation.RESTORE)
    back = Step(StepKind.RESTORE_VERSION, LIB, version(1, name="1.0.0"))
    tags = Step(StepKind.RETAG, APP, version(2), tags=("v2",))
    logged.journal.finished(done(back))
    logged.journal.finished(Outcome(back, Result.ALREADY, met("it is there")))
    logged.journal.finished(Outcome(tags, Result.DONE, tags=("v2",)))
    told = [line for line in logged.lines if not line.startswith("::")]
    assert told == [
        "restored: 1.0.0 (id 1)",
        "there already: 1.0.0 (id 1): it is there",
        "tags put back: v2, sha256:000000000000 (id 2)",
    ]


def test_many_tags_are_not_all_named() -> None:
    logged = Logged()
    logged.journal.finished(done(delete(version(1, *(f"t{n}" for n in range(50))), APP)))
    assert "t7, …, sha256:" in logged.lines[1]


@pytest.mark.parametrize("name", NAMES)
def test_no_name_forges_a_line_of_the_log(name: str) -> None:
    logged = Logged()
    of = package(name)
    step = delete(version(1, name, name=name), of)
    logged.journal.planned(Plan(of, steps=(step,)))
    logged.journal.finished(Outcome(step, Result.FAILED, met(name)))
    assert [line[:9] for line in logged.lines[:2]] == ["::group::", "0 version"]
    assert logged.lines[2].startswith("failed: ")
    assert logged.lines[3] == "::endgroup::"
    assert len(logged.lines) == 4


def test_debugging_tells_what_starts() -> None:
    stdout = io.StringIO()
    LogListener(
        Console(stdout, {"RUNNER_DEBUG": "1"}), Settings(Operation.DELETE, "octo", (), "token")
    ).starting(plan_of(1).steps[0])
    assert stdout.getvalue() == (
        "::debug::starting: delete v1, sha256:000000000000 (id 1) of octo/app (container)\n"
    )


# Several journals as one


class Noting:
    def __init__(self, full: str = "") -> None:
        self.heard: list[str] = []
        self._full = full

    def planned(self, plan: Plan) -> None:
        self.heard.append(f"planned {plan.package.name}")

    def starting(self, step: Step) -> None:
        if self._full:
            raise RetentionError(self._full)
        self.heard.append(f"starting {step.kind}")

    def finished(self, outcome: Outcome) -> None:
        self.heard.append(f"finished {outcome.result}")


def heard_by(*listeners: Noting) -> Records:
    records = Records({}, Console(io.StringIO(), {}), FakeClock(NOW))
    records.listeners += listeners
    return records


def test_every_journal_hears_everything() -> None:
    one, other = Noting(), Noting()
    records = heard_by(one, other)
    plan = plan_of(1)
    records.planned(plan)
    records.starting(plan.steps[0])
    records.finished(done(plan.steps[0]))
    assert one.heard == other.heard == ["planned app", "starting delete-version", "finished done"]


def test_a_report_that_cannot_be_written_stops_the_change() -> None:
    with pytest.raises(RetentionError, match="full"):
        heard_by(Noting("full"), Noting()).starting(plan_of(1).steps[0])


def test_a_cache_that_cannot_be_written_is_a_warning_in_words(tmp_path: Path) -> None:
    stdout, kept = io.StringIO(), tmp_path / "kept"
    environ = {"GITHUB_WORKSPACE": str(tmp_path)}
    records = Records(environ, Console(stdout, environ), FakeClock(NOW))
    records.open(Settings(Operation.LIST, "octo", (), "token"))
    with records.manifest_cache(kept / "manifests"):
        kept.rename(tmp_path / "moved")
        kept.symlink_to(tmp_path / "moved")
    assert "The manifest cache was not written: manifest-cache: " in stdout.getvalue()
    assert "symbolic link" in stdout.getvalue()
