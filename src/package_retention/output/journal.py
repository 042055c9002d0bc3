"""The log as a journal: a group for each package, one line a change; and several journals as one."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from threading import RLock
from typing import TYPE_CHECKING, Protocol

from package_retention.escaping import counted
from package_retention.model import MOVES_TAGS, Result, StepKind
from package_retention.output.findings import outcome_words
from package_retention.output.sentences import reason_words
from package_retention.output.summary.images import Names
from package_retention.output.summary.words import group_words, result_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from package_retention.model import Operation, Outcome, Package, Plan, Step
    from package_retention.ports import EventListener

MOST_PLANNED = 1000
"""Lines of a plan that is only told; a change that is made has its line whatever their number."""

MOST_WAITING = 200
"""Lines that one package holds back while another's group is open; then it has its turn, and the other once more."""


class EventListeners:
    """Several journals as one; each is told, in their order, and the first that raises is heard (a report that is full)."""

    def __init__(self, *journals: EventListener) -> None:
        self._journals = journals

    def planned(self, plan: Plan) -> None:
        """Tell every journal that a plan stands."""
        for journal in self._journals:
            journal.planned(plan)

    def starting(self, step: Step) -> None:
        """Tell every journal that a change is about to be sent."""
        for journal in self._journals:
            journal.starting(step)

    def finished(self, outcome: Outcome) -> None:
        """Tell every journal how a step ended."""
        for journal in self._journals:
            journal.finished(outcome)

    def note(self, text: str) -> None:
        """Tell every journal what is worth knowing."""
        for journal in self._journals:
            journal.note(text)


class Log(Protocol):
    """Where lines and groups go: the console."""

    def line(self, text: str) -> None:
        """Print a line."""

    def debug(self, text: str) -> None:
        """Print a line for debugging."""

    def start_group(self, title: str) -> None:
        """Open a group."""

    def end_group(self) -> None:
        """Close it."""


@dataclass
class _Chapter:
    """What is to be told of one package; `left` steps have not ended yet, `unreached` ended without a try."""

    title: str
    left: int = 0
    unreached: int = 0
    queued: bool = False
    opened: int = 0
    names: Names = field(default_factory=Names)
    reasons: dict[int, str] = field(default_factory=dict)
    lines: deque[str] = field(default_factory=deque)

    def learn(self, plan: Plan) -> None:
        """Know what the plan calls its versions, and why each of them goes."""
        self.names = Names(plan.decisions) if plan.decisions else self.names
        self.reasons |= {one.version.id: reason_words(one.reason) for one in plan.decisions if one.selected}

    def why(self, step: Step) -> str:
        """The reason as it stands behind a line; empty where none is known."""
        reason = self.reasons.get(step.version.id) if step.version else None
        return f": {reason}" if reason else ""


class LogListener:
    """Tells the log what happens; safe to use from several threads.

    One package at a time has its group open and is told as it goes. What happens to others meanwhile waits for its
    turn (not for ever), so that no group holds another package's lines; `close` tells the rest.
    """

    def __init__(
        self, log: Log, operation: Operation, *, reads_only: bool = False, has_report: bool = False
    ) -> None:
        self._log = log
        self._operation = operation
        self._reads_only = reads_only
        self._has_report = has_report
        self._lock = RLock()
        self._chapters: dict[str, _Chapter] = {}
        self._open: _Chapter | None = None
        self._queue: deque[_Chapter] = deque()

    def planned(self, plan: Plan) -> None:
        """Tell what is planned for a package; step by step where nothing will be changed."""
        with self._lock:
            chapter = self._chapter(plan.package)
            changes = f"{counted(len(plan.steps), 'change')} planned"
            self._emit(chapter, f"{counted(len(plan.decisions), 'version')} listed, {changes}")
            for line in _staying(plan):
                self._emit(chapter, line)
            chapter.learn(plan)
            if self._reads_only or plan.over_cap:
                for line in self._preview(plan, chapter):
                    self._emit(chapter, line)
            else:
                chapter.left += len(plan.steps)
            self._advance()

    def starting(self, step: Step) -> None:
        """Tell a debug log that a change is about to be sent."""
        self._log.debug(f"starting: {_change(step, Names())} of {step.package.label}")

    def finished(self, outcome: Outcome) -> None:
        """Tell how a step ended."""
        with self._lock:
            chapter = self._chapter(outcome.step.package)
            chapter.left -= 1
            if outcome.result is Result.NOT_REACHED:
                chapter.unreached += 1
            else:
                self._emit(chapter, _ended(outcome, self._operation, chapter))
            if chapter.left <= 0:
                self._tell_unreached(chapter)
            self._advance()

    def note(self, text: str) -> None:
        """Tell something, wherever the log is."""
        with self._lock:
            self._log.line(text)

    def close(self) -> None:
        """Tell all that still waits for its turn."""
        with self._lock:
            for chapter in self._chapters.values():
                chapter.left = 0
                self._tell_unreached(chapter)
            self._advance()

    def _chapter(self, package: Package) -> _Chapter:
        return self._chapters.setdefault(package.label, _Chapter(package.label))

    def _emit(self, chapter: _Chapter, line: str) -> None:
        chapter.lines.append(line)
        if chapter is not self._open and not chapter.queued:
            chapter.queued = True
            self._queue.append(chapter)

    def _advance(self) -> None:
        """Tell what the open package has; when it is through, go on to the next that has anything to tell."""
        while self._open or self._queue:
            if self._open is None:
                self._open = self._queue.popleft()
                self._open.queued = False
                self._open.opened += 1
                part = f" (part {self._open.opened})" if self._open.opened > 1 else ""
                self._log.start_group(f"{self._open.title}{part}")
            while self._open.lines:
                self._log.line(self._open.lines.popleft())
            if self._open.left > 0 and not (self._queue and len(self._queue[0].lines) >= MOST_WAITING):
                return
            self._log.end_group()
            self._open = None

    def _tell_unreached(self, chapter: _Chapter) -> None:
        if chapter.unreached:
            self._emit(chapter, f"{counted(chapter.unreached, 'change')} not reached")
            chapter.unreached = 0

    def _preview(self, plan: Plan, chapter: _Chapter) -> Iterator[str]:
        """The planned changes, one a line, where they will not be made."""
        for step in plan.steps[:MOST_PLANNED]:
            yield f"would {_change(step, chapter.names)}{chapter.why(step)}"
        if len(plan.steps) > MOST_PLANNED:
            more = f"and {len(plan.steps) - MOST_PLANNED:,} more"
            yield f"{more}, which the report file holds" if self._has_report else more


def _staying(plan: Plan) -> Iterator[str]:
    """One line that counts what stays, by its reasons."""
    stay = Counter(group_words(one.reason) for one in plan.decisions if not (one.selected or one.untag))
    if stay:
        reasons = ", ".join(f"{number:,} {words}" for words, number in stay.most_common())
        total = sum(stay.values())
        yield f"{total:,} {'stays' if total == 1 else 'stay'}: {reasons}"


def _ended(outcome: Outcome, operation: Operation, chapter: _Chapter) -> str:
    """One line for one change: how it ended, what it was, and why, or why it did not go."""
    words = f"{result_words(outcome, operation)}: {_subject(outcome.step, chapter.names)}"
    if outcome.result is Result.DONE or not (words_of := outcome_words(outcome)):
        return words + chapter.why(outcome.step)
    return f"{words}: {words_of}"


_VERBS = {
    StepKind.DELETE_VERSION: "delete",
    StepKind.DELETE_PACKAGE: "delete",
    StepKind.RESTORE_VERSION: "restore",
    StepKind.RESTORE_PACKAGE: "restore",
    StepKind.UNTAG: "take tags away from",
    StepKind.RETAG: "put back tags of",
}


def _change(step: Step, names: Names) -> str:
    return f"{_VERBS[step.kind]} {_subject(step, names)}"


def _subject(step: Step, names: Names) -> str:
    """Name a version by its tags, its digest or name, and its id; an untag by the tags it is about."""
    if step.version is None:
        return "the whole package"
    tags = step.tags if step.kind in MOVES_TAGS else step.version.tags
    return f"{names.text(step.version, tags)} (id {step.version.id})"
