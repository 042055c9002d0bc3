"""Hold the settings of a run, and read the values that nothing but settings has: owner, token, URLs, limits.

What selects or protects versions is read by `values` and held by `decide.rules`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from package_retention.decide.rules import PackageRules, Share
from package_retention.inputs import values
from package_retention.inputs.reference_files import FoundReferences
from package_retention.inputs.values import Value
from package_retention.model import Operation
from package_retention.problems import ProblemCode as Code
from package_retention.problems import invalid
from package_retention.reason import Finding


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a run needs to know; the token is left out of the `repr`.

    `repository` is `None` for `any`. `time_limit` is in seconds, `None` for no limit; `points_per_minute` is `None` for
    no pacing. `references` are what the files of each list of globs refer to: of `keep_referenced_in`, and of the keep
    rules' `referenced_in`. `given` are the inputs that are not at their default, as given and without the token, for
    the report. `findings` are warnings about the inputs. `by_hand`: no runner called it, so advice names no workflow.
    """

    operation: Operation
    owner: str
    rules: tuple[PackageRules, ...]
    token: str = field(repr=False)
    repository: str | None = None
    api_url: str = "https://api.github.com"
    server_url: str = "https://github.com"
    registry_url: str = "https://ghcr.io"
    dry_run: bool = False
    fail_if_more_than: Share | None = None
    delete_package_when_empty: bool = False
    ignore_missing: bool = False
    untag: bool = False
    time_limit: float | None = 3600.0
    points_per_minute: int | None = 800
    report_file: Path | None = None
    manifest_cache: Path | None = None
    from_report: Path | None = None
    keep_referenced_in: tuple[str, ...] = ()
    references: Mapping[tuple[str, ...], FoundReferences] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    given: Mapping[str, str] = field(default_factory=dict)
    by_hand: bool = False

    @property
    def on_github_com(self) -> bool:
        """Whether this is github.com or GHE.com, not a GitHub Enterprise Server (facts I)."""
        host = self.server_url.split("://", 1)[-1].split("/", 1)[0].lower()
        return host == "github.com" or host.endswith(".ghe.com")

    @property
    def reads_only(self) -> bool:
        """Whether this run changes nothing, even if it finds something to change."""
        return self.dry_run or self.operation is Operation.LIST


_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_REPOSITORY = re.compile(rf"{_LOGIN.pattern}/[A-Za-z0-9._-]{{1,100}}")
_HOST = re.compile(r"(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(?::\d{1,5})?", re.ASCII)
_POINTS_OF_A_CHANGE = 5
POINTS_OF_GITHUB = 900
_REFRESH = "ghr_"  # facts B3


class DeletePackage(StrEnum):
    """The values of `delete-package`."""

    NEVER = "never"
    WHEN_EMPTY = "when-empty"


class IfMissing(StrEnum):
    """The values of `if-missing`."""

    FAIL = "fail"
    IGNORE = "ignore"


def owner(value: Value) -> str:
    """Read the login of an organization or user."""
    text = values.one(value)
    if not text:
        raise invalid(Code.NO_OWNER)
    if not _LOGIN.fullmatch(text):
        raise invalid(Code.NOT_AN_OWNER, text)
    return text


def repository(value: Value) -> str | None:
    """Read `owner/name`; `None` for `any`, and empty if it is not known: no package is linked to that."""
    text = values.one(value)
    if text.lower() == "any":
        return None
    if text and not _REPOSITORY.fullmatch(text):
        raise invalid(Code.NOT_A_REPOSITORY, text)
    return text


def token(value: Value) -> str:
    """Read the token, which no problem may hold."""
    text = values.one(value)
    if not text:
        raise invalid(Code.TOKEN_EMPTY)
    if any(character.isspace() for character in text):
        raise invalid(Code.TOKEN_BLANKS)
    if not (text.isascii() and text.isprintable()):
        raise invalid(Code.TOKEN_CHARACTERS)
    if text.startswith(_REFRESH):
        raise invalid(Code.TOKEN_REFRESHES)
    return text


def time_limit(value: Value) -> float | None:
    """Read a duration in seconds; `None` for `none`."""
    text = values.one(value)
    if text.lower() == "none":
        return None
    seconds = values.duration(text).total_seconds()
    if not seconds:
        raise invalid(Code.NO_TIME, text)
    return seconds


def points(value: Value) -> int | None:
    """Read `points-per-minute`; `None` for `none`. Fewer than a change costs would never let one through."""
    text = values.one(value)
    return None if text.lower() == "none" else values.count(text, least=_POINTS_OF_A_CHANGE)


def github_url(text: str) -> str:
    """Check a URL of the GitHub server, as the runner names it; the token goes only to an encrypted or local one."""
    try:
        url = urlsplit(text)
        host = url.hostname if url.port != 0 else None
    except ValueError:
        host = None
    if not host or url.scheme not in ("https", "http") or url.username or not text.isprintable():
        raise invalid(Code.NOT_A_URL, text, example="https://github.com")
    if url.scheme == "http" and not _is_loopback(host):
        raise invalid(Code.CLEAR_TEXT, text, instead=f"https{text[4:]}")
    return text.rstrip("/")


def registry_url(text: str, server_url: str) -> str:
    """Return the container registry's URL, as given or as it belongs to the GitHub server (facts I)."""
    if not text:
        return _derived(server_url)
    scheme, _, rest = text.lower().rstrip("/").rpartition("://")
    if not _HOST.fullmatch(rest) or scheme not in ("", "https", "http"):
        raise invalid(Code.NOT_A_URL, text, example="https://ghcr.io")
    if scheme == "http" and not _is_loopback(urlsplit(f"//{rest}").hostname or ""):
        raise invalid(Code.CLEAR_TEXT, text, instead=f"https://{rest}")
    return f"{scheme or 'https'}://{rest}"


def _derived(server_url: str) -> str:
    url = urlsplit(server_url)
    if (url.hostname or "") == "github.com":
        return "https://ghcr.io"
    return f"{url.scheme}://containers.{url.netloc.lower()}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
