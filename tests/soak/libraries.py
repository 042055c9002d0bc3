"""Random packages of the other types: versions in a known order, and what goes of them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from soak.patterns import Patterns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scene import Scene

# Each list from the lowest to the highest, by the ecosystem's own tool; "~" marks pre-releases.
ORDERED = {
    "npm": ("~1.0.0-alpha.2", "~1.0.0-alpha.10", "1.0.0", "1.0.9", "1.0.10", "~1.1.0-rc.1", "1.1.0", "~2.0.0-0", "2.0.0"),
    "nuget": ("~1.0.0-beta", "1.0.0", "1.0.0.1", "1.2.0", "~1.10.0-rc2", "1.10.0", "2.0.0"),
    "maven": ("~1.0-alpha-1", "~1.0-rc1", "~1.0-SNAPSHOT", "1.0", "1.0.1", "~1.1-SNAPSHOT", "1.1", "1.10", "2.0"),
    "rubygems": ("~1.0.0.rc1", "1.0.0", "1.0.9", "1.0.10", "~2.0.0.beta2", "2.0.0", "2.1"),
}  # fmt: skip
_PATTERNS = (("*",), ("1.*",), ("*", "!2.0.0"), ("/-rc|alpha/",), ("1.0.0", "2.0.0"))
_AGES = {"0s": 0.0, "10d": 10.0, "30d": 30.0}


@dataclass(frozen=True, slots=True)
class Library:
    """A package and the inputs of a deletion; `ages` are days by version, in the order of the pushes."""

    seed: int
    kind: str
    ages: dict[str, float]
    inputs: dict[str, str]

    def __str__(self) -> str:
        pushed = "\n".join(f"version {name!r} {days} days ago" for name, days in self.ages.items())
        return f"seed {self.seed} {self.kind}\n{pushed}\ninputs {self.inputs}"


def library(seed: int) -> Library:
    """Make the library of a seed."""
    random = Random(f"library {seed}")
    kind = random.choice(tuple(ORDERED))
    names = random.sample(ORDERED[kind], random.randint(2, len(ORDERED[kind])))
    ages = {
        name.removeprefix("~"): round(random.uniform(0.1, 80) // 1 + 0.5, 1) + n / 100
        for n, name in enumerate(names)
    }
    return Library(seed, kind, ages, _inputs(random))


def _inputs(random: Random) -> dict[str, str]:
    found: dict[str, str] = {}
    # Neither an exclusion nor `delete-package` says which versions.
    while not found.keys() - {"exclude_versions", "delete_package"}:
        if random.random() < 0.4:
            found["versions"] = "\n".join(random.choice(_PATTERNS))
        if random.random() < 0.3:
            found["release_status"] = random.choice(("release", "pre-release"))
        if random.random() < 0.4:
            found["older_than"] = random.choice(tuple(_AGES))
        if random.random() < 0.2:
            found["exclude_versions"] = random.choice(("1.0*", "/[a-z]/", "2.0.0"))
        if random.random() < 0.6:
            found["min_versions_to_keep"] = str(random.randint(1, 3))
            if random.random() < 0.3:
                found["keep_per"] = "major"
            if random.random() < 0.5:
                found["order_by"] = "version"
        if random.random() < 0.2:
            found["limit"] = str(random.randint(1, 3))
        if random.random() < 0.3:
            found["delete_package"] = "when-empty"
    return found


def expected(one: Library) -> list[str]:
    """What goes, oldest first; all of them where all match."""
    order = {name.removeprefix("~"): number for number, name in enumerate(ORDERED[one.kind])}
    early = {name.removeprefix("~") for name in ORDERED[one.kind] if name.startswith("~")}
    given = one.inputs
    matching = [
        name
        for name, days in one.ages.items()
        if ("versions" not in given or Patterns(tuple(given["versions"].split("\n"))).matches(name))
        and ("release_status" not in given or (given["release_status"] == "pre-release") == (name in early))
        and ("older_than" not in given or days >= _AGES[given["older_than"]])
        and ("exclude_versions" not in given or not Patterns((given["exclude_versions"],)).matches(name))
    ]
    by_version = "order_by" in given
    newest = sorted(matching, key=lambda name: order[name] if by_version else -one.ages[name], reverse=True)
    groups: dict[str, list[str]] = {}
    for name in newest:
        major = re.match(r"\d+", name)
        groups.setdefault(major[0] if major and "keep_per" in given else "", []).append(name)
    number = int(given.get("min_versions_to_keep", "0"))
    kept = {name for names in groups.values() for name in names[:number]}
    return sorted((name for name in matching if name not in kept), key=lambda name: -one.ages[name])


def judge_library(made: Scene, one: Library) -> Iterator[str]:
    """Delete, look again, and undo; yield what is not as it should be."""
    made.clock.advance(3700)
    made.world.bad_tries = 0
    made.world.before_request.clear()
    made.world.faults.clear()
    made.forget()
    for owned in made.world.packages_of("octo"):
        made.world.delete_package(owned)
    made.app = made.world.add_package("octo", one.kind, "app", repository="octo/app")
    for name, days in one.ages.items():
        made.world.add_version(made.app, name, created=days)
    goes = expected(one)
    limit = int(one.inputs.get("limit", len(goes)))
    empties = len(goes) == len(one.ages) and limit >= len(goes)
    whole = empties and "delete_package" in one.inputs
    if empties and not whole:
        goes = goes[:-1]
    wanted = sorted(goes[:limit])
    inputs = {"package_type": one.kind, **one.inputs}
    dry = made.step(dry_run="true", **inputs)
    ran = made.step(report_file="report.jsonl", **inputs)
    if ran.status:
        yield f"exit {ran.status}: {ran.log}"
        return
    names = {version.id: version.name for version in made.app.versions.values()}
    selected = sorted(names[number] for number in ran.ids("selected-version-ids"))
    if selected != wanted:
        yield f"selected {selected} in place of {wanted}"
    if dry.ids("selected-version-ids") != ran.ids("selected-version-ids"):
        yield "the dry run planned something else"
    there = set() if made.app.deleted_at else {version.name for version in made.app.active()}
    if sorted(one.ages.keys() - there) != wanted or bool(made.app.deleted_at) != whole:
        yield f"left {sorted(there)} and not all but {wanted}"
    yield from _told(made, one, len(wanted))
    if wanted and not whole:
        made.step(operation="restore", from_report="report.jsonl", package_type=one.kind)
        if {version.name for version in made.app.active()} != one.ages.keys():
            yield "the undo did not bring everything back"


def _told(made: Scene, one: Library, deleted: int) -> Iterator[str]:
    ran = made.ran[-1]
    end = json.loads((made.folder / "report.jsonl").read_text().splitlines()[-1])
    kept = len(one.ages) - deleted
    if (ran.number("deleted-count"), ran.number("kept-count")) != (deleted, kept):
        yield f"{ran.number('deleted-count')} deleted and {ran.number('kept-count')} kept, in place of {deleted} and {kept}"
    if end["counts"]["deleted"] != deleted:
        yield f"the report has {end['counts']['deleted']} deleted, it were {deleted}"
