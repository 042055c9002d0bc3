"""One package's inventory in the summary: what is there, what is deleted, and when what will go."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from package_retention.escaping import counted
from package_retention.output.sentences import shared_words
from package_retention.output.summary.blocks import Code, Details, Heading, Link, Paragraph, Strong, Table
from package_retention.output.summary.images import newest_first
from package_retention.output.summary.tables import MOST_ROWS, OPEN_ROWS, version_line
from package_retention.output.summary.words import age, roughly, size_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from package_retention.output.counts import RunCounts
    from package_retention.output.summary.blocks import Block, Line, Section
    from package_retention.results import DeletedVersion, Due, Entry, Inventory, PackageResult, RunResult

MOST_NAMES = 20

_PERIODS = (
    ("within a week", timedelta(days=7)),
    ("within a month", timedelta(days=30)),
    ("within 3 months", timedelta(days=91)),
    ("within a year", timedelta(days=365)),
)


def inventory_section(inventory: Inventory, more: Callable[[int], str]) -> Section:
    """Give the blocks about one package."""
    package = inventory.package
    return (
        Heading(3, (Link(package.name, package.html_url), f" ({package.type} of {package.owner.login})")),
        Paragraph((_facts(inventory),)),
        *_conflict(inventory),
        *_due_when(inventory),
        *_entries(inventory, more),
        *_deleted(inventory, more),
    )


def overview(run: RunResult, counts: RunCounts) -> Section:
    """Return one line for each of several packages."""
    judged = any(one.inventory and one.inventory.judged for one in run.packages)
    head = ("Package", "Versions", "Size", "Deleted", *(("Would go now",) if judged else ()))
    both = zip(run.packages[:MOST_ROWS], counts.each[:MOST_ROWS], strict=True)
    rows = tuple(_overview_row(result, len(one.selected))[: len(head)] for result, one in both)
    left = len(run.packages) - MOST_ROWS
    rest = (Paragraph((f"And {counted(left, 'more package')}.",)),) if left > 0 else ()
    return (Table(head, rows, frozenset(range(1, len(head)))), *rest)


def _overview_row(result: PackageResult, going: int) -> tuple[Line, ...]:
    package, inventory = result.plan.package, result.inventory
    name: Line = (Link(package.name, package.html_url), f" ({package.type})")
    if inventory is None:
        return (name, ("not listed",), ("",), ("",), ("",))
    deleted = "unknown" if inventory.deleted is None else f"{len(inventory.deleted):,}"
    return (name, (f"{inventory.versions:,}",), (size_words(inventory.size),), (deleted,), (f"{going:,}",))


def conflicts(run: RunResult) -> Section:
    """Give the owner's docker packages that stand in the way of their own migration; nothing where there are none."""
    found = [one.inventory.conflicts for one in run.packages if one.inventory and one.inventory.conflicts]
    if not found:
        return ()
    names = found[0]
    listed = tuple(piece for name in names[:MOST_NAMES] for piece in (Code(name), " "))
    more = f"and {len(names) - MOST_NAMES:,} more" if len(names) > MOST_NAMES else ""
    what = counted(len(names), "docker package") + " in conflict with a container package of the same name: "
    return (Paragraph((Strong(what), *listed, more)),)


def due_words(entry: Entry, inventory: Inventory) -> str:
    """Say when a version goes, and by which rule; or why it stays for good."""
    if entry.selected:
        return f"now: {shared_words(entry.reason)}"
    if entry.due is None:
        return f"never under these rules: {shared_words(entry.stays or entry.reason)}"
    if entry.due.by <= inventory.at:
        return f"now, {shared_words(entry.reason)}"
    return f"{_date(entry.due, inventory.at)}: {shared_words(entry.due.reason)}"


def _date(due: Due, now: datetime) -> str:
    first, last = due.not_before.date().isoformat(), due.by.date().isoformat()
    if first == last:
        return f"{last}, in {roughly(due.by - now)}"
    return f"{first} to {last}, in at most {roughly(due.by - now)}"


def _facts(inventory: Inventory) -> str:
    package, images = inventory.package, any(entry.is_image for entry in inventory.entries)
    versions = counted(inventory.versions, "version")
    words = [f"{counted(len(inventory.entries), 'image')} in {versions}" if images else versions]
    if size := size_words(inventory.size if images else None):
        words.append(size)
    words += [package.visibility] if package.visibility else []
    words += [f"linked to {package.repository}" if package.repository else "linked to no repository"]
    damaged = sum(1 for entry in inventory.entries if entry.damage)
    words += [f"{damaged:,} damaged"] if damaged else []
    return ", ".join(words) + "."


def _conflict(inventory: Inventory) -> list[Block]:
    if not inventory.in_conflict:
        return []
    sentence = "In conflict: a container package of the same name is there already."
    return [
        Paragraph((Strong(sentence), " GitHub cannot migrate this package until one of the two is gone."))
    ]


def _due_when(inventory: Inventory) -> list[Block]:
    """Count what goes when, by the latest moment of each."""
    if not inventory.judged or not inventory.entries:
        return []
    counts = dict.fromkeys(("now", *(name for name, _ in _PERIODS), "later", "never"), 0)
    for entry in inventory.entries:
        counts[_period(entry, inventory.at)] += 1
    counts = {name: count for name, count in counts.items() if count}
    head = ("Falls due", *counts)
    row: tuple[Line, ...] = (
        ("images" if inventory.entries[0].is_image else "versions",),
        *((f"{count:,}",) for count in counts.values()),
    )
    return [Table(head, (row,), frozenset(range(1, len(head))))]


def _period(entry: Entry, now: datetime) -> str:
    if entry.selected:
        return "now"
    if entry.due is None:
        return "never"
    wait = entry.due.by - now
    if wait <= timedelta():
        return "now"
    return next((name for name, most in _PERIODS if wait <= most), "later")


def _entries(inventory: Inventory, more: Callable[[int], str]) -> list[Block]:
    if not inventory.entries:
        return []
    entries = sorted(inventory.entries, key=lambda entry: newest_first(entry.version))
    shown = entries[:MOST_ROWS]
    images = any(entry.is_image for entry in entries)
    columns = [("Image" if images else "Version", [version_line(entry.version) for entry in shown])]
    columns.append(
        ("Age", [(age(e.version.touched_at or e.version.created_at, inventory.at),) for e in shown])
    )
    if images:
        columns += _image_columns(shown)
    if inventory.judged:
        columns.append(("Falls due", [(due_words(entry, inventory),) for entry in shown]))
    rows = tuple(zip(*(cells for _, cells in columns), strict=True))
    table = Table(tuple(name for name, _ in columns), rows)
    if len(entries) <= OPEN_ROWS:
        return [table]
    what = counted(len(entries), "image" if images else "version")
    return [Details((f"{what}, newest first",), (table, *_left(len(entries), more)))]


def _image_columns(shown: Sequence[Entry]) -> list[tuple[str, list[Line]]]:
    columns: list[tuple[str, list[Line]]] = [
        ("Platforms", [(", ".join(entry.platforms),) for entry in shown]),
        ("Size", [(size_words(entry.size) or "unknown",) for entry in shown]),
        ("Holds", [(_members(entry),) for entry in shown]),
    ]
    if any(entry.damage for entry in shown):
        columns.append(("Damage", [(entry.damage,) for entry in shown]))
    return columns


def _members(entry: Entry) -> str:
    """What belongs to an image: `5 manifests, 2 attestations, cosign signature`."""
    words = [counted(len(entry.members), "manifest")]
    words += [counted(entry.attestations, "attestation")] if entry.attestations else []
    words += dict.fromkeys(referrer.kind for referrer in entry.referrers)
    words += [f"named by {counted(len(entry.named_by), 'index', 'indexes')}"] if entry.named_by else []
    return ", ".join(words)


def _deleted(inventory: Inventory, more: Callable[[int], str]) -> list[Block]:
    deleted = inventory.deleted
    if deleted is None:
        return [Paragraph(("Whether versions are deleted is not known: GitHub gave no list of them.",))]
    if not deleted:
        return []
    rows = tuple(_deleted_row(one, inventory.at) for one in deleted[:MOST_ROWS])
    table = Table(("Deleted version", "Deleted", "Can be restored until"), rows)
    return [Details((f"{counted(len(deleted), 'deleted version')}",), (table, *_left(len(deleted), more)))]


def _deleted_row(one: DeletedVersion, now: datetime) -> tuple[Line, ...]:
    if one.until is None:
        until = "unknown"
    elif one.until <= now:
        until = "no more: its 30 days are over"
    else:
        until = f"{one.until.date().isoformat()} ({roughly(one.until - now)})"
    ago = f"{age(one.version.deleted_at, now)} ago" if one.version.deleted_at else "unknown"
    return (version_line(one.version), (ago,), (until,))


def _left(number: int, more: Callable[[int], str]) -> Iterable[Block]:
    return (Paragraph((more(number - MOST_ROWS),)),) if number > MOST_ROWS else ()
