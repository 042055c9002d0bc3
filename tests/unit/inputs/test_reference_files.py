"""Which files are read, and everything that forbids to rely on them."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from package_retention.inputs.reference_files import (
    LIMITS,
    Limits,
    find_references,
)
from package_retention.problems import Position, Problem, ProblemCode as Code

if TYPE_CHECKING:
    from pathlib import Path

IMAGE = "image: ghcr.io/octo/app:v1\n"


def put(root: Path, name: str, content: str | bytes = IMAGE) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def problems(root: Path, *globs: str, limits: Limits = LIMITS) -> list[tuple[Code, str]]:
    return [(problem.code, problem.value) for problem in find_references(root, globs, limits).problems]


@pytest.mark.parametrize(
    ("glob", "files"),
    [
        ("a.yaml", ["a.yaml"]),
        ("./a.yaml", ["a.yaml"]),
        ("*.yaml", ["a.yaml"]),
        ("deploy/*.yaml", ["deploy/b.yaml"]),
        ("*/b.yaml", ["deploy/b.yaml"]),
        ("**/*.yaml", [".github/e.yaml", "a.yaml", "deploy/b.yaml", "deploy/x/c.yaml", "deploy/x/y/d.yaml"]),
        ("deploy/**/*.yaml", ["deploy/b.yaml", "deploy/x/c.yaml", "deploy/x/y/d.yaml"]),
        ("deploy/**", ["deploy/b.yaml", "deploy/x/c.yaml", "deploy/x/y/d.yaml"]),
        ("deploy/**/y/*", ["deploy/x/y/d.yaml"]),
        ("**/**/[cd].yaml", ["deploy/x/c.yaml", "deploy/x/y/d.yaml"]),
        (".git/f.yaml", [".git/f.yaml"]),
    ],
)
def test_globs_reach_files_of_any_depth(tmp_path: Path, glob: str, files: list[str]) -> None:
    for name in ("a", "deploy/b", "deploy/x/c", "deploy/x/y/d", ".github/e", ".git/f"):
        put(tmp_path, f"{name}.yaml")
    found = find_references(tmp_path, [glob])
    assert [(reference.file, reference.line) for reference in found.references] == [
        (file, 1) for file in files
    ]
    assert found.problems == ()


def test_a_glob_that_matches_nothing_is_a_problem_whatever_the_others_match(tmp_path: Path) -> None:
    put(tmp_path, "a.yaml")
    assert problems(tmp_path, "a.yaml", "deploy/*.yaml") == [(Code.GLOB_UNMATCHED, "deploy/*.yaml")]
    assert problems(tmp_path, "a.yaml/b") == [(Code.GLOB_UNMATCHED, "a.yaml/b")]
    assert problems(tmp_path, "A.yaml") == [(Code.GLOB_UNMATCHED, "A.yaml")]


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    put(tmp_path, "deploy/a.yaml")
    assert problems(tmp_path, "deploy") == [(Code.GLOB_IS_FOLDER, "deploy")]
    assert problems(tmp_path, "deploy/") == [(Code.GLOB_IS_FOLDER, "deploy/")]


@pytest.mark.parametrize("glob", ["/etc/passwd", "../a.yaml", "a/../b.yaml", "a\0.yaml", "", "."])
def test_nothing_outside_the_workspace_is_read(tmp_path: Path, glob: str) -> None:
    assert problems(tmp_path, glob) == [(Code.GLOB_OUTSIDE, glob)]


@pytest.mark.parametrize(
    ("glob", "link"),
    [
        ("deploy/link.yaml", "deploy/link.yaml"),
        ("deploy/*.yaml", "deploy/link.yaml"),
        ("**/*.yaml", "deploy/link.yaml"),
        ("folder/a.yaml", "folder"),
        ("**/a.yaml", "folder"),
        ("*/a.yaml", "folder"),
        ("deploy/**", "deploy/link.yaml"),
    ],
)
def test_a_symbolic_link_that_a_glob_reaches_is_a_problem(tmp_path: Path, glob: str, link: str) -> None:
    put(tmp_path, "deploy/real.yaml")
    put(tmp_path, "deploy/a.yaml")
    (tmp_path / "deploy/link.yaml").symlink_to("real.yaml")
    (tmp_path / "folder").symlink_to("deploy")
    assert (Code.FILE_LINK, link) in problems(tmp_path, glob)


def test_a_broken_link_is_one_too_and_a_link_that_no_glob_reaches_is_none(tmp_path: Path) -> None:
    put(tmp_path, "deploy/a.yaml")
    (tmp_path / "deploy/gone.yaml").symlink_to("nothing")
    (tmp_path / "deploy/tool").symlink_to("/bin/sh")
    assert problems(tmp_path, "deploy/*.yaml") == [(Code.FILE_LINK, "deploy/gone.yaml")]
    assert problems(tmp_path, "**/a.yaml") == []


def test_a_pipe_is_no_file_and_is_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    assert problems(tmp_path, "*.yaml") == [(Code.FILE_NOT_REGULAR, "pipe.yaml")]


def test_bounds_are_problems_and_never_cuts(tmp_path: Path) -> None:
    for name in "abc":
        put(tmp_path, f"{name}.yaml")
    size = len(IMAGE)
    assert problems(tmp_path, "*.yaml", limits=Limits(size, 3, 3 * size)) == []
    assert problems(tmp_path, "*.yaml", limits=Limits(size - 1, 3, 3 * size)) == [
        (Code.FILE_TOO_LARGE, f"{name}.yaml") for name in "abc"
    ]
    assert problems(tmp_path, "a*", "*.yaml", limits=Limits(size, 2, 3 * size)) == [
        (Code.GLOBS_TOO_MANY, "a*, *.yaml")
    ]
    assert find_references(tmp_path, ["*.yaml"], Limits(size, 3, 3 * size - 1)).problems == (
        Problem(Code.GLOBS_TOO_MUCH, "*.yaml", details={"most": 3 * size - 1}),
    )
    assert Limits() == Limits(10 * 1024 * 1024, 50_000, 500 * 1024 * 1024)


def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    too_long = "a" * 300
    (problem,) = find_references(tmp_path, [too_long]).problems
    assert (problem.code, problem.value, problem.details["why"]) == (
        Code.FILE_UNREADABLE,
        too_long,
        os.strerror(errno.ENAMETOOLONG),
    )


def test_files_without_any_reference_are_a_problem_together(tmp_path: Path) -> None:
    put(tmp_path, "pods.txt", "")
    put(tmp_path, "list.json", '{"kind": "List", "items": []}')
    assert problems(tmp_path, "*.txt", "*.json") == [(Code.GLOBS_WITHOUT_REFERENCE, "*.txt, *.json")]
    put(tmp_path, "more.txt", "octo/app:v1")
    assert problems(tmp_path, "*.txt", "*.json") == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("name", ["pods.txt", "pods.yaml", "pods.json"])
def test_byte_order_marks_are_honoured(tmp_path: Path, encoding: str, name: str) -> None:
    text = '{"é": "ghcr.io/octo/app:v1"}\r\n'
    put(tmp_path, name, text.encode(encoding))
    (reference,) = find_references(tmp_path, ["*"]).references
    assert (reference.name, reference.tag) == ("ghcr.io/octo/app", "v1")


@pytest.mark.parametrize(
    "mark_and_text", ["\ufeff".encode("utf-16-be") + IMAGE.encode("utf-16-be"), "\ufeff".encode("utf-32-be") + IMAGE.encode("utf-32-be")]
)  # fmt: skip
def test_big_endian_marks_too(tmp_path: Path, mark_and_text: bytes) -> None:
    put(tmp_path, "pods.txt", mark_and_text)
    assert len(find_references(tmp_path, ["*"]).references) == 1


@pytest.mark.parametrize(
    "data", [b"\xff\xfe\x00", b"caf\xe9 octo/app:v1", IMAGE.encode("utf-16-le"), b"\x00\x01"]
)
def test_a_file_that_is_no_text_is_a_problem(tmp_path: Path, data: bytes) -> None:
    put(tmp_path, "a.txt", data)
    put(tmp_path, "b.yaml")
    assert problems(tmp_path, "*") == [(Code.FILE_NO_TEXT, "a.txt")]


def test_what_cannot_be_parsed_is_a_problem_with_line_and_column(tmp_path: Path) -> None:
    put(tmp_path, "a.yaml", "a: 1\nb: [\n")
    put(tmp_path, "b.json", '{"a":\n  1 2}')
    put(tmp_path, "c.yaml")
    first, second = find_references(tmp_path, ["*"]).problems
    assert (first.code, first.at and (first.at.file, first.at.line)) == (Code.FILE_NOT_PARSED, ("a.yaml", 3))
    assert second.at == Position("b.json", 2, 5)
    assert first.details["why"]
    assert second.details["why"]


def test_a_template_is_read_as_text_and_named(tmp_path: Path) -> None:
    put(tmp_path, "a.yaml", "{{ if .x }}\nimage: ghcr.io/octo/app:v1\n{{ end }}\n")
    put(tmp_path, "b.yaml", "image: {repository: octo/app, tag: v2}  # {{ no template }}\n")
    found = find_references(tmp_path, ["*.yaml"])
    assert found.templates == ("a.yaml",)
    assert [(r.file, r.tag) for r in found.references] == [("a.yaml", "v1"), ("b.yaml", "v2")]


def test_every_problem_is_found_at_once(tmp_path: Path) -> None:
    put(tmp_path, "a.yaml", "[")
    (tmp_path / "b.yaml").symlink_to("a.yaml")
    assert problems(tmp_path, "*.yaml", "../x", "none") == [
        (Code.FILE_LINK, "b.yaml"),
        (Code.GLOB_OUTSIDE, "../x"),
        (Code.GLOB_UNMATCHED, "none"),
        (Code.FILE_NOT_PARSED, "a.yaml"),
    ]
