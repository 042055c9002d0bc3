"""One random world and what is done in it: everything that a seed stands for, and a run of it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from random import Random
from typing import TYPE_CHECKING, Any

from scene import scene
from soak import changes as by_others
from soak.choices import rules
from soak.manifests import rows_of
from soak.worlds import Place, Statement, WorldWriter

if TYPE_CHECKING:
    from pathlib import Path

    from emulator.messages import Request
    from emulator.steps import Ran
    from scene import Scene
    from soak.changes import Change, Strike
    from soak.manifests import Row
    from soak.rules import Rule, Rules

REPORT = "report.jsonl"


@dataclass(frozen=True, slots=True)
class Trial:
    """What a seed stands for. `cancel`: before which request a signal comes (0: none)."""

    seed: int
    statements: tuple[Statement, ...]
    rules: Rules
    changes: tuple[Change, ...] = ()
    strikes: tuple[Strike, ...] = ()
    cancel: int = 0
    switches: dict[str, Any] = field(default_factory=dict)

    @property
    def quiet(self) -> bool:
        return not (self.changes or self.strikes or self.cancel)

    def __str__(self) -> str:
        lines = [f"seed {self.seed}", *(one.text for one in self.statements)]
        lines += [f"switch {name} = {value}" for name, value in self.switches.items()]
        lines += [f"file {name}: {text!r}" for name, text in self.rules.files.items()]
        lines += [self.rules.policy] if self.rules.policy else []
        lines.append(f"inputs {self.rules.given}")
        lines += [str(one) for one in (*self.changes, *self.strikes)]
        lines += [f"SIGTERM before request {self.cancel}"] if self.cancel else []
        return "\n".join(lines)


def trial(seed: int) -> Trial:
    """Make the trial of a seed; the same seed makes the same one."""
    random = Random(seed)
    writer = WorldWriter(random)
    writer.write(random.randint(2, 12))
    chosen = rules(random, [one.adds for one in writer.statements if one.adds])
    kind = random.random()
    changed: list[Change] = []
    strikes: list[Strike] = []
    cancel = 0
    if kind > 0.5:
        if random.random() < 0.75 and any(one.text.startswith("add(") for one in writer.statements):
            changed = by_others.changes(random, writer, random.randint(1, 3))
        if random.random() < 0.35:
            strikes = by_others.strikes(random)
        if random.random() < 0.2:
            cancel = random.randint(1, 25)
    switches: dict[str, Any] = {}
    if random.random() < 0.15:
        switches["restored_versions_get_tags_back"] = False
    if random.random() < 0.2:
        switches["version_order"] = random.choice(("oldest", "id", "scrambled"))
    return Trial(seed, tuple(writer.statements), chosen, tuple(changed), tuple(strikes), cancel, switches)


@dataclass
class Seen:
    """What happened in a run, from the outside: every list with the rows that it could show, every deletion asked for."""

    lists: list[tuple[int, tuple[Row, ...]]] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    deletions: list[tuple[int, int]] = field(default_factory=list)
    pushed: set[bytes] = field(default_factory=set)
    by_others: set[int] = field(default_factory=set)
    moved: set[str] = field(default_factory=set)
    emptied: list[int] = field(default_factory=list)
    moment: int = 0


@dataclass
class Happened:
    """A step: what was there before and after, what it said, and what was seen."""

    before: tuple[Row, ...]
    after: tuple[Row, ...]
    ran: Ran
    seen: Seen
    report: list[dict[str, Any]]
    requests: int
    whole: bool

    @property
    def gone(self) -> frozenset[str]:
        return frozenset(one.digest for one in self.before) - {one.digest for one in self.after}


class Stage:
    """A scene in which trials are played, each in a package of its own."""

    def __init__(self, made: Scene) -> None:
        self.made = made
        self._number = 0

    def play(self, one: Trial) -> World:
        """Build a trial's world."""
        self._number += 1
        made = self.made
        made.clock.advance(3700)
        made.world.bad_tries = 0
        made.world.before_request.clear()
        made.world.faults.clear()
        for token in made.world.tokens.values():
            token.expired = False
        made.forget()
        made.ran.clear()
        for owned in made.world.packages_of("octo"):
            made.world.delete_package(owned)
        # The trial's own package may go whole, too: a restore by name takes the one that was deleted last.
        made.clock.advance(1)
        made.app = made.world.add_package("octo", "container", "app", repository="octo/app")
        for name, value in {"restored_versions_get_tags_back": True, "version_order": "newest"}.items():
            setattr(made.world.switches, name, one.switches.get(name, value))
        place = Place(made.world, made.app)
        place.run(list(one.statements))
        found = numbered(one, place)
        for name, text in {**found.files, "policy.yml": found.policy}.items():
            made.folder.mkdir(parents=True, exist_ok=True)
            (made.folder / name).write_text(text)
        return World(made, place, found)


def numbered(one: Trial, place: Place) -> Rules:
    """The trial's rules with ids in place of the names of shapes: ids are known once the world is built."""

    def fixed(rule: Rule) -> Rule:
        return rule if rule.names is None else replace(rule, ids=frozenset(map(place.id_of, rule.names)))

    def text(value: str) -> str:
        return re.sub(r"\bs\d+\b", lambda match: str(place.id_of(match[0])), value)

    given = {
        name: text(value) if name == "package_version_ids" else value
        for name, value in one.rules.given.items()
    }
    lines = (text(line) if "package-version-ids" in line else line for line in one.rules.policy.split("\n"))
    delete, keep = (tuple(map(fixed, some)) for some in (one.rules.delete, one.rules.keep))
    return replace(one.rules, delete=delete, keep=keep, given=given, policy="\n".join(lines))


@dataclass
class World:
    """A trial's world, in which steps are run."""

    made: Scene
    place: Place
    rules: Rules

    def rows(self) -> tuple[Row, ...]:
        return rows_of(self.made.app)

    def _there(self) -> tuple[set[int], dict[str, int]]:
        rows = self.rows()
        return {row.id for row in rows}, {tag: row.id for row in rows for tag in row.tags}

    def step(self, trial: Trial | None = None, **inputs: Any) -> Happened:
        """Run a step; with a trial, everything that others do in it happens meanwhile."""
        made, seen = self.made, Seen()
        made.forget()
        made.world.before_request.clear()
        made.world.faults.clear()
        if trial:
            made.world.faults.extend(one.fault() for one in trial.strikes)
            made.world.arrived = {False: 0, True: 0}
            self._watch(seen, trial)
        else:
            self._watch(seen, None)
        before = self.rows()
        path = made.folder / str(inputs.get("report_file", REPORT))
        if "report_file" in inputs:
            path.unlink(missing_ok=True)
        ran = made.step(**self.rules.given | inputs)
        made.world.before_request.clear()
        made.world.faults.clear()
        # The token is replaced, and GitHub's hour for wrong ones is over, before the next step.
        made.world.bad_tries = 0
        for token in made.world.tokens.values():
            token.expired = False
        # A list that a fault met was asked for again: the run never saw it.
        good = {one.number for one in made.world.requests if one.status == 200 and one.fault in {"", "DELAY"}}
        seen.lists = [one for one, number in zip(seen.lists, seen.numbers, strict=True) if number in good]
        lines = path.read_text().splitlines() if path.exists() and "report_file" in inputs else []
        report = [json.loads(line) for line in lines]
        return Happened(
            before, self.rows(), ran, seen, report, len(made.world.requests), made.app.deleted_at is not None
        )

    def _watch(self, seen: Seen, trial: Trial | None) -> None:
        waiting = list(trial.changes) if trial else []
        counted = dict.fromkeys(by_others.MOMENTS, 0)

        def watch(request: Request) -> None:
            with self.made.world.lock:
                seen.moment += 1
                if trial and seen.moment == trial.cancel:
                    self.made.clock.signal()
                for moment in by_others.MOMENTS:
                    counted[moment] += by_others.is_moment(moment, request)
                for change in [
                    c
                    for c in waiting
                    if by_others.is_moment(c.moment, request) and counted[c.moment] >= c.number
                ]:
                    waiting.remove(change)
                    there, tags = self._there()
                    self.place.run([change.statement])
                    now, moved = self._there()
                    seen.by_others |= there - now
                    seen.moved |= {
                        tag for tag in tags.keys() | moved.keys() if tags.get(tag) != moved.get(tag)
                    }
                if (
                    request.method == "GET"
                    and request.path.endswith("/versions")
                    and request.query.get("page", "1") == "1"
                ):
                    seen.lists.append((seen.moment, self.rows()))
                    seen.numbers.append(request.number)
                if request.method == "DELETE" and "/versions/" in request.path:
                    seen.deletions.append((seen.moment, int(request.path.rsplit("/", 1)[1])))
                elif request.method == "DELETE":
                    seen.emptied.append(seen.moment)
                if request.method == "PUT" and request.registry:
                    seen.pushed.add(request.body)

        self.made.world.before_request.append(watch)


def stage_in(folder: Path) -> Any:
    """Open a scene for trials."""
    return scene(folder)
