"""Pages and the `Link` header (facts A1, A6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from emulator.refusals import RefusedRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

_DEFAULT, _MOST = 30, 100
PACKAGE_LIST_CAP = 10_000


@dataclass(frozen=True, slots=True)
class Page:
    """The page that a request asks for: number from 1, size from 1 to 100 (facts A1)."""

    number: int
    size: int

    @property
    def rows(self) -> slice:
        """Which rows of the whole list are on it."""
        return slice((self.number - 1) * self.size, self.number * self.size)


def asked(query: Mapping[str, str], cap: int | None) -> Page:
    """Read `page` and `per_page`; nonsense counts as not given. Beyond `cap`, size times number is refused (J25)."""
    page = Page(max(_number(query.get("page"), 1), 1), min(_number(query.get("per_page"), _DEFAULT), _MOST))
    if cap is not None and page.number * page.size > cap:
        raise RefusedRequest("page-cap")
    return page


def links(url: str, query: Mapping[str, str], page: Page, total: int, *, tell_last: bool) -> dict[str, str]:
    """The `Link` header in GitHub's order; none where all fits on one page."""
    last = max(-(-total // page.size), 1)
    numbers = {"prev": page.number - 1, "next": page.number + 1, "last": last, "first": 1}
    if page.number >= last:
        del numbers["next"], numbers["last"]
    if page.number <= 1:
        del numbers["prev"], numbers["first"]
    if not tell_last:
        numbers.pop("last", None)
    parts = [
        f'<{url}?{urlencode({**query, "page": number})}>; rel="{name}"' for name, number in numbers.items()
    ]
    return {"Link": ", ".join(parts)} if parts else {}


def _number(value: str | None, default: int) -> int:
    return int(value) if value and value.isascii() and value.isdigit() and int(value) > 0 else default
