"""How to undo a run: as a workflow to paste, or as commands if it was called by hand."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence

from package_retention.escaping import counted
from package_retention.model import RESTORE_WINDOW, Operation, Package, PackageType, Result, StepKind
from package_retention.output.counts import Counts, RunCounts
from package_retention.output.summary.blocks import About, Details, Heading, Listing, Paragraph, Section
from package_retention.results import PackageResult, RunResult

MOST_IDS = 200
MOST_NAMES = 100
# As in the recipes: v7.0.1 and v8.0.1.
_CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1"
_DOWNLOAD = "actions/download-artifact@3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c"

_REFERENCE = re.compile(r"[\w.-]+/[\w./-]+@[\w./-]+", re.ASCII)
# A name goes into a list of patterns, into YAML, and past `${{`: what is not plain becomes the glob's `?`.
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9._/@-]|^[^A-Za-z0-9@]")


def action_reference(environ: Mapping[str, str]) -> str:
    """Return the words for `uses:` by which this action was called; `./` if it was not called from a repository."""
    reference = f"{environ.get('GITHUB_ACTION_REPOSITORY', '')}@{environ.get('GITHUB_ACTION_REF', '')}"
    return reference if _REFERENCE.fullmatch(reference) else "./"


# One step to paste: its inputs, each with its values.
_Undo = Mapping[str, tuple[str, ...]]
_IDS = "package-version-ids"


def undo(counts: RunCounts, about: About) -> Section:
    """Return the blocks that say how to undo what was done; none if nothing was."""
    operation = counts.run.operation
    changed = [
        (one, count)
        for one, count in counts.packages
        if any(outcome.result is Result.DONE for outcome in one.outcomes)
    ]
    if not changed:
        return ()
    if operation is Operation.DELETE and about.report_file is not None:
        steps = _by_report([one.plan.package for one, _ in changed], about.report_file)
    else:
        steps = list(filter(None, (_by_ids(operation, one, count) for one, count in changed[:MOST_NAMES])))
    shown, left = _within(steps)
    blocks = (Paragraph((_lead(operation, about),)), _to_paste(shown, about)) if shown else ()
    return (
        Heading(3, ("How to undo it",)),
        *blocks,
        *_notes(counts.run, left, about, some_shown=bool(shown)),
    )


def _to_paste(shown: Sequence[_Undo], about: About) -> Details | Listing:
    """Return a whole workflow, folded, or commands if the run was called by hand."""
    if about.uses is None:
        return Listing("sh", "\n".join(_command(step, about.program) for step in shown))
    what = f"A workflow to paste ({len(shown):,} steps)" if len(shown) > 1 else "A workflow to paste"
    return Details((what,), (Listing("yaml", _workflow(shown, about.uses, about)),))


def _lead(operation: Operation | None, about: About) -> str:
    if operation is Operation.RESTORE:
        return "This deletes again what was restored:"
    until = (about.now + RESTORE_WINDOW).date().isoformat()
    return (
        f"For {RESTORE_WINDOW.days} days (until {until}), this brings back what was deleted, except versions whose name"
        " has been taken again:"
    )


def _workflow(steps: Sequence[_Undo], uses: str, about: About) -> str:
    """Return a workflow to start by hand; it downloads the report of this run if it restores from one."""
    report = about.report_file if any("from-report" in step for step in steps) else None
    local = uses == "./"
    return "\n".join(
        [
            "name: Undo a clean-up",
            "on: workflow_dispatch",
            "permissions:",
            "  packages: write",
            *(["  actions: read # to download the report"] if report else []),
            *(["  contents: read # to check out the action"] if local else []),
            "jobs:",
            "  undo:",
            "    runs-on: ubuntu-latest",
            "    steps:",
            *([f"      - uses: {_CHECKOUT}"] if local else []),
            *(f"      {line}" for line in (_download(report, about) if report else [])),
            *(f"      {line}" for step in steps for line in _yaml(step, uses)),
        ]
    )


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


def _by_report(changed: Sequence[Package], report_file: str) -> list[_Undo]:
    """Return one step for each type; the report names the versions, so names only have to be wide enough."""
    packages: dict[PackageType, list[Package]] = {}
    for package in changed:
        packages.setdefault(package.type, []).append(package)
    return [_step(Operation.RESTORE, found) | {"from-report": (report_file,)} for found in packages.values()]


def _by_ids(operation: Operation | None, result: PackageResult, one: Counts) -> _Undo | None:
    """Return a step for one package; `None` if nothing of it is undone by ids or as a whole."""
    if operation is Operation.RESTORE:
        other, ids = Operation.DELETE, one.restored
    else:
        other, ids = Operation.RESTORE, one.deleted
    step = _step(other, [result.plan.package])
    done = {outcome.step.kind for outcome in result.outcomes if outcome.result is Result.DONE}
    if StepKind.DELETE_PACKAGE in done:
        return step | {"versions": ("*",)}
    return step | {_IDS: tuple(map(str, ids))} if ids else None


def _step(operation: Operation, packages: Sequence[Package]) -> dict[str, tuple[str, ...]]:
    """Return the inputs that say what a step does to packages of one owner and type; its names are patterns."""
    names = tuple(_pattern(one.name) for one in packages) if len(packages) <= MOST_NAMES else ("*",)
    step: dict[str, tuple[str, ...]] = {
        "operation": (operation,),
        "owner": (_pattern(packages[0].owner.login),),
        "package-type": (packages[0].type,),
        "package-name": names,
    }
    wide = any("?" in name or "*" in name for name in names)
    return step | {"repository": ("any",)} if wide else step


def _within(steps: Sequence[_Undo]) -> tuple[list[_Undo], int]:
    """Take steps while their ids are few enough to be read and pasted; count the ids of the others."""
    room, left, shown = MOST_IDS, 0, []
    for step in steps:
        ids = len(step.get(_IDS, ()))
        if ids <= room:
            room -= ids
            shown.append(step)
        else:
            left += ids
    return shown, left


def _notes(run: RunResult, left: int, about: About, *, some_shown: bool) -> Section:
    notes = []
    if left:
        notes.append(_too_many(left, run.operation, about, some_shown=some_shown))
    if run.operation is Operation.DELETE and not about.report_file:
        notes.append("With `report-file`, one step with `from-report` undoes a run of any size.")
        if any(outcome.tags for result in run.packages for outcome in result.outcomes):
            notes.append("Only a report can put removed tags back.")
    return tuple(Paragraph((note,)) for note in notes)


def _too_many(left: int, operation: Operation | None, about: About, *, some_shown: bool) -> str:
    """Say which output has the ids that nobody would paste, and what restores without them."""
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


def _yaml(step: _Undo, uses: str) -> Iterator[str]:
    yield f"- uses: {uses}"
    yield "  with:"
    for name, values in step.items():
        match name:
            case "package-name":
                yield f"    {name}: |"
                yield from (f"      {value}" for value in values)
            case "versions":
                yield f"    {name}: '{values[0]}'"
            case "from-report":
                yield f"    {name}: {_quoted(values[0])}"
            case _:
                yield f"    {name}: {', '.join(values)}"


def _command(step: _Undo, program: str) -> str:
    words = program.split()
    for name, values in step.items():
        each = values if name == "package-name" else (",".join(values),)
        words += [word for value in each for word in (f"--{name}", value)]
    return shlex.join(words)


def _pattern(name: str) -> str:
    return _NOT_PLAIN.sub("?", name)


def _quoted(path: str) -> str:
    """Quote a path for YAML; an expression in it would be evaluated, so none may be."""
    return json.dumps(path.replace("${{", "$ {{"))
