"""Make `docs/policy.schema.json`, for editors, from the table of inputs.

A rule may be refused more strictly by the action than by the schema, never less.
"""

import json
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from package_retention.decide.rules import OrderBy, ReleaseStatus, TagStatus
from package_retention.inputs import values
from package_retention.inputs.conflicts import NEED_TAGS
from package_retention.inputs.rows import Input, Section
from package_retention.inputs.table import keys_of
from package_retention.inputs.trees import LONGEST_TEXT
from package_retention.model import Damage, GitKind, PackageType

Schema = dict[str, Any]

_LARGEST = 10**18 - 1


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _in_any_case(word: str) -> str:
    return "".join(f"[{c.upper()}{c}]" if c.isalpha() else c for c in word)


def _one_of(*spelled: str) -> str:
    """Match one of these expressions, blanks around it left aside."""
    return rf"^\s*(?:{'|'.join(spelled)})\s*$"


def _any_case(words: Iterable[str]) -> str:
    """Match one of these words in any case."""
    return _one_of(*map(_in_any_case, words))


def _choice(choices: type[StrEnum], default: str) -> Schema:
    exact = [each for each in choices if each != default]
    pattern = _one_of(*exact, _in_any_case(default))
    return {"anyOf": [{"enum": [*exact, default]}, {"type": "string", "pattern": pattern}]}


def _list_of(entry: Schema, text: Schema | None = None) -> Schema:
    return {"anyOf": [entry, {"type": "array", "minItems": 1, "items": entry}, *([text] if text else [])]}


def _full_list(name: str, description: str) -> Schema:
    return {"description": description, "type": "array", "minItems": 1, "items": _ref(name)}


def _choices(choices: type[StrEnum]) -> Schema:
    # A text is split as the input is; a list's entries are taken whole.
    split = rf"(?:^|[\s,])(?:{'|'.join(choices)})(?:[\s,]|$)"
    text = {"type": "string", "pattern": split, "maxLength": LONGEST_TEXT}
    return _list_of({"enum": list(choices)}, text)


_KINDS: Mapping[values.Kind, Schema] = {
    values.package_type: {
        "anyOf": [{"enum": list(PackageType)}, {"type": "string", "pattern": _any_case(PackageType)}]
    },
    **dict.fromkeys((values.names, values.patterns, values.tag_patterns, values.globs), _ref("patterns")),
    values.ids: _list_of(_ref("id")),
    values.version_range: _ref("text"),
    values.release_status: _choice(ReleaseStatus, "any"),
    values.tag_status: _choice(TagStatus, "any"),
    values.order_by: _choice(OrderBy, "date"),
    values.duration: _ref("duration"),
    values.damages: _choices(Damage),
    values.git_kinds: _choices(GitKind),
    values.truth: {"anyOf": [{"const": True}, {"type": "string", "pattern": r"^\s*(?:true|True|TRUE)\s*$"}]},
    values.minimum: _ref("at-least-one"),
    values.series: {
        "type": "string",
        "maxLength": LONGEST_TEXT,
        "pattern": r"^\s*(?:major|minor|[Nn][Oo][Nn][Ee]|/[\s\S]*\([\s\S]*/[ims]*)\s*$",
    },
}
# How a default is written.
_DEFAULTS = {"any": "any", "none": "none", "date": "date", "false": "false", "0": "zero"}

_DEFS: Mapping[str, Schema] = {
    "text": {
        "description": "A text, as it is written: `1.10` stays `1.10`, `on` stays `on`.",
        "type": ["string", "number", "boolean"],
        "minLength": 1,
        "maxLength": LONGEST_TEXT,
        "pattern": r"\S",
    },
    "entry": {
        "allOf": [
            _ref("text"),
            {
                "not": {
                    "type": "string",
                    "pattern": r"^\s*!?\s*(?:[Aa][Nn][Yy]|[Nn][Oo][Nn][Ee])\s*$",
                }
            },
        ]
    },
    "patterns": {
        "description": "Literals, globs (`*`, `?`, `[…]`) or regular expressions between slashes; a leading `!` takes"
        " matches away.",
        **_list_of(_ref("entry")),
    },
    "duration": {
        "description": "A duration: `90s`, `15min`, `36h`, `30d`, `2w`, `6 months`, `1 year`, `P30D`.",
        "type": "string",
        "maxLength": LONGEST_TEXT,
        "pattern": r"^\s*(?:[Nn][Oo][Nn][Ee]|P(?=.*[0-9])[0-9.,YMWDTHS]+"
        r"|(?!.*[0-9]\s*[mM](?![A-Za-z0-9_]))(?:[0-9]+(?:\.[0-9]+)?\s*[A-Za-z]+\s*)+)\s*$",
    },
    "id": {
        "anyOf": [
            {"type": "integer", "minimum": 1, "maximum": _LARGEST},
            {"type": "string", "pattern": "[1-9]", "maxLength": LONGEST_TEXT},
        ]
    },
    "at-least-one": {
        "anyOf": [
            {"type": "integer", "minimum": 1, "maximum": _LARGEST},
            {"type": "string", "pattern": r"^\s*(?=[0-9]*[1-9])[0-9]{1,18}\s*$"},
        ]
    },
    "zero": {"anyOf": [{"enum": [0, -1]}, {"type": "string", "pattern": r"^\s*(?:-1|0+)\s*$"}]},
    "everything": _list_of({"const": "*"}),
    "false": {"anyOf": [{"const": False}, {"type": "string", "pattern": _any_case(["false"])}]},
    **{word: {"type": "string", "pattern": _any_case([word])} for word in ("any", "none", "date")},
}


def _is_default(each: Input) -> Schema:
    return _ref(_DEFAULTS[each.default])


def _property(each: Input, section: Section) -> Schema:
    found = [_KINDS[each.kind]]
    # A keep rule that keeps the newest 0 would keep nothing.
    if each.default and not (section is Section.KEEP and each.default == "0"):
        found.append(_is_default(each))
    return {
        "description": each.description + ".",
        **({"anyOf": found} if len(found) > 1 or "$ref" in found[0] else found[0]),
    }


def _given(name: str, *no_condition: Schema) -> Schema:
    """Require a key that has none of these values."""
    other: Schema = {"not": no_condition[0] if len(no_condition) == 1 else {"anyOf": list(no_condition)}}
    return {"required": [name], "properties": {name: other}}


def _needs(rows: Mapping[str, Input], name: str, *one_of: Schema) -> Schema:
    return {"if": _given(name, _is_default(rows[name])), "then": {"anyOf": list(one_of)}}


def _not_untagged(rows: Mapping[str, Input]) -> Schema:
    """Forbid conditions on tags beside `tag-status: untagged`: such images have neither tags nor versions, but digests."""
    digest = {"type": "string", "pattern": "sha256:"}
    no = {name: _is_default(rows[name]) for name in NEED_TAGS if name in rows}
    tags = {"anyOf": [_is_default(rows["versions"]), digest, {"type": "array", "contains": digest}]}
    untagged = {"type": "string", "pattern": r"^\s*untagged\s*$"}
    return {
        "if": {"required": ["tag-status"], "properties": {"tag-status": untagged}},
        "then": {"properties": no | {"versions": tags}},
    }


def _rule(section: Section, description: str) -> Schema:
    rows = keys_of(section)
    conditions = [_given(name, _is_default(each)) for name, each in rows.items() if each.is_filter]
    minimum = _given("min-versions-to-keep", _ref("zero"))
    needs = [_needs(rows, name, minimum) for name, each in rows.items() if each.needs_minimum]
    needs.append(_not_untagged(rows))
    if section is Section.DELETE:
        tags, excluded = _given("tag-status", _ref("any")), _given("exclude-versions", _ref("none"))
        needs += [
            _needs(rows, "source-gone", _given("versions", _ref("any"), _ref("everything")), excluded),
            _needs(rows, "expired", _given("versions", _ref("any")), tags, excluded),
        ]
    return {
        "description": description,
        "type": "object",
        "additionalProperties": False,
        "properties": {name: _property(each, section) for name, each in rows.items()},
        "anyOf": conditions,
        "allOf": needs,
    }


def _only_for(types: tuple[PackageType, ...]) -> Schema:
    """Hold the keys that only these types have at their default for any other type."""
    known = {"required": ["type"], "properties": {"type": {"type": "string", "pattern": _any_case(types)}}}

    def defaults(section: Section) -> Schema:
        rows = (each for each in keys_of(section).values() if each.types == types)
        return {each.key: _is_default(each) for each in rows}

    rules = {
        section.value: {"items": {"properties": found}}
        for section in (Section.KEEP, Section.DELETE)
        if (found := defaults(section))
    }
    return {"if": {"not": known}, "then": {"properties": {**defaults(Section.PACKAGE), **rules}}}


def _package() -> Schema:
    rows = keys_of(Section.PACKAGE)
    bound = {
        each.types: None
        for section in Section
        for each in keys_of(section).values()
        if each.types != tuple(PackageType)
    }
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["type", "name", "delete"],
        "properties": {
            **{key: _property(each, Section.PACKAGE) for key, each in rows.items()},
            "keep": _full_list("keep-rule", "What stays, even if a delete rule matches it."),
            "delete": _full_list("delete-rule", "What is deleted."),
        },
        "allOf": [_only_for(types) for types in bound],
    }


def text() -> str:
    """Return the schema as the file has it."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Package Retention policy",
        "description": "Rules for the versions of GitHub Packages; docs/policies.md explains them. The action may refuse"
        " more than this schema does.",
        "type": "object",
        "additionalProperties": False,
        "required": ["packages"],
        "properties": {
            "packages": _full_list(
                "package",
                "The packages, each with its rules; those of several entries that reach one package are taken together.",
            )
        },
        "$defs": {
            "package": _package(),
            "keep-rule": _rule(Section.KEEP, "Any keep rule that matches wins over every delete rule."),
            "delete-rule": _rule(Section.DELETE, "Any delete rule that matches is enough."),
            **_DEFS,
        },
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
