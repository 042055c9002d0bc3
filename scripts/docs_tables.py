"""Writes the parts of the documentation that are made from `action.yml` and the table of refusals.

`python scripts/docs_tables.py` rewrites what stands between `<!-- NAME: made by … -->` and `<!-- end -->`; a contract
test fails where that was forgotten.
"""

import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

from package_retention.api.refusal_table import OBJECTS, SERVICE, KnownRefusal  # noqa: E402
from package_retention.api.token_refusals import TOKENS  # noqa: E402
from package_retention.inputs.table import INPUTS, Group  # noqa: E402

FILES = ("README.md", "docs/troubleshooting.md")
_PART = re.compile(
    r"(?P<head><!-- (?P<name>[\w-]+): made by scripts/docs_tables\.py -->\n).*?(?P<tail><!-- end -->)",
    re.DOTALL,
)


def inputs(action: Mapping[str, Any]) -> str:
    """One table a group, in the order of `action.yml`."""
    parts = []
    for group in Group:
        rows = ["| input | default | meaning |", "| --- | --- | --- |"]
        for each in INPUTS:
            if each.group is group:
                about = action["inputs"][each.name]
                default = f"`{about['default']}`" if about.get("default") else ""
                rows.append(f"| `{each.name}` | {default} | {_cell(about['description'])} |")
        parts.append(f"**{group}**\n\n" + "\n".join(rows))
    return "\n\n".join(parts)


def outputs(action: Mapping[str, Any]) -> str:
    """The table of outputs."""
    rows = [f"| `{name}` | {_cell(about['description'])} |" for name, about in action["outputs"].items()]
    return "\n".join(["| output | value |", "| --- | --- |", *rows])


def refusals(rows: tuple[KnownRefusal, ...]) -> str:
    """Each text of GitHub's once, with what it means and what to do."""
    texts = dict.fromkeys(row.text for row in rows)
    return "\n".join(_refusal(text, [row for row in rows if row.text == text]) for text in texts)


def _refusal(text: str, rows: list[KnownRefusal]) -> str:
    meanings = [f"{_sentence(row.meaning)} *Do:* {row.next_step}." for row in rows]
    return f"- {_code(text)}<br>\n  " + "<br>\n  Or: ".join(meanings)


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _code(text: str) -> str:
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def _cell(text: str) -> str:
    return text.replace("|", r"\|").rstrip(".") + "."


def parts() -> dict[str, Callable[[Mapping[str, Any]], str]]:
    """What is made, by its name in the files."""
    return {
        "inputs": inputs,
        "outputs": outputs,
        "refusals-of-tokens": lambda _: refusals(TOKENS),
        "refusals-of-packages": lambda _: refusals(OBJECTS),
        "refusals-of-the-service": lambda _: refusals(SERVICE),
    }


def renewed(text: str, action: Mapping[str, Any]) -> str:
    """Give a file's text with its made parts as they should be; raises `KeyError` for a part that nobody makes."""
    made = parts()
    return _PART.sub(lambda m: f"{m['head']}\n{made[m['name']](action)}\n\n{m['tail']}", text)


def main(root: Path) -> int:
    """Renew every file below `root`; gives the exit status."""
    action = yaml.safe_load((root / "action.yml").read_text("utf-8"))
    for name in FILES:
        path = root / name
        path.write_text(renewed(path.read_text("utf-8"), action), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(ROOT))
