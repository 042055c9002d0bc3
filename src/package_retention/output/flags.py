"""Advice for a terminal: what a workflow writes as an input is a flag there."""

from __future__ import annotations

import re
import shlex

from package_retention.inputs.table import BY_NAME

_INPUT = re.compile(r"`([a-z][a-z-]+)(?:: ([^`]*))?`")


def as_flags(text: str) -> str:
    """Return a text with its inputs as flags: `dry-run: true` becomes `--dry-run`, `limit: 3` becomes `--limit 3`."""
    return _INPUT.sub(_flag, text)


def _flag(found: re.Match[str]) -> str:
    name, value = found.groups()
    if name not in BY_NAME:
        return found[0]
    if name == "token":
        return "GITHUB_TOKEN"
    if value in (None, "true"):
        return f"`--{name}`"
    return f"`--{name} {shlex.quote(value.strip(chr(39)))}`"
