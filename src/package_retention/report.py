"""Hold what an earlier run's report says. It may be forged, so it must only ever narrow what a run would do."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from package_retention.model import Operation, Package, Result, Step, StepKind, Version


class ReportedStep(Struct, frozen=True):
    """A step of the run reported on; `tags` are those that its outcome says were really taken away.

    `doubted`: the outcome itself says that the change may have been made or not.
    """

    step: Step
    started: bool = False
    result: Result | None = None
    tags: tuple[str, ...] = ()
    doubted: bool = False

    @property
    def done(self) -> bool:
        """Whether the change was surely made by that run."""
        return self.result is Result.DONE

    @property
    def in_doubt(self) -> bool:
        """Whether the change may have been made: it was started, and nobody could write down how it ended."""
        return self.doubted or (self.started and self.result is None)

    @property
    def tags_gone(self) -> tuple[str, ...]:
        """Return the tags that this step took away; all of its tags if that is in doubt."""
        return self.step.tags if self.in_doubt else self.tags


class ReportedPackage(Struct, frozen=True):
    """A package of that run: its steps in the plan's order, and the versions that were planned to go.

    `losing` are those that were planned to lose tags. Both have the tags that their decision says they had. A package
    that the report does not mention is not `known`.
    """

    package: Package
    steps: tuple[ReportedStep, ...] = ()
    selected: tuple[Version, ...] = ()
    losing: tuple[Version, ...] = ()
    known: bool = True

    @property
    def planned(self) -> dict[int, Version]:
        """Return every version that the plan changed (those that only lose tags too), by id, as it was then."""
        stepped = {one.step.version.id: one.step.version for one in self.steps if one.step.version}
        return {version.id: version for version in self.selected} | stepped

    @property
    def planned_deletions(self) -> frozenset[int]:
        """Return the ids that the plan deleted, one by one or with the package."""
        steps = (one.step for one in self.steps if one.step.kind is StepKind.DELETE_VERSION)
        return frozenset(v.id for v in self.selected) | {s.version.id for s in steps if s.version}

    @property
    def planned_untags(self) -> dict[int, frozenset[str]]:
        """Return the tags that the plan took away, by the id of the version that had them."""
        steps = (one.step for one in self.steps if one.step.kind is StepKind.UNTAG)
        return {step.version.id: frozenset(step.tags) for step in steps if step.version}

    @property
    def went_whole(self) -> bool:
        """Whether the run deleted the package itself, or may have."""
        whole = (one for one in self.steps if one.step.kind is StepKind.DELETE_PACKAGE)
        return any(one.done or one.in_doubt for one in whole)

    @property
    def deleted(self) -> dict[int, Version]:
        """Return every version that the run deleted, or may have deleted, by id."""
        if self.went_whole:
            return {version.id: version for version in self.selected}
        return {
            one.step.version.id: one.step.version
            for one in self.steps
            if one.step.version and one.step.kind is StepKind.DELETE_VERSION and (one.done or one.in_doubt)
        }

    @property
    def roots(self) -> dict[int, int]:
        """Return the image that each version belongs to, by the ids of both, as far as steps name it."""
        steps = (one.step for one in self.steps)
        return {s.version.id: s.root for s in steps if s.version and s.root is not None}

    def members_of(self, roots: Collection[int]) -> frozenset[int]:
        """Return the ids of the deleted versions that steps count among these images."""
        return frozenset(i for i, root in self.roots.items() if root in roots and i in self.deleted)

    @property
    def lost(self) -> dict[int, Version]:
        """Return every version that the run deleted or took tags from, or may have, with the tags that it lost by that.

        Never a tag that its decision does not name: a step may have been forged. (So may a decision.)
        """
        had = {version.id: version.tags for version in (*self.selected, *self.losing)}
        deleted = self.deleted
        lost = {i: (version, had.get(i, ())) for i, version in deleted.items()}
        for one in self.untagged:
            version = one.step.version
            if version and version.id not in deleted:
                gone = tuple(tag for tag in had.get(version.id, ()) if tag in one.tags_gone)
                lost[version.id] = (version, gone)
        return {i: replace(version, tags=tags) for i, (version, tags) in lost.items()}

    @property
    def untagged(self) -> tuple[ReportedStep, ...]:
        """Return the steps that took tags away, or may have."""
        return tuple(s for s in self.steps if s.step.kind is StepKind.UNTAG and (s.tags or s.in_doubt))


class Report(Struct, frozen=True):
    """What a report says; `ended` is `False` where the run was killed before it could write its end."""

    operation: Operation
    dry_run: bool
    created_at: datetime
    server: str
    owner: str
    inputs: Mapping[str, str]
    packages: tuple[ReportedPackage, ...] = ()
    repository: str | None = None
    ended: bool = False

    def about(self, package: Package) -> ReportedPackage:
        """Return what it says of a package: owner, type and name must agree."""
        wanted = (package.owner.login.lower(), package.type, package.name)
        for one in self.packages:
            if (one.package.owner.login.lower(), one.package.type, one.package.name) == wanted:
                return one
        return ReportedPackage(package, known=False)
