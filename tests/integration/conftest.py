"""Holds every integration test to GitHub's documented requests, and to silence about the token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from watch import watching

if TYPE_CHECKING:
    from collections.abc import Iterator

    from watch import Watch


@pytest.fixture(autouse=True)
def watched() -> Iterator[Watch]:
    """Look at every request and every step of a test; a test that asks on purpose clears `watched.asked`."""
    with watching() as watch:
        yield watch
    assert watch.objections() == []
