from __future__ import annotations

import os
import signal
import threading
from datetime import UTC
from typing import TYPE_CHECKING, Any

import pytest

from package_retention.cancel import SIGNALS, Cancel, RealClock
from package_retention.errors import CancelledError

if TYPE_CHECKING:
    from collections.abc import Callable

LONG = 60.0
"""Longer than any test waits: what ends such a wait is the signal."""


class Handlers:
    """The system's table of handlers, without the system."""

    def __init__(self) -> None:
        self.now: dict[int, Any] = {signal.SIGINT: "before", signal.SIGTERM: None}

    def install(self, number: int, handler: Any) -> Any:
        before, self.now[number] = self.now[number], handler
        return before


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_gives_its_exit_status_and_ends_every_wait(number: int, status: int) -> None:
    handlers = Handlers()
    with Cancel().installed(handlers.install) as cancel:
        assert cancel.status == 0
        woken: list[bool] = []
        waiters = [threading.Thread(target=lambda: woken.append(cancel.wait(LONG))) for _ in range(4)]
        for waiter in waiters:
            waiter.start()
        handlers.now[number](number, None)
        for waiter in waiters:
            waiter.join()
        assert woken == [True] * 4
        assert cancel.status == status
        with pytest.raises(CancelledError) as caught:
            cancel.check()
        assert caught.value.status == status


def test_the_first_signal_counts() -> None:
    cancel = Cancel()
    cancel.handle(signal.SIGINT)
    cancel.handle(signal.SIGTERM)
    assert cancel.status == 130


def test_the_handlers_before_come_back() -> None:
    handlers = Handlers()
    with Cancel().installed(handlers.install) as cancel:
        assert handlers.now == dict.fromkeys(SIGNALS, cancel.handle)
    assert handlers.now == {signal.SIGINT: "before", signal.SIGTERM: signal.SIG_DFL}


def test_the_handlers_before_come_back_after_an_error_too() -> None:
    handlers = Handlers()

    def fail() -> None:
        with Cancel().installed(handlers.install):
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert handlers.now[signal.SIGINT] == "before"


def test_no_thread_is_left() -> None:
    before = threading.active_count()
    with Cancel().installed(Handlers().install):
        assert threading.active_count() == before + 1
    assert threading.active_count() == before


@pytest.mark.parametrize("number", SIGNALS)
def test_a_real_signal_ends_the_main_thread_s_own_wait(number: int) -> None:
    before = signal.getsignal(number)
    with Cancel().installed() as cancel:
        sender = threading.Timer(0, os.kill, (os.getpid(), number))
        sender.start()
        clock = RealClock(cancel)
        with pytest.raises(CancelledError):
            clock.sleep(LONG)
        sender.join()
        assert cancel.status == 128 + number
    assert signal.getsignal(number) is before


def test_without_a_signal_a_wait_ends_by_itself() -> None:
    cancel = Cancel()
    cancel.check()
    assert not cancel.wait(0)
    assert not cancel.wait(-1)
    RealClock(cancel).sleep(0)


@pytest.mark.parametrize("seconds", [0, -1, LONG, float("inf")])
def test_after_a_signal_no_wait_begins(seconds: float) -> None:
    cancel = Cancel()
    cancel.handle(signal.SIGTERM)
    with pytest.raises(CancelledError):
        RealClock(cancel).sleep(seconds)


def test_a_wait_for_ever_is_possible() -> None:
    with Cancel().installed(Handlers().install) as cancel:
        waiter = threading.Thread(target=lambda: cancel.wait(float("inf")))
        waiter.start()
        cancel.handle(signal.SIGTERM)
        waiter.join()


def test_the_clock_tells_utc_and_goes_forward() -> None:
    clock: RealClock = RealClock(Cancel())
    read: Callable[[], float] = clock.monotonic
    assert clock.now().tzinfo is UTC
    assert read() <= read()
