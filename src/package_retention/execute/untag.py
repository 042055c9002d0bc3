"""Takes one tag off an image (facts D): GitHub has no such call, so the tag is moved to a dummy that is then deleted.

The order makes it safe: the tag is looked at just before it moves; only the version whose digest is the dummy's own is
deleted; where that fails, the tag is put back. At no point is the image itself changed.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from package_retention.errors import RetentionError
from package_retention.finishing import finishing
from package_retention.model import Outcome, Result, Unreadable
from package_retention.ports import RawManifest

if TYPE_CHECKING:
    from collections.abc import Callable

    from package_retention.model import Package, Step, Version
    from package_retention.ports import Clock, PackagesApi, RegistryApi

# A version appears in the list a moment after the push; looked for at most this often, a second apart.
_LOOKS = 6
_MARK = "package-retention.untag"


def dummy(original: RawManifest, nonce: str) -> RawManifest:
    """A manifest of the same form that names nothing: unique by its nonce, so that its digest is its own."""
    body: dict[str, Any] = json.loads(original.body)
    body["annotations"] = {_MARK: nonce}
    body.pop("subject", None)
    body["manifests" if "manifests" in body else "layers"] = []
    raw = json.dumps(body, separators=(",", ":")).encode()
    return RawManifest(f"sha256:{hashlib.sha256(raw).hexdigest()}", original.media_type, raw)


def is_dummy(manifest: RawManifest) -> bool:
    """Whether a manifest is one that holds a tag only to be deleted with it."""
    try:
        body = json.loads(manifest.body)
    except ValueError:
        return False
    annotations = body.get("annotations") if isinstance(body, dict) else None
    named = isinstance(body, dict) and (body.get("manifests") or body.get("layers"))
    return isinstance(annotations, dict) and set(annotations) == {_MARK} and not named


@dataclass(frozen=True, slots=True)
class _Tagger:
    """What moving a tag takes; `nonce` gives a fresh text each time."""

    api: PackagesApi
    registry: RegistryApi
    clock: Clock
    nonce: Callable[[], str]
    goes_on: ClassVar[bool] = False
    """Whether a tag that cannot be moved leaves the others to be tried."""

    def untag(self, step: Step) -> Outcome:
        """Move a step's tags, one after the other."""
        moved: list[str] = []
        problems: list[str] = []
        version = step.version
        if version is None:
            raise RetentionError(f"{step.package.label}: a tag step without a version")
        for tag in step.tags:
            problem = self._move(step.package, version, tag)
            if problem == "":
                moved.append(tag)
            elif problem:
                problems.append(problem)
                if not self.goes_on:
                    break
        return Outcome(step, _result(moved, problems), "; ".join(problems), tags=tuple(moved))

    def _move(self, package: Package, version: Version, tag: str) -> str | None:
        """Move one tag; gives what stood in the way, or nothing; `None` where it was there already."""
        raise NotImplementedError

    def _delete(self, package: Package, digest: str) -> None:
        """Delete the version whose digest is the dummy's own, and no other."""
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


def _result(moved: list[str], problems: list[str]) -> Result:
    if not problems:
        return Result.DONE if moved else Result.ALREADY
    return Result.SKIPPED if all(one.startswith("the tag") for one in problems) else Result.FAILED


class Untagger(_Tagger):
    """Takes tags away."""

    __slots__ = ()

    def _move(self, package: Package, version: Version, tag: str) -> str:
        original = self.registry.raw(package, tag)
        if not isinstance(original, RawManifest):
            return f"the tag {tag} could not be looked at before it was taken away"
        if original.digest != version.name:
            return f"the tag {tag} is on another image now: it stays there"
        blank = dummy(original, self.nonce())
        self.registry.put(package, tag, blank)
        with finishing():
            try:
                self._delete(package, blank.digest)
            except RetentionError as error:
                return f"{error.message}; {self._undo(package, tag, original, blank)}"
        return ""

    def _undo(self, package: Package, tag: str, original: RawManifest, blank: RawManifest) -> str:
        """Put the tag back, and take the dummy away, which no longer has a tag."""
        try:
            self.registry.put(package, tag, original)
        except RetentionError as error:
            return f"and {tag} could not be put back ({error.message}): push it again from {original.digest}"
        try:
            self._delete(package, blank.digest)
        except RetentionError as error:
            return f"{tag} was put back; delete the empty version {blank.digest} by hand ({error.message})"
        return f"{tag} was put back"


class Retagger(_Tagger):
    """Puts tags back that an earlier run took away."""

    __slots__ = ()
    goes_on: ClassVar[bool] = True

    def _move(self, package: Package, version: Version, tag: str) -> str | None:
        there = self.registry.raw(package, tag)
        if isinstance(there, Unreadable):
            return f"the tag {tag} could not be looked at before it was put back ({there.why})"
        if isinstance(there, RawManifest) and there.digest == version.name:
            return None
        if isinstance(there, RawManifest) and not is_dummy(there):
            return f"the tag {tag} is on another image now: it stays there"
        original = self.registry.raw(package, version.name)
        if not isinstance(original, RawManifest):
            return f"the image {version.name} could not be read, so {tag} was not put back"
        self.registry.put(package, tag, original)
        if isinstance(there, RawManifest):
            self._delete(package, there.digest)
        return ""
