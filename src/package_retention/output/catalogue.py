"""Read the catalogues of sentences: the TOML files beside this one, one entry a code."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

_Catalogue = TypeVar("_Catalogue")


def read(name: str, kind: type[_Catalogue]) -> _Catalogue:
    """Read a catalogue whole; to be called when the first sentence is made, so that the first request comes sooner."""
    import tomllib  # noqa: PLC0415 - needed for sentences alone

    text = Path(__file__).with_name(name).read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), kind)
