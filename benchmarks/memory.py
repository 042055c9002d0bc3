"""The peak memory of a process."""

from __future__ import annotations

import re
from pathlib import Path


def peak(process: int | str) -> float:
    """Return the peak memory of a process (or `self`) in MB, as far as it is there; Linux alone says.

    Not `ru_maxrss`: what a child inherits of it is the peak of the process that started it.
    """
    status = Path(f"/proc/{process}/status")
    text = status.read_text() if status.exists() else ""
    found = re.search(r"^VmHWM:\s+(\d+) kB", text, re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0
