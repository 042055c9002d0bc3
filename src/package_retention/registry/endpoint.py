"""The requests of the registry's protocol, each with the token of its package (facts D)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import partial
from http import HTTPStatus
from urllib.parse import quote, urlsplit

from msgspec.structs import replace

from package_retention.model import Absent, Package, Unreadable
from package_retention.ports import RawManifest
from package_retention.registry import manifests
from package_retention.registry.auth import Tokens
from package_retention.registry.manifests import ACCEPT
from package_retention.registry.sender import PermanentError, Sender, is_unknown_name
from package_retention.transport import links
from package_retention.transport.exchange import MAX_BODY, Request, Response

_REFERENCE = re.compile(r"[a-z0-9]+:[0-9a-f]{32,128}|[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", re.ASCII)
_MOST_REDIRECTS = 3
_MOST_PAGES = 100
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Endpoint:
    """A registry; every method may raise `TransportError`, `PermanentError`, `BudgetError` and `CancelledError`.

    `token` is the GitHub token; without one requests are anonymous, which public packages allow.
    """

    def __init__(self, sender: Sender, token: str, registry_url: str, api_url: str) -> None:
        self._sender = sender
        self._url = registry_url.rstrip("/")
        self._tokens = Tokens(sender, token, self._url, api_url)
        self._accepted = False
        self.host = urlsplit(self._url).netloc

    def manifest(self, package: Package, reference: str) -> Response | Absent | Unreadable:
        """Get a manifest; return `Absent` only after a second 404, to `Accept: */*`."""
        url = self._manifest_url(package, reference)
        # A registry that holds a manifest in a form which `Accept` does not list may answer 404 (distribution-spec, "Pulling
        # manifests"), and an absent manifest protects nothing that it names. So absence takes two 404s here, and the
        # survey reads the manifest once more before it believes them.
        for accept in (ACCEPT, "*/*"):
            request = Request("GET", url, {"Accept": accept}, plausible=partial(_may_be, reference))
            response = self._get(package, request)
            if isinstance(response, Unreadable) or response.status == HTTPStatus.OK:
                return response
            if response.status != HTTPStatus.NOT_FOUND:
                return Unreadable(self.described(response))
            if is_unknown_name(response.body):
                # A wrong `registry-url` does this: if it meant "no such manifest", no image would protect its platforms.
                raise PermanentError(self.described(response), response.status)
        return Absent()

    def blob(self, package: Package, digest: str) -> Response | Unreadable:
        """Get a blob; a redirect to another host is followed without the token, which a signed URL would refuse."""
        url = self._url + path(package, "blobs", digest)
        request = Request("GET", url, {"Accept": "*/*"}, plausible=partial(_may_be, digest))
        return self._get(package, request, elsewhere=True)

    def put(self, package: Package, tag: str, manifest: RawManifest) -> Response:
        """Write a manifest under a tag."""
        headers = {"Content-Type": manifest.media_type}
        url = self._manifest_url(package, tag)
        return self._send(package, Request("PUT", url, headers, manifest.body, _never))

    def referrers(self, package: Package, digest: str) -> Iterator[Response]:
        """Get the pages of a digest's referrers, one by one; raise `PermanentError` for a link to another host.

        Half a list of referrers would be taken for all of them, and the others be left behind.
        """
        url = self._url + path(package, "referrers", digest)
        for _page in range(_MOST_PAGES + 1):
            request = Request("GET", url, {"Accept": ACCEPT}, plausible=_is_json)
            response = self._send(package, request)
            yield response
            link = links.next_url(response.headers.get("link"))
            if not link:
                return
            url = links.absolute(url, link)
            if not links.same_host(url, self._url):
                raise PermanentError(
                    f"{self.described(response)}: its list of referrers goes on at another host, which is not requested"
                )
        raise PermanentError(f"the registry lists them on more than {_MOST_PAGES} pages")

    def described(self, response: Response) -> str:
        """Describe a response of the registry."""
        return f"{self.host} answered {self._sender.described(response)}"

    def _get(self, package: Package, request: Request, *, elsewhere: bool = False) -> Response | Unreadable:
        """Get something, and follow redirects: with the token on this registry, `elsewhere` without it or not at all."""
        response = self._send(package, request)
        for _hop in range(_MOST_REDIRECTS):
            if response.status not in _REDIRECTS:
                break
            location = response.headers.get("location")
            request = replace(request, url=links.absolute(request.url, location) if location else "")
            target = links.split_url(request.url)
            if links.same_host(request.url, self._url):
                response = self._send(package, request)
            elif elsewhere and target is not None and links.is_private(target):
                response = self._sender.send(request)  # without the token, which `_send` alone adds
            else:
                return Unreadable(
                    f"{self.described(response)}: it leads to another host, which is not requested"
                )
        return response

    def _send(self, package: Package, request: Request) -> Response:
        """Send a request with the package's token; after a 401 with a new one: once, or three times if tokens had worked."""
        actions = "pull" if request.method == "GET" else "pull,push"
        scope = f"repository:{repository(package)}:{actions}"
        token, refused = self._tokens.current(scope), 0
        while True:
            bearer = {"Authorization": f"Bearer {token}"} if token else {}
            response = self._sender.send(replace(request, headers={**request.headers, **bearer}))
            if response.status != HTTPStatus.UNAUTHORIZED:
                break
            if refused and not (self._accepted and self._sender.wait_for_another_try(refused)):
                why = f"{self.described(response)}: a token just given is refused"
                raise PermanentError(why, response.status)
            refused += 1
            token = self._tokens.renewed(scope, token, response.headers.get("www-authenticate", ""))
        self._accepted = self._accepted or response.status == HTTPStatus.OK
        return response

    def _manifest_url(self, package: Package, reference: str) -> str:
        if not is_reference(reference):
            raise PermanentError(f"{reference!r} is neither a tag nor a digest")
        return self._url + path(package, "manifests", reference)


def repository(package: Package) -> str:
    """Return the package's path in the registry, `owner/name` in lower case; raise `PermanentError` for `..` and the like."""
    name = f"{package.owner.login}/{package.name}".lower()
    if {"", ".", ".."}.intersection(name.split("/")):
        raise PermanentError(f"{package.label} is not a path in a registry")
    return name


def path(package: Package, kind: str, reference: str) -> str:
    """Return the path of a manifest, a blob or a list of referrers below the registry's URL (distribution-spec)."""
    return f"/v2/{quote(repository(package))}/{kind}/{quote(reference, safe=':')}"


def is_reference(reference: str) -> bool:
    """Return whether a text is a tag or a digest (distribution-spec, "Pulling manifests")."""
    return _REFERENCE.fullmatch(reference) is not None


def _may_be(reference: str, body: bytes) -> bool:
    """Return whether a body can be the manifest of a tag or digest; one that is too large is refused later."""
    if len(body) > MAX_BODY:
        return True
    if manifests.is_digest(reference):
        return not manifests.check_digest(body, reference)
    return _is_json(body)


def _never(_body: bytes) -> bool:
    """Return whether a 200 to a write can be the registry's: it says 201 (distribution-spec, "Pushing Manifests")."""
    return False


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True
