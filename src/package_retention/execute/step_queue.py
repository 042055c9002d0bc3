"""Keep account of a plan's steps: which may start next, which are under way, how each ended. No I/O."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from package_retention.model import Outcome, Result, Step, StepKind
from package_retention.reason import WITH_ITS_IMAGE, Finding, Reason


class StepQueue:
    """The steps of one plan: waiting, ready, under way, ended. Places are indexes into the plan's steps."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self.steps = steps
        self.outcomes: dict[int, Outcome] = {}
        self.under_way: set[int] = set()
        self.done: set[int] = set()
        self._places = {step.version.id: place for place, step in enumerate(steps) if step.version}
        self._waiting = [sum(1 for i in step.after if i in self._places) for step in steps]
        self._followers: dict[int, list[int]] = {}
        for place, step in enumerate(steps):
            for version_id in step.after & self._places.keys():
                self._followers.setdefault(version_id, []).append(place)
        self._ready = [place for place, count in enumerate(self._waiting) if not count]
        self._left = Counter(step.root for step in steps)
        self.vanished: dict[int, int] = {}
        """Versions that were gone before their turn, with their places: what waits for them waits for a list, too."""
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
        self.under_way.add(place)
        root = self.steps[place].root
        if root is not None and root not in self._begun:
            self._begun.add(root)
            self._owed += self._left[root]
        return self.steps[place]

    def put_back(self, place: int) -> None:
        """Make a step that was not sent ready again."""
        self.under_way.discard(place)
        heapq.heappush(self._ready, place)

    def end(self, place: int, outcome: Outcome) -> list[Outcome]:
        """Record a step's outcome; return it with those of the steps that can no longer be done."""
        self.under_way.discard(place)
        ended = [self._note(place, outcome)]
        version = outcome.step.version
        if version is None:
            return ended
        deleted = outcome.step.kind is StepKind.DELETE_VERSION
        if outcome.result is Result.ALREADY and deleted and self._followers.get(version.id):
            # A 404 may hide what is there (a role that was lost), and its children must not go before it.
            self.vanished[version.id] = place
            return ended
        if outcome.result in (Result.DONE, Result.ALREADY):
            self.done.add(version.id)
            self._free(version.id)
            return ended
        return ended + self._give_up_followers(version.id)

    def settle_vanished(self, listed: Collection[int]) -> list[Outcome]:
        """Go on with what waits for versions that a new list lacks, too; end what waits for those that it still has."""
        vanished, self.vanished = self.vanished, {}
        ended: list[Outcome] = []
        for version_id in vanished:
            if version_id in listed:
                ended += self._give_up_followers(version_id)
            else:
                self.done.add(version_id)
                self._free(version_id)
        return ended

    def skip(self, reasons: Mapping[int | None, Reason]) -> list[Outcome]:
        """End steps that have not started, by version id (`None`: the whole package), each with its reason."""
        ended: list[Outcome] = []
        for place, step in enumerate(self.steps):
            untouched = place not in self.outcomes and place not in self.under_way
            version_id = step.version.id if step.version else None
            if untouched and version_id in reasons:
                ended += self.end(place, Outcome(step, Result.SKIPPED, reason=reasons[version_id]))
        return ended

    def abandon(self, message: Finding | None, reason: Reason | None) -> list[Outcome]:
        """End everything that has no outcome yet as not reached."""
        rest = [place for place in range(len(self.steps)) if place not in self.outcomes]
        return [
            self._note(place, Outcome(self.steps[place], Result.NOT_REACHED, message, reason=reason))
            for place in rest
        ]

    def _note(self, place: int, outcome: Outcome) -> Outcome:
        self.outcomes[place] = outcome
        root = self.steps[place].root
        self._left[root] -= 1
        self._owed -= root in self._begun
        return outcome

    def _free(self, version_id: int) -> None:
        for place in self._followers.get(version_id, ()):
            self._waiting[place] -= 1
            if not self._waiting[place] and place not in self.outcomes:
                heapq.heappush(self._ready, place)

    def _give_up_followers(self, version_id: int) -> list[Outcome]:
        """Skip the steps that wait for a version that stays, and those that wait for them in turn."""
        ended: list[Outcome] = []
        waiting = [version_id]
        while waiting:
            for place in self._followers.get(waiting.pop(), ()):
                step = self.steps[place]
                if place in self.outcomes or step.version is None:
                    continue
                ended.append(self._note(place, Outcome(step, Result.SKIPPED, reason=WITH_ITS_IMAGE)))
                waiting.append(step.version.id)
        return ended
