"""Turn the environment into the settings of a run, or into one error that holds every problem of every input."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from package_retention.decide.pattern import Pattern, PatternBudget
from package_retention.decide.patterns import Patterns
from package_retention.decide.rules import PackageRules, Share
from package_retention.errors import InputError
from package_retention.inputs import conflicts, environment, values
from package_retention.inputs.environment import IGNORE, InputReader, on_runner
from package_retention.inputs.files import Places
from package_retention.inputs.reference_files import find_references
from package_retention.inputs.references import FoundReferences
from package_retention.inputs.rows import Place
from package_retention.inputs.table import BY_NAME, INPUTS
from package_retention.inputs.values import Context
from package_retention.model import Operation
from package_retention.problems import InvalidValueError, Problem, ProblemCode as Code
from package_retention.reason import Finding, FindingCode


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a run needs to know; the token is left out of the `repr`.

    `repository` is `None` for `any`. `time_limit` is in seconds, `None` for no limit; `points_per_minute` is `None` for
    no pacing. `references` are what the files of each list of globs refer to: of `keep_referenced_in`, and of the keep
    rules' `referenced_in`. `given` are the inputs that are not at their default, as given and without the token, for
    the report. `findings` are warnings about the inputs. `by_hand`: no runner called it, so advice names no workflow.
    """

    operation: Operation
    owner: str
    rules: tuple[PackageRules, ...]
    token: str = field(repr=False)
    repository: str | None = None
    api_url: str = "https://api.github.com"
    server_url: str = "https://github.com"
    registry_url: str = "https://ghcr.io"
    dry_run: bool = False
    fail_if_more_than: Share | None = None
    delete_package_when_empty: bool = False
    ignore_missing: bool = False
    untag: bool = False
    time_limit: float | None = 3600.0
    points_per_minute: int | None = 800
    report_file: Path | None = None
    manifest_cache: Path | None = None
    from_report: Path | None = None
    keep_referenced_in: tuple[str, ...] = ()
    references: Mapping[tuple[str, ...], FoundReferences] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    given: Mapping[str, str] = field(default_factory=dict)
    by_hand: bool = False

    @property
    def on_github_com(self) -> bool:
        """Whether this is github.com or GHE.com, not a GitHub Enterprise Server (facts I)."""
        host = self.server_url.split("://", 1)[-1].split("/", 1)[0].lower()
        return host == "github.com" or host.endswith(".ghe.com")

    @property
    def reads_only(self) -> bool:
        """Whether this run changes nothing, even if it finds something to change."""
        return self.dry_run or self.operation is Operation.LIST


POINTS_OF_GITHUB = 900
PATTERN_SECONDS = 10.0


def read_settings(environ: Mapping[str, str], cwd: Path | None = None) -> Settings:
    """Read all inputs; raise `InputError` with all problems at once, none of which shows the token.

    `cwd` is where relative paths start without a `GITHUB_WORKSPACE`. Of the file system, only what the inputs of files
    name is looked at.
    """
    reader = environment.read(environ)
    server_url = _url(reader, environ, "GITHUB_SERVER_URL", "https://github.com")
    operation: Operation | None = reader.value("operation")
    places = Places.of(environ, cwd or Path.cwd())
    reader.context = Context(reader.given_value("package-type"), places, server_url)
    rules = _rules(reader, operation)
    read = _settings(reader, environ, operation, rules)
    if operation:
        conflicts.check(reader, operation)
    if reader.problems:
        raise InputError(*reader.problems)
    return read


def _bounded(value: Any, budget: PatternBudget) -> Any:
    """Return rules whose patterns all draw on one budget of time."""
    if isinstance(value, Pattern):
        return dataclasses.replace(value, budget=budget)
    if isinstance(value, tuple):
        return tuple(_bounded(each, budget) for each in value)
    if isinstance(value, Struct):
        return replace(
            value, **{name: _bounded(getattr(value, name), budget) for name in value.__struct_fields__}
        )
    return value


def _rules(reader: InputReader, operation: Operation | None) -> tuple[PackageRules, ...]:
    """Build the rules; what does not fit is reported to the reader."""
    rule = conflicts.rule_of("the inputs", reader.given, reader.context, reader.report)
    names = reader.given_value("package-name")
    shared: dict[str, Any] = {
        "exclude": rule.exclude or reader.given_value(IGNORE),
        "limit": reader.given_value("limit"),
    }
    companions = reader.given_value("companion-tags")
    if "policy-file" in reader.given:
        found = () if operation is Operation.RESTORE else _policy(reader)
        return tuple(replace(each, companions=_of_both(each, companions), **shared) for each in found)
    conflicts.check_named(reader)
    if conflicts.stands_alone(reader, operation):
        shared["limit"] = 1
    kind = reader.context.package_type
    if kind is None or names is None:
        return ()
    return (
        PackageRules(kind, names, delete=(replace(rule, exclude=None),), companions=companions, **shared),
    )


def _of_both(rules: PackageRules, companions: Patterns | None) -> Patterns | None:
    """Return the companion tags of a policy's entry and of the step together."""
    if companions is None or rules.companions is None:
        return companions or rules.companions
    return Patterns((*rules.companions.entries, *companions.entries))


def _policy(reader: InputReader) -> tuple[PackageRules, ...]:
    from package_retention.inputs import policy  # noqa: PLC0415 - few runs have one

    path = reader.given_value("policy-file")
    if path is None:
        return ()
    try:
        found = policy.load(path, reader.context, reader.given.get("package-name", ""))
    except InputError as error:
        for problem in error.problems:
            reader.note(problem)
        return ()
    for name in ("untag", "companion-tags"):
        types = BY_NAME[name].types
        if name in reader.given and all(rules.type not in types for rules in found):
            reader.report(Problem.about(name, Code.NOT_IN_POLICY, types=types))
    return found


def _settings(
    reader: InputReader,
    environ: Mapping[str, str],
    operation: Operation | None,
    rules: tuple[PackageRules, ...],
) -> Settings:
    """Return the settings with these rules; they count only if no problem was reported."""
    found: dict[str, Any] = {"operation": operation}
    for each in INPUTS:
        is_default = each.default == "none" and each.name not in reader.given
        if each.place is Place.SETTINGS and each.attribute not in found and not is_default:
            found[each.attribute] = reader.value(each.name)
    if found.get("repository") == "" and any(rule.names.any_wildcards for rule in rules):
        reader.report(Problem.about("repository", Code.REPOSITORY_NOT_KNOWN))
    api_url = _url(reader, environ, "GITHUB_API_URL", "https://api.github.com")
    conflicts.check_files(reader)
    globs = found.get("keep_referenced_in") or ()
    rules = tuple(replace(each, referenced_in=globs) for each in rules)
    budget = PatternBudget(time.thread_time, min(PATTERN_SECONDS, found["time_limit"] or PATTERN_SECONDS))
    return Settings(
        rules=_bounded(rules, budget),
        api_url=api_url,
        server_url=reader.context.server_url,
        references=_references(reader, globs, rules),
        findings=_findings(found.get("points_per_minute"), reader.context.server_url),
        given={name: reader.without_token(value) for name, value in reader.written.items()},
        by_hand=not on_runner(environ),
        **found,
    )


def _findings(points: int | None, server_url: str) -> tuple[Finding, ...]:
    if points and points > POINTS_OF_GITHUB and server_url == "https://github.com":
        return (Finding(FindingCode.POINTS_OVER_LIMIT, number=points, names=(str(POINTS_OF_GITHUB),)),)
    return ()


def _references(
    reader: InputReader, globs: tuple[str, ...], rules: tuple[PackageRules, ...]
) -> Mapping[tuple[str, ...], FoundReferences]:
    """Read the files that `keep-referenced-in` and the keep rules name, each list of globs once."""
    named = {globs: "keep-referenced-in"}
    for rule in (rule for each in rules for rule in each.keep):
        named.setdefault(rule.filter.referenced_in, "referenced-in")
    workspace = reader.context.places.workspace
    found = {each: find_references(workspace, each) for each in named if each}
    for each, references in found.items():
        for problem in references.problems:
            reader.report(problem.of(named[each]))
    return found


def _url(reader: InputReader, environ: Mapping[str, str], name: str, default: str) -> str:
    """Return a URL of the server that a variable names; report one that is not."""
    try:
        return values.github_url(environ.get(name, "").strip() or default)
    except InvalidValueError as error:
        for problem in error.problems:
            reader.report(problem.of(name))
        return default
