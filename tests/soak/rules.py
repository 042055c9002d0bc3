"""What a run is asked to do, as the oracle sees it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import timedelta

    from soak.patterns import Patterns


@dataclass(frozen=True, slots=True)
class Rule:
    """A delete or a keep rule; what is not given is None or empty.

    `names` are the shapes whose ids `ids` will be, once the world is built.
    """

    versions: Patterns | None = None
    ids: frozenset[int] | None = None
    names: tuple[str, ...] | None = None
    tag_status: str | None = None
    older_than: timedelta | None = None
    newer_than: timedelta | None = None
    release_status: str | None = None
    below: tuple[int, int, int] | None = None
    damage: frozenset[str] = frozenset()
    exclude: Patterns | None = None
    keep: int = 0
    per: str | None = None
    by_version: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    """A run's rules over one container package."""

    delete: tuple[Rule, ...]
    keep: tuple[Rule, ...] = ()
    exclude: Patterns | None = None
    companions: Patterns | None = None
    referenced_tags: frozenset[str] = frozenset()
    limit: int | None = None
    untag: bool = False
    whole: bool = False
    given: dict[str, str] = field(default_factory=dict, compare=False)
    policy: str = ""
    files: dict[str, str] = field(default_factory=dict, compare=False)
