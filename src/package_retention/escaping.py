"""Make one harmless line of text that anyone who can push may have written."""

from __future__ import annotations

_LONGEST = 80
_BROKEN = (("::", r":\x3a"), ("##[", r"#\x23["))


def harmless(text: str, most: int = 0) -> str:
    """Make text one line that shows what it holds and commands nothing.

    What is not printable (line ends, NUL, ANSI escapes, bidi controls, odd spaces, lone surrogates) is written
    as Python's escape for it. `::` and `##[`, which the runner takes for commands (facts E), are broken up the same
    way. With `most`, it is cut to that many characters and says so.
    """
    text = _visible(text)
    for command, broken in _BROKEN:
        text = text.replace(command, broken)
    return shortened(text, most) if most else text


def shortened(text: str, most: int) -> str:
    """Cut text to `most` characters at most, saying how many it has in all."""
    if len(text) <= most:
        return text
    note = f"… ({len(text):,} characters in all)"
    return text[: max(0, most - len(note))] + note[:most]


def _visible(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun: `1 version`, `1,234 versions`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def quoted(text: str) -> str:
    """Return a text between backticks; what cannot be seen is escaped, what is too long is cut."""
    seen = _visible(text[: _LONGEST + 1])
    return f"`{seen[:_LONGEST]}…`" if len(seen) > _LONGEST or len(text) > _LONGEST else f"`{seen}`"
