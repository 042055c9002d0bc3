"""Read manifests from a container registry, many at once, and write one: `ports.RegistryApi`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from functools import partial
from http import HTTPStatus
from typing import Any, Generic, TypeVar

from package_retention.errors import InDoubtError, RefusedError, UnreachableError
from package_retention.model import Absent, Descriptor, Manifest, Package, Reading, Unreadable
from package_retention.ports import RawManifest
from package_retention.registry import manifests
from package_retention.registry.cache import ManifestCache
from package_retention.registry.endpoint import Endpoint
from package_retention.registry.sender import PermanentError, Sender, write_refusal
from package_retention.transport.exchange import Response, TransportContext, TransportError
from package_retention.transport.limits import REGISTRY_REQUESTS

Found = TypeVar("Found")

_CHECK_SECONDS = 0.25  # seconds between two checks of the time limit and of a cancel, while workers read
_GIVE_UP_AFTER = (
    8  # manifests in a row that no try could read, after which the registry counts as out of reach
)
_WRITTEN = (HTTPStatus.CREATED, HTTPStatus.ACCEPTED)


class _Round(Generic[Found]):
    """What the workers of one call share; `permanent`: why nothing further is read."""

    def __init__(self, read: Callable[[str], Found]) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._in_a_row = 0
        self.permanent = ""

    def attempt(self, digest: str) -> Found | Unreadable:
        """Read one digest: a failure is a reading too, and one that all would meet ends the round."""
        if self.permanent:
            return Unreadable(self.permanent)
        if not manifests.is_digest(digest):
            return Unreadable(f"{digest!r} is not a digest")
        try:
            found = self._read(digest)
        except PermanentError as error:
            self.permanent = error.why
            return Unreadable(error.why)
        except TransportError as error:
            self._failed(error)
            return Unreadable(error.why)
        with self._lock:
            self._in_a_row = 0  # the registry responded, be it with a refusal
        return found

    def _failed(self, error: TransportError) -> None:
        """Record that every try failed."""
        with self._lock:
            self._in_a_row += 1
            if not error.sent or self._in_a_row >= _GIVE_UP_AFTER:
                self.permanent = f"the registry is out of reach: {error.why}"


class Registry:
    """A container registry as one token sees it; safe in threads.

    Args:
        base_url: `https://HOST`, without a path.
        api_url: GitHub's API, whose host may also be the token realm.
        token: the GitHub token; empty for anonymous reads of public packages.
        shared: what all requests of the run share; each bearer token is added to its redactor.
        workers: how many requests are under way at once, of all packages and threads together.
        cache: manifests of earlier runs, used for what the newest list holds.
    """

    def __init__(
        self,
        base_url: str,
        api_url: str,
        token: str,
        shared: TransportContext,
        *,
        workers: int = REGISTRY_REQUESTS,
        cache: ManifestCache | None = None,
    ) -> None:
        # One pool for all packages: however many are worked on at once, `workers` bounds what is under way.
        self._pool = ThreadPoolExecutor(workers, "registry")
        self._sender = Sender(shared, workers)
        self._endpoint = Endpoint(self._sender, token, base_url, api_url)
        self._cache = cache
        self._without_referrers: set[Package] = set()

    @property
    def requests_made(self) -> int:
        """How many requests were sent so far, tries and token exchanges included."""
        return self._sender.requests_made

    @property
    def waited(self) -> float:
        """How many seconds were waited for the registry so far, summed over the workers."""
        return self._sender.waited

    def close(self) -> None:
        """Close the connections without waiting for requests under way."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._sender.close()

    def manifests(
        self, package: Package, digests: Iterable[str], listed: Collection[str] = ()
    ) -> Mapping[str, Reading]:
        """Read manifests concurrently, and return one reading for each digest; the cache is used for `listed` alone.

        The first is read alone: it gets the package's token for all, and if it finds the registry out of reach (or the
        token refused), that is the reading of all. Raise `BudgetError` or `CancelledError`, and nothing else.
        """
        if self._cache and listed:
            self._cache.listed(self._key(package), listed)
        found: dict[str, Reading] = {}
        wanted = []
        for digest in dict.fromkeys(digests):
            cached = self._cache and digest in listed and self._cache.find(self._key(package), digest)
            if cached:
                found[digest] = cached
            else:
                wanted.append(digest)
        return {**found, **self._each(wanted, partial(self._manifest, package))}

    def labels(self, package: Package, configs: Iterable[str]) -> Mapping[str, str | Unreadable | None]:
        """Read the label `quay.expires-after` of configs concurrently, and return one reading for each digest."""
        return self._each(list(dict.fromkeys(configs)), partial(self._label, package))

    def _key(self, package: Package) -> str:
        return f"{self._endpoint.host}/{package.owner.login}/{package.name}".lower()

    def _each(self, wanted: Sequence[str], read: Callable[[str], Found]) -> Mapping[str, Found | Unreadable]:
        if not wanted:
            return {}
        round_ = _Round(read)
        found = {wanted[0]: round_.attempt(wanted[0])}
        if round_.permanent:
            return found | dict.fromkeys(wanted[1:], Unreadable(round_.permanent))
        futures = {digest: self._pool.submit(round_.attempt, digest) for digest in wanted[1:]}
        try:
            self._await(futures.values())
        except BaseException:
            # After a cancel nobody waits for responses that are still under way.
            for future in futures.values():
                future.cancel()
            raise
        return found | {digest: future.result() for digest, future in futures.items()}

    def raw(self, package: Package, reference: str) -> RawManifest | Absent | Unreadable:
        """Read one manifest by tag or digest, byte for byte; return `Unreadable` also for an invalid one."""
        try:
            read, body = self._read(package, reference)
        except (PermanentError, TransportError) as error:
            return Unreadable(error.why)
        return RawManifest(read.digest, read.media_type, body) if isinstance(read, Manifest) else read

    def put(self, package: Package, tag: str, manifest: RawManifest) -> None:
        """Write a manifest under a tag; raise `RefusedError` or `UnreachableError` if it was not written."""
        what = f"{package.label}: the tag {tag}"
        try:
            response = self._endpoint.put(package, tag, manifest)
        except TransportError as error:
            raise InDoubtError(f"{what} was perhaps not written: {error.why}", "run again later") from error
        except PermanentError as error:
            raise RefusedError(write_refusal(error.status, error.why, what)) from error
        if response.status == HTTPStatus.OK:
            described = f"{what} was perhaps not written: {self._endpoint.described(response)}, and a registry would say 201"
            raise InDoubtError(described, "see what stands between the runner and the registry")
        if response.status not in _WRITTEN:
            raise RefusedError(write_refusal(response.status, self._endpoint.described(response), what))

    def referrers(self, package: Package, digest: str) -> tuple[Descriptor, ...] | None:
        """Return the manifests that refer to a digest; `None` if the registry has no referrers API.

        GHCR had none for years (404); it may return an empty list, which proves nothing (facts D). After a 404 no further
        request is sent for the package. Raise `UnreachableError` without a usable response.
        """
        if package in self._without_referrers:
            return None
        try:
            return self._referrers(package, digest)
        except (PermanentError, TransportError) as error:
            what = f"{package.label}: what refers to {digest} is not known: {error.why}"
            raise UnreachableError(what, "run again later") from error

    def _referrers(self, package: Package, digest: str) -> tuple[Descriptor, ...] | None:
        found: dict[Descriptor, None] = {}
        for number, response in enumerate(self._endpoint.referrers(package, digest)):
            if number == 0 and response.status != HTTPStatus.OK:
                self._without_referrers.add(package)
                return None
            page = manifests.parse_referrers(response.body)
            if isinstance(page, Unreadable):
                raise PermanentError(page.why)
            found |= dict.fromkeys(page)
        return tuple(found)

    def _await(self, futures: Iterable[Future[Any]]) -> None:
        waiting = set(futures)
        while waiting:
            # Never `FIRST_COMPLETED`: it would wake up for each manifest, and check all that are left each time.
            done, waiting = wait(waiting, timeout=_CHECK_SECONDS, return_when=FIRST_EXCEPTION)
            for future in done:
                future.result()
            self._sender.check_time()

    def _manifest(self, package: Package, digest: str) -> Reading:
        read, body = self._read(package, digest)
        if self._cache and isinstance(read, Manifest):
            self._cache.add(self._key(package), digest, body, read)
        return read

    def _read(self, package: Package, reference: str) -> tuple[Reading, bytes]:
        """Read a manifest, and return it with its bytes."""
        response = self._endpoint.manifest(package, reference)
        if not isinstance(response, Response):
            return response, b""
        digest = reference if manifests.is_digest(reference) else manifests.digest_of(response.body)
        read = manifests.parse(response.body, response.headers.get("content-type", ""), digest)
        return read, response.body

    def _label(self, package: Package, digest: str) -> str | Unreadable | None:
        response = self._endpoint.blob(package, digest)
        if isinstance(response, Unreadable):
            return response
        if response.status != HTTPStatus.OK:
            return Unreadable(self._endpoint.described(response))
        return manifests.parse_label(response.body, digest)
