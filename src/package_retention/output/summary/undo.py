"""How to undo a run: as a workflow to paste, or as commands where it was called by hand."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from package_retention.escaping import counted
from package_retention.model import Operation, Result, StepKind
from package_retention.output.summary.blocks import Details, Heading, Listing, Paragraph

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from package_retention.model import PackageType
    from package_retention.output.counts import Counts, RunCounts
    from package_retention.output.summary.blocks import About, Section
    from package_retention.results import PackageResult, RunResult

MOST_IDS = 200
MOST_NAMES = 100
DAYS_TO_RESTORE = 30  # facts A4
# As in the recipes: v7.0.1 and v8.0.1.
_CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1"
_DOWNLOAD = "actions/download-artifact@3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c"

_REFERENCE = re.compile(r"[\w.-]+/[\w./-]+@[\w./-]+", re.ASCII)
# A name goes into a list of patterns, into YAML, and past `${{`: what is not plain becomes the glob's `?`.
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9._/@-]|^[^A-Za-z0-9@]")


def action_reference(environ: Mapping[str, str]) -> str:
    """Give the words for `uses:` by which this very action was called; `./` where it was not called from a repository."""
    reference = f"{environ.get('GITHUB_ACTION_REPOSITORY', '')}@{environ.get('GITHUB_ACTION_REF', '')}"
    return reference if _REFERENCE.fullmatch(reference) else "./"


@dataclass(frozen=True, slots=True)
class _Undo:
    """One step to paste; `names` are patterns."""

    operation: Operation
    owner: str
    type: PackageType
    names: tuple[str, ...]
    ids: tuple[int, ...] = ()
    whole: bool = False


def undo(run: RunResult, counts: RunCounts, about: About) -> Section:
    """Return the blocks that say how to undo what was done; none where nothing was."""
    both = zip(run.packages, counts.each, strict=True)
    changed = [
        (one, count) for one, count in both if any(outcome.result is Result.DONE for outcome in one.outcomes)
    ]
    if not changed:
        return ()
    by_report = run.operation is Operation.DELETE and about.report_file is not None
    if by_report:
        steps = _by_report([one for one, _ in changed])
    else:
        steps = [_by_ids(run.operation, one, count) for one, count in changed[:MOST_NAMES]]
    shown, left = _within([step for step in steps if step.ids or step.whole or by_report])
    blocks = (Paragraph((_lead(run.operation, about),)), *_to_paste(shown, about)) if shown else ()
    return (Heading(3, ("How to undo it",)), *blocks, *_notes(run, left, about, some_shown=bool(shown)))


def _to_paste(shown: Sequence[_Undo], about: About) -> Section:
    """A whole workflow, or commands where the run was called by hand; folded where it is long."""
    if about.uses is None:
        return (Listing("sh", "\n".join(_command(step, about) for step in shown)),)
    listing = Listing("yaml", _workflow(shown, about.uses, about))
    what = f"A workflow to paste, with {counted(len(shown), 'step')}"
    return (Details((what,), (listing,)),)


def _lead(operation: Operation | None, about: About) -> str:
    if operation is Operation.RESTORE:
        return "This deletes again what was restored:"
    until = (about.now + timedelta(days=DAYS_TO_RESTORE)).date().isoformat()
    start = f"For {DAYS_TO_RESTORE} days (until {until}), as long as no new version takes its name"
    return f"{start}, this brings back what was deleted:"


def _workflow(steps: Sequence[_Undo], uses: str, about: About) -> str:
    """A workflow that is started by hand; it downloads the report of this run where it restores from one."""
    report = about.report_file if any(not (step.ids or step.whole) for step in steps) else None
    lines = ["name: Undo a clean-up", "on: workflow_dispatch", "permissions:"]
    local = uses == "./"
    lines += ["  packages: write", *(["  actions: read # to download the report"] if report else [])]
    lines += ["  contents: read # to check out the action"] if local else []
    lines += ["jobs:", "  undo:", "    runs-on: ubuntu-latest", "    steps:"]
    lines += [f"      - uses: {_CHECKOUT}"] if local else []
    if report:
        lines += _indented(_download(report, about), 6)
    for step in steps:
        lines += _indented(_yaml(step, uses, report).split("\n"), 6)
    return "\n".join(lines)


def _download(report: str, about: About) -> list[str]:
    folder = report.rpartition("/")[0]
    return [
        "# `name` is the name under which the run uploaded its report.",
        f"- uses: {_DOWNLOAD}",
        "  with:",
        "    name: package-retention",
        *([f"    path: {_quoted(folder)}"] if folder else []),
        *([f"    run-id: {about.run_id}"] if about.run_id.isdigit() else []),
        "    github-token: ${{ github.token }}",
    ]


def _indented(lines: Iterable[str], width: int) -> list[str]:
    return [" " * width + line for line in lines]


def _by_report(changed: Sequence[PackageResult]) -> list[_Undo]:
    """One step for each owner and type; the report names the versions, so the names only have to be wide enough."""
    names: dict[tuple[str, PackageType], list[str]] = {}
    for result in changed:
        package = result.plan.package
        names.setdefault((package.owner.login, package.type), []).append(_pattern(package.name))
    return [
        _Undo(Operation.RESTORE, owner, kind, tuple(found) if len(found) <= MOST_NAMES else ("*",))
        for (owner, kind), found in names.items()
    ]


def _by_ids(operation: Operation | None, result: PackageResult, one: Counts) -> _Undo:
    package = result.plan.package
    done = {outcome.step.kind for outcome in result.outcomes if outcome.result is Result.DONE}
    if operation is Operation.RESTORE:
        return _Undo(
            Operation.DELETE, package.owner.login, package.type, (_pattern(package.name),), one.restored
        )
    whole = StepKind.DELETE_PACKAGE in done
    ids = () if whole else one.deleted
    return _Undo(Operation.RESTORE, package.owner.login, package.type, (_pattern(package.name),), ids, whole)


def _within(steps: Sequence[_Undo]) -> tuple[list[_Undo], int]:
    """Take steps while their ids are few enough to be read and pasted; count the ids of the others."""
    room, shown = MOST_IDS, []
    for step in steps:
        if len(step.ids) <= room:
            room -= len(step.ids)
            shown.append(step)
    return shown, sum(len(step.ids) for step in steps) - (MOST_IDS - room)


def _notes(run: RunResult, left: int, about: About, *, some_shown: bool) -> Section:
    deleting = run.operation is Operation.DELETE
    notes = []
    if left:
        notes.append(_too_many(left, run.operation, about, some_shown=some_shown))
    if deleting and not about.report_file:
        notes.append("With `report-file`, one step with `from-report` undoes a run of any size.")
        if any(outcome.tags for result in run.packages for outcome in result.outcomes):
            notes.append("Only a report can put removed tags back.")
    return tuple(Paragraph((note,)) for note in notes)


def _too_many(left: int, operation: Operation | None, about: About, *, some_shown: bool) -> str:
    """Say where the ids are that nobody would paste, and what restores without them."""
    words = f"{counted(left, 'more id' if some_shown else 'id')} are too many to paste"
    if about.uses is not None:
        output = "restored-version-ids" if operation is Operation.RESTORE else "deleted-version-ids"
        words += f"; the output `{output}` has them all"
    if operation is Operation.RESTORE:
        return f"{words}."
    return (
        f"{words}. `operation: restore` with `deleted-within` (for example `2h`) brings back everything that"
        " anybody deleted from the package in that time."
    )


def _yaml(step: _Undo, uses: str, report_file: str | None) -> str:
    names = "\n".join(f"      {name}" for name in step.names)
    lines = [
        f"- uses: {uses}",
        "  with:",
        f"    operation: {step.operation}",
        f"    owner: {_pattern(step.owner)}",
        f"    package-type: {step.type}",
        f"    package-name: |\n{names}",
    ]
    if any("?" in name or "*" in name for name in step.names):
        lines.append("    repository: any")
    if step.ids:
        lines.append(f"    package-version-ids: {', '.join(map(str, step.ids))}")
    elif step.whole:
        lines.append("    versions: '*'")
    elif report_file:
        lines.append(f"    from-report: {_quoted(report_file)}")
    return "\n".join(lines)


def _command(step: _Undo, about: About) -> str:
    words = [*about.program.split(), "--operation", str(step.operation), "--owner", _pattern(step.owner)]
    words += ["--package-type", str(step.type)]
    words += [word for name in step.names for word in ("--package-name", name)]
    if any("?" in name or "*" in name for name in step.names):
        words += ["--repository", "any"]
    if step.ids:
        words += ["--package-version-ids", ",".join(map(str, step.ids))]
    elif step.whole:
        words += ["--versions", "*"]
    elif about.report_file:
        words += ["--from-report", about.report_file]
    return shlex.join(words)


def _pattern(name: str) -> str:
    return _NOT_PLAIN.sub("?", name)


def _quoted(path: str) -> str:
    """Quote a path for YAML; an expression in it would be evaluated, so none may be."""
    return json.dumps(path.replace("${{", "$ {{"))
