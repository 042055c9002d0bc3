from __future__ import annotations

import io
import re

import pytest

from clocks import FakeClock
from package_retention.model import Outcome, Plan, Result
from package_retention.output.person import Screen, screen_for
from package_retention.output.progress import Bar
from package_retention.output.summary.blocks import (
    Alert,
    Block,
    Code,
    Details,
    Heading,
    Link,
    Listing,
    Paragraph,
    Strong,
    Table,
)
from run_results import NOW, delete, package, version

TERMINAL = {"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "50"}


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


def screen(**environ: str) -> tuple[Screen, Tty]:
    stream = Tty()
    found = screen_for(stream, TERMINAL | environ)
    assert found is not None
    return found, stream


def plain(stream: io.StringIO) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stream.getvalue())


def test_a_file_is_no_screen_and_a_debug_log_stays_plain() -> None:
    assert screen_for(io.StringIO(), TERMINAL) is None
    assert screen_for(Tty(), TERMINAL | {"RUNNER_DEBUG": "1"}) is None


def test_blocks_are_shown_and_what_is_folded_is_one_line() -> None:
    shown, stream = screen(NO_COLOR="1")
    table = Table(("Image", "Age"), (((Code("v1"), " with parts"), ("3 days",)),))
    shown.show(
        (
            Heading(2, (Link("app", "https://example.com/"), " (container)")),
            Paragraph((Strong("1 image"), ": older than `30d`")),
            table,
            Details(("4 stay",), (Paragraph(("hidden",)),)),
            Alert("WARNING", (("look here",),)),
        )
    )
    assert [line.rstrip() for line in plain(stream).splitlines()] == [
        "app (container)",
        "1 image: older than 30d",
        "Image          Age",
        "v1 with parts  3 days",
        "",
        "4 stay",
        "look here",
        "",
    ]


def test_a_command_to_copy_is_never_broken() -> None:
    shown, stream = screen()
    command = "package-retention " + "--flag value " * 20 + "end"
    shown.show((Listing("sh", command),))
    assert f"    {command}" in plain(stream).splitlines()


@pytest.mark.parametrize(
    "make",
    [
        lambda text: Paragraph((text,)),
        lambda text: Paragraph((Code(text), Strong(text), Link(text, "https://example.com/"))),
        lambda text: Table((text,), (((text,),),)),
        lambda text: Listing("sh", text),
        lambda text: Heading(2, (text,)),
    ],
)
def test_no_name_moves_the_cursor_or_styles_the_screen(make: object) -> None:
    """Names come from the API: neither escape sequences nor rich's own markup may work."""
    shown, stream = screen(NO_COLOR="1")
    assert callable(make)
    block: Block = make("\x1b[2J[red]x[/red]\r\x07")
    shown.show((block,))
    left = stream.getvalue().replace("\x1b[1m", "").replace("\x1b[2m", "").replace("\x1b[0m", "")
    left = left.replace("\x1b[1;2m", "")
    assert "\x1b" not in left
    assert "\r" not in left
    assert "\x07" not in left
    assert "[red]x[/red]" in left


def bar() -> tuple[Bar, FakeClock, Tty]:
    shown, stream = screen()
    clock = FakeClock(NOW)
    return Bar(shown.console, clock), clock, stream


def test_a_bar_says_how_far_the_changes_are_and_how_long_they_take() -> None:
    progress, clock, stream = bar()
    plan = Plan(package(), steps=tuple(delete(version(n, f"v{n}"), package()) for n in range(1, 101)))
    progress.planned(plan)
    for step in plan.steps[:50]:
        progress.starting(step)
        clock.advance(1)
        progress.finished(Outcome(step, Result.DONE))
        progress.going_on(50, 0, "")
    assert "50 of 100 changes done, 1.0 a second" in plain(stream)
    assert "50 seconds" in plain(stream)


def test_a_quick_run_has_no_bar_and_none_is_left_after_its_end() -> None:
    progress, clock, stream = bar()
    progress.going_on(1, 0, "")
    progress.stop()
    assert stream.getvalue() == ""
    clock.advance(1)
    progress.going_on(2, 0, "")
    assert "2 requests so far" in plain(stream)
    progress.stop()
    assert stream.getvalue().endswith(("\x1b[2K", "\x1b[?25h\r\x1b[1A\x1b[2K"))
