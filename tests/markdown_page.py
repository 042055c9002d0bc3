"""A summary as a browser would have it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import yaml
from markdown_it import MarkdownIt

# What the summary may hold; anything else came out of a name.
OURS = {"h2", "h3", "p", "table", "thead", "tbody", "tr", "th", "td", "code", "a", "strong", "details"} | {
    "summary",
    "pre",
    "blockquote",
    "ul",
    "li",
}


class Page(HTMLParser):
    """A rendered page: its tags with their attributes, and its text without comments."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(text))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return "".join(self.words).strip("\n")

    @property
    def names(self) -> set[str]:
        return {tag for tag, _ in self.tags}


def steps_to_paste(text: str) -> list[dict[str, object]]:
    """The workflow steps of the undo section, read as YAML; the one that downloads a report is left out."""
    fenced = re.search(r"^(`{3,})yaml\n(.*?)^\1$", text, re.MULTILINE | re.DOTALL)
    assert fenced
    workflow = yaml.safe_load(fenced[2])
    (job,) = workflow["jobs"].values()
    steps = job["steps"]
    assert isinstance(steps, list)
    return [step for step in steps if not step["uses"].startswith("actions/")]
