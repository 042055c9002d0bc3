"""Reading JSON from strangers: every field is what the specification says, or the whole is nonsense."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

Table = dict[str, Any]


class NonsenseError(ValueError):
    """Something is not what the specification says; the message names it."""


def document(body: bytes, fields: Mapping[str, str]) -> Table:
    """Read a JSON object; `fields` maps the lower-case name of each field that matters to its right spelling.

    Raises `NonsenseError` also where readers could differ over it: keys twice (the first or the last?), and
    spellings such as `Manifests` (Go matches names in any case, so a client reads what would be passed over here).
    """
    try:
        found = json.loads(body, object_pairs_hook=_unique, parse_constant=_refuse)
    except NonsenseError:
        raise
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise NonsenseError("it is no JSON that can be read") from error
    if not isinstance(found, dict):
        raise NonsenseError("it is no JSON object")
    for name in found:
        if (right := fields.get(name.lower(), name)) != name:
            raise NonsenseError(f"{right} is spelled in another way")
    return found


def table(holder: Table, name: str) -> Table:
    """An object inside an object; absent and null are an empty one."""
    value = holder.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise NonsenseError(f"{name} is no object")
    return value


def entries(holder: Table, name: str) -> list[Any]:
    """A list; absent and null are an empty one."""
    value = holder.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise NonsenseError(f"{name} is no list")
    return value


def tables(holder: Table, name: str) -> list[Table]:
    """A list of objects."""
    found = entries(holder, name)
    if not all(isinstance(entry, dict) for entry in found):
        raise NonsenseError(f"an entry of {name} is no object")
    return found


def text(holder: Table, name: str) -> str:
    """A text that can be printed; absent and null are an empty one."""
    value = holder.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise NonsenseError(f"{name} is no text")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise NonsenseError(f"{name} holds half a character")
    return value


def whole_number(holder: Table, name: str) -> int:
    """A whole number from 0; absent, null and negative ones are 0."""
    value = holder.get(name)
    if value is None:
        return 0
    if not isinstance(value, int) or isinstance(value, bool):
        raise NonsenseError(f"{name} is no whole number")
    return max(0, value)


def _unique(pairs: list[tuple[str, Any]]) -> Table:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NonsenseError("it holds a key twice")
    return found


def _refuse(_constant: str) -> None:
    raise NonsenseError("it holds a number that JSON does not know")
