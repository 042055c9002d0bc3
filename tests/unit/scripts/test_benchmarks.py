"""How the table of measurements is put into the page on performance; nothing is measured here."""

from __future__ import annotations

import pytest
from benchmarks.__main__ import HEAD, PAGE, with_rows
from benchmarks.measure import Row

BEGIN = "<!-- rows: made by `python -m benchmarks --write` -->\n\n"
END = "\n<!-- end of rows -->"


def row(what: str, seconds: float, note: str = "") -> Row:
    return Row(what, "5 + 0", seconds, 0.5, 0.25, 52.4, note)


def page(*rows: Row) -> str:
    lines = "".join(f"{one}\n" for one in rows)
    return f"before\n\n{BEGIN}{HEAD}{lines}{END}\n\nafter | with a bar\n"


def test_a_row_replaces_the_one_of_the_same_work_in_its_place_and_a_new_one_goes_below() -> None:
    old = page(row("first", 1), row("second", 2), row("third", 3))
    new = with_rows(old, [row("second", 9, "a backslash: \\1"), row("fourth", 4)])
    assert new == page(
        row("first", 1), row("second", 9, "a backslash: \\1"), row("third", 3), row("fourth", 4)
    )
    assert with_rows(new, []) == new


def test_a_row_tells_the_ratio_to_its_floor_if_it_has_one() -> None:
    assert str(row("first", 1)) == "| first | 5 + 0 | 1.00 | 0.50 | 2.00 | 0.25 | 52 |  |"
    assert "| 0.00 | nan |" in str(Row("second", "-", 1, 0, 1, 5))


def test_a_page_without_markers_is_not_written_over() -> None:
    with pytest.raises(ValueError, match="markers"):
        with_rows("no table", [row("first", 1)])


def test_the_page_that_is_published_takes_rows() -> None:
    published = PAGE.read_text(encoding="utf-8")
    assert with_rows(published, []) == published
    assert "| a row of a test |" in with_rows(published, [row("a row of a test", 1)])
