"""What a registry's answers mean, in words and as refusals (facts D, J28 to J31; no I/O)."""

from __future__ import annotations

import json
from typing import Any

from package_retention.errors import Refusal, RefusalKind

_LONGEST = 200  # characters of a registry's own words that a message repeats
_KINDS = {
    400: RefusalKind.OTHER,
    401: RefusalKind.ROLE,
    403: RefusalKind.ROLE,
    404: RefusalKind.NOT_FOUND,
    429: RefusalKind.SECONDARY_LIMIT,
}
_ADVICE = {
    RefusalKind.ROLE: "writing to the registry needs `write:packages` on a classic token; for GITHUB_TOKEN "
    "`permissions: packages: write`, and the repository's Write or Admin role under Manage Actions access",
    RefusalKind.NOT_FOUND: "see that the package is there and that `registry-url` is the registry it lies in",
    RefusalKind.SECONDARY_LIMIT: "run again later, or less at once",
    RefusalKind.OTHER: "see that `registry-url` is the registry that the package lies in",
}


def told(status: int, body: bytes) -> str:
    """An answer in a few words: `403 DENIED: denied`; its text is the registry's, and hostile."""
    code, message = _first_error(body)
    words = ": ".join(word for word in (code, message) if word)
    return f"{status} {words}".strip()


def write_refusal(status: int, why: str, what: str) -> Refusal:
    """A refused write explained; `what` names the package and tag."""
    kind = _KINDS.get(status, RefusalKind.OTHER)
    return Refusal(kind, status, f"{what} was not written: {why}", _ADVICE[kind])


def _first_error(body: bytes) -> tuple[str, str]:
    """The code and message of the first error, by the distribution-spec's `errors`; else a line of plain text."""
    try:
        answer = json.loads(body[: 64 * 1024])
    except (ValueError, RecursionError):
        text = body[:_LONGEST].decode("utf-8", "replace").strip()
        return "", "" if text.startswith("<") else text.partition("\n")[0]
    errors: Any = answer.get("errors") if isinstance(answer, dict) else None
    error = errors[0] if isinstance(errors, list) and errors else None
    if not isinstance(error, dict):
        return "", ""
    return _short(error.get("code")), _short(error.get("message"))


def _short(text: object) -> str:
    """A text that can be printed (JSON may hold half a character)."""
    return text[:_LONGEST].encode("utf-8", "replace").decode() if isinstance(text, str) else ""
