"""A list in the summary: what a package holds, what of it is deleted, and when each version will go."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from package_retention.escaping import counted
from package_retention.output.counts import RunCounts
from package_retention.output.sentences import shared_words
from package_retention.output.summary.blocks import (
    About,
    Block,
    Column,
    Details,
    Paragraph,
    Section,
    Strong,
    Table,
    more_packages,
    package_cell,
    package_heading,
    some_names,
)
from package_retention.output.summary.tables import MOST_ROWS, OPEN_ROWS, Names, age_of, newest_first
from package_retention.output.summary.words import age, roughly, sentence, size_words
from package_retention.results import Due, Entry, Inventory, RunResult

MOST_NAMES = 20

_PERIODS = (
    ("within a week", timedelta(days=7)),
    ("within a month", timedelta(days=30)),
    ("within 3 months", timedelta(days=91)),
    ("within a year", timedelta(days=365)),
)


def inventory_section(inventory: Inventory, about: About) -> Section:
    """Return the blocks about one package."""
    return (
        package_heading(inventory.package),
        Paragraph((_facts(inventory),)),
        *_conflict(inventory),
        *_due_when(inventory),
        *_entries(inventory, about),
        *_deleted(inventory, about),
    )


def overview(counts: RunCounts) -> Section:
    """Return one line for each of several packages."""
    found = [(one, len(count.selected)) for one, count in counts.packages]
    shown = [(one.plan.package, one.inventory, goes) for one, goes in found[:MOST_ROWS]]
    judged = any(one.inventory and one.inventory.judged for one, _ in found)
    columns: list[Column] = [
        ("Package", [package_cell(package) for package, _, _ in shown]),
        ("Versions", [f"{one.versions:,}" if one else "not listed" for _, one, _ in shown]),
        ("Size", [size_words(one.size_bytes) if one else "" for _, one, _ in shown]),
        ("Deleted", [_deleted_count(one) for _, one, _ in shown]),
        ("Would go now", [f"{goes:,}" if one and judged else "" for _, one, goes in shown]),
    ]
    return (Table.of(columns, numeric=True), *more_packages(len(found) - MOST_ROWS))


def _deleted_count(inventory: Inventory | None) -> str:
    if inventory is None:
        return ""
    return "unknown" if inventory.deleted is None else f"{len(inventory.deleted):,}"


def conflicts(run: RunResult) -> Section:
    """Return the owner's docker packages that stand in the way of their own migration; nothing if there are none."""
    found = (one.inventory.conflicts for one in run.packages if one.inventory and one.inventory.conflicts)
    names = next(found, ())
    if not names:
        return ()
    what = counted(len(names), "docker package") + " in conflict with a container package of the same name: "
    return (Paragraph((Strong(what), *some_names(names, MOST_NAMES))),)


def due_words(entry: Entry, inventory: Inventory, *, with_rule: bool = True) -> str:
    """Say when a version goes, and by which rule unless that is said elsewhere; or why it stays for good."""
    if entry.selected:
        when, reason = "now", entry.reason
    elif entry.due is None:
        return f"never under these rules: {shared_words(entry.stays or entry.reason)}"
    elif entry.due.by <= inventory.at:
        return f"now, {shared_words(entry.reason)}"
    else:
        when, reason = _date(entry.due, inventory.at), entry.due.reason
    return f"{when}: {shared_words(reason)}" if with_rule else when


def _common_rule(inventory: Inventory) -> str:
    """Return the words of the one rule by which everything goes; empty if there are several."""
    rules = {shared_words(entry.reason) for entry in inventory.entries if entry.selected}
    rules |= {shared_words(entry.due.reason) for entry in inventory.entries if entry.due}
    return rules.pop() if len(rules) == 1 else ""


def _date(due: Due, now: datetime) -> str:
    first, last = due.not_before.date().isoformat(), due.by.date().isoformat()
    if first == last:
        return f"{last}, in {roughly(due.by - now)}"
    return f"{first} to {last}, in at most {roughly(due.by - now)}"


def _facts(inventory: Inventory) -> str:
    package, images = inventory.package, any(entry.is_image for entry in inventory.entries)
    versions = counted(inventory.versions, "version")
    damaged = sum(1 for entry in inventory.entries if entry.damage)
    return sentence(
        f"{counted(len(inventory.entries), 'image')} in {versions}" if images else versions,
        size_words(inventory.size_bytes if images else None),
        package.visibility,
        f"linked to {package.repository or 'no repository'}",
        f"{damaged:,} damaged" if damaged else "",
    )


def _conflict(inventory: Inventory) -> list[Block]:
    if not inventory.in_conflict:
        return []
    conflict = Strong("In conflict: a container package of the same name is there already.")
    return [Paragraph((conflict, " GitHub cannot migrate this package until one of the two is gone."))]


def _due_when(inventory: Inventory) -> list[Block]:
    """Count what goes when, by the latest moment of each."""
    if not inventory.judged or not inventory.entries:
        return []
    counts = dict.fromkeys(("now", *(name for name, _ in _PERIODS), "later", "never"), 0)
    for entry in inventory.entries:
        counts[_period(entry, inventory.at)] += 1
    columns: list[Column] = [("Falls due", ["images" if inventory.entries[0].is_image else "versions"])]
    columns += [(name, [f"{count:,}"]) for name, count in counts.items() if count]
    table = Table.of(columns, numeric=True)
    rule = _common_rule(inventory)
    return [Paragraph((Strong("Rule:"), f" {rule}")), table] if rule else [table]


def _period(entry: Entry, now: datetime) -> str:
    if entry.selected:
        return "now"
    if entry.due is None:
        return "never"
    wait = entry.due.by - now
    if wait <= timedelta():
        return "now"
    return next((name for name, most in _PERIODS if wait <= most), "later")


def _entries(inventory: Inventory, about: About) -> list[Block]:
    if not inventory.entries:
        return []
    entries = sorted(inventory.entries, key=lambda entry: newest_first(entry.version))
    shown = entries[:MOST_ROWS]
    noun = "image" if any(entry.is_image for entry in entries) else "version"
    columns: list[Column] = [
        (noun.capitalize(), [Names().line(entry.version) for entry in shown]),
        ("Age", [age_of(entry.version, inventory.at) for entry in shown]),
        *(_image_columns(shown) if noun == "image" else []),
    ]
    if inventory.judged:
        with_rule = not _common_rule(inventory)
        columns.append(("Falls due", [due_words(entry, inventory, with_rule=with_rule) for entry in shown]))
    table = Table.of(columns)
    if len(entries) <= OPEN_ROWS:
        return [table]
    what = f"{counted(len(entries), noun)}, newest first"
    return [Details((what,), (table, *about.left_out(len(entries) - MOST_ROWS)))]


def _image_columns(shown: Sequence[Entry]) -> list[Column]:
    return [
        ("Platforms", [", ".join(entry.platforms) for entry in shown]),
        ("Size", [size_words(entry.size_bytes) or "unknown" for entry in shown]),
        ("Holds", [_members(entry) for entry in shown]),
        ("Damage", [entry.damage or "" for entry in shown]),
    ]


def _members(entry: Entry) -> str:
    """Say what belongs to an image: `5 manifests, 2 attestations, cosign signature`."""
    words = [counted(len(entry.members), "manifest")]
    words += [counted(entry.attestations, "attestation")] if entry.attestations else []
    words += dict.fromkeys(referrer.kind for referrer in entry.referrers)
    words += [f"named by {counted(len(entry.named_by), 'index', 'indexes')}"] if entry.named_by else []
    return ", ".join(words)


def _deleted(inventory: Inventory, about: About) -> list[Block]:
    deleted, now = inventory.deleted, inventory.at
    if deleted is None:
        return [Paragraph(("Whether versions are deleted is not known: GitHub returned no list of them.",))]
    if not deleted:
        return []
    shown = deleted[:MOST_ROWS]
    when = [one.version.deleted_at for one in shown]
    columns: list[Column] = [
        ("Deleted version", [Names().line(one.version) for one in shown]),
        ("Deleted", [f"{age(then, now)} ago" if then else "unknown" for then in when]),
        ("Can be restored until", [_until(one.until, now) for one in shown]),
    ]
    left = about.left_out(len(deleted) - MOST_ROWS)
    return [Details((counted(len(deleted), "deleted version"),), (Table.of(columns), *left))]


def _until(until: datetime | None, now: datetime) -> str:
    if until is None:
        return "unknown"
    if until <= now:
        return "no more: its 30 days are over"
    return f"{until.date().isoformat()} ({roughly(until - now)})"
