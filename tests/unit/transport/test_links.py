from __future__ import annotations

import pytest
from hypothesis import example, given, strategies as st

from package_retention.transport.links import absolute, last_page, links, next_url, same_host

API = "https://api.github.com"
NEXT = f"{API}/organizations/9/packages/container/a%2Fb/versions?per_page=100&page=2"
LAST = f"{API}/organizations/9/packages/container/a%2Fb/versions?per_page=100&page=34"


def test_the_form_that_github_sends() -> None:
    header = f'<{NEXT}>; rel="next", <{LAST}>; rel="last"'
    assert next_url(header) == NEXT
    assert last_page(header) == 34


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ('<https://h/?a=1,2;3&page=2>; rel="next"', {"next": "https://h/?a=1,2;3&page=2"}),
        ('<u1>; rel="next last"', {"next": "u1", "last": "u1"}),
        ("<u1>;rel=next,<u2>;rel=last", {"next": "u1", "last": "u2"}),
        ('<u1>; title="a, <b>; rel=last"; REL="Next"', {"next": "u1"}),
        ('<u1>; title="x"; rel="prev" , <u2> ; rel="next"', {"prev": "u1", "next": "u2"}),
        ('<u1>; rel="next", <u2>; rel="next"', {"next": "u1"}),
        ("<u1>, <u2>; rel=next", {"next": "u2"}),
        ("rel=next", {}),
        ("<u1", {}),
        ("", {}),
        (None, {}),
    ],
)
def test_links(header: str | None, found: dict[str, str]) -> None:
    assert links(header) == found


@pytest.mark.parametrize(
    "url",
    [
        "https://h/x",
        "https://h/?page=",
        "https://h/?page=two",
        "https://h/?page=-1",
        "https://h/?page=0",
        "https://h/?page=9999999999999",
        "https://h/?page=٣",
        "https://[h/?page=3",
        "https://h/?xpage=3",
    ],
)
def test_a_last_page_that_is_no_number_is_not_known(url: str) -> None:
    assert last_page(f'<{url}>; rel="last"') is None


def test_no_last_page() -> None:
    assert last_page(f'<{LAST}>; rel="first"') is None


@given(st.text())
def test_any_header_is_read(header: str) -> None:
    links(header)
    next_url(header)
    page = last_page(header)
    assert page is None or page > 0


@given(st.integers(min_value=1, max_value=999_999_999))
def test_page_numbers_are_read(page: int) -> None:
    assert last_page(f'<{API}/x?per_page=100&page={page}>; rel="last"') == page


@pytest.mark.parametrize(
    ("url", "api_url"),
    [
        (NEXT, API),
        ("https://API.GitHub.com:443/x", API),
        ("https://ghe.example/api/v3/x", "https://ghe.example/api/v3"),
        ("http://127.0.0.1:8080/x", "http://127.0.0.1:8080"),
    ],
)
def test_the_api_itself_is_followed(url: str, api_url: str) -> None:
    assert same_host(url, api_url)


@pytest.mark.parametrize(
    "url",
    [
        "http://api.github.com/x",
        "https://api.github.com:8443/x",
        "https://api.github.com.evil.example/x",
        "https://evil.example/api.github.com",
        "https://api.github.com@evil.example/x",
        "//api.github.com/x",
        "https://x@api.github.com/x",
        "https://api.github.com\\@evil.example/x",
        "/relative",
        "",
        "https://",
        "https://api.github.com:99999/x",
        "https://[api.github.com/x",
        "https://evil.example\t/x",
        "ftp://api.github.com/",
    ],
)
def test_the_token_goes_nowhere_else(url: str) -> None:
    assert not same_host(url, API)


def test_a_link_is_read_from_where_it_stands() -> None:
    assert absolute(f"{API}/a/b?page=1", "c?page=2") == f"{API}/a/c?page=2"
    assert absolute(f"{API}/a", "//evil.example/x") == "https://evil.example/x"


@given(st.text())
@example("http://[")
def test_any_link_leads_somewhere_or_nowhere(link: str) -> None:
    target = absolute(f"{API}/a", link)
    assert link != "http://[" or target == ""


@given(st.text())
def test_any_url_is_judged(url: str) -> None:
    assert not same_host(url, API) or url.lower().startswith(API)
