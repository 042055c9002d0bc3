"""Pages: where the next one is, how many there are, and what a list leaves out (facts A6, B2)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

# One link of RFC 8288: `<URL>` and its parameters, whose values may be quoted and then hold commas and semicolons.
_LINK = re.compile(r'<(?P<url>[^<>]*)>(?P<parameters>(?:[^",<]|"[^"]*")*)')
_PARAMETER = re.compile(r';\s*(?P<name>[\w*-]+)\s*=\s*(?:"(?P<quoted>[^"]*)"|(?P<bare>[^\s;,"]+))')
# `int` alone would read other scripts' digits, signs and numbers of any length.
_PAGE = re.compile(r"[0-9]{1,9}")
_PORTS = {"http": 80, "https": 443}


def links(header: str | None) -> Mapping[str, str]:
    """Read a `Link` header: relation (in small letters) to URL; the first link of a relation counts (RFC 8288)."""
    found: dict[str, str] = {}
    for link in _LINK.finditer(header or ""):
        for name in _relations(link["parameters"]):
            found.setdefault(name, link["url"].strip())
    return found


def _relations(parameters: str) -> list[str]:
    # Read in order, so that a `rel=` inside another parameter's quotes is none; the first `rel` counts.
    values = (
        parameter["quoted"] or parameter["bare"] or ""
        for parameter in _PARAMETER.finditer(parameters)
        if parameter["name"].lower() == "rel"
    )
    return next(values, "").lower().split()


def next_url(header: str | None) -> str | None:
    """Return the URL of the next page; `None` on the last one."""
    return links(header).get("next") or None


def last_page(header: str | None) -> int | None:
    """Return the number of the last page; `None` if the header does not name it (facts A6)."""
    try:
        values = parse_qs(urlsplit(links(header).get("last", "")).query).get("page", [])
    except ValueError:
        return None
    digits = values[-1] if values else ""
    return int(digits) or None if _PAGE.fullmatch(digits) else None


def same_host(url: str, api_url: str) -> bool:
    """Return whether a URL's scheme, host and port are the API's: the token goes nowhere else."""
    origin = _origin(api_url)
    return origin is not None and _origin(url) == origin


def _origin(url: str) -> tuple[str, str, int] | None:
    # Parsers differ on blanks, backslashes and user names in a URL: what could be read two ways has no origin.
    if re.search(r"[\s\\\x00-\x1f\x7f]", url):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname or "@" in parts.netloc:
        return None
    return parts.scheme, parts.hostname, _PORTS[parts.scheme] if port is None else port


def partial_notice(header: str | None) -> str:
    """Read the `X-GitHub-SSO` of a list: a notice where GitHub left organizations out of it, else empty (facts B2)."""
    kind, _, rest = (header or "").partition(";")
    if kind.strip().lower() != "partial-results":
        return ""
    _, _, value = rest.partition("=")
    count = sum(1 for part in value.split(",") if part.strip())
    whose = "1 organization" if count == 1 else f"{count} organizations" if count else "some organizations"
    return (
        f"GitHub's list is incomplete: it leaves out {whose} whose single sign-on (SAML) this token is not authorised"
        " for; authorise it at Settings > Developer settings > Personal access tokens > Configure SSO"
    )
