"""Why a run ends before its plan: the first cause counts, and every package sees it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from package_retention.errors import BudgetError

if TYPE_CHECKING:
    from package_retention.errors import RetentionError


class Ending:
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
