"""Decides versions of one kind in memory; prints CPU seconds, those of the floor, and the peak memory in MB.

The floor is to make the versions and sort them by date, which whoever decides must do.
"""

from __future__ import annotations

import gc
import hashlib
import sys
import time
from datetime import UTC, datetime, timedelta

from benchmarks.memory import peak
from package_retention.decide.deletion_plan import deletion_plan
from package_retention.decide.ecosystems import VersionParser
from package_retention.decide.facts import Facts, oldest_first
from package_retention.decide.graph import INDEX_TYPES
from package_retention.decide.patterns import Patterns
from package_retention.decide.rules import (
    DecisionContext,
    Filter,
    OrderBy,
    PackageRules,
    Retention,
    Rule,
    Series,
)
from package_retention.model import Descriptor, Manifest, Owner, OwnerKind, Package, PackageType, Version

START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 1, tzinfo=UTC)
INDEX = min(INDEX_TYPES)
IMAGE = "application/vnd.oci.image.manifest.v1+json"


def version(number: int, name: str, *tags: str) -> Version:
    """A version, one every minute."""
    at = START + timedelta(minutes=number)
    return Version(number, name, at, at, tags=tags)


def decide(kind: PackageType, facts: Facts) -> float:
    """Decide once; gives the seconds that it took."""
    retention = Retention(5, Series.MINOR, OrderBy.VERSION)
    rule = Rule("the inputs", Filter(versions=Patterns.parse("*")), retention)
    rules = PackageRules(kind, Patterns.parse("app"), delete=(rule,), exclude=Patterns.parse("*.7"))
    began = time.process_time()
    deletion_plan(facts, DecisionContext(rules, VersionParser(kind), NOW))
    return time.process_time() - began


def npm(count: int) -> Facts:
    """So many npm versions."""
    versions = tuple(version(n, f"{n // 5000}.{n // 100 % 50}.{n % 100}") for n in range(count))
    return Facts(_package(PackageType.NPM), versions, versions)


def images(count: int) -> Facts:
    """So many versions: tagged indexes of four platforms each."""
    versions: list[Version] = []
    readings: dict[str, Manifest] = {}
    for number in range(count // 5):
        first = number * 5
        children = tuple(_digest(first + place) for place in range(4))
        versions += [version(first + place, child) for place, child in enumerate(children)]
        root = _digest(first + 4)
        tag = f"{number // 1000}.{number // 20 % 50}.{number % 20}"
        versions.append(version(first + 4, root, tag))
        readings[root] = Manifest(
            root, INDEX, is_index=True, children=tuple(Descriptor(c, IMAGE) for c in children)
        )
    return Facts(_package(PackageType.CONTAINER), tuple(versions), tuple(versions), readings)


def _package(kind: PackageType) -> Package:
    return Package(Owner("octo", OwnerKind.ORGANIZATION), kind, "app")


def _digest(number: int) -> str:
    return f"sha256:{hashlib.sha256(str(number).encode()).hexdigest()}"


if __name__ == "__main__":
    gc.set_threshold(50_000, 20, 100)  # as `python -m package_retention` has it
    kind, count = PackageType(sys.argv[1]), int(sys.argv[2])
    began = time.process_time()
    facts = npm(count) if kind is PackageType.NPM else images(count)
    oldest_first(facts.union)
    floor = time.process_time() - began
    print(decide(kind, facts), floor, peak("self"))
