"""The settings of one run: what the inputs say, checked, as one value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from package_retention.model import Operation

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from package_retention.decide.rules import PackageRules, Share


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a run is told; the token is left out of the `repr`.

    `repository` is `None` for `any`. `time_limit` is in seconds, `None` for none; `points_per_minute` is `None` for
    no pacing. `given` are the inputs that are not at their default, as given, without the token, for the report.
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
    points_per_minute: int | None = 720
    report_file: Path | None = None
    from_report: Path | None = None
    warnings: tuple[str, ...] = ()
    given: Mapping[str, str] = field(default_factory=dict)

    @property
    def on_github_com(self) -> bool:
        """Whether this is github.com or GHE.com, not a GitHub Enterprise Server (facts I)."""
        host = self.server_url.split("://", 1)[-1].split("/", 1)[0].lower()
        return host == "github.com" or host.endswith(".ghe.com")

    @property
    def reads_only(self) -> bool:
        """Whether this run changes nothing whatever it finds."""
        return self.dry_run or self.operation is Operation.LIST
