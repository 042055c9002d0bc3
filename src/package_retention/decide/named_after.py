"""How one version stands to `source-gone` and `source-exists`: its tags (or its name), held against what git lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from package_retention.decide.git_names import GitKind, GitNames
from package_retention.decide.source_gone import SourceJudge, SourceState, named_texts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from package_retention.decide.candidates import Candidate
    from package_retention.decide.git_names import GitKind as Kind
    from package_retention.decide.matching import VersionParser
    from package_retention.decide.rules import Filter
    from package_retention.decide.source_gone import SourceFact, SourceVerdict

_AFTER_VERSIONS = frozenset({GitKind.TAG, GitKind.RELEASE})


def gone(
    condition: Filter, candidate: Candidate, texts: Sequence[str], parser: VersionParser, now: datetime
) -> SourceVerdict:
    """Judge some texts of a version for `source-gone`: what each of them is named after must be gone."""
    touched = candidate.version.touched_at
    age = None if touched is None else now - touched
    return _judge(candidate, condition.source_gone, parser).gone(
        named_texts(texts, condition.versions), age, older_than_given=condition.older_than is not None
    )


def gone_tags(
    condition: Filter, candidate: Candidate, texts: Sequence[str], parser: VersionParser, now: datetime
) -> tuple[str, ...]:
    """Return those of the texts that may be taken off an image although others stay.

    What is gone as a git tag or release goes only where nothing that another tag names exists: a moving tag such as
    `1.2.3` beside a living one is a mistake of the reader more often than a version that was withdrawn.
    """
    verdicts = {text: gone(condition, candidate, (text,), parser, now) for text in candidate.telling}
    living = any(verdict.state is SourceState.EXISTS for verdict in verdicts.values())
    return tuple(
        text
        for text in texts
        if (verdict := verdicts.get(text)) is not None
        and verdict.state is SourceState.GONE
        and not (living and any(fact.kind in _AFTER_VERSIONS for fact in verdict.facts))
    )


def exists(
    condition: Filter, candidate: Candidate, texts: Sequence[str], parser: VersionParser
) -> SourceFact | None:
    """Return the thing that one of the texts is named after, or that may exist (`source-exists`)."""
    judge = _judge(candidate, condition.source_exists, parser)
    return judge.exists(named_texts(texts, condition.versions))


def _judge(candidate: Candidate, kinds: frozenset[Kind], parser: VersionParser) -> SourceJudge:
    names = (candidate.facts and candidate.facts.git) or GitNames(())
    return SourceJudge(names, kinds, lambda text: parser.of(text) is not None)
