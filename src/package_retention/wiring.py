"""Puts a run together: the real edges behind the ports."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from package_retention.api.packages import connect
from package_retention.decide.options import Options
from package_retention.pipeline.run import run
from package_retention.pipeline.world import World
from package_retention.registry.client import Registry

if TYPE_CHECKING:
    from package_retention.api.client import RequestLog
    from package_retention.api.packages import PackagesClient
    from package_retention.model import RunResult, Spending
    from package_retention.ports import Clock, Journal
    from package_retention.reported import Report
    from package_retention.runner.log.commands import Console
    from package_retention.runner.log.progress import Progress
    from package_retention.settings import Settings

CHANGES_AT_ONCE = 32
PACKAGES_AT_ONCE = 8


def perform(
    settings: Settings,
    clock: Clock,
    journal: Journal,
    console: Console,
    progress: Progress,
    report: Report | None = None,
) -> RunResult:
    """Do the run that the settings ask for, over real connections."""
    registry = Registry(
        settings.registry_url,
        settings.api_url,
        settings.token,
        clock,
        time_limit=settings.time_limit,
        log=lambda method, path, told: console.debug(f"registry: {method} {path}: {told}"),
    )
    with closing(registry), connect(settings, clock, console_log(console)) as api:
        changes = ThreadPoolExecutor(CHANGES_AT_ONCE, "change")
        packages = ThreadPoolExecutor(PACKAGES_AT_ONCE, "package")
        world = World(
            settings,
            api,
            registry,
            clock,
            journal,
            changes,
            packages,
            nonce=lambda: uuid.uuid4().hex,
            spent=lambda: spent(api, registry),
            report=report,
            tick=lambda: _tick(progress, api, registry),
        )
        try:
            return run(world, Options(settings.untag, settings.delete_package_when_empty))
        finally:
            # After a cancel nobody waits for answers that are still under way.
            packages.shutdown(wait=False, cancel_futures=True)
            changes.shutdown(wait=False, cancel_futures=True)


def _tick(progress: Progress, api: PackagesClient, registry: Registry) -> None:
    """Tell a run that is long under way how many requests it has made, and what it waits for."""
    pacing = api.pacing()
    progress.going_on(pacing.requests + registry.requests_made, pacing.waiting, pacing.why)


def console_log(console: Console) -> RequestLog:
    """Tell a debug log of every request: method, path, status and request id, never a header."""

    def log(method: str, path: str, status: int | None, request_id: str, milliseconds: float) -> None:
        told = "no answer" if status is None else status
        console.debug(f"{method} {path}: {told} ({request_id or 'no request id'}, {milliseconds:.0f} ms)")

    return log


def spent(api: PackagesClient, registry: Registry) -> Spending:
    """What API and registry have cost together."""
    cost = api.spending()
    return replace(cost, registry_requests=registry.requests_made, waited=cost.waited + registry.waited)
