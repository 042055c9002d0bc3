"""Take a tag off an image, and put one back (facts D).

GitHub has no such call, so the tag is moved to a placeholder manifest, whose version is then deleted. The order makes it safe:
the tag is read just before it moves; only the version whose digest is the placeholder's own is deleted; if that
fails, the tag is put back. At no point is the image itself changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from msgspec import Struct

from package_retention.errors import (
    BudgetError,
    CancelledError,
    InDoubtError,
    RefusedError,
    RetentionError,
    UnreachableError,
)
from package_retention.model import Absent, Outcome, Package, Result, Step, Unreadable, Version
from package_retention.ports import Clock, PackagesApi, RawManifest, RegistryApi
from package_retention.reason import Finding, FindingCode
from package_retention.shield import shielded


class Move(Struct, frozen=True):
    """What became of one tag: `moved`, and what stood in the way, which is a failure unless the tag rightly `stays`."""

    moved: bool = False
    problem: Finding | None = None
    stays: bool = False
    in_doubt: bool = False


class HalfwayError(RetentionError):
    """A step ended between two of its tags: `outcome` covers those before, `cause` is what ended it."""

    def __init__(self, outcome: Outcome, cause: RetentionError) -> None:
        super().__init__(cause.message, cause.hint)
        self.outcome = outcome
        self.cause = cause


def result_of(moves: Mapping[str, Move]) -> Result:
    """Return how a step ended whose tags were all tried."""
    problems = [move for move in moves.values() if move.problem]
    if not problems:
        return Result.DONE if any(move.moved for move in moves.values()) else Result.ALREADY
    return Result.SKIPPED if all(move.stays for move in problems) else Result.FAILED


def outcome_of(
    step: Step, moves: Mapping[str, Move], result: Result, end: RetentionError | None = None
) -> Outcome:
    """Return the outcome of a step; `end` is what ended it between two tags."""
    return Outcome(
        step,
        result,
        end.message if end else "",
        hint=end.hint if end else "",
        findings=tuple(move.problem for move in moves.values() if move.problem),
        tags=tuple(tag for tag, move in moves.items() if move.moved),
        in_doubt=any(move.in_doubt for move in moves.values()),
    )


def _met(code: FindingCode, tag: str, error: RetentionError) -> Finding:
    """Return what an error means for a tag."""
    return Finding(code, tag, error=error.message, hint=error.hint)


# A version appears in the list a moment after the push; looked for at most this often, a second apart.
_LOOKS = 6
_MARK = "package-retention.untag"


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
    annotations = body.get("annotations") if isinstance(body, dict) else None
    named = isinstance(body, dict) and (body.get("manifests") or body.get("layers"))
    return isinstance(annotations, dict) and set(annotations) == {_MARK} and not named


class _TagMover(Struct, frozen=True):
    """Moves tags one by one; `nonce` returns a fresh text each time."""

    api: PackagesApi
    registry: RegistryApi
    clock: Clock
    nonce: Callable[[], str]
    goes_on: ClassVar[bool] = False
    """Whether a tag that cannot be moved leaves the others to be tried."""

    def run(self, step: Step) -> Outcome:
        """Move a step's tags, one after the other; `HalfwayError` if something ends it between two."""
        moves: dict[str, Move] = {}
        for tag in step.tags:
            try:
                moves[tag] = self._tried(step, tag)
            except (BudgetError, CancelledError, RefusedError) as error:
                if not moves:
                    raise
                result = Result.FAILED if isinstance(error, RefusedError) else Result.NOT_REACHED
                raise HalfwayError(outcome_of(step, moves, result, error), error) from error
            if moves[tag].problem and not self.goes_on:
                break
        return outcome_of(step, moves, result_of(moves))

    def _tried(self, step: Step, tag: str) -> Move:
        if step.version is None:
            raise RetentionError(f"{step.package.label}: a tag step without a version")
        try:
            return self._move(step.package, step.version, tag)
        except (BudgetError, CancelledError):
            raise
        except RetentionError as error:
            if isinstance(error, RefusedError) and error.refusal.meets_every_change:
                raise
            problem = Finding(FindingCode.MISSING, tag, error=error.message, hint=error.hint)
            return Move(problem=problem, in_doubt=isinstance(error, InDoubtError))

    def _move(self, package: Package, version: Version, tag: str) -> Move:
        """Move one tag; raise the error of its first read or its first write."""
        raise NotImplementedError

    def _delete(self, package: Package, digest: str) -> None:
        """Delete the version whose digest is the placeholder's own, and no other."""
        self.api.delete_version(package, self._find(package, digest).id)

    def _find(self, package: Package, digest: str) -> Version:
        for _ in range(_LOOKS):
            found = self.api.find_version(package, digest)
            if found is not None:
                return found
            self.clock.sleep(1.0)
        raise RetentionError(
            f"the version {digest} that held the tag did not appear in the list of {package.label}"
        )


class TagRemover(_TagMover, frozen=True):
    """Takes tags off images."""

    def _move(self, package: Package, version: Version, tag: str) -> Move:
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
            return Move(problem=_met(FindingCode.TAG_STILL_THERE, tag, error))
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
                error=error.message,
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
            left = Finding(code, tag, names=(blank.digest,), others=(again.message,), error=error.message)
            return Move(moved=not back, problem=left)
        if not back:
            return Move(moved=True)
        # What GitHub's own rules refuse for good (the last tagged version) is not a failure: the tag stays.
        for_good = isinstance(error, RefusedError) and error.refusal.permanent
        return Move(problem=_met(FindingCode.TAG_PUT_BACK, tag, error), stays=for_good)


class TagRestorer(_TagMover, frozen=True):
    """Puts tags back that an earlier run took away."""

    goes_on: ClassVar[bool] = True

    def _move(self, package: Package, version: Version, tag: str) -> Move:
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
            left = Finding(FindingCode.PLACEHOLDER_LEFT, tag, names=(there.digest,), error=error.message)
            return Move(moved=True, problem=left)
        return Move(moved=True)
