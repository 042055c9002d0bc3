"""Laws of patterns, over random lists and texts."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import given, strategies as st

from package_retention.decide.pattern import Pattern
from package_retention.decide.patterns import Patterns, entries
from package_retention.problems import InvalidValueError

TEXT = st.text("ab1.-", max_size=8)
LITERAL = st.text("ab1.-", min_size=1, max_size=4)
GLOB = st.lists(
    st.sampled_from(["a", "b", "1", ".", "-", "*", "?", "[ab]", "[!a]"]), min_size=1, max_size=6
).map("".join)
REGEX = st.sampled_from(["/a/", "/^b/", "/1$/", "/a,b|1/", "/[a,b]/i"])
ENTRY = st.builds(str.__add__, st.sampled_from(["", "!"]), LITERAL | GLOB | REGEX)
LIST = st.lists(ENTRY, min_size=1, max_size=5)


def fits(glob: str, text: str) -> bool:
    """The meaning of a glob, written down as slowly and plainly as can be."""
    if not glob:
        return not text
    if glob[0] == "*":
        return any(fits(glob[1:], text[i:]) for i in range(len(text) + 1))
    if not text:
        return False
    if glob[0] == "[":
        inner, rest = glob[1:].split("]", 1)
        inside = (text[0] in inner.lstrip("!")) is not inner.startswith("!")
        return inside and fits(rest, text[1:])
    return glob[0] in ("?", text[0]) and fits(glob[1:], text[1:])


@given(GLOB, TEXT)
def test_globs_mean_what_they_say(glob: str, text: str) -> None:
    assert Pattern.parse(glob).matches(text) is fits(glob, text)


@given(LIST, TEXT)
def test_the_last_match_wins(source: list[str], text: str) -> None:
    patterns = Patterns.parse(source)
    expected = all(entry.startswith("!") for entry in source)
    for entry in source:
        if Pattern.parse(entry).matches(text):
            expected = not entry.startswith("!")
    assert patterns.matches(text) is expected


@given(LIST, st.sampled_from(["\n", ",", " , ", "\r\n", "\n\n# comment\n", ",\n"]))
def test_splitting_undoes_joining(source: list[str], separator: str) -> None:
    assert list(entries(separator.join(source))) == source


@given(LIST, ENTRY, TEXT)
def test_one_more_positive_entry_never_matches_less(source: list[str], entry: str, text: str) -> None:
    """But where every entry so far was negated, which meant everything else."""
    more = Patterns.parse([*source, entry.removeprefix("!")])
    before = Patterns.parse(source)
    if not before.only_negated and before.matches(text):
        assert more.matches(text)


@given(LIST, TEXT)
def test_what_is_named_literally_is_matched(source: list[str], text: str) -> None:
    patterns = Patterns.parse(source)
    if patterns.literally(text):
        assert patterns.matches(text)
        assert text in source


@given(LIST, st.lists(TEXT, max_size=4))
def test_unmatched_entries_are_those_that_fit_no_text(source: list[str], texts: list[str]) -> None:
    expected = [entry for entry in source if not any(Pattern.parse(entry).matches(t) for t in texts)]
    assert list(Patterns.parse(source).unmatched(texts)) == expected


@given(st.text(max_size=30))
def test_any_text_is_a_list_or_is_refused(text: str) -> None:
    with suppress(InvalidValueError):
        for entry in Patterns.parse(text).entries:
            assert entry.body
            assert entry.kind == "regex" or not set(entry.body) & set("^$(|\\ \t\n\"'")


@given(st.text("/[]!,ab\\# \n^", max_size=40))
def test_splitting_loses_nothing_but_separators_and_comments(text: str) -> None:
    kept = "".join(entries(text.replace("#", "")))
    dropped = set(",\n ") | set()
    assert [c for c in kept if c not in dropped] == [c for c in text if c not in dropped | {"#"}]
