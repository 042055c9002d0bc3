"""Keep account of a plan's steps: which may start next, and how each ended. No I/O."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence

from package_retention.model import Outcome, Result, Step, StepKind
from package_retention.reason import WITH_ITS_IMAGE, Finding, Reason


class StepQueue:
    """The steps of one plan: waiting, ready, started, ended. Places are indexes into the plan's steps.

    `finished` is called with each outcome: of a step that ended, and then of those that can no longer be done.
    """

    def __init__(self, steps: Sequence[Step], finished: Callable[[Outcome], None]) -> None:
        self.steps = steps
        self._finished = finished
        self.outcomes: dict[int, Outcome] = {}
        self.done: set[int] = set()
        planned = {step.version.id for step in steps if step.version}
        self._waiting = [len(step.after & planned) for step in steps]
        self._followers: dict[int, list[int]] = {}
        for place, step in enumerate(steps):
            for version_id in step.after & planned:
                self._followers.setdefault(version_id, []).append(place)
        self._ready = [place for place, count in enumerate(self._waiting) if not count]
        self._left = Counter(step.root for step in steps)
        self.vanished: list[int] = []
        """Versions that were gone before their turn: what waits for them waits for a list, too."""
        self._begun: set[int] = set()
        self._owed = 0

    @property
    def pending(self) -> bool:
        """Whether any step could still be started, now or after what is under way."""
        return bool(self._ready or self.vanished)

    def next_ready(self) -> int | None:
        """Return the place of the first step that may start; it stays ready until `start`."""
        while self._ready and self._ready[0] in self.outcomes:
            heapq.heappop(self._ready)
        return self._ready[0] if self._ready else None

    def begin_no_more(self) -> None:
        """Start no further image: from here on only those that were begun are finished."""
        self._ready = [place for place in self._ready if self.steps[place].root in self._begun]
        heapq.heapify(self._ready)

    def is_begun(self, place: int) -> bool:
        """Return whether a change of the same image was started before."""
        return self.steps[place].root in self._begun

    def cost(self, place: int) -> int:
        """Return how many changes must still fit in, for this step's image and every image begun to be finished."""
        root = self.steps[place].root
        if root is None:
            return self._owed + 1
        return self._owed if root in self._begun else self._owed + self._left[root]

    def start(self, place: int) -> Step:
        """Take a ready step under way."""
        heapq.heappop(self._ready)
        root = self.steps[place].root
        if root is not None and root not in self._begun:
            self._begun.add(root)
            self._owed += self._left[root]
        return self.steps[place]

    def put_back(self, place: int) -> None:
        """Make a step that was not sent ready again."""
        heapq.heappush(self._ready, place)

    def end(self, place: int, outcome: Outcome) -> None:
        """Record a step's outcome, and those of the steps that can no longer be done."""
        self._note(place, outcome)
        version = outcome.step.version
        if version is None:
            return
        deleted = outcome.step.kind is StepKind.DELETE_VERSION
        if outcome.result is Result.ALREADY and deleted and self._followers.get(version.id):
            # A 404 may hide what is there (a role that was lost), and its children must not go before it.
            self.vanished.append(version.id)
        elif outcome.result in (Result.DONE, Result.ALREADY):
            self._free(version.id)
        else:
            self._give_up_followers(version.id)

    def settle_vanished(self, listed: Collection[int]) -> None:
        """Go on with what waits for versions that a new list lacks, too; end what waits for those that it still has."""
        vanished, self.vanished = self.vanished, []
        for version_id in vanished:
            if version_id in listed:
                self._give_up_followers(version_id)
            else:
                self._free(version_id)

    def skip(self, reasons: Mapping[int | None, Reason]) -> None:
        """End steps that have not ended, by version id (`None`: the whole package), each with its reason.

        None may be under way.
        """
        for place, step in enumerate(self.steps):
            version_id = step.version_id
            if place not in self.outcomes and version_id in reasons:
                self.end(place, Outcome(step, Result.SKIPPED, reason=reasons[version_id]))

    def abandon(self, message: Finding | None, reason: Reason | None) -> None:
        """End everything that has no outcome yet as not reached."""
        for place, step in enumerate(self.steps):
            if place not in self.outcomes:
                self._note(place, Outcome(step, Result.NOT_REACHED, message, reason=reason))

    def _note(self, place: int, outcome: Outcome) -> None:
        self.outcomes[place] = outcome
        root = self.steps[place].root
        self._left[root] -= 1
        self._owed -= root in self._begun
        self._finished(outcome)

    def _free(self, version_id: int) -> None:
        """Let the steps start that wait for a version that is gone, or is there again."""
        self.done.add(version_id)
        for place in self._followers.get(version_id, ()):
            self._waiting[place] -= 1
            if not self._waiting[place] and place not in self.outcomes:
                heapq.heappush(self._ready, place)

    def _give_up_followers(self, version_id: int) -> None:
        """Skip the steps that wait for a version that stays, and those that wait for them in turn."""
        waiting = [version_id]
        while waiting:
            for place in self._followers.get(waiting.pop(), ()):
                step = self.steps[place]
                if place in self.outcomes or step.version is None:
                    continue
                self._note(place, Outcome(step, Result.SKIPPED, reason=WITH_ITS_IMAGE))
                waiting.append(step.version.id)
