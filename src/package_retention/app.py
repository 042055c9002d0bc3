"""One run from end to end, and the only place where errors end up."""

from __future__ import annotations

import math
import traceback
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TextIO

from package_retention.api import tokens
from package_retention.api.client import GitHubClient
from package_retention.api.packages import PackagesClient
from package_retention.api.rate_limit import LONGEST_BUDGET_WAIT, RateLimiter
from package_retention.api.responses import RequestContext, ResponseHeaders
from package_retention.api.session import Session
from package_retention.cancel import Cancel, RealClock
from package_retention.errors import USAGE_STATUS, InputError, RetentionError
from package_retention.inputs import report_reader
from package_retention.inputs.environment import on_runner, requested
from package_retention.inputs.settings import Settings, read_settings
from package_retention.output.console import console_for
from package_retention.output.person import Person
from package_retention.output.progress import Progress
from package_retention.output.records import Records
from package_retention.pipeline.context import RunContext
from package_retention.pipeline.run import run
from package_retention.ports import Clock
from package_retention.registry.cache import ManifestCache
from package_retention.registry.client import Registry
from package_retention.results import PackageResult, RunResult, Spending
from package_retention.transport import limits
from package_retention.transport.exchange import Redactor, TransportContext
from package_retention.transport.limits import TimeLimit


def main(
    environ: Mapping[str, str],
    stdout: TextIO,
    clock_of: Callable[[Cancel], Clock] = RealClock,
    argv: Sequence[str] = (),
    stderr: TextIO | None = None,
    stdin: TextIO | None = None,
    program: str = "package-retention",
) -> int:
    """Run the action once and return its exit status.

    `clock_of` makes the clock, whose waits end on a cancel. `argv` are flags. A person who calls it by hand reads errors
    from `stderr` (`stdout` if it is not given), answers on `stdin`, and typed `program`.
    """
    yes = False
    if argv or not on_runner(environ):
        from package_retention.inputs import cli  # noqa: PLC0415 - only for who calls it by hand

        called = cli.read(argv, environ, stdout, stderr or stdout, program)
        if isinstance(called, int):
            return called
        environ, yes = called.environ, called.yes
    console = console_for(stdout, environ, stderr)
    # Before the first line: the runner masks only what is printed after the command. It may not have masked a token
    # that is no secret of the repository, such as one that an earlier step made.
    console.mask(environ.get("INPUT_TOKEN", "").strip())
    with Cancel().installed() as cancel:
        clock = clock_of(cancel)
        person = None
        if console.by_hand:
            person = Person(environ, stdout, stderr or stdout, stdin, clock, program, yes=yes)
        records = Records(environ, console, clock, person)
        result = _attempt(records)
        from package_retention.output.outputs import conclude  # noqa: PLC0415 - needed last: the first request comes sooner

        status = conclude(result, records)
    return USAGE_STATUS if argv and result.problems and console.by_hand else status


def _attempt(records: Records) -> RunResult:
    """Do the run; an error that ends it becomes a result that says so."""
    try:
        settings = read_settings(records.environ)
        # In this order: opening the report-file empties it, and the two may be the same file.
        report = report_reader.read(settings.from_report) if settings.from_report else None
        records.open(settings)
        with records.manifest_cache(settings.manifest_cache) as cache:
            return perform(settings, records, report, cache)
    except RetentionError as error:
        return _refused(error, records.environ)
    except Exception as error:  # noqa: BLE001 - a fault of this action: reported with its place, outputs still written
        records.console.debug(traceback.format_exc())
        place = traceback.extract_tb(error.__traceback__)[-1]
        return _refused(
            RetentionError(
                f"an unexpected {type(error).__name__} in {place.name}: {error}",
                "This is a fault of the action: run again with debug logging, and report it with the log.",
            ),
            records.environ,
        )


def _refused(error: RetentionError, environ: Mapping[str, str]) -> RunResult:
    operation, dry_run = requested(environ)
    problems = error.problems if isinstance(error, InputError) else ()
    return RunResult(operation, dry_run=dry_run, failure=error.said, problems=problems, exit_status=1)


def perform(
    settings: Settings,
    records: Records,
    report: report_reader.Report | None = None,
    cache: ManifestCache | None = None,
) -> RunResult:
    """Do the run that the settings ask for, over real connections."""
    clock, console = records.clock, records.console
    began = clock.monotonic()
    time_limit = TimeLimit(clock, settings.time_limit)
    shared = TransportContext(clock, time_limit, Redactor(settings.token, console.mask), console.debug)
    registry = Registry(settings.registry_url, settings.api_url, settings.token, shared, cache=cache)
    with closing(registry), closing(connect(settings, shared)) as api:
        # Threads, not asyncio: PyGithub and requests block, and GitHub allows 100 requests at once, which threads carry.
        changes = ThreadPoolExecutor(limits.CHANGES, "change")
        packages = ThreadPoolExecutor(limits.PACKAGES, "package")
        run_context = RunContext(
            settings,
            api,
            registry,
            clock,
            records,
            changes,
            packages,
            nonce=lambda: uuid.uuid4().hex,
            spent=lambda: _spent(api, registry, clock.monotonic() - began),
            report=report,
            confirm=lambda planned: _confirm(settings, records, planned, time_limit),
            tick=lambda: _tick(records.progress, api, registry),
            git=api.git,
        )
        try:
            return run(run_context)
        finally:
            # After a cancel nobody waits for answers that are still under way.
            packages.shutdown(wait=False, cancel_futures=True)
            changes.shutdown(wait=False, cancel_futures=True)


def _confirm(
    settings: Settings, records: Records, planned: Sequence[PackageResult], time_limit: TimeLimit
) -> None:
    """Ask a person, if there is one; the time limit does not run meanwhile. Raises `PlanError` at any answer but yes."""
    began = records.clock.monotonic()
    try:
        if records.person:
            records.person.confirm(settings.operation, planned, records.report_file)
    finally:
        time_limit.deadline += records.clock.monotonic() - began


def _tick(progress: Progress, api: PackagesClient, registry: Registry) -> None:
    """Show the progress of a long run: how many requests it has made, and what it waits for."""
    pacing = api.pacing()
    progress.going_on(pacing.requests + registry.requests_made, pacing.waiting, pacing.why)


def _spent(api: PackagesClient, registry: Registry, seconds: float) -> Spending:
    """Return what API and registry have cost together."""
    pacing = api.pacing()
    return Spending(
        api_requests=pacing.requests,
        registry_requests=registry.requests_made,
        points=pacing.points,
        waited=pacing.waited + registry.waited,
        seconds=seconds,
    )


def connect(settings: Settings, shared: TransportContext) -> PackagesClient:
    """Make the client of a run; nothing is sent yet. To be closed."""
    kind = tokens.kind_of(settings.token)
    session = Session(settings.api_url, settings.token, shared)
    rate_limiter = RateLimiter(
        shared.clock,
        points_per_minute=settings.points_per_minute,
        time_limit=shared.time_limit,
        longest_budget_wait=math.inf if "time-limit" in settings.given else LONGEST_BUDGET_WAIT,
    )
    response_headers = ResponseHeaders(shared.clock, kind)
    client = GitHubClient(settings.api_url, session, rate_limiter, response_headers, shared)
    context = RequestContext(
        "",
        "",
        kind,
        on_github_com=settings.on_github_com,
        server_url=settings.server_url,
        by_hand=settings.by_hand,
    )
    return PackagesClient(client, context)
