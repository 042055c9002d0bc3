"""What became of the tags of one step, and the outcome that follows from it (no I/O)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from package_retention.errors import RetentionError
from package_retention.model import Outcome, Result

if TYPE_CHECKING:
    from collections.abc import Mapping

    from package_retention.model import Step


@dataclass(frozen=True, slots=True)
class Move:
    """What became of one tag: `moved`, and what stood in the way, which is a failure unless the tag rightly `stays`."""

    moved: bool = False
    problem: str = ""
    advice: str = ""
    stays: bool = False
    in_doubt: bool = False


class HalfwayError(RetentionError):
    """A step ended between two of its tags: `outcome` tells of those before, `cause` is what ended it."""

    def __init__(self, outcome: Outcome, cause: RetentionError) -> None:
        super().__init__(cause.message, cause.advice)
        self.outcome = outcome
        self.cause = cause


def result_of(moves: Mapping[str, Move]) -> Result:
    """How a step ended whose tags were all tried."""
    problems = [move for move in moves.values() if move.problem]
    if not problems:
        return Result.DONE if any(move.moved for move in moves.values()) else Result.ALREADY
    return Result.SKIPPED if all(move.stays for move in problems) else Result.FAILED


def outcome_of(
    step: Step, moves: Mapping[str, Move], result: Result, end: RetentionError | None = None
) -> Outcome:
    """The outcome of a step; `end` is what ended it between two tags."""
    problems = [move.problem for move in moves.values() if move.problem] + ([end.message] if end else [])
    advices = [end.advice if end else "", *(move.advice for move in moves.values())]
    return Outcome(
        step,
        result,
        "; ".join(problems),
        advice=next(filter(None, advices), ""),
        tags=tuple(tag for tag, move in moves.items() if move.moved),
        in_doubt=any(move.in_doubt for move in moves.values()),
    )
