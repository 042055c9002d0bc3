"""What each switch of the embedded GitHub changes: a look at the world, and what it sees at each value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import requests

    from emulator.calling import Caller
    from emulator.situations import Scene

LOOKS: dict[str, tuple[Callable[[Scene, Caller], Any], Mapping[Any, Any]]] = {}
"""By the switch's name: the look, and what it sees at each value."""


def switch(
    name: str, answers: Mapping[Any, Any]
) -> Callable[[Callable[[Scene, Caller], Any]], Callable[[Scene, Caller], Any]]:
    """Add a look that sees `answers[value]` with the switch at `value`."""

    def add(look: Callable[[Scene, Caller], Any]) -> Callable[[Scene, Caller], Any]:
        LOOKS[name] = (look, answers)
        return look

    return add


def said(answer: requests.Response) -> tuple[int, str]:
    """An answer's status and message."""
    return answer.status_code, answer.json()["message"] if answer.content else ""


def names(rows: list[Any]) -> list[str]:
    """The names of rows."""
    return [row["name"] for row in rows]
