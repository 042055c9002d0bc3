"""Write what is made from the code: the inputs of `action.yml`, the JSON Schemas of policies and reports, parts of pages.

`python scripts/docs_tables.py` rewrites what stands between `<!-- NAME: made by … -->` and `<!-- end -->`; a contract
test fails where that was forgotten. So it does with what stands in `action.yml` between `# inputs: made by …` and
`# end`, and with the whole of both schemas.
"""

import json
import re
import sys
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]

from scripts import policy_schema, report_schema  # noqa: E402

from package_retention.api.refusals import KnownRefusal, known  # noqa: E402
from package_retention.inputs.rows import Group  # noqa: E402
from package_retention.inputs.table import INPUTS  # noqa: E402

FILES = ("docs/inputs.md", "docs/troubleshooting.md")
SCHEMAS = {"docs/policy.schema.json": policy_schema, "docs/report.schema.json": report_schema}
_PART = re.compile(
    r"(?P<head><!-- (?P<name>[\w-]+): made by scripts/docs_tables\.py -->\n).*?(?P<tail><!-- end -->)",
    re.DOTALL,
)

_INPUTS = re.compile(
    r"(?P<head># inputs: made by scripts/docs_tables\.py from the table of inputs\n).*?(?P<tail># end\n)",
    re.DOTALL,
)


def inputs(_: Mapping[str, Any]) -> str:
    """Return a table for each group, in the order of the rows."""
    tables = []
    for group in Group:
        rows = ["| input | default | meaning |", "| --- | --- | --- |"]
        for each in INPUTS:
            if each.group is group:
                default = f"`{each.default}`" if each.default else ""
                rows.append(f"| `{each.name}` | {default} | {_cell(each.description)} |")
        tables.append(f"**{group}**\n\n" + "\n".join(rows))
    return "\n\n".join(tables)


def action_inputs() -> str:
    """Return the inputs as `action.yml` declares them."""
    lines = ["inputs:"]
    for group in Group:
        lines.append(f"  # {group}")
        for each in (each for each in INPUTS if each.group is group):
            lines += [f"  {each.name}:", *_folded("description", each.description)]
            if each.default:
                lines.append(f"    default: {_scalar(each.default)}")
    return "\n".join(lines) + "\n"


def _folded(key: str, text: str) -> list[str]:
    wrapped = textwrap.wrap(text, 112, break_long_words=False, break_on_hyphens=False)
    return [f"    {key}: >-", *(f"      {line}" for line in wrapped)]


def _scalar(text: str) -> str:
    """Quote what YAML would read as something else than a text."""
    return text if isinstance(yaml.safe_load(text), str) else json.dumps(text)


def outputs(action: Mapping[str, Any]) -> str:
    """Return the table of outputs."""
    rows = [f"| `{name}` | {_cell(about['description'])} |" for name, about in action["outputs"].items()]
    return "\n".join(["| output | value |", "| --- | --- |", *rows])


def refusals(rows: tuple[KnownRefusal, ...]) -> str:
    """Return each text of GitHub's once, with what it means and what to do."""
    texts = dict.fromkeys(row.text for row in rows)
    return "\n".join(_refusal(text, [row for row in rows if row.text == text]) for text in texts)


def _refusal(text: str, rows: list[KnownRefusal]) -> str:
    meanings = [f"{_sentence(row.why)} *Do:* {row.hint}." for row in rows]
    return f"- {_code(text)}<br>\n  " + "<br>\n  Or: ".join(meanings)


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _code(text: str) -> str:
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def _cell(text: str) -> str:
    return text.replace("|", r"\|").rstrip(".") + "."


def pages() -> dict[str, Callable[[Mapping[str, Any]], str]]:
    """Return what is made, by its name in the files."""
    return {
        "inputs": inputs,
        "outputs": outputs,
        "refusals-of-tokens": lambda _: refusals(known()["tokens"]),
        "refusals-of-packages": lambda _: refusals(known()["packages"]),
        "refusals-of-the-service": lambda _: refusals(known()["service"]),
    }


def renewed(text: str, action: Mapping[str, Any]) -> str:
    """Return a file's text with its made parts renewed; raise `KeyError` for a part that is not made here."""
    made = pages()
    return _PART.sub(lambda m: f"{m['head']}\n{made[m['name']](action)}\n\n{m['tail']}", text)


def renewed_action(text: str) -> str:
    """Return the text of `action.yml` with the inputs of the table."""
    return _INPUTS.sub(lambda m: m["head"] + action_inputs() + m["tail"], text)


def main(root: Path) -> int:
    """Renew every file below `root`; return the exit status."""
    action_file = root / "action.yml"
    action_file.write_text(renewed_action(action_file.read_text("utf-8")), "utf-8")
    for name, schema in SCHEMAS.items():
        (root / name).write_text(schema.text(), "utf-8")
    action = yaml.safe_load(action_file.read_text("utf-8"))
    for name in FILES:
        path = root / name
        path.write_text(renewed(path.read_text("utf-8"), action), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(ROOT))
