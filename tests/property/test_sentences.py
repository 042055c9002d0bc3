"""Whatever a run was, each sentence of its summary is true of it; a sentence that no law here knows fails the test."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from hypothesis import given, settings, strategies as st
from msgspec.structs import replace

from emulator.html_page import blocks_of, render_html
from package_retention.model import (
    Content,
    Decision,
    Operation,
    Outcome,
    PackageType,
    Plan,
    Result,
    Step,
    StepKind,
)
from package_retention.output.counts import count_run
from package_retention.output.summary.blocks import (
    About,
    Alert,
    Chart,
    Code,
    Details,
    Heading,
    Link,
    Listing as Pasted,
    Paragraph,
    Strong,
    Table,
)
from package_retention.reason import Condition, Finding, FindingCode, Reason, ReasonCode
from package_retention.results import PackageResult, RunResult
from run_results import NOW, met, package, render, render_text, version

if TYPE_CHECKING:
    from collections.abc import Iterator

    from package_retention.output.summary.blocks import Block, Line

RULES = ((("tag-status", "untagged"), ("older-than", "7 days")), (("versions", "pr-*"),), ())
STAYS = (
    Reason(ReasonCode.NEWEST, number=3),
    Reason(ReasonCode.KEEP_RULE, rule=(("versions", "v*"),), facts=(Condition("versions", "v*"),)),
    Reason(ReasonCode.NOT_MATCHED, facts=(Condition("older-than", "7 days", holds=False, age=timedelta(1)),)),
    Reason(ReasonCode.NEEDED, subject="v1"),
    Reason(ReasonCode.EXCLUDED),
)
BLOBS = ((), (("one", 5_000),), (("one", 5_000), ("two", 70_000)), (("three", 900_000),))


@dataclass(frozen=True)
class Told:
    """A run with what its summary is made from, and counts of its outcomes that share no code with the summary's."""

    run: RunResult
    about: About

    def done(self, *kinds: StepKind) -> list[Outcome]:
        return [
            outcome
            for result in self.run.packages
            for outcome in result.outcomes
            if outcome.result is Result.DONE and outcome.step.kind in kinds
        ]

    @property
    def roots(self) -> int:
        return sum(
            one.root == one.version.id for result in self.run.packages for one in result.plan.decisions
        )

    @property
    def versions(self) -> int:
        return sum(len(result.plan.decisions) for result in self.run.packages)

    @property
    def images(self) -> bool:
        container = all(result.plan.package.type is PackageType.CONTAINER for result in self.run.packages)
        return container and self.run.operation is not Operation.RESTORE and self.roots > 0

    def planned(self) -> set[tuple[str, int]]:
        return {
            (result.plan.package.name, one.version.id)
            for result in self.run.packages
            for one in result.plan.decisions
            if one.selected
        }

    def changed(self) -> set[tuple[str, int]]:
        """What went or came back; in a dry run what would."""
        if self.run.dry_run:
            return self.planned()
        kinds = (StepKind.DELETE_VERSION, StepKind.RESTORE_VERSION)
        return {
            (outcome.step.package.name, outcome.step.version.id)
            for outcome in self.done(*kinds)
            if outcome.step.version
        }

    def changed_units(self) -> int:
        roots = {
            (result.plan.package.name, one.version.id)
            for result in self.run.packages
            for one in result.plan.decisions
            if not self.images or one.root == one.version.id
        }
        return len(self.changed() & roots)


@st.composite
def results(draw: st.DrawFn, operation: Operation, number: int, *, dry_run: bool) -> PackageResult:
    """A package of images with parts (or of versions), some of which are planned, with an outcome each."""
    kind = draw(st.sampled_from((PackageType.CONTAINER, PackageType.CONTAINER, PackageType.NPM)))
    of = package(f"app-{number}", kind)
    decisions: list[Decision] = []
    steps: list[Step] = []
    contents: dict[int, Content] = {}
    change = StepKind.RESTORE_VERSION if operation is Operation.RESTORE else StepKind.DELETE_VERSION
    for root in range(1, draw(st.integers(0, 40)) + 1):
        goes = draw(st.booleans())
        reason = draw(st.sampled_from(STAYS))
        if goes:
            reason = Reason(ReasonCode.SELECTED, rule=draw(st.sampled_from(RULES)))
        days = draw(st.integers(0, 900))
        for part in range(draw(st.integers(0, 2)) + 1 if kind is PackageType.CONTAINER else 1):
            one = version(root * 10 + part, *(() if part else (f"t{root}",)), days=days)
            decisions.append(Decision(one, goes, reason, root=root * 10))
            contents[one.id] = Content(
                "" if not part else "linux/amd64", draw(st.sampled_from((None, *BLOBS)))
            )
            if goes:
                steps.append(Step(change, of, one, root=root * 10))
    plan = Plan(
        of, tuple(decisions), tuple(steps), contents=contents if change is StepKind.DELETE_VERSION else {}
    )
    fails = draw(st.integers(0, 5)) == 0
    over = change is StepKind.DELETE_VERSION and bool(steps) and draw(st.integers(0, 5)) == 0
    if over:
        return PackageResult(
            replace(plan, over_cap=True), failure=met(f"{of.label}: the plan deletes too many")
        )
    ends = () if dry_run or fails else tuple(draw(outcomes(step)) for step in steps)
    return PackageResult(
        plan if ends or dry_run else replace(plan, steps=()),
        ends,
        failure=met("GitHub said no") if fails else None,
    )


def outcomes(step: Step) -> st.SearchStrategy[Outcome]:
    said = {Result.DONE: "", Result.ALREADY: ""}
    return st.sampled_from((Result.DONE, Result.DONE, *Result)).map(
        lambda result: Outcome(step, result, met(said.get(result, f"why it is {result}")))
    )


@st.composite
def told(draw: st.DrawFn) -> Told:
    """Draw a run of a deletion or a restore, finished, cut short or refused."""
    operation = draw(st.sampled_from((Operation.DELETE, Operation.DELETE, Operation.RESTORE)))
    dry_run = draw(st.booleans())
    packages = tuple(
        draw(results(operation, number, dry_run=dry_run)) for number in range(draw(st.integers(0, 3)))
    )
    ended = draw(st.sampled_from(("", "", "", "time", "budget", "cancel")))
    refused = draw(st.integers(0, 5)) == 0
    run = RunResult(
        draw(st.sampled_from((operation, operation, operation, None))) if refused else operation,
        dry_run,
        () if refused else packages,
        refused_later=Finding(FindingCode.REFUSED_LATER, error="The token lacks `delete:packages`.")
        if dry_run and draw(st.booleans())
        else None,
        ended_by=ended,
        failure=met("The run was refused.") if refused else None,
        exit_status=1 if refused else 0,
    )
    report = draw(st.none() | st.just("out/report.jsonl"))
    return Told(run, About(NOW, draw(st.none() | st.just("octo/package-retention@v1")), report))


def sentences(blocks: tuple[Block, ...]) -> Iterator[str]:
    """Every line of a summary but the cells of its tables and what is to be pasted."""
    for block in blocks:
        match block:
            case Heading(_, line) | Paragraph(line):
                yield words(line)
            case Alert(_, lines):
                yield from map(words, lines)
            case Details(line, inner):
                yield words(line)
                yield from sentences(inner)
            case Chart(title, _, _, _, word):
                yield f"{title}: {word}"


def words(line: Line) -> str:
    pieces = (p.label if isinstance(p, Link) else p.text if isinstance(p, Code | Strong) else p for p in line)
    return "".join(pieces)


def number(text: str) -> int:
    return int(text.replace(",", ""))


_END = r"(?: in [^;:]+?)?(?:, more than `fail-if-more-than` allows)?((?:; .*)?)"
_SIZE = r"(?:, ((?:about )?[\d.]+ \w+))?"
_HEAD = re.compile(
    rf"(Deleted|Restored|Dry run: would delete|Dry run: would restore) ([\d,]+) of ([\d,]+) (deleted version|image|version)s?"
    rf"(?: \(([\d,]+) versions?\))?{_SIZE}{_END}"
)
_NONE = re.compile(r"(Nothing was (?:deleted|restored|changed)|Dry run: nothing to (?:delete|restore))(.*)")


def headline_is_true(said: Told, line: str) -> None:
    run = said.run
    if found := _HEAD.fullmatch(line):
        verb, units, of, noun, versions, size, but = found.groups()
        assert ("Dry run" in verb) is run.dry_run
        assert ("estore" in verb) is (run.operation is Operation.RESTORE)
        assert number(units) == said.changed_units()
        assert number(of) == (said.roots if said.images else said.versions)
        assert (noun == "image") is said.images
        assert number(versions or units) == len(said.changed())
        assert not size or run.operation is Operation.DELETE
        cut_short_is_true(said, but)
        return
    found = _NONE.fullmatch(line)
    assert found, line
    assert ("Dry run" in found[1]) is (run.dry_run and not run.failure)
    assert not said.changed()
    assert ("restore" in found[1]) is (run.operation is Operation.RESTORE)
    assert ("change" in found[1]) is (run.operation is None)
    if "fail-if-more-than" in found[2]:
        planned = re.search(r"deletes? ([\d,]+) of", found[2])
        assert planned
        assert any(one.plan.over_cap for one in run.packages)
        assert number(planned[1]) == sum(
            one.selected and (not said.images or one.root == one.version.id)
            for result in run.packages
            for one in result.plan.decisions
        )
    if found[2].endswith((" stay", " stays")):
        assert not run.failure
        assert not said.planned()
    if "the run was refused" in found[2]:
        assert run.failure
        assert not run.ended_by


def cut_short_is_true(said: Told, words: str) -> None:
    failed = [o for result in said.run.packages for o in result.outcomes if o.result is Result.FAILED]
    assert ("failed" in words) is bool(failed)
    ends = {"time": "time limit", "budget": "rate limit", "cancel": "cancelled"}
    for end, mark in ends.items():
        assert (mark in words) is (said.run.ended_by == end)


def promise_is_true(said: Told, line: str) -> None:
    run = said.run
    assert run.dry_run
    if "carries out this plan" in line:
        assert run.complete
        assert not run.failure
        assert not any(one.failure for one in run.packages)
        assert not run.refused_later, "the token is known to be refused"
        assert said.planned()
        assert ("`from-report`" in line) is (
            said.about.report_file is not None and run.operation is Operation.DELETE
        )
    if "nothing to do" in line:
        assert not said.planned()


def group_is_true(said: Told, line: str) -> None:
    """A heading above rows: how many of them ended how, or stay."""
    found = re.match(r"([\d,]+) (?:images?|versions?|packages?)\b", line)
    assert found
    total = sum(len(result.plan.decisions) for result in said.run.packages)
    assert 0 < number(found[1]) <= total
    if " stay" in line or " stays" in line:
        return
    planned = re.search(r"\bto (?:delete|restore|remove|put back)\b|planned, and not", line) is not None
    assert planned or not said.run.dry_run
    if "not carried out" in line:
        assert any(one.plan.over_cap for one in said.run.packages)


def _undone(said: Told, operation: Operation | None = None) -> None:
    assert said.done(*StepKind)
    assert operation in (None, said.run.operation)


def _with_report(said: Told) -> None:
    assert said.about.report_file


def _without_report(said: Told) -> None:
    assert not said.about.report_file


def _on_a_runner(said: Told) -> None:
    assert said.about.uses


def _by_hand(said: Told) -> None:
    assert said.about.uses is None


def _freed(said: Told, line: str) -> None:
    assert ("would be" in line) is said.run.dry_run
    assert count_run(said.run).total.space.unread


def _unchanged(said: Told, line: str) -> None:
    names = line.split(": ", 1)[1].split()
    assert names
    for result in said.run.packages:
        if result.plan.package.name in names:
            assert not result.outcomes
            assert not result.failure
            assert not any(one.selected for one in result.plan.decisions)


def _chart(said: Told, line: str) -> None:
    assert line.startswith("Images") is said.images
    assert ("would be" in line) is said.run.dry_run


def _cut(said: Told) -> None:
    assert said.run.ended_by


def _refused(said: Told) -> None:
    assert said.run.failure


def _failed(said: Told) -> None:
    assert any(one.failure for one in said.run.packages)


def _scope(said: Told) -> None:
    assert said.run.refused_later


LAWS = (
    (re.compile(r"([\d,]+) (?:deleted )?versions? listed.*"), lambda _said, _: None),
    (re.compile(r"Dry run: nothing was changed\..*"), promise_is_true),
    (_HEAD, headline_is_true),
    (_NONE, headline_is_true),
    (re.compile(r"[\d,]+ (?:images?|versions?)(?: \([\d,]+ versions?\))?(?::| \w).*"), group_is_true),
    (re.compile(r"How to undo it"), lambda said, _: _undone(said)),
    (
        re.compile(r"For 30 days .*brings back what was deleted, except .*:"),
        lambda said, _: _undone(said, Operation.DELETE),
    ),
    (re.compile(r"This deletes again what was restored:"), lambda said, _: _undone(said, Operation.RESTORE)),
    (re.compile(r"A workflow to paste(?: \(\d+ steps\))?"), lambda said, _: _undone(said)),
    (re.compile(r"[\d,]+ (?:more )?ids? are too many to paste[.;].*"), lambda said, _: _undone(said)),
    (re.compile(r"With `report-file`, one step .*"), lambda said, _: _without_report(said)),
    (re.compile(r"And [\d,]+ more, which the report file holds\."), lambda said, _: _with_report(said)),
    (
        re.compile(r"And [\d,]+ more \(`report-file` lists every one\)\."),
        lambda said, _: _without_report(said),
    ),
    (re.compile(r"[\d,]+ more"), lambda _said, _: None),
    (re.compile(r"And [\d,]+ more, which the log holds\."), lambda said, _: _on_a_runner(said)),
    (re.compile(r"And [\d,]+ more\."), lambda said, _: _by_hand(said)),
    (re.compile(r"About [\d.]+ \w+ (?:are|would be) freed, .*"), _freed),
    (re.compile(r"app-\d \((?:container|npm) of octo\)"), lambda _said, _: None),
    (re.compile(r"[\d,]+ packages? unchanged: (.*)"), _unchanged),
    (re.compile(r"(?:Images|Versions) by age: .*"), _chart),
    (
        re.compile(
            r"The (?:time limit|run was cancelled|run ended early|GitHub.s rate limit).*|GitHub's rate limit .*"
        ),
        lambda said, _: _cut(said),
    ),
    (re.compile(r"The run was refused\."), lambda said, _: _refused(said)),
    (re.compile(r"(?:octo/)?.*GitHub said no\."), lambda said, _: _failed(said)),
    (re.compile(r"octo/app-\d .*the plan deletes too many\."), lambda said, _: _failed(said)),
    (
        re.compile(r"\S+: why it is (?:refused|failed|skipped|not-reached).*"),
        lambda _said, _: None,
    ),
    (
        re.compile(r"Without dry-run this step would be refused before its first change: .*"),
        lambda said, _: _scope(said),
    ),
    (re.compile(r"0 requests to GitHub's API, .*"), lambda _said, _: None),
)


@settings(max_examples=200, deadline=None)
@given(told())
def test_every_sentence_is_true_of_its_run(said: Told) -> None:
    blocks = blocks_of(said.run, said.about)
    for line in sentences(blocks):
        law = next((law for form, law in LAWS if form.fullmatch(line)), None)
        assert law, f"no law knows the sentence {line!r}"
        law(said, line)
    headline_is_true(said, next(sentences(blocks)))
    assert ("How to undo it" in sentences(blocks)) is bool(said.done(*StepKind))


@settings(max_examples=100, deadline=None)
@given(told())
def test_numbers_agree(said: Told) -> None:
    """Headings, rows and chart count the same things, and no column says nothing."""
    changed = 0
    for block in blocks_of(said.run, said.about):
        match block:
            case Paragraph(line) if isinstance(line[0], Strong) and "stay" not in line[0].text:
                changed += _ended(
                    line[0].text, "to (?:delete|restore)" if said.run.dry_run else "(?:deleted|restored)"
                )
            case Chart(_, labels, kept, gone, _):
                assert len(labels) == len(kept) == len(gone)
                assert sum(gone) == said.changed_units()
                assert sum(kept) + sum(gone) == (said.roots if said.images else said.versions)
                assert kept[0] + gone[0] > 0
                assert kept[-1] + gone[-1] > 0
            case Table(head, rows, _):
                for place in range(len(head)):
                    assert any(any(row[place]) for row in rows), head
                assert all(len(row) == len(head) for row in rows)
            case _:
                pass
    one_kind = {result.plan.package.type for result in said.run.packages} == {PackageType.CONTAINER}
    over = any(result.plan.over_cap for result in said.run.packages)
    if one_kind and said.images and not over and not said.run.failure:
        assert changed == said.changed_units()


def _ended(text: str, end: str) -> int:
    """How many rows of a heading ended in one way: `12 images deleted`, `12 images: 9 deleted, 3 failed`."""
    if whole := re.fullmatch(rf"([\d,]+) \w+ {end}", text):
        return number(whole[1])
    return sum(number(found) for found in re.findall(rf"(?<=[:,] )([\d,]+) {end}", text))


@settings(max_examples=50, deadline=None)
@given(told())
def test_all_three_forms_hold_the_same_words(said: Told) -> None:
    page, text, html = (write(said.run, said.about) for write in (render, render_text, render_html))
    first = next(sentences(blocks_of(said.run, said.about)))
    assert text.startswith(first)
    assert page.startswith("## ")
    assert "<script" not in html
    assert not re.search(r"(?:src|href)=\"(?!https://github)", html)
    for block in blocks_of(said.run, said.about):
        if isinstance(block, Pasted):
            assert block.text.split("\n", 1)[0] in text
