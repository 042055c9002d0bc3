"""A release says what it is, and its action.yml runs the image that was published."""

from pathlib import Path

import pytest
from scripts.publish import is_newest
from scripts.release import BUILDERS, ReleaseError, check, check_repository, main, notes, pin, pinned

ROOT = Path(__file__).parents[3]
DIGEST = "sha256:" + "0123456789abcdef" * 4
PROJECT = '[project]\nname = "x"\nversion = "1.4.0"\n'
CHANGELOG = """# Changelog

## [Unreleased]

## [1.4.0] - 2026-02-03

### Added

- A thing.

## [1.3.0]

- An older thing.

[1.4.0]: https://example.org/compare
"""
ACTION = "name: x\nruns:\n  using: docker\n  image: Dockerfile\n"
DOCKERFILE = "ARG VERSION=0\nARG SOURCE=https://github.com/octo-fork/package-retention\n"
ENVIRON = {"GITHUB_REPOSITORY": "octo-fork/package-retention"}


def test_notes_are_the_section_of_that_version_alone() -> None:
    assert notes("1.4.0", CHANGELOG) == "### Added\n\n- A thing.\n"


def test_the_last_section_ends_before_the_links() -> None:
    assert notes("1.3.0", CHANGELOG) == "- An older thing.\n"


@pytest.mark.parametrize("version", ["1.4", "v1.4.0", "1.4.0-rc.1", "1.4.0\n", ""])
def test_check_takes_three_numbers_and_nothing_else(version: str) -> None:
    with pytest.raises(ReleaseError, match="is not a version"):
        check(version, PROJECT, CHANGELOG)


def test_check_refuses_another_version_than_the_projects() -> None:
    with pytest.raises(ReleaseError, match=r"pyproject\.toml says 1\.4\.0, not 1\.3\.0"):
        check("1.3.0", PROJECT, CHANGELOG)


@pytest.mark.parametrize(
    "changelog", ["", "## [1.4.0]\n\n## [1.3.0]\n\n- x\n", CHANGELOG.replace("1.4.0", "1x4x0")]
)
def test_check_refuses_a_version_that_the_change_log_does_not_tell_of(changelog: str) -> None:
    with pytest.raises(ReleaseError, match=r"CHANGELOG\.md has nothing"):
        check("1.4.0", PROJECT, changelog)


def test_check_accepts_what_fits() -> None:
    check("1.4.0", PROJECT, CHANGELOG)
    check_repository("Octo-Fork/package-retention", DOCKERFILE)


@pytest.mark.parametrize(
    ("repository", "dockerfile"),
    [
        ("other/package-retention", DOCKERFILE),
        ("octo-fork/package-retention", ""),
        ("octo-fork/retention", DOCKERFILE),
        ("octo-fork/package-retention", DOCKERFILE.replace("octo-fork", "OWNER")),
    ],
)
def test_check_refuses_files_that_name_another_repository(repository: str, dockerfile: str) -> None:
    owner, name = repository.split("/")
    with pytest.raises(ReleaseError, match=rf"make publishable OWNER={owner}") as caught:
        check_repository(repository, dockerfile)
    assert ("must be called package-retention" in str(caught.value)) == (name != "package-retention")


@pytest.mark.parametrize("written", ["Dockerfile", "'Dockerfile'", '"Dockerfile"'])
def test_pin_changes_the_image_line_and_nothing_else(written: str) -> None:
    action = ACTION.replace("Dockerfile", written) + "  args: []\n"
    assert (
        pin(f"ghcr.io/owner/app@{DIGEST}", action)
        == f"name: x\nruns:\n  using: docker\n  image: docker://ghcr.io/owner/app@{DIGEST}\n  args: []\n"
    )


@pytest.mark.parametrize(
    "reference",
    [f"ghcr.io/Owner/app@{DIGEST}", "ghcr.io/owner/app:1.4.0", f"ghcr.io/owner/app@{DIGEST[:-1]}", "@"],
)
def test_pin_takes_a_digest_and_no_tag(reference: str) -> None:
    with pytest.raises(ReleaseError, match="not an image by digest"):
        pin(reference, ACTION)


def test_pin_refuses_an_action_that_is_pinned_already() -> None:
    action = pin(f"ghcr.io/owner/app@{DIGEST}", ACTION)
    with pytest.raises(ReleaseError, match="0 lines"):
        pin(f"ghcr.io/owner/app@{DIGEST}", action)


@pytest.mark.parametrize(
    ("version", "of_its_major", "of_all"),
    [
        ("2.0.1", True, True),
        ("2.0.0", True, True),  # again
        ("1.10.1", True, False),
        ("1.9.9", False, False),
        ("0.1.0", True, False),
        ("3.0.0", True, True),
    ],
)
def test_a_patch_of_an_older_version_moves_nothing_back(
    version: str, *, of_its_major: bool, of_all: bool
) -> None:
    names = ("tags/v1.0.0", "tags/v1.10.0", "tags/v2.0.0", "tags/v1", "tags/v9.0.0-rc.1", "heads/v9.0.0")
    refs = {f"refs/{name}": "" for name in names}
    assert is_newest(version, refs, major=True) == of_its_major
    assert is_newest(version, refs, major=False) == of_all


def test_the_builders_are_pinned_by_digest() -> None:
    text = (ROOT / BUILDERS).read_text("utf-8")
    assert pinned("builder", text).startswith("moby/buildkit:v")
    assert pinned("scanner", text).startswith("docker/buildkit-syft-scanner:")
    with pytest.raises(ReleaseError, match="no image by digest called `scanner`"):
        pinned("scanner", "FROM docker/buildkit-syft-scanner:1 AS scanner\n")


def test_the_commands_work_on_files_and_report_refusals(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    (tmp_path / "action.yml").write_text(ACTION)
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    (tmp_path / BUILDERS).parent.mkdir(parents=True)
    (tmp_path / BUILDERS).write_text(f"FROM builder@{DIGEST} AS builder\n")
    assert main("check", "1.4.0", tmp_path, {"GITHUB_REPOSITORY": "octo/package-retention"}) == 1
    assert "make publishable OWNER=octo" in capsys.readouterr().err
    assert main("check", "1.4.0", tmp_path, ENVIRON) == 0
    assert main("notes", "1.4.0", tmp_path, ENVIRON) == 0
    assert main("pinned", "builder", tmp_path, ENVIRON) == 0
    assert main("pin", f"ghcr.io/owner/app@{DIGEST}", tmp_path, ENVIRON) == 0
    assert f"docker://ghcr.io/owner/app@{DIGEST}" in (tmp_path / "action.yml").read_text()
    assert capsys.readouterr().out == f"### Added\n\n- A thing.\nbuilder@{DIGEST}\n"
    assert main("pin", "latest", tmp_path, ENVIRON) == 1
    assert main("tag", "1.4.0", tmp_path, ENVIRON) == 1
    assert "not one of check, notes, pin, pinned" in capsys.readouterr().err
