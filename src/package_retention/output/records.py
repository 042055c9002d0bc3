"""The listeners of one run: the log, the progress and, if the step names one, the report.

Opened once the settings are known and closed with the result. A report that cannot be opened ends the run before its
first request.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from package_retention.errors import InputError
from package_retention.inputs.files import Places
from package_retention.inputs.settings import Settings
from package_retention.output.console import Console
from package_retention.output.counts import RunCounts
from package_retention.output.journal import EventListeners, LogListener
from package_retention.output.person import Person
from package_retention.output.progress import Progress
from package_retention.output.report_writer import ReportWriter
from package_retention.ports import Clock, EventListener
from package_retention.registry.cache import ManifestCache
from package_retention.report import Report
from package_retention.results import PackageResult

# What a report says of the workflow run, under these names (`GITHUB_REPOSITORY`, …).
_RUN = ("repository", "workflow", "run_id", "run_attempt", "job", "actor")


class Records:
    """The listeners of one run, and the files that it reads and writes beside them."""

    def __init__(
        self, environ: Mapping[str, str], console: Console, clock: Clock, person: Person | None = None
    ) -> None:
        self._environ = environ
        self._console = console
        self._clock = clock
        self._log: LogListener | None = None
        self._report: ReportWriter | None = None
        self.person = person
        self.progress: Progress = (person.bar if person else None) or Progress(console.line, clock)
        self.journal: EventListener = EventListeners()
        self.settings: Settings | None = None

    def open(self, settings: Settings) -> None:
        """Open the report before the first request; raises `InputError` if its place is not allowed."""
        self.settings = settings
        self.progress.points_per_minute = settings.points_per_minute
        listeners: list[EventListener] = [self.progress]
        if self.person is None or self.person.screen is None:
            self._log = LogListener(
                self._console,
                settings.operation,
                reads_only=settings.reads_only,
                has_report=settings.report_file is not None,
            )
            listeners.insert(0, self._log)
        if settings.report_file is not None:
            from package_retention.output.report_writer import ReportWriter  # noqa: PLC0415 - few runs write one

            places = Places.of(self._environ, Path.cwd())
            self._report = ReportWriter(places.open_report(settings.report_file), self._clock)
            run = {name: self._environ.get(f"GITHUB_{name.upper()}", "") for name in _RUN}
            self._report.open(settings, run)
            # First, so that a change that cannot be written down is neither counted nor logged as started.
            listeners.insert(0, self._report)
        self.journal = EventListeners(*listeners)

    def read_report(self, settings: Settings) -> Report | None:
        """Read the report that the step names; raises `InputError` if it is not one."""
        if settings.from_report is None:
            return None
        from package_retention.inputs.report_reader import read  # noqa: PLC0415 - few runs read one

        return read(settings.from_report)

    @contextmanager
    def manifest_cache(self) -> Iterator[ManifestCache | None]:
        """Carry manifests over from earlier runs, and on to later ones however this run ends.

        Raises `InputError` if the file's place is not allowed, before the first request. A file that cannot be
        written costs the next run requests and no more, so it is a warning.
        """
        path = self.settings.manifest_cache if self.settings else None
        if path is None:
            yield None
            return
        from package_retention.registry.cache import ManifestCache  # noqa: PLC0415 - few runs have one

        places = Places.of(self._environ, Path.cwd())
        cache = ManifestCache.load(places.read_cache(path))
        try:
            yield cache
        finally:
            try:
                places.write_cache(path, cache.dump())
            except (OSError, InputError) as error:
                why = error.strerror if isinstance(error, OSError) else error.message
                self._console.warning(
                    f"The manifest cache was not written: {why}", "The next run reads all anew."
                )

    @property
    def report_file(self) -> str | None:
        """The report's path as it was given; `None` without a report."""
        given = self.settings.given.get("report-file") if self.settings else None
        return given if self._report else None

    def confirm(self, planned: Sequence[PackageResult]) -> None:
        """Show a person the plan and ask; raises `PlanError` if the answer is not yes."""
        if self.person and self.settings:
            self.person.confirm(self.settings.operation, planned, self.report_file)

    def close(self, counts: RunCounts) -> str:
        """Write the last lines, and return what went wrong with the report; empty if nothing did."""
        if self._log:
            self._log.close()
        if self.person and self.person.bar:
            self.person.bar.stop()
        if self._report is None:
            return ""
        self._report.close(counts)
        return self._report.failure
