"""One row of the table of refusals: GitHub's text -> what it means and the next step (facts J).

A row is recognised by how the text begins, in any case, never by the status alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from package_retention.api.answers import Answer
    from package_retention.api.asked import Asked
    from package_retention.errors import RefusalKind

USE_CLASSIC = "use a personal access token (classic) with the scopes that the operation needs"


@dataclass(frozen=True, slots=True)
class Row:
    """One text of GitHub's.

    `number` is its row in part J of the facts (0: a public text that is not in it), `text` its exact words, `starts`
    the pattern of its beginning (else the words themselves). `next_step` is the general one, for the documentation;
    `advise` makes the one that fits what was asked. `when` narrows the row.
    """

    number: int
    text: str
    kind: RefusalKind
    meaning: str
    next_step: str
    starts: str = ""
    advise: Callable[[Asked, Answer], str] | None = None
    when: Callable[[Asked, Answer], bool] | None = None

    def fits(self, asked: Asked, answer: Answer) -> bool:
        """Whether this row is about this answer to this request."""
        if self.when is not None and not self.when(asked, answer):
            return False
        pattern = self.starts or re.escape(self.text)
        return any(re.match(pattern, text, re.IGNORECASE) for text in answer.texts)

    def advice(self, asked: Asked, answer: Answer) -> str:
        """Give the next step for this request."""
        return self.advise(asked, answer) if self.advise else self.next_step
