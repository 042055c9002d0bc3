"""How a user's own text stands in a message: on one line, marked as text, of bounded length."""

from __future__ import annotations

_LONGEST = 80


def quoted(text: str) -> str:
    """Put a text between backticks; what cannot be seen is escaped, what is too long is cut."""
    seen = "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[: _LONGEST + 1]
    )
    return f"`{seen[:_LONGEST]}…`" if len(seen) > _LONGEST or len(text) > _LONGEST else f"`{seen}`"
