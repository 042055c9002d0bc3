"""Play a trial from its dry run to its undo, and hold every law to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from soak import laws
from soak.graph import Graph
from soak.trial import REPORT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from soak.manifests import Row
    from soak.trial import Happened, Stage, Trial, World


def judge(stage: Stage, one: Trial) -> list[str]:
    """Return a sentence for every law that does not hold, each once."""
    return list(dict.fromkeys(_judge(stage, one)))


def _judge(stage: Stage, one: Trial) -> Iterator[str]:
    world = stage.play(one)
    if not world.rows():
        return
    if one.quiet:
        yield from _quiet(world)
    else:
        yield from _disturbed(world, one)


def _quiet(world: World) -> Iterator[str]:
    start = _state(world.rows())
    dry = world.step(dry_run="true", report_file="plan.jsonl")
    yield from _titled("dry run", laws.truth(dry))
    if _state(world.rows()) != start:
        yield "dry run: something changed"
    now = world.made.clock.now()
    real = world.step(report_file=REPORT)
    if _refused_orphans(real.ran.log):
        if dry.ran.status != 1 or _state(world.rows()) != start:
            yield "refused, but not alike in the dry run, or after a change"
        return
    yield from laws.truth(real)
    if (real.ran.status or dry.ran.status) and not _lost(real):
        yield f"exit {real.ran.status} in a quiet world: {_errors(real.ran.log)}"
    if dry.ran.ids("selected-version-ids") != real.ran.ids("selected-version-ids"):
        yield "the dry run planned something else"
    if set(real.ran.ids("selected-version-ids")) != set(real.ran.ids("deleted-version-ids")):
        yield "not everything that was planned was done"
    yield from laws.selection(real, world.rules, now)
    # What the registry lost holds untagged images until it goes itself: the next run may find those.
    if world.rules.limit is None and not real.whole and not _lost(real):
        again = world.step()
        if again.ran.ids("selected-version-ids") or again.ran.number("untagged-count"):
            if not _place_parted(world, real):
                yield f"a second run found {again.ran.ids('selected-version-ids')}, {again.ran.number('untagged-count')} tags"
            return
    yield from _undone(world, start, _lost(real))


def _place_parted(world: World, happened: Happened) -> bool:
    """Whether a tagged image went and left one behind that had shared its place, and that counts by itself from now on.

    A delete rule keeps an index and its tagged platforms in one place, another delete rule takes the index alone.
    """
    if len(world.rules.delete) < 2 or not any(rule.keep for rule in world.rules.delete):
        return False
    graph = Graph(happened.before)
    tagged = {digest for digest in graph.roots if graph.rows[digest].own_tags}
    return any((graph.parts(digest) & tagged) - happened.gone for digest in tagged & happened.gone)


def _lost(happened: Happened) -> set[str]:
    """What the registry lost: nobody can put a tag back on it."""
    return {row.digest for row in happened.before if row.body is None}


def _disturbed(world: World, one: Trial) -> Iterator[str]:
    now = world.made.clock.now()
    start = _state(world.rows())
    real = world.step(one, report_file=REPORT)
    yield from laws.truth(real)
    yield from laws.safety(real, world.rules, now)
    if one.changes:
        yield from _undone_beside_others(world, real)
    else:
        yield from _undone(world, start, _lost(real))


def _undone(world: World, start: dict[str, tuple[str, ...]], lost: set[str]) -> Iterator[str]:
    """What a report says was done can be taken back, tags and all."""
    if _state(world.rows()) == start:
        return
    made = world.made
    undone = made.step(operation="restore", from_report=REPORT, report_file="undone.jsonl")
    now = _state(world.rows())
    now |= {digest: start[digest] for digest in lost & now.keys() & start.keys()}
    if "the tag latest is not put back" in undone.log:
        # Only a step that names it puts it back.
        undone = made.step(operation="restore", from_report=REPORT, versions="latest")
        now |= {digest: tags for digest, tags in _state(world.rows()).items() if digest not in lost}
    if now != start:
        missing = sorted(start.keys() - now.keys())
        other = sorted(d for d in start.keys() & now.keys() if start[d] != now[d])
        more = sorted(now.keys() - start.keys())
        yield (
            f"the undo (exit {undone.status}) did not bring back {_short(missing)}, left other tags on"
            f" {[(d[7:19], start[d], now[d]) for d in other]}, and more: {_short(more)}; {_errors(undone.log)}"
        )
    elif undone.status and not lost:
        yield f"the undo did everything and ended with {undone.status}: {_errors(undone.log)}"


def _undone_beside_others(world: World, real: Happened) -> Iterator[str]:
    """What was deleted comes back, and a tag that the run took away too, but where somebody else's version has it now.

    What somebody pushed again meanwhile is another version with the same digest: the undo leaves it, and says so.
    """
    ours = set(real.ran.ids("deleted-version-ids")) - real.seen.by_others
    if not ours or real.whole:
        return
    known = {row.id: row for _, rows in real.seen.lists for row in rows}
    undone = world.made.step(operation="restore", from_report=REPORT, report_file="undone.jsonl")
    now = {row.id: row for row in world.rows()}
    elsewhere = frozenset[str]().union(*(row.tags for row in now.values()))
    pushed = {row.digest for row in now.values()}
    for number in sorted(ours & known.keys()):
        row = known[number]
        if row.digest in pushed and number not in now and "in use again" in undone.log:
            continue
        if number not in now:
            yield f"the undo (exit {undone.status}) left {laws.named(row)} deleted; {_errors(undone.log)}"
        # On what the registry lost nobody can put a tag.
        elif row.body is not None and (lost := row.tags - elsewhere - {"latest"}):
            yield f"the undo (exit {undone.status}) put {sorted(lost)} back nowhere: {laws.named(row)}; {_errors(undone.log)}"


def _state(rows: tuple[Row, ...]) -> dict[str, tuple[str, ...]]:
    return {row.digest: tuple(sorted(row.tags)) for row in rows}


def _refused_orphans(log: str) -> bool:
    return "orphan" in _errors(log)


def _errors(log: str) -> str:
    return " / ".join(line for line in log.splitlines() if line.startswith("::error"))


def _short(digests: list[str]) -> list[str]:
    return [one[7:19] for one in digests]


def _titled(title: str, sentences: Iterator[str]) -> Iterator[str]:
    for sentence in sentences:
        yield f"{title}: {sentence}"
