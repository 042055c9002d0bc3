"""Images as a person reads them: how a version is named, and a root with all that belongs to it as one row."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from msgspec import Struct, field

from package_retention.decide.graph import derived_subject, own_tags
from package_retention.escaping import counted
from package_retention.model import MOVES_TAGS, Content, Decision, Operation, Outcome, Result, Step, Version
from package_retention.output.sentences import outcome_words, own_words
from package_retention.output.summary.blocks import Code, Line, Link
from package_retention.output.summary.words import planned_result, result_words
from package_retention.reason import Reason

MOST_TAGS = 8

_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_SUFFIX = re.compile(r"\.(sig|att|sbom)$")
_KINDS = {"sig": "signature", "att": "attestation", "sbom": "SBOM"}


class Names:
    """The names of one package's versions: a digest-derived tag is named after its subject if that is known."""

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
        """Name a version in plain text, by `tags` if they are given."""
        tags = version.tags if tags is None else tags
        named = [self.words(tag) for tag in tags[:MOST_TAGS]] + ["…"] * (len(tags) > MOST_TAGS)
        return ", ".join(dict.fromkeys([*named, short(version.name)]))

    def words(self, tag: str) -> str:
        """Name a tag in words: `signature of v1` if the subject is known."""
        return "".join(piece.text if isinstance(piece, Code) else str(piece) for piece in self._tag(tag))

    def _tag(self, tag: str) -> tuple[str | Code, ...]:
        digest = derived_subject(tag)
        if digest is None:
            return (Code(tag),)
        found = _SUFFIX.search(tag)
        subject = self._subjects.get(digest)
        if subject is None:
            algorithm, _, digits = tag.partition("-")
            return (Code(f"{algorithm}-{digits[:12]}…{found[0] if found else ''}"),)
        return (f"{_KINDS[found[1]] if found else 'referrers'} of ", Code(subject))


def short(name: str) -> str:
    """Cut a digest to its first 12 hex digits; any other name stays."""
    algorithm, colon, digits = name.partition(":")
    return f"{algorithm}:{digits[:12]}" if colon and algorithm == "sha256" else name


class Change(Struct, frozen=True):
    """A step with its end, or as it was planned; `members` are the changes of the rest of its image."""

    step: Step
    outcome: Outcome | None
    reason: Reason | None = None
    members: list[Change] = field(default_factory=list)

    @property
    def version(self) -> Version | None:
        """The version that is changed; `None` for a whole package."""
        return self.step.version

    @property
    def member_ids(self) -> list[int]:
        """The versions of the rest of its image."""
        return [one.version.id for one in self.members if one.version]

    def end(self, operation: Operation | None) -> str:
        """Say how it ended, in a word or two, and how its members did if that was otherwise."""
        own = self.ended(operation)
        ends = Counter(one.ended(operation) for one in self.members)
        others = [f"{counted(count, 'part')} {words}" for words, count in ends.most_common() if words != own]
        return "; ".join([own, *others])

    def why(self) -> str:
        """Say what is this row's own: what stood in the way, or what its reason says of it alone."""
        errors = (one.error() for one in (self, *self.members))
        own = own_words(self.reason) if self.reason else ""
        return next(filter(None, errors), own)

    def tags(self) -> Line:
        """Return the tags that are removed or put back."""
        tags = self.step.tags[:MOST_TAGS] if self.step.kind in MOVES_TAGS else ()
        return tuple(piece for tag in tags for piece in (" ", Code(tag)))[1:]

    def error(self) -> str:
        """Say what stood in the way, without the name that the row has; what the run's end cut off is said once."""
        if self.outcome is None or self.outcome.result in (Result.DONE, Result.NOT_REACHED):
            return ""
        whole = self.outcome.reason or self.outcome.findings or not self.outcome.detail
        return outcome_words(self.outcome) if whole else self.outcome.detail

    def ended(self, operation: Operation | None) -> str:
        """Say how this step ended."""
        return result_words(self.outcome, operation) if self.outcome else planned_result(self.step.kind)


def changes(ends: Iterable[tuple[Step, Outcome | None]], reasons: Mapping[int, Reason]) -> list[Change]:
    """Group steps by image, newest first; a step that moves tags is a row of its own."""
    found = [
        Change(step, outcome, reasons.get(step.version.id) if step.version else None)
        for step, outcome in ends
    ]
    whole = [one for one in found if one.version and one.step.kind not in MOVES_TAGS]
    roots = {one.version.id: one for one in whole if one.version and one.step.root == one.version.id}
    units = []
    for one in found:
        root = None if one.step.root is None else roots.get(one.step.root)
        if root is None or root is one or one.step.kind in MOVES_TAGS:
            units.append(one)
        else:
            root.members.append(one)
    return sorted(units, key=lambda unit: newest_first(unit.version))


class Stay(Struct, frozen=True):
    """What stays of one image, or one version; `members` are what stays of the rest of the image."""

    decision: Decision
    members: list[Decision] = field(default_factory=list)

    @property
    def version(self) -> Version:
        """The version that stays."""
        return self.decision.version

    @property
    def member_ids(self) -> list[int]:
        """The versions of the rest of its image."""
        return [one.version.id for one in self.members]


def stays(decisions: Sequence[Decision]) -> list[Stay]:
    """Group what stays by image, newest first; what belongs to an image that does not stay stands alone."""
    units = {one.version.id: Stay(one) for one in decisions if one.root in (None, one.version.id)}
    alone = []
    for one in decisions:
        if one.root in (None, one.version.id):
            continue
        if one.root in units:
            units[one.root].members.append(one)
        else:
            alone.append(Stay(one))
    return sorted([*units.values(), *alone], key=lambda unit: newest_first(unit.version))


def named(names: Names, version: Version, members: Sequence[int], contents: Mapping[int, Content]) -> Line:
    """Name an image by its root, and what belongs to it: platforms, attestations, signatures."""
    own = contents[version.id].kind if version.id in contents and not own_tags(version) else ""
    line = names.line(version)
    if own and not version.tags:
        line = (f"{own} ", *line)
    words = member_words(members, contents)
    return (*line, f" with {words}") if words else line


def member_words(members: Sequence[int], contents: Mapping[int, Content]) -> str:
    """Say what belongs to an image, each kind once, platforms first: `linux/amd64, linux/arm64, 2 attestations`."""
    found = Counter(contents[one].kind if one in contents else "" for one in members)
    unknown = found.pop("", 0)
    kinds = sorted(found.items(), key=lambda pair: ("/" not in pair[0], pair[0]))
    words = [
        kind if number == 1 else f"{number:,} {kind}{'' if '/' in kind else 's'}" for kind, number in kinds
    ]
    return ", ".join([*words, *([counted(unknown, "part")] if unknown else [])])


def newest_first(version: Version | None) -> tuple[bool, float, int]:
    """Return a key that sorts what has tags of its own before the rest, each newest first; a whole package first."""
    if version is None:
        return (False, float("-inf"), 0)
    when = version.touched_at or version.created_at or _LONG_AGO
    return (not own_tags(version), -(when - _LONG_AGO).total_seconds(), -version.id)
