"""The errors of a run, in one tree.

    RetentionError                  what happened to which object; `hint` says what to do next
    ├── InputError                  inputs or the policy file are invalid: every problem at once
    ├── PlanError                   a plan that may not be carried out (guards, reports that do not agree)
    ├── RefusedError                GitHub or the registry said no; carries the `Refusal`
    │   └── MissingError            a 404 that was looked into: not there, or hidden from this token
    ├── UnreachableError            no usable response after every try (drops, 5xx, time-outs)
    │   └── InDoubtError            a change may have been made or not, and GitHub did not say later
    ├── StaleError                  the facts under a change grew older than five minutes before it could be sent
    ├── HourError                   the lists that the run needs exceed the hour's rate budget
    ├── BudgetError                 the time limit or the rate budget ends the run, cleanly
    └── CancelledError              SIGINT or SIGTERM

A message may hold text from the API: it is escaped where it is printed, never here. No message holds a token.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from package_retention.problems import Problem
from package_retention.reason import Finding, FindingCode

USAGE_STATUS = 2
"""The exit status of a call by hand whose flags, or what they say, do not fit."""


class RefusalKind(StrEnum):
    """The meaning of a refusal (facts J), which its status alone does not determine."""

    BAD_TOKEN = "bad-token"  # noqa: S105 - a name, not a secret
    SCOPE = "scope"
    ROLE = "role"
    SSO = "sso"
    IP_ALLOW_LIST = "ip-allow-list"
    TOKEN_KIND = "token-kind"  # noqa: S105 - a name, not a secret
    SUSPENDED = "suspended"
    CANNOT_LIST = "cannot-list"
    NOT_FOUND = "not-found"
    VERSION_NOT_FOUND = "version-not-found"
    LAST_VERSION = "last-version"
    LAST_TAGGED = "last-tagged-version"
    DOWNLOADS = "downloads"
    PRIMARY_LIMIT = "primary-limit"
    SECONDARY_LIMIT = "secondary-limit"
    SERVER = "server"
    API_VERSION = "api-version"
    OTHER = "other"


_PERMANENT = frozenset({RefusalKind.LAST_VERSION, RefusalKind.LAST_TAGGED, RefusalKind.DOWNLOADS})
_EVERY_CHANGE = frozenset(
    {
        RefusalKind.BAD_TOKEN,
        RefusalKind.SCOPE,
        RefusalKind.ROLE,
        RefusalKind.SSO,
        RefusalKind.IP_ALLOW_LIST,
        RefusalKind.TOKEN_KIND,
        RefusalKind.SUSPENDED,
        RefusalKind.API_VERSION,
    }
)


class Refusal(Struct, frozen=True):
    """A refusal explained: its kind, the HTTP status, what happened to which object, and the next step.

    `detail` is the message without the change and its object, for a place that names them itself.
    """

    kind: RefusalKind
    status: int
    message: str
    hint: str
    detail: str = ""

    @property
    def permanent(self) -> bool:
        """Whether GitHub's own rules refuse it permanently: the object stays, with a warning."""
        return self.kind in _PERMANENT

    @property
    def meets_every_change(self) -> bool:
        """Whether every further change in the package would be refused too."""
        return self.kind in _EVERY_CHANGE

    @property
    def ends_run(self) -> bool:
        """Whether every further request would be refused too (a token that expired during the run)."""
        return self.kind is RefusalKind.BAD_TOKEN


class RetentionError(Exception):
    """An error that the user reads: a message and a hint, never a traceback.

    `said` are both as a value. `detail` is the message without the change and its object; empty if the message is about
    something else.
    """

    def __init__(self, message: str, hint: str = "", detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.said = Finding(FindingCode.ERROR, error=message, hint=hint)
        self.hint = hint
        self.detail = detail


class InputError(RetentionError):
    """Invalid inputs: every problem at once, as values; `output.problem_sentences` makes the sentences."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(", ".join(f"{problem.input} {problem.code}".strip() for problem in problems))
        self.problems = problems


class PlanError(RetentionError):
    """A plan that may not be carried out, as a value; its sentence is made where it is printed."""

    def __init__(self, said: Finding) -> None:
        super().__init__(said.code)
        self.said = said


class RefusedError(RetentionError):
    """GitHub or the registry refused a request, for a reason that is known."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message, refusal.hint, refusal.detail)
        self.refusal = refusal


class MissingError(RefusedError):
    """The object is not there, or is hidden from this token."""


class UnreachableError(RetentionError):
    """No usable response after every try."""


class InDoubtError(UnreachableError):
    """A change may have been made: its response was lost, and GitHub did not say later."""


class StaleError(RetentionError):
    """A change could not be sent before the facts under it grew too old."""


class HourError(RetentionError):
    """The lists of the run exceed the hour's rate budget, and nothing has been changed: the next hour has no more."""


class BudgetError(RetentionError):
    """The time limit (`cause="time"`) or the rate budget (`"budget"`) ends the run, cleanly.

    `failing`: the request had failed before (drops, 5xx), so the run did not end cleanly. `fruitless`: the run used up an
    hour's budget and changed nothing, so the next would do the same; that is not a clean end either.
    """

    def __init__(
        self, message: str, cause: str, hint: str = "", *, failing: bool = False, fruitless: bool = False
    ) -> None:
        super().__init__(message, hint)
        self.cause = cause
        self.failing = failing
        self.fruitless = fruitless


class CancelledError(RetentionError):
    """The run was cancelled; `status` is its exit status (130 or 143)."""

    def __init__(self, status: int = 143) -> None:
        super().__init__("cancelled")
        self.status = status
