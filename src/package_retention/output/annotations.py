"""What a person must look at after a run: once for the job summary and the annotations."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from package_retention.decide.reasons import WITH_ITS_IMAGE
from package_retention.errors import InputError
from package_retention.escaping import counted
from package_retention.model import Operation, Result

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from package_retention.errors import RetentionError
    from package_retention.model import Outcome, PackageResult, RunResult

_WARNED = frozenset({Result.REFUSED, Result.SKIPPED})
_WARNED_AT_THE_END = _WARNED | {Result.NOT_REACHED}  # of a run cut short, one point tells them all


@dataclass(frozen=True, slots=True)
class Point:
    """Something to look at: an error or a warning, what to do about it, and how many more are like it."""

    error: bool
    text: str
    advice: str = ""
    more: int = 0

    @property
    def sentence(self) -> str:
        """The text, with the number of those like it."""
        return f"{self.text} (and {self.more:,} more like it)" if self.more else self.text


class Speaker(Protocol):
    """What points are told to: the log's annotations."""

    def warning(self, text: str, advice: str = "") -> None:
        """Tell a warning."""

    def error(self, text: str, advice: str = "") -> None:
        """Tell an error."""

    def fail(self, error: RetentionError) -> None:
        """Tell an error of several lines."""


def points(run: RunResult) -> tuple[Point, ...]:
    """Gather what failed and what is worth a warning, errors first; the same words are told once."""
    found = [
        *_of_run(run),
        *(point for result in run.packages for point in _of_package(result, run.complete)),
    ]
    errors = [point for point in found if point.error]
    warnings = [point for point in found if not point.error]
    return tuple(dict.fromkeys([*errors, *warnings]))


def announce(run: RunResult, speaker: Speaker) -> None:
    """Tell every point to the log; all problems of the inputs are one error."""
    problems = _problems(run)
    if problems:
        speaker.fail(InputError(problems))
    for point in points(run):
        if point.text in problems:
            continue
        (speaker.error if point.error else speaker.warning)(point.sentence, point.advice)


def _of_run(run: RunResult) -> Iterator[Point]:
    for problem in _problems(run) or filter(None, [run.failure]):
        yield Point(run.exit_status != 0, problem, run.advice)
    if run.ended_by == "cancel" or not (run.complete or run.warnings):
        yield _cut_short(run)
    for warning in run.warnings:
        yield Point(False, warning)


def _problems(run: RunResult) -> tuple[str, ...]:
    """The problems of the inputs, which are one error with a line each (`errors.InputError`)."""
    return tuple(run.failure.split("\n- ")[1:])


def _cut_short(run: RunResult) -> Point:
    outcomes = (outcome for result in run.packages for outcome in result.outcomes)
    left = sum(1 for outcome in outcomes if outcome.result is Result.NOT_REACHED)
    why = {
        "time": "The time limit ended the run",
        "budget": "GitHub's rate limit ended the run",
        "cancel": "The run was cancelled",
    }.get(run.ended_by, "The run ended early")
    rest = f"{counted(left, 'planned change')} not reached" if left else "before its plan was done"
    again = "Nothing is lost: run the same step again, and it goes on from there."
    return Point(
        False, f"{why}: {rest}" if left else f"{why} {rest}", "" if run.operation is Operation.LIST else again
    )


def _of_package(result: PackageResult, complete: bool) -> Iterator[Point]:
    label = result.plan.package.label
    if result.failure:
        yield Point(True, _about(label, result.failure), result.advice)
    for problem in result.plan.problems:
        yield Point(True, _about(label, problem))
    for warning in result.plan.warnings:
        yield Point(False, _about(label, warning))
    told = [outcome for outcome in result.outcomes if not _follows(outcome)]
    errors = list(_grouped(label, told, (Result.FAILED,), error=True))
    yield from errors
    advised = {point.advice for point in errors if point.advice}
    warned = _WARNED_AT_THE_END if complete else _WARNED
    left = [o for o in told if not (o.result is Result.NOT_REACHED and o.advice in advised)]
    yield from _grouped(label, left, warned, error=False)


def _follows(outcome: Outcome) -> bool:
    """Whether a step was left out only since its image's root stays, of which its own outcome tells."""
    step = outcome.step
    part = step.version is not None and step.root not in (None, step.version.id)
    return part and outcome.result is Result.SKIPPED and outcome.message == WITH_ITS_IMAGE


def _grouped(
    label: str, outcomes: Iterable[Outcome], results: Iterable[Result], *, error: bool
) -> Iterator[Point]:
    """Tell outcomes with the same advice (or, without any, the same words) as one, by the first of them."""
    wanted = frozenset(results)
    groups: dict[str, list[Outcome]] = {}
    untried: Counter[str] = Counter()
    for outcome in outcomes:
        if outcome.result in wanted:
            groups.setdefault(outcome.advice or outcome.message, []).append(outcome)
        elif outcome.result is Result.NOT_REACHED and outcome.advice:
            untried[outcome.advice] += 1
    for first, *others in groups.values():
        text = _about(label, f"{_subject(first)}{first.message}")
        if first.advice and untried[first.advice]:
            text += f"; so {counted(untried[first.advice], 'further change')} were not tried"
        yield Point(error, text, first.advice, len(others))


def _subject(outcome: Outcome) -> str:
    version = outcome.step.version
    if version is None or version.label in outcome.message or version.name in outcome.message:
        return ""
    return f"{version.label}: "


def _about(label: str, text: str) -> str:
    return text if label in text else f"{label}: {text}"
