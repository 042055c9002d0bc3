"""An input is wired at every place or at none: made-up inputs that lack one place are found, each by its check."""

from __future__ import annotations

import json
import re
from dataclasses import make_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from scripts import docs_tables, policy_schema

from package_retention.decide.rules import Filter, PackageRules, Retention, Rule
from package_retention.inputs import cli, values
from package_retention.inputs.rows import Group, Input, Place, Section
from package_retention.inputs.settings import Settings
from package_retention.inputs.table import INPUTS, KEEP_KEYS
from package_retention.inputs.values import Context
from package_retention.model import PackageType
from package_retention.problems import InvalidValueError, ProblemCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ROOT = Path(__file__).parents[3]
ROWS = (*INPUTS, *KEEP_KEYS)
HOLDERS: dict[Place, type] = {
    Place.SETTINGS: Settings,
    Place.PACKAGE: PackageRules,
    Place.FILTER: Filter,
    Place.RETENTION: Retention,
    Place.RULE: Rule,
}
# What these values hold beside what inputs say.
NO_INPUTS = {
    Place.SETTINGS: {"rules", "api_url", "server_url", "findings", "given", "references", "by_hand"},
    Place.PACKAGE: {"delete", "keep", "exclude", "within", "referenced_in"},
    Place.FILTER: set[str](),
    Place.RETENTION: set[str](),
    Place.RULE: {"name", "filter", "retention"},
}
MADE_UP = Input(
    "made-up", values.duration, "Nothing", group=Group.FILTER, place=Place.FILTER, sections=(Section.DELETE,)
)


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def check_attributes(rows: Iterable[Input], holders: dict[Place, Any]) -> None:
    """Every row has its attribute, every attribute its row."""
    for place, holder in holders.items():
        held = {each.attribute for each in rows if each.place is place}
        assert held == set(holder.__match_args__) - NO_INPUTS[place]


def check_action(rows: Iterable[Input], action: str) -> None:
    declared = yaml.safe_load(action)["inputs"]
    assert {each.name: (each.default, each.description) for each in rows if each not in KEEP_KEYS} == {
        name: (about.get("default", ""), about["description"]) for name, about in declared.items()
    }


def check_page(rows: Iterable[Input], page: str) -> None:
    listed = re.findall(r"^\| `([\w-]+)` \| (?:`.*?`)? \|", page, re.MULTILINE)
    assert listed == [each.name for each in rows if each not in KEEP_KEYS]


def check_schema(rows: Iterable[Input], schema: str) -> None:
    known = json.loads(schema)["$defs"]
    sections = {Section.PACKAGE: "package", Section.DELETE: "delete-rule", Section.KEEP: "keep-rule"}
    for section, name in sections.items():
        keys = {each.key for each in rows if section in each.sections}
        assert keys == set(known[name]["properties"]) - {"keep", "delete"}


def check_kinds(rows: Iterable[Input]) -> None:
    """Every default is understood: as the value of its kind, or as a word for nothing."""
    for each in rows:
        if each.sections:
            assert each.kind in policy_schema._KINDS
            assert not each.default or each.default in policy_schema._DEFAULTS
        words = ("none", "any", "")
        if each.place is Place.SETTINGS and not each.variable and each.default not in words:
            each.kind(each.default, Context())


def check_policies(rows: Iterable[Input], page: str) -> None:
    for each in rows:
        assert not each.sections or re.search(rf"^\| .*`{each.key}`", page, re.MULTILINE), each.key


def check_flags(rows: Iterable[Input], flags: str) -> None:
    shown = re.findall(r"^  --([a-z-]+)", flags, re.MULTILINE)
    no_inputs = ("help", "version", "yes")
    assert [each.name for each in rows if each not in KEEP_KEYS] == [
        name for name in shown if name not in no_inputs
    ]


# A text of each kind that selects or protects, for a rule to say in its own words.
SAMPLES = {
    values.patterns: "v*",
    values.ids: "7",
    values.version_range: "^1.2",
    values.release_status: "release",
    values.tag_status: "tagged",
    values.damages: "ghost",
    values.git_kinds: "branch",
    values.globs: "deploy/*",
    values.duration: "3d",
    values.truth: "true",
    values.minimum: "2",
    values.series: "major",
    values.order_by: "version",
}


def check_words(rows: Iterable[Input], make: Callable[[str, Any], Rule]) -> None:
    """What a reason shows of a rule names every condition of it."""
    for each in rows:
        if each.place in (Place.FILTER, Place.RETENTION):
            value = each.kind(SAMPLES[each.kind], Context(PackageType.CONTAINER))
            rule = (
                make(each.attribute, value)
                if each.place is Place.FILTER
                else retaining(each.attribute, value)
            )
            assert each.name in dict(rule.terms), each.name


def filtering(attribute: str, value: Any) -> Rule:
    return Rule("made up", Filter(**{attribute: value}))


def retaining(attribute: str, value: Any) -> Rule:
    return Rule("made up", retention=Retention(**{"minimum": 1, attribute: value}))


def filtering_by_another(attribute: str, value: Any) -> Rule:
    """A rule whose own words lack the condition."""
    return filtering("older_than" if attribute == "deleted_within" else attribute, value)


def check_all(rows: tuple[Input, ...]) -> None:
    check_attributes(rows, HOLDERS)
    check_action(rows, read("action.yml"))
    check_page(rows, read("docs/inputs.md").partition("## Outputs")[0])
    check_schema(rows, read("docs/policy.schema.json"))
    check_kinds(rows)
    check_words(rows, filtering)
    check_policies(rows, read("docs/policies.md"))
    check_flags(rows, cli._parser("package-retention").format_help())


def with_attribute() -> dict[Place, Any]:
    """Filters that hold the made-up input."""
    return HOLDERS | {Place.FILTER: make_dataclass("Filter", [*Filter.__match_args__, "made_up"])}


def test_every_input_is_wired() -> None:
    check_all(ROWS)


HALVES: dict[str, Callable[[], Any]] = {
    "a row without its attribute": lambda: check_attributes((*ROWS, MADE_UP), HOLDERS),
    "an attribute without its row": lambda: check_attributes(ROWS, with_attribute()),
    "not in action.yml": lambda: check_action((*ROWS, MADE_UP), read("action.yml")),
    "in action.yml alone": lambda: check_action(
        ROWS, read("action.yml").replace("inputs:\n", "inputs:\n  made-up:\n    description: x\n", 1)
    ),
    "another default in action.yml": lambda: check_action(
        (replace(INPUTS[0], default="list"), *ROWS[1:]), read("action.yml")
    ),
    "not in the page of inputs": lambda: check_page(
        (*ROWS, MADE_UP), read("docs/inputs.md").partition("## Outputs")[0]
    ),
    "not in the schema": lambda: check_schema((*ROWS, MADE_UP), read("docs/policy.schema.json")),
    "in the schema alone": lambda: check_schema(ROWS[:-1], read("docs/policy.schema.json")),
    "a kind that the schema does not know": lambda: check_kinds((replace(MADE_UP, kind=values.share),)),
    "a default that its kind refuses": lambda: check_kinds(
        (replace(MADE_UP, sections=(), place=Place.SETTINGS, default="soon"),)
    ),
    "not in the page of policies": lambda: check_policies((MADE_UP,), read("docs/policies.md")),
    "not in a rule's own words": lambda: check_words(ROWS, filtering_by_another),
    "no flag": lambda: check_flags((*ROWS, MADE_UP), cli._parser("package-retention").format_help()),
}


@pytest.mark.parametrize("half", HALVES)
def test_a_made_up_input_that_lacks_one_place_is_found(half: str) -> None:
    with pytest.raises(AssertionError if half != "a default that its kind refuses" else ValueError):
        HALVES[half]()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_what_is_called_a_list_takes_one(row: Input) -> None:
    try:
        row.kind(("1",), Context(PackageType.CONTAINER))
        refused = False
    except InvalidValueError as error:
        refused = error.problems[0].code is ProblemCode.NOT_A_LIST
    assert refused is not row.is_list


def test_what_is_made_from_the_table_is_up_to_date() -> None:
    assert docs_tables.renewed_action(read("action.yml")) == read("action.yml"), "run `make docs`"
    for name, schema in docs_tables.SCHEMAS.items():
        assert schema.text() == read(name), "run `make docs`"


def test_words_of_other_actions_mean_one_thing_and_are_no_inputs() -> None:
    words = [word for each in INPUTS for word in each.words]
    assert len(words) == len(set(words))
    assert not {*words} & {each.name for each in INPUTS}
