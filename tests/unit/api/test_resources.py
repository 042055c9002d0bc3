from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, strategies as st

from package_retention.api import resources
from package_retention.model import Owner, OwnerKind, Package, PackageType, Version

OWNER = Owner("octo", OwnerKind.ORGANIZATION)
CONTAINER, NPM, DOCKER = PackageType.CONTAINER, PackageType.NPM, PackageType.DOCKER

PACKAGE: dict[str, Any] = {
    "id": 197,
    "name": "group/app",
    "package_type": "container",
    "html_url": "https://github.com/orgs/octo/packages/container/package/group%2Fapp",
    "visibility": "internal",
    "version_count": 3,
    "repository": {"id": 1, "full_name": "octo/app"},
    "created_at": "2026-01-02T03:04:05Z",
    "updated_at": "2026-01-03T03:04:05.250+02:00",
}
VERSION: dict[str, Any] = {
    "id": 45763,
    "name": "sha256:08a4",
    "html_url": "https://github.com/v",
    "created_at": "2026-01-02T03:04:05Z",
    "updated_at": "2026-01-02T03:04:05Z",
    "metadata": {"package_type": "container", "container": {"tags": ["v1", "latest"]}},
}

json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


def test_a_whole_package() -> None:
    assert resources.package(PACKAGE, OWNER, CONTAINER) == Package(
        owner=OWNER,
        type=CONTAINER,
        name="group/app",
        html_url="https://github.com/orgs/octo/packages/container/package/group%2Fapp",
        visibility="internal",
        repository="octo/app",
        version_count=3,
        created_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        updated_at=datetime(2026, 1, 3, 1, 4, 5, 250_000, tzinfo=UTC),
    )


def test_a_package_that_says_no_more_than_it_must() -> None:
    assert resources.package({"name": "lib"}, OWNER, NPM) == Package(owner=OWNER, type=NPM, name="lib")
    assert resources.package({"name": "lib", "package_type": "NPM"}, OWNER) == Package(
        owner=OWNER, type=NPM, name="lib"
    )


@pytest.mark.parametrize(
    "odd",
    [
        {"repository": None},
        {"repository": {"full_name": 3}},
        {"repository": "octo/app"},
        {"version_count": True},
    ],
)
def test_odd_extras_are_unknown(odd: dict[str, Any]) -> None:
    package = resources.package({"name": "lib"} | odd, OWNER, NPM)
    assert package == Package(owner=OWNER, type=NPM, name="lib")


def test_ghosts_are_left_out() -> None:
    for name in ("deleted_app", "deleted_123_app"):
        assert resources.package(PACKAGE | {"name": name}, OWNER, CONTAINER) is None
    assert resources.package(PACKAGE | {"name": "app-deleted_"}, OWNER, CONTAINER)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (None, "a package is NoneType"),
        ([], "a package is list"),
        ({"id": 7}, "id '7', name 'None', its `name` is not text"),
        ({"name": ""}, "`name` is not text"),
        ({"name": "lib", "package_type": "container"}, "`package_type` is not npm"),
        ({"name": "lib", "package_type": "conda"}, "`package_type` is not npm"),
        ({"name": "lib", "package_type": 5}, "`package_type` is not npm"),
    ],
)
def test_a_package_that_cannot_be_read_is_named(row: Any, why: str) -> None:
    with pytest.raises(ValueError, match="GitHub's answer does not fit") as caught:
        resources.package(row, OWNER, NPM)
    assert why in str(caught.value)


def test_a_package_of_no_known_type() -> None:
    with pytest.raises(ValueError, match="one that we know"):
        resources.package({"name": "lib"}, OWNER)


def test_a_whole_version() -> None:
    when = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert resources.version(VERSION, CONTAINER) == Version(
        id=45763,
        name="sha256:08a4",
        created_at=when,
        updated_at=when,
        tags=("v1", "latest"),
        html_url="https://github.com/v",
    )


def test_a_version_that_says_no_more_than_it_must() -> None:
    assert resources.version({"id": 1, "name": "1.0.0"}, NPM) == Version(id=1, name="1.0.0")
    assert resources.version({"id": 1, "name": "1.0.0", "metadata": None}, DOCKER) == Version(
        id=1, name="1.0.0"
    )


def test_only_types_with_tags_have_tags() -> None:
    assert resources.version(VERSION, NPM).tags == ()


@pytest.mark.parametrize(
    ("docker", "tags"),
    [
        ({"tag": ["a", "b"]}, ("a", "b")),
        ({"tags": ["a"]}, ("a",)),
        ({"tags": ["a"], "tag": ["a", "b"]}, ("a", "b")),
        ({"tag": "a"}, ("a",)),
        ({"tag": None}, ()),
        ({}, ()),
    ],
)
def test_docker_says_tag_or_tags(docker: Any, tags: tuple[str, ...]) -> None:
    assert resources.version({"id": 1, "name": "x", "metadata": {"docker": docker}}, DOCKER).tags == tags


def test_an_empty_list_of_tags_is_an_untagged_image() -> None:
    assert resources.version(VERSION | {"metadata": {"container": {"tags": []}}}, CONTAINER).tags == ()


@pytest.mark.parametrize(
    "metadata",
    [None, {}, {"container": None}, {"container": {}}, {"container": {"tags": None}}, {"container": []}],
)
def test_an_image_that_does_not_tell_its_tags_never_passes_for_untagged(metadata: Any) -> None:
    with pytest.raises(ValueError, match=r"id '45763'.*does not say which tags it has"):
        resources.version(VERSION | {"metadata": metadata}, CONTAINER)
    deleted = VERSION | {"metadata": metadata, "deleted_at": "2026-02-01T00:00:00Z"}
    assert resources.version(deleted, CONTAINER).deleted_at == datetime(2026, 2, 1, tzinfo=UTC)


@pytest.mark.parametrize("tags", [["a", 1], {"a": "b"}, 7, [None]])
def test_tags_that_are_no_names(tags: Any) -> None:
    with pytest.raises(ValueError, match="not a list of names"):
        resources.version(VERSION | {"metadata": {"container": {"tags": tags}}}, CONTAINER)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"id": True, "name": "x"}, "positive integer"),
        ({"id": "7", "name": "x"}, "positive integer"),
        ({"id": 7.0, "name": "x"}, "positive integer"),
        ({"id": 0, "name": "x"}, "positive integer"),
        ({"name": "x"}, "positive integer"),
        ({"id": 7}, "`name` is not text"),
        ({"id": 7, "name": ["x"]}, "`name` is not text"),
        ("x", "a version is str"),
    ],
)
def test_a_version_that_cannot_be_read_is_named(row: Any, why: str) -> None:
    with pytest.raises(ValueError, match="GitHub's answer does not fit") as caught:
        resources.version(row, NPM)
    assert why in str(caught.value)


def test_what_a_row_holds_is_shown_in_bounds() -> None:
    with pytest.raises(ValueError, match="GitHub's answer does not fit") as caught:
        resources.version({"id": "x" * 10_000, "name": "y" * 10_000}, NPM)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05.123Z", datetime(2026, 1, 2, 3, 4, 5, 123_000, tzinfo=UTC)),
        ("2026-01-02T03:04:05-08:00", datetime(2026, 1, 2, 11, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05", None),
        ("2026-01-02", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("soon", None),
        ("", None),
        (None, None),
        (1_767_323_045, None),
    ],
)
def test_moments(text: Any, read: datetime | None) -> None:
    assert resources.moment(text) == read


@given(json, st.sampled_from(PackageType))
def test_any_json_is_a_row_or_a_value_error(row: Any, package_type: PackageType) -> None:
    for read in (
        lambda: resources.version(row, package_type),
        lambda: resources.package(row, OWNER, package_type),
    ):
        try:
            read()
        except ValueError as error:
            assert "GitHub's answer does not fit" in str(error)  # noqa: PT017 - the other outcome is fine too


@given(st.dictionaries(st.sampled_from(sorted(VERSION)), json), st.sampled_from(PackageType))
def test_any_field_may_be_anything(odd: dict[str, Any], package_type: PackageType) -> None:
    try:
        version = resources.version(VERSION | odd, package_type)
    except ValueError as error:
        assert "GitHub's answer does not fit" in str(error)  # noqa: PT017 - the other outcome is fine too
        return
    assert type(version.id) is int
    assert version.name
    assert all(isinstance(tag, str) and tag for tag in version.tags)
    assert version.created_at is None or version.created_at.tzinfo is UTC
