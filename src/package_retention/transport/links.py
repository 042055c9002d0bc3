"""Read `Link` headers (facts A6), and decide whether the token may be sent to a URL from outside."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from urllib.parse import SplitResult, parse_qs, urljoin, urlsplit

# One link of RFC 8288: `<URL>` and its parameters, whose values may be quoted and then hold commas and semicolons.
_LINK = re.compile(r'<(?P<url>[^<>]*)>(?P<parameters>(?:[^",<]|"[^"]*")*)')
_PARAMETER = re.compile(r';\s*(?P<name>[\w*-]+)\s*=\s*(?:"(?P<quoted>[^"]*)"|(?P<bare>[^\s;,"]+))')
# `int` alone would read other scripts' digits, signs and numbers of any length.
_PAGE = re.compile(r"[0-9]{1,9}")
_PORTS = {"http": 80, "https": 443}
# Parsers differ on user names, backslashes, spaces and control characters in a URL: one that could be read two ways is refused.
_PLAIN_URL = re.compile(
    r"https?://(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(?::\d{1,5})?(?:[/?][!$-\[\]-~]*)?",
    re.IGNORECASE | re.ASCII,
)


def links(header: str | None) -> Mapping[str, str]:
    """Read a `Link` header, and return URLs by relation (in small letters); the first link of a relation counts (RFC 8288)."""
    found: dict[str, str] = {}
    for link in _LINK.finditer(header or ""):
        for name in _relations(link["parameters"]):
            found.setdefault(name, link["url"].strip())
    return found


def _relations(parameters: str) -> list[str]:
    # Read in order, so that a `rel=` inside another parameter's quotes does not count; the first `rel` does.
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


def absolute(url: str, link: str) -> str:
    """Return where a link leads that was found at a URL; empty if it is no URL (`http://[`)."""
    try:
        return urljoin(url, link)
    except ValueError:
        return ""


def same_host(url: str, base_url: str) -> bool:
    """Return whether a URL's scheme, host and port are those of a base URL: the token goes nowhere else."""
    target, base = split_url(url), split_url(base_url)
    if target is None or base is None:
        return False
    return (target.scheme, place(target)) == (base.scheme, place(base))


def split_url(url: str) -> SplitResult | None:
    """Split a URL; return `None` unless it is plain http(s) with a host that every parser reads alike."""
    if not _PLAIN_URL.fullmatch(url):
        return None
    try:
        split = urlsplit(url)
        split.port  # noqa: B018 - reading it checks its range
    except ValueError:
        return None
    return split


def place(url: SplitResult) -> tuple[str, int]:
    """Return host and port: another port may belong to anybody."""
    port = url.port
    return (url.hostname or "").lower(), _PORTS[url.scheme] if port is None else port


def is_private(url: SplitResult) -> bool:
    """Return whether nobody on the way can read along: the URL is https, or of this very machine."""
    host = url.hostname or ""
    address = as_ip(host)
    return url.scheme == "https" or (address.is_loopback if address else host == "localhost")


def as_ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return a host as an IP address; `None` for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
