"""Send a change, and check whether it was made if the response does not say so (facts A7).

GitHub answers 404 to a change without the role, to one of an object that is gone, and to the repetition of one that was
made. So a 404 proves nothing: the object is read before anything is said about it.
"""

from __future__ import annotations

from msgspec import Struct

from package_retention.api import refusals, resources
from package_retention.api.client import GitHubClient, LostChangeError
from package_retention.api.responses import ApiResponse, RequestContext
from package_retention.errors import (
    BudgetError,
    CancelledError,
    InDoubtError,
    MissingError,
    RefusedError,
    StaleError,
    UnreachableError,
)
from package_retention.model import Result, StepKind

_NO_CONTENT, _UNAUTHORIZED, _NOT_FOUND = 204, 401, 404
# How a restore of what is already there would be refused is not known (facts A6, K): each of these is looked into.
_CONFLICTS = (400, 409, 422)


class Change(Struct, frozen=True):
    """A change of a version or a package; `thing` is the path of the object, whose GET shows whether it is made."""

    context: RequestContext
    thing: str


def execute(client: GitHubClient, change: Change, *, not_after: float | None = None) -> Result:
    """Carry out a change.

    Returns:
        `DONE`, or `ALREADY` if the first try found it done by somebody else. A change whose response was lost and that is
        then found done is `DONE`.

    Raises:
        RefusedError: GitHub refuses; after a 404 the object was read (gone, or the role is missing).
        UnreachableError: no usable response; `InDoubtError` if the change may have been made.
        StaleError: it could not be sent by `not_after`, or the next try needs another look first; it was not made.
        BudgetError: time or budget ended the run before it was done.
        CancelledError: the run was cancelled before it was done.
    """
    context, thing = change.context, change.thing
    method, path = ("POST", f"{thing}/restore") if context.restores else ("DELETE", thing)
    # A deleted package takes along what was pushed during a wait, so each try needs another look first.
    once = context.kind is StepKind.DELETE_PACKAGE
    try:
        response = client.change(method, path, context.action, not_after=not_after, once=once)
    except LostChangeError as lost:
        return _resolve(client, change, lost)
    if response.status == _NO_CONTENT:
        return Result.DONE
    # A try before this response may have made it. The API answers 204 alone (facts A1), so another 2xx came from something
    # before it, and does not show whether it was made.
    may_be_done = response.lost or response.ok
    done = _read_back(client, change, may_be_done=may_be_done) if _is_doubtful(change, response) else None
    if done:
        return Result.DONE if may_be_done else Result.ALREADY
    if done is None and may_be_done:
        raise _unknown(change)
    if response.ok:
        raise _undone(change, response)
    if response.status == _NOT_FOUND and done is False:
        if context.restores:
            raise MissingError(refusals.restore_refused(context, response))
        raise RefusedError(refusals.role_missing(context))
    raise refusals.refused(context, response)


def _is_doubtful(change: Change, response: ApiResponse) -> bool:
    if response.ok or response.lost or response.status == _NOT_FOUND:
        return True
    return change.context.restores and response.status in _CONFLICTS


def _read_back(client: GitHubClient, change: Change, *, may_be_done: bool) -> bool | None:
    """Look at the object as `_is_done` does; raise `InDoubtError` if that fails after a change that may have been made."""
    try:
        return _is_done(client, change)
    except (UnreachableError, BudgetError, CancelledError, RefusedError) as error:
        if not may_be_done:
            raise
        raise _unknown(change) from error


def _resolve(client: GitHubClient, change: Change, lost: LostChangeError) -> Result:
    done = _read_back(client, change, may_be_done=True)
    if done is None:
        raise _unknown(change) from lost
    if done:
        return Result.DONE
    if isinstance(lost.__cause__, StaleError | BudgetError | CancelledError):
        raise lost.__cause__
    raise UnreachableError(f"{lost.message}; it was not done", lost.hint) from lost


def _is_done(client: GitHubClient, change: Change) -> bool | None:
    """Return whether the object shows the change; `None` if reading it is refused."""
    response = client.get(change.thing, change.context.action)
    if response.status == _UNAUTHORIZED:
        raise refusals.refused(change.context, response)
    if response.status == _NOT_FOUND:
        return not change.context.restores
    if not response.ok:
        return None
    deleted = (
        isinstance(response.body, dict) and resources.moment(response.body.get("deleted_at")) is not None
    )
    return deleted is not change.context.restores


def _undone(change: Change, response: ApiResponse) -> UnreachableError:
    detail = f"the answer was HTTP {response.status}, and yet it was not done"
    hint = "look at what stands between the runner and GitHub: a proxy may answer in its place"
    return UnreachableError(f"cannot {change.context.action}: {detail}", hint, detail)


def _unknown(change: Change) -> InDoubtError:
    return InDoubtError(
        f"cannot tell whether this was done: {change.context.action}; its answer was lost, and GitHub did not say later",
        "run again: what is done is not done twice",
    )
