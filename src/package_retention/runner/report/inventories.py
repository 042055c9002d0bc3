"""The lines of a report that tell an inventory, as values ready for JSON. See docs/report.schema.json."""

from __future__ import annotations

from typing import TYPE_CHECKING

from package_retention.runner.report.lines import moment, version

if TYPE_CHECKING:
    from collections.abc import Iterator

    from package_retention.inventory import DeletedVersion, Due, Entry, Inventory
    from package_retention.model import Reason
    from package_retention.runner.report.lines import Line


def lines(number: int, inventory: Inventory) -> Iterator[Line]:
    """Tell a package's inventory: itself, then a line for each image or version, then those that are deleted."""
    yield {
        "kind": "inventory",
        "package": number,
        "at": moment(inventory.at),
        "entries": len(inventory.entries),
        "versions": inventory.versions,
        "judged": inventory.judged,
        "deleted_known": inventory.deleted is not None,
        **({} if inventory.size is None else {"size_bytes": inventory.size}),
        **({} if inventory.conflicts is None else {"conflicts": list(inventory.conflicts)}),
    }
    for entry in inventory.entries:
        yield _entry(number, entry)
    for deleted in inventory.deleted or ():
        yield _deleted(number, deleted)


def _entry(number: int, entry: Entry) -> Line:
    told = {
        "members": list(entry.members),
        "platforms": list(entry.platforms),
        "attestations": entry.attestations,
        "damage": entry.damage,
        "referrers": [{"id": one.id, "name": one.name, "kind": one.kind} for one in entry.referrers],
        "named_by": list(entry.named_by),
    }
    return {
        "kind": "entry",
        "package": number,
        "version": version(entry.version),
        "selected": entry.selected,
        **({"due": _due(entry.due)} if entry.due else {}),
        **({"stays": _reason(entry.stays)} if entry.stays else {}),
        **({} if entry.size is None else {"size_bytes": entry.size}),
        **{name: value for name, value in told.items() if value},
    }


def _due(due: Due) -> Line:
    return {"not_before": moment(due.not_before), "by": moment(due.by), "reason": _reason(due.reason)}


def _reason(reason: Reason) -> Line:
    return {"code": reason.code.value, "text": reason.text}


def _deleted(number: int, deleted: DeletedVersion) -> Line:
    until = {"restorable_until": moment(deleted.until)} if deleted.until else {}
    return {"kind": "deleted", "package": number, "version": version(deleted.version), **until}
