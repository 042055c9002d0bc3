"""Deal an organization's packages out to jobs: `organization_jobs.py listed REPORT` or `planned FOLDER`.

Run by `.github/actions/organization-jobs`, for `.github/workflows/organization.yml`, with the runner's own Python: the
standard library is all there is. `listed` reads the report of a list and makes one job a package; `planned` reads
the plans of these jobs, `retention-plan-N/plan-N.jsonl`, and leaves those in which something is to be changed. Both
write the outputs `matrix`, `parallel` and `points`.

Any job of the calling run can upload an artifact that looks like a plan. So which job works on which packages comes
from the matrix of `listed` alone: a plan chooses among the packages of its own job, and a plan that names another
package is refused whole.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

MOST_JOBS = 256  # GitHub's limit for a matrix
MOST_CHARACTERS = 450_000  # an output takes 1 MB, measured as UTF-16; a tenth is left free
POINTS_OF_A_CHANGE = 5  # with fewer a minute, no change would ever start
MOST_ROWS = 1_000  # of the summary's table

# What `package-name` takes as it is: a name with a wildcard or a slash at one end would reach other packages.
PLAIN = re.compile(r"[A-Za-z0-9_@~+-][A-Za-z0-9_@~+./-]*(?<!/)")


class NoJobsError(Exception):
    """No list of jobs can be made that could be trusted to be whole."""


@dataclass(frozen=True)
class Job:
    """What one job of the matrix works on; `planned` has the changes of each package, by name, `digest` its plan's."""

    number: int
    names: tuple[str, ...]
    planned: Mapping[str, int] | None = None
    digest: str = ""

    def entry(self, scope: str) -> dict[str, Any]:
        """Return an entry of the matrix: `label` is for the job's name, `key` names these packages among all runs.

        `expression` is a regular expression that matches these names, for a pattern that takes all others away.
        `digest` is the SHA-256 of the plan that reviewers see: an artifact can be uploaded anew after it.
        """
        more = f" and {len(self.names) - 1} more" if len(self.names) > 1 else ""
        key = hashlib.sha256("\n".join([scope, *self.names]).encode()).hexdigest()[:20]
        return {
            "number": self.number,
            "names": "\n".join(self.names),
            "expression": "|".join(re.escape(name).replace("/", "\\/") for name in self.names),
            "label": self.names[0] + more,
            "key": key,
            "digest": self.digest,
        }


def listed(lines: Iterable[str], kind: str) -> list[Job]:
    """Deal the packages of a list's report out to at most 256 jobs.

    Raises:
        NoJobsError: The list ended before it knew which packages there are.
    """
    names, whole = [], False
    for line in _read(lines):
        if line["kind"] == "package" and line["type"] == kind:
            names.append(line["name"])
        whole = whole or (line["kind"] == "end" and line["complete"] and line["exit_status"] == 0)
    if not names and not whole:
        raise NoJobsError("the packages could not be listed: see the step before this one")
    plain = [name for name in names if _is_plain(name)]
    return [Job(n, tuple(plain[n::MOST_JOBS])) for n in range(min(len(plain), MOST_JOBS))]


def _is_plain(name: str) -> bool:
    plain = PLAIN.fullmatch(name) is not None
    if not plain:
        print(f"::warning::{json.dumps(name)} is left alone: it cannot be given as a plain name")
    return plain


def planned(matrix: Sequence[Mapping[str, Any]], folder: Path) -> list[Job]:
    """Return the listed jobs whose plans change something, each with the packages that its plan changes.

    Args:
        matrix: The entries that `listed` made.
        folder: Where the artifacts lie, each in a folder of its own name.
    """
    jobs = []
    for entry in matrix:
        number = int(entry["number"])
        path = folder / f"retention-plan-{number}" / f"plan-{number}.jsonl"
        if not path.is_file():
            continue
        listed_names = str(entry["names"]).split("\n")
        plan = path.read_bytes()
        changes = _changes(plan.decode().splitlines())
        if strangers := sorted(changes.keys() - set(listed_names)):
            print(
                f"::warning::Plan {number} is left out: {json.dumps(strangers[0])} is not a package of its job"
            )
        elif changes:
            names = tuple(name for name in listed_names if name in changes)
            jobs.append(Job(number, names, changes, hashlib.sha256(plan).hexdigest()))
    return jobs


def _changes(lines: Iterable[str]) -> dict[str, int]:
    """Count the steps of a plan, by the name of their package."""
    names: dict[int, str] = {}
    changes: dict[str, int] = {}
    for line in _read(lines):
        if line["kind"] == "package":
            names[line["package"]] = line["name"]
        elif line["kind"] == "step":
            name = names[line["package"]]
            changes[name] = changes.get(name, 0) + 1
    return changes


def _read(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Read a report; its last line may be cut where the run was killed."""
    for line in lines:
        try:
            yield json.loads(line)
        except json.JSONDecodeError:
            return


def outputs(jobs: Sequence[Job], scope: str, parallel: int, points: int) -> dict[str, str]:
    """Return the outputs; all jobs that run at once have `points` a minute together.

    Raises:
        NoJobsError: The matrix is larger than an output may be.
    """
    at_once = max(1, min(parallel, len(jobs), points // POINTS_OF_A_CHANGE))
    matrix = json.dumps([job.entry(scope) for job in jobs])
    if len(matrix) > MOST_CHARACTERS:
        raise NoJobsError("the packages' names are more than an output takes: say fewer in `package-name`")
    return {"matrix": matrix, "parallel": str(at_once), "points": str(points // at_once)}


def summary(jobs: Sequence[Job]) -> str:
    """Describe what the plans hold together, package by package; names are plain (`PLAIN`), and need no escaping."""
    rows = [(name, count) for job in jobs for name, count in (job.planned or {}).items()]
    if not rows:
        return "### Nothing is to be changed\n"
    total = sum(count for _, count in rows)
    table = [f"| `{name}` | {count:,} |" for name, count in sorted(rows)[:MOST_ROWS]]
    if len(rows) > MOST_ROWS:
        table.append(f"| and {len(rows) - MOST_ROWS:,} more | |")
    head = [f"### Planned changes: {total:,}, packages: {len(rows):,}", ""]
    return "\n".join([*head, "| package | planned changes |", "| --- | ---: |", *table]) + "\n"


def run(command: str, place: Path, environ: Mapping[str, str]) -> None:
    """Carry one command out, with the settings and files that `environ` names."""
    text = ""
    if command == "listed":
        with place.open(encoding="utf-8") as lines:
            jobs = listed(lines, environ["PACKAGE_TYPE"].lower())
    else:
        jobs = planned(json.loads(environ["LISTED"]), place)
        text = summary(jobs)
    scope = f"{environ['OWNER']}/{environ['PACKAGE_TYPE']}".lower()
    given = outputs(jobs, scope, int(environ["PARALLEL"]), int(environ["POINTS"]))
    with Path(environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as file:
        file.writelines(f"{name}={value}\n" for name, value in given.items())
    with Path(environ["GITHUB_STEP_SUMMARY"]).open("a", encoding="utf-8") as file:
        file.write(text)


def main(command: str, place: Path, environ: Mapping[str, str]) -> int:
    """Run one command; tell why no jobs are made; return the exit status."""
    try:
        run(command, place, environ)
    except (NoJobsError, OSError, ValueError, LookupError, TypeError) as error:
        print(f"::error::No jobs were made: {error}")
        return 1
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in {"listed", "planned"}:  # noqa: PLR2004 - itself and two words
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], Path(sys.argv[2]), os.environ))
