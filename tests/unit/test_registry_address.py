"""Addresses: which registry belongs to a server, and paths that no name can lead astray."""

from __future__ import annotations

import pytest

from package_retention.model import Owner, OwnerKind, Package, PackageType
from package_retention.registry.address import (
    derive,
    is_reference,
    manifest_path,
    normalise,
    referrers_path,
    repository,
)


@pytest.mark.parametrize(
    ("server", "registry"),
    [
        ("https://github.com", "https://ghcr.io"),
        ("https://github.com/", "https://ghcr.io"),
        ("https://GitHub.com", "https://ghcr.io"),
        ("https://octo.ghe.com", "https://containers.octo.ghe.com"),
        ("https://ghes.corp.example", "https://containers.ghes.corp.example"),
        ("http://127.0.0.1:8080", "http://containers.127.0.0.1:8080"),
    ],
)
def test_the_registry_follows_from_the_server(server: str, registry: str) -> None:
    assert derive(server) == registry


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("https://ghcr.io", "https://ghcr.io"),
        ("ghcr.io", "https://ghcr.io"),
        ("HTTPS://GHCR.io//", "https://ghcr.io"),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("http://localhost:5000/", "http://localhost:5000"),
    ],
)
def test_a_registry_url_is_scheme_and_host(given: str, url: str) -> None:
    assert normalise(given) == url


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("https://ghcr.io/octo", "has a path"),
        ("http://ghcr.io", "in the clear"),
        ("ftp://ghcr.io", "no URL of a registry"),
        ("https://me:secret@ghcr.io", "no URL of a registry"),
        ("", "no URL of a registry"),
    ],
)
def test_what_is_no_registry_url_is_refused(given: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        normalise(given)


def package(name: str, login: str = "Octo-Org") -> Package:
    return Package(Owner(login, OwnerKind.ORGANIZATION), PackageType.CONTAINER, name)


def test_paths_are_lower_case_and_quoted() -> None:
    assert repository(package("App/Web")) == "octo-org/app/web"
    assert manifest_path("o/a b?x#y", "sha256:00") == "/v2/o/a%20b%3Fx%23y/manifests/sha256:00"
    assert referrers_path("o/a", "sha256:00") == "/v2/o/a/referrers/sha256:00"


@pytest.mark.parametrize("name", ["..", "a/../../token", "a//b", ".", "/a", "a/", ""])
def test_a_name_that_leads_elsewhere_is_no_path(name: str) -> None:
    assert repository(package(name)) is None


def test_references() -> None:
    assert is_reference("sha256:" + "0" * 64)
    assert is_reference("v1.2_x-Y")
    assert not is_reference("../x")
    assert not is_reference("a/b")
    assert not is_reference(".x")
    assert not is_reference("x" * 129)
    assert not is_reference("")
