"""The listeners of one run: the log, the progress and, if the step names one, the report.

Opened once the settings are known and closed with the result. A report that cannot be opened ends the run before its
first request.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock

from package_retention.errors import InputError
from package_retention.escaping import counted
from package_retention.inputs.files import Places
from package_retention.inputs.settings import Settings
from package_retention.model import MOVES_TAGS, Operation, Outcome, Package, Plan, Result, Step
from package_retention.output.console import Console
from package_retention.output.counts import RunCounts
from package_retention.output.person import Person
from package_retention.output.problem_sentences import sentences
from package_retention.output.progress import Progress
from package_retention.output.report_writer import ReportWriter
from package_retention.output.sentences import group_words, outcome_words, reason_words
from package_retention.output.summary.tables import Names
from package_retention.output.summary.words import result_words, step_verb
from package_retention.ports import Clock, EventListener
from package_retention.registry.cache import ManifestCache

MOST_PLANNED = 1000
"""Lines of a plan that is not carried out; each change that is made has its line."""

MOST_WAITING = 200
"""Lines that one package holds back while another's group is open; then it has its turn, and the other once more."""

# What a report says of the workflow run, under these names (`GITHUB_REPOSITORY`, …).
_RUN = ("repository", "workflow", "run_id", "run_attempt", "job", "actor")


class Records:
    """The listeners of one run as one, and the files that it reads and writes beside them.

    They are called in their order; an error that one raises (a full disk) stops the change.
    """

    def __init__(
        self, environ: Mapping[str, str], console: Console, clock: Clock, person: Person | None = None
    ) -> None:
        self.environ = environ
        self.console = console
        self.clock = clock
        self._log: LogListener | None = None
        self._report: ReportWriter | None = None
        self.person = person
        self.progress: Progress = (person.bar if person else None) or Progress(console.line, clock)
        self.listeners: list[EventListener] = []
        self.report_file: str | None = None  # as it was given

    def open(self, settings: Settings) -> None:
        """Open the report before the first request; raises `InputError` if its place is not allowed."""
        self.progress.points_per_minute = settings.points_per_minute
        self.listeners = [self.progress]
        if self.person is None or self.person.screen is None:
            self._log = LogListener(self.console, settings)
            self.listeners.insert(0, self._log)
        if settings.report_file is not None:
            self._report = ReportWriter(self._places.open_report(settings.report_file), self.clock)
            run = {name: self.environ.get(f"GITHUB_{name.upper()}", "") for name in _RUN}
            self.report_file = settings.given.get("report-file")
            self._report.open(settings, run)
            # First, so that a change that cannot be written down is neither counted nor logged as started.
            self.listeners.insert(0, self._report)

    def planned(self, plan: Plan) -> None:
        """Report a plan."""
        for listener in self.listeners:
            listener.planned(plan)

    def starting(self, step: Step) -> None:
        """Report that a change is about to be sent."""
        for listener in self.listeners:
            listener.starting(step)

    def finished(self, outcome: Outcome) -> None:
        """Report how a step ended."""
        for listener in self.listeners:
            listener.finished(outcome)

    @property
    def _places(self) -> Places:
        return Places.of(self.environ, Path.cwd())

    @contextmanager
    def manifest_cache(self, path: Path | None) -> Iterator[ManifestCache | None]:
        """Carry manifests over from earlier runs, and on to later ones however this run ends.

        Raises `InputError` if the file's place is not allowed, before the first request. A file that cannot be
        written costs the next run requests and no more, so it is a warning.
        """
        if path is None:
            yield None
            return
        cache = ManifestCache.load(self._places.read_cache(path))
        try:
            yield cache
        finally:
            try:
                self._places.write_cache(path, cache.dump())
            except (OSError, InputError) as error:
                why = error.strerror if isinstance(error, OSError) else "; ".join(sentences(error.problems))
                self.console.warning(
                    f"The manifest cache was not written: {why}", "The next run reads all anew."
                )

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


@dataclass
class _Group:
    """The lines of one package that wait; `left` steps have not ended yet, `unreached` ended without a try."""

    title: str
    left: int = 0
    unreached: int = 0
    queued: bool = False
    opened: int = 0
    names: Names = field(default_factory=Names)
    reasons: dict[int, str] = field(default_factory=dict)
    lines: deque[str] = field(default_factory=deque)

    def learn(self, plan: Plan) -> None:
        """Take over what the plan calls its versions, and why each of them goes."""
        self.names = Names(plan.decisions) if plan.decisions else self.names
        self.reasons |= {one.version.id: reason_words(one.reason) for one in plan.decisions if one.selected}

    def change(self, step: Step) -> str:
        """Say what a step does: its verb, and what it is done to."""
        return f"{step_verb(step.kind)} {self.subject(step)}"

    def subject(self, step: Step) -> str:
        """Name a version by its tags, its digest or name, and its id; a step that moves tags by these."""
        if step.version is None:
            return "the whole package"
        tags = step.tags if step.kind in MOVES_TAGS else step.version.tags
        return f"{self.names.text(step.version, tags)} (id {step.version.id})"

    def why(self, step: Step) -> str:
        """Return the reason as it stands behind a line; empty if none is known."""
        reason = self.reasons.get(step.version.id) if step.version else None
        return f": {reason}" if reason else ""

    def ended(self, outcome: Outcome, operation: Operation) -> str:
        """Say how a step ended, what it was, and why, or why it did not go."""
        words = f"{result_words(outcome, operation)}: {self.subject(outcome.step)}"
        if outcome.result is Result.DONE or not (message := outcome_words(outcome)):
            return words + self.why(outcome.step)
        return f"{words}: {message}"


class LogListener:
    """Writes what happens into the log; safe to use from several threads.

    One package at a time has its group open, and its lines are printed as they come. Those of others wait for their
    turn (not for ever), so that no group holds another package's lines; `close` prints the rest.
    """

    def __init__(self, log: Console, settings: Settings) -> None:
        self._log = log
        self._settings = settings
        self._lock = RLock()
        self._groups: dict[str, _Group] = {}
        self._open: _Group | None = None
        self._queue: deque[_Group] = deque()

    def planned(self, plan: Plan) -> None:
        """Say what is planned for a package; step by step if nothing will be changed."""
        with self._lock:
            group = self._group(plan.package)
            changes = f"{counted(len(plan.steps), 'change')} planned"
            self._emit(group, f"{counted(len(plan.decisions), 'version')} listed, {changes}", *_staying(plan))
            group.learn(plan)
            if self._settings.reads_only or plan.over_cap:
                self._emit(group, *self._preview(plan, group))
            else:
                group.left += len(plan.steps)
            self._advance()

    def starting(self, step: Step) -> None:
        """Write into a debug log that a change is about to be sent."""
        self._log.debug(f"starting: {_Group('').change(step)} of {step.package.label}")

    def finished(self, outcome: Outcome) -> None:
        """Say how a step ended."""
        with self._lock:
            group = self._group(outcome.step.package)
            group.left -= 1
            if outcome.result is Result.NOT_REACHED:
                group.unreached += 1
            else:
                self._emit(group, group.ended(outcome, self._settings.operation))
            if group.left <= 0:
                self._count_unreached(group)
            self._advance()

    def close(self) -> None:
        """Print all that still waits for its turn."""
        with self._lock:
            for group in self._groups.values():
                group.left = 0
                self._count_unreached(group)
            self._advance()

    def _group(self, package: Package) -> _Group:
        return self._groups.setdefault(package.label, _Group(package.label))

    def _emit(self, group: _Group, *lines: str) -> None:
        group.lines.extend(lines)
        if lines and group is not self._open and not group.queued:
            group.queued = True
            self._queue.append(group)

    def _advance(self) -> None:
        """Print the lines of the open package; when it is through, go on to the next that has any."""
        while self._open or self._queue:
            if self._open is None:
                self._open = self._queue.popleft()
                self._open.queued = False
                self._open.opened += 1
                again = f" (part {self._open.opened})" if self._open.opened > 1 else ""
                self._log.start_group(f"{self._open.title}{again}")
            while self._open.lines:
                self._log.line(self._open.lines.popleft())
            if self._open.left > 0 and not (self._queue and len(self._queue[0].lines) >= MOST_WAITING):
                return
            self._log.end_group()
            self._open = None

    def _count_unreached(self, group: _Group) -> None:
        if group.unreached:
            self._emit(group, f"{counted(group.unreached, 'change')} not reached")
            group.unreached = 0

    def _preview(self, plan: Plan, group: _Group) -> Iterator[str]:
        """Yield the planned changes, one a line, if they will not be made."""
        for step in plan.steps[:MOST_PLANNED]:
            yield f"would {group.change(step)}{group.why(step)}"
        if len(plan.steps) > MOST_PLANNED:
            more = f"and {len(plan.steps) - MOST_PLANNED:,} more"
            yield f"{more}, which the report file holds" if self._settings.report_file else more


def _staying(plan: Plan) -> Iterator[str]:
    """Yield one line that counts what stays, by its reasons; none if nothing does."""
    stay = Counter(group_words(one.reason) for one in plan.decisions if not (one.selected or one.untag))
    if stay:
        reasons = ", ".join(f"{number:,} {words}" for words, number in stay.most_common())
        total = sum(stay.values())
        yield f"{total:,} {'stays' if total == 1 else 'stay'}: {reasons}"
