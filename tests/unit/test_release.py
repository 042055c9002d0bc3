"""A release says what it is, and its action.yml runs the image that was published."""

from pathlib import Path

import pytest
from scripts.release import REUSABLE, ReleaseError, check, check_references, main, notes, pin, refer

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


def test_notes_are_the_section_of_that_version_alone() -> None:
    assert notes("1.4.0", CHANGELOG) == "### Added\n\n- A thing.\n"


def test_the_last_section_ends_before_the_links() -> None:
    assert notes("1.3.0", CHANGELOG) == "- An older thing.\n"


@pytest.mark.parametrize("version", ["1.4", "v1.4.0", "1.4.0-rc.1", "1.4.0\n", ""])
def test_check_takes_three_numbers_and_nothing_else(version: str) -> None:
    with pytest.raises(ReleaseError, match="is no version"):
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


@pytest.mark.parametrize("written", ["Dockerfile", "'Dockerfile'", '"Dockerfile"'])
def test_pin_changes_the_image_line_and_nothing_else(written: str) -> None:
    action = ACTION.replace("Dockerfile", written) + "  args: []\n"
    pinned = pin(f"ghcr.io/owner/app@{DIGEST}", action)
    assert (
        pinned
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
    pinned = pin(f"ghcr.io/owner/app@{DIGEST}", ACTION)
    with pytest.raises(ReleaseError, match="0 lines"):
        pin(f"ghcr.io/owner/app@{DIGEST}", pinned)


WORKFLOW = f"""jobs:
  list:
    steps:
      - uses: actions/checkout@{"0123456789" * 4} # v6.0.2
      - uses: OWNER/package-retention@v1 # zizmor: ignore[unpinned-uses] a reason
      - id: jobs
        uses: OWNER/package-retention/.github/actions/organization-jobs@v1
"""
REFERRED = WORKFLOW.replace("OWNER/", "octo/").replace("@v1", "@v1.4.0")


def test_refer_changes_the_own_actions_and_nothing_else() -> None:
    assert refer("octo/package-retention@v1.4.0", WORKFLOW) == REFERRED
    assert refer("octo/package-retention@v1.5.0", REFERRED) == REFERRED.replace("v1.4.0", "v1.5.0")


def test_every_own_action_of_the_reusable_workflow_is_found() -> None:
    workflow = (Path(__file__).parents[2] / REUSABLE).read_text("utf-8")
    referred = refer("octo/other-name@v1.4.0", workflow)
    assert "package-retention@" not in referred.replace("octo/other-name", "")
    assert referred.count("octo/other-name@v1.4.0 ") == 3
    assert referred.count("octo/other-name/.github/actions/organization-jobs@v1.4.0 ") == 2
    changed = [
        new for old, new in zip(workflow.splitlines(), referred.splitlines(), strict=True) if old != new
    ]
    assert len(changed) == 5


@pytest.mark.parametrize("release", ["octo/x@v1", "octo/x", "v1.4.0", "octo/x@1.4.0", "octo/x@v1.4.0\n"])
def test_refer_takes_a_release_and_nothing_else(release: str) -> None:
    with pytest.raises(ReleaseError, match="is no release"):
        refer(release, WORKFLOW)


def test_refer_refuses_a_workflow_without_own_actions() -> None:
    with pytest.raises(ReleaseError, match="uses no action"):
        refer("octo/x@v1.4.0", "jobs: {}")


@pytest.mark.parametrize(
    "workflow",
    [
        WORKFLOW,
        REFERRED.replace("octo/", "stranger/"),
        REFERRED.replace("1.4.0", "1.3.0"),
        REFERRED + WORKFLOW,
    ],
)
def test_check_refuses_a_workflow_that_would_run_something_else(workflow: str) -> None:
    with pytest.raises(ReleaseError, match=r"does not use octo/package-retention@v1\.4\.0"):
        check_references("octo/package-retention", "1.4.0", workflow)


def test_check_accepts_a_workflow_that_runs_this_release() -> None:
    check_references("octo/package-retention", "1.4.0", REFERRED)


def test_the_commands_work_on_files_and_tell_refusals(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    (tmp_path / "action.yml").write_text(ACTION)
    (tmp_path / REUSABLE).parent.mkdir(parents=True)
    (tmp_path / REUSABLE).write_text(WORKFLOW)
    assert main("check", "1.4.0", tmp_path, "octo/package-retention") == 1
    assert "refer octo/package-retention@v1.4.0" in capsys.readouterr().err
    assert main("refer", "octo/package-retention@v1.4.0", tmp_path) == 0
    assert (tmp_path / REUSABLE).read_text() == REFERRED
    assert main("check", "1.4.0", tmp_path, "octo/package-retention") == 0
    assert main("notes", "1.4.0", tmp_path) == 0
    assert main("pin", f"ghcr.io/owner/app@{DIGEST}", tmp_path) == 0
    assert f"docker://ghcr.io/owner/app@{DIGEST}" in (tmp_path / "action.yml").read_text()
    assert capsys.readouterr().out == "### Added\n\n- A thing.\n"
    assert main("pin", "latest", tmp_path) == 1
    assert main("tag", "1.4.0", tmp_path) == 1
    assert "not one of refer, check, notes, pin" in capsys.readouterr().err
