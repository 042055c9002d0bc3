from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from emulator import shapes
from hostile import NAMES
from package_retention.decide.contents import inventory, says_which
from package_retention.decide.deletion_plan import deletion_plan
from package_retention.decide.durations import Duration
from package_retention.decide.ecosystems import VersionParser
from package_retention.decide.patterns import Patterns
from package_retention.decide.rules import DecisionContext, Filter, PackageRules, Retention, Rule
from package_retention.model import Descriptor, Manifest, Operation, PackageType, Plan, Version
from package_retention.output.summary.blocks import About
from package_retention.output.summary.inventory import due_words, inventory_section
from package_retention.output.summary.words import size_words
from package_retention.reason import Reason, ReasonCode
from package_retention.registry.manifests import parse
from package_retention.results import Due, Entry, Inventory, PackageResult, Referrer
from property.worlds import INDEX, Built
from run_results import NEWEST, NOW, SELECTED, listed, met, package, render, render_text, run, version

if TYPE_CHECKING:
    from package_retention.decide.facts import Facts

ANY = Patterns.parse("app")
ABOUT = About(NOW)


def of_inputs(condition: Filter | None = None, **more: int) -> PackageRules:
    rule = Rule("the inputs", condition or Filter(), Retention(more.get("minimum", 0)))
    return PackageRules(PackageType.CONTAINER, ANY, delete=(rule,), limit=more.get("limit"))


def seen(facts: Facts) -> Inventory:
    rules = PackageRules(PackageType.CONTAINER, ANY)
    plan = deletion_plan(facts, DecisionContext(rules, VersionParser(PackageType.CONTAINER), NOW))
    return inventory(facts, plan, NOW, readings=facts.readings)


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (of_inputs(), False),
        (of_inputs(Filter(older_than=Duration.parse("0s"))), True),
        (of_inputs(minimum=1), True),
        (of_inputs(limit=0), True),
        (PackageRules(PackageType.NPM, ANY, exclude=Patterns.parse("v1")), False),
        (PackageRules(PackageType.NPM, ANY, keep=(Rule("a keep rule"),)), True),
    ],
)
def test_rules_say_which_only_with_a_filter(rules: PackageRules, expected: bool) -> None:
    assert says_which(rules) is expected


def test_every_version_is_in_an_entry_whatever_names_what() -> None:
    built = Built()
    child = built.add(hours=9)
    named = (Descriptor(child, shapes.OCI_IMAGE, "linux/amd64"),)
    first = built.add(hours=8, tags=("v1",), children=named)
    built.add(hours=7, tags=("v2",), children=(*named, Descriptor(first, INDEX)))
    circle = [Version(9, "sha256:" + "9" * 64, NOW, NOW), Version(10, "sha256:" + "a" * 64, NOW, NOW)]
    for one, other in (circle, circle[::-1]):
        built.versions.append(one)
        built.readings[one.name] = Manifest(one.name, INDEX, True, (Descriptor(other.name, INDEX),))
    found = seen(built.facts())
    assert {member for entry in found.entries for member in entry.members} == {1, 2, 3, 9, 10}
    by_id = {entry.version.id: entry for entry in found.entries}
    assert by_id[2].named_by == (3,)
    assert set(by_id[3].members) == {1, 2, 3}
    assert by_id[3].platforms == ("linux/amd64",)
    assert found.versions == 5


def test_sizes_need_every_manifest_and_count_the_layers_of_a_cache() -> None:
    cache = shapes.cache("build", layers=3)
    read = parse(cache.body, cache.media_type, cache.digest)
    assert isinstance(read, Manifest)
    assert read.size == sum(entry["size"] for entry in cache.document["manifests"])
    built = Built()
    built.add(hours=3, tags=("a",), blobs=(("one", 5),))
    other = built.add(hours=2, tags=("b",), blobs=(("two", 7), ("one", 5)))
    facts = built.facts()
    assert seen(facts).size_bytes == 12
    unread = {name: reading for name, reading in facts.readings.items() if name != other}
    assert seen(replace(facts, readings=unread)).size_bytes is None


def test_words_for_dues() -> None:
    due = Due(NOW + timedelta(days=3), NOW + timedelta(days=3, hours=5), SELECTED)
    entry = Entry(version(1, "v1"), NEWEST, due=due)
    of = Inventory(package(), NOW, (entry,), judged=True)
    assert due_words(entry, of) == "2026-11-04, in 3 days: older than 30 days"
    wide = replace(entry, due=replace(due, not_before=NOW + timedelta(days=1)))
    assert due_words(wide, of) == "2026-11-02 to 2026-11-04, in at most 3 days: older than 30 days"
    late = replace(entry, reason=Reason(ReasonCode.OVER_LIMIT, number=1), due=Due(NOW, NOW, SELECTED))
    assert due_words(late, of) == "now, over `limit: 1`: waits for the next run"
    assert due_words(Entry(version(1), NEWEST, stays=NEWEST), of).startswith("never under these rules: among")
    assert due_words(Entry(version(1), SELECTED, selected=True), of) == "now: older than 30 days"
    assert size_words(None) == ""
    assert size_words(3_400_000) == "3.4 MB"


def test_a_rule_stands_above_the_rows_that_all_have_it_and_in_each_where_there_are_several() -> None:
    due = Due(NOW + timedelta(days=3), NOW + timedelta(days=3), SELECTED)
    other = replace(due, reason=Reason(ReasonCode.SELECTED, rule=(("tag-status", "untagged"),)))
    entries = (
        Entry(version(1, "v1"), NEWEST, due=due),
        Entry(version(2, "v2"), SELECTED, selected=True),
        Entry(version(3, "v3"), NEWEST, stays=NEWEST),
    )

    def shown(*entries: Entry) -> str:
        one = replace(listed(), inventory=Inventory(package(), NOW, entries, judged=True))
        return render_text(run(one, operation=Operation.LIST), ABOUT)

    assert shown(*entries).count("older than 30 days") == 1
    several = shown(*entries, Entry(version(4, "v4"), NEWEST, due=other))
    assert "Rule:" not in several
    assert several.count(": older than 30 days") == 2
    assert several.count(": untagged") == 1


def test_an_inventory_as_the_summary_shows_it() -> None:
    text = render_text(run(listed(), operation=Operation.LIST), ABOUT)
    assert text.startswith("Listed 3 images of octo/app (container)")
    for words in (
        "3 images in 5 versions, 9.1 MB",
        "1 damaged.",
        "Rule: older than 30 days",
        "2026-11-30, in 29 days",
        "3 manifests, 1 attestation, cosign signature, named by 1 index",
        "2 docker packages in conflict",
        "2026-11-27 (26 days)",
        "never under these rules: among the newest 3",
    ):
        assert words in text, words
    unknown = replace(listed(), inventory=Inventory(package(), NOW))
    assert "GitHub returned no list of them" in render_text(run(unknown, operation=Operation.LIST), ABOUT)


def test_several_packages_have_a_line_each_and_what_failed_has_one_too() -> None:
    failed = PackageResult(Plan(package("gone")), failure=met("Package not found."))
    text = render_text(run(listed(), failed, operation=Operation.LIST), ABOUT)
    assert "Would go now" in text
    assert "not listed" in text


@pytest.mark.parametrize("name", NAMES)
def test_hostile_names_stay_on_their_line(name: str) -> None:
    one = listed(replace(package(), name=name, repository=name))
    assert one.inventory
    entry = replace(
        one.inventory.entries[0],
        version=replace(version(1), tags=(name,)),
        platforms=(name,),
        referrers=(Referrer(2, name, name),),
        due=Due(NOW, NOW + timedelta(days=9), Reason(ReasonCode.WITH_IMAGE, subject=name)),
    )
    hostile = replace(one, inventory=replace(one.inventory, entries=(entry,), conflicts=(name,)))
    plain = render(run(listed(), operation=Operation.LIST), ABOUT)
    text = render(run(hostile, operation=Operation.LIST), ABOUT)
    assert "<script" not in text
    assert "\n::" not in text
    lines = [line for line in text.split("\n") if line.startswith("| ")]
    assert len(lines) == len([line for line in plain.split("\n") if line.startswith("| ")]) - 2


def test_a_hundred_thousand_images_are_bounded() -> None:
    entries = tuple(
        Entry(version(n, f"v{n}", days=1), NEWEST, stays=NEWEST, members=(n,)) for n in range(1, 100_001)
    )
    blocks = inventory_section(
        Inventory(package(), NOW, entries, versions=100_000, judged=True, deleted=()), ABOUT
    )
    text = render(
        run(
            PackageResult(Plan(package()), inventory=Inventory(package(), NOW, entries)),
            operation=Operation.LIST,
        ),
        ABOUT,
    )
    assert len(blocks) == 4
    assert "And 99,950 more (`report-file` lists every one)." in text.replace("&#44;", ",")
    assert len(text.encode()) < 50_000
