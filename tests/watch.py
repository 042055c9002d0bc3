"""Watches every embedded GitHub and every step of a test: undocumented requests, and tokens where none may be."""

from __future__ import annotations

import base64
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from emulator import documented, steps
from emulator.server import EmulatedGitHub

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from emulator.messages import Request
    from emulator.steps import Ran
    from emulator.world import World

_MASKING = "::add-mask::"
_API_VERSION = "2022-11-28"
_SHORTEST = 12


@dataclass
class Watch:
    """What was seen; requests are remembered once each, so that a long test costs no more than a short one."""

    asked: set[tuple[str, str, tuple[tuple[str, str], ...]]] = field(default_factory=set)
    versions: set[str] = field(default_factory=set)
    leaks: list[str] = field(default_factory=list)

    def serve(self, world: World) -> None:
        """Look at each request that arrives, before anything is done about it."""

        def look(request: Request) -> None:
            if request.storage and "authorization" in request.headers:
                self.leaks.append("the host of the blobs was sent a token")
            if request.registry:
                return
            path = request.path.removeprefix("/api/v3") if world.ghes else request.path
            self.asked.add((request.method, path, tuple(sorted(request.query.items()))))
            self.versions.add(request.headers.get("x-github-api-version", "none"))

        world.before_request.append(look)

    def ran(self, environ: Mapping[str, str], ran: Ran, folder: Path) -> None:
        """Look for the step's token in everything that it left behind."""
        token = environ.get("INPUT_TOKEN", "").strip()
        if len(token) < _SHORTEST:
            return
        places = {"the log": _unmasked(ran.log), "the summary": ran.summary, **ran.outputs}
        places |= {
            str(path): path.read_text("utf-8", "replace") for path in folder.rglob("*") if path.is_file()
        }
        for where, text in places.items():
            self.leaks += [f"{where} holds the token" for form in _forms(token) if form in text]

    def objections(self) -> list[str]:
        """What does not fit GitHub's documents, and where a token was found."""
        requests = (_Asked(method, path, dict(query)) for method, path, query in sorted(self.asked))
        strange = [f"API version {one}" for one in sorted(self.versions - {_API_VERSION})]
        return [*documented.undocumented(requests), *strange, *self.leaks]


@dataclass(frozen=True, slots=True)
class _Asked:
    method: str
    path: str
    query: Mapping[str, str]


@contextmanager
def watching() -> Iterator[Watch]:
    """Watch all that is served and run meanwhile."""
    watch = Watch()
    EmulatedGitHub.watchers.append(watch.serve)
    steps.watchers.append(watch.ran)
    try:
        yield watch
    finally:
        EmulatedGitHub.watchers.remove(watch.serve)
        steps.watchers.remove(watch.ran)


def _unmasked(log: str) -> str:
    """The log without the lines that tell the runner what to mask."""
    return "\n".join(line for line in log.splitlines() if not line.startswith(_MASKING))


def _forms(token: str) -> list[str]:
    """A token as it is, and as base64 at each place where it may begin in what was encoded."""
    shifted = (base64.b64encode(b"x" * shift + token.encode()).decode() for shift in range(3))
    return [token, *(text[4 * bool(shift) : -4] for shift, text in enumerate(shifted))]
