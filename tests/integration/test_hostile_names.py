"""Names that mean harm, through the whole action: harmless in the log, in the outputs and in the summary."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from hostile import NAMES
from main_job import Job, job
from markdown_page import OURS, Page

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from emulator.steps import Ran

# A package's name goes into a URL as UTF-8: what has no such form cannot be one. Neither can nothing at all.
PACKAGES = tuple(name[:200] for name in NAMES if name and "\ud800" not in name)
OUR_COMMANDS = re.compile(r"::(add-mask|group|endgroup|warning|error|debug)::")


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Job]:
    with job(tmp_path) as found:
        yield found


def assert_harmless(ran: Ran, ours: set[str]) -> None:
    """No line commands what we did not say, no markup is another's, each output is one whole value."""
    for line in ran.log.splitlines():
        commands = re.findall(r"::[a-z-]+(?: [^:]*)?::", line)
        assert len(commands) <= 1, line
        assert not commands or OUR_COMMANDS.match(line), line
        assert "##[" not in line
    assert all(letter.isprintable() or letter == "\n" for letter in ran.log)
    # Line ends of other kinds, which a reader's terminal or the runner may heed, are gone too.
    assert len(ran.log.splitlines()) == ran.log.count("\n")
    page = Page(ran.summary)
    assert page.names <= OURS
    for tag, attributes in page.tags:
        assert not any(name.startswith("on") for name in attributes), tag
        assert set(attributes) <= ({"href"} if tag == "a" else {"align", "style", "class", "open"})
        link = attributes.get("href") or "http://127.0.0.1"
        assert link.startswith(("http://127.0.0.1", "https://github.com"))
    assert set(ran.outputs) >= ours
    for name, value in ran.outputs.items():
        if name.endswith(("-ids", "packages")):
            json.loads(value)
        elif name.endswith(("-count", "-bytes")):
            int(value)
        else:
            assert value in ("true", "false", "", "report.jsonl")


COUNTS = {"selected-count", "deleted-count", "failed-count", "kept-count", "packages", "complete"}


def test_versions_of_hostile_names(made: Job) -> None:
    package = made.package()
    for number, name in enumerate(NAMES):
        if name:
            made.world.add_version(package, name, created=100 - number).description = name
    made.world.add_version(package, "1.0.0", created=1)
    count = len(package.active())
    made.variables = {**made.variables, "RUNNER_DEBUG": "1"}
    dry = made.step(min_versions_to_keep=3, dry_run="true", report_file="report.jsonl")
    assert_harmless(dry, COUNTS)
    assert dry.number("selected-count") == count - 3
    ran = made.step(min_versions_to_keep=3, report_file="report.jsonl")
    assert_harmless(ran, COUNTS)
    assert len(package.active()) == 3
    back = made.step(operation="restore", versions="*")
    assert_harmless(back, COUNTS)
    assert len(package.active()) == count
    assert_harmless(made.step(operation="list"), COUNTS)


def test_failures_of_hostile_names(made: Job) -> None:
    """Each refusal is quoted with the name that it is about: as an annotation, in the summary."""
    package = made.package(visibility="public")
    for number, name in enumerate(NAMES):
        if name:
            made.world.add_version(package, name, created=100 - number, downloads=9_999)
    ran = made.step(versions="*")
    assert ran.number("deleted-count") == 0
    assert_harmless(ran, COUNTS)
    package.roles["octocat"] = "write"
    assert_harmless(made.step(status=1, versions="*"), COUNTS)


def test_tags_of_hostile_names(made: Job) -> None:
    package = made.package("app", "docker")
    for number, name in enumerate(NAMES):
        tags = [name, f"v{number}"] if name else []
        made.world.add_version(package, f"sha256:{number:064x}", created=100 - number, tags=tags)
    ran = made.step(package_type="docker", package_name="app", versions="v1*", exclude_versions="v2*")
    assert_harmless(ran, COUNTS)
    ran = made.step(package_type="docker", package_name="app", versions="*", exclude_versions="v30")
    assert_harmless(ran, COUNTS)
    assert ran.number("deleted-count") > 20


def test_packages_of_hostile_names(made: Job) -> None:
    packages = [made.filled(name, count=3) for name in PACKAGES]
    packages[2].roles["octocat"] = "write"
    ran = made.step(status=1, package_name="*", versions="1.0.1")
    assert_harmless(ran, COUNTS)
    left = sorted(len(package.active()) for package in packages)
    assert left == [2] * (len(PACKAGES) - 1) + [3]
    assert {one["name"] for one in json.loads(ran.outputs["packages"])} == set(PACKAGES)


@pytest.mark.parametrize("text", ["::error::x", "##[error]x", "a`b", "<img src=x>", "\u202ex", "a\r\nb|c"])
def test_inputs_are_quoted_harmlessly_too(made: Job, text: str) -> None:
    made.filled()
    ran = made.refused(min_versions_to_keep=text, package_type=text, owner=text)
    assert_harmless(ran, {"selected-count"})
    assert made.world.requests == []
