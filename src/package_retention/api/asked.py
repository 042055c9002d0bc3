"""What was asked of GitHub, as far as explaining its answer needs it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from package_retention.api.tokens import TokenKind

if TYPE_CHECKING:
    from package_retention.model import OwnerKind, PackageType, StepKind


@dataclass(frozen=True, slots=True)
class Asked:
    """One request in words.

    `action` follows "cannot" (`delete version 1.2.3 of owner/lib (npm)`). `kind` is `None` for reading, `package` the
    package's label (empty where an owner's packages are listed), `owner_kind` `None` while it is not known.
    `listed` says that this token has seen the package before: it is there, and readable.
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
