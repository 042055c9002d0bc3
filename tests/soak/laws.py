"""What has to hold after a run: each law yields a sentence for everything that breaks it."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

from soak.graph import Graph
from soak.oracle import Oracle

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from soak.manifests import Row
    from soak.rules import Rules
    from soak.trial import Happened


def selection(happened: Happened, rules: Rules, now: datetime) -> Iterator[str]:
    """In a quiet world exactly that goes which the rules select, and nothing else changes."""
    oracle = Oracle(happened.before, rules, now)
    rows = oracle.rows
    gone = happened.gone
    if oracle.ambiguous:
        return
    for digest in sorted(gone - oracle.may_go, key=lambda one: rows[one].id):
        yield f"deleted, but has to stay: {named(rows[digest])}"
    if rules.limit is None:
        yield from _left(oracle, gone, rules)
    elif (
        len(gone & (oracle.graph.roots | oracle.graph.orphans)) > rules.limit
        and not oracle.graph.orphans & gone
    ):
        yield f"more images deleted than the limit of {rules.limit}"
    yield from _untagged(happened, oracle, rules)


def _left(oracle: Oracle, gone: frozenset[str], rules: Rules) -> Iterator[str]:
    """What should have gone and is there, less what GitHub refuses last with what it needs."""
    rows, left = oracle.rows, oracle.must_go - gone
    tagged = {digest for digest, row in rows.items() if row.tags}
    emptied = rows.keys() <= oracle.may_go
    if (tagged <= oracle.may_go or emptied) and not (rules.whole and emptied):
        # One image stays in place of the last; which one is the action's choice, what it needs stays with it.
        if not rows.keys() - gone:
            yield "the last version went"
        for kept in sorted(left):
            if left <= oracle.graph.kept_whole({kept} | (rows.keys() - oracle.may_go)):
                return
    for digest in sorted(left, key=lambda one: rows[one].id):
        yield f"not deleted, but selected: {named(rows[digest])}"


def _untagged(happened: Happened, oracle: Oracle, rules: Rules) -> Iterator[str]:
    after = {row.digest: row for row in happened.after}
    for row in happened.before:
        lost = row.tags - after[row.digest].tags if row.digest in after else frozenset()
        allowed = frozenset().union(*(one.loses.get(row.digest, frozenset()) for one in oracle.every))
        if lost and row.digest in oracle.must_go - oracle.graph.kept_whole(after.keys() - {row.digest}):
            allowed = frozenset()
        for tag in sorted(lost - allowed):
            yield f"the tag {tag} is gone from {named(row)}, which stays"
        if row.digest in after and after[row.digest].tags - row.tags:
            yield f"a tag was put on {named(row)}"
    if rules.untag and rules.limit is None and not any(one.keep for one in rules.delete):
        for digest in after.keys() & oracle.rows.keys():
            owed = frozenset.intersection(*(one.owes(digest) for one in oracle.every))
            kept = owed & after[digest].tags
            if kept and len(owed) < len(oracle.rows[digest].own_tags):
                yield f"the tags {sorted(kept)} match and were left on {named(oracle.rows[digest])}"
    if unknown := after.keys() - oracle.rows.keys():
        yield f"left behind: {sorted(unknown)}"


def safety(happened: Happened, rules: Rules, now: datetime) -> Iterator[str]:
    """With changes by others, faults and signals: nothing that stays lost what it needed, as far as lists could show."""
    seen = happened.seen
    own = _own(seen.pushed)
    if not seen.lists:
        if happened.gone - _digests(happened.before, seen.by_others):
            yield "something was deleted before anything was listed"
        return
    known = {row.id: row for _, rows in seen.lists for row in rows}
    known |= {row.id: row for row in happened.before}
    there = {row.id for row in happened.after}
    asked = [(moment, known[number]) for moment, number in seen.deletions if number in known]
    asked = [(moment, row) for moment, row in asked if row.digest not in own]
    mine = [(moment, row) for moment, row in asked if row.id not in there and row.id not in seen.by_others]
    if not mine and not (happened.whole and seen.emptied):
        return
    first = seen.lists[0][1]
    # The first change is the first request, also where it met that somebody else was quicker: its parts go all the same.
    begun = asked[0][0] if asked else seen.emptied[-1]
    before_first = [rows for moment, rows in seen.lists if moment < begun]
    if not before_first:
        yield "something was deleted before anything was listed"
        return
    if happened.whole and seen.emptied:
        last = [rows for moment, rows in seen.lists if moment < seen.emptied[-1]][-1]
        mine += [(seen.emptied[-1], row) for row in last]
    yield from _rules_held(mine, first, before_first[-1], rules, now, own)
    # A part whose own deletion failed after its image went stays as a fragment: that it lacks something breaks nothing.
    roots = Graph(before_first[-1]).roots
    there -= {row.id for _, row in asked if row.digest not in roots}
    # What an index listed when all was decided is its attestation, also once the index is gone.
    listed = Graph(before_first[-1]).attests
    for moment, row in mine:
        latest = [rows for when, rows in seen.lists if when < moment][-1]
        yield from _needed(row, latest, there, listed)


def _rules_held(
    mine: list[tuple[int, Row]],
    first: tuple[Row, ...],
    later: tuple[Row, ...],
    rules: Rules,
    now: datetime,
    own: set[str],
) -> Iterator[str]:
    was, is_now = (
        {row.digest: row for row in first},
        {row.digest: row for row in later if row.digest not in own},
    )
    changed = {d for d in was.keys() | is_now.keys() if was.get(d) != is_now.get(d)}
    oracle = Oracle(is_now.values(), rules, now, frozenset(changed))
    if oracle.ambiguous:
        return
    for _, row in mine:
        if row.digest in changed & is_now.keys():
            yield f"deleted, but it changed while the run was going: {named(row)}"
        elif row.digest in is_now and row.digest not in oracle.may_go:
            yield f"deleted, but by the later list it has to stay: {named(row)}"


def _needed(row: Row, latest: tuple[Row, ...], there: set[int], listed: set[str]) -> Iterator[str]:
    """What was pushed anew after the last look at the lists has another id, and could not be seen."""
    graph = Graph(latest)
    graph.attests |= listed & graph.rows.keys()
    if row.digest not in graph.rows:
        return
    stays = {digest for digest, one in graph.rows.items() if one.id in there}
    whole = graph.kept_whole(stays)
    interchangeable = row.digest in graph.attests and any(
        graph.statement(other) == graph.statement(row.digest) for other in graph.attests & stays
    )
    if row.digest in whole and not interchangeable:
        yield f"deleted, though what stays needs it: {named(row)}"


def truth(happened: Happened) -> Iterator[str]:
    """Outputs, report and summary say what happened, and all of them the same."""
    ran, seen = happened.ran, happened.seen
    if "unexpected" in ran.log or "fault of the action" in ran.log:
        yield f"a fault of the action: {ran.log[-600:]}"
        return
    known = {row.id for rows in (happened.before, *(rows for _, rows in seen.lists)) for row in rows}
    known -= {row.id for _, rows in seen.lists for row in rows if row.digest in _own(seen.pushed)}
    gone = known - {row.id for row in happened.after} - seen.by_others
    said = set(ran.ids("deleted-version-ids"))
    asked = {number for _, number in seen.deletions}
    if len(said) != ran.number("deleted-count"):
        yield f"deleted-count {ran.number('deleted-count')} beside {len(said)} ids"
    if not happened.whole:
        # What somebody else deleted after an answer was lost looks like a deletion that was done.
        if said - gone - seen.by_others:
            yield f"said to be deleted, and there: {sorted(said - gone)}"
        doubted = _doubted(happened.report)
        if (gone & asked) - said - doubted:
            yield f"deleted, and neither said nor doubted: {sorted((gone & asked) - said - doubted)}"
    yield from _report(happened, said)
    yield from _counts(happened, said)
    yield from _summary(happened, said)


def _outcomes(report: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    steps = {line["step"]: line for line in report if line["kind"] == "step"}
    ends = {line["step"]: line for line in report if line["kind"] == "outcome"}
    for number, step in steps.items():
        yield step, ends.get(number, {})


def _doubted(report: list[dict[str, Any]]) -> set[int]:
    """What was begun, and of which no outcome is known, or one that says so."""
    begun = {line["step"] for line in report if line["kind"] == "starting"}
    found = set()
    for step, end in _outcomes(report):
        version = step.get("version")
        doubted = end.get("in_doubt") or (step["step"] in begun and not end)
        if isinstance(version, dict) and doubted:
            found.add(int(version["id"]))
    return found


def _report(happened: Happened, said: set[int]) -> Iterator[str]:
    report = happened.report
    if not report:
        return
    if report[0]["kind"] != "run" or report[-1]["kind"] != "end":
        yield f"a report from {report[0]['kind']} to {report[-1]['kind']}"
        return
    done = set()
    for step, end in _outcomes(report):
        if step["change"] == "delete-version" and end.get("result") == "done":
            done.add(int(step["version"]["id"]))
    if not happened.whole and done != said:
        yield f"the report has {sorted(done)} as deleted, the outputs {sorted(said)}"
    end = report[-1]
    if end["exit_status"] != happened.ran.status:
        yield f"the report says exit {end['exit_status']}, it was {happened.ran.status}"
    spent = end.get("spending", {}).get("api_requests")
    if spent is not None and spent != happened.requests:
        yield f"the report counts {spent} requests to the API, {happened.requests} arrived"


def _counts(happened: Happened, said: set[int]) -> Iterator[str]:
    ran = happened.ran
    (package,) = json.loads(ran.outputs["packages"]) or [None]
    if package is None:
        return
    for name in ("selected", "deleted", "restored", "untagged", "failed", "kept"):
        if package[f"{name}-count"] != ran.number(f"{name}-count"):
            yield f"{name}-count is {ran.number(f'{name}-count')}, the package's {package[f'{name}-count']}"
    if ran.number("failed-count") and ran.status == 0:
        yield "something failed, and the exit status is 0"
    selected = set(ran.ids("selected-version-ids"))
    if said - selected:
        yield f"deleted, but not selected: {sorted(said - selected)}"
    if happened.seen.moved or happened.seen.by_others or happened.whole or ran.status:
        return
    after = {row.digest: row for row in happened.after}
    untagged = [row for row in happened.before if row.digest in after and row.tags != after[row.digest].tags]
    kept = len(happened.before) - len(said) - len(untagged)
    if ran.outputs["dry-run"] == "false" and ran.number("kept-count") != kept:
        yield f"kept-count {ran.number('kept-count')}, of {len(happened.before)} versions {kept} were not changed"


def _summary(happened: Happened, said: set[int]) -> Iterator[str]:
    summary, ran = happened.ran.summary, happened.ran
    first = summary.splitlines()[0] if summary else ""
    if not first:
        yield "no summary"
    # Images come first, and then their versions: `Deleted 2 of 13 images (11 versions)`.
    numbers = [int(one) for one in re.findall(r"\d+", first.split(" in octo/app")[0])]
    if first.startswith("## Deleted ") and " of " in first and numbers[0] > len(said):
        yield f"the summary's title is {first!r}, {len(said)} were deleted"
    if said and len(said) not in numbers and not happened.whole:
        yield f"the summary's title is {first!r}, {len(said)} were deleted"
    undo = "How to undo" in summary
    if undo and not (said or ran.number("untagged-count") or happened.whole):
        yield "the summary says how to undo a run that changed nothing"
    if match := re.search(r"([\d,]+) requests? to GitHub's API", summary):
        told = int(match[1].replace(",", ""))
        if told != happened.requests:
            yield f"the summary counts {told} requests to the API, {happened.requests} arrived"


def _own(bodies: Iterable[bytes]) -> set[str]:
    return {f"sha256:{hashlib.sha256(one).hexdigest()}" for one in bodies}


def _digests(rows: Iterable[Row], ids: set[int]) -> set[str]:
    return {row.digest for row in rows if row.id in ids}


def named(row: Row) -> str:
    return f"{row.id} {row.digest[7:19]} {' '.join(sorted(row.tags)) or '(untagged)'}"
