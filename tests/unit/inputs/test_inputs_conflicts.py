"""Contradictions, missing filters, policy files, and the words of the other action."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from package_retention.decide.patterns import Patterns
from package_retention.decide.rules import PackageRules, ReleaseStatus, TagStatus
from package_retention.errors import InputError
from package_retention.inputs.settings import read_settings
from package_retention.model import PackageType
from package_retention.output.problem_sentences import sentences

if TYPE_CHECKING:
    from package_retention.inputs.settings import Settings

TOKEN = "ghp_0123456789abcdef"
RUNNER = {"GITHUB_REPOSITORY_OWNER": "octo-org", "GITHUB_REPOSITORY": "octo-org/app", "INPUT_TOKEN": TOKEN}
NAMED = {"package-type": "container", "package-name": "app"}
D = "sha256:" + "a1" * 32


SOMEWHERE = Path("/somewhere")


def with_policy(folder: Path, *types: PackageType) -> Path:
    """Write a policy file with one rule for packages of each type; of no type, it is empty."""
    packages = [{"type": each, "name": "app", "delete": [{"versions": "pr-*"}]} for each in types]
    (folder / "p.yml").write_text(json.dumps({"packages": packages}) if types else "", encoding="utf-8")
    return folder


def settings(given: dict[str, str], folder: Path = SOMEWHERE) -> Settings:
    environ = {**RUNNER, **{f"INPUT_{name.upper()}": value for name, value in given.items()}}
    return read_settings(environ, folder)


def problems(given: dict[str, str], folder: Path = SOMEWHERE) -> tuple[str, ...]:
    with pytest.raises(InputError) as caught:
        settings(given, folder)
    return sentences(caught.value.problems)


def rules(given: dict[str, str]) -> PackageRules:
    return settings({**NAMED, **given}).rules[0]


@pytest.mark.parametrize(
    ("operation", "name", "value"),
    [
        ("delete", "deleted-within", "3d"),
        ("list", "deleted-within", "3d"),
        ("list", "from-report", "report.json"),
        ("restore", "min-versions-to-keep", "3"),
        ("restore", "older-than", "3d"),
        ("restore", "fail-if-more-than", "3"),
        ("restore", "delete-package", "when-empty"),
        ("restore", "untag", "true"),
        ("restore", "remove-damaged", "ghost"),
        ("restore", "policy-file", "policy.yml"),
    ],
)
def test_inputs_that_an_operation_does_not_take(operation: str, name: str, value: str) -> None:
    told = problems({**NAMED, "versions": "*", "operation": operation, name: value})
    assert told == (f"`{name}` and `operation: {operation}`: {operation} does not take it",)


@pytest.mark.parametrize("name", ["keep-per", "order-by"])
def test_restore_takes_none_of_the_retention_group(name: str) -> None:
    value = {"keep-per": "major", "order-by": "version"}[name]
    told = problems({**NAMED, "versions": "*", "operation": "restore", name: value})
    assert f"`{name}` and `operation: restore`: restore does not take it" in told


@pytest.mark.parametrize("given", [{"limit": "3"}, {"deleted-within": "3d"}, {"from-report": "r.json"}])
def test_restore_takes_these(given: dict[str, str]) -> None:
    assert settings({**NAMED, "operation": "restore", **given}).rules[0].delete


FILTERS = [
    {"versions": "v1"},
    {"package-version-ids": "1"},
    {"version-range": "^1"},
    {"release-status": "release"},
    {"tag-status": "untagged"},
    {"older-than": "0s"},
    {"remove-damaged": "ghost"},
    {"min-versions-to-keep": "1"},
    {"limit": "1"},
]


@pytest.mark.parametrize("given", FILTERS)
def test_each_filter_is_one(given: dict[str, str]) -> None:
    assert settings({**NAMED, **given})


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"exclude-versions": "v1"},
        {"min-versions-to-keep": "0"},
        {"min-versions-to-keep": "00"},
        {"min-versions-to-keep": "-1"},
        {"versions": "ANY"},
        {"dry-run": "true"},
        {"from-report": "report.json"},
        {"fail-if-more-than": "3"},
        {"untag": "true"},
    ],
)
def test_delete_without_a_filter_is_refused(given: dict[str, str]) -> None:
    told = problems({**NAMED, **given})
    (sentence,) = told
    assert sentence.startswith("no filter: every version would go; ")
    assert "versions: '*'" not in sentence


def test_restore_without_a_filter_is_refused() -> None:
    told = problems({**NAMED, "operation": "restore", "exclude-versions": "v1"})
    assert told == ("no filter: every deleted version would come back; add for example `deleted-within: 3d`",)


def test_a_list_needs_no_filter() -> None:
    assert settings({**NAMED, "operation": "list"})


def test_a_filter_that_does_not_fit_was_meant_as_one() -> None:
    assert len(problems({**NAMED, "older-than": "soon"})) == 1
    assert len(problems({**NAMED, "older-than": ""})) == 1
    assert len(problems({**NAMED, "delete-only-untagged-versions": "maybe"})) == 1


def test_a_policy_file_brings_its_own_names(tmp_path: Path) -> None:
    with_policy(tmp_path, PackageType.NPM, PackageType.CONTAINER)
    found = settings({"policy-file": "p.yml", "exclude-versions": "v1", "limit": "4"}, tmp_path)
    assert [each.type for each in found.rules] == [PackageType.NPM, PackageType.CONTAINER]
    for each in found.rules:
        assert each.within is None
        assert each.exclude
        assert each.exclude.matches("v1")
        assert each.limit == 4


def test_a_policy_file_gets_the_steps_type_and_name(tmp_path: Path) -> None:
    with_policy(tmp_path, PackageType.NPM, PackageType.CONTAINER)
    (found,) = settings({**NAMED, "policy-file": "p.yml"}, tmp_path).rules
    assert found.type is PackageType.CONTAINER
    assert found.within == Patterns.parse("app")


@pytest.mark.parametrize("given", FILTERS[:-1])
def test_a_filter_beside_a_policy_file_is_refused(given: dict[str, str], tmp_path: Path) -> None:
    with_policy(tmp_path, PackageType.CONTAINER)
    told = problems({**NAMED, "policy-file": "p.yml", **given}, tmp_path)
    assert len(told) == 1
    assert told[0].startswith(f"`{next(iter(given))}` and `policy-file`: ")


def test_a_policy_files_problems_stand_beside_the_others(tmp_path: Path) -> None:
    told = problems({"policy-file": "p.yml", "dry-run": "maybe"}, with_policy(tmp_path))
    assert sorted(told) == [
        "dry-run: `maybe` is neither `true` nor `false`",
        "p.yml:1:1: is empty; a policy begins with `packages:`",
    ]


def test_untag_needs_a_container_in_the_policy(tmp_path: Path) -> None:
    given = {"policy-file": "p.yml", "untag": "true"}
    assert settings(given, with_policy(tmp_path, PackageType.NPM, PackageType.CONTAINER)).untag
    assert problems(given, with_policy(tmp_path, PackageType.NPM))[0].startswith("untag: ")


def test_number_of_old_versions_is_a_limit() -> None:
    assert rules({"num-old-versions-to-delete": "3"}).limit == 3
    assert rules({"num-old-versions-to-delete": "3", "ignore-versions": "^v"}).limit == 3


def test_ignored_versions_are_an_exclusion_on_everything() -> None:
    found = rules({"min-versions-to-keep": "2", "ignore-versions": "^(v1|sha256:a1)"})
    assert found.limit is None
    assert found.exclude
    assert found.exclude.matches("v1.0")
    assert found.exclude.matches_digest(D)
    assert not found.exclude.matches("v2")


def test_ignored_versions_alone_mean_one() -> None:
    assert rules({"ignore-versions": "^v1"}).limit == 1
    assert rules({"ignore-versions": "^v1", "min-versions-to-keep": "0"}).limit == 1
    assert rules({"ignore-versions": "^v1", "dry-run": "true"}).limit == 1
    assert rules({"ignore-versions": "^v1", "older-than": "3d"}).limit is None
    assert problems({**NAMED, "ignore-versions": "^v1", "operation": "restore"})
    assert settings({**NAMED, "ignore-versions": "^v1", "operation": "list"}).rules[0].limit is None


def test_flags_of_the_other_action() -> None:
    untagged = rules({"delete-only-untagged-versions": "true"}).delete[0].filter
    assert untagged.tag_status is TagStatus.UNTAGGED
    pre = rules({"delete-only-pre-release-versions": "true"}).delete[0].filter
    assert pre.release_status is ReleaseStatus.PRE_RELEASE
    both = {"delete-only-pre-release-versions": "false", "delete-only-untagged-versions": "False"}
    assert rules({**both, "versions": "*"}).delete[0].filter.tag_status is None
    assert problems({**NAMED, **both})


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            {"num-old-versions-to-delete": "3", "limit": "3"},
            "`num-old-versions-to-delete` and `limit` mean the same",
        ),
        (
            {"ignore-versions": "a", "exclude-versions": "b", "limit": "1"},
            "`ignore-versions` and `exclude-versions`",
        ),
        (
            {"delete-only-untagged-versions": "true", "tag-status": "tagged"},
            "`delete-only-untagged-versions` and `tag-status`",
        ),
        (
            {"delete-only-pre-release-versions": "true", "release-status": "release"},
            "`delete-only-pre-release-versions` and `release-status`",
        ),
        ({"num-old-versions-to-delete": "all"}, "num-old-versions-to-delete: `all` is not a whole number"),
        (
            {"num-old-versions-to-delete": ""},
            "num-old-versions-to-delete: evaluated to nothing; write `none`",
        ),
        ({"ignore-versions": "(", "limit": "1"}, "ignore-versions: `(` is not a regular expression"),
        ({"ignore-versions": "/^v1/", "limit": "1"}, "ignore-versions: `/^v1/` has slashes around it"),
        ({"limit": ""}, "limit: evaluated to nothing; write `none`"),
        ({"tag-status": ""}, "tag-status: evaluated to nothing; write `any`"),
        ({"ignore-versions": "", "limit": "1"}, "ignore-versions: evaluated to nothing"),
        ({"delete-only-untagged-versions": "yes"}, "delete-only-untagged-versions: `yes` is neither"),
        (
            {"delete-only-untagged-versions": "true", "package-type": "maven"},
            "delete-only-untagged-versions: is for container and docker packages",
        ),
    ],
)
def test_problems_name_the_other_actions_words(given: dict[str, str], told: str) -> None:
    found = problems({**NAMED, **given})
    assert len(found) == 1, found
    assert told in found[0]


def test_a_flag_of_the_other_action_that_does_not_fit_is_reported_beside_its_twin() -> None:
    found = problems({**NAMED, "delete-only-untagged-versions": "yes", "tag-status": "tagged"})
    assert len(found) == 2, found


def test_the_other_actions_words_beside_a_policy_file(tmp_path: Path) -> None:
    with_policy(tmp_path, PackageType.CONTAINER)
    given = {"policy-file": "p.yml", "num-old-versions-to-delete": "2", "ignore-versions": "^v1"}
    found = settings(given, tmp_path).rules[0]
    assert found.limit == 2
    assert found.exclude
    told = problems({"policy-file": "p.yml", "delete-only-untagged-versions": "true"}, tmp_path)
    assert told[0].startswith("`delete-only-untagged-versions` and `policy-file`")


@pytest.mark.parametrize(
    ("given", "limit", "minimum"),
    [
        ({"package-version-ids": "45763"}, None, 0),
        ({"package-version-ids": "45763, 88094, 24772"}, None, 0),
        ({"num-old-versions-to-delete": "1"}, 1, 0),
        ({"min-versions-to-keep": "10", "ignore-versions": "^(v1|v2)$"}, None, 10),
        ({"min-versions-to-keep": "10", "delete-only-pre-release-versions": "true"}, None, 10),
        ({"min-versions-to-keep": "0", "delete-only-untagged-versions": "true"}, None, 0),
        ({"min-versions-to-keep": "-1", "num-old-versions-to-delete": "7"}, 7, 0),
    ],
)
def test_its_documented_examples_are_accepted(given: dict[str, str], limit: int | None, minimum: int) -> None:
    found = rules(given)
    assert found.limit == limit
    assert found.delete[0].retention.minimum == minimum
