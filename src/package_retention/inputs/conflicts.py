"""What does not go together: inputs that an operation does not take, a policy file beside a filter, no filter at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from package_retention.decide.rules import TagStatus
from package_retention.inputs.environment import IGNORE
from package_retention.inputs.table import INPUTS
from package_retention.model import Operation, PackageType
from package_retention.problems import Problem
from package_retention.problems import ProblemCode as Code

if TYPE_CHECKING:
    from pathlib import Path

    from package_retention.inputs.environment import InputReader
    from package_retention.problems import Detail

_FILTERS = tuple(each.name for each in INPUTS if each.is_filter)
_BESIDE = ("exclude-versions", "keep-referenced-in", "companion-tags", "limit")
# What was written says nothing about which versions; the filter that fits it.
_FITTING = {
    "untag": "versions: pr-*",
    "companion-tags": "versions: pr-*",
    "exclude-versions": "older-than: 30d",
    "keep-referenced-in": "older-than: 30d",
    "delete-package": "older-than: 30d",
}
_WRITTEN = {"report-file", "manifest-cache"}


def check(reader: InputReader, operation: Operation) -> None:
    """Report every contradiction."""
    for each in INPUTS:
        if each.name in reader.given and operation not in each.operations:
            details = {
                "first": reader.called(each.name),
                "second": f"operation: {operation}",
                "operation": operation.value,
            }
            reader.report(Problem(Code.NOT_TAKEN, input=each.name, details=details))
    if "policy-file" in reader.given and operation is not Operation.RESTORE:
        _check_policy(reader)
    if (
        reader.given.get("tag-status") == TagStatus.UNTAGGED
        and reader.given.get("untag", "").lower() == "true"
    ):
        details = {"first": "untag: true", "second": "tag-status: untagged", "cause": "no-tag-to-remove"}
        reader.report(Problem(Code.NEVER_TOGETHER, input="untag", details=details))
    # Beside an unknown input nobody knows what was meant: it may be the filter.
    if operation is not Operation.LIST and not (
        has_filter(reader, operation)
        or stands_alone(reader, operation)
        or any(problem.code is Code.UNKNOWN_INPUT for problem in reader.raw.problems)
    ):
        reader.raw.report(_no_filter(reader, operation))


def _no_filter(reader: InputReader, operation: Operation) -> Problem:
    """Return the problem that everything would go (or come back), with the filter that fits what was written."""
    if operation is Operation.RESTORE:
        details: dict[str, Detail] = {
            "versions": "deleted version",
            "go": "come back",
            "said": "deleted-within: 3d",
        }
        return Problem(Code.NO_FILTER, details=details)
    details = {"versions": "version", "go": "go", "said": "num-old-versions-to-delete: 1"}
    if "from-report" in reader.given:
        details["from_report"] = 1
    elif written := [name for name in _FITTING if name in reader.given]:
        details |= {"given": written[0], "said": _FITTING[written[0]]}
    return Problem(Code.NO_FILTER, details=details)


def has_filter(reader: InputReader, operation: Operation) -> bool:
    """Whether any input says which versions; one that was refused was meant to."""
    names = (*_FILTERS, "from-report") if operation is Operation.RESTORE else _FILTERS
    return any(name in reader.given or reader.raw.reported(reader.called(name)) for name in names)


def stands_alone(reader: InputReader, operation: Operation) -> bool:
    """Whether `ignore-versions` is all that says which versions: that action then deletes one, its default."""
    return operation is Operation.DELETE and IGNORE in reader.given and not has_filter(reader, operation)


def _check_policy(reader: InputReader) -> None:
    for each in INPUTS:
        if each.name in reader.given and not each.beside_policy:
            details: dict[str, Detail] = {"first": reader.called(each.name), "beside": _BESIDE}
            reader.report(Problem(Code.BESIDE_POLICY, input=each.name, details=details))


def check_named(reader: InputReader, repository: str) -> None:
    """Report a package type or name that is missing, if no policy file could name it.

    A package mostly has the name of its repository, which is `repository` (`owner/name`, or empty).
    """
    if "package-type" not in reader.given:
        others = tuple(each.value for each in PackageType if each is not PackageType.CONTAINER)
        reader.report(Problem(Code.MISSING_TYPE, input="package-type", details={"others": others}))
    if "package-name" not in reader.given:
        name = repository.rpartition("/")[2] or "NAME"
        tagged = reader.context.package_type is None or reader.context.package_type.has_tags
        line = f"package-name: {name.lower() if tagged else name}"
        reader.report(Problem(Code.MISSING_NAME, input="package-name", details={"line": line}))


def check_files(reader: InputReader) -> None:
    """Report two inputs that name one file: one would overwrite what the other reads or writes."""
    named = list(reader.files.items())
    for place, (first, path) in enumerate(named):
        for second, other in named[place + 1 :]:
            # Two that are only read may be the same.
            if {first, second} & _WRITTEN and _same(path, other):
                details = {"first": first, "second": second}
                reader.report(Problem(Code.SAME_FILE, str(path), first, details=details))


def _same(one: Path, other: Path) -> bool:
    """Whether two paths lead to one file, by whatever names."""
    try:
        return one.samefile(other)
    except OSError:  # one of them is not there
        return one == other
