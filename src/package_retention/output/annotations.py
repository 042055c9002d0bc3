"""What a person must look at after a run: once for the job summary and the annotations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from package_retention.escaping import counted
from package_retention.model import GitKind, Operation, Outcome, Result
from package_retention.output.console import Console
from package_retention.output.problem_sentences import lines, sentences
from package_retention.output.sentences import (
    finding_hint,
    finding_words,
    outcome_hint,
    outcome_words,
)
from package_retention.reason import Finding, FindingCode, ReasonCode
from package_retention.results import PackageResult, RunResult

_WARNED = frozenset({Result.REFUSED, Result.SKIPPED})
_WARNED_AT_THE_END = _WARNED | {Result.NOT_REACHED}  # of a run cut short, one notice counts them all


class Notice(Struct, frozen=True):
    """Something to look at: an error or a warning, what to do about it, and how many more are like it.

    `paste` is YAML that mends it.
    """

    error: bool
    text: str
    hint: str = ""
    more: int = 0
    paste: str = ""

    @property
    def sentence(self) -> str:
        """The text, with the number of those like it."""
        return f"{self.text} (and {self.more:,} more like it)" if self.more else self.text


def notices(run: RunResult, *, by_hand: bool = False) -> tuple[Notice, ...]:
    """Return what failed and what is worth a warning, errors first; the same words once.

    What to do is said in inputs, or in flags to who called the action by hand.
    """
    found = [*_of_run(run, by_hand=by_hand)]
    for result in run.packages:
        found += _of_package(result, run.complete, by_hand=by_hand)
    return tuple(dict.fromkeys(sorted(found, key=lambda one: not one.error)))


def annotate(run: RunResult, console: Console) -> None:
    """Print every notice; all problems of the inputs are one error."""
    if run.problems:
        console.error(*lines(run.problems, by_hand=console.by_hand))
        run = replace(run, problems=(), failure=None)
    for notice in notices(run, by_hand=console.by_hand):
        write = console.error if notice.error else console.warning
        write(notice.sentence, notice.hint, *notice.paste.splitlines())


def _of_run(run: RunResult, *, by_hand: bool) -> Iterator[Notice]:
    failed = run.exit_status != 0
    for problem in sentences(run.problems, by_hand=by_hand):
        yield Notice(failed, problem)
    if run.failure and not run.problems:
        yield Notice(failed, finding_words(run.failure), finding_hint(run.failure, by_hand=by_hand))
    if run.ended_by == "cancel" or not (run.complete or run.warnings):
        yield _cut_short(run)
    for warning in run.warnings:
        yield Notice(False, finding_words(warning))
    if run.refused_later:
        later = run.refused_later
        yield Notice(False, finding_words(later), finding_hint(later, by_hand=by_hand))


def _cut_short(run: RunResult) -> Notice:
    outcomes = (outcome for result in run.packages for outcome in result.outcomes)
    left = sum(1 for outcome in outcomes if outcome.result is Result.NOT_REACHED)
    why = {
        "time": "The time limit ended the run",
        "budget": "GitHub's rate limit ended the run",
        "cancel": "The run was cancelled",
    }.get(run.ended_by, "The run ended early")
    words = (
        f"{why}: {counted(left, 'planned change')} not reached" if left else f"{why} before its plan was done"
    )
    again = "Nothing is lost: run the same step again, and it continues from there."
    return Notice(False, words, "" if run.operation is Operation.LIST else again)


def _of_package(result: PackageResult, complete: bool, *, by_hand: bool) -> Iterator[Notice]:
    label = result.plan.package.label
    if result.failure:
        # An error names its object itself.
        yield Notice(True, finding_words(result.failure), finding_hint(result.failure, by_hand=by_hand))
    for problem in result.plan.problems:
        words = f"{label}: {finding_words(problem)}"
        hint = finding_hint(problem, by_hand=by_hand)
        yield Notice(True, words, hint, paste=_permissions_to_paste(problem))
    for warning in result.plan.warnings:
        yield Notice(False, _warning(label, warning))
    reported = [(one, outcome_hint(one, by_hand=by_hand)) for one in result.outcomes if not _follows(one)]
    errors = list(_grouped(label, reported, frozenset({Result.FAILED}), error=True))
    yield from errors
    hints = {notice.hint for notice in errors if notice.hint}
    left = [
        (one, hint) for one, hint in reported if one.result is not Result.NOT_REACHED or hint not in hints
    ]
    yield from _grouped(label, left, _WARNED_AT_THE_END if complete else _WARNED, error=False)


_PERMISSIONS = {GitKind.PULL_REQUEST.value: "pull-requests: read"}


def _permissions_to_paste(finding: Finding) -> str:
    """Return the permissions that mend a finding, as YAML to paste; empty if none do."""
    if finding.code is not FindingCode.GIT_FORBIDDEN:
        return ""
    needed = {_PERMISSIONS.get(kind, "contents: read") for kind in finding.others} | {"packages: write"}
    return "\n".join(["permissions:", *(f"  {line}" for line in sorted(needed))])


def _warning(label: str, warning: Finding) -> str:
    """Return a warning with its package, unless it is an error that was ignored: that names it itself."""
    words = finding_words(warning)
    return words if warning.code is FindingCode.MISSING else f"{label}: {words}"


def _follows(outcome: Outcome) -> bool:
    """Whether a step was left out only because its image's root stays, whose own outcome is reported."""
    step = outcome.step
    inline = step.version is not None and step.root not in (None, step.version.id)
    return inline and outcome.reason is not None and outcome.reason.code is ReasonCode.IMAGE_STAYS


def _grouped(
    label: str, hinted: Iterable[tuple[Outcome, str]], results: frozenset[Result], *, error: bool
) -> Iterator[Notice]:
    """Yield one notice for outcomes with the same hint (or, without any, the same words), by the first of them."""
    groups: dict[tuple[str, str], list[Outcome]] = {}
    untried: Counter[str] = Counter()
    for outcome, hint in hinted:
        if outcome.result in results:
            words = "" if hint else outcome_words(outcome)
            groups.setdefault((hint, words), []).append(outcome)
        elif outcome.result is Result.NOT_REACHED and hint:
            untried[hint] += 1
    for (hint, _), (first, *others) in groups.items():
        text = f"{_subject(first, label)}{outcome_words(first)}"
        if hint and untried[hint]:
            text += f"; so {counted(untried[hint], 'further change')} were not tried"
        yield Notice(error, text, hint, len(others))


def _subject(outcome: Outcome, label: str) -> str:
    """Name the version, and its package unless an error was met that names it."""
    version = outcome.step.version
    of_package = "" if outcome.message and not outcome.reason else f"{label}: "
    return f"{of_package}{version.label}: " if version else of_package
