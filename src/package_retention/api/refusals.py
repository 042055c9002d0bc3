"""Explain refusals: what GitHub's response means for the request, and what to do next (facts J, A7).

`refusals.toml` has those that GitHub is known to send.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import chain
from pathlib import Path

from msgspec import Struct

from package_retention import catalogue
from package_retention.api import hints
from package_retention.api.responses import ApiResponse, RequestContext
from package_retention.api.tokens import TokenKind
from package_retention.errors import MissingError, Refusal, RefusalKind, RefusedError
from package_retention.transport.retry import API, RetryCause, cause_of

_NOT_FOUND = 404
_LIMITS = {
    RetryCause.PRIMARY: RefusalKind.PRIMARY_LIMIT,
    RetryCause.SECONDARY: RefusalKind.SECONDARY_LIMIT,
}
_MISSING = (RefusalKind.NOT_FOUND, RefusalKind.VERSION_NOT_FOUND)


class KnownRefusal(Struct, frozen=True, forbid_unknown_fields=True):
    """A refusal that GitHub is known to send; `refusals.toml` says what its fields mean."""

    number: int
    text: str
    kind: RefusalKind
    why: str
    hint: str
    starts: str = ""
    when: str = ""
    advise: str = ""

    def fits(self, context: RequestContext, response: ApiResponse) -> bool:
        """Return whether this row explains this response to this request."""
        if self.when and not hints.CONDITIONS[self.when](context, response):
            return False
        pattern = self.starts or re.escape(self.text.removesuffix("."))
        return any(re.match(pattern, text, re.IGNORECASE) for text in response.texts)

    def hint_for(self, context: RequestContext, response: ApiResponse) -> str:
        """Return the next step for this request."""
        return hints.ADVICE[self.advise](context, response) if self.advise else self.hint


@cache
def known() -> Mapping[str, tuple[KnownRefusal, ...]]:
    """Read the known refusals, by their group.

    Only a run that is refused something needs them. Two threads that are refused at once may both read the file; they
    find the same.
    """
    return catalogue.read(Path(__file__).with_name("refusals.toml"), dict[str, tuple[KnownRefusal, ...]])


def rows() -> Iterator[KnownRefusal]:
    """Yield all known refusals; the first that fits a response explains it."""
    return chain.from_iterable(known().values())


def refused(context: RequestContext, response: ApiResponse) -> RefusedError:
    """Return the error of a refusal: `MissingError` if the object does not exist or is hidden."""
    refusal = explain(context, response)
    return MissingError(refusal) if refusal.kind in _MISSING else RefusedError(refusal)


def explain(context: RequestContext, response: ApiResponse) -> Refusal:
    """Explain a refusal by its text (facts J); one that no row fits is quoted with its status. No content raises."""
    row = _row(context, response)
    if row is None:
        return _unknown(context, response)
    return _refusal(row.kind, context, response, row.why, row.hint_for(context, response))


def _row(context: RequestContext, response: ApiResponse) -> KnownRefusal | None:
    # The header is more certain than the text: a token without single sign-on may get a "Not Found" (facts B2).
    if response.sso_required:
        return _sso(context.token)
    return next((row for row in rows() if row.fits(context, response)), None)


def _sso(token: TokenKind) -> KnownRefusal:
    number = 16 if token in (TokenKind.OAUTH, TokenKind.APP_USER) else 15
    return next(row for row in rows() if row.number == number)


def _refusal(
    kind: RefusalKind, context: RequestContext, response: ApiResponse, meaning: str, next_step: str
) -> Refusal:
    detail = f"{meaning} ({response.quote})"
    return Refusal(kind, response.status, f"cannot {context.action}: {detail}", next_step, detail)


def _unknown(context: RequestContext, response: ApiResponse) -> Refusal:
    """Explain a refusal with an unknown text, by what its status and headers are documented to mean."""
    if response.status >= 500:  # noqa: PLR2004 - the class of HTTP's server errors
        meaning = "GitHub failed to answer"
        return _refusal(RefusalKind.SERVER, context, response, meaning, hints.later(response))
    cause = cause_of(response.status, response.headers, response.body, API)
    if cause in _LIMITS:
        meaning = "a rate limit of GitHub's is spent"
        return _refusal(_LIMITS[cause], context, response, meaning, hints.limits(context))
    if response.status == 410:  # noqa: PLR2004 - documented for a retired API version, whose text is not (facts J 26)
        retired = (
            "most likely this GitHub no longer supports the version of the API that this action asks for"
        )
        return _refusal(RefusalKind.API_VERSION, context, response, retired, "update the action")
    if context.restores:
        return _restore(context, response, RefusalKind.OTHER)
    meaning = "GitHub refuses, for a reason that this action does not know"
    return _refusal(RefusalKind.OTHER, context, response, meaning, _debug_hint(context, response))


def _debug_hint(context: RequestContext, response: ApiResponse) -> str:
    instead = ""
    if context.token.warning:
        instead = (
            f"the token is of a kind ({context.token}) that GitHub Packages does not support, or supports in part:"
            f" {hints.other_token(context)}. "
        )
    return (
        f"{instead}GitHub's text says what it can; run again with debug logging on to see each request"
        f"{hints.support(response)}"
    )


def not_found_package(context: RequestContext) -> Refusal:
    """Explain a package that was not found, and name every cause: a 404 never proves absence (facts A7)."""
    return explain(context, ApiResponse(_NOT_FOUND, {}, {"message": "Package not found."}))


def role_missing(context: RequestContext) -> Refusal:
    """Explain a 404 to a change of an object that can be read: the admin role is missing (facts A7)."""
    detail = (
        f"the token may read it, but lacks the role Admin that changes need (GitHub answers {_NOT_FOUND} to the change,"
        f" though it shows the {context.noun})"
    )
    message = f"cannot {context.action}: {detail}"
    return Refusal(RefusalKind.ROLE, _NOT_FOUND, message, hints.role(context), detail)


def restore_refused(context: RequestContext, response: ApiResponse) -> Refusal:
    """Explain a 404 to a restore: the 30 days are over, the name was reused, or the role is missing (facts A4)."""
    whole = context.noun == "package"
    return _restore(context, response, RefusalKind.NOT_FOUND if whole else RefusalKind.VERSION_NOT_FOUND)


def _restore(context: RequestContext, response: ApiResponse, kind: RefusalKind) -> Refusal:
    meaning = f"GitHub does not restore the {context.noun}"
    return _refusal(kind, context, response, meaning, hints.not_restorable(context))
