"""From the environment to the settings of a run, or to one error that tells every problem of every input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from package_retention.decide.rules import PackageRules, Rule
from package_retention.errors import InputError
from package_retention.inputs import conflicts, environment, files, filters, settings, values
from package_retention.inputs.environment import InputReader
from package_retention.inputs.settings import Settings
from package_retention.model import Operation, PackageType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from package_retention.decide.patterns import Patterns


PolicyLoader = Callable[[Path, PackageType | None, str], tuple[PackageRules, ...]]
"""Reads a policy file. The type and the text of `package-name` are the step's own (`None` and empty where they are
not given): they narrow what the file names. Raises `InputError` with every problem of the file."""

THE_INPUTS = "the inputs"


def build(
    reader: InputReader, operation: Operation | None, load_policy: PolicyLoader
) -> tuple[PackageRules, ...]:
    """Build the rules; what does not fit is told to the reader."""
    kind = reader.given_value("package-type", values.package_type)
    names = reader.given_value("package-name", lambda value: values.names(value, kind))
    exclude = _exclude(reader, kind)
    limit = reader.given_value("limit", values.count)
    rule = Rule(
        THE_INPUTS,
        filters.filter_of(reader.given, kind, reader.report),
        filters.retention_of(reader.given, reader.report),
    )
    if "policy-file" in reader.given:
        found = () if operation is Operation.RESTORE else _policy(reader, kind, load_policy)
        return tuple(replace(each, exclude=exclude, limit=limit) for each in found)
    for name in ("package-type", "package-name"):
        if name not in reader.given:
            reader.report(name, "is missing; only a policy file could name it instead")
    if operation and conflicts.stands_alone(reader, operation):
        limit = 1
    if kind is None or names is None:
        return ()
    return (PackageRules(kind, names, delete=(rule,), exclude=exclude, limit=limit),)


def _exclude(reader: InputReader, kind: PackageType | None) -> Patterns | None:
    own = reader.given_value("exclude-versions", lambda value: values.patterns(value, kind))
    return own or environment.ignored(reader.raw)


def _policy(
    reader: InputReader, kind: PackageType | None, load_policy: PolicyLoader
) -> tuple[PackageRules, ...]:
    path = reader.file("policy-file")
    if path is None:
        return ()
    try:
        found = load_policy(path, kind, reader.given.get("package-name", ""))
    except InputError as error:
        for problem in error.problems:
            reader.raw.tell_all(problem)
        return ()
    if "untag" in reader.given and all(rules.type is not PackageType.CONTAINER for rules in found):
        reader.report("untag", "is for container packages, and the policy file names none")
    return found


def parse(environ: Mapping[str, str], load_policy: PolicyLoader, cwd: Path | None = None) -> Settings:
    """Read all inputs; raises `InputError` with all problems at once, and no problem shows the token.

    `cwd` is where relative paths start without a `GITHUB_WORKSPACE`. Of the file system, only what `policy-file`,
    `report-file` and `from-report` name is looked at; `load_policy` alone reads a file.
    """
    raw = environment.read(environ)
    reader = InputReader(raw, environment.translate(raw), files.roots(environ, cwd or Path.cwd()))
    operation = reader.value("operation", lambda value: values.choice(value, Operation))
    rules = build(reader, operation, load_policy)
    parsed = _settings(reader, environ, operation or Operation.LIST, rules)
    if operation:
        conflicts.check(reader, operation)
    if raw.problems:
        raise InputError(tuple(raw.problems))
    return parsed


def _settings(
    reader: InputReader, environ: Mapping[str, str], operation: Operation, rules: tuple[PackageRules, ...]
) -> Settings:
    server_url = environ.get("GITHUB_SERVER_URL", "").strip().rstrip("/") or "https://github.com"
    points = reader.value("points-per-minute", settings.points)
    delete_package = reader.given_value(
        "delete-package", lambda value: values.choice(value, settings.DeletePackage)
    )
    if_missing = reader.given_value("if-missing", lambda value: values.choice(value, settings.IfMissing))
    return Settings(
        operation,
        reader.value("owner", settings.owner) or "",
        rules,
        reader.value("token", settings.token) or "",
        repository=_repository(reader, rules),
        api_url=environ.get("GITHUB_API_URL", "").strip().rstrip("/") or "https://api.github.com",
        server_url=server_url,
        registry_url=reader.value(
            "registry-url", lambda value: settings.registry_url(values.one(value), server_url)
        )
        or "",
        dry_run=reader.value("dry-run", values.truth) or False,
        fail_if_more_than=reader.given_value("fail-if-more-than", values.share),
        delete_package_when_empty=delete_package is settings.DeletePackage.WHEN_EMPTY,
        ignore_missing=if_missing is settings.IfMissing.IGNORE,
        untag=reader.value("untag", values.truth) or False,
        time_limit=reader.value("time-limit", settings.time_limit),
        points_per_minute=points,
        report_file=reader.file("report-file"),
        from_report=reader.file("from-report"),
        warnings=_warnings(points, server_url),
        given=reader.raw.without_token(),
    )


def _repository(reader: InputReader, rules: tuple[PackageRules, ...]) -> str | None:
    found = reader.value("repository", settings.repository)
    if found == "" and any(rule.names.any_wildcards for rule in rules):
        reader.report(
            "repository",
            "is not known here, and a wildcard in `package-name` reaches only packages linked to it;"
            " say `owner/name`, or `any` for all packages of the owner",
        )
    return found


def _warnings(points: int | None, server_url: str) -> tuple[str, ...]:
    if points and points > settings.POINTS_OF_GITHUB and server_url == "https://github.com":
        return (
            f"points-per-minute: {points} is more than GitHub allows ({settings.POINTS_OF_GITHUB}): expect refusals",
        )
    return ()
