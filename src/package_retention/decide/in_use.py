"""Find which versions of a package the references in files protect, and why.

A reference protects every version that it could mean: names are compared without their host, so that mirrors count, and
a place whose tag cannot be known protects every tagged version.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

from package_retention.model import PackageType, Version
from package_retention.reason import Fact

_DOCKER_HOST = "docker.pkg.github.com"


class Reference(Struct, frozen=True):
    """A place in a file that refers to a version of something.

    `name` is as written, with its host: `ghcr.io/octo/app`, `@acme/lib`, `com.acme:lib`; empty for a bare digest. `tag`
    is a tag or a version. `any_tag`: the tag cannot be known (none, empty, a template). `explicit`: it is surely meant
    as a reference, by its key or form; one that is not (a name in running text) counts only after the registry's host.
    `open_start`: something that cannot be known comes before the name (`${REGISTRY}/app`).
    """

    name: str
    file: str
    line: int
    tag: str = ""
    digest: str = ""
    any_tag: bool = False
    explicit: bool = True
    open_start: bool = False


class UseCode(StrEnum):
    """How a reference meets a package.

    `ANY_TAG` protects every tagged version. `NOT_LISTED`: it names a tag or digest that the package does not have.
    `NOT_NAMED`: no file names the package, so there is no place.
    """

    TAG = "tag"
    DIGEST = "digest"
    ANY_TAG = "any-tag"
    NOT_LISTED = "not-listed"
    NOT_NAMED = "not-named"


class Use(Fact, frozen=True):
    """A file and line refer to `text`, a tag, version or digest of a package (empty: to any tag)."""

    code: UseCode
    file: str = ""
    line: int = 0
    text: str = ""


class InUse(Struct, frozen=True):
    """The versions of one package that references protect, by id, each with the reason, and what is to be reported."""

    reasons: Mapping[int, Use]
    notices: tuple[Use, ...]


class ReferenceIndex:
    """All references of a run, found by name and by digest; in order of file and line."""

    def __init__(self, references: Iterable[Reference]) -> None:
        self._by_name: dict[str, list[Reference]] = defaultdict(list)
        self._by_digest: dict[str, Reference] = {}
        for reference in sorted(references, key=lambda one: (one.file, one.line, one.any_tag, one.tag)):
            if reference.name:
                self._by_name[_last_part(reference.name)].append(reference)
            if reference.digest:
                self._by_digest.setdefault(reference.digest, reference)

    def protected(
        self, owner: str, package_type: PackageType, name: str, host: str, versions: Sequence[Version]
    ) -> InUse:
        """Return which of a package's listed versions are referred to.

        `host` is the registry's, with its port if it has one (`ghcr.io`): a name without a tag counts only behind it.
        """
        package = _PackageName(owner.lower(), package_type, name.lower(), host.lower())
        found = [
            reference
            for reference in self._by_name.get(_last_part(name), ())
            if package.is_named_by(reference)
        ]
        listed = _Listed(package_type, versions)
        reasons: dict[int, Use] = {}
        notices: dict[Use, None] = {}
        # What names a version itself comes first, since that is the better reason.
        for reference in sorted(found, key=lambda one: one.any_tag):
            use, meant = listed.meant(reference)
            if reference.any_tag:
                notices[use] = None
            elif not meant and reference.digest not in listed.digests:
                text = reference.tag or reference.digest
                notices[Use(UseCode.NOT_LISTED, reference.file, reference.line, text)] = None
            for version in meant:
                reasons.setdefault(version.id, use)
        for version in versions:
            if by_digest := self._by_digest.get(version.name.lower()):
                reason = Use(UseCode.DIGEST, by_digest.file, by_digest.line, version.name)
                reasons.setdefault(version.id, reason)
        if not found and not reasons:
            notices[Use(UseCode.NOT_NAMED)] = None
        return InUse(reasons, tuple(notices))


def _last_part(name: str) -> str:
    return re.split(r"[/:.]", name.lower())[-1]


class _PackageName(Struct, frozen=True):
    """A package by the names that files may write, all in small letters."""

    owner: str
    type: PackageType
    name: str
    host: str

    def is_named_by(self, reference: Reference) -> bool:
        written = reference.name.lower()
        separator = "." if self.type is PackageType.MAVEN else "/"
        if reference.open_start and any(_ends_with(whole, written, separator) for whole in self._wholes):
            return reference.explicit
        match self.type:
            case PackageType.CONTAINER:
                (whole,) = self._wholes
                return _ends_with(written, whole if reference.explicit else f"{self.host}/{whole}")
            case PackageType.DOCKER:
                # docker.pkg.github.com/OWNER/REPOSITORY/NAME: the repository does not belong to the package's name.
                *before, last = written.split("/")
                named = last == self.name and self.owner in before
                return named and (reference.explicit or _DOCKER_HOST in before or self.host in before)
            case PackageType.MAVEN:
                return written.replace(":", ".") in self._wholes
            case _:
                return written in self._wholes

    @property
    def _wholes(self) -> tuple[str, ...]:
        match self.type:
            case PackageType.CONTAINER:
                return (f"{self.owner}/{self.name}",)
            case PackageType.NPM:
                # The REST API names `@acme/lib` by `lib` alone.
                return (self.name, f"@{self.owner}/{self.name}")
            case _:
                return (self.name,)


def _ends_with(long: str, short: str, separator: str = "/") -> bool:
    return long == short or long.endswith(separator + short)


class _Listed:
    """The versions of a package by tag (or version) and digest."""

    def __init__(self, package_type: PackageType, versions: Sequence[Version]) -> None:
        self._has_tags = package_type.has_tags
        self._versions = versions
        self._by_tag: dict[str, list[Version]] = defaultdict(list)
        for version in versions:
            for text in version.tags if self._has_tags else (version.name,):
                self._by_tag[self._form(text)].append(version)
        self.digests = {version.name.lower() for version in versions} if self._has_tags else set()

    def meant(self, reference: Reference) -> tuple[Use, list[Version]]:
        """Return the versions that a reference could mean (those of its digest are found by the index), and why."""
        if reference.any_tag:
            use = Use(UseCode.ANY_TAG, reference.file, reference.line)
            return use, [version for version in self._versions if version.tags or not self._has_tags]
        use = Use(UseCode.TAG, reference.file, reference.line, reference.tag)
        # A full stop or hyphen behind a tag may belong to the sentence around it.
        tags = (reference.tag, reference.tag.rstrip("._-")) if reference.tag else ()
        forms = dict.fromkeys(map(self._form, tags))
        return use, [version for form in forms for version in self._by_tag.get(form, ())]

    def _form(self, text: str) -> str:
        """Return the form in which tags are compared: as written; versions without `v`, build and trailing zeros."""
        if self._has_tags:
            return text
        return re.sub(r"(?:\.0)+$", "", text.lower().removeprefix("v").split("+")[0])
