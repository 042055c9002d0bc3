"""URLs of the server, and files that references are read from: refused before any request."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from package_retention.decide.in_use import Reference
from package_retention.errors import InputError
from package_retention.inputs.settings import read_settings
from package_retention.output.problem_sentences import sentences

if TYPE_CHECKING:
    from pathlib import Path

    from package_retention.inputs.settings import Settings

GIVEN = {
    "GITHUB_REPOSITORY": "octo/app",
    "GITHUB_REPOSITORY_OWNER": "octo",
    "INPUT_TOKEN": "ghp_0123456789",
    "INPUT_PACKAGE-TYPE": "container",
    "INPUT_PACKAGE-NAME": "app",
    "INPUT_VERSIONS": "v*",
}


def settings(workspace: Path, **given: str) -> Settings:
    return read_settings({**GIVEN, **given}, workspace)


def problems(workspace: Path, **given: str) -> tuple[str, ...]:
    with pytest.raises(InputError) as caught:
        settings(workspace, **given)
    return sentences(caught.value.problems)


@pytest.mark.parametrize("name", ["GITHUB_API_URL", "GITHUB_SERVER_URL"])
@pytest.mark.parametrize(
    "url", ["github.com", "https://", "ftp://ghe.example", "/api", "https://a:b", "https://[x"]
)
def test_a_url_without_scheme_or_host_is_an_input_error(tmp_path: Path, name: str, url: str) -> None:
    assert any(f"{name}: `{url}` is not a URL" in each for each in problems(tmp_path, **{name: url}))


@pytest.mark.parametrize("name", ["GITHUB_API_URL", "GITHUB_SERVER_URL"])
def test_plain_http_is_refused_but_for_loopback(tmp_path: Path, name: str) -> None:
    (sentence,) = problems(tmp_path, **{name: "http://ghe.example/x"})
    assert sentence.endswith("would send the token unencrypted; write `https://ghe.example/x`")
    assert settings(tmp_path, GITHUB_API_URL="http://127.0.0.1:80").api_url == "http://127.0.0.1:80"


def test_references_are_read_with_the_inputs(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("ghcr.io/octo/app:v1\n")
    found = settings(tmp_path, **{"INPUT_KEEP-REFERENCED-IN": "*.txt"})
    assert found.keep_referenced_in == ("*.txt",)
    (reference,) = found.references[("*.txt",)].references
    assert reference == Reference("ghcr.io/octo/app", "a.txt", 1, "v1")


def test_references_of_keep_rules_are_read_too(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("ghcr.io/octo/app:v1\n")
    rules = {"keep": [{"referenced-in": "a.txt"}], "delete": [{"versions": "v*"}]}
    package = {"type": "container", "name": "app", **rules}
    (tmp_path / "p.yml").write_text(json.dumps({"packages": [package]}))
    given = {k: v for k, v in GIVEN.items() if k != "INPUT_VERSIONS"} | {"INPUT_POLICY-FILE": "p.yml"}
    assert read_settings(given, tmp_path).references.keys() == {("a.txt",)}


@pytest.mark.parametrize(
    ("globs", "sentence"),
    [
        ("none-*.yaml", "keep-referenced-in: `none-*.yaml` matches no file"),
        ("../x", "keep-referenced-in: `../x` leaves the workspace; write a path below it"),
        ("empty.txt", "keep-referenced-in: `empty.txt` hold no reference at all; is a listing empty?"),
        ("link.txt", "keep-referenced-in: `link.txt` is a symbolic link, which could lead anywhere"),
        ("bad.yaml", "bad.yaml:"),
        ("!a.yaml", "keep-referenced-in: `!a.yaml` excludes files, which globs of files cannot do"),
        ("", "keep-referenced-in: evaluated to nothing; write `none` if that is meant"),
    ],
)
def test_files_that_cannot_be_relied_on_are_refused(tmp_path: Path, globs: str, sentence: str) -> None:
    (tmp_path / "empty.txt").write_text("nothing")
    (tmp_path / "bad.yaml").write_text("[a\n")
    (tmp_path / "link.txt").symlink_to("empty.txt")
    assert any(
        each.startswith(sentence) for each in problems(tmp_path, **{"INPUT_KEEP-REFERENCED-IN": globs})
    )


@pytest.mark.parametrize("name", ["REPORT-FILE", "MANIFEST-CACHE"])
def test_a_hard_link_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "one").write_text("x")
    (tmp_path / "two").hardlink_to(tmp_path / "one")
    (sentence,) = problems(tmp_path, **{f"INPUT_{name}": "two"})
    assert "has another name (a hard link)" in sentence


def test_two_inputs_never_name_one_file(tmp_path: Path) -> None:
    given = {"INPUT_REPORT-FILE": "x", "INPUT_MANIFEST-CACHE": "./x"}
    (sentence,) = problems(tmp_path, **given)
    assert sentence.startswith("`report-file` and `manifest-cache` are the same file")
