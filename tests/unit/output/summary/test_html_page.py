"""The summary as one page that needs no network: the same blocks, the chart drawn."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from emulator.html_page import render_html
from hostile import NAMES
from package_retention.output.summary.blocks import About
from run_results import NOW, package, render_text, result, run

ABOUT = About(NOW, "octo/package-retention@v1", "out/report.jsonl")
_VOID = {"meta", "rect", "br"}


class Read(HTMLParser):
    """A page's tags, balanced or not, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: set[str] = set()
        self.links: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self.names.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_the_page_holds_the_chart_the_tables_and_the_words() -> None:
    one = run(result(300, goes=200))
    page = Read(render_html(one, ABOUT))
    assert page.open == []
    assert {"svg", "table", "details", "h2", "pre"} <= page.names
    text = " ".join(page.words)
    for words in ("Deleted 200 of 300 images", "200 images deleted", "among the newest 3", "Undo a clean-up"):
        assert words in text
    headline = render_text(one, ABOUT).split("\n", 1)[0]
    assert headline in text


def test_each_bar_has_its_number() -> None:
    text = render_html(run(result(300, goes=200)), ABOUT)
    drawn = re.findall(r'text-anchor="middle">([\d, +]+)</text>', text)
    assert sum(int(n) for label in drawn for n in label.replace(",", "").split(" + ")) == 300
    heights = [int(n) for n in re.findall(r'height="(\d+)" style', text)]
    assert max(heights) > 0


@pytest.mark.parametrize("name", NAMES)
def test_hostile_names_are_text(name: str) -> None:
    of = package(name, url=name)
    page = Read(render_html(run(result(30, goes=20, of=of)), ABOUT))
    assert page.open == []
    assert "script" not in page.names
    assert not page.links
