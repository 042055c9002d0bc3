"""What the step's inputs say beside the rules."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """`allowed` are the only ids that may be changed, where a report narrows the plan; `None` where none does.

    Of these, `untaggable` are the only ones that may lose tags.
    """

    untag: bool = False
    when_empty: bool = False
    allowed: frozenset[int] | None = None
    untaggable: frozenset[int] | None = None
