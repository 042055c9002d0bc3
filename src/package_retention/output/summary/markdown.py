"""GitHub-flavoured Markdown from blocks and from text that may be hostile."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from package_retention.escaping import harmless
from package_retention.output.summary.blocks import (
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
    pieces,
    rows_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from package_retention.output.summary.blocks import Block, Inline, Line, Section

MOST_OF_TEXT = 1000
MOST_OF_CODE = 140

_CHART = {
    # Without numbers at its axis a bar of 0 has no height.
    "xyChart": {
        "width": 800,
        "height": 240,
        "xAxis": {"labelFontSize": 13},
        "yAxis": {"showLabel": False, "showTick": False},
    },
    "themeVariables": {"xyChart": {"plotColorPalette": "#fb8f44, #218bff", "backgroundColor": "transparent"}},
}
_APART = "<!-- -->"
# What a code span may hold as it is; everything else is written in HTML, with entities.
_PLAIN_CODE = re.compile(r"[A-Za-z0-9._/:+-]+(?: [A-Za-z0-9._/:+-]+)*", re.ASCII)
# An underscore inside a word is none of Markdown's.
_UNDERSCORE = re.compile(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", re.ASCII)
# An HTML entity is never Markdown. Mentions and references are looked for in the finished page, entities or not, so
# their sign is kept apart from what follows by a comment; and so are addresses of mails.
_ENTITIES = {ord(sign): f"&#{ord(sign)};" for sign in "&<>`*~[|\\$"} | {
    ord(sign): f"&#{ord(sign)};{_APART}" for sign in "@#"
}
_ADDRESS = re.compile(r":(?=/)|(?<=www)\.", re.IGNORECASE)
_BLOCK_START = re.compile(r"^(?:[-+=\s]|[0-9](?=[0-9]*[.)](?:\s|$)))")


def text(words: str, most: int = MOST_OF_TEXT) -> str:
    """Write words so that they show as they are, in a paragraph, a table or HTML, and are no markup, link or mention."""
    return _BLOCK_START.sub(_entity, _words(words, most))


def code(words: str, most: int = MOST_OF_CODE) -> str:
    """Write a name in fixed-width letters; in HTML where a code span would not show it as it is."""
    shown = harmless(words, most)
    return f"`{shown}`" if _PLAIN_CODE.fullmatch(shown) else _html_code(words, most)


def prose(words: str, most: int = MOST_OF_TEXT) -> str:
    """Write a sentence of ours: what it quotes between backticks is code, the rest shows as it is."""
    return _prose(words, code, most)


def link(label: str, url: str) -> str:
    """Link a name to its page; where the address is not plain https, the name alone."""
    safe, shown = safe_url(url), code(label)
    if not safe:
        return shown
    return f"[{shown}]({safe})" if shown.startswith("`") else f'<a href="{safe}">{shown}</a>'


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
            return f"<details><summary>{_html_line(line)}</summary>\n\n{inner}\n\n</details>"


def section(blocks: Section) -> str:
    """Write blocks one after another, each followed by a blank line."""
    return "".join(render(block) + "\n\n" for block in blocks)


def _words(words: str, most: int = MOST_OF_TEXT) -> str:
    return _escaped(harmless(words, most))


def _escaped(words: str) -> str:
    return _UNDERSCORE.sub(_entity, _ADDRESS.sub(_entity, words.translate(_ENTITIES)))


def _prose(words: str, write: Callable[[str], str], most: int = MOST_OF_TEXT) -> str:
    parts = pieces(harmless(words, most))
    return "".join(write(part) if quoted else _escaped(part) for part, quoted in parts)


def _html_code(words: str, most: int = MOST_OF_CODE) -> str:
    return f"<code>{_words(words, most) or '&#32;'}</code>"


def _line(line: Line) -> str:
    return _BLOCK_START.sub(_entity, "".join(_inline(inline) for inline in line))


def _inline(inline: Inline) -> str:
    match inline:
        case Code(words):
            return code(words)
        case Strong(words):
            return f"<strong>{prose(words)}</strong>"
        case Link(label, url):
            return link(label, url)
        case str():
            return prose(inline)


def _html_line(line: Line) -> str:
    """A line where Markdown is not looked at: inside the line of a folded part."""
    return "".join(_html_inline(inline) for inline in line)


def _html_inline(inline: Inline) -> str:
    match inline:
        case Code(words) | Link(words, _):
            return _html_code(words)
        case Strong(words):
            return f"<strong>{_prose(words, _html_code)}</strong>"
        case str():
            return _prose(inline, _html_code)


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

    No theme is named, so that GitHub's own, light or dark, holds for the rest of the picture. The two colours are told
    apart by those who do not see red and green as different, too.
    """
    both = [kept + changed for kept, changed in zip(chart.kept, chart.changed, strict=True)]
    labels = ", ".join(f'"{label}"' for label in chart.labels)
    lines = (
        f"%%{{init: {json.dumps(_CHART)}}}%%",
        "xychart-beta",
        f"  x-axis [{labels}]",
        f'  y-axis "up to {max(both):,}" 0 --> {max(both)}',
        f"  bar {both}",
        f"  bar {list(chart.kept)}",
    )
    picture = _fenced("mermaid", "\n".join(lines))
    head, *rows = rows_of(chart)
    numbers = Table(
        head, tuple(tuple((cell,) for cell in row) for row in rows), frozenset(range(1, len(head)))
    )
    title = f"{text(chart.title)}: blue stays, orange {text(chart.changed_word)}."
    # Servers without Mermaid show its source: the numbers stand in a table below.
    return f"{title}\n\n{picture}\n\n{render(numbers)}"


def _entity(match: re.Match[str]) -> str:
    return f"&#{ord(match[0])};"
