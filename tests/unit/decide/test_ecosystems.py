"""Versions as their ecosystems' own tools read them: `tests/data/version-truth` holds what these say."""

from __future__ import annotations

import json
import re
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import pytest

from package_retention.decide.ecosystems import VersionNumber, VersionParser
from package_retention.inputs import values
from package_retention.model import PackageType
from package_retention.output.problem_sentences import sentences
from package_retention.problems import InvalidValueError

_TRUTH = Path(__file__).parents[2] / "data" / "version-truth"
_TYPES = (PackageType.MAVEN, PackageType.NPM, PackageType.NUGET, PackageType.RUBYGEMS)
_ALL = (*_TYPES, PackageType.CONTAINER)


def _truth(package_type: PackageType) -> Any:
    return json.loads((_TRUTH / f"{package_type}.json").read_text(encoding="utf-8"))


def _entries(key: str) -> list[Any]:
    return [
        pytest.param(kind, entry, id=f"{kind}-{entry!r:.60}")
        for kind in _TYPES
        for entry in _truth(kind)[key]
    ]


def _parsed(package_type: PackageType, text: str) -> VersionNumber:
    version = VersionParser(package_type).of(text)
    assert version is not None, f"{text} has no version"
    return version


def _members(package_type: PackageType, text: str, candidates: list[str]) -> set[str]:
    found = VersionParser(package_type).parse_range(text)
    return {each for each in candidates if found.contains(_parsed(package_type, each))}


def test_tables_are_whole() -> None:
    sizes = {
        kind: {key: len(_truth(kind)[key]) for key in ("order", "prerelease", "ranges")} for kind in _TYPES
    }
    assert sizes == {
        PackageType.MAVEN: {"order": 132, "prerelease": 212, "ranges": 23},
        PackageType.NPM: {"order": 82, "prerelease": 88, "ranges": 35},
        PackageType.NUGET: {"order": 78, "prerelease": 100, "ranges": 23},
        PackageType.RUBYGEMS: {"order": 110, "prerelease": 136, "ranges": 27},
    }


@pytest.mark.parametrize("package_type", _TYPES)
def test_order_is_the_tools(package_type: PackageType) -> None:
    ranked = [
        (rank, _parsed(package_type, text))
        for rank, equals in enumerate(_truth(package_type)["order"])
        for text in equals
    ]
    wrong = [
        (one.text, other.text)
        for (left, one), (right, other) in product(ranked, ranked)
        if (one < other, one == other) != (left < right, left == right)
    ]
    assert wrong == []
    assert all(hash(one) == hash(other) for (_, one), (_, other) in product(ranked, ranked) if one == other)


@pytest.mark.parametrize("package_type", _TYPES)
def test_prerelease_verdicts_are_the_tools(package_type: PackageType) -> None:
    verdicts = _truth(package_type)["prerelease"]
    assert {text: _parsed(package_type, text).prerelease for text in verdicts} == verdicts


@pytest.mark.parametrize(("package_type", "text"), _entries("invalid"))
def test_what_the_tool_refuses_has_no_version(package_type: PackageType, text: str) -> None:
    assert VersionParser(package_type).of(text) is None


@pytest.mark.parametrize(("package_type", "entry"), _entries("ranges"))
def test_ranges_hold_what_the_tool_says(package_type: PackageType, entry: dict[str, Any]) -> None:
    candidates = list(_truth(package_type)["prerelease"])
    assert _members(package_type, entry["range"], candidates) == set(entry["members"])


@pytest.mark.parametrize(
    ("text", "expected"), json.loads((_TRUTH / "container.json").read_text())["tags"].items()
)
def test_container_tags(text: str, expected: dict[str, Any] | None) -> None:
    version = VersionParser(PackageType.CONTAINER).of(text)
    got = version and {"prerelease": version.prerelease, "variant": version.variant}
    assert got == expected


def test_docker_is_read_as_container() -> None:
    tags = json.loads((_TRUTH / "container.json").read_text())["tags"]
    docker, container = (VersionParser(kind) for kind in (PackageType.DOCKER, PackageType.CONTAINER))
    assert [repr(docker.of(tag)) for tag in tags] == [repr(container.of(tag)) for tag in tags]


def test_order_of_container_tags() -> None:
    ascending = [
        "1.2.3-alpha",
        "1.2.3-alpha.1",
        "1.2.3-alpha.beta",
        "1.2.3-beta.2",
        "1.2.3-beta.11",
        "1.2.3-rc.1",
        "1.2.3",
        "1.2.3.1rc1",
        "1.2.3.1rc2",
        "1.2.3.1rc10",
        "1.2.3.1",
        "1.2.3.10",
        "1.2.4",
        "1.10.0",
        "2024.01.15",
        "99999999999999999999.0.0",
    ]
    versions = [_parsed(PackageType.CONTAINER, text) for text in ascending]
    assert sorted(versions, reverse=True) == versions[::-1]
    assert all(one < other for one, other in pairwise(versions))


def test_equal_container_tags() -> None:
    equals = [_parsed(PackageType.CONTAINER, text) for text in ("v1.2.3", "1.2.3", "1.2.3.0", "01.02.03")]
    assert all(version == equals[0] for version in equals)
    plain, alpine = (_parsed(PackageType.CONTAINER, text) for text in ("1.2.3", "1.2.3-alpine"))
    assert plain > alpine, "an image tagged both ways counts as the plain one"


@pytest.mark.parametrize(
    "text",
    [
        "1.2.3-prod",
        "1.2.3-musl",
        "1.2.3-amd64",
        "1.2.3-b4f9e21",
        "1.2.3-bullseye",
        "1.2.3-arm64v8",
        "1.2.3-m6g",
    ],
)
def test_words_that_only_look_like_a_prerelease_are_variants(text: str) -> None:
    version = _parsed(PackageType.CONTAINER, text)
    assert (version.prerelease, version.variant) == (False, text.partition("-")[2])


@pytest.mark.parametrize(
    "text",
    [
        "1.2.3-",
        "1.2.3--alpine",
        "1.2.3.4.5",
        "V1.2.3",
        "1.2.3foo",
        "1.2.3+build",
        "1.2.3-β",
        "1.2.3-" + "a" * 128,
    ],
)
def test_tags_that_are_no_version(text: str) -> None:
    assert VersionParser(PackageType.CONTAINER).of(text) is None


_TAGS = [
    *("1.2.3", "1.2.3-alpine", "1.2.3.4", "1.2.4-slim-bookworm", "1.3.0", "2.0.0", "v1.9.9"),
    *("1.2.3-rc.1", "1.2.3-rc.2-alpine", "1.3.0-beta.1", "2.0.0-rc1", "2.0.0rc1"),
]


@pytest.mark.parametrize(
    ("text", "members"),
    [
        ("1.2.x", "1.2.3 1.2.3-alpine 1.2.3.4 1.2.4-slim-bookworm"),
        ("1.2.3", "1.2.3 1.2.3-alpine"),
        ("^1.2.4", "1.2.4-slim-bookworm 1.3.0 v1.9.9"),
        ("<=1.2.3", "1.2.3 1.2.3-alpine"),
        (">1.2.3 <1.3", "1.2.3.4 1.2.4-slim-bookworm"),
        (">=1.2.3-rc.2 <1.2.4", "1.2.3 1.2.3-alpine 1.2.3.4 1.2.3-rc.2-alpine"),
        (">=2.0.0-0", "2.0.0 2.0.0-rc1 2.0.0rc1"),
        ("1.2 - 1.3 || 2.x", "1.2.3 1.2.3-alpine 1.2.3.4 1.2.4-slim-bookworm 1.3.0 2.0.0"),
        ("*", "1.2.3 1.2.3-alpine 1.2.3.4 1.2.4-slim-bookworm 1.3.0 2.0.0 v1.9.9"),
    ],
)
def test_ranges_over_container_tags(text: str, members: str) -> None:
    assert _members(PackageType.CONTAINER, text, _TAGS) == set(members.split())


@pytest.mark.parametrize(
    ("package_type", "text", "members"),
    [
        # Each checked with the tool itself: these are the corners that the tables leave out.
        (PackageType.NPM, "* || 1.0.0-alpha", "1.0.0 2.0.0"),
        (PackageType.NPM, ">* || 1.0.0-alpha", "1.0.0-alpha"),
        (PackageType.NPM, "^0.0.3 || <0.0.3-rc", ""),
        (PackageType.NPM, "^1.x.3", "1.0.0"),
        (PackageType.MAVEN, "1.0", "1.0 1"),
        (PackageType.MAVEN, "(,1),(1,)", "1.0.Alpha1 1.1.Beta.1 finchley-sr2"),
        (PackageType.MAVEN, "Finchley.SR2", "finchley-sr2"),
        (PackageType.NUGET, "*", "1.0 1.1 2.0"),
        (PackageType.NUGET, "*-*", "1.0 1.1 2.0 1.0-beta.1 1.1-rc"),
        (PackageType.NUGET, "1.*-be*", "1.0 1.1 1.0-beta.1"),
        (PackageType.NUGET, "(1.0,1.0)", ""),
        (PackageType.RUBYGEMS, "~> 1.0.0.a", "1.0 1.0.5 1.0.b"),
        (PackageType.RUBYGEMS, "~>0", "0.9"),
        (PackageType.RUBYGEMS, "!= 1.0, < 1.0.5", "0.9 1.0.b"),
    ],
)
def test_corners_of_ranges(package_type: PackageType, text: str, members: str) -> None:
    candidates = {
        PackageType.NPM: ["1.0.0", "2.0.0", "1.0.0-alpha", "2.0.0-rc.1"],
        PackageType.MAVEN: ["1.0", "1", "1.0.Alpha1", "1.1.Beta.1", "finchley-sr2"],
        PackageType.NUGET: ["1.0", "1.1", "2.0", "1.0-beta.1", "1.1-rc"],
        PackageType.RUBYGEMS: ["0.9", "1.0", "1.0.5", "1.0.b", "1.1.0", "2.0"],
    }[package_type]
    assert _members(package_type, text, candidates) == set(members.split())


@pytest.mark.parametrize(
    ("package_type", "text"),
    [
        *(
            (PackageType.NPM, text)
            for text in ("", "[1.0,2.0)", "^1 ||", "1.2.3.4", "~> latest", "1.x.3", ">=01.2", ">")
        ),
        *(
            (PackageType.NPM, text)
            for text in ("==1.2.3", "9007199254740992.x", "^9007199254740991", "1" * 5000)
        ),
        *((PackageType.CONTAINER, text) for text in ("1.2.3.4", "[1.0,2.0)", "1.2.3-al_pine", "latest")),
        *(
            (PackageType.MAVEN, text)
            for text in ("", "^1.0", "~1.0", "1.x", "1.0.X", "1.+", "latest.release", "RELEASE")
        ),
        *(
            (PackageType.MAVEN, text)
            for text in (">=1.0", "1.0,2.0", "[1.0,2.0", "(1.0)", "(1,1]", "[2,1]", "[1,2,3]")
        ),
        *((PackageType.MAVEN, text) for text in ("[1,3),[2,4)", "[3,4),[1,2)", "[1,2),3", "[1.*,2)", "*")),
        *(
            (PackageType.NUGET, text)
            for text in ("", "^1.0", "(1.0]", "(,)", "[2.0,1.0]", "(1.0,1.0]", "[1.0,2.*)", "1*")
        ),
        *(
            (PackageType.NUGET, text)
            for text in ("*.1", "1.0.*-beta", "[1.0", "1.2.3.4.*", "1.0-01.*", "[1,2,3]")
        ),
        *(
            (PackageType.RUBYGEMS, text)
            for text in ("", "^1.0", ">= 1.0 < 2.0", ">= 1.0,", "1.*", "=> 1", "~>", "v1.0")
        ),
    ],
)
def test_a_range_in_another_form_is_an_error_that_names_the_right_one(
    package_type: PackageType, text: str
) -> None:
    with pytest.raises(InvalidValueError) as caught:
        values.version_range(text, values.Context(package_type))
    (sentence,) = sentences(caught.value.problems)
    assert re.search(r"write ranges like|over 9,007,199,254,740,991|for every release", sentence)


@pytest.mark.parametrize(
    ("package_type", "text", "numbers"),
    [
        (PackageType.NPM, "1.2.3-rc.1", (1, 2, 3)),
        (PackageType.NUGET, "1", (1, 0, 0, 0)),
        (PackageType.MAVEN, "1", (1, 0)),
        (PackageType.MAVEN, "4.2.7.Final-redhat-1", (4, 2, 7)),
        (PackageType.MAVEN, "Finchley.SR2", ()),
        (PackageType.RUBYGEMS, "7.a", (7, 0)),
        (PackageType.RUBYGEMS, "7.1.3.4", (7, 1, 3, 4)),
        (PackageType.CONTAINER, "v1.2.3.4-alpine", (1, 2, 3, 4)),
    ],
)
def test_numbers_for_grouping(package_type: PackageType, text: str, numbers: tuple[int, ...]) -> None:
    assert _parsed(package_type, text).release == numbers


def test_words_between_dots_do_not_break_mavens_order() -> None:
    """ComparableVersion has `1.sp.1` < `1-alpha` < `1` < `1.sp.1`; one of the three must give way."""
    one, two, three = (_parsed(PackageType.MAVEN, text) for text in ("1-alpha", "1", "1.sp.1"))
    assert one < two < three
    assert one < three


@pytest.mark.parametrize("package_type", _ALL)
@pytest.mark.parametrize(
    "text", ["1" * 5000, "1." * 3000, "1.0.0-" + "a-" * 5000, "1.0.0-" + "a1" * 5000, "\x00", "1.0.\n0"]
)
def test_hostile_text_has_no_version(package_type: PackageType, text: str) -> None:
    version = VersionParser(package_type).of(text)
    assert version is None or (package_type is PackageType.MAVEN and len(text) < 10)


@pytest.mark.parametrize("package_type", _ALL)
def test_digits_of_other_scripts_are_none(package_type: PackageType) -> None:
    assert VersionParser(package_type).of("1.٢.3") is None
    assert VersionParser(package_type).of("\uff11.2.3") is None


@pytest.mark.parametrize("package_type", _ALL)
def test_longest_versions_compare(package_type: PackageType) -> None:
    parse = VersionParser(package_type).of
    prefix = "1.0.0-rc"
    texts = [prefix + "a1" * 60, prefix + "1a" * 60, prefix + "-" * 100 + "1", "9" * 100 + ".0.0"]
    versions = [version for version in map(parse, texts) if version]
    assert len(sorted(versions)) == len(versions) >= 1


def test_a_range_shows_its_text_alone() -> None:
    first, second = (VersionParser(PackageType.NPM).parse_range("^1.2") for _ in range(2))
    assert first == second
    assert repr(first) == "VersionRange(text='^1.2')"
