"""Make a failing trial smaller, as long as it breaks the same law."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from soak.judge import judge

if TYPE_CHECKING:
    from soak.trial import Stage, Trial
    from soak.worlds import Statement


def law_of(sentence: str) -> str:
    """A sentence without what differs from world to world."""
    return re.sub(r"[0-9a-f]{12}|\d+|\[.*\]|(?<!dry run):.*| '.*'", "", sentence)[:70]


def minimise(stage: Stage, one: Trial, law: str, tries: int = 150) -> Trial:
    """Leave out statements, changes and faults one by one."""
    smaller = True
    while smaller and tries > 0:
        smaller = False
        for candidate in _smaller(one):
            tries -= 1
            if tries < 0:
                break
            if any(law_of(found) == law for found in judge(stage, candidate)):
                one, smaller = candidate, True
                break
    return one


def _smaller(one: Trial) -> list[Trial]:
    found = [replace(one, changes=rest) for rest in _without_one(one.changes)]
    found += [replace(one, strikes=rest) for rest in _without_one(one.strikes)]
    if one.cancel and (one.strikes or one.changes):
        found.append(replace(one, cancel=0))
    for number, statement in enumerate(one.statements):
        if not statement.makes:
            rest = one.statements[:number] + one.statements[number + 1 :]
            found.append(replace(one, statements=_used(rest, one)))
    # A trial with changes is played in another way than one without: it must not become quiet on the way.
    return [smaller for smaller in found if smaller.quiet == one.quiet]


def _without_one(some: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    return [some[:number] + some[number + 1 :] for number in range(len(some))]


def _used(statements: tuple[Statement, ...], one: Trial) -> tuple[Statement, ...]:
    """Without the shapes that nothing uses any more."""
    used = {name for change in one.changes for name in change.statement.uses}
    kept = []
    for statement in reversed(statements):
        if not statement.makes or statement.makes in used:
            kept.append(statement)
            used |= statement.uses
    return tuple(reversed(kept))
