"""Ask GitHub what its documents leave open, on a disposable package: `live_probe.py OWNER PACKAGE`.

Run by `.github/workflows/live.yml` alone. It deletes and restores versions of PACKAGE, whose name must end
in `-live`, and prints GitHub's responses as JSON: the question (facts K), the request, status, headers
that matter, and the body. Nothing is judged here; `docs/github-facts.md` is written from what it prints.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import quote

import requests

TIMEOUT = 30.0
SHOWN_HEADERS = (
    "link",
    "x-github-api-version-selected",
    "x-oauth-scopes",
    "x-accepted-oauth-scopes",
    "retry-after",
)
LONGEST_BODY = 1500


@dataclass(frozen=True)
class Response:
    """What came back for one request; `body` is text, cut to what a reader needs."""

    question: str
    method: str
    path: str
    status: int
    headers: Mapping[str, str]
    body: str


Ask = Callable[[str, str, str], Response]


class NotDisposableError(Exception):
    """The package is not one that may be lost."""


def probe(ask: Ask, owner: str, package: str) -> Iterator[Response]:
    """Ask every open question, the harmless ones first.

    Args:
        ask: Takes a question, a method and a path, and returns GitHub's response.
        owner: The organization or user that holds the package.
        package: A container package with at least three versions, all of which may be lost.

    Raises:
        NotDisposableError: The package's name does not end in `-live`.
    """
    if not package.endswith("-live"):
        raise NotDisposableError(f"`{package}` does not end in -live, and would lose versions here")
    kind = ask("is the owner an organization", "GET", f"/orgs/{quote(owner, safe='')}")
    yield kind
    base = f"/{'orgs' if kind.status == requests.codes.ok else 'users'}/{quote(owner, safe='')}"
    one = f"{base}/packages/container/{quote(package, safe='')}"
    yield from _read(ask, owner, package, one)
    listed = ask("order of the version list", "GET", f"{one}/versions?per_page=100")
    yield listed
    ids = [row["id"] for row in _rows(listed.body)]
    if ids:
        yield from _change(ask, one, ids)
    yield ask("version_count after changes: is it exact", "GET", one)


def _read(ask: Ask, owner: str, package: str, one: str) -> Iterator[Response]:
    user = f"/users/{quote(owner, safe='')}/packages/container/{quote(package, safe='')}"
    yield ask(
        "does this token work on /user/packages", "GET", "/user/packages?package_type=container&per_page=1"
    )
    yield ask(
        "can this token list containers",
        "GET",
        f"{one.split('/container/', maxsplit=1)[0]}?package_type=container&per_page=1",
    )
    yield ask("version_count before changes", "GET", one)
    yield ask("is state=deleted honoured on /users", "GET", f"{user}/versions?state=deleted&per_page=5")
    yield ask("is state=deleted honoured on this base", "GET", f"{one}/versions?state=deleted&per_page=5")
    yield ask("a page past the end", "GET", f"{one}/versions?per_page=100&page=50")
    yield ask("is per_page times page over 10000 refused", "GET", f"{one}/versions?per_page=100&page=101")


def _change(ask: Ask, one: str, ids: list[int]) -> Iterator[Response]:
    oldest = f"{one}/versions/{ids[-1]}"
    yield ask("restore of a version that is active", "POST", f"{oldest}/restore")
    yield ask("delete", "DELETE", oldest)
    yield ask("delete of a version that is deleted", "DELETE", oldest)
    yield ask("get of a version that is deleted", "GET", oldest)
    yield ask("does the list still show what was deleted", "GET", f"{one}/versions?per_page=100")
    yield ask("the list of deleted versions", "GET", f"{one}/versions?state=deleted&per_page=5")
    yield ask("restore", "POST", f"{oldest}/restore")
    yield ask("restore of a version that is restored", "POST", f"{oldest}/restore")
    yield ask("delete of an id that never was", "DELETE", f"{one}/versions/1")
    yield ask("restore of an id that never was", "POST", f"{one}/versions/1/restore")
    yield ask("restore of a package that is there", "POST", f"{one}/restore")
    yield ask("restore of a package that never was", "POST", f"{one}-never-was/restore")
    for version in ids:  # the last one, or the last with a tag, is refused: in which words
        yield ask("delete up to the last version", "DELETE", f"{one}/versions/{version}")


def _rows(body: str) -> list[dict[str, Any]]:
    try:
        rows = json.loads(body)
    except json.JSONDecodeError:
        return []
    return [row for row in rows if isinstance(row, dict) and "id" in row] if isinstance(rows, list) else []


def over_http(session: requests.Session, api: str) -> Ask:
    """Return a way to ask the API at `api`; the session carries the token."""

    def ask(question: str, method: str, path: str) -> Response:
        response = session.request(method, api + path, timeout=TIMEOUT, allow_redirects=False)
        headers = {name: response.headers[name] for name in SHOWN_HEADERS if name in response.headers}
        return Response(question, method, path, response.status_code, headers, response.text)

    return ask


def main(environ: Mapping[str, str], owner: str, package: str) -> int:
    """Print the responses as JSON; return the exit status."""
    with requests.Session() as session:
        session.trust_env = False  # no .netrc may replace the token
        session.headers["Authorization"] = f"Bearer {environ['GITHUB_TOKEN']}"
        session.headers["Accept"] = "application/vnd.github+json"
        session.headers["X-GitHub-Api-Version"] = "2022-11-28"
        try:
            responses = [
                asdict(response)
                for response in probe(over_http(session, environ["GITHUB_API_URL"]), owner, package)
            ]
        except NotDisposableError as error:
            print(f"Not asked: {error}", file=sys.stderr)
            return 1
    for response in responses:
        response["body"] = response["body"][:LONGEST_BODY]
    print(json.dumps(responses, indent=1))
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 3:  # noqa: PLR2004 - itself, the owner and the package
        sys.exit(__doc__)
    sys.exit(main(os.environ, sys.argv[1], sys.argv[2]))
