"""Addresses in the registry: paths that no name can lead astray."""

from __future__ import annotations

import pytest

from package_retention.model import Owner, OwnerKind, Package, PackageType
from package_retention.registry.endpoint import is_reference, path, repository
from package_retention.registry.sender import PermanentError


def package(name: str, login: str = "Octo-Org") -> Package:
    return Package(Owner(login, OwnerKind.ORGANIZATION), PackageType.CONTAINER, name)


def test_paths_are_lower_case_and_quoted() -> None:
    assert repository(package("App/Web")) == "octo-org/app/web"
    assert (
        path(package("a b?x#y"), "manifests", "sha256:00") == "/v2/octo-org/a%20b%3Fx%23y/manifests/sha256:00"
    )
    assert path(package("a"), "referrers", "sha256:00") == "/v2/octo-org/a/referrers/sha256:00"


@pytest.mark.parametrize("name", ["..", "a/../../token", "a//b", ".", "/a", "a/", ""])
def test_a_name_that_leads_elsewhere_is_no_path(name: str) -> None:
    with pytest.raises(PermanentError, match="not a path in a registry"):
        repository(package(name))


def test_references() -> None:
    assert is_reference("sha256:" + "0" * 64)
    assert is_reference("v1.2_x-Y")
    assert not is_reference("../x")
    assert not is_reference("a/b")
    assert not is_reference(".x")
    assert not is_reference("x" * 129)
    assert not is_reference("")
