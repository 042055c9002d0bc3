"""A plain HTTP client for tests of the embedded GitHub itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import requests

if TYPE_CHECKING:
    from types import TracebackType

    from emulator.server import EmulatedGitHub


class Caller:
    """One token's connection to an embedded GitHub, kept alive until the context ends."""

    def __init__(self, github: EmulatedGitHub, token: str = "ghp_" + "a" * 36, scheme: str = "token") -> None:
        self._url = github.api_url
        self._session = requests.Session()
        self._session.trust_env = False
        self.become(token, scheme)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._session.close()

    def become(self, token: str, scheme: str = "token") -> None:
        """Send another token from now on; an empty one is not sent."""
        self._session.headers.pop("Authorization", None)
        if token:
            self._session.headers["Authorization"] = f"{scheme} {token}"

    def call(
        self, method: str, path: str, headers: dict[str, str] | None = None, **query: object
    ) -> requests.Response:
        """Send one request; `path` may be a whole URL."""
        url = path if path.startswith("http") else self._url + path
        given: dict[str, Any] = {name: str(value) for name, value in query.items()}
        return self._session.request(
            method, url, params=given, headers=headers, timeout=10, allow_redirects=False
        )

    def get(self, path: str, **query: object) -> requests.Response:
        """GET a path."""
        return self.call("GET", path, None, **query)

    def delete(self, path: str) -> requests.Response:
        """DELETE a path."""
        return self.call("DELETE", path)

    def restore(self, path: str) -> requests.Response:
        """POST to a path's `/restore`."""
        return self.call("POST", f"{path}/restore")

    def all(self, path: str, **query: object) -> list[Any]:
        """Every row of a list, following its links."""
        answer = self.get(path, **query)
        rows: list[Any] = answer.json()
        while following := answer.links.get("next"):
            answer = self.get(following["url"])
            rows += answer.json()
        return rows
