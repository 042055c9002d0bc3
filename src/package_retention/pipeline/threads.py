"""Wait for threads, but not once the run is cancelled."""

from __future__ import annotations

from concurrent.futures import Future, wait
from typing import TYPE_CHECKING, TypeVar

from package_retention.errors import CancelledError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from package_retention.pipeline.context import RunContext

Element = TypeVar("Element")
Value = TypeVar("Value")

_POLL_SECONDS = 0.1
PATIENCE = 3.0
"""Seconds that a cancelled run still waits for changes under way: the runner kills soon after its signal (facts E).

A walk's own patience is shorter, so that it ends in good order unless it hangs in something that only reads.
"""


def result_of(run_context: RunContext, work: Callable[[], Value]) -> Value:
    """Do something in a thread of its own; raises `CancelledError` where the run is cancelled first."""
    future = run_context.packages.submit(work)
    _wait(run_context, [future], patience=0)
    if not future.done():
        _raise_if_cancelled(run_context)
    return future.result()


def each(
    run_context: RunContext,
    work: Callable[[Element], Value],
    elements: Sequence[Element],
    given_up: Callable[[Element], Value],
    *,
    patience: float = 0,
) -> list[Value]:
    """Do something for every element, several at a time.

    On a cancel what is under way has `patience` seconds to end; `given_up` stands in for what did not.
    """
    futures = [run_context.packages.submit(work, element) for element in elements]
    _wait(run_context, futures, patience)
    return [
        f.result() if f.done() and not f.cancelled() else given_up(i)
        for f, i in zip(futures, elements, strict=True)
    ]


def _wait(run_context: RunContext, futures: Iterable[Future[Value]], patience: float) -> None:
    left = set(futures)
    while left:
        _, left = wait(left, timeout=_POLL_SECONDS)
        run_context.tick()
        try:
            _raise_if_cancelled(run_context)
        except CancelledError as error:
            run_context.ending.set(error)
            for future in left:
                future.cancel()
            wait(left, timeout=patience)
            return


def _raise_if_cancelled(run_context: RunContext) -> None:
    run_context.clock.sleep(0)
