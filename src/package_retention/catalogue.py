"""Read a catalogue: a TOML file beside the module that speaks by it, one entry a code."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

_Catalogue = TypeVar("_Catalogue")


def read(path: Path, kind: type[_Catalogue]) -> _Catalogue:
    """Read a catalogue whole; to be called when it is needed first, so that a run's first request comes sooner."""
    import tomllib  # noqa: PLC0415 - as late as the catalogue

    return msgspec.convert(tomllib.loads(path.read_text("utf-8")), kind)
