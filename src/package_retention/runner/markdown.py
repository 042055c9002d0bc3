"""GitHub-flavoured Markdown from blocks and from text that may be hostile."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from package_retention.runner.blocks import (
    Alert,
    Chart,
    Code,
    Details,
    Heading,
    Link,
    Listing,
    Paragraph,
    Strong,
    Table,
)
from package_retention.runner.escaping import harmless

if TYPE_CHECKING:
    from collections.abc import Iterable

    from package_retention.runner.blocks import Block, Inline, Line, Section

MOST_OF_TEXT = 1000
MOST_OF_CODE = 140

_APART = "<!-- -->"
# An HTML entity is never Markdown. Mentions and references are looked for in the finished page, entities or not, so
# their sign is kept apart from what follows by a comment; and so are addresses of mails.
_ENTITIES = {ord(sign): f"&#{ord(sign)};" for sign in "&<>`*_~[]|\\$"} | {
    ord(sign): f"&#{ord(sign)};{_APART}" for sign in "@#"
}
_ADDRESS = re.compile(r":(?=/)|(?<=www)\.", re.IGNORECASE)
_BLOCK_START = re.compile(r"^(?:[-+=\s]|[0-9](?=[0-9]*[.)]))")


def text(words: str, most: int = MOST_OF_TEXT) -> str:
    """Write words so that they show as they are, in a paragraph, a table or HTML, and are no markup, link or mention."""
    return _BLOCK_START.sub(_entity, _words(words, most))


def code(words: str, most: int = MOST_OF_CODE) -> str:
    """Write a name in fixed-width letters; in HTML, since a backtick or a bar would end Markdown's own form."""
    return f"<code>{_words(words, most) or '&#32;'}</code>"


def link(label: str, url: str) -> str:
    """Link a name to its page; where the address is not plain https, the name alone."""
    safe = safe_url(url)
    return f'<a href="{safe}">{code(label)}</a>' if safe else code(label)


def safe_url(url: str) -> str:
    """Give an https address fit for an attribute in a table cell; empty where it is none."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if parts.scheme != "https" or not parts.hostname or "@" in parts.netloc or not url.isprintable():
        return ""
    return quote(url, safe=":/?=&%#~+,;-._@").replace("&", "&amp;")


def render(block: Block) -> str:
    """Write one block, without a blank line after it."""
    match block:
        case Heading(level, line):
            return f"{'#' * level} {_line(line)}"
        case Paragraph(line):
            return _line(line)
        case Alert(kind, lines):
            return "\n".join([f"> [!{kind}]", *_alert_lines(lines)])
        case Table(head, rows, numeric):
            rule = ("--:" if column in numeric else "---" for column in range(len(head)))
            cells = (_row(_line(cell) for cell in row) for row in rows)
            return "\n".join([_row(text(name) for name in head), _row(rule), *cells])
        case Listing(language, content):
            return _fenced(language, content)
        case Chart():
            return _chart(block)
        case Details(line, blocks):
            inner = "\n\n".join(render(one) for one in blocks)
            return f"<details><summary>{_line(line)}</summary>\n\n{inner}\n\n</details>"


def section(blocks: Section) -> str:
    """Write blocks one after another, each followed by a blank line."""
    return "".join(render(block) + "\n\n" for block in blocks)


def _words(words: str, most: int = MOST_OF_TEXT) -> str:
    return _ADDRESS.sub(_entity, harmless(words, most).translate(_ENTITIES))


def _line(line: Line) -> str:
    return _BLOCK_START.sub(_entity, "".join(_inline(part) for part in line))


def _inline(part: Inline) -> str:
    match part:
        case Code(words):
            return code(words)
        case Strong(words):
            return f"<strong>{_words(words)}</strong>"
        case Link(label, url):
            return link(label, url)
        case str():
            return _words(part)


def _alert_lines(lines: tuple[Line, ...]) -> list[str]:
    if len(lines) == 1:
        return [f"> {_line(lines[0])}"]
    return [f"> - {_line(line)}" for line in lines]


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _fenced(language: str, content: str) -> str:
    lines = [harmless(line) for line in content.split("\n")]
    longest = max((len(run) for line in lines for run in re.findall(r"`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([fence + language, *lines, fence])


def _chart(chart: Chart) -> str:
    """Draw bars of everything, and before them bars of what stays: what shows of the first is what goes.

    No theme is named, so that GitHub's own, light or dark, holds for the rest of the picture.
    """
    both = [kept + changed for kept, changed in zip(chart.kept, chart.changed, strict=True)]
    labels = ", ".join(f'"{label}"' for label in chart.labels)
    lines = (
        '%%{init: {"themeVariables": {"xyChart": {"plotColorPalette": "#cf222e, #2da44e"}}}}%%',
        "xychart-beta",
        f'  title "{chart.title}"',
        f"  x-axis [{labels}]",
        '  y-axis "versions"',
        f"  bar {both}",
        f"  bar {list(chart.kept)}",
    )
    return _fenced("mermaid", "\n".join(lines)) + f"\n\nGreen stays, red {text(chart.changed_word)}."


def _entity(match: re.Match[str]) -> str:
    return f"&#{ord(match[0])};"
