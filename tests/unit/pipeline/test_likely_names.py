"""Which name a mistyped one most likely means, and which names a public log must not show."""

from __future__ import annotations

import pytest

from package_retention.model import Owner, OwnerKind, Package, PackageType
from package_retention.pipeline.targets import likely_name

OCTO = Owner("octo", OwnerKind.ORGANIZATION)


def package(name: str, visibility: str = "public", repository: str | None = None) -> Package:
    return Package(OCTO, PackageType.CONTAINER, name, visibility=visibility, repository=repository)


KNOWN = (
    package("frontend"),
    package("backend", "private", "octo/app"),
    package("secret-plans", "private", "octo/plans"),
    package("inner-tool", "internal"),
)


@pytest.mark.parametrize(
    ("wanted", "meant"),
    [
        ("frontent", "frontend"),
        ("front-end", "frontend"),
        ("bakend", "backend"),
        ("secret-plan", None),
        ("inner-tols", None),
        ("something", None),
    ],
)
def test_only_what_is_public_or_linked_here_is_named(wanted: str, meant: str | None) -> None:
    assert likely_name(wanted, KNOWN, "Octo/App") == meant


def test_without_a_repository_only_public_names_are_shown() -> None:
    assert likely_name("bakend", KNOWN, None) is None
