"""What does not go together: inputs that an operation does not take, a policy file beside a filter, no filter at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from package_retention.inputs.environment import IGNORE
from package_retention.inputs.table import INPUTS
from package_retention.model import Operation

if TYPE_CHECKING:
    from package_retention.inputs.environment import InputReader

_FILTERS = tuple(each.name for each in INPUTS if each.is_filter)
_BESIDE = "`exclude-versions`, `keep-referenced-in`, `companion-tags` and `limit`"


def check(reader: InputReader, operation: Operation) -> None:
    """Tell every contradiction."""
    for each in INPUTS:
        if each.name in reader.given and operation not in each.operations:
            reader.raw.tell_all(
                f"`{reader.called(each.name)}` and `operation: {operation}`: {operation} does not take it"
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
    for each in INPUTS:
        if each.name in reader.given and not each.beside_policy:
            reader.raw.tell_all(
                f"`{reader.called(each.name)}` and `policy-file`: the file's rules say which versions;"
                f" beside it only {_BESIDE} are taken"
            )


def check_named(reader: InputReader) -> None:
    """Report a package type or name that is missing, where no policy file could name it."""
    for name in ("package-type", "package-name"):
        if name not in reader.given:
            reader.report(name, "is missing; only a policy file could name it instead")
