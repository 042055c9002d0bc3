"""Results of runs, as many versions of them as a test wants."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from package_retention.model import (
    Damage,
    Decision,
    Operation,
    Outcome,
    Owner,
    OwnerKind,
    Package,
    PackageType,
    Plan,
    Result,
    Step,
    StepKind,
    Version,
)
from package_retention.output.counts import count_run
from package_retention.output.summary import page
from package_retention.output.summary.blocks import About, plain
from package_retention.output.summary.page import MOST_BYTES
from package_retention.reason import Condition, Finding, FindingCode, Reason, ReasonCode
from package_retention.results import (
    DeletedVersion,
    Due,
    Entry,
    Inventory,
    PackageResult,
    Referrer,
    RunResult,
)

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
OCTO = Owner("octo", OwnerKind.ORGANIZATION)
OLD = (("older-than", "30 days"),)
SELECTED = Reason(
    ReasonCode.SELECTED, rule=OLD, facts=(Condition("older-than", "30 days", age=timedelta(days=40)),)
)
NEWEST = Reason(ReasonCode.NEWEST, number=3)
ABOUT = About(NOW, "octo/package-retention@v1")
WITH_REPORT = replace(ABOUT, report_file="out/report.json")


def package(name: str = "app", kind: PackageType = PackageType.CONTAINER, url: str = "") -> Package:
    return Package(OCTO, kind, name, html_url=url)


APP, LIB = package(), package("lib", PackageType.NPM)
URL = "https://github.com/orgs/octo/packages/container/package/app"


def version(number: int, *tags: str, name: str = "", days: float | None = None) -> Version:
    when = NOW - timedelta(days=number if days is None else days)
    return Version(number, name or f"sha256:{number:064x}", when, when, tags=tags)


def delete(one: Version, of: Package) -> Step:
    return Step(StepKind.DELETE_VERSION, of, one)


def plan_of(number: int, of: Package = APP) -> Plan:
    """A plan that deletes so many versions, one by one."""
    return Plan(of, steps=tuple(delete(version(n, f"v{n}"), of) for n in range(1, number + 1)))


def done(step: Step) -> Outcome:
    return Outcome(step, Result.DONE)


def result(
    versions: int,
    *,
    goes: int,
    of: Package | None = None,
    dry_run: bool = False,
    ends: dict[int, Outcome] | None = None,
) -> PackageResult:
    """A package whose oldest `goes` versions are planned, and went unless `ends` says otherwise by id."""
    of = of or package()
    listed = [version(number, f"v{number}") for number in range(1, versions + 1)]
    first = versions - goes
    decisions = [
        Decision(one, one.id > first, SELECTED if one.id > first else NEWEST, root=one.id) for one in listed
    ]
    steps = tuple(delete(one, of) for one in listed[first:])
    outcomes = [Outcome(step, Result.DONE) for step in steps]
    if ends:
        outcomes = [ends.get(one.step.version.id, one) if one.step.version else one for one in outcomes]
    return PackageResult(Plan(of, tuple(decisions), steps), () if dry_run else tuple(outcomes))


def met(words: str, hint: str = "") -> Finding:
    """Return an error that was met, in its own words."""
    return Finding(FindingCode.ERROR, error=words, hint=hint)


def run(
    *packages: PackageResult, operation: Operation = Operation.DELETE, dry_run: bool = False
) -> RunResult:
    return RunResult(operation, dry_run, packages)


def listed(of: Package | None = None) -> PackageResult:
    """A list's result: an image that falls due, one that goes now, one that never does, and a deleted version."""
    of = of or package()
    newest, goes, stays, gone = version(1, "v3"), version(60, "v1"), version(2, "stable"), version(70)
    due = NOW + timedelta(days=29)
    gone = replace(gone, deleted_at=NOW - timedelta(days=4))
    entries = (
        Entry(
            newest,
            NEWEST,
            due=Due(due, due, SELECTED),
            members=(1, 101, 102),
            platforms=("linux/amd64", "linux/arm64"),
            attestations=1,
            size_bytes=3_400_000,
            referrers=(Referrer(102, f"sha256:{102:064x}", "cosign signature"),),
            named_by=(9,),
        ),
        Entry(stays, NEWEST, stays=NEWEST, members=(2,), damage=Damage.PARTIAL),
        Entry(goes, SELECTED, selected=True, members=(60,)),
    )
    plan = Plan(of, tuple(Decision(e.version, e.selected, e.reason, root=e.version.id) for e in entries))
    found = Inventory(
        of,
        NOW,
        entries,
        versions=5,
        judged=True,
        size_bytes=9_100_000,
        deleted=(DeletedVersion(gone, NOW + timedelta(days=26)),),
        conflicts=("legacy", "old"),
    )
    return PackageResult(plan, inventory=found)


def render(one: RunResult, about: About, most: int = MOST_BYTES) -> str:
    """The summary of a run, as Markdown."""
    return page.render(count_run(one), about, most=most)


def render_text(one: RunResult, about: About) -> str:
    """The summary of a run, as plain text."""
    return page.render(count_run(one), about, plain)
