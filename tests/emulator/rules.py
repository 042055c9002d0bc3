"""What GitHub's rules refuse, and how names are read: digests, and the kinds of tokens."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emulator.stored import StoredPackage, TokenKind

RESTORE_WINDOW = timedelta(days=30)
MOST_DOWNLOADS = 5_000
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_KINDS: tuple[tuple[str, TokenKind], ...] = (
    ("ghp_", "classic"),
    ("gho_", "oauth"),
    ("ghs_", "installation"),
    ("github_pat_", "fine-grained"),
    ("ghu_", "app-user"),
)


class RuleError(Exception):
    """A change that GitHub's rules refuse."""


class LastVersionError(RuleError):
    """A package's last version (facts J10)."""


class LastTaggedError(RuleError):
    """A container package's last tagged version (facts J9)."""


class DownloadsError(RuleError):
    """Public, and more than 5,000 downloads (facts A3)."""


class ExpiredError(RuleError):
    """Deleted more than 30 days ago (facts A4)."""


class NameTakenError(RuleError):
    """The name is in use again (facts A4)."""


def digest_of(manifest: bytes) -> str:
    """A manifest's digest."""
    return f"sha256:{hashlib.sha256(manifest).hexdigest()}"


def kind_of(value: str) -> TokenKind:
    """A token's kind: by its prefix alone, 40 hexadecimal digits being the oldest form (facts B3)."""
    for prefix, kind in _KINDS:
        if value.startswith(prefix):
            return kind
    return "legacy" if re.fullmatch(r"[0-9a-f]{40}", value) else "unknown"


def last_error(package: StoredPackage) -> RuleError:
    """The error of a package's last version."""
    return LastTaggedError() if package.type == "container" else LastVersionError()


def check_name(package: StoredPackage, name: str, manifest: bytes | None) -> None:
    """Refuse a version's name that GitHub could not have."""
    if not name:
        raise ValueError("a version has a name, or a manifest whose digest is its name")
    if package.type == "container" and not _DIGEST.fullmatch(name):
        raise ValueError(f"a container version is named by its digest, not {name!r}")
    if manifest is not None and name != digest_of(manifest):
        raise ValueError(f"{name} is not the digest of its manifest")


def check_window(deleted_at: datetime | None, now: datetime) -> None:
    """Refuse what was deleted too long ago to be restored, or never."""
    if deleted_at is None or now - deleted_at > RESTORE_WINDOW:
        raise ExpiredError


def time_of(when: datetime | float, now: datetime) -> datetime:
    """A time that may be given as days ago."""
    return when if isinstance(when, datetime) else now - timedelta(days=when)
