"""Protect what must not be left half done: inside `shielded`, neither a cancel nor the time limit stops this thread.

Only the removal of a tag needs it: the tag is moved to a placeholder, which is then deleted. A run that ended between the
two would leave the tag on the placeholder, and whoever pulls it gets nothing. The clients check `is_shielded` before they
give up.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_SHIELDED: ContextVar[bool] = ContextVar("shielded", default=False)


@contextmanager
def shielded() -> Iterator[None]:
    """Go on in spite of a cancel and the time limit; for a few requests alone."""
    before = _SHIELDED.set(True)
    try:
        yield
    finally:
        _SHIELDED.reset(before)


def is_shielded() -> bool:
    """Return whether this thread must complete what it has begun."""
    return _SHIELDED.get()
