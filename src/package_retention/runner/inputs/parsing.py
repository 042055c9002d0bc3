"""From the environment to the settings of a run, or to one error that tells every problem of every input."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from package_retention.decide import values
from package_retention.errors import InputError
from package_retention.model import Operation
from package_retention.runner.inputs import conflicts as inputs_conflicts
from package_retention.runner.inputs import official as inputs_official
from package_retention.runner.inputs import places as inputs_places
from package_retention.runner.inputs import raw as inputs_raw
from package_retention.runner.inputs import rules as inputs_rules
from package_retention.runner.inputs import values as read
from package_retention.runner.inputs.reader import Reader
from package_retention.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from package_retention.decide.rules import PackageRules
    from package_retention.runner.inputs.rules import PolicyLoader


def parse(environ: Mapping[str, str], load_policy: PolicyLoader, cwd: Path | None = None) -> Settings:
    """Read all inputs; raises `InputError` with all problems at once, and no problem shows the token.

    `cwd` is where relative paths start without a `GITHUB_WORKSPACE`. Of the file system, only what `policy-file`,
    `report-file` and `from-report` name is looked at; `load_policy` alone reads a file.
    """
    raw = inputs_raw.read(environ)
    reader = Reader(raw, inputs_official.translate(raw), inputs_places.roots(environ, cwd or Path.cwd()))
    operation = reader.value("operation", lambda value: values.choice(value, Operation))
    rules = inputs_rules.build(reader, operation, load_policy)
    settings = _settings(reader, environ, operation or Operation.LIST, rules)
    if operation:
        inputs_conflicts.check(reader, operation)
    if raw.problems:
        raise InputError(tuple(raw.problems))
    return settings


def _settings(
    reader: Reader, environ: Mapping[str, str], operation: Operation, rules: tuple[PackageRules, ...]
) -> Settings:
    server_url = environ.get("GITHUB_SERVER_URL", "").strip().rstrip("/") or "https://github.com"
    points = reader.value("points-per-minute", read.points)
    delete_package = reader.given_value(
        "delete-package", lambda value: values.choice(value, read.DeletePackage)
    )
    if_missing = reader.given_value("if-missing", lambda value: values.choice(value, read.IfMissing))
    return Settings(
        operation,
        reader.value("owner", read.owner) or "",
        rules,
        reader.value("token", read.token) or "",
        repository=_repository(reader, rules),
        api_url=environ.get("GITHUB_API_URL", "").strip().rstrip("/") or "https://api.github.com",
        server_url=server_url,
        registry_url=reader.value(
            "registry-url", lambda value: read.registry_url(values.one(value), server_url)
        )
        or "",
        dry_run=reader.value("dry-run", values.truth) or False,
        fail_if_more_than=reader.given_value("fail-if-more-than", values.share),
        delete_package_when_empty=delete_package is read.DeletePackage.WHEN_EMPTY,
        ignore_missing=if_missing is read.IfMissing.IGNORE,
        untag=reader.value("untag", values.truth) or False,
        time_limit=reader.value("time-limit", read.time_limit),
        points_per_minute=points,
        report_file=reader.file("report-file"),
        from_report=reader.file("from-report"),
        warnings=_warnings(points, server_url),
        given=reader.raw.without_token(),
    )


def _repository(reader: Reader, rules: tuple[PackageRules, ...]) -> str | None:
    found = reader.value("repository", read.repository)
    if found == "" and any(rule.names.any_wildcards for rule in rules):
        reader.tell(
            "repository",
            "is not known here, and a wildcard in `package-name` reaches only packages linked to it;"
            " say `owner/name`, or `any` for all packages of the owner",
        )
    return found


def _warnings(points: int | None, server_url: str) -> tuple[str, ...]:
    if points and points > read.POINTS_OF_GITHUB and server_url == "https://github.com":
        return (
            f"points-per-minute: {points} is more than GitHub allows ({read.POINTS_OF_GITHUB}): expect refusals",
        )
    return ()
