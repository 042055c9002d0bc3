"""What does not go together: inputs that an operation does not take, a policy file beside a filter, no filter at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from package_retention.inputs.environment import IGNORE
from package_retention.model import Operation

if TYPE_CHECKING:
    from package_retention.inputs.environment import InputReader

_NOT_TAKEN = {
    Operation.DELETE: ("deleted-within",),
    Operation.LIST: ("deleted-within", "from-report"),
    Operation.RESTORE: (
        "min-versions-to-keep",
        "keep-per",
        "order-by",
        "older-than",
        "fail-if-more-than",
        "delete-package",
        "untag",
        "remove-damaged",
        "policy-file",
    ),
}
_IN_THE_FILE = (
    "versions",
    "package-version-ids",
    "version-range",
    "release-status",
    "tag-status",
    "older-than",
    "deleted-within",
    "min-versions-to-keep",
    "keep-per",
    "order-by",
    "remove-damaged",
)
_HOW_MANY = ("keep-per", "order-by")
_FILTERS = tuple(name for name in (*_IN_THE_FILE, "limit", "policy-file") if name not in _HOW_MANY)


def check(reader: InputReader, operation: Operation) -> None:
    """Tell every contradiction."""
    for name in _NOT_TAKEN[operation]:
        if name in reader.given:
            reader.raw.tell_all(
                f"`{reader.called(name)}` and `operation: {operation}`: {operation} does not take it"
            )
    if "policy-file" in reader.given and operation is not Operation.RESTORE:
        _check_policy(reader)
    changes = operation is not Operation.LIST
    if changes and not has_filter(reader, operation) and not stands_alone(reader, operation):
        verb = "delete every version" if operation is Operation.DELETE else "restore every deleted version"
        reader.raw.tell_all(
            f"no input says which versions (would {verb}; say `versions: '*'` where that is meant)"
        )


def has_filter(reader: InputReader, operation: Operation) -> bool:
    """Whether any input says which versions; one that was told not to fit was meant to."""
    names = (*_FILTERS, "from-report") if operation is Operation.RESTORE else _FILTERS
    return any(name in reader.given or reader.raw.reported(reader.called(name)) for name in names)


def stands_alone(reader: InputReader, operation: Operation) -> bool:
    """Whether `ignore-versions` is all that says which versions: that action then deletes one, its default."""
    return operation is Operation.DELETE and IGNORE in reader.given and not has_filter(reader, operation)


def _check_policy(reader: InputReader) -> None:
    for name in _IN_THE_FILE:
        if name in reader.given:
            reader.raw.tell_all(
                f"`{reader.called(name)}` and `policy-file`: the file's rules say which versions;"
                " beside it only `exclude-versions` and `limit` are taken"
            )
