"""Carry out one step: an error becomes its outcome here, unless it ends more than the step."""

from __future__ import annotations

import threading

from msgspec import Struct

from package_retention.errors import (
    BudgetError,
    CancelledError,
    InDoubtError,
    Refusal,
    RefusedError,
    RetentionError,
    StaleError,
)
from package_retention.execute.retag import HalfwayError, TagRemover, TagRestorer
from package_retention.model import Outcome, Result, Step, StepKind
from package_retention.ports import EventListener, PackagesApi


class Done(Struct, frozen=True):
    """A step's outcome, with the refusal behind it if there was one; `ended` if the run ended in its middle."""

    outcome: Outcome
    refusal: Refusal | None = None
    ended: RetentionError | None = None


class StopReason:
    """Set once, by whoever meets it first; read by all."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cause: RetentionError | None = None

    @property
    def cause(self) -> RetentionError | None:
        """What ended the run; `None` while it goes on."""
        return self._cause

    def set(self, error: RetentionError) -> None:
        """End the run, unless it has ended already; an end while requests were failing stays no clean one."""
        with self._lock:
            first = self._cause = self._cause or error
            if isinstance(first, BudgetError) and isinstance(error, BudgetError):
                first.failing = first.failing or error.failing


class StepRunner(Struct, frozen=True):
    """Carries out single steps; called from several threads."""

    api: PackagesApi
    remover: TagRemover
    restorer: TagRestorer
    journal: EventListener

    def __call__(self, step: Step, not_after: float | None) -> Done:
        """Carry out a step; `StaleError`, `BudgetError` and `CancelledError` mean that it was not sent."""
        # Before the request: a process that is killed between the two leaves a change that was never sent "in doubt",
        # which is harmless. The other way round, a deletion would be missing from the report that has to restore it.
        self.journal.starting(step)
        try:
            return Done(self._change(step, not_after))
        except HalfwayError as error:
            refusal = error.cause.refusal if isinstance(error.cause, RefusedError) else None
            return Done(error.outcome, refusal, None if refusal else error.cause)
        except (StaleError, BudgetError, CancelledError):
            raise
        except RefusedError as error:
            result = Result.REFUSED if error.refusal.permanent else Result.FAILED
            return Done(Outcome(step, result, error.message, error.hint, detail=error.detail), error.refusal)
        except RetentionError as error:
            doubtful = isinstance(error, InDoubtError)
            return Done(
                Outcome(
                    step, Result.FAILED, error.message, error.hint, in_doubt=doubtful, detail=error.detail
                )
            )

    def _change(self, step: Step, not_after: float | None) -> Outcome:
        package, version = step.package, step.version
        match step.kind:
            case StepKind.DELETE_PACKAGE:
                return Outcome(step, self.api.delete_package(package, not_after=not_after))
            case StepKind.RESTORE_PACKAGE:
                return Outcome(step, self.api.restore_package(package, not_after=not_after))
            case StepKind.UNTAG:
                return self.remover.run(step)
            case StepKind.RETAG:
                return self.restorer.run(step)
        if version is None:
            raise RetentionError(f"{package.label}: a step without a version")
        if step.kind is StepKind.DELETE_VERSION:
            return Outcome(step, self.api.delete_version(package, version.id, not_after=not_after))
        return Outcome(step, self.api.restore_version(package, version.id, not_after=not_after))
