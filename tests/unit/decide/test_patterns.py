"""Patterns: how lists are split, what an entry is, what it is refused as, and what it matches."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from package_retention.decide.pattern import Pattern, PatternBudget, PatternTimeoutError
from package_retention.decide.patterns import Patterns, entries
from package_retention.output.problem_sentences import sentences
from package_retention.output.sentences import finding_words
from package_retention.problems import InvalidValueError, ProblemCode as Code

D = "sha256:" + "a1" * 32
OTHER = "sha256:" + "b2" * 32


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", ("a",)),
        ("a, b,c", ("a", "b", "c")),
        ("a\r\nb\r\n", ("a", "b")),
        ("\n\n  a  \n\n", ("a",)),
        ("a,,b,", ("a", "b")),
        ("# all of it", ()),
        ("a # the first\n#second\nb", ("a", "b")),
        ("a#b", ("a#b",)),
        ("a\t# tab", ("a",)),
        ("/a{1,3}/, b", ("/a{1,3}/", "b")),
        ("/a,b/i,c", ("/a,b/i", "c")),
        ("!/a,b/ , c", ("!/a,b/", "c")),
        (r"/a\/,b/, c", (r"/a\/,b/", "c")),
        ("/[/,]x/i, z", ("/[/,]x/i", "z")),
        ("/a/,/b/", ("/a/", "/b/")),
        ("v[1,2].*, x", ("v[1,2].*", "x")),
        ("v[],]x, y", ("v[],]x", "y")),
        ("v[!,]x, y", ("v[!,]x", "y")),
        ("[1.0,2.0)", ("[1.0,2.0)",)),
        ("scope/lib, other/lib", ("scope/lib", "other/lib")),
        ("", ()),
    ],
)
def test_lists_are_split(text: str, expected: tuple[str, ...]) -> None:
    assert entries(text) == expected


@pytest.mark.parametrize(
    ("entry", "text", "expected"),
    [
        ("v1", "v1", True),
        ("v1", "v10", False),
        ("v1", "V1", False),
        ("1.0+build", "1.0+build", True),
        ("scope/lib", "scope/lib", True),
        ("@scope/lib", "@scope/lib", True),
        ("v*", "v", True),
        ("v*", "xv", False),
        ("*", "", True),
        ("a/*", "a/b/c", True),
        ("*/c", "a/b/c", True),
        ("v?", "v1", True),
        ("v?", "v", False),
        ("v[12]", "v2", True),
        ("v[!12]", "v3", True),
        ("v[!12]", "v1", False),
        ("v[0-9].*", "v3.1", True),
        ("v[]x]", "v]", True),
        ("v*", "V1", False),
        ("a.b", "axb", False),
        ("*.b", "xxb", False),
        ("pr-*", "pr-1\npr", True),
        (r"/^v\d+$/", "v12", True),
        (r"/^v\d+$/", "v12a", False),
        (r"/^v\d$/", "v\u0663", False),
        ("/v1/", "xv1x", True),
        ("/V1/i", "v1", True),
        ("/V1/", "v1", False),
        ("/^(?!stable).*$/", "stable-1", False),
        ("/a/b/", "a/b", True),
    ],
)
def test_matches(entry: str, text: str, expected: bool) -> None:
    assert Pattern.parse(entry).matches(text) is expected


@pytest.mark.parametrize(
    ("entry", "hint"),
    [
        ("^v1", r"`/\^v1/`"),
        ("v1$", r"`/v1\$/`"),
        ("(a)", "between slashes"),
        ("a|b", "between slashes"),
        (r"v\d", "between slashes"),
        ("v{1}", "between slashes"),
        ("/v1", "stands between two"),
        ("v1/", "stands between two"),
        ("/v1/2", "stands between two"),
        ("/", "stands between two"),
        ("//", "`//` is empty"),
        ("/(/", "not a regular expression"),
        ("/[a/", "not a regular expression"),
        (r"/(?<x>a)\k<x>/", "not a regular expression"),
        ("/(?u)a/", "not a regular expression"),
        ("/a/g", "flag `g`.*`i`"),
        ('"v1"', "quotes"),
        ("'v1", "quotes"),
        ("v1`", "quotes"),
        ("!", "is empty"),
        ("!!v1", "two `!`"),
        ("v1 v2", "blank"),
        ("sha256:abc", "not a digest.*64"),
        ("sha256:" + "g" * 64, "64"),
        ("a1" * 32, "looks like a digest"),
        ("ghcr.io/owner/app@sha256:abc", "whole reference"),
        (f"app@{D}", "whole reference"),
        (f"owner/app@{D}", "whole reference"),
        ("ghcr.io/owner/app:v1", "colon"),
        ("group:artifact", "group.artifact"),
        ("lib@1.2.3", "`@`"),
        ("[1.0,2.0)", "version-range"),
        ("(,2.0]", "version-range"),
        ("[1.0]", "version-range"),
        (">=1.0", "version-range"),
        ("~> 1.2", "version-range"),
        ("^1.2", "version-range"),
        ("v[1", "not closed"),
        ("v1]", "not closed"),
        ("v[9-1]", "holds nothing"),
        ("sha256:a[9-1]*", "holds nothing"),
        ("v1\u200b", r"U\+200B"),
        ("v1\x00", r"U\+0000"),
        ("x" * 1001, "1,000"),
        ("/" + "x" * 1001 + "/", "1,000"),
        ("", "empty"),
        ('["a"]', "quotes"),
    ],
)
def test_what_looks_like_something_else_is_refused(entry: str, hint: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        Pattern.parse(entry)
    assert re.search(hint, "; ".join(sentences(caught.value.problems)))


@pytest.mark.parametrize(
    "entry", [D, D.upper(), f"ghcr.io/Owner/App@{D}", f"ghcr.io/owner/app:v1@{D.upper()}"]
)
def test_digests_and_references_are_lower_cased(entry: str) -> None:
    found = Pattern.parse(entry)
    assert (found.body, found.digest) == (D, True)
    assert found.reference in ("", "ghcr.io/owner/app")


@pytest.mark.parametrize(
    ("entry", "reference"),
    [
        (f"localhost:5000/o/a@{D}", "localhost:5000/o/a"),
        (f"containers.ghes.example/o/a/b@{D}", "containers.ghes.example/o/a/b"),
        (f"docker-pullable://ghcr.io/o/a@{D}", "ghcr.io/o/a"),
    ],
)
def test_references_as_clusters_print_them(entry: str, reference: str) -> None:
    assert Pattern.parse(entry).reference == reference


def test_a_reference_must_agree_where_one_is_given() -> None:
    patterns = Patterns.parse(f"ghcr.io/owner/app:v1@{D}")
    assert patterns.matches_digest(D, "ghcr.io/owner/app")
    assert patterns.matches_digest(D, "GHCR.io/Owner/App")
    assert patterns.matches_digest(D)
    assert not patterns.matches_digest(D, "ghcr.io/owner/other")
    assert not patterns.matches_digest(OTHER, "ghcr.io/owner/app")


def test_digest_entries_do_not_look_at_tags_nor_others_at_digests() -> None:
    assert not Patterns.parse("sha256:*").matches("v1")
    assert not Patterns.parse("sha256:*").matches("sha256:ab")
    assert Patterns.parse("sha256:a1*").matches_digest(D)
    assert not Patterns.parse("*").matches_digest(D)
    assert not Patterns.parse("/./").matches_digest(D)


def test_an_expression_of_the_other_action_looks_everywhere() -> None:
    patterns = Patterns((Pattern.expression("^(sha256:a1|v1)"),))
    assert patterns.matches("v1.2")
    assert patterns.matches_digest(D)
    assert not patterns.matches_digest(OTHER)


@pytest.mark.parametrize(
    ("source", "text", "expected"),
    [
        ("v*, !v1", "v1", False),
        ("v*, !v1", "v2", True),
        ("!v1, v*", "v1", True),
        ("v*, !v1*, v10", "v10", True),
        ("!v1", "v1", False),
        ("!v1", "v2", True),
        ("!v1, !v2", "v3", True),
        ("v1, !v2", "v3", False),
        ("!/^v/", "x", True),
    ],
)
def test_the_last_match_wins(source: str, text: str, expected: bool) -> None:
    assert Patterns.parse(source).matches(text) is expected


def test_no_entry_matches_nothing() -> None:
    assert not Patterns(()).matches("v1")
    assert not Patterns(()).only_negated


def test_only_negated_digests_mean_no_digest_but_every_other_tag() -> None:
    patterns = Patterns.parse(f"!{D}")
    assert patterns.matches("v1")
    assert patterns.matches("v1", OTHER)
    assert not patterns.matches("v1", D)
    assert not patterns.matches_digest(OTHER)


def test_a_digest_takes_part_where_it_is_known_beside_the_tag() -> None:
    assert not Patterns.parse(f"v*, !{D}").matches("v1", D)
    assert Patterns.parse(f"!{D}, v*").matches("v1", D)
    assert Patterns.parse(f"x, {D}").matches("v1", D)
    assert not Patterns.parse(f"x, ghcr.io/o/a@{D}").matches("v1", D, "ghcr.io/o/b")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("latest", True),
        ("l*", False),
        ("*", False),
        ("/latest/", False),
        ("latest, *", True),
        ("*, latest", True),
        ("latest, !latest", False),
        ("latest, !l*", False),
        ("latest, !l*, *", False),
        ("!v1", False),
        ("Latest", False),
    ],
)
def test_literally(source: str, expected: bool) -> None:
    assert Patterns.parse(source).literally("latest") is expected


def test_unmatched_entries_are_told_as_written() -> None:
    patterns = Patterns.parse(f"v*, !x1, {OTHER}, ghcr.io/o/a@{D}, gone")
    texts = ["v1", "x1", D]
    assert patterns.unmatched(texts) == (OTHER, "gone")
    assert patterns.unmatched(texts, "ghcr.io/o/b") == (OTHER, f"ghcr.io/o/a@{D}", "gone")
    assert patterns.unmatched([]) == tuple(entry.text for entry in patterns.entries)


def test_ready_values_are_taken_whole() -> None:
    """A policy file's list is no text to be split, nor has it comments."""
    assert [e.text for e in Patterns.parse(["a", "/b,c/", "d#e"]).entries] == ["a", "/b,c/", "d#e"]
    with pytest.raises(InvalidValueError) as caught:
        Patterns.parse(["a b"])
    assert re.search("`a b` has a blank", "; ".join(sentences(caught.value.problems)))


def test_every_bad_entry_is_told() -> None:
    with pytest.raises(InvalidValueError) as caught:
        Patterns.parse("^a, ok, b/")
    assert re.search(r"`\^a` .*`b/` ", "; ".join(sentences(caught.value.problems)))


def test_lower_case_names() -> None:
    patterns = Patterns.parse("App, Team/*, /^Web/", lower=True)
    assert patterns.matches("app")
    assert patterns.matches("team/x")
    assert patterns.matches("web-1")
    assert [entry.text for entry in patterns.entries] == ["App", "Team/*", "/^Web/"]


def test_properties_of_lists() -> None:
    assert Patterns.parse("*").is_everything
    assert not Patterns.parse("*, !v1").is_everything
    assert not Patterns.parse("a, b").any_wildcards
    assert Patterns.parse("a, b*").any_wildcards
    assert Patterns.parse("!a").any_wildcards
    assert not Patterns.parse("a, !b*").any_wildcards
    assert Patterns.parse("a, b, a, !b, c*").literals == ("a",)


def test_groups_name_a_series() -> None:
    pattern = Pattern.parse(r"/^(v\d+)\.(?:(x)|y)/")
    assert pattern.groups == 2
    assert pattern.group("v1.y") == "v1"
    assert pattern.group("w1.y") is None
    assert Pattern.parse("/(a)?b/").group("b") is None
    assert Pattern.parse("/a/").groups == 0
    assert Pattern.parse("/a/").group("a") is None
    assert Pattern.parse("a*").group("a") is None


def test_a_slow_expression_stops_the_run_and_names_itself() -> None:
    patterns = Patterns.parse(r"/(a|aa)+$/")
    with pytest.raises(PatternTimeoutError) as caught:
        patterns.matches("a" * 100 + "b")
    assert "`/(a|aa)+$/` takes too long" in finding_words(caught.value.said)


def test_a_glob_of_many_stars_is_decided_at_once() -> None:
    """A backtracking matcher would need longer than the world has."""
    assert not Pattern.parse("*a" * 40 + "*b").matches("a" * 50_000)
    assert Pattern.parse("*a" * 40 + "*b").matches("a" * 5_000 + "b")


class Clock:
    """The seconds that a thread has worked: a fixed time for each look."""

    def __init__(self, step: float) -> None:
        self.step, self.now = step, 0.0

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def test_all_expressions_of_a_run_share_one_budget_of_time() -> None:
    """A thousand patterns that each take a little add up; each search here takes 3 s by its clock."""
    budget = PatternBudget(Clock(3.0), seconds=10.0)
    first, second = (replace(Pattern.parse(text), budget=budget) for text in ("/a/", "/b/"))
    assert [first.matches("a"), second.matches("a"), first.matches("b"), second.matches("b")] == [1, 0, 0, 1]
    with pytest.raises(PatternTimeoutError) as caught:
        first.matches("a")
    assert "too long together (over 10 s in this run)" in finding_words(caught.value.said)
    assert Pattern.parse("/a/").matches("a")


@pytest.mark.parametrize(
    "source",
    ["(a{1000}){1000}", "(?:(?:a{100}){100}){3}", "(" * 5 + "a{99}){99}" * 2, "a{99999999999999999999}"],
)
def test_an_expression_that_is_costly_to_compile_is_refused(source: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        Pattern.parse(f"/{source}/")
    assert [problem.code for problem in caught.value.problems] == [Code.PATTERN_COSTLY]


@pytest.mark.parametrize(
    "source", [r"^v\d{1,3}(\.\d{1,3}){2}$", "[a{9}]{2}", r"\({5}", "(?:sha-)?[0-9a-f]{7,64}"]
)
def test_counted_repetitions_of_every_day_are_taken(source: str) -> None:
    assert Pattern.parse(f"/{source}/").kind == "regex"


@pytest.mark.parametrize("text", ["/" + "a/" * 2000, "[" + "a" * 5000, "/[a]" * 2000, "/[" + "\\]" * 2000])
def test_splitting_is_bounded_in_time_without_possessive_repetitions(text: str) -> None:
    assert len(entries(text)) == 1


def test_no_group_of_this_code_is_repeated_possessively() -> None:
    """Python 3.11.2, which Debian 12 has, misreads `(…)*+`; an atomic group says the same and is read well."""
    sources = (Path(__file__).parents[3] / "src").rglob("*.py")
    found = [
        f"{path.name}: {line.strip()}"
        for path in sources
        for line in path.read_text("utf-8").splitlines()
        if re.search(r"(?<!\\)\)\s?(?:[*+?]|\{[\d,]+\})\+", line)
    ]
    assert found == []
