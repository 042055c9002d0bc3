"""The summary of the demonstration as one HTML page, from the same blocks: no network, no script; its chart is drawn as SVG in the page itself."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from package_retention.escaping import harmless
from package_retention.output.counts import count_run
from package_retention.output.summary import blocks
from package_retention.output.summary.markdown import safe_url
from package_retention.output.summary.page import sections
from package_retention.output.summary.words import headline

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from package_retention.output.summary.blocks import About, Block, Inline, Line, Section
    from package_retention.results import RunResult

_STYLE = """
:root { color-scheme: light dark; --line: #d1d9e0; --soft: #f6f8fa; --stays: #218bff; --goes: #fb8f44; }
@media (prefers-color-scheme: dark) { :root { --line: #3d444d; --soft: #151b23; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 1012px; margin: 2rem auto; padding: 0 1rem; }
h2, h3 { border-bottom: 1px solid var(--line); padding-bottom: .3em; }
table { border-collapse: collapse; display: block; overflow-x: auto; margin: 1rem 0; }
th, td { border: 1px solid var(--line); padding: .35rem .75rem; text-align: left; }
th.n, td.n { text-align: right; }
code, pre { font: 85% ui-monospace, monospace; background: var(--soft); border-radius: 6px; }
code { padding: .2em .4em; }
pre { padding: 1rem; overflow: auto; }
aside { border-left: .25em solid var(--stays); padding: .25rem 1rem; margin: 1rem 0; }
aside.WARNING { border-color: #d29922; } aside.CAUTION { border-color: #f85149; }
figure { margin: 16px 0; } svg { max-width: 100%; height: auto; } svg text { font: 12px system-ui, sans-serif; fill: currentColor; }
summary { cursor: pointer; margin: .5rem 0; }
"""
_HEIGHT, _STEP, _BAR = 160, 90, 56


def render_html(run: RunResult, about: About) -> str:
    """Write the summary of a run as a whole page."""
    counts = count_run(run)
    title = headline(counts)
    body = "\n".join(render(block) for block in blocks_of(run, about))
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width">\n<title>{_text(title)}</title>'
    return f'<!doctype html>\n<html lang="en">\n{head}\n<style>{_STYLE}</style>\n{body}\n</html>\n'


def blocks_of(run: RunResult, about: About) -> Section:
    """Every block of a run's summary, without a limit of its size."""
    return tuple(block for section in sections(count_run(run), about) for block in section)


def render(block: Block) -> str:
    """Write one block."""
    match block:
        case blocks.Heading(level, line):
            return f"<h{level}>{_line(line)}</h{level}>"
        case blocks.Paragraph(line):
            return f"<p>{_line(line)}</p>"
        case blocks.Alert(kind, lines):
            inner = "".join(f"<p>{_line(line)}</p>" for line in lines)
            return f'<aside class="{kind}"><strong>{kind.capitalize()}</strong>{inner}</aside>'
        case blocks.Table(head, rows, numeric):
            return _table(head, rows, numeric)
        case blocks.Listing(_, content):
            shown = "\n".join(_text(one) for one in content.split("\n"))
            return f"<pre>{shown}</pre>"
        case blocks.Chart():
            return _chart(block)
        case blocks.Details(line, folded):
            inner = "\n".join(map(render, folded))
            return f"<details><summary>{_line(line)}</summary>\n{inner}\n</details>"


def _text(words: str) -> str:
    return escape(harmless(words))


def _line(line: Line) -> str:
    return "".join(_inline(inline) for inline in line)


def _inline(inline: Inline) -> str:
    match inline:
        case blocks.Code(words):
            return f"<code>{_text(words)}</code>"
        case blocks.Strong(words):
            return f"<strong>{_prose(words)}</strong>"
        case blocks.Link(label, url):
            safe = safe_url(url)
            shown = f"<code>{_text(label)}</code>"
            return f'<a href="{safe}">{shown}</a>' if safe else shown
        case str():
            return _prose(inline)


def _prose(words: str) -> str:
    """A sentence of ours: what it quotes between backticks is code."""
    return "".join(
        f"<code>{escape(part)}</code>" if quoted else escape(part)
        for part, quoted in blocks.pieces(harmless(words))
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[Line]], numeric: bool) -> str:
    def cell(name: str, column: int, inner: str) -> str:
        kind = ' class="n"' if numeric and column else ""
        return f"<{name}{kind}>{inner}</{name}>"

    top = "".join(cell("th", column, _text(name)) for column, name in enumerate(head))
    body = "\n".join(
        f"<tr>{''.join(cell('td', column, _line(line)) for column, line in enumerate(row))}</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{top}</tr></thead>\n<tbody>{body}</tbody></table>"


def _chart(chart: blocks.Chart) -> str:
    """Draw one bar a label: what stays below, what goes above, each with its number."""
    most = max(map(sum, zip(chart.kept, chart.changed, strict=True)), default=1) or 1
    bars = "".join(
        _bar(place, label, kept, changed, most)
        for place, (label, kept, changed) in enumerate(
            zip(chart.labels, chart.kept, chart.changed, strict=True)
        )
    )
    width, title = _STEP * len(chart.labels), f"{chart.title}: blue stays, orange {chart.changed_word}"
    size = f'viewBox="0 0 {width} {_HEIGHT + 50}" width="{width}" height="{_HEIGHT + 50}"'
    return f'<figure><figcaption>{_text(title)}.</figcaption>\n<svg role="img" {size}>{bars}</svg></figure>'


def _bar(place: int, label: str, kept: int, changed: int, most: int) -> str:
    left, middle = place * _STEP + (_STEP - _BAR) // 2, place * _STEP + _STEP // 2
    stays, goes = _HEIGHT * kept // most, _HEIGHT * changed // most
    floor = _HEIGHT + 25
    top = floor - stays - goes
    numbers = " + ".join(f"{number:,}" for number in (kept, changed) if number) or "0"
    return (
        f'<rect x="{left}" y="{floor - stays}" width="{_BAR}" height="{stays}" style="fill:var(--stays)"/>'
        f'<rect x="{left}" y="{top}" width="{_BAR}" height="{goes}" style="fill:var(--goes)"/>'
        f'<text x="{middle}" y="{top - 6}" text-anchor="middle">{numbers}</text>'
        f'<text x="{middle}" y="{floor + 18}" text-anchor="middle">{_text(label)}</text>'
    )
