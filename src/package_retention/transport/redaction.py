"""Replace secrets in what servers send, before any message is made of it.

A proxy that repeats the `Authorization` header in its error page, or a token service that repeats the credentials it
refuses, would otherwise carry the token into the report and the summary, which no runner masks.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

_HIDDEN = "***"
_SHORTEST = 8  # characters; replacing a shorter text would destroy words


class Redactor:
    """Replaces the secrets of a run; safe in threads.

    Args:
        secret: the token of the run.
        mask: called with each secret that comes later (bearer tokens of the registry), so that logs hide them too.
    """

    def __init__(self, secret: str = "", mask: Callable[[str], None] = lambda _: None) -> None:
        self._mask = mask
        self._forms = _forms(secret)

    def add(self, secret: str) -> None:
        """Hide one more secret from now on."""
        forms = _forms(secret)
        if forms and forms[0] not in self._forms:
            # A new tuple each time: other threads may be reading the old one.
            self._forms = (*self._forms, *forms)
            self._mask(secret)

    def text(self, text: str) -> str:
        """Replace every secret in a text, whether plain, in base64 or in the form of URLs."""
        for form in self._forms:
            text = text.replace(form, _HIDDEN)
        return text

    def value(self, value: Any) -> Any:
        """Replace secrets in every text of a decoded JSON document."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(entry) for entry in value]
        if isinstance(value, dict):
            return {self.text(str(key)): self.value(entry) for key, entry in value.items()}
        return value


def _forms(secret: str) -> tuple[str, ...]:
    if len(secret) < _SHORTEST:
        return ()
    return tuple(dict.fromkeys([secret, quote(secret, safe=""), *_encoded(secret.encode())]))


def _encoded(secret: bytes) -> Iterator[str]:
    """Yield what base64 makes of a secret at each place where it may begin (`user:secret`), without the edges."""
    for before in range(3):
        digits = base64.b64encode(b"\0" * before + secret).decode().rstrip("=")
        # The first and last digit also hold bits of what stands beside the secret.
        inner = digits[-(-before * 8 // 6) : len(secret + b"\0" * before) * 8 // 6]
        yield inner
        yield inner.replace("+", "-").replace("/", "_")
