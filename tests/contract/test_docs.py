"""The documentation says what the code does: made parts are up to date, examples are valid, links lead somewhere."""

from __future__ import annotations

import ast
import io
import re
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from markdown_it import MarkdownIt
from scripts import docs_tables

from package_retention.api.refusals import rows
from package_retention.inputs import cli, policy
from package_retention.inputs.files import Places
from package_retention.inputs.settings import read_settings
from package_retention.inputs.table import BY_NAME, INPUTS
from package_retention.inputs.values import Context
from package_retention.output.counts import count_run
from package_retention.output.outputs import bounded
from package_retention.output.sentences import messages
from run_results import run
from workflows import ACTION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "package_retention"
PAGES = sorted(
    path
    for pattern in (
        "*.md",
        "docs/**/*.md",
        ".github/**/*.md",
        "tests/*.md",
        "tests/data/**/*.md",
        "benchmarks/*.md",
    )
    for path in ROOT.glob(pattern)
)
README = (ROOT / "README.md").read_text(encoding="utf-8")
TROUBLES = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
FACTS = (ROOT / "docs" / "github-facts.md").read_text(encoding="utf-8")
WHOLE_FILES = [
    path.read_text(encoding="utf-8").strip()
    for folder in ("docs/recipes", "docs/policies")
    for path in sorted((ROOT / folder).glob("*.yml"))
]
RUNNER = {
    "GITHUB_REPOSITORY": "octo/app",
    "GITHUB_REPOSITORY_OWNER": "octo",
    "INPUT_TOKEN": "ghp_example",
}
GRANTS = {"none", "read", "write"}
_CITED = re.compile(r"\b[Ff]acts ((?:[A-K] ?\d*)(?:(?:,| and| to) [A-K]?\d+)*)")
_SECTION = re.compile(r"([A-K]) ?(\d*)")

# What a step of a page finds under the name of its policy file.
POLICY = "packages: [{type: container, name: app, delete: [{tag-status: untagged}]}]"


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def parsed(path: Path) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(path.read_text(encoding="utf-8"))


def blocks(path: Path, language: str) -> list[str]:
    return [one.content for one in parsed(path) if one.type == "fence" and one.info.strip() == language]


def anchors(path: Path) -> set[str]:
    """The anchors that GitHub gives headings: small letters, no signs, blanks as dashes."""
    tokens = parsed(path)
    titles = [after.content for one, after in pairwise(tokens) if one.type == "heading_open"]
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def links(path: Path) -> Iterator[str]:
    for token in parsed(path):
        for child in token.children or ():
            target = child.attrGet("href") if child.type == "link_open" else child.attrGet("src")
            if target:
                yield str(target)


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_no_link_is_broken(path: Path) -> None:
    broken = []
    for link in links(path):
        if re.match(r"https?://|mailto:", link):
            continue
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        if (
            not target.is_relative_to(ROOT)
            or not target.exists()
            or (anchor and target.suffix == ".md" and anchor not in anchors(target))
        ):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("name", docs_tables.FILES)
def test_made_parts_are_up_to_date(name: str) -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    text = (ROOT / name).read_text(encoding="utf-8")
    assert docs_tables.renewed(text, action) == text, "run `make docs`"
    assert "made by scripts/docs_tables.py" in text


def test_the_page_of_inputs_names_every_input_and_output() -> None:
    page = (ROOT / "docs" / "inputs.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w-]+)` \|", page, re.MULTILINE)
    assert rows == [*(each.name for each in INPUTS), *bounded(count_run(run()))[0]]


def test_the_readme_is_read_in_minutes() -> None:
    """A stranger sees the promise, a picture and the first workflow without scrolling."""
    lines = README.splitlines()
    assert len(README.split()) <= 1600
    assert next(n for n, line in enumerate(lines, 1) if "<picture>" in line) <= 15
    assert next(n for n, line in enumerate(lines, 1) if "uses:" in line) <= 30


def test_every_refusal_is_in_troubleshooting_with_what_to_do() -> None:
    for row in rows():
        assert docs_tables.refusals((row,)).split("<br>")[0] in TROUBLES
        assert f"*Do:* {row.hint}." in TROUBLES


def test_every_reason_for_staying_is_explained_in_its_own_words() -> None:
    table = TROUBLES.partition("## Nothing is deleted")[2]
    assert set(re.findall(r"^\| (.+?) \|", table, re.MULTILINE)) - {"reason", "---"} == {
        entry.short for entry in messages().reasons.values()
    }


def test_this_actions_own_messages_are_quoted_as_they_are() -> None:
    own = TROUBLES.partition("## What this action says")[2].partition("\n## ")[0]
    quoted = re.findall(r"^- `(.+)`$", own, re.MULTILINE)
    files = [*(ROOT / "src").rglob("*.py"), *(ROOT / "src").rglob("*.toml")]
    code = "\n".join(path.read_text(encoding="utf-8") for path in files)
    joined = re.sub(r'"\s*\n\s*f?"|\\\n\s*', "", code)
    assert len(quoted) > 8
    assert [words for words in quoted if words not in joined] == []


def test_every_fact_that_is_cited_has_its_section() -> None:
    headings = set(re.findall(r"^##+ ([A-K]\d?)\. ", FACTS, re.MULTILINE))
    rows = set(re.findall(r"^\| (J\d+) \|", FACTS, re.MULTILINE))
    assert len(rows) == 31
    cited = {
        f"{letter}{number}"
        for folder in ("src", "tests", "scripts", "docs")
        for path in (ROOT / folder).rglob("*.py")
        for found in _CITED.findall(path.read_text(encoding="utf-8"))
        for letter, number in _SECTION.findall(found)
    }
    assert len(cited) > 20
    assert cited - headings - rows == set()


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_every_yaml_block_is_a_tested_file_or_valid_by_the_parser(path: Path, tmp_path: Path) -> None:
    for block in blocks(path, "yaml"):
        if block.strip() not in WHOLE_FILES:
            check(yaml.load(block, yaml.BaseLoader), block, tmp_path)


def check(read: Any, block: str, folder: Path) -> None:
    """Hold a part of a workflow, or of a policy file, to what reads it."""
    if read is None:
        assert all(line.startswith("#") for line in block.splitlines())
    elif isinstance(read, list):
        for step in read:
            check_step(step, folder)
    elif read.keys() == {"permissions"}:
        assert set(read["permissions"].values()) <= GRANTS
    elif read.keys() == {"packages"}:
        (folder / "policy.yml").write_text(block, encoding="utf-8")
        policy.load(folder / "policy.yml", Context(places=Places(folder)), "")
    else:
        raise AssertionError(f"neither a recipe, nor a step, permissions or a policy: {block}")


def check_step(step: dict[str, Any], folder: Path) -> None:
    if "uses" not in step:
        assert "run" in step
    elif step["uses"].startswith(ACTION):
        # Whatever an expression evaluates to, it is not empty.
        given = {
            f"INPUT_{name.upper()}": re.sub(r"\$\{\{.+?\}\}", "v1", value)
            for name, value in step["with"].items()
        }
        if "policy-file" in step["with"]:
            path = folder / step["with"]["policy-file"]
            path.parent.mkdir(exist_ok=True)
            path.write_text(POLICY, encoding="utf-8")
        read_settings(RUNNER | given, folder)
    else:
        assert re.fullmatch(r"[\w-]+/[\w.-]+@[\w.-]+", step["uses"])


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_every_flag_in_a_command_is_one(path: Path) -> None:
    known = {f"--{name}" for name in BY_NAME} | {"--help", "--version", "--yes"}
    for block in blocks(path, "console"):
        for line in block.splitlines():
            called = re.search(r"(?:entrypoint\.py|[ /]package-retention(?::[\d.]+)?) (.*)", line)
            if called and "gh attestation" not in line:
                words = re.findall(r"--[\w-]+", called[1])
                assert set(words) <= known, line


def test_commands_for_local_use_are_valid(tmp_path: Path) -> None:
    """What the page about local use says to type is what the parser takes."""
    running = (ROOT / "docs" / "running.md").read_text(encoding="utf-8")
    lines = [line for line in running.splitlines() if line.endswith("--dry-run")]
    assert [line.split()[0] for line in lines] == ["uvx", "pipx", "docker"]
    for line in lines:
        argv = line[line.index("--owner") :].split()
        called = cli.read(argv, {"GITHUB_TOKEN": "ghp_example"}, io.StringIO())
        assert not isinstance(called, int)
        assert read_settings(called.environ, tmp_path).dry_run


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_make_targets_that_are_told_exist(path: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    told = {
        target
        for block in blocks(path, "console")
        for target in re.findall(r"^make ([a-z-]+)", block, re.MULTILINE)
    }
    assert told <= targets


def test_the_architecture_names_files_that_exist() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = {name for name in re.findall(r"`([\w./-]+)`", page) if "/" in name}
    assert {name for name in named if not ((SOURCE / name).exists() or (ROOT / name).exists())} == set()


@pytest.mark.parametrize("page", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_every_room_of_the_source_is_described(page: str) -> None:
    """The lists follow the layers that the imports are held to, so that a new room cannot be left out."""
    text = (ROOT / page).read_text(encoding="utf-8")
    rooms = [path.parent.name for path in SOURCE.glob("*/__init__.py")]
    modules = [path.stem for path in SOURCE.glob("*.py") if not path.stem.startswith("__")]
    for room in rooms:
        assert re.search(rf"(?:\| `|^  ){room}/", text, re.MULTILINE), room
        module = ast.parse((SOURCE / room / "__init__.py").read_text(encoding="utf-8"))
        assert re.search(r"\b[Nn]ever\b", ast.get_docstring(module) or ""), f"{room}: what must it never do?"
    for name in modules:
        assert re.search(rf"`{name}`|\b{name}\.py", text), name
