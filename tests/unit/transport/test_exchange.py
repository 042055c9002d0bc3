"""No form of a secret that a server repeats is left in a text."""

from __future__ import annotations

import base64
from urllib.parse import quote

from hypothesis import given, strategies as st

from package_retention.transport.exchange import Redactor

SECRETS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=12, max_size=60)
TOKEN = "ghp_" + "aB3/" * 9


@given(secret=SECRETS, before=st.binary(max_size=20), after=st.binary(max_size=20))
def test_base64_of_anything_around_a_secret_is_hidden(secret: str, before: bytes, after: bytes) -> None:
    whole = before + secret.encode() + after
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        shown = Redactor(secret).text(f"<{encode(whole).decode()}>")
        assert "***" in shown
        # What is left are the edges, which hold less than four bytes of the secret.
        left = shown.strip("<>").split("***")
        for part in (left[0], left[-1]):
            assert len(part) * 6 // 8 <= max(len(before), len(after)) + 2


@given(secret=SECRETS, text=st.text())
def test_plain_and_quoted_secrets_are_hidden(secret: str, text: str) -> None:
    shown = Redactor(secret).text(f"{text} {secret} {quote(secret, safe='')}")
    assert secret not in shown


def test_every_text_of_a_document_is_read() -> None:
    body = {"message": f"no {TOKEN}", "errors": [{TOKEN: 1}, TOKEN, 7, None]}
    assert Redactor(TOKEN).value(body) == {"message": "no ***", "errors": [{"***": 1}, "***", 7, None]}


def test_what_comes_later_is_masked_once_and_hidden() -> None:
    masked: list[str] = []
    redactor = Redactor("", masked.append)
    for _ in range(3):
        redactor.add("bearer-of-the-registry")
    assert masked == ["bearer-of-the-registry"]
    assert redactor.text("a bearer-of-the-registry") == "a ***"


def test_what_is_too_short_to_be_a_secret_tears_nothing_apart() -> None:
    assert Redactor("the").text("the others") == "the others"
    assert Redactor().text("x") == "x"
