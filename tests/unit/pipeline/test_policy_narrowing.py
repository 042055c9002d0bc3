"""Type and name beside a policy file narrow it, and never widen it; several entries that reach one package."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, cast

import pytest

from clocks import FakeClock
from package_retention.errors import InputError, MissingError, PlanError, Refusal, RefusalKind
from package_retention.inputs.policy import narrowed, parse
from package_retention.inputs.settings import Settings
from package_retention.model import Operation, Owner, OwnerKind, Package, PackageType
from package_retention.output.problem_sentences import sentences
from package_retention.output.sentences import finding_words
from package_retention.pipeline.context import RunContext
from package_retention.pipeline.targets import Target, targets
from package_retention.results import Spending

if TYPE_CHECKING:
    from package_retention.ports import EventListener, PackagesApi, RegistryApi

OCTO = Owner("octo", OwnerKind.ORGANIZATION)
REPOSITORY = "octo/app"
LINKED = {"app": True, "app-a": True, "app-b": True, "app-free": False, "other": True}
POLICY = """
packages:
- {type: container, name: [app-*, other], delete: [{versions: a}], keep: [{versions: k1}]}
- {type: container, name: app, delete: [{versions: b}]}
- {type: npm, name: lib, delete: [{versions: c}]}
"""


class Api:
    """Packages of one owner, some of them linked to the repository; knows what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def owner(self, _login: str) -> Owner:
        return OCTO

    def packages(self, _owner: Owner, package_type: PackageType) -> tuple[Package, ...]:
        self.asked.append("list")
        return tuple(self._package(package_type, name) for name in LINKED)

    def fetch_ahead(self, _package: Package) -> None:
        pass

    def package(self, _owner: Owner, package_type: PackageType, name: str) -> Package:
        self.asked.append(name)
        if name not in LINKED:
            raise MissingError(Refusal(RefusalKind.NOT_FOUND, 404, f"{name} is not there", ""))
        return self._package(package_type, name)

    def some_packages(self, _owner: Owner, _type: PackageType) -> tuple[Package, ...]:
        return ()

    @staticmethod
    def _package(package_type: PackageType, name: str) -> Package:
        return Package(OCTO, package_type, name, repository=REPOSITORY if LINKED[name] else None)


def reached(policy: str, kind: PackageType | None, names: str, api: Api | None = None) -> tuple[Target, ...]:
    rules = narrowed(parse(policy.encode(), "p.yml"), kind, names, "p.yml")
    settings = Settings(Operation.DELETE, "octo", rules, token="t", repository=REPOSITORY)
    with ThreadPoolExecutor(1) as pool:
        world = RunContext(
            settings,
            cast("PackagesApi", api or Api()),
            cast("RegistryApi", None),
            FakeClock(),
            cast("EventListener", None),
            pool,
            pool,
            nonce=lambda: "",
            spent=Spending,
        )
        return targets(world)


def names(found: tuple[Target, ...]) -> list[str]:
    return [target.package.name for target in found if target.error is None]


def deletes(target: Target) -> set[str]:
    return {
        e.text
        for rule in target.rules.delete
        for e in (rule.filter.versions.entries if rule.filter.versions else ())
    }


CONTAINERS = "\n".join(POLICY.splitlines()[:4])


def test_without_a_type_or_name_the_file_alone_says_it() -> None:
    assert names(reached(CONTAINERS, None, "")) == ["app", "app-a", "app-b", "other"]
    assert [each.type for each in narrowed(parse(POLICY.encode(), "p.yml"), None, "", "p.yml")] == [
        PackageType.CONTAINER,
        PackageType.CONTAINER,
        PackageType.NPM,
    ]


@pytest.mark.parametrize(
    ("step", "found", "asked"),
    [
        ("app-a", ["app-a"], ["app-a"]),
        ("app-*", ["app-a", "app-b"], ["list"]),
        ("app", ["app"], ["app"]),
        ("APP-B, other", ["app-b", "other"], ["other", "app-b"]),
        ("*", ["app", "app-a", "app-b", "other"], ["list", "app"]),
        ("!app-a", ["app", "app-b", "other"], ["list", "app"]),
        ("oth*", ["other"], ["list"]),
    ],
)
def test_a_name_narrows(step: str, found: list[str], asked: list[str]) -> None:
    api = Api()
    assert names(reached(CONTAINERS, PackageType.CONTAINER, step, api)) == found
    assert api.asked == asked


def test_a_type_narrows() -> None:
    assert names(reached(POLICY, PackageType.CONTAINER, "")) == ["app", "app-a", "app-b", "other"]
    assert [
        each.names.literals for each in narrowed(parse(POLICY.encode(), "p"), PackageType.NPM, "", "p")
    ] == [("lib",)]


@pytest.mark.parametrize(
    ("kind", "step", "told"),
    [
        (PackageType.MAVEN, "", ["package-type: the policy file `p.yml` has no `maven` packages"]),
        (None, "ap", ["package-name: no entry of the policy file `p.yml` reaches `ap`"]),
        (
            None,
            "app, x, y",
            [f"package-name: no entry of the policy file `p.yml` reaches `{n}`" for n in "xy"],
        ),
        (PackageType.NPM, "l, lib", ["package-name: no entry of the policy file `p.yml` reaches `l`"]),
        (PackageType.NPM, "app-*", ["package-name: no entry of the policy file `p.yml` reaches `app-*`"]),
    ],
)
def test_what_no_entry_reaches_is_an_error(kind: PackageType | None, step: str, told: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        reached(POLICY, kind, step)
    assert list(sentences(caught.value.problems)) == told


def test_what_the_file_reaches_by_a_wildcard_stays_bound_to_the_repository() -> None:
    assert "app-free" not in names(reached(CONTAINERS, None, "app-*"))
    (found,) = reached(CONTAINERS, None, "app-free")
    assert isinstance(found.error, PlanError)
    assert "is not linked to octo/app" in finding_words(found.error.said)
    plain = CONTAINERS.replace("app-*", "app-free")
    assert names(reached(plain, None, "app-*")) == ["app-free"]


def test_a_missing_package_is_still_told() -> None:
    (found,) = reached(CONTAINERS, None, "app-gone")
    assert isinstance(found.error, MissingError)


def test_entries_that_reach_one_package_are_taken_together_by_what_each_reaches() -> None:
    policy = (
        CONTAINERS + "\n- {type: container, name: '*', delete: [{versions: d}], keep: [{versions: k2}]}\n"
    )
    by_name = {target.package.name: target for target in reached(policy, None, "")}
    assert deletes(by_name["app-a"]) == {"a", "d"}
    assert deletes(by_name["app"]) == {"b", "d"}
    assert len(by_name["app-a"].rules.keep) == 2
    assert len(by_name["app"].rules.keep) == 1
    assert "app-free" not in by_name


def test_a_keep_rule_protects_what_its_wildcard_names_although_nothing_links_it() -> None:
    policy = """
packages:
- {type: container, name: app-free, delete: [{versions: b}]}
- {type: container, name: '*', delete: [{versions: d}], keep: [{versions: k}]}
"""
    for step in ("", "app-free"):
        found = {target.package.name: target for target in reached(policy, None, step)}["app-free"]
        assert found.error is None
        assert deletes(found) == {"b"}
        assert len(found.rules.keep) == 1
