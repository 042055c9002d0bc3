"""Make `docs/report.schema.json` from the lines of a report."""

import json
from typing import Any

import msgspec

from package_retention.report_format import SCHEMA, WRITTEN

Schema = dict[str, Any]


def _plain(schema: Any) -> Any:
    """Leave out defaults, and null: what is unknown is left out. Objects have no other entries."""
    if isinstance(schema, list):
        return [_plain(each) for each in schema if each != {"type": "null"}]
    if not isinstance(schema, dict):
        return schema
    found = {key: _plain(value) for key, value in schema.items() if key not in ("title", "default")}
    if "$ref" in found:
        found["$ref"] = found["$ref"].lower()
    if len(alternatives := found.get("anyOf", ())) == 1:
        return {**alternatives[0], **{key: value for key, value in found.items() if key != "anyOf"}}
    return found


def _definition(schema: Schema) -> Schema:
    if "properties" not in schema:
        return {"enum": schema["enum"]}  # what the code says of the enum is no word for users
    return {**_plain(schema), "additionalProperties": False}


def text() -> str:
    """Return the schema as the file has it."""
    lines, components = msgspec.json.schema_components(WRITTEN, ref_template="#/$defs/{name}")
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Package Retention report, schema {SCHEMA}",
        "description": "One line of a report file (JSON Lines). The first line is of kind run. A step with a starting"
        " line and no outcome line is in doubt: its change may have been made. The last line may be cut where the run"
        " was killed. Entries that are unknown or empty are left out.",
        "type": "object",
        "required": ["kind"],
        "oneOf": _plain(list(lines)),
        "$defs": {name.lower(): _definition(each) for name, each in components.items()},
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
