"""Waits for threads without being held up by them once the run is cancelled."""

from __future__ import annotations

from concurrent.futures import Future, wait
from typing import TYPE_CHECKING, TypeVar

from package_retention.errors import CancelledError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from package_retention.pipeline.context import World

Item = TypeVar("Item")
Value = TypeVar("Value")

_GLANCE = 0.1
PATIENCE = 3.0
"""Seconds that a cancelled run still waits for changes under way: the runner kills soon after its signal (facts E).

A walk's own patience is shorter, so that it ends in good order unless it hangs in something that only reads.
"""


def result_of(world: World, work: Callable[[], Value]) -> Value:
    """Do something in a thread of its own; raises `CancelledError` where the run is cancelled first."""
    future = world.packages.submit(work)
    _wait(world, [future], patience=0)
    if not future.done():
        _raise_if_cancelled(world)
    return future.result()


def each(
    world: World,
    work: Callable[[Item], Value],
    items: Sequence[Item],
    given_up: Callable[[Item], Value],
    *,
    patience: float = 0,
) -> list[Value]:
    """Do something for every item, several at a time.

    On a cancel what is under way has `patience` seconds to end; `given_up` stands in for what did not.
    """
    futures = [world.packages.submit(work, item) for item in items]
    _wait(world, futures, patience)
    return [
        f.result() if f.done() and not f.cancelled() else given_up(i)
        for f, i in zip(futures, items, strict=True)
    ]


def _wait(world: World, futures: Iterable[Future[Value]], patience: float) -> None:
    left = set(futures)
    while left:
        _, left = wait(left, timeout=_GLANCE)
        world.tick()
        try:
            _raise_if_cancelled(world)
        except CancelledError as error:
            world.ending.set(error)
            for future in left:
                future.cancel()
            wait(left, timeout=patience)
            return


def _raise_if_cancelled(world: World) -> None:
    world.clock.sleep(0)
