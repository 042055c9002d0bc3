"""A test that skips proves nothing: a run with a skip whose reason is not listed here fails."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from _pytest.terminal import TerminalReporter

# No test measures time: by default Hypothesis fails an example that takes 0.2 s, as many do on a busy machine.
settings.register_profile("untimed", settings(), deadline=None)
settings.load_profile("untimed")

LISTED = frozenset({"only root can give files away"})


def unlisted(reasons: Mapping[str, str]) -> list[str]:
    """Return the ids of skipped tests, given with their reasons, whose reason is not listed."""
    return [name for name, reason in reasons.items() if reason.removeprefix("Skipped: ") not in LISTED]


def pytest_collection_finish() -> None:
    """Look for garbage as the action does: going through all that was collected took a fifth of the largest tests' time."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Print what passed tests have measured and recorded with `record_property`."""
    for report in terminalreporter.stats.get("passed", []):
        for name, figure in report.user_properties:
            terminalreporter.write_line(f"{name}: {figure}")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run that would have passed but for skips."""
    reporter: TerminalReporter | None = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None:
        return
    skipped = reporter.stats.get("skipped", [])
    found = unlisted({report.nodeid: report.longrepr[2] for report in skipped})
    if found and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    for name in found:
        reporter.write_line(f"\nskipped for a reason that tests/conftest.py does not list: {name}", red=True)
