"""What must not be left half done: inside `shielded`, neither a cancel nor the time limit stops this thread.

Only the taking away of a tag needs it (a tag is moved to a placeholder that is then deleted); the edges ask `is_shielded`
before they give up.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHIELDED: ContextVar[bool] = ContextVar("shielded", default=False)


@contextmanager
def shielded() -> Iterator[None]:
    """Go on in spite of a cancel and of the time limit; for a few requests, not for work."""
    before = _SHIELDED.set(True)
    try:
        yield
    finally:
        _SHIELDED.reset(before)


def is_shielded() -> bool:
    """Return whether this thread completes something that must not be left half done."""
    return _SHIELDED.get()
