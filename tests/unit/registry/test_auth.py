"""Challenges as registries write them, realms that may and may not be asked, and what tokens look like."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, strategies as st

from package_retention.registry.auth import Challenge, Grant, objection, parse, read_grant

GHCR = 'Bearer realm="https://ghcr.io/token",service="ghcr.io",scope="repository:octo/app:pull"'
EXPECTED = Challenge("https://ghcr.io/token", "ghcr.io")


@pytest.mark.parametrize(
    "header",
    [
        GHCR,
        'bearer  Realm="https://ghcr.io/token" , SERVICE=ghcr.io, scope="repository:octo/app:pull"',
        'BEARER scope="repository:octo/app:pull",service="ghcr.io",realm="https://ghcr.io/token"',
        'Basic realm="x, y", ' + GHCR,
        "Negotiate, " + GHCR,
        "Negotiate," + GHCR + ', Basic realm="other"',
        GHCR + ',error="invalid_token"',
        'Bearer realm="https://ghcr\\.io/token",service="ghcr.io",scope="repository:octo/app:pull"',
    ],
)
def test_a_bearer_challenge_is_found(header: str) -> None:
    assert parse(header) == EXPECTED


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        'Basic realm="https://ghcr.io/token"',
        'Bearer service="x"',
        'Bearer realm=""',
        "=,=,",
        '"',
        "x" * 9000,
    ],
)
def test_no_challenge_is_no_challenge(header: str) -> None:
    assert parse(header) is None


@given(st.text(max_size=200) | st.text('Bearer relm="\\,= ', max_size=200))
def test_no_header_raises(header: str) -> None:
    found = parse(header)
    assert found is None or found.realm


def test_a_scope_is_asked_for_in_the_query() -> None:
    assert (
        EXPECTED.url("repository:octo/a b:pull,push")
        == "https://ghcr.io/token?service=ghcr.io&scope=repository%3Aocto%2Fa+b%3Apull%2Cpush"
    )
    assert Challenge("https://h/t?x=1").url("s") == "https://h/t?x=1&scope=s"


@pytest.mark.parametrize(
    ("realm", "registry", "api"),
    [
        ("https://ghcr.io/token", "https://ghcr.io", "https://api.github.com"),
        ("https://GHCR.IO/token", "https://ghcr.io", "https://api.github.com"),
        ("https://ghe.corp.example/v2/token", "https://containers.ghe.corp.example", "https://other.example"),
        ("https://ghes/token", "https://containers.ghes", "https://ghes/api/v3"),
        ("https://api.octo.ghe.com/t", "https://containers.octo.ghe.com", "https://api.octo.ghe.com"),
        ("http://127.0.0.1:8000/token", "http://127.0.0.1:5000", "http://127.0.0.1:8000"),
        ("http://localhost:5000/token", "http://localhost:5000", "https://api.github.com"),
        ("http://[::1]:2/token", "http://[::1]:2", "https://api.github.com"),
        ("https://ghcr.io:443/token", "https://ghcr.io", "https://api.github.com"),
        ("https://corp.example:8443/token", "https://registry.corp.example:8443", "https://api.github.com"),
    ],
)
def test_realms_that_may_be_asked(realm: str, registry: str, api: str) -> None:
    assert objection(realm, registry, api) == ""


@pytest.mark.parametrize(
    "realm",
    [
        "https://evil.example/token",
        "http://ghcr.io/token",
        "https://io/token",
        "https://ghcr.io.evil.example/token",
        "https://evilghcr.io/token",
        "https://sub.ghcr.io/token",
        "https://ghcr.io@evil.example/token",
        "https://evil.example\\@ghcr.io/token",
        "https://ghcr.io\\.evil.example/token",
        "https://ghcr.io#@evil.example/",
        "https://ghcr.io:99999/token",
        "https://ghcr.io:443@evil.example/token",
        "https://evil.example/?@ghcr.io",
        " https://ghcr.io/token",
        "https://ghcr.io/to\nken",
        "//ghcr.io/token",
        "ftp://ghcr.io/token",
        "file:///etc/passwd",
        "http://127.0.0.1/token",
        "https://",
        "",
    ],
)
def test_realms_that_may_not(realm: str) -> None:
    assert objection(realm, "https://ghcr.io", "https://api.github.com")


@pytest.mark.parametrize(
    ("realm", "registry"),
    [
        ("https://ghcr.io:8443/token", "https://ghcr.io"),
        ("http://127.0.0.1:5001/token", "http://127.0.0.1:5000"),
        ("http://localhost/token", "http://localhost:5000"),
        ("http://[::1]:1/token", "http://[::1]:2"),
        ("https://corp.example/token", "https://registry.corp.example:8443"),
        ("https://api.github.com:444/token", "https://ghcr.io"),
    ],
)
def test_another_port_is_another_host(realm: str, registry: str) -> None:
    assert "another host or port" in objection(realm, registry, "https://api.github.com")


def test_an_address_has_no_parent_domain() -> None:
    assert objection("https://0.0.1/token", "https://127.0.0.1", "https://api.github.com")


@pytest.mark.parametrize(
    ("answer", "grant"),
    [
        ({"token": "abc"}, Grant("abc", 60)),
        ({"access_token": "abc", "expires_in": 300}, Grant("abc", 300)),
        ({"token": "abc", "access_token": "xyz", "expires_in": 5}, Grant("abc", 60)),
        ({"token": "abc", "expires_in": "300"}, Grant("abc", 60)),
        ({"token": "abc", "expires_in": True}, Grant("abc", 60)),
        ({"token": "abc", "expires_in": float("nan")}, Grant("abc", 60)),
        ({"token": "abc", "expires_in": 10**400}, Grant("abc", 3600)),
        ({"token": "abc", "expires_in": -1}, Grant("abc", 60)),
        ({"token": ""}, None),
        ({"token": 7}, None),
        ({"token": "a\r\nX: y"}, None),
        ({}, None),
        ([], None),
        ("token", None),
    ],
)
def test_grants(answer: object, grant: Grant | None) -> None:
    assert read_grant(json.dumps(answer).encode()) == grant


def test_no_answer_of_a_realm_raises() -> None:
    assert read_grant(b"<html>") is None
    assert read_grant(b"\xff") is None
    assert read_grant(b"[" * 100_000) is None


def test_a_token_is_in_no_repr() -> None:
    assert "secret" not in repr(Grant("secret", 60))
