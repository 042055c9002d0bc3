"""Make the paths of the API's objects (facts A1), and read their JSON rows into values of the model (facts A5).

An incomplete row is tolerated, an unreadable one raises.

No row is dropped silently: what it stands for may protect others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import quote

from msgspec import Struct, ValidationError, convert, field

from package_retention.errors import MissingError, Refusal, RefusalKind, UnreachableError
from package_retention.model import Owner, OwnerKind, Package, PackageType, Version

Form = TypeVar("Form")

# URL libraries take these two for steps along the path, however they are encoded.
_STEPS = ("", ".", "..")
# GitHub still lists a deleted package, by such a name (facts A6).
_GHOST = "deleted_"
ODD_ANSWER = "run again; if it stays so, report it with the log of a run with debug logging on"
"""The hint about an answer that does not fit."""


def segment(name: str) -> str:
    """Encode a name as one segment of a path, slashes included.

    Raises:
        MissingError: the name is empty, `.` or `..`: as a segment it would lead to another object.
    """
    if name in _STEPS:
        message = f"there can be no owner or package of the name {name!r}"
        raise MissingError(Refusal(RefusalKind.NOT_FOUND, 0, message, "check `owner` and `package-name`"))
    return quote(name, safe="")


def owner_path(owner: Owner) -> str:
    """Return the base path that reaches an owner's packages."""
    if owner.kind is OwnerKind.ONESELF:
        return "/user"
    return f"/{'orgs' if owner.kind is OwnerKind.ORGANIZATION else 'users'}/{segment(owner.login)}"


def repository_path(repository: str) -> str:
    """Return the path of a git repository (`owner/name`)."""
    owner, _, name = repository.partition("/")
    return f"/repos/{segment(owner)}/{segment(name)}"


def package_path(of: Package) -> str:
    """Return the path of a package."""
    return f"{owner_path(of.owner)}/packages/{of.type.value}/{segment(of.name)}"


def version_path(of: Package, version_id: int) -> str:
    """Return the path of a version."""
    return f"{package_path(of)}/versions/{version_id:d}"


@contextmanager
def reading(action: str) -> Iterator[None]:
    """Turn the `ValueError` of a response that does not fit into an `UnreachableError`."""
    try:
        yield
    except ValueError as error:
        raise UnreachableError(f"cannot {action}: {error}", ODD_ANSWER) from None


def json_list(data: Any) -> list[Any]:
    """Return a list of JSON; raise `ValueError` for anything else."""
    if not isinstance(data, list):
        raise ValueError("GitHub's answer is not a list")  # noqa: TRY004 - one error for all that does not fit
    return data


def json_object(data: Any, noun: str) -> Mapping[str, Any]:
    """Return an object of JSON; raise `ValueError` for anything else."""
    if not isinstance(data, dict):
        found = type(data).__name__
        message = f"GitHub's answer does not fit: a {noun} is {found} in place of an object"
        raise ValueError(message)  # noqa: TRY004 - one error for every row that does not fit
    return data


def row(data: Any, kind: type[Form]) -> Form:
    """Read a row of a kind; other fields are ignored; raise `ValueError` for a row that does not fit."""
    try:
        return convert(data, kind)
    except ValidationError as error:
        message = f"GitHub's answer does not fit: {error}"
        raise ValueError(message) from None


class Account(Struct):
    """A user or an organization."""

    login: str = ""
    type: str = ""


class PullRequest(Struct):
    """A pull request."""

    number: int


class Named(Struct):
    """A branch or a git tag."""

    name: str


class Release(Struct):
    """A release, by the name of its tag."""

    name: str = field(name="tag_name")


def package(data: Any, owner: Owner, package_type: PackageType | None = None) -> Package | None:
    """Read a package; `None` for a ghost.

    Args:
        data: decoded JSON.
        owner: the owner whose packages were requested; its login is not read from the row.
        package_type: the type that was requested; a row of another type does not fit.

    Raises:
        ValueError: it cannot be read as a package of this type; the message names the row.
    """
    fields = json_object(data, "package")
    name = _name(fields, "package")
    if name.startswith(_GHOST):
        return None
    return Package(
        owner=owner,
        type=_type(fields, package_type),
        name=name,
        html_url=_text(fields.get("html_url")),
        visibility=_text(fields.get("visibility")),
        repository=_repository(fields.get("repository")),
        version_count=_count(fields.get("version_count")),
        created_at=moment(fields.get("created_at")),
        updated_at=moment(fields.get("updated_at")),
    )


def packages(body: Any, owner: Owner, package_type: PackageType | None = None) -> tuple[Package, ...]:
    """Read a list of packages, without ghosts; raise `ValueError` as for one."""
    found = (package(data, owner, package_type) for data in json_list(body))
    return tuple(each for each in found if each is not None)


def version(data: Any, package_type: PackageType) -> Version:
    """Read a version.

    Raises:
        ValueError: it has no integer id or no name, or, being an active container version, does not say which tags
            it has (it must not pass for an untagged one); the message names the row.
    """
    fields = json_object(data, "version")
    number = fields.get("id")
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise ValueError(_unfit(fields, "version", "its `id` is not a positive integer"))
    return Version(
        id=number,
        name=_name(fields, "version"),
        created_at=moment(fields.get("created_at")),
        updated_at=moment(fields.get("updated_at")),
        deleted_at=moment(fields.get("deleted_at")),
        tags=_tags(fields, package_type),
        html_url=_text(fields.get("html_url")),
    )


def moment(value: Any) -> datetime | None:
    """Read an ISO 8601 time with an offset, in UTC; `None` (unknown) for anything else."""
    if not isinstance(value, str):
        return None
    try:
        read = datetime.fromisoformat(value.strip())
        return read.astimezone(UTC) if read.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _tags(fields: Mapping[str, Any], package_type: PackageType) -> tuple[str, ...]:
    if not package_type.has_tags:
        return ()
    metadata = fields.get("metadata")
    own = metadata.get(package_type.value) if isinstance(metadata, dict) else None
    # The schema calls docker's property `tag` and demands `tags` (facts A5).
    keys = ("tags",) if package_type is PackageType.CONTAINER else ("tags", "tag")
    named = [own.get(key) for key in keys] if isinstance(own, dict) else []
    lists = [tags for tags in named if tags is not None]
    if not lists and package_type is PackageType.CONTAINER and fields.get("deleted_at") is None:
        raise ValueError(_unfit(fields, "version", "it does not say which tags it has"))
    return tuple(dict.fromkeys(tag for found in lists for tag in _tag_names(found, fields)))


def _tag_names(found: Any, fields: Mapping[str, Any]) -> Iterator[str]:
    if isinstance(found, str):
        found = [found]
    if not isinstance(found, list) or not all(isinstance(tag, str) for tag in found):
        raise ValueError(_unfit(fields, "version", "its tags are not a list of names"))
    yield from (tag for tag in found if tag)


def _type(fields: Mapping[str, Any], wanted: PackageType | None) -> PackageType:
    named = fields.get("package_type")
    if named is None and wanted is not None:
        return wanted
    found = next((each for each in PackageType if each.value == _text(named).lower()), None)
    if found is None or wanted not in (None, found):
        raise ValueError(
            _unfit(fields, "package", f"its `package_type` is not {wanted or 'one that we know'}")
        )
    return found


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _repository(value: Any) -> str | None:
    return _text(value.get("full_name")) or None if isinstance(value, dict) else None


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _name(fields: Mapping[str, Any], noun: str) -> str:
    if not (name := _text(fields.get("name"))):
        raise ValueError(_unfit(fields, noun, "its `name` is not text"))
    return name


def _unfit(fields: Mapping[str, Any], noun: str, why: str) -> str:
    shown = ", ".join(f"{key} {str(fields.get(key))[:80]!r}" for key in ("id", "name"))
    return f"GitHub's answer does not fit: in the {noun} with {shown}, {why}"
