"""Lists of many pages: all of them or none, fetched concurrently once page 1 has named the last (facts A6)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from msgspec import Struct

from package_retention.api import resources
from package_retention.api.budgets import ListBudget
from package_retention.api.client import GitHubClient
from package_retention.api.responses import ApiResponse
from package_retention.errors import MissingError, RefusedError, UnreachableError
from package_retention.transport import limits, links

T = TypeVar("T")

PER_PAGE = 100
MAX_PAGES = 20_000  # two million versions; a server that claims more is out of order
# Pages of very large packages may end in a 500 until they are smaller (facts A6); a quarter divides a page evenly.
_SMALLER_PAGES = 4
_PER_SMALLER_PAGE = PER_PAGE // _SMALLER_PAGES
# A list that changes while it is read is made anew at most three times.
_LISTS = 4


class Listing(Struct, Generic[T], frozen=True):
    """A list to fetch.

    Args:
        url: path and query of page 1, `per_page` left out.
        action: what this is for, as a message says it after "cannot".
        read: reads one row; returns `None` for a row that does not count, and raises `ValueError` for one that does not fit.
        key: returns what makes two rows the same.
        refused: explains a refusal.
    """

    url: str
    action: str
    read: Callable[[Any], T | None]
    key: Callable[[T], Hashable]
    refused: Callable[[ApiResponse], RefusedError]


class _Page(Struct, Generic[T], frozen=True):
    """A page: what was read from its rows, a mark of each row, the last page's number and the next page's URL."""

    entries: tuple[T, ...]
    marks: tuple[str, ...]
    last: int | None
    next: str | None
    linked: bool

    @property
    def rows(self) -> int:
        return len(self.marks)


class Paginator:
    """Fetches lists; safe in threads.

    Args:
        client: sends requests.
        workers: how many pages are under way at once.
    """

    def __init__(self, client: GitHubClient, workers: int) -> None:
        self._client = client
        self._budget = ListBudget(client.rate_limiter.hour)
        self._ahead: dict[str, Future[_Page[Any]]] = {}
        self._begun: dict[str, _Page[Any]] = {}
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="pages")
        self._heavy: set[str] = set()

    def close(self) -> None:
        """End the workers: what has not begun is dropped, what is under way is not waited for."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def fetch_ahead(self, listing: Listing[T]) -> None:
        """Fetch the first page in the background; the next `begin` or `all` goes on from it."""
        if listing.url not in self._ahead:
            self._ahead[listing.url] = self._pool.submit(self._first, listing)

    def begin(self, listing: Listing[T]) -> None:
        """Fetch the first page, which the next `all` goes on from, and count how many more there are.

        Raises as `all` does.
        """
        first = self._first_or_ahead(listing)
        self._budget.expect(_further(listing, first), listing.action)
        self._begun[listing.url] = first

    def all(self, listing: Listing[T]) -> tuple[T, ...]:
        """Fetch every page, in order, each row once.

        A list whose pages do not fit together changed while it was read: it is read once more. What then still does
        not fit is taken as it is; rows that slipped over a page's edge are for the caller's second look.

        Raises:
            RefusedError: a page was refused.
            UnreachableError: a page had no usable response, or does not fit: part of a list is never returned.
            HourError: the hour's budget does not hold its pages.
        """
        pages = self._pages(listing)
        if not _fit(pages):
            pages = self._pages(listing)
        return _distinct(listing, pages)

    def all_at_rest(self, listing: Listing[T]) -> tuple[T, ...]:
        """Fetch every page as `all` does, of a list that was the same before and after.

        Rows slip over the edges of pages while others push and delete, and one that slips over the edge of a page that
        is about to be read is in no page. Newer rows come first, so a push shows on the first page, and a deletion on
        the last: the last is read right after the first, and both again at the end.

        Raises:
            UnreachableError: also where the list changed each time that it was read.
        """
        for _ in range(_LISTS):
            pages, ends = self._pages_with_ends(listing)
            if ends and _fit(pages):
                return _distinct(listing, pages)
        raise UnreachableError(
            f"cannot {listing.action}: rows came or went each of the {_LISTS} times that the list was read",
            "run again when fewer others push and delete",
        )

    def find(self, listing: Listing[T], wanted: Callable[[T], bool]) -> T | None:
        """Return the first row that is wanted, page after page; lists are newest first (facts A6)."""
        first = self._first(listing)
        for page in self._onward(listing, [first]):
            for entry in page.entries:
                if wanted(entry):
                    return entry
        return None

    def _pages(self, listing: Listing[T]) -> list[_Page[T]]:
        begun = self._begun.pop(listing.url, None)
        first = begun or self._first_or_ahead(listing)
        further = _further(listing, first)
        if begun is None:
            self._budget.expect(further, listing.action)
        with self._budget.fetching(further) as fetched:
            pages = [first, *self._concurrently(listing, first, range(2, further + 2), fetched)]
        return list(self._onward(listing, pages))

    def _pages_with_ends(self, listing: Listing[T]) -> tuple[list[_Page[T]], bool]:
        """Fetch every page, and return whether the first and the last are the same afterwards; one page always is."""
        first = self._first(listing)
        pages, further = [first], _further(listing, first)
        self._budget.expect(further, listing.action)
        with self._budget.fetching(further) as fetched:
            if further:
                end = self._after(listing, first, further + 1)
                pages += [*self._concurrently(listing, first, range(2, further + 1), fetched), end]
        pages = list(self._onward(listing, pages))
        if len(pages) == 1:
            return pages, True
        # The first is read after the last: otherwise a push between the two would hide a deletion from the last.
        end = self._after(listing, first, len(pages))
        again = self._first(listing)
        return pages, (again.marks, end.marks) == (first.marks, pages[-1].marks)

    def _onward(self, listing: Listing[T], pages: list[_Page[T]]) -> Iterator[_Page[T]]:
        """Yield the pages that were fetched, then those that follow, one after the other."""
        yield from pages
        seen = {page.marks for page in pages}
        linked, number, page = any(page.linked for page in pages), len(pages), pages[-1]
        while (url := _next(listing, page, number, linked=linked)) is not None:
            number += 1
            _check_number(listing, number)
            guessed = page.next is None
            try:
                page = self._page(listing, url, number)
            except MissingError:
                if guessed:
                    return
                raise
            if guessed and not page.rows:
                return
            if page.marks in seen:
                if page.next:
                    message = f"cannot {listing.action}: the list has no end, its pages repeat"
                    raise UnreachableError(message, resources.ODD_ANSWER)
                return
            seen.add(page.marks)
            yield page

    def _concurrently(
        self, listing: Listing[T], first: _Page[T], page_numbers: range, fetched: Callable[[], None]
    ) -> list[_Page[T]]:
        """Fetch pages, a bounded number ahead: how many there are is only what the server claims."""
        pages: list[_Page[T]] = []
        ahead: deque[Future[_Page[T]]] = deque()
        remaining = iter(page_numbers)
        try:
            while not pages or pages[-1].rows:
                for number in islice(remaining, limits.PAGES - len(ahead)):
                    ahead.append(self._pool.submit(self._after, listing, first, number))
                if not ahead:
                    break
                pages.append(ahead.popleft().result())
                fetched()
            return pages
        finally:
            # After a failure no further page is fetched; requests under way only read, so nothing waits for them.
            for future in ahead:
                future.cancel()

    def _first_or_ahead(self, listing: Listing[T]) -> _Page[T]:
        ahead = self._ahead.pop(listing.url, None)
        try:
            return ahead.result() if ahead else self._first(listing)
        except RefusedError:
            # Refused ahead of its turn: what explains it was not known then, such as that the package is there.
            if ahead is None:
                raise
            return self._first(listing)

    def _first(self, listing: Listing[T]) -> _Page[T]:
        return self._page(listing, _at(listing.url, None, PER_PAGE), 1)

    def _after(self, listing: Listing[T], first: _Page[T], number: int) -> _Page[T]:
        """Fetch a page by its number, at the URL to which the first one leads."""
        return self._page(listing, _at(first.next or listing.url, number, PER_PAGE), number)

    def _page(self, listing: Listing[T], url: str, number: int) -> _Page[T]:
        if listing.url in self._heavy:
            return self._joined(listing, url, number)
        try:
            return self._fetch(listing, url)
        except UnreachableError:
            page = self._joined(listing, url, number)
        # The other pages of this list need not fail first.
        self._heavy.add(listing.url)
        return page

    def _joined(self, listing: Listing[T], url: str, number: int) -> _Page[T]:
        """Fetch a page as several smaller ones."""
        begin = (number - 1) * _SMALLER_PAGES + 1
        pages: list[_Page[T]] = []
        for smaller in range(begin, begin + _SMALLER_PAGES):
            pages.append(self._fetch(listing, _at(url, smaller, _PER_SMALLER_PAGE)))
            if pages[-1].linked and pages[-1].next is None:
                break
        last = next((page.last for page in pages if page.last), None)
        following = pages[-1].next
        return _Page(
            entries=tuple(entry for page in pages for entry in page.entries),
            marks=tuple(mark for page in pages for mark in page.marks),
            last=-(-last // _SMALLER_PAGES) if last else None,
            next=following and _at(following, number + 1, PER_PAGE),
            linked=any(page.linked for page in pages),
        )

    def _fetch(self, listing: Listing[T], url: str) -> _Page[T]:
        response = self._client.get(url, listing.action)
        if not response.ok:
            raise listing.refused(response)
        with resources.reading(listing.action):
            found = resources.json_list(response.body)
            entries = tuple(entry for data in found if (entry := listing.read(data)) is not None)
        link = response.headers.get("link")
        marks = tuple(str(data.get("id", data.get("name"))) for data in found)
        return _Page(entries, marks, links.last_page(link), links.next_url(link), bool(link))


def _distinct(listing: Listing[T], pages: Sequence[_Page[T]]) -> tuple[T, ...]:
    """Return what all pages hold, each entry once, where it came first."""
    entries = [entry for page in pages for entry in page.entries]
    return tuple({listing.key(entry): entry for entry in reversed(entries)}.values())[::-1]


def _further(listing: Listing[Any], first: _Page[Any]) -> int:
    """Return how many pages follow the first, as far as it says."""
    if not (first.last and first.next):
        return 0
    _check_number(listing, first.last)
    return first.last - 1


def _check_number(listing: Listing[Any], number: int) -> None:
    if number > MAX_PAGES:
        message = f"cannot {listing.action}: the list has more than {MAX_PAGES:,} pages"
        raise UnreachableError(message, resources.ODD_ANSWER)


def _next(listing: Listing[T], page: _Page[T], number: int, *, linked: bool) -> str | None:
    if page.next is not None:
        return page.next
    # Not every list is documented to have pages, or to link them: a full page without a link may not be all.
    if not (linked or page.linked) and page.rows == PER_PAGE:
        return _at(listing.url, number + 1, PER_PAGE)
    return None


def _fit(pages: Sequence[_Page[Any]]) -> bool:
    """Return whether all pages but the last are as full as the first, and all name the same last page."""
    first = pages[0]
    full = all(page.rows == first.rows for page in pages[:-1])
    ends = {page.last for page in pages if page.last is not None}
    return full and len(ends) <= 1 and (len(pages) == 1 or pages[-1].rows > 0)


def _at(url: str, page: int | None, per_page: int) -> str:
    try:
        target = urlsplit(url)
    except ValueError:
        return url  # it is no URL, and the client refuses it
    query = dict(parse_qsl(target.query, keep_blank_values=True))
    query["per_page"] = str(per_page)
    if page is not None:
        query["page"] = str(page)
    return target._replace(query=urlencode(query)).geturl()
