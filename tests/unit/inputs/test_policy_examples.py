"""The cookbook of docs/policies.md: each example over a small package, and what goes."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from package_retention.decide.deletion_plan import deletion_plan
from package_retention.decide.ecosystems import VersionParser
from package_retention.decide.facts import Facts
from package_retention.decide.rules import DecisionContext
from package_retention.decide.source_gone import GitNames
from package_retention.inputs.policy import DELETE_KEYS, KEEP_KEYS, PACKAGE_KEYS, parse
from package_retention.model import (
    Descriptor,
    GitKind,
    Owner,
    OwnerKind,
    Package,
    PackageType,
    Plan,
    RepositoryNames,
    Version,
)
from property.worlds import IMAGE, INDEX, NOW, Built, digest

if TYPE_CHECKING:
    from package_retention.decide.rules import PackageRules

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "policies.md").read_text(encoding="utf-8")
FILES = {path.stem: path.read_text(encoding="utf-8") for path in (DOCS / "policies").glob("*.yml")}
DAY = 24


def rules(name: str, entry: int = 0) -> PackageRules:
    return parse(FILES[name].encode(), f"{name}.yml")[entry]


def images(name: str, built: Built, git: GitNames | None = None) -> list[str]:
    """Tags of the images that go (of an untagged one its number), oldest first, those that go with them left out."""
    facts = replace(built.facts(), git=git)
    plan = deletion_plan(facts, DecisionContext(rules(name), numbers(PackageType.CONTAINER), NOW))
    assert not plan.problems
    return sorted(
        d.version.label if d.version.tags else str(d.version.id)
        for d in plan.decisions
        if d.selected and d.root == d.version.id
    )


def versions(name: str, entry: int, **days: float) -> list[str]:
    """Names of the versions that go from a package whose versions are so many days old."""
    found = rules(name, entry)
    package = Package(Owner("octo-org", OwnerKind.ORGANIZATION), found.type, "lib")
    listed = tuple(
        Version(number, text, at, at)
        for number, (text, age) in enumerate(days.items(), 1)
        for at in (NOW - timedelta(days=age),)
    )
    plan: Plan = deletion_plan(
        Facts(package, listed, listed), DecisionContext(found, numbers(found.type), NOW)
    )
    return sorted(d.version.name for d in plan.decisions if d.selected)


def numbers(package_type: PackageType) -> VersionParser:
    return VersionParser(package_type)


def package(*tagged: tuple[int, str]) -> Built:
    """A container package of plain images, each so many days old, with tags between blanks."""
    built = Built()
    for days, tags in tagged:
        built.add(hours=days * DAY + 1, tags=tuple(tags.split()))
    return built


def test_nightly() -> None:
    listed = RepositoryNames("octo/app", {GitKind.PULL_REQUEST: frozenset({"8"})}, newest_pull_request=9)
    built = package(
        (9, "pr-7 sha-3f2a9c1"), (9, "pr-8 sha-1111111"), (9, "pr-7-preview v1"), (9, ""), (3, "")
    )
    assert images("nightly", built, GitNames((listed,))) == ["4", "pr-7, sha-3f2a9c1"]
    assert images("nightly", built, GitNames(())) == ["4"]


def test_releases_stay() -> None:
    listed = RepositoryNames(
        "octo/app", {GitKind.TAG: frozenset({"v1.0.0"}), GitKind.RELEASE: frozenset({"v2.0.0"})}
    )
    built = package(
        (400, "1.0.0 sha-1"), (400, "v2.0.0"), (400, "v3.0.0"), (400, "latest"), (400, "edge sha-2")
    )
    assert images("releases-stay", built, GitNames((listed,))) == ["edge, sha-2", "v3.0.0"]


def test_nightlies() -> None:
    nightlies = [(age, f"nightly-{age:02}") for age in range(1, 20)]
    built = package(*nightlies, (40, "nightly v1.0.0"), (50, "v0.9.0"), (60, "latest"))
    assert images("nightlies", built) == [f"nightly-{age}" for age in range(14, 20)]
    few = package(*[(age, f"nightly-{age}") for age in range(30, 39)], (50, "v1"))
    assert images("nightlies", few) == ["nightly-37", "nightly-38"]


def test_pull_requests() -> None:
    built = package(
        (30, "pr-1"),
        (30, "pr-2 pr-2-preview"),
        (30, "refs-pull-3-merge"),
        (30, "pr-4 v1.0.0"),
        (30, "refs-pull-5-head"),
        (3, "pr-6"),
        (30, "main"),
    )
    assert images("pull-requests", built) == ["pr-1", "refs-pull-3-merge"]


def test_releases_per_minor_keep_each_series_highest_whatever_the_dates() -> None:
    built = package(
        (900, "1.4.0"),
        (800, "1.5.0"),
        (700, "1.5.1"),
        (300, "1.4.9"),
        (200, "1.4.8"),
        (600, "2.0.0"),
        (300, "2.0.1"),
        (500, "2.1.0"),
        (500, "2.1.0-alpine"),
        (450, "2.1.1"),
        (50, "2.2.0-rc.1"),
        (20, "2.2.0-rc.2"),
        (700, "1.3.7 1.3"),
        (710, "1.3.6 stable"),
        (700, "edge"),
        (10, "2.2.0"),
    )
    gone = ["1.4.0", "1.4.8", "1.5.0", "2.0.0", "2.1.0", "2.2.0-rc.1"]
    assert images("releases-per-minor", built) == gone


def test_untagged_spares_the_parts_of_what_is_tagged() -> None:
    built = package((30, ""), (30, ""), (30, ""), (3, ""))
    lone, platform, other, _ = (version.name for version in built.versions)
    built.add(hours=30 * DAY, tags=("v1",), children=(Descriptor(platform, IMAGE),), media_type=INDEX)
    built.add(
        hours=30 * DAY, children=(Descriptor(other, IMAGE), Descriptor(platform, IMAGE)), media_type=INDEX
    )
    built.add(hours=30 * DAY, subject=platform)
    built.add(hours=30 * DAY, subject=lone)
    plan = deletion_plan(
        built.facts(), DecisionContext(rules("untagged"), numbers(PackageType.CONTAINER), NOW)
    )
    assert sorted(d.version.id for d in plan.decisions if d.selected) == [1, 3, 6, 8]


def test_snapshots() -> None:
    ages = {
        "1.0.0-SNAPSHOT": 300.0,
        "1.0.1-SNAPSHOT": 90,
        "1.0.2-SNAPSHOT": 100,
        "1.0.3": 200,
        "1.1.0-SNAPSHOT": 400,
        "1.1.1-SNAPSHOT": 5,
        "1.2.0-SNAPSHOT": 3,
        "1.2.1-SNAPSHOT": 2,
        "1.2.2-SNAPSHOT": 1,
    }
    assert versions("snapshots", 0, **ages) == ["1.0.0-SNAPSHOT"]


def test_deployed() -> None:
    built = package(
        (300, "v1.0.0"),
        (290, "v1.1.0"),
        (280, "staging-eu"),
        (270, "v1.2.0 production"),
        (260, "latest"),
        (250, "v1.3.0"),
        (240, "v1.4.0"),
        (230, "v1.5.0"),
        (220, "v1.6.0"),
        (300, ""),
        (100, ""),
        (5, "staging-old"),
    )
    # By tag, by the digest that a cluster prints (the second), and the newest three of either kind.
    assert digest(2) in FILES["deployed"]
    assert images("deployed", built) == ["v1.0.0", "v1.3.0", "v1.4.0"]


def test_organization() -> None:
    built = package(
        (100, "pr-1"),
        (100, "pr-2 stable"),
        (20, "pr-3"),
        (100, "v1.0.0"),
        (100, "1.0.0"),
        (100, ""),
        (10, ""),
        (100, "main"),
    )
    assert images("organization", built) == ["6", "pr-1"]
    npm = {f"1.0.0-beta.{n}": 100.0 - n for n in range(8)} | {"1.0.0": 200, "0.9.0": 300, "2.0.0-rc.0": 1}
    assert versions("organization", 1, **npm) == [
        "1.0.0-beta.0",
        "1.0.0-beta.1",
        "1.0.0-beta.2",
        "1.0.0-beta.3",
    ]
    nuget: dict[str, float] = {
        "1.9.6": 800,
        "1.9.7": 800,
        "1.10.0": 800,
        "2.0.0": 800,
        "2.0.0-rc1": 800,
        "1.11.0": 80,
        "one": 800,
    }
    assert versions("organization", 2, **nuget) == ["1.9.6", "2.0.0-rc1"]
    gems: dict[str, float] = {"1.0.0.pre.7": 90, "1.0.0.pre.8": 9, "1.0.0": 90, "1.0.0.pre": 90}
    assert versions("organization", 3, **gems) == ["1.0.0.pre.7"]
    names = rules("organization", 0).names
    assert [name for name in ("app-a", "app-legacy", "other") if names.matches(name)] == ["app-a"]


def test_the_page_shows_the_files_and_every_file_is_tried() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert sorted(block for block in blocks if "packages:" in block) == sorted(FILES.values())
    assert set(re.findall(r"\(policies/(.+?)\.yml\)", PAGE)) == set(FILES)
    tried = {name.removeprefix("test_").replace("_", "-") for name in globals() if name.startswith("test_")}
    assert all(any(name.startswith(file) for name in tried) for file in FILES)


def test_the_page_names_every_key() -> None:
    for key in {*PACKAGE_KEYS, *DELETE_KEYS, *KEEP_KEYS}:
        assert re.search(rf"^\| .*`{key}`", PAGE, re.MULTILINE), key
    cells = [line.split("|") for line in PAGE.splitlines() if line.startswith("| `")]
    row = {key: cell for cell in cells for key in re.findall(r"`([a-z-]+)`", cell[1])}
    for key in {*DELETE_KEYS, *KEEP_KEYS}:
        assert (row[key][2].strip()[:2] == "no", row[key][3].strip()[:2] == "no") == (
            key not in DELETE_KEYS,
            key not in KEEP_KEYS,
        )


@pytest.mark.parametrize("link", re.findall(r"\]\(#(.+?)\)", PAGE))
def test_links_within_the_page_lead_somewhere(link: str) -> None:
    headings = re.findall(r"^#+ (.+)$", PAGE, re.MULTILINE)
    assert link in {heading.lower().replace(",", "").replace(" ", "-") for heading in headings}
