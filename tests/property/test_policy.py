"""Laws of a policy: order is nothing, keep rules only protect, and one rule in a file is what the inputs say."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from hypothesis import assume, given, settings, strategies as st
from msgspec.structs import replace

from package_retention.decide.deletion_plan import deletion_plan
from package_retention.decide.durations import Duration
from package_retention.decide.ecosystems import VersionParser
from package_retention.decide.rules import DecisionContext
from package_retention.errors import InputError, PlanError
from package_retention.inputs.policy import parse
from package_retention.inputs.settings import read_settings
from package_retention.model import PackageType
from package_retention.output.problem_sentences import sentences
from package_retention.output.sentences import finding_words
from package_retention.reason import ReasonCode
from property.worlds import NOW, Built, packages

if TYPE_CHECKING:
    from collections.abc import Mapping

    from package_retention.decide.rules import PackageRules
    from package_retention.model import Plan

FEW = settings(max_examples=80, deadline=None)
RUNNER = {
    "GITHUB_REPOSITORY": "octo/app",
    "GITHUB_REPOSITORY_OWNER": "octo",
    "INPUT_TOKEN": "ghp_0123456789abcdef",
    "INPUT_PACKAGE-TYPE": "container",
    "INPUT_PACKAGE-NAME": "app",
}
ENTRIES = ("*", "v*", "pr-*", "1.*", "latest", "v1", "/^v/", "!v2", "!latest", "stable", "/a,b/", "v[12]*")
LISTS = st.lists(st.sampled_from(ENTRIES), min_size=1, max_size=3)
AGES = st.sampled_from(("0s", "1h", "2d", "30d", "3 months", "P30D"))
CONDITIONS: dict[str, st.SearchStrategy[Any]] = {
    "versions": LISTS,
    "package-version-ids": st.lists(st.integers(1, 14).map(str), min_size=1, max_size=4),
    "version-range": st.sampled_from(("^1.2", ">=1.3", "<2 || >2", "*")),
    "release-status": st.sampled_from(("release", "pre-release")),
    "tag-status": st.sampled_from(("tagged", "untagged")),
    "older-than": AGES,
}
COUNTS: dict[str, st.SearchStrategy[Any]] = {
    "min-versions-to-keep": st.integers(1, 3).map(str),
    "keep-per": st.sampled_from(("major", "minor", r"/^v?(\d+)/")),
    "order-by": st.just("version"),
}
DELETE = {
    **CONDITIONS,
    **COUNTS,
    "remove-damaged": st.lists(st.sampled_from(("ghost", "partial", "orphaned")), min_size=1, unique=True),
    "exclude-versions": LISTS,
}
KEEP = {**CONDITIONS, **COUNTS, "newer-than": AGES}
NARROWING = {"exclude-versions", "keep-per", "order-by"}
NAMES = ("app", ["a*"], "*", "/^APP$/")


@st.composite
def rules(draw: st.DrawFn, values: Mapping[str, st.SearchStrategy[Any]]) -> dict[str, Any]:
    """Draw a rule that the parser takes, as the file has it."""
    conditions = [key for key in values if key not in NARROWING]
    keys = draw(st.lists(st.sampled_from(conditions), min_size=1, max_size=3, unique=True))
    if "min-versions-to-keep" in keys:
        keys += draw(st.lists(st.sampled_from(("keep-per", "order-by")), unique=True))
    if "exclude-versions" in values and draw(st.booleans()):
        keys.append("exclude-versions")
    return possible({key: draw(values[key]) for key in draw(st.permutations(keys))})


def possible(rule: dict[str, Any]) -> dict[str, Any]:
    """The rule without what could never match together, which the parser refuses."""
    if rule.get("tag-status") == "untagged":
        rule = {
            key: v for key, v in rule.items() if key not in ("versions", "version-range", "release-status")
        }
    if never_both(rule.get("versions"), rule.get("exclude-versions")):
        rule.pop("exclude-versions")
    if {"older-than", "newer-than"} <= rule.keys():
        older, newer = (Duration.parse(rule[key]) for key in ("older-than", "newer-than"))
        if older.months == newer.months and older.seconds >= newer.seconds:
            rule.pop("newer-than")
    return rule


def never_both(versions: list[str] | None, exclude: list[str] | None) -> bool:
    """Whether one list selects only what the other excludes in the same words."""
    wanted = {each for each in versions or () if not each.startswith("!")}
    return bool(wanted) and wanted <= {*(exclude or ())} and not any(e.startswith("!") for e in exclude or ())


@st.composite
def entries(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Draw the packages of a policy, all of which name `app`."""
    return [
        {
            "type": "container",
            "name": draw(st.sampled_from(NAMES)),
            "delete": draw(st.lists(rules(DELETE), min_size=1, max_size=3)),
            **({"keep": keep} if (keep := draw(st.lists(rules(KEEP), max_size=3))) else {}),
        }
        for _ in range(draw(st.integers(1, 2)))
    ]


def rules_for_app(found: list[dict[str, Any]]) -> PackageRules:
    """What the file says of `app`, all entries together (JSON is YAML)."""
    read = parse(json.dumps({"packages": found}).encode(), "policy.yml")
    assert all(each.reaches("app") for each in read)
    return replace(
        read[0],
        delete=tuple(rule for each in read for rule in each.delete),
        keep=tuple(rule for each in read for rule in each.keep),
    )


def planned(built: Built, found: PackageRules, *, untag: bool = False, when_empty: bool = False) -> Plan:
    numbers = VersionParser(PackageType.CONTAINER)
    try:
        return deletion_plan(built.facts(), DecisionContext(found, numbers, NOW, untag, when_empty))
    except PlanError:
        assume(False)
        raise


def outcome(plan: Plan) -> tuple[object, ...]:
    """A plan but for the numbers of rules in its reasons."""
    codes = {d.version.id: (d.selected, d.reason.code, d.untag) for d in plan.decisions}
    return (
        codes,
        [(s.kind, s.version, s.tags, s.after) for s in plan.steps],
        sorted(map(finding_words, plan.warnings)),
        plan.problems,
    )


def freely(built: Built, found: list[dict[str, Any]]) -> set[int]:
    """What goes by the rules alone: not where GitHub's refusal of the last version has its say as well."""
    plan = planned(built, rules_for_app(found), when_empty=True)
    assume(all(decision.reason.code is not ReasonCode.LAST for decision in plan.decisions))
    return {decision.version.id for decision in plan.decisions if decision.selected}


@FEW
@given(packages(), entries(), st.randoms(use_true_random=False))
def test_the_order_of_packages_rules_and_keys_never_changes_a_plan(
    built: Built, found: list[dict[str, Any]], random: Any
) -> None:
    def shuffled(rules_: list[dict[str, Any]]) -> list[dict[str, Any]]:
        turned = [dict(random.sample(list(rule.items()), len(rule))) for rule in rules_]
        random.shuffle(turned)
        return turned

    other = [
        {key: shuffled(value) if key in ("keep", "delete") else value for key, value in entry.items()}
        for entry in shuffled(found)
    ]
    assert outcome(planned(built, rules_for_app(found), untag=True)) == outcome(
        planned(built, rules_for_app(other), untag=True)
    )


@FEW
@given(packages(), entries(), rules(KEEP))
def test_adding_a_keep_rule_never_deletes_more(
    built: Built, found: list[dict[str, Any]], more: dict[str, Any]
) -> None:
    added = [{**found[0], "keep": [*found[0].get("keep", []), more]}, *found[1:]]
    assert freely(built, added) <= freely(built, found)


@FEW
@given(packages(), entries(), rules(DELETE))
def test_adding_a_delete_rule_never_deletes_less(
    built: Built, found: list[dict[str, Any]], more: dict[str, Any]
) -> None:
    added = [{**found[0], "delete": [more, *found[0]["delete"]]}, *found[1:]]
    assert freely(built, found) <= freely(built, added)


def as_input(value: Any) -> str:
    return value if isinstance(value, str) else "\n".join(value)


@FEW
@given(packages(), rules(DELETE), st.none() | LISTS, st.none() | st.integers(0, 4), st.booleans())
def test_the_single_inputs_and_a_file_of_one_rule_give_the_same_plan(
    built: Built, rule: dict[str, Any], exclude: list[str] | None, limit: int | None, untag: bool
) -> None:
    # What the inputs exclude binds every rule, what a rule excludes that rule: with one rule they are the same input.
    rule.pop("exclude-versions", None)
    assume(not never_both(rule.get("versions"), exclude))
    step = {"exclude-versions": as_input(exclude)} if exclude else {}
    step |= {} if limit is None else {"limit": str(limit)}
    content = json.dumps({"packages": [{"type": "container", "name": "app", "delete": [rule]}]}).encode()
    alone = environ({**step, **{key: as_input(value) for key, value in rule.items()}})
    filed = environ({**step, "policy-file": "policy.yml"})
    with TemporaryDirectory() as folder:
        (Path(folder) / "policy.yml").write_bytes(content)
        (single,) = read_settings(alone, Path(folder)).rules
        (policy,) = read_settings(filed, Path(folder)).rules
    assert tuple(replace(each, name="") for each in single.delete) == tuple(
        replace(each, name="") for each in policy.delete
    )
    assert outcome(planned(built, single, untag=untag)) == outcome(planned(built, policy, untag=untag))


def environ(given_: Mapping[str, str]) -> dict[str, str]:
    return RUNNER | {f"INPUT_{name.upper()}": value for name, value in given_.items()}


@FEW
@given(packages(), rules(DELETE))
def test_with_one_rule_its_own_exclusion_is_the_steps(built: Built, rule: dict[str, Any]) -> None:
    assume("exclude-versions" in rule)
    (own,) = parse(json.dumps({"packages": [entry(rule)]}).encode(), "p.yml")
    without = {key: value for key, value in rule.items() if key != "exclude-versions"}
    (bare,) = parse(json.dumps({"packages": [entry(without)]}).encode(), "p.yml")
    excluded = replace(bare, exclude=own.delete[0].exclude)
    assert selected(built, own) == selected(built, excluded)


def entry(rule: dict[str, Any]) -> dict[str, Any]:
    return {"type": "container", "name": "app", "delete": [rule]}


def selected(built: Built, found: PackageRules) -> dict[int, bool]:
    return {d.version.id: d.selected for d in planned(built, found).decisions}


def problems_of(content: bytes) -> tuple[str, ...]:
    """The problems of a file, none where it is read; each is one line with the file's name."""
    try:
        assert parse(content, "p.yml")
    except InputError as error:
        told = sentences(error.problems)
    else:
        return ()
    assert all(problem.startswith("p.yml:") and problem.isprintable() for problem in told)
    return told


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_whatever_the_bytes_they_are_refused_in_one_line_each(content: bytes) -> None:
    assert problems_of(content)


MUTATIONS = st.sampled_from(
    (
        *"\t\n :-[]{}&*!|>'\"%@`#,?\0\x85\u2028\ufeff",
        *("<<: ", "!!str ", "&a ", "*a", "- ", "versions", "\n---\n", "\\U", "\\x"),
    )
)


@settings(max_examples=150, deadline=None)
@given(entries(), st.lists(st.tuples(st.floats(0, 1), MUTATIONS), min_size=1, max_size=4))
def test_a_policy_with_slips_is_read_or_refused(
    found: list[dict[str, Any]], slips: list[tuple[float, str]]
) -> None:
    text = "packages:\n" + "\n".join(_block(each) for each in found)
    for place, slip in slips:
        at = int(place * len(text))
        text = text[:at] + slip + text[at:]
    assert len(problems_of(text.encode())) <= 51


def _block(found: dict[str, Any]) -> str:
    lines = [f"- type: {found['type']}", f"  name: {json.dumps(found['name'])}"]
    for kind in ("keep", "delete"):
        if kind in found:
            lines.append(f"  {kind}:")
            for rule in found[kind]:
                first, *others = (f"{key}: {json.dumps(value)}" for key, value in rule.items())
                lines += [f"  - {first}", *(f"    {other}" for other in others)]
    return "\n".join(lines)
