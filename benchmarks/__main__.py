"""Prints the performance table: `make bench`, or some rows by name (`python -m benchmarks pace`).

`--write` puts the rows into `docs/performance.md`, in place of those of the same work; the others stay.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from benchmarks.rows import BENCHES, LONG
from emulator.steps import ROOT

if TYPE_CHECKING:
    from benchmarks.measure import Row

HEAD = (
    "| what | requests (API + registry) | seconds | floor | ratio | CPU | MB | |\n"
    "| --- | --: | --: | --: | --: | --: | --: | --- |\n"
)
PAGE = ROOT / "docs" / "performance.md"
_BETWEEN = re.compile(
    r"(?<=<!-- rows: made by `python -m benchmarks --write` -->\n\n).*?(?=\n<!-- end of rows -->)", re.DOTALL
)


def with_rows(page: str, rows: list[Row]) -> str:
    """Return the page with rows over those of the same work, or below the others.

    Raises:
        ValueError: the page has no markers for rows.
    """
    found = _BETWEEN.search(page)
    if found is None:
        raise ValueError("the page has no markers for rows")
    there = {line.split("|")[1].strip(): line for line in found.group().splitlines()[2:]}
    lines = there | {row.what: str(row) for row in rows}
    text = HEAD + "".join(f"{line}\n" for line in lines.values())
    return _BETWEEN.sub(lambda _: text, page)


def main(arguments: list[str]) -> None:
    """Run the named rows, or all that are not long."""
    names = [argument for argument in arguments if argument != "--write"]
    print(HEAD, end="")
    for name in names or BENCHES:
        rows = (BENCHES | LONG)[name]()
        print(*rows, sep="\n", flush=True)
        if "--write" in arguments:
            PAGE.write_text(with_rows(PAGE.read_text(encoding="utf-8"), rows), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
