"""A test that skips proves nothing: a run with a skip that is not listed here fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

# Parts of test ids, and why such a test cannot run everywhere.
LISTED = {"unit/test_places.py": "only root can give files to another user"}


def unlisted(skipped: list[str]) -> list[str]:
    """Return those of some tests' ids that no entry of `LISTED` explains."""
    return [name for name in skipped if not any(part in name for part in LISTED)]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run that would have passed but for skips."""
    reporter: TerminalReporter | None = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None:
        return
    found = unlisted([report.nodeid for report in reporter.stats.get("skipped", [])])
    if found and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    for name in found:
        reporter.write_line(f"\nskipped, and not listed in tests/conftest.py: {name}", red=True)
