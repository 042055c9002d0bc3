"""Take pictures of job summaries, light and dark, as GitHub shows them: `make screenshots`.

Those of `readme` go to docs/screenshots, any other that is named to build/screenshots. Each summary is that of a
real run against the embedded GitHub. Needs Chromium with fonts-dejavu, fonts-liberation and fonts-noto-color-emoji,
Node's npm for what renders the Markdown, and no network but for that.
"""

from __future__ import annotations

import argparse
import html
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emulator.summaries import SUMMARIES

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / "build" / "screenshots"
PICTURES = ROOT / "docs" / "screenshots"
RENDERERS = ("marked@18.2.1", "marked-alert@2.1.2", "github-markdown-css@5.9.0", "mermaid@11.17.2")
README = "readme"
WIDTH, MOST_HEIGHT, MOST_BYTES = 1012, 720, 300_000
MODES = {"light": ("#ffffff", "default"), "dark": ("#0d1117", "dark")}

# Those of a Chromium that runs as root and asks nobody on the network for anything.
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--allow-file-access-from-files",
    "--virtual-time-budget=10000",
)

PAGE = """<!doctype html><meta charset="utf-8">
<link rel="stylesheet" href="node_modules/github-markdown-css/github-markdown-{mode}.css">
<style>
  body {{ margin: 0; padding: 24px 32px; background: {background}; }}
  .markdown-body {{ font-family: "Liberation Sans", sans-serif; font-size: 14px; }}
  .markdown-body code, .markdown-body pre {{ font-family: "DejaVu Sans Mono", monospace; }}
  .mermaid {{ background: none !important; }}
</style>
<article class="markdown-body" id="page"></article>
<script src="node_modules/marked/lib/marked.umd.js"></script>
<script src="node_modules/marked-alert/dist/index.umd.js"></script>
<script src="node_modules/mermaid/dist/mermaid.min.js"></script>
<script id="source" type="application/json">{source}</script>
<script>
  marked.use(markedAlert());
  const page = document.getElementById("page");
  page.innerHTML = marked.parse(JSON.parse(document.getElementById("source").textContent), {{gfm: true}});
  page.querySelectorAll("details").forEach((one, place) => {{ one.open = {unfolded}.includes(place); }});
  page.querySelectorAll("code.language-mermaid").forEach(one => {{
    const picture = document.createElement("div");
    picture.className = "mermaid";
    picture.textContent = one.textContent;
    one.parentElement.replaceWith(picture);
  }});
  mermaid.initialize({{startOnLoad: false, theme: "{theme}"}});
  window.drawn = mermaid.run();
  window.drawn.then(() => {{ document.title = "height " + document.documentElement.scrollHeight; }});
</script>
"""
# Opens pages side by side and writes down what is in each. A listing to paste may be scrolled, a table should not.
GALLERY = """<!doctype html><meta charset="utf-8"><body><pre id="found"></pre><script>
  const luminance = colour => {{
    const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map(n => n / 255)
      .map(n => n <= 0.04045 ? n / 12.92 : ((n + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }};
  const look = async name => {{
    const frame = document.createElement("iframe");
    frame.width = {width}; frame.height = 3000; frame.src = name;
    document.body.append(frame);
    await new Promise(done => {{ frame.onload = done; }});
    const inside = frame.contentWindow, page = inside.document.getElementById("page");
    await inside.drawn;
    const count = words => page.querySelectorAll(words).length;
    page.querySelectorAll("details").forEach(one => {{ one.open = true; }});
    const wide = [inside.document.documentElement, ...page.querySelectorAll("table, svg, .markdown-alert")]
      .filter(one => one.scrollWidth > one.clientWidth + 1 || one.getBoundingClientRect().right > {width})
      .map(one => one.tagName + ": " + one.textContent.trim().slice(0, 80));
    const back = luminance(inside.getComputedStyle(inside.document.body).backgroundColor);
    const text = luminance(inside.getComputedStyle(page).color);
    return {{tables: count("table"), folds: count("details"), alerts: count(".markdown-alert"),
      charts: count(".mermaid svg"), wide, back, contrast: (Math.max(back, text) + 0.05) / (Math.min(back, text) + 0.05)}};
  }};
  (async () => {{
    const found = {{}};
    for (const name of {names}) found[name] = await look(name);
    document.getElementById("found").textContent = JSON.stringify(found);
  }})();
</script>
"""


def install() -> None:
    """Bring what renders the Markdown into `build/`, once."""
    wanted = "\n".join(RENDERERS)
    stamp = WORK / "renderers"
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    WORK.mkdir(parents=True, exist_ok=True)
    arguments = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--silent", *RENDERERS]
    subprocess.run(arguments, cwd=WORK, check=True)
    stamp.write_text(wanted)


def chromium(*arguments: str) -> str:
    """Run Chromium with an empty profile; return what it prints."""
    with tempfile.TemporaryDirectory() as profile:
        done = subprocess.run(
            [find_chromium(), *FLAGS, f"--user-data-dir={profile}", *arguments],
            check=True,
            capture_output=True,
            text=True,
            timeout=120,
        )
    return done.stdout


def find_chromium() -> str:
    """Return the browser's path."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not found:
        sys.exit(
            "screenshots: no Chromium; on Debian: apt-get install chromium fonts-dejavu fonts-liberation fonts-noto-color-emoji"
        )
    return found


def write_page(name: str, mode: str, markdown: str, unfolded: Iterable[int] = ()) -> Path:
    """Write the page that renders a summary as GitHub does."""
    background, theme = MODES[mode]
    source = json.dumps(markdown).replace("</", "<\\/")
    page = WORK / f"{name}-{mode}.html"
    page.write_text(
        PAGE.format(mode=mode, background=background, theme=theme, source=source, unfolded=list(unfolded))
    )
    return page


def look_at(pages: Iterable[Path], width: int) -> dict[str, Any]:
    """Open pages in one browser, `width` pixels wide, with all folds open, and return what each shows, by its name."""
    gallery = WORK / "gallery.html"
    gallery.write_text(GALLERY.format(width=width, names=json.dumps([page.name for page in pages])))
    dom = chromium("--dump-dom", f"--window-size={width + 100},1000", gallery.as_uri())
    found = re.search(r'<pre id="found">(.*?)</pre>', dom, re.DOTALL)
    read: dict[str, Any] = json.loads(html.unescape(found[1])) if found and found[1] else {}
    return read


def take(name: str, markdown: str, unfolded: Iterable[int]) -> None:
    """Take both pictures of one summary, down to its end; the README's are bounded in height and bytes."""
    for mode in MODES:
        page = write_page(name, mode, markdown, unfolded)
        size = f"--window-size={WIDTH},400"
        title = re.search(r"<title>height (\d+)</title>", chromium("--dump-dom", size, page.as_uri()))
        if title is None:
            sys.exit(f"screenshots: {html.escape(name)} was not rendered")
        height = int(title[1])
        if name == README and height > MOST_HEIGHT:
            sys.exit(
                f"screenshots: the README's picture would be {height} pixels high, more than {MOST_HEIGHT}"
            )
        picture = (PICTURES if name == README else WORK) / f"{name}-{mode}.png"
        chromium(f"--screenshot={picture}", f"--window-size={WIDTH},{height}", page.as_uri())
        if name == README and picture.stat().st_size > MOST_BYTES:
            sys.exit(f"screenshots: {picture} has {picture.stat().st_size:,} bytes, more than {MOST_BYTES:,}")


def main() -> int:
    """Take the pictures that are named, or the README's."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*SUMMARIES, []], help="which of the summaries")
    parser.add_argument("--text", action="store_true", help="write the Markdown alone, to build/screenshots")
    parser.add_argument("--install", action="store_true", help="bring what renders, and take nothing")
    given = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    PICTURES.mkdir(parents=True, exist_ok=True)
    if not given.text:
        install()
    for name in () if given.install else given.names or [README]:
        made = SUMMARIES[name]()
        (WORK / f"{name}.md").write_text(made.text)
        (WORK / f"{name}.log").write_text(made.log)
        if not given.text:
            take(name, made.text, made.unfolded)
        print(name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
