"""Each ecosystem's order is total, and nothing that anybody can push or write makes it raise."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from package_retention.decide.ecosystems import VersionNumber, VersionParser, VersionRange
from package_retention.model import PackageType

_ALL = (
    PackageType.CONTAINER,
    PackageType.MAVEN,
    PackageType.NPM,
    PackageType.NUGET,
    PackageType.RUBYGEMS,
)
_TOKENS = st.sampled_from(
    [
        "0",
        "1",
        "2",
        "10",
        "00",
        "01",
        "2147483648",
        "99999999999999999999",
        "a",
        "b",
        "m",
        "alpha",
        "beta",
        "milestone",
        "rc",
        "cr",
        "snapshot",
        "SNAPSHOT",
        "sp",
        "ga",
        "final",
        "Release",
        "foo",
        "Z",
        "pre",
        "dev",
        "1a",
        "rc1",
        "M2",
        "jre",
        "20240101.120000-1",
        "é",
        "٣",
    ]
)
_SEPARATORS = st.sampled_from([*".....---", "", "", "+", "_", "--", ".-"])
_WORDS = st.lists(st.tuples(_SEPARATORS, _TOKENS), max_size=5).map(
    lambda parts: "".join(separator + token for separator, token in parts)
)
_NUMBERS = st.lists(st.sampled_from(["0", "0", "1", "1", "2", "10"]), min_size=1, max_size=4).map(".".join)
_PLAUSIBLE = st.builds("{}{}{}".format, st.sampled_from(["", "", "v"]), _NUMBERS, _WORDS)
_VERSIONS = st.one_of(_PLAUSIBLE, _NUMBERS, _WORDS)
_SYNTAX = st.sampled_from(
    [
        "^",
        "~",
        "~>",
        ">=",
        "<=",
        ">",
        "<",
        "=",
        "!=",
        "[",
        "(",
        ")",
        "]",
        ",",
        "||",
        "*",
        ".*",
        ".x",
        "-",
        "-*",
        "v",
        "",
    ]
)
_RANGES = st.one_of(
    st.lists(st.one_of(_SYNTAX, _VERSIONS), max_size=6).map("".join),
    st.lists(st.one_of(_SYNTAX, _VERSIONS), max_size=6).map(" ".join),
    st.text(max_size=20),
)


def _versions(package_type: PackageType, texts: list[str]) -> list[VersionNumber]:
    parsed = (VersionParser(package_type).of(text) for text in texts)
    return [version for version in parsed if version]


def _range(package_type: PackageType, text: str) -> VersionRange | str:
    try:
        return VersionParser(package_type).parse_range(text)
    except ValueError as error:
        return str(error)


@pytest.mark.parametrize("package_type", _ALL)
@given(texts=st.lists(_VERSIONS, max_size=12))
def test_exactly_one_of_less_equal_greater(package_type: PackageType, texts: list[str]) -> None:
    versions = _versions(package_type, texts)
    for one in versions:
        assert one == one  # noqa: PLR0124 - reflexive
        for other in versions:
            assert [one < other, one == other, one > other].count(True) == 1
            assert (one < other) == (other > one)
            assert (one <= other) == (not other < one)
            assert one != other or hash(one) == hash(other)


@pytest.mark.parametrize("package_type", _ALL)
@given(texts=st.lists(_VERSIONS, max_size=12))
def test_order_is_transitive(package_type: PackageType, texts: list[str]) -> None:
    ordered = sorted(_versions(package_type, texts))
    for place, version in enumerate(ordered):
        assert all(version <= later for later in ordered[place:])
        assert all(earlier <= version for earlier in ordered[:place])


@pytest.mark.parametrize("package_type", _ALL)
@given(texts=st.lists(_VERSIONS, max_size=6), text=_RANGES)
def test_ranges_are_refused_with_a_sentence_or_tell_of_every_version(
    package_type: PackageType, texts: list[str], text: str
) -> None:
    found = _range(package_type, text)
    assert found, "an error says what is wrong"
    if isinstance(found, VersionRange):
        assert all(found.contains(version) in (True, False) for version in _versions(package_type, texts))


@pytest.mark.parametrize("package_type", _ALL)
@given(texts=st.lists(_PLAUSIBLE, min_size=2, max_size=8))
def test_equal_versions_share_every_range(package_type: PackageType, texts: list[str]) -> None:
    for found in (_range(package_type, text) for text in texts):
        if isinstance(found, str):
            continue
        for one in _versions(package_type, texts):
            for other in _versions(package_type, texts):
                assert one != other or found.contains(one) == found.contains(other)


@pytest.mark.parametrize("package_type", _ALL)
@given(text=st.text(max_size=400))
def test_any_text_is_read_or_refused(package_type: PackageType, text: str) -> None:
    version = VersionParser(package_type).of(text)
    assert version is None or (version.text == text and all(number >= 0 for number in version.release))
