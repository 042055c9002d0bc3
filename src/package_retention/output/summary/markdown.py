"""GitHub-flavoured Markdown from blocks and from text that may be hostile."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from urllib.parse import quote, urlsplit

from package_retention.escaping import harmless
from package_retention.output.summary import blocks
from package_retention.output.summary.blocks import Block, Inline, Line

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


def text(words: str) -> str:
    """Write words so that they show as they are, in a paragraph, a table or HTML, and are no markup, link or mention."""
    return _BLOCK_START.sub(_entity, _escaped(harmless(words, MOST_OF_TEXT)))


def code(words: str) -> str:
    """Write a name in fixed-width letters; in HTML if a code span would not show it as it is."""
    shown = harmless(words, MOST_OF_CODE)
    return f"`{shown}`" if _PLAIN_CODE.fullmatch(shown) else _html_code(words)


def prose(words: str, write: Callable[[str], str] = code) -> str:
    """Write a sentence of ours: what it quotes between backticks is code, the rest shows as it is."""
    cut = blocks.pieces(harmless(words, MOST_OF_TEXT))
    return "".join(write(piece) if quoted else _escaped(piece) for piece, quoted in cut)


def link(label: str, url: str) -> str:
    """Link a name to its page, or write the name alone if the address is not plain https."""
    safe, shown = safe_url(url), code(label)
    if not safe:
        return shown
    return f"[{shown}]({safe})" if shown.startswith("`") else f'<a href="{safe}">{shown}</a>'


def safe_url(url: str) -> str:
    """Return an https address fit for an attribute in a table cell; empty if it is not one."""
    try:
        split = urlsplit(url)
    except ValueError:
        return ""
    if split.scheme != "https" or not split.hostname or "@" in split.netloc or not url.isprintable():
        return ""
    return quote(url, safe=":/?=&%#~+,;-._@").replace("&", "&amp;")


def render(block: Block) -> str:
    """Write one block, without a blank line after it."""
    match block:
        case blocks.Heading(level, line):
            return f"{'#' * level} {_line(line)}"
        case blocks.Paragraph(line):
            return _line(line)
        case blocks.Alert(kind, lines):
            mark = "- " if len(lines) > 1 else ""
            return "\n".join([f"> [!{kind}]", *(f"> {mark}{_line(line)}" for line in lines)])
        case blocks.Table(head, rows, numeric):
            rule = ("--:" if numeric and place else "---" for place in range(len(head)))
            cells = [map(text, head), rule, *(map(_line, line) for line in rows)]
            return "\n".join(f"| {' | '.join(line)} |" for line in cells)
        case blocks.Listing(language, content):
            return _fenced(language, content)
        case blocks.Chart():
            return _chart(block)
        case blocks.Details(line, inner):
            folded = "".join(_inline(inline, folded=True) for inline in line)
            return f"<details><summary>{folded}</summary>\n\n{blocks.joined(inner, render)}</details>"


def _escaped(words: str) -> str:
    return _UNDERSCORE.sub(_entity, _ADDRESS.sub(_entity, words.translate(_ENTITIES)))


def _html_code(words: str) -> str:
    return f"<code>{_escaped(harmless(words, MOST_OF_CODE)) or '&#32;'}</code>"


def _line(line: Line) -> str:
    return _BLOCK_START.sub(_entity, "".join(map(_inline, line)))


def _inline(inline: Inline, *, folded: bool = False) -> str:
    """Write words; inside the line of a folded part, Markdown is not looked at."""
    write = _html_code if folded else code
    match inline:
        case blocks.Link(label, url) if not folded:
            return link(label, url)
        case blocks.Code(words) | blocks.Link(words, _):
            return write(words)
        case blocks.Strong(words):
            return f"<strong>{prose(words, write)}</strong>"
        case str():
            return prose(inline, write)


def _fenced(language: str, content: str) -> str:
    lines = [harmless(line) for line in content.split("\n")]
    longest = max((len(run) for line in lines for run in re.findall(r"`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([fence + language, *lines, fence])


def _chart(chart: blocks.Chart) -> str:
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
    title = f"{text(chart.title)}: blue stays, orange {text(chart.changed_word)}."
    # Servers without Mermaid show its source: the numbers stand in a table below.
    return f"{title}\n\n{picture}\n\n{render(blocks.numbers_of(chart))}"


def _entity(match: re.Match[str]) -> str:
    return f"&#{ord(match[0])};"
