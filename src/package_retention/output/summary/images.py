"""Rows of the summary by image: a root with all that belongs to it is one thing to a person."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from package_retention.decide.graph import own_tags
from package_retention.escaping import counted
from package_retention.model import MOVES_TAGS, Result
from package_retention.output.sentences import outcome_words, reason_words
from package_retention.output.summary.naming import MOST_TAGS
from package_retention.output.summary.words import result_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from package_retention.model import Decision, Operation, Outcome, Step, Version
    from package_retention.output.summary.blocks import Line
    from package_retention.output.summary.naming import Names
    from package_retention.reason import Reason

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Change:
    """A step with its end, or what was planned of it; `parts` are those of the rest of its image."""

    step: Step
    outcome: Outcome | None
    why: str = ""
    parts: list[Change] = field(default_factory=list)

    def end(self, operation: Operation) -> str:
        """How it ended, in a word or two, and how its parts did where that was otherwise."""
        own = self.ended(operation)
        ends = Counter(inline.ended(operation) for inline in self.parts)
        others = [f"{counted(count, 'part')} {words}" for words, count in ends.most_common() if words != own]
        return "; ".join([own, *others])

    def reason(self) -> str:
        """Why it is planned, or why it did not come to that; of its parts, the first that did not."""
        reported = (inline.error_of() for inline in (self, *self.parts))
        return next(filter(None, reported), self.why)

    def error_of(self) -> str:
        """What stood in the way; what the run's end cut off is told once for all of it."""
        if self.outcome is None or self.outcome.result in (Result.DONE, Result.NOT_REACHED):
            return ""
        return outcome_words(self.outcome)

    def ended(self, operation: Operation) -> str:
        """How this step ended."""
        return result_words(self.outcome, operation) if self.outcome else "planned"


def changes(
    ends: Iterable[tuple[Step, Outcome | None]], reasons: Mapping[int, Reason]
) -> tuple[list[Change], int]:
    """Group steps by image, newest first; gives how many steps there are, too."""
    found = [Change(step, outcome, _why(step, reasons)) for step, outcome in ends]
    roots = {one.step.version.id: one for one in found if one.step.version and _is_root(one.step)}
    units = []
    for one in found:
        root = None if one.step.root is None else roots.get(one.step.root)
        if root is None or root is one or one.step.kind in MOVES_TAGS:
            units.append(one)
        else:
            root.parts.append(one)
    units.sort(key=lambda unit: newest_first(unit.step.version))
    return units, len(found)


def _is_root(step: Step) -> bool:
    return step.version is not None and step.root == step.version.id and step.kind not in MOVES_TAGS


def _why(step: Step, reasons: Mapping[int, Reason]) -> str:
    planned = reasons.get(step.version.id) if step.version else None
    why = reason_words(planned) if planned else ""
    if step.kind not in MOVES_TAGS:
        return why
    return f"tags {', '.join(step.tags[:MOST_TAGS])}{'; ' + why if why else ''}"


@dataclass(frozen=True, slots=True)
class Stay:
    """What stays of one image, or one version."""

    decision: Decision
    parts: list[Decision] = field(default_factory=list)


def stays(decisions: Iterable[Decision]) -> list[Stay]:
    """Group what stays by image, newest first; a part of an image that does not stay stands alone."""
    units: dict[int, Stay] = {}
    parts = []
    for one in decisions:
        if one.root in (None, one.version.id):
            units[one.version.id] = Stay(one)
        else:
            parts.append(one)
    for one in parts:
        if one.root in units:
            units[one.root].parts.append(one)
    alone = [Stay(one) for one in parts if one.root not in units]
    return sorted([*units.values(), *alone], key=lambda unit: newest_first(unit.decision.version))


def named(names: Names, version: Version, parts: Sequence[object]) -> Line:
    """Name an image by its root, and say how much belongs to it."""
    return (*names.line(version), *((f" and {counted(len(parts), 'part')}",) if parts else ()))


def newest_first(version: Version | None) -> tuple[bool, float, int]:
    """Sort what has tags of its own before the rest, each newest first; a whole package before all."""
    if version is None:
        return (False, float("-inf"), 0)
    when = version.touched_at or version.created_at or _LONG_AGO
    return (not own_tags(version), -(when - _LONG_AGO).total_seconds(), -version.id)
