"""A package in the summary: what changed, and why the rest stays, each reason said once above its rows.

A row is an image by its root with all that belongs to it, or a version that no image holds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from msgspec import Struct, field

from package_retention.decide.graph import COSIGN_KINDS, derived_subject, own_tags
from package_retention.escaping import counted
from package_retention.model import (
    MOVES_TAGS,
    Content,
    Decision,
    Operation,
    Outcome,
    PackageType,
    Result,
    Step,
    Version,
)
from package_retention.output.counts import Counts
from package_retention.output.sentences import (
    group_words,
    outcome_words,
    own_words,
    reason_words,
    shared_words,
)
from package_retention.output.summary.blocks import (
    About,
    Block,
    Code,
    Column,
    Details,
    Line,
    Link,
    Paragraph,
    Section,
    Strong,
    Table,
    package_heading,
)
from package_retention.output.summary.words import age, planned_result, result_words, sentence
from package_retention.reason import Reason
from package_retention.results import PackageResult, RunResult

MOST_ROWS = 50
OPEN_ROWS = 20
MOST_GROUPS = 8
MOST_STAYING = 10
LEAST_FOLDED = 4
MOST_TAGS = 8

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Names:
    """The names of one package's versions: a digest-derived tag is named after its subject if that is known."""

    def __init__(self, decisions: Iterable[Decision] = ()) -> None:
        self._subjects = {one.version.name: tags[0] for one in decisions if (tags := own_tags(one.version))}

    def line(self, version: Version) -> Line:
        """Name a version: its tags, then its digest or name, which leads to its page."""
        shown = version.short_name
        last = Link(shown, version.html_url) if version.html_url else Code(shown)
        tags = [piece for tag in version.tags[:MOST_TAGS] for piece in (*self._tag(tag), " ")]
        more = len(version.tags) - MOST_TAGS
        return (*tags, *((f"and {counted(more, 'more tag')} ",) if more > 0 else ()), last)

    def text(self, version: Version, tags: tuple[str, ...]) -> str:
        """Name a version in plain text, by some tags."""
        named = [self.words(tag) for tag in tags[:MOST_TAGS]] + ["…"] * (len(tags) > MOST_TAGS)
        return ", ".join(dict.fromkeys([*named, version.short_name]))

    def words(self, tag: str) -> str:
        """Name a tag in words: `signature of v1` if the subject is known."""
        return "".join(piece.text if isinstance(piece, Code) else piece for piece in self._tag(tag))

    def _tag(self, tag: str) -> tuple[str | Code, ...]:
        digest = derived_subject(tag)
        if digest is None:
            return (Code(tag),)
        suffix = tag[len(digest) :]
        subject = self._subjects.get(digest)
        if subject is None:
            algorithm, _, digits = tag.partition("-")
            return (Code(f"{algorithm}-{digits[:12]}…{suffix}"),)
        return (f"{COSIGN_KINDS.get(suffix, 'referrers')} of ", Code(subject))


class Unit(Struct, frozen=True):
    """A row: a version (`None`: the whole package) that stays or is changed.

    Of a change there is the `step`, and its end unless it was only planned. `root` is the image that it belongs to;
    `members` are the rest of the image whose root this is.
    """

    version: Version | None
    reason: Reason | None
    root: int | None
    step: Step | None = None
    outcome: Outcome | None = None
    members: list[Unit] = field(default_factory=list)

    @property
    def moves_tags(self) -> bool:
        """Whether tags are moved, and the version stays."""
        return self.step is not None and self.step.kind in MOVES_TAGS

    def ended(self, operation: Operation | None) -> str:
        """Say how its step ended, in a word or two."""
        if self.outcome:
            return result_words(self.outcome, operation)
        return planned_result(self.step.kind) if self.step else ""

    def end(self, operation: Operation | None) -> str:
        """Say how it ended, and how its members did if that was otherwise."""
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
        tags = self.step.tags[:MOST_TAGS] if self.step and self.moves_tags else ()
        return tuple(piece for tag in tags for piece in (" ", Code(tag)))[1:]

    def error(self) -> str:
        """Say what stood in the way, without the name that the row has; what the run's end cut off is said once."""
        if self.outcome is None or self.outcome.result in (Result.DONE, Result.NOT_REACHED):
            return ""
        whole = self.outcome.reason or self.outcome.findings or not self.outcome.detail
        return outcome_words(self.outcome) if whole else self.outcome.detail


def changes(ends: Iterable[tuple[Step, Outcome | None]], reasons: Mapping[int, Reason]) -> list[Unit]:
    """Group steps by image, newest first; a step that moves tags is a row of its own."""
    return _by_image(
        Unit(step.version, reasons.get(step.version.id) if step.version else None, step.root, step, outcome)
        for step, outcome in ends
    )


def stays(decisions: Iterable[Decision]) -> list[Unit]:
    """Group what stays by image, newest first; what belongs to an image that does not stay stands alone."""
    return _by_image(Unit(one.version, one.reason, one.root) for one in decisions)


def _by_image(found: Iterable[Unit]) -> list[Unit]:
    units, rows = list(found), []
    roots: dict[int | None, Unit] = {
        one.root: one for one in units if one.version and one.root == one.version.id and not one.moves_tags
    }
    for one in units:
        root = roots.get(one.root)
        if root is None or root is one or one.moves_tags:
            rows.append(one)
        else:
            root.members.append(one)
    return sorted(rows, key=lambda unit: newest_first(unit.version))


def newest_first(version: Version | None) -> tuple[bool, float, int]:
    """Return a key that sorts what has tags of its own before the rest, each newest first; a whole package first."""
    if version is None:
        return (False, float("-inf"), 0)
    when = version.touched_at or version.created_at or _LONG_AGO
    return (not own_tags(version), -(when - _LONG_AGO).total_seconds(), -version.id)


def member_words(members: Iterable[int], contents: Mapping[int, Content]) -> str:
    """Say what belongs to an image, each kind once, platforms first: `linux/amd64, linux/arm64, 2 attestations`."""
    found = Counter(contents[one].kind if one in contents else "" for one in members)
    unknown = found.pop("", 0)
    kinds = sorted(found.items(), key=lambda pair: ("/" not in pair[0], pair[0]))
    words = [
        kind if number == 1 else f"{number:,} {kind}{'' if '/' in kind else 's'}" for kind, number in kinds
    ]
    return ", ".join([*words, *([counted(unknown, "part")] if unknown else [])])


def package_section(result: PackageResult, counts: Counts, run: RunResult, about: About) -> Section:
    """Return the blocks about one package."""
    package, view = result.plan.package, _PackageView(result, run, about)
    what = "deleted version" if run.operation is Operation.RESTORE else "version"
    listed = f"{counted(counts.listed, what)} listed"
    if package.version_count not in (None, counts.listed) and run.operation is Operation.DELETE:
        listed += f" (GitHub counts {package.version_count:,})"
    linked = f"linked to {package.repository}" if package.repository else ""
    return (
        package_heading(package),
        Paragraph((sentence(listed, package.visibility, linked),)),
        *view.changed(),
        *view.stayed(),
    )


class _PackageView:
    """One package of the run, as its section shows it."""

    def __init__(self, result: PackageResult, run: RunResult, about: About) -> None:
        self.result, self.run, self.about = result, run, about
        self.names = Names(result.plan.decisions)
        # Rows are images, but for deleted versions: those cannot be read.
        images = result.plan.package.type is PackageType.CONTAINER and run.operation is not Operation.RESTORE
        self.noun = "image" if images else "version"

    def changed(self) -> Iterator[Block]:
        """Yield what goes: each rule's own words above its rows, open."""
        plan, outcomes = self.result.plan, self.result.outcomes
        ends: list[tuple[Step, Outcome | None]] = [(outcome.step, outcome) for outcome in outcomes]
        if self.run.dry_run or not ends:
            ends = [(step, None) for step in plan.steps]
        units = changes(ends, {decision.version.id: decision.reason for decision in plan.decisions})
        groups = _grouped(units, shared_words)
        most = max(LEAST_FOLDED, MOST_ROWS // max(1, len(groups)))
        for words, group in groups[:MOST_GROUPS]:
            yield Paragraph((Strong(self._change_title(group)), f": {words}" if words else ""))
            ended, shown = [unit.end(self.run.operation) for unit in group], group[:most]
            columns = [
                *self._names_and_ages(shown),
                ("Tags", [unit.tags() for unit in shown]),
                ("Result", ended[:most] if len(set(ended)) > 1 else [""] * len(shown)),
                ("Why", [unit.why() for unit in shown]),
            ]
            yield from _open_rows(columns)
            yield from self.about.left_out(len(group) - most)
        yield from self.about.left_out(sum(len(group) for _, group in groups[MOST_GROUPS:]))

    def _change_title(self, group: Sequence[Unit]) -> str:
        """Say how many there are and how they ended: `12 images deleted`, `12 images: 9 deleted, 3 failed`."""
        whole = all(unit.version is None for unit in group)
        what = counted(len(group), "package" if whole else self.noun)
        if self.result.plan.over_cap:
            return f"{what}: planned, and not carried out"
        said = Counter(unit.ended(self.run.operation) for unit in group)
        if len(said) > 1:
            return f"{what}: {', '.join(f'{number:,} {word}' for word, number in said.most_common())}"
        # It is the tags that were moved, not the images.
        moved = all(unit.moves_tags for unit in group)
        return f"{what}{':' if moved else ''} {next(iter(said))}"

    def stayed(self) -> Iterator[Block]:
        """Yield what was not planned, each reason above its rows, the largest group first; folded if that hides much."""
        plan = self.result.plan
        stepped = plan.stepped_ids
        units = stays(one for one in plan.decisions if not one.selected and one.version.id not in stepped)
        groups, own = _grouped(units, shared_words), own_words
        if len(groups) > MOST_GROUPS:
            groups, own = _grouped(units, group_words), reason_words
        for words, group in groups:
            shown = group[:MOST_STAYING]
            why = [own(unit.reason) if unit.reason else "" for unit in shown]
            table = Table.of([*self._names_and_ages(shown), ("Why", why)])
            line: Line = (Strong(self._stay_title(group)), f": {words}")
            blocks = (table, *self.about.left_out(len(group) - len(shown)))
            yield from (Details(line, blocks),) if len(group) >= LEAST_FOLDED else (Paragraph(line), *blocks)

    def _stay_title(self, group: Sequence[Unit]) -> str:
        versions = sum(1 + len(unit.members) for unit in group)
        beside = f" ({counted(versions, 'version')})" if versions > len(group) else ""
        verb = "stays" if len(group) == 1 else "stay"
        deleted = " deleted" if self.run.operation is Operation.RESTORE else ""
        return f"{counted(len(group), self.noun)}{beside} {verb}{deleted}"

    def _names_and_ages(self, shown: Sequence[Unit]) -> list[Column]:
        return [
            (self.noun.capitalize(), [self._name(unit) for unit in shown]),
            ("Age", [age_of(unit.version, self.about.now) if unit.version else "" for unit in shown]),
        ]

    def _name(self, unit: Unit) -> Line:
        """Name an image by its root, and what belongs to it: platforms, attestations, signatures."""
        version, contents = unit.version, self.result.plan.contents
        if version is None:
            return ("the whole package",)
        line = self.names.line(version)
        own = contents[version.id].kind if version.id in contents and not version.tags else ""
        if own:
            line = (f"{own} ", *line)
        words = member_words((one.version.id for one in unit.members if one.version), contents)
        return (*line, f" with {words}") if words else line


def age_of(version: Version, now: datetime) -> str:
    """Say how old a version is."""
    return age(version.touched_at or version.created_at, now)


def _grouped(units: Iterable[Unit], words: Callable[[Reason], str]) -> list[tuple[str, list[Unit]]]:
    """Group by the same words of reasons, the largest group first."""
    groups: dict[str, list[Unit]] = {}
    for unit in units:
        groups.setdefault(words(unit.reason) if unit.reason else "", []).append(unit)
    return sorted(groups.items(), key=lambda pair: len(pair[1]), reverse=True)


def _open_rows(columns: Sequence[Column]) -> Section:
    """Show rows; those that would make the page long are folded, if they are at least four."""
    number = len(columns[0][1])
    if number - OPEN_ROWS < LEAST_FOLDED:
        return (Table.of(columns),)
    first = Table.of([(name, cells[:OPEN_ROWS]) for name, cells in columns])
    rest = Table.of([(name, cells[OPEN_ROWS:]) for name, cells in columns])
    return (first, Details((f"{number - OPEN_ROWS:,} more",), (rest,)))
