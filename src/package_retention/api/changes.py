"""One change: sent, and looked into where its answer does not settle whether it is done (facts A7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from package_retention.api import refusals, rows
from package_retention.api.client import LostChangeError
from package_retention.errors import (
    BudgetError,
    CancelledError,
    InDoubtError,
    MissingError,
    RefusalKind,
    RefusedError,
    StaleError,
    UnreachableError,
)
from package_retention.model import Result, StepKind

if TYPE_CHECKING:
    from package_retention.api.client import Answer, GitHubClient
    from package_retention.api.responses import Asked

_NO_CONTENT, _UNAUTHORIZED, _NOT_FOUND = 204, 401, 404
# How a restore of what is already there would be refused is not known (facts A6, K): each of these is looked into.
_CONFLICTS = (400, 409, 422)
_MISSING = (RefusalKind.NOT_FOUND, RefusalKind.VERSION_NOT_FOUND)


@dataclass(frozen=True, slots=True)
class Change:
    """A change of one version or package: `path` carries it out with `method`, a GET of `thing` shows the object."""

    asked: Asked
    method: str
    path: str
    thing: str

    @property
    def restores(self) -> bool:
        """Whether the object is there once this is done."""
        return self.asked.kind in (StepKind.RESTORE_VERSION, StepKind.RESTORE_PACKAGE)


def carry_out(client: GitHubClient, change: Change, *, not_after: float | None = None) -> Result:
    """Carry out a change.

    Returns:
        `DONE`, or `ALREADY` where the first try found it done. One whose answer was lost and that is then found done
        is `DONE`.

    Raises:
        RefusedError: GitHub refuses; a 404 was looked into and is told apart (gone, or role missing).
        UnreachableError: no usable answer; an `InDoubtError` where the change may have been made.
        StaleError: it could not be sent by `not_after`, and is not done.
        BudgetError: time or budget ended the run before it was done.
        CancelledError: the run was cancelled before it was done.
    """
    try:
        answer = client.change(change.method, change.path, change.asked.action, not_after=not_after)
    except LostChangeError as lost:
        return _settle(client, change, lost)
    if answer.status == _NO_CONTENT:
        return Result.DONE
    done = _looked_into(client, change, answer) if _is_doubtful(change, answer) else None
    if done:
        return Result.DONE if answer.lost or answer.ok else Result.ALREADY
    if answer.ok:
        # Whoever answered this, it was not the API (facts A1: 204 is all that it says).
        raise _unknown(change) if done is None else _undone(change, answer)
    if answer.status == _NOT_FOUND and done is False:
        if change.restores:
            raise MissingError(refusals.restore_refused(change.asked, answer.status, answer.body))
        raise RefusedError(refusals.role_missing(change.asked))
    raise refused(change.asked, answer)


def refused(asked: Asked, answer: Answer) -> RefusedError:
    """Make the error that an answer is: `MissingError` where what was asked for is not there or hidden."""
    refusal = refusals.explain(asked, answer.status, answer.headers, answer.body)
    return MissingError(refusal) if refusal.kind in _MISSING else RefusedError(refusal)


def _is_doubtful(change: Change, answer: Answer) -> bool:
    if answer.ok or answer.lost or answer.status == _NOT_FOUND:
        return True
    return change.restores and answer.status in _CONFLICTS


def _looked_into(client: GitHubClient, change: Change, answer: Answer) -> bool | None:
    try:
        return _is_done(client, change)
    except (UnreachableError, BudgetError, CancelledError) as error:
        if not (answer.lost or answer.ok):
            raise
        raise _unknown(change) from error


def _settle(client: GitHubClient, change: Change, lost: LostChangeError) -> Result:
    try:
        done = _is_done(client, change)
    except (UnreachableError, BudgetError, CancelledError):
        raise _unknown(change) from lost
    if done is None:
        raise _unknown(change) from lost
    if done:
        return Result.DONE
    if isinstance(lost.__cause__, StaleError | BudgetError | CancelledError):
        raise lost.__cause__
    raise UnreachableError(f"{lost.message}; it was not done", lost.advice) from lost


def _is_done(client: GitHubClient, change: Change) -> bool | None:
    """Look at the object; `None` where the look itself is refused."""
    answer = client.get(change.thing, change.asked.action)
    if answer.status == _UNAUTHORIZED:
        raise refused(change.asked, answer)
    if answer.status == _NOT_FOUND:
        return not change.restores
    if not answer.ok:
        return None
    deleted = isinstance(answer.body, dict) and rows.moment(answer.body.get("deleted_at")) is not None
    return deleted is not change.restores


def _undone(change: Change, answer: Answer) -> UnreachableError:
    return UnreachableError(
        f"cannot {change.asked.action}: the answer was HTTP {answer.status}, and yet it was not done",
        "look at what stands between the runner and GitHub: a proxy may answer in its place",
    )


def _unknown(change: Change) -> InDoubtError:
    return InDoubtError(
        f"cannot tell whether this was done: {change.asked.action}; its answer was lost, and GitHub did not say later",
        "run again: what is done is not done twice",
    )
