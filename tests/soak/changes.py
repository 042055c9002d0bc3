"""What others do while a run is going, what fails, and when somebody cancels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from emulator.faults import Fault, Kind
from soak.worlds import Statement

if TYPE_CHECKING:
    from random import Random

    from emulator.messages import Request
    from soak.worlds import WorldWriter

MOMENTS = ("list", "manifest", "delete", "any")
_PASSING = (
    Kind.DROP, Kind.LOST, Kind.LOST_502, Kind.SERVER_ERROR, Kind.BAD_GATEWAY, Kind.UNAVAILABLE, Kind.SECONDARY,
    Kind.SECONDARY_AFTER, Kind.TOO_MANY_AFTER, Kind.TRUNCATED, Kind.MALFORMED, Kind.PORTAL, Kind.EXPIRED,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """Statements that somebody carries out just before the n-th request of a kind."""

    moment: str
    number: int
    statement: Statement

    def __str__(self) -> str:
        return f"before {self.moment} request {self.number}: {self.statement.text}"


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault, as text that makes it."""

    text: str

    def fault(self) -> Fault:
        found = eval(self.text, {"Fault": Fault, "Kind": Kind})
        assert isinstance(found, Fault)
        return found

    def __str__(self) -> str:
        return self.text


def is_moment(moment: str, request: Request) -> bool:
    """Whether a request is of a kind that changes wait for."""
    match moment:
        case "list":
            return request.method == "GET" and request.path.endswith("/versions")
        case "manifest":
            return request.registry and request.method == "GET" and "/manifests/" in request.path
        case "delete":
            return request.method == "DELETE"
        case _:
            return True


def changes(random: Random, writer: WorldWriter, count: int) -> list[Change]:
    """Write what others do: pushes, promotions, deletions, tags that move away."""
    return [
        Change(random.choice(MOMENTS), random.randint(1, 6), one)
        for _ in range(count)
        for one in _change(random, writer)
    ]


def _change(random: Random, writer: WorldWriter) -> list[Statement]:
    there = [one.adds for one in writer.statements if one.adds]
    target = random.choice(there)
    tag = random.choice((f"new-{random.randint(1, 9)}", "1.9.0", "edge", "pr-2", "latest", "1.0.0"))
    match random.choice(("push", "index", "promote", "delete", "delete", "take tag", "sign")):
        case "push":
            name = writer.shape("image(SEED)")
            text = f"push({name}, {tag!r})"
        case "index":
            name = writer.shape(f"index_of({target}, seed=SEED)")
            text = f"push({name}, {tag!r})"
        case "promote":
            text = f"push({target}, {tag!r})"
        case "delete":
            text = f"delete({target})"
        case "take tag":
            tagged = [one.text for one in writer.statements if one.adds and f"({one.adds}, '" in one.text]
            taken = random.choice(tagged).split(", ")[1] if tagged else repr(tag)
            text = f"push({writer.shape('image(SEED)')}, {taken})"
        case _:
            name = writer.shape(f"signature({target})")
            text = f"push({name}, derived_tag({target}, 'sig'))"
    return [Statement(text)]


def strikes(random: Random) -> list[Strike]:
    """Write faults: passing ones at any request, lasting ones of one kind of request."""
    found = []
    for _ in range(random.choice((1, 1, 2, 3))):
        kind = random.choice(_PASSING)
        registry = random.random() < 0.4
        if kind is Kind.EXPIRED and registry:
            kind = Kind.UNAVAILABLE
        where = random.choice(
            ("number={n}", "number={n}", "method='DELETE', skip={n}", "method='DELETE', times=None, skip={n}")
        )
        if registry:
            where = random.choice(
                ("number={n}", "path='/manifests/', skip={n}", "path='/manifests/', times=None, skip={n}")
            )
        aimed = where.format(n=random.randint(1, 14))
        found.append(Strike(f"Fault(Kind.{kind.name}, {aimed}, registry={registry})"))
    return found
