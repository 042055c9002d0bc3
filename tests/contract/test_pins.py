"""Actions of others are pinned by commit, and the whole repository, its recipes and pages included, uses the same ones."""

from __future__ import annotations

import re
from collections import defaultdict

from release.fork import ROOT, tracked
from workflows import ACTION, REUSED

USES = re.compile(
    r"^[ \t]*(?:- )?uses: (?P<action>[\w.-]+/[\w./-]+)@(?P<pin>\S+)(?: # (?P<version>\S+))?", re.MULTILINE
)
# GitHub Enterprise Server runs no newer major version of these two (their README).
OLDER = {"actions/upload-artifact", "actions/download-artifact"}
SERVER = "docs/recipes/enterprise-server.yml"


def uses() -> list[tuple[str, re.Match[str]]]:
    """Every `uses:` of an action that is not this repository's, with the file that holds it."""
    listed = [name for name in tracked() if name.endswith((".yml", ".md"))]
    found = [(name, use) for name in listed for use in USES.finditer((ROOT / name).read_text("utf-8"))]
    return [
        (name, use)
        for name, use in found
        if not use[0].lstrip(" -").startswith((f"uses: {ACTION}", f"uses: {REUSED}"))
    ]


def test_every_action_is_pinned_by_commit_and_says_its_version() -> None:
    assert len(uses()) > 20
    for name, use in uses():
        assert re.fullmatch(r"[0-9a-f]{40}", use["pin"]), (name, use[0])
        assert re.fullmatch(r"v\d+\.\d+\.\d+(-node20)?", use["version"] or ""), (name, use[0])


def test_all_pins_of_an_action_agree() -> None:
    pins = defaultdict(set)
    for name, use in uses():
        if name == SERVER and use["action"] in OLDER:
            assert use["version"].startswith("v3."), use[0]
            continue
        pins[use["action"]].add((use["pin"], use["version"]))
    assert {action: len(pinned) for action, pinned in pins.items()} == dict.fromkeys(pins, 1)
