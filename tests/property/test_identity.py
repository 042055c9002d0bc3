"""A life of packages, step by step through the whole action: what a deletion took, a restore brings back."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from main_job import job, texts
from watch import watching

if TYPE_CHECKING:
    from emulator.stored import StoredPackage

TYPES = ("npm", "maven", "nuget", "rubygems")
NAMES = st.builds(
    "{}.{}.{}{}".format, *[st.integers(0, 3)] * 3, st.sampled_from(("", "", "-rc1", "-SNAPSHOT"))
)
FILTERS: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    (
        {"min_versions_to_keep": 2},
        {"older_than": "20d"},
        {"versions": "1.*, 0.*", "exclude_versions": "*-rc1"},
        {"versions": "*"},
        {"versions": "*", "delete_package": "when-empty"},
        {"limit": 2},
        {"release_status": "pre-release"},
        {"keep_per": "minor", "order_by": "version", "min_versions_to_keep": 1},
    )
)


class Life(RuleBasedStateMachine):
    """Two packages of one type; `undo` is what the last deletion took, and how things stood before it."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.watch = self.stack.enter_context(watching())
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.job = self.stack.enter_context(job(folder))
        self.undo: tuple[dict[str, str], dict[str, set[str]]] | None = None
        self.packages: list[StoredPackage] = []

    @initialize(kind=st.sampled_from(TYPES))
    def begin(self, kind: str) -> None:
        self.packages = [self.job.package(name, kind) for name in ("a/one", "two")]
        for package in self.packages:
            for name in ("0.1.0", "1.0.0", "1.0.1"):
                self.job.world.add_version(package, name, created=50)

    @rule(which=st.integers(0, 1), name=NAMES, days=st.integers(0, 60))
    def publish(self, which: int, name: str, days: int) -> None:
        package = self.packages[which]
        if package.deleted_at is None and all(name != one.name for one in package.versions.values()):
            self.job.world.add_version(package, name, created=days)
            self.undo = None

    @rule(inputs=FILTERS)
    def delete(self, inputs: dict[str, Any]) -> None:
        before = self.standing()
        ran = self.step(package_name="a/one, two", if_missing="ignore", report_file="undo.jsonl", **inputs)
        self.undo = ({"from_report": "undo.jsonl"}, before) if ran.ids("deleted-version-ids") else None
        lost = {n for package in self.packages for n, one in package.versions.items() if one.deleted_at}
        whole = {n for package in self.packages if package.deleted_at for n in package.versions}
        assert set(ran.ids("deleted-version-ids")) <= lost | whole
        if "limit" not in inputs:
            again = self.step(package_name="a/one, two", if_missing="ignore", dry_run="true", **inputs)
            assert again.ids("selected-version-ids") == []

    @precondition(lambda self: self.undo is not None)
    @rule()
    def restore(self) -> None:
        assert self.undo
        inputs, before = self.undo
        self.step(operation="restore", package_name="a/one, two", if_missing="ignore", **inputs)
        assert self.standing() == before
        self.undo = None

    @invariant()
    def nothing_is_said_of_the_token_and_all_requests_are_documented(self) -> None:
        assert self.watch.objections() == []

    def standing(self) -> dict[str, set[str]]:
        """What stands, by package; nothing of one that is deleted."""
        return {one.name: set() if one.deleted_at else texts(one) for one in self.packages}

    def step(self, **inputs: Any) -> Any:
        return self.job.step(package_type=self.packages[0].type, **inputs)

    def teardown(self) -> None:
        self.stack.close()


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=12, stateful_step_count=8, deadline=None)
