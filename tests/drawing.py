"""Draw values of the program's own classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def builds(
    kind: Callable[..., T], /, *parts: st.SearchStrategy[Any], **named: st.SearchStrategy[Any]
) -> st.SearchStrategy[T]:
    """Draw values of a class by its parts.

    `st.builds` itself would look up what the annotations name, which is often imported for type checkers alone.
    """
    return st.builds(lambda *args, **keywords: kind(*args, **keywords), *parts, **named)  # noqa: PLW0108 - see above  # noqa: PLW0108 - see above  # noqa: PLW0108 - see above  # noqa: PLW0108 - see above
