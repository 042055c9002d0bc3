"""What a person must look at after a run: once for the job summary and the annotations."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from package_retention.errors import InputError
from package_retention.escaping import counted
from package_retention.model import Operation, Result
from package_retention.output.findings import (
    finding_hint,
    finding_words,
    outcome_hint,
    outcome_words,
    paste_of,
)
from package_retention.output.problems import sentences
from package_retention.reason import FindingCode, ReasonCode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from package_retention.errors import RetentionError
    from package_retention.model import Outcome
    from package_retention.reason import Finding
    from package_retention.results import PackageResult, RunResult

_WARNED = frozenset({Result.REFUSED, Result.SKIPPED})
_WARNED_AT_THE_END = _WARNED | {Result.NOT_REACHED}  # of a run cut short, one point tells them all


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to look at: an error or a warning, what to do about it, and how many more are like it.

    `paste` is YAML that mends it.
    """

    error: bool
    text: str
    hint: str = ""
    more: int = 0
    of_inputs: bool = False
    paste: str = ""

    @property
    def sentence(self) -> str:
        """The text, with the number of those like it."""
        return f"{self.text} (and {self.more:,} more like it)" if self.more else self.text


class Annotator(Protocol):
    """What points are told to: the log's annotations."""

    def warning(self, text: str, hint: str = "", *lines: str) -> None:
        """Tell a warning."""

    def error(self, text: str, hint: str = "", *lines: str) -> None:
        """Tell an error."""

    def fail(self, error: RetentionError) -> None:
        """Tell an error of several lines."""


def notices(run: RunResult) -> tuple[Notice, ...]:
    """Gather what failed and what is worth a warning, errors first; the same words are told once."""
    found = [
        *_of_run(run),
        *(notice for result in run.packages for notice in _of_package(result, run.complete)),
    ]
    errors = [notice for notice in found if notice.error]
    warnings = [notice for notice in found if not notice.error]
    return tuple(dict.fromkeys([*errors, *warnings]))


def annotate(run: RunResult, speaker: Annotator) -> None:
    """Tell every point to the log; all problems of the inputs are one error."""
    if run.problems:
        speaker.fail(InputError(*run.problems))
    for notice in notices(run):
        if notice.of_inputs:
            continue
        say = speaker.error if notice.error else speaker.warning
        say(notice.sentence, notice.hint, *notice.paste.splitlines())


def _of_run(run: RunResult) -> Iterator[Notice]:
    for problem in sentences(run.problems):
        yield Notice(run.exit_status != 0, problem, run.hint, of_inputs=True)
    if run.failure and not run.problems:
        hint = run.hint or finding_hint(run.failure)
        yield Notice(run.exit_status != 0, finding_words(run.failure), hint)
    if run.ended_by == "cancel" or not (run.complete or run.warnings):
        yield _cut_short(run)
    for warning in run.warnings:
        yield Notice(False, finding_words(warning))
    why, hint = run.refused_later
    if why:
        yield Notice(
            False, f"Without dry-run this step would be refused before its first change: {why}", hint
        )


def _cut_short(run: RunResult) -> Notice:
    outcomes = (outcome for result in run.packages for outcome in result.outcomes)
    left = sum(1 for outcome in outcomes if outcome.result is Result.NOT_REACHED)
    why = {
        "time": "The time limit ended the run",
        "budget": "GitHub's rate limit ended the run",
        "cancel": "The run was cancelled",
    }.get(run.ended_by, "The run ended early")
    rest = f"{counted(left, 'planned change')} not reached" if left else "before its plan was done"
    again = "Nothing is lost: run the same step again, and it goes on from there."
    return Notice(
        False, f"{why}: {rest}" if left else f"{why} {rest}", "" if run.operation is Operation.LIST else again
    )


def _of_package(result: PackageResult, complete: bool) -> Iterator[Notice]:
    label = result.plan.package.label
    if result.failure:
        # An error names its object itself.
        yield Notice(True, finding_words(result.failure), result.hint or finding_hint(result.failure))
    for problem in result.plan.problems:
        yield Notice(
            True, f"{label}: {finding_words(problem)}", finding_hint(problem), paste=paste_of(problem)
        )
    for warning in result.plan.warnings:
        yield Notice(False, _warning(label, warning))
    reported = [outcome for outcome in result.outcomes if not _follows(outcome)]
    errors = list(_grouped(label, reported, (Result.FAILED,), error=True))
    yield from errors
    advised = {notice.hint for notice in errors if notice.hint}
    warned = _WARNED_AT_THE_END if complete else _WARNED
    left = [o for o in reported if not (o.result is Result.NOT_REACHED and outcome_hint(o) in advised)]
    yield from _grouped(label, left, warned, error=False)


def _warning(label: str, warning: Finding | str) -> str:
    """A warning with its package, which an error that is ignored names itself."""
    words = finding_words(warning)
    itself = not isinstance(warning, str) and warning.code is FindingCode.MISSING
    return words if itself else f"{label}: {words}"


def _follows(outcome: Outcome) -> bool:
    """Whether a step was left out only since its image's root stays, of which its own outcome tells."""
    step = outcome.step
    inline = step.version is not None and step.root not in (None, step.version.id)
    return inline and outcome.reason is not None and outcome.reason.code is ReasonCode.IMAGE_STAYS


def _grouped(
    label: str, outcomes: Iterable[Outcome], results: Iterable[Result], *, error: bool
) -> Iterator[Notice]:
    """Tell outcomes with the same advice (or, without any, the same words) as one, by the first of them."""
    wanted = frozenset(results)
    groups: dict[str, list[Outcome]] = {}
    untried: Counter[str] = Counter()
    for outcome in outcomes:
        hint = outcome_hint(outcome)
        if outcome.result in wanted:
            groups.setdefault(hint or outcome_words(outcome), []).append(outcome)
        elif outcome.result is Result.NOT_REACHED and hint:
            untried[hint] += 1
    for first, *others in groups.values():
        hint = outcome_hint(first)
        text = f"{_subject(first, label)}{outcome_words(first)}"
        if hint and untried[hint]:
            text += f"; so {counted(untried[hint], 'further change')} were not tried"
        yield Notice(error, text, hint, len(others))


def _subject(outcome: Outcome, label: str) -> str:
    """The version, and its package where no error was met that names it."""
    version = outcome.step.version
    of_package = "" if outcome.message and not outcome.reason else f"{label}: "
    return f"{of_package}{version.label}: " if version else of_package
