"""Remembers every outcome as it comes, so that a run that is given up in the middle still tells what it did."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from package_retention.model import Outcome, PackageResult, Result

if TYPE_CHECKING:
    from package_retention.model import Package, Plan, Step
    from package_retention.ports import Journal


class Memory:
    """A journal that remembers, and passes everything on."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._lock = threading.Lock()
        self._outcomes: dict[Package, list[Outcome]] = {}

    def planned(self, plan: Plan) -> None:
        """Pass on a plan."""
        self._journal.planned(plan)

    def starting(self, step: Step) -> None:
        """Pass on that a change is about to be sent."""
        self._journal.starting(step)

    def finished(self, outcome: Outcome) -> None:
        """Remember how a step ended, and pass it on."""
        with self._lock:
            self._outcomes.setdefault(outcome.step.package, []).append(outcome)
        self._journal.finished(outcome)

    def note(self, text: str) -> None:
        """Pass on a note."""
        self._journal.note(text)

    def result(self, plan: Plan, message: str) -> PackageResult:
        """A package's result from what is remembered; the steps without an outcome were not reached, for a reason."""
        with self._lock:
            known = {_key(outcome.step): outcome for outcome in self._outcomes.get(plan.package, ())}
        outcomes = (known.get(_key(step), Outcome(step, Result.NOT_REACHED, message)) for step in plan.steps)
        return PackageResult(plan, tuple(outcomes))


def _key(step: Step) -> tuple[str, int | None]:
    return (step.kind, step.version.id if step.version else None)
