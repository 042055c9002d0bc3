"""Images as a person reads them: how a version is named, and a root with all that belongs to it as one row."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from package_retention.decide.graph import derived_subject, own_tags
from package_retention.escaping import counted
from package_retention.model import MOVES_TAGS, Result
from package_retention.output.findings import outcome_words
from package_retention.output.sentences import own_words
from package_retention.output.summary.blocks import Code, Link
from package_retention.output.summary.words import result_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from package_retention.model import Content, Decision, Operation, Outcome, Step, Version
    from package_retention.output.summary.blocks import Line
    from package_retention.reason import Reason

_LONG_AGO = datetime.min.replace(tzinfo=UTC)
MOST_TAGS = 8

_SUFFIX = re.compile(r"\.(sig|att|sbom)$")
_KINDS = {"sig": "signature", "att": "attestation", "sbom": "SBOM"}


class Names:
    """The names of one package's versions; of a digest-derived tag, its subject's is told where it is known."""

    def __init__(self, decisions: Iterable[Decision] = ()) -> None:
        self._subjects = {one.version.name: tags[0] for one in decisions if (tags := own_tags(one.version))}

    def line(self, version: Version) -> Line:
        """Name a version: its tags, then its digest or name, which leads to its page."""
        shown = short(version.name)
        last = Link(shown, version.html_url) if version.html_url else Code(shown)
        tags = [piece for tag in version.tags[:MOST_TAGS] for piece in (*self._tag(tag), " ")]
        more = len(version.tags) - MOST_TAGS
        return (*tags, *((f"and {counted(more, 'more tag')} ",) if more > 0 else ()), last)

    def text(self, version: Version, tags: tuple[str, ...] | None = None) -> str:
        """The same as plain text; with `tags`, by these."""
        tags = version.tags if tags is None else tags
        named = [self.words(tag) for tag in tags[:MOST_TAGS]] + ["…"] * (len(tags) > MOST_TAGS)
        return ", ".join(dict.fromkeys([*named, short(version.name)]))

    def words(self, tag: str) -> str:
        """A tag in words: `signature of v1` where the subject is known."""
        return "".join(piece.text if isinstance(piece, Code) else str(piece) for piece in self._tag(tag))

    def _tag(self, tag: str) -> tuple[str | Code, ...]:
        digest = derived_subject(tag)
        if digest is None:
            return (Code(tag),)
        subject = self._subjects.get(digest)
        if subject is None:
            return (Code(short_tag(tag)),)
        found = _SUFFIX.search(tag)
        return (f"{_KINDS[found[1]] if found else 'referrers'} of ", Code(subject))


def short(name: str) -> str:
    """Cut a digest to its first 12 hex digits; any other name stays."""
    algorithm, colon, digits = name.partition(":")
    return f"{algorithm}:{digits[:12]}" if colon and algorithm == "sha256" else name


def short_tag(tag: str) -> str:
    """Cut a digest-derived tag (`sha256-2aab52919d9d….sig`); any other stays."""
    if derived_subject(tag) is None:
        return tag
    found = _SUFFIX.search(tag)
    algorithm, _, digits = tag.partition("-")
    return f"{algorithm}-{digits[:12]}…{found[0] if found else ''}"


@dataclass(frozen=True, slots=True)
class Change:
    """A step with its end, or what was planned of it; `parts` are those of the rest of its image."""

    step: Step
    outcome: Outcome | None
    reason: Reason | None = None
    parts: list[Change] = field(default_factory=list)

    def end(self, operation: Operation | None) -> str:
        """How it ended, in a word or two, and how its parts did where that was otherwise."""
        own = self.ended(operation)
        ends = Counter(part.ended(operation) for part in self.parts)
        others = [f"{counted(count, 'part')} {words}" for words, count in ends.most_common() if words != own]
        return "; ".join([own, *others])

    def why(self) -> str:
        """What is this row's own: the tags that are moved, what stood in the way, what its reason says of it alone."""
        tags = f"tags {', '.join(self.step.tags[:MOST_TAGS])}" if self.step.kind in MOVES_TAGS else ""
        errors = (part.error_of() for part in (self, *self.parts))
        own = own_words(self.reason) if self.reason else ""
        return "; ".join(filter(None, (tags, next(filter(None, errors), own))))

    def error_of(self) -> str:
        """What stood in the way; what the run's end cut off is said once for all of it."""
        if self.outcome is None or self.outcome.result in (Result.DONE, Result.NOT_REACHED):
            return ""
        return outcome_words(self.outcome)

    def ended(self, operation: Operation | None) -> str:
        """How this step ended."""
        return result_words(self.outcome, operation) if self.outcome else "planned"


def changes(ends: Iterable[tuple[Step, Outcome | None]], reasons: Mapping[int, Reason]) -> list[Change]:
    """Group steps by image, newest first."""
    found = [
        Change(step, outcome, reasons.get(step.version.id) if step.version else None)
        for step, outcome in ends
    ]
    roots = {one.step.version.id: one for one in found if one.step.version and _is_root(one.step)}
    units = []
    for one in found:
        root = None if one.step.root is None else roots.get(one.step.root)
        if root is None or root is one or one.step.kind in MOVES_TAGS:
            units.append(one)
        else:
            root.parts.append(one)
    units.sort(key=lambda unit: newest_first(unit.step.version))
    return units


def _is_root(step: Step) -> bool:
    return step.version is not None and step.root == step.version.id and step.kind not in MOVES_TAGS


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


def named(names: Names, version: Version, parts: Sequence[int], contents: Mapping[int, Content]) -> Line:
    """Name an image by its root, and what belongs to it: platforms, attestations, signatures."""
    own = contents[version.id].part if version.id in contents and not own_tags(version) else ""
    line = names.line(version)
    if own and not version.tags:
        line = (f"{own} ", *line)
    words = part_words(parts, contents)
    return (*line, f" with {words}") if words else line


def part_words(parts: Sequence[int], contents: Mapping[int, Content]) -> str:
    """Say what parts are, each kind once, platforms first: `linux/amd64, linux/arm64, 2 attestations`."""
    found = Counter(contents[part].part if part in contents else "" for part in parts)
    unknown = found.pop("", 0)
    kinds = sorted(found.items(), key=lambda pair: ("/" not in pair[0], pair[0]))
    words = [
        kind if number == 1 else f"{number:,} {kind}{'' if '/' in kind else 's'}" for kind, number in kinds
    ]
    return ", ".join([*words, *([counted(unknown, "part")] if unknown else [])])


def newest_first(version: Version | None) -> tuple[bool, float, int]:
    """Sort what has tags of its own before the rest, each newest first; a whole package before all."""
    if version is None:
        return (False, float("-inf"), 0)
    when = version.touched_at or version.created_at or _LONG_AGO
    return (not own_tags(version), -(when - _LONG_AGO).total_seconds(), -version.id)
