"""The JSON Schema for editors and the parser agree, as far as a schema can tell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings, strategies as st
from ruamel.yaml import YAML

from package_retention.errors import InputError
from package_retention.inputs.policy import DELETE_KEYS, KEEP_KEYS, PACKAGE_KEYS, parse
from package_retention.inputs.table import BY_NAME

DOCS = Path(__file__).parents[3] / "docs"
SCHEMA = json.loads((DOCS / "policy.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
EXAMPLES = sorted((DOCS / "policies").glob("*.yml"))
HEAD = "packages:\n- type: container\n  name: app\n"
ONE = "  delete: [{versions: a}]\n"


def schema_takes(text: str) -> bool:
    """Whether an editor finds nothing: it reads the values by YAML's core schema, not as texts."""
    return bool(VALIDATOR.is_valid(YAML(typ="safe", pure=True).load(text)))


def parser_takes(text: str) -> bool:
    try:
        return bool(parse(text.encode(), "p.yml"))
    except InputError:
        return False


def rule(text: str, kind: str = "container") -> str:
    return f"{HEAD.replace('container', kind)}  delete:\n  - {text}\n"


def keep(text: str, kind: str = "container") -> str:
    return f"{HEAD.replace('container', kind)}{ONE}  keep:\n  - {text}\n"


GOOD = (
    rule("versions: '*'"),
    rule("versions: [1.10, on, 010, 1e3, true, x]"),
    rule("versions: 7"),
    rule("{versions: any, older-than: 30d}", "NuGet"),
    rule("{older-than: P30D, tag-status: ANY}", "npm"),
    rule("{older-than: 6 months, tag-status: untagged}", "Docker"),
    rule("older-than: P6M"),
    rule("older-than: 1h 30min"),
    rule("package-version-ids: [1, '2']"),
    rule("package-version-ids: 1, 2"),
    rule("version-range: '>=1.2 <2'"),
    rule("version-range: 1.2", "maven"),
    rule("release-status: pre-release", "rubygems"),
    rule("remove-damaged: [ghost, partial]"),
    rule("remove-damaged: ghost, orphaned"),
    rule("{remove-damaged: none, versions: a}", "npm"),
    rule("min-versions-to-keep: 3"),
    rule("{min-versions-to-keep: '3', keep-per: '/^(v)/i', order-by: version}"),
    rule("{min-versions-to-keep: 0, keep-per: none, order-by: date, versions: a}"),
    rule("{min-versions-to-keep: -1, exclude-versions: none, versions: a}"),
    rule("{versions: a, exclude-versions: [b, '!c']}"),
    rule("{versions: 'pr-*', source-gone: pull-request}"),
    rule("{exclude-versions: v*, source-gone: [branch, tag]}", "npm"),
    rule("{expired: true, tag-status: tagged}"),
    rule("{expired: false, versions: a}", "npm"),
    rule("{tag-status: untagged, versions: 'sha256:*'}"),
    keep("newer-than: 14d"),
    keep("source-exists: [branch, release]"),
    keep("referenced-in: 'deploy/**/*.yaml'"),
    HEAD + "  companion-tags: [sha-*]\n" + ONE,
    HEAD.replace("container", "npm") + "  companion-tags: none\n" + ONE,
    keep("min-versions-to-keep: 3"),
    keep("{versions: v*, older-than: 1 year, newer-than: none}"),
)
BAD = (
    "packages: []",
    "{}",
    "[]",
    "packages:\n",
    "packages: app",
    "package: []",
    HEAD,
    HEAD + "  delete: []\n",
    HEAD + "  delete: {versions: a}\n",
    HEAD + ONE + "  keep: []\n",
    HEAD + ONE + "  limit: 3\n",
    HEAD + ONE + "other: 3\n",
    HEAD.replace("container", "containers") + ONE,
    HEAD.replace("app", "[]") + ONE,
    HEAD.replace("app", "any") + ONE,
    HEAD.replace("app", "") + ONE,
    rule("{}"),
    rule("''"),
    rule("older-then: 3d"),
    rule("versions: any"),
    rule("versions: none"),
    rule("versions: []"),
    rule("versions:"),
    rule("versions: ''"),
    rule("versions: [a, '']"),
    rule("versions: [a, any]"),
    rule("versions: [a, [b]]"),
    rule("versions: {a: b}"),
    rule("exclude-versions: a"),
    rule("{exclude-versions: a, order-by: date, older-than: none}"),
    rule("older-than: 30"),
    rule("older-than: '30'"),
    rule("older-than: 3m"),
    rule("older-than: 3 M"),
    rule("older-than: soon"),
    rule("older-than: [3d]"),
    rule("newer-than: 3d"),
    rule("deleted-within: 3d"),
    rule("{versions: a, limit: 3}"),
    rule("tag-status: tagged", "npm"),
    rule("tag-status: tags"),
    rule("release-status: [release]"),
    rule("remove-damaged: ghost", "docker"),
    rule("remove-damaged: ghosts_"),
    rule("remove-damaged: [ghost, whole]"),
    rule("package-version-ids: 0"),
    rule("package-version-ids: [1, abc]"),
    rule("package-version-ids: -3"),
    rule("min-versions-to-keep: 0"),
    rule("min-versions-to-keep: -2"),
    rule("min-versions-to-keep: 1.5"),
    rule("{versions: a, keep-per: minor}"),
    rule("{versions: a, order-by: version}"),
    rule("{versions: a, order-by: version, min-versions-to-keep: 0}"),
    rule("{min-versions-to-keep: 3, order-by: size}"),
    rule("{min-versions-to-keep: 3, keep-per: patch}"),
    rule("{min-versions-to-keep: 3, keep-per: /no group/}"),
    rule("source-gone: branch"),
    rule("{source-gone: branch, versions: '*'}"),
    rule("{source-gone: branch, versions: any, older-than: 3d}"),
    rule("{source-gone: branches, versions: v*}"),
    rule("expired: true"),
    rule("{expired: true, older-than: 3d}"),
    rule("{expired: true, versions: a}", "docker"),
    rule("{expired: maybe, versions: a}"),
    rule("{tag-status: untagged, versions: v*}"),
    rule("{tag-status: untagged, version-range: ^1}"),
    rule("{tag-status: untagged, release-status: release}"),
    rule("source-exists: branch"),
    rule("referenced-in: a.yml"),
    rule("{versions: a, keep-referenced-in: a.yml}"),
    HEAD + "  companion-tags: []\n" + ONE,
    HEAD.replace("container", "npm") + "  companion-tags: [sha-*]\n" + ONE,
    keep("source-gone: branch"),
    keep("{expired: true, versions: a}"),
    keep("referenced-in: ''"),
    keep("{tag-status: untagged, versions: v*}"),
    keep("versions: any"),
    keep("min-versions-to-keep: 0"),
    keep("{versions: a, min-versions-to-keep: -1}"),
    keep("{versions: a, exclude-versions: b}"),
    keep("remove-damaged: ghost"),
    keep("tag-status: tagged", "maven"),
)


@pytest.mark.parametrize("text", GOOD)
def test_both_take(text: str) -> None:
    parse(text.encode(), "p.yml")
    VALIDATOR.validate(YAML(typ="safe", pure=True).load(text))


@pytest.mark.parametrize("text", BAD)
def test_both_refuse(text: str) -> None:
    assert (schema_takes(text), parser_takes(text)) == (False, False)


def test_the_schema_is_one_and_knows_the_parsers_keys() -> None:
    VALIDATOR.check_schema(SCHEMA)
    known = SCHEMA["$defs"]
    assert set(known["delete-rule"]["properties"]) == set(DELETE_KEYS)
    assert set(known["keep-rule"]["properties"]) == set(KEEP_KEYS)
    assert set(known["package"]["properties"]) == set(PACKAGE_KEYS)
    assert {*DELETE_KEYS, *KEEP_KEYS} - set(BY_NAME) == {"newer-than", "source-exists", "referenced-in"}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_both_take_every_example(path: Path) -> None:
    assert schema_takes(path.read_text(encoding="utf-8"))


# For each key: values that fit, and values that do not, whatever stands beside them.
VALUES: dict[str, tuple[tuple[Any, ...], tuple[Any, ...]]] = {
    "versions": (("*", ["v*", "!v1"], 1.5, True, "any", "ANY"), ("", [], ["any"], "none", {"a": 1})),
    "exclude-versions": (("v1", ["v1", 2], "none"), ("", [], "any", [["a"]])),
    "package-version-ids": ((1, "2", [3, "4"], "none"), (0, "x", [], [-1], 1.5)),
    "version-range": (("1.2", 1.2, "none"), ("", ["^1"], {})),
    "release-status": (("release", "pre-release", "any"), ("released", 3, ["any"], "")),
    "tag-status": (("tagged", "untagged", "Any"), ("tag", True, [])),
    "older-than": (("30d", "P30D", "2 weeks", "none", "0s"), (30, "30", "3m", "-3d", ["3d"], "")),
    # Longer than every age above: the parser alone refuses a rule for what is older and newer than one age.
    "newer-than": (("90d", "P31DT2H", "1 year", "None"), (3, "5 M", "P", "x", [])),
    "remove-damaged": (("ghost", ["partial", "orphaned"], "none"), ("all", [], ["none"], 3)),
    "source-gone": (("branch", ["pull-request", "tag"], "release, tag", "none"), ("commit", [], ["none"], 3)),
    "source-exists": (("release", ["branch"], "None"), ("all", {}, [3])),
    "referenced-in": (("deploy/*.yaml", ["a.yml", "b/**"], "none"), ("", ["none"], [])),
    "expired": ((True, "TRUE", False, "False"), ("yes", 1, [True], "tRUE", "")),
    "min-versions-to-keep": ((3, "4", 0, -1, "-1"), (-2, "x", 1.5, [3], True)),
    "keep-per": (("major", "minor", "/(a)/", "none"), ("patch", "/a/", 3, ["minor"])),
    "order-by": (("date", "version"), ("size", 1, ["date"])),
    "limit": ((), (3, "none")),
    "Versions": ((), ("*",)),
}

# A key without values of its own is tried with those of another key of its kind.
ROWS = {**DELETE_KEYS, **KEEP_KEYS}
ALIKE = {ROWS[name].kind: name for name in VALUES if name in ROWS}


@st.composite
def rules_of(draw: st.DrawFn, keys: tuple[str, ...]) -> list[dict[str, Any]]:
    """Draw a list of rules in which most values fit, and most keys are known."""

    def value(name: str) -> Any:
        good, bad = VALUES.get(name) or VALUES[ALIKE[ROWS[name].kind]]
        return draw(st.sampled_from(bad if not good or draw(st.integers(0, 30)) == 0 else good))

    found = []
    for _ in range(draw(st.sampled_from((0, 1, 1, 1, 1, 2)))):
        names = draw(st.lists(st.sampled_from(keys), min_size=1, max_size=4, unique=True))
        names += draw(
            st.sampled_from(([],) * 30 + (["limit"], ["Versions"], ["newer-than"], ["exclude-versions"]))
        )
        found.append({name: value(name) for name in names})
    return found


@st.composite
def documents(draw: st.DrawFn) -> Any:
    """Draw a policy of one package."""
    entry = {
        "type": draw(st.sampled_from(("container", "Container", "container", "DOCKER", "npm"))),
        "name": draw(st.sampled_from(("app", ["a*", "!ab"], ["app"]))),
        "delete": draw(rules_of(tuple(DELETE_KEYS))),
    }
    if draw(st.booleans()):
        entry["keep"] = draw(rules_of(tuple(KEEP_KEYS)))
    return {"packages": [entry]}


@settings(max_examples=150, deadline=None)
@given(documents())
def test_they_agree_on_every_document_of_these_values(document: Any) -> None:
    text = json.dumps(document)
    assert schema_takes(text) is parser_takes(text)
