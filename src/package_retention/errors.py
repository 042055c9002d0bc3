"""The one tree of errors.

    RetentionError                  what, on which object; `hint` says what to do next
    ├── InputError                  inputs or the policy file do not fit: every problem at once
    ├── PlanError                   a plan that may not be carried out (guards, reports that do not agree)
    ├── RefusedError                GitHub or the registry said no; carries the `Refusal`
    │   └── MissingError            a 404 that was looked into: not there, or hidden from this token
    ├── UnreachableError            no usable answer after every try (drops, 5xx, time-outs)
    │   └── InDoubtError            a change may have been made or not, and GitHub did not say which
    ├── StaleError                  the facts under a change grew older than five minutes before it could be sent
    ├── HourError                   the hour's rate budget does not hold the lists that the run needs
    ├── BudgetError                 the time limit or the rate budget ends the run here, cleanly
    └── CancelledError              SIGINT or SIGTERM

A message may hold text that came from the API: it is escaped where it is printed, never here. A token is in none.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from package_retention.problems import Problem
    from package_retention.reason import Finding


class RefusalKind(StrEnum):
    """What a response of part J of the facts means; its status code alone does not say."""

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


_FOR_GOOD = frozenset({RefusalKind.LAST_VERSION, RefusalKind.LAST_TAGGED, RefusalKind.DOWNLOADS})
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


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal explained: its kind, the HTTP status, what happened to which object, and the next step."""

    kind: RefusalKind
    status: int
    message: str
    hint: str

    @property
    def for_good(self) -> bool:
        """Whether GitHub's own rules refuse it for good: what is refused stays, with a warning."""
        return self.kind in _FOR_GOOD

    @property
    def meets_every_change(self) -> bool:
        """Whether each further change in the package would meet it too."""
        return self.kind in _EVERY_CHANGE

    @property
    def ends_run(self) -> bool:
        """Whether each further request at all would meet it (a token that expired in the middle)."""
        return self.kind is RefusalKind.BAD_TOKEN


class RetentionError(Exception):
    """An error that the user reads: a message and a hint, never a traceback."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.said: Finding | str = message
        self.hint = hint


class InputError(RetentionError):
    """Inputs that do not fit: every problem at once, as values; `output.problems` makes the sentences."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(", ".join(f"{problem.input} {problem.code}".strip() for problem in problems))
        self.problems = problems


class PlanError(RetentionError):
    """A plan that may not be carried out, as a value; its sentence is made where it is printed."""

    def __init__(self, said: Finding | str, hint: str = "") -> None:
        super().__init__(said if isinstance(said, str) else said.code, hint)
        self.said = said


class RefusedError(RetentionError):
    """GitHub or the registry refused a request, for a reason that is known."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message, refusal.hint)
        self.refusal = refusal


class MissingError(RefusedError):
    """The object is not there, or is hidden from this token."""


class UnreachableError(RetentionError):
    """No usable answer after every try that is allowed."""


class InDoubtError(UnreachableError):
    """A change may have been made: its answer was lost, and GitHub did not say later."""


class StaleError(RetentionError):
    """A change could not be sent before the facts under it grew too old."""


class HourError(RetentionError):
    """The hour's rate budget does not hold the lists of the run, and nothing has been changed: the next has no more."""


class BudgetError(RetentionError):
    """The time limit (`cause="time"`) or the rate budget (`"budget"`) ends the run, cleanly.

    `failing`: the request that it met had failed before (drops, 5xx), so the end is not a clean one. Neither is one
    that is `fruitless`: the run used up an hour's budget and has changed nothing, so the next would do the same.
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
