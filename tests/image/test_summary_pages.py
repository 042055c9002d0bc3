"""Every summary in a real browser, rendered as GitHub does: nothing is missing, nothing is cut off, light and dark."""

from __future__ import annotations

import re
from typing import Any

import pytest
from scripts import screenshots

from emulator.summaries import SUMMARIES

pytestmark = pytest.mark.image

WIDTH = 900
BLACK_ON_WHITE = 0.5  # of the background's luminance
READABLE = 7.0  # WCAG 2.2, 1.4.6: contrast of text


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    return {name: make().text for name, make in SUMMARIES.items()}


@pytest.fixture(scope="module")
def found(texts: dict[str, str]) -> dict[str, Any]:
    screenshots.install()
    pages = [
        screenshots.write_page(name, mode, text) for name, text in texts.items() for mode in screenshots.MODES
    ]
    return screenshots.look_at(pages, WIDTH)


@pytest.mark.parametrize("mode", screenshots.MODES)
@pytest.mark.parametrize("name", SUMMARIES)
def test_a_summary_is_whole_in_a_browser(
    texts: dict[str, str], found: dict[str, Any], name: str, mode: str
) -> None:
    text, page = texts[name], found[f"{name}-{mode}.html"]
    assert page["tables"] == len(re.findall(r"^\|(?: :?-+:? \|)+$", text, re.MULTILINE))
    assert page["folds"] == text.count("<details>")
    assert page["alerts"] == len(re.findall(r"^> \[!", text, re.MULTILINE))
    assert page["charts"] == text.count("```mermaid")
    assert page["wide"] == []
    assert (page["back"] > BLACK_ON_WHITE) == (mode == "light")
    assert page["contrast"] >= READABLE


def test_the_summaries_have_something_of_everything(texts: dict[str, str]) -> None:
    """So that the test above cannot pass on pages without charts, folds or alerts."""
    for mark in ("```mermaid", "<details>", "> [!NOTE]", "> [!WARNING]", "> [!CAUTION]", "| --- |"):
        assert any(mark in text for text in texts.values()), mark
