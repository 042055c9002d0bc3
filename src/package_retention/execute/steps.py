"""Carry out one step: an error becomes its outcome here, unless it ends more than the step.

GitHub has no call that takes a tag off an image (facts D), so the tag is moved to a placeholder manifest, whose version is
then deleted. The order makes it safe: the tag is read just before it moves; only the version whose digest is the
placeholder's own is deleted; if that fails, the tag is put back. At no point is the image itself changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from package_retention.cancel import shielded
from package_retention.errors import (
    BudgetError,
    CancelledError,
    InDoubtError,
    Refusal,
    RefusedError,
    RetentionError,
    StaleError,
    UnreachableError,
)
from package_retention.model import Absent, Outcome, Package, Result, Step, StepKind, Unreadable, Version
from package_retention.ports import Clock, EventListener, PackagesApi, RawManifest, RegistryApi
from package_retention.reason import Finding, FindingCode

# A version appears in the list a moment after the push; looked for at most this often, a second apart.
_LOOKS = 6
_MARK = "package-retention.untag"


class Done(Struct, frozen=True):
    """A step's outcome, with the refusal behind it if there was one; `ended` if the run ended in its middle."""

    outcome: Outcome
    refusal: Refusal | None = None
    ended: RetentionError | None = None


class StepRunner(Struct, frozen=True):
    """Carries out single steps; called from several threads."""

    api: PackagesApi
    tags: TagMover
    journal: EventListener

    def __call__(self, step: Step, not_after: float | None) -> Done:
        """Carry out a step; `StaleError`, `BudgetError` and `CancelledError` mean that it was not sent."""
        # Before the request: a process that is killed between the two leaves a change that was never sent "in doubt",
        # which is harmless. The other way round, a deletion would be missing from the report that has to restore it.
        self.journal.starting(step)
        try:
            return self._change(step, not_after)
        except (StaleError, BudgetError, CancelledError):
            raise
        except RetentionError as error:
            refusal = error.refusal if isinstance(error, RefusedError) else None
            result = Result.REFUSED if refusal and refusal.permanent else Result.FAILED
            doubtful = isinstance(error, InDoubtError)
            outcome = Outcome(step, result, error.said, in_doubt=doubtful, detail=error.detail)
            return Done(outcome, refusal)

    def _change(self, step: Step, not_after: float | None) -> Done:
        api, package, version = self.api, step.package, step.version
        if step.kind is StepKind.DELETE_PACKAGE:
            return Done(Outcome(step, api.delete_package(package, not_after=not_after)))
        if step.kind is StepKind.RESTORE_PACKAGE:
            return Done(Outcome(step, api.restore_package(package, not_after=not_after)))
        if version is None:
            raise RetentionError(f"{package.label}: a step without a version")
        if step.kind is StepKind.DELETE_VERSION:
            return Done(Outcome(step, api.delete_version(package, version.id, not_after=not_after)))
        if step.kind is StepKind.RESTORE_VERSION:
            return Done(Outcome(step, api.restore_version(package, version.id, not_after=not_after)))
        return self.tags.run(step, version)


class Move(Struct, frozen=True):
    """What became of one tag: `moved`, and what stood in the way, which is a failure unless the tag rightly `stays`."""

    moved: bool = False
    problem: Finding | None = None
    stays: bool = False
    in_doubt: bool = False


def _result_of(moves: Mapping[str, Move]) -> Result:
    """Return how a step ended whose tags were all tried."""
    problems = [move for move in moves.values() if move.problem]
    if not problems:
        return Result.DONE if any(move.moved for move in moves.values()) else Result.ALREADY
    return Result.SKIPPED if all(move.stays for move in problems) else Result.FAILED


def _outcome_of(
    step: Step, moves: Mapping[str, Move], result: Result, end: RetentionError | None = None
) -> Outcome:
    """Return the outcome of a step; `end` is what ended it between two tags."""
    return Outcome(
        step,
        result,
        end.said if end else None,
        findings=tuple(move.problem for move in moves.values() if move.problem),
        tags=tuple(tag for tag, move in moves.items() if move.moved),
        in_doubt=any(move.in_doubt for move in moves.values()),
    )


def placeholder_manifest(original: RawManifest, nonce: str) -> RawManifest:
    """Return a manifest of the same form that names nothing: unique by its nonce, so that its digest is its own."""
    body: dict[str, Any] = json.loads(original.body)
    body["annotations"] = {_MARK: nonce}
    body.pop("subject", None)
    body["manifests" if "manifests" in body else "layers"] = []
    raw = json.dumps(body, separators=(",", ":")).encode()
    return RawManifest(f"sha256:{hashlib.sha256(raw).hexdigest()}", original.media_type, raw)


def is_placeholder(manifest: RawManifest) -> bool:
    """Return whether a manifest is one that holds a tag only to be deleted with it."""
    try:
        body = json.loads(manifest.body)
    except ValueError:
        return False
    if not isinstance(body, dict) or body.get("manifests") or body.get("layers"):
        return False
    annotations = body.get("annotations")
    return isinstance(annotations, dict) and set(annotations) == {_MARK}


class TagMover(Struct, frozen=True):
    """Takes tags off images, and puts back those that an earlier run took; `nonce` returns a fresh text each time."""

    api: PackagesApi
    registry: RegistryApi
    clock: Clock
    nonce: Callable[[], str]

    def run(self, step: Step, version: Version) -> Done:
        """Move a step's tags, one after the other.

        A tag that cannot be taken off ends the step; one that cannot be put back leaves the others to be tried.
        """
        moves: dict[str, Move] = {}
        for tag in step.tags:
            try:
                moves[tag] = self._tried(step, version, tag)
            except (BudgetError, CancelledError, RefusedError) as error:
                if not moves:
                    raise
                if isinstance(error, RefusedError):
                    return Done(_outcome_of(step, moves, Result.FAILED, error), error.refusal)
                return Done(_outcome_of(step, moves, Result.NOT_REACHED, error), ended=error)
            if moves[tag].problem and step.kind is StepKind.UNTAG:
                break
        return Done(_outcome_of(step, moves, _result_of(moves)))

    def _tried(self, step: Step, version: Version, tag: str) -> Move:
        """Move one tag; raise only what ends the step, and not this tag alone."""
        move = self._take_off if step.kind is StepKind.UNTAG else self._put_back
        try:
            return move(step.package, version, tag)
        except (BudgetError, CancelledError):
            raise
        except RetentionError as error:
            if isinstance(error, RefusedError) and error.refusal.meets_every_change:
                raise
            return Move(
                problem=Finding(FindingCode.MISSING, tag, about=error.said),
                in_doubt=isinstance(error, InDoubtError),
            )

    def _delete(self, package: Package, digest: str) -> None:
        """Delete the version whose digest is the placeholder's own, and no other."""
        for _ in range(_LOOKS):
            found = self.api.find_version(package, digest)
            if found is not None:
                self.api.delete_version(package, found.id)
                return
            self.clock.sleep(1.0)
        raise RetentionError(
            f"the version {digest} that held the tag did not appear in the list of {package.label}"
        )

    def _take_off(self, package: Package, version: Version, tag: str) -> Move:
        """Take a tag off an image; raise the error of its first read or its first write."""
        original = self.registry.raw(package, tag)
        if isinstance(original, Unreadable):
            return Move(problem=Finding(FindingCode.TAG_UNREADABLE, tag, error=original.why))
        if isinstance(original, Absent):
            return Move(problem=Finding(FindingCode.TAG_GONE, tag), stays=True)
        if original.digest != version.name:
            return Move(problem=Finding(FindingCode.TAG_ELSEWHERE, tag), stays=True)
        blank = placeholder_manifest(original, self.nonce())
        # From the first write on the tag names the placeholder, and a pull by that tag fails. A cancel or the time limit
        # between the write and the deletion would leave it there, so neither ends these two requests.
        with shielded():
            try:
                self.registry.put(package, tag, blank)
            except InDoubtError as error:
                return self._undone(package, tag, original, blank, error)
            try:
                self._delete(package, blank.digest)
            except RetentionError as error:
                return self._undone(package, tag, original, blank, error)
        return Move(moved=True)

    def _undone(
        self, package: Package, tag: str, original: RawManifest, blank: RawManifest, error: RetentionError
    ) -> Move:
        """Put the tag back, and take the placeholder away, which no longer has a tag.

        Only while the tag is on this placeholder: a push in between has moved it already, and must not be undone.
        """
        there = self.registry.raw(package, tag)
        if isinstance(there, Absent):
            return Move(moved=True)  # somebody deleted the placeholder, and the tag with it
        in_doubt = isinstance(error, InDoubtError)
        if in_doubt and isinstance(there, RawManifest) and there.digest == original.digest:
            return Move(problem=Finding(FindingCode.TAG_STILL_THERE, tag, about=error.said))
        try:
            if isinstance(there, Unreadable):
                raise UnreachableError(f"where it is could not be looked up: {there.why}")
            if there.digest == blank.digest:
                self.registry.put(package, tag, original)
        except RetentionError as again:
            doubtful = in_doubt or isinstance(again, InDoubtError)
            problem = Finding(
                FindingCode.TAG_LOST,
                tag,
                names=(original.digest,),
                others=(again.message,),
                about=error.said,
            )
            return Move(moved=not doubtful, problem=problem, in_doubt=doubtful)
        back = there.digest in (blank.digest, original.digest)
        return self._cleared(package, tag, blank, error, back=back)

    def _cleared(
        self, package: Package, tag: str, blank: RawManifest, error: RetentionError, *, back: bool
    ) -> Move:
        """Delete the placeholder that lost its tag, and return where the tag is: put `back`, or on a newer push."""
        try:
            self._delete(package, blank.digest)
        except RetentionError as again:
            code = FindingCode.TAG_PUT_BACK_UNTIDIED if back else FindingCode.TAG_PUSHED
            left = Finding(code, tag, names=(blank.digest,), others=(again.message,), about=error.said)
            return Move(moved=not back, problem=left)
        if not back:
            return Move(moved=True)
        # What GitHub's own rules refuse for good (the last tagged version) is not a failure: the tag stays.
        for_good = isinstance(error, RefusedError) and error.refusal.permanent
        return Move(problem=Finding(FindingCode.TAG_PUT_BACK, tag, about=error.said), stays=for_good)

    def _put_back(self, package: Package, version: Version, tag: str) -> Move:
        """Put a tag back on an image that is there again."""
        there = self.registry.raw(package, tag)
        if isinstance(there, Unreadable):
            return Move(problem=Finding(FindingCode.TAG_UNREADABLE, tag, error=there.why))
        if isinstance(there, RawManifest) and there.digest == version.name:
            return Move()
        if isinstance(there, RawManifest) and not is_placeholder(there):
            return Move(problem=Finding(FindingCode.TAG_ELSEWHERE, tag), stays=True)
        original = self.registry.raw(package, version.name)
        if not isinstance(original, RawManifest):
            return Move(problem=Finding(FindingCode.IMAGE_UNREAD, tag, names=(version.name,)))
        with shielded():
            self.registry.put(package, tag, original)
            return self._tidied(package, tag, there)

    def _tidied(self, package: Package, tag: str, there: RawManifest | Absent) -> Move:
        """Take away the placeholder that held the tag, if one did."""
        if isinstance(there, Absent):
            return Move(moved=True)
        try:
            self._delete(package, there.digest)
        except RetentionError as error:
            left = Finding(FindingCode.PLACEHOLDER_LEFT, tag, names=(there.digest,), about=error.said)
            return Move(moved=True, problem=left)
        return Move(moved=True)
