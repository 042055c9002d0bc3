from __future__ import annotations

import pytest
from hypothesis import given

from hostile import NAMES, names
from markdown_page import Page
from package_retention.escaping import harmless
from package_retention.output.summary import markdown
from package_retention.output.summary.blocks import (
    Code,
    Details,
    Heading,
    Link,
    Listing,
    Paragraph,
    Table,
    joined,
    plain,
)
from run_results import URL


@given(names)
def test_words_show_as_they_are_and_are_no_markup(name: str) -> None:
    page = Page(markdown.text(name))
    assert page.text.rstrip() == harmless(name, markdown.MOST_OF_TEXT).rstrip()
    assert page.names <= {"p"}


@given(names)
def test_a_name_in_a_table_stays_in_its_cell(name: str) -> None:
    table = Table(("a", "b"), ((((Code(name)),), ("after",)), ((name,), ("after",))))
    page = Page(markdown.render(table))
    assert page.names <= {"table", "thead", "tbody", "tr", "th", "td", "code"}
    assert [tag for tag, _ in page.tags].count("td") == 4
    assert page.text.count("after") >= 2


@given(names)
def test_a_name_in_a_folded_line_does_not_unfold_it(name: str) -> None:
    page = Page(markdown.render(Details((name, Code(name)), (Paragraph((name,)),))))
    assert page.names <= {"details", "summary", "code", "p"}
    assert page.text.count(harmless(name, 140)) >= 1


@pytest.mark.parametrize("name", NAMES)
def test_a_listing_ends_where_it_ends(name: str) -> None:
    page = Page(markdown.render(Listing("yaml", f"a: {name}\nb: 1")) + "\n\nafter")
    assert [tag for tag, _ in page.tags] == ["pre", "code", "p"]


@pytest.mark.parametrize("name", ["@octocat", "mail@evil.example", "octo/app#123", "#123"])
def test_no_mention_and_no_reference_is_left_whole(name: str) -> None:
    for text in (markdown.text(name), markdown.code(name)):
        page = Page(text)
        assert name not in page.words
        assert page.text == name


@pytest.mark.parametrize(
    "name", ["http://evil.example", "https://evil.example", "www.evil.example", "WWW.evil.example"]
)
def test_no_bare_address_becomes_a_link(name: str) -> None:
    text = markdown.text(name)
    assert "://" not in text
    assert "www." not in text.lower()


@pytest.mark.parametrize(
    "url",
    [
        "http://github.com/x",
        "javascript:alert(1)",
        "https:///x",
        "",
        "https://a@evil.example/",
        "https://github.com/\nx",
        "https://[",
        "//github.com/x",
    ],
)
def test_only_https_addresses_become_links(url: str) -> None:
    assert markdown.link("app", url) == "`app`"


def test_an_address_cannot_leave_its_attribute() -> None:
    page = Page(markdown.link("app", 'https://github.com/a"onclick=x|<b>`?tag=v1&x=(y)'))
    (a, attributes), _ = [tag for tag in page.tags if tag[0] in ("a", "code")]
    assert a == "a"
    assert attributes == {"href": "https://github.com/a%22onclick=x%7C%3Cb%3E%60?tag=v1&x=%28y%29"}


def test_a_good_address_stays_as_it_is() -> None:
    url = "https://github.com/orgs/octo/packages/container/app/123?tag=v1.0"
    assert markdown.link("app", url) == f"[`app`]({url})"
    assert f'<a href="{url}">' in markdown.link("a|b", url)


@pytest.mark.parametrize(
    "name", ["v1_2", "1.0.0-rc.1", "group.id:artifact", "a/b", "sha256-2aab52919d9d", "1.0+build"]
)
def test_a_plain_name_is_written_plainly(name: str) -> None:
    assert markdown.code(name) == f"`{name}`"
    assert markdown.text(name.replace("-", "")) == name.replace("-", "")


@given(names)
def test_what_a_sentence_quotes_is_code_and_nothing_else_is_markup(name: str) -> None:
    sentence = f"see `versions` of {name}."
    page = Page(markdown.prose(sentence))
    assert page.names <= {"p", "code"}
    assert page.text.replace("`", "") == harmless(sentence, markdown.MOST_OF_TEXT).replace("`", "")


@given(names)
def test_code_shows_a_name_as_it_is(name: str) -> None:
    page = Page("x " + markdown.code(name))
    assert page.names <= {"p", "code"}
    assert page.text == "x " + (harmless(name, 140) or " ")


@given(names)
def test_plain_text_commands_nothing(name: str) -> None:
    table = Table(("a",), (((Code(name),),),))
    text = joined((Heading(2, (name,)), table, Paragraph((Link(name, URL),))), plain)
    assert all(line.isprintable() for line in text.split("\n"))
    assert "::" not in text
    assert "##[" not in text
