"""What responses of GitHub say: the texts of a refusal, the headers of all (facts J, B2). Nothing here raises."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from package_retention.api import tokens
from package_retention.api.tokens import TokenKind
from package_retention.model import RESTORES, WHOLE_PACKAGE, OwnerKind, PackageType, StepKind
from package_retention.ports import Clock
from package_retention.reason import Finding, FindingCode
from package_retention.transport import links
from package_retention.transport.retry import http_date


class RequestContext(Struct, frozen=True):
    """What a request is about, in the words of messages.

    `action` follows "cannot" (`delete version 1.2.3 of owner/lib (npm)`). `kind` is `None` for reading, `package` the
    package's label (empty where an owner's packages are listed), `owner_kind` `None` while it is not known.
    `listed`: whether this token has seen the package before, so it exists and is readable. `by_hand`: whether a person
    runs the action outside of GitHub.
    """

    action: str
    owner: str
    token: TokenKind = TokenKind.UNKNOWN
    kind: StepKind | None = None
    package_type: PackageType | None = None
    package: str = ""
    owner_kind: OwnerKind | None = None
    on_github_com: bool = True
    server_url: str = "https://github.com"
    listed: bool = False
    by_hand: bool = False

    @property
    def restores(self) -> bool:
        """Whether the request restores something."""
        return self.kind in RESTORES

    @property
    def noun(self) -> str:
        """What the request is about, in a word."""
        if self.kind is None:
            return "object"
        return "package" if self.kind in WHOLE_PACKAGE else "version"


_READ_AT_MOST = 1000  # characters of a text that are looked at, and
_QUOTE_AT_MOST = 300  # that are shown
_MARKUP_AT_MOST = 20_000  # characters of HTML that are searched for a title
_TITLE = re.compile(r"<title[^<>]*>([^<]*)", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_SHOWABLE = re.compile(r"https://[^<>'`]{1,1000}")
_REQUEST_ID = re.compile(r"[0-9A-Za-z-]{1,40}(:[0-9A-Za-z-]{1,40}){0,9}")


class ApiResponse(Struct, frozen=True):
    """A response that another try would not better.

    `headers` have their names in small letters; `body` is decoded JSON, the text of a response that is not JSON, or
    `None`. `lost`: whether an earlier try of the same change may have been carried out (a drop or a 5xx).
    """

    status: int
    headers: Mapping[str, str]
    body: Any = None
    lost: bool = False

    @property
    def ok(self) -> bool:
        """Whether GitHub carried out the request."""
        return 200 <= self.status < 300  # noqa: PLR2004 - the 2xx of HTTP

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts of a refusal, the main one first."""
        return tuple(dict.fromkeys(text for text in _texts(self.body) if text))[:5]

    @property
    def quote(self) -> str:
        """The status and the text in GitHub's own words, as messages end with them."""
        text = "; ".join(self.texts)
        if not text:
            return f"GitHub answered {self.status} without a text"
        shown = text if len(text) <= _QUOTE_AT_MOST else text[: _QUOTE_AT_MOST - 1] + "…"
        return f'GitHub answered {self.status}: "{shown}"'

    @property
    def request_id(self) -> str:
        """The id by which GitHub Support finds the request; empty where none was sent."""
        value = self.headers.get("x-github-request-id", "")
        return value if _REQUEST_ID.fullmatch(value) else ""

    @property
    def sso_required(self) -> bool:
        """Whether the response says that the token is not authorised for single sign-on (facts B2)."""
        kind, _, _ = _sso(self.headers.get("x-github-sso"))
        return kind == "required"

    def sso_url(self, server_url: str) -> str:
        """Return the URL that authorises the token; empty unless it is https and on the server's own host."""
        _, name, url = _sso(self.headers.get("x-github-sso"))
        return url if name == "url" and _may_be_shown(url, server_url) else ""


def _sso(header: str | None) -> tuple[str, str, str]:
    """Read `X-GitHub-SSO` (`required; url=…`, `partial-results; organizations=…`): its kind, and its parameter's name and value."""
    kind, _, parameter = (header or "").partition(";")
    name, _, value = parameter.strip().partition("=")
    return kind.strip().lower(), name.strip().lower(), value


def _texts(body: Any) -> Iterator[str]:
    if isinstance(body, str):
        yield _plain(body)
    elif isinstance(body, dict):
        yield _one(body.get("message"))
        errors = body.get("errors")
        for error in errors[:5] if isinstance(errors, list) else [errors]:
            yield _coded(error)


def _coded(error: Any) -> str:
    """Return one of `errors`: text, or an object with `code` and `message` (the registry's form)."""
    if not isinstance(error, dict):
        return _one(error)
    return ": ".join(filter(None, (_one(error.get(key)) for key in ("code", "message"))))


def _plain(text: str) -> str:
    if "<" not in text[:_READ_AT_MOST]:
        return _one(text)
    markup = text[:_MARKUP_AT_MOST]
    title = _TITLE.search(markup)
    return _one(title[1]) if title and title[1].strip() else _one(_TAG.sub(" ", markup))


def _one(value: Any) -> str:
    return " ".join(value[:_MARKUP_AT_MOST].split())[:_READ_AT_MOST] if isinstance(value, str) else ""


def _may_be_shown(url: str, server_url: str) -> bool:
    # It is shown to be clicked: nothing in it may end a link in the summary, and it must lead to the server itself.
    return bool(_SHOWABLE.fullmatch(url)) and links.same_host(url, server_url)


class ResponseHeaders:
    """What the headers of all responses have said: date, scopes, notices; safe in threads."""

    def __init__(self, clock: Clock, kind: TokenKind) -> None:
        self._clock = clock
        self._kind = kind
        self._guard = threading.Lock()
        self._date: tuple[datetime, float] | None = None
        self._scopes: frozenset[str] | None = None
        self._notices: dict[Finding, None] = {}

    def record(self, headers: Mapping[str, str]) -> datetime | None:
        """Record one response's headers (names in small letters), and return its `Date`."""
        date = http_date(headers.get("date"))
        granted = tokens.granted(headers.get("x-oauth-scopes"), self._kind)
        with self._guard:
            if date is not None:
                self._date = (date, self._clock.monotonic())
            if granted is not None:
                self._scopes = granted
            for notice in (partial_notice(headers.get("x-github-sso")), _ending(headers)):
                if notice:
                    self._notices[notice] = None
        return date

    @property
    def scopes(self) -> frozenset[str] | None:
        """The token's scopes by the latest response that named them; `None` if none has."""
        return self._scopes

    def now(self) -> datetime:
        """Return the time of day: the server's, carried on by the monotonic clock, or the clock's own if that is earlier.

        A server's clock that is ahead must not make versions older than they are; one that is behind keeps them.
        """
        own = self._clock.now()
        with self._guard:
            if self._date is None:
                return own
            date, received = self._date
            return min(own, date + timedelta(seconds=self._clock.monotonic() - received))

    def notices(self) -> tuple[Finding, ...]:
        """Return each notice once, in the order of their arrival."""
        with self._guard:
            return tuple(self._notices)


def _ending(headers: Mapping[str, str]) -> Finding | None:
    said = [f"{name.title()}: {headers[name]}" for name in ("deprecation", "sunset") if headers.get(name)]
    return Finding(FindingCode.API_ENDS, names=tuple(said)) if said else None


def partial_notice(header: str | None) -> Finding | None:
    """Read the `X-GitHub-SSO` of a list: a notice where GitHub left organizations out of it (facts B2)."""
    kind, _, organizations = _sso(header)
    if kind != "partial-results":
        return None
    count = sum(1 for organization in organizations.split(",") if organization.strip())
    return Finding(FindingCode.LIST_INCOMPLETE, number=count)
