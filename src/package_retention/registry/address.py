"""Where the registry is, and where in it a package's manifests are (facts D, I)."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

if TYPE_CHECKING:
    from urllib.parse import SplitResult

    from package_retention.model import Package

# Nothing that two readers of URLs take apart in two ways: no user, backslash, space or control character.
_SAFE = re.compile(
    r"https?://(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(?::\d{1,5})?(?:[/?][!$-\[\]-~]*)?",
    re.IGNORECASE | re.ASCII,
)
_REFERENCE = re.compile(r"[a-z0-9]+:[0-9a-f]{32,128}|[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", re.ASCII)


def derive(server_url: str) -> str:
    """Return the container registry that belongs to a GitHub server: ghcr.io, or `containers.HOST` (facts I)."""
    parts = urlsplit(server_url if "://" in server_url else f"https://{server_url}")
    host = (parts.hostname or "").removeprefix("www.")
    if host == "github.com":
        return "https://ghcr.io"
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://containers.{host}{port}"


def normalise(url: str) -> str:
    """Return a registry's base URL: scheme and host, without a path; `ValueError` says what does not fit."""
    whole = (url if "://" in url else f"https://{url}").rstrip("/").lower()
    parts = split(whole)
    if parts is None:
        # What stands before an @ may be a secret.
        raise ValueError(f"{url.rpartition('@')[2]!r} is no URL of a registry; write https://HOST")
    if parts.path or parts.query:
        raise ValueError(f"{url!r} has a path; write the registry's host alone, https://{parts.netloc}")
    if not is_private(parts):
        raise ValueError(f"{url!r} would send the token in the clear; write https://{parts.netloc}")
    return whole


def split(url: str) -> SplitResult | None:
    """Take a URL apart; `None` for one that is not plain http(s) with a host that every reader sees alike."""
    if not _SAFE.fullmatch(url):
        return None
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - reading it checks its range
    except ValueError:
        return None
    return parts


def is_private(parts: SplitResult) -> bool:
    """Return whether nobody on the way can read along: https, or this very machine."""
    return parts.scheme == "https" or is_loopback(parts.hostname or "")


def is_loopback(host: str) -> bool:
    """Return whether a host name is this very machine."""
    address = as_ip(host)
    return address.is_loopback if address else host == "localhost"


def as_ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the address that a host is written as; `None` for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def repository(package: Package) -> str | None:
    """Return the package's path in the registry, `owner/name` in lower case; `None` where it is no path (`..`)."""
    name = f"{package.owner.login}/{package.name}".lower()
    if any(part in ("", ".", "..") for part in name.split("/")):
        return None
    return name


def is_reference(reference: str) -> bool:
    """Return whether a text is a tag or a digest (distribution-spec, "Pulling manifests")."""
    return _REFERENCE.fullmatch(reference) is not None


def manifest_path(name: str, reference: str) -> str:
    """Return the path of a manifest below the registry's URL."""
    return f"/v2/{quote(name)}/manifests/{quote(reference, safe=':')}"


def blob_path(name: str, digest: str) -> str:
    """Return the path of a blob below the registry's URL (distribution-spec, "Pulling blobs")."""
    return f"/v2/{quote(name)}/blobs/{quote(digest, safe=':')}"


def referrers_path(name: str, digest: str) -> str:
    """Return the path of the referrers API for a digest (distribution-spec, "Listing Referrers")."""
    return f"/v2/{quote(name)}/referrers/{quote(digest, safe=':')}"
