"""Random rules: as the step's inputs or a policy file, and as the oracle reads them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from emulator.steps import ROOT
from soak.patterns import Patterns
from soak.rules import Rule, Rules

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

_PATTERNS = (
    ("*",), ("*",), ("*", "latest"), ("1.*",), ("2.*", "v1"), ("pr-*",), ("*", "!stable"), ("!edge", "!main"), ("*-amd64",),
    ("/^[0-9]+\\.[0-9]/",), ("latest",), ("1.*", "!1.3.0"), ("*", "!*-amd64", "!*-arm64"), ("edge", "main", "stable"),
)  # fmt: skip
_EXCLUSIONS = (
    ("stable",),
    ("edge",),
    ("1.*",),
    ("*-amd64",),
    ("/\\.sig$/",),
    ("edge", "2.0.0"),
    ("main", "latest"),
)
_KEPT = (("stable", "edge"), ("1.*",), ("*",), ("*-amd64",), ("2.?.0",), ("!pr-*",))
KNOWN = frozenset(re.findall(r"^  ([\w-]+):$", (ROOT / "action.yml").read_text(), re.MULTILINE))
"""The inputs that the action has."""
_AGES = ("0s", "2d", "10d", "30d")


def rules(random: Random, names: Sequence[str]) -> Rules:
    """Draw the rules of a run; `names` are the shapes in the package."""
    found = _policy(random, names) if random.random() < 0.4 else _inputs(random, names)
    more: dict[str, str] = dict(found.given)
    changes: dict[str, Any] = {}
    if random.random() < 0.2:
        exclusions = random.choice(_EXCLUSIONS)
        if set(more.get("versions", "").split()) & set(exclusions):
            exclusions = ("stable",)  # What never matches together is refused.
        changes["exclude"], more["exclude_versions"] = Patterns(exclusions), "\n".join(exclusions)
    if random.random() < 0.1 and "companion-tags" in KNOWN:
        changes["companions"], more["companion_tags"] = Patterns(("sha-*",)), "sha-*"
    if random.random() < 0.1 and "keep-referenced-in" in KNOWN:
        tag = random.choice(("1.0.0", "edge", "2.0.0"))
        changes["files"] = {"deploy.yaml": f"image: ghcr.io/octo/app:{tag}\n"}
        changes["referenced_tags"], more["keep_referenced_in"] = frozenset({tag}), "deploy.yaml"
    if random.random() < 0.15:
        limit = random.randint(1, 4)
        changes["limit"], more["limit"] = limit, str(limit)
    if random.random() < 0.15:
        # A file of its own: what another world had in it would count as there, also where this one has lost it.
        more["manifest_cache"] = f"cache-{random.getrandbits(32)}"
    return replace(found, given=more, **changes)


def _inputs(random: Random, names: Sequence[str]) -> Rules:
    given: dict[str, str] = {}
    rule = _rule(random, names, given)
    untag = rule.versions is not None and random.random() < 0.2
    whole = random.random() < 0.15
    if untag:
        given["untag"] = "true"
    if whole:
        given["delete_package"] = "when-empty"
    return Rules((rule,), untag=untag, whole=whole, given=given)


def _rule(random: Random, names: Sequence[str], given: dict[str, str], *, damage: bool = True) -> Rule:
    """Draw a delete rule, and write it as inputs."""
    found = Rule()
    main = random.choice(
        ("versions", "versions", "versions", "status", "status", "age", "keep", "keep", "ids", "damage")
    )
    if main == "damage" and not damage:
        main = "age"
    match main:
        case "versions":
            found = replace(found, versions=Patterns(random.choice(_PATTERNS)))
            given["versions"] = str(found.versions)
        case "status":
            status = random.choice(("tagged", "untagged"))
            found, given["tag_status"] = replace(found, tag_status=status), status
        case "ids":
            some = tuple(random.sample(list(names), min(len(names), random.randint(1, 5))))
            found, given["package_version_ids"] = replace(found, names=some), "\n".join(some)
        case "damage":
            chosen = random.sample(("ghost", "partial", "orphaned"), random.randint(1, 3))
            found, given["remove_damaged"] = replace(found, damage=frozenset(chosen)), "\n".join(chosen)
    if main == "age" or random.random() < 0.4:
        text = random.choice(_AGES)
        found, given["older_than"] = replace(found, older_than=duration(text)), text
    if main in {"keep", "versions", "status", "age"} and (main == "keep" or random.random() < 0.4):
        found = _retention(random, found, given)
    if found.versions is None and found.tag_status != "untagged" and random.random() < 0.1:
        found = _by_version(random, found, given)
    return found


def _retention(random: Random, rule: Rule, given: dict[str, str]) -> Rule:
    rule = replace(rule, keep=random.randint(1, 4))
    given["min_versions_to_keep"] = str(rule.keep)
    if rule.tag_status != "untagged" and random.random() < 0.25:
        per = random.choice(("major", "minor"))
        rule, given["keep_per"] = replace(rule, per=per), per
    if rule.tag_status != "untagged" and random.random() < 0.25:
        rule, given["order_by"] = replace(rule, by_version=True), "version"
    return rule


def _by_version(random: Random, rule: Rule, given: dict[str, str]) -> Rule:
    if random.random() < 0.5:
        status = random.choice(("release", "pre-release"))
        given["release_status"] = status
        return replace(rule, release_status=status)
    below = random.choice(((1, 3, 0), (2, 0, 0), (2, 1, 0)))
    given["version_range"] = f"<{'.'.join(map(str, below))}"
    return replace(rule, below=below)


def duration(text: str) -> timedelta:
    number, unit = int(text[:-1]), text[-1]
    return timedelta(days=number) if unit == "d" else timedelta(seconds=number)


def _policy(random: Random, names: Sequence[str]) -> Rules:
    """Draw a policy file of one entry, with keep and delete rules."""
    delete, keep = [], []
    text = "packages:\n  - type: container\n    name: app\n"
    written = []
    for _ in range(random.randint(0, 2)):
        given: dict[str, str] = {}
        keep.append(_keep_rule(random, names, given))
        written.append(_yaml(given))
    if written:
        text += "    keep:\n" + "".join(written)
    written = []
    for _ in range(random.randint(1, 2)):
        given = {}
        delete.append(_rule(random, names, given))
        written.append(_yaml(given))
    text += "    delete:\n" + "".join(written)
    return Rules(tuple(delete), tuple(keep), policy=text, given={"policy_file": "policy.yml"})


def _keep_rule(random: Random, names: Sequence[str], given: dict[str, str]) -> Rule:
    found = Rule()
    match random.choice(("versions", "versions", "newer", "keep", "ids")):
        case "versions":
            found = replace(found, versions=Patterns(random.choice(_KEPT)))
            given["versions"] = str(found.versions)
        case "newer":
            found, given["newer_than"] = replace(found, newer_than=duration("10d")), "10d"
        case "ids":
            some = tuple(random.sample(list(names), min(len(names), 2)))
            found, given["package_version_ids"] = replace(found, names=some), "\n".join(some)
        case _:
            return _retention(random, found, given)
    return _retention(random, found, given) if random.random() < 0.4 and found.newer_than is None else found


def _yaml(given: dict[str, str]) -> str:
    lines = []
    for name, value in given.items():
        values = [f"'{one}'" for one in value.split("\n")]
        lines.append(
            f"{name.replace('_', '-')}: [{', '.join(values)}]"
            if len(values) > 1
            else f"{name.replace('_', '-')}: {values[0]}"
        )
    return "      - " + "\n        ".join(lines) + "\n"
