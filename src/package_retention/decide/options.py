"""What the step's inputs say beside the rules."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Narrowing:
    """The ids that a plan may change where a report narrows it: `deletions` may go, `untags` may lose tags.

    `alone` are those that would go without the report: an image that one of them would go with, and that is not in
    `deletions`, has got something since the report was written.
    """

    deletions: frozenset[int]
    untags: frozenset[int]
    alone: frozenset[int]


@dataclass(frozen=True, slots=True)
class Options:
    """`narrowing` is `None` where no report narrows the plan."""

    untag: bool = False
    when_empty: bool = False
    narrowing: Narrowing | None = None
